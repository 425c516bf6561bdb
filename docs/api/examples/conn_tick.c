/*
 * Deadlines: how long a program may wait in poll(), and what happens when the
 * peer says nothing. The clock is the program's; here it is a number.
 *
 * Shows: webSocket_conn_tick
 */
#include "pair.h"
#include <stdio.h>

/* What a loop gives to poll() or epoll_wait(). */
static int timeout(uint64_t deadlineMs, uint64_t nowMs)
{
    if (deadlineMs == UINT64_MAX)
        return -1;
    if (deadlineMs <= nowMs)
        return 0;
    return deadlineMs - nowMs > 60000 ? 60000 : (int)(deadlineMs - nowMs);
}

int main(void)
{
    webSocket_config *config;
    webSocket_conn *client = NULL, *server = NULL;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    uint64_t now = 5000, deadline; /* CLOCK_MONOTONIC in ms in a real program */
    int lost = 0;
    if (webSocket_config_new(&config) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_PING_INTERVAL_MS, 10000) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_PONG_TIMEOUT_MS, 3000) != WEBSOCKET_OK ||
        webSocket_conn_newServer(config, &server) != WEBSOCKET_OK ||
        webSocket_conn_newClient(NULL, "ws://localhost/", &client) != WEBSOCKET_OK ||
        webSocket_conn_tick(server, now, &deadline) != WEBSOCKET_OK)
        return 1;
    printf("the handshake may take %d ms\n", timeout(deadline, now));
    carry(client, server, NULL);
    carry(server, client, NULL);

    /* From here on the client is silent: no carry() any more. */
    for (int turns = 0; !lost && turns < 10; turns++) {
        webSocket_conn_tick(server, now, &deadline);
        printf("at %llu: wait for %d ms\n", (unsigned long long)now, timeout(deadline, now));
        while (webSocket_conn_next(server, &event) == WEBSOCKET_OK)
            lost = event.kind == WEBSOCKET_CLOSE && event.result == WEBSOCKET_TIMEOUT;
        if (deadline != UINT64_MAX && deadline > now)
            now = deadline; /* poll() came back with nothing to read */
    }
    free_pair(client, server);
    webSocket_config_free(config);
    return !lost;
}
