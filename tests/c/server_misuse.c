/* Every way to hold a server wrong is a result: NULL, freed, garbage and
 * foreign handles, peers that are gone, arguments, sizes, states and threads
 * that do not fit; and none of them changes anything.
 * Catalogue: LM03, AP01-AP08, AP16, AP20, AP22-AP25, AP32, AP36. */
#include "server_support.h"

static void ignores(void *user, const webSocket_event *event)
{
    (void)user;
    (void)event;
}

static webSocket_server *made(const webSocket_config *config)
{
    webSocket_server *server = NULL;
    CHECK_INT(webSocket_server_new(config, ignores, NULL, &server), WEBSOCKET_OK);
    return server;
}

static int stream_socket(void)
{
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]);
    return pair[0];
}

/* Every function on one handle: each must give `expected`, and leave alone what
 * it was given. */
static void every_function(webSocket_server *server, webSocket_result expected)
{
    const webSocket_peer peer = UINT64_C(1) << 32;
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    const uint8_t *byte = (const uint8_t *)"x";
    const char *value = NULL;
    size_t length = 0;
    uint16_t port = 0;
    int fd = -1, own = stream_socket(), listening = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(listen(listening, 1), 0);
    CHECK_INT(webSocket_server_listen(server, "127.0.0.1", 0, &port), expected);
    CHECK_INT(webSocket_server_listenFd(server, listening), expected);
    CHECK_INT(webSocket_server_step(server, 0), expected);
    CHECK_INT(webSocket_server_run(server), expected);
    CHECK_INT(webSocket_server_pollFd(server, &fd), expected);
    CHECK_INT(webSocket_server_start(server), expected);
    CHECK_INT(webSocket_server_stop(server), expected);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, byte, 1), expected);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_PING, byte, 1), expected);
    CHECK_INT(webSocket_server_publish(server, "topic", WEBSOCKET_TEXT, byte, 1, 0), expected);
    CHECK_INT(webSocket_server_publish(server, NULL, WEBSOCKET_BINARY, byte, 1, 0), expected);
    CHECK_INT(webSocket_server_subscribe(server, peer, "topic"), expected);
    CHECK_INT(webSocket_server_unsubscribe(server, peer, "topic"), expected);
    CHECK_INT(webSocket_server_closePeer(server, peer, 1000, "bye"), expected);
    CHECK_INT(webSocket_server_bufferedBytes(server, peer, &length), expected);
    CHECK_INT(webSocket_server_setPeerUser(server, peer, &fd), expected);
    CHECK_INT(webSocket_server_peerInfo(server, peer, &info), expected);
    CHECK_INT(webSocket_server_adopt(server, own, byte, 1), expected);
    CHECK_INT(webSocket_server_statistics(server, &statistics), expected);
    CHECK_INT(webSocket_server_accept(server, peer, NULL), expected);
    CHECK_INT(webSocket_server_refuse(server, peer, 403, byte, 1), expected);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X", "y"), expected);
    CHECK_INT(webSocket_server_requestHeader(server, peer, "Host", &value, &length), expected);
    CHECK_INT(webSocket_server_addPage(server, "/", "text/plain", byte, 1), expected);
    CHECK(fd == -1 && port == 0 && value == NULL && length == 0);
    CHECK(info.address[0] == '\0' && statistics.threads == 0);
    CHECK(!is_closed(own) && !is_closed(listening)); /* still the caller's */
    close(own);
    close(listening);
}

static void bad_handles(void)
{
    webSocket_server *server = made(NULL), *stale[200];
    webSocket_conn *conn;
    webSocket_config *config;
    char on_stack[64];
    size_t i, j;
    CHECK_INT(webSocket_conn_newServer(NULL, &conn), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);

    every_function(NULL, WEBSOCKET_E_NULL);                         /* AP01 */
    every_function((webSocket_server *)(void *)on_stack, WEBSOCKET_GONE); /* AP32 */
    every_function((webSocket_server *)(uintptr_t)1, WEBSOCKET_GONE);
    every_function((webSocket_server *)UINTPTR_MAX, WEBSOCKET_GONE);
    every_function((webSocket_server *)(void *)conn, WEBSOCKET_GONE);
    every_function((webSocket_server *)(void *)config, WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_free((webSocket_server *)(void *)conn), WEBSOCKET_GONE);
    CHECK_INT(webSocket_conn_feedEof((webSocket_conn *)(void *)server), WEBSOCKET_GONE);
    CHECK_INT(webSocket_conn_free((webSocket_conn *)(void *)server), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_free(NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_GONE);       /* AP06 */
    every_function(server, WEBSOCKET_GONE);                         /* AP07 */
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_new(config, ignores, NULL, &server), WEBSOCKET_GONE);

    for (i = 0; i < 200; i++) {                                     /* AP08 */
        stale[i] = made(NULL);
        for (j = 0; j < i; j++)
            CHECK_INT(webSocket_server_stop(stale[j]), WEBSOCKET_GONE);
        CHECK_INT(webSocket_server_free(stale[i]), WEBSOCKET_OK);
    }
}

static void bad_peers(void) /* AP07, AP08 */
{
    struct host host = {made(NULL), 0};
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    webSocket_peer peers[] = {0, 1, UINT64_C(1) << 32, UINT64_C(3) << 32, (UINT64_C(1) << 32) | 5,
                              (UINT64_C(1) << 32) | (7u << 24), UINT64_MAX, UINT64_MAX - 1};
    struct client client;
    size_t i, round;
    for (round = 0; round < 3; round++) {
        for (i = 0; i < sizeof peers / sizeof *peers; i++) {
            webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
            const uint8_t *byte = (const uint8_t *)"x";
            size_t length = 99;
            CHECK_INT(webSocket_server_send(host.server, peers[i], WEBSOCKET_TEXT, byte, 1), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_send(host.server, peers[i], WEBSOCKET_PONG, byte, 1), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_subscribe(host.server, peers[i], "t"), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_unsubscribe(host.server, peers[i], "t"), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_closePeer(host.server, peers[i], 1000, NULL), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_bufferedBytes(host.server, peers[i], &length), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_setPeerUser(host.server, peers[i], &length), WEBSOCKET_GONE);
            CHECK_INT(webSocket_server_peerInfo(host.server, peers[i], &info), WEBSOCKET_GONE);
            CHECK_INT(length, 99);
            /* Nobody to leave out: fine. */
            CHECK_INT(webSocket_server_publish(host.server, NULL, WEBSOCKET_TEXT, byte, 1, peers[i]), WEBSOCKET_OK);
        }
        /* The number that this peer has, 1 << 32 at first, is stale from then on. */
        client_adopted(&host, &client);
        client_open(&host, &client);
        client_hangs_up(&client);
        statistics.peers = 1;
        UNTIL(&host, (webSocket_server_statistics(host.server, &statistics), statistics.peers == 0));
    }
    CHECK_INT(statistics.accepted, 3);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
}

/* The one peer of the server, from the outside. */
static webSocket_peer seen;

static void sees(void *user, const webSocket_event *event)
{
    CHECK(user == &seen);
    seen = event->peer;
}

static void bad_messages(webSocket_server *server, webSocket_peer peer)
{
    const uint8_t *bytes = (const uint8_t *)"\xff";
    static uint8_t control[126];
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, NULL, 1), WEBSOCKET_E_NULL); /* AP02 */
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, bytes, SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, bytes, SIZE_MAX / 2 + 1), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, bytes, 1), WEBSOCKET_E_SEND_UTF8); /* AP23 */
    CHECK_INT(webSocket_server_send(server, peer, 0, bytes, 1), WEBSOCKET_E_USAGE); /* AP22 */
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_REQUEST, bytes, 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_CLOSE, bytes, 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_send(server, peer, UINT32_MAX, bytes, 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_PING, control, 126), WEBSOCKET_E_SEND_TOO_BIG); /* AP25 */
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_PONG, control, 126), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, NULL, 1, 0), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, bytes, SIZE_MAX, 0), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, bytes, 1, 0), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_server_publish(server, NULL, WEBSOCKET_PING, control, 1, 0), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_publish(server, "\xff", WEBSOCKET_BINARY, bytes, 1, 0), WEBSOCKET_E_SEND_UTF8);
}

static void bad_pages(webSocket_server *server)
{
    static const char *const paths[] = {"", "page", "//", "/a b", "/a?b", "/\x7f", "/a\r\nX: y"};
    static const char *const types[] = {"", "text/html\r\nX: y", "\x01"};
    size_t i;
    for (i = 0; i < sizeof paths / sizeof *paths; i++)
        CHECK_INT(webSocket_server_addPage(server, paths[i], "text/plain", "x", 1), WEBSOCKET_E_USAGE);
    for (i = 0; i < sizeof types / sizeof *types; i++)
        CHECK_INT(webSocket_server_addPage(server, "/", types[i], "x", 1), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_server_addPage(server, NULL, "text/plain", "x", 1), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_addPage(server, "/", "text/plain", NULL, 1), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_addPage(server, "/", "text/plain", "x", SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_addPage(server, "/\xff", "text/plain", "x", 1), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_server_addPage(server, "/never", NULL, NULL, 0), WEBSOCKET_OK);
}

static void bad_closes(webSocket_server *server, webSocket_peer peer)
{
    static const uint32_t codes[] = {1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535, 65536, 66536, UINT32_MAX};
    char reason[125];
    size_t i;
    for (i = 0; i < sizeof codes / sizeof *codes; i++)
        CHECK_INT(webSocket_server_closePeer(server, peer, codes[i], NULL), WEBSOCKET_E_RANGE); /* AP22 */
    memset(reason, 'r', sizeof reason);
    reason[124] = '\0';
    CHECK_INT(webSocket_server_closePeer(server, peer, 1000, reason), WEBSOCKET_E_SEND_TOO_BIG); /* AP24 */
    CHECK_INT(webSocket_server_closePeer(server, peer, 1000, "\xc3"), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_server_closePeer(server, peer, 0, "why"), WEBSOCKET_E_USAGE);
}

static void bad_topics(webSocket_server *server, webSocket_peer peer)
{
    char *topic = malloc((1 << 16) + 2);
    if (topic == NULL)
        give_up("memory");
    memset(topic, 't', (1 << 16) + 1);
    topic[(1 << 16) + 1] = '\0';
    CHECK_INT(webSocket_server_subscribe(server, peer, topic), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_unsubscribe(server, peer, topic), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_publish(server, topic, WEBSOCKET_TEXT, NULL, 0, 0), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_server_subscribe(server, peer, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_unsubscribe(server, peer, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_subscribe(server, peer, "\xff"), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_server_subscribe(server, peer, topic + 1), WEBSOCKET_OK); /* as long as may be */
    CHECK_INT(webSocket_server_unsubscribe(server, peer, topic + 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_subscribe(server, peer, ""), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_unsubscribe(server, peer, "never"), WEBSOCKET_OK);
    free(topic);
}

/* AP16: what belongs into the callback of a request. */
static void outside_the_callback(webSocket_server *server, webSocket_peer peer)
{
    const char *value = NULL;
    size_t length = 0;
    CHECK_INT(webSocket_server_accept(server, peer, NULL), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_refuse(server, peer, 403, NULL, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X", "y"), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_requestHeader(server, peer, "Host", &value, &length), WEBSOCKET_E_STATE);
    CHECK(value == NULL && length == 0);
}

static void bad_arguments(void)
{
    struct host host = {NULL, 0};
    webSocket_server *server = NULL;
    struct client client;
    CHECK_INT(webSocket_server_new(NULL, NULL, NULL, &server), WEBSOCKET_E_NULL); /* AP03 */
    CHECK(server == NULL);
    CHECK_INT(webSocket_server_new(NULL, ignores, NULL, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_new(NULL, sees, &seen, &server), WEBSOCKET_OK);
    host.server = server;
    client_adopted(&host, &client);
    client_open(&host, &client);
    CHECK(seen != 0);

    bad_messages(server, seen);
    bad_closes(server, seen);
    bad_topics(server, seen);
    bad_pages(server);
    outside_the_callback(server, seen);
    CHECK_INT(webSocket_server_pollFd(server, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_bufferedBytes(server, seen, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_peerInfo(server, seen, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_statistics(server, NULL), WEBSOCKET_E_NULL);

    /* Nothing of all that has gone out: an empty message is the first to come. */
    CHECK_INT(webSocket_server_send(server, seen, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_send(server, seen, WEBSOCKET_PING, NULL, 0), WEBSOCKET_OK);
    client_expect(&host, &client, 0x81, "", 0);
    client_expect(&host, &client, 0x89, "", 0);
    CHECK_INT(webSocket_server_closePeer(server, seen, 0, NULL), WEBSOCKET_OK);
    client_expect(&host, &client, 0x88, "", 0);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

/* AP04, AP05: what an older and a newer program brings. */
static void struct_sizes(void)
{
    struct {
        webSocket_peerInfo info;
        uint8_t behind[16];
    } peer;
    struct {
        webSocket_statistics statistics;
        uint8_t behind[16];
    } all;
    struct host host = {NULL, 0};
    struct client client;
    size_t i;
    CHECK_INT(webSocket_server_new(NULL, sees, &seen, &host.server), WEBSOCKET_OK);
    client_adopted(&host, &client);
    client_open(&host, &client);
    memset(&peer, 0x5A, sizeof peer);
    memset(&all, 0x5A, sizeof all);
    for (i = 0; i < 3; i++) {
        static const size_t less[] = {sizeof(webSocket_peerInfo), 1, sizeof(webSocket_peerInfo) - sizeof(size_t)};
        peer.info.size = sizeof peer.info - less[i];
        all.statistics.size = i == 0 ? 0 : sizeof all.statistics - i;
        CHECK_INT(webSocket_server_peerInfo(host.server, seen, &peer.info), WEBSOCKET_E_STRUCT_SIZE);
        CHECK_INT(webSocket_server_statistics(host.server, &all.statistics), WEBSOCKET_E_STRUCT_SIZE);
        CHECK(peer.info.address[0] == 0x5A && all.statistics.accepted == UINT64_C(0x5A5A5A5A5A5A5A5A));
    }
    peer.info.size = sizeof peer;
    all.statistics.size = sizeof all;
    CHECK_INT(webSocket_server_peerInfo(host.server, seen, &peer.info), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_statistics(host.server, &all.statistics), WEBSOCKET_OK);
    CHECK(strcmp(peer.info.address, "unix") == 0 && all.statistics.accepted == 1);
    for (i = 0; i < sizeof peer.behind; i++)
        CHECK(peer.behind[i] == 0x5A && all.behind[i] == 0x5A);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

static void bad_sockets(void)
{
    webSocket_server *server = made(NULL);
    int file = open("/dev/null", O_RDONLY), datagram = socket(AF_INET, SOCK_DGRAM, 0);
    int alone = socket(AF_INET, SOCK_STREAM, 0), listening = socket(AF_INET, SOCK_STREAM, 0), own = stream_socket();
    const int wrong[] = {file, datagram, alone};
    size_t i;
    CHECK_INT(listen(listening, 1), 0);
    for (i = 0; i < 3; i++) {
        CHECK_INT(webSocket_server_adopt(server, wrong[i], NULL, 0), WEBSOCKET_E_USAGE);
        CHECK_INT(webSocket_server_listenFd(server, wrong[i]), WEBSOCKET_E_USAGE);
        CHECK(!is_closed(wrong[i]));
        close(wrong[i]);
        CHECK_INT(webSocket_server_adopt(server, wrong[i], NULL, 0), WEBSOCKET_E_USAGE);
        CHECK_INT(webSocket_server_listenFd(server, wrong[i]), WEBSOCKET_E_USAGE);
    }
    CHECK_INT(webSocket_server_adopt(server, -1, NULL, 0), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_listenFd(server, -1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_adopt(server, listening, NULL, 0), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_listenFd(server, own), WEBSOCKET_E_USAGE);
    /* A call that was wrong leaves the descriptor with the caller. */
    CHECK_INT(webSocket_server_adopt(server, own, NULL, 1), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_adopt(server, own, (const uint8_t *)"", SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK(!is_closed(own) && !is_closed(listening));
    CHECK_INT(webSocket_server_listenFd(server, listening), WEBSOCKET_OK);

    CHECK_INT(webSocket_server_listen(server, "localhost", 0, NULL), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_listen(server, "127.0.0.1:80", 0, NULL), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_listen(server, "[::1", 0, NULL), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_server_listen(server, "\xff", 0, NULL), WEBSOCKET_E_SEND_UTF8);
    errno = 0;
    CHECK_INT(webSocket_server_listen(server, "192.0.2.1", 0, NULL), WEBSOCKET_E_ADDRESS);
    CHECK_INT(errno, EADDRNOTAVAIL);
    CHECK_INT(webSocket_server_listen(server, "unix:/no/such/folder/socket", 0, NULL), WEBSOCKET_E_SYSTEM);
    CHECK_INT(errno, ENOENT);

    /* What a server took it closes, whatever became of it. */
    CHECK_INT(webSocket_server_adopt(server, own, (const uint8_t *)"GET", 3), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
    CHECK(is_closed(own) && is_closed(listening));
}

/* LM03: who asks for more than the loop can do, which nobody turns meanwhile, is
 * told so before long, and again when it has caught up. */
static void more_than_it_can(void)
{
    static const uint8_t much[10000];
    struct host host = {NULL, 0};
    webSocket_config *config;
    struct client client;
    int round;
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_SEND_QUEUE_BYTES, 64 << 10), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_new(config, sees, &seen, &host.server), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    client_adopted(&host, &client);
    client_open(&host, &client);
    for (round = 0; round < 2; round++) {
        webSocket_result result = WEBSOCKET_OK;
        long published = 0, pinged = 0;
        for (; result == WEBSOCKET_OK && published < 1000; published++)
            result = webSocket_server_publish(host.server, "nobody's", WEBSOCKET_BINARY, much, sizeof much, 0);
        CHECK_INT(result, WEBSOCKET_FULL);
        CHECK(published > 90); /* 1 MiB */
        for (result = WEBSOCKET_OK; result == WEBSOCKET_OK && pinged < 1000; pinged++)
            result = webSocket_server_send(host.server, seen, WEBSOCKET_PING, NULL, 0);
        CHECK_INT(result, WEBSOCKET_FULL);
        CHECK_INT(webSocket_server_step(host.server, 0), WEBSOCKET_OK);
    }
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

static void *steps(void *server)
{
    webSocket_result result;
    /* The other thread may have it just then. */
    while ((result = webSocket_server_run(server)) == WEBSOCKET_E_BUSY)
        sched_yield();
    return (void *)(intptr_t)result;
}

static void wrong_states(void)
{
    webSocket_config *config;
    webSocket_server *server = made(NULL);
    pthread_t thread;
    void *result;
    int fd = -1, own;

    /* One thread at a time: AP16. */
    CHECK_INT(pthread_create(&thread, NULL, steps, server), 0);
    while (webSocket_server_step(server, 0) == WEBSOCKET_OK)
        sched_yield();
    CHECK_INT(webSocket_server_step(server, 0), WEBSOCKET_E_BUSY);
    CHECK_INT(webSocket_server_run(server), WEBSOCKET_E_BUSY);
    CHECK_INT(webSocket_server_pollFd(server, &fd), WEBSOCKET_E_BUSY);
    CHECK_INT(webSocket_server_start(server), WEBSOCKET_E_BUSY);
    CHECK_INT(webSocket_server_listen(server, "127.0.0.1", 0, NULL), WEBSOCKET_E_STATE);
    own = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(listen(own, 1), 0);
    CHECK_INT(webSocket_server_listenFd(server, own), WEBSOCKET_E_STATE);
    CHECK(is_closed(own)); /* the server's, as documented */
    CHECK_INT(webSocket_server_stop(server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_stop(server), WEBSOCKET_OK);
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK_INT((intptr_t)result, WEBSOCKET_OK);

    /* Stopped for good. */
    CHECK_INT(webSocket_server_start(server), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_step(server, WEBSOCKET_FOREVER), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_server_run(server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_listen(server, "127.0.0.1", 0, NULL), WEBSOCKET_E_STATE);
    own = stream_socket();
    CHECK_INT(webSocket_server_adopt(server, own, NULL, 0), WEBSOCKET_E_STATE);
    CHECK(is_closed(own));
    CHECK_INT(webSocket_server_publish(server, NULL, WEBSOCKET_TEXT, NULL, 0, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);

    /* Several loops need threads of their own. */
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, 0), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, 1000000), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_OVERFLOW, WEBSOCKET_OVERFLOW_BLOCK + 1), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_THREADS, 2), WEBSOCKET_OK);
    server = made(config);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK); /* it was copied */
    CHECK_INT(webSocket_server_step(server, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_run(server), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_pollFd(server, &fd), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_start(server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_start(server), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_step(server, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_listen(server, "127.0.0.1", 0, NULL), WEBSOCKET_E_STATE);
    CHECK_INT(fd, -1);
    CHECK_INT(webSocket_server_stop(server), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_free(server), WEBSOCKET_OK);
}

int main(void)
{
    int before = count_fds();
    bad_handles();
    bad_peers();
    bad_arguments();
    struct_sizes();
    bad_sockets();
    more_than_it_can();
    wrong_states();
    CHECK_INT(count_fds(), before); /* AP33 */
    return check_done("server_misuse");
}
