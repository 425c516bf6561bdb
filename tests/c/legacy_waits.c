/* Who waits in the kernel harms nobody else: not who answers a handshake, and
 * not the next socket that gets the number. A failure shows as a time-out. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "legacy_sockets.h"

static struct outcome out;

/* Nothing tells when a thread has come to wait in the kernel. Short runs are
 * those under Valgrind, where it comes later. */
static void let_it_wait(void) {
    usleep(check_short() ? 2000000 : 200000);
}

static void *receives_one(void *fd) {
    char data[64];
    WebsocketData_Type type;
    webSocket_recv(*(int *)fd, data, sizeof data, &type);
    return NULL;
}

static void *sends_one(void *fd) {
    static char big[1 << 24];
    webSocket_send(*(int *)fd, big, sizeof big, false, WDT_BINDATA);
    return NULL;
}

/* The number goes to another socket while a thread waits on the old one. */
static void the_next_socket_does_not_wait(void *(*waits)(void *)) {
    static const char request[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n";
    int old[2], fresh[2], spare, sent;
    char bytes[256];
    pthread_t thread;
    connect_pair(LOCAL, old);
    connect_pair(TCP, fresh);
    must((spare = dup(old[0])) >= 0, "dup");
    must(pthread_create(&thread, NULL, waits, &old[0]) == 0, "pthread_create");
    if (waits == sends_one) {
        await_readable(old[1]);
    }
    let_it_wait();
    must(dup2(fresh[0], old[0]) == old[0], "dup2");
    close(fresh[0]);
    set_blocking(old[0], 0);
    receive(old[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    put(fresh[1], request, sizeof request - 1);
    await_readable(old[0]);
    receive(old[0], 256, &out);
    EXPECT(out, -(int)(sizeof request - 1), WDT_ERR, EAGAIN);
    sent = webSocket_serverLinkToClient(old[0], out.data, -1);
    must(sent > 0 && sent < 200, "webSocket_serverLinkToClient");
    put(fresh[1], "\x89\x82\0\0\0\0hi", 8);
    await_readable(old[0]);
    receive(old[0], 64, &out);
    EXPECT(out, 2, WDT_PING, 0);
    CHECK_INT(webSocket_send(old[0], (char *)"yo", 2, false, WDT_TXTDATA), 4);
    get(fresh[1], bytes, (size_t)sent + 8);
    CHECK_BYTES(bytes + sent, "\x8A\x02hi\x81\x02yo", 8);
    /* What the old socket still brings does not touch the next one. */
    put(fresh[1], "\x81\x82\0\0\0\0me", 8);
    send(old[1], "\x81\x81\0\0\0\0z", 7, MSG_NOSIGNAL);
    shutdown(old[1], SHUT_RDWR);
    close(old[1]);
    if (waits == sends_one) {
        pthread_join(thread, NULL);
        await_readable(old[0]);
        receive(old[0], 64, &out);
        EXPECT(out, 2, WDT_TXTDATA, 0);
        CHECK_BYTES(out.data, "me", 2);
    } else {
        /* The thread begins anew, with the number's own socket. */
        pthread_join(thread, NULL);
        CHECK(is_quiet(old[0]));
    }
    close(spare);
    close(old[0]);
    close(fresh[1]);
}

/* A thread reads on while another one answers the handshake. */
static void a_handshake_does_not_wait_for_a_reader(void) {
    char request[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n";
    pthread_t thread;
    int pair[2];
    connect_pair(TCP, pair);
    must(pthread_create(&thread, NULL, receives_one, &pair[0]) == 0, "pthread_create");
    let_it_wait();
    CHECK_INT(webSocket_pendingLen(pair[0]), 0);
    CHECK(webSocket_serverLinkToClient(pair[0], request, -1) > 0);
    put(pair[1], "\x81\x81\0\0\0\0a", 7);
    pthread_join(thread, NULL);
    close_pair(pair);
}

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

/* The library's question whose socket `slow_fd` is takes its time. */
static int slow_fd = -1, slow_asked;

int getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
    if (fd >= 0 && fd == __atomic_load_n(&slow_fd, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&slow_asked, 1, __ATOMIC_SEQ_CST);
        usleep(200000);
    }
    return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}

/* A half frame is read with another socket's record still in place. While the
 * right one is made (and stale ones are looked for), the number's next call
 * must not take what follows for a frame's start. */
static void a_half_moves_at_once(void) {
    static char big[1 << 22];
    int full[2], old[2], fresh[2], tries;
    pthread_t thread;
    connect_pair(LOCAL, full);
    set_blocking(full[0], 0);
    CHECK(webSocket_send(full[0], big, sizeof big, false, WDT_BINDATA) > 0);
    connect_pair(TCP, old);
    connect_pair(TCP, fresh);
    put(old[1], "\x81\x01" "a", 3);
    receive(old[0], 64, &out);
    EXPECT(out, 1, WDT_TXTDATA, 0);
    must(dup2(fresh[0], old[0]) == old[0], "dup2");
    close(fresh[0]);
    set_blocking(old[0], 0);
    put(fresh[1], "\x81\x05he", 4);
    await_readable(old[0]);
    __atomic_store_n(&slow_fd, full[0], __ATOMIC_SEQ_CST);
    must(pthread_create(&thread, NULL, receives_one, &old[0]) == 0, "pthread_create");
    for (tries = 0; tries < 5000 && !__atomic_load_n(&slow_asked, __ATOMIC_SEQ_CST); tries++) {
        usleep(1000);
    }
    CHECK(slow_asked);
    __atomic_store_n(&slow_fd, -1, __ATOMIC_SEQ_CST);
    put(fresh[1], "llo", 3);
    await_readable(old[0]);
    receive(old[0], 64, &out);
    EXPECT(out, 5, WDT_TXTDATA, 0);
    CHECK_BYTES(out.data, "hello", 5);
    pthread_join(thread, NULL);
    close_pair(full);
    close(old[1]);
    close(old[0]);
    close(fresh[1]);
}

int main(void) {
    alarm(60);
    an_edge_after_a_local_socket();
    a_half_moves_at_once();
    a_handshake_does_not_wait_for_a_reader();
    the_next_socket_does_not_wait(receives_one);
    the_next_socket_does_not_wait(sends_one);
    return check_done("legacy_waits");
}
