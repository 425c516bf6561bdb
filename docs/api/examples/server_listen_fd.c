/*
 * A server on a socket that somebody else opened: systemd, which starts the
 * program when the first client comes (a .socket unit with ListenStream=).
 * Without systemd it opens one itself.
 *
 * Shows: webSocket_server_listenFd
 */
#define _POSIX_C_SOURCE 200809L
#include "client.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static void happens(void *user, const webSocket_event *event)
{
    webSocket_server *server = *(webSocket_server **)user;
    if (event->kind == WEBSOCKET_OPEN)
        webSocket_server_send(server, event->peer, WEBSOCKET_TEXT, "here", 4);
}

/* The first descriptor that systemd passes (sd_listen_fds(3)), or one of ours. */
static int listening_socket(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    struct sockaddr_in address;
    int fd;
    if (pid != NULL && count != NULL && atol(pid) == (long)getpid() && atoi(count) >= 1)
        return 3;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 64) == 0 ? fd : -1;
}

int main(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    webSocket_server *server;
    char text[64] = "";
    int client, fd = listening_socket();
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        webSocket_server_new(NULL, happens, &server, &server) != WEBSOCKET_OK ||
        webSocket_server_listenFd(server, fd) != WEBSOCKET_OK || /* the server closes it */
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    client = webSocket_clientLinkToServer("127.0.0.1", ntohs(address.sin_port), "/");
    if (client > 0 && hear(client, text, sizeof text))
        puts(text);
    close(client);
    webSocket_server_stop(server);
    webSocket_server_free(server);
    return strcmp(text, "here") != 0;
}
