/* ws_recv, row by row: messages and their types; cuts; fragments; what ends a
 * connection; what is no frame; what is dropped. */
#include "ws_sockets.h"

static enum transport transport;
static struct outcome out;

static void a_fresh_pair(int pair[2]) { a_pair(transport, pair); }

struct row {
    const char *bytes;
    size_t length;
    int type;
};

#define ROW(literal, type) {literal, sizeof(literal) - 1, type}

static void every_type_is_reported(void) {
    static const struct row rows[] = {
        ROW("\x81\x03" "abc", WDT_TXTDATA),
        ROW("\x82\x03" "abc", WDT_BINDATA),
        /* A continuation that continues nothing, the last or not. */
        ROW("\x80\x03" "abc", WDT_MINDATA),
        ROW("\x00\x03" "abc", WDT_MINDATA),
        ROW("\x81\x83\x00\x00\x00\x00" "abc", WDT_TXTDATA),
        ROW("\x81\x83\x01\x02\x03\x04\x60\x60\x60", WDT_TXTDATA),
        /* Lengths in a longer form than needed. */
        ROW("\x81\x7E\x00\x03" "abc", WDT_TXTDATA),
        ROW("\x82\xFF\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00" "abc", WDT_BINDATA),
        /* Fragments. */
        ROW("\x01\x01" "a\x80\x02" "bc", WDT_TXTDATA),
        ROW("\x02\x01" "a\x00\x01" "b\x80\x01" "c", WDT_BINDATA),
        ROW("\x01\x00\x00\x00\x00\x02" "ab\x00\x01" "c\x80\x00", WDT_TXTDATA),
        ROW("\x02\x81\x01\x02\x03\x04\x60\x80\x82\x01\x02\x03\x04\x63\x61", WDT_BINDATA),
    };
    size_t row, cut;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (cut = 0; cut < rows[row].length; cut++) {
            int pair[2];
            a_fresh_pair(pair);
            if (cut > 0) {
                arrive(pair, rows[row].bytes, cut);
                hear(pair[0], 64, &out);
                EXPECT(out, 0, WDT_NULL);
                CHECK(is_quiet(pair[0]));
            }
            arrive(pair, rows[row].bytes + cut, rows[row].length - cut);
            hear(pair[0], 64, &out);
            EXPECT_TEXT(out, "abc", rows[row].type);
            hear(pair[0], 64, &out);
            EXPECT(out, 0, WDT_NULL);
            close_pair(pair);
        }
    }
}

/* What is told until there is nothing more: types and payloads as text. */
static void all_that_is_told(int fd, char text[256]) {
    for (;;) {
        size_t end = strlen(text);
        hear(fd, 64, &out);
        if (out.type == WDT_NULL) {
            CHECK_INT(out.result, 0);
            break;
        }
        CHECK(snprintf(text + end, 256 - end, "%d:%.64s ", (int)out.type, out.data) > 0);
    }
}

static void control_frames_between_fragments(void) {
    static const char wire[] = "\x01\x82\0\0\0\0he"
                               "\x89\x82\0\0\0\0hi"
                               "\x00\x81\0\0\0\0l"
                               "\x8A\x80\0\0\0\0"
                               "\x80\x82\0\0\0\0lo"
                               "\x82\x83\0\0\0\0xyz";
    const size_t length = sizeof wire - 1;
    size_t cut;
    for (cut = 1; cut <= length; cut++) {
        char text[256] = "", pong[4];
        int pair[2];
        a_fresh_pair(pair);
        arrive(pair, wire, cut);
        all_that_is_told(pair[0], text);
        if (cut < length) {
            arrive(pair, wire + cut, length - cut);
            all_that_is_told(pair[0], text);
        }
        if (strcmp(text, "5:hi 6: 2:hello 3:xyz ") != 0) {
            fprintf(stderr, "cut at %d: %s\n", (int)cut, text);
            CHECK(0);
        }
        get(pair[1], pong, 4);
        CHECK_BYTES(pong, "\x8A\x02hi", 4);
        CHECK(is_quiet(pair[1]));
        close_pair(pair);
    }
}

static void any_order_of_frames_is_taken(void) {
    char text[256] = "";
    int pair[2];
    a_fresh_pair(pair);
    /* A whole message between the fragments of another. */
    ARRIVE(pair, "\x01\x02" "ab\x82\x02xy\x81\x02uv\x80\x01" "c");
    all_that_is_told(pair[0], text);
    CHECK(strcmp(text, "3:xy 2:uv 2:abc ") == 0);
    /* A message whose end never came ends where the next one begins. */
    *text = 0;
    ARRIVE(pair, "\x01\x02" "ab\x00\x02" "cd\x02\x02wx\x80\x02yz\x80\x01" "!");
    all_that_is_told(pair[0], text);
    CHECK(strcmp(text, "2:abcd 3:wxyz 1:! ") == 0);
    close_pair(pair);
}

static void empty_messages_have_their_type(void) {
    static const struct row rows[] = {
        ROW("\x81\x00", WDT_TXTDATA),     ROW("\x82\x80\1\2\3\4", WDT_BINDATA), ROW("\x80\x00", WDT_MINDATA),
        ROW("\x01\x00\x80\x00", WDT_TXTDATA), ROW("\x89\x00", WDT_PING),        ROW("\x8A\x00", WDT_PONG),
        ROW("\x8A\x02hi", WDT_PONG),      ROW("\x89\x02hi", WDT_PING),
    };
    size_t row;
    int pair[2];
    a_fresh_pair(pair);
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        arrive(pair, rows[row].bytes, rows[row].length);
        hear(pair[0], 16, &out);
        EXPECT(out, 0, rows[row].type);
        hear(pair[0], 16, &out);
        EXPECT(out, 0, WDT_NULL);
    }
    close_pair(pair);
}

static void a_close_frame_is_answered(void) {
    static const struct {
        const char *frame, *answer;
        size_t length, answer_length;
    } rows[] = {
        {"\x88\x80\0\0\0\0", "\x88\x00", 6, 2},
        {"\x88\x85\0\0\0\0\x03\xE8" "bye", "\x88\x05\x03\xE8" "bye", 11, 7},
        {"\x88\x81\0\0\0\0\x03", "\x88\x02\x03\xEA", 7, 4},
        /* In the middle of a message, which is over as well. */
        {"\x01\x81\0\0\0\0a\x88\x80\0\0\0\0", "\x88\x00", 13, 2},
    };
    size_t row;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        char answer[16];
        int pair[2];
        a_fresh_pair(pair);
        arrive(pair, rows[row].frame, rows[row].length);
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        get(pair[1], answer, rows[row].answer_length);
        CHECK_BYTES(answer, rows[row].answer, rows[row].answer_length);
        /* What follows does not count. */
        ARRIVE(pair, "\x80\x02hi\x81\x02hi");
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        CHECK(is_quiet(pair[1]));
        close_pair(pair);
    }
}

static void the_end_is_reported(void) {
    static const struct row before[] = {
        ROW("", 0),         ROW("\x81", 0),          ROW("\x81\x05he", 0),
        ROW("\x89\x02h", 0), ROW("GET / HTTP/1.1\r\n", 0), ROW("\x01\x02hi", 0),
        ROW("\x01\x02hi\x80\x04" "a", 0), ROW("\x82\x7F\0\0\0\0\x01\0\0\0xyz", 0),
    };
    size_t row;
    for (row = 0; row < sizeof before / sizeof *before; row++) {
        int pair[2];
        a_fresh_pair(pair);
        if (before[row].length > 0) {
            arrive(pair, before[row].bytes, before[row].length);
            hear(pair[0], 64, &out);
            EXPECT(out, 0, WDT_NULL);
        }
        shutdown(pair[1], SHUT_WR);
        await_readable(pair[0]);
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        close_pair(pair);
    }
    {
        /* Data and FIN together: the data first. */
        int pair[2];
        a_fresh_pair(pair);
        put(pair[1], "\x81\x02hi\x01\x01y\x80\x01o", 10);
        shutdown(pair[1], SHUT_WR);
        await_readable(pair[0]);
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "hi", WDT_TXTDATA);
        hear(pair[0], 64, &out);
        EXPECT_TEXT(out, "yo", WDT_TXTDATA);
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        close_pair(pair);
    }
    if (transport == TCP) {
        struct linger hard = {1, 0};
        int pair[2];
        a_fresh_pair(pair);
        setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(pair[1]);
        await_readable(pair[0]);
        hear(pair[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        CHECK_INT(ws_send(pair[0], out.data, 1, false, WDT_TXTDATA), -1);
        close(pair[0]);
    }
    hear(-1, 64, &out);
    EXPECT(out, 0, WDT_DISCONN);
    hear(987654, 64, &out);
    EXPECT(out, 0, WDT_DISCONN);
    {
        int ends[2];
        must(pipe(ends) == 0, "pipe");
        hear(ends[0], 64, &out);
        EXPECT(out, 0, WDT_DISCONN);
        close_pair(ends);
    }
}

static void violations_stay(void) {
    static const struct row rows[] = {
        ROW("\x91\x00", 0), ROW("\xC1\x00", 0), ROW("\x83\x00", 0), ROW("\x8F\x00", 0), ROW("\x09\x00", 0),
        ROW("\x89\x7E\x00\x7E", 0), ROW("\x88\xFF", 0), ROW("\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00", 0),
        ROW("GET / HTTP/1.1\r\n\r\n", 0), ROW("\x16\x03\x01", 0),
    };
    static const struct row starts[] = {ROW("\x81\x02hi", 0), ROW("\x01\x02hi", 0)};
    size_t row, cut, start;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (cut = 1; cut <= rows[row].length; cut++) {
            for (start = 0; start < 2; start++) {
                int pair[2];
                a_fresh_pair(pair);
                /* In two pieces: what is cut off is kept with the socket's own record. A
                 * whole frame may pass by that of an older one with the same number, and
                 * not every kernel tells afterwards that this one has been read from. */
                arrive(pair, starts[start].bytes, 1);
                hear(pair[0], 64, &out);
                EXPECT(out, 0, WDT_NULL);
                arrive(pair, starts[start].bytes + 1, starts[start].length - 1);
                hear(pair[0], 64, &out);
                CHECK_INT(out.result, start == 0 ? 2 : 0);
                arrive(pair, rows[row].bytes, cut);
                hear(pair[0], 64, &out);
                if (cut < rows[row].length && out.type == WDT_NULL) {
                    arrive(pair, rows[row].bytes + cut, rows[row].length - cut);
                    hear(pair[0], 64, &out);
                }
                EXPECT(out, 0, WDT_DISCONN);
                put(pair[1], "\x81\x02hi", 4);
                hear(pair[0], 64, &out);
                EXPECT(out, 0, WDT_DISCONN);
                close_pair(pair);
            }
        }
    }
}

static const char request[] = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void noise_and_requests_at_the_start(void) {
    static const char zeros[64];
    const int length = (int)sizeof request - 1;
    char answer[256];
    int cut, pair[2];
    a_fresh_pair(pair);
    ARRIVE(pair, "\x16\x03\x01\x02\x00");
    hear(pair[0], 64, &out);
    EXPECT(out, -5, WDT_NULL);
    CHECK_BYTES(out.data, "\x16\x03\x01\x02\x00", 5);
    CHECK_BYTES(out.data + 5, zeros, 59);
    /* No byte is lost: one less than the room, and the rest. */
    ARRIVE(pair, "POST /a/path/of/some/length HTTP");
    hear(pair[0], 16, &out);
    EXPECT(out, -15, WDT_NULL);
    CHECK_BYTES(out.data, "POST /a/path/of\0", 16);
    hear(pair[0], 64, &out);
    EXPECT(out, -17, WDT_NULL);
    CHECK_BYTES(out.data, "/some/length HTTP\0", 18);
    ARRIVE(pair, "\x81\x02hi");
    hear(pair[0], 64, &out);
    EXPECT_TEXT(out, "hi", WDT_TXTDATA);
    close_pair(pair);

    for (cut = 1; cut <= length; cut++) {
        a_fresh_pair(pair);
        arrive(pair, request, (size_t)cut);
        if (cut < length) {
            hear(pair[0], 512, &out);
            EXPECT(out, 0, WDT_NULL);
            put(pair[1], request + cut, (size_t)(length - cut));
        }
        put(pair[1], "\x81\x02hi", 4);
        await_readable(pair[0]);
        hear(pair[0], 512, &out);
        EXPECT(out, -length, WDT_NULL);
        CHECK_BYTES(out.data, request, sizeof request);
        CHECK_INT(ws_replyClient(pair[0], out.data, out.result, NULL), 129);
        get(pair[1], answer, 129);
        await_readable(pair[0]);
        hear(pair[0], 512, &out);
        EXPECT_TEXT(out, "hi", WDT_TXTDATA);
        close_pair(pair);
    }
}

/* A request that is larger than the room comes in parts; where the first is
 * enough for an answer, the others are not told. */
static void a_request_larger_than_the_room(void) {
    const int length = (int)sizeof request - 1;
    char answer[256], cookies[1000], all[2000] = "";
    int pair[2], line;
    a_fresh_pair(pair);
    arrive(pair, request, (size_t)length);
    while (strlen(all) < (size_t)length) {
        hear(pair[0], 32, &out);
        CHECK(out.result < 0 && out.result >= -31);
        CHECK_INT(out.type, WDT_NULL);
        if (out.result >= 0) {
            break;
        }
        strcat(all, out.data);
    }
    CHECK(strcmp(all, request) == 0);
    hear(pair[0], 32, &out);
    EXPECT(out, 0, WDT_NULL);
    close_pair(pair);

    a_fresh_pair(pair);
    memset(cookies, 'c', sizeof cookies);
    put(pair[1], request, (size_t)length - 2);
    put(pair[1], "Cookie: ", 8);
    put(pair[1], cookies, sizeof cookies);
    put(pair[1], "\r\n\r\n\x81\x02hi", 8);
    do {
        await_readable(pair[0]);
        hear(pair[0], 256, &out);
    } while (out.result == 0 && out.type == WDT_NULL);
    EXPECT(out, -255, WDT_NULL);
    CHECK_INT(ws_replyClient(pair[0], out.data, out.result, NULL), 129);
    get(pair[1], answer, 129);
    hear(pair[0], 256, &out);
    EXPECT_TEXT(out, "hi", WDT_TXTDATA);
    close_pair(pair);

    /* One without an end is not collected for ever. */
    a_fresh_pair(pair);
    put(pair[1], "GET / HTTP/1.1\r\n", 16);
    for (line = 0; line < 1100; line++) {
        put(pair[1], cookies, 64);
        await_readable(pair[0]);
        hear(pair[0], 64, &out);
        CHECK_INT(out.result, 0);
        if (out.type != WDT_NULL) {
            break;
        }
    }
    EXPECT(out, 0, WDT_DISCONN);
    close_pair(pair);
}

int main(void) {
    for (transport = LOCAL; transport <= TCP; transport++) {
        every_type_is_reported();
        control_frames_between_fragments();
        any_order_of_frames_is_taken();
        empty_messages_have_their_type();
        a_close_frame_is_answered();
        the_end_is_reported();
        violations_stay();
        noise_and_requests_at_the_start();
        a_request_larger_than_the_room();
    }
    return check_done("ws_com_recv");
}
