/*
 * A server on its own thread in the manner of generation 2: it greets whoever
 * comes and echoes, while the main thread looks at its clients and sends to
 * them; then a client that says hello.
 *
 *     ws_server [PORT]      default: the first free one from 8765 on
 *
 * Shows: ws_server_create ws_server_release
 */
#include "ws_server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All three run on the server's thread, one at a time. */
static void logged_in(Ws_Client *client)
{
    ws_send(client->fd, (void *)"welcome", 7, false, WDT_TXTDATA);
}

static void on_message(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    if (length > 0) /* 0: a control frame, which is answered already */
        ws_send(client->fd, message, length, false, type);
}

static void gone(Ws_Client *client, Ws_ExitType why)
{
    printf("%s: client %u is gone after %u bytes, reason %d\n", ws_time(), client->index, client->recvBytes, (int)why);
}

/* From any thread, to all who have logged in. */
static void send_to_all(Ws_Server *server, const char *text)
{
    int i;
    for (i = 0; i < WS_SERVER_CLIENT; i++) {
        Ws_Client *client = &server->client[i];
        if (client->fd > 0 && client->isLogin && client->exitType == WET_NONE)
            ws_send(client->fd, (void *)text, (int)strlen(text), false, WDT_TXTDATA);
    }
}

/* The next message, within five seconds. */
static bool hear(int fd, const char *expected)
{
    char text[64];
    int turn, got = 0;
    Ws_DataType type = WDT_NULL;
    for (turn = 0; turn < 500 && got == 0 && type != WDT_DISCONN; turn++) {
        got = ws_recv(fd, text, sizeof text, &type);
        if (got == 0)
            ws_delayms(10);
    }
    printf("heard: %.*s\n", got > 0 ? got : 0, text);
    return got == (int)strlen(expected) && memcmp(text, expected, (size_t)got) == 0;
}

int main(int count, char **words)
{
    int port = count > 1 ? atoi(words[1]) : 8765, fd;
    Ws_Server *server = ws_server_create(port, "/chat", NULL, logged_in, on_message, gone);
    bool good = false;
    /* A port that is taken is tried again for a second; then isExit is true. */
    while (server != NULL && server->fd == 0) {
        if (server->isExit) {
            ws_server_release(&server);
            if (count > 1 || ++port > 8865)
                return 1;
            server = ws_server_create(port, "/chat", NULL, logged_in, on_message, gone);
        }
        ws_delayms(1);
    }
    if (server == NULL)
        return 1;
    printf("listening on ws://127.0.0.1:%d/chat\n", port);
    fd = ws_requestServer((char *)"127.0.0.1", port, (char *)"/chat", 1000);
    if (fd > 0 && hear(fd, "welcome")) {
        ws_send(fd, (void *)"hello", 5, true, WDT_TXTDATA);
        good = hear(fd, "hello");
        send_to_all(server, "to all: good day");
        good = hear(fd, "to all: good day") && good;
        close(fd);
    }
    ws_server_release(&server); /* those who are still there are told out first */
    return !(good && server == NULL);
}
