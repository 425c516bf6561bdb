/* A program on another thread sends its last words, then has the client
 * dropped: what ws_send said was sent, arrives. */
#include "ws_server_support.h"

enum { WORDS = 40, BLOCK = 65536 };

static int held, go_on;

static void on_message(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    (void)client;
    (void)type;
    if (length > 0 && strcmp(message, "hold") == 0) {
        SET(held, 1);
        AWAIT(SEE(go_on));
    }
}

/* Has the server's thread stay in a callback of `client`. */
static void hold(struct client *client)
{
    SET(held, 0);
    SET(go_on, 0);
    client_frame(&threaded, client, 0x81, "hold", 4);
    AWAIT(SEE(held));
}

static void say_goodbye(Ws_Client *row)
{
    int i;
    for (i = 0; i < WORDS; i++)
        CHECK_INT(ws_send(SEE(row->fd), "goodbye", 7, false, WDT_TXTDATA), 9);
    SET(row->exitType, WET_DISCONNECT);
}

static void hear_goodbye(struct client *client)
{
    int i;
    for (i = 0; i < WORDS; i++)
        client_expect(&threaded, client, 0x81, "goodbye", 7);
    client_expect(&threaded, client, 0x88, "\x03\xE8", 2);
    await_end(client);
    part(client);
}

/* Seen behind a callback of that client, and seen by the look at all rows. */
static void while_it_is_busy(Ws_Server *server)
{
    struct client *busy = join(server, "/"), *other;
    AWAIT(SEE(server->client[0].isLogin));
    other = join(server, "/");
    AWAIT(SEE(server->client[1].isLogin));
    hold(busy);
    say_goodbye(&server->client[0]);
    say_goodbye(&server->client[1]);
    /* Longer than from one look at the rows to the next: it is due at once. */
    usleep(150000);
    SET(go_on, 1);
    hear_goodbye(busy);
    hear_goodbye(other);
    AWAIT(SEE(server->clientCount) == 0);
}

/* The client reads late: what waits for it is not dropped with it. */
static void to_one_that_reads_late(Ws_Server *server)
{
    struct client *late = join(server, "/");
    static char block[BLOCK];
    uint8_t *room = malloc(BLOCK);
    size_t length;
    Ws_Client *row;
    int i, sent;
    if (room == NULL)
        give_up("memory");
    AWAIT(SEE(server->client[0].isLogin) || SEE(server->client[1].isLogin));
    row = &server->client[SEE(server->client[0].isLogin) ? 0 : 1];
    for (sent = 0; sent < 1000; sent++) {
        memset(block, sent, sizeof block);
        if (ws_send(SEE(row->fd), block, BLOCK, false, WDT_BINDATA) < 0)
            break;
    }
    CHECK(sent > 10 && sent < 1000);
    SET(row->exitType, WET_DISCONNECT);
    /* So that the server has seen it before anything is read. */
    usleep(300000);
    for (i = 0; i < sent; i++) {
        CHECK_INT(client_next(&threaded, late, room, BLOCK, &length), 0x82);
        CHECK(length == BLOCK && room[0] == (uint8_t)i && room[BLOCK - 1] == (uint8_t)i);
    }
    client_expect(&threaded, late, 0x88, "\x03\xE8", 2);
    await_end(late);
    part(late);
    AWAIT(SEE(server->clientCount) == 0);
    free(room);
}

int main(void)
{
    Ws_Server *server = serve("/", NULL, NULL, on_message, NULL);
    while_it_is_busy(server);
    to_one_that_reads_late(server);
    ws_server_release(&server);
    return check_done("ws_server_goodbye");
}
