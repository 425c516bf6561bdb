/*
 * A client on edge-triggered epoll that receives once per edge: the demo that
 * many programs of the field grew from.
 *
 *     old_client_epoll_et HOST PORT PATH COUNT
 *
 * Sends COUNT messages at once, a ping among them, and waits for the echoes:
 * all of them, in order, and then for the answer to its close and the end of
 * the connection. An edge that does not come is a stall: exit status 1.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "websocket_common.h"

#define STALL_MS 60000

static char buff[64 * 1024];
static char want[64 * 1024];

static int message(char *out, int n)
{
    int len = sprintf(out, "message %d ", n);
    int fill = n % 10 == 9 ? 2000 : n % 50;
    memset(out + len, '0' + n % 10, fill);
    return len + fill;
}

/* one edge, one receive */
static int receive(int ep, int fd, WebsocketData_Type *type)
{
    struct epoll_event ev;
    int ret = epoll_wait(ep, &ev, 1, STALL_MS);
    if (ret == 0) {
        printf("stall\n");
        exit(1);
    }
    *type = WDT_NULL;
    errno = 0;
    return webSocket_recv(fd, buff, sizeof(buff), type);
}

int main(int argc, char **argv)
{
    WebsocketData_Type type = WDT_NULL;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    int fd, ep, i, len, ret, count, got = 0, pongs = 0;
    if (argc != 5) {
        printf("usage: %s HOST PORT PATH COUNT\n", argv[0]);
        return 2;
    }
    count = atoi(argv[4]);
    fd = webSocket_clientLinkToServer(argv[1], atoi(argv[2]), argv[3]);
    if (fd <= 0) {
        printf("connect failed: %d ms\n", -fd);
        return 1;
    }
    ep = epoll_create(1);
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    for (i = 0; i < count; i++) {
        len = message(want, i);
        if (webSocket_send(fd, want, len, true, WDT_TXTDATA) <= 0) {
            printf("send %d: errno %d\n", i, errno);
            return 1;
        }
        if (i == count / 2)
            webSocket_send(fd, "middle", 6, true, WDT_PING);
    }
    while (got < count || pongs == 0) {
        ret = receive(ep, fd, &type);
        if (ret > 0 && type == WDT_PONG) {
            pongs++;
        } else if (ret > 0) {
            len = message(want, got);
            if (ret != len || type != WDT_TXTDATA || memcmp(buff, want, len) != 0) {
                printf("echo %d is wrong: %d bytes type %d\n", got, ret, type);
                return 1;
            }
            got++;
        } else if (ret < 0 || (errno != EAGAIN && errno != EINTR)) {
            printf("hang up after %d of %d: ret %d errno %d\n", got, count, ret, errno);
            return 1;
        }
    }
    webSocket_send(fd, "\x03\xe8", 2, true, WDT_DISCONN);
    do
        ret = receive(ep, fd, &type);
    while (ret > 0 || errno == EAGAIN);
    if (ret != 0 || type != WDT_DISCONN || errno != ECONNRESET) {
        printf("the close was not answered: ret %d type %d errno %d\n", ret, type, errno);
        return 1;
    }
    /* the server's FIN has an edge of its own, or was there already */
    ret = receive(ep, fd, &type);
    if (ret != 0 || errno != ECONNRESET) {
        printf("no end: ret %d errno %d\n", ret, errno);
        return 1;
    }
    close(fd);
    close(ep);
    printf("%d messages, pongs: yes, closed\n", got);
    return 0;
}
