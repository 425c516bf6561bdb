/* webSocket_send: bytes on the wire, refusals, full buffers on both roles, who
 * goes first, two threads on one fd. */
#include "legacy_sockets.h"

#include <pthread.h>
#include <signal.h>

static enum transport transport;
static struct outcome out;

static void small_buffers(int pair[2]) {
    int small = 65536;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(pair[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
}

static void bytes_on_the_wire(void) {
    static const struct {
        int type;
        unsigned char first;
    } rows[] = {
        {WDT_MINDATA, 0x00}, {WDT_TXTDATA, 0x81}, {WDT_BINDATA, 0x82}, {WDT_DISCONN, 0x88}, {WDT_PING, 0x89},
        {WDT_PONG, 0x8A},    {100, 0x02},         {101, 0x01},         {99, 0x80},
    };
    static const int sizes[] = {0, 1, 125, 126, 127, 2047, 2048, 2049, 65535, 65536, 65537};
    static unsigned char data[65537], frame[65551];
    int pair[2];
    size_t row, size;
    connect_pair(transport, pair);
    for (size = 0; size < sizeof data; size++) {
        data[size] = (unsigned char)(size * 13);
    }
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (size = 0; size < sizeof sizes / sizeof *sizes; size++) {
            int masked, length = sizes[size], at;
            for (masked = 0; masked < 2; masked++) {
                int head = 2 + (length > 65535 ? 8 : length > 125 ? 2 : 0) + 4 * masked;
                int sent = webSocket_send(pair[0], (char *)data, length, masked, (WebsocketData_Type)rows[row].type);
                if (rows[row].first & 8 && length > 125) {
                    CHECK_INT(sent, -1);
                    CHECK_INT(errno, EINVAL);
                    continue;
                }
                CHECK_INT(sent, head + length);
                get(pair[1], frame, (size_t)sent);
                CHECK_INT(frame[0], rows[row].first);
                CHECK_INT(frame[1], (masked ? 0x80 : 0) | (length > 65535 ? 127 : length > 125 ? 126 : length));
                for (at = 0; at < length; at++) {
                    unsigned char key = masked ? frame[head - 4 + (at & 3)] : 0;
                    if ((frame[head + at] ^ key) != data[at]) {
                        CHECK_INT(at, -1);
                        break;
                    }
                }
            }
        }
    }
    CHECK(is_quiet(pair[1]));
    close_pair(pair);
}

static void refusals(void) {
    static const int types[] = {WDT_NULL, WDT_ERR, 1, 2, 98, 102, -21, -14, 2147483647};
    char data[4] = "abc";
    int pair[2];
    size_t at;
    connect_pair(transport, pair);
    for (at = 0; at < sizeof types / sizeof *types; at++) {
        errno = 0;
        CHECK_INT(webSocket_send(pair[0], data, 3, false, (WebsocketData_Type)types[at]), -1);
        CHECK_INT(errno, EINVAL);
    }
    CHECK_INT(webSocket_send(pair[0], data, -1, false, WDT_TXTDATA), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(webSocket_send(pair[0], NULL, 3, false, WDT_TXTDATA), -1);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(webSocket_send(-1, data, 3, false, WDT_TXTDATA), -1);
    CHECK_INT(errno, EBADF);
    CHECK(is_quiet(pair[1]));
    CHECK_INT(webSocket_send(pair[0], NULL, 0, false, WDT_TXTDATA), 2);
    /* tr07: no SIGPIPE, whose default would end this program. */
    close(pair[1]);
    for (at = 0; at < 3; at++) {
        errno = 0;
        if (webSocket_send(pair[0], data, 3, true, WDT_TXTDATA) < 0) {
            CHECK(errno == EPIPE || errno == ECONNRESET);
        }
        usleep(1000);
    }
    CHECK_INT(webSocket_send(pair[0], data, 3, true, WDT_TXTDATA), -1);
    close(pair[0]);
}

static void a_full_server_keeps_the_rest(int masked) {
    static char big[3 << 20];
    int pair[2], sent, count;
    size_t whole;
    connect_pair(transport, pair);
    small_buffers(pair);
    set_blocking(pair[0], 0);
    memset(big, 'B', sizeof big);
    /* Larger than any buffer: part of it goes, the rest is kept. */
    sent = webSocket_send(pair[0], big, sizeof big, masked, WDT_BINDATA);
    CHECK_INT(sent, (int)sizeof big + (masked ? 14 : 10));
    /* Full: nothing more, not even a byte of it. */
    for (count = 0; count < 3; count++) {
        errno = 0;
        CHECK_INT(webSocket_send(pair[0], big, 10, masked, WDT_TXTDATA), -1);
        CHECK_INT(errno, EAGAIN);
    }
    /* Answers wait behind it; only the latest pong stays. */
    put(pair[1], "\x89\x81\0\0\0\0a\x89\x81\0\0\0\0b\x89\x81\0\0\0\0c", 21);
    for (count = 0; count < 3; count++) {
        await_readable(pair[0]);
        receive(pair[0], 64, &out);
        EXPECT(out, 1, WDT_PING, 0);
    }
    /* The rest goes out on receives alone, as the peer reads. */
    {
        static char stream[sizeof big + 64];
        size_t have = 0, want = (size_t)sent + 3;
        while (have < want) {
            ssize_t got = recv(pair[1], stream + have, want - have, MSG_DONTWAIT);
            if (got > 0) {
                have += (size_t)got;
            } else {
                receive(pair[0], 64, &out);
                EXPECT(out, 0, WDT_NULL, EAGAIN);
            }
        }
        CHECK_BYTES(stream + sent, "\x8A\x01" "c", 3);
        CHECK(is_quiet(pair[1]));
    }
    /* And on sends. */
    CHECK_INT(webSocket_send(pair[0], big, sizeof big, masked, WDT_BINDATA), sent);
    for (whole = 0; whole < 1;) {
        static char stream[1 << 16];
        ssize_t got = recv(pair[1], stream, sizeof stream, MSG_DONTWAIT);
        if (got < 0) {
            int more = webSocket_send(pair[0], (char *)"x", 1, masked, WDT_TXTDATA);
            whole += more > 0;
            CHECK(more > 0 || errno == EAGAIN);
        }
    }
    close_pair(pair);
}

/* Every frame reported as sent arrives, and nothing else does. */
static void sent_is_sent(void) {
    static char letters[100000], expected[100000];
    static char payload[70000];
    size_t done = 0, count = 0;
    int pair[2], round;
    connect_pair(transport, pair);
    small_buffers(pair);
    set_blocking(pair[0], 0);
    for (round = 0; round < 400; round++) {
        int size = (round * 7919) % 70000, sent;
        memset(payload, 'A' + round % 26, sizeof payload);
        sent = webSocket_send(pair[0], payload, size, round & 1, WDT_BINDATA);
        if (sent > 0) {
            expected[done++] = size > 0 ? (char)('A' + round % 26) : '-';
        } else {
            CHECK_INT(errno, EAGAIN);
        }
        if (round % 40 == 39) {
            /* Collect: what was kept leaves with the receives. */
            static unsigned char stream[8 << 20];
            static size_t have;
            int idle = 0;
            if (round == 39) {
                have = 0;
            }
            while (idle < 20) {
                ssize_t got = recv(pair[1], stream + have, sizeof stream - have, MSG_DONTWAIT);
                receive(pair[0], 64, &out);
                EXPECT(out, 0, WDT_NULL, EAGAIN);
                if (got > 0) {
                    have += (size_t)got;
                    idle = 0;
                } else {
                    idle++;
                    usleep(1000);
                }
            }
            {
                /* Hand it to the frame reader through a pair of its own. */
                size_t at = 0;
                count = 0;
                while (at + 2 <= have) {
                    size_t length = stream[at + 1] & 127, head = 2;
                    if (length == 126) {
                        length = (size_t)stream[at + 2] << 8 | stream[at + 3];
                        head = 4;
                    } else if (length == 127) {
                        length = (size_t)stream[at + 7] << 16 | (size_t)stream[at + 8] << 8 | stream[at + 9];
                        head = 10;
                    }
                    head += stream[at + 1] & 128 ? 4 : 0;
                    CHECK_INT(stream[at], 0x82);
                    if (stream[at] != 0x82) {
                        return;
                    }
                    letters[count++] = length == 0 ? '-'
                                       : (char)(stream[at + head] ^ (stream[at + 1] & 128 ? stream[at + head - 4] : 0));
                    at += head + length;
                }
                CHECK_INT(at, have);
                CHECK_INT(count, done);
                CHECK_BYTES(letters, expected, done);
            }
        }
    }
    close_pair(pair);
}

static void blocking_with_a_limit(void) {
    struct timeval limit = {0, 50000};
    static char big[3 << 20];
    int pair[2], sent;
    connect_pair(transport, pair);
    small_buffers(pair);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sent = webSocket_send(pair[0], big, sizeof big, false, WDT_BINDATA);
    CHECK_INT(sent, (int)sizeof big + 10);
    errno = 0;
    CHECK_INT(webSocket_send(pair[0], big, 1, false, WDT_BINDATA), -1);
    CHECK_INT(errno, EAGAIN);
    close_pair(pair);
}

static void on_alarm(int signal_) {
    (void)signal_;
}

struct reader {
    int fd;
    size_t want, have;
};

static void *slow_reader(void *argument) {
    struct reader *reader = (struct reader *)argument;
    static char piece[1 << 16];
    usleep(100000);
    while (reader->have < reader->want) {
        ssize_t got = recv(reader->fd, piece, sizeof piece, 0);
        if (got <= 0) {
            break;
        }
        reader->have += (size_t)got;
    }
    return NULL;
}

/* A signal in the middle of a blocking send: the frame still leaves whole. */
static void blocking_and_interrupted(void) {
    static char big[3 << 20];
    struct sigaction action;
    struct itimerval timer;
    struct reader reader;
    pthread_t thread;
    int pair[2];
    sigset_t alarm_set;
    connect_pair(transport, pair);
    small_buffers(pair);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    reader.fd = pair[1];
    reader.want = sizeof big + 10;
    reader.have = 0;
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
    must(pthread_create(&thread, NULL, slow_reader, &reader) == 0, "pthread_create");
    pthread_sigmask(SIG_UNBLOCK, &alarm_set, NULL);
    memset(&timer, 0, sizeof timer);
    timer.it_value.tv_usec = 20000;
    timer.it_interval.tv_usec = 10000;
    setitimer(ITIMER_REAL, &timer, NULL);
    CHECK_INT(webSocket_send(pair[0], big, sizeof big, false, WDT_BINDATA), (int)sizeof big + 10);
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    shutdown(pair[0], SHUT_WR);
    pthread_join(thread, NULL);
    CHECK_INT(reader.have, reader.want);
    close_pair(pair);
}

struct sender {
    int fd, count;
    char letter;
};

static void *sends_letters(void *argument) {
    struct sender *sender = (struct sender *)argument;
    char payload[5000];
    int at;
    memset(payload, sender->letter, sizeof payload);
    for (at = 0; at < sender->count; at++) {
        int size = (at * 617) % 5000 + 1;
        while (webSocket_send(sender->fd, payload, size, at & 1, WDT_BINDATA) < 0) {
            CHECK_INT(errno, EAGAIN);
            usleep(50);
        }
    }
    return NULL;
}

#define PING "\x89\x83\0\0\0\0ppp"

struct pinger {
    int fd, stop, pings;
    size_t frames, pongs, cut;
};

/* The peer: floods with pings while it reads frames and checks each. */
static void *pings_and_reads(void *argument) {
    struct pinger *peer = (struct pinger *)argument;
    static unsigned char stream[1 << 17];
    size_t have = 0;
    for (;;) {
        ssize_t got;
        size_t at = 0;
        if (peer->pings < 20000) {
            /* A ping that is cut by a full buffer is completed later. */
            got = send(peer->fd, &PING[peer->cut], 9 - peer->cut, MSG_DONTWAIT | MSG_NOSIGNAL);
            peer->cut += got > 0 ? (size_t)got : 0;
            if (peer->cut == 9) {
                peer->cut = 0;
                peer->pings++;
            }
        }
        got = recv(peer->fd, stream + have, sizeof stream - have, MSG_DONTWAIT);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            usleep(20);
            continue;
        }
        have += (size_t)got;
        while (at + 2 <= have) {
            size_t length = stream[at + 1] & 127, head = 2, byte;
            unsigned char key[4] = {0, 0, 0, 0};
            if (length == 126) {
                if (at + 4 > have) {
                    break;
                }
                length = (size_t)stream[at + 2] << 8 | stream[at + 3];
                head = 4;
            }
            head += stream[at + 1] & 128 ? 4 : 0;
            if (at + head + length > have) {
                break;
            }
            if (stream[at + 1] & 128) {
                memcpy(key, stream + at + head - 4, 4);
            }
            for (byte = 1; byte < length; byte++) {
                if ((stream[at + head + byte] ^ key[byte & 3]) != (stream[at + head] ^ key[0])) {
                    CHECK(!"frames do not mix");
                    return NULL;
                }
            }
            if (stream[at] == 0x8A) {
                CHECK_INT(length, 3);
                peer->pongs++;
            } else {
                CHECK_INT(stream[at], 0x82);
                peer->frames++;
            }
            at += head + length;
        }
        memmove(stream, stream + at, have - at);
        have -= at;
    }
    CHECK_INT(have, 0);
    return NULL;
}

static void *receives(void *argument) {
    struct pinger *own = (struct pinger *)argument;
    /* At least one ping, however late this thread is given a processor. */
    while (!__atomic_load_n(&own->stop, __ATOMIC_ACQUIRE) || own->pings == 0) {
        char data[64];
        WebsocketData_Type type;
        int result = webSocket_recv(own->fd, data, sizeof data, &type);
        if (result == 0) {
            CHECK_INT(errno, EAGAIN);
            usleep(20);
        } else {
            CHECK_INT(result, 3);
            CHECK_INT(type, WDT_PING);
            own->pings++;
        }
    }
    return NULL;
}

/* ct09, ct12: two senders, a receiver that answers a ping flood, one fd. */
static void threads_do_not_mix_frames(int blocking) {
    struct sender senders[2];
    struct pinger own, peer;
    pthread_t threads[4];
    int pair[2];
    struct timeval limit = {0, 20000};
    connect_pair(transport, pair);
    small_buffers(pair);
    set_blocking(pair[0], blocking);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    memset(&own, 0, sizeof own);
    memset(&peer, 0, sizeof peer);
    own.fd = pair[0];
    peer.fd = pair[1];
    senders[0].fd = senders[1].fd = pair[0];
    senders[0].count = senders[1].count = 2000;
    senders[0].letter = 'a';
    senders[1].letter = 'b';
    must(pthread_create(&threads[0], NULL, pings_and_reads, &peer) == 0, "pthread_create");
    must(pthread_create(&threads[1], NULL, receives, &own) == 0, "pthread_create");
    must(pthread_create(&threads[2], NULL, sends_letters, &senders[0]) == 0, "pthread_create");
    must(pthread_create(&threads[3], NULL, sends_letters, &senders[1]) == 0, "pthread_create");
    pthread_join(threads[2], NULL);
    pthread_join(threads[3], NULL);
    __atomic_store_n(&own.stop, 1, __ATOMIC_RELEASE);
    pthread_join(threads[1], NULL);
    /* Whatever is kept leaves before the end. */
    while (webSocket_send(pair[0], (char *)"z", 1, false, WDT_BINDATA) < 0) {
        usleep(100);
    }
    shutdown(pair[0], SHUT_WR);
    pthread_join(threads[0], NULL);
    CHECK_INT(peer.frames, 4001);
    CHECK(peer.pongs > 0);
    close_pair(pair);
}

/* tr10: one stalled peer does not delay another. */
static void a_stalled_peer_harms_none(void) {
    static char big[1 << 20];
    int stalled[2], healthy[2], round;
    char frame[64];
    connect_pair(transport, stalled);
    connect_pair(transport, healthy);
    small_buffers(stalled);
    set_blocking(stalled[0], 0);
    set_blocking(healthy[0], 0);
    CHECK(webSocket_send(stalled[0], big, sizeof big, false, WDT_BINDATA) > 0);
    for (round = 0; round < 1000; round++) {
        CHECK_INT(webSocket_send(stalled[0], big, 10, false, WDT_BINDATA), -1);
        CHECK_INT(errno, EAGAIN);
        CHECK_INT(webSocket_send(healthy[0], big, 10, false, WDT_BINDATA), 12);
        get(healthy[1], frame, 12);
    }
    close_pair(stalled);
    close_pair(healthy);
}

int main(void) {
    for (transport = LOCAL; transport <= TCP; transport++) {
        bytes_on_the_wire();
        refusals();
        a_full_server_keeps_the_rest(0);
        a_full_server_keeps_the_rest(1);
        sent_is_sent();
        blocking_with_a_limit();
        blocking_and_interrupted();
        threads_do_not_mix_frames(0);
        threads_do_not_mix_frames(1);
        a_stalled_peer_harms_none();
    }
    return check_done("legacy_send");
}
