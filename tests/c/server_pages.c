/* webSocket_server_addPage: what it refuses, from where it may be called, and
 * that whoever reads a page gets one page, whatever other threads do to it.
 * Rows: AP17, HS36. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#include "check.h"

enum { READERS = 3, WRITERS = 2, ROUNDS = 60, SHORT_ROUNDS = 5, LARGEST = 200000 };

static struct webSocket_server *server;
static uint16_t port;
static webSocket_result from_callback;

static void on_event(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind == WEBSOCKET_REQUEST)
        from_callback = webSocket_server_addPage(server, "/asked", "text/plain", "yes", 3);
}

/* The whole answer, as a string to be freed; its body at `*body`. */
static char *ask(const char *request, char **body, size_t *length)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = 120};
    size_t room = LARGEST + 4096, got = 0;
    char *answer = calloc(1, room + 1);
    ssize_t more;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (answer == NULL || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request)) {
        perror("a request");
        exit(1);
    }
    while (got < room && (more = recv(fd, answer + got, room - got, 0)) > 0)
        got += (size_t)more;
    close(fd);
    *body = strstr(answer, "\r\n\r\n");
    if (*body == NULL) {
        fprintf(stderr, "no answer: %s\n", answer);
        exit(1);
    }
    *body += 4;
    *length = got - (size_t)(*body - answer);
    return answer;
}

static int status_of(const char *path)
{
    char request[128], *body, *answer;
    size_t length;
    int status = 0;
    snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", path);
    answer = ask(request, &body, &length);
    sscanf(answer, "HTTP/1.1 %d", &status);
    free(answer);
    return status;
}

static webSocket_result add(const char *path, const char *type, const void *bytes, size_t length)
{
    return webSocket_server_addPage(server, path, type, bytes, length);
}

static void misuse(void)
{
    char path[1100] = "/";
    memset(path + 1, 'a', sizeof path - 2);
    CHECK_INT(webSocket_server_addPage(NULL, "/", "text/plain", "x", 1), WEBSOCKET_E_NULL);
    CHECK_INT(add(NULL, "text/plain", "x", 1), WEBSOCKET_E_NULL);
    CHECK_INT(add("/", "text/plain", NULL, 1), WEBSOCKET_E_NULL);
    CHECK_INT(add("/", "text/plain", "x", SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(add("", "text/plain", "x", 1), WEBSOCKET_E_USAGE);
    CHECK_INT(add("page", "text/plain", "x", 1), WEBSOCKET_E_USAGE);
    CHECK_INT(add("//page", "text/plain", "x", 1), WEBSOCKET_E_USAGE);
    CHECK_INT(add("/page?x", "text/plain", "x", 1), WEBSOCKET_E_USAGE);
    CHECK_INT(add("/pa ge", NULL, NULL, 0), WEBSOCKET_E_USAGE);
    CHECK_INT(add(path, "text/plain", "x", 1), WEBSOCKET_E_USAGE);
    CHECK_INT(add("/\xFF", "text/plain", "x", 1), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(add("/", "", "x", 1), WEBSOCKET_E_HEADER);
    CHECK_INT(add("/", "text", "x", 1), WEBSOCKET_E_HEADER);
    CHECK_INT(add("/", "text/plain\r\nSet-Cookie: a=b", "x", 1), WEBSOCKET_E_HEADER);
    CHECK_INT(status_of("/"), 505);
    /* NULL with 0 is an empty page; a type of NULL is none. */
    CHECK_INT(add("/", "text/plain", NULL, 0), WEBSOCKET_OK);
    CHECK_INT(status_of("/"), 200);
    CHECK_INT(status_of("/x"), 404);
    CHECK_INT(add("/", NULL, "x", SIZE_MAX), WEBSOCKET_OK);
    CHECK_INT(add("/", NULL, NULL, 0), WEBSOCKET_OK);
    CHECK_INT(status_of("/"), 505);
}

static void in_callback(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                                  "\x88\x80mask";
    char *body, *answer;
    size_t length;
    from_callback = WEBSOCKET_E_INTERNAL;
    answer = ask(request, &body, &length);
    CHECK(strncmp(answer, "HTTP/1.1 101 ", 13) == 0);
    free(answer);
    CHECK_INT(from_callback, WEBSOCKET_OK);
    CHECK_INT(status_of("/asked"), 200);
}

/* Each version is one letter, as often as the letter says. */
static void *write_pages(void *user)
{
    char *bytes = malloc(LARGEST);
    int round, rounds = check_short() ? SHORT_ROUNDS : ROUNDS;
    for (round = 0; bytes != NULL && round < rounds; round++) {
        int letter = 'a' + (round * WRITERS + (int)(intptr_t)user) % 20;
        size_t length = (size_t)(letter - 'a' + 1) * (LARGEST / 20);
        memset(bytes, letter, length);
        CHECK_INT(add("/hammered", "text/plain", bytes, length), WEBSOCKET_OK);
        /* Freed or changed at once: it was copied. */
        memset(bytes, '!', length);
        if (round % 7 == 0)
            CHECK_INT(add("/hammered", NULL, NULL, 0), WEBSOCKET_OK);
    }
    free(bytes);
    return NULL;
}

static void *read_pages(void *user)
{
    int round, rounds = check_short() ? SHORT_ROUNDS : ROUNDS;
    (void)user;
    for (round = 0; round < rounds; round++) {
        size_t length, i;
        char *body, *answer = ask("GET /hammered HTTP/1.1\r\nHost: h\r\n\r\n", &body, &length);
        int other = 0;
        if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0) {
            for (i = 1; i < length; i++)
                other |= body[i] != body[0];
            CHECK(length > 0 && !other);
            CHECK_INT(length, (body[0] - 'a' + 1) * (LARGEST / 20));
        } else {
            /* Removed just now: another page is still there. */
            CHECK(strncmp(answer, "HTTP/1.1 404 ", 13) == 0);
        }
        free(answer);
    }
    return NULL;
}

static void hammer(void)
{
    pthread_t threads[READERS + WRITERS];
    int i;
    for (i = 0; i < READERS + WRITERS; i++) {
        void *user = (void *)(intptr_t)i;
        CHECK_INT(pthread_create(&threads[i], NULL, i < WRITERS ? write_pages : read_pages, user), 0);
    }
    for (i = 0; i < READERS + WRITERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    struct webSocket_config *config = NULL;
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, 2), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_HANDSHAKE_TIMEOUT_MS, 300000), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_new(config, on_event, NULL, &server), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_listen(server, "127.0.0.1", 0, &port), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_start(server), WEBSOCKET_OK);
    misuse();
    in_callback();
    hammer();
    CHECK_INT(webSocket_server_stop(server), WEBSOCKET_OK);
    CHECK_INT(add("/", "text/plain", "x", 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    CHECK_INT(add("/", "text/plain", "x", 1), WEBSOCKET_GONE);
    return check_done("server_pages");
}
