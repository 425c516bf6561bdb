/* The handshake from both ends, host names, times of day, sleeps. */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "ws_sockets.h"

static struct outcome out;

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A server for one client: listens, answers, echoes until the end. */
struct server {
    int listener, answered;
    const char *path;
    char request[2000];
};

static void *serve(void *argument) {
    struct server *server = argument;
    char data[2000];
    Ws_DataType type = WDT_NULL;
    int fd = accept(server->listener, NULL, NULL), length;
    must(fd >= 0, "accept");
    do {
        length = ws_recv(fd, server->request, sizeof server->request, &type);
    } while (length == 0 && type == WDT_NULL);
    CHECK(length < 0);
    server->answered = ws_replyClient(fd, server->request, length, (char *)server->path);
    while (server->answered > 0 && type != WDT_DISCONN) {
        length = ws_recv(fd, data, sizeof data, &type);
        if (length > 0) {
            CHECK(ws_send(fd, data, length, false, type) > length);
        }
    }
    close(fd);
    return argument;
}

static int request_from(const char *ip, const char *path, const char *of_server, struct server *server) {
    char copy[200];
    pthread_t thread;
    int port = 0, fd;
    memset(server, 0, sizeof *server);
    server->listener = listen_local(&port);
    server->path = of_server;
    must(pthread_create(&thread, NULL, serve, server) == 0, "pthread_create");
    strcpy(copy, path == NULL ? "" : path);
    fd = ws_requestServer((char *)ip, port, path == NULL ? NULL : copy, 5000);
    if (fd > 0) {
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK_INT(ws_send(fd, "hello", 5, false, WDT_TXTDATA), 11);
        do {
            await_readable(fd);
            hear(fd, 100, &out);
        } while (out.type == WDT_NULL);
        EXPECT_TEXT(out, "hello", WDT_TXTDATA);
        close(fd);
    }
    pthread_join(thread, NULL);
    close(server->listener);
    return fd;
}

static void clients_and_servers_find_each_other(void) {
    static const struct {
        const char *path, *of_server, *line;
        int linked;
    } rows[] = {
        {"/", NULL, "GET / HTTP/1.1\r\n", 1},
        {NULL, "", "GET / HTTP/1.1\r\n", 1},
        {"", "/", "GET / HTTP/1.1\r\n", 1},
        {"/chat", "/", "GET /chat HTTP/1.1\r\n", 1},
        {"chat", "/chat", "GET /chat HTTP/1.1\r\n", 1},
        {"/chat?t=1", "/chat", "GET /chat?t=1 HTTP/1.1\r\n", 1},
        {"/a/chat/b", "chat", "GET /a/chat/b HTTP/1.1\r\n", 1},
        {"/cha", "/chat", "GET /cha HTTP/1.1\r\n", 0},
        {"/", "/chat", "GET / HTTP/1.1\r\n", 0},
        /* Only the target counts. */
        {"/x", "HTTP", "GET /x HTTP/1.1\r\n", 0},
        {"/x", "/x HTTP", "GET /x HTTP/1.1\r\n", 0},
    };
    struct server server;
    size_t row;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        int fd = request_from("127.0.0.1", rows[row].path, rows[row].of_server, &server);
        CHECK_INT(fd > 0, rows[row].linked);
        CHECK_INT(server.answered, rows[row].linked ? 129 : -1);
        CHECK(strncmp(server.request, rows[row].line, strlen(rows[row].line)) == 0);
        CHECK(fd != 0);
    }
    CHECK(request_from("localhost", "/", NULL, &server) > 0);
}

/* What ws_replyClient says to a request, and what the client then reads. */
static int reply(const char *request, int length, const char *path, char *answer) {
    int pair[2], sent;
    ssize_t got;
    connect_pair(LOCAL, pair);
    sent = ws_replyClient(pair[0], (char *)request, length, (char *)path);
    got = recv(pair[1], answer, 4095, MSG_DONTWAIT);
    answer[got > 0 ? got : 0] = 0;
    CHECK_INT(sent, got > 0 ? got : -1);
    close_pair(pair);
    return sent;
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define OFFER "GET / HTTP/1.1\r\nUpgrade: websocket\r\n" KEY "Sec-WebSocket-Protocol: "

static void requests_are_judged_as_the_old_helper_did(void) {
    static const struct {
        const char *request, *protocol;
        int good;
    } rows[] = {
        {"GET / HTTP/1.1\r\nUpgrade: websocket\r\n" KEY "\r\n", NULL, 1},
        {"GET / HTTP/1.0\r\nupgrade: h2c, WebSocket\r\nsec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", NULL, 1},
        {"GET / HTTP/1.1\r\n" KEY "\r\n", NULL, 0},
        {"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", NULL, 0},
        {"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key:\r\n\r\n", NULL, 0},
        {"GET / HTTP/1.1\r\nUpgrade: h2c\r\n" KEY "\r\n", NULL, 0},
        {"", NULL, 0},
        {"\r\n\r\n", NULL, 0},
        {"noise", NULL, 0},
        {OFFER "chat\r\n\r\n", "chat", 1},
        {OFFER " mqtt , chat\r\nSec-WebSocket-Protocol: other\r\n\r\n", "mqtt", 1},
        {OFFER ",chat\r\n\r\n", "chat", 1},
        /* Nothing that is no token gets into the answer. */
        {OFFER "\r\n\r\n", NULL, 1},
        {OFFER "a b\r\n\r\n", NULL, 1},
        {OFFER "a\tb\x01\r\n\r\n", NULL, 1},
        {OFFER "\xC3\xA4\r\n\r\n", NULL, 1},
    };
    char answer[4096], line[200], copy[4096];
    size_t row;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        int length = (int)strlen(rows[row].request), sent = reply(rows[row].request, 0, NULL, answer);
        CHECK_INT(sent > 0, rows[row].good);
        CHECK_INT(reply(rows[row].request, -length, "/", answer), sent);
        CHECK_INT(reply(rows[row].request, length + 100, "", answer), sent);
        if (length > 0) {
            memset(copy, 'x', sizeof copy);
            memcpy(copy, rows[row].request, (size_t)length);
            CHECK_INT(reply(copy, length, NULL, answer), sent);
        }
        if (sent <= 0) {
            continue;
        }
        CHECK(strncmp(answer, "HTTP/1.1 101 ", 13) == 0);
        CHECK(strstr(answer, ACCEPT) != NULL);
        CHECK(strcmp(answer + sent - 4, "\r\n\r\n") == 0);
        CHECK(strstr(answer, "\r\n\r\n") == answer + sent - 4);
        sprintf(line, "\r\nSec-WebSocket-Protocol: %s\r\n", rows[row].protocol ? rows[row].protocol : "");
        CHECK_INT(strstr(answer, "Sec-WebSocket-Protocol") != NULL, rows[row].protocol != NULL);
        CHECK_INT(strstr(answer, line) != NULL, rows[row].protocol != NULL);
    }
    CHECK_INT(reply(NULL, 0, NULL, answer), -1);
    CHECK_INT(reply(NULL, 100, "/", answer), -1);
    CHECK_INT(reply(rows[0].request, 20, NULL, answer), -1);
    CHECK_INT(ws_replyClient(-1, (char *)rows[0].request, 0, NULL), -1);
    CHECK_INT(ws_replyClient(987654, (char *)rows[0].request, 0, NULL), -1);
}

static void connects_that_fail(void) {
    static char ip[] = "127.0.0.1", path[] = "/";
    char deep[70000];
    long long start;
    int port = 0, listener = listen_local(&port), result;
    CHECK(ws_requestServer(NULL, port, path, 100) < 0);
    CHECK(ws_requestServer((char *)"", port, path, 100) < 0);
    CHECK(ws_requestServer((char *)"no spaces", port, path, 100) < 0);
    CHECK(ws_requestServer(ip, 0, path, 100) < 0);
    CHECK(ws_requestServer(ip, -1, path, 100) < 0);
    CHECK(ws_requestServer(ip, 65536, path, 100) < 0);
    CHECK(ws_requestServer(ip, port, (char *)"/a b", 100) < 0);
    CHECK(ws_requestServer(ip, port, (char *)"/\r\nX: y", 100) < 0);
    memset(deep, 'a', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    CHECK(ws_requestServer(deep, port, path, 100) < 0);
    /* Nobody answers: the whole thing ends at twice the time. */
    start = now_ms();
    result = ws_requestServer(ip, port, path, 150);
    CHECK(result <= -250);
    CHECK(now_ms() - start >= -result);
    result = ws_requestServer(ip, port, deep, 100);
    CHECK(result <= -1);
    close(listener);
    /* Nobody listens: it is tried again until the time is over. */
    result = ws_requestServer(ip, port, path, 100);
    CHECK(result <= -100);
    /* Without a time, 1000 ms. */
    CHECK(ws_requestServer(ip, port, path, 0) <= -1000);
    CHECK(ws_requestServer(ip, port, path, -5) <= -1000);
}

static void *late(void *argument) {
    struct server *server = argument;
    int port = server->answered;
    ws_delayms(300);
    server->listener = listen_local(&port);
    serve(server);
    close(server->listener);
    return argument;
}

static void a_server_may_start_late(void) {
    static char ip[] = "127.0.0.1", path[] = "/";
    struct server server;
    pthread_t thread;
    int port = 0, fd;
    close(listen_local(&port));
    memset(&server, 0, sizeof server);
    server.answered = port;
    must(pthread_create(&thread, NULL, late, &server) == 0, "pthread_create");
    fd = ws_requestServer(ip, port, path, 20000);
    CHECK(fd > 0);
    close(fd);
    pthread_join(thread, NULL);
    CHECK_INT(server.answered, 129);
}

static void *time_elsewhere(void *text) {
    strcpy(text, ws_time());
    return ws_time();
}

static void times_of_day(void) {
    char elsewhere[16] = "", *text;
    pthread_t thread;
    int hour, minute, second, end, tries;
    time_t before, after;
    struct tm parts;
    for (tries = 0; tries < 100; tries++) {
        before = time(NULL);
        text = ws_time();
        after = time(NULL);
        if (before == after) {
            break;
        }
    }
    CHECK_INT(sscanf(text, "%2d:%2d:%2d%n", &hour, &minute, &second, &end), 3);
    CHECK_INT(end, 8);
    CHECK_INT(strlen(text), 8);
    before += 8 * 3600;
    gmtime_r(&before, &parts);
    CHECK_INT(hour, parts.tm_hour);
    CHECK_INT(minute, parts.tm_min);
    CHECK_INT(second, parts.tm_sec);
    CHECK(ws_time() == text);
    /* Each thread has its own. */
    strcpy(text, "mine");
    must(pthread_create(&thread, NULL, time_elsewhere, elsewhere) == 0, "pthread_create");
    pthread_join(thread, NULL);
    CHECK(strcmp(text, "mine") == 0);
    CHECK_INT(strlen(elsewhere), 8);
}

static void host_names(void) {
    char ip[16] = "unchanged";
    CHECK(ws_getIpByHostName(NULL, ip, 100) <= -1);
    CHECK(ws_getIpByHostName("", ip, 100) <= -1);
    CHECK(ws_getIpByHostName("no such host", ip, 100) <= -1);
    CHECK(ws_getIpByHostName("::1", ip, 100) <= -1);
    CHECK(strcmp(ip, "unchanged") == 0);
    CHECK(ws_getIpByHostName("127.0.0.1", ip, 100) >= 1);
    CHECK(strcmp(ip, "127.0.0.1") == 0);
    CHECK(ws_getIpByHostName("localhost", ip, 5000) >= 1);
    CHECK(strncmp(ip, "127.", 4) == 0);
    CHECK(ws_getIpByHostName("192.168.100.200", ip, 0) >= 1);
    CHECK(strcmp(ip, "192.168.100.200") == 0);
    CHECK(ws_getIpByHostName("10.0.0.1", ip, -1) >= 1);
    CHECK(ws_getIpByHostName("10.0.0.1", NULL, 100) >= 1);
}

static void sleeps(void) {
    long long start = now_ms();
    ws_delayms(30);
    CHECK(now_ms() - start >= 30);
    start = now_ms();
    ws_delayus(30000);
    CHECK(now_ms() - start >= 29);
    ws_delayms(0);
    ws_delayus(0);
}

/* A client's fd masks whatever the program says; so do its answers. */
static void a_client_always_masks(void) {
    static char ip[] = "127.0.0.1", path[] = "/";
    char request[600], frame[16];
    struct server server;
    int port = 0, fd, peer;
    pid_t child;
    memset(&server, 0, sizeof server);
    server.listener = listen_local(&port);
    child = fork();
    if (child == 0) {
        check_failures = 0;
        fd = ws_requestServer(ip, port, path, 5000);
        must(fd > 0, "ws_requestServer");
        must(ws_send(fd, request, 0, false, WDT_BINDATA) == 6, "ws_send");
        do {
            await_readable(fd);
            hear(fd, 100, &out);
        } while (out.type != WDT_DISCONN);
        _exit(check_failures != 0);
    }
    peer = accept(server.listener, NULL, NULL);
    do {
        await_readable(peer);
        hear(peer, sizeof request, &out);
    } while (out.result == 0);
    /* Frames glued to the answer are not lost. */
    CHECK_INT(ws_replyClient(peer, out.data, out.result, path), 129);
    put(peer, "\x89\x00", 2);
    get(peer, frame, 12);
    CHECK_BYTES(frame, "\x82\x80", 2);
    CHECK_BYTES(frame + 6, "\x8A\x80", 2);
    close(peer);
    close(server.listener);
    {
        int status = -1;
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
    }
}

int main(void) {
    clients_and_servers_find_each_other();
    requests_are_judged_as_the_old_helper_did();
    connects_that_fail();
    a_server_may_start_late();
    a_client_always_masks();
    times_of_day();
    host_names();
    sleeps();
    return check_done("ws_com_link");
}
