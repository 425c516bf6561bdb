/* ws_send on clients of a Ws_Server: every type, from the callback and from
 * other threads, to clients that read and to one that never does. */
#include "ws_server_support.h"

enum { SENDERS = 4, EACH = 200 };

static Ws_Server *server;
static int returned; /* the callback that was held up is over */
static int go_on;

static void on_message(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    if (length > 0 && strcmp(message, "hold") == 0) {
        CHECK_INT(ws_send(client->fd, "at once", 7, false, WDT_TXTDATA), 9);
        AWAIT(SEE(go_on));
        SET(returned, 1);
    } else if (length > 0) {
        CHECK(ws_send(client->fd, message, length, true, type) > length);
    }
}

static Ws_Client *row_of(const struct client *client)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    int i;
    CHECK_INT(getsockname(client->fd, (struct sockaddr *)&name, &size), 0);
    for (;;) {
        for (i = 0; i < WS_SERVER_CLIENT; i++)
            if (SEE(server->client[i].isLogin) && SEE(server->client[i].port) == ntohs(name.sin_port))
                return &server->client[i];
        turn(&threaded);
    }
}

static void every_type(void)
{
    struct client *client = join(server, "/");
    int fd = SEE(row_of(client)->fd), i;
    static char large[70000];
    uint8_t *room = malloc(sizeof large);
    size_t length;
    if (room == NULL)
        give_up("memory");
    for (i = 0; i < (int)sizeof large; i++)
        large[i] = (char)(i * 7);
    /* `mask` is not obeyed: a server does not mask (RFC 6455 5.1). */
    CHECK_INT(ws_send(fd, "text", 4, true, WDT_TXTDATA), 6);
    CHECK_INT(ws_send(fd, "\xFF\0bin", 5, false, WDT_BINDATA), 7);
    CHECK_INT(ws_send(fd, "\xFFtext", 5, false, WDT_TXTDATA), 7); /* no UTF-8: the old helper's way */
    CHECK_INT(ws_send(fd, "more", 4, false, WDT_MINDATA), 6);
    CHECK_INT(ws_send(fd, "\x81\x03raw", 5, false, WDT_NULL), 5);
    CHECK_INT(ws_send(fd, "ping", 4, false, WDT_PING), 6);
    CHECK_INT(ws_send(fd, "pong", 4, false, WDT_PONG), 6);
    CHECK_INT(ws_send(fd, large, 125, false, WDT_BINDATA), 127);
    CHECK_INT(ws_send(fd, large, 126, false, WDT_BINDATA), 130);
    CHECK_INT(ws_send(fd, large, sizeof large, false, WDT_BINDATA), (int)sizeof large + 10);
    client_expect(&threaded, client, 0x81, "text", 4);
    client_expect(&threaded, client, 0x82, "\xFF\0bin", 5);
    client_expect(&threaded, client, 0x81, "\xFFtext", 5);
    client_expect(&threaded, client, 0x80, "more", 4);
    client_expect(&threaded, client, 0x81, "raw", 3);
    client_expect(&threaded, client, 0x89, "ping", 4);
    client_expect(&threaded, client, 0x8A, "pong", 4);
    client_expect(&threaded, client, 0x82, large, 125);
    client_expect(&threaded, client, 0x82, large, 126);
    CHECK_INT(client_next(&threaded, client, room, sizeof large, &length), 0x82);
    CHECK(length == sizeof large && memcmp(room, large, length) == 0);
    /* What is neither code nor reason says nothing. */
    CHECK_INT(ws_send(fd, "?", 1, false, WDT_DISCONN), 2);
    client_expect(&threaded, client, 0x88, "", 0);
    client_frame(&threaded, client, 0x88, "", 0);
    await_end(client);
    part(client);
    client = join(server, "/");
    CHECK_INT(ws_send(SEE(row_of(client)->fd), "\x03\xE9" "away", 6, false, WDT_DISCONN), 8);
    client_expect(&threaded, client, 0x88, "\x03\xE9" "away", 6);
    part(client);
    free(room);
    AWAIT(SEE(server->clientCount) == 0);
}

/* What a callback sends leaves while it goes on. */
static void at_once(void)
{
    struct client *client = join(server, "/"), *other = join(server, "/");
    int fd = SEE(row_of(other)->fd);
    SET(go_on, 0);
    SET(returned, 0);
    client_frame(&threaded, client, 0x81, "hold", 4);
    client_expect(&threaded, client, 0x81, "at once", 7);
    CHECK(!SEE(returned));
    /* Nobody waits for it. */
    CHECK_INT(ws_send(fd, "hello", 5, false, WDT_TXTDATA), 7);
    CHECK(!SEE(returned));
    SET(go_on, 1);
    client_expect(&threaded, other, 0x81, "hello", 5);
    part(client);
    part(other);
    AWAIT(SEE(server->clientCount) == 0);
}

static void *sends(void *user)
{
    int number = (int)(uintptr_t)user, i, to;
    char message[64];
    for (i = 0; i < EACH; i++) {
        int length = snprintf(message, sizeof message, "%d %d %.*s", number, i, i % 40,
                              "........................................");
        for (to = 0; to < 2; to++)
            CHECK_INT(ws_send(SEE(server->client[to].fd), message, length, false, WDT_TXTDATA), length + 2);
    }
    return NULL;
}

/* Frames of several threads do not mix, and each thread's keep their order. */
static void from_threads(void)
{
    struct client *clients[2];
    pthread_t threads[SENDERS];
    int i, to;
    for (i = 0; i < 2; i++) {
        clients[i] = join(server, "/");
        row_of(clients[i]);
    }
    for (i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, sends, (void *)(uintptr_t)i), 0);
    for (to = 0; to < 2; to++) {
        int next[SENDERS] = {0};
        for (i = 0; i < SENDERS * EACH; i++) {
            uint8_t got[64];
            size_t length = 0;
            int from = -1, count = -1;
            CHECK_INT(client_next(&threaded, clients[to], got, sizeof got - 1, &length), 0x81);
            got[length < sizeof got ? length : 0] = '\0';
            CHECK_INT(sscanf((char *)got, "%d %d", &from, &count), 2);
            if (from >= 0 && from < SENDERS)
                CHECK_INT(count, next[from]++);
        }
    }
    for (i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    part(clients[0]);
    part(clients[1]);
    AWAIT(SEE(server->clientCount) == 0);
}

/* One that never reads: what waits for it has a limit, nobody waits for it, and
 * what it gets in the end is whole. */
static void stuck(void)
{
    struct client *stuck = join(server, "/"), *other = join(server, "/");
    int fd = SEE(row_of(stuck)->fd), sent = 0, i;
    static char block[65536];
    uint8_t *room = malloc(sizeof block);
    size_t length;
    if (room == NULL)
        give_up("memory");
    for (i = 0; i < 1000; i++) {
        memset(block, sent, sizeof block);
        if (ws_send(fd, block, sizeof block, false, WDT_BINDATA) < 0)
            break;
        sent++;
    }
    CHECK(sent > 10 && sent < 1000);
    for (i = 0; i < 20; i++) {
        client_frame(&threaded, other, 0x81, "echo", 4);
        client_expect(&threaded, other, 0x81, "echo", 4);
    }
    for (i = 0; i < sent; i++) {
        size_t at;
        CHECK_INT(client_next(&threaded, stuck, room, sizeof block, &length), 0x82);
        CHECK_INT(length, sizeof block);
        for (at = 0; at < sizeof block && room[at] == (uint8_t)i; at++) {
        }
        CHECK_INT(at, sizeof block);
    }
    AWAIT(ws_send(fd, "again", 5, false, WDT_TXTDATA) == 7);
    client_expect(&threaded, stuck, 0x81, "again", 5);
    free(room);
    part(stuck);
    part(other);
    AWAIT(SEE(server->clientCount) == 0);
}

/* A binary message of 64 KiB or more; its bytes into `room`. */
static size_t next_large(struct client *client, uint8_t *room, size_t most)
{
    size_t size = 0, have, i;
    while (client->length < 10 && client_more(&threaded, client)) {
    }
    CHECK(client->length >= 10 && client->got[0] == 0x82 && client->got[1] == 127);
    if (client->length < 10)
        return 0;
    for (i = 2; i < 10; i++)
        size = size << 8 | client->got[i];
    client_drop(client, 10);
    for (have = 0; have < size && size <= most; have += i) {
        if (client->length == 0 && !client_more(&threaded, client))
            break;
        i = client->length < size - have ? client->length : size - have;
        memcpy(room + have, client->got, i);
        client_drop(client, i);
    }
    return have;
}

/* A message of any size that is received can be sent, from a callback and from
 * another thread; a larger one is refused as such. */
static void large(void)
{
    enum { SIZES = 3, MIB = 1 << 20 };
    static const int mebibytes[SIZES] = {5, 16, 64};
    struct client *client = join(server, "/");
    int fd = SEE(row_of(client)->fd), i, by_thread, last = check_short() ? 1 : SIZES;
    size_t most = 64 * (size_t)MIB, length;
    char *message = malloc(most + 1);
    uint8_t *room = malloc(most);
    if (message == NULL || room == NULL)
        give_up("memory");
    for (length = 0; length <= most; length++)
        message[length] = (char)(length * 7 >> 3);
    CHECK_INT(ws_send(fd, message, (int)most + 1, false, WDT_BINDATA), -1);
    CHECK_INT(errno, EMSGSIZE);
    for (i = 0; i < last; i++)
        for (by_thread = 0; by_thread < 2; by_thread++) {
            size_t size = (size_t)mebibytes[i] * MIB;
            if (by_thread)
                CHECK_INT(ws_send(fd, message, (int)size, false, WDT_BINDATA), (int)size + 10);
            else
                client_frame(&threaded, client, 0x82, message, size);
            length = next_large(client, room, most);
            CHECK(length == size && memcmp(room, message, size) == 0);
            /* All of it has left the server; this may not know it yet. */
            AWAIT(ws_send(fd, "done", 4, false, WDT_TXTDATA) == 6);
            client_expect(&threaded, client, 0x81, "done", 4);
        }
    free(message);
    free(room);
    part(client);
    AWAIT(SEE(server->clientCount) == 0);
}

/* Old clients do not mask; a message may be larger than the old helper's. */
static void from_old_clients(void)
{
    struct client *client = join(server, "/");
    static char large[3 * WS_SERVER_PKG];
    uint8_t *room = malloc(sizeof large);
    size_t length;
    if (room == NULL)
        give_up("memory");
    client_send(&threaded, client, "\x81\x05hello\x82\x7E\0\x02ok", 13);
    client_expect(&threaded, client, 0x81, "hello", 5);
    client_expect(&threaded, client, 0x82, "ok", 2);
    memset(large, 'l', sizeof large);
    client_frame(&threaded, client, 0x02, large, 100000);
    client_frame(&threaded, client, 0x80, large, 20000);
    CHECK_INT(client_next(&threaded, client, room, sizeof large, &length), 0x82);
    CHECK(length == 120000 && memcmp(room, large, length) == 0);
    free(room);
    part(client);
    AWAIT(SEE(server->clientCount) == 0);
}

int main(void)
{
    server = serve("/", NULL, NULL, on_message, NULL);
    every_type();
    at_once();
    from_threads();
    stuck();
    large();
    from_old_clients();
    ws_server_release(&server);
    return check_done("ws_server_send");
}
