/* Size and offsets of the structs of ws_server.h, on 32-bit and on 64-bit
 * machines; src/ffi/ws_server/public.rs holds the same rows against what Rust
 * believes. Only the C library's mutex is as large as it likes. Then a running
 * server shows that both speak of the same memory. */
#include <stddef.h>

#include "ws_server_support.h"

#define SAME(name, have, want32, want64) \
    typedef char name##_is_as_promised[(have) == (sizeof(void *) == 4 ? (want32) : (want64)) ? 1 : -1];
#define SIZE(type, want32, want64) SAME(type, sizeof(type), want32, want64)
#define AT(type, field, want32, want64) SAME(type##_##field, offsetof(type, field), want32, want64)
#define LOCK sizeof(pthread_mutex_t)

SIZE(Ws_ExitType, 4, 4)
SIZE(Ws_DataType, 4, 4)

SIZE(Ws_Client, 44, 56)
AT(Ws_Client, fd, 0, 0)
AT(Ws_Client, ip, 4, 4)
AT(Ws_Client, port, 8, 8)
AT(Ws_Client, exitType, 12, 12)
AT(Ws_Client, isLogin, 16, 16)
AT(Ws_Client, isExiting, 17, 17)
AT(Ws_Client, recvBytes, 20, 20)
AT(Ws_Client, index, 24, 24)
AT(Ws_Client, loginTimeout, 28, 28)
AT(Ws_Client, priv, 32, 32)
AT(Ws_Client, wss, 36, 40)
AT(Ws_Client, wst, 40, 48)

SIZE(Ws_Thread, 16, 24)
AT(Ws_Thread, fd_epoll, 0, 0)
AT(Ws_Thread, clientCount, 4, 4)
AT(Ws_Thread, isRun, 8, 8)
AT(Ws_Thread, wss, 12, 16)

SIZE(Ws_Server, 220452 + LOCK, 280552 + LOCK)
AT(Ws_Server, fd, 0, 0)
AT(Ws_Server, fd_epoll, 4, 4)
AT(Ws_Server, port, 8, 8)
AT(Ws_Server, path, 12, 12)
AT(Ws_Server, priv, 268, 272)
AT(Ws_Server, clientCount, 272, 280)
AT(Ws_Server, isExit, 276, 284)
AT(Ws_Server, lock, 280, 288)
AT(Ws_Server, onLogin, 280 + LOCK, 288 + LOCK)
AT(Ws_Server, onMessage, 284 + LOCK, 296 + LOCK)
AT(Ws_Server, onExit, 288 + LOCK, 304 + LOCK)
AT(Ws_Server, thread, 292 + LOCK, 312 + LOCK)
AT(Ws_Server, client, 452 + LOCK, 552 + LOCK)

static int logins;

static void logged_in(Ws_Client *client)
{
    Ws_Server *server = client->wss;
    /* The rows' place tells whether the mutex is as large in Rust. */
    CHECK(client == &server->client[0]);
    CHECK(client->wst == &server->thread[0]);
    CHECK(server->priv == &logins);
    __atomic_fetch_add(&logins, 1, __ATOMIC_RELEASE);
}

int main(void)
{
    Ws_Server *server = serve("/chat", &logins, logged_in, NULL, NULL);
    struct client *client;
    int i;
    CHECK(strcmp(server->path, "/chat") == 0);
    CHECK(server->priv == &logins && server->port > 0);
    CHECK(server->onLogin == logged_in && server->onMessage == NULL && server->onExit == NULL);
    for (i = 0; i < WS_SERVER_THREAD; i++) {
        CHECK(server->thread[i].wss == server);
        CHECK_INT(server->thread[i].fd_epoll, server->fd_epoll);
    }
    CHECK_INT(pthread_mutex_lock(&server->lock), 0);
    CHECK_INT(pthread_mutex_unlock(&server->lock), 0);
    client = join(server, "/chat");
    AWAIT(SEE(logins) == 1);
    CHECK(SEE(server->thread[0].isRun));
    ws_server_release(&server);
    part(client);
    return check_done("ws_server_layout");
}
