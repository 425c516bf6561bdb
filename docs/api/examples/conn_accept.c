/*
 * A server that looks at the request before it accepts: it wants a header,
 * chooses the subprotocol, and adds a header to its answer.
 *
 * Shows: webSocket_conn_requestHeader, webSocket_conn_addHeader, webSocket_conn_accept
 */
#include "pair.h"
#include <stdio.h>

static int opened;

static void server_handles(webSocket_conn *conn, const webSocket_event *event)
{
    const char *device;
    size_t length;
    if (event->kind != WEBSOCKET_REQUEST)
        return;
    printf("asked for %.*s", (int)event->length, (const char *)event->data);
    if (webSocket_conn_requestHeader(conn, "X-Device", &device, &length) == WEBSOCKET_OK && device != NULL)
        printf(" by %.*s", (int)length, device); /* no NUL behind it */
    putchar('\n');
    webSocket_conn_addHeader(conn, "X-Server", "hall 7");
    webSocket_conn_accept(conn, "telemetry.v2"); /* NULL: none */
}

static void client_handles(webSocket_conn *conn, const webSocket_event *event)
{
    (void)conn;
    if (event->kind == WEBSOCKET_OPEN)
        opened = printf("open, subprotocol %.*s\n", (int)event->length, (const char *)event->data) > 0;
}

int main(void)
{
    webSocket_config *config;
    webSocket_conn *client = NULL, *server = NULL;
    if (webSocket_config_new(&config) != WEBSOCKET_OK)
        return 1;
    webSocket_config_addText(config, WEBSOCKET_HEADER, "X-Device: pump 3");
    webSocket_config_addText(config, WEBSOCKET_SUBPROTOCOL, "telemetry.v1");
    webSocket_config_addText(config, WEBSOCKET_SUBPROTOCOL, "telemetry.v2");
    if (webSocket_conn_newClient(config, "ws://localhost/stream?rate=10", &client) == WEBSOCKET_OK &&
        webSocket_conn_newServer(NULL, &server) == WEBSOCKET_OK) {
        carry(client, server, server_handles);
        carry(server, client, client_handles);
    }
    free_pair(client, server);
    webSocket_config_free(config);
    return !opened;
}
