/*
 * An echo server with a thread per client on blocking sockets, as the field has
 * them.
 *
 *     old_server_blocking PORT      0: any free port
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "websocket_common.h"

#define BUFF_SIZE (2 * 1024 * 1024)

static void *client_thread(void *arg)
{
    int fd = (int)(long)arg, ret;
    struct timeval timeout = {1, 0};
    char *buff = (char *)malloc(BUFF_SIZE);
    WebsocketData_Type type;
    pthread_detach(pthread_self());
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    while (buff != NULL) {
        type = WDT_NULL;
        ret = webSocket_recv(fd, buff, BUFF_SIZE, &type);
        if (ret > 0 && (type == WDT_TXTDATA || type == WDT_BINDATA || type == WDT_MINDATA || type == 100 ||
                        type == 101 || type == 99))
            ret = webSocket_send(fd, buff, ret, false, type);
        else if (ret < 0)
            ret = webSocket_serverLinkToClient(fd, buff, ret);
        if (ret <= 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    close(fd);
    free(buff);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    socklen_t size = sizeof(addr);
    pthread_t thread;
    int fd, on = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    addr.sin_addr.s_addr = inet_addr("127.0.0.1");
    if (bind(server, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(server, 50) < 0) {
        perror("bind");
        return 1;
    }
    getsockname(server, (struct sockaddr *)&addr, &size);
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    fflush(stdout);
    while (1) {
        fd = accept(server, NULL, NULL);
        if (fd >= 0 && pthread_create(&thread, NULL, client_thread, (void *)(long)fd) != 0)
            close(fd);
    }
}
