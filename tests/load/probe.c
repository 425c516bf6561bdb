/*
 * probe: a well-behaved client of an echo server, and how long it waits.
 *
 *     probe --port N [--control N] [--seconds S] [--warm MS]
 *
 * Eight connections send a message of 64 bytes each 4 ms, whether the last has come
 * back or not, and verify every echo. With --control the same is done, in the same
 * moments, to a second server that nobody else uses: where that one answers late, it is
 * this program or the machine that was held up. Prints a line for each:
 *
 *     server p50 41.2 p99 80.3 max 312.0 us, 5000 echoes
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "load.h"
#include <poll.h>

enum {
    PAIRS = 8,
    SIZE = 64,
    HEAD = 6,            /* of a frame of ours; the echo's is 2 */
    FLIGHT = 1 << 14,    /* unanswered messages; a power of 2 */
    MOST = 4 << 20       /* latencies that are kept */
};
#define EVERY (4 * MS / PAIRS)
#define PATIENCE (30 * SECOND)

struct client {
    int fd;
    uint64_t sent, echoed;
    uint64_t at[FLIGHT];
    uint8_t partial[2 + SIZE];
    size_t have;
};

struct side {
    const char *name;
    uint16_t port;
    struct client *clients;
    uint32_t *us10; /* latencies in tenths of a microsecond */
    size_t count;
};

static uint64_t counted_from;

static void client_open(struct client *client, uint16_t port)
{
    char answer[1024];
    size_t have = 0;
    client->fd = dial(port);
    struct pollfd ready = {.fd = client->fd, .events = POLLOUT};
    if (poll(&ready, 1, 30000) != 1) die("no connection for 30 s");
    if (send(client->fd, request, REQUEST_BYTES, MSG_NOSIGNAL) != REQUEST_BYTES)
        die("the request was not taken: %s", strerror(errno));
    ready.events = POLLIN;
    do {
        if (poll(&ready, 1, 30000) != 1) die("no answer to the handshake for 30 s");
        ssize_t got = recv(client->fd, answer + have, sizeof answer - 1 - have, 0);
        if (got <= 0) die("no answer to the handshake");
        have += (size_t)got;
        answer[have] = '\0';
    } while (strstr(answer, "\r\n\r\n") == NULL && have < sizeof answer - 1);
    if (strncmp(answer, "HTTP/1.1 101 ", 13) != 0) die("the handshake was refused: %.40s", answer);
}

static void payload_of(uint8_t *payload, uint64_t sequence)
{
    memset(payload, (int)(sequence % 251), SIZE);
    memcpy(payload, &sequence, sizeof sequence);
}

static void client_send(struct client *client)
{
    uint8_t frame[HEAD + SIZE];
    if (client->sent - client->echoed >= FLIGHT) die("%d messages are unanswered", FLIGHT);
    frame_header(frame, 0x82, SIZE);
    payload_of(frame + HEAD, client->sent);
    client->at[client->sent % FLIGHT] = clock_now();
    if (send(client->fd, frame, sizeof frame, MSG_NOSIGNAL) != (ssize_t)sizeof frame)
        die("a message was not taken: %s", strerror(errno));
    client->sent++;
}

static void client_read(struct side *side, struct client *client)
{
    uint8_t frame[2 + SIZE] = {0x82, SIZE};
    ssize_t got = recv(client->fd, client->partial + client->have, sizeof client->partial - client->have, 0);
    uint64_t now = clock_now();
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) die("the %s ended a connection: %s", side->name, got == 0 ? "end of stream" : strerror(errno));
    client->have += (size_t)got;
    if (client->have < sizeof client->partial) return;
    payload_of(frame + 2, client->echoed);
    if (memcmp(client->partial, frame, sizeof frame) != 0) die("an echo of the %s differs", side->name);
    client->have = 0;
    uint64_t began = client->at[client->echoed++ % FLIGHT];
    if (began >= counted_from && side->count < MOST) side->us10[side->count++] = (uint32_t)((now - began) / 100);
}

static int lower(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void side_print(struct side *side)
{
    if (side->count == 0) die("the %s sent no echo", side->name);
    qsort(side->us10, side->count, sizeof *side->us10, lower);
    printf("%s p50 %.1f p99 %.1f max %.1f us, %zu echoes\n", side->name, side->us10[side->count / 2] / 10.0,
           side->us10[side->count - 1 - side->count / 100] / 10.0, side->us10[side->count - 1] / 10.0, side->count);
}

static void sides_serve(struct side *sides, size_t count, uint64_t until)
{
    struct pollfd ready[2 * PAIRS];
    for (size_t i = 0; i < count * PAIRS; i++)
        ready[i] = (struct pollfd){.fd = sides[i / PAIRS].clients[i % PAIRS].fd, .events = POLLIN};
    for (uint64_t now; (now = clock_now()) < until;) {
        struct timespec wait = {.tv_nsec = (long)(until - now < SECOND ? until - now : SECOND - 1)};
        if (ppoll(ready, count * PAIRS, &wait, NULL) < 0 && errno != EINTR) die("ppoll: %s", strerror(errno));
        for (size_t i = 0; i < count * PAIRS; i++)
            if (ready[i].revents != 0) client_read(&sides[i / PAIRS], &sides[i / PAIRS].clients[i % PAIRS]);
    }
}

static bool all_echoed(const struct side *sides, size_t count)
{
    for (size_t i = 0; i < count * PAIRS; i++) {
        const struct client *client = &sides[i / PAIRS].clients[i % PAIRS];
        if (client->echoed < client->sent) return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct side sides[2] = {{.name = "server"}, {.name = "control"}};
    uint64_t seconds = 5, warm = 300;
    program = "probe";
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--port") == 0) sides[0].port = (uint16_t)number(name, value, 65535);
        else if (strcmp(name, "--control") == 0) sides[1].port = (uint16_t)number(name, value, 65535);
        else if (strcmp(name, "--seconds") == 0) seconds = number(name, value, 100000);
        else if (strcmp(name, "--warm") == 0) warm = number(name, value, 100000);
        else die("unknown option %s", name);
    }
    size_t count = sides[1].port != 0 ? 2 : 1;
    if (sides[0].port == 0) die("--port is missing");
    for (size_t i = 0; i < count; i++) {
        sides[i].clients = calloc(PAIRS, sizeof *sides[i].clients);
        sides[i].us10 = calloc(MOST, sizeof *sides[i].us10);
        if (sides[i].clients == NULL || sides[i].us10 == NULL) die("not enough memory");
        for (int j = 0; j < PAIRS; j++) client_open(&sides[i].clients[j], sides[i].port);
    }
    puts("ready");
    fflush(stdout);
    uint64_t next = clock_now(), end;
    counted_from = next + warm * MS;
    end = counted_from + seconds * SECOND;
    for (unsigned turn = 0; next < end; turn++) {
        for (size_t i = 0; i < count; i++) client_send(&sides[i].clients[turn % PAIRS]);
        next += EVERY;
        /* Where this program was held up, it does not catch up in a burst. */
        uint64_t now = clock_now();
        if (next < now) next = now;
        sides_serve(sides, count, next);
    }
    uint64_t patience = clock_now() + PATIENCE;
    while (!all_echoed(sides, count)) {
        if (clock_now() > patience) die("echoes are missing for 30 s");
        sides_serve(sides, count, clock_now() + 10 * MS);
    }
    for (size_t i = 0; i < count; i++) {
        side_print(&sides[i]);
        free(sides[i].clients);
        free(sides[i].us10);
    }
    return 0;
}
