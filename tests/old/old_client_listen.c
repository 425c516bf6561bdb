/*
 * A device that only listens: prints each frame that the server pushes, as one
 * line, until the connection ends. Where errno says EAGAIN it goes on.
 *
 *     old_client_listen HOST PORT PATH [et]
 *
 * It sleeps between two receives, or with "et" receives once per edge.
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

#define LOOP_MS 2
#define LOOPS 30000

static char buff[2 * 1024 * 1024];

static const char *name(int type)
{
    switch (type) {
    case WDT_TXTDATA: return "text";
    case WDT_BINDATA: return "binary";
    case WDT_MINDATA: return "more";
    case WDT_DISCONN: return "close";
    case WDT_PING: return "ping";
    case WDT_PONG: return "pong";
    case 101: return "text-first";
    case 100: return "binary-first";
    case 99: return "last";
    }
    return "nothing";
}

int main(int argc, char **argv)
{
    WebsocketData_Type type;
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    int fd, ep, ret, i = 0, et = argc == 5 && strcmp(argv[4], "et") == 0;
    if (argc != 4 && !et) {
        printf("usage: %s HOST PORT PATH [et]\n", argv[0]);
        return 2;
    }
    fd = webSocket_clientLinkToServer(argv[1], atoi(argv[2]), argv[3]);
    if (fd <= 0) {
        printf("connect failed, errno %s\n", errno == EPROTO ? "EPROTO" : strerror(errno));
        return 1;
    }
    ep = epoll_create(1);
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    while (i < LOOPS) {
        if (et && epoll_wait(ep, &ev, 1, LOOP_MS * LOOPS) <= 0)
            break;
        ret = webSocket_recv(fd, buff, sizeof(buff), &type);
        if (ret > 0) {
            if (ret > 60)
                printf("%s %d\n", name(type), ret);
            else
                printf("%s %.*s\n", name(type), ret, buff);
            continue;
        }
        if (ret == 0 && type == WDT_DISCONN) {
            printf("close %d\n", (unsigned char)buff[0] * 256 + (unsigned char)buff[1]);
            close(fd);
            return 0;
        }
        if (ret < 0 || (errno != EAGAIN && errno != EINTR)) {
            printf("%s, errno %s\n", ret < 0 ? "not a frame" : "end",
                   errno == ECONNRESET ? "ECONNRESET" : errno == EPROTO ? "EPROTO" : strerror(errno));
            close(fd);
            return 0;
        }
        if (!et) {
            webSocket_delayms(LOOP_MS);
            i++;
        }
    }
    printf("stall\n");
    return 1;
}
