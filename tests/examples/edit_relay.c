/*
 * edit_relay: a TCP relay that edits what a WebSocket server says, for tests.
 *
 *     edit_relay TO OFFSET DROP INSERT
 *
 * Relays one connection after another to 127.0.0.1:TO. In what comes from there, at
 * byte OFFSET behind the HTTP head, DROP bytes are left out and INSERT (hexadecimal)
 * is put in their place; "end" ends the connection there. It knows nothing else
 * of the protocol and does not use the library.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 256 };

static uint16_t to;
static unsigned long long offset, drop;
static uint8_t insert[MOST];
static size_t insertLength;
static bool ends;

/* Of the connection: how much of "\r\n\r\n" was seen, bytes behind the head. */
static unsigned head;
static unsigned long long position;

static bool sendAll(int fd, const uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Byte by byte: this is for few of them. False: the connection is to end. */
static bool edited(int fd, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (head < 4) {
            head = data[i] == (head % 2 == 0 ? '\r' : '\n') ? head + 1 : data[i] == '\r';
            if (!sendAll(fd, data + i, 1)) return false;
            if (head < 4) continue;
        } else {
            bool left = position >= offset && position < offset + drop;
            position++;
            if (!left && !sendAll(fd, data + i, 1)) return false;
        }
        if (position != offset) continue;
        if (ends || !sendAll(fd, insert, insertLength)) return false;
        insertLength = 0; /* once */
    }
    return true;
}

static void relay(int client)
{
    static uint8_t bytes[65536];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to)};
    int server = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    head = 0;
    position = 0;
    bool on = server >= 0 && connect(server, (struct sockaddr *)&address, sizeof address) == 0;
    while (on) {
        struct pollfd both[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        if (poll(both, 2, -1) < 0) break;
        for (int i = 0; i < 2 && on; i++) {
            if (both[i].revents == 0) continue;
            ssize_t got = recv(both[i].fd, bytes, sizeof bytes, 0);
            on = got > 0 && (i == 0 ? sendAll(server, bytes, (size_t)got) : edited(client, bytes, (size_t)got));
        }
    }
    /* A FIN first: close() with unread bytes would send a reset. */
    shutdown(client, SHUT_WR);
    while (recv(client, bytes, sizeof bytes, 0) > 0) {
    }
    close(server);
    close(client);
}

int main(int count, char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client;
    if (count != 5) return 2;
    to = (uint16_t)atoi(words[1]);
    offset = strtoull(words[2], NULL, 10);
    drop = strtoull(words[3], NULL, 10);
    ends = strcmp(words[4], "end") == 0;
    for (const char *hex = words[4]; !ends && hex[0] != '\0' && hex[1] != '\0' && insertLength < MOST; hex += 2) {
        char digits[3] = {hex[0], hex[1], '\0'};
        insert[insertLength++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("edit_relay");
        return EXIT_FAILURE;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while ((client = accept(listener, NULL, NULL)) >= 0) relay(client);
    return EXIT_FAILURE;
}
