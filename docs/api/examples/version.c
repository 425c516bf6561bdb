/*
 * Is the library that was loaded the one that the program was compiled for?
 *
 * Shows: webSocket_version
 */
#include <stdio.h>
#include <string.h>
#include <wsembed/websocket.h>

int main(void)
{
    char header[32];
    snprintf(header, sizeof header, "%d.%d.%d", WEBSOCKET_VERSION_MAJOR, WEBSOCKET_VERSION_MINOR,
             WEBSOCKET_VERSION_PATCH);
    printf("compiled for %s, running on %s\n", header, webSocket_version());
    return strcmp(header, webSocket_version()) != 0;
}
