/* A peer that is gone by a reset, all at once: its last frames and the reset are
 * one edge of epoll. A program that receives once per edge and answers has to
 * learn of the end, though no byte and no FIN is left to raise another edge. */
#include <sys/epoll.h>

#include "legacy_sockets.h"

/* Frames arrive, then a reset; only then is epoll asked. */
static void reset_behind(const char *bytes, size_t length, int echoes) {
    struct linger none = {1, 0};
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int pair[2], epoll = epoll_create1(EPOLL_CLOEXEC), turn, ended = 0, frames = 0;
    connect_pair(TCP, pair);
    set_blocking(pair[0], 0);
    must(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event) == 0, "epoll");
    put(pair[1], bytes, length);
    await_readable(pair[0]);
    must(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &none, sizeof none) == 0, "SO_LINGER");
    close(pair[1]);
    for (turn = 0; turn < 20 && !ended; turn++) {
        char data[64];
        WebsocketData_Type type;
        int result;
        if (epoll_wait(epoll, &event, 1, 5000) != 1) {
            break;
        }
        result = webSocket_recv(pair[0], data, sizeof data, &type);
        frames += type != WDT_NULL;
        ended = result <= 0 && errno != EAGAIN;
        if (result > 0 && echoes) {
            webSocket_send(pair[0], data, result, false, type);
        }
    }
    CHECK(ended);
    CHECK(frames >= 1);
    close(pair[0]);
    close(epoll);
}

int main(void) {
    reset_behind("\x81\x05hello", 7, 1);
    reset_behind("\x81\x05hello\x81\x02no\x82\x01z", 14, 1);
    reset_behind("\x89\x04ping", 6, 0); /* the answer is the library's own */
    return check_done("legacy_reset");
}
