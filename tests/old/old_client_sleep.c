/*
 * A device's client as the field has them: one thread, a sleep loop, errno.
 *
 *     old_client_sleep HOST PORT PATH LARGEST
 *
 * Sends text and binary messages of up to LARGEST bytes to an echo server and
 * compares what comes back. A ping every few rounds feeds the watchdog.
 * Exit status 0: every echo was right, pongs came, the close was answered.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "websocket_common.h"

#define BUFF_SIZE (2 * 1024 * 1024)
#define LOOP_MS 2
#define PING_LOOPS 10
#define WATCHDOG_LOOPS 15000

static char send_buff[BUFF_SIZE];
static char recv_buff[BUFF_SIZE];
static int pongs = 0;
static int loops = 0;
static int watchdog = 0;

static int hang_up(void)
{
    return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

static void fill(char *data, int len, int round, int text)
{
    int i;
    for (i = 0; i < len; i++)
        data[i] = text ? 'a' + (i + i / 26 + round) % 26 : (char)(i * 7 + i / 256 + round);
}

/* one turn of the loop: 1 a message is in recv_buff, 0 not yet, -1 broken */
static int turn(int fd, int *len, WebsocketData_Type *type)
{
    int ret;
    if (++loops % PING_LOOPS == 0 && webSocket_send(fd, "are you there", 13, true, WDT_PING) < 0 && hang_up())
        return -1;
    *type = WDT_NULL;
    ret = webSocket_recv(fd, recv_buff, sizeof(recv_buff), type);
    if (ret > 0 && *type == WDT_PONG) {
        if (ret != 13 || memcmp(recv_buff, "are you there", 13) != 0) {
            printf("a pong with other bytes: %d\n", ret);
            return -1;
        }
        pongs++;
        watchdog = 0;
        return 0;
    }
    if (ret > 0) {
        *len = ret;
        return *type == WDT_PING ? 0 : 1;
    }
    if (ret < 0) {
        printf("not a frame: %d\n", ret);
        return -1;
    }
    if (hang_up()) {
        printf("hang up: type %d errno %d\n", *type, errno);
        return -1;
    }
    if (++watchdog > WATCHDOG_LOOPS) {
        printf("watchdog: no pong\n");
        return -1;
    }
    webSocket_delayms(LOOP_MS);
    return 0;
}

static int exchange(int fd, int len, int round)
{
    WebsocketData_Type want = round % 2 ? WDT_BINDATA : WDT_TXTDATA, type;
    int ret, got = 0, head = len < 126 ? 2 : len < 65536 ? 4 : 10;
    fill(send_buff, len, round, want == WDT_TXTDATA);
    while ((ret = webSocket_send(fd, send_buff, len, true, want)) < 0) {
        if (hang_up())
            return -1;
        webSocket_delayms(LOOP_MS);
    }
    if (ret != head + 4 + len) {
        printf("sent %d of a frame with %d bytes payload\n", ret, len);
        return -1;
    }
    while ((ret = turn(fd, &got, &type)) == 0)
        ;
    if (ret < 0)
        return -1;
    if (got != len || type != want || memcmp(send_buff, recv_buff, len) != 0) {
        printf("the echo of %d bytes type %d came as %d bytes type %d\n", len, want, got, type);
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const int size[] = {1, 5, 125, 126, 127, 1000, 4096, 40000, 65535, 65536, 300000, 1048576};
    WebsocketData_Type type;
    int fd, largest, i, len, done = 0;
    if (argc != 5) {
        printf("usage: %s HOST PORT PATH LARGEST\n", argv[0]);
        return 2;
    }
    largest = atoi(argv[4]);
    fd = webSocket_clientLinkToServer(argv[1], atoi(argv[2]), argv[3]);
    if (fd <= 0) {
        printf("connect failed: %d ms\n", -fd);
        return 1;
    }
    for (i = 0; i < (int)(sizeof(size) / sizeof(size[0])); i++) {
        if (size[i] > largest)
            break;
        if (exchange(fd, size[i], i * 2) != 0 || exchange(fd, size[i], i * 2 + 1) != 0) {
            printf("failed at %d bytes\n", size[i]);
            return 1;
        }
        done += 2;
    }
    while (pongs == 0) {
        if (turn(fd, &len, &type) != 0) {
            printf("failed while waiting for a pong\n");
            return 1;
        }
    }
    /* goodbye, 1000 */
    webSocket_send(fd, "\x03\xe8", 2, true, WDT_DISCONN);
    for (i = 0; i < WATCHDOG_LOOPS; i++) {
        int ret = webSocket_recv(fd, recv_buff, sizeof(recv_buff), &type);
        if (ret <= 0 && hang_up())
            break;
        if (ret == 0)
            webSocket_delayms(LOOP_MS);
    }
    if (type != WDT_DISCONN || errno != ECONNRESET || memcmp(recv_buff, "\x03\xe8", 2) != 0) {
        printf("the close was not answered: type %d errno %d\n", type, errno);
        return 1;
    }
    close(fd);
    printf("%d messages, pongs: yes, closed\n", done);
    return 0;
}
