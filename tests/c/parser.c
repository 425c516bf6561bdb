/* webSocket_parser: every field of a frame, in every cut; the frames behind a
 * broken one; and every way to hold it wrong.
 * Catalogue: FR13, FR17-FR20, AP01-AP08, AP20, AP22, AP27, AP29, AP32. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#include "check.h"

/* As client and server sent them; the third of the server came glued to the fourth. */
static const char hello[] = "\x81\x87\xc3\x6c\x78\x21\x8b\x09\x14\x4d\xac\x4c\x59";
static const char client[] = "\x81\x90\xc3\x6c\x78\x21\x8a\x4c\x19\x4c\xe3\x2f\x14\x48\xa6\x02\x0c\x7e\x97\x09\x0b\x55"
                             "\x81\x8f\xc3\x6c\x78\x21\x8a\x4c\x19\x4c\xe3\x0f\x19\x53\xa6\x0a\x0a\x44\xa6\x4c\x59";
static const char server[] = "\x81\x14You are carefree ..."
                             "\x81\x21\\O^O/  <-.<-  TAT  =.=#  -.-! ...";

/* What a frame came to, its pieces put together. */
struct told {
    webSocket_frame frame;
    uint8_t payload[512];
    size_t length;
};

/* Feeds `length` bytes in cuts and tells the end; returns how many frames. */
static size_t tell(uint32_t flags, const char *stream, size_t length, size_t cut, struct told *told, size_t room)
{
    webSocket_parser *parser = NULL;
    size_t at = 0, count = 0;
    webSocket_result result = WEBSOCKET_AGAIN;
    CHECK_INT(webSocket_parser_new(flags, &parser), WEBSOCKET_OK);
    while (at <= length && result == WEBSOCKET_AGAIN) {
        size_t size = length - at < cut ? length - at : cut;
        uint8_t *bytes = malloc(size + (size == 0)); /* of its own, so that ASan sees each border */
        webSocket_frame frame = WEBSOCKET_FRAME_INIT;
        if (size > 0) {
            memcpy(bytes, stream + at, size);
            CHECK_INT(webSocket_parser_feed(parser, bytes, size), WEBSOCKET_OK);
        } else {
            CHECK_INT(webSocket_parser_feedEof(parser), WEBSOCKET_OK);
        }
        while ((result = webSocket_parser_next(parser, &frame)) == WEBSOCKET_OK) {
            struct told *now;
            CHECK(frame.data != NULL);
            count += (frame.flags & WEBSOCKET_FIRST) != 0;
            CHECK(count > 0 && count <= room);
            if (count == 0 || count > room) break;
            now = &told[count - 1];
            if (frame.flags & WEBSOCKET_FIRST) now->length = 0;
            CHECK_INT(frame.pieceOffset, now->length);
            CHECK(now->length + frame.length <= sizeof now->payload);
            memcpy(now->payload + now->length, frame.data, frame.length);
            now->length += frame.length;
            now->frame = frame;
        }
        free(bytes);
        at += size > 0 ? size : 1;
    }
    CHECK(result == WEBSOCKET_CLOSED || result == WEBSOCKET_E_LENGTH);
    CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_OK);
    return count;
}

static void fields(void)
{
    struct told told[4];
    size_t cut;
    for (cut = 1; cut <= sizeof client; cut++) {
        const webSocket_frame *frame = &told[0].frame;
        CHECK_INT(tell(WEBSOCKET_PARSER_FROM_CLIENT, hello, sizeof hello - 1, cut, told, 4), 1);
        CHECK_INT(frame->size, sizeof *frame);
        CHECK_INT(told[0].length, 7);
        CHECK_BYTES(told[0].payload, "Hello !", 7);
        CHECK_INT(frame->headerLength, 6);
        CHECK_INT(frame->offset, 0);
        CHECK_INT(frame->payloadLength, 7);
        CHECK_INT(frame->remaining, 0);
        CHECK(frame->flags & WEBSOCKET_FINAL);
        CHECK_INT(frame->problems, 0);
        CHECK_INT(frame->opcode, 1);
        CHECK_INT(frame->closeCode, 0);
        CHECK_INT(frame->lengthBits, 7);
        CHECK_INT(frame->masked, 1);
        CHECK_BYTES(frame->maskKey, "\xc3\x6c\x78\x21", 4);
        CHECK(frame->fin == 1 && frame->rsv1 == 0 && frame->rsv2 == 0 && frame->rsv3 == 0);

        CHECK_INT(tell(WEBSOCKET_PARSER_FROM_CLIENT, client, sizeof client - 1, cut, told, 4), 2);
        CHECK_BYTES(told[0].payload, "I am Client_Test", 16);
        CHECK_BYTES(told[1].payload, "I am carefree !", 15);
        CHECK_INT(told[1].frame.offset, 22);
        CHECK_INT(tell(WEBSOCKET_PARSER_FROM_SERVER, server, sizeof server - 1, cut, told, 4), 2);
        CHECK_BYTES(told[0].payload, "You are carefree ...", 20);
        CHECK_BYTES(told[1].payload, "\\O^O/  <-.<-  TAT  =.=#  -.-! ...", 33);
        CHECK_INT(told[1].frame.offset, 22);
        CHECK_INT(told[0].frame.problems | told[1].frame.problems, 0);
        CHECK_INT(told[1].frame.masked, 0);

        CHECK_INT(tell(0, "\x38\x02\x03\xe9\x72\x7e\x00\x01x", 9, cut, told, 4), 2);
        CHECK(told[0].frame.rsv2 == 1 && told[0].frame.rsv3 == 1 && told[0].frame.rsv1 == 0 && told[0].frame.fin == 0);
        CHECK_INT(told[0].frame.closeCode, 1001);
        CHECK_INT(told[1].frame.lengthBits, 16);
        CHECK_INT(told[1].frame.headerLength, 4);
        CHECK_INT(told[1].frame.payloadLength, 1);
    }
}

static void problems_on(uint32_t flags, const char *stream, size_t length, uint32_t first, uint32_t second)
{
    size_t cut;
    for (cut = 1; cut <= length; cut++) {
        struct told told[2];
        size_t count = tell(flags, stream, length, cut, told, 2);
        CHECK_INT(count, second == UINT32_MAX ? 1 : 2);
        CHECK_INT(told[0].frame.problems, first);
        if (count == 2) CHECK_INT(told[1].frame.problems, second);
    }
}
#define PROBLEMS(flags, stream, first, second) problems_on(flags, stream, sizeof(stream) - 1, first, second)
#define NONE UINT32_MAX /* no second frame */

static void problems(void)
{
    char stream[4 + 126 + 2 + 1] = {0};
    /* Each broken frame, then an empty ping: it goes on. */
    PROBLEMS(0, "\xc1\x00\x89\x00", WEBSOCKET_PROBLEM_RESERVED_BITS, 0);
    PROBLEMS(WEBSOCKET_PARSER_COMPRESSED, "\xc1\x01\xff\x89\x00", 0, 0);
    PROBLEMS(WEBSOCKET_PARSER_COMPRESSED, "\xc9\x00\x89\x00", WEBSOCKET_PROBLEM_RESERVED_BITS, 0);
    PROBLEMS(0, "\x83\x01x\x89\x00", WEBSOCKET_PROBLEM_OPCODE, 0);
    PROBLEMS(0, "\x09\x00\x89\x00", WEBSOCKET_PROBLEM_FRAGMENTED_CONTROL, 0);
    PROBLEMS(0, "\x82\x7e\x00\x01x\x89\x00", WEBSOCKET_PROBLEM_LENGTH_FORM, 0);
    PROBLEMS(WEBSOCKET_PARSER_FROM_CLIENT, "\x89\x00\x89\x80\x00\x00\x00\x00", WEBSOCKET_PROBLEM_UNMASKED, 0);
    PROBLEMS(WEBSOCKET_PARSER_FROM_SERVER, "\x89\x80\x00\x00\x00\x00\x89\x00", WEBSOCKET_PROBLEM_MASKED, 0);
    PROBLEMS(0, "\x80\x00\x89\x00", WEBSOCKET_PROBLEM_NO_MESSAGE, 0);
    PROBLEMS(0, "\x01\x00\x81\x00", 0, WEBSOCKET_PROBLEM_INSIDE_MESSAGE);
    PROBLEMS(0, "\x01\x01\xe2\x80\x01x", 0, WEBSOCKET_PROBLEM_TEXT_UTF8);
    PROBLEMS(0, "\x88\x01\x03\x89\x00", WEBSOCKET_PROBLEM_CLOSE_BODY, 0);
    PROBLEMS(0, "\x88\x02\x03\xed\x89\x00", WEBSOCKET_PROBLEM_CLOSE_CODE, 0);
    PROBLEMS(0, "\x88\x03\x03\xe8\xe2\x89\x00", WEBSOCKET_PROBLEM_CLOSE_REASON, 0);
    PROBLEMS(0, "\x88\x00\x82\x00", 0, WEBSOCKET_PROBLEM_AFTER_CLOSE);
    PROBLEMS(0, "\x89\x00\x82\x7e\x01", 0, WEBSOCKET_PROBLEM_HEADER_CUT);
    PROBLEMS(0, "\x89\x00\x82\x02x", 0, WEBSOCKET_PROBLEM_PAYLOAD_CUT);
    PROBLEMS(0, "\x0b\x7e",
             WEBSOCKET_PROBLEM_HEADER_CUT | WEBSOCKET_PROBLEM_FRAGMENTED_CONTROL | WEBSOCKET_PROBLEM_OPCODE, NONE);
    memcpy(stream, "\x89\x7e\x00\x7e", 4);
    memcpy(stream + 4 + 126, "\x89\x00", 2);
    PROBLEMS(0, stream, WEBSOCKET_PROBLEM_LONG_CONTROL, 0);
}

/* Behind a length with its top bit set nothing can be found. */
static void top_bit(void)
{
    uint8_t stream[] = {0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 1, 0x89, 0x00};
    webSocket_parser *parser;
    webSocket_frame frame = WEBSOCKET_FRAME_INIT;
    CHECK_INT(webSocket_parser_new(0, &parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_feed(parser, stream, sizeof stream), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_OK);
    CHECK_INT(frame.problems, WEBSOCKET_PROBLEM_LENGTH_TOP_BIT);
    CHECK_INT(frame.flags, WEBSOCKET_FIRST | WEBSOCKET_FINAL);
    CHECK(frame.payloadLength == (UINT64_C(1) << 63) + 1 && frame.remaining == frame.payloadLength);
    CHECK_INT(frame.lengthBits, 64);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_E_LENGTH);
    CHECK_INT(webSocket_parser_feed(parser, stream, sizeof stream), WEBSOCKET_E_LENGTH);
    CHECK_INT(webSocket_parser_feedEof(parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_E_LENGTH);
    CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_OK);
}

/* A header is told as soon as it is whole; its payload follows as it comes. */
static void pieces(void)
{
    uint8_t header[] = {0x82, 0x83, 1, 2, 3, 4}, one[] = {'a' ^ 1}, two[] = {'b' ^ 2, 'c' ^ 3};
    webSocket_parser *parser;
    webSocket_frame frame = WEBSOCKET_FRAME_INIT;
    CHECK_INT(webSocket_parser_new(0, &parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_parser_feed(parser, header, sizeof header), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_OK);
    CHECK(frame.flags == WEBSOCKET_FIRST && frame.length == 0 && frame.remaining == 3 && frame.data != NULL);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_parser_feed(parser, one, sizeof one), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_OK);
    CHECK(frame.flags == 0 && frame.length == 1 && frame.remaining == 2 && frame.pieceOffset == 0);
    CHECK(frame.data == one && one[0] == 'a'); /* lent in place */
    CHECK_INT(webSocket_parser_feed(parser, two, sizeof two), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_OK);
    CHECK(frame.flags == WEBSOCKET_FINAL && frame.length == 2 && frame.remaining == 0 && frame.pieceOffset == 1);
    CHECK_BYTES(two, "bc", 2);
    CHECK_INT(webSocket_parser_feedEof(parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_parser_feed(parser, one, sizeof one), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_OK);
}

/* Every function on one handle: each must give `expected`. */
static void every_function(webSocket_parser *parser, webSocket_result expected)
{
    webSocket_frame frame = WEBSOCKET_FRAME_INIT;
    uint8_t byte = 0;
    CHECK_INT(webSocket_parser_feed(parser, &byte, 1), expected);
    CHECK_INT(webSocket_parser_feedEof(parser), expected);
    CHECK_INT(webSocket_parser_next(parser, &frame), expected);
    CHECK(frame.data == NULL && frame.flags == 0);
}

static void misuse(void)
{
    webSocket_parser *parser = NULL, *stale[100];
    webSocket_conn *conn;
    webSocket_frame frame = WEBSOCKET_FRAME_INIT;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    uint8_t bytes[2] = {0x89, 0};
    size_t i, j;

    CHECK_INT(webSocket_parser_new(0, NULL), WEBSOCKET_E_NULL); /* AP03 */
    CHECK_INT(webSocket_parser_new(3, &parser), WEBSOCKET_E_USAGE); /* AP22 */
    CHECK_INT(webSocket_parser_new(8, &parser), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_parser_new(UINT32_MAX, &parser), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_lastFailure(&failure), WEBSOCKET_OK);
    CHECK_INT(failure.result, WEBSOCKET_E_USAGE);
    CHECK(parser == NULL);
    CHECK_INT(webSocket_parser_new(WEBSOCKET_PARSER_FROM_SERVER | WEBSOCKET_PARSER_COMPRESSED, &parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_newServer(NULL, &conn), WEBSOCKET_OK);

    every_function(NULL, WEBSOCKET_E_NULL);                       /* AP01 */
    every_function((webSocket_parser *)(void *)bytes, WEBSOCKET_GONE); /* AP32 */
    every_function((webSocket_parser *)UINTPTR_MAX, WEBSOCKET_GONE);
    every_function((webSocket_parser *)(void *)conn, WEBSOCKET_GONE);
    CHECK_INT(webSocket_conn_feedEof((webSocket_conn *)(void *)parser), WEBSOCKET_GONE);
    CHECK_INT(webSocket_parser_free((webSocket_parser *)(void *)conn), WEBSOCKET_GONE);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);

    CHECK_INT(webSocket_parser_feed(parser, NULL, 1), WEBSOCKET_E_NULL); /* AP02 */
    CHECK_INT(webSocket_parser_feed(parser, NULL, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_feed(parser, bytes, SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG); /* AP20 */
    CHECK_INT(webSocket_parser_feed(parser, bytes, SIZE_MAX / 2 + 1), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_parser_feed(parser, bytes, 2), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_feed(parser, bytes, 2), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_parser_next(parser, NULL), WEBSOCKET_E_NULL);
    frame.size = sizeof frame - 1; /* AP04, AP05 */
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_E_STRUCT_SIZE);
    frame.size = 0;
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_E_STRUCT_SIZE);
    CHECK(frame.data == NULL);
    frame.size = sizeof frame + 100; /* a newer header's: only ours is written */
    CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_OK);
    CHECK_INT(frame.size, sizeof frame + 100);
    CHECK_INT(frame.opcode, 9);

    CHECK_INT(webSocket_parser_free(NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_GONE); /* AP06 */
    frame.data = NULL;
    every_function(parser, WEBSOCKET_GONE); /* AP07 */
    for (i = 0; i < 100; i++) { /* AP08 */
        CHECK_INT(webSocket_parser_new(0, &stale[i]), WEBSOCKET_OK);
        for (j = 0; j < i; j++) CHECK_INT(webSocket_parser_feedEof(stale[j]), WEBSOCKET_GONE);
        CHECK_INT(webSocket_parser_free(stale[i]), WEBSOCKET_OK);
    }
}

/* AP29: a loan ends with the free; what is freed with bytes unread is not touched again. */
static void freed_while_fed(void)
{
    webSocket_parser *parser;
    uint8_t *bytes = malloc(8);
    memcpy(bytes, "\x82\x82\x01\x02\x03\x04xy", 8);
    CHECK_INT(webSocket_parser_new(0, &parser), WEBSOCKET_OK);
    CHECK_INT(webSocket_parser_feed(parser, bytes, 8), WEBSOCKET_OK);
    free(bytes);
    CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_OK);
}

/* AP27: every alignment, and a buffer that ends at a page that may not be read. */
static void page_borders(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), length;
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_INT(mprotect(pages + page, page, PROT_NONE), 0);
    for (length = 0; length < 126; length++) {
        uint8_t *bytes = pages + page - 6 - length;
        webSocket_parser *parser;
        webSocket_frame frame = WEBSOCKET_FRAME_INIT;
        size_t i;
        bytes[0] = 0x82;
        bytes[1] = (uint8_t)(0x80 | length);
        memcpy(bytes + 2, "\x01\x02\x03\x04", 4);
        for (i = 0; i < length; i++) bytes[6 + i] = (uint8_t)(i ^ (i % 4 + 1));
        CHECK_INT(webSocket_parser_new(0, &parser), WEBSOCKET_OK);
        CHECK_INT(webSocket_parser_feed(parser, bytes, 6 + length), WEBSOCKET_OK);
        CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_OK);
        CHECK_INT(frame.length, length);
        for (i = 0; i < length; i++) CHECK_INT(frame.data[i], i);
        CHECK_INT(webSocket_parser_next(parser, &frame), WEBSOCKET_AGAIN);
        CHECK_INT(webSocket_parser_free(parser), WEBSOCKET_OK);
    }
    munmap(pages, 2 * page);
}

static void texts(void)
{
    uint32_t bit;
    CHECK(strcmp(webSocket_problem_text(0), "no problem") == 0);
    for (bit = 1; bit <= WEBSOCKET_PROBLEM_PAYLOAD_CUT; bit <<= 1)
        CHECK(strstr(webSocket_problem_text(bit), "(RFC 6455 ") != NULL);
    for (; bit != 0; bit <<= 1) CHECK(strcmp(webSocket_problem_text(bit), "unknown problem") == 0);
    CHECK(webSocket_problem_text(WEBSOCKET_PROBLEM_OPCODE | WEBSOCKET_PROBLEM_MASKED) ==
          webSocket_problem_text(WEBSOCKET_PROBLEM_OPCODE));
    CHECK(strstr(webSocket_problem_text(WEBSOCKET_PROBLEM_TEXT_UTF8), "RFC 6455 8.1") != NULL);
}

int main(void)
{
    /* Neither a hole nor a padded tail, on machines of 32 and of 64 bits. */
    CHECK_INT(sizeof(webSocket_frame), 4 * sizeof(size_t) + 64);
    CHECK_INT(offsetof(webSocket_frame, rsv3), sizeof(webSocket_frame) - 1);
    fields();
    problems();
    top_bit();
    pieces();
    misuse();
    freed_while_fed();
    page_borders();
    texts();
    return check_done("parser");
}
