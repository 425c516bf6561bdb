/*
 * A server that refuses by an HTTP answer, and a client that says why it has
 * no connection.
 *
 * Shows: webSocket_conn_refuse, webSocket_conn_failure
 */
#include "pair.h"
#include <stdio.h>

static void server_handles(webSocket_conn *conn, const webSocket_event *event)
{
    static const char body[] = "Not during maintenance.\n";
    if (event->kind == WEBSOCKET_REQUEST) {
        webSocket_conn_addHeader(conn, "Retry-After", "600");
        webSocket_conn_refuse(conn, 503, body, sizeof body - 1);
    }
}

int main(void)
{
    webSocket_conn *client = NULL, *server = NULL;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    if (webSocket_conn_newClient(NULL, "ws://localhost/", &client) != WEBSOCKET_OK ||
        webSocket_conn_newServer(NULL, &server) != WEBSOCKET_OK)
        return 1;
    carry(client, server, server_handles);
    carry(server, client, NULL);
    if (webSocket_conn_failure(client, &failure) == WEBSOCKET_OK)
        printf("%s (HTTP status %u)\n", failure.text, (unsigned)failure.httpStatus);
    free_pair(client, server);
    return failure.httpStatus != 503;
}
