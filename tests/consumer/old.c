/* A program of the field: it knows the drop-in's header by its bare name. */
#include "websocket_common.h"
#include <stdio.h>

int main(void)
{
    WebsocketData_Type type = WDT_PONG;
    char data[16];
    webSocket_delayms(1);
    if (webSocket_recv(-1, data, sizeof data, &type) > 0) return 1;
    puts("old program");
    return 0;
}
