/*
 * Both ends in the manner of generation 2: a server for one client at a time on
 * a thread, and a client that says hello and waits for the echo.
 *
 * Shows: ws_requestServer ws_replyClient ws_send ws_recv
 */
#include "ws_com.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whatever comes goes back. The fd blocks: ws_recv waits for the first byte. */
static void serve(int fd)
{
    static char data[64 * 1024];
    Ws_DataType type;
    do {
        int got = ws_recv(fd, data, sizeof data, &type);
        if (got < 0 && type == WDT_NULL) {
            /* No frame: at the start, the HTTP request. */
            if (ws_replyClient(fd, data, got, (char *)"/echo") <= 0)
                break;
        } else if (got > 0) {
            if (ws_send(fd, data, got, false, type) < 0)
                break;
        } else if (got < 0) {
            printf("a message of %d bytes was too large, and is gone\n", -got);
        }
    } while (type != WDT_DISCONN);
    close(fd);
}

static void *serve_one(void *listener)
{
    int fd = accept(*(int *)listener, NULL, NULL);
    if (fd >= 0)
        serve(fd);
    return NULL;
}

/* The next message within five seconds; 0 for none. */
static int hear(int fd, char *data, int size)
{
    Ws_DataType type = WDT_NULL;
    int turn, got = 0;
    for (turn = 0; turn < 5000 && got == 0 && type != WDT_DISCONN; turn++) {
        got = ws_recv(fd, data, size, &type);
        if (got == 0)
            ws_delayms(1); /* nothing yet, or a ping that has been answered */
    }
    return got > 0 ? got : 0;
}

int main(void)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    pthread_t thread;
    char data[256] = "";
    bool good = false;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, serve_one, &listener) != 0) {
        perror("ws_com");
        return 1;
    }
    fd = ws_requestServer((char *)"127.0.0.1", ntohs(address.sin_port), (char *)"/echo?from=example", 5000);
    if (fd > 0) {
        if (ws_send(fd, (void *)"hello", 5, true, WDT_TXTDATA) > 0)
            good = hear(fd, data, sizeof data) == 5 && strcmp(data, "hello") == 0;
        ws_send(fd, NULL, 0, true, WDT_DISCONN);
        close(fd);
    }
    printf("heard: %s\n", data);
    pthread_join(thread, NULL);
    close(listener);
    return !good;
}
