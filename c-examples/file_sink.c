/*
 * file_sink: stores the files that devices stream over WebSocket.
 *
 * It shows an edge-triggered epoll loop of your own around webSocket_conn, many
 * clients at once, and messages of any size in constant memory: with
 * WEBSOCKET_CHUNK_ABOVE_BYTES 0 a message is handed out as it arrives.
 *
 *     file_sink [--port N] [--dir DIR] [--once]
 *
 * A text message names the file, the binary message after it is its content:
 * "7" becomes DIR/snOfflineVoice_7.snv. It is written to a name ending in .part,
 * which is dropped once the file has ended. Devices of the field do not mask, and
 * some close without a final fragment: a connection that ends between two frames
 * keeps its file, one that is cut inside a frame leaves the .part.
 * With --once the program ends after the first file: 0, or 1 if it was cut.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <wsembed/websocket.h>

enum { NAME_BYTES = 100, RECEIVE_BYTES = 64 << 10, RECEIVES_PER_TURN = 16, EVENTS = 64, LINGER_MS = 2000, IDLE_MS = 60000 };

struct client {
    int fd, file; /* file: -1 when none is being written */
    webSocket_conn *conn;
    bool named, blocked; /* blocked: output waits for EPOLLOUT, reading waits for the output */
    bool over;           /* our FIN is sent; what still comes in is thrown away */
    uint64_t deadlineMs, startMs, bytes;
    char name[NAME_BYTES + 1];
    struct client *previous, *next;
};

static int epoll = -1, listener = -1, signals = -1, directory = -1;
static bool listenerPaused; /* no descriptors left: accept again when one is free */
static struct client *clients;
static uint64_t wakeMs = UINT64_MAX; /* no client's deadline is earlier than this */
static uint8_t received[RECEIVE_BYTES];
static bool once, onceDone;
static const struct client *onceClient; /* whose file was the first to end */
static int onceStatus = EXIT_SUCCESS;

static uint64_t nowMs(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool watch(int operation, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(epoll, operation, fd, &event) == 0;
}

static void paths(const struct client *client, char whole[NAME_BYTES + 32], char part[NAME_BYTES + 32])
{
    snprintf(whole, NAME_BYTES + 32, "snOfflineVoice_%s.snv", client->name);
    snprintf(part, NAME_BYTES + 32, "snOfflineVoice_%s.snv.part", client->name);
}

/* Collects the name, piece by piece. It comes from the network: nothing of it may
 * lead out of the directory, so all but [A-Za-z0-9_-] and single dots becomes '_'. */
static void name_add(struct client *client, const webSocket_event *event)
{
    if (event->flags & WEBSOCKET_FIRST) client->name[0] = '\0';
    size_t length = strlen(client->name);
    for (size_t i = 0; i < event->length && length < NAME_BYTES; i++) {
        char c = (char)event->data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        bool dot = c == '.' && (length == 0 || client->name[length - 1] != '.');
        client->name[length++] = plain || dot ? c : '_';
    }
    client->name[length] = '\0';
    client->named = (event->flags & WEBSOCKET_FINAL) != 0;
}

/* Ends the file: drops the .part from its name if it is to be kept; one line of report. */
static void file_end(struct client *client, bool keep, const char *how)
{
    char whole[NAME_BYTES + 32], part[NAME_BYTES + 32];
    if (client->file < 0) return;
    paths(client, whole, part);
    bool closed = close(client->file) == 0; /* late write errors, as on NFS, show here */
    client->file = -1;
    if (keep && (!closed || renameat(directory, part, directory, whole) != 0)) {
        keep = false;
        how = strerror(errno);
    }
    printf("%s: %" PRIu64 " bytes in %" PRIu64 " ms: %s\n", keep ? whole : part, client->bytes,
           nowMs() - client->startMs, how);
    if (!once || onceDone) return;
    onceDone = true;
    onceClient = client;
    onceStatus = keep ? EXIT_SUCCESS : EXIT_FAILURE;
    webSocket_conn_close(client->conn, 1000, ""); /* CLOSED if it is over already: fine */
}

static void file_begin(struct client *client)
{
    char whole[NAME_BYTES + 32], part[NAME_BYTES + 32];
    if (!client->named) {
        webSocket_conn_close(client->conn, 1008, "a text message must name the file first");
        return;
    }
    client->named = false;
    paths(client, whole, part);
    int file = openat(directory, part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    /* The lock keeps two devices from writing to one name at the same time. */
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0 || ftruncate(file, 0) != 0) {
        fprintf(stderr, "file_sink: %s: %s\n", part, errno == EWOULDBLOCK ? "is being written" : strerror(errno));
        if (file >= 0) close(file);
        webSocket_conn_close(client->conn, 1011, "the file cannot be opened");
        return;
    }
    client->file = file;
    client->bytes = 0;
    client->startMs = nowMs();
}

static void file_add(struct client *client, const webSocket_event *event)
{
    if (event->flags & WEBSOCKET_FIRST) file_begin(client);
    for (size_t done = 0; client->file >= 0 && done < event->length;) {
        ssize_t wrote = write(client->file, event->data + done, event->length - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            file_end(client, false, strerror(errno));
            webSocket_conn_close(client->conn, 1011, "the file cannot be written");
            return;
        }
        done += (size_t)wrote;
        client->bytes += (uint64_t)wrote;
    }
    if (event->flags & WEBSOCKET_FINAL) file_end(client, true, "complete");
}

/* The connection is over. If the last frame is whole (nothing of it remains), a device
 * that sends no final fragment has ended its file; everything else has cut it. */
static void file_cut(struct client *client, const webSocket_event *event)
{
    char how[96];
    bool quiet = event->result == WEBSOCKET_OK || event->result == WEBSOCKET_E_CONNECTION_LOST;
    if (quiet && event->frameRemaining == 0) {
        file_end(client, true, "ended between frames, no final fragment");
    } else {
        snprintf(how, sizeof how, "cut (%s, %" PRIu64 " bytes of a frame missing)",
                 webSocket_result_name(event->result), event->frameRemaining);
        file_end(client, false, how);
    }
}

/* next(): what has happened on this connection. */
static bool client_handle(struct client *client)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_result result;
    while ((result = webSocket_conn_next(client->conn, &event)) == WEBSOCKET_OK) {
        if (event.kind == WEBSOCKET_TEXT) name_add(client, &event);
        else if (event.kind == WEBSOCKET_BINARY) file_add(client, &event);
        else if (event.kind == WEBSOCKET_CLOSE) file_cut(client, &event);
    }
    return result == WEBSOCKET_AGAIN || result == WEBSOCKET_CLOSED;
}

/* output -> send: the handshake, pongs, the close. */
static bool client_write(struct client *client)
{
    const uint8_t *data;
    size_t length;
    webSocket_result result;
    client->blocked = false;
    while ((result = webSocket_conn_output(client->conn, &data, &length)) == WEBSOCKET_OK && length > 0) {
        ssize_t sent = send(client->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) {
            client->blocked = true;
            return true;
        }
        /* The device does not listen any more. What it sent before is still to be
         * read, so go on as if the answer had left; recv() will find the end. */
        if (sent < 0) sent = (ssize_t)length;
        webSocket_conn_outputDone(client->conn, (size_t)sent);
    }
    if (result == WEBSOCKET_CLOSED) {
        /* close() with unread bytes would send a reset, which may overtake our close
         * frame. So: FIN, then read to the peer's end, but not for ever. */
        shutdown(client->fd, SHUT_WR);
        client->over = true;
        client->deadlineMs = nowMs() + LINGER_MS;
    }
    return result == WEBSOCKET_OK || result == WEBSOCKET_CLOSED;
}

/* Edge-triggered: goes on until the kernel has nothing more to read or no room to write.
 * A fast client would keep the others waiting: after its share it is put in line again.
 * False: free it. */
static bool client_serve(struct client *client, uint64_t now)
{
    if (client->over && now >= client->deadlineMs) return false;
    if (!client->over) webSocket_conn_tick(client->conn, now, &client->deadlineMs);
    bool share = true;
    for (int receives = 0;; receives++) {
        /* What was fed is handled before anything else: `received` belongs to all. */
        if (!client->over && (!client_handle(client) || !client_write(client))) return false;
        share = receives < RECEIVES_PER_TURN;
        if (client->blocked || !share) break;
        ssize_t got = recv(client->fd, received, sizeof received, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) break;
        if ((got < 0 && errno == EINTR) || (client->over && got > 0)) continue;
        if (client->over) return false;
        /* A reset is an end as well. */
        webSocket_result result = got > 0 ? webSocket_conn_feed(client->conn, received, (size_t)got)
                                          : webSocket_conn_feedEof(client->conn);
        if (result != WEBSOCKET_OK) return false;
    }
    /* Once more: what just happened may have brought a nearer deadline. */
    if (!client->over) webSocket_conn_tick(client->conn, now, &client->deadlineMs);
    if (client->deadlineMs < wakeMs) wakeMs = client->deadlineMs;
    /* EPOLL_CTL_MOD looks at the socket again and raises a new edge if there is more. */
    return share || watch(EPOLL_CTL_MOD, client->fd, EPOLLIN | EPOLLOUT | EPOLLET, client);
}

static void client_free(struct client *client)
{
    file_end(client, false, "cut");
    if (client == onceClient) onceClient = NULL;
    if (client->previous != NULL) client->previous->next = client->next;
    else clients = client->next;
    if (client->next != NULL) client->next->previous = client->previous;
    webSocket_conn_free(client->conn);
    close(client->fd);
    free(client);
    if (listenerPaused) listenerPaused = !watch(EPOLL_CTL_MOD, listener, EPOLLIN, &listener);
}

static void client_new(int fd, const webSocket_config *config)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL || webSocket_conn_newServer(config, &client->conn) != WEBSOCKET_OK) {
        free(client);
        close(fd);
        return;
    }
    client->fd = fd;
    client->file = -1;
    client->next = clients;
    if (clients != NULL) clients->previous = client;
    clients = client;
    client->deadlineMs = wakeMs = nowMs(); /* the first tick starts the handshake's deadline */
    if (!watch(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLET, client)) client_free(client);
}

static void acceptClients(const webSocket_config *config)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) client_new(fd, config);
    if (errno == EMFILE || errno == ENFILE) listenerPaused = watch(EPOLL_CTL_MOD, listener, 0, &listener);
}

static int run(const webSocket_config *config)
{
    struct epoll_event ready[EVENTS];
    while (!onceDone || onceClient != NULL) {
        uint64_t now = nowMs();
        int wait = wakeMs == UINT64_MAX ? -1 : wakeMs <= now ? 0 : wakeMs - now > 60000 ? 60000 : (int)(wakeMs - now);
        int count = epoll_wait(epoll, ready, EVENTS, wait);
        if (count < 0 && errno != EINTR) return EXIT_FAILURE;
        now = nowMs();
        for (int i = 0; i < count; i++) {
            void *tag = ready[i].data.ptr;
            if (tag == &signals) return once && !onceDone ? EXIT_FAILURE : onceStatus;
            if (tag == &listener) acceptClients(config);
            else if (!client_serve(tag, now)) client_free(tag);
        }
        if (now < wakeMs) continue;
        /* A deadline may have passed: serve who is due and find the next one. */
        wakeMs = UINT64_MAX;
        for (struct client *client = clients, *next; client != NULL; client = next) {
            next = client->next;
            if (client->deadlineMs <= now && !client_serve(client, now)) client_free(client);
            else if (client->deadlineMs < wakeMs) wakeMs = client->deadlineMs;
        }
    }
    return onceStatus;
}

static bool start(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    sigset_t stop;
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (signals < 0 || epoll < 0 || listener < 0) return false;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        !watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener) || !watch(EPOLL_CTL_ADD, signals, EPOLLIN, &signals)) {
        return false;
    }
    printf("listening on ws://127.0.0.1:%d/\n", ntohs(address.sin_port));
    return true;
}

static bool arguments(int count, char **words, uint16_t *port, const char **folder)
{
    for (int i = 1; i < count; i++) {
        const char *word = words[i], *next = words[i + 1]; /* words[count] is NULL */
        if (strcmp(word, "--once") == 0) {
            once = true;
        } else if (strcmp(word, "--dir") == 0 && next != NULL) {
            *folder = next;
            i++;
        } else if (strcmp(word, "--port") == 0 && next != NULL && *next >= '0' && *next <= '9') {
            char *end;
            errno = 0;
            unsigned long value = strtoul(next, &end, 10);
            if (errno != 0 || *end != '\0' || value > 65535) return false;
            *port = (uint16_t)value;
            i++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int count, char **words)
{
    uint16_t port = 0;
    const char *folder = ".";
    int status = EXIT_FAILURE;
    webSocket_config *config = NULL;
    if (!arguments(count, words, &port, &folder)) {
        fputs("usage: file_sink [--port N] [--dir DIR] [--once]\n"
              "  --port N   where to listen on 127.0.0.1; 0, the default, picks a free port\n"
              "  --dir DIR  where the files go (default: the current directory)\n"
              "  --once     end after the first file: 0 if it is whole, 1 if it was cut\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        fprintf(stderr, "file_sink: %s: %s\n", folder, strerror(errno));
    } else if (webSocket_config_new(&config) != WEBSOCKET_OK ||
               webSocket_config_setNumber(config, WEBSOCKET_CHUNK_ABOVE_BYTES, 0) != WEBSOCKET_OK ||
               /* Nothing is assembled, so a file may be larger than any memory. */
               webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, INT64_MAX) != WEBSOCKET_OK ||
               webSocket_config_setNumber(config, WEBSOCKET_MAX_FRAME_BYTES, INT64_MAX) != WEBSOCKET_OK ||
               webSocket_config_setNumber(config, WEBSOCKET_MAX_FRAGMENTS, INT64_MAX) != WEBSOCKET_OK ||
               webSocket_config_setNumber(config, WEBSOCKET_ACCEPT_UNMASKED, 1) != WEBSOCKET_OK ||
               /* A device that has lost its power must not keep its file open for ever. */
               webSocket_config_setNumber(config, WEBSOCKET_IDLE_TIMEOUT_MS, IDLE_MS) != WEBSOCKET_OK) {
        fputs("file_sink: the library refuses the configuration\n", stderr);
    } else if (!start(port)) {
        fprintf(stderr, "file_sink: cannot listen on 127.0.0.1:%d: %s\n", port, strerror(errno));
    } else {
        status = run(config);
    }
    while (clients != NULL) client_free(clients);
    webSocket_config_free(config);
    if (directory >= 0) close(directory);
    if (listener >= 0) close(listener);
    if (signals >= 0) close(signals);
    if (epoll >= 0) close(epoll);
    return status;
}
