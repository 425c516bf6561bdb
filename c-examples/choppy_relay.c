/*
 * choppy_relay: a TCP relay that makes a friendly loopback as rough as a radio link.
 *
 * Every program that reads a socket must cope with messages that arrive cut in
 * the middle or glued together. On loopback they rarely do; through this relay
 * they always do. It knows nothing of WebSocket and does not use the library.
 *
 *     choppy_relay --listen 0 --to 9000              random pieces of up to 4096 bytes, with pauses
 *     choppy_relay --listen 0 --to 9000 --bytes 1    a cut after every byte
 *     choppy_relay --listen 0 --to 9000 --glue       as much as possible in one piece
 *
 * It listens on 127.0.0.1 only and prints "listening on 127.0.0.1:PORT". For one
 * --seed, the n-th connection is always cut at the same places of its stream.
 * A half-close is passed on as a half-close, a reset as a reset.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHOP_CAPACITY = 64 * 1024, GLUE_CAPACITY = 256 * 1024, GLUE_WAIT_MS = 20 };

/* One way of a connection: what came from `from` and has not yet gone to `to`. */
struct way {
    int from, to;
    uint8_t *buffer;
    size_t start, end; /* the bytes held: buffer[start..end) */
    size_t piece;      /* bytes until the next cut; 0: draw a new piece */
    uint64_t random;
    int64_t dueMs; /* nothing is sent before this time */
    bool ended;    /* `from` has sent its FIN */
    bool done;     /* and it was passed on */
};

struct link {
    struct way there, back;
    bool connected; /* the connect() to the target has finished */
    bool reset;     /* a side was reset: what it sent is delivered, then the other is reset */
    bool dead;
};

static struct {
    int listenPort, toPort;
    uint64_t seed;
    size_t maxPiece;
    bool glue;
    uint64_t accepted;
    struct link **links;
    size_t count, room;
} relay = {.listenPort = -1, .toPort = -1, .seed = 1, .maxPiece = 4096};

static int64_t nowMs(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* splitmix64: any seed will do, and it is the same on every machine. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void link_free(struct link *link)
{
    if (link->reset) {
        /* close() with a zero linger time sends RST instead of FIN. */
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(link->there.from, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        setsockopt(link->there.to, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    if (link->there.from >= 0) close(link->there.from);
    if (link->there.to >= 0) close(link->there.to);
    free(link->there.buffer);
    free(link->back.buffer);
    free(link);
}

static bool link_add(int client)
{
    size_t capacity = relay.glue ? GLUE_CAPACITY : CHOP_CAPACITY;
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        close(client);
        return false;
    }
    int target = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uint64_t number = relay.accepted++;
    link->there = (struct way){.from = client, .to = target, .random = relay.seed * 2 + (number << 32)};
    link->back = (struct way){.from = target, .to = client, .random = link->there.random + 1};
    link->there.buffer = malloc(capacity);
    link->back.buffer = malloc(capacity);
    link->reset = true; /* what the client sees if it goes wrong from here on */
    if (relay.count == relay.room) {
        size_t room = relay.room * 2 + 16;
        struct link **links = realloc(relay.links, room * sizeof *links);
        if (links == NULL) goto failed;
        relay.links = links;
        relay.room = room;
    }
    if (target < 0 || link->there.buffer == NULL || link->back.buffer == NULL) goto failed;
    int on = 1; /* without it the kernel would glue the pieces again */
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(target, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in to = loopback(relay.toPort);
    if (connect(target, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) goto failed;
    link->reset = false;
    relay.links[relay.count++] = link;
    return true;
failed:
    link_free(link);
    return false;
}

/* The side that `way` leads to was reset: nothing will be delivered there any more. */
static void way_abandon(struct link *link, struct way *way)
{
    way->start = way->end = 0;
    way->ended = way->done = true;
    link->reset = true;
}

/* Takes what has arrived, as far as there is room. */
static void way_read(struct link *link, struct way *way, int64_t now)
{
    size_t capacity = relay.glue ? GLUE_CAPACITY : CHOP_CAPACITY;
    if (way->start > 0) {
        memmove(way->buffer, way->buffer + way->start, way->end - way->start);
        way->end -= way->start;
        way->start = 0;
    }
    if (way->end == capacity) return; /* recv() of nothing would look like the end */
    ssize_t got = recv(way->from, way->buffer + way->end, capacity - way->end, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0 && relay.glue && way->end == 0) way->dueMs = now + GLUE_WAIT_MS;
    if (got > 0) way->end += (size_t)got;
    if (got <= 0) way->ended = true;
    if (got < 0) way_abandon(link, way == &link->there ? &link->back : &link->there);
    if (relay.glue && (way->ended || way->end == capacity)) way->dueMs = now;
}

/* Sends piece after piece until a pause is drawn or the kernel is full. */
static void way_write(struct link *link, struct way *way, int64_t now)
{
    /* A pause every 128 bytes at least lets the receiver run and see the cut;
     * more often for larger pieces, so that these are seen too. */
    uint64_t oneIn = 128 / ((relay.maxPiece + 1) / 2) + 3;
    while (way->start < way->end && way->dueMs <= now) {
        if (way->piece == 0) way->piece = relay.glue ? GLUE_CAPACITY : 1 + draw(&way->random) % relay.maxPiece;
        size_t held = way->end - way->start;
        size_t size = held < way->piece ? held : way->piece;
        ssize_t sent = send(way->to, way->buffer + way->start, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (sent < 0) {
            way_abandon(link, way);
            return;
        }
        way->start += (size_t)sent;
        way->piece = relay.glue ? 0 : way->piece - (size_t)sent;
        if (relay.glue || way->piece > 0) continue;
        if (draw(&way->random) % oneIn == 0) way->dueMs = now + 1 + (int64_t)(draw(&way->random) % 3);
    }
}

/* Passes the end of one way on once all before it has been delivered. */
static void way_end(const struct link *link, struct way *way)
{
    if (!way->ended || way->done || way->start < way->end) return;
    if (!link->reset) shutdown(way->to, SHUT_WR);
    way->done = true;
}

/* Fills the two poll entries of a link; returns when it wants to run again. */
static int64_t link_arm(const struct link *link, struct pollfd ask[2], int64_t now)
{
    const struct way *ways[2] = {&link->there, &link->back};
    int64_t wake = INT64_MAX;
    size_t capacity = relay.glue ? GLUE_CAPACITY : CHOP_CAPACITY;
    ask[0] = (struct pollfd){.fd = link->there.from};
    ask[1] = (struct pollfd){.fd = link->there.to};
    if (!link->connected) ask[1].events = POLLOUT;
    for (int i = 0; i < 2 && link->connected; i++) {
        const struct way *way = ways[i];
        if (!way->ended && way->end - way->start < capacity) ask[i].events |= POLLIN;
        if (way->start == way->end) continue;
        if (way->dueMs <= now) ask[1 - i].events |= POLLOUT;
        else if (way->dueMs < wake) wake = way->dueMs;
    }
    /* poll() reports a hang-up even unasked: leave out what waits for its time only. */
    for (int i = 0; i < 2; i++) {
        if (ask[i].events == 0) ask[i].fd = -1;
    }
    return wake;
}

static void link_run(struct link *link, const struct pollfd answer[2], int64_t now)
{
    if (!link->connected) {
        int error = 0;
        socklen_t size = sizeof error;
        if (answer[1].revents == 0) return;
        getsockopt(link->there.to, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            fprintf(stderr, "choppy_relay: cannot connect to 127.0.0.1:%d: %s\n", relay.toPort, strerror(error));
            link->reset = link->dead = true;
        }
        link->connected = true;
        return;
    }
    struct way *ways[2] = {&link->there, &link->back};
    for (int i = 0; i < 2; i++) {
        if ((answer[i].revents & ~POLLOUT) != 0 && !ways[i]->ended) way_read(link, ways[i], now);
    }
    for (int i = 0; i < 2; i++) {
        way_write(link, ways[i], now);
        way_end(link, ways[i]);
    }
    link->dead = link->there.done && link->back.done;
}

static int run(int listener, int signals)
{
    struct pollfd *ask = NULL;
    int64_t acceptAfter = 0;
    for (;;) {
        struct pollfd *grown = realloc(ask, (2 + 2 * relay.count) * sizeof *ask);
        if (grown == NULL) break;
        ask = grown;
        int64_t now = nowMs(), wake = INT64_MAX;
        ask[0] = (struct pollfd){.fd = signals, .events = POLLIN};
        ask[1] = (struct pollfd){.fd = acceptAfter <= now ? listener : -1, .events = POLLIN};
        if (acceptAfter > now) wake = acceptAfter;
        for (size_t i = 0; i < relay.count; i++) {
            int64_t linkWake = link_arm(relay.links[i], ask + 2 + 2 * i, now);
            if (linkWake < wake) wake = linkWake;
        }
        int wait = wake == INT64_MAX ? -1 : (int)(wake - now);
        if (poll(ask, (nfds_t)(2 + 2 * relay.count), wait) < 0 && errno != EINTR) break;
        if (ask[0].revents != 0) {
            free(ask);
            return EXIT_SUCCESS;
        }
        now = nowMs();
        size_t kept = 0;
        for (size_t i = 0; i < relay.count; i++) {
            link_run(relay.links[i], ask + 2 + 2 * i, now);
            if (relay.links[i]->dead) link_free(relay.links[i]);
            else relay.links[kept++] = relay.links[i];
        }
        relay.count = kept;
        if (ask[1].revents != 0) {
            int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            /* Out of descriptors or memory: let some connections end first. */
            if (client < 0 ? errno == EMFILE || errno == ENFILE : !link_add(client)) acceptAfter = now + 50;
        }
    }
    perror("choppy_relay");
    free(ask);
    return EXIT_FAILURE;
}

static int listenOn(int port)
{
    struct sockaddr_in address = loopback(port);
    socklen_t size = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        close(fd);
        return -1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    return fd;
}

/* A whole decimal number from low to high, or false. */
static bool number(const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    char *end;
    if (text == NULL || *text < '0' || *text > '9') return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *value >= low && *value <= high;
}

static bool arguments(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        uint64_t value;
        const char *word = words[i], *next = words[i + 1]; /* words[count] is NULL */
        if (strcmp(word, "--glue") == 0) relay.glue = true;
        else if (strcmp(word, "--listen") == 0 && number(next, 0, 65535, &value)) relay.listenPort = (int)value, i++;
        else if (strcmp(word, "--to") == 0 && number(next, 1, 65535, &value)) relay.toPort = (int)value, i++;
        else if (strcmp(word, "--seed") == 0 && number(next, 0, UINT64_MAX, &value)) relay.seed = value, i++;
        else if (strcmp(word, "--bytes") == 0 && number(next, 1, CHOP_CAPACITY, &value)) relay.maxPiece = (size_t)value, i++;
        else return false;
    }
    return relay.listenPort >= 0 && relay.toPort > 0;
}

int main(int count, char **words)
{
    if (!arguments(count, words)) {
        fputs("usage: choppy_relay --listen PORT --to PORT [--seed NUMBER] [--bytes MAX] [--glue]\n"
              "  --listen PORT   where to listen on 127.0.0.1; 0 picks a free port\n"
              "  --to PORT       where to connect to on 127.0.0.1\n"
              "  --seed NUMBER   which random cuts to make (default 1)\n"
              "  --bytes MAX     the largest piece, 1 to 65536 (default 4096)\n"
              "  --glue          collect for up to 20 ms before sending\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    int signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    int listener = listenOn(relay.listenPort);
    if (signals < 0 || listener < 0) {
        perror("choppy_relay: cannot listen");
        return EXIT_FAILURE;
    }
    int status = run(listener, signals);
    for (size_t i = 0; i < relay.count; i++) link_free(relay.links[i]);
    free(relay.links);
    close(listener);
    close(signals);
    return status;
}
