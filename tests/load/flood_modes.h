/*
 * The ways to be a nuisance. Included by flood.c only.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FLOOD_MODES_H
#define FLOOD_MODES_H

#include "flood.h"

static uint8_t pings[CHUNK / 6 * 6];       /* empty ones: the most in the fewest bytes */
static uint8_t fragments[CHUNK / 7 * 7];   /* of one byte, without an end */
static uint8_t echoes[3][CHUNK];           /* messages of 1, 1000 and 20000 bytes */
static size_t echoBytes[3];
static uint8_t noise[4096];

/* Fills with whole frames of one kind; returns the bytes of them. */
static size_t frames_fill(uint8_t *to, size_t size, uint8_t first, size_t length)
{
    uint8_t header[16];
    size_t head = frame_header(header, first, length), at = 0;
    for (; at + head + length <= size; at += head + length) {
        memcpy(to + at, header, head);
        memset(to + at + head, 'e', length);
    }
    return at;
}

static void patterns_make(void)
{
    static const size_t lengths[3] = {1, 1000, 20000};
    uint64_t state = 88172645463325252;
    frames_fill(pings, sizeof pings, 0x89, 0);
    frames_fill(fragments, sizeof fragments, 0x00, 1);
    for (int i = 0; i < 3; i++) echoBytes[i] = frames_fill(echoes[i], CHUNK, 0x82, lengths[i]);
    for (size_t i = 0; i < sizeof noise; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        noise[i] = (uint8_t)state;
    }
}

static void died(struct connection *connection, int error)
{
    die("%s: the server hung up: %s", connection->mode->name, error == 0 ? "end of stream" : strerror(error));
}

/* ---- pings: as fast as they go; pongs are read, and are nothing else */

static void pings_act(struct connection *connection, uint64_t now)
{
    (void)now;
    send_endless(connection, pings, sizeof pings);
    if (stuck(connection)) die("pings: nothing is taken for 30 s");
}

static void pings_heard(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t now)
{
    (void)now;
    for (size_t i = 0; i < length; i++) {
        uint8_t ought = (connection->came - length + i) % 2 == 0 ? 0x8A : 0;
        if (bytes[i] != ought) die("pings: 0x%02x where a pong has 0x%02x", bytes[i], ought);
    }
}

/* ---- fragments: a message of one-byte frames that never ends, until 1009 */

static void fragments_act(struct connection *connection, uint64_t now)
{
    static const uint8_t first[] = {0x02, 0x81, 0, 0, 0, 0, 'e'};
    bool more = true;
    (void)now;
    if (connection->sent < sizeof first) more = send_once(connection, first, sizeof first);
    if (more) send_endless(connection, fragments, sizeof fragments);
    if (stuck(connection)) die("fragments: nothing is taken for 30 s");
}

static void fragments_heard(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t now)
{
    (void)now;
    keep(connection, bytes, length);
    if (!failed_with(connection, 1009)) return;
    sums.rounds++;
    /* One in eight goes on as if it had heard nothing. */
    if (connection->round % 8 != 0) leave(connection, true, 0);
}

static void fragments_ended(struct connection *connection, int error)
{
    if (connection->have < 4 && error == 0) died(connection, error);
    /* The second time it is a reset, of which sending was told before. */
    if (error != 0 || connection->asked == EPOLLOUT) leave(connection, true, 0);
    else watch(connection, EPOLLOUT);
}

/* ---- unread: an echo client that sends and does not read, and then all at once */

static void unread_act(struct connection *connection, uint64_t now)
{
    unsigned size = connection->round % 3;
    if (connection->phase == LEAVING) {
        if (passed(connection->since, now, 300 * MS)) sums.rounds++, leave(connection, connection->round % 2 == 0, 0);
        return;
    }
    while (send_endless(connection, echoes[size], echoBytes[size]))
        ;
    watch(connection, EPOLLOUT);
    connection->due = now + 50 * MS;
    if (!passed(connection->moved, now, 200 * MS)) return;
    connection->phase = LEAVING;
    connection->since = now;
    connection->due = now + 301 * MS;
    if (connection->round % 4 == 3) watch(connection, EPOLLIN);
    else if (connection->round % 4 == 2) sums.rounds++, leave(connection, true, 0);
    else watch(connection, 0);
}

static void unread_heard(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t now)
{
    (void)now;
    /* The first byte of all, whatever its message's size. */
    if (connection->came == length && bytes[0] != 0x82) die("unread: 0x%02x is no echo", bytes[0]);
}

/* ---- slow: a request, byte by byte, that has no end */

static void slow_act(struct connection *connection, uint64_t now)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: slow\r\nX-Slow: ";
    size_t count = connection->sent == 0 ? 10 : 1;
    const char *at = connection->sent < sizeof start - 1 ? start + connection->sent : "slow";
    ssize_t sent = send(connection->fd, at, count, MSG_NOSIGNAL);
    if (sent > 0) connection->sent += (uint64_t)sent, sums.sent += (uint64_t)sent;
    watch(connection, EPOLLIN);
    connection->due = now + SECOND;
    if (stuck(connection)) die("slow: a handshake has no end");
}

static void answer_heard(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t now)
{
    (void)now;
    keep(connection, bytes, length);
    if (connection->have < 13) return;
    if (answer_is(connection, "HTTP/1.1 503 ")) sums.refused++;
    else if (!answer_is(connection, "HTTP/1.1 4") && !answer_is(connection, "HTTP/1.1 5"))
        die("%s: answered with %.13s", connection->mode->name, (const char *)connection->answer);
}

static void slow_ended(struct connection *connection, int error)
{
    (void)error;
    sums.rounds++;
    leave(connection, false, answer_is(connection, "HTTP/1.1 503 ") ? 50 * MS : 0);
}

/* ---- garbage: what is no handshake */

enum { GARBAGE = 12 };

static void garbage_act(struct connection *connection, uint64_t now)
{
    static const char *const texts[GARBAGE] = {
        NULL, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "GET /nothing HTTP/1.0\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 is a TLS greeting", "GET / HTTP/1.1\r\nHost:",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 7\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n", ""};
    unsigned kind = connection->round % GARBAGE;
    const void *bytes = texts[kind] == NULL ? (const void *)noise : texts[kind];
    size_t length = texts[kind] == NULL ? sizeof noise : strlen(texts[kind]);
    if (connection->phase == LEAVING) {
        if (stuck(connection)) die("garbage: kind %u is answered by nothing for 30 s", kind);
        connection->due = now + SECOND;
        return;
    }
    if (!send_once(connection, bytes, length)) return;
    /* No end of a head: the server would wait for the rest. */
    if (kind == 4 || kind == 8 || kind == 10) shutdown(connection->fd, SHUT_WR);
    if (kind == 11 || connection->round / GARBAGE % 4 == 3) {
        sums.rounds++;
        leave(connection, true, 0);
        return;
    }
    connection->phase = LEAVING;
    connection->since = now;
    connection->due = now + SECOND;
    watch(connection, EPOLLIN);
}

/* Some hold on to what the server has ended. */
static void garbage_ended(struct connection *connection, int error)
{
    sums.rounds++;
    if (error != 0 || connection->round / GARBAGE % 8 != 0 || connection->came == 0) {
        leave(connection, false, 0);
        return;
    }
    watch(connection, 0);
    phase_begin(connection, HOLDING, clock_now() + 3 * SECOND);
}

/* ---- storm: come and go */

static void storm_act(struct connection *connection, uint64_t now)
{
    static const uint8_t goodbye[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8};
    unsigned kind = connection->round % 8;
    if (connection->phase == LEAVING) {
        if (stuck(connection)) die("storm: no end for 30 s");
        connection->due = now + SECOND;
        return;
    }
    if (kind < 4) {
        sums.rounds++;
        leave(connection, kind < 2, 0);
    } else if (kind < 6) {
        if (send_once(connection, request, REQUEST_BYTES)) sums.rounds++, leave(connection, kind == 4, 0);
    } else {
        uint8_t bytes[REQUEST_BYTES + sizeof goodbye];
        memcpy(bytes, request, REQUEST_BYTES);
        memcpy(bytes + REQUEST_BYTES, goodbye, sizeof goodbye);
        if (!send_once(connection, bytes, sizeof bytes)) return;
        connection->phase = LEAVING;
        connection->since = now;
        connection->due = now + SECOND;
        watch(connection, EPOLLIN);
    }
}

static void storm_heard(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t now)
{
    (void)now;
    keep(connection, bytes, length);
}

static void storm_ended(struct connection *connection, int error)
{
    if (answer_is(connection, "HTTP/1.1 503 ")) sums.refused++;
    else if (error == 0 && !answer_is(connection, "HTTP/1.1 101 "))
        die("storm: answered with %.13s", (const char *)connection->answer);
    sums.rounds++;
    leave(connection, false, 0);
}

/* ---- giant: a header that promises more than will come */

static void giant_act(struct connection *connection, uint64_t now)
{
    static const uint8_t beyond[] = {0x82, 0xFF, 0x3F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0};
    static const uint8_t within[] = {0x82, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0};
    bool huge = connection->round % 2 == 0;
    if (!send_once(connection, huge ? beyond : within, huge ? sizeof beyond : sizeof within)) return;
    watch(connection, EPOLLIN);
    connection->due = now + 100 * MS;
    if (!huge && passed(connection->since, now, 500 * MS)) sums.rounds++, leave(connection, true, 0);
    else if (stuck(connection)) die("giant: no close frame for 30 s");
}

static void giant_heard(struct connection *connection, const uint8_t *bytes, size_t length, uint64_t now)
{
    (void)now;
    keep(connection, bytes, length);
    if (failed_with(connection, 1009)) sums.rounds++, leave(connection, false, 50 * MS);
}

static const struct mode modes[] = {
    {"pings", 4, true, pings_act, pings_heard, died},
    {"fragments", 4, true, fragments_act, fragments_heard, fragments_ended},
    {"unread", 4, true, unread_act, unread_heard, died},
    {"slow", 1000, false, slow_act, answer_heard, slow_ended},
    {"garbage", 256, false, garbage_act, answer_heard, garbage_ended},
    {"storm", 32, false, storm_act, storm_heard, storm_ended},
    {"giant", 64, true, giant_act, giant_heard, died},
};
enum { MODES = sizeof modes / sizeof modes[0] };

#endif
