/*
 * A server that shows a client the door, and tells what came of it.
 *
 * Shows: webSocket_server_closePeer
 */
#include "client.h"
#include <stdio.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static webSocket_server *server;
static webSocket_result end = WEBSOCKET_AGAIN;

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind == WEBSOCKET_TEXT) {
        /* 4000 to 4999 are for programs to choose. */
        webSocket_server_closePeer(server, event->peer, 4001, "too loud");
    } else if (event->kind == WEBSOCKET_CLOSE) {
        end = event->result; /* WEBSOCKET_OK: the client answered the close */
        printf("code %u, begun by %s: %s\n", (unsigned)event->closeCode,
               (event->flags & WEBSOCKET_BY_PEER) != 0 ? "the client" : "us", webSocket_result_text(event->result));
    }
}

int main(void)
{
    uint16_t port;
    char text[64];
    int fd;
    if (webSocket_server_new(NULL, happens, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    fd = webSocket_clientLinkToServer("127.0.0.1", port, "/");
    if (fd > 0 && say(fd, "HELLO"))
        while (hear(fd, text, sizeof text))
            continue;
    close(fd);
    webSocket_server_stop(server);
    webSocket_server_free(server);
    return end != WEBSOCKET_OK;
}
