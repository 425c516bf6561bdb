/*
 * echo_epoll: the smallest WebSocket server on an event loop of your own.
 *
 * webSocket_conn knows the protocol and no sockets: this program owns the sockets,
 * epoll and the clock, and moves bytes between the two:
 *
 *     tick(now) -> recv -> feed -> next() until AGAIN -> output() until empty
 *
 *     echo_epoll [--port N]          N 0 (the default) picks a free port of 127.0.0.1
 *
 * Back-pressure: what the kernel does not take at once stops the reading of that
 * connection until it is sent. So the send queue never holds more than the echo
 * of one recv(), and WEBSOCKET_FULL cannot happen.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <wsembed/websocket.h>

enum { MESSAGE_BYTES = 16 << 20, RECEIVE_BYTES = 64 << 10, EVENTS = 64, LINGER_MS = 2000 };

struct client {
    int fd;
    webSocket_conn *conn;
    uint32_t asked;      /* the epoll events that the kernel knows */
    bool blocked;        /* output waits for EPOLLOUT, reading waits for the output */
    bool over;           /* our FIN is sent; what still comes in is thrown away */
    uint64_t deadlineMs; /* when to serve it at the latest */
    struct client *previous, *next;
};

static int epoll = -1, listener = -1, signals = -1;
static bool listenerPaused; /* no descriptors left: accept again when one is free */
static struct client *clients;
static uint64_t wakeMs = UINT64_MAX; /* no client's deadline is earlier than this */
static uint8_t received[RECEIVE_BYTES];

static uint64_t nowMs(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool watch(int operation, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(epoll, operation, fd, &event) == 0;
}

static void client_free(struct client *client)
{
    if (client->previous != NULL) client->previous->next = client->next;
    else clients = client->next;
    if (client->next != NULL) client->next->previous = client->previous;
    webSocket_conn_free(client->conn);
    close(client->fd);
    free(client);
    if (listenerPaused) listenerPaused = !watch(EPOLL_CTL_MOD, listener, EPOLLIN, &listener);
}

static void client_new(int fd, const webSocket_config *config)
{
    int on = 1;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL || webSocket_conn_newServer(config, &client->conn) != WEBSOCKET_OK) {
        free(client);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->fd = fd;
    client->next = clients;
    if (clients != NULL) clients->previous = client;
    clients = client;
    /* The first tick starts the handshake's deadline. */
    client->asked = EPOLLIN;
    client->deadlineMs = wakeMs = nowMs();
    if (!watch(EPOLL_CTL_ADD, fd, EPOLLIN, client)) client_free(client);
}

/* recv -> feed. False: the connection is of no use any more. */
static bool client_read(struct client *client)
{
    ssize_t got = recv(client->fd, received, sizeof received, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (client->over) return got > 0;
    /* A reset is an end as well: the CLOSE event will say that it was not clean. */
    if (got <= 0) return webSocket_conn_feedEof(client->conn) == WEBSOCKET_OK;
    return webSocket_conn_feed(client->conn, received, (size_t)got) == WEBSOCKET_OK;
}

/* next() -> send. Pings and closes are answered by the library itself. */
static bool client_echo(struct client *client)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_result result;
    while ((result = webSocket_conn_next(client->conn, &event)) == WEBSOCKET_OK) {
        if (event.kind != WEBSOCKET_TEXT && event.kind != WEBSOCKET_BINARY) continue;
        result = webSocket_conn_send(client->conn, event.kind, event.data, event.length);
        /* CLOSED: messages that came in one piece with the peer's close get no echo. */
        if (result != WEBSOCKET_OK && result != WEBSOCKET_CLOSED) {
            fprintf(stderr, "echo_epoll: cannot echo: %s\n", webSocket_result_name(result));
            return false;
        }
    }
    return result == WEBSOCKET_AGAIN || result == WEBSOCKET_CLOSED;
}

/* output -> send. */
static bool client_write(struct client *client)
{
    const uint8_t *data;
    size_t length;
    webSocket_result result;
    client->blocked = false;
    while ((result = webSocket_conn_output(client->conn, &data, &length)) == WEBSOCKET_OK && length > 0) {
        ssize_t sent = send(client->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            client->blocked = errno == EAGAIN;
            return client->blocked;
        }
        webSocket_conn_outputDone(client->conn, (size_t)sent);
    }
    if (result == WEBSOCKET_CLOSED) {
        /* close() with unread bytes would send a reset, which may overtake our last
         * frames. So: FIN, then read to the peer's end, but not for ever. */
        shutdown(client->fd, SHUT_WR);
        client->over = true;
        client->deadlineMs = nowMs() + LINGER_MS;
        return true;
    }
    return result == WEBSOCKET_OK;
}

/* One turn of the loop for one client. False: free it. */
static bool client_serve(struct client *client, uint32_t events, uint64_t now)
{
    bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    if (client->over) {
        if (now >= client->deadlineMs || (readable && !client_read(client))) return false;
    } else {
        webSocket_conn_tick(client->conn, now, &client->deadlineMs);
        if (readable && !client->blocked && !client_read(client)) return false;
        if (!client_echo(client) || !client_write(client)) return false;
        /* Once more: what just happened may have brought a nearer deadline. */
        if (!client->over) webSocket_conn_tick(client->conn, now, &client->deadlineMs);
    }
    if (client->deadlineMs < wakeMs) wakeMs = client->deadlineMs;
    uint32_t ask = client->blocked ? EPOLLOUT : EPOLLIN;
    if (ask == client->asked) return true;
    client->asked = ask;
    return watch(EPOLL_CTL_MOD, client->fd, ask, client);
}

static void acceptClients(const webSocket_config *config)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) client_new(fd, config);
    if (errno == EMFILE || errno == ENFILE) listenerPaused = watch(EPOLL_CTL_MOD, listener, 0, &listener);
}

static int run(const webSocket_config *config)
{
    struct epoll_event ready[EVENTS];
    for (;;) {
        uint64_t now = nowMs();
        int wait = wakeMs == UINT64_MAX ? -1 : wakeMs <= now ? 0 : wakeMs - now > 60000 ? 60000 : (int)(wakeMs - now);
        int count = epoll_wait(epoll, ready, EVENTS, wait);
        if (count < 0 && errno != EINTR) return EXIT_FAILURE;
        now = nowMs();
        for (int i = 0; i < count; i++) {
            void *tag = ready[i].data.ptr;
            if (tag == &signals) return EXIT_SUCCESS;
            if (tag == &listener) acceptClients(config);
            else if (!client_serve(tag, ready[i].events, now)) client_free(tag);
        }
        if (now < wakeMs) continue;
        /* A deadline may have passed: serve who is due and find the next one. */
        wakeMs = UINT64_MAX;
        for (struct client *client = clients, *next; client != NULL; client = next) {
            next = client->next;
            if (client->deadlineMs > now) {
                if (client->deadlineMs < wakeMs) wakeMs = client->deadlineMs;
            } else if (!client_serve(client, 0, now)) {
                client_free(client);
            }
        }
    }
}

static bool start(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    sigset_t stop;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (signals < 0 || epoll < 0 || listener < 0) return false;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        !watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener) || !watch(EPOLL_CTL_ADD, signals, EPOLLIN, &signals)) {
        return false;
    }
    printf("listening on ws://127.0.0.1:%d/\n", ntohs(address.sin_port));
    return true;
}

/* "--port N" or nothing. */
static bool arguments(int count, char **words, uint16_t *port)
{
    char *end = NULL;
    if (count == 1) return true;
    if (count != 3 || strcmp(words[1], "--port") != 0 || words[2][0] < '0' || words[2][0] > '9') return false;
    errno = 0;
    unsigned long value = strtoul(words[2], &end, 10);
    *port = (uint16_t)value;
    return errno == 0 && *end == '\0' && value <= 65535;
}

int main(int count, char **words)
{
    uint16_t port = 0;
    int status = EXIT_FAILURE;
    webSocket_config *config = NULL;
    if (!arguments(count, words, &port)) {
        fputs("usage: echo_epoll [--port N]    (N 0, the default: any free port of 127.0.0.1)\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (webSocket_config_new(&config) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, MESSAGE_BYTES) != WEBSOCKET_OK ||
        /* One recv() may end a largest message and bring small ones behind it. */
        webSocket_config_setNumber(config, WEBSOCKET_SEND_QUEUE_BYTES, MESSAGE_BYTES + 4 * RECEIVE_BYTES) != WEBSOCKET_OK) {
        fputs("echo_epoll: the library refuses the configuration\n", stderr);
    } else if (!start(port)) {
        fprintf(stderr, "echo_epoll: cannot listen on 127.0.0.1:%d: %s\n", port, strerror(errno));
    } else {
        status = run(config);
    }
    while (clients != NULL) client_free(clients);
    webSocket_config_free(config);
    if (listener >= 0) close(listener);
    if (signals >= 0) close(signals);
    if (epoll >= 0) close(epoll);
    return status;
}
