/*
 * Every function, struct field, enumerator and macro of ws_com.h and
 * ws_server.h, in one program of that style. It is C and C++, knows the headers
 * by their bare names and needs nothing but -lwsembed -lpthread:
 * scripts/check-install builds it so, against the installed files.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "ws_server.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Twice, and in the other order, is as good. */
#include "ws_com.h"
#include "ws_server.h"

static int failures;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static int logins, messages, exits;
static Ws_ExitType last_exit;

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%d: failed: %s\n", __LINE__, #condition);      \
            failures++;                                                     \
        }                                                                   \
    } while (0)

static int counted(const int *counter)
{
    int value;
    pthread_mutex_lock(&counting);
    value = *counter;
    pthread_mutex_unlock(&counting);
    return value;
}

static void count(int *counter)
{
    pthread_mutex_lock(&counting);
    ++*counter;
    pthread_mutex_unlock(&counting);
}

/* Waits until so many have been counted; 20 seconds at most. */
static int awaited(const int *counter, int want)
{
    int tries;
    for (tries = 0; tries < 20000 && counted(counter) < want; tries++) {
        ws_delayms(1);
    }
    return counted(counter) >= want;
}

static void on_login(Ws_Client *client)
{
    client->priv = &logins;
    CHECK(client->isLogin);
    CHECK(!client->isExiting);
    CHECK(client->wss->priv == &counting);
    CHECK(ws_send(client->fd, (void *)"welcome", 7, false, WDT_TXTDATA) == 9);
    count(&logins);
}

static void on_message(Ws_Client *client, char *msg, int msgLen, Ws_DataType type)
{
    switch (type) {
    case WDT_NULL:
        CHECK(msgLen < 0);
        break;
    case WDT_MINDATA:
    case WDT_TXTDATA:
    case WDT_BINDATA:
        CHECK(client->recvBytes >= (uint32_t)msgLen);
        CHECK(ws_send(client->fd, msg, msgLen, false, type) == msgLen + 2);
        break;
    case WDT_DISCONN:
    case WDT_PING:
    case WDT_PONG:
        CHECK(msgLen == 0);
        break;
    }
    count(&messages);
}

static void on_exit_of(Ws_Client *client, Ws_ExitType exitType)
{
    CHECK(client->isExiting);
    CHECK(client->fd > 0);
    CHECK(client->priv == &logins);
    pthread_mutex_lock(&counting);
    last_exit = exitType;
    pthread_mutex_unlock(&counting);
    count(&exits);
}

/* Receives until something is told; 20 seconds at most. */
static int32_t hear(int32_t fd, char *buff, int32_t size, Ws_DataType *type)
{
    int32_t length = 0;
    int tries;
    for (tries = 0; tries < 20000; tries++) {
        length = ws_recv(fd, buff, size, type);
        if (length != 0 || *type != WDT_NULL) {
            break;
        }
        ws_delayms(1);
    }
    return length;
}

static const char *reason(Ws_ExitType type)
{
    switch (type) {
    case WET_NONE: return "none";
    case WET_EPOLL: return "epoll";
    case WET_SEND: return "send";
    case WET_LOGIN: return "login";
    case WET_LOGIN_TIMEOUT: return "login timeout";
    case WET_DISCONNECT: return "disconnect";
    }
    return "?";
}

static Ws_Server *a_server(const char *path)
{
    WsOnLogin login = on_login;
    WsOnMessage message = on_message;
    WsOnExit gone = on_exit_of;
    int port = 20000 + (int)getpid() % 20000, tries;
    for (tries = 0; tries < 100; tries++) {
        Ws_Server *server = ws_server_create(port + tries, path, &counting, login, message, gone);
        int waited;
        for (waited = 0; server != NULL && waited < 20; waited++) {
            if (server->fd > 0 || server->isExit) {
                break;
            }
            ws_delayms(WS_SERVER_BIND_TIMEOUT_MS / 10);
        }
        if (server != NULL && server->fd > 0) {
            CHECK(server->port == port + tries);
            return server;
        }
        ws_server_release(&server);
        CHECK(server == NULL);
    }
    return NULL;
}

static void the_public_structs(Ws_Server *server)
{
    Ws_Client *client = &server->client[0];
    Ws_Thread *thread = client->wst;
    CHECK(server->fd > 0 && server->fd_epoll > 0 && !server->isExit);
    CHECK(strcmp(server->path, "/every") == 0 && sizeof server->path == 256);
    CHECK(server->onLogin == on_login && server->onMessage == on_message && server->onExit == on_exit_of);
    pthread_mutex_lock(&server->lock);
    CHECK(server->clientCount == 1);
    CHECK(client->fd > 0 && client->isLogin && !client->isExiting && client->exitType == WET_NONE);
    CHECK(client->ip[0] == 127 && client->ip[3] == 1 && client->port > 0 && client->port < 65536);
    CHECK(client->index <= 1 && client->loginTimeout <= WS_SERVER_LOGIN_TIMEOUT_MS);
    CHECK(client->wss == server && thread == &server->thread[0]);
    CHECK(thread->wss == server && thread->isRun && thread->clientCount == 1 && thread->fd_epoll > 0);
    pthread_mutex_unlock(&server->lock);
    CHECK(sizeof server->thread / sizeof server->thread[0] == WS_SERVER_THREAD);
    CHECK(sizeof server->client / sizeof server->client[0] == WS_SERVER_CLIENT);
    CHECK(WS_SERVER_THREAD == 10 && WS_SERVER_CLIENT_OF_THREAD == 500 && WS_SERVER_CLIENT == 5000);
    CHECK(WS_SERVER_PKG == 102416 && WS_SERVER_BIND_TIMEOUT_MS == 1000);
    CHECK(WS_SERVER_LOGIN_TIMEOUT_MS == 5000 && WS_SERVER_CLIENT_OF_PRINTF == 500);
}

/* A server by ws_replyClient, on a socket of the program's own. */
static void a_request_by_hand(Ws_Server *server)
{
    char request[] = "GET /every HTTP/1.1\r\nHost: a\r\n\r\n", path[] = "/every";
    CHECK(ws_replyClient(-1, request, (int32_t)strlen(request), path) == -1);
    CHECK(server->fd > 0);
}

int main(void)
{
    char ip[32] = "", path[] = "/every?all", buff[256];
    Ws_DataType type = WDT_NULL;
    Ws_Server *server = a_server("/every");
    int32_t fd;
    int at;
    if (server == NULL) {
        fprintf(stderr, "no server\n");
        return 1;
    }
    CHECK(ws_getIpByHostName("127.0.0.1", ip, 1000) >= 1);
    fd = ws_requestServer(ip, server->port, path, 20000);
    CHECK(fd > 0);
    CHECK(hear(fd, buff, sizeof buff, &type) == 7 && type == WDT_TXTDATA && strcmp(buff, "welcome") == 0);
    CHECK(awaited(&logins, 1));
    the_public_structs(server);
    for (at = WDT_MINDATA; at <= WDT_BINDATA; at++) {
        CHECK(ws_send(fd, (void *)"every", 5, true, (Ws_DataType)at) == 11);
        CHECK(hear(fd, buff, sizeof buff, &type) == 5 && (int)type == at && strcmp(buff, "every") == 0);
    }
    CHECK(ws_send(fd, NULL, 0, true, WDT_PING) == 6);
    CHECK(hear(fd, buff, sizeof buff, &type) == 0 && type == WDT_PONG);
    CHECK(ws_send(fd, NULL, 0, true, WDT_PONG) == 6);
    CHECK(awaited(&messages, 5));
    a_request_by_hand(server);
    /* Dropped by the server's program. */
    server->client[0].exitType = WET_SEND;
    CHECK(hear(fd, buff, sizeof buff, &type) == 0 && type == WDT_DISCONN);
    CHECK(awaited(&exits, 1));
    CHECK(last_exit == WET_SEND);
    close(fd);
    /* There when the server is released. */
    fd = ws_requestServer(ip, server->port, path, 20000);
    CHECK(fd > 0);
    CHECK(hear(fd, buff, sizeof buff, &type) == 7);
    ws_server_release(&server);
    CHECK(server == NULL);
    CHECK(counted(&exits) == 2);
    CHECK(last_exit == WET_NONE);
    close(fd);
    ws_delayus(1);
    for (at = WET_NONE; at <= WET_DISCONNECT; at++) {
        CHECK(strcmp(reason((Ws_ExitType)at), "?") != 0);
    }
    if (failures == 0) {
        printf("every name at %s\n", strlen(ws_time()) == 8 ? "work" : "odds");
    }
    return failures != 0;
}
