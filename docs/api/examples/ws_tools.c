/*
 * What generation 2 has beside WebSocket: the time of day, a host's IPv4
 * address, sleeps.
 *
 *     ws_tools [NAME]
 *
 * Shows: ws_time ws_getIpByHostName ws_delayms ws_delayus
 */
#include "ws_com.h"
#include <stdio.h>

int main(int count, char **words)
{
    const char *name = count > 1 ? words[1] : "localhost";
    char ip[16] = "";
    int spent = ws_getIpByHostName(name, ip, 1000);
    if (spent < 0) {
        fprintf(stderr, "%s: %s was not found in %d ms\n", ws_time(), name, -spent);
        return 1;
    }
    printf("%s: %s is %s, after %d ms\n", ws_time(), name, ip, spent);
    ws_delayms(5);
    ws_delayus(500);
    return 0;
}
