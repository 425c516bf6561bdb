/* ws_recv on random streams, cut at random: what is told is what was sent. Whole
 * and fragmented messages, some of them too large, with control frames and
 * whole messages between fragments, masked or not, lengths in any form. */
#include "ws_sockets.h"

enum { ROOM = 300, MOST = 4000, EVENTS = 400 };

static struct outcome out;
static unsigned long long state;

static unsigned below(unsigned end) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 32) % end;
}

struct event {
    int result, type;
    unsigned sum;
};

static char wire[1 << 20];
static size_t length;
static struct event expected[EVENTS], told[EVENTS];
static int events;

/* Depends on each byte and its place. */
static unsigned sum_of(const char *bytes, size_t count) {
    unsigned sum = 0;
    while (count-- > 0) {
        sum = sum * 31 + (unsigned char)*bytes++;
    }
    return sum;
}

static void expect(int result, int type, unsigned sum) {
    expected[events].result = result;
    expected[events].type = type;
    expected[events++].sum = sum;
}

static void put_frame(int first, const char *payload, size_t count) {
    const int masked = (int)below(2), form = first & 8 ? 0 : (int)below(3);
    const char key[4] = {(char)below(256), (char)below(256), (char)below(256), (char)below(256)};
    size_t at;
    wire[length++] = (char)first;
    if (form == 0 && count < 126) {
        wire[length++] = (char)(count | (size_t)masked << 7);
    } else if (form < 2 && count < 65536) {
        wire[length++] = (char)(126 | masked << 7);
        wire[length++] = (char)(count >> 8);
        wire[length++] = (char)count;
    } else {
        wire[length++] = (char)(127 | masked << 7);
        memset(wire + length, 0, 8);
        wire[length + 6] = (char)(count >> 8);
        wire[length + 7] = (char)count;
        length += 8;
    }
    if (masked) {
        memcpy(wire + length, key, 4);
        length += 4;
    }
    for (at = 0; at < count; at++) {
        wire[length++] = (char)(payload[at] ^ (masked ? key[at & 3] : 0));
    }
}

static void a_control_frame(const char *payload) {
    const int pong = (int)below(2);
    put_frame(pong ? 0x8A : 0x89, payload, below(126));
    expect(0, pong ? WDT_PONG : WDT_PING, 0);
}

static size_t a_length(void) { return below(4) == 0 ? below(MOST) : below(2) ? below(ROOM + 2) : below(10); }

static void expect_message(const char *payload, size_t count, int type) {
    if (count > ROOM) {
        expect(-(int)count, type, 0);
    } else {
        expect((int)count, type, sum_of(payload, count));
    }
}

static void a_whole_message(void) {
    static const int firsts[] = {0x81, 0x82}, types[] = {WDT_TXTDATA, WDT_BINDATA};
    static char payload[MOST];
    const unsigned which = below(2);
    size_t count = a_length(), at;
    for (at = 0; at < count; at++) {
        payload[at] = (char)below(256);
    }
    put_frame(firsts[which], payload, count);
    expect_message(payload, count, types[which]);
}

static void a_message_in_fragments(void) {
    static char payload[MOST];
    const int text = (int)below(2);
    size_t count = a_length(), sent = 0, at;
    for (at = 0; at < count; at++) {
        payload[at] = (char)below(256);
    }
    for (at = 0;; at++) {
        size_t piece = below((unsigned)(count - sent) + 1);
        const int last = below(4) == 0;
        if (last) {
            piece = count - sent;
        }
        put_frame((last ? 0x80 : 0) | (at > 0 ? 0 : text ? 1 : 2), payload + sent, piece);
        sent += piece;
        if (last) {
            break;
        }
        while (below(3) == 0 && events < EVENTS - 10) {
            if (below(4) == 0) {
                a_whole_message();
            } else {
                a_control_frame(payload);
            }
        }
    }
    expect_message(payload, count, text ? WDT_TXTDATA : WDT_BINDATA);
}

static void build_a_stream(void) {
    length = 0;
    events = 0;
    while (events < EVENTS / 8 && length < sizeof wire / 2) {
        switch (below(5)) {
        case 0: a_control_frame(wire + sizeof wire / 2); break;
        case 1: a_whole_message(); break;
        case 2:
            put_frame(below(2) ? 0x80 : 0x00, "stray", 5);
            expect_message("stray", 5, WDT_MINDATA);
            break;
        default: a_message_in_fragments(); break;
        }
    }
}

/* The pongs that come back have to be read, or they would stand in the way. */
static void take_pongs(int fd) {
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

static void run(enum transport transport, unsigned most) {
    int pair[2], count = 0;
    size_t sent = 0;
    a_pair(transport, pair);
    while (sent < length) {
        size_t piece = 1 + below(most);
        if (piece > length - sent) {
            piece = length - sent;
        }
        arrive(pair, wire + sent, piece);
        sent += piece;
        for (;;) {
            hear(pair[0], ROOM, &out);
            if (out.type == WDT_NULL && out.result == 0) {
                if (is_quiet(pair[0])) {
                    break;
                }
                continue;
            }
            CHECK(count < events && out.type != WDT_DISCONN);
            if (count >= events || out.type == WDT_DISCONN) {
                close_pair(pair);
                return;
            }
            told[count].result = out.result;
            told[count].type = out.type;
            told[count++].sum = out.result > 0 ? sum_of(out.data, (size_t)out.result) : 0;
        }
        take_pongs(pair[1]);
    }
    CHECK_INT(count, events);
    while (count-- > 0) {
        CHECK_INT(told[count].result, expected[count].result);
        CHECK_INT(told[count].type, expected[count].type);
        CHECK_INT(told[count].sum, expected[count].sum);
    }
    close_pair(pair);
}

int main(void) {
    static const unsigned mosts[] = {2, 7, 40, 500, 100000};
    const unsigned rounds = check_short() ? 2 : 40;
    unsigned round;
    for (round = 1; round <= rounds && check_failures == 0; round++) {
        state = 0x9E3779B97F4A7C15ull * round;
        build_a_stream();
        run(round & 1 ? LOCAL : TCP, mosts[round % 5]);
        if (check_failures != 0) {
            fprintf(stderr, "round %u\n", round);
        }
    }
    return check_done("ws_com_random");
}
