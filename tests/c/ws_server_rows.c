/* All rows of a Ws_Server: who counts which, no client beyond the last row, and
 * each one told out at the release. */
#include "ws_server_support.h"
#include <sys/resource.h>

static unsigned logins, ends, none_told;

static void logged_in(Ws_Client *client)
{
    long row = (long)(client - client->wss->client);
    CHECK(row >= 0 && row < WS_SERVER_CLIENT);
    CHECK(client->wst == &client->wss->thread[row / WS_SERVER_CLIENT_OF_THREAD]);
    CHECK_INT(client->index, logins);
    __atomic_fetch_add(&logins, 1, __ATOMIC_RELEASE);
}

static void exits(Ws_Client *client, Ws_ExitType why)
{
    (void)client;
    none_told += why == WET_NONE;
    __atomic_fetch_add(&ends, 1, __ATOMIC_RELEASE);
}

/* Clients that are dropped and do not hang up leave their rows all the same:
 * others have them at once. */
static void replace_half(Ws_Server *server, int *fds)
{
    enum { DROPPED = 2600 };
    struct client *client = new_client();
    static int old[DROPPED];
    char head[1024];
    int i, refused = 0;
    for (i = 0; i < DROPPED; i++)
        SET(server->client[i].exitType, WET_DISCONNECT);
    AWAIT(SEE(ends) == DROPPED && SEE(server->clientCount) == WS_SERVER_CLIENT - DROPPED);
    SET(logins, WS_SERVER_CLIENT - DROPPED);
    for (i = 0; i < DROPPED; i++) {
        old[i] = fds[i];
        memset(client, 0, sizeof *client);
        dial(client, server);
        client_ask(&threaded, client, "/", "");
        refused += client_answer(&threaded, client, head, sizeof head) != 101;
        fds[i] = client->fd;
    }
    CHECK_INT(refused, 0);
    AWAIT(SEE(logins) == WS_SERVER_CLIENT);
    for (i = 0; i < DROPPED; i++)
        close(old[i]);
    free(client);
    SET(ends, 0);
    none_told = 0;
}

int main(void)
{
    /* One row of each thread's at least, where each client is dear. */
    int all = check_short() ? WS_SERVER_CLIENT_OF_THREAD + 10 : WS_SERVER_CLIENT, i;
    int *fds = calloc((size_t)all, sizeof *fds);
    struct client *client = new_client();
    struct rlimit files;
    Ws_Server *server;
    char head[1024];
    if (fds == NULL || getrlimit(RLIMIT_NOFILE, &files) != 0)
        give_up("memory");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max != RLIM_INFINITY && files.rlim_max < (rlim_t)(3 * all + 250))
        give_up("so many clients need a higher limit of open files (ulimit -Hn)");
    server = serve("/", NULL, logged_in, NULL, exits);
    for (i = 0; i < all; i++) {
        memset(client, 0, sizeof *client);
        dial(client, server);
        client_ask(&threaded, client, "/", "");
        if (client_answer(&threaded, client, head, sizeof head) != 101)
            give_up("a client that is not let in");
        fds[i] = client->fd;
    }
    AWAIT(SEE(logins) == (unsigned)all);
    CHECK_INT(SEE(server->clientCount), all);
    for (i = 0; i < WS_SERVER_THREAD; i++) {
        int first = i * WS_SERVER_CLIENT_OF_THREAD, count = all - first;
        if (count > WS_SERVER_CLIENT_OF_THREAD)
            count = WS_SERVER_CLIENT_OF_THREAD;
        CHECK_INT(SEE(server->thread[i].clientCount), count > 0 ? count : 0);
        CHECK_INT(SEE(server->thread[i].isRun), count > 0);
    }
    if (all == WS_SERVER_CLIENT) {
        memset(client, 0, sizeof *client);
        dial(client, server);
        client_ask(&threaded, client, "/", "");
        CHECK_INT(client_answer(&threaded, client, head, sizeof head), 503);
        await_end(client);
        client_hangs_up(client);
        /* A row that is free again is taken again. */
        close(fds[700]);
        AWAIT(SEE(ends) == 1 && SEE(server->clientCount) == all - 1);
        __atomic_fetch_sub(&logins, 1, __ATOMIC_RELEASE); /* as many as there are: the index of the next one */
        free(client);
        client = join(server, "/");
        AWAIT(SEE(logins) == (unsigned)all);
        fds[700] = client->fd;
        SET(ends, 0);
        replace_half(server, fds);
    }
    ws_server_release(&server);
    CHECK_INT(SEE(ends), all);
    CHECK_INT(none_told, all);
    for (i = 0; i < all; i++)
        close(fds[i]);
    free(client);
    free(fds);
    return check_done("ws_server_rows");
}
