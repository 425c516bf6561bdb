/*
 * The IPv4 address of a network interface.
 *
 *     interface [NAME [NEW ADDRESS]]      a new address needs CAP_NET_ADMIN
 *
 * Shows: netCheck_getIP, netCheck_setIP
 */
#include "websocket_common.h"
#include <stdio.h>

int main(int count, char **words)
{
    char ip[16] = ""; /* stays empty where there is none */
    char *name = count > 1 ? words[1] : "lo";
    if (count > 2 && netCheck_setIP(name, words[2]) != 0) {
        fprintf(stderr, "%s: the address was not set\n", name);
        return 1;
    }
    netCheck_getIP(name, ip);
    printf("%s has %s\n", name, ip[0] != '\0' ? ip : "no address");
    return 0;
}
