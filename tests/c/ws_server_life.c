/* A client's life with a Ws_Server: which callbacks come, in which order, what
 * its row says meanwhile to another thread, and why it ended. */
#include "ws_server_support.h"

enum { LOGIN = 'L', MESSAGE = 'M', EXIT = 'X' };

/* What was told, of all clients. */
struct entry {
    int what, fd, number, type;
    char text[16];
};
static struct entry entries[64];
static unsigned told;          /* written by the server's thread */
static Ws_Server *server, *released;
static char own[2];            /* what priv points to */
static int reset_fd;           /* a message "reset" waits until this one has reset its connection */

static void note(int what, Ws_Client *client, int number, int type, const char *text)
{
    struct entry *entry = &entries[told % 64];
    entry->what = what;
    entry->fd = client->fd;
    entry->number = number;
    entry->type = type;
    snprintf(entry->text, sizeof entry->text, "%s", text);
    SET(told, told + 1);
}

static void logged_in(Ws_Client *client)
{
    CHECK(client->isLogin && !client->isExiting && client->fd > 0);
    CHECK(client->wss == server && client->exitType == WET_NONE && client->priv == NULL);
    client->priv = own;
    note(LOGIN, client, (int)client->index, 0, "");
}

static void on_message(Ws_Client *client, char *message, int length, Ws_DataType type)
{
    CHECK(client->isLogin && !client->isExiting && client->priv == own);
    CHECK(message != NULL && (length == 0 || message[length] == '\0'));
    if (length > 0 && strcmp(message, "drop") == 0)
        client->exitType = (Ws_ExitType)77;
    if (length > 0 && strcmp(message, "reset") == 0) {
        /* The other client's connection breaks while this is called. */
        struct linger at_once = {1, 0};
        int i, other = 0;
        for (i = 0; i < WS_SERVER_CLIENT; i++)
            if (server->client[i].fd != 0 && &server->client[i] != client)
                other = server->client[i].fd;
        setsockopt(reset_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(reset_fd);
        poll(NULL, 0, 50);
        ws_send(other, "late", 4, false, WDT_TXTDATA);
    }
    note(MESSAGE, client, length, type, message);
}

static void exits(Ws_Client *client, Ws_ExitType why)
{
    CHECK(client->isExiting && client->fd > 0 && client->exitType == why);
    CHECK(client->wss == server);
    CHECK_INT(ws_send(client->fd, "x", 1, false, WDT_TXTDATA), -1);
    note(EXIT, client, (int)client->recvBytes, (int)why, "");
}

static void expect(unsigned at, int what, int number, int type, const char *text)
{
    struct entry *entry = &entries[at % 64];
    AWAIT(SEE(told) > at);
    CHECK_INT(entry->what, what);
    CHECK_INT(entry->number, number);
    CHECK_INT(entry->type, type);
    if (text != NULL)
        CHECK(strcmp(entry->text, text) == 0);
}

/* The row of the one client that there is; not the first where a client that
 * was refused is still given time to read why. */
static Ws_Client *the_row(void)
{
    Ws_Client *row = NULL;
    int i;
    do {
        for (i = 0; i < WS_SERVER_CLIENT && row == NULL; i++)
            if (SEE(server->client[i].fd) != 0)
                row = &server->client[i];
        turn(&threaded);
    } while (row == NULL);
    return row;
}

static int rows_taken(void)
{
    int i, count = 0;
    for (i = 0; i < WS_SERVER_CLIENT; i++)
        count += SEE(server->client[i].fd) != 0;
    return count;
}

static void awaits_empty(void)
{
    AWAIT(SEE(server->clientCount) == 0 && rows_taken() == 0);
    CHECK_INT(SEE(server->thread[0].clientCount), 0);
}

/* Login, messages of every type, the client's close: all in their order. */
static void in_order(void)
{
    unsigned at = told;
    struct client *client = join(server, "/a/chat?t=1");
    Ws_Client *row;
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    AWAIT(SEE(told) == at + 1);
    row = the_row();
    CHECK(row == &server->client[0]);
    CHECK(SEE(row->fd) > 0 && SEE(row->isLogin) && !SEE(row->isExiting));
    CHECK_INT(SEE(server->clientCount), 1);
    CHECK_INT(SEE(server->thread[0].clientCount), 1);
    CHECK(SEE(row->ip[0]) == 127 && SEE(row->ip[1]) == 0 && SEE(row->ip[2]) == 0 && SEE(row->ip[3]) == 1);
    CHECK_INT(getsockname(client->fd, (struct sockaddr *)&name, &size), 0);
    CHECK_INT(SEE(row->port), ntohs(name.sin_port));
    CHECK(SEE(row->loginTimeout) < PATIENCE_S * 1000);
    client_frame(&threaded, client, 0x81, "text", 4);
    client_frame(&threaded, client, 0x82, "b\0n", 3);
    client_frame(&threaded, client, 0x81, "", 0);
    client_frame(&threaded, client, 0x89, "ping", 4);
    client_frame(&threaded, client, 0x8A, "pong", 4);
    client_frame(&threaded, client, 0x01, "of ", 3);
    client_frame(&threaded, client, 0x89, "mid", 3);
    client_frame(&threaded, client, 0x80, "two", 3);
    client_frame(&threaded, client, 0x80, "stray", 5);
    AWAIT(SEE(told) == at + 9);
    CHECK_INT(SEE(row->recvBytes), 4 + 3 + 6 + 5);
    client_frame(&threaded, client, 0x88, "\x03\xE8" "bye", 5);
    expect(at, LOGIN, 0, 0, "");
    expect(at + 1, MESSAGE, 4, WDT_TXTDATA, "text");
    expect(at + 2, MESSAGE, 3, WDT_BINDATA, "b");
    expect(at + 3, MESSAGE, 0, WDT_TXTDATA, "");
    expect(at + 4, MESSAGE, 0, WDT_PING, "ping");
    expect(at + 5, MESSAGE, 0, WDT_PONG, "pong");
    expect(at + 6, MESSAGE, 0, WDT_PING, "mid");
    expect(at + 7, MESSAGE, 6, WDT_TXTDATA, "of two");
    expect(at + 8, MESSAGE, 5, WDT_MINDATA, "stray");
    expect(at + 9, MESSAGE, 0, WDT_DISCONN, "\x03\xE8" "bye");
    expect(at + 10, EXIT, 18, WET_DISCONNECT, NULL);
    client_expect(&threaded, client, 0x8A, "ping", 4);
    client_expect(&threaded, client, 0x8A, "mid", 3);
    client_expect(&threaded, client, 0x88, "\x03\xE8", 2);
    await_end(client);
    awaits_empty();
    CHECK_INT(told, at + 11);
    CHECK(SEE(row->priv) == NULL && SEE(row->wss) == NULL && SEE(row->exitType) == WET_NONE);
    part(client);
}

/* Clients' numbers and rows, and no message after the end. */
static void come_and_go(void)
{
    unsigned at = told;
    struct client *one = join(server, "/chat"), *two, *three;
    expect(at, LOGIN, 0, 0, "");
    two = join(server, "/chat");
    expect(at + 1, LOGIN, 1, 0, "");
    three = join(server, "/chat");
    expect(at + 2, LOGIN, 2, 0, "");
    CHECK_INT(SEE(server->clientCount), 3);
    CHECK_INT(rows_taken(), 3);
    part(two);
    expect(at + 3, EXIT, 0, WET_DISCONNECT, NULL);
    AWAIT(SEE(server->client[1].fd) == 0);
    CHECK_INT(SEE(server->clientCount), 2);
    two = join(server, "/chat");
    expect(at + 4, LOGIN, 2, 0, "");
    CHECK(SEE(server->client[1].isLogin));
    part(one);
    part(two);
    part(three);
    expect(at + 7, EXIT, 0, WET_DISCONNECT, NULL);
    awaits_empty();
}

/* Every reason but the login's time and the release. */
static void reasons(void)
{
    unsigned at = told;
    char head[2048];
    size_t length;
    struct client *client = new_client(), *other;

    /* A request that is none. */
    dial(client, server);
    client_send(&threaded, client, "POST /chat HTTP/1.1\r\n\r\n", 23);
    expect(at, EXIT, 0, WET_LOGIN, NULL);
    await_end(client);
    client_hangs_up(client);

    /* Another path. */
    memset(client, 0, sizeof *client);
    dial(client, server);
    client_ask(&threaded, client, "/other", "");
    CHECK_INT(client_answer(&threaded, client, head, sizeof head), 404);
    expect(at + 1, EXIT, 0, WET_LOGIN, NULL);
    part(client);
    awaits_empty();

    /* Dropped by another thread's word, and by that of its own callback. */
    client = join(server, "/chat");
    expect(at + 2, LOGIN, 0, 0, "");
    SET(the_row()->exitType, WET_EPOLL);
    expect(at + 3, EXIT, 0, WET_EPOLL, NULL);
    client_expect(&threaded, client, 0x88, "\x03\xE8", 2);
    await_end(client);
    part(client);
    awaits_empty();
    client = join(server, "/chat");
    client_frame(&threaded, client, 0x81, "drop", 4);
    client_frame(&threaded, client, 0x81, "late", 4);
    expect(at + 4, LOGIN, 0, 0, "");
    expect(at + 5, MESSAGE, 4, WDT_TXTDATA, "drop");
    expect(at + 6, EXIT, 4, 77, NULL);
    await_end(client);
    part(client);
    awaits_empty();

    /* A violation. */
    client = join(server, "/chat");
    expect(at + 7, LOGIN, 0, 0, "");
    client_frame(&threaded, client, 0xC1, "rsv", 3);
    expect(at + 8, EXIT, 0, WET_DISCONNECT, NULL);
    CHECK_INT(client_next(&threaded, client, (uint8_t *)head, sizeof head, &length), 0x88);
    CHECK(length > 2 && memcmp(head, "\x03\xEA", 2) == 0);
    part(client);
    awaits_empty();

    /* A connection that breaks while something is sent. */
    client = join(server, "/chat");
    expect(at + 9, LOGIN, 0, 0, "");
    other = join(server, "/chat");
    expect(at + 10, LOGIN, 1, 0, "");
    reset_fd = other->fd;
    client_frame(&threaded, client, 0x81, "reset", 5);
    expect(at + 11, MESSAGE, 5, WDT_TXTDATA, "reset");
    expect(at + 12, EXIT, 0, WET_SEND, NULL);
    free(other);
    part(client);
    expect(at + 13, EXIT, 5, WET_DISCONNECT, NULL);
    awaits_empty();
}

/* Who says nothing is dropped when the login's time is over, and not before. */
static void login_timeout(void)
{
    unsigned at = told;
    struct client *client = new_client();
    Ws_Client *row;
    dial(client, server);
    row = the_row();
    AWAIT(SEE(row->loginTimeout) > 0);
    CHECK(!SEE(row->isLogin));
    CHECK_INT(told, at);
    client_send(&threaded, client, "GET /chat HTTP/1.1\r\n", 20);
    expect(at, EXIT, 0, WET_LOGIN_TIMEOUT, NULL);
    await_end(client);
    part(client);
    awaits_empty();
}

int main(void)
{
    struct client *client;
    unsigned at;
    server = serve("/chat", own, logged_in, on_message, exits);
    in_order();
    come_and_go();
    reasons();
    login_timeout();
    at = told;
    client = join(server, "/chat");
    expect(at, LOGIN, 0, 0, "");
    released = server;
    ws_server_release(&released);
    CHECK(released == NULL);
    CHECK_INT(told, at + 2);
    expect(at + 1, EXIT, 0, WET_NONE, NULL);
    part(client);
    return check_done("ws_server_life");
}
