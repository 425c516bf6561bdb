/*
 * ws_load: a load generator for echo servers, yours as well as ours.
 *
 *     ws_load [--connections N] [--in-flight N] [--size BYTES] [--text] [--seconds S | --messages N]
 *             [--idle] [--pid PID] [--json] ws://HOST[:PORT][/PATH]
 *
 * It keeps that many messages in flight on that many connections, verifies every
 * echo, length and content, and says how many there were, how long they took and,
 * of a server on this machine (--pid), what CPU time and memory they cost. Where
 * the generator itself was the bottleneck, it says so.
 *
 * The server is what is to be measured, so a message must cost less here than
 * there. The library (webSocket_conn) opens and closes the connections. Between, messages are
 * frames that were made once and differ in a sequence number only, and an echo is
 * compared with the bytes that it must be. Whatever else comes (a ping, a message in
 * fragments, a close) makes the connection "careful": the library reads from there
 * on, and its messages are compared.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include "ws_load_connection.h"
#include "ws_load_dial.h"
#include "ws_load_figures.h"
#include "ws_load_frames.h"
#include "ws_load_options.h"
#include <signal.h>
#include <sys/epoll.h>
#include <wsembed/websocket.h>

enum {
    EVENTS = 256,
    DIALLING = 64 /* connections that are being opened at the same time */
};
#define WARM_UP_NS UINT64_C(300000000)
#define PATIENCE_NS UINT64_C(30000000000) /* without an echo or a handshake */
#define GOODBYE_NS UINT64_C(2000000000)   /* for the server's answers to our closes */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* ---- opening */

static void cannotConnect(const struct connection *connection, int error)
{
    fail(connection, "cannot connect to %s port %s: %s", options.host, options.port, strerror(error));
}

static void connection_dial(struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    do {
        connection->fd = dial_begin(&connection->address);
    } while (connection->fd < 0 && opened == 0 && dial_elsewhere(connection->address));
    if (connection->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        cannotConnect(connection, errno);
        return;
    }
    connection->asked = EPOLLOUT;
    connection->phase = CONNECTING;
}

static void connection_connected(struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
        connection->phase = HANDSHAKE;
    } else if (opened == 0 && dial_elsewhere(connection->address)) {
        close(connection->fd);
        connection_dial(connection);
    } else {
        cannotConnect(connection, error);
    }
}

static void dial_more(void)
{
    while (!failed && dialled < options.connections && dialling < DIALLING) {
        struct connection *connection = &connections[dialled];
        webSocket_result result = webSocket_conn_newClient(config, options.url, &connection->conn);
        if (result != WEBSOCKET_OK) {
            webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
            webSocket_lastFailure(&failure);
            fail(connection, "%s", failure.text[0] != '\0' ? failure.text : webSocket_result_text(result));
            return;
        }
        connection->awaited = connection->sending = connection->granted = dialled << INDEX_SHIFT;
        dialled++;
        dialling++;
        connection_dial(connection);
    }
}

/* ---- the run */

enum stage { DIAL, WARM, MEASURE, DRAIN, GOODBYE, DONE };

static enum stage stage;
static uint64_t until = UINT64_MAX; /* when the stage is over at the latest */
static uint64_t rssBefore, rssAfter;
static struct moment from, to;

static void connection_serve(struct connection *connection, uint32_t events)
{
    if (connection->phase == CONNECTING) connection_connected(connection);
    if (failed || connection->phase == CONNECTING || connection->phase == GONE) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) connection_read(connection);
    if (!failed) connection_write(connection);
}

static void measure(uint64_t now)
{
    stage = MEASURE;
    until = options.messages != 0 ? UINT64_MAX : now + options.durationNs;
    latency_clear();
    from = moment_now(&options, echoed);
}

static void load_start(uint64_t now)
{
    if (options.idle) {
        measure(now);
        return;
    }
    toStart = options.messages != 0 ? options.messages : UINT64_MAX;
    if (options.messages != 0) {
        measure(now);
    } else {
        stage = WARM;
        until = now + WARM_UP_NS;
    }
    for (uint64_t i = 0; i < options.connections && !failed; i++) {
        grant(&connections[i], now);
        connection_write(&connections[i]);
    }
}

static void load_stop(void)
{
    to = moment_now(&options, echoed);
    rssAfter = server_kib(options.pid, "VmRSS");
    toStart = 0;
    stage = DRAIN;
    until = UINT64_MAX;
}

/* Every connection is closed as RFC 6455 7.1.2 wants it. */
static void goodbye(uint64_t now)
{
    stage = GOODBYE;
    until = now + GOODBYE_NS;
    for (uint64_t i = 0; i < options.connections; i++) {
        connections[i].careful = true;
        connections[i].phase = CLOSING;
        webSocket_conn_close(connections[i].conn, 1000, NULL);
        connection_write(&connections[i]);
    }
}

/* From stage to stage. */
static void advance(uint64_t now)
{
    if (stage == DIAL) {
        if (opened == options.connections) load_start(now);
        else dial_more();
    }
    if (stage == WARM && now >= until) measure(now);
    bool complete = options.messages != 0 && echoed == options.messages;
    if (stage == MEASURE && (now >= until || stopped || complete)) load_stop();
    if (stage == DRAIN && echoed == started) goodbye(now);
    if (stage == GOODBYE && (now >= until || gone == options.connections)) stage = DONE;
}

/* Nothing has happened for so long that nothing will. */
static bool stuck(uint64_t now)
{
    static uint64_t seen, sinceNs;
    if (sinceNs == 0 || opened + echoed != seen || (options.idle && stage == MEASURE)) {
        seen = opened + echoed;
        sinceNs = now;
    }
    if (now - sinceNs < PATIENCE_NS) return false;
    if (stage == DIAL) {
        fprintf(stderr, "ws_load: %" PRIu64 " of %" PRIu64 " connections are open, and no other for %d s\n", opened,
                options.connections, (int)(PATIENCE_NS / 1000000000));
    } else {
        fprintf(stderr, "ws_load: no echo for %d s, %" PRIu64 " are missing\n", (int)(PATIENCE_NS / 1000000000),
                started - echoed);
    }
    return true;
}

static bool run(void)
{
    struct epoll_event ready[EVENTS];
    for (;;) {
        uint64_t now = clockNs(CLOCK_MONOTONIC), left;
        advance(now);
        if (stage == DONE) return true;
        if (failed || stuck(now)) return false;
        if (stopped && stage < MEASURE) {
            fputs("ws_load: stopped before there was anything to measure\n", stderr);
            return false;
        }
        left = until <= now ? 0 : until - now;
        int count = epoll_wait(epoll, ready, EVENTS, left > 1000000000 ? 1000 : (int)((left + 999999) / 1000000));
        if (count < 0 && errno != EINTR) {
            perror("ws_load: epoll_wait");
            return false;
        }
        for (int i = 0; i < count && !failed; i++) connection_serve(ready[i].data.ptr, ready[i].events);
    }
}

static bool prepare(void)
{
    struct sigaction action = {.sa_handler = stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    uint64_t largest = options.size > 16 << 20 ? options.size : 16 << 20;
    if (!descriptors_allow(&options) || !dial_resolve(&options)) return false;
    if (options.pid != 0 && !server_watch(options.pid)) return false;
    rssBefore = server_kib(options.pid, "VmRSS");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(options.connections, sizeof *connections);
    uint64_t *places = calloc(options.connections, options.inFlight * sizeof *places);
    if (epoll < 0 || connections == NULL || places == NULL || !frames_make(&options) ||
        webSocket_config_new(&config) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_CHUNK_ABOVE_BYTES, 0) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, largest) != WEBSOCKET_OK ||
        webSocket_config_setNumber(config, WEBSOCKET_MAX_FRAME_BYTES, largest) != WEBSOCKET_OK) {
        free(places);
        fputs("ws_load: not enough memory\n", stderr);
        return false;
    }
    for (uint64_t i = 0; i < options.connections; i++) connections[i].grantedNs = places + i * options.inFlight;
    return true;
}

int main(int count, char **words)
{
    if (!options_read(&options, count, words)) {
        fputs(usage, stderr);
        return 2;
    }
    bool done = prepare() && run();
    if (done) {
        struct figures figures = figures_between(&options, &from, &to);
        figures.rssBefore = rssBefore;
        figures.rssAfter = rssAfter;
        figures.rssPeak = server_kib(options.pid, "VmHWM");
        if (options.json) figures_json(&options, &figures);
        else figures_print(&options, &figures);
    }
    for (uint64_t i = 0; i < dialled; i++) {
        if (connections[i].phase != GONE) connection_end(&connections[i]);
    }
    if (connections != NULL) free(connections[0].grantedNs);
    free(connections);
    free(batch);
    free(echo);
    webSocket_config_free(config);
    dial_forget();
    if (epoll >= 0) close(epoll);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
