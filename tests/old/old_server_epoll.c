/*
 * An echo server on epoll, one receive per event, errno decides whether to hang
 * up: as the field has them.
 *
 *     old_server_epoll PORT [et]      PORT 0: any free port; et: edge-triggered
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "websocket_common.h"

static char buff[2 * 1024 * 1024];

/* -1: hang up */
static int handle(int fd)
{
    WebsocketData_Type type = WDT_NULL;
    int ret = webSocket_recv(fd, buff, sizeof(buff), &type);
    if (ret > 0) {
        if (type != WDT_PING && type != WDT_PONG)
            webSocket_send(fd, buff, ret, false, type);
        return 0;
    }
    if (ret < 0)
        return webSocket_serverLinkToClient(fd, buff, ret) > 0 ? 0 : -1;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    return -1;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    socklen_t size = sizeof(addr);
    struct epoll_event ev, evs[16];
    int i, n, fd, ep, on = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    unsigned int trigger = argc > 2 && strcmp(argv[2], "et") == 0 ? EPOLLET : 0;
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
    ep = epoll_create(1);
    ev.events = EPOLLIN;
    ev.data.fd = server;
    epoll_ctl(ep, EPOLL_CTL_ADD, server, &ev);
    /* last: who reads it counts this program's descriptors */
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    while (1) {
        n = epoll_wait(ep, evs, 16, -1);
        for (i = 0; i < n; i++) {
            if (evs[i].data.fd == server) {
                fd = accept(server, NULL, NULL);
                if (fd < 0)
                    continue;
                fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
                ev.events = EPOLLIN | trigger;
                ev.data.fd = fd;
                epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
            } else if (handle(evs[i].data.fd) != 0) {
                close(evs[i].data.fd);
            }
        }
    }
}
