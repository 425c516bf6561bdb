/*
 * The opening handshake by hand, for a transport of the program's own: the
 * client's request, the server's answer, the client's check.
 *
 * Shows: webSocket_buildShakeKey, webSocket_buildHttpHead, webSocket_buildRespondShakeKey,
 *        webSocket_buildHttpRespond, webSocket_matchShakeKey
 */
#include "websocket_common_extra.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    unsigned char key[25], accept[29];
    char request[512], answer[1024];

    /* The client */
    if (webSocket_buildShakeKey(key) != 24)
        return 1;
    webSocket_buildHttpHead("192.168.1.10", 9999, "/stream", key, request);
    if (request[0] == '\0')
        return 1; /* too long, or a blank in the path */
    fputs(request, stdout);

    /* The server, which found the key in the request */
    webSocket_buildHttpRespond(key, 24, answer);
    fputs(answer, stdout);

    /* The client again, which finds the accept value in the answer; here it is made. */
    if (webSocket_buildRespondShakeKey(key, 24, accept) != 28 || strstr(answer, (char *)accept) == NULL)
        return 1;
    return webSocket_matchShakeKey(key, 24, accept, 28) != 0;
}
