/*
 * Both ends of a connection, each on its socket of a pair: the client says
 * hello, the server says it back, the client closes.
 *
 * Shows: webSocket_conn_newClient, webSocket_conn_newServer, webSocket_conn_feed,
 *        webSocket_conn_feedEof, webSocket_conn_next, webSocket_conn_output,
 *        webSocket_conn_outputDone, webSocket_conn_free
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static void happens(webSocket_conn *conn, const webSocket_event *event, int client)
{
    if (client && event->kind == WEBSOCKET_OPEN)
        webSocket_conn_send(conn, WEBSOCKET_TEXT, "hello", 5);
    if (event->kind != WEBSOCKET_TEXT)
        return;
    if (client) {
        printf("%.*s\n", (int)event->length, (const char *)event->data);
        webSocket_conn_close(conn, 1000, NULL);
    } else {
        webSocket_conn_send(conn, WEBSOCKET_TEXT, event->data, event->length);
    }
}

/* One turn of the loop for one end. 0: the connection is over. */
static int turn(int fd, webSocket_conn *conn, int client)
{
    uint8_t bytes[4096];
    const uint8_t *out;
    size_t length;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_result result;
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0)
        webSocket_conn_feed(conn, bytes, (size_t)got); /* lent until next() says AGAIN */
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        webSocket_conn_feedEof(conn);
    while (webSocket_conn_next(conn, &event) == WEBSOCKET_OK)
        happens(conn, &event, client);
    while ((result = webSocket_conn_output(conn, &out, &length)) == WEBSOCKET_OK && length > 0) {
        ssize_t sent = send(fd, out, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            break; /* full: the next turn goes on; broken: recv() will say so */
        webSocket_conn_outputDone(conn, (size_t)sent);
    }
    if (result == WEBSOCKET_CLOSED)
        shutdown(fd, SHUT_WR);
    return result != WEBSOCKET_CLOSED;
}

int main(void)
{
    int fds[2], open[2] = {1, 1};
    webSocket_conn *ends[2] = {NULL, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0 ||
        webSocket_conn_newClient(NULL, "ws://localhost/", &ends[0]) != WEBSOCKET_OK ||
        webSocket_conn_newServer(NULL, &ends[1]) != WEBSOCKET_OK)
        return 1;
    while (open[0] || open[1])
        for (int i = 0; i < 2; i++)
            open[i] = open[i] && turn(fds[i], ends[i], i == 0);
    for (int i = 0; i < 2; i++) {
        webSocket_conn_free(ends[i]);
        close(fds[i]);
    }
    return 0;
}
