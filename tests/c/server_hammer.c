/* Eight threads call every function that any thread may call, with peers that
 * are there, that are gone and that never were, while clients come and go; then
 * the server is stopped and freed under them. What is looked at: each result is
 * one that is documented for such a call, events carry what was set, and
 * nothing is left behind. Run under ThreadSanitizer by scripts/check-tsan.
 * Catalogue: AP08, AP16, AP17, AP38. */
#include "server_support.h"

enum { HAMMERS = 8, CLIENTS = 2, POOL = 16, TOPICS = 4 };

static webSocket_server *server;
static uint64_t pool[POOL];          /* peers that were there lately */
static char users[POOL];             /* what peers' pointers point to */
static unsigned working, frees_told; /* threads at work; frees that said OK */
static int ended;                    /* free has returned, and waited for the loops */
static int waits;                    /* the loops are on threads of the server's */
static long counts[2];               /* calls that went well; peers opened */

static const char *const topics[TOPICS] = {"", "news", "rain", "a topic with a longer name"};

static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static void happens(void *user, const webSocket_event *event)
{
    const char *own = event->peerUser;
    CHECK(user == pool && !__atomic_load_n(&ended, __ATOMIC_ACQUIRE));
    CHECK(own == NULL || (own >= users && own < users + POOL));
    switch (event->kind) {
    case WEBSOCKET_REQUEST:
        if (event->peer % 7 == 3)
            webSocket_server_refuse(server, event->peer, 403, NULL, 0);
        break;
    case WEBSOCKET_OPEN:
        __atomic_fetch_add(&counts[1], 1, __ATOMIC_RELAXED);
        webSocket_server_subscribe(server, event->peer, topics[event->peer % TOPICS]);
        __atomic_store_n(&pool[event->peer % POOL], event->peer, __ATOMIC_RELAXED);
        break;
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        webSocket_server_send(server, event->peer, event->kind, event->data, event->length);
        break;
    default:
        break;
    }
}

/* ---- the hammers */

static webSocket_peer some_peer(uint32_t *state)
{
    uint32_t kind = draw(state) % 16;
    webSocket_peer peer = __atomic_load_n(&pool[draw(state) % POOL], __ATOMIC_RELAXED);
    if (kind == 0)
        return (uint64_t)draw(state) << 32 | draw(state);
    if (kind == 1)
        return peer + (UINT64_C(2) << 32); /* the place's next one */
    return peer;
}

static webSocket_result adopt_one(uint32_t *state)
{
    static const char request[] = "GET /hammer HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    int pair[2];
    size_t length = draw(state) % 3 != 0 ? sizeof request - 1 : draw(state) % sizeof request;
    webSocket_result result;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        give_up("no descriptors");
    result = webSocket_server_adopt(server, pair[0], (const uint8_t *)request, length);
    if (result == WEBSOCKET_GONE)
        close(pair[0]);
    close(pair[1]);
    return result;
}

static webSocket_result ask_one(uint32_t *state)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    webSocket_result result;
    size_t waiting;
    switch (draw(state) % 3) {
    case 0:
        result = webSocket_server_peerInfo(server, some_peer(state), &info);
        CHECK(result != WEBSOCKET_OK || strcmp(info.address, "unix") == 0);
        return result;
    case 1:
        result = webSocket_server_statistics(server, &statistics);
        CHECK(result != WEBSOCKET_OK || (statistics.threads >= 1 && statistics.peers < 4096));
        return result;
    default:
        return webSocket_server_bufferedBytes(server, some_peer(state), &waiting);
    }
}

/* Belongs into a callback: told as such, or that it is gone. */
static webSocket_result decide_one(uint32_t *state)
{
    const char *value;
    size_t length;
    webSocket_peer peer = some_peer(state);
    webSocket_result result = WEBSOCKET_OK;
    switch (draw(state) % 4) {
    case 0: result = webSocket_server_accept(server, peer, "news"); break;
    case 1: result = webSocket_server_refuse(server, peer, 404, NULL, 0); break;
    case 2: result = webSocket_server_addHeader(server, peer, "X", "y"); break;
    default: result = webSocket_server_requestHeader(server, peer, "Host", &value, &length); break;
    }
    CHECK(result == WEBSOCKET_E_STATE || result == WEBSOCKET_GONE);
    return result;
}

static webSocket_result one_call(uint32_t *state)
{
    static const uint8_t bytes[300] = {'u', 'p'};
    const uint32_t kinds[] = {WEBSOCKET_TEXT, WEBSOCKET_BINARY, WEBSOCKET_PING, WEBSOCKET_PONG};
    size_t length = draw(state) % sizeof bytes;
    const char *topic = topics[draw(state) % TOPICS];
    webSocket_peer peer = some_peer(state);
    uint32_t kind = kinds[draw(state) % 4];
    switch (draw(state) % 24) {
    case 0: return webSocket_server_publish(server, topic, kinds[length % 2], bytes, length, peer);
    case 1: return webSocket_server_publish(server, NULL, kinds[length % 2], bytes, length % 20, 0);
    case 2:
    case 3: return webSocket_server_subscribe(server, peer, topic);
    case 4: return webSocket_server_unsubscribe(server, peer, topic);
    case 5: return webSocket_server_closePeer(server, peer, 1000 + length % 4, "hammered");
    case 6:
    case 7: return webSocket_server_setPeerUser(server, peer, &users[length % POOL]);
    case 8: return adopt_one(state);
    case 9: return decide_one(state);
    case 10: return webSocket_server_addPage(server, "/page", length % 2 ? "text/plain" : NULL, bytes, length);
    case 11:
    case 12:
    case 13:
    case 14: return ask_one(state);
    default: return webSocket_server_send(server, peer, kind, bytes, kind < WEBSOCKET_PING ? length : length % 126);
    }
}

static int is_documented(webSocket_result result)
{
    return result == WEBSOCKET_OK || result == WEBSOCKET_FULL || result == WEBSOCKET_CLOSED ||
           result == WEBSOCKET_GONE || result == WEBSOCKET_E_STATE;
}

static int rounds(void) { return check_short() ? 1500 : 30000; }

static void *hammers(void *user)
{
    uint32_t state = 2463534242u + (uint32_t)(uintptr_t)user * 7919u;
    long went_well = 0;
    int i;
    for (i = 0; i < rounds(); i++) {
        webSocket_result result = one_call(&state);
        CHECK(is_documented(result));
        went_well += result == WEBSOCKET_OK;
        if (i % 64 == 0) /* the loops want to be heard too */
            sched_yield();
    }
    __atomic_fetch_add(&counts[0], went_well, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&working, 1, __ATOMIC_ACQ_REL);
    /* Until the server is gone, in the middle of whatever call; two free it. */
    for (;;) {
        webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
        webSocket_result result = one_call(&state);
        CHECK(is_documented(result));
        if ((uintptr_t)user < 2 && __atomic_load_n(&working, __ATOMIC_ACQUIRE) == 0) {
            if ((uintptr_t)user == 0)
                CHECK(is_documented(webSocket_server_stop(server)));
            result = webSocket_server_free(server);
            CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_GONE);
            if (result == WEBSOCKET_OK) {
                __atomic_store_n(&ended, waits, __ATOMIC_RELEASE);
                __atomic_fetch_add(&frees_told, 1, __ATOMIC_RELAXED);
            }
        }
        if (webSocket_server_statistics(server, &statistics) == WEBSOCKET_GONE)
            return NULL;
        sched_yield();
    }
}

/* ---- clients that come and go */

static void *clients(void *user)
{
    struct client *client = malloc(sizeof *client);
    struct host threaded = {server, 1};
    uint32_t state = 88675123u + (uint32_t)(uintptr_t)user;
    if (client == NULL)
        give_up("memory");
    for (;;) {
        int pair[2], few = 16 << 10, i;
        memset(client, 0, sizeof *client);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
            give_up("no descriptors");
        client->fd = pair[0];
        setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &few, sizeof few);
        if (webSocket_server_adopt(server, pair[1], NULL, 0) == WEBSOCKET_GONE) {
            close(pair[0]);
            close(pair[1]);
            free(client);
            return NULL;
        }
        client_ask(&threaded, client, "/", "");
        for (i = 0; i < 20; i++) {
            struct pollfd ready = {client->fd, POLLIN, 0};
            if (i % 4 == 0)
                client_frame(&threaded, client, 0x81 + (int)(draw(&state) % 2), "hello", 5);
            if (i == 15 && draw(&state) % 2 == 0)
                client_frame(&threaded, client, 0x88, "\x03\xE8", 2);
            if (poll(&ready, 1, 5) > 0 && recv(client->fd, client->got, sizeof client->got, MSG_DONTWAIT) == 0)
                break;
        }
        close(client->fd);
    }
}

static void *turns(void *user)
{
    webSocket_result result;
    (void)user;
    do
        result = webSocket_server_step(server, 50);
    while (result == WEBSOCKET_OK);
    CHECK(result == WEBSOCKET_CLOSED || result == WEBSOCKET_GONE);
    return NULL;
}

static void hammer(unsigned loops)
{
    pthread_t threads[HAMMERS + CLIENTS + 1];
    webSocket_config *config;
    int before = count_fds();
    size_t i, count = 0;
    memset(pool, 0, sizeof pool);
    counts[0] = counts[1] = 0;
    frees_told = 0;
    ended = 0;
    waits = loops > 1;
    working = HAMMERS;
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, loops), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_SEND_QUEUE_BYTES, 64 << 10), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_CLOSE_TIMEOUT_MS, 100), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_STOP_TIMEOUT_MS, 100), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_PING_INTERVAL_MS, 20), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_new(config, happens, pool, &server), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    if (loops > 1)
        CHECK_INT(webSocket_server_start(server), WEBSOCKET_OK);
    else
        CHECK_INT(pthread_create(&threads[count++], NULL, turns, NULL), 0);
    for (i = 0; i < CLIENTS; i++)
        CHECK_INT(pthread_create(&threads[count++], NULL, clients, (void *)(uintptr_t)i), 0);
    for (i = 0; i < HAMMERS; i++)
        CHECK_INT(pthread_create(&threads[count++], NULL, hammers, (void *)(uintptr_t)i), 0);
    for (i = 0; i < count; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(frees_told, 1);
    CHECK(counts[0] > rounds() && counts[1] > 0); /* it was no walk among the dead */
    CHECK_INT(count_fds(), before);
}

int main(void)
{
    hammer(3);
    hammer(1);
    return check_done("server_hammer");
}
