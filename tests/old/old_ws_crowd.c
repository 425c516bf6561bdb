/*
 * Many devices of generation 2 in one program: each is a loop over ws_recv(),
 * once every 10 ms, at field_server, which echoes and pushes news.
 *
 *     old_ws_crowd HOST PORT CLIENTS SECONDS [stuck]
 *
 * Each has two messages on the way, of its own bytes, and compares the echoes;
 * the numbers of the news have to follow one another. "stuck": one more client
 * sends until nothing goes out any more and does not read until the others
 * have ended; then its echoes must all be there as well.
 *
 * Prints "ready" when all are connected, and at the end what they saw, with
 * the time that an echo took, from the first third on, and this program's memory
 * then and at the end. Exit status 0: no message was lost, mixed up or wrong.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "ws_com.h"

#define THREADS 4
#define LOOP_MS 10
#define ON_THE_WAY 2
#define MSG_MAX (70 * 1000)
#define STUCK_MSG (32 * 1024)
/* for a defect only */
#define PATIENCE_MS 120000
#define TIMES 100000

struct client {
    int fd, id;
    unsigned int sent, got, news, first;
    unsigned int seed;
    long long next_ms;
    long long sent_us[ON_THE_WAY];
};

static struct client *clients;
static int count = 0, wrong = 0;
static int closing = 0, measuring = 0;
/* how long echoes took, in classes of 0.1 ms */
static unsigned int times[TIMES + 1];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* set by main(), looked at by all */
static int is_set(int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int complain(struct client *client, const char *what, int ret, int type)
{
    pthread_mutex_lock(&lock);
    if (++wrong <= 20)
        printf("client %d: %s: %d bytes, type %d, sent %u, got %u, news %u\n", client->id, what, ret, type,
               client->sent, client->got, client->news);
    pthread_mutex_unlock(&lock);
    if (client->fd > 0)
        close(client->fd);
    client->fd = 0;
    return -1;
}

/* the same bytes for the same client and number, other bytes for others */
static int message(struct client *client, unsigned int n, char *out)
{
    unsigned int x = (client->id + 1) * 2654435761u + n * 40503u, kind = x >> 8 & 63;
    int len = sprintf(out, "# %d %u ", client->id, n), i, to;
    to = kind == 0 ? 1000 + x % (MSG_MAX - 1000) : kind < 20 ? 130 + x % 4000 : len + x % 100;
    for (i = len; i < to; i++) {
        if (i % 4 == 0)
            x = x * 1103515245u + 12345u;
        out[i] = n % 2 ? (char)(x >> (i % 4 * 8)) : (char)('a' + (x >> (i % 4 * 8) & 15));
    }
    return to > len ? to : len;
}

static int is_news(struct client *client, const char *msg, int len)
{
    unsigned int n;
    if (len > 8 && memcmp(msg, "welcome,", 8) == 0)
        return 1;
    if (sscanf(msg, "news %u of", &n) != 1)
        return -1;
    if (client->news == 0)
        client->first = n;
    else if (n != client->first + client->news)
        return -1;
    client->news++;
    return 1;
}

/* once in 10 ms, as each device does */
static int turn(struct client *client, char *buff, char *want)
{
    Ws_DataType type = WDT_NULL;
    int len, ret = ws_recv(client->fd, buff, MSG_MAX + 16, &type);
    long long now = now_us();
    if (ret < 0)
        return complain(client, "not a frame, or too large", ret, type);
    if (type == WDT_DISCONN)
        return complain(client, "the server hung up", ret, type);
    if (ret > 0 && (type != WDT_TXTDATA || buff[0] != '#' || client->got == client->sent) &&
        type != WDT_BINDATA) {
        if (type != WDT_TXTDATA || is_news(client, buff, ret) < 0)
            return complain(client, "not the next news", ret, type);
    } else if (ret > 0) {
        len = message(client, client->got, want);
        if (ret != len || type != (client->got % 2 ? WDT_BINDATA : WDT_TXTDATA) || memcmp(buff, want, len) != 0)
            return complain(client, "not the next echo", ret, type);
        len = (now - client->sent_us[client->got % ON_THE_WAY]) / 100;
        if (is_set(&measuring))
            __sync_fetch_and_add(&times[len < TIMES ? len : TIMES], 1);
        client->got++;
    }
    if (is_set(&closing) || client->sent - client->got >= ON_THE_WAY || now / 1000 < client->next_ms)
        return 0;
    len = message(client, client->sent, want);
    /* full: nothing of it went out, the next turn sends it */
    if (ws_send(client->fd, want, len, true, client->sent % 2 ? WDT_BINDATA : WDT_TXTDATA) > 0) {
        client->sent_us[client->sent % ON_THE_WAY] = now;
        client->sent++;
        client->seed = client->seed * 1103515245u + 12345u;
        client->next_ms = now / 1000 + (client->seed >> 16) % 200;
    }
    return 0;
}

/* says goodbye, and waits for the end: nothing else may come but news */
static void leave(struct client *client, char *buff)
{
    Ws_DataType type = WDT_NULL;
    int ret, i;
    ws_send(client->fd, "\x03\xe8", 2, true, WDT_DISCONN);
    for (i = 0; i < PATIENCE_MS / LOOP_MS; i++) {
        ret = ws_recv(client->fd, buff, MSG_MAX + 16, &type);
        if (ret == 0 && type == WDT_DISCONN)
            break;
        if (ret != 0 && (ret < 0 || type != WDT_TXTDATA || is_news(client, buff, ret) < 0)) {
            complain(client, "at the end", ret, type);
            return;
        }
        if (type == WDT_NULL)
            ws_delayms(LOOP_MS);
    }
    if (type != WDT_DISCONN) {
        complain(client, "the close was not answered", 0, type);
        return;
    }
    close(client->fd);
    client->fd = 0;
}

static void *run(void *arg)
{
    int part = (int)(long)arg, i, left = 1;
    char *buff = (char *)malloc(MSG_MAX + 64), *want = (char *)malloc(MSG_MAX + 64);
    long long stop_ms = 0;
    while (left) {
        left = !is_set(&closing);
        for (i = part; i < count; i += THREADS) {
            if (clients[i].fd != 0)
                turn(&clients[i], buff, want);
            if (clients[i].fd != 0 && clients[i].got != clients[i].sent)
                left = 1;
        }
        if (is_set(&closing) && stop_ms == 0)
            stop_ms = now_us() / 1000 + PATIENCE_MS;
        if (stop_ms != 0 && now_us() / 1000 > stop_ms)
            break;
        ws_delayms(LOOP_MS);
    }
    for (i = part; i < count; i += THREADS) {
        if (clients[i].fd == 0)
            continue;
        if (clients[i].got != clients[i].sent)
            complain(&clients[i], "echoes are missing", 0, 0);
        else
            leave(&clients[i], buff);
    }
    free(buff);
    free(want);
    return NULL;
}

static long memory_kb(void)
{
    long pages = 0, resident = 0;
    FILE *fp = fopen("/proc/self/statm", "r");
    if (fp && fscanf(fp, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (fp)
        fclose(fp);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* the client that sends and does not read */
static char stuck_msg[STUCK_MSG], stuck_buff[MSG_MAX + 16];

static int stuck_fill(unsigned int n)
{
    memset(stuck_msg, 'A' + n % 26, STUCK_MSG);
    memcpy(stuck_msg, &n, sizeof(n));
    return STUCK_MSG;
}

static void stuck_send(struct client *client)
{
    while (ws_send(client->fd, stuck_msg, stuck_fill(client->sent), true, WDT_BINDATA) > 0)
        client->sent++;
}

static void stuck_reads(struct client *client)
{
    Ws_DataType type;
    int ret, i;
    for (i = 0; i < PATIENCE_MS && client->got < client->sent; ) {
        ret = ws_recv(client->fd, stuck_buff, sizeof(stuck_buff), &type);
        if (ret > 0 && type == WDT_BINDATA) {
            stuck_fill(client->got);
            if (ret != STUCK_MSG || memcmp(stuck_buff, stuck_msg, STUCK_MSG) != 0) {
                complain(client, "stuck: not the next echo", ret, type);
                return;
            }
            client->got++;
        } else if (ret < 0 || type == WDT_DISCONN) {
            complain(client, "stuck: the connection is over", ret, type);
            return;
        } else if (type == WDT_NULL) {
            ws_delayms(1);
            i++;
        }
    }
    if (client->got != client->sent)
        complain(client, "stuck: echoes are missing", 0, 0);
    else
        leave(client, stuck_buff);
}

static double percentile(double share)
{
    unsigned long sum = 0, all = 0;
    int i;
    for (i = 0; i <= TIMES; i++)
        all += times[i];
    for (i = 0; i < TIMES; i++)
        if ((sum += times[i]) >= all * share)
            break;
    return (i + 1) / 10.0;
}

int main(int argc, char **argv)
{
    pthread_t thread[THREADS];
    struct client stuck;
    struct rlimit files;
    unsigned long echoes = 0, news = 0;
    long memory_warm = 0;
    long long start;
    int i, seconds, is_stuck = argc == 6 && strcmp(argv[5], "stuck") == 0;
    if ((argc != 5 && !is_stuck) || (count = atoi(argv[3])) < 1 || (seconds = atoi(argv[4])) < 1) {
        printf("usage: %s HOST PORT CLIENTS SECONDS [stuck]\n", argv[0]);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    clients = (struct client *)calloc(count, sizeof(*clients));
    for (i = 0; i < count; i++) {
        clients[i].id = i;
        clients[i].seed = i * 7919 + 1;
        clients[i].fd = ws_requestServer(argv[1], atoi(argv[2]), "/crowd", 10000);
        if (clients[i].fd <= 0) {
            printf("client %d: connect failed: %d ms\n", i, -clients[i].fd);
            return 1;
        }
    }
    memset(&stuck, 0, sizeof(stuck));
    stuck.id = count;
    if (is_stuck) {
        stuck.fd = ws_requestServer(argv[1], atoi(argv[2]), "/crowd", 10000);
        if (stuck.fd <= 0) {
            printf("the stuck client: connect failed\n");
            return 1;
        }
    }
    printf("ready\n");
    fflush(stdout);
    for (i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, run, (void *)(long)i);
    start = now_us();
    if (is_stuck) {
        stuck_send(&stuck);
        printf("stuck after %u messages of %d bytes\n", stuck.sent, STUCK_MSG);
    }
    while (now_us() - start < seconds * 1000000LL) {
        if (is_stuck)
            stuck_send(&stuck);
        /* by then all have read what was pushed while others still connected */
        if (memory_warm == 0 && now_us() - start > seconds * 333333LL) {
            memory_warm = memory_kb();
            __atomic_store_n(&measuring, 1, __ATOMIC_RELAXED);
        }
        ws_delayms(100);
    }
    __atomic_store_n(&closing, 1, __ATOMIC_RELAXED);
    for (i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    /* the others' echoes are all there while it still does not read */
    if (is_stuck)
        stuck_reads(&stuck);
    for (i = 0; i < count; i++) {
        echoes += clients[i].got;
        news += clients[i].news;
        if (clients[i].got == 0)
            complain(&clients[i], "no echo at all", 0, 0);
    }
    printf("%d clients: %lu echoes, %lu news, %d wrong; an echo took p50 %.1f p99 %.1f max %.1f ms; memory %ld then %ld KiB\n",
           count, echoes, news, wrong, percentile(0.5), percentile(0.99), percentile(1),
           memory_warm, memory_kb());
    if (is_stuck)
        printf("stuck: %u echoes of %u, %d bytes each\n", stuck.got, stuck.sent, STUCK_MSG);
    free(clients);
    return wrong != 0;
}
