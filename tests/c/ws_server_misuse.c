/* Bad arguments to Ws_Server and to ws_send on a client of one: the failure
 * that is documented, and nothing else. */
#include "ws_server_support.h"

static void serves_nobody(Ws_Server *server)
{
    CHECK(server != NULL);
    if (server == NULL)
        return;
    AWAIT(SEE(server->isExit));
    CHECK_INT(SEE(server->fd), 0);
    ws_server_release(&server);
    CHECK(server == NULL);
}

static void bad_ports(void)
{
    Ws_Server *first = serve(NULL, NULL, NULL, NULL, NULL), *second;
    time_t began;
    serves_nobody(ws_server_create(0, "/", NULL, NULL, NULL, NULL));
    serves_nobody(ws_server_create(-1, "/", NULL, NULL, NULL, NULL));
    serves_nobody(ws_server_create(65536, "/", NULL, NULL, NULL, NULL));
    serves_nobody(ws_server_create(65536 + first->port, "/", NULL, NULL, NULL, NULL));
    /* Taken, for good and for a while. */
    serves_nobody(ws_server_create(first->port, "/", NULL, NULL, NULL, NULL));
    second = ws_server_create(first->port, "/", NULL, NULL, NULL, NULL);
    CHECK(!SEE(second->isExit));
    began = seconds_now();
    ws_server_release(&first);
    AWAIT(SEE(second->fd) > 0 || SEE(second->isExit));
    /* Only a machine that was held up has not come back within the time. */
    CHECK(SEE(second->fd) > 0 || seconds_now() > began);
    ws_server_release(&second);
}

static void paths(void)
{
    char path[301];
    Ws_Server *server;
    struct client *client;
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[300] = '\0';
    server = ws_server_create(free_port(), path, NULL, NULL, NULL, NULL);
    CHECK(server != NULL && strlen(server->path) == 255 && memcmp(server->path, path, 255) == 0);
    serves_nobody(server);
    path[256] = '\0';
    serves_nobody(ws_server_create(free_port(), path, NULL, NULL, NULL, NULL));
    path[255] = '\0';
    server = serve(path, NULL, NULL, NULL, NULL);
    CHECK(strcmp(server->path, path) == 0);
    client = join(server, path);
    ws_server_release(&server);
    part(client);
    /* Nothing in particular: every request. */
    server = serve("", NULL, NULL, NULL, NULL);
    part(join(server, "/any/where"));
    ws_server_release(&server);
    server = serve(NULL, NULL, NULL, NULL, NULL);
    CHECK(server->path[0] == '\0');
    part(join(server, "/"));
    ws_server_release(&server);
}

/* A server that tells nobody anything serves all the same. */
static void no_callbacks(void)
{
    Ws_Server *server = serve("/", NULL, NULL, NULL, NULL);
    struct client *client = join(server, "/");
    AWAIT(SEE(server->client[0].isLogin));
    client_frame(&threaded, client, 0x81, "hello", 5);
    client_frame(&threaded, client, 0x89, "ping", 4);
    client_expect(&threaded, client, 0x8A, "ping", 4);
    CHECK_INT(SEE(server->client[0].recvBytes), 5);
    client_frame(&threaded, client, 0x88, "", 0);
    await_end(client);
    part(client);
    AWAIT(SEE(server->clientCount) == 0);
    ws_server_release(&server);
}

static void bad_sends(void)
{
    Ws_Server *server = serve("/", NULL, NULL, NULL, NULL);
    struct client *client = join(server, "/"), *silent = new_client();
    char large[126];
    int fd, early;
    memset(large, 'x', sizeof large);
    AWAIT(SEE(server->client[0].isLogin));
    fd = SEE(server->client[0].fd);
    CHECK_INT(ws_send(fd, large, -1, false, WDT_TXTDATA), 0);
    CHECK_INT(ws_send(fd, NULL, 1, false, WDT_TXTDATA), 0);
    CHECK_INT(ws_send(fd, large, 1, false, (Ws_DataType)7), 0);
    CHECK_INT(ws_send(fd, large, 1, false, (Ws_DataType)-1), 0);
    CHECK_INT(ws_send(fd, large, 126, false, WDT_PING), 0);
    CHECK_INT(ws_send(fd, large, 126, false, WDT_PONG), 0);
    CHECK_INT(ws_send(fd, large, 126, false, WDT_DISCONN), 0);
    CHECK_INT(ws_send(fd, NULL, 0, false, WDT_TXTDATA), 2);
    client_expect(&threaded, client, 0x81, "", 0);
    /* To one in its handshake, and to one that is gone. */
    dial(silent, server);
    AWAIT(SEE(server->client[1].fd) > 0);
    early = SEE(server->client[1].fd);
    CHECK_INT(ws_send(early, "x", 1, false, WDT_TXTDATA), -1);
    part(silent);
    part(client);
    AWAIT(SEE(server->clientCount) == 0);
    AWAIT(ws_send(fd, "x", 1, false, WDT_TXTDATA) == -1);
    CHECK_INT(ws_send(-1, "x", 1, false, WDT_TXTDATA), -1);
    ws_server_release(&server);
}

int main(void)
{
    int before = count_fds();
    bad_ports();
    paths();
    no_callbacks();
    bad_sends();
    CHECK_INT(count_fds(), before);
    return check_done("ws_server_misuse");
}
