/*
 * flood: clients that no server wishes for, to be run beside a well-behaved one.
 *
 *     flood --port N [--pid PID] [--seconds S] MODE...      (or: all)
 *
 *     pings       pings without a pause
 *     fragments   messages of endlessly many frames of one byte
 *     unread      sends to be echoed, and reads nothing, or all at once
 *     slow        a thousand handshakes of a byte a second
 *     garbage     what is no handshake: noise, other HTTP, halves, resets; and
 *                 clients that do not hang up when they were refused
 *     storm       connects and leaves
 *     giant       headers of huge frames, and then nothing
 *
 * Each round takes one step a connection. It looks at what the server answers: a
 * server that answers something wrong, or nothing for long, or that loses connections
 * ends it with status 1. With --pid the server's memory and descriptors are looked at ten
 * times a second, and it must hold no more descriptors than before when all have left.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "flood_modes.h"

enum { EVENTS = 256, MOST = 2048, SEND_BUFFER = 256 << 10 };
#define SCAN_NS (10 * MS)
#define SAMPLE_NS (100 * MS)

static struct connection connections[MOST];
static unsigned count;
static uint16_t port;
static unsigned long pid;
static struct {
    uint64_t rssStart, rssPeak;
    unsigned fdsStart, fdsPeak, fdsEnd;
} seen;

static void sample(void)
{
    if (pid == 0) return;
    uint64_t rss = process_rss(pid);
    unsigned fds = process_count(pid, "fd");
    if (rss == 0) die("the server is gone");
    if (rss > seen.rssPeak) seen.rssPeak = rss;
    if (fds > seen.fdsPeak) seen.fdsPeak = fds;
}

static void connection_dial(struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    int buffer = SEND_BUFFER;
    connection->fd = dial(port);
    /* With more it may take the server long to make room that is seen here. */
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    connection->round++;
    connection->asked = EPOLLOUT;
    phase_begin(connection, CONNECTING, UINT64_MAX);
    sums.dialled++;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

static void connection_flood(struct connection *connection, uint64_t now)
{
    phase_begin(connection, FLOODING, now);
    watch(connection, EPOLLIN | EPOLLOUT);
    connection->mode->act(connection, now);
}

static void connection_connected(struct connection *connection, uint64_t now)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) die("connect: %s", strerror(error));
    if (!connection->mode->handshake) {
        connection_flood(connection, now);
        return;
    }
    if (!send_once(connection, request, REQUEST_BYTES)) die("a request was not taken: %s", strerror(errno));
    phase_begin(connection, HANDSHAKE, now + SECOND);
    watch(connection, EPOLLIN);
}

/* The server's head: no flooder has sent anything before it is whole. */
static void handshake_heard(struct connection *connection, uint64_t now)
{
    if (strstr((const char *)connection->answer, "\r\n\r\n") == NULL) return;
    if (answer_is(connection, "HTTP/1.1 503 ")) {
        sums.refused++;
        leave(connection, false, 50 * MS);
    } else if (answer_is(connection, "HTTP/1.1 101 ")) {
        connection_flood(connection, now);
    } else {
        die("%s: the handshake is answered with %.13s", connection->mode->name, (const char *)connection->answer);
    }
}

static void connection_read(struct connection *connection, uint64_t now)
{
    ssize_t got = recv(connection->fd, room, sizeof room, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        int error = got == 0 ? 0 : errno;
        /* One that was refused at once may be reset before it could read why. */
        if (connection->phase == HANDSHAKE) sums.refused++, leave(connection, false, 50 * MS);
        else if (connection->phase == HOLDING) leave(connection, false, 0);
        else connection->mode->ended(connection, error);
        return;
    }
    connection->came += (uint64_t)got;
    connection->moved = now;
    connection->livedMoved = lived;
    sums.came += (uint64_t)got;
    if (connection->phase == HANDSHAKE) {
        keep(connection, room, (size_t)got);
        handshake_heard(connection, now);
    } else if (connection->phase != HOLDING) {
        connection->mode->heard(connection, room, (size_t)got, now);
    }
}

static void connection_serve(struct connection *connection, uint32_t events, uint64_t now)
{
    int fd = connection->fd;
    if (connection->phase == ASIDE) return;
    if (connection->phase == CONNECTING) {
        connection_connected(connection, now);
        return;
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0) connection_read(connection, now);
    if (connection->fd == fd && (events & EPOLLOUT) != 0 &&
        (connection->phase == FLOODING || connection->phase == LEAVING))
        connection->mode->act(connection, now);
}

static void connection_due(struct connection *connection, uint64_t now)
{
    if (connection->phase == ASIDE) connection_dial(connection);
    else if (connection->phase == HOLDING) leave(connection, false, 0);
    else if (connection->phase == HANDSHAKE && stuck(connection))
        die("%s: no answer to a handshake for 30 s", connection->mode->name);
    else if (connection->phase == HANDSHAKE) connection->due = now + SECOND;
    else if (connection->phase != CONNECTING) connection->mode->act(connection, now);
}

static void flood(uint64_t until)
{
    struct epoll_event ready[EVENTS];
    uint64_t scan = 0, look = 0, last = clock_now();
    for (uint64_t now; (now = clock_now()) < until; last = now) {
        lived += now - last < 2 * SCAN_NS ? now - last : 2 * SCAN_NS;
        int found = epoll_wait(epoll, ready, EVENTS, again ? 0 : (int)(SCAN_NS / MS));
        if (found < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < found; i++) connection_serve(ready[i].data.ptr, ready[i].events, now);
        if (again || now >= scan) {
            scan = now + SCAN_NS;
            again = false;
            for (unsigned i = 0; i < count; i++)
                if (connections[i].due <= now) connection_due(&connections[i], now);
        }
        if (now >= look) {
            look = now + SAMPLE_NS;
            sample();
        }
    }
}

/* All leave; what they held must be given back. */
static void part(void)
{
    struct timespec pause = {.tv_nsec = 50000000};
    uint64_t until = clock_now() + PATIENCE;
    for (unsigned i = 0; i < count; i++)
        if (connections[i].fd >= 0) leave(&connections[i], i % 2 == 0, 0);
    while (pid != 0 && (seen.fdsEnd = process_count(pid, "fd")) > seen.fdsStart) {
        if (seen.fdsEnd == 0 || clock_now() > until)
            die("all have left, and the server has %u descriptors; it had %u", seen.fdsEnd, seen.fdsStart);
        nanosleep(&pause, NULL);
    }
}

static void mode_add(const char *name)
{
    bool found = false;
    for (int i = 0; i < MODES; i++) {
        if (strcmp(name, modes[i].name) != 0 && strcmp(name, "all") != 0) continue;
        found = true;
        for (unsigned j = 0; j < modes[i].connections && count < MOST; j++)
            connections[count++] = (struct connection){.mode = &modes[i], .fd = -1, .round = j};
    }
    if (!found) die("no mode %s", name);
}

int main(int argc, char **argv)
{
    uint64_t seconds = 5;
    program = "flood";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--port") == 0) port = (uint16_t)number("--port", argv[++i], 65535);
        else if (strcmp(argv[i], "--pid") == 0) pid = number("--pid", argv[++i], 1UL << 22);
        else if (strcmp(argv[i], "--seconds") == 0) seconds = number("--seconds", argv[++i], 100000);
        else mode_add(argv[i]);
    }
    if (port == 0 || count == 0) die("usage: flood --port N [--pid PID] [--seconds S] MODE...");
    patterns_make();
    descriptors_raise();
    if ((epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1: %s", strerror(errno));
    if (pid != 0) {
        seen.rssStart = process_rss(pid);
        seen.fdsStart = process_count(pid, "fd");
        if (seen.fdsStart == 0) die("no process %lu", pid);
    }
    flood(clock_now() + seconds * SECOND);
    part();
    if (sums.sent == 0 && sums.rounds == 0) die("nothing was sent");
    printf("connections=%u dialled=%" PRIu64 " refused=%" PRIu64 " rounds=%" PRIu64 " sent=%" PRIu64 " came=%" PRIu64
           " rss_start=%" PRIu64 " rss_peak=%" PRIu64 " fds_start=%u fds_peak=%u fds_end=%u\n",
           count, sums.dialled, sums.refused, sums.rounds, sums.sent, sums.came, seen.rssStart, seen.rssPeak,
           seen.fdsStart, seen.fdsPeak, seen.fdsEnd);
    return 0;
}
