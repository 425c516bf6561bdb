/*
 * A device of generation 2 that only listens: prints each message that the
 * server pushes, as one line, until the connection ends.
 *
 *     old_ws_listen HOST PORT PATH
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "ws_com.h"

#define LOOPS 6000

static char buff[2 * 1024 * 1024];

int main(int argc, char **argv)
{
    static const char *name[] = {"nothing", "more", "text", "binary", "close", "ping", "pong"};
    Ws_DataType type;
    int fd, ret, i = 0;
    if (argc != 4) {
        printf("usage: %s HOST PORT PATH\n", argv[0]);
        return 2;
    }
    fd = ws_requestServer(argv[1], atoi(argv[2]), argv[3], 5000);
    if (fd <= 0) {
        printf("connect failed\n");
        return 1;
    }
    while (i < LOOPS) {
        type = WDT_NULL;
        ret = ws_recv(fd, buff, sizeof(buff), &type);
        if (ret > 60) {
            printf("%s %d\n", name[type], ret);
        } else if (ret > 0) {
            printf("%s %s\n", name[type], buff);
        } else if (ret < 0) {
            printf("not a frame: %d\n", ret);
            break;
        } else if (type == WDT_DISCONN) {
            printf("end\n");
            close(fd);
            return 0;
        } else if (type != WDT_NULL) {
            printf("%s\n", name[type]);
        } else {
            ws_delayms(10);
            i++;
        }
    }
    close(fd);
    printf("stall\n");
    return 1;
}
