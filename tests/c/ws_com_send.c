/* ws_send: what each type becomes on the wire, what is refused, what happens
 * when the kernel is full, and frames of several threads. */
#include <pthread.h>

#include "ws_sockets.h"

static enum transport transport;
static char big[1 << 22];
static unsigned char wire[70020];

static void a_fresh_pair(int pair[2]) { a_pair(transport, pair); }

static void every_type_has_its_first_byte(void) {
    static const struct {
        Ws_DataType type;
        int first;
    } rows[] = {
        {WDT_MINDATA, 0x80}, {WDT_TXTDATA, 0x81}, {WDT_BINDATA, 0x82},
        {WDT_DISCONN, 0x88}, {WDT_PING, 0x89},    {WDT_PONG, 0x8A},
    };
    size_t row;
    int pair[2];
    a_fresh_pair(pair);
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        CHECK_INT(ws_send(pair[0], big, 5, false, rows[row].type), 7);
        get(pair[1], wire, 7);
        CHECK_INT(wire[0], rows[row].first);
        CHECK_INT(wire[1], 5);
        CHECK_BYTES(wire + 2, "abcde", 5);
        CHECK_INT(ws_send(pair[0], big, 5, true, rows[row].type), 11);
        get(pair[1], wire, 11);
        CHECK_INT(wire[0], rows[row].first);
        CHECK_INT(wire[1], 0x85);
        CHECK_INT(wire[6] ^ wire[2], 'a');
        CHECK_INT(wire[10] ^ wire[2], 'e');
        CHECK_INT(ws_send(pair[0], NULL, 0, false, rows[row].type), 2);
        get(pair[1], wire, 2);
        CHECK_INT(wire[1], 0);
    }
    /* The bytes as they are, masked or not. */
    CHECK_INT(ws_send(pair[0], big, 5, true, WDT_NULL), 5);
    get(pair[1], wire, 5);
    CHECK_BYTES(wire, "abcde", 5);
    CHECK_INT(ws_send(pair[0], NULL, 0, true, WDT_NULL), 0);
    CHECK(is_quiet(pair[1]));
    close_pair(pair);
}

static void every_length(void) {
    static const int rows[][2] = {{0, 2}, {1, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}, {70000, 10}};
    int pair[2], masked;
    size_t row;
    a_fresh_pair(pair);
    set_blocking(pair[1], 1);
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (masked = 0; masked < 2; masked++) {
            int length = rows[row][0], head = rows[row][1] + 4 * masked, at, wrong = 0;
            const unsigned char *key = wire + head - 4;
            CHECK_INT(ws_send(pair[0], big, length, masked, WDT_BINDATA), length + head);
            get(pair[1], wire, (size_t)(length + head));
            for (at = 0; at < length; at++) {
                wrong += (char)(wire[head + at] ^ (masked ? key[at & 3] : 0)) != big[at];
            }
            CHECK_INT(wrong, 0);
        }
    }
    close_pair(pair);
}

static void bad_arguments_send_nothing(void) {
    static const int types[] = {7, -1, -19, 99, 100, 101, 2147483647};
    size_t row;
    int pair[2], type;
    a_fresh_pair(pair);
    for (row = 0; row < sizeof types / sizeof *types; row++) {
        CHECK_INT(ws_send(pair[0], big, 5, false, (Ws_DataType)types[row]), 0);
    }
    for (type = WDT_NULL; type <= WDT_PONG; type++) {
        CHECK_INT(ws_send(pair[0], big, -1, false, (Ws_DataType)type), 0);
        CHECK_INT(ws_send(pair[0], big, -2147483647 - 1, true, (Ws_DataType)type), 0);
        CHECK_INT(ws_send(pair[0], NULL, 5, false, (Ws_DataType)type), 0);
        CHECK_INT(ws_send(-1, big, 5, false, (Ws_DataType)type), -1);
        CHECK_INT(ws_send(987654, big, 5, true, (Ws_DataType)type), -1);
    }
    for (type = WDT_DISCONN; type <= WDT_PONG; type++) {
        CHECK_INT(ws_send(pair[0], big, 126, false, (Ws_DataType)type), 0);
    }
    CHECK(is_quiet(pair[1]));
    {
        int ends[2];
        must(pipe(ends) == 0, "pipe");
        CHECK_INT(ws_send(ends[1], big, 5, false, WDT_TXTDATA), -1);
        close_pair(ends);
    }
    close(pair[1]);
    /* No SIGPIPE; the first may still reach the kernel's buffer. */
    for (type = 0; type < 100 && ws_send(pair[0], big, 5, false, WDT_TXTDATA) != -1; type++) {
        ws_delayms(1);
    }
    CHECK_INT(ws_send(pair[0], big, 5, false, WDT_TXTDATA), -1);
    CHECK_INT(ws_send(pair[0], big, 5, false, WDT_NULL), -1);
    close(pair[0]);
}

/* Reads a frame that is not masked; its payload length. */
static size_t a_frame(int fd, char *payload) {
    size_t length;
    get(fd, wire, 2);
    length = wire[1];
    if (length == 126) {
        get(fd, wire + 2, 2);
        length = (size_t)wire[2] << 8 | wire[3];
    } else if (length == 127) {
        get(fd, wire + 2, 8);
        length = (size_t)wire[6] << 24 | (size_t)wire[7] << 16 | (size_t)wire[8] << 8 | wire[9];
    }
    get(fd, payload, length);
    return length;
}

/* A frame leaves whole or not at all, and the rest of one goes out first. */
static void when_the_kernel_is_full(void) {
    static char payload[1 << 22];
    int pair[2], frames = 0, small = 0, result;
    a_fresh_pair(pair);
    while ((result = ws_send(pair[0], big, 50000, false, WDT_BINDATA)) > 0) {
        CHECK_INT(result, 50004);
        frames++;
    }
    CHECK_INT(result, -1);
    CHECK(frames > 0);
    CHECK_INT(ws_send(pair[0], big, 3, false, WDT_TXTDATA), -1);
    CHECK_INT(ws_send(pair[0], big, 3, false, WDT_NULL), -1);
    for (; frames > 0; frames--) {
        /* What is left of the last one goes out with the next call, sent or not. */
        if (frames == 1) {
            small += ws_send(pair[0], big, 3, false, WDT_TXTDATA) == 5;
        }
        CHECK_INT(a_frame(pair[1], payload), 50000);
        CHECK_BYTES(payload, big, 50000);
    }
    for (; small > 0; small--) {
        CHECK_INT(a_frame(pair[1], payload), 3);
    }
    CHECK_INT(ws_send(pair[0], big, 3, false, WDT_TXTDATA), 5);
    CHECK_INT(a_frame(pair[1], payload), 3);
    CHECK_BYTES(payload, "abc", 3);
    close_pair(pair);
}

/* Each thread sends frames of one letter; none may have another's. */
enum { THREADS = 4 };

static int shared, rounds, over;
static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;

/* The rest of the last frame goes out with a call of somebody's. */
static void *receiver(void *nothing) {
    int ends;
    do {
        char data[16];
        CHECK_INT(ws_recv(shared, data, sizeof data, NULL), 0);
        ws_delayms(1);
        pthread_mutex_lock(&ending);
        ends = over;
        pthread_mutex_unlock(&ending);
    } while (!ends);
    return nothing;
}

static void *talker(void *letter) {
    char text[20000];
    int at;
    memset(text, *(const char *)letter, sizeof text);
    for (at = 0; at < rounds; at++) {
        int length = 1 + (at * 7919) % (int)sizeof text, sent;
        do {
            sent = ws_send(shared, text, length, false, WDT_BINDATA);
            if (sent < 0) {
                CHECK_INT(errno, EAGAIN);
                ws_delayms(1);
            }
        } while (sent < 0);
        CHECK(sent > length);
    }
    return letter;
}

static void frames_of_threads_never_mix(void) {
    static char letters[THREADS] = {'a', 'b', 'c', 'd'}, payload[20000];
    pthread_t threads[THREADS], receiving;
    int pair[2], at, counts[THREADS] = {0};
    rounds = check_short() ? 20 : 300;
    a_fresh_pair(pair);
    shared = pair[0];
    over = 0;
    must(pthread_create(&receiving, NULL, receiver, NULL) == 0, "pthread_create");
    for (at = 0; at < THREADS; at++) {
        must(pthread_create(&threads[at], NULL, talker, &letters[at]) == 0, "pthread_create");
    }
    for (at = 0; at < THREADS * rounds; at++) {
        size_t length, other;
        length = a_frame(pair[1], payload);
        CHECK(payload[0] >= 'a' && payload[0] <= 'd');
        for (other = 1; other < length && payload[other] == payload[0]; other++) {
        }
        CHECK_INT(other, length);
        counts[(payload[0] - 'a') & 3]++;
    }
    for (at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
        CHECK_INT(counts[at], rounds);
    }
    pthread_mutex_lock(&ending);
    over = 1;
    pthread_mutex_unlock(&ending);
    pthread_join(receiving, NULL);
    close_pair(pair);
}

int main(void) {
    size_t at;
    for (at = 0; at < sizeof big; at++) {
        big[at] = (char)('a' + at % 26);
    }
    for (transport = LOCAL; transport <= TCP; transport++) {
        every_type_has_its_first_byte();
        every_length();
        bad_arguments_send_nothing();
        when_the_kernel_is_full();
        frames_of_threads_never_mix();
    }
    return check_done("ws_com_send");
}
