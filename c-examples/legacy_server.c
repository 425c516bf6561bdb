/*
 * legacy_server: an echo server of the old kind, on bare file descriptors.
 *
 * The program accepts and polls by itself and calls the drop-in's functions once per
 * event: webSocket_recv() hands out the HTTP request as a negative length,
 * webSocket_serverLinkToClient() answers it, then each call brings one frame.
 *
 *     legacy_server [--port N] [--et]     N 0 (the default) picks a free port of 127.0.0.1
 *
 * epoll is level-triggered, or edge-triggered with --et; one receive per event is
 * enough for both. Frames go back as they came, with their type: a message of several
 * frames (types 100 or 101, WDT_MINDATA, 99) is echoed frame by frame.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "websocket_common.h"
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
#include <unistd.h>

enum { FRAME_BYTES = 64 * 1024, EVENTS = 64 };

#define FIRST_BINARY ((WebsocketData_Type)100)
#define FIRST_TEXT ((WebsocketData_Type)101)
#define LAST_FRAME ((WebsocketData_Type)99)

struct client {
    int fd;
    char *waiting; /* an echo that the kernel had no room for, or NULL */
    int waitingLength;
    WebsocketData_Type waitingType;
    struct client *previous, *next;
};

/* `epoll` tells what can be read. `rooms`, a set of its own that `epoll` watches, tells
 * by an edge when a full socket has room again: webSocket_send() may have kept the tail
 * of a frame, and only a further call on that fd sends it. */
static int epoll = -1, rooms = -1, listener = -1, signals = -1;
static bool listenerPaused; /* no descriptors left: accept again when one is free */
static uint32_t trigger;    /* EPOLLET or 0 */
static struct client *clients;
static char frame[FRAME_BYTES];

static bool watch(int set, int operation, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(set, operation, fd, &event) == 0;
}

static void client_free(struct client *client)
{
    if (client->previous != NULL) client->previous->next = client->next;
    else clients = client->next;
    if (client->next != NULL) client->next->previous = client->previous;
    close(client->fd); /* all there is to do: the library notices by itself */
    free(client->waiting);
    free(client);
    if (listenerPaused) listenerPaused = !watch(epoll, EPOLL_CTL_MOD, listener, EPOLLIN, &listener);
}

static void client_new(int fd)
{
    int on = 1;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->fd = fd;
    client->next = clients;
    if (clients != NULL) clients->previous = client;
    clients = client;
    if (!watch(rooms, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, client) ||
        !watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | trigger, client)) {
        client_free(client);
    }
}

/* One frame out; a signal, which takes nothing of it, does not end it. */
static int transmit(int fd, char *data, int length, WebsocketData_Type type)
{
    int sent;
    do sent = webSocket_send(fd, data, length, false, type);
    while (sent <= 0 && errno == EINTR);
    return sent;
}

/* Sends a frame back. While one waits for room nothing is received from that client. */
static bool client_echo(struct client *client, char *data, int length, WebsocketData_Type type)
{
    if (transmit(client->fd, data, length, type) > 0) return true;
    if (errno != EAGAIN) return false;
    client->waiting = malloc((size_t)length + 1);
    if (client->waiting == NULL) return false;
    if (length > 0) memcpy(client->waiting, data, (size_t)length);
    client->waitingLength = length;
    client->waitingType = type;
    return watch(epoll, EPOLL_CTL_MOD, client->fd, 0, client);
}

static bool client_retry(struct client *client)
{
    if (transmit(client->fd, client->waiting, client->waitingLength, client->waitingType) <= 0) {
        return errno == EAGAIN;
    }
    free(client->waiting);
    client->waiting = NULL;
    /* EPOLL_CTL_MOD looks at the socket again: no edge was lost in between. */
    return watch(epoll, EPOLL_CTL_MOD, client->fd, EPOLLIN | trigger, client);
}

static bool isData(WebsocketData_Type type)
{
    return type == WDT_TXTDATA || type == WDT_BINDATA || type == WDT_MINDATA || type == FIRST_BINARY ||
           type == FIRST_TEXT || type == LAST_FRAME;
}

/* One event, one receive. False: hang up. */
static bool client_serve(struct client *client)
{
    WebsocketData_Type type = WDT_NULL;
    if (client->waiting != NULL) return client_retry(client);
    errno = 0;
    int length = webSocket_recv(client->fd, frame, sizeof frame, &type);
    int error = errno;
    if (length >= 0 && isData(type)) return client_echo(client, frame, length, type);
    if (length > 0 && type != WDT_DISCONN) return true; /* ping and pong; the pong has been sent */
    if (length >= 0) return type != WDT_DISCONN && (error == EAGAIN || error == EINTR);
    /* Not a frame. EAGAIN: an HTTP request. EPROTO: noise. */
    return error == EAGAIN && webSocket_serverLinkToClient(client->fd, frame, length) > 0;
}

static void acceptClients(void)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) client_new(fd);
    if (errno == EMFILE || errno == ENFILE) listenerPaused = watch(epoll, EPOLL_CTL_MOD, listener, 0, &listener);
}

/* Sockets with room again: a receive sends what the library has kept, too. */
static void serveRooms(void)
{
    struct epoll_event ready[EVENTS];
    int count = epoll_wait(rooms, ready, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        if (!client_serve(ready[i].data.ptr)) client_free(ready[i].data.ptr);
    }
}

static int run(void)
{
    struct epoll_event ready[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, ready, EVENTS, -1);
        if (count < 0 && errno != EINTR) return EXIT_FAILURE;
        bool haveRoom = false;
        for (int i = 0; i < count; i++) {
            void *tag = ready[i].data.ptr;
            if (tag == &signals) return EXIT_SUCCESS;
            if (tag == &listener) acceptClients();
            else if (tag == &rooms) haveRoom = true;
            else if (!client_serve(tag)) client_free(tag);
        }
        /* Last, for it may free a client that is still named in `ready`. */
        if (haveRoom) serveRooms();
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
    rooms = epoll_create1(EPOLL_CLOEXEC);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (signals < 0 || epoll < 0 || rooms < 0 || listener < 0) return false;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        !watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, &listener) ||
        !watch(epoll, EPOLL_CTL_ADD, signals, EPOLLIN, &signals) ||
        !watch(epoll, EPOLL_CTL_ADD, rooms, EPOLLIN, &rooms)) {
        return false;
    }
    printf("listening on ws://127.0.0.1:%d/\n", ntohs(address.sin_port));
    return true;
}

static bool arguments(int count, char **words, uint16_t *port)
{
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *next = words[i + 1]; /* words[count] is NULL */
        if (strcmp(word, "--et") == 0) {
            trigger = EPOLLET;
        } else if (strcmp(word, "--port") == 0 && next != NULL && *next >= '0' && *next <= '9') {
            char *end;
            errno = 0;
            unsigned long value = strtoul(next, &end, 10);
            if (errno != 0 || *end != '\0' || value > 65535) return false;
            *port = (uint16_t)value;
            i++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int count, char **words)
{
    uint16_t port = 0;
    int status = EXIT_FAILURE;
    if (!arguments(count, words, &port)) {
        fputs("usage: legacy_server [--port N] [--et]\n"
              "  --port N   where to listen on 127.0.0.1; 0, the default, picks a free port\n"
              "  --et       poll edge-triggered\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!start(port)) fprintf(stderr, "legacy_server: cannot listen on 127.0.0.1:%d: %s\n", port, strerror(errno));
    else status = run();
    while (clients != NULL) client_free(clients);
    if (listener >= 0) close(listener);
    if (signals >= 0) close(signals);
    if (rooms >= 0) close(rooms);
    if (epoll >= 0) close(epoll);
    return status;
}
