/*
 * A file of 1 MB in one message: the server reads most of it straight into the
 * message's own place.
 *
 * Shows: webSocket_conn_room
 */
#include "pair.h"
#include <stdio.h>

static uint8_t file[1000000], buffer[65536];
static const uint8_t *out;
static size_t left;

/* recv() in a real program. */
static size_t receive(uint8_t *into, size_t room)
{
    size_t count = room < left ? room : left;
    memcpy(into, out, count);
    out += count;
    left -= count;
    return count;
}

int main(void)
{
    webSocket_conn *client, *server;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    size_t whole = 0, straight = 0;
    if (!open_pair(&client, &server) ||
        webSocket_conn_send(client, WEBSOCKET_BINARY, file, sizeof file) != WEBSOCKET_OK ||
        webSocket_conn_output(client, &out, &left) != WEBSOCKET_OK)
        return 1;
    while (left > 0) {
        uint8_t *place;
        size_t room, count;
        webSocket_conn_room(server, &place, &room);
        if (place != NULL) {
            count = receive(place, room);
            straight += count;
        } else {
            place = buffer;
            count = receive(buffer, sizeof buffer);
        }
        webSocket_conn_feed(server, place, count);
        while (webSocket_conn_next(server, &event) == WEBSOCKET_OK)
            whole = event.length;
    }
    printf("%zu bytes in one message, %zu of them not copied\n", whole, straight);
    free_pair(client, server);
    return whole == sizeof file && straight > sizeof file / 2 ? 0 : 1;
}
