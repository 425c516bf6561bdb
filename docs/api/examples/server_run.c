/*
 * A server of one loop, on the program's own thread: it sends back what comes
 * and ends when its client has gone.
 *
 * Shows: webSocket_server_new, webSocket_server_listen, webSocket_server_send,
 * webSocket_server_run, webSocket_server_stop, webSocket_server_free
 */
#define _POSIX_C_SOURCE 200809L
#include "client.h"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static void happens(void *user, const webSocket_event *event)
{
    webSocket_server *server = *(webSocket_server **)user;
    if (event->kind == WEBSOCKET_TEXT || event->kind == WEBSOCKET_BINARY)
        webSocket_server_send(server, event->peer, event->kind, event->data, event->length);
    else if (event->kind == WEBSOCKET_CLOSE)
        webSocket_server_stop(server); /* one client is enough here */
}

static void *client(void *port)
{
    char text[64] = "nothing";
    int fd = webSocket_clientLinkToServer("127.0.0.1", *(uint16_t *)port, "/");
    if (fd > 0 && say(fd, "hello"))
        hear(fd, text, sizeof text);
    printf("the server says: %s\n", text);
    close(fd);
    return strcmp(text, "hello") == 0 ? port : NULL; /* not NULL: as it should be */
}

int main(void)
{
    webSocket_server *server = NULL;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    pthread_t thread;
    uint16_t port = 0; /* of the kernel's choice; a real server has its own */
    void *good = NULL;
    webSocket_result result = webSocket_server_new(NULL, happens, &server, &server);
    if (result == WEBSOCKET_OK)
        result = webSocket_server_listen(server, "127.0.0.1", port, &port);
    if (result != WEBSOCKET_OK) {
        webSocket_lastFailure(&failure); /* failure.systemError is the errno */
        fprintf(stderr, "cannot listen: %s\n", failure.text);
        return 1;
    }
    if (pthread_create(&thread, NULL, client, &port) != 0)
        return 1;
    result = webSocket_server_run(server); /* until it was stopped and all have gone */
    pthread_join(thread, &good);
    webSocket_server_free(server);
    return result != WEBSOCKET_OK || good == NULL;
}
