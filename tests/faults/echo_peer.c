/*
 * The peer of an echo server that runs under the seam. It knows nothing of the
 * library: raw frames, masked with a key of zeros.
 *
 *     echo_peer PORT
 *
 * Shakes hands, sends frames of all kinds, glued and cut, and a close, and reads
 * to the end. Exit status: 0, all came back; 3, the connection ended early, and
 * what came before was right; 1, anything else, also a minute without a byte.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 18, WHOLE = 0, WRONG = 1, EARLY = 3 };

static uint8_t input[ROOM], expected[ROOM], got[ROOM];
static size_t inputs, expecteds, gots;

static void quit(int status, const char *why)
{
    fprintf(stderr, "echo_peer: %s\n", why);
    exit(status);
}

/* Appends a frame to what is sent and, unless it is a ping, to what comes back. */
static void frame(uint8_t first, size_t length, uint8_t fill)
{
    uint8_t header[4] = {first, (uint8_t)length, 0, 0};
    size_t size = 2;
    if (length >= 126) {
        header[1] = 126;
        header[2] = (uint8_t)(length >> 8);
        header[3] = (uint8_t)length;
        size = 4;
    }
    if (first != 0x89) {
        memcpy(expected + expecteds, header, size);
        memset(expected + expecteds + size, fill, length);
        expecteds += size + length;
    }
    header[1] |= 0x80;
    memcpy(input + inputs, header, size);
    memset(input + inputs + size, 0, 4);
    memset(input + inputs + size + 4, fill, length);
    inputs += size + 4 + length;
}

/* Sends input[from..to); the server may be gone already. */
static void put(int fd, size_t from, size_t to)
{
    while (from < to) {
        ssize_t sent = send(fd, input + from, to - from, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
        if (sent <= 0) quit(WRONG, strerror(errno));
        from += (size_t)sent;
    }
}

/* More of what comes; 0 at the end of the connection, however it ends. */
static size_t more(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 60000) != 1) quit(WRONG, "not a byte for a minute");
    ssize_t now = recv(fd, got + gots, sizeof got - gots, 0);
    if (now < 0 && errno != ECONNRESET) quit(WRONG, strerror(errno));
    if (now > 0) gots += (size_t)now;
    return now > 0 ? (size_t)now : 0;
}

static int dial(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) quit(WRONG, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Takes the pongs out of got[from..): they may come before or behind the next
 * frame, and the latest is enough. */
static void drop_pongs(size_t from)
{
    static const uint8_t pong[] = {0x8A, 3, 'p', 'p', 'p'};
    size_t at = from, kept = from;
    while (at < gots) {
        size_t length = got[at + 1] & 127, size = 2;
        if (at + 1 < gots && length == 126 && at + 3 < gots) {
            length = (size_t)got[at + 2] << 8 | got[at + 3];
            size = 4;
        }
        size_t end = at + size + length < gots ? at + size + length : gots;
        if (end - at < sizeof pong || memcmp(got + at, pong, sizeof pong) != 0) {
            memmove(got + kept, got + at, end - at);
            kept += end - at;
        }
        at = end;
    }
    gots = kept;
}

int main(int count, char **words)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    if (count != 2) quit(WRONG, "usage: echo_peer PORT");
    memcpy(input, request, sizeof request - 1);
    inputs = sizeof request - 1;
    int fd = dial(words[1]);
    put(fd, 0, 40);
    usleep(2000);
    put(fd, 40, inputs);
    char *end = NULL;
    while (end == NULL) {
        if (more(fd) == 0) quit(EARLY, "no whole answer to the request");
        end = memmem(got, gots, "\r\n\r\n", 4);
    }
    if (memmem(got, gots, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) == NULL) quit(WRONG, "the wrong answer");
    size_t start = (size_t)((uint8_t *)end + 4 - got);

    inputs = 0;
    frame(0x81, 5, 'a');
    frame(0x89, 3, 'p');
    frame(0x82, 300, 'b');
    frame(0x81, 0, 0);
    size_t cut = inputs + 1;
    frame(0x82, 2000, 'c');
    frame(0x82, 60000, 'd');
    put(fd, 0, cut);
    usleep(2000);
    put(fd, cut, cut + 500);
    usleep(2000);
    put(fd, cut + 500, inputs);
    while (gots - start < expecteds && more(fd) > 0) {}
    cut = inputs;
    frame(0x88, 2, 'x'); /* the code is put in by hand: 1000 */
    memcpy(input + inputs - 2, "\x03\xE8", 2);
    memcpy(expected + expecteds - 2, "\x03\xE8", 2);
    put(fd, cut, inputs);
    while (more(fd) > 0) {}
    close(fd);

    drop_pongs(start);
    gots -= start;
    if (gots > expecteds || memcmp(got + start, expected, gots) != 0) quit(WRONG, "not the echo of what was sent");
    if (gots < expecteds) quit(EARLY, "the connection ended early");
    return WHOLE;
}
