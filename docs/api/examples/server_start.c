/*
 * A server on two threads of its own, and a message from a third: any thread
 * may send.
 *
 * Shows: webSocket_server_start
 */
#include "client.h"
#include <stdio.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static webSocket_server *server;

/* Runs on the server's threads: for two peers at the same time, perhaps. */
static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind == WEBSOCKET_OPEN)
        webSocket_server_send(server, event->peer, WEBSOCKET_TEXT, "welcome", 7);
}

int main(void)
{
    webSocket_config *config;
    webSocket_result result = WEBSOCKET_E_MEMORY;
    uint16_t port;
    char text[64];
    int fd, good = 0;
    if (webSocket_config_new(&config) == WEBSOCKET_OK) {
        webSocket_config_setNumber(config, WEBSOCKET_THREADS, 2);
        result = webSocket_server_new(config, happens, NULL, &server);
        webSocket_config_free(config); /* the server has a copy */
    }
    if (result != WEBSOCKET_OK || webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    fd = webSocket_clientLinkToServer("127.0.0.1", port, "/");
    if (fd > 0 && hear(fd, text, sizeof text)) {
        puts(text);
        /* From this thread, to all who are there. */
        webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, "and to all: good day", 20, 0);
        good = hear(fd, text, sizeof text);
        puts(text);
    }
    close(fd);
    webSocket_server_stop(server); /* returns when both threads have ended */
    webSocket_server_free(server);
    return !good;
}
