/*
 * chat_server: browsers talk to each other, and to you at the terminal.
 *
 *     chat_server [--port N] [--bind ADDR]
 *
 * Open the address that it prints in one browser or several: it serves its own page
 * (chat_page.html, .css and .js). Everybody sees what everybody says; so does stdout.
 * Lines typed on stdin go to every browser, but for these:
 *
 *     /who               tells who is there
 *     /kick N [REASON]   closes the connection of guest N with code 1008
 *     /quit              ends the server, as SIGINT and SIGTERM do
 *
 * N 0 (the default) picks a free port; ADDR is 127.0.0.1 unless it is given.
 *
 * No thread is needed: main() has a loop of its own, which waits for stdin and for the
 * server together. A loop of yours, on epoll, libev or GLib, takes the server in alike.
 *
 * A message to the page is text: who, a line break, what. Without a who it comes from
 * the chat itself. A message from the page is what its guest says.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "chat_page.h"
#include "plain_bytes.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wsembed/websocket.h>

enum { MESSAGE_BYTES = 256 * 1024, LINE_BYTES = 16 * 1024, WAITING_BYTES = 4 * 1024 * 1024, PING_MS = 30000 };

/* A browser that has joined. It is made at OPEN, kept with the peer, freed at CLOSE. */
typedef struct guest {
    struct guest *next;
    webSocket_peer peer;
    char name[24];
} guest;

static webSocket_server *server;
static guest *guests;
static unsigned joined;                /* how many ever did: numbers are not used twice */
static volatile sig_atomic_t signaled; /* SIGINT or SIGTERM came */

static void complain(const char *what, webSocket_result result)
{
    fprintf(stderr, "chat_server: %s: %s\n", what, webSocket_result_text(result));
}

/* ---- What is said ------------------------------------------------------------------ */

/* Makes a message for the page; it lasts until the next call. */
static const uint8_t *compose(const char *who, const uint8_t *what, size_t length, size_t *total)
{
    static uint8_t message[sizeof((guest *)0)->name + 1 + MESSAGE_BYTES];
    size_t name = strlen(who);
    memcpy(message, who, name);
    message[name] = '\n';
    memcpy(message + name + 1, what, length);
    *total = name + 1 + length;
    return message;
}

/* Sends it to one guest. A slow one is not waited for: see WEBSOCKET_OVERFLOW below. */
static void tell(webSocket_peer to, const char *who, const uint8_t *what, size_t length)
{
    size_t total;
    const uint8_t *message = compose(who, what, length, &total);
    webSocket_server_send(server, to, WEBSOCKET_TEXT, message, total);
}

/* Sends it to every guest but `except` (0: to all). The library keeps it once, however
 * many it goes to. */
static void tellAll(webSocket_peer except, const char *who, const uint8_t *what, size_t length)
{
    size_t total;
    const uint8_t *message = compose(who, what, length, &total);
    webSocket_result result = webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, message, total, except);
    if (result != WEBSOCKET_OK) complain("this was not sent", result);
}

static void announce(webSocket_peer except, const char *name, const char *news)
{
    char text[80];
    int length = snprintf(text, sizeof text, "%s %s", name, news);
    tellAll(except, "", (const uint8_t *)text, (size_t)length);
}

/* ---- What browsers do -------------------------------------------------------------- */

/* Whoever asks for something else than the page's own path gets a 404. An Origin that is
 * not this server was refused by the library already. */
static void requested(const webSocket_event *event)
{
    static const char path[] = "/chat", answer[] = "The chat is at /chat.\n";
    if (event->length == sizeof path - 1 && memcmp(event->data, path, event->length) == 0)
        webSocket_server_accept(server, event->peer, NULL);
    else
        webSocket_server_refuse(server, event->peer, 404, (const uint8_t *)answer, sizeof answer - 1);
}

static void joins(webSocket_peer peer)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    guest *one = malloc(sizeof *one);
    char welcome[80];
    int length;
    if (one == NULL) {
        webSocket_server_closePeer(server, peer, 1013, "no room");
        return;
    }
    one->peer = peer;
    one->next = guests;
    guests = one;
    snprintf(one->name, sizeof one->name, "guest %u", ++joined);
    webSocket_server_setPeerUser(server, peer, one); /* every later event has it */
    webSocket_server_peerInfo(server, peer, &info);
    printf("%s joins from %s port %u\n", one->name, info.address, (unsigned)info.port);
    length = snprintf(welcome, sizeof welcome, "welcome, you are %s", one->name);
    tell(peer, "", (const uint8_t *)welcome, (size_t)length);
    announce(peer, one->name, "is here");
}

static void says(const guest *one, const webSocket_event *event)
{
    if (event->kind == WEBSOCKET_BINARY) {
        webSocket_server_closePeer(server, event->peer, 1003, "this chat takes text only");
        return;
    }
    printf("%s: ", one->name);
    printText(event->data, event->length); /* what a network sent must not steer a terminal */
    putchar('\n');
    tell(event->peer, "you", event->data, event->length);
    tellAll(event->peer, one->name, event->data, event->length);
}

static void leaves(guest *one, const webSocket_event *event)
{
    guest **link = &guests;
    printf("%s leaves: %u ", one->name, (unsigned)event->closeCode);
    printText(event->data, event->length);
    /* Else it was lost, or did what it must not. */
    if (event->result != WEBSOCKET_OK) printf(" (%s)", webSocket_result_text(event->result));
    putchar('\n');
    while (*link != one) link = &(*link)->next;
    *link = one->next;
    announce(0, one->name, "has left");
    free(one);
}

static void happens(void *user, const webSocket_event *event)
{
    guest *one = event->peerUser; /* NULL until it has joined */
    (void)user;
    switch (event->kind) {
    case WEBSOCKET_REQUEST: requested(event); break;
    case WEBSOCKET_OPEN: joins(event->peer); break;
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        if (one != NULL) says(one, event);
        break;
    case WEBSOCKET_CLOSE:
        if (one != NULL) leaves(one, event);
        break;
    default: break; /* pings are answered by the library */
    }
}

/* ---- What is typed ----------------------------------------------------------------- */

static void showGuests(void)
{
    for (const guest *one = guests; one != NULL; one = one->next) {
        webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
        if (webSocket_server_peerInfo(server, one->peer, &info) != WEBSOCKET_OK) continue;
        printf("%s: %s port %u, said %llu, was told %llu\n", one->name, info.address, (unsigned)info.port,
               (unsigned long long)info.messagesIn, (unsigned long long)info.messagesOut);
    }
    if (guests == NULL) puts("nobody is here");
}

static void kick(const char *words)
{
    char name[sizeof guests->name], *rest;
    unsigned long number = strtoul(words, &rest, 10);
    webSocket_result result;
    const guest *one = guests;
    snprintf(name, sizeof name, "guest %lu", number);
    while (one != NULL && strcmp(one->name, name) != 0) one = one->next;
    if (one == NULL) {
        fputs("chat_server: /kick takes the number of a guest who is here\n", stderr);
        return;
    }
    while (*rest == ' ') rest++;
    result = webSocket_server_closePeer(server, one->peer, 1008, rest);
    if (result != WEBSOCKET_OK) complain("/kick", result);
}

/* One line, which has a NUL at its end. */
static void obey(const char *line)
{
    if (*line == '\0') return;
    if (*line != '/')
        tellAll(0, "server", (const uint8_t *)line, strlen(line));
    else if (strcmp(line, "/who") == 0)
        showGuests();
    else if (strncmp(line, "/kick ", 6) == 0)
        kick(line + 6);
    else if (strcmp(line, "/quit") == 0)
        webSocket_server_stop(server);
    else
        fputs("chat_server: the commands are /who, /kick N [REASON], /quit\n", stderr);
}

/* Takes what there is of stdin; false at its end. Not with fgets(): lines that it has
 * read ahead are nothing that poll() could see. */
static bool typed(void)
{
    static char buffer[LINE_BYTES + 1];
    static size_t held;
    static bool skipping; /* the rest of a line that is too long */
    char *line = buffer, *end;
    ssize_t got = read(STDIN_FILENO, buffer + held, LINE_BYTES - held);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got > 0) held += (size_t)got;
    buffer[held] = '\0';
    while ((end = memchr(line, '\n', held)) != NULL) {
        *end = '\0';
        if (!skipping) obey(line);
        skipping = false;
        held -= (size_t)(end + 1 - line);
        line = end + 1;
    }
    if (got <= 0) { /* the end; the last line may have no line break */
        if (!skipping) obey(line);
        return false;
    }
    if (held == LINE_BYTES) {
        if (!skipping) fprintf(stderr, "chat_server: a line has %d bytes at most\n", LINE_BYTES - 1);
        skipping = true;
        held = 0;
    }
    memmove(buffer, line, held);
    return true;
}

/* ---- The server and its loop ------------------------------------------------------- */

static void caught(int signal)
{
    (void)signal;
    signaled = 1;
}

static void fail(const char *what, webSocket_result result)
{
    int error = errno;
    complain(what, result);
    if (error != 0) fprintf(stderr, "chat_server: %s\n", strerror(error));
    exit(1);
}

static void usage(void)
{
    fputs("usage: chat_server [--port N] [--bind ADDR]\n", stderr);
    exit(2);
}

static webSocket_server *serve(const char *address, uint16_t port)
{
    static const struct {
        const char *path, *type;
        const uint8_t *bytes;
        size_t length;
    } pages[] = {
        {"/", "text/html; charset=utf-8", chat_page_html, sizeof chat_page_html},
        {"/chat_page.css", "text/css; charset=utf-8", chat_page_css, sizeof chat_page_css},
        {"/chat_page.js", "text/javascript; charset=utf-8", chat_page_js, sizeof chat_page_js},
    };
    static const struct {
        uint32_t option;
        uint64_t value;
    } options[] = {
        {WEBSOCKET_MAX_MESSAGE_BYTES, MESSAGE_BYTES},
        /* Who reads too slowly is closed with 1013, so that nobody gets a chat with
         * gaps: the page comes back by itself. */
        {WEBSOCKET_SEND_QUEUE_BYTES, WAITING_BYTES},
        {WEBSOCKET_OVERFLOW, WEBSOCKET_OVERFLOW_CLOSE},
        /* A telephone that has left the house says no goodbye. */
        {WEBSOCKET_PING_INTERVAL_MS, PING_MS},
    };
    webSocket_config *config = NULL;
    webSocket_server *made = NULL;
    webSocket_result result = webSocket_config_new(&config);
    for (size_t i = 0; i < sizeof options / sizeof *options && result == WEBSOCKET_OK; i++)
        result = webSocket_config_setNumber(config, options[i].option, options[i].value);
    if (result == WEBSOCKET_OK) result = webSocket_server_new(config, happens, NULL, &made);
    webSocket_config_free(config);
    for (size_t i = 0; i < sizeof pages / sizeof *pages && result == WEBSOCKET_OK; i++)
        result = webSocket_server_addPage(made, pages[i].path, pages[i].type, pages[i].bytes, pages[i].length);
    if (result != WEBSOCKET_OK) fail("cannot make a server", result);
    errno = 0;
    result = webSocket_server_listen(made, address, port, &port);
    if (result != WEBSOCKET_OK) fail(address, result);
    printf(strchr(address, ':') != NULL ? "listening on http://[%s]:%u/\n" : "listening on http://%s:%u/\n", address,
           port);
    return made;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = caught};
    struct pollfd wait[2] = {{.events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    sigset_t blocked, unblocked;
    const char *address = "127.0.0.1";
    unsigned long port = 0;
    webSocket_result result;

    for (int i = 1; i < argc; i += 2) {
        char *value = argv[i + 1], *end;
        if (value == NULL) usage();
        if (strcmp(argv[i], "--bind") == 0) {
            address = value;
        } else if (strcmp(argv[i], "--port") == 0) {
            port = strtoul(value, &end, 10);
            if (*value < '0' || *value > '9' || *end != '\0' || port > 65535) usage();
        } else {
            usage();
        }
    }
    /* Signals come in while ppoll() waits, and only there: none comes between the look
     * at `signaled` and the wait. */
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &unblocked);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);

    server = serve(address, (uint16_t)port);
    result = webSocket_server_pollFd(server, &wait[0].fd);
    /* CLOSED: it was stopped, everybody was told so, and nobody is left. */
    while (result == WEBSOCKET_OK) {
        wait[1].revents = 0;
        errno = 0;
        if (ppoll(wait, 2, NULL, &unblocked) < 0 && errno != EINTR) fail("ppoll", WEBSOCKET_E_SYSTEM);
        if (signaled) webSocket_server_stop(server);
        if (wait[1].revents != 0 && !typed()) wait[1].fd = -1; /* it goes on without */
        result = webSocket_server_step(server, 0);
    }
    if (result != WEBSOCKET_CLOSED) fail("cannot serve", result);
    webSocket_server_free(server);
    return 0;
}
