/*
 * Frames in memory, for a transport of the program's own such as a serial line.
 *
 * Shows: webSocket_enPackage, webSocket_dePackage
 */
#include "websocket_common_extra.h"
#include <stdio.h>

int main(void)
{
    unsigned char frame[64], payload[64];
    unsigned int length = 0, head = 0;
    int type, size = webSocket_enPackage((unsigned char *)"hello", 5, frame, sizeof frame, true, WDT_TXTDATA);
    if (size <= 0)
        return 1;

    /* As if only a part had come: WDT_ERR, but both lengths are known. */
    type = webSocket_dePackage(frame, (unsigned int)size - 1, payload, sizeof payload, &length, &head);
    if (type == WDT_ERR && head + length > 0)
        printf("incomplete: %d of %u bytes\n", size - 1, head + length);

    type = webSocket_dePackage(frame, (unsigned int)size, payload, sizeof payload, &length, &head);
    if (type != WDT_TXTDATA)
        return 1;
    printf("a text of %u bytes: %s\n", length, payload); /* a NUL is behind it */
    return 0;
}
