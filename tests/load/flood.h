/*
 * A connection of the flooder's, and what its mode does with it. Included once, by
 * flood.c.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FLOOD_H
#define FLOOD_H

#include "load.h"
#include <sys/epoll.h>

enum {
    CHUNK = 64 << 10,   /* sent or read at once, at most */
    ANSWER = 256        /* bytes of what comes that are kept to be looked at */
};
/* Without a sign of life from a server that owes one; of the time in which this
 * program ran, as on a busy machine it may be the one that is late. */
#define PATIENCE (30 * SECOND)

/* LEAVING: the server is to end it; HOLDING: it has, and this end is kept open. */
enum phase { ASIDE, CONNECTING, HANDSHAKE, FLOODING, LEAVING, HOLDING };

struct connection {
    const struct mode *mode;
    int fd;
    enum phase phase;
    uint32_t asked;     /* epoll events */
    unsigned round;     /* how often it was dialled: variants take turns */
    uint64_t since;     /* when the phase began */
    uint64_t due;       /* when it acts next, if nothing happens before */
    uint64_t moved;     /* when the socket last took or gave something */
    uint64_t livedMoved; /* the same, in time lived */
    uint64_t sent, came; /* bytes */
    uint8_t answer[ANSWER];
    size_t have;
};

struct mode {
    const char *name;
    unsigned connections;
    bool handshake; /* floods behind a handshake; else instead of one */
    /* Each may end the connection by leave(). */
    void (*act)(struct connection *, uint64_t now); /* there is room to send, or `due` has come */
    void (*heard)(struct connection *, const uint8_t *, size_t, uint64_t now);
    void (*ended)(struct connection *, int error); /* by the server: 0 the end of the stream, else errno */
};

/* What was seen of all connections. */
static struct {
    uint64_t dialled, refused, rounds, sent, came;
} sums;

static int epoll = -1;
static bool again;     /* somebody is to be dialled at once */
static uint64_t lived; /* time, in which no look at the sockets took long */
static uint8_t room[CHUNK];

/* ---- what modes call */

/* Whether so much time has passed; `now` may be a little older than `since`. */
static bool passed(uint64_t since, uint64_t now, uint64_t time)
{
    return now > since && now - since > time;
}

static void watch(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (events == connection->asked) return;
    connection->asked = events;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

static bool stuck(const struct connection *connection)
{
    return lived - connection->livedMoved > PATIENCE;
}

static void phase_begin(struct connection *connection, enum phase phase, uint64_t due)
{
    connection->phase = phase;
    connection->since = connection->moved = clock_now();
    connection->livedMoved = lived;
    connection->due = due;
    connection->sent = connection->came = 0;
    connection->have = 0;
    connection->answer[0] = '\0';
}

/* Ends the connection; another is dialled in its place after `pause`. */
static void leave(struct connection *connection, bool hard, uint64_t pause)
{
    if (connection->fd >= 0) {
        if (hard) hang_up_hard(connection->fd);
        else close(connection->fd);
    }
    connection->fd = -1;
    again |= pause == 0;
    phase_begin(connection, ASIDE, pause == 0 ? 0 : clock_now() + pause);
}

/* Sends bytes of an endless repetition of `pattern`; false: the socket takes no
 * more, or is broken, which reading tells. */
static bool send_endless(struct connection *connection, const uint8_t *pattern, size_t length)
{
    size_t from = (size_t)(connection->sent % length);
    ssize_t sent = send(connection->fd, pattern + from, length - from, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    connection->sent += (uint64_t)sent;
    sums.sent += (uint64_t)sent;
    connection->moved = clock_now();
    connection->livedMoved = lived;
    return true;
}

/* Sends the part of `bytes` that is not sent yet; true: all is. */
static bool send_once(struct connection *connection, const void *bytes, size_t length)
{
    while (connection->sent < length) {
        const uint8_t *at = (const uint8_t *)bytes + connection->sent;
        ssize_t sent = send(connection->fd, at, length - (size_t)connection->sent, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        connection->sent += (uint64_t)sent;
        sums.sent += (uint64_t)sent;
    }
    return true;
}

/* Keeps the first bytes of what comes. */
static void keep(struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t space = sizeof connection->answer - 1 - connection->have;
    if (length > space) length = space;
    memcpy(connection->answer + connection->have, bytes, length);
    connection->have += length;
    connection->answer[connection->have] = '\0';
}

static bool answer_is(const struct connection *connection, const char *start)
{
    return strncmp((const char *)connection->answer, start, strlen(start)) == 0;
}

/* Whether a close frame with this code came first; dies where something else did. */
static bool failed_with(const struct connection *connection, unsigned code)
{
    if (connection->have < 4) return false;
    unsigned is = (unsigned)connection->answer[2] << 8 | connection->answer[3];
    if (connection->answer[0] != 0x88 || is != code)
        die("%s: a close frame with %u was due, and 0x%02x 0x%02x with %u came", connection->mode->name, code,
            connection->answer[0], connection->answer[1], is);
    return true;
}

#endif
