/*
 * A server inside the program's own loop: poll() waits for a timer of the
 * program's and for the server, whichever comes first.
 *
 * Shows: webSocket_server_pollFd, webSocket_server_step
 */
#define _POSIX_C_SOURCE 200809L
#include "client.h"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <wsembed/websocket.h>

static void happens(void *user, const webSocket_event *event)
{
    if (event->kind == WEBSOCKET_CLOSE)
        webSocket_server_stop(*(webSocket_server **)user);
}

/* What the program does besides: a reading every 20 ms, for whoever listens. */
static void measure(webSocket_server *server, int timer)
{
    static unsigned readings;
    uint64_t ticks;
    char text[32];
    if (read(timer, &ticks, sizeof ticks) != sizeof ticks)
        return;
    snprintf(text, sizeof text, "%u degrees", 20 + readings++ % 3);
    webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, text, strlen(text), 0);
}

static void *client(void *port)
{
    char text[64];
    int heard, fd = webSocket_clientLinkToServer("127.0.0.1", *(uint16_t *)port, "/");
    for (heard = 0; fd > 0 && heard < 3 && hear(fd, text, sizeof text); heard++)
        puts(text);
    close(fd);
    return heard == 3 ? port : NULL;
}

int main(void)
{
    struct itimerspec every = {{0, 20000000}, {0, 20000000}};
    struct pollfd wait[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
    webSocket_server *server;
    webSocket_result result = WEBSOCKET_OK;
    pthread_t thread;
    uint16_t port;
    void *good = NULL;
    wait[0].fd = timerfd_create(CLOCK_MONOTONIC, 0);
    if (timerfd_settime(wait[0].fd, 0, &every, NULL) != 0 ||
        webSocket_server_new(NULL, happens, &server, &server) != WEBSOCKET_OK ||
        webSocket_server_listen(server, "127.0.0.1", 0, &port) != WEBSOCKET_OK ||
        webSocket_server_pollFd(server, &wait[1].fd) != WEBSOCKET_OK ||
        pthread_create(&thread, NULL, client, &port) != 0)
        return 1;
    while (result == WEBSOCKET_OK) {
        if (poll(wait, 2, -1) < 0)
            continue; /* a signal */
        if (wait[0].revents != 0)
            measure(server, wait[0].fd);
        if (wait[1].revents != 0)
            result = webSocket_server_step(server, 0); /* CLOSED: stopped, and all have gone */
    }
    pthread_join(thread, &good);
    webSocket_server_free(server); /* closes wait[1].fd */
    close(wait[0].fd);
    return result != WEBSOCKET_CLOSED || good == NULL;
}
