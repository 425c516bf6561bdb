/* ws_recv: messages that are too large, what the program drops, blocking fds,
 * numbers that are used again. */
#include <pthread.h>
#include <signal.h>

#include "ws_sockets.h"

static enum transport transport;
static struct outcome out;
static char big[1 << 20];

static void a_fresh_pair(int pair[2]) { a_pair(transport, pair); }

/* Receives until something is told. */
static void hear_until_told(int fd, int room) {
    do {
        await_readable(fd);
        hear(fd, room, &out);
    } while (out.type == WDT_NULL);
}

/* A frame of so many bytes, masked with zeros. */
static size_t build(char *frame, int first, size_t length) {
    size_t head;
    frame[0] = (char)first;
    if (length < 126) {
        frame[1] = (char)(0x80 | length);
        head = 2;
    } else if (length < 65536) {
        frame[1] = (char)0xFE;
        frame[2] = (char)(length >> 8);
        frame[3] = (char)length;
        head = 4;
    } else {
        int at;
        frame[1] = (char)0xFF;
        for (at = 0; at < 8; at++) {
            frame[2 + at] = (char)((unsigned long long)length >> (56 - 8 * at));
        }
        head = 10;
    }
    memset(frame + head, 0, 4);
    memset(frame + head + 4, 'x', length);
    return head + 4 + length;
}

static void too_large_is_dropped_whole(void) {
    static const size_t lengths[] = {101, 125, 126, 5000, 65535, 65536, 200000};
    size_t row;
    int pair[2];
    a_fresh_pair(pair);
    for (row = 0; row < sizeof lengths / sizeof *lengths; row++) {
        size_t length = build(big, 0x82, lengths[row]), at = 0;
        while (at < length) {
            size_t piece = length - at < 3000 ? length - at : 3000;
            arrive(pair, big + at, piece);
            at += piece;
            hear(pair[0], 100, &out);
            if (at < length) {
                EXPECT(out, 0, WDT_NULL);
                CHECK(is_quiet(pair[0]));
            }
        }
        EXPECT(out, -(int)lengths[row], WDT_BINDATA);
        ARRIVE(pair, "\x81\x02hi");
        hear(pair[0], 100, &out);
        EXPECT_TEXT(out, "hi", WDT_TXTDATA);
    }
    /* What fits exactly fits, and has no NUL; one byte more does not. */
    arrive(pair, big, build(big, 0x81, 100));
    hear(pair[0], 100, &out);
    EXPECT(out, 100, WDT_TXTDATA);
    arrive(pair, big, build(big, 0x81, 101));
    hear(pair[0], 100, &out);
    EXPECT(out, -101, WDT_TXTDATA);
    arrive(pair, big, build(big, 0x80, 101));
    hear(pair[0], 100, &out);
    EXPECT(out, -101, WDT_MINDATA);
    close_pair(pair);
}

static void too_large_in_fragments(void) {
    int pair[2], at;
    a_fresh_pair(pair);
    for (at = 0; at < 6; at++) {
        arrive(pair, big, build(big, at == 0 ? 0x01 : at == 5 ? 0x80 : 0x00, 40));
        hear(pair[0], 100, &out);
        if (at < 5) {
            EXPECT(out, 0, WDT_NULL);
        }
    }
    EXPECT(out, -240, WDT_TXTDATA);
    /* All at once, and a message glued behind; a ping between is told. */
    put(pair[1], big, build(big, 0x02, 90));
    put(pair[1], "\x89\x80\0\0\0\0", 6);
    put(pair[1], big, build(big, 0x00, 90000));
    put(pair[1], big, build(big, 0x80, 0));
    put(pair[1], "\x81\x02hi", 4);
    hear_until_told(pair[0], 100);
    EXPECT(out, 0, WDT_PING);
    hear_until_told(pair[0], 100);
    EXPECT(out, -90090, WDT_BINDATA);
    hear_until_told(pair[0], 100);
    EXPECT_TEXT(out, "hi", WDT_TXTDATA);
    /* The sum just fits. */
    put(pair[1], big, build(big, 0x01, 60));
    put(pair[1], big, build(big, 0x80, 40));
    hear_until_told(pair[0], 100);
    EXPECT(out, 100, WDT_TXTDATA);
    close_pair(pair);
}

/* The room is that of the call that completes the message. */
static void the_room_may_change(void) {
    int pair[2];
    size_t length;
    a_fresh_pair(pair);
    length = build(big, 0x81, 500);
    arrive(pair, big, 300);
    hear(pair[0], 1000, &out);
    EXPECT(out, 0, WDT_NULL);
    arrive(pair, big + 300, length - 300);
    hear(pair[0], 100, &out);
    EXPECT(out, -500, WDT_TXTDATA);
    arrive(pair, big, build(big, 0x01, 500));
    hear(pair[0], 1000, &out);
    EXPECT(out, 0, WDT_NULL);
    arrive(pair, big, build(big, 0x80, 10));
    hear(pair[0], 100, &out);
    EXPECT(out, -510, WDT_TXTDATA);
    /* The last byte is still to come when the room becomes too small. */
    length = build(big, 0x81, 500);
    arrive(pair, big, length - 1);
    hear(pair[0], 1000, &out);
    EXPECT(out, 0, WDT_NULL);
    hear(pair[0], 100, &out);
    EXPECT(out, 0, WDT_NULL);
    arrive(pair, big, 1);
    hear(pair[0], 1000, &out);
    EXPECT(out, -500, WDT_TXTDATA);
    close_pair(pair);
}

/* Announced sizes allocate nothing, and a peer that announces the most that a
 * header can say is waited for. */
static void announced_sizes(void) {
    int pair[2];
    a_fresh_pair(pair);
    ARRIVE(pair, "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" "abc");
    hear(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL);
    arrive(pair, big, 100000);
    hear(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL);
    close_pair(pair);
}

/* `how` 0: no buffer; 1: no size; 2: a size below 0. */
static void drop(int fd, int how, int want) {
    char room[32];
    Ws_DataType type = (Ws_DataType)77;
    memset(room, 0x5A, sizeof room);
    CHECK_INT(ws_recv(fd, how == 0 ? NULL : room, how == 0 ? 32 : how == 1 ? 0 : -5, &type), 0);
    CHECK_INT(type, want);
    for (how = 0; how < 32; how++) {
        CHECK_INT(room[how], 0x5A);
    }
}

static void what_is_pending_is_dropped(void) {
    static const char wire[] = "\x81\x02hi\x01\x02" "ab\x80\x02" "cd\x82\x03xyz";
    const size_t length = sizeof wire - 1;
    int how;
    for (how = 0; how < 3; how++) {
        size_t cut;
        for (cut = 1; cut <= length; cut++) {
            int pair[2];
            a_fresh_pair(pair);
            arrive(pair, wire, cut);
            drop(pair[0], how, WDT_NULL);
            CHECK(is_quiet(pair[0]));
            /* What is cut off is dropped when it is complete; nothing else is. */
            put(pair[1], wire + cut, length - cut);
            put(pair[1], "\x81\x04last", 6);
            do {
                await_readable(pair[0]);
                hear(pair[0], 64, &out);
            } while (out.type != WDT_TXTDATA);
            if (cut <= 4) {
                EXPECT_TEXT(out, "abcd", WDT_TXTDATA);
                hear_until_told(pair[0], 64);
                EXPECT_TEXT(out, "xyz", WDT_BINDATA);
                hear_until_told(pair[0], 64);
            }
            EXPECT_TEXT(out, "last", WDT_TXTDATA);
            close_pair(pair);
        }
    }
    {
        char pong[2];
        int pair[2];
        a_fresh_pair(pair);
        drop(pair[0], 0, WDT_NULL);
        /* A ping is answered; a large message is dropped too. */
        put(pair[1], "\x89\x80\0\0\0\0", 6);
        put(pair[1], big, build(big, 0x82, 60000));
        put(pair[1], "\x01\x01" "a", 3);
        await_readable(pair[0]);
        while (!is_quiet(pair[0])) {
            drop(pair[0], 0, WDT_NULL);
        }
        get(pair[1], pong, 2);
        CHECK_BYTES(pong, "\x8A\x00", 2);
        ARRIVE(pair, "\x00\x01" "b\x81\x02hi");
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "hi", WDT_TXTDATA);
        ARRIVE(pair, "\x80\x01" "c\x01\x01h\x80\x01o");
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "ho", WDT_TXTDATA);
        put(pair[1], "\x81\x02hi", 4);
        shutdown(pair[1], SHUT_WR);
        await_readable(pair[0]);
        drop(pair[0], 0, WDT_DISCONN);
        drop(pair[0], 1, WDT_DISCONN);
        close_pair(pair);
        drop(-1, 0, WDT_DISCONN);
    }
    {
        /* A request that is dropped, and a blocking fd: it never waits. */
        int pair[2];
        connect_pair(transport, pair);
        drop(pair[0], 0, WDT_NULL);
        ARRIVE(pair, "GET / HTTP/1.1\r\n\r\n");
        drop(pair[0], 0, WDT_NULL);
        CHECK(is_quiet(pair[0]));
        CHECK_INT(ws_recv(pair[0], NULL, 0, NULL), 0);
        close_pair(pair);
    }
}

static void without_a_type(void) {
    char data[16];
    int pair[2];
    a_fresh_pair(pair);
    ARRIVE(pair, "\x8A\x02hi\x81\x02yo");
    CHECK_INT(ws_recv(pair[0], data, 16, NULL), 0);
    CHECK_INT(ws_recv(pair[0], data, 16, NULL), 2);
    CHECK_BYTES(data, "yo\0", 3);
    close_pair(pair);
}

static void on_alarm(int signal_) { (void)signal_; }

/* A blocking fd waits for the first byte of a call only. */
static void blocking_fds(void) {
    struct timeval limit = {0, 30000};
    struct sigaction action;
    struct itimerval timer;
    int pair[2];
    connect_pair(transport, pair);
    put(pair[1], "\x01\x02he", 4);
    hear(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL);
    put(pair[1], "\x80", 1);
    hear(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL);
    put(pair[1], "\x03llo", 4);
    hear(pair[0], 64, &out);
    EXPECT_TEXT(out, "hello", WDT_TXTDATA);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    hear(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL);
    limit.tv_usec = 0;
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    memset(&timer, 0, sizeof timer);
    timer.it_value.tv_usec = 20000;
    timer.it_interval.tv_usec = 20000;
    setitimer(ITIMER_REAL, &timer, NULL);
    hear(pair[0], 64, &out);
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    EXPECT(out, 0, WDT_NULL);
    close_pair(pair);
}

/* A pair whose first end has the number `number`, closed without notice. */
static void again(int pair[2], int number) {
    int fresh[2];
    close_pair(pair);
    connect_pair(transport, fresh);
    if (fresh[0] != number) {
        must(dup2(fresh[0], number) == number, "dup2");
        close(fresh[0]);
    }
    pair[0] = number;
    pair[1] = fresh[1];
    set_blocking(number, 0);
}

static void a_reused_number_starts_clean(void) {
    static const struct {
        const char *bytes;
        size_t length;
    } before[] = {
        {"\x81\x02hi", 4}, {"\x01\x02hi", 4}, {"\x01\x02hi\x80", 5}, {"\x01\x02hi\x80\x04yo", 8},
        {"\x88\x00", 2},   {"\x83\x00", 2},   {"\x82\x7E\x10\x00xyz", 7},
    };
    size_t row;
    int pair[2], number;
    a_fresh_pair(pair);
    number = pair[0];
    for (row = 0; row < sizeof before / sizeof *before; row++) {
        arrive(pair, before[row].bytes, before[row].length);
        hear(pair[0], 64, &out);
        again(pair, number);
        ARRIVE(pair, "\x80\x01z\x01\x02" "ab\x80\x02" "cd");
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "z", WDT_MINDATA);
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "abcd", WDT_TXTDATA);
        /* As the first that comes: the old record stands there still. */
        again(pair, number);
        ARRIVE(pair, "\x01\x02" "ab\x00\x01" "c\x80\x02" "de");
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "abcde", WDT_TXTDATA);
        again(pair, number);
        ARRIVE(pair, "\x01\x02" "ab");
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_NULL);
        ARRIVE(pair, "\x80\x02" "cd");
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "abcd", WDT_TXTDATA);
    }
    {
        /* Two numbers of one socket share what has come. */
        int other;
        ARRIVE(pair, "\x01\x02" "ab");
        hear(pair[0], 64, &out);
        other = dup(pair[0]);
        ARRIVE(pair, "\x80\x02" "cd");
        hear(other, 64, &out);
        EXPECT_TEXT(out, "abcd", WDT_TXTDATA);
        close(other);
    }
    close_pair(pair);
}

/* Two threads receive on one socket: fragments stay in their order. */
static int shared, told;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static void *listener(void *nothing) {
    char data[64];
    Ws_DataType type;
    for (;;) {
        struct pollfd entry;
        int length;
        entry.fd = shared;
        entry.events = POLLIN;
        poll(&entry, 1, 100);
        length = ws_recv(shared, data, 64, &type);
        if (type == WDT_DISCONN) {
            return nothing;
        }
        if (length != 0) {
            CHECK_INT(length, 30);
            CHECK_BYTES(data, "aaaaaaaaaabbbbbbbbbbcccccccccc", 30);
            pthread_mutex_lock(&counting);
            told++;
            pthread_mutex_unlock(&counting);
        }
    }
}

static void two_threads_receive(void) {
    static const char wire[] = "\x01\x0A" "aaaaaaaaaa\x00\x0A" "bbbbbbbbbb\x8A\x00\x80\x0A" "cccccccccc";
    const int rounds = check_short() ? 50 : 3000;
    pthread_t threads[2];
    int pair[2], at, cut;
    a_fresh_pair(pair);
    shared = pair[0];
    told = 0;
    for (at = 0; at < 2; at++) {
        must(pthread_create(&threads[at], NULL, listener, NULL) == 0, "pthread_create");
    }
    for (at = 0; at < rounds; at++) {
        cut = at % (int)(sizeof wire - 2);
        put(pair[1], wire, (size_t)cut);
        put(pair[1], wire + cut, sizeof wire - 1 - (size_t)cut);
    }
    shutdown(pair[1], SHUT_WR);
    for (at = 0; at < 2; at++) {
        pthread_join(threads[at], NULL);
    }
    CHECK_INT(told, rounds);
    close_pair(pair);
}

int main(void) {
    for (transport = LOCAL; transport <= TCP; transport++) {
        too_large_is_dropped_whole();
        too_large_in_fragments();
        the_room_may_change();
        announced_sizes();
        what_is_pending_is_dropped();
        without_a_type();
        blocking_fds();
        a_reused_number_starts_clean();
        two_threads_receive();
    }
    return check_done("ws_com_drop");
}
