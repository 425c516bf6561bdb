/* For the C tests of Ws_Server: a server on a free port, a record of what it
 * was told, and the clients of server_support.h, which know the wire and
 * nothing of the library. */
#ifndef WSEMBED_TEST_WS_SERVER_SUPPORT_H
#define WSEMBED_TEST_WS_SERVER_SUPPORT_H

#include "server_support.h"
#include <wsembed/ws_server.h>

/* A program's look at what the server writes meanwhile: old programs just read. */
#define SEE(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define SET(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)

/* The server turns itself. */
static struct host threaded = {NULL, 1};

/* Waits until `condition` holds. */
#define AWAIT(condition) UNTIL(&threaded, condition)

static inline int free_port(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        give_up("no port");
    port = ntohs(address.sin_port);
    close(fd);
    return port;
}

/* A server that listens. Another test may have the same idea of a free port. */
static inline Ws_Server *serve(const char *path, void *own, WsOnLogin login, WsOnMessage message, WsOnExit exits)
{
    int tries;
    for (tries = 0; tries < 20; tries++) {
        Ws_Server *server = ws_server_create(free_port(), path, own, login, message, exits);
        if (server == NULL)
            give_up("memory");
        AWAIT(SEE(server->fd) > 0 || SEE(server->isExit));
        if (!SEE(server->isExit))
            return server;
        ws_server_release(&server);
    }
    give_up("no port is free");
    return NULL;
}

static inline void dial(struct client *client, const Ws_Server *server)
{
    client_dialled(client, (uint16_t)server->port);
}

static inline struct client *new_client(void)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        give_up("memory");
    return client;
}

/* Dials and is accepted. */
static inline struct client *join(const Ws_Server *server, const char *target)
{
    struct client *client = new_client();
    char head[1024];
    dial(client, server);
    client_ask(&threaded, client, target, "");
    CHECK_INT(client_answer(&threaded, client, head, sizeof head), 101);
    return client;
}

static inline void part(struct client *client)
{
    client_hangs_up(client);
    free(client);
}

/* The stream's end, whatever comes before it. */
static inline void await_end(struct client *client)
{
    while (client_more(&threaded, client))
        client->length = 0;
}

#endif
