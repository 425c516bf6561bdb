/*
 * Streams as one message what is never in memory as a whole. A peer that reads
 * whole messages gets one; ours gets chunks (WEBSOCKET_CHUNK_ABOVE_BYTES).
 *
 * Shows: webSocket_conn_sendChunk
 */
#include "pair.h"
#include <stdio.h>

static uint64_t received;
static int whole;

static void server_handles(webSocket_conn *conn, const webSocket_event *event)
{
    (void)conn;
    if (event->kind != WEBSOCKET_BINARY)
        return;
    received = event->offset + event->length; /* offset: where this chunk begins */
    whole = (event->flags & WEBSOCKET_FINAL) != 0;
}

int main(void)
{
    webSocket_config *config;
    webSocket_conn *client = NULL, *server = NULL;
    uint8_t piece[512];
    if (webSocket_config_new(&config) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_CHUNK_ABOVE_BYTES, 0) != WEBSOCKET_OK ||
        webSocket_conn_newClient(NULL, "ws://localhost/", &client) != WEBSOCKET_OK ||
        webSocket_conn_newServer(config, &server) != WEBSOCKET_OK)
        return 1;
    carry(client, server, NULL);
    carry(server, client, NULL);
    for (int i = 0; i < 100; i++) {
        uint32_t flags = (i == 0 ? WEBSOCKET_FIRST : 0) | (i == 99 ? WEBSOCKET_FINAL : 0);
        memset(piece, i, sizeof piece); /* fread() in a real program */
        if (webSocket_conn_sendChunk(client, WEBSOCKET_BINARY, piece, sizeof piece, flags) != WEBSOCKET_OK)
            return 1;
        carry(client, server, server_handles);
    }
    free_pair(client, server);
    webSocket_config_free(config);
    printf("%llu bytes, %s\n", (unsigned long long)received, whole ? "whole" : "cut off");
    return !whole || received != 100 * sizeof piece;
}
