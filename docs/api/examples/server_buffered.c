/*
 * More data than a client takes at once: sends until the queue is full, goes
 * on when it has been sent, and never has more than the limit in memory.
 *
 * Shows: webSocket_server_bufferedBytes
 */
#include "client.h"
#include <stdio.h>
#include <unistd.h>
#include <wsembed/websocket.h>

enum { PIECE = 8000, PIECES = 2000, QUEUE = 256 * 1024 };

static webSocket_server *server;
static unsigned sent, drained;
static size_t most;

/* Runs in the callback only, so it needs no lock. */
static void pour(webSocket_peer peer)
{
    static const uint8_t piece[PIECE];
    size_t waiting;
    while (sent < PIECES && webSocket_server_send(server, peer, WEBSOCKET_BINARY, piece, PIECE) == WEBSOCKET_OK)
        sent++; /* WEBSOCKET_FULL ends it: WEBSOCKET_DRAIN will tell */
    if (webSocket_server_bufferedBytes(server, peer, &waiting) == WEBSOCKET_OK && waiting > most)
        most = waiting;
}

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind == WEBSOCKET_OPEN || event->kind == WEBSOCKET_DRAIN)
        pour(event->peer);
    drained += event->kind == WEBSOCKET_DRAIN;
}

int main(void)
{
    webSocket_config *config;
    webSocket_result result = WEBSOCKET_E_MEMORY;
    static char data[PIECE + 1];
    unsigned received = 0;
    uint16_t port;
    int fd;
    if (webSocket_config_new(&config) == WEBSOCKET_OK) {
        webSocket_config_setNumber(config, WEBSOCKET_SEND_QUEUE_BYTES, QUEUE);
        result = webSocket_server_new(config, happens, NULL, &server);
        webSocket_config_free(config);
    }
    if (result != WEBSOCKET_OK || webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    fd = webSocket_clientLinkToServer("127.0.0.1", port, "/");
    while (fd > 0 && received < PIECES && hear(fd, data, sizeof data))
        received++;
    close(fd);
    webSocket_server_stop(server); /* its thread has ended: what it counted may be read */
    webSocket_server_free(server);
    printf("%u received; at most %lu bytes waited, and %u times it had to wait\n", received, (unsigned long)most,
           drained);
    return received != PIECES || most == 0 || most > QUEUE;
}
