/*
 * echo_server: a WebSocket server of a few lines, on the library's own loop.
 *
 *     echo_server [--port N] [--bind ADDR] [--unix PATH] [--threads N]
 *                 [--max-message BYTES] [--max-connections N] [--max-handshakes N]
 *                 [--handshake-timeout MS] [--memory BYTES] [--origin ORIGIN]
 *
 * N 0 (the default) picks a free port; ADDR is 127.0.0.1 unless it is given. Pages of
 * ORIGIN, such as http://127.0.0.1:8000, may connect from browsers; the option may be
 * given several times. Ends politely at SIGINT and SIGTERM.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <wsembed/websocket.h>

static webSocket_server *server;

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind != WEBSOCKET_TEXT && event->kind != WEBSOCKET_BINARY)
        return;
    /* Nothing is read from a client that does not read, so this is one whose message is
     * larger than half of what may wait. It is told, as an echo must not be lost. */
    if (webSocket_server_send(server, event->peer, event->kind, event->data, event->length) == WEBSOCKET_FULL)
        webSocket_server_closePeer(server, event->peer, 1013, "too much waits to be read");
}

static void usage(const char *wrong)
{
    if (wrong != NULL)
        fprintf(stderr, "echo_server: %s is no option, or has no value that fits\n", wrong);
    fprintf(stderr, "usage: echo_server [--port N] [--bind ADDR] [--unix PATH] [--threads N]\n"
                    "                   [--max-message BYTES] [--max-connections N] [--max-handshakes N]\n"
                    "                   [--handshake-timeout MS] [--memory BYTES] [--origin ORIGIN]\n");
    exit(2);
}

static unsigned long number(const char *option, const char *text, unsigned long most)
{
    char *end = NULL;
    unsigned long value;
    errno = 0;
    value = text != NULL ? strtoul(text, &end, 10) : 0;
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || errno != 0 || value > most)
        usage(option);
    return value;
}

static void fail(const char *what, webSocket_result result)
{
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    int error = errno;
    webSocket_lastFailure(&failure);
    fprintf(stderr, "echo_server: %s: %s%s%s\n", what, webSocket_result_text(result),
            error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    exit(1);
}

/* What a hostile client can make the server hold; the library has safe defaults. */
static const struct limit {
    const char *name;
    uint32_t option;
    unsigned long most;
} limits[] = {
    {"--max-message", WEBSOCKET_MAX_MESSAGE_BYTES, 1UL << 30},
    {"--max-connections", WEBSOCKET_MAX_CONNECTIONS, 1UL << 24},
    {"--max-handshakes", WEBSOCKET_MAX_HANDSHAKES, 1UL << 24},
    {"--handshake-timeout", WEBSOCKET_HANDSHAKE_TIMEOUT_MS, 3600000},
    {"--memory", WEBSOCKET_MEMORY_BYTES, 1UL << 30}, /* of a connection, in all */
};

static const struct limit *limit_named(const char *name)
{
    size_t i;
    for (i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strcmp(limits[i].name, name) == 0)
            return &limits[i];
    return NULL;
}

static void set(webSocket_config *config, uint32_t option, unsigned long value, const char *name)
{
    if (webSocket_config_setNumber(config, option, value) != WEBSOCKET_OK)
        usage(name);
}

/* A browser says which site its page is from. Others than the server's own are refused
 * unless they are listed. */
static void add_origin(webSocket_config *config, const char *origin)
{
    if (webSocket_config_addText(config, WEBSOCKET_ORIGIN, origin) != WEBSOCKET_OK)
        usage("--origin");
}

/* Waits for the signal that ends the server, on a thread of its own. */
static void *await_end(void *signals)
{
    int signal;
    while (sigwait(signals, &signal) != 0)
        ;
    webSocket_server_stop(server);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1", *path = NULL;
    unsigned long threads = 1;
    uint16_t port = 0;
    webSocket_config *config = NULL;
    webSocket_result result;
    struct rlimit files;
    sigset_t signals;
    pthread_t thread;
    char where[200];
    int i;

    if (webSocket_config_new(&config) != WEBSOCKET_OK)
        return 1;
    for (i = 1; i < argc; i += 2) {
        const char *option = argv[i], *value = argv[i + 1];
        const struct limit *limit = limit_named(option);
        if (strcmp(option, "--port") == 0)
            port = (uint16_t)number(option, value, 65535);
        else if (strcmp(option, "--bind") == 0 && value != NULL)
            address = value;
        else if (strcmp(option, "--unix") == 0 && value != NULL)
            path = value;
        else if (strcmp(option, "--threads") == 0)
            set(config, WEBSOCKET_THREADS, threads = number(option, value, 64), option);
        else if (limit != NULL)
            set(config, limit->option, number(option, value, limit->most), option);
        else if (strcmp(option, "--origin") == 0 && value != NULL)
            add_origin(config, value);
        else
            usage(option);
    }
    /* A connection needs a descriptor; the limit of most systems is for fewer. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    /* All threads that are started from here on leave them to await_end(). */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    errno = 0;
    result = webSocket_server_new(config, happens, NULL, &server);
    if (result != WEBSOCKET_OK)
        fail("cannot make a server", result);
    webSocket_config_free(config);
    if (path != NULL)
        snprintf(where, sizeof where, "unix:%s", path);
    result = webSocket_server_listen(server, path != NULL ? where : address, port, &port);
    if (result != WEBSOCKET_OK)
        fail(path != NULL ? path : address, result);
    if (path != NULL)
        printf("listening on ws+unix:%s\n", path);
    else
        printf(strchr(address, ':') != NULL ? "listening on ws://[%s]:%u/\n" : "listening on ws://%s:%u/\n",
               address, port);
    fflush(stdout);

    if (pthread_create(&thread, NULL, await_end, &signals) != 0)
        fail("cannot start a thread", WEBSOCKET_OK);
    result = threads > 1 ? webSocket_server_start(server) : webSocket_server_run(server);
    if (result != WEBSOCKET_OK)
        fail("cannot serve", result);
    pthread_join(thread, NULL);
    webSocket_server_free(server);
    return 0;
}
