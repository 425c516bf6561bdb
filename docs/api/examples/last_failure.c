/*
 * Why there is no handle: a sentence for the log of a program whose URL comes
 * from a file that people edit.
 *
 * Shows: webSocket_lastFailure
 */
#include <stdio.h>
#include <wsembed/websocket.h>

int main(void)
{
    webSocket_conn *conn;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    if (webSocket_conn_newClient(NULL, "ws://device:port/", &conn) == WEBSOCKET_OK) {
        webSocket_conn_free(conn);
        return 1;
    }
    if (webSocket_lastFailure(&failure) != WEBSOCKET_OK)
        return 1;
    printf("no connection (%s): %s\n", webSocket_result_name(failure.result), failure.text);
    return failure.stage != WEBSOCKET_STAGE_USAGE;
}
