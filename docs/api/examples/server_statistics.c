/*
 * How a server does, for a status page or a watchdog.
 *
 * Shows: webSocket_server_statistics
 */
#include "client.h"
#include <stdio.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static void happens(void *user, const webSocket_event *event)
{
    (void)user;
    (void)event;
}

int main(void)
{
    webSocket_config *config;
    webSocket_server *server = NULL;
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    uint16_t port;
    int first, second;
    if (webSocket_config_new(&config) != WEBSOCKET_OK)
        return 1;
    webSocket_config_setNumber(config, WEBSOCKET_MAX_CONNECTIONS, 1);
    if (webSocket_server_new(config, happens, NULL, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_start(server) != WEBSOCKET_OK)
        return 1;
    webSocket_config_free(config);
    first = webSocket_clientLinkToServer("127.0.0.1", port, "/");
    second = webSocket_clientLinkToServer("127.0.0.1", port, "/"); /* is answered 503 */
    webSocket_server_statistics(server, &statistics);
    printf("%lu peers, %llu connections came, %llu were refused, %llu bytes came\n", (unsigned long)statistics.peers,
           (unsigned long long)statistics.accepted, (unsigned long long)statistics.refused,
           (unsigned long long)statistics.bytesIn);
    if (first > 0)
        close(first);
    webSocket_server_stop(server);
    webSocket_server_free(server);
    return first <= 0 || second > 0 || statistics.peers != 1 || statistics.refused != 1;
}
