/* What an event lends stays until the next call of webSocket_conn_next, _feed
 * or _free, whatever ends the connection meanwhile. Catalogue: AP29, HS35. */
#include <stdint.h>
#include <string.h>
#include <wsembed/websocket.h>

#include "check.h"

#define TARGET "/a/path/that/is/long/enough/to/stand/in/memory/of/its/own"

static const char request[] = "GET " TARGET " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* A server's end that has just been told of a request, at the time 0. */
static webSocket_conn *asked(uint8_t *bytes, webSocket_event *event)
{
    webSocket_config *config;
    webSocket_conn *conn;
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_HANDSHAKE_TIMEOUT_MS, 1000), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_IDLE_TIMEOUT_MS, 1000), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_newServer(config, &conn), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_tick(conn, 0, NULL), WEBSOCKET_OK);
    memcpy(bytes, request, sizeof request - 1);
    CHECK_INT(webSocket_conn_feed(conn, bytes, sizeof request - 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, event), WEBSOCKET_OK);
    CHECK_INT(event->kind, WEBSOCKET_REQUEST);
    CHECK_INT(event->length, sizeof TARGET - 1);
    return conn;
}

/* The end is told once, and with it the loan is over. */
static void ends(webSocket_conn *conn, webSocket_result why)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.kind, WEBSOCKET_CLOSE);
    CHECK_INT(event.result, why);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
}

static void a_request(void)
{
    uint8_t bytes[sizeof request];
    const uint8_t *data;
    const char *value;
    size_t length;
    int way;
    for (way = 0; way < 3; way++) {
        webSocket_event event = WEBSOCKET_EVENT_INIT;
        webSocket_conn *conn = asked(bytes, &event);
        memset(bytes, 0, sizeof bytes);
        if (way == 0)
            CHECK_INT(webSocket_conn_refuse(conn, 404, NULL, 0), WEBSOCKET_OK);
        else if (way == 1)
            CHECK_INT(webSocket_conn_close(conn, 1001, NULL), WEBSOCKET_OK);
        else
            CHECK_INT(webSocket_conn_tick(conn, 1000, NULL), WEBSOCKET_OK);
        CHECK(memcmp(event.data, TARGET, event.length) == 0);

        /* The decision is made, and made once. */
        CHECK_INT(webSocket_conn_output(conn, &data, &length), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_outputDone(conn, length), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_accept(conn, NULL), WEBSOCKET_E_STATE);
        CHECK_INT(webSocket_conn_refuse(conn, 404, NULL, 0), WEBSOCKET_E_STATE);
        CHECK_INT(webSocket_conn_addHeader(conn, "X", "y"), WEBSOCKET_E_STATE);
        CHECK_INT(webSocket_conn_requestHeader(conn, "Host", &value, &length), WEBSOCKET_E_STATE);
        CHECK_INT(webSocket_conn_output(conn, &data, &length), WEBSOCKET_CLOSED);
        ends(conn, way == 2 ? WEBSOCKET_TIMEOUT : WEBSOCKET_E_REFUSED);
    }
}

/* Frames of an even number of bytes, so that a cut falls inside the last. */
static const uint8_t message[] = "\x01\x88\0\0\0\0" "fragment" "\x80\x88\0\0\0\0" " by part";
static const uint8_t ping[] = "\x89\x90\0\0\0\0" "a ping in pieces";

static void bytes_put_together(const uint8_t *frames, size_t size, const char *whole)
{
    uint8_t bytes[sizeof request];
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_conn *conn = asked(bytes, &event);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.kind, WEBSOCKET_OPEN);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    memcpy(bytes, frames, size);
    CHECK_INT(webSocket_conn_feed(conn, bytes, size - 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_feed(conn, bytes + size - 1, 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.length, strlen(whole));
    memset(bytes, 0, sizeof bytes);
    CHECK_INT(webSocket_conn_tick(conn, 1000, NULL), WEBSOCKET_OK);
    CHECK(memcmp(event.data, whole, event.length) == 0);
    ends(conn, WEBSOCKET_TIMEOUT);
}

int main(void)
{
    a_request();
    bytes_put_together(message, sizeof message - 1, "fragment by part");
    bytes_put_together(ping, sizeof ping - 1, "a ping in pieces");
    return check_done("conn_lent");
}
