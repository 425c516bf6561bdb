/*
 * The closing handshake: the client closes with a code and a reason, the
 * library answers for the server, both ends have one CLOSE event.
 *
 * Shows: webSocket_conn_close
 */
#include "pair.h"
#include <stdio.h>

static int closed;

static void handles(webSocket_conn *conn, const webSocket_event *event)
{
    (void)conn;
    if (event->kind != WEBSOCKET_CLOSE)
        return;
    printf("%s, code %u, reason \"%.*s\", %s\n", event->flags & WEBSOCKET_BY_PEER ? "by the peer" : "by us",
           (unsigned)event->closeCode, (int)event->length, (const char *)event->data,
           event->result == WEBSOCKET_OK ? "clean" : webSocket_result_name(event->result));
    closed++;
}

int main(void)
{
    webSocket_conn *client, *server;
    if (!open_pair(&client, &server))
        return 1;
    if (webSocket_conn_close(client, 1001, "going to sleep") != WEBSOCKET_OK)
        return 1;
    carry(client, server, handles);
    carry(server, client, handles);
    /* Nothing more can be sent. */
    if (webSocket_conn_close(client, 1000, NULL) != WEBSOCKET_CLOSED)
        return 1;
    free_pair(client, server);
    return closed != 2;
}
