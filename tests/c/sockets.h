/* Pairs of sockets for the tests of the drop-in, of either generation. */
#ifndef WSEMBED_TEST_SOCKETS_H
#define WSEMBED_TEST_SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

enum transport { LOCAL, TCP };

static inline void must(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(2);
    }
}

static inline int listen_local(int *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = htons((unsigned short)*port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    must(bind(fd, (struct sockaddr *)&at, size) == 0, "bind");
    must(listen(fd, 64) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&at, &size) == 0, "getsockname");
    *port = ntohs(at.sin_port);
    return fd;
}

/* pair[0] is ours, pair[1] the raw peer's. */
static inline void connect_pair(enum transport transport, int pair[2]) {
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int port = 0, listener, one = 1;
    if (transport == LOCAL) {
        must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
        return;
    }
    listener = listen_local(&port);
    must(getsockname(listener, (struct sockaddr *)&at, &size) == 0, "getsockname");
    pair[1] = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(pair[1], (struct sockaddr *)&at, size) == 0, "connect");
    pair[0] = accept(listener, NULL, NULL);
    must(pair[0] >= 0, "accept");
    setsockopt(pair[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(listener);
}

static inline void close_pair(int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

static inline void set_blocking(int fd, int blocking) {
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static inline void put(int fd, const void *bytes, size_t length) {
    const char *at = (const char *)bytes;
    while (length > 0) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        must(sent > 0, "send");
        at += sent;
        length -= (size_t)sent;
    }
}

/* Waits until something (or the end) can be read. */
static inline void await_readable(int fd) {
    struct pollfd entry;
    entry.fd = fd;
    entry.events = POLLIN;
    must(poll(&entry, 1, 30000) == 1, "poll");
}

static inline void get(int fd, void *bytes, size_t length) {
    char *at = (char *)bytes;
    while (length > 0) {
        ssize_t got;
        await_readable(fd);
        got = recv(fd, at, length, 0);
        must(got > 0, "recv");
        at += got;
        length -= (size_t)got;
    }
}

/* Whether nothing can be read now. */
static inline int is_quiet(int fd) {
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static inline void a_pair(enum transport transport, int pair[2]) {
    connect_pair(transport, pair);
    set_blocking(pair[0], 0);
}

/* Bytes from the raw peer, and a moment at which they can be read. */
static inline void arrive(int pair[2], const void *bytes, size_t length) {
    put(pair[1], bytes, length);
    await_readable(pair[0]);
}

#define ARRIVE(pair, literal) arrive(pair, literal, sizeof(literal) - 1)

#endif
