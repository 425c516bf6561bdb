/*
 * A server that lets only those in who bring its token, and chooses the
 * subprotocol for them.
 *
 * Shows: webSocket_server_requestHeader, webSocket_server_addHeader,
 * webSocket_server_accept, webSocket_server_refuse
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static webSocket_server *server;

static void happens(void *user, const webSocket_event *event)
{
    static const char wanted[] = "Bearer 5up3r", sorry[] = "who are you?\n";
    const char *value;
    size_t length;
    (void)user;
    if (event->kind != WEBSOCKET_REQUEST)
        return;
    /* A real program compares secrets in constant time. */
    if (webSocket_server_requestHeader(server, event->peer, "Authorization", &value, &length) == WEBSOCKET_OK &&
        value != NULL && length == strlen(wanted) && memcmp(value, wanted, length) == 0) {
        webSocket_server_addHeader(server, event->peer, "Set-Cookie", "seen=1");
        /* NULL: none. Another result than OK: the client did not offer it. */
        if (webSocket_server_accept(server, event->peer, "telemetry.v2") != WEBSOCKET_OK)
            webSocket_server_refuse(server, event->peer, 400, NULL, 0);
    } else {
        webSocket_server_addHeader(server, event->peer, "WWW-Authenticate", "Bearer");
        webSocket_server_refuse(server, event->peer, 401, sorry, strlen(sorry));
    }
}

/* Asks with one more header line; the answer's status, or 0. */
static int ask(uint16_t port, const char *header)
{
    struct sockaddr_in to;
    char text[1024];
    size_t length = 0;
    ssize_t got;
    int status = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(text, sizeof text,
             "GET /stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Protocol: telemetry.v1, telemetry.v2\r\n%s\r\n", header);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, text, strlen(text), 0) > 0) {
        do {
            got = recv(fd, text + length, sizeof text - 1 - length, 0);
            length += got > 0 ? (size_t)got : 0;
            text[length] = '\0';
        } while (got > 0 && strstr(text, "\r\n\r\n") == NULL);
        sscanf(text, "HTTP/1.1 %d", &status);
        puts(text);
    }
    close(fd);
    return status;
}

int main(void)
{
    uint16_t port;
    int good;
    if (webSocket_server_new(NULL, happens, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    good = ask(port, "Authorization: Bearer 5up3r\r\n") == 101 && ask(port, "") == 401;
    webSocket_server_free(server);
    return !good;
}
