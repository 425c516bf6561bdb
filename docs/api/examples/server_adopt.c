/*
 * One port for two protocols: the program accepts, looks at the first bytes,
 * and gives WebSocket clients away with what it has read of them.
 *
 * Shows: webSocket_server_adopt
 */
#define _POSIX_C_SOURCE 200809L
#include "client.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static webSocket_server *server;

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind == WEBSOCKET_TEXT)
        webSocket_server_send(server, event->peer, WEBSOCKET_TEXT, event->data, event->length);
}

static void serve(int fd)
{
    uint8_t bytes[512];
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got > 0 && bytes[0] == 'G') { /* GET: the server's from now on, even if this fails */
        if (webSocket_server_adopt(server, fd, bytes, (size_t)got) != WEBSOCKET_OK)
            fprintf(stderr, "a client was lost\n");
        return;
    }
    if (got > 0)
        send(fd, "ready\n", 6, MSG_NOSIGNAL);
    close(fd);
}

static void *clients(void *address)
{
    const struct sockaddr_in *to = address;
    char line[16] = "", text[64] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, address, sizeof *to) == 0 && send(fd, "status\n", 7, 0) == 7)
        recv(fd, line, sizeof line - 1, MSG_WAITALL);
    close(fd);
    fd = webSocket_clientLinkToServer("127.0.0.1", ntohs(to->sin_port), "/");
    if (fd > 0 && say(fd, "hello"))
        hear(fd, text, sizeof text);
    close(fd);
    printf("plain: %sWebSocket: %s\n", line, text);
    return strcmp(line, "ready\n") == 0 && strcmp(text, "hello") == 0 ? address : NULL;
}

int main(void)
{
    struct sockaddr_in here;
    socklen_t size = sizeof here;
    pthread_t thread;
    void *good = NULL;
    int i, listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&here, 0, sizeof here);
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&here, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&here, &size) != 0 ||
        webSocket_server_new(NULL, happens, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK || pthread_create(&thread, NULL, clients, &here) != 0)
        return 1;
    for (i = 0; i < 2; i++)
        serve(accept(listener, NULL, NULL));
    pthread_join(thread, &good);
    webSocket_server_stop(server);
    webSocket_server_free(server);
    close(listener);
    return good == NULL;
}
