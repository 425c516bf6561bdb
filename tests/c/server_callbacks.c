/* From within the callback of every event: send, close, subscribe, publish,
 * free, stop, turn, ask, adopt, have another server. Each pair of an event and an
 * action is a server of its own, turned by the test or by three threads, and a
 * client that says all there is to say. What the event lends must stay as it is
 * until the callback returns, whatever was called; the client's end must be
 * told once, unless the server was freed; and no descriptor may stay.
 * Catalogue: AP11, AP12, AP13, AP29. */
#include "server_support.h"

enum { QUEUE_BYTES = 16 << 10, KINDS = WEBSOCKET_CLOSE + 1 };

static struct host host;
static uint32_t target;
static int told[KINDS], acted, freed, running; /* running: callbacks */
static uint64_t conversing; /* the peer of the conversation */
static const struct action *action;

struct action {
    const char *name;
    void (*act)(const webSocket_event *event);
    int ends; /* the conversation */
};

static int seen(uint32_t kind) { return __atomic_load_n(&told[kind], __ATOMIC_ACQUIRE); }

/* Open, in the eyes of a callback: CLOSE comes after. */
static int is_open(const webSocket_event *event)
{
    return event->kind != WEBSOCKET_REQUEST && event->kind != WEBSOCKET_CLOSE;
}

/* ---- the actions */

static void sends(const webSocket_event *event)
{
    webSocket_result expected = is_open(event) ? WEBSOCKET_OK
                                : event->kind == WEBSOCKET_CLOSE ? WEBSOCKET_CLOSED
                                                                 : WEBSOCKET_E_STATE;
    webSocket_result result = webSocket_server_send(host.server, event->peer, WEBSOCKET_TEXT, event->data, event->length);
    /* The BINARY event fills the queue, and the PING may find it full. */
    CHECK(result == expected || (expected == WEBSOCKET_OK && result == WEBSOCKET_FULL));
    CHECK_INT(webSocket_server_send(host.server, event->peer, WEBSOCKET_PING, NULL, 0), expected);
    CHECK_INT(webSocket_server_send(host.server, event->peer, WEBSOCKET_PONG, NULL, 0), expected);
    CHECK_INT(webSocket_server_send(host.server, 1, WEBSOCKET_PONG, NULL, 0), WEBSOCKET_GONE);
}

static void closes(const webSocket_event *event)
{
    webSocket_result first = event->kind == WEBSOCKET_CLOSE ? WEBSOCKET_CLOSED : WEBSOCKET_OK;
    CHECK_INT(webSocket_server_closePeer(host.server, event->peer, 4001, "from inside"), first);
    CHECK_INT(webSocket_server_closePeer(host.server, event->peer, 4002, "again"), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_server_send(host.server, event->peer, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_CLOSED);
}

static void subscribes(const webSocket_event *event)
{
    const uint8_t *news = (const uint8_t *)"news";
    CHECK_INT(webSocket_server_subscribe(host.server, event->peer, "topic"), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_subscribe(host.server, event->peer, "topic"), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_publish(host.server, "topic", WEBSOCKET_TEXT, news, 4, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_publish(host.server, NULL, WEBSOCKET_BINARY, news, 4, event->peer), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_unsubscribe(host.server, event->peer, "topic"), WEBSOCKET_OK);
}

static void asks(const webSocket_event *event)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    size_t waiting = SIZE_MAX;
    static int own;
    CHECK_INT(webSocket_server_peerInfo(host.server, event->peer, &info), WEBSOCKET_OK);
    CHECK(strcmp(info.address, "unix") == 0 && strcmp(info.target, "/path") == 0);
    CHECK_INT(webSocket_server_statistics(host.server, &statistics), WEBSOCKET_OK);
    CHECK_INT(statistics.peers, 1);
    CHECK_INT(webSocket_server_bufferedBytes(host.server, event->peer, &waiting), WEBSOCKET_OK);
    CHECK(waiting <= QUEUE_BYTES);
    CHECK_INT(webSocket_server_setPeerUser(host.server, event->peer, &own), WEBSOCKET_OK);
    /* What this callback sends is counted at once, for whoever asks in it. */
    if (event->kind == WEBSOCKET_TEXT) {
        const uint64_t before = info.messagesOut, ofAll = statistics.messagesOut;
        CHECK_INT(webSocket_server_send(host.server, event->peer, WEBSOCKET_TEXT, event->data, event->length),
                  WEBSOCKET_OK);
        CHECK_INT(webSocket_server_peerInfo(host.server, event->peer, &info), WEBSOCKET_OK);
        CHECK_INT(info.messagesOut, before + 1);
        CHECK_INT(webSocket_server_send(host.server, event->peer, WEBSOCKET_TEXT, event->data, event->length),
                  WEBSOCKET_OK);
        CHECK_INT(webSocket_server_statistics(host.server, &statistics), WEBSOCKET_OK);
        CHECK_INT(statistics.messagesOut, ofAll + 2);
    }
}

static void decides(const webSocket_event *event)
{
    const char *value = NULL;
    size_t length = 0;
    webSocket_result there = event->kind <= WEBSOCKET_OPEN ? WEBSOCKET_OK : WEBSOCKET_E_STATE;
    webSocket_result open = event->kind == WEBSOCKET_REQUEST ? WEBSOCKET_OK : WEBSOCKET_E_STATE;
    CHECK_INT(webSocket_server_requestHeader(host.server, event->peer, "HOST", &value, &length), there);
    CHECK(there != WEBSOCKET_OK || (length == 1 && value[0] == 'h'));
    CHECK_INT(webSocket_server_addHeader(host.server, event->peer, "X-A", "b"), open);
    CHECK_INT(webSocket_server_accept(host.server, event->peer, NULL), open);
    CHECK_INT(webSocket_server_refuse(host.server, event->peer, 403, NULL, 0), WEBSOCKET_E_STATE);
}

static void refuses(const webSocket_event *event)
{
    CHECK_INT(webSocket_server_refuse(host.server, event->peer, 403, event->data, event->length),
              event->kind == WEBSOCKET_REQUEST ? WEBSOCKET_OK : WEBSOCKET_E_STATE);
}

/* AP13: the loop is in this callback. */
static void turns(const webSocket_event *event)
{
    int fd = -1;
    (void)event;
    CHECK_INT(webSocket_server_step(host.server, 0), WEBSOCKET_E_REENTRY);
    CHECK_INT(webSocket_server_run(host.server), WEBSOCKET_E_REENTRY);
    CHECK_INT(webSocket_server_pollFd(host.server, &fd), host.threaded ? WEBSOCKET_E_STATE : WEBSOCKET_E_BUSY);
    CHECK_INT(webSocket_server_start(host.server), host.threaded ? WEBSOCKET_E_STATE : WEBSOCKET_E_BUSY);
    CHECK_INT(webSocket_server_listen(host.server, "127.0.0.1", 0, NULL), WEBSOCKET_E_STATE);
    CHECK_INT(fd, -1);
}

static void stops(const webSocket_event *event)
{
    (void)event;
    CHECK_INT(webSocket_server_stop(host.server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_stop(host.server), WEBSOCKET_OK);
}

/* AP12: from here on nothing is told, and the handle is gone. */
static void frees(const webSocket_event *event)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    __atomic_store_n(&freed, 1, __ATOMIC_RELEASE);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_stop(host.server), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_step(host.server, 0), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_send(host.server, event->peer, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_publish(host.server, NULL, WEBSOCKET_TEXT, NULL, 0, 0), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_subscribe(host.server, event->peer, "t"), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_closePeer(host.server, event->peer, 0, NULL), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_accept(host.server, event->peer, NULL), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_refuse(host.server, event->peer, 403, NULL, 0), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_peerInfo(host.server, event->peer, &info), WEBSOCKET_GONE);
}

static void closes_and_frees(const webSocket_event *event)
{
    closes(event);
    frees(event);
}

static void stops_and_frees(const webSocket_event *event)
{
    stops(event);
    frees(event);
}

/* Sends until there is no room, closes behind it. */
static void fills_and_closes(const webSocket_event *event)
{
    static const uint8_t much[1000];
    webSocket_result result;
    do
        result = webSocket_server_send(host.server, event->peer, WEBSOCKET_BINARY, much, sizeof much);
    while (result == WEBSOCKET_OK);
    CHECK_INT(result, is_open(event) ? WEBSOCKET_FULL
                      : event->kind == WEBSOCKET_CLOSE ? WEBSOCKET_CLOSED
                                                       : WEBSOCKET_E_STATE);
    closes(event);
}

static void adopts(const webSocket_event *event)
{
    int pair[2];
    (void)event;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_INT(webSocket_server_adopt(host.server, pair[0], (const uint8_t *)"GET", 3), WEBSOCKET_OK);
    close(pair[1]);
    CHECK_INT(webSocket_server_addPage(host.server, "/page", "text/plain", "page", 4), WEBSOCKET_OK);
}

/* Another server, made, turned and freed in this callback, and in its own. */
static webSocket_server *inner;
static webSocket_peer outerPeer;
static int innerStops;

static void inside(void *user, const webSocket_event *event)
{
    CHECK(user == &inner && event->peer != 0);
    if (event->kind != WEBSOCKET_REQUEST)
        return;
    CHECK_INT(webSocket_server_step(inner, 0), WEBSOCKET_E_REENTRY);
    CHECK(webSocket_server_step(host.server, 0) != WEBSOCKET_OK);
    /* The outer one is reached as from any thread. */
    CHECK_INT(webSocket_server_setPeerUser(host.server, outerPeer, &inner), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_accept(host.server, outerPeer, NULL), WEBSOCKET_E_STATE);
    if (innerStops) /* does not wait for the thread that it is called on */
        CHECK_INT(webSocket_server_stop(host.server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(inner), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_send(inner, event->peer, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_GONE);
}

static void has_another(const webSocket_event *event)
{
    struct host other = {NULL, 0};
    struct client *client = malloc(sizeof *client);
    if (client == NULL)
        give_up("memory");
    outerPeer = event->peer;
    CHECK_INT(webSocket_server_new(NULL, inside, &inner, &inner), WEBSOCKET_OK);
    other.server = inner;
    client_adopted(&other, client);
    client_ask(&other, client, "/inner", "");
    while (webSocket_server_step(inner, 10) == WEBSOCKET_OK) {
    }
    CHECK_INT(webSocket_server_free(inner), WEBSOCKET_GONE);
    client_hangs_up(client);
    free(client);
}

static void has_another_that_stops(const webSocket_event *event)
{
    innerStops = 1;
    has_another(event);
    innerStops = 0;
}

static const struct action actions[] = {
    {"sends", sends, 0},
    {"closes", closes, 1},
    {"subscribes and publishes", subscribes, 0},
    {"asks", asks, 0},
    {"decides", decides, 0},
    {"refuses", refuses, 0},
    {"turns", turns, 0},
    {"stops", stops, 1},
    {"frees", frees, 1},
    {"closes and frees", closes_and_frees, 1},
    {"stops and frees", stops_and_frees, 1},
    {"fills and closes", fills_and_closes, 1},
    {"adopts", adopts, 0},
    {"has another server", has_another, 0},
    {"has another server that stops this one", has_another_that_stops, 1},
};

/* ---- a conversation */

static void happens(void *user, const webSocket_event *event)
{
    static const uint8_t much[1000];
    uint8_t *before = malloc(event->length + 1);
    __atomic_fetch_add(&running, 1, __ATOMIC_ACQ_REL);
    if (before == NULL)
        give_up("memory");
    CHECK(user == &host && !__atomic_load_n(&freed, __ATOMIC_ACQUIRE));
    if (event->kind == WEBSOCKET_REQUEST)
        __atomic_compare_exchange_n(&conversing, &(uint64_t){0}, event->peer, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    memcpy(before, event->data, event->length);
    /* A message that has the server send until DRAIN must come. */
    if (event->kind == WEBSOCKET_BINARY && event->length == 4)
        while (webSocket_server_send(host.server, event->peer, WEBSOCKET_BINARY, much, sizeof much) == WEBSOCKET_OK) {
        }
    if (event->kind == target && !__atomic_exchange_n(&acted, 1, __ATOMIC_ACQ_REL))
        action->act(event);
    CHECK_BYTES(before, event->data, event->length); /* AP29 */
    free(before);
    /* Of those that are adopted in between only the end is told. */
    if (event->peer == __atomic_load_n(&conversing, __ATOMIC_ACQUIRE))
        __atomic_fetch_add(&told[event->kind], 1, __ATOMIC_RELEASE);
    __atomic_fetch_sub(&running, 1, __ATOMIC_ACQ_REL);
}

static webSocket_config *config_of(int threaded)
{
    webSocket_config *config;
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_SEND_QUEUE_BYTES, QUEUE_BYTES), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, threaded ? 3 : 1), WEBSOCKET_OK);
    return config;
}

/* Says everything, reads everything. */
static void converse(struct client *client)
{
    int said = 0;
    time_t until = seconds_now() + PATIENCE_S;
    client_ask(&host, client, "/path", "");
    UNTIL(&host, client->length > 0 || client->ended || (client_more(&host, client), 1));
    client_frame(&host, client, 0x81, "text", 4);
    client_frame(&host, client, 0x01, "a message that is gathered ", 27);
    client_frame(&host, client, 0x80, "from two frames", 15);
    client_frame(&host, client, 0x82, "fill", 4);
    client_frame(&host, client, 0x89, "ping", 4);
    client_frame(&host, client, 0x8A, "pong", 4);
    while (!client->ended) {
        ssize_t got = recv(client->fd, client->got, sizeof client->got, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            client->ended = 1;
        if (!said && (seen(WEBSOCKET_DRAIN) || (action->ends && __atomic_load_n(&acted, __ATOMIC_ACQUIRE)))) {
            client_frame(&host, client, 0x88, "\x0F\xA0" "a reason", 10);
            said = 1;
        }
        if (got <= 0)
            turn(&host);
        if (seconds_now() > until) {
            fprintf(stderr, "the callback of event %u %s:\n", (unsigned)target, action->name);
            give_up("the server does not hang up");
        }
    }
}

static void try_it(uint32_t kind, const struct action *what, int threaded)
{
    static struct client client;
    webSocket_config *config = config_of(threaded);
    int before = count_fds(), failures = check_failures;
    memset(told, 0, sizeof told);
    acted = freed = 0;
    conversing = 0;
    target = kind;
    action = what;
    host.threaded = threaded;
    CHECK_INT(webSocket_server_new(config, happens, &host, &host.server), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    if (threaded)
        CHECK_INT(webSocket_server_start(host.server), WEBSOCKET_OK);
    client_adopted(&host, &client);
    converse(&client);
    client_hangs_up(&client);
    UNTIL(&host, __atomic_load_n(&acted, __ATOMIC_ACQUIRE));
    UNTIL(&host, __atomic_load_n(&running, __ATOMIC_ACQUIRE) == 0);
    if (__atomic_load_n(&freed, __ATOMIC_ACQUIRE)) {
        CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_GONE);
    } else {
        UNTIL(&host, seen(WEBSOCKET_CLOSE));
        CHECK_INT(webSocket_server_stop(host.server), WEBSOCKET_OK);
        UNTIL(&host, threaded || webSocket_server_step(host.server, 2) == WEBSOCKET_CLOSED);
        CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
        CHECK_INT(seen(WEBSOCKET_CLOSE), 1);
    }
    /* Its threads end by themselves where it was freed in a callback. */
    UNTIL(&host, count_fds() == before);
    if (check_failures != failures)
        fprintf(stderr, "  where the callback of event %u %s, %s\n", (unsigned)kind, what->name,
                threaded ? "on threads of the server's" : "on the caller's thread");
}

int main(void)
{
    static const uint32_t kinds[] = {WEBSOCKET_REQUEST, WEBSOCKET_OPEN, WEBSOCKET_TEXT,  WEBSOCKET_BINARY,
                                     WEBSOCKET_PING,    WEBSOCKET_PONG, WEBSOCKET_DRAIN, WEBSOCKET_CLOSE};
    size_t kind, what;
    int threaded;
    for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (what = 0; what < sizeof actions / sizeof *actions; what++)
            for (threaded = 0; threaded < 2; threaded++)
                try_it(kinds[kind], &actions[what], threaded);
    return check_done("server_callbacks");
}
