/* Release of a Ws_Server: with clients, from each callback, from several
 * threads, twice, with its lock held, while its port is still awaited. onExit
 * comes once for each client, and nothing is left behind. */
#include "ws_server_support.h"

enum { NOWHERE, FROM_LOGIN, FROM_MESSAGE, FROM_EXIT, CLIENTS = 5 };

static Ws_Server *server; /* the main thread's alone */
static int release_from;
static unsigned logins, messages, exits_told, none_told;

static void release_here(int place, const Ws_Client *client)
{
    Ws_Server *copy = client->wss;
    if (SEE(release_from) != place)
        return;
    SET(release_from, NOWHERE);
    ws_server_release(&copy);
    CHECK(copy == NULL);
}

static void logged_in(Ws_Client *client)
{
    Ws_Server *own = client->wss;
    __atomic_fetch_add(&logins, 1, __ATOMIC_RELEASE);
    release_here(FROM_LOGIN, client);
    CHECK(client->wss == own && client->isLogin && own->clientCount > 0); /* still there */
}

static void on_message(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    Ws_Server *own = client->wss;
    (void)type;
    __atomic_fetch_add(&messages, 1, __ATOMIC_RELEASE);
    release_here(FROM_MESSAGE, client);
    CHECK(client->wss == own && length >= 0 && message[length] == '\0');
}

static void exits(Ws_Client *client, Ws_ExitType why)
{
    CHECK(client->isExiting);
    release_here(FROM_EXIT, client);
    if (why == WET_NONE)
        __atomic_fetch_add(&none_told, 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&exits_told, 1, __ATOMIC_RELEASE);
}

static void begin(int place)
{
    release_from = place;
    logins = messages = exits_told = none_told = 0;
    server = serve("/", NULL, logged_in, on_message, exits);
}

static void join_all(struct client **clients)
{
    int i;
    for (i = 0; i < CLIENTS; i++)
        clients[i] = join(server, "/");
    AWAIT(SEE(logins) == CLIENTS);
}

static void part_all(struct client **clients)
{
    int i;
    for (i = 0; i < CLIENTS; i++) {
        await_end(clients[i]);
        part(clients[i]);
    }
}

/* One that answers, one that never does, one in its handshake. */
static void with_clients(void)
{
    struct client *clients[CLIENTS], *silent = new_client();
    Ws_Server *again;
    int port;
    begin(NOWHERE);
    join_all(clients);
    dial(silent, server);
    AWAIT(SEE(server->clientCount) == CLIENTS + 1);
    port = server->port;
    again = server;
    ws_server_release(&server);
    CHECK(server == NULL);
    CHECK_INT(SEE(exits_told), CLIENTS + 1);
    CHECK_INT(SEE(none_told), CLIENTS + 1);
    ws_server_release(&again); /* a stale pointer */
    ws_server_release(&again);
    ws_server_release(NULL);
    part_all(clients);
    await_end(silent);
    part(silent);
    /* The port is free at once. */
    server = ws_server_create(port, NULL, NULL, NULL, NULL, NULL);
    CHECK(SEE(server->fd) > 0 || !SEE(server->isExit));
    ws_server_release(&server);
}

static void from_a_callback(int place)
{
    struct client *clients[CLIENTS];
    int before = count_fds(), i;
    begin(place);
    for (i = 0; i < CLIENTS; i++) {
        clients[i] = new_client();
        dial(clients[i], server);
    }
    /* The first login may be the end of the server. */
    for (i = 0; i < CLIENTS; i++)
        client_ask(&threaded, clients[i], "/", "");
    if (place != FROM_LOGIN)
        AWAIT(SEE(logins) == CLIENTS);
    if (place == FROM_MESSAGE) {
        client_frame(&threaded, clients[0], 0x81, "one", 3);
        client_frame(&threaded, clients[0], 0x81, "two", 3);
    }
    if (place == FROM_EXIT)
        client_hangs_up(clients[0]);
    for (i = 0; i < CLIENTS; i++) {
        if (place != FROM_EXIT || i != 0)
            await_end(clients[i]);
        close(clients[i]->fd);
        free(clients[i]);
    }
    /* The thread and all that it had are gone, whoever was accepted told. */
    AWAIT(count_fds() == before);
    CHECK(SEE(exits_told) >= 1 && SEE(exits_told) <= CLIENTS);
    if (place != FROM_LOGIN)
        CHECK_INT(SEE(exits_told), CLIENTS);
    if (place == FROM_EXIT)
        CHECK_INT(SEE(none_told), CLIENTS - 1);
    if (place == FROM_MESSAGE)
        CHECK_INT(messages, 1);
    ws_server_release(&server); /* stale */
    CHECK(server == NULL);
}

static void *releases(void *user)
{
    Ws_Server *copy = user;
    ws_server_release(&copy);
    CHECK(copy == NULL);
    return NULL;
}

/* Several threads at once: each returns, and all is told by the last. */
static void from_threads(void)
{
    struct client *clients[CLIENTS];
    pthread_t threads[4];
    int i;
    begin(NOWHERE);
    join_all(clients);
    for (i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, releases, server), 0);
    for (i = 0; i < 4; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(SEE(exits_told), CLIENTS);
    CHECK_INT(SEE(none_told), CLIENTS);
    part_all(clients);
}

/* A program that holds the lock all the time, clients waiting to come in. */
static void with_its_lock_held(void)
{
    struct client *clients[CLIENTS], *waiting = new_client();
    begin(NOWHERE);
    join_all(clients);
    CHECK_INT(pthread_mutex_lock(&server->lock), 0);
    dial(waiting, server);
    client_hangs_up(clients[0]);
    poll(NULL, 0, 20);
    CHECK_INT(SEE(server->clientCount), CLIENTS);
    ws_server_release(&server);
    CHECK(SEE(exits_told) >= CLIENTS);
    clients[0]->fd = dup(waiting->fd);
    part_all(clients);
    part(waiting);
}

/* Made and released without a pause; released while the port is awaited. */
static void at_once(void)
{
    Ws_Server *one, *two;
    int i, before = count_fds();
    for (i = 0; i < 50; i++) {
        one = ws_server_create(free_port(), "/", NULL, logged_in, on_message, exits);
        ws_server_release(&one);
    }
    one = serve("/", NULL, NULL, NULL, NULL);
    two = ws_server_create(one->port, "/", NULL, NULL, NULL, NULL);
    CHECK_INT(SEE(two->fd), 0);
    ws_server_release(&two);
    ws_server_release(&one);
    CHECK_INT(count_fds(), before);
}

int main(void)
{
    int before = count_fds();
    with_clients();
    from_a_callback(FROM_LOGIN);
    from_a_callback(FROM_MESSAGE);
    from_a_callback(FROM_EXIT);
    from_threads();
    with_its_lock_held();
    at_once();
    CHECK_INT(count_fds(), before);
    return check_done("ws_server_release");
}
