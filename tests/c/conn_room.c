/* The rest of a long frame, read straight into the connection's own room.
 * Catalogue: FR16, FR31, AP01, AP03, AP06. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wsembed/websocket.h>

#include "check.h"

#define LONG 300000

static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static webSocket_conn *opened(void)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    uint8_t bytes[sizeof request];
    webSocket_conn *conn;
    CHECK_INT(webSocket_conn_newServer(NULL, &conn), WEBSOCKET_OK);
    memcpy(bytes, request, sizeof request - 1);
    CHECK_INT(webSocket_conn_feed(conn, bytes, sizeof request - 1), WEBSOCKET_OK);
    while (webSocket_conn_next(conn, &event) == WEBSOCKET_OK)
        ;
    CHECK_INT(event.kind, WEBSOCKET_OPEN);
    return conn;
}

/* A masked binary frame of LONG bytes; returns how many it is in all. */
static size_t frame(uint8_t *bytes)
{
    static const uint8_t head[] = {0x82, 0xFF, 0, 0, 0, 0, 0, 4, 0x93, 0xE0, 9, 8, 7, 6};
    size_t i;
    memcpy(bytes, head, sizeof head);
    for (i = 0; i < LONG; i++)
        bytes[sizeof head + i] = (uint8_t)((i * 7) ^ head[10 + i % 4]);
    return sizeof head + LONG;
}

/* A reader's loop over memory in the place of a socket. */
static void a_long_frame(size_t step)
{
    static uint8_t bytes[LONG + 14], buffer[LONG + 14];
    size_t left = frame(bytes), in_room = 0, i;
    const uint8_t *from = bytes;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_conn *conn = opened();
    int told = 0;
    while (left > 0) {
        uint8_t *place;
        size_t room;
        CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_OK);
        CHECK((place == NULL) == (room == 0));
        if (place == NULL) {
            place = buffer;
            room = sizeof buffer;
        }
        if (room > step)
            room = step;
        if (room > left)
            room = left;
        memcpy(place, from, room);
        if (place != buffer)
            in_room += room;
        CHECK_INT(webSocket_conn_feed(conn, place, room), WEBSOCKET_OK);
        from += room;
        left -= room;
        while (webSocket_conn_next(conn, &event) == WEBSOCKET_OK) {
            told++;
            CHECK_INT(event.kind, WEBSOCKET_BINARY);
            CHECK_INT(event.length, LONG);
            for (i = 0; i < event.length && event.data[i] == (uint8_t)(i * 7); i++)
                ;
            CHECK_INT(i, LONG);
        }
    }
    CHECK_INT(told, 1);
    CHECK(in_room > LONG / 2);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
}

static void misuse(void)
{
    static uint8_t bytes[LONG + 14];
    uint8_t *place = bytes;
    size_t room = 7;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_conn *conn = opened();
    frame(bytes);
    CHECK_INT(webSocket_conn_room(NULL, &place, &room), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_room(conn, NULL, &room), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_room(conn, &place, NULL), WEBSOCKET_E_NULL);
    CHECK(place == bytes && room == 7);
    CHECK_INT(webSocket_conn_feed(conn, bytes, 1000), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_OK);
    CHECK(place != NULL && room > 0);
    CHECK_INT(webSocket_conn_feed(conn, place, room + 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_feed(conn, place, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    /* Asking and not using it is fine. */
    CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, bytes + 1000, LONG + 14 - 1000), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.length, LONG);
    CHECK_INT(event.data[LONG - 1], (uint8_t)((LONG - 1) * 7));
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_GONE);
}

/* What the room has is known to it until it is asked again. */
static void more_misuse(void)
{
    static uint8_t bytes[LONG + 14];
    uint8_t *place, *again;
    size_t room, none = 7, i;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_conn *conn = opened();
    frame(bytes);
    CHECK_INT(webSocket_conn_feed(conn, bytes, 1000), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_OK);
    /* A read that brought nothing leaves the room where it is. */
    CHECK_INT(webSocket_conn_feed(conn, place, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, place, room + 1), WEBSOCKET_E_USAGE);
    /* Bytes in the midst of the room are behind none. */
    CHECK_INT(webSocket_conn_feed(conn, place + 1, 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_feed(conn, place + room - 1, 1), WEBSOCKET_E_USAGE);
    memcpy(place, bytes + 1000, 20000);
    CHECK_INT(webSocket_conn_feed(conn, place, 20000), WEBSOCKET_OK);
    /* Now they have to be read first. */
    CHECK_INT(webSocket_conn_feed(conn, bytes + 21000, 1000), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_conn_feed(conn, place, 1), WEBSOCKET_E_STATE);
    again = bytes;
    CHECK_INT(webSocket_conn_room(conn, &again, &none), WEBSOCKET_E_STATE);
    CHECK(again == bytes && none == 7);
    CHECK_INT(webSocket_conn_tick(conn, 1, NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_tick(conn, 100000, NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_feed(conn, bytes + 21000, LONG + 14 - 21000), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.length, LONG);
    for (i = 0; i < event.length && event.data[i] == (uint8_t)(i * 7); i++)
        ;
    CHECK_INT(i, LONG);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
}

/* The time may be told between asking for room and reading into it: spare room
 * of an earlier message is given back then, but not this. */
static void time_passes(void)
{
    static uint8_t bytes[LONG + 14];
    size_t length = frame(bytes), room, half = LONG / 2;
    uint8_t *place, *again;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_conn *conn = opened();
    CHECK_INT(webSocket_conn_tick(conn, 1, NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, bytes, half), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_feed(conn, bytes + half, length - half), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    frame(bytes);
    CHECK_INT(webSocket_conn_feed(conn, bytes, 14), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_room(conn, &place, &room), WEBSOCKET_OK);
    CHECK(place != NULL && room < LONG);
    CHECK_INT(webSocket_conn_tick(conn, 5000, NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, place, room + 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_room(conn, &again, &room), WEBSOCKET_OK);
    CHECK(again == place);
    memcpy(place, bytes + 14, room);
    CHECK_INT(webSocket_conn_feed(conn, place, room), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_tick(conn, 9000, NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_feed(conn, bytes + 14 + room, LONG - room), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.length, LONG);
    for (room = 0; room < event.length && event.data[room] == (uint8_t)(room * 7); room++)
        ;
    CHECK_INT(room, LONG);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
}

int main(void)
{
    a_long_frame(1000);
    a_long_frame(65536);
    a_long_frame(100000);
    misuse();
    more_misuse();
    time_passes();
    return check_done("conn_room");
}
