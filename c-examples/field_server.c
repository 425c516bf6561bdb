/*
 * field_server: what field programs do with generation 2 of the drop-in, the server's end.
 *
 *     field_server [--port N] [--path PATH] [--push MS] [--silence MS] [--echo] [--strict]
 *
 * Greets each client, sends back what it says (a file too, piece by piece), and pushes a
 * line of news to all of them every MS (3000) milliseconds. A client that says nothing
 * for so long as --silence tells (30000; a heartbeat, a ping, is enough) is dropped.
 *
 *     --port N     where to listen; 0, the default, finds a free port
 *     --path PATH  only requests for paths with PATH in them
 *     --push 0     no news; --silence 0: nobody is dropped for silence
 *     --echo       sends back, and nothing else: no greeting, no news
 *     --strict     hangs up on text that is no UTF-8, and on a continuation of nothing:
 *                  the drop-in tolerates both, as the old helper did
 *
 * ws_server_create() serves on a thread of its own, which calls the functions below, one
 * at a time. Meanwhile main() walks through the clients' rows and sends by their fd.
 * Ends at SIGINT and SIGTERM. Try it with field_client, or with a browser's console:
 * new WebSocket("ws://127.0.0.1:PORT/").onmessage = (event) => console.log(event.data)
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "ws_server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOOP_MS = 10, TEXT_BYTES = 128 };

static volatile sig_atomic_t stopped;
static uint32_t pushMs = 3000, silenceMs = 30000;
static bool echoOnly, strict;
static uint32_t heardMs[WS_SERVER_CLIENT]; /* when each row's client was last heard */

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* Two threads look at the rows, the server's and main()'s: what one of them writes, the
 * other reads whole. An old program that reads a plain `client->fd` gets away with it on
 * all machines that it ran on. */
#define READ(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define WRITE(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

/* Milliseconds that wrap around: only differences are looked at. */
static uint32_t nowMs(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void heard(const Ws_Client *client)
{
    WRITE(heardMs[client - client->wss->client], nowMs());
}

static const char *whyGone(Ws_ExitType exitType)
{
    switch (exitType) {
    case WET_NONE: return "the server ends";
    case WET_EPOLL: return "its socket cannot be watched";
    case WET_SEND: return "it takes nothing";
    case WET_LOGIN: return "no request for a WebSocket here";
    case WET_LOGIN_TIMEOUT: return "no request came";
    case WET_DISCONNECT: return "it hung up";
    }
    return "for another reason";
}

/* Whether it is UTF-8: no overlong form, no half of a UTF-16 pair, nothing over U+10FFFF. */
static bool isUtf8(const unsigned char *text, int length)
{
    for (int at = 0; at < length;) {
        unsigned char first = text[at++];
        int more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2 : 3;
        unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (more > length - at || (more == 3 && (first < 0xF0 || first > 0xF4))) return false;
        for (; more > 0; more--, at++) {
            if (text[at] < least || text[at] > most) return false;
            least = 0x80;
            most = 0xBF;
        }
    }
    return true;
}

/* ---- On the server's thread --------------------------------------------------------- */

static void logsIn(Ws_Client *client)
{
    char text[TEXT_BYTES];
    int length = snprintf(text, sizeof text, "welcome, client %u, it is %s", client->index, ws_time());
    heard(client);
    if (echoOnly) return;
    printf("client %u of %u.%u.%u.%u port %d logs in\n", client->index, client->ip[0], client->ip[1], client->ip[2],
           client->ip[3], client->port);
    ws_send(client->fd, text, length, false, WDT_TXTDATA);
}

/* With a close frame, so that the client is told why. No further message comes from it. */
static void hangUp(const Ws_Client *client, unsigned code)
{
    char body[2] = {(char)(code >> 8), (char)(code & 0xFF)};
    ws_send(client->fd, body, sizeof body, false, WDT_DISCONN);
}

static void says(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    heard(client);
    if (type != WDT_TXTDATA && type != WDT_BINDATA && type != WDT_MINDATA) return; /* ping, pong, close */
    if (strict && type == WDT_MINDATA) {
        hangUp(client, 1002);
        return;
    }
    if (strict && type == WDT_TXTDATA && !isUtf8((unsigned char *)message, length)) {
        hangUp(client, 1007);
        return;
    }
    /* From a client who does not read nothing is read either, so this is one whose message
     * is larger than all that may wait for it. It is dropped: it must not miss an echo. */
    if (ws_send(client->fd, message, length, false, type) < 0) WRITE(client->exitType, WET_SEND);
}

static void isGone(Ws_Client *client, Ws_ExitType exitType)
{
    if (echoOnly) return;
    printf("client %u is gone: %s, %u bytes\n", client->index, whyGone(exitType), client->recvBytes);
}

/* ---- main()'s loop ------------------------------------------------------------------ */

static bool isThere(const Ws_Client *client)
{
    return READ(client->fd) > 0 && READ(client->isLogin) && !READ(client->isExiting);
}

/* The same news for everybody. A client that does not read misses it: nobody waits. */
static void push(Ws_Server *server, unsigned number, unsigned long *sent, unsigned long *refused)
{
    char text[TEXT_BYTES];
    int count = READ(server->clientCount);
    int length = snprintf(text, sizeof text, "news %u of %s for %d clients", number, ws_time(), count);
    for (int row = 0; row < WS_SERVER_CLIENT; row++) {
        Ws_Client *client = &server->client[row];
        if (!isThere(client)) continue;
        if (ws_send(READ(client->fd), text, length, false, WDT_TXTDATA) > 0) ++*sent;
        else if (isThere(client)) ++*refused;
    }
}

static void dropSilent(Ws_Server *server)
{
    for (int row = 0; row < WS_SERVER_CLIENT; row++) {
        Ws_Client *client = &server->client[row];
        if (isThere(client) && nowMs() - READ(heardMs[row]) > silenceMs) WRITE(client->exitType, WET_DISCONNECT);
    }
}

static void serve(Ws_Server *server)
{
    unsigned number = 0;
    unsigned long sent = 0, refused = 0;
    uint32_t pushedMs = nowMs(), lookedMs = pushedMs;
    while (!stopped && !READ(server->isExit)) {
        ws_delayms(LOOP_MS);
        uint32_t now = nowMs();
        if (pushMs > 0 && !echoOnly && now - pushedMs >= pushMs) {
            pushedMs = now;
            push(server, ++number, &sent, &refused);
        }
        if (silenceMs > 0 && !echoOnly && now - lookedMs >= 200) {
            lookedMs = now;
            dropSilent(server);
        }
    }
    if (!echoOnly) printf("%u times news, sent %lu times, refused %lu times\n", number, sent, refused);
}

/* The drop-in takes a port, and none that it finds by itself. */
static int freePort(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    if (fd >= 0) close(fd);
    return found ? ntohs(address.sin_port) : 0;
}

/* A server that listens, or NULL. A port that was found may be taken meanwhile. */
static Ws_Server *create(int port, const char *path)
{
    for (int tries = port == 0 ? 10 : 1; tries > 0; tries--) {
        Ws_Server *server = ws_server_create(port == 0 ? freePort() : port, path, NULL, logsIn, says, isGone);
        if (server == NULL) break;
        /* One of the two comes within WS_SERVER_BIND_TIMEOUT_MS. */
        while (READ(server->fd) <= 0 && !READ(server->isExit)) ws_delayms(LOOP_MS);
        if (!READ(server->isExit)) return server;
        ws_server_release(&server);
    }
    return NULL;
}

static bool number(const char *text, uint32_t most, uint32_t *value)
{
    char *end;
    errno = 0;
    unsigned long given = text != NULL && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : most + 1UL;
    if (given > most || errno != 0 || *end != '\0') return false;
    *value = (uint32_t)given;
    return true;
}

static bool arguments(char **words, uint32_t *port, const char **path)
{
    for (char **word = words + 1; *word != NULL; word++) {
        bool good = true;
        if (strcmp(*word, "--echo") == 0) echoOnly = true;
        else if (strcmp(*word, "--strict") == 0) strict = true;
        else if (strcmp(*word, "--port") == 0) good = number(*++word, 65535, port);
        else if (strcmp(*word, "--push") == 0) good = number(*++word, 3600000, &pushMs);
        else if (strcmp(*word, "--silence") == 0) good = number(*++word, 3600000, &silenceMs);
        else if (strcmp(*word, "--path") == 0) good = (*path = *++word) != NULL;
        else good = false;
        if (!good) return false;
    }
    return true;
}

int main(int count, char **words)
{
    uint32_t port = 0;
    const char *path = "/";
    struct sigaction action = {.sa_handler = stop};
    struct rlimit files;
    (void)count;
    if (!arguments(words, &port, &path)) {
        fputs("usage: field_server [--port N] [--path PATH] [--push MS] [--silence MS] [--echo] [--strict]\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* As many clients as the server has rows for need as many descriptors. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    Ws_Server *server = create((int)port, path);
    if (server == NULL) {
        fprintf(stderr, "field_server: cannot listen on port %u\n", port);
        return EXIT_FAILURE;
    }
    printf("listening on ws://127.0.0.1:%d/\n", server->port);
    serve(server);
    ws_server_release(&server);
    return stopped ? EXIT_SUCCESS : EXIT_FAILURE;
}
