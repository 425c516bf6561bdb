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
    int pair[2], tasks = entries("/proc/self/task");
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
    if (entries("/proc/self/task") != tasks) {
        fprintf(stderr, "threads are left: %d instead of %d\n", entries("/proc/self/task"), tasks);
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
