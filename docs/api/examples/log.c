/*
 * Lines of log on stderr, where the library would say nothing.
 *
 * Shows: webSocket_setLog
 */
#include <stdio.h>
#include <wsembed/websocket.h>

static void line(void *user, int32_t level, const char *text)
{
    int *lines = user;
    fprintf(stderr, "%s: %s\n", level == WEBSOCKET_LOG_ERROR ? "error" : "warning", text);
    ++*lines;
}

int main(void)
{
    int lines = 0;
    webSocket_conn *conn;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    uint8_t noise[] = "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n";

    webSocket_setLog(line, &lines);
    if (webSocket_conn_newServer(NULL, &conn) != WEBSOCKET_OK)
        return 1;
    webSocket_conn_feed(conn, noise, sizeof noise - 1); /* no WebSocket request */
    while (webSocket_conn_next(conn, &event) == WEBSOCKET_OK)
        continue;
    webSocket_conn_free(conn);
    webSocket_setLog(NULL, NULL); /* `lines` ends with this function */
    return lines == 0;
}
