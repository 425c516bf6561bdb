/*
 * async_reply: a server whose answers take their time. Threads of the program's
 * work them out and send them by themselves, each peer's in the order of its
 * messages, while the server's loop goes on with everybody else.
 *
 *     async_reply [--port N] [--workers N] [--queue N] [--work-ms MS]
 *
 * The answer is the message itself, after up to MS milliseconds (default 5) of what
 * stands for work. N 0 (the default) picks a free port of 127.0.0.1.
 *
 * How it goes: the callback copies a message and appends it to its peer's line. A
 * line that has work stands in the queue once, and one worker at a time has it: so
 * a peer's answers keep their order, and peers take turns.
 *
 * At most --queue messages (default 256) wait, of at most MESSAGE_BYTES: that is all the
 * memory it takes. When they are that many, the callback waits for a worker. The
 * loop then reads from nobody, the clients' sending stalls (TCP sees to that), and
 * nobody is turned away. It is safe because waiting goes one way only: a worker never
 * waits for the loop. A peer that does not read its answers is closed instead.
 *
 * At SIGINT or SIGTERM no more messages are taken, those that wait are answered, and
 * then the peers are told that the server goes away.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wsembed/websocket.h>

enum { MESSAGE_BYTES = 64 << 10, WORKERS_MOST = 64 };

struct message {
    struct message *next;
    uint32_t kind;
    size_t length;
    uint8_t data[];
};

/* What a peer waits for. The peer's user pointer, from OPEN to CLOSE. */
struct line {
    struct line *next; /* in the queue, where it stands in it */
    webSocket_peer peer;
    struct message *first, **last;
    bool busy; /* in the queue, or with a worker */
    bool gone; /* the peer is: whoever has the line frees it */
};

static webSocket_server *server;
static unsigned long workMs = 5, queueMost = 256;

/* The queue, and all lines. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER; /* a line came, or the end */
static pthread_cond_t room = PTHREAD_COND_INITIALIZER; /* a message left, or the end */
static struct line *queue, **queueLast = &queue;
static unsigned long waiting;
static bool ending;

/* ---- lines; all of this with the lock held */

static void queue_append(struct line *line)
{
    line->busy = true;
    line->next = NULL;
    *queueLast = line;
    queueLast = &line->next;
    pthread_cond_signal(&work);
}

static struct line *queue_take(void)
{
    struct line *line = queue;
    queue = line->next;
    if (queue == NULL)
        queueLast = &queue;
    return line;
}

static struct message *line_take(struct line *line)
{
    struct message *message = line->first;
    if (message == NULL)
        return NULL;
    line->first = message->next;
    if (line->first == NULL)
        line->last = &line->first;
    waiting--;
    pthread_cond_signal(&room);
    return message;
}

/* Nobody waits for these any more. */
static void line_clear(struct line *line)
{
    struct message *message;
    while ((message = line_take(line)) != NULL)
        free(message);
}

/* ---- the loop's side: the callback, which never works, and waits for workers only */

static void peer_opens(const webSocket_event *event)
{
    struct line *line = calloc(1, sizeof *line);
    if (line == NULL) {
        webSocket_server_closePeer(server, event->peer, 1011, "not enough memory");
        return;
    }
    line->peer = event->peer;
    line->last = &line->first;
    webSocket_server_setPeerUser(server, event->peer, line);
}

static void message_comes(const webSocket_event *event)
{
    struct line *line = event->peerUser;
    struct message *message;
    if (line == NULL)
        return;
    /* What the event lends ends with the callback. */
    message = malloc(sizeof *message + event->length);
    if (message == NULL) {
        webSocket_server_closePeer(server, event->peer, 1011, "not enough memory");
        return;
    }
    message->next = NULL;
    message->kind = event->kind;
    message->length = event->length;
    memcpy(message->data, event->data, event->length);

    pthread_mutex_lock(&lock);
    while (waiting >= queueMost && !ending)
        pthread_cond_wait(&room, &lock);
    if (ending) {
        free(message);
    } else {
        *line->last = message;
        line->last = &message->next;
        waiting++;
        if (!line->busy)
            queue_append(line);
    }
    pthread_mutex_unlock(&lock);
}

static void peer_closes(const webSocket_event *event)
{
    struct line *line = event->peerUser;
    if (line == NULL)
        return;
    pthread_mutex_lock(&lock);
    line_clear(line);
    line->gone = true;
    if (!line->busy)
        free(line);
    pthread_mutex_unlock(&lock);
}

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    switch (event->kind) {
    case WEBSOCKET_OPEN: peer_opens(event); break;
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY: message_comes(event); break;
    case WEBSOCKET_CLOSE: peer_closes(event); break;
    default: break;
    }
}

/* ---- the workers' side */

/* Stands for what takes long. No two take the same time. */
static void work_out(unsigned *seed)
{
    unsigned long us;
    struct timespec time;
    if (workMs == 0)
        return;
    *seed = *seed * 1103515245u + 12345u;
    us = (*seed >> 8) % (workMs * 1000) + 1;
    time.tv_sec = (time_t)(us / 1000000);
    time.tv_nsec = (long)(us % 1000000) * 1000;
    nanosleep(&time, NULL);
}

static void answer(webSocket_peer peer, const struct message *message)
{
    webSocket_result result = webSocket_server_send(server, peer, message->kind, message->data, message->length);
    if (result == WEBSOCKET_FULL)
        webSocket_server_closePeer(server, peer, 1008, "the answers are not read");
    else if (result != WEBSOCKET_OK && result != WEBSOCKET_GONE && result != WEBSOCKET_CLOSED)
        fprintf(stderr, "async_reply: cannot answer: %s\n", webSocket_result_text(result));
}

static void *worker(void *number)
{
    unsigned seed = (unsigned)(size_t)number;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct line *line;
        struct message *message;
        while (queue == NULL && !ending)
            pthread_cond_wait(&work, &lock);
        if (queue == NULL)
            break; /* the end, and all is answered */
        line = queue_take();
        message = line_take(line);
        if (message != NULL) {
            webSocket_peer peer = line->peer;
            pthread_mutex_unlock(&lock);
            work_out(&seed);
            answer(peer, message);
            free(message);
            pthread_mutex_lock(&lock);
        }
        /* Only now may another worker have it: the answer is on its way. */
        line->busy = false;
        if (line->gone)
            free(line);
        else if (line->first != NULL)
            queue_append(line);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* ---- beginning and end */

static pthread_t workers[WORKERS_MOST];
static unsigned long workerCount = 4;

/* Waits for the signal that ends the server, on a thread of its own. */
static void *await_end(void *signals)
{
    unsigned long i;
    int signal;
    while (sigwait(signals, &signal) != 0)
        ;
    pthread_mutex_lock(&lock);
    ending = true;
    pthread_cond_broadcast(&work);
    pthread_cond_broadcast(&room);
    pthread_mutex_unlock(&lock);
    /* The answers first: behind a close nothing is sent. */
    for (i = 0; i < workerCount; i++)
        pthread_join(workers[i], NULL);
    webSocket_server_stop(server);
    return NULL;
}

static void usage(const char *wrong)
{
    fprintf(stderr, "async_reply: %s is no option, or has no value that fits\n", wrong);
    fprintf(stderr, "usage: async_reply [--port N] [--workers N] [--queue N] [--work-ms MS]\n");
    exit(2);
}

static unsigned long number(const char *option, const char *text, unsigned long least, unsigned long most)
{
    char *end = NULL;
    unsigned long value;
    errno = 0;
    value = text != NULL ? strtoul(text, &end, 10) : 0;
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < least || value > most)
        usage(option);
    return value;
}

static void must(const char *what, webSocket_result result)
{
    if (result == WEBSOCKET_OK)
        return;
    fprintf(stderr, "async_reply: %s: %s\n", what, webSocket_result_text(result));
    exit(1);
}

int main(int argc, char **argv)
{
    webSocket_config *config = NULL;
    uint16_t port = 0;
    sigset_t signals;
    pthread_t thread;
    unsigned long i;
    int at;

    for (at = 1; at < argc; at += 2) {
        const char *option = argv[at], *value = argv[at + 1];
        if (strcmp(option, "--port") == 0)
            port = (uint16_t)number(option, value, 0, 65535);
        else if (strcmp(option, "--workers") == 0)
            workerCount = number(option, value, 1, WORKERS_MOST);
        else if (strcmp(option, "--queue") == 0)
            queueMost = number(option, value, 1, 1000000);
        else if (strcmp(option, "--work-ms") == 0)
            workMs = number(option, value, 0, 3600000);
        else
            usage(option);
    }
    /* All threads that are started from here on leave them to await_end(). */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    must("no config", webSocket_config_new(&config));
    must("no limit", webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, MESSAGE_BYTES));
    must("cannot make a server", webSocket_server_new(config, happens, NULL, &server));
    webSocket_config_free(config);
    must("cannot listen", webSocket_server_listen(server, "127.0.0.1", port, &port));
    for (i = 0; i < workerCount; i++)
        if (pthread_create(&workers[i], NULL, worker, (void *)(size_t)(i + 1)) != 0)
            must("cannot start a worker", WEBSOCKET_E_HANDLES);
    if (pthread_create(&thread, NULL, await_end, &signals) != 0)
        must("cannot start a thread", WEBSOCKET_E_HANDLES);
    printf("listening on ws://127.0.0.1:%u/\n", port);
    fflush(stdout);

    must("cannot serve", webSocket_server_run(server));
    pthread_join(thread, NULL);
    must("cannot end", webSocket_server_free(server));
    return 0;
}
