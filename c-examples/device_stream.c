/*
 * device_stream: what field programs do with the drop-in API, a file sent as it is read.
 *
 *     device_stream HOST PORT FILE
 *
 * Connects to ws://HOST:PORT/, sends the file's name as a text message and then its
 * content as one binary message in frames of 2 KiB: the first of type 100, then
 * WDT_MINDATA, the last of type 99. FILE may be a pipe that fills slowly (a recorder's):
 * while nothing comes out of it, a ping every 3 s keeps the connection alive.
 * It leaves with a close and waits for the answer: that proves that all has arrived.
 * Progress goes to stderr. Try it with file_sink.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "websocket_common.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_BYTES = 2048, PING_MS = 3000, PATIENCE_MS = 30000 };

#define FIRST_FRAME ((WebsocketData_Type)100)
#define LAST_FRAME ((WebsocketData_Type)99)

static volatile sig_atomic_t stopped;
static sigset_t unblocked; /* the signal mask while we wait, and only then */
static bool closed;        /* the server has sent a close, or answered ours */

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* Waits; 0 when the time is over. Signals come in here only, so none is overlooked. */
static int await(struct pollfd *fds, nfds_t count, int timeoutMs)
{
    struct timespec timeout = {timeoutMs / 1000, (long)(timeoutMs % 1000) * 1000000};
    int ready = ppoll(fds, count, &timeout, &unblocked);
    if (ready < 0) { /* interrupted: nothing is known about the descriptors */
        for (nfds_t i = 0; i < count; i++) fds[i].revents = 0;
        ready = errno == EINTR ? 1 : -1;
    }
    return stopped ? -1 : ready;
}

/* One frame from the server, if there is one. False: the connection is over. */
static bool receive(int fd)
{
    char text[4096];
    WebsocketData_Type type = WDT_NULL;
    int length = webSocket_recv(fd, text, sizeof text, &type);
    if (length > 0 && type == WDT_TXTDATA) fprintf(stderr, "server: %.*s\n", length, text);
    if (type == WDT_DISCONN) closed = true;
    if (length > 0 && type != WDT_DISCONN) return true;
    return length == 0 && !closed && (errno == EAGAIN || errno == EINTR);
}

/* One frame to the server. The fd does not block: EAGAIN means that nothing of the
 * frame was taken, so wait for room and offer it again. */
static bool transmit(int fd, char *data, int length, WebsocketData_Type type)
{
    while (webSocket_send(fd, data, length, true, type) <= 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN | POLLOUT};
        if (errno == EINTR && !stopped) continue;
        if (errno != EAGAIN) {
            perror("device_stream: send");
            return false;
        }
        if (await(&wait, 1, PATIENCE_MS) <= 0) {
            if (!stopped) fputs("device_stream: the server takes nothing any more\n", stderr);
            return false;
        }
        if ((wait.revents & POLLIN) && !receive(fd)) return false;
    }
    return true;
}

static void progress(unsigned long long sent, bool atEnd)
{
    static time_t shown;
    time_t now = time(NULL);
    if (now == shown && !atEnd) return;
    shown = now;
    fprintf(stderr, "%llu bytes sent\n", sent);
}

static bool streamFile(int fd, int file)
{
    char block[FRAME_BYTES];
    size_t held = 0;
    unsigned long long sent = 0;
    WebsocketData_Type type = FIRST_FRAME;
    for (;;) {
        struct pollfd wait[2] = {{.fd = fd, .events = POLLIN}, {.fd = file, .events = POLLIN}};
        int ready = await(wait, 2, PING_MS);
        if (ready < 0) return false;
        if (ready == 0 && !transmit(fd, NULL, 0, WDT_PING)) return false;
        if (wait[0].revents != 0 && !receive(fd)) return false;
        if (wait[1].revents == 0) continue;
        ssize_t got = read(file, block + held, sizeof block - held);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) {
            perror("device_stream: read");
            return false;
        }
        held += (size_t)got;
        if (got == 0) break;
        if (held < sizeof block) continue;
        if (!transmit(fd, block, (int)held, type)) return false;
        sent += held;
        held = 0;
        type = WDT_MINDATA;
        progress(sent, false);
    }
    /* What is left goes into the last frame, which may be empty: the server must be told
     * that this is the end, also when the size is a multiple of the frame's. A message
     * of one frame still needs its first one, for only that says "binary". */
    if (type == FIRST_FRAME) {
        if (!transmit(fd, block, (int)held, FIRST_FRAME)) return false;
        sent += held;
        held = 0;
    }
    if (!transmit(fd, block, (int)held, LAST_FRAME)) return false;
    progress(sent + held, true);
    return true;
}

/* Says goodbye (code 1000) and waits for the answer. */
static bool leave(int fd)
{
    char code[2] = {0x03, (char)0xE8};
    if (!transmit(fd, code, sizeof code, WDT_DISCONN)) return closed;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (!closed && await(&wait, 1, PATIENCE_MS) > 0) {
        if (wait.revents != 0 && !receive(fd)) break;
    }
    return closed;
}

int main(int count, char **words)
{
    char *end = NULL;
    long port = count == 4 && words[2][0] >= '0' && words[2][0] <= '9' ? strtol(words[2], &end, 10) : 0;
    if (port < 1 || port > 65535 || *end != '\0') {
        fputs("usage: device_stream HOST PORT FILE\n", stderr);
        return 2;
    }
    struct sigaction action = {.sa_handler = stop};
    sigset_t signals;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    int file = open(words[3], O_RDONLY | O_CLOEXEC); /* of a pipe: waits for its writer */
    if (file < 0) {
        fprintf(stderr, "device_stream: %s: %s\n", words[3], strerror(errno));
        return EXIT_FAILURE;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &unblocked);

    int fd = webSocket_clientLinkToServer(words[1], (int)port, "/");
    if (fd <= 0) {
        fprintf(stderr, "device_stream: no WebSocket server at %s:%ld (gave up after %d ms)\n", words[1], port, -fd);
        close(file);
        return EXIT_FAILURE;
    }
    char *slash = strrchr(words[3], '/'), *name = slash != NULL ? slash + 1 : words[3];
    bool done = transmit(fd, name, (int)strlen(name), WDT_TXTDATA) && streamFile(fd, file);
    if (!done) fprintf(stderr, "device_stream: %s\n", stopped ? "stopped" : "the connection ended too early");
    stopped = 0; /* a second signal ends the wait for the answer */
    bool answered = !closed && leave(fd);
    if (done && !answered) fputs("device_stream: no answer to the close: it may not have arrived\n", stderr);
    close(fd);
    close(file);
    return done && answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
