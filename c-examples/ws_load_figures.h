/*
 * What ws_load measures, and how it is told. Included by ws_load.c only.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WS_LOAD_FIGURES_H
#define WS_LOAD_FIGURES_H

#include "ws_load_options.h"
#include <inttypes.h>
#include <sys/types.h>
#include <time.h>

/* Above this a process has used up its core; below, it had time to spare. */
#define BUSY_PERCENT 90.0

static uint64_t clockNs(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Latencies in buckets that are 1/32 wide each, relative to what they hold. */
enum { STEPS = 32, BUCKETS = 60 * STEPS };
static uint64_t histogram[BUCKETS], slowest;

static size_t bucketOf(uint64_t ns)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(ns | 1), shift = bits > 6 ? bits - 6 : 0;
    return (size_t)shift * STEPS + (size_t)(ns >> shift);
}

static void latency_note(uint64_t ns, uint64_t count)
{
    size_t bucket = bucketOf(ns);
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1] += count;
    if (ns > slowest) slowest = ns;
}

static void latency_clear(void)
{
    memset(histogram, 0, sizeof histogram);
    slowest = 0;
}

/* The latency, in microseconds, that this share of all messages kept. */
static double latency_us(double share)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) all += histogram[i];
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (seen == 0 || (double)seen < share * (double)all) continue;
        /* The upper edge of bucket i; see bucketOf. */
        unsigned shift = i < 2 * STEPS ? 0 : (unsigned)(i / STEPS) - 1;
        uint64_t edge = ((i - (uint64_t)shift * STEPS + 1) << shift) - 1;
        return (double)(edge < slowest ? edge : slowest) / 1e3;
    }
    return 0;
}

/* The server, seen from outside. */
static clockid_t serverClock;

/* False, with a line that says why: there is no such process. */
static bool server_watch(uint64_t pid)
{
    int error = clock_getcpuclockid((pid_t)pid, &serverClock);
    if (error == 0) return true;
    fprintf(stderr, "ws_load: cannot watch process %" PRIu64 ": %s\n", pid, strerror(error));
    return false;
}

/* A line of /proc/PID/status in KiB, such as "VmRSS"; 0: not to be had. */
static uint64_t server_kib(uint64_t pid, const char *name)
{
    char line[256];
    uint64_t kib = 0;
    snprintf(line, sizeof line, "/proc/%" PRIu64 "/status", pid);
    FILE *status = pid == 0 ? NULL : fopen(line, "r");
    if (status == NULL) return 0;
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            kib = strtoull(line + strlen(name) + 1, NULL, 10);
        }
    }
    fclose(status);
    return kib;
}

/* Everything that grows, at one moment. The CPU clock of a process counts the
 * nanoseconds of all its threads, those that have ended as well. */
struct moment {
    uint64_t wallNs, ownNs, serverNs, messages;
};

static struct moment moment_now(const struct options *options, uint64_t messages)
{
    return (struct moment){
        .wallNs = clockNs(CLOCK_MONOTONIC),
        .ownNs = clockNs(CLOCK_PROCESS_CPUTIME_ID),
        .serverNs = options->pid == 0 ? 0 : clockNs(serverClock),
        .messages = messages,
    };
}

struct figures {
    double seconds, rate, megabytes, own, server, serverUs;
    uint64_t messages, rssBefore, rssAfter, rssPeak;
    const char *bottleneck; /* "ws_load", "server" or "neither" */
};

static struct figures figures_between(const struct options *options, const struct moment *from, const struct moment *to)
{
    struct figures figures = {.messages = to->messages - from->messages};
    double wall = (double)(to->wallNs - from->wallNs), server = (double)(to->serverNs - from->serverNs);
    if (wall <= 0) wall = 1;
    figures.seconds = wall / 1e9;
    figures.rate = (double)figures.messages / figures.seconds;
    figures.megabytes = figures.rate * (double)options->size / 1e6;
    figures.own = 100 * (double)(to->ownNs - from->ownNs) / wall;
    figures.server = 100 * server / wall;
    figures.serverUs = figures.messages == 0 ? 0 : server / 1e3 / (double)figures.messages;
    figures.bottleneck = "neither";
    if (options->pid != 0 && figures.server >= BUSY_PERCENT) figures.bottleneck = "server";
    else if (figures.own > BUSY_PERCENT) figures.bottleneck = "ws_load";
    return figures;
}

static void figures_json(const struct options *options, const struct figures *figures)
{
    printf("{\"connections\":%" PRIu64 ",\"inFlight\":%" PRIu64 ",\"size\":%" PRIu64 ",\"seconds\":%.6f",
           options->connections, options->inFlight, options->size, figures->seconds);
    if (!options->idle) {
        printf(",\"messages\":%" PRIu64 ",\"messagesPerSecond\":%.1f,\"megabytesPerSecond\":%.3f", figures->messages,
               figures->rate, figures->megabytes);
        printf(",\"p50Us\":%.1f,\"p90Us\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f", latency_us(0.5), latency_us(0.9),
               latency_us(0.99), (double)slowest / 1e3);
        printf(",\"bottleneck\":\"%s\"", figures->bottleneck);
    }
    printf(",\"ownCpuPercent\":%.1f", figures->own);
    if (options->pid != 0) {
        printf(",\"serverCpuPercent\":%.1f", figures->server);
        if (!options->idle) printf(",\"serverCpuUsPerMessage\":%.4f", figures->serverUs);
        printf(",\"serverRssKiB\":{\"before\":%" PRIu64 ",\"after\":%" PRIu64 ",\"peak\":%" PRIu64 "}",
               figures->rssBefore, figures->rssAfter, figures->rssPeak);
        printf(",\"serverRssBytesPerConnection\":%.0f",
               ((double)figures->rssAfter - (double)figures->rssBefore) * 1024 / (double)options->connections);
    }
    puts("}");
}

static void figures_print(const struct options *options, const struct figures *figures)
{
    if (options->idle) {
        printf("%" PRIu64 " connections, idle for %.2f s\n", options->connections, figures->seconds);
    } else {
        printf("%" PRIu64 " connections, %" PRIu64 " in flight, %" PRIu64 " bytes of %s, %.2f s\n", options->connections,
               options->inFlight, options->size, options->text ? "text" : "binary", figures->seconds);
        printf("messages     %" PRIu64 ", every echo verified\n", figures->messages);
        printf("rate         %.0f messages/s, %.2f MB/s of payload each way\n", figures->rate, figures->megabytes);
        printf("latency      p50 %.0f us, p90 %.0f us, p99 %.0f us, max %.0f us\n", latency_us(0.5), latency_us(0.9),
               latency_us(0.99), (double)slowest / 1e3);
    }
    printf("ws_load      %.0f %% of a core\n", figures->own);
    if (options->pid != 0) {
        printf("server       %.0f %% of a core", figures->server);
        if (!options->idle) printf(", %.3f us of CPU a message", figures->serverUs);
        printf("\nserver RSS   %" PRIu64 " KiB before, %" PRIu64 " KiB after, peak %" PRIu64 " KiB: %+.0f bytes a connection\n",
               figures->rssBefore, figures->rssAfter, figures->rssPeak,
               ((double)figures->rssAfter - (double)figures->rssBefore) * 1024 / (double)options->connections);
    }
    if (options->idle || strcmp(figures->bottleneck, "ws_load") != 0) return;
    if (options->pid != 0) {
        printf("note: ws_load was the bottleneck (%.0f %% of its core, the server %.0f %%): the server can do more\n",
               figures->own, figures->server);
    } else {
        printf("note: ws_load used %.0f %% of its core: it may have been the bottleneck (--pid tells)\n", figures->own);
    }
}

#endif
