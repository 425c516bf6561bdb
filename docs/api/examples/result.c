/*
 * What a result says: a name for the log, a sentence for people, and whether
 * the connection is over.
 *
 * Shows: webSocket_result_name, webSocket_result_text, webSocket_result_isFatal
 */
#include <stdio.h>
#include <wsembed/websocket.h>

int main(void)
{
    webSocket_conn *conn;
    webSocket_result result = webSocket_conn_newClient(NULL, "http://example.com/", &conn);
    if (result == WEBSOCKET_OK) {
        webSocket_conn_free(conn);
        return 1; /* not with this URL: it is no ws:// */
    }
    printf("%s: %s\n", webSocket_result_name(result), webSocket_result_text(result));
    /* A mistake of the call changed nothing: it may be tried again. */
    return webSocket_result_isFatal(result);
}
