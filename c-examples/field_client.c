/*
 * field_client: what field programs do with generation 2 of the drop-in, a device's end.
 *
 *     field_client HOST PORT [--path PATH] [--file FILE] [--beat MS] [--seconds N]
 *
 * A loop that sleeps 10 ms: says hello, prints what the server says, sends a heartbeat (a
 * ping) every MS (3000) milliseconds, and connects again when the connection is lost.
 * With --file it sends FILE in pieces to a server that echoes (field_server), compares
 * what comes back, and ends: 0 if every byte is as it was. --seconds ends it, too, and
 * SIGINT and SIGTERM do.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "ws_com.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOP_MS = 10,
    CONNECT_MS = 2000,
    RECEIVE_BYTES = 128 * 1024,
    PIECE_BYTES = 16 * 1024,
    PIECES_AHEAD = 8, /* so many have been sent and have not come back */
    SILENT_BEATS = 5, /* after so many without a word the server is taken for dead */
};

static volatile sig_atomic_t stopped;
static char received[RECEIVE_BYTES];

struct device {
    int fd;
    uint32_t beatMs, beatenMs, heardMs;
    FILE *out, *back; /* the file twice: to send it, and to compare what comes back */
    long long sent, returned;
    int ahead;
    bool allSent, wrong;
};

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* Milliseconds that wrap around: only differences are looked at. */
static uint32_t nowMs(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

/* ---- The file ----------------------------------------------------------------------- */

/* Sends pieces until enough are on the way. False: the file cannot be read. */
static bool sendPieces(struct device *device)
{
    char piece[PIECE_BYTES];
    while (!device->allSent && device->ahead < PIECES_AHEAD) {
        size_t length = fread(piece, 1, sizeof piece, device->out);
        if (length == 0) {
            device->allSent = !ferror(device->out);
            return device->allSent;
        }
        if (ws_send(device->fd, piece, (int32_t)length, true, WDT_BINDATA) < 0) {
            /* Nothing of it was taken: the next turn of the loop offers it again. */
            return fseeko(device->out, -(off_t)length, SEEK_CUR) == 0;
        }
        device->sent += (long long)length;
        device->ahead++;
    }
    return true;
}

static void pieceReturns(struct device *device, const char *data, int length)
{
    char piece[PIECE_BYTES];
    bool fits = length <= PIECE_BYTES && fread(piece, 1, (size_t)length, device->back) == (size_t)length;
    if (!fits || memcmp(piece, data, (size_t)length) != 0) {
        fprintf(stderr, "field_client: what came back behind %lld bytes differs\n", device->returned);
        device->wrong = true;
    }
    device->returned += length;
    device->ahead--;
}

/* ---- The connection ----------------------------------------------------------------- */

/* All that has come. False: the connection is over. */
static bool receive(struct device *device)
{
    for (;;) {
        Ws_DataType type = WDT_NULL;
        int length = ws_recv(device->fd, received, sizeof received, &type);
        if (length == 0 && type == WDT_NULL) return true;
        if (type == WDT_DISCONN) return false;
        device->heardMs = nowMs();
        if (length < 0) fprintf(stderr, "field_client: a message of %d bytes was too large\n", -length);
        else if (type == WDT_TXTDATA) printf("server: %.*s\n", length, received);
        else if (type == WDT_BINDATA && device->back != NULL) pieceReturns(device, received, length);
        else if (type == WDT_BINDATA) printf("server: %d bytes\n", length);
    }
}

static bool beat(struct device *device)
{
    uint32_t now = nowMs();
    if (now - device->beatenMs < device->beatMs) return true;
    device->beatenMs = now;
    if (now - device->heardMs > SILENT_BEATS * device->beatMs) {
        fputs("field_client: the server does not answer any more\n", stderr);
        return false;
    }
    ws_send(device->fd, "beat", 4, true, WDT_PING); /* full: the next one will do */
    return true;
}

/* Waits for the server, however long; false when it is to end. */
static bool join(struct device *device, char *host, int port, char *path, uint32_t endMs, bool forever)
{
    char hello[64];
    int length = snprintf(hello, sizeof hello, "hello, I am %d", (int)getpid());
    for (bool told = false; !stopped && (forever || (int32_t)(endMs - nowMs()) > 0); told = true) {
        device->fd = ws_requestServer(host, port, path, CONNECT_MS);
        if (device->fd > 0) {
            device->heardMs = device->beatenMs = nowMs();
            printf("%s connected to %s port %d\n", ws_time(), host, port);
            ws_send(device->fd, hello, length, true, WDT_TXTDATA);
            return true;
        }
        if (!told) fprintf(stderr, "field_client: no server at %s port %d yet\n", host, port);
        ws_delayms(LOOP_MS);
    }
    return false;
}

/* Goodbye (code 1000), and a second for the answer. */
static void leave(struct device *device)
{
    char code[2] = {0x03, (char)0xE8};
    ws_send(device->fd, code, sizeof code, true, WDT_DISCONN);
    for (int turn = 0; turn < 1000 / LOOP_MS && receive(device); turn++) ws_delayms(LOOP_MS);
    close(device->fd);
    device->fd = 0;
}

/* Until the file is back, the time is over, or the connection is (false). */
static bool run(struct device *device, uint32_t endMs, bool forever)
{
    while (!stopped && (forever || (int32_t)(endMs - nowMs()) > 0)) {
        if (!receive(device) || !beat(device)) return false;
        if (device->out != NULL) {
            if (!sendPieces(device)) {
                fputs("field_client: the file cannot be read\n", stderr);
                device->wrong = true;
            }
            if (device->wrong || (device->allSent && device->ahead == 0)) return true;
        }
        ws_delayms(LOOP_MS);
    }
    return true;
}

static bool number(const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
    char *end;
    errno = 0;
    unsigned long given = text != NULL && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : most + 1UL;
    if (given < least || given > most || errno != 0 || *end != '\0') return false;
    *value = (uint32_t)given;
    return true;
}

static bool options(char **words, char **path, char **file, uint32_t *beatMs, uint32_t *seconds)
{
    for (char **word = words; *word != NULL; word++) {
        bool good = false;
        if (strcmp(*word, "--path") == 0) good = (*path = *++word) != NULL;
        else if (strcmp(*word, "--file") == 0) good = (*file = *++word) != NULL;
        else if (strcmp(*word, "--beat") == 0) good = number(*++word, 1, 3600000, beatMs);
        else if (strcmp(*word, "--seconds") == 0) good = number(*++word, 1, 1000000, seconds);
        if (!good) return false;
    }
    return true;
}

static bool openFile(struct device *device, const char *name)
{
    device->out = fopen(name, "rbe");
    device->back = fopen(name, "rbe");
    if (device->out != NULL && device->back != NULL) return true;
    fprintf(stderr, "field_client: %s: %s\n", name, strerror(errno));
    return false;
}

static int verdict(const struct device *device, const char *file)
{
    if (file == NULL) return EXIT_SUCCESS;
    if (device->wrong || !device->allSent || device->ahead != 0 || device->returned != device->sent) {
        fprintf(stderr, "field_client: %s: %lld bytes sent, %lld came back\n", file, device->sent, device->returned);
        return EXIT_FAILURE;
    }
    printf("%s: %lld bytes came back as they were\n", file, device->returned);
    return EXIT_SUCCESS;
}

int main(int count, char **words)
{
    struct device device = {.fd = 0, .beatMs = 3000};
    struct sigaction action = {.sa_handler = stop};
    char *path = "/", *file = NULL;
    uint32_t port, seconds = 0;
    if (count < 3 || !number(words[2], 1, 65535, &port) ||
        !options(words + 3, &path, &file, &device.beatMs, &seconds)) {
        fputs("usage: field_client HOST PORT [--path PATH] [--file FILE] [--beat MS] [--seconds N]\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (file != NULL && !openFile(&device, file)) return EXIT_FAILURE;

    uint32_t endMs = nowMs() + seconds * 1000;
    while (join(&device, words[1], (int)port, path, endMs, seconds == 0)) {
        if (run(&device, endMs, seconds == 0)) {
            leave(&device);
            break;
        }
        close(device.fd); /* all there is to do: the library notices by itself */
        device.fd = 0;
        printf("%s the connection is lost\n", ws_time());
        if (file != NULL) break; /* what was on the way is lost as well */
    }
    if (device.out != NULL) fclose(device.out);
    if (device.back != NULL) fclose(device.back);
    return verdict(&device, file);
}
