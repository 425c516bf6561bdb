/* Waiting: what a reused number owes to the sockets before and after. */
#include <sys/epoll.h>

#include "legacy_sockets.h"

static struct outcome out;

/* A TCP socket on a number that was a local one's: its edges are renewed. */
static void an_edge_after_a_local_socket(void) {
    struct epoll_event event;
    int local[2], pair[2], poller = epoll_create1(0), got = 0;
    connect_pair(LOCAL, local);
    connect_pair(TCP, pair);
    put(local[1], "\x81\x01" "a", 3);
    receive(local[0], 64, &out);
    EXPECT(out, 1, WDT_TXTDATA, 0);
    must(dup2(pair[0], local[0]) == local[0], "dup2");
    close(pair[0]);
    set_blocking(local[0], 0);
    event.events = EPOLLIN | EPOLLET;
    must(epoll_ctl(poller, EPOLL_CTL_ADD, local[0], &event) == 0, "epoll_ctl");
    put(pair[1], "\x81\x01" "a\x81\x01" "b\x81\x01" "c", 9);
    while (got < 3 && epoll_wait(poller, &event, 1, 3000) == 1) {
        receive(local[0], 64, &out);
        got += out.result == 1;
    }
    CHECK_INT(got, 3);
    close(poller);
    close(local[1]);
    close(local[0]);
    close(pair[1]);
}

int main(void) {
    an_edge_after_a_local_socket();
    return check_done("legacy_waits");
}
