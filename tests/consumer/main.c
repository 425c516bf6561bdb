/* A program of somebody else, against an installed wsembed. */
#include <stdio.h>
#include <wsembed/websocket.h>

int main(void)
{
    char header[32];
    snprintf(header, sizeof header, "%d.%d.%d", WEBSOCKET_VERSION_MAJOR, WEBSOCKET_VERSION_MINOR,
             WEBSOCKET_VERSION_PATCH);
    printf("%s %s\n", header, webSocket_version());
    return 0;
}
