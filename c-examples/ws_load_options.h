/*
 * The command line of ws_load. Included by ws_load.c only.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WS_LOAD_OPTIONS_H
#define WS_LOAD_OPTIONS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PID 4194304 /* Linux has none above */
#define MAX_MESSAGE_BYTES ((uint64_t)1 << 30)

struct options {
    const char *url;
    char host[256];       /* without the brackets of an IPv6 address */
    char port[6];
    uint64_t connections;
    uint64_t inFlight;    /* unanswered messages of a connection */
    uint64_t size;        /* bytes of payload */
    uint64_t messages;    /* in all; 0: until durationNs is over */
    uint64_t durationNs;
    uint64_t pid;         /* the server's; 0: not known */
    bool text, json, idle;
};

static const char usage[] =
    "usage: ws_load [OPTION]... ws://HOST[:PORT][/PATH]\n"
    "Sends messages to an echo server, verifies every echo and tells what it took.\n"
    "  --connections N   open N connections (default 10)\n"
    "  --in-flight N     keep N messages unanswered on each (default 1)\n"
    "  --size BYTES      payload of a message (default 64)\n"
    "  --text            text messages (default: binary)\n"
    "  --seconds S       measure for S seconds, such as 0.5 (default 5)\n"
    "  --messages N      or send N messages in all\n"
    "  --idle            send nothing: hold the connections for the seconds\n"
    "  --pid PID         the server's process on this machine: its CPU time and memory\n"
    "  --json            one JSON object instead of lines for people\n";

/* What follows "--name" in words, as a number of this range. */
static bool option_number(const char *name, const char *word, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    if (word != NULL && word[0] >= '0' && word[0] <= '9') *value = strtoull(word, &end, 10);
    if (end != NULL && *end == '\0' && errno == 0 && *value >= least && *value <= most) return true;
    fprintf(stderr, "ws_load: %s takes a number from %llu to %llu\n", name, (unsigned long long)least,
            (unsigned long long)most);
    return false;
}

static bool option_seconds(const char *word, uint64_t *nanoseconds)
{
    char *end = NULL;
    double seconds = word != NULL && word[0] >= '0' && word[0] <= '9' ? strtod(word, &end) : 0;
    if (end != NULL && *end == '\0' && seconds >= 0.01 && seconds <= 86400) {
        *nanoseconds = (uint64_t)(seconds * 1e9);
        return true;
    }
    fputs("ws_load: --seconds takes a number from 0.01 to 86400\n", stderr);
    return false;
}

/* Host and port for the socket; the library judges the URL as a whole. */
static bool option_url(struct options *options, const char *url)
{
    if (strncmp(url, "ws://", 5) != 0) {
        fprintf(stderr, "ws_load: %s is no URL of the form ws://HOST[:PORT][/PATH]\n", url);
        return false;
    }
    const char *host = url + 5, *hostEnd, *port;
    size_t authority = strcspn(host, "/?#");
    if (host[0] == '[') {
        host++;
        hostEnd = memchr(host, ']', authority - 1);
        port = hostEnd == NULL ? NULL : hostEnd + 1;
    } else {
        hostEnd = memchr(host, ':', authority);
        if (hostEnd == NULL) hostEnd = host + authority;
        port = hostEnd;
    }
    const char *end = url + 5 + authority;
    if (hostEnd == NULL || hostEnd == host || (size_t)(hostEnd - host) >= sizeof options->host ||
        (port != end && (*port != ':' || port + 1 == end || (size_t)(end - port) > sizeof options->port))) {
        fprintf(stderr, "ws_load: cannot find host and port in %s\n", url);
        return false;
    }
    snprintf(options->host, sizeof options->host, "%.*s", (int)(hostEnd - host), host);
    if (port == end) strcpy(options->port, "80");
    else snprintf(options->port, sizeof options->port, "%.*s", (int)(end - port - 1), port + 1);
    uint64_t number;
    options->url = url;
    return option_number("the URL's port", options->port, 1, 65535, &number);
}

/* One option with a value. */
static bool option_value(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--connections") == 0) return option_number(name, value, 1, 1000000, &options->connections);
    if (strcmp(name, "--in-flight") == 0) return option_number(name, value, 1, 65536, &options->inFlight);
    if (strcmp(name, "--size") == 0) return option_number(name, value, 0, MAX_MESSAGE_BYTES, &options->size);
    if (strcmp(name, "--messages") == 0) return option_number(name, value, 1, UINT64_C(1) << 40, &options->messages);
    if (strcmp(name, "--pid") == 0) return option_number(name, value, 1, MOST_PID, &options->pid);
    if (strcmp(name, "--seconds") == 0) return option_seconds(value, &options->durationNs);
    fprintf(stderr, "ws_load: unknown option %s\n", name);
    return false;
}

static bool options_read(struct options *options, int count, char **words)
{
    *options = (struct options){.connections = 10, .inFlight = 1, .size = 64};
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--text") == 0) options->text = true;
        else if (strcmp(words[i], "--json") == 0) options->json = true;
        else if (strcmp(words[i], "--idle") == 0) options->idle = true;
        else if (strncmp(words[i], "--", 2) == 0) {
            if (!option_value(options, words[i], i + 1 < count ? words[i + 1] : NULL)) return false;
            i++;
        } else if (options->url != NULL) {
            fprintf(stderr, "ws_load: one URL only, not %s as well\n", words[i]);
            return false;
        } else if (!option_url(options, words[i])) {
            return false;
        }
    }
    if (options->url == NULL) {
        fputs("ws_load: which URL?\n", stderr);
        return false;
    }
    if (options->messages != 0 && (options->idle || options->durationNs != 0)) {
        fputs("ws_load: --messages goes with neither --seconds nor --idle\n", stderr);
        return false;
    }
    if (options->inFlight * (options->size + 14) > MAX_MESSAGE_BYTES) {
        fputs("ws_load: --size times --in-flight is more than 1 GiB\n", stderr);
        return false;
    }
    if (options->durationNs == 0) options->durationNs = UINT64_C(5000000000);
    return true;
}

#endif
