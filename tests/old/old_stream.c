/*
 * Streams a recording as the field does: a name as text, then the file in
 * frames of 2048 bytes by bare numbers, only the first of them with a mask.
 *
 *     old_stream HOST PORT FILE [proper]
 *
 * As the field has it, the last frame (99) is the one that fread() fills in
 * part: a file whose size is a multiple of 2048, or below 2048, never gets one.
 * "proper" always sends it, and leaves with a close.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "websocket_common.h"

#define PKG 2048

static int put(int fd, char *data, int len, bool mask, int type)
{
    int ret;
    while ((ret = webSocket_send(fd, data, len, mask, type)) < 0) {
        if (errno != EAGAIN) {
            printf("send: errno %d\n", errno);
            exit(1);
        }
        webSocket_delayms(5);
    }
    return ret;
}

int main(int argc, char **argv)
{
    char buff[PKG];
    const char *name;
    int fd, len, frames = 0, proper = argc == 5 && strcmp(argv[4], "proper") == 0;
    long total = 0;
    FILE *fp;
    if (argc != 4 && !proper) {
        printf("usage: %s HOST PORT FILE [proper]\n", argv[0]);
        return 2;
    }
    if ((fp = fopen(argv[3], "rb")) == NULL) {
        printf("cannot open %s\n", argv[3]);
        return 1;
    }
    fd = webSocket_clientLinkToServer(argv[1], atoi(argv[2]), "/");
    if (fd <= 0) {
        printf("connect failed: %d ms\n", -fd);
        return 1;
    }
    name = strrchr(argv[3], '/') ? strrchr(argv[3], '/') + 1 : argv[3];
    put(fd, (char *)name, strlen(name), true, WDT_TXTDATA);
    while ((len = fread(buff, 1, PKG, fp)) > 0) {
        if (frames == 0)
            put(fd, buff, len, true, 100);
        else
            put(fd, buff, len, false, len < PKG ? 99 : WDT_MINDATA);
        frames++;
        total += len;
    }
    fclose(fp);
    if (proper) {
        WebsocketData_Type type = WDT_NULL;
        int i;
        if (frames < 2 || total % PKG == 0)
            put(fd, NULL, 0, false, 99);
        put(fd, "\x03\xe8", 2, true, WDT_DISCONN);
        for (i = 0; i < 12000 && type != WDT_DISCONN; i++) {
            if (webSocket_recv(fd, buff, sizeof(buff), &type) <= 0 && errno != EAGAIN)
                break;
            webSocket_delayms(5);
        }
        if (type != WDT_DISCONN || memcmp(buff, "\x03\xe8", 2) != 0) {
            printf("no answer to the close\n");
            return 1;
        }
    }
    close(fd);
    printf("%ld bytes in %d frames\n", total, frames);
    return 0;
}
