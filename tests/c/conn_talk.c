/* Two ends of a connection in one program: handshake, messages whole and in
 * chunks, pings, refusals, the closing handshake, deadlines. */
#include <stdlib.h>
#include <string.h>
#include <wsembed/websocket.h>

#include "check.h"

/* Moves what one end has to say to the other, `step` bytes at a time; the
 * receiving end's events go to `seen`. */
typedef void (*handler)(webSocket_conn *conn, const webSocket_event *event, void *user);

static void take(webSocket_conn *to, handler handle, void *user)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_result result;
    while ((result = webSocket_conn_next(to, &event)) == WEBSOCKET_OK)
        if (handle)
            handle(to, &event, user);
    CHECK(result == WEBSOCKET_AGAIN || result == WEBSOCKET_CLOSED);
}

static size_t pump(webSocket_conn *from, webSocket_conn *to, size_t step, handler handle, void *user)
{
    const uint8_t *data;
    size_t length, moved = 0;
    while (webSocket_conn_output(from, &data, &length) == WEBSOCKET_OK && length > 0) {
        uint8_t *piece;
        if (length > step)
            length = step;
        piece = malloc(length);
        CHECK(piece);
        memcpy(piece, data, length);
        CHECK_INT(webSocket_conn_outputDone(from, length), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_feed(to, piece, length), WEBSOCKET_OK);
        take(to, handle, user);
        free(piece); /* AGAIN gave it back */
        moved += length;
    }
    return moved;
}

struct seen {
    int requests, opens, texts, binaries, pings, pongs, closes;
    uint32_t closeCode;
    webSocket_result closeResult;
    uint8_t *bytes;
    size_t length, room;
};

/* Doubles: an event may have one byte only, and there are many. */
static void keep(struct seen *seen, const uint8_t *data, size_t length)
{
    if (seen->room - seen->length < length) {
        seen->room = 2 * seen->room + length;
        seen->bytes = realloc(seen->bytes, seen->room);
        CHECK(seen->bytes);
    }
    if (length > 0)
        memcpy(seen->bytes + seen->length, data, length);
    seen->length += length;
}

static int holds(const struct seen *seen, const uint8_t *data, size_t length)
{
    return seen->length == length && (length == 0 || memcmp(seen->bytes, data, length) == 0);
}

static void note(webSocket_conn *conn, const webSocket_event *event, void *user)
{
    struct seen *seen = user;
    (void)conn;
    CHECK(event->data != NULL);
    switch (event->kind) {
    case WEBSOCKET_REQUEST: {
        const char *value;
        size_t length;
        seen->requests++;
        CHECK(event->length == 7 && memcmp(event->data, "/a?b=c1", 7) == 0);
        CHECK_INT(webSocket_conn_requestHeader(conn, "x-device", &value, &length), WEBSOCKET_OK);
        CHECK(length == 5 && memcmp(value, "no. 7", 5) == 0);
        CHECK_INT(webSocket_conn_requestHeader(conn, "X-None", &value, &length), WEBSOCKET_OK);
        CHECK(value == NULL && length == 0);
        break;
    }
    case WEBSOCKET_OPEN:
        seen->opens++;
        CHECK(event->length == 4 && memcmp(event->data, "chat", 4) == 0);
        break;
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        if (event->flags & WEBSOCKET_FIRST)
            seen->length = 0;
        CHECK_INT(event->offset, seen->length);
        keep(seen, event->data, event->length);
        if (event->flags & WEBSOCKET_FINAL)
            ++*(event->kind == WEBSOCKET_TEXT ? &seen->texts : &seen->binaries);
        break;
    case WEBSOCKET_PING:
        seen->pings++;
        break;
    case WEBSOCKET_PONG:
        seen->pongs++;
        break;
    case WEBSOCKET_CLOSE:
        seen->closes++;
        seen->closeCode = event->closeCode;
        seen->closeResult = event->result;
        break;
    default:
        CHECK(!"an event of unknown kind");
    }
}

static void talk(size_t step, uint64_t chunkAbove)
{
    webSocket_config *config;
    webSocket_conn *client, *server;
    struct seen at_client = {0}, at_server = {0};
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536, 300000};
    size_t i;

    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_CHUNK_ABOVE_BYTES, chunkAbove), 0);
    CHECK_INT(webSocket_config_addText(config, WEBSOCKET_SUBPROTOCOL, "chat"), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_addText(config, WEBSOCKET_HEADER, "X-Device: no. 7"), 0);
    CHECK_INT(webSocket_conn_newClient(config, "ws://device/a?b=c1", &client), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_newServer(config, &server), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);

    pump(client, server, step, note, &at_server);
    pump(server, client, step, note, &at_client);
    CHECK(at_server.requests == 1 && at_server.opens == 1 && at_client.opens == 1);

    /* The longest, byte by byte, is left out of a short run. */
    const size_t count = sizeof lengths / sizeof *lengths - (check_short() && step == 1);

    for (i = 0; i < count; i++) {
        uint8_t *message = malloc(lengths[i] + 1);
        size_t third = lengths[i] / 3;
        CHECK(message);
        memset(message, 'a' + (int)i, lengths[i] + 1);
        CHECK_INT(webSocket_conn_send(client, WEBSOCKET_TEXT, message, lengths[i]), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_send(client, WEBSOCKET_PING, message, third % 126), WEBSOCKET_OK);
        pump(client, server, step, note, &at_server);
        CHECK_INT(at_server.texts, i + 1);
        CHECK(holds(&at_server, message, lengths[i]));

        CHECK_INT(webSocket_conn_sendChunk(server, WEBSOCKET_BINARY, message, third, WEBSOCKET_FIRST), 0);
        CHECK_INT(webSocket_conn_send(server, WEBSOCKET_PING, NULL, 0), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_sendChunk(server, WEBSOCKET_BINARY, message, third, 0), 0);
        CHECK_INT(webSocket_conn_sendChunk(server, WEBSOCKET_BINARY, message, lengths[i] - 2 * third,
                                             WEBSOCKET_FINAL), WEBSOCKET_OK);
        pump(server, client, step, note, &at_client);
        CHECK_INT(at_client.binaries, i + 1);
        CHECK(holds(&at_client, message, lengths[i]));
        CHECK_INT(at_client.pongs, i + 1);
        CHECK_INT(at_client.pings, i + 1);
        free(message);
    }

    CHECK_INT(webSocket_conn_close(client, 4001, "that is all"), WEBSOCKET_OK);
    pump(client, server, step, note, &at_server);
    pump(server, client, step, note, &at_client);
    CHECK(at_server.closes == 1 && at_server.closeCode == 4001 && at_server.closeResult == WEBSOCKET_OK);
    CHECK(at_client.closes == 1 && at_client.closeCode == 4001 && at_client.closeResult == WEBSOCKET_OK);
    {
        const uint8_t *data;
        size_t length;
        webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
        CHECK_INT(webSocket_conn_output(server, &data, &length), WEBSOCKET_CLOSED);
        CHECK_INT(webSocket_conn_output(client, &data, &length), WEBSOCKET_OK);
        CHECK_INT(length, 0);
        CHECK_INT(webSocket_conn_feedEof(client), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_output(client, &data, &length), WEBSOCKET_CLOSED);
        CHECK_INT(webSocket_conn_failure(client, &failure), WEBSOCKET_OK);
        CHECK_INT(failure.stage, WEBSOCKET_STAGE_NONE);
    }
    CHECK_INT(webSocket_conn_free(client), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_free(server), WEBSOCKET_OK);
    free(at_client.bytes);
    free(at_server.bytes);
}

static void refuse(webSocket_conn *conn, const webSocket_event *event, void *user)
{
    int *closes = user;
    static const char body[] = "not you\n";
    if (event->kind == WEBSOCKET_REQUEST) {
        CHECK_INT(webSocket_conn_accept(conn, "never-offered"), WEBSOCKET_E_SUBPROTOCOL_CHOICE);
        CHECK_INT(webSocket_conn_addHeader(conn, "Retry-After", "30"), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_addHeader(conn, "X", "a\r\nB: c"), WEBSOCKET_E_HEADER);
        CHECK_INT(webSocket_conn_refuse(conn, 200, NULL, 0), WEBSOCKET_E_RANGE);
        CHECK_INT(webSocket_conn_refuse(conn, 70000, NULL, 0), WEBSOCKET_E_RANGE);
        CHECK_INT(webSocket_conn_refuse(conn, 503, (const uint8_t *)body, sizeof body - 1), 0);
    } else {
        CHECK_INT(event->kind, WEBSOCKET_CLOSE);
        ++*closes;
    }
}

static void refused(void)
{
    webSocket_conn *client, *server;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    struct seen at_client = {0};
    int closes = 0;
    CHECK_INT(webSocket_conn_newClient(NULL, "ws://device", &client), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_newServer(NULL, &server), WEBSOCKET_OK);
    pump(client, server, 7, refuse, &closes);
    CHECK_INT(closes, 1);
    pump(server, client, 7, note, &at_client);
    CHECK(at_client.closes == 1 && at_client.closeCode == 1006);
    CHECK_INT(at_client.closeResult, WEBSOCKET_E_HTTP_STATUS);
    CHECK_INT(webSocket_conn_failure(client, &failure), WEBSOCKET_OK);
    CHECK_INT(failure.stage, WEBSOCKET_STAGE_HANDSHAKE);
    CHECK_INT(failure.httpStatus, 503);
    CHECK(strstr(failure.text, "503") != NULL);
    CHECK(failure.answerLength > 12 && memcmp(failure.answer, "HTTP/1.1 503", 12) == 0);
    webSocket_conn_free(client);
    webSocket_conn_free(server);
}

static void deadlines(void)
{
    webSocket_config *config;
    webSocket_conn *server;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    uint64_t deadline = 0;
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_HANDSHAKE_TIMEOUT_MS, 1500), 0);
    CHECK_INT(webSocket_conn_newServer(config, &server), WEBSOCKET_OK);
    webSocket_config_free(config);
    CHECK_INT(webSocket_conn_tick(server, 1000, &deadline), WEBSOCKET_OK);
    CHECK_INT(deadline, 2500);
    CHECK_INT(webSocket_conn_tick(server, 2499, NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(server, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_tick(server, 2500, &deadline), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(server, &event), WEBSOCKET_OK);
    CHECK_INT(event.kind, WEBSOCKET_CLOSE);
    CHECK_INT(event.result, WEBSOCKET_TIMEOUT);
    CHECK_INT(webSocket_conn_next(server, &event), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_conn_failure(server, &failure), WEBSOCKET_OK);
    CHECK_INT(failure.stage, WEBSOCKET_STAGE_TIMEOUT);
    CHECK_INT(failure.httpStatus, 408);
    webSocket_conn_free(server);
}

int main(void)
{
    static const size_t steps[] = {1, 7, 4096, (size_t)1 << 30};
    size_t i;
    for (i = 0; i < sizeof steps / sizeof *steps; i++) {
        talk(steps[i], UINT64_MAX);
        talk(steps[i], 0);
        talk(steps[i], 1000);
    }
    refused();
    deadlines();
    return check_done("conn_talk");
}
