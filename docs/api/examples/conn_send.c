/*
 * Sends until the queue is as long as the program wants it, then waits for the
 * transport.
 *
 * Shows: webSocket_conn_send, webSocket_conn_bufferedBytes
 */
#include "pair.h"
#include <stdio.h>

enum { ENOUGH = 64 * 1024 };

static unsigned received;

static void server_handles(webSocket_conn *conn, const webSocket_event *event)
{
    (void)conn;
    if (event->kind == WEBSOCKET_BINARY && event->length == 1000)
        received++;
}

int main(void)
{
    static const uint8_t sample[1000];
    webSocket_conn *client, *server;
    unsigned sent = 0;
    size_t waiting = 0;
    if (!open_pair(&client, &server))
        return 1;
    while (sent < 1000) {
        while (sent < 1000 && waiting < ENOUGH) {
            /* FULL would mean that WEBSOCKET_SEND_QUEUE_BYTES is reached. */
            if (webSocket_conn_send(client, WEBSOCKET_BINARY, sample, sizeof sample) != WEBSOCKET_OK ||
                webSocket_conn_bufferedBytes(client, &waiting) != WEBSOCKET_OK)
                return 1;
            sent++;
        }
        carry(client, server, server_handles); /* the transport has room again */
        webSocket_conn_bufferedBytes(client, &waiting);
    }
    free_pair(client, server);
    printf("%u sent, %u received\n", sent, received);
    return received != sent;
}
