/*
 * The IPv4 address of a host, within a second.
 *
 *     host_name [NAME]
 *
 * Shows: websocket_getIpByHostName
 */
#include "websocket_common.h"
#include <stdio.h>

int main(int count, char **words)
{
    char ip[16] = "";
    int spent = websocket_getIpByHostName(count > 1 ? words[1] : "localhost", ip);
    if (spent < 0) {
        fprintf(stderr, "not found in %d ms\n", -spent);
        return 1;
    }
    printf("%s, after %d ms\n", ip, spent);
    return 0;
}
