/* Eight threads send to all clients of a Ws_Server while clients come and go,
 * another reads and now and then has one dropped, and in the end the server is
 * released under the clients. What is looked at: each result is one that is
 * documented, every client that was let in is told out once, and nothing is
 * left behind. Run under ThreadSanitizer by scripts/check-tsan. */
#include "ws_server_support.h"

enum { SENDERS = 8, CLIENTS = 4 };

static Ws_Server *server;
static int stopping, hanging_up;       /* senders are to end; clients are */
static unsigned logins, ends;          /* told */
static long sent, rounds_of_clients;
static char inside[WS_SERVER_CLIENT];  /* which rows' clients have logged in; the server's thread only */

static void logged_in(Ws_Client *client)
{
    long row = (long)(client - client->wss->client);
    CHECK(row >= 0 && row < WS_SERVER_CLIENT && !inside[row]);
    inside[row] = 1;
    client->priv = &inside[row];
    __atomic_fetch_add(&logins, 1, __ATOMIC_RELEASE);
}

static void on_message(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    CHECK(client->priv == &inside[client - client->wss->client] && *(char *)client->priv);
    if (length > 0)
        ws_send(client->fd, message, length, false, type);
}

static void exits(Ws_Client *client, Ws_ExitType why)
{
    char *own = client->priv;
    CHECK(client->isExiting && client->fd > 0);
    CHECK(why >= WET_NONE && why <= WET_DISCONNECT);
    CHECK(client->isLogin == (own != NULL));
    if (own != NULL) {
        *own = 0;
        __atomic_fetch_add(&ends, 1, __ATOMIC_RELEASE);
    }
}

static void *sends(void *user)
{
    int number = (int)(uintptr_t)user, i;
    while (!SEE(stopping)) {
        if (number == 0 && pthread_mutex_lock(&server->lock) != 0)
            give_up("the lock");
        for (i = 0; i < 2 * CLIENTS; i++) {
            Ws_Client *row = &server->client[i];
            int fd = SEE(row->fd), result;
            if (fd <= 0 || !SEE(row->isLogin) || SEE(row->exitType) != WET_NONE)
                continue;
            result = ws_send(fd, "pushed", 6, false, number % 2 != 0 ? WDT_TXTDATA : WDT_BINDATA);
            CHECK(result == 8 || result == -1);
            if (result == 8)
                __atomic_fetch_add(&sent, 1, __ATOMIC_RELAXED);
            if (number == 1)
                ws_send(fd, NULL, 0, false, WDT_PING);
        }
        if (number == 0)
            pthread_mutex_unlock(&server->lock);
        sched_yield();
    }
    return NULL;
}

/* What a program shows of its clients; each tenth look drops one. */
static void *looks(void *user)
{
    unsigned round = 0, i;
    (void)user;
    while (!SEE(stopping)) {
        int count = SEE(server->clientCount);
        CHECK(count >= 0 && count <= WS_SERVER_CLIENT);
        for (i = 0; i < 2 * CLIENTS; i++) {
            Ws_Client *row = &server->client[i];
            if (SEE(row->fd) == 0)
                continue;
            if (SEE(row->isLogin) && SEE(row->recvBytes) > 0 && round % 10 == 9)
                SET(row->exitType, WET_EPOLL);
        }
        round++;
        poll(NULL, 0, 3);
    }
    return NULL;
}

static void *comes_and_goes(void *user)
{
    struct client *client = new_client();
    uint32_t state = 2463534242u + (uint32_t)(uintptr_t)user;
    while (!SEE(hanging_up)) {
        int i;
        memset(client, 0, sizeof *client);
        dial(client, server);
        state = state * 1664525u + 1013904223u;
        if (state >> 28 == 0) { /* one that thinks better of it */
            client_hangs_up(client);
            continue;
        }
        client_ask(&threaded, client, "/", "");
        for (i = 0; i < 20; i++) {
            struct pollfd ready = {client->fd, POLLIN, 0};
            if (i % 4 == 0)
                client_frame(&threaded, client, 0x81, "hello", 5);
            if (i == 15 && state >> 31 != 0)
                client_frame(&threaded, client, 0x88, "\x03\xE8", 2);
            if (poll(&ready, 1, 5) > 0 && recv(client->fd, client->got, sizeof client->got, MSG_DONTWAIT) == 0)
                break;
        }
        if (!SEE(hanging_up))
            client_hangs_up(client);
        else
            close(client->fd);
        __atomic_fetch_add(&rounds_of_clients, 1, __ATOMIC_RELEASE);
    }
    free(client);
    return NULL;
}

int main(void)
{
    pthread_t senders[SENDERS], looker, clients[CLIENTS];
    struct client *last[CLIENTS];
    int before = count_fds(), i;
    Ws_Server *copy;
    server = copy = serve("/", NULL, logged_in, on_message, exits);
    for (i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_create(&senders[i], NULL, sends, (void *)(uintptr_t)i), 0);
    CHECK_INT(pthread_create(&looker, NULL, looks, NULL), 0);
    for (i = 0; i < CLIENTS; i++)
        CHECK_INT(pthread_create(&clients[i], NULL, comes_and_goes, (void *)(uintptr_t)i), 0);
    AWAIT(SEE(rounds_of_clients) > (check_short() ? 10 : 100) && SEE(sent) > 100);
    SET(hanging_up, 1);
    for (i = 0; i < CLIENTS; i++)
        CHECK_INT(pthread_join(clients[i], NULL), 0);
    for (i = 0; i < CLIENTS; i++)
        last[i] = join(server, "/");
    AWAIT(SEE(server->clientCount) == CLIENTS);
    /* A program must not look at what it has released: who looks ends first. */
    SET(stopping, 1);
    for (i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_join(senders[i], NULL), 0);
    CHECK_INT(pthread_join(looker, NULL), 0);
    ws_server_release(&copy);
    CHECK_INT(SEE(logins), SEE(ends));
    for (i = 0; i < CLIENTS; i++) {
        await_end(last[i]);
        part(last[i]);
    }
    CHECK_INT(count_fds(), before);
    return check_done("ws_server_hammer");
}
