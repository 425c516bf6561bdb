/*
 * news: publishers and subscribers of mixed_server, who come and go.
 *
 *     news --port N [--seconds S]
 *
 * Each of eight topics has one publisher, whose lines are numbered, and fifteen
 * subscribers, who also hear the server's clock. A subscriber may miss lines (it is new,
 * or it was slow), but those that it hears are whole and their numbers grow. All the
 * time some leave, with and without a word, in the middle of a frame too, and come back.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "load.h"
#include <poll.h>

enum { TOPICS = 8, OF_TOPIC = 16, CLIENTS = TOPICS * OF_TOPIC, BUFFER = 32 << 10, LONGEST = 3000 };
#define TURN (5 * MS)

struct client {
    int fd;
    bool asked, open;         /* the handshake is begun, is done */
    unsigned topic;
    bool publishes;
    uint64_t next;            /* number of what is published next */
    uint64_t heard[2];        /* the next numbers that may come, of the topic and of the clock */
    size_t have;
    uint8_t in[BUFFER];
};

static struct client clients[CLIENTS];
static uint16_t port;
static uint64_t lines, ticks, rounds, published, state = 88172645463325252;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

static void client_dial(struct client *client)
{
    client->fd = dial(port);
    client->asked = client->open = false;
    client->have = 0;
    memset(client->heard, 0, sizeof client->heard);
}

static void client_leave(struct client *client, bool hard)
{
    if (hard) hang_up_hard(client->fd);
    else close(client->fd);
    rounds++;
    client_dial(client);
}

/* A text frame. A client that the server does not read from leaves. */
static void client_say(struct client *client, const void *text, size_t length)
{
    uint8_t frame[LONGEST + 16];
    size_t head = frame_header(frame, 0x81, length);
    memcpy(frame + head, text, length);
    if (send(client->fd, frame, head + length, MSG_NOSIGNAL) != (ssize_t)(head + length)) client_leave(client, true);
}

static void client_publish(struct client *client)
{
    char text[LONGEST];
    unsigned topic = client->topic;
    int head = snprintf(text, sizeof text, "pub topic%u topic%u %" PRIu64 " ", topic, topic, client->next++);
    size_t length = (size_t)head + chance((uint32_t)(LONGEST - head));
    memset(text + head, 'a' + (int)(client->next % 26), length - (size_t)head);
    published++;
    client_say(client, text, length);
}

/* "topicN NUMBER letters", or "clock NUMBER tick". */
static void line_heard(struct client *client, const char *line, size_t length)
{
    char copy[LONGEST + 1];
    unsigned topic = 0;
    uint64_t is = 0;
    int head = 0;
    bool clock = false;
    if (length > LONGEST) die("a line of %zu bytes", length);
    memcpy(copy, line, length);
    copy[length] = '\0';
    if (sscanf(copy, "clock %" SCNu64 " %n", &is, &head) == 1 && head > 0) clock = true;
    else if (sscanf(copy, "topic%u %" SCNu64 "%n", &topic, &is, &head) != 2 || topic != client->topic)
        die("a subscriber of topic%u heard: %.40s", client->topic, copy);
    if (is < client->heard[clock]) die("a line came twice, or late: %.40s", copy);
    client->heard[clock] = is + 1;
    for (size_t i = (size_t)head + !clock; !clock && i < length; i++)
        if (copy[i] != 'a' + (int)((is + 1) % 26)) die("a line is damaged at byte %zu: %.40s", i, copy);
    if (clock) ticks++;
    else lines++;
}

/* Bytes of the first frame that is whole, 0: none is. */
static size_t frame_heard(struct client *client, const uint8_t *at, size_t have)
{
    if (have < 2) return 0;
    size_t length = at[1], head = 2;
    if (length == 126) {
        if (have < 4) return 0;
        length = (size_t)at[2] << 8 | at[3];
        head = 4;
    }
    if (at[1] > 126) die("a frame with a second byte of 0x%02x", at[1]);
    if (have < head + length) return 0;
    if (at[0] == 0x81) line_heard(client, (const char *)at + head, length);
    else if (at[0] == 0x89) {
        uint8_t pong[16 + 125];
        size_t own = frame_header(pong, 0x8A, length);
        memcpy(pong + own, at + head, length);
        if (send(client->fd, pong, own + length, MSG_NOSIGNAL) < 0) die("a pong was not taken: %s", strerror(errno));
    } else {
        die("a frame that begins with 0x%02x", at[0]);
    }
    return head + length;
}

static void client_opened(struct client *client)
{
    char text[32];
    char *end = memmem(client->in, client->have, "\r\n\r\n", 4);
    if (end == NULL) return;
    /* The flooders beside may have filled the house. */
    if (memcmp(client->in, "HTTP/1.1 503 ", 13) == 0) {
        client_leave(client, false);
        return;
    }
    if (memcmp(client->in, "HTTP/1.1 101 ", 13) != 0) die("the handshake was refused: %.13s", (char *)client->in);
    client->have -= (size_t)(end + 4 - (char *)client->in);
    memmove(client->in, end + 4, client->have);
    client->open = true;
    if (client->publishes) return;
    snprintf(text, sizeof text, "sub topic%u", client->topic);
    client_say(client, text, strlen(text));
    client_say(client, "sub clock", 9);
}

static void client_read(struct client *client)
{
    ssize_t got = recv(client->fd, client->in + client->have, sizeof client->in - client->have, 0);
    size_t at = 0, took;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        if (client->open) die("the server hung up: %s", got == 0 ? "end of stream" : strerror(errno));
        client_leave(client, false);
        return;
    }
    client->have += (size_t)got;
    if (!client->open) client_opened(client);
    if (!client->open) return;
    while ((took = frame_heard(client, client->in + at, client->have - at)) > 0) at += took;
    client->have -= at;
    memmove(client->in, client->in + at, client->have);
}

/* A subscriber leaves, in one of the ways there are. */
static void somebody_leaves(void)
{
    static const uint8_t goodbye[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8}, part[] = {0x81, 0xFE, 0x04};
    struct client *client = &clients[TOPICS + chance(CLIENTS - TOPICS)];
    uint32_t how = chance(4);
    if (!client->open) return;
    if (how == 0) (void)!send(client->fd, goodbye, sizeof goodbye, MSG_NOSIGNAL);
    if (how == 1) (void)!send(client->fd, part, sizeof part, MSG_NOSIGNAL);
    client_leave(client, how == 2);
}

static void client_ask(struct client *client)
{
    client->asked = true;
    if (send(client->fd, request, REQUEST_BYTES, MSG_NOSIGNAL) != REQUEST_BYTES) client_leave(client, true);
}

static void serve(uint64_t until)
{
    struct pollfd ready[CLIENTS];
    for (uint64_t now; (now = clock_now()) < until;) {
        for (int i = 0; i < CLIENTS; i++)
            ready[i] = (struct pollfd){.fd = clients[i].fd, .events = clients[i].asked ? POLLIN : POLLOUT};
        if (poll(ready, CLIENTS, (int)((until - now) / MS) + 1) < 0 && errno != EINTR) die("poll: %s", strerror(errno));
        for (int i = 0; i < CLIENTS; i++) {
            if (ready[i].revents == 0 || ready[i].fd != clients[i].fd) continue;
            if (clients[i].asked) client_read(&clients[i]);
            else client_ask(&clients[i]);
        }
    }
}

int main(int argc, char **argv)
{
    uint64_t seconds = 5;
    program = "news";
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--port") == 0) port = (uint16_t)number("--port", argv[i + 1], 65535);
        else if (strcmp(argv[i], "--seconds") == 0) seconds = number("--seconds", argv[i + 1], 100000);
        else die("unknown option %s", argv[i]);
    }
    if (port == 0) die("--port is missing");
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].topic = i % TOPICS;
        clients[i].publishes = i < TOPICS;
        client_dial(&clients[i]);
    }
    uint64_t end = clock_now() + seconds * SECOND;
    for (unsigned turn = 0; clock_now() < end; turn++) {
        struct client *publisher = &clients[turn % TOPICS];
        if (publisher->open) client_publish(publisher);
        if (turn % 4 == 0) somebody_leaves();
        serve(clock_now() + TURN);
    }
    for (int i = 0; i < CLIENTS; i++) close(clients[i].fd);
    if (lines == 0 || ticks == 0) die("%" PRIu64 " lines and %" PRIu64 " ticks were heard", lines, ticks);
    printf("published=%" PRIu64 " lines=%" PRIu64 " ticks=%" PRIu64 " rounds=%" PRIu64 "\n", published, lines, ticks,
           rounds);
    return 0;
}
