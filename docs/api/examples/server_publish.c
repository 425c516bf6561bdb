/*
 * Topics: a client's path is the topic that it gets; what it says goes to all
 * who get the same.
 *
 * Shows: webSocket_server_publish, webSocket_server_subscribe, webSocket_server_unsubscribe
 */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static webSocket_server *server;

static void happens(void *user, const webSocket_event *event)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    (void)user;
    if (webSocket_server_peerInfo(server, event->peer, &info) != WEBSOCKET_OK)
        return;
    if (event->kind == WEBSOCKET_OPEN) {
        webSocket_server_subscribe(server, event->peer, info.target);
    } else if (event->kind == WEBSOCKET_TEXT && event->length == 4 && memcmp(event->data, "quit", 4) == 0) {
        webSocket_server_unsubscribe(server, event->peer, info.target);
        webSocket_server_send(server, event->peer, WEBSOCKET_TEXT, "bye", 3);
    } else if (event->kind == WEBSOCKET_TEXT) {
        /* 0 in place of event->peer: the one it came from gets it as well. */
        webSocket_server_publish(server, info.target, WEBSOCKET_TEXT, event->data, event->length, event->peer);
        webSocket_server_send(server, event->peer, WEBSOCKET_TEXT, "sent", 4);
    }
}

/* `fd` hears nothing but this. */
static void expect(int fd, const char *wanted)
{
    char text[64];
    if (fd <= 0 || !hear(fd, text, sizeof text) || strcmp(text, wanted) != 0) {
        fprintf(stderr, "not heard: %s\n", wanted);
        exit(1);
    }
    puts(text);
}

int main(void)
{
    uint16_t port;
    int ann, bob, eve;
    if (webSocket_server_new(NULL, happens, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    ann = webSocket_clientLinkToServer("127.0.0.1", port, "/rain");
    bob = webSocket_clientLinkToServer("127.0.0.1", port, "/rain");
    eve = webSocket_clientLinkToServer("127.0.0.1", port, "/wind");
    say(bob, "it rains"); /* also tells that bob is open, and subscribed */
    expect(bob, "sent");
    expect(ann, "it rains");
    say(eve, "it blows");
    expect(eve, "sent");
    say(ann, "quit");
    expect(ann, "bye");
    say(bob, "it still rains");
    expect(bob, "sent");
    /* NULL: to all, whatever they subscribe to. Nothing came in between. */
    webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, "closing time", 12, 0);
    expect(ann, "closing time");
    expect(bob, "closing time");
    expect(eve, "closing time");
    close(ann);
    close(bob);
    close(eve);
    webSocket_server_stop(server);
    webSocket_server_free(server);
    return 0;
}
