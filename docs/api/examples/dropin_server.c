/*
 * A server on the drop-in's functions, for one client at a time: whatever comes
 * goes back. c-examples/legacy_server.c has the same for many on epoll.
 *
 *     dropin_server [PORT]      0, the default: any free port of 127.0.0.1
 *
 * Shows: webSocket_serverLinkToClient
 */
#include "websocket_common.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int fd)
{
    static char data[64 * 1024];
    WebsocketData_Type type;
    for (;;) {
        int got = webSocket_recv(fd, data, sizeof data, &type); /* waits: the fd blocks */
        if (got < 0) {
            /* No frame: at the start, with EAGAIN, the HTTP request. */
            if (errno != EAGAIN || webSocket_serverLinkToClient(fd, data, got) <= 0)
                break;
        } else if (got > 0 && type != WDT_PING && type != WDT_PONG && type != WDT_DISCONN) {
            if (webSocket_send(fd, data, got, false, type) <= 0)
                break;
        } else if (got == 0 && errno != EAGAIN && errno != EINTR) {
            break; /* the end, or an error */
        }
    }
    close(fd);
}

int main(int count, char **words)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)(count > 1 ? atoi(words[1]) : 0));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("dropin_server");
        return 1;
    }
    printf("listening on ws://127.0.0.1:%d/\n", ntohs(address.sin_port));
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0)
        serve(fd);
    return 1;
}
