/* The ways in which programs wait: level- and edge-triggered epoll with one
 * receive per event, a sleep loop, a blocking fd; every message cut at every
 * byte, byte by byte, and glued. */
#include <sys/epoll.h>

#include "legacy_sockets.h"

struct piece {
    const char *bytes;
    size_t length;
};

/* Frames as they may follow each other; together the corpus. */
static const struct piece frames[] = {
    {"\x81\x05hello", 7},
    {"\x89\x04" "ping", 6},
    {"\x82\x83\x01\x02\x03\x04\x60\x60\x60", 9},
    {"\x81\x00", 2},
    {"\x01\x02" "ab", 4},
    {"\x8A\x80\x09\x09\x09\x09", 6},
    {"\x00\x02" "cd", 4},
    {"\x80\x7E\x00\x03" "efg", 7},
};
static const struct {
    int result, type;
    const char *text;
} wanted[] = {
    {5, WDT_TXTDATA, "hello"}, {4, WDT_PING, "ping"}, {3, WDT_BINDATA, "abc"}, {0, WDT_TXTDATA, ""},
    {2, 101, "ab"},            {0, WDT_PONG, ""},     {2, WDT_MINDATA, "cd"}, {3, 99, "efg"},
};
#define COUNT (sizeof frames / sizeof *frames)

static size_t seen;
static int ended;

/* One receive, whose outcome has to be the next one or nothing. */
static void one(int fd) {
    char data[64];
    WebsocketData_Type type;
    int result = webSocket_recv(fd, data, sizeof data, &type), error = errno;
    if (result == 0 && type == WDT_NULL) {
        CHECK(error == EAGAIN || error == ECONNRESET);
        ended |= error == ECONNRESET;
        return;
    }
    if (seen >= COUNT) {
        CHECK(!"more frames than were sent");
        return;
    }
    CHECK_INT(result, wanted[seen].result);
    CHECK_INT(type, wanted[seen].type);
    CHECK_BYTES(data, wanted[seen].text, strlen(wanted[seen].text));
    if (result == 0) {
        CHECK_INT(error, EAGAIN);
    }
    seen++;
}

enum way { LEVEL, EDGE, SLEEP, BLOCKING, WAYS };

/* Sends `stream` in pieces that end at the multiples of `step` and at `cut`,
 * then a FIN in the same breath. */
static void run(enum transport transport, enum way way, const char *stream, size_t length, size_t cut, size_t step) {
    int pair[2], epoll = epoll_create1(0);
    size_t sent = 0;
    struct epoll_event event;
    char drain[256];
    connect_pair(transport, pair);
    set_blocking(pair[0], way == BLOCKING);
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN | (way == EDGE ? (unsigned)EPOLLET : 0u);
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
    seen = 0;
    ended = 0;
    for (;;) {
        size_t end = cut > sent ? cut : length;
        int timeout = 0;
        if (step != 0 && end > sent + step) {
            end = sent + step;
        }
        if (sent < length) {
            put(pair[1], stream + sent, end - sent);
            sent = end;
            if (sent == length) {
                shutdown(pair[1], SHUT_WR);
                timeout = 30000;
            }
        } else {
            timeout = 30000;
        }
        if (way == LEVEL || way == EDGE) {
            /* One receive per event; a missing edge shows as a timeout. */
            while (!ended && epoll_wait(epoll, &event, 1, timeout) == 1) {
                one(pair[0]);
            }
            if (!ended && timeout != 0) {
                CHECK(!"an event for what is pending");
                break;
            }
        } else if (way == SLEEP) {
            one(pair[0]);
        } else {
            do {
                one(pair[0]);
            } while (!ended && !is_quiet(pair[0]));
        }
        while (recv(pair[1], drain, sizeof drain, MSG_DONTWAIT) > 0) {
        }
        if (ended) {
            break;
        }
    }
    CHECK_INT(seen, COUNT);
    if (seen != COUNT) {
        fprintf(stderr, "  transport %d, way %d, cut %zu, step %zu\n", transport, way, cut, step);
    }
    close(epoll);
    close_pair(pair);
}

/* A frame larger than the socket's buffers, by one receive per edge. (A much
 * smaller buffer would make the kernel itself wait for window updates.) */
static void larger_than_the_buffer(enum transport transport, enum way way) {
    static char frame[400010], data[400000];
    const size_t length = sizeof frame;
    int pair[2], small = 65536, epoll = epoll_create1(0), result = 0, calls = 0;
    WebsocketData_Type type = WDT_NULL;
    struct epoll_event event;
    size_t sent = 0, at;
    memcpy(frame, "\x82\x7F\0\0\0\0\0\x06\x1A\x80", 10);
    for (at = 10; at < length; at++) {
        frame[at] = (char)(at * 7);
    }
    connect_pair(transport, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    set_blocking(pair[0], way == BLOCKING);
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN | (way == EDGE ? (unsigned)EPOLLET : 0u);
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
    while (result == 0 && calls < 10000000) {
        ssize_t more = sent < length ? send(pair[1], frame + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        sent += more > 0 ? (size_t)more : 0;
        if (epoll_wait(epoll, &event, 1, sent == length ? 30000 : 1) == 1) {
            result = webSocket_recv(pair[0], data, sizeof data, &type);
            CHECK(result > 0 || errno == EAGAIN);
            calls++;
        } else if (sent == length) {
            CHECK(!"an event for what is pending");
            break;
        }
    }
    CHECK_INT(result, (int)sizeof data);
    CHECK_INT(type, WDT_BINDATA);
    CHECK_BYTES(data, frame + 10, sizeof data);
    close(epoll);
    close_pair(pair);
}

int main(void) {
    static char stream[256];
    size_t length = 0, frame, cut;
    int transport, way;
    for (frame = 0; frame < COUNT; frame++) {
        memcpy(stream + length, frames[frame].bytes, frames[frame].length);
        length += frames[frame].length;
    }
    for (transport = LOCAL; transport <= TCP; transport++) {
        for (way = LEVEL; way < WAYS; way++) {
            /* An edge-triggered caller on AF_UNIX has to receive until EAGAIN:
             * documented, so not tried here. */
            if (transport == LOCAL && way == EDGE) {
                continue;
            }
            for (cut = 0; cut < length; cut++) {
                run((enum transport)transport, (enum way)way, stream, length, cut, 0);
            }
            run((enum transport)transport, (enum way)way, stream, length, 0, 1);
            run((enum transport)transport, (enum way)way, stream, length, 0, 3);
            if (way != SLEEP) {
                larger_than_the_buffer((enum transport)transport, (enum way)way);
            }
        }
    }
    return check_done("legacy_epoll");
}
