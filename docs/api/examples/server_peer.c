/*
 * Something of the program's that hangs on each peer, and what the server
 * knows of it.
 *
 * Shows: webSocket_server_setPeerUser, webSocket_server_peerInfo
 */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wsembed/websocket.h>

struct device {
    unsigned long sum;
};

static webSocket_server *server;

static void happens(void *user, const webSocket_event *event)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    struct device *device = event->peerUser; /* NULL until it is set */
    char text[64];
    size_t i;
    (void)user;
    switch (event->kind) {
    case WEBSOCKET_REQUEST:
        device = calloc(1, sizeof *device);
        if (device == NULL)
            webSocket_server_refuse(server, event->peer, 503, NULL, 0);
        else
            webSocket_server_setPeerUser(server, event->peer, device);
        break;
    case WEBSOCKET_TEXT:
        for (i = 0; i < event->length; i++)
            device->sum += event->data[i];
        snprintf(text, sizeof text, "%lu", device->sum);
        webSocket_server_send(server, event->peer, WEBSOCKET_TEXT, text, strlen(text));
        break;
    case WEBSOCKET_CLOSE: /* the last event of each peer, opened or not */
        if (webSocket_server_peerInfo(server, event->peer, &info) == WEBSOCKET_OK)
            printf("%s asked for %s, sent %llu messages in %llu bytes\n", info.address, info.target,
                   (unsigned long long)info.messagesIn, (unsigned long long)info.bytesIn);
        free(device);
        break;
    default:
        break;
    }
}

int main(void)
{
    uint16_t port;
    char text[64] = "";
    int fd;
    if (webSocket_server_new(NULL, happens, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, NULL, 0, &port) != WEBSOCKET_OK || /* IPv6 and IPv4 */
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    fd = webSocket_clientLinkToServer("127.0.0.1", port, "/pump/3?rate=10");
    if (fd > 0 && say(fd, "a") && hear(fd, text, sizeof text) && say(fd, "b"))
        hear(fd, text, sizeof text);
    puts(text);
    close(fd);
    /* Not freed at once: each peer has its WEBSOCKET_CLOSE first. */
    webSocket_server_stop(server);
    webSocket_server_free(server);
    return strcmp(text, "195") != 0;
}
