/*
 * An echo server on select(), as the field has them: accepted sockets are left
 * as they are, the HTTP request comes as a negative length.
 *
 *     old_server_select PORT      0: any free port
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>
#include "websocket_common.h"

#define MAX_CLIENT 100

static char buff[2 * 1024 * 1024];

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    socklen_t size = sizeof(addr);
    int clients[MAX_CLIENT], i, fd, ret, max, on = 1;
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
    getsockname(server, (struct sockaddr *)&addr, &size);
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    for (i = 0; i < MAX_CLIENT; i++)
        clients[i] = -1;

    while (1) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(server, &set);
        max = server;
        for (i = 0; i < MAX_CLIENT; i++) {
            if (clients[i] < 0)
                continue;
            FD_SET(clients[i], &set);
            if (clients[i] > max)
                max = clients[i];
        }
        if (select(max + 1, &set, NULL, NULL, NULL) <= 0)
            continue;
        if (FD_ISSET(server, &set) && (fd = accept(server, NULL, NULL)) >= 0) {
            for (i = 0; i < MAX_CLIENT && clients[i] >= 0; i++)
                ;
            if (i < MAX_CLIENT)
                clients[i] = fd;
            else
                close(fd);
            continue;
        }
        for (i = 0; i < MAX_CLIENT; i++) {
            WebsocketData_Type type = WDT_NULL;
            if (clients[i] < 0 || !FD_ISSET(clients[i], &set))
                continue;
            fd = clients[i];
            ret = webSocket_recv(fd, buff, sizeof(buff), &type);
            if (ret > 0) {
                if (type != WDT_PING && type != WDT_PONG)
                    webSocket_send(fd, buff, ret, false, type);
            } else if (ret < 0) {
                /* the client's http request */
                if (webSocket_serverLinkToClient(fd, buff, ret) <= 0) {
                    close(fd);
                    clients[i] = -1;
                }
            } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
                close(fd);
                clients[i] = -1;
            }
        }
    }
}
