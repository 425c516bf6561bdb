/*
 * For the examples: both ends of a connection in one process, without sockets.
 * A program moves the bytes through its transport instead; see conn_talk.c.
 */
#ifndef WSEMBED_EXAMPLE_PAIR_H
#define WSEMBED_EXAMPLE_PAIR_H

#include <string.h>
#include <wsembed/websocket.h>

/* What an end does with an event of its own. */
typedef void (*pair_handler)(webSocket_conn *conn, const webSocket_event *event);

/* Moves what `from` has to send to `to`, which handles what that brings. */
static inline void carry(webSocket_conn *from, webSocket_conn *to, pair_handler handle)
{
    uint8_t bytes[4096];
    const uint8_t *out;
    size_t length;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    while (webSocket_conn_output(from, &out, &length) == WEBSOCKET_OK && length > 0) {
        if (length > sizeof bytes)
            length = sizeof bytes;
        memcpy(bytes, out, length);
        webSocket_conn_outputDone(from, length);
        webSocket_conn_feed(to, bytes, length);
        while (webSocket_conn_next(to, &event) == WEBSOCKET_OK)
            if (handle != NULL)
                handle(to, &event);
    }
}

/* Makes both ends and completes the handshake. 0: it failed. */
static inline int open_pair(webSocket_conn **client, webSocket_conn **server)
{
    *client = *server = NULL;
    if (webSocket_conn_newClient(NULL, "ws://localhost/", client) != WEBSOCKET_OK ||
        webSocket_conn_newServer(NULL, server) != WEBSOCKET_OK)
        return 0;
    carry(*client, *server, NULL); /* the request */
    carry(*server, *client, NULL); /* the answer */
    return 1;
}

static inline void free_pair(webSocket_conn *client, webSocket_conn *server)
{
    webSocket_conn_free(client);
    webSocket_conn_free(server);
}

#endif
