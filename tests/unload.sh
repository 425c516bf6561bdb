#!/bin/bash
# A program that loads the library, has a server on threads for a while, frees
# it and unloads the library, again and again: AP35. When free has returned, the
# server's threads are gone from the process, not only from the server, so that
# their code may go too.
#
#   unload.sh [FOLDER OF libwsembed.so]   (that of the finished build)
set -euo pipefail
source=${WSEMBED_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
library=${1:-${WSEMBED_BUILD:-$source/build}/lib}
[ -e "$library/libwsembed.so" ] || { echo "$library/libwsembed.so is missing: run make first" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra emulator <<<"${WSEMBED_EMULATOR:-}"

cat >"$work/unload.c" <<'C'
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#define TAKE(name)                                                        \
    __typeof__(&name) name##_ = (__typeof__(&name))dlsym(library, #name); \
    if (name##_ == NULL)                                                  \
        return &failed

static int entries(const char *folder)
{
    DIR *open = opendir(folder);
    int count = 0;
    while (open != NULL && readdir(open) != NULL)
        count++;
    if (open != NULL)
        closedir(open);
    return count;
}

/* The threads that may still run code of the process. A thread that was joined
 * can stand in /proc for a moment: the kernel wakes who waits for it before it
 * takes the thread out of the list. It has had PF_EXITING since before then. */
static int threads(void)
{
    enum { PF_EXITING = 0x4 };
    DIR *open = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    while (open != NULL && (entry = readdir(open)) != NULL) {
        char path[300], line[512];
        const char *fields;
        unsigned long flags = 0;
        FILE *stat;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
        if (entry->d_name[0] == '.' || (stat = fopen(path, "r")) == NULL)
            continue;
        /* The name, in brackets, may hold anything; six numbers stand between it and the flags. */
        if (fgets(line, sizeof line, stat) != NULL && (fields = strrchr(line, ')')) != NULL &&
            sscanf(fields, ") %*c %*d %*d %*d %*d %*d %lu", &flags) == 1 && (flags & PF_EXITING) == 0)
            count++;
        fclose(stat);
    }
    if (open != NULL)
        closedir(open);
    return count;
}

/* An emulator tells that a thread has ended before its own thread behind it
 * has: there, and only there, the threads have a while to go. */
static int threads_in_time(int expected)
{
    int looks = getenv("WSEMBED_EMULATOR") != NULL && getenv("WSEMBED_EMULATOR")[0] != '\0' ? 1000 : 1, count;
    while ((count = threads()) != expected && --looks > 0)
        usleep(10000);
    return count;
}

static void ignores(void *user, const webSocket_event *event)
{
    (void)user;
    (void)event;
}

/* On a thread of its own: what a thread leaves to be undone at its end keeps
 * the library loaded until then. */
static void *once(void *path)
{
    static char failed;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    webSocket_config *config;
    webSocket_server *server;
    int pair[2], before = threads_in_time(2), after;
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return &failed;
    }
    TAKE(webSocket_config_new);
    TAKE(webSocket_config_setNumber);
    TAKE(webSocket_config_free);
    TAKE(webSocket_server_new);
    TAKE(webSocket_server_start);
    TAKE(webSocket_server_adopt);
    TAKE(webSocket_server_free);
    if (webSocket_config_new_(&config) != WEBSOCKET_OK ||
        webSocket_config_setNumber_(config, WEBSOCKET_THREADS, 4) != WEBSOCKET_OK ||
        webSocket_server_new_(config, ignores, NULL, &server) != WEBSOCKET_OK ||
        webSocket_config_free_(config) != WEBSOCKET_OK || webSocket_server_start_(server) != WEBSOCKET_OK ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        webSocket_server_adopt_(server, pair[1], NULL, 0) != WEBSOCKET_OK ||
        webSocket_server_free_(server) != WEBSOCKET_OK)
        return &failed;
    close(pair[0]);
    after = threads_in_time(before);
    if (after != before || before != 2) {
        fprintf(stderr, "threads are left: %d, and %d before\n", after, before);
        return &failed;
    }
    dlclose(library);
    return NULL;
}

int main(int argc, char **argv)
{
    int round, fds = entries("/proc/self/fd");
    for (round = 0; round < 200 && argc == 2; round++) {
        pthread_t thread;
        void *failed = NULL;
        if (pthread_create(&thread, NULL, once, argv[1]) != 0 || pthread_join(thread, &failed) != 0 || failed != NULL) {
            fprintf(stderr, "round %d failed\n", round);
            return 1;
        }
    }
    if (entries("/proc/self/fd") != fds) {
        fprintf(stderr, "%d descriptors instead of %d\n", entries("/proc/self/fd"), fds);
        return 1;
    }
    printf("unload: ok\n");
    return 0;
}
C
"${CC:-cc}" -std=gnu99 -Wall -Wextra -Werror -I"$source/include" "$work/unload.c" -o "$work/unload" -ldl -pthread
timeout 250 "${emulator[@]}" "$work/unload" "$library/libwsembed.so"
