/*
 * What the load programs share: time, sockets on loopback, frames, and what the
 * server's process holds. Included once by each of them.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef LOAD_H
#define LOAD_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static const char *program;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(1);
}

static uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static unsigned long number(const char *name, const char *text, unsigned long most)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = text != NULL && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || value > most) die("%s takes a number up to %lu", name, most);
    return value;
}

__attribute__((unused)) static void descriptors_raise(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* ---- sockets */

/* Starts to connect. One address of ours has some 28000 ports, of which each waits
 * for a minute after its end: the next connection comes from the next address. */
static int dial(uint16_t port)
{
    static uint32_t turn;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % 200);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    if (fd < 0) die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS))
        die("connect: %s", strerror(errno));
    return fd;
}

/* Its end is a reset: what waits on both sides is thrown away. */
__attribute__((unused)) static void hang_up_hard(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

/* ---- frames */

static const char request[] = "GET /load HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
enum { REQUEST_BYTES = sizeof request - 1 };

/* Writes a header; the mask key is 0, so that payload is sent as it is. */
__attribute__((unused)) static size_t frame_header(uint8_t *to, uint8_t first, uint64_t length)
{
    size_t size = 2;
    to[0] = first;
    to[1] = 0x80 | (uint8_t)(length < 126 ? length : length < 65536 ? 126 : 127);
    if (length >= 126)
        for (int shift = length < 65536 ? 8 : 56; shift >= 0; shift -= 8) to[size++] = (uint8_t)(length >> shift);
    memset(to + size, 0, 4);
    return size + 4;
}

/* ---- the server's process */

/* Kilobytes of memory; 0 where there is no such process. */
__attribute__((unused)) static uint64_t process_rss(unsigned long pid)
{
    char path[64];
    unsigned long size = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%lu/statm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* Entries of a folder of its, such as "fd" or "task". */
__attribute__((unused)) static unsigned process_count(unsigned long pid, const char *what)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof path, "/proc/%lu/%s", pid, what);
    DIR *folder = opendir(path);
    if (folder == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

#endif
