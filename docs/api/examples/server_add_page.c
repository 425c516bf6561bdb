/*
 * A server that has a page at the port of its WebSocket, and what a browser
 * gets that asks for it.
 *
 * Shows: webSocket_server_addPage
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static const char page[] = "<!doctype html><title>Device</title>\n"
                           "<script>new WebSocket('ws://' + location.host + '/')</script>\n";

static void on_event(void *user, const webSocket_event *event)
{
    (void)user;
    (void)event; /* requests for pages are not told of */
}

/* Asks for `path` and prints the answer. 0: there was none. */
static int get(uint16_t port, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    char text[512];
    ssize_t got;
    int any = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: device\r\n\r\n", path);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, text, (size_t)length, 0) == length)
        while ((got = recv(fd, text, sizeof text, 0)) > 0)
            any |= fwrite(text, 1, (size_t)got, stdout) > 0;
    close(fd);
    return any;
}

int main(void)
{
    struct webSocket_server *server = NULL;
    uint16_t port = 0;
    int ok;
    if (webSocket_server_new(NULL, on_event, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK)
        return 1;
    ok = webSocket_server_addPage(server, "/", "text/html; charset=utf-8", page, sizeof page - 1) == WEBSOCKET_OK &&
         webSocket_server_start(server) == WEBSOCKET_OK && get(port, "/") && get(port, "/none");
    /* Any time, from any thread: another page, and none. */
    ok = ok && webSocket_server_addPage(server, "/", "text/plain", "busy\n", 5) == WEBSOCKET_OK && get(port, "/") &&
         webSocket_server_addPage(server, "/", NULL, NULL, 0) == WEBSOCKET_OK && get(port, "/");
    webSocket_server_stop(server);
    webSocket_server_free(server);
    return !ok;
}
