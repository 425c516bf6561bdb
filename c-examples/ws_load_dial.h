/*
 * Sockets for the connections of ws_load, many of them. Included by ws_load.c only.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WS_LOAD_DIAL_H
#define WS_LOAD_DIAL_H

#include "ws_load_options.h"
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    LOOPBACK_LAST = 254, /* 127.0.0.1 to 127.0.0.254 are our own addresses */
    OWN_DESCRIPTORS = 16 /* besides those of the connections */
};

static struct addrinfo *addresses;     /* what the host's name stands for */
static const struct addrinfo *address; /* the one that is dialled now */
static uint32_t source;                /* 127.0.0.(1 + source) is dialled from; 0: the kernel's choice */

static bool dial_resolve(const struct options *options)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(options->host, options->port, &hints, &addresses);
    if (error != 0) fprintf(stderr, "ws_load: %s: %s\n", options->host, gai_strerror(error));
    address = addresses;
    return error == 0;
}

static void dial_forget(void)
{
    if (addresses != NULL) freeaddrinfo(addresses);
}

/* A name such as localhost may have an address that nobody listens at. */
static bool dial_elsewhere(const struct addrinfo *tried)
{
    if (tried != address) return true;
    if (address->ai_next == NULL) return false;
    address = address->ai_next;
    return true;
}

static bool onLoopback(void)
{
    const struct sockaddr_in *in = (const void *)address->ai_addr;
    return address->ai_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static bool connectFromSource(int fd)
{
    int on = 1;
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
    if (source > 0 && (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
                       bind(fd, (struct sockaddr *)&from, sizeof from) != 0)) {
        return false;
    }
    return connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS;
}

/* A socket that connects to *at, or -1 and errno. One source address has some 28000
 * ports; a server on loopback is dialled from as many addresses as it takes. */
static int dial_begin(const struct addrinfo **at)
{
    int on = 1;
    *at = address;
    for (;;) {
        int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) return -1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connectFromSource(fd)) return fd;
        int error = errno;
        close(fd);
        errno = error;
        if (error != EADDRNOTAVAIL || !onLoopback() || source + 1 >= LOOPBACK_LAST) return -1;
        source++;
    }
}

/* Raises our limit of descriptors, and warns where the server's will not do. */
static bool descriptors_allow(const struct options *options)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)options->connections + OWN_DESCRIPTORS;
    if (options->pid != 0 && prlimit((pid_t)options->pid, RLIMIT_NOFILE, NULL, &limit) == 0 &&
        limit.rlim_cur < options->connections) {
        fprintf(stderr, "ws_load: warning: the server may have %" PRIuMAX " descriptors only (ulimit -n)\n",
                (uintmax_t)limit.rlim_cur);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need) return true;
    uintmax_t had = limit.rlim_max;
    limit.rlim_cur = need;
    /* Beyond the hard limit root only may go. */
    if (limit.rlim_max < need) limit.rlim_max = need;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return true;
    fprintf(stderr, "ws_load: %" PRIu64 " connections need %" PRIuMAX " descriptors, %" PRIuMAX " are allowed (ulimit -Hn)\n",
            options->connections, (uintmax_t)need, had);
    return false;
}

#endif
