/* A server's life with threads: started once, turned by one at a time, stopped
 * and freed by several at once, from callbacks and under the calls of others;
 * and what one thread sends arrives in its order.
 * Catalogue: AP12, AP13, AP16, AP17. */
#include "server_support.h"

enum { THREADS = 4 };

static webSocket_server *server;
static int inside, most_inside; /* callbacks that run now, at most did */
static int closed, acted, over; /* CLOSE events; free has returned */
static webSocket_peer peers[8];
static unsigned peers_told;
static void (*at_text)(void);

static void happens(void *user, const webSocket_event *event)
{
    int now = __atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL), most = __atomic_load_n(&most_inside, __ATOMIC_RELAXED);
    CHECK(user == peers && !__atomic_load_n(&over, __ATOMIC_ACQUIRE));
    while (now > most && !__atomic_compare_exchange_n(&most_inside, &most, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    if (event->kind == WEBSOCKET_OPEN)
        __atomic_store_n(&peers[__atomic_fetch_add(&peers_told, 1, __ATOMIC_ACQ_REL) % 8], event->peer, __ATOMIC_RELEASE);
    if (event->kind == WEBSOCKET_TEXT && at_text != NULL && !__atomic_exchange_n(&acted, 1, __ATOMIC_ACQ_REL))
        at_text();
    if (event->kind == WEBSOCKET_CLOSE)
        __atomic_fetch_add(&closed, 1, __ATOMIC_ACQ_REL);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL);
}

static struct host make(unsigned loops)
{
    struct host host;
    webSocket_config *config;
    inside = most_inside = closed = acted = over = 0;
    peers_told = 0;
    at_text = NULL;
    memset(peers, 0, sizeof peers);
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, loops), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_STOP_TIMEOUT_MS, 200), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_new(config, happens, peers, &server), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    host.server = server;
    host.threaded = loops > 1;
    return host;
}

static int repeats(void) { return check_short() ? 5 : 40; }

static void all_at_once(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    size_t i;
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, body, (void *)(uintptr_t)i), 0);
    for (i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
}

/* ---- several at once */

static int well;

static void *starts(void *unused)
{
    webSocket_result result = webSocket_server_start(server);
    (void)unused;
    CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_E_STATE);
    __atomic_fetch_add(&well, result == WEBSOCKET_OK, __ATOMIC_RELAXED);
    return NULL;
}

static void *frees(void *unused)
{
    webSocket_result result = webSocket_server_free(server);
    (void)unused;
    CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_GONE);
    __atomic_fetch_add(&well, result == WEBSOCKET_OK, __ATOMIC_RELAXED);
    return NULL;
}

/* Every way to begin and to end, in any order: each is a result. */
static void *does_any(void *number)
{
    webSocket_result result;
    switch ((uintptr_t)number) {
    case 0:
        result = webSocket_server_start(server);
        CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_E_STATE || result == WEBSOCKET_E_BUSY);
        break;
    case 1:
        result = webSocket_server_stop(server);
        CHECK_INT(result, WEBSOCKET_OK);
        break;
    case 2:
        result = webSocket_server_listen(server, "127.0.0.1", 0, NULL);
        CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_E_STATE);
        break;
    default:
        result = webSocket_server_step(server, 0);
        CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_E_STATE || result == WEBSOCKET_CLOSED ||
              result == WEBSOCKET_E_BUSY);
        break;
    }
    return NULL;
}

static void races_of_life(void)
{
    int round;
    for (round = 0; round < repeats(); round++) {
        make(1 + (unsigned)round % 3);
        well = 0;
        all_at_once(starts);
        CHECK_INT(well, 1);
        well = 0;
        all_at_once(frees);
        CHECK_INT(well, 1);
        make(1 + (unsigned)round % 2);
        all_at_once(does_any);
        CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    }
}

static void *steps(void *unused)
{
    webSocket_result result;
    (void)unused;
    do {
        result = webSocket_server_step(server, 1);
        CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_E_BUSY || result == WEBSOCKET_CLOSED);
        if (result == WEBSOCKET_E_BUSY)
            sched_yield();
    } while (result != WEBSOCKET_CLOSED);
    return NULL;
}

static void stops_here(void) { CHECK_INT(webSocket_server_stop(server), WEBSOCKET_OK); }

/* AP16: whoever comes turns it, but never two; a callback stops it. */
static void one_turns_at_a_time(void)
{
    struct host host = make(1);
    struct client client;
    client_adopted(&host, &client);
    client_open(&host, &client);
    at_text = stops_here;
    client_frame(&host, &client, 0x81, "stop", 4);
    client_frame(&host, &client, 0x88, "\x03\xE8", 2);
    all_at_once(steps);
    CHECK_INT(most_inside, 1);
    CHECK_INT(closed, 1);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

/* ---- ends under load */

static int calling;

static void *calls_until_gone(void *number)
{
    webSocket_result result;
    long calls = 0;
    do {
        webSocket_peer peer = __atomic_load_n(&peers[(uintptr_t)number], __ATOMIC_ACQUIRE);
        webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
        webSocket_server_send(server, peer, WEBSOCKET_TEXT, (const uint8_t *)"out", 3);
        webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, (const uint8_t *)"all", 3, peer);
        result = webSocket_server_statistics(server, &statistics);
        CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_GONE);
        if (++calls == 20)
            __atomic_fetch_add(&calling, 1, __ATOMIC_ACQ_REL);
        sched_yield();
    } while (result != WEBSOCKET_GONE);
    return NULL;
}

static void frees_here(void)
{
    __atomic_store_n(&acted, 2, __ATOMIC_RELEASE);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
}

/* AP17: freed by another thread, or by one of its own, while others call. */
static void freed_under_calls(int by_callback)
{
    static struct client clients[THREADS];
    int before = count_fds(), round;
    for (round = 0; round < repeats() / 5; round++) {
        struct host host = make(3);
        pthread_t threads[THREADS];
        size_t i;
        calling = 0;
        CHECK_INT(webSocket_server_start(server), WEBSOCKET_OK);
        for (i = 0; i < THREADS; i++) {
            client_adopted(&host, &clients[i]);
            client_open(&host, &clients[i]);
        }
        UNTIL(&host, __atomic_load_n(&peers_told, __ATOMIC_ACQUIRE) == THREADS);
        at_text = by_callback ? frees_here : NULL;
        for (i = 0; i < THREADS; i++)
            CHECK_INT(pthread_create(&threads[i], NULL, calls_until_gone, (void *)i), 0);
        UNTIL(&host, __atomic_load_n(&calling, __ATOMIC_ACQUIRE) == THREADS);
        if (by_callback) {
            for (i = 0; i < THREADS; i++)
                client_frame(&host, &clients[i], 0x81, "free", 4);
        } else {
            CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
            __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
        }
        for (i = 0; i < THREADS; i++)
            CHECK_INT(pthread_join(threads[i], NULL), 0);
        for (i = 0; i < THREADS; i++) {
            while (client_more(&host, &clients[i]))
                clients[i].length = 0;
            client_hangs_up(&clients[i]);
        }
        CHECK_INT(webSocket_server_free(server), WEBSOCKET_GONE);
        UNTIL(&host, count_fds() == before);
    }
}

/* A callback on one of the threads, and the program, stop it at a time: the
 * program's call returns when all is told. */
static void stopped_from_one_thread(void)
{
    static struct client clients[THREADS];
    int round;
    for (round = 0; round < repeats() / 5; round++) {
        struct host host = make(3);
        size_t i;
        CHECK_INT(webSocket_server_start(server), WEBSOCKET_OK);
        for (i = 0; i < THREADS; i++) {
            client_adopted(&host, &clients[i]);
            client_open(&host, &clients[i]);
        }
        at_text = stops_here;
        for (i = 0; i < THREADS; i++) {
            client_frame(&host, &clients[i], 0x81, "stop", 4);
            client_frame(&host, &clients[i], 0x88, "\x03\xE8", 2);
        }
        if (round % 2 == 0)
            UNTIL(&host, __atomic_load_n(&acted, __ATOMIC_ACQUIRE));
        CHECK_INT(webSocket_server_stop(server), WEBSOCKET_OK);
        CHECK_INT(__atomic_load_n(&closed, __ATOMIC_ACQUIRE), THREADS);
        CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
        for (i = 0; i < THREADS; i++)
            client_hangs_up(&clients[i]);
    }
}

/* ---- order */

enum { MESSAGES = 500 };

static void *sends_in_order(void *number)
{
    webSocket_peer peer = __atomic_load_n(&peers[0], __ATOMIC_ACQUIRE);
    uint32_t i;
    for (i = 0; i < MESSAGES; i++) {
        uint8_t message[5] = {(uint8_t)(uintptr_t)number, (uint8_t)(i >> 8), (uint8_t)i, 0, 0};
        webSocket_result result;
        while ((result = webSocket_server_send(server, peer, WEBSOCKET_BINARY, message, sizeof message)) ==
               WEBSOCKET_FULL)
            sched_yield();
        CHECK_INT(result, WEBSOCKET_OK);
    }
    return NULL;
}

static void *reads_all(void *user)
{
    static struct host threaded = {NULL, 1};
    unsigned next[THREADS] = {0}, i;
    for (i = 0; i < THREADS * MESSAGES; i++) {
        uint8_t message[5];
        size_t length;
        CHECK_INT(client_next(&threaded, user, message, sizeof message, &length), 0x82);
        CHECK_INT(length, sizeof message);
        if (message[0] < THREADS)
            CHECK_INT(message[1] << 8 | message[2], next[message[0]]++);
    }
    return NULL;
}

static void in_order(void)
{
    static struct client client;
    struct host host = make(2);
    pthread_t reader;
    CHECK_INT(webSocket_server_start(server), WEBSOCKET_OK);
    client_adopted(&host, &client);
    client_open(&host, &client);
    UNTIL(&host, __atomic_load_n(&peers[0], __ATOMIC_ACQUIRE) != 0);
    CHECK_INT(pthread_create(&reader, NULL, reads_all, &client), 0);
    all_at_once(sends_in_order);
    CHECK_INT(pthread_join(reader, NULL), 0);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

int main(void)
{
    int before = count_fds();
    races_of_life();
    one_turns_at_a_time();
    freed_under_calls(0);
    freed_under_calls(1);
    stopped_from_one_thread();
    in_order();
    CHECK_INT(count_fds(), before);
    return check_done("server_threads");
}
