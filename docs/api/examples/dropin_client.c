/*
 * A client on the drop-in's functions: says hello and prints what comes back.
 *
 *     dropin_client [HOST [PORT [PATH]]]
 *
 * Shows: webSocket_clientLinkToServer, webSocket_send, webSocket_recv, webSocket_delayms
 */
#include "websocket_common.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **words)
{
    char *host = count > 1 ? words[1] : "127.0.0.1", *path = count > 3 ? words[3] : "/";
    int port = count > 2 ? atoi(words[2]) : 9001, got;
    char data[4096];
    WebsocketData_Type type;
    int fd = webSocket_clientLinkToServer(host, port, path);
    if (fd <= 0) {
        perror("no connection");
        return 1;
    }
    if (webSocket_send(fd, "hello", 5, true, WDT_TXTDATA) < 0) {
        perror("not sent");
        close(fd);
        return 1;
    }
    /* 0 and EAGAIN: nothing yet, or a ping that has been answered. A program
     * with more to do waits in poll() or epoll_wait() instead of sleeping. */
    while ((got = webSocket_recv(fd, data, sizeof data, &type)) == 0 && errno == EAGAIN)
        webSocket_delayms(1);
    if (got > 0 && type == WDT_TXTDATA)
        printf("%.*s\n", got, data);
    else
        perror("no answer");
    webSocket_send(fd, NULL, 0, true, WDT_DISCONN);
    close(fd);
    return got <= 0;
}
