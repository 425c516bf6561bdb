/*
 * For the examples of servers: a client of a few lines, on the drop-in's
 * functions. It waits, so it needs a thread of its own, or a server that does.
 */
#ifndef WSEMBED_EXAMPLE_CLIENT_H
#define WSEMBED_EXAMPLE_CLIENT_H

#include "websocket_common.h"
#include <errno.h>
#include <string.h>

/* Sends a text. 0: the connection is over. */
static inline int say(int fd, char *text)
{
    return webSocket_send(fd, text, (int)strlen(text), true, WDT_TXTDATA) > 0;
}

/* Waits for a message and makes it a string. 0: the connection is over. */
static inline int hear(int fd, char *text, int room)
{
    int got;
    while ((got = webSocket_recv(fd, text, room - 1, NULL)) == 0 && errno == EAGAIN)
        webSocket_delayms(1);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

#endif
