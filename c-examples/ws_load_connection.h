/*
 * A connection of ws_load: what comes, what goes. Included by ws_load.c only.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WS_LOAD_CONNECTION_H
#define WS_LOAD_CONNECTION_H

#include "ws_load_dial.h"
#include "ws_load_figures.h"
#include "ws_load_frames.h"
#include "ws_load_options.h"
#include <stdarg.h>
#include <sys/epoll.h>
#include <wsembed/websocket.h>

/* Four echoes of 64 KiB with their headers, and some: else their last bytes take a call
 * of their own. */
enum { RECEIVE_BYTES = 288 << 10 };

enum phase { WAITING, CONNECTING, HANDSHAKE, OPEN, CLOSING, GONE };

struct connection {
    webSocket_conn *conn;
    const struct addrinfo *address; /* that it was dialled at */
    int fd;
    enum phase phase;
    uint32_t asked;    /* the epoll events that the kernel knows */
    bool careful;      /* the library reads what comes */
    uint64_t awaited;  /* sequence number of the next echo */
    uint64_t sending;  /* of the first frame that is not wholly sent */
    uint64_t granted;  /* of the first one that may not be sent yet */
    size_t sent;       /* bytes of frame `sending` that are sent */
    size_t came;       /* bytes of echo `awaited` that came */
    uint64_t *grantedNs; /* when, a place for each message in flight */
};

static struct options options;
static webSocket_config *config;
static int epoll = -1;
static struct connection *connections;
static uint64_t dialled, dialling, opened, gone;
static uint64_t toStart;           /* messages that may still be granted */
static uint64_t started, echoed;   /* messages, of all connections */
static bool failed;

static uint8_t received[RECEIVE_BYTES];

/* The first failure ends the run; it is told once. */
static void fail(const struct connection *connection, const char *format, ...)
{
    va_list values;
    if (failed) return;
    failed = true;
    fprintf(stderr, "ws_load: connection %td: ", connection - connections);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

/* ---- what comes */

static void grant(struct connection *connection, uint64_t now)
{
    while (toStart > 0 && connection->granted - connection->awaited < options.inFlight) {
        connection->grantedNs[connection->granted % options.inFlight] = now;
        connection->granted++;
        started++;
        toStart--;
    }
}

static void echo_came(struct connection *connection, uint64_t now)
{
    latency_note(now - connection->grantedNs[connection->awaited % options.inFlight], 1);
    connection->awaited++;
    connection->came = 0;
    echoed++;
}

static void differs(const struct connection *connection, uint64_t offset, uint8_t is, uint8_t ought)
{
    fail(connection, "echo %" PRIu64 " differs at byte %" PRIu64 ": 0x%02x instead of 0x%02x",
         (connection->awaited & ((UINT64_C(1) << INDEX_SHIFT) - 1)) + 1, offset, is, ought);
}

/* A message of the careful kind, whole or a chunk of it. */
static void message_came(struct connection *connection, const webSocket_event *event, uint64_t now)
{
    if (connection->awaited == connection->granted) {
        fail(connection, "the server sent a message that is no echo");
        return;
    }
    if (event->kind != (options.text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY)) {
        fail(connection, "the echo is %s", options.text ? "binary, not text" : "text, not binary");
        return;
    }
    if (event->offset + event->length > options.size ||
        ((event->flags & WEBSOCKET_FINAL) != 0 && event->offset + event->length < options.size)) {
        fail(connection, "the echo has %s than the %" PRIu64 " bytes that were sent",
             event->offset + event->length > options.size ? "more" : "less", options.size);
        return;
    }
    const uint8_t *ought = echo + echoHead + event->offset;
    echo_number(connection->awaited);
    if (memcmp(ought, event->data, event->length) != 0) {
        size_t i = 0;
        while (event->data[i] == ought[i]) i++;
        differs(connection, event->offset + i, event->data[i], ought[i]);
    } else if ((event->flags & WEBSOCKET_FINAL) != 0) {
        echo_came(connection, now);
    }
}

/* A peer's words are shown without what a terminal might obey. */
static void reason_show(char *text, size_t room, const uint8_t *data, size_t length)
{
    size_t i;
    for (i = 0; i < length && i + 1 < room; i++) text[i] = data[i] < 0x20 || data[i] == 0x7f ? '?' : (char)data[i];
    text[i] = '\0';
}

static void close_came(struct connection *connection, const webSocket_event *event)
{
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    if (connection->phase == CLOSING) return;
    webSocket_conn_failure(connection->conn, &failure);
    if ((event->flags & WEBSOCKET_BY_PEER) != 0 && event->result == WEBSOCKET_OK) {
        char reason[128];
        reason_show(reason, sizeof reason, event->data, event->length);
        fail(connection, "the server closed it with code %u%s%s", (unsigned)event->closeCode,
             event->length > 0 ? ": " : "", reason);
    } else {
        fail(connection, "%s", failure.text[0] != '\0' ? failure.text : webSocket_result_text(event->result));
    }
}

/* next() until AGAIN. */
static void connection_events(struct connection *connection, uint64_t now)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    while (!failed && webSocket_conn_next(connection->conn, &event) == WEBSOCKET_OK) {
        if (event.kind == WEBSOCKET_OPEN) {
            connection->phase = OPEN;
            connection->careful = options.idle;
            dialling--;
            opened++;
        } else if (event.kind == WEBSOCKET_CLOSE) {
            close_came(connection, &event);
        } else if (event.kind == WEBSOCKET_TEXT || event.kind == WEBSOCKET_BINARY) {
            message_came(connection, &event, now);
        }
    }
}

static void connection_feed(struct connection *connection, uint8_t *data, size_t length, uint64_t now)
{
    webSocket_result result = webSocket_conn_feed(connection->conn, data, length);
    if (result != WEBSOCKET_OK) fail(connection, "feed: %s", webSocket_result_text(result));
    else connection_events(connection, now);
}

/* The library reads from here on; what came of the present echo it has not seen yet. */
static void careful_from_here(struct connection *connection, uint64_t now)
{
    size_t length = connection->came;
    connection->careful = true;
    connection->came = 0;
    if (length == 0) return;
    uint8_t *copy = malloc(length);
    if (copy == NULL) {
        fail(connection, "not enough memory");
        return;
    }
    memcpy(copy, echo, length);
    connection_feed(connection, copy, length, now);
    free(copy);
}

/* The fast way: these bytes are what the server must send next, or it is left. */
static void connection_compare(struct connection *connection, uint8_t *data, size_t length, uint64_t now)
{
    while (length > 0 && !failed && !connection->careful) {
        size_t came = connection->came, take = echoBytes - came < length ? echoBytes - came : length, same = 0;
        echo_number(connection->awaited);
        if (connection->awaited == connection->granted || memcmp(echo + came, data, take) != 0) {
            while (same < take && echo[came + same] == data[same]) same++;
            if (came + same < echoHead || connection->awaited == connection->granted) {
                careful_from_here(connection, now);
            } else {
                differs(connection, came + same - echoHead, data[same], echo[came + same]);
            }
            continue;
        }
        connection->came += take;
        data += take;
        length -= take;
        if (connection->came == echoBytes) echo_came(connection, now);
    }
    if (length > 0 && !failed) connection_feed(connection, data, length, now);
}

static void connection_read(struct connection *connection)
{
    ssize_t got = recv(connection->fd, received, sizeof received, 0);
    uint64_t now = clockNs(CLOCK_MONOTONIC);
    uint8_t *data = received;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        if (!connection->careful) careful_from_here(connection, now);
        webSocket_conn_feedEof(connection->conn);
        connection_events(connection, now);
        return;
    }
    /* Line by line: what follows the server's HTTP head is not the library's to keep. */
    while (got > 0 && connection->phase == HANDSHAKE && !failed) {
        uint8_t *end = memchr(data, '\n', (size_t)got);
        size_t take = end == NULL ? (size_t)got : (size_t)(end - data) + 1;
        connection_feed(connection, data, take, now);
        data += take;
        got -= (ssize_t)take;
    }
    if (got > 0 && !failed) connection_compare(connection, data, (size_t)got, now);
    if (connection->phase == OPEN) grant(connection, now);
}

/* ---- what goes */

static void connection_end(struct connection *connection)
{
    if (connection->phase == CLOSING) gone++;
    connection->phase = GONE;
    webSocket_conn_free(connection->conn);
    close(connection->fd);
}

/* False: the socket is full. Where it is broken, reading will tell why. */
static bool connection_send(struct connection *connection, const uint8_t *data, size_t length, size_t *sent)
{
    ssize_t result = send(connection->fd, data, length, MSG_NOSIGNAL);
    if (result < 0 && errno != EAGAIN && errno != EINTR) {
        result = (ssize_t)length;
    }
    *sent = result < 0 ? 0 : (size_t)result;
    return result == (ssize_t)length;
}

/* What the library has to send: never inside one of our own frames. */
static bool connection_flush(struct connection *connection)
{
    const uint8_t *data;
    size_t length, sent;
    webSocket_result result = WEBSOCKET_OK;
    bool frames = connection->phase == OPEN && (!connection->careful || connection->sent != 0);
    if (frames || connection->phase == GONE) return true;
    while ((result = webSocket_conn_output(connection->conn, &data, &length)) == WEBSOCKET_OK && length > 0) {
        bool all = connection_send(connection, data, length, &sent);
        webSocket_conn_outputDone(connection->conn, sent);
        if (!all) return false;
    }
    if (result == WEBSOCKET_CLOSED) connection_end(connection);
    return true;
}

static bool connection_frames(struct connection *connection)
{
    while (connection->phase == OPEN && connection->sending < connection->granted) {
        size_t count = connection->granted - connection->sending, sent;
        batch_number(connection->sending, count);
        bool all = connection_send(connection, batch + connection->sent, count * frameBytes - connection->sent, &sent);
        connection->sent += sent;
        connection->sending += connection->sent / frameBytes;
        connection->sent %= frameBytes;
        if (!all) return false;
    }
    return true;
}

static void connection_write(struct connection *connection)
{
    bool room = connection_flush(connection) && connection_frames(connection) && connection_flush(connection);
    uint32_t ask = room ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (connection->phase == GONE || ask == connection->asked) return;
    struct epoll_event event = {.events = ask, .data.ptr = connection};
    connection->asked = ask;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event) != 0) fail(connection, "epoll: %s", strerror(errno));
}

#endif
