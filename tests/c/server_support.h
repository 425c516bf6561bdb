/* For the C tests of the server: clients that know the wire and nothing of the
 * library, on a socket whose other end the server is given. Every wait is
 * bounded; where nothing comes in a minute, the test ends. */
#ifndef WSEMBED_TEST_SERVER_SUPPORT_H
#define WSEMBED_TEST_SERVER_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#include "check.h"

enum { PATIENCE_S = 120 };

static const char upgrade[] = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/* A server, and who turns it: itself (`threaded`), or whoever waits. */
struct host {
    webSocket_server *server;
    int threaded;
};

struct client {
    int fd;
    uint8_t got[1 << 17]; /* what came and was not looked at yet */
    size_t length;
    int ended;
};

static inline time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static inline void give_up(const char *what)
{
    fprintf(stderr, "gave up: %s\n", what);
    exit(1);
}

/* One turn of a server that is not threaded; else a moment. */
static inline webSocket_result turn(struct host *host)
{
    if (!host->threaded)
        return webSocket_server_step(host->server, 2);
    poll(NULL, 0, 1);
    return WEBSOCKET_OK;
}

/* Turns until `condition` holds. */
#define UNTIL(host, condition)                                     \
    do {                                                           \
        time_t until_ = seconds_now() + PATIENCE_S;                \
        while (!(condition)) {                                     \
            if (seconds_now() > until_)                            \
                give_up(#condition);                               \
            turn(host);                                            \
        }                                                          \
    } while (0)

/* ---- the client's end */

static inline void client_send(struct host *host, struct client *client, const void *data, size_t length)
{
    const char *from = data;
    time_t until = seconds_now() + PATIENCE_S;
    while (length > 0) {
        ssize_t sent = send(client->fd, from, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return; /* the server hung up: what it said is still to be read */
        if (sent > 0) {
            from += sent;
            length -= (size_t)sent;
        } else {
            turn(host);
        }
        if (seconds_now() > until)
            give_up("a client cannot send");
    }
}

/* A frame with its mask, which is zero in one of two. */
static inline void client_frame(struct host *host, struct client *client, int first, const void *data, size_t length)
{
    uint8_t *frame = malloc(length + 14);
    size_t head = 2, i;
    const uint8_t *payload = data;
    uint8_t mask[4] = {0x11, 0x22, 0x33, 0x44};
    if (frame == NULL)
        give_up("memory");
    frame[0] = (uint8_t)first;
    if (length < 126) {
        frame[1] = (uint8_t)(0x80 | length);
    } else if (length < 65536) {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(length >> 8);
        frame[3] = (uint8_t)length;
        head = 4;
    } else {
        frame[1] = 0x80 | 127;
        for (i = 0; i < 8; i++)
            frame[2 + i] = (uint8_t)((uint64_t)length >> (56 - 8 * i));
        head = 10;
    }
    memcpy(frame + head, mask, 4);
    for (i = 0; i < length; i++)
        frame[head + 4 + i] = payload[i] ^ mask[i % 4];
    client_send(host, client, frame, head + 4 + length);
    free(frame);
}

/* Has more bytes come, or the end. False where nothing more comes. */
static inline int client_more(struct host *host, struct client *client)
{
    time_t until = seconds_now() + PATIENCE_S;
    while (!client->ended && client->length < sizeof client->got) {
        ssize_t got = recv(client->fd, client->got + client->length, sizeof client->got - client->length, MSG_DONTWAIT);
        if (got > 0) {
            client->length += (size_t)got;
            return 1;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            client->ended = 1;
        else
            turn(host);
        if (seconds_now() > until)
            give_up("nothing comes from the server");
    }
    return 0;
}

static inline void client_drop(struct client *client, size_t length)
{
    client->length -= length;
    memmove(client->got, client->got + length, client->length);
}

/* The next frame: its first byte, -1 at the end; its payload into `room`. */
static inline int client_next(struct host *host, struct client *client, uint8_t *room, size_t roomBytes, size_t *length)
{
    for (;;) {
        size_t head = 2, payload = client->length < 2 ? 0 : client->got[1] & 127;
        if (client->length >= 4 && payload == 126) {
            payload = (size_t)client->got[2] << 8 | client->got[3];
            head = 4;
        } else if (client->length >= 10 && payload == 127) {
            payload = (size_t)client->got[7] << 16 | (size_t)client->got[8] << 8 | client->got[9];
            head = 10;
        }
        if (client->length >= head && client->length >= head + payload && (payload < 126 || head > 2)) {
            int first = client->got[0];
            CHECK((client->got[1] & 0x80) == 0);
            *length = payload;
            memcpy(room, client->got + head, payload < roomBytes ? payload : roomBytes);
            client_drop(client, head + payload);
            return first;
        }
        if (!client_more(host, client)) {
            *length = 0;
            return -1;
        }
    }
}

/* The next frame must be this one. */
static inline void client_expect(struct host *host, struct client *client, int first, const void *data, size_t length)
{
    uint8_t room[1024];
    size_t came = 0;
    int kind = client_next(host, client, room, sizeof room, &came);
    CHECK_INT(kind, first);
    CHECK_INT(came, length);
    if (kind == first && came == length && length <= sizeof room)
        CHECK_BYTES(room, data, length);
}

/* The HTTP answer: its status; the head, and what of the body came with it,
 * into `head`, ended by a NUL. */
static inline int client_answer(struct host *host, struct client *client, char *head, size_t room)
{
    for (;;) {
        size_t i;
        for (i = 0; i + 4 <= client->length; i++) {
            if (memcmp(client->got + i, "\r\n\r\n", 4) == 0) {
                size_t length = i + 4 < room ? i + 4 : room - 1;
                memcpy(head, client->got, length);
                head[length] = '\0';
                client_drop(client, i + 4);
                return atoi(head + strlen("HTTP/1.1 "));
            }
        }
        if (!client_more(host, client)) {
            head[0] = '\0';
            return -1;
        }
    }
}

static inline void client_ask(struct host *host, struct client *client, const char *target, const char *headers)
{
    char request[2048];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n%s%s\r\n", target, upgrade, headers);
    client_send(host, client, request, (size_t)length);
}

/* Asks and is accepted. */
static inline void client_open(struct host *host, struct client *client)
{
    char head[1024];
    client_ask(host, client, "/", "");
    CHECK_INT(client_answer(host, client, head, sizeof head), 101);
}

/* ---- the server's end */

/* A client whose socket's other end the server is given. Little fits into it,
 * so that a server that sends much soon has to wait. */
static inline void client_adopted(struct host *host, struct client *client)
{
    int pair[2], few = 4096;
    memset(client, 0, sizeof *client);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    client->fd = pair[0];
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &few, sizeof few);
    CHECK_INT(webSocket_server_adopt(host->server, pair[1], NULL, 0), WEBSOCKET_OK);
}

/* A client over TCP. */
static inline void client_dialled(struct client *client, uint16_t port)
{
    struct sockaddr_in to;
    memset(client, 0, sizeof *client);
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(client->fd, (struct sockaddr *)&to, sizeof to), 0);
}

static inline void client_hangs_up(struct client *client)
{
    close(client->fd);
    client->fd = -1;
}

/* Whether nothing is left of a descriptor. */
static inline int is_closed(int fd) { return fcntl(fd, F_GETFD) == -1 && errno == EBADF; }

/* Descriptors that this process has. */
static inline int count_fds(void)
{
    int fd, count = 0;
    for (fd = 0; fd < 1024; fd++)
        count += !is_closed(fd);
    return count;
}

#endif
