/* Fixed work for scripts/check-instructions: `work CASE COUNT` does one thing
 * COUNT times. Whatever is not what the library is told to do (frames to read,
 * an answer's first half) is made here, outside of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#include "websocket_common.h"

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "work: %s failed\n", what);
        exit(1);
    }
}

static const char request[] = "GET /stream?device=4711 HTTP/1.1\r\n"
                              "Host: device.example:8080\r\n"
                              "Connection: Upgrade\r\n"
                              "Pragma: no-cache\r\n"
                              "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
                              "Upgrade: websocket\r\n"
                              "Origin: http://device.example:8080\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
                              "Cookie: session=8c1f0c4f2b7d4e0f; theme=dark\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* All events of what was fed; returns how many. */
static unsigned long take(webSocket_conn *conn)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    unsigned long events = 0;
    webSocket_result result;
    while ((result = webSocket_conn_next(conn, &event)) == WEBSOCKET_OK)
        events += event.kind == WEBSOCKET_TEXT || event.kind == WEBSOCKET_BINARY || event.kind == WEBSOCKET_OPEN;
    must(result == WEBSOCKET_AGAIN, "webSocket_conn_next");
    return events;
}

static void write_out(webSocket_conn *conn)
{
    const uint8_t *data;
    size_t length;
    must(webSocket_conn_output(conn, &data, &length) == WEBSOCKET_OK, "webSocket_conn_output");
    must(webSocket_conn_outputDone(conn, length) == WEBSOCKET_OK, "webSocket_conn_outputDone");
}

static webSocket_conn *open_server(void)
{
    uint8_t bytes[sizeof request - 1];
    webSocket_conn *conn;
    memcpy(bytes, request, sizeof bytes);
    must(webSocket_conn_newServer(NULL, &conn) == WEBSOCKET_OK, "webSocket_conn_newServer");
    must(webSocket_conn_feed(conn, bytes, sizeof bytes) == WEBSOCKET_OK, "webSocket_conn_feed");
    must(take(conn) == 1, "the server's handshake");
    write_out(conn);
    return conn;
}

/* A client and a server, each through its handshake; frees the server. */
static webSocket_conn *open_client(void)
{
    webSocket_conn *client, *server;
    const uint8_t *data;
    size_t length;
    uint8_t bytes[1024];
    must(webSocket_conn_newServer(NULL, &server) == WEBSOCKET_OK, "webSocket_conn_newServer");
    must(webSocket_conn_newClient(NULL, "ws://device.example:8080/stream", &client) == WEBSOCKET_OK,
         "webSocket_conn_newClient");
    must(webSocket_conn_output(client, &data, &length) == WEBSOCKET_OK && length <= sizeof bytes, "a request");
    memcpy(bytes, data, length);
    must(webSocket_conn_outputDone(client, length) == WEBSOCKET_OK, "webSocket_conn_outputDone");
    must(webSocket_conn_feed(server, bytes, length) == WEBSOCKET_OK && take(server) == 1, "the server's half");
    must(webSocket_conn_output(server, &data, &length) == WEBSOCKET_OK && length <= sizeof bytes, "an answer");
    memcpy(bytes, data, length);
    must(webSocket_conn_feed(client, bytes, length) == WEBSOCKET_OK && take(client) == 1, "the client's half");
    must(webSocket_conn_free(server) == WEBSOCKET_OK, "webSocket_conn_free");
    return client;
}

/* Appends a masked frame to `at`; returns its end. */
static uint8_t *frame(uint8_t *at, unsigned first, const uint8_t *payload, size_t length)
{
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    size_t byte;
    *at++ = (uint8_t)first;
    if (length < 126) {
        *at++ = (uint8_t)(0x80 | length);
    } else if (length < 65536) {
        *at++ = 0x80 | 126;
        *at++ = (uint8_t)(length >> 8);
        *at++ = (uint8_t)length;
    } else {
        *at++ = 0x80 | 127;
        for (byte = 8; byte > 0; byte--)
            *at++ = (uint8_t)((uint64_t)length >> 8 * (byte - 1));
    }
    memcpy(at, key, 4);
    at += 4;
    for (byte = 0; byte < length; byte++)
        *at++ = payload[byte] ^ key[byte % 4];
    return at;
}

/* What the payloads are made of. */
static void fill(uint8_t *payload, size_t length, unsigned first)
{
    static const char text[] = "设备温度正常";
    size_t at;
    for (at = 0; at < length; at++)
        payload[at] = (uint8_t)((first & 0x0F) == 1 ? text[at % (sizeof text - 1)] : (char)(at * 7));
    /* The last character is whole only where the length allows it. */
    if ((first & 0x0F) == 1)
        for (at = length - length % (sizeof text - 1); at < length; at++)
            payload[at] = '.';
}

struct shape {
    const char *name;
    size_t length;      /* of each message */
    unsigned first;     /* FIN and opcode of a message in one frame */
    unsigned fragments; /* frames of a message */
    int cut;            /* frames are cut across two reads */
};

static const struct shape shapes[] = {
    {"parse-16", 16, 0x82, 1, 0},           {"parse-125", 125, 0x82, 1, 0},   {"parse-1K", 1024, 0x82, 1, 0},
    {"parse-64K", 65536, 0x82, 1, 0},       {"text-16", 16, 0x81, 1, 0},      {"text-1K", 1024, 0x81, 1, 0},
    {"fragments-1K", 1024, 0x82, 4, 0},     {"cut-1K", 1024, 0x82, 1, 1},
};

/* One feed for all, or one for each half of a frame and of the next. */
static void parse(const struct shape *shape, unsigned long count)
{
    webSocket_conn *conn = open_server();
    size_t piece = shape->length / shape->fragments, start = 0;
    uint8_t *payload = malloc(shape->length), *bytes = malloc((shape->length + 14 * shape->fragments) * count + 1);
    uint8_t *end = bytes;
    unsigned long number, events = 0;
    unsigned part;
    must(payload && bytes, "malloc");
    fill(payload, shape->length, shape->first);
    for (number = 0; number < count; number++)
        for (part = 0; part < shape->fragments; part++) {
            unsigned first = (part ? 0 : shape->first & 0x7F) | (part + 1 == shape->fragments ? 0x80 : 0);
            end = frame(end, first, payload + part * piece, piece);
        }
    if (shape->cut) {
        for (; start + piece < (size_t)(end - bytes); start += piece) {
            must(webSocket_conn_feed(conn, bytes + start, piece) == WEBSOCKET_OK, "webSocket_conn_feed");
            events += take(conn);
        }
    }
    must(webSocket_conn_feed(conn, bytes + start, (size_t)(end - bytes) - start) == WEBSOCKET_OK, "webSocket_conn_feed");
    events += take(conn);
    must(events == count, "every message came");
}

/* Each message read, sent back and written out. */
static void echo(unsigned long count)
{
    webSocket_conn *conn = open_server();
    uint8_t payload[125], bytes[160];
    fill(payload, sizeof payload, 0x82);
    while (count-- > 0) {
        webSocket_event event = WEBSOCKET_EVENT_INIT;
        size_t length = (size_t)(frame(bytes, 0x82, payload, sizeof payload) - bytes);
        must(webSocket_conn_feed(conn, bytes, length) == WEBSOCKET_OK, "webSocket_conn_feed");
        must(webSocket_conn_next(conn, &event) == WEBSOCKET_OK, "webSocket_conn_next");
        must(webSocket_conn_send(conn, event.kind, event.data, event.length) == WEBSOCKET_OK, "webSocket_conn_send");
        must(webSocket_conn_next(conn, &event) == WEBSOCKET_AGAIN, "webSocket_conn_next");
        write_out(conn);
    }
}

static void client_send(unsigned long count)
{
    webSocket_conn *conn = open_client();
    uint8_t payload[1024];
    fill(payload, sizeof payload, 0x82);
    while (count-- > 0) {
        must(webSocket_conn_send(conn, WEBSOCKET_BINARY, payload, sizeof payload) == WEBSOCKET_OK, "webSocket_conn_send");
        write_out(conn);
    }
}

static void handshake_server(unsigned long count)
{
    while (count-- > 0)
        must(webSocket_conn_free(open_server()) == WEBSOCKET_OK, "webSocket_conn_free");
}

static void handshake_both(unsigned long count)
{
    while (count-- > 0)
        must(webSocket_conn_free(open_client()) == WEBSOCKET_OK, "webSocket_conn_free");
}

/* The drop-in: a frame that has come, from a socket. */
static void dropin_recv(unsigned long count)
{
    uint8_t payload[1024], bytes[1100];
    char room[2048];
    int pair[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    fill(payload, sizeof payload, 0x82);
    while (count-- > 0) {
        size_t length = (size_t)(frame(bytes, 0x82, payload, sizeof payload) - bytes);
        WebsocketData_Type type;
        must(write(pair[1], bytes, length) == (ssize_t)length, "write");
        must(webSocket_recv(pair[0], room, sizeof room, &type) == (int)sizeof payload && type == WDT_BINDATA,
             "webSocket_recv");
    }
}

static const struct {
    const char *name;
    void (*work)(unsigned long count);
} works[] = {
    {"echo-125", echo},
    {"client-send-1K", client_send},
    {"handshake-server", handshake_server},
    {"handshake-both", handshake_both},
    {"dropin-recv-1K", dropin_recv},
};

int main(int argc, char **argv)
{
    unsigned long count;
    size_t at;
    must(argc == 3, "the command line (work CASE COUNT)");
    count = strtoul(argv[2], NULL, 10);
    for (at = 0; at < sizeof shapes / sizeof *shapes; at++)
        if (strcmp(argv[1], shapes[at].name) == 0) {
            parse(&shapes[at], count);
            return 0;
        }
    for (at = 0; at < sizeof works / sizeof *works; at++)
        if (strcmp(argv[1], works[at].name) == 0) {
            works[at].work(count);
            return 0;
        }
    must(0, "finding that case");
    return 1;
}
