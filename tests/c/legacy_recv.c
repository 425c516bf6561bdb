/* webSocket_recv, row by row: results, types, errno; cuts; fits; violations. */
#include "legacy_sockets.h"

#include <signal.h>

static enum transport transport;
static struct outcome out;

static void a_fresh_pair(int pair[2]) { a_pair(transport, pair); }

static void every_type_is_reported(void) {
    static const struct {
        const char *bytes;
        size_t length;
        int type;
    } rows[] = {
        {"\x00\x03"
         "abc", 5, WDT_MINDATA},
        {"\x80\x03"
         "abc", 5, 99},
        {"\x81\x03"
         "abc", 5, WDT_TXTDATA},
        {"\x01\x03"
         "abc", 5, 101},
        {"\x82\x03"
         "abc", 5, WDT_BINDATA},
        {"\x02\x03"
         "abc", 5, 100},
        {"\x89\x03"
         "abc", 5, WDT_PING},
        {"\x8A\x03"
         "abc", 5, WDT_PONG},
        {"\x81\x83\x00\x00\x00\x00"
         "abc", 9, WDT_TXTDATA},
        {"\x81\x83\x01\x02\x03\x04"
         "\x60\x60\x60", 9, WDT_TXTDATA},
        /* Lengths in a longer form than needed. */
        {"\x81\x7E\x00\x03"
         "abc", 7, WDT_TXTDATA},
        {"\x82\xFF\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"
         "abc", 17, WDT_BINDATA},
    };
    size_t row, cut;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (cut = 0; cut < rows[row].length; cut++) {
            int pair[2];
            a_fresh_pair(pair);
            if (cut > 0) {
                arrive(pair, rows[row].bytes, cut);
                receive(pair[0], 64, &out);
                EXPECT(out, 0, WDT_NULL, EAGAIN);
                CHECK(is_quiet(pair[0]));
            }
            arrive(pair, rows[row].bytes + cut, rows[row].length - cut);
            receive(pair[0], 64, &out);
            EXPECT(out, 3, rows[row].type, 0);
            CHECK_BYTES(out.data, "abc", 3);
            receive(pair[0], 64, &out);
            EXPECT(out, 0, WDT_NULL, EAGAIN);
            close_pair(pair);
        }
    }
}

static void empty_frames_have_their_type(void) {
    static const int types[] = {WDT_MINDATA, 99, WDT_TXTDATA, 101, WDT_BINDATA, 100, WDT_PING, WDT_PONG};
    static const char firsts[] = "\x00\x80\x81\x01\x82\x02\x89\x8A";
    int pair[2], at;
    a_fresh_pair(pair);
    for (at = 0; at < 8; at++) {
        char frame[6] = {0, (char)0x80, 1, 2, 3, 4};
        frame[0] = firsts[at];
        arrive(pair, frame, 6);
        receive(pair[0], 1, &out);
        EXPECT(out, 0, types[at], EAGAIN);
    }
    /* An empty ping has an empty pong, unmasked to a peer that masks. */
    {
        char pong[2];
        get(pair[1], pong, 2);
        CHECK_BYTES(pong, "\x8A\x00", 2);
        CHECK(is_quiet(pair[1]));
    }
    close_pair(pair);
}

static void pings_are_answered(void) {
    char payload[125], frame[131], answer[131];
    int pair[2];
    size_t at;
    for (at = 0; at < sizeof payload; at++) {
        payload[at] = (char)(at * 7 + 200);
    }
    a_fresh_pair(pair);
    memcpy(frame, "\x89\xFD\0\0\0\0", 6);
    memcpy(frame + 6, payload, 125);
    /* ct03: larger than the room: answered, reported as 0 with its type. */
    arrive(pair, frame, 131);
    receive(pair[0], 124, &out);
    EXPECT(out, 0, WDT_PING, EAGAIN);
    get(pair[1], answer, 127);
    CHECK_BYTES(answer, "\x8A\x7D", 2);
    CHECK_BYTES(answer + 2, payload, 125);
    arrive(pair, frame, 131);
    receive(pair[0], 125, &out);
    EXPECT(out, 125, WDT_PING, 0);
    CHECK_BYTES(out.data, payload, 125);
    get(pair[1], answer, 127);
    /* Without a type the caller could not tell it from data. */
    arrive(pair, frame, 131);
    errno = 0;
    CHECK_INT(webSocket_recv(pair[0], out.data, 125, NULL), 0);
    CHECK_INT(errno, EAGAIN);
    get(pair[1], answer, 127);
    ARRIVE(pair, "\x8A\x02hi");
    CHECK_INT(webSocket_recv(pair[0], out.data, 125, NULL), 0);
    CHECK_INT(errno, EAGAIN);
    ARRIVE(pair, "\x81\x02hi");
    CHECK_INT(webSocket_recv(pair[0], out.data, 125, NULL), 2);
    /* A peer that does not mask is a server: its pong is masked. */
    ARRIVE(pair, "\x89\x02hi");
    receive(pair[0], 64, &out);
    EXPECT(out, 2, WDT_PING, 0);
    get(pair[1], answer, 8);
    CHECK_BYTES(answer, "\x8A\x82", 2);
    CHECK_INT(answer[6] ^ answer[2], 'h');
    CHECK_INT(answer[7] ^ answer[3], 'i');
    close_pair(pair);
}

static void close_frames_end_it(void) {
    static const struct {
        const char *frame, *answer;
        size_t length, answer_length;
    } rows[] = {
        {"\x88\x80\0\0\0\0", "\x88\x00", 6, 2},
        {"\x88\x82\0\0\0\0\x03\xE8", "\x88\x02\x03\xE8", 8, 4},
        {"\x88\x85\0\0\0\0\x03\xE8" "bye", "\x88\x05\x03\xE8" "bye", 11, 7},
        /* cl02, cl04, cl08: not a close body. */
        {"\x88\x81\0\0\0\0\x03", "\x88\x02\x03\xEA", 7, 4},
        {"\x88\x82\0\0\0\0\x03\xED", "\x88\x02\x03\xEA", 8, 4},
        {"\x88\x83\0\0\0\0\x03\xE8\xFF", "\x88\x02\x03\xEF", 9, 4},
    };
    size_t row;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        char answer[16];
        int pair[2];
        a_fresh_pair(pair);
        arrive(pair, rows[row].frame, rows[row].length);
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN, ECONNRESET);
        CHECK_BYTES(out.data, rows[row].frame + 6, rows[row].length - 6);
        get(pair[1], answer, rows[row].answer_length);
        CHECK_BYTES(answer, rows[row].answer, rows[row].answer_length);
        /* cl10, cl11: what follows a close frame does not count. */
        arrive(pair, rows[row].frame, rows[row].length);
        ARRIVE(pair, "\x81\x02hi");
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_NULL, ECONNRESET);
        CHECK(is_quiet(pair[1]));
        close_pair(pair);
    }
    {
        /* The program closes first: the peer's answer gets none. */
        char frame[16];
        int pair[2];
        a_fresh_pair(pair);
        CHECK_INT(webSocket_send(pair[0], NULL, 0, false, WDT_DISCONN), 2);
        get(pair[1], frame, 2);
        CHECK_BYTES(frame, "\x88\x00", 2);
        ARRIVE(pair, "\x88\x80\0\0\0\0");
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN, ECONNRESET);
        CHECK(is_quiet(pair[1]));
        close_pair(pair);
    }
}

static void the_end_is_reported(void) {
    static const char *const before[] = {"", "\x81", "\x81\x05", "\x81\x05he", "\x89\x02h", "GET / HTTP/1.1\r\n"};
    size_t row;
    for (row = 0; row < sizeof before / sizeof *before; row++) {
        int pair[2];
        a_fresh_pair(pair);
        if (*before[row] != 0) {
            arrive(pair, before[row], strlen(before[row]));
            receive(pair[0], 64, &out);
            EXPECT(out, 0, WDT_NULL, EAGAIN);
        }
        shutdown(pair[1], SHUT_WR);
        await_readable(pair[0]);
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_NULL, ECONNRESET);
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_NULL, ECONNRESET);
        close_pair(pair);
    }
    {
        /* Data and FIN together: the data first. */
        int pair[2];
        a_fresh_pair(pair);
        put(pair[1], "\x81\x02hi\x81\x02yo", 8);
        shutdown(pair[1], SHUT_WR);
        await_readable(pair[0]);
        receive(pair[0], 64, &out);
        EXPECT(out, 2, WDT_TXTDATA, 0);
        receive(pair[0], 64, &out);
        EXPECT(out, 2, WDT_TXTDATA, 0);
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_NULL, ECONNRESET);
        close_pair(pair);
    }
    if (transport == TCP) {
        struct linger hard = {1, 0};
        int pair[2];
        a_fresh_pair(pair);
        setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(pair[1]);
        await_readable(pair[0]);
        receive(pair[0], 64, &out);
        EXPECT(out, 0, WDT_NULL, ECONNRESET);
        CHECK_INT(webSocket_send(pair[0], out.data, 1, false, WDT_TXTDATA), -1);
        close(pair[0]);
    }
    CHECK_INT(webSocket_recv(-1, out.data, 8, NULL), 0);
    CHECK_INT(errno, EBADF);
    CHECK_INT(webSocket_recv(987654, out.data, 8, NULL), 0);
    CHECK_INT(errno, EBADF);
    {
        int ends[2];
        must(pipe(ends) == 0, "pipe");
        CHECK_INT(webSocket_recv(ends[0], out.data, 8, NULL), 0);
        CHECK_INT(errno, ENOTSOCK);
        close_pair(ends);
    }
}

static void bad_room_takes_nothing(void) {
    WebsocketData_Type type = WDT_PING;
    int pair[2];
    a_fresh_pair(pair);
    ARRIVE(pair, "\x81\x02hi");
    errno = 0;
    CHECK_INT(webSocket_recv(pair[0], NULL, 64, &type), 0);
    CHECK_INT(errno, EINVAL);
    CHECK_INT(type, WDT_NULL);
    receive(pair[0], 0, &out);
    EXPECT(out, 0, WDT_NULL, EINVAL);
    receive(pair[0], -5, &out);
    EXPECT(out, 0, WDT_NULL, EINVAL);
    receive(pair[0], 2, &out);
    EXPECT(out, 2, WDT_TXTDATA, 0);
    close_pair(pair);
}

static void noise_at_the_start(void) {
    static const char zeros[64];
    int pair[2];
    a_fresh_pair(pair);
    ARRIVE(pair, "\x16\x03\x01\x02\x00");
    receive(pair[0], 64, &out);
    EXPECT(out, -5, WDT_ERR, EPROTO);
    CHECK_BYTES(out.data, "\x16\x03\x01\x02\x00", 5);
    CHECK_BYTES(out.data + 5, zeros, 59);
    /* At most dataMaxLen - 1 bytes; the rest waits. */
    ARRIVE(pair, "POST / HTTP");
    receive(pair[0], 5, &out);
    EXPECT(out, -4, WDT_ERR, EPROTO);
    CHECK_BYTES(out.data, "POST\0", 5);
    receive(pair[0], 64, &out);
    EXPECT(out, -7, WDT_ERR, EPROTO);
    CHECK_BYTES(out.data, " / HTTP\0", 8);
    ARRIVE(pair, "xy");
    receive(pair[0], 1, &out);
    EXPECT(out, 0, WDT_ERR, EMSGSIZE);
    receive(pair[0], 3, &out);
    EXPECT(out, -2, WDT_ERR, EPROTO);
    /* A control frame that is too long is none, however it is cut. */
    ARRIVE(pair, "\x89");
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    ARRIVE(pair, "\x7Exy");
    receive(pair[0], 64, &out);
    CHECK_INT(out.type, WDT_ERR);
    CHECK_INT(out.error, EPROTO);
    CHECK(out.result == -4 || out.result == -2);
    CHECK_BYTES(out.data, "\x89\x7E", 2);
    if (out.result == -2) {
        receive(pair[0], 64, &out);
        EXPECT(out, -2, WDT_ERR, EPROTO);
    }
    ARRIVE(pair, "\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    receive(pair[0], 64, &out);
    EXPECT(out, -10, WDT_ERR, EPROTO);
    /* A frame after noise is a frame. */
    ARRIVE(pair, "\x81\x02hi");
    receive(pair[0], 64, &out);
    EXPECT(out, 2, WDT_TXTDATA, 0);
    close_pair(pair);
}

static const char request[] = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void requests_come_whole(void) {
    const int length = (int)sizeof request - 1;
    int cut, pair[2];
    char answer[256];
    for (cut = 1; cut <= length; cut++) {
        a_fresh_pair(pair);
        arrive(pair, request, (size_t)cut);
        if (cut < length) {
            receive(pair[0], 512, &out);
            EXPECT(out, 0, WDT_NULL, EAGAIN);
            put(pair[1], request + cut, (size_t)(length - cut));
        }
        /* Glued behind it: must stay in the kernel. */
        put(pair[1], "\x81\x02hi", 4);
        await_readable(pair[0]);
        receive(pair[0], 512, &out);
        EXPECT(out, -length, WDT_ERR, EAGAIN);
        CHECK_BYTES(out.data, request, sizeof request);
        CHECK(out.data[511] == 0);
        CHECK_INT(webSocket_serverLinkToClient(pair[0], out.data, out.result), 129);
        get(pair[1], answer, 129);
        CHECK(memmem(answer, 129, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 32) != NULL);
        await_readable(pair[0]);
        receive(pair[0], 512, &out);
        EXPECT(out, 2, WDT_TXTDATA, 0);
        close_pair(pair);
    }
    /* AP19: one that does not fit waits for more room: its NUL has to fit too. */
    a_fresh_pair(pair);
    arrive(pair, request, (size_t)length);
    receive(pair[0], length, &out);
    EXPECT(out, 0, WDT_ERR, EMSGSIZE);
    CHECK_INT(webSocket_pendingLen(pair[0]), length + 1);
    receive(pair[0], length + 1, &out);
    EXPECT(out, -length, WDT_ERR, EAGAIN);
    CHECK_INT(webSocket_pendingLen(pair[0]), 0);
    close_pair(pair);
    /* One without an end is not collected for ever. */
    a_fresh_pair(pair);
    put(pair[1], "GET / HTTP/1.1\r\n", 16);
    for (cut = 0; cut < 1100; cut++) {
        char line[64];
        memset(line, 'a', sizeof line);
        put(pair[1], line, sizeof line);
        await_readable(pair[0]);
        receive(pair[0], 64, &out);
        CHECK_INT(out.result, 0);
        if (out.error != EAGAIN) {
            break;
        }
    }
    EXPECT(out, 0, WDT_ERR, EMSGSIZE);
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_ERR, EPROTO);
    close_pair(pair);
}

static void violations_stay(void) {
    static const char *const rows[] = {
        "\x91\x00", "\xA1\x00", "\xC1\x00", "\x83\x00", "\x8B\x00", "\x8F\x00", /* fr01, fr04, fr05 */
        "\x09\x00", "\x08\x00",                                                 /* ct01 */
        "\x89\x7E\x00\x7E", "\x88\xFF",                                         /* ct02 */
        "\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00",                             /* fr13 */
        "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01",                               /* fr32 */
    };
    static const size_t lengths[] = {2, 2, 2, 2, 2, 2, 2, 2, 4, 2, 10, 18, 3};
    size_t row, cut;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (cut = 1; cut <= lengths[row]; cut++) {
            int pair[2];
            a_fresh_pair(pair);
            ARRIVE(pair, "\x81\x02hi");
            receive(pair[0], 64, &out);
            EXPECT(out, 2, WDT_TXTDATA, 0);
            arrive(pair, rows[row], cut);
            receive(pair[0], 64, &out);
            if (cut < lengths[row] && out.error == EAGAIN) {
                arrive(pair, rows[row] + cut, lengths[row] - cut);
                receive(pair[0], 64, &out);
            }
            EXPECT(out, 0, WDT_ERR, EPROTO);
            put(pair[1], "\x81\x02hi", 4);
            receive(pair[0], 64, &out);
            EXPECT(out, 0, WDT_ERR, EPROTO);
            close_pair(pair);
        }
    }
}

static void too_large_is_kept_or_skipped(void) {
    static char frame[60010];
    int pair[2];
    size_t at, sent;
    memcpy(frame, "\x82\xFE\xEA\x60\x11\x22\x33\x44", 8);
    for (at = 0; at < 60000; at++) {
        frame[8 + at] = (char)((at * 31) ^ "\x11\x22\x33\x44"[at & 3]);
    }
    a_fresh_pair(pair);
    for (sent = 0; sent < 60008; sent += 7501) {
        arrive(pair, frame + sent, 7501);
        do {
            receive(pair[0], 100, &out);
        } while (out.error == EAGAIN && !is_quiet(pair[0]));
        if (sent + 7501 < 60008) {
            EXPECT(out, 0, WDT_NULL, EAGAIN);
            CHECK_INT(webSocket_pendingLen(pair[0]), 0);
        }
    }
    put(pair[1], "\x81\x02hi", 4);
    EXPECT(out, 0, WDT_ERR, EMSGSIZE);
    CHECK_INT(webSocket_pendingLen(pair[0]), 60000);
    receive(pair[0], 59999, &out);
    EXPECT(out, 0, WDT_ERR, EMSGSIZE);
    receive(pair[0], 60000, &out);
    EXPECT(out, 60000, WDT_BINDATA, 0);
    for (at = 0; at < 60000; at++) {
        if (out.data[at] != (char)(at * 31)) {
            CHECK_INT(at, -1);
            break;
        }
    }
    CHECK_INT(webSocket_pendingLen(pair[0]), 0);
    await_readable(pair[0]);
    receive(pair[0], 64, &out);
    EXPECT(out, 2, WDT_TXTDATA, 0);
    /* lm02: at the cap kept, above it skipped and said once. */
    CHECK_INT(webSocket_setKeepMax(59999), 0);
    for (sent = 0; sent < 60008; sent += 7501) {
        arrive(pair, frame + sent, 7501);
        do {
            receive(pair[0], 100, &out);
        } while (out.error == EAGAIN && !is_quiet(pair[0]));
    }
    EXPECT(out, 0, WDT_ERR, EMSGSIZE);
    CHECK_INT(webSocket_pendingLen(pair[0]), 0);
    ARRIVE(pair, "\x81\x02hi");
    receive(pair[0], 64, &out);
    EXPECT(out, 2, WDT_TXTDATA, 0);
    /* fr14: announced sizes allocate nothing, even beyond the cap. */
    ARRIVE(pair, "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" "abc");
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    CHECK_INT(webSocket_setKeepMax(16u << 20), 0);
    close_pair(pair);
    CHECK_INT(webSocket_pendingLen(-1), -1);
    CHECK_INT(errno, EBADF);
}

static void real_wire(void) {
    static const struct {
        const char *bytes;
        int length;
        const char *text;
    } rows[] = {
        {"\x81\x07\x48\x65\x6c\x6c\x6f\x20\x21", 9, "Hello !"},
        {"\x81\x87\xc3\x6c\x78\x21\x8b\x09\x14\x4d\xac\x4c\x59", 13, "Hello !"},
        {"\x81\x10I am Server_Test", 18, "I am Server_Test"},
        {"\x81\x90\xc3\x6c\x78\x21\x8a\x4c\x19\x4c\xe3\x2f\x14\x48\xa6\x02\x0c\x7e\x97\x09\x0b\x55", 22,
         "I am Client_Test"},
        {"\x81\x14You are carefree ...", 22, "You are carefree ..."},
        {"\x81\x21\\O^O/  <-.<-  TAT  =.=#  -.-! ...", 35, "\\O^O/  <-.<-  TAT  =.=#  -.-! ..."},
        {"\x81\x8f\xc3\x6c\x78\x21\x8a\x4c\x19\x4c\xe3\x0f\x19\x53\xa6\x0a\x0a\x44\xa6\x4c\x59", 21,
         "I am carefree !"},
    };
    int pair[2];
    size_t row;
    a_fresh_pair(pair);
    /* fr20: all glued into one. */
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        put(pair[1], rows[row].bytes, (size_t)rows[row].length);
    }
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        await_readable(pair[0]);
        receive(pair[0], 64, &out);
        EXPECT(out, (int)strlen(rows[row].text), WDT_TXTDATA, 0);
        CHECK_BYTES(out.data, rows[row].text, strlen(rows[row].text));
    }
    close_pair(pair);
}

static void on_alarm(int signal_) {
    (void)signal_;
}

/* A blocking fd waits for the first byte of a call only. */
static void blocking_fds(void) {
    struct timeval limit = {0, 30000};
    struct sigaction action;
    struct itimerval timer;
    int pair[2];
    connect_pair(transport, pair);
    put(pair[1], "\x81", 1);
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    put(pair[1], "\x05he", 3);
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    put(pair[1], "llo", 3);
    receive(pair[0], 64, &out);
    EXPECT(out, 5, WDT_TXTDATA, 0);
    CHECK_BYTES(out.data, "hello", 5);
    /* The limit counts, with and without something kept. */
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    put(pair[1], "\x81\x02h", 3);
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    receive(pair[0], 64, &out);
    EXPECT(out, 0, WDT_NULL, EAGAIN);
    put(pair[1], "i", 1);
    receive(pair[0], 64, &out);
    EXPECT(out, 2, WDT_TXTDATA, 0);
    limit.tv_usec = 0;
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    /* tr04: EINTR is passed on. */
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    memset(&timer, 0, sizeof timer);
    timer.it_value.tv_usec = 20000;
    timer.it_interval.tv_usec = 20000;
    setitimer(ITIMER_REAL, &timer, NULL);
    receive(pair[0], 64, &out);
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    EXPECT(out, 0, WDT_NULL, EINTR);
    close_pair(pair);
}

int main(void) {
    for (transport = LOCAL; transport <= TCP; transport++) {
        every_type_is_reported();
        empty_frames_have_their_type();
        pings_are_answered();
        close_frames_end_it();
        the_end_is_reported();
        bad_room_takes_nothing();
        noise_at_the_start();
        requests_come_whole();
        violations_stay();
        too_large_is_kept_or_skipped();
        real_wire();
        blocking_fds();
    }
    return check_done("legacy_recv");
}
