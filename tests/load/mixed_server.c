/*
 * mixed_server: what the mixed load talks to. Two threads, and a third that publishes.
 *
 * Binary messages come back. Text is a command: "sub TOPIC" subscribes, "pub TOPIC
 * WORDS" publishes "WORDS" to others. Topic "clock" gets a line a hundred times a
 * second from a thread that is none of the server's. At SIGUSR1 it says how many bytes
 * of memory are in use, and gives back what the allocator keeps beyond them, so that
 * what is resident can be compared. Ends politely at SIGTERM.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <wsembed/websocket.h>

static webSocket_server *server;
static atomic_bool ending;

static void obey(webSocket_peer peer, const char *text, size_t length)
{
    char topic[32];
    size_t end = 4;
    while (end < length && text[end] != ' ') end++;
    if (length < 5 || end - 4 >= sizeof topic) return;
    memcpy(topic, text + 4, end - 4);
    topic[end - 4] = '\0';
    if (memcmp(text, "sub ", 4) == 0) {
        webSocket_server_subscribe(server, peer, topic);
    } else if (memcmp(text, "pub ", 4) == 0 && end < length) {
        const uint8_t *words = (const uint8_t *)text + end + 1;
        webSocket_server_publish(server, topic, WEBSOCKET_TEXT, words, length - end - 1, peer);
    }
}

static void need(webSocket_result result, const char *what)
{
    if (result == WEBSOCKET_OK) return;
    fprintf(stderr, "mixed_server: %s: %s\n", what, webSocket_result_text(result));
    exit(1);
}

/* Nothing is read from a client that does not read: there is always room for an echo. */
static void echo(const webSocket_event *event)
{
    webSocket_result result = webSocket_server_send(server, event->peer, WEBSOCKET_BINARY, event->data, event->length);
    if (result != WEBSOCKET_GONE && result != WEBSOCKET_CLOSED) need(result, "an echo");
}

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    if (event->kind == WEBSOCKET_BINARY)
        echo(event);
    else if (event->kind == WEBSOCKET_TEXT)
        obey(event->peer, (const char *)event->data, event->length);
}

static void *tell_time(void *unused)
{
    struct timespec pause = {.tv_nsec = 10000000};
    char line[64];
    for (unsigned long turn = 0; !ending; turn++) {
        int length = snprintf(line, sizeof line, "clock %lu tick", turn);
        webSocket_server_publish(server, "clock", WEBSOCKET_TEXT, (const uint8_t *)line, (size_t)length, 0);
        nanosleep(&pause, NULL);
    }
    return unused;
}

static void tell_memory(void)
{
    unsigned long bytes = 0;
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
    bytes = (unsigned long)(info.uordblks + info.hblkhd);
#endif
    malloc_trim(0);
    printf("in use %lu\n", bytes / 1024);
    fflush(stdout);
}

int main(void)
{
    static const struct {
        uint32_t option;
        uint64_t value;
    } options[] = {
        {WEBSOCKET_THREADS, 2},
        {WEBSOCKET_MAX_MESSAGE_BYTES, 1 << 20},
        {WEBSOCKET_SEND_QUEUE_BYTES, 4 << 20},
        {WEBSOCKET_MAX_CONNECTIONS, 4000},
        {WEBSOCKET_MAX_HANDSHAKES, 2000},
        {WEBSOCKET_HANDSHAKE_TIMEOUT_MS, 5000},
        {WEBSOCKET_PING_INTERVAL_MS, 2000},
    };
    struct rlimit files;
    webSocket_config *config;
    pthread_t clock_thread;
    sigset_t signals;
    uint16_t port = 0;
    int signal;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    need(webSocket_config_new(&config), "config");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        need(webSocket_config_setNumber(config, options[i].option, options[i].value), "option");
    need(webSocket_server_new(config, happens, NULL, &server), "new");
    webSocket_config_free(config);
    need(webSocket_server_listen(server, "127.0.0.1", 0, &port), "listen");
    need(webSocket_server_start(server), "start");
    if (pthread_create(&clock_thread, NULL, tell_time, NULL) != 0) return 1;
    printf("listening on ws://127.0.0.1:%u/\n", port);
    fflush(stdout);
    while (sigwait(&signals, &signal) != 0 || signal == SIGUSR1) tell_memory();
    ending = true;
    pthread_join(clock_thread, NULL);
    need(webSocket_server_stop(server), "stop");
    need(webSocket_server_free(server), "free");
    return 0;
}
