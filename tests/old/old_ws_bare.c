/*
 * An echo server of generation 2 on bare descriptors, as the field has them: it
 * accepts by itself, answers the request with ws_replyClient(), and walks
 * through its clients in a loop that sleeps 10 ms.
 *
 *     old_ws_bare PORT      0: any free port
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ws_com.h"

#define MAX_CLIENT 200

struct client {
    int fd;
    bool login;
};

static struct client clients[MAX_CLIENT];
static char buff[2 * 1024 * 1024];

/* 1 something was there, 0 nothing, -1 hang up */
static int handle(struct client *client)
{
    Ws_DataType type = WDT_NULL;
    int tries, ret = ws_recv(client->fd, buff, sizeof(buff), &type);
    if (ret < 0) {
        /* the client's http request */
        if (client->login || ws_replyClient(client->fd, buff, -ret, "/") <= 0)
            return -1;
        client->login = true;
        return 1;
    }
    if (type == WDT_DISCONN)
        return -1;
    if (type == WDT_TXTDATA || type == WDT_BINDATA) {
        /* the client reads too slowly: wait for it */
        for (tries = 0; ws_send(client->fd, buff, ret, false, type) < 0; tries++) {
            if (tries == 1000)
                return -1;
            ws_delayms(10);
        }
    }
    return type != WDT_NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    socklen_t size = sizeof(addr);
    int i, fd, ret, busy, on = 1;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    addr.sin_addr.s_addr = inet_addr("127.0.0.1");
    if (bind(server, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(server, 50) < 0) {
        perror("bind");
        return 1;
    }
    fcntl(server, F_SETFL, fcntl(server, F_GETFL, 0) | O_NONBLOCK);
    getsockname(server, (struct sockaddr *)&addr, &size);
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    while (1) {
        busy = 0;
        while ((fd = accept(server, NULL, NULL)) >= 0) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
            for (i = 0; i < MAX_CLIENT && clients[i].fd != 0; i++)
                ;
            if (i == MAX_CLIENT) {
                close(fd);
                continue;
            }
            clients[i].fd = fd;
            clients[i].login = false;
        }
        for (i = 0; i < MAX_CLIENT; i++) {
            if (clients[i].fd == 0)
                continue;
            ret = handle(&clients[i]);
            if (ret < 0) {
                close(clients[i].fd);
                clients[i].fd = 0;
            } else if (ret > 0) {
                busy = 1;
            }
        }
        if (!busy)
            ws_delayms(10);
    }
}
