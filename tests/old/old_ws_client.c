/*
 * A device's client of generation 2 as the field has them: one thread, a loop
 * that sleeps 10 ms, no errno.
 *
 *     old_ws_client HOST PORT PATH LARGEST
 *
 * Sends text and binary messages of up to LARGEST bytes to an echo server and
 * compares what comes back. A ping every few rounds feeds the watchdog.
 * Exit status 0: every echo was right, pongs came, the close was answered.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ws_com.h"

#define BUFF_SIZE (2 * 1024 * 1024)
#define LOOP_MS 10
#define PING_LOOPS 10
#define WATCHDOG_LOOPS 6000

static char send_buff[BUFF_SIZE];
static char recv_buff[BUFF_SIZE];
static int pongs = 0;
static int loops = 0;
static int watchdog = 0;

static void fill(char *data, int len, int round, int text)
{
    int i;
    for (i = 0; i < len; i++)
        data[i] = text ? 'a' + (i + i / 26 + round) % 26 : (char)(i * 7 + i / 256 + round);
}

/* one turn of the loop: 1 a message is in recv_buff, 0 not yet, -1 broken */
static int turn(int fd, int *len, Ws_DataType *type)
{
    int ret;
    if (++loops % PING_LOOPS == 0)
        ws_send(fd, "are you there", 13, true, WDT_PING);
    *type = WDT_NULL;
    ret = ws_recv(fd, recv_buff, sizeof(recv_buff), type);
    if (ret > 0) {
        if (recv_buff[ret] != 0) {
            printf("no NUL behind %d bytes\n", ret);
            return -1;
        }
        watchdog = 0;
        *len = ret;
        return 1;
    }
    if (ret < 0) {
        printf("not a frame: %d type %d\n", ret, *type);
        return -1;
    }
    if (*type == WDT_DISCONN) {
        printf("the server hung up\n");
        return -1;
    }
    if (*type == WDT_PONG) {
        pongs++;
        watchdog = 0;
        return 0;
    }
    if (*type == WDT_PING)
        return 0;
    if (*type != WDT_NULL) {
        printf("an empty message of type %d that nobody sent\n", *type);
        return -1;
    }
    if (++watchdog > WATCHDOG_LOOPS) {
        printf("watchdog: no pong\n");
        return -1;
    }
    ws_delayms(LOOP_MS);
    return 0;
}

static int exchange(int fd, int len, int round)
{
    Ws_DataType want = round % 2 ? WDT_BINDATA : WDT_TXTDATA, type;
    int ret, got = 0, head = len < 126 ? 2 : len < 65536 ? 4 : 10;
    fill(send_buff, len, round, want == WDT_TXTDATA);
    for (ret = -1; ret < 0 && watchdog < WATCHDOG_LOOPS; watchdog++) {
        ret = ws_send(fd, send_buff, len, true, want);
        if (ret < 0)
            ws_delayms(LOOP_MS);
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
    Ws_DataType type;
    int fd, largest, i, len, done = 0;
    if (argc != 5) {
        printf("usage: %s HOST PORT PATH LARGEST\n", argv[0]);
        return 2;
    }
    largest = atoi(argv[4]);
    fd = ws_requestServer(argv[1], atoi(argv[2]), argv[3], 5000);
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
    ws_send(fd, "\x03\xe8", 2, true, WDT_DISCONN);
    for (i = 0, type = WDT_NULL; i < WATCHDOG_LOOPS && type != WDT_DISCONN; i++) {
        if (ws_recv(fd, recv_buff, sizeof(recv_buff), &type) == 0 && type == WDT_NULL)
            ws_delayms(LOOP_MS);
    }
    close(fd);
    if (type != WDT_DISCONN) {
        printf("no end after the close\n");
        return 1;
    }
    printf("%d messages, pongs: yes, closed\n", done);
    return 0;
}
