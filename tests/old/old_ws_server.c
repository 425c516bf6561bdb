/*
 * An echo server of generation 2 as the field has them: callbacks on threads of
 * the helper's, and a main() that sleeps and looks at the clients.
 *
 *     old_ws_server PORT      0: any free port
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ws_server.h"

static void onLogin(Ws_Client *client)
{
    client->priv = calloc(1, sizeof(int));
}

static void onMessage(Ws_Client *client, char *msg, int msgLen, Ws_DataType type)
{
    if (client->priv)
        ++*(int *)client->priv;
    if (msgLen < 0)
        printf("not a frame: %d\n", msgLen);
    else if (type == WDT_TXTDATA || type == WDT_BINDATA)
        ws_send(client->fd, msg, msgLen, false, type);
}

static void onExit(Ws_Client *client, Ws_ExitType exitType)
{
    printf("%d.%d.%d.%d fd/%d exit type %d, %d messages, %u bytes\n", client->ip[0], client->ip[1], client->ip[2],
           client->ip[3], client->fd, exitType, client->priv ? *(int *)client->priv : -1, client->recvBytes);
    fflush(stdout);
    free(client->priv);
    client->priv = NULL;
}

static int free_port(void)
{
    struct sockaddr_in addr;
    socklen_t size = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    bind(fd, (struct sockaddr *)&addr, sizeof(addr));
    getsockname(fd, (struct sockaddr *)&addr, &size);
    close(fd);
    return ntohs(addr.sin_port);
}

int main(int argc, char **argv)
{
    Ws_Server *wss = NULL;
    int i, port = argc > 1 ? atoi(argv[1]) : 0;
    for (i = 0; i < 10; i++) {
        wss = ws_server_create(port ? port : free_port(), "/", NULL, onLogin, onMessage, onExit);
        if (!wss)
            return 1;
        while (!wss->isExit && wss->fd < 1)
            ws_delayms(10);
        if (!wss->isExit)
            break;
        ws_server_release(&wss);
    }
    if (!wss)
        return 1;
    printf("listening on 127.0.0.1:%d\n", wss->port);
    fflush(stdout);
    while (!wss->isExit)
        ws_delayms(100);
    ws_server_release(&wss);
    return 0;
}
