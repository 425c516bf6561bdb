/*
 * frame_explain: tells a person what stands in a stream of WebSocket frames.
 *
 * It shows webSocket_parser: every frame with its place, its bits, its length
 * and its payload, unmasked; what is wrong with it, with the section of RFC 6455;
 * and it goes on behind what is wrong.
 *
 *     frame_explain [OPTION]... FILE           the bytes of one direction, as they were sent
 *     frame_explain [OPTION]... -              the same from standard input, as they come
 *     frame_explain [OPTION]... --hex HEX...   bytes in hexadecimal: 81 05, 81:05, 0x81,0x05
 *     frame_explain [OPTION]... --hex -        the same from standard input
 *
 *     --from client|server   whose frames they are: says whether they must be masked
 *     --deflate              permessage-deflate was agreed on: RSV1 is in order
 *     --bytes N              show at most N bytes of each payload (256)
 *     --cut N                read N bytes at a time (65536): what is told stays the same
 *
 * HTTP heads in front of the frames are skipped; what they tell, the direction
 * and whether messages may be compressed, is taken over. The end is 0 where all
 * is well, 1 where a frame has a problem, 2 where something could not be read.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#include "plain_bytes.h"

enum { BUFFER_BYTES = 64 << 10, STATUS_PROBLEMS = 1, STATUS_UNREADABLE = 2 };

static struct {
    uint32_t flags; /* of the parser, by options and heads */
    size_t cut;
    size_t limit; /* payload bytes shown of each frame */
    bool senderGiven, deflateGiven;
} options = {.cut = BUFFER_BYTES, .limit = 256};

/* Where the bytes come from: a file, or the text of --hex. */
static struct {
    int file;
    uint8_t *bytes;
    size_t length, at;
    uint8_t start[16]; /* what a file begins with */
    size_t started;
} source = {.file = -1};

/* The payload of the present frame, as much of it as is shown. */
static uint8_t *shown;
static size_t shownLength;

static uint64_t frames, badFrames;
static uint64_t headBytes; /* of the stream, in front of the frames */
static uint64_t toldBytes; /* of the stream, up to the end of the last frame */
static bool inMessage, inText;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("frame_explain: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(STATUS_UNREADABLE);
}

static void must(webSocket_result result, const char *what)
{
    if (result != WEBSOCKET_OK) die("%s: %s", what, webSocket_result_text(result));
}

/* ---- frames ---- */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static const char *opcodeName(uint32_t opcode)
{
    switch (opcode) {
    case 0x0: return "continuation";
    case 0x1: return "text";
    case 0x2: return "binary";
    case 0x8: return "close";
    case 0x9: return "ping";
    case 0xA: return "pong";
    default: return opcode < 8 ? "reserved data" : "reserved control";
    }
}

static const char *codeName(uint32_t code)
{
    static const char *const names[] = {
        "normal closure", "going away", "protocol error", "unsupported data", "reserved", "no code, never sent",
        "lost connection, never sent", "invalid payload data", "policy violation", "message too big",
        "mandatory extension", "internal error", "service restart", "try again later", "bad gateway",
        "failed TLS, never sent",
    };
    if (code >= 1000 && code < 1000 + sizeof names / sizeof *names) return names[code - 1000];
    if (code >= 3000 && code < 4000) return "of a library or framework";
    if (code >= 4000 && code < 5000) return "of the application";
    return "undefined";
}

static void printHeader(const webSocket_frame *frame)
{
    uint64_t place = headBytes + frame->offset;
    printf("frame %" PRIu64 " at byte %" PRIu64 " (0x%" PRIx64 "): %s\n", frames, place, place,
           opcodeName(frame->opcode));
    printf("  bits     FIN %u, RSV1 %u, RSV2 %u, RSV3 %u, opcode 0x%X\n", frame->fin, frame->rsv1, frame->rsv2,
           frame->rsv3, (unsigned)frame->opcode);
    if (frame->problems & WEBSOCKET_PROBLEM_HEADER_CUT) {
        printf("  header   %zu byte%s of it, no more\n", frame->headerLength, plural(frame->headerLength));
        return;
    }
    printf("  length   %" PRIu64 " (%u-bit form), header %zu bytes\n", frame->payloadLength,
           (unsigned)frame->lengthBits, frame->headerLength);
    if (frame->masked)
        printf("  mask     %02x %02x %02x %02x\n", frame->maskKey[0], frame->maskKey[1], frame->maskKey[2],
               frame->maskKey[3]);
    else
        puts("  mask     none");
}

/* Follows messages as the parser does, to know what a continuation continues. */
static void follow(const webSocket_frame *frame)
{
    if (frame->opcode == 0x1 || frame->opcode == 0x2) {
        inMessage = true;
        inText = frame->opcode == 0x1;
    }
    /* A reserved bit says that an extension has made something else of it. */
    if (frame->opcode <= 0x2 && (frame->rsv1 || frame->rsv2 || frame->rsv3)) inText = false;
}

static void printPayload(const webSocket_frame *frame)
{
    bool close = frame->opcode == 0x8 && frame->closeCode != 0;
    bool text = close || (frame->opcode <= 0x1 && inMessage && inText);
    size_t code = close ? 2 : 0; /* bytes in front of the reason */
    uint64_t told = shownLength > code ? shownLength : code;
    uint64_t arrived = frame->pieceOffset + frame->length;
    if (close) printf("  close    %u (%s)\n", (unsigned)frame->closeCode, codeName(frame->closeCode));
    if (close && frame->payloadLength == 2) return;
    if (frame->payloadLength == 0) {
        if (!(frame->problems & WEBSOCKET_PROBLEM_HEADER_CUT)) puts("  payload  empty");
        return;
    }
    if (shownLength > code) {
        printf(close ? "  reason   " : "  payload  ");
        /* Where a byte is wrong, the bytes are what one wants to see. */
        if (text && !(frame->problems & (WEBSOCKET_PROBLEM_TEXT_UTF8 | WEBSOCKET_PROBLEM_CLOSE_REASON))) {
            printText(shown + code, shownLength - code);
            putchar('\n');
        } else {
            printDump(shown + code, shownLength - code, 11);
        }
    }
    if (arrived > told) printf("  hidden   %" PRIu64 " byte%s more\n", arrived - told, plural(arrived - told));
    if (frame->remaining > 0 && !(frame->problems & WEBSOCKET_PROBLEM_LENGTH_TOP_BIT))
        printf("  missing  %" PRIu64 " byte%s\n", frame->remaining, plural(frame->remaining));
}

static void printProblems(const webSocket_frame *frame)
{
    uint32_t left;
    for (left = frame->problems; left != 0; left &= left - 1) printf("  PROBLEM  %s\n", webSocket_problem_text(left));
    if (frame->problems != 0) badFrames++;
}

/* Tells a frame once all its pieces have come. */
static void takePiece(const webSocket_frame *piece)
{
    size_t count = piece->length;
    if (piece->flags & WEBSOCKET_FIRST) {
        frames++;
        shownLength = 0;
        follow(piece);
    }
    if (count > options.limit - shownLength) count = options.limit - shownLength;
    memcpy(shown + shownLength, piece->data, count);
    shownLength += count;
    toldBytes = headBytes + piece->offset + piece->headerLength + piece->pieceOffset + piece->length;
    if (piece->flags & WEBSOCKET_FINAL) {
        printHeader(piece);
        printPayload(piece);
        printProblems(piece);
        if (piece->opcode <= 0x2 && piece->fin) inMessage = false;
    }
}

/* True once nothing more can be told. */
static bool drain(webSocket_parser *parser)
{
    webSocket_frame piece = WEBSOCKET_FRAME_INIT;
    webSocket_result result;
    while ((result = webSocket_parser_next(parser, &piece)) == WEBSOCKET_OK) takePiece(&piece);
    fflush(stdout);
    if (result != WEBSOCKET_AGAIN && result != WEBSOCKET_CLOSED && result != WEBSOCKET_E_LENGTH)
        must(result, "the parser");
    return result != WEBSOCKET_AGAIN;
}

/* ---- HTTP heads in front of the frames ---- */

static const char *const headStarts[] = {"GET ", "HTTP/1."};

/* The head that `bytes` begin with: 0 a request, 1 an answer, -1 none, -2 not to be told yet. */
static int headKind(const uint8_t *bytes, size_t length)
{
    int kind, found = -1;
    for (kind = 0; kind < 2; kind++) {
        size_t size = strlen(headStarts[kind]);
        if (memcmp(bytes, headStarts[kind], length < size ? length : size) != 0) continue;
        if (length >= size) return kind;
        found = -2;
    }
    return found;
}

static size_t headSize(const uint8_t *bytes, size_t length)
{
    const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - bytes) + 4;
}

static void takeHead(int kind, const uint8_t *head, size_t size)
{
    static const uint32_t senders[] = {WEBSOCKET_PARSER_FROM_CLIENT, WEBSOCKET_PARSER_FROM_SERVER};
    static const char deflate[] = "permessage-deflate";
    static bool seen[2];
    const uint8_t *lineEnd = memchr(head, '\r', size);
    bool agreed = false;
    size_t i;
    printf("HTTP %s at byte %" PRIu64 ", %zu bytes: ", kind == 0 ? "request" : "answer", headBytes, size);
    printText(head, (size_t)(lineEnd - head));
    putchar('\n');
    if (kind == 1 && memcmp(head + 8, " 101", 4) != 0) die("no frames follow an answer other than 101");
    for (i = 0; i + sizeof deflate <= size; i++)
        agreed |= strncasecmp((const char *)head + i, deflate, sizeof deflate - 1) == 0;
    /* The answer comes last, and what it says counts. */
    if (!options.deflateGiven)
        options.flags = (options.flags & ~(uint32_t)WEBSOCKET_PARSER_COMPRESSED) |
                        (agreed ? WEBSOCKET_PARSER_COMPRESSED : 0u);
    seen[kind] = true;
    if (options.senderGiven) return;
    options.flags &= ~(senders[0] | senders[1]);
    if (!(seen[0] && seen[1])) options.flags |= senders[kind];
}

/* Says what the heads have told, once the frames begin. */
static void endHeads(void)
{
    if (headBytes == 0) return;
    if (options.flags & WEBSOCKET_PARSER_FROM_CLIENT)
        puts("frames of a client: each must be masked");
    else if (options.flags & WEBSOCKET_PARSER_FROM_SERVER)
        puts("frames of a server: none may be masked");
    else
        puts("both directions in one stream: masking is not judged, messages of the two may mix");
    if (options.flags & WEBSOCKET_PARSER_COMPRESSED) puts("permessage-deflate: messages with RSV1 are compressed");
}

/* Skips heads at the start of `bytes`. True once frames begin. */
static bool skipHeads(uint8_t *bytes, size_t *length, bool end)
{
    while (*length > 0) {
        int kind = headKind(bytes, *length);
        size_t size;
        if (kind == -1 || (kind == -2 && end)) return true;
        if (kind == -2) return false;
        size = headSize(bytes, *length);
        if (size == 0 && end) die("the stream ends inside an HTTP head");
        if (size == 0 && *length == BUFFER_BYTES) die("an HTTP head of more than %d bytes", BUFFER_BYTES);
        if (size == 0) return false;
        takeHead(kind, bytes, size);
        toldBytes = headBytes += size;
        *length -= size;
        memmove(bytes, bytes + size, *length);
    }
    return end;
}

/* ---- the way in ---- */

/* A file of hexadecimal text is an easy mistake, which the problems told would not explain. */
static void noteHex(const uint8_t *bytes, size_t length)
{
    size_t room = sizeof source.start - source.started;
    if (room == 0) return;
    if (length > room) length = room;
    memcpy(source.start + source.started, bytes, length);
    source.started += length;
    if (length == room && looksHex(source.start, sizeof source.start))
        fputs("frame_explain: this looks like hexadecimal text, not like bytes: try --hex - <FILE, or xxd -r\n", stderr);
}

static size_t readSource(uint8_t *to, size_t room)
{
    ssize_t got;
    if (room > options.cut) room = options.cut;
    if (source.file < 0) {
        if (room > source.length - source.at) room = source.length - source.at;
        if (room > 0) memcpy(to, source.bytes + source.at, room);
        source.at += room;
        return room;
    }
    do got = read(source.file, to, room);
    while (got < 0 && errno == EINTR);
    if (got < 0) die("cannot read: %s", strerror(errno));
    noteHex(to, (size_t)got);
    return (size_t)got;
}

static void explain(void)
{
    static uint8_t buffer[BUFFER_BYTES];
    webSocket_parser *parser = NULL;
    size_t held = 0, got;
    bool over = false;
    do {
        got = readSource(buffer + held, sizeof buffer - held);
        held += got;
        if (parser == NULL) {
            if (!skipHeads(buffer, &held, got == 0)) continue;
            endHeads();
            must(webSocket_parser_new(options.flags, &parser), "a parser");
        }
        must(webSocket_parser_feed(parser, buffer, held), "the parser");
        held = 0;
        if (got == 0) must(webSocket_parser_feedEof(parser), "the parser");
        over = drain(parser);
    } while (got > 0 && !over);
    webSocket_parser_free(parser);
    if (got == 0 && inMessage) puts("the last message has not got its final frame");
    printf("%" PRIu64 " frame%s, %" PRIu64 " byte%s: ", frames, plural(frames), toldBytes, plural(toldBytes));
    if (badFrames == 0)
        puts("no problems");
    else
        printf("%" PRIu64 " frame%s with problems\n", badFrames, plural(badFrames));
}

/* ---- the command line ---- */

/* Reads the bytes that `text` spells. */
static void takeHex(const char *text, size_t length)
{
    char wrong[80];
    if (hexOffset(text, length))
        die("--hex: the first word looks like an offset: leave out the columns of offsets and of characters "
            "(as xxd -p does)");
    source.bytes = malloc(length / 2 + 1);
    if (source.bytes == NULL) die("no memory for %zu digits", length);
    if (!readHex(text, length, source.bytes, &source.length, wrong, sizeof wrong)) die("--hex: %s", wrong);
}

/* Joins arguments, or takes all of standard input; the caller frees it. */
static char *hexText(char **arguments, size_t *length)
{
    size_t room = 0;
    char *text = NULL;
    bool input = arguments[0] != NULL && strcmp(arguments[0], "-") == 0 && arguments[1] == NULL;
    *length = 0;
    for (;;) {
        size_t more = input ? 4096 : *arguments == NULL ? 0 : strlen(*arguments) + 1;
        ssize_t got = (ssize_t)more;
        if (more == 0) return text;
        if (room - *length < more) {
            char *larger = realloc(text, room = 2 * room + more);
            if (larger == NULL) die("no memory for %zu digits", room);
            text = larger;
        }
        if (input) {
            do got = read(STDIN_FILENO, text + *length, more);
            while (got < 0 && errno == EINTR);
            if (got < 0) die("cannot read: %s", strerror(errno));
            if (got == 0) return text;
        } else {
            memcpy(text + *length, *arguments++, more - 1);
            text[*length + more - 1] = ' ';
        }
        *length += (size_t)got;
    }
}

static void usage(FILE *to)
{
    fputs("usage: frame_explain [--from client|server] [--deflate] [--bytes N] [--cut N]\n", to);
    fputs("                     FILE | - | --hex HEX... | --hex -\n", to);
    fputs("tells each WebSocket frame of FILE, of standard input (-) or of hexadecimal bytes\n", to);
    fputs("HEX: pairs of digits, with blanks, line ends, : , ; - between them, or 0x in front;\n", to);
    fputs("     no column of offsets, none of characters: xxd -p and od -An -tx1 write it so\n", to);
    exit(to == stdout ? EXIT_SUCCESS : STATUS_UNREADABLE);
}

static size_t number(const char *option, const char *text, unsigned long least, unsigned long most)
{
    char *end = NULL;
    unsigned long value;
    errno = 0;
    value = text == NULL || *text < '0' || *text > '9' ? 0 : strtoul(text, &end, 10);
    if (end == NULL || *end != '\0' || errno != 0 || value < least || value > most)
        die("%s takes a number from %lu to %lu", option, least, most);
    return value;
}

/* Takes the options and returns what follows them. */
static char **takeOptions(char **argument)
{
    for (; *argument != NULL && strncmp(*argument, "--", 2) == 0 && strcmp(*argument, "--hex") != 0; argument++) {
        const char *option = *argument;
        if (strcmp(option, "--help") == 0) usage(stdout);
        if (strcmp(option, "--") == 0) return argument + 1;
        if (strcmp(option, "--deflate") == 0) {
            options.flags |= WEBSOCKET_PARSER_COMPRESSED;
            options.deflateGiven = true;
            continue;
        }
        if (strcmp(option, "--from") == 0 && argument[1] != NULL) {
            bool client = strcmp(argument[1], "client") == 0;
            if (!client && strcmp(argument[1], "server") != 0) die("--from takes client or server");
            options.flags &= ~(uint32_t)(WEBSOCKET_PARSER_FROM_CLIENT | WEBSOCKET_PARSER_FROM_SERVER);
            options.flags |= client ? WEBSOCKET_PARSER_FROM_CLIENT : WEBSOCKET_PARSER_FROM_SERVER;
            options.senderGiven = true;
        } else if (strcmp(option, "--bytes") == 0) {
            options.limit = number(option, argument[1], 0, 1ul << 30);
        } else if (strcmp(option, "--cut") == 0) {
            options.cut = number(option, argument[1], 1, BUFFER_BYTES);
        } else {
            usage(stderr);
        }
        argument++;
    }
    return argument;
}

int main(int argc, char **argv)
{
    char **rest = takeOptions(argv + (argc > 0));
    if (rest[0] == NULL) usage(stderr);
    if (strcmp(rest[0], "--hex") == 0) {
        size_t length;
        char *text = hexText(rest + 1, &length);
        takeHex(text, length);
        free(text);
    } else if (rest[1] != NULL) {
        usage(stderr);
    } else {
        source.file = strcmp(rest[0], "-") == 0 ? STDIN_FILENO : open(rest[0], O_RDONLY | O_CLOEXEC);
        if (source.file < 0) die("cannot open %s: %s", rest[0], strerror(errno));
    }
    shown = malloc(options.limit + 1);
    if (shown == NULL) die("no memory for payloads of %zu bytes", options.limit);
    explain();
    free(shown);
    free(source.bytes);
    if (source.file > STDIN_FILENO) close(source.file);
    if (fflush(stdout) != 0 || ferror(stdout)) die("cannot write: %s", strerror(errno));
    return badFrames == 0 ? EXIT_SUCCESS : STATUS_PROBLEMS;
}
