/*
 * A frame that is larger than the buffer: it is kept, and the program comes
 * back with more room.
 *
 * Shows: webSocket_pendingLen, webSocket_setKeepMax
 */
#include "websocket_common_extra.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    static char large[20000], small[1024];
    int fds[2], got;
    char *room = small;
    WebsocketData_Type type;
    webSocket_setKeepMax(1024 * 1024); /* a peer makes us keep no more than 1 MiB */
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0 ||
        webSocket_send(fds[1], large, sizeof large, true, WDT_BINDATA) < 0)
        return 1;
    got = webSocket_recv(fds[0], small, sizeof small, &type);
    if (got == 0 && errno == EMSGSIZE) {
        int length = webSocket_pendingLen(fds[0]);
        if (length > 0 && (room = malloc((size_t)length)) != NULL) {
            got = webSocket_recv(fds[0], room, length, &type);
            free(room);
        }
    }
    printf("received %d bytes\n", got);
    close(fds[0]);
    close(fds[1]);
    return got != sizeof large;
}
