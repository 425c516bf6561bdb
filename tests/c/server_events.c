/* What a server's program is told, field by field, and how it answers a
 * request: accepted, refused, with headers, at the wrong time.
 * Catalogue: AP02, AP03, AP09, AP10, AP16, AP22, AP28, AP29, AP36. */
#include <arpa/inet.h>

#include "server_support.h"

enum { MOST = 64 };

/* What was told, kept: an event and what it lends end with the callback. */
static struct {
    webSocket_event event;
    char data[200];
} told[MOST];
static size_t count;
static struct host host;
static void (*at_request)(webSocket_peer peer);

static void notes(void *user, const webSocket_event *event)
{
    CHECK(user == &host);
    CHECK_INT(event->size, sizeof *event);
    CHECK(event->data != NULL && event->peer != 0);
    if (count < MOST) {
        size_t length = event->length < sizeof told[0].data - 1 ? event->length : sizeof told[0].data - 1;
        told[count].event = *event;
        memcpy(told[count].data, event->data, length);
        told[count].data[length] = '\0';
    }
    count++;
    if (event->kind == WEBSOCKET_REQUEST && at_request != NULL)
        at_request(event->peer);
}

static void begin(const webSocket_config *config)
{
    count = 0;
    host.threaded = 0;
    CHECK_INT(webSocket_server_new(config, notes, &host, &host.server), WEBSOCKET_OK);
}

static void expect(uint32_t kind, const char *data, uint32_t flags, uint64_t offset)
{
    size_t at = count;
    UNTIL(&host, count > 0);
    CHECK_INT(told[0].event.kind, kind);
    CHECK_INT(told[0].event.length, strlen(data));
    CHECK(strcmp(told[0].data, data) == 0);
    CHECK_INT(told[0].event.flags, flags);
    CHECK_INT(told[0].event.offset, offset);
    if (kind != WEBSOCKET_CLOSE)
        CHECK(told[0].event.closeCode == 0 && told[0].event.result == WEBSOCKET_OK);
    (void)at;
    count--;
    memmove(&told[0], &told[1], count * sizeof told[0]);
}

static void expect_close(const char *reason, uint32_t code, webSocket_result result, uint32_t by)
{
    uint32_t is;
    webSocket_result why;
    UNTIL(&host, count > 0);
    is = told[0].event.closeCode;
    why = told[0].event.result;
    CHECK_INT(is, code);
    CHECK_INT(why, result);
    expect(WEBSOCKET_CLOSE, reason, WEBSOCKET_FIRST | WEBSOCKET_FINAL | by, 0);
}

enum { WHOLE = WEBSOCKET_FIRST | WEBSOCKET_FINAL };

/* A conversation over TCP; what is told has the peer's facts. */
static void a_conversation(void)
{
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    struct client client;
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    webSocket_peer peer;
    uint16_t port = 0;
    char head[1024];
    begin(NULL);
    CHECK_INT(webSocket_server_listen(host.server, "127.0.0.1", 0, &port), WEBSOCKET_OK);
    client_dialled(&client, port);
    client_ask(&host, &client, "/room?who=me", "");
    CHECK_INT(client_answer(&host, &client, head, sizeof head), 101);
    CHECK(strstr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != NULL);
    CHECK_INT(count, 2);
    peer = told[0].event.peer;
    CHECK(told[1].event.peer == peer && told[0].event.peerUser == NULL);
    expect(WEBSOCKET_REQUEST, "/room?who=me", WHOLE, 0);
    expect(WEBSOCKET_OPEN, "", WHOLE, 0);

    CHECK_INT(webSocket_server_setPeerUser(host.server, peer, &peer), WEBSOCKET_OK);
    client_frame(&host, &client, 0x81, "a\0b", 3); /* AP28 */
    UNTIL(&host, count > 0);
    CHECK(told[0].event.length == 3 && memcmp(told[0].data, "a\0b", 3) == 0 && told[0].event.peerUser == &peer);
    count = 0;
    client_frame(&host, &client, 0x82, "", 0);
    expect(WEBSOCKET_BINARY, "", WHOLE, 0);
    client_frame(&host, &client, 0x01, "in ", 3);
    client_frame(&host, &client, 0x89, "mid", 3);
    client_frame(&host, &client, 0x80, "two", 3);
    expect(WEBSOCKET_PING, "mid", WHOLE, 0);
    expect(WEBSOCKET_TEXT, "in two", WHOLE, 0);
    client_expect(&host, &client, 0x8A, "mid", 3);
    client_frame(&host, &client, 0x8A, "late", 4);
    expect(WEBSOCKET_PONG, "late", WHOLE, 0);
    CHECK_INT(webSocket_server_send(host.server, peer, WEBSOCKET_BINARY, (const uint8_t *)"out", 3), WEBSOCKET_OK);
    client_expect(&host, &client, 0x82, "out", 3);

    CHECK_INT(webSocket_server_peerInfo(host.server, peer, &info), WEBSOCKET_OK);
    getsockname(client.fd, (struct sockaddr *)&own, &length);
    CHECK(strcmp(info.address, "127.0.0.1") == 0 && strcmp(info.target, "/room?who=me") == 0);
    CHECK_INT(info.port, ntohs(own.sin_port));
    CHECK_INT(info.targetLength, strlen("/room?who=me"));
    CHECK_INT(info.messagesIn, 3);
    CHECK_INT(info.messagesOut, 1);
    CHECK(info.bytesIn > 100 && info.bytesOut > 100 && info.subprotocol[0] == '\0');
    CHECK_INT(info.roundTripMs, WEBSOCKET_NO_ROUND_TRIP);
    CHECK_INT(webSocket_server_statistics(host.server, &statistics), WEBSOCKET_OK);
    CHECK(statistics.peers == 1 && statistics.handshakes == 0 && statistics.threads == 1);
    CHECK(statistics.accepted == 1 && statistics.refused == 0);

    client_frame(&host, &client, 0x88, "\x0F\xA0" "enough", 8);
    expect_close("enough", 4000, WEBSOCKET_OK, WEBSOCKET_BY_PEER);
    client_expect(&host, &client, 0x88, "\x0F\xA0", 2);
    CHECK_INT(client_more(&host, &client), 0);
    UNTIL(&host, webSocket_server_setPeerUser(host.server, peer, NULL) == WEBSOCKET_GONE);
    CHECK_INT(count, 0);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

/* Each way to end, told once. AP09: nothing is sent after it. */
static void ends(void)
{
    struct client client;
    webSocket_peer peer;
    int way;
    for (way = 0; way < 5; way++) {
        begin(NULL);
        client_adopted(&host, &client);
        client_open(&host, &client);
        peer = told[0].event.peer;
        count = 0;
        if (way == 0) {
            CHECK_INT(webSocket_server_closePeer(host.server, peer, 3000, "\xC3\xA9"), WEBSOCKET_OK);
            client_expect(&host, &client, 0x88, "\x0B\xB8\xC3\xA9", 4);
            CHECK_INT(webSocket_server_closePeer(host.server, peer, 3000, ""), WEBSOCKET_OK); /* another thread would not know */
            client_frame(&host, &client, 0x81, "not told", 8);
            client_frame(&host, &client, 0x88, "\x03\xE8", 2);
            expect_close("", 1000, WEBSOCKET_OK, 0);
        } else if (way == 1) {
            client_frame(&host, &client, 0x88, "", 0);
            expect_close("", 1005, WEBSOCKET_OK, WEBSOCKET_BY_PEER);
        } else if (way == 2) {
            client_hangs_up(&client);
            expect_close("", 1006, WEBSOCKET_E_CONNECTION_LOST, 0);
        } else if (way == 3) {
            client_frame(&host, &client, 0x83, "", 0);
            expect_close("", 1002, WEBSOCKET_E_OPCODE, 0);
        } else {
            CHECK_INT(webSocket_server_stop(host.server), WEBSOCKET_OK);
            UNTIL(&host, client.length > 0 || !client_more(&host, &client));
            client_frame(&host, &client, 0x88, "\x03\xE9", 2);
            UNTIL(&host, webSocket_server_step(host.server, 1) == WEBSOCKET_CLOSED);
            expect_close("", 1001, WEBSOCKET_OK, 0);
        }
        UNTIL(&host, webSocket_server_setPeerUser(host.server, peer, NULL) == WEBSOCKET_GONE);
        CHECK_INT(webSocket_server_send(host.server, peer, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_GONE);
        CHECK_INT(count, 0);
        CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
        if (client.fd >= 0)
            client_hangs_up(&client);
    }
}

static void in_chunks(void)
{
    struct client client;
    webSocket_config *config;
    static char long_text[3000];
    memset(long_text, 'x', sizeof long_text);
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_CHUNK_ABOVE_BYTES, 0), WEBSOCKET_OK);
    begin(config);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    client_adopted(&host, &client);
    client_open(&host, &client);
    count = 0;
    client_frame(&host, &client, 0x01, "first", 5);
    expect(WEBSOCKET_TEXT, "first", WEBSOCKET_FIRST, 0);
    client_frame(&host, &client, 0x00, "middle", 6);
    expect(WEBSOCKET_TEXT, "middle", 0, 5);
    client_send(&host, &client, "\x80\x84\0\0\0\0la", 8);
    UNTIL(&host, count > 0);
    CHECK_INT(told[0].event.frameRemaining, 2);
    expect(WEBSOCKET_TEXT, "la", 0, 11);
    client_send(&host, &client, "st", 2);
    expect(WEBSOCKET_TEXT, "st", WEBSOCKET_FINAL, 13);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

/* ---- requests */

static uint32_t status;
static const uint8_t *body;
static size_t bodyLength;
static webSocket_result refused;

static void refuses(webSocket_peer peer)
{
    refused = webSocket_server_refuse(host.server, peer, status, body, bodyLength);
}

/* One request to a server of its own; returns the answer's status. */
static int ask(void (*decides)(webSocket_peer), const char *headers, char *head, size_t room)
{
    struct client client;
    int answer;
    begin(NULL);
    at_request = decides;
    client_adopted(&host, &client);
    client_ask(&host, &client, "/", headers);
    answer = client_answer(&host, &client, head, room);
    at_request = NULL;
    if (answer != 101) {
        while (client_more(&host, &client)) {
        }
        memcpy(head + strlen(head), client.got, client.length < 100 ? client.length : 100);
    }
    client_hangs_up(&client);
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    return answer;
}

static void refusals(void) /* AP22 */
{
    static const uint32_t wrong[] = {0, 1, 100, 101, 200, 204, 299, 600, 999, 65536 + 403, UINT32_MAX};
    static const char crlf[] = "no\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    char head[2048];
    char line[32];
    size_t i;
    body = NULL;
    bodyLength = 0;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        status = wrong[i];
        CHECK_INT(ask(refuses, "", head, sizeof head), 101); /* nothing was decided */
        CHECK_INT(refused, WEBSOCKET_E_RANGE);
    }
    for (status = 300; status < 600; status += check_short() ? 50 : 1) {
        memset(head, 0, sizeof head);
        CHECK_INT(ask(refuses, "", head, sizeof head), status);
        CHECK_INT(refused, WEBSOCKET_OK);
        CHECK(strstr(head, "Content-Length: 0\r\n") != NULL || status == 304);
        CHECK(strstr(head, "\r\nConnection: close") != NULL);
        CHECK(count == 2 && told[1].event.kind == WEBSOCKET_CLOSE);
        CHECK(told[1].event.result == WEBSOCKET_E_REFUSED && told[1].event.closeCode == 1006);
    }
    /* A body is a body, whatever it looks like. */
    status = 403;
    body = (const uint8_t *)crlf;
    bodyLength = sizeof crlf - 1;
    memset(head, 0, sizeof head);
    CHECK_INT(ask(refuses, "", head, sizeof head), 403);
    snprintf(line, sizeof line, "Content-Length: %zu\r\n", bodyLength);
    CHECK(strstr(head, line) != NULL);
    CHECK(strcmp(head + strlen(head) - bodyLength, crlf) == 0);
    body = NULL;
    CHECK_INT(ask(refuses, "", head, sizeof head), 101);
    CHECK_INT(refused, WEBSOCKET_E_NULL); /* AP02 */
}

/* Looks at everything of its request, tries what is wrong, and accepts. */
static webSocket_peer asking;

static void looks_and_accepts(webSocket_peer peer)
{
    webSocket_server *server = host.server;
    const char *value = NULL;
    size_t length = 0;
    asking = peer;
    CHECK_INT(webSocket_server_requestHeader(server, peer, "authorization", &value, &length), WEBSOCKET_OK);
    CHECK(length == 10 && memcmp(value, "Basic dTpw", 10) == 0);
    CHECK_INT(webSocket_server_requestHeader(server, peer, "X-None", &value, &length), WEBSOCKET_OK);
    CHECK(value == NULL && length == 0);
    CHECK_INT(webSocket_server_requestHeader(server, peer, NULL, &value, &length), WEBSOCKET_E_NULL); /* AP03 */
    CHECK_INT(webSocket_server_requestHeader(server, peer, "Host", NULL, &length), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_requestHeader(server, peer, "Host", &value, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_requestHeader(server, peer, "\xff", &value, &length), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_server_requestHeader(server, 0, "Host", &value, &length), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_accept(server, peer + 1, NULL), WEBSOCKET_GONE);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X-Id", "7\r\nX-More: 8"), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X Id", "7"), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_server_addHeader(server, peer, "", "7"), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_server_addHeader(server, peer, "Upgrade", "7"), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_server_addHeader(server, peer, "Sec-WebSocket-Accept", "7"), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_server_addHeader(server, peer, NULL, "7"), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X-Id", NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X-Id", "7"), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X-Id", "eight"), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_accept(server, peer, "chat"), WEBSOCKET_E_SUBPROTOCOL_CHOICE);
    CHECK_INT(webSocket_server_accept(server, peer, "news\r\nX: y"), WEBSOCKET_E_SUBPROTOCOL_CHOICE);
    CHECK_INT(webSocket_server_accept(server, peer, "\xff"), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_E_STATE); /* AP10 */
    CHECK_INT(webSocket_server_accept(server, peer, "rain"), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_accept(server, peer, "rain"), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_refuse(server, peer, 403, NULL, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_addHeader(server, peer, "X-Late", "9"), WEBSOCKET_E_STATE);
    /* Messages may follow the answer at once. */
    CHECK_INT(webSocket_server_send(server, peer, WEBSOCKET_TEXT, (const uint8_t *)"hi", 2), WEBSOCKET_OK);
}

static void an_answer_with_everything(void)
{
    struct client client;
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    char head[1024];
    begin(NULL);
    at_request = looks_and_accepts;
    client_adopted(&host, &client);
    client_ask(&host, &client, "/", "Authorization: Basic dTpw\r\nSec-WebSocket-Protocol: news, rain\r\n");
    CHECK_INT(client_answer(&host, &client, head, sizeof head), 101);
    CHECK(strstr(head, "\r\nX-Id: 7\r\nX-Id: eight\r\n") != NULL && strstr(head, "X-More") == NULL);
    CHECK(strstr(head, "\r\nSec-WebSocket-Protocol: rain\r\n") != NULL && strstr(head, "X-Late") == NULL);
    client_expect(&host, &client, 0x81, "hi", 2);
    expect(WEBSOCKET_REQUEST, "/", WHOLE, 0);
    expect(WEBSOCKET_OPEN, "rain", WHOLE, 0);
    CHECK_INT(webSocket_server_peerInfo(host.server, asking, &info), WEBSOCKET_OK);
    CHECK(strcmp(info.subprotocol, "rain") == 0 && strcmp(info.address, "unix") == 0 && info.port == 0);
    at_request = NULL;
    CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
    client_hangs_up(&client);
}

static void closes(webSocket_peer peer)
{
    CHECK_INT(webSocket_server_closePeer(host.server, peer, 1013, "later"), WEBSOCKET_OK);
    CHECK_INT(webSocket_server_closePeer(host.server, peer, 1013, "later"), WEBSOCKET_CLOSED);
    CHECK_INT(webSocket_server_accept(host.server, peer, NULL), WEBSOCKET_E_STATE);
}

/* AP16: answering belongs to the thread of the callback, and to its time. */
static void *answers_elsewhere(void *user)
{
    webSocket_peer peer = *(webSocket_peer *)user;
    const char *value;
    size_t length;
    CHECK_INT(webSocket_server_accept(host.server, peer, NULL), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_refuse(host.server, peer, 403, NULL, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_addHeader(host.server, peer, "X", "y"), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_server_requestHeader(host.server, peer, "Host", &value, &length), WEBSOCKET_E_STATE);
    return NULL;
}

static void has_another_thread_answer(webSocket_peer peer)
{
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, answers_elsewhere, &peer), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

static void odd_answers(void)
{
    char head[2048];
    memset(head, 0, sizeof head);
    CHECK_INT(ask(closes, "", head, sizeof head), 503);
    CHECK_INT(ask(has_another_thread_answer, "", head, sizeof head), 101);
    /* No callback: what is left undecided is accepted. */
    CHECK_INT(ask(NULL, "Sec-WebSocket-Protocol: news\r\n", head, sizeof head), 101);
    CHECK(strstr(head, "Sec-WebSocket-Protocol") == NULL);
}

/* AP36: calls that go well leave errno alone. */
static void keeps_errno(void)
{
    struct client client;
    webSocket_peer peer;
    webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;
    webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;
    size_t waiting;
    int fd;
    begin(NULL);
    client_adopted(&host, &client);
    client_open(&host, &client);
    peer = told[0].event.peer;
#define KEEPS(call)                 \
    do {                            \
        errno = 12345;              \
        CHECK_INT(call, WEBSOCKET_OK); \
        CHECK_INT(errno, 12345);    \
    } while (0)
    KEEPS(webSocket_server_pollFd(host.server, &fd));
    KEEPS(webSocket_server_step(host.server, 0));
    KEEPS(webSocket_server_send(host.server, peer, WEBSOCKET_TEXT, (const uint8_t *)"x", 1));
    KEEPS(webSocket_server_send(host.server, peer, WEBSOCKET_PING, NULL, 0));
    KEEPS(webSocket_server_publish(host.server, NULL, WEBSOCKET_TEXT, NULL, 0, 0));
    KEEPS(webSocket_server_subscribe(host.server, peer, "t"));
    KEEPS(webSocket_server_unsubscribe(host.server, peer, "t"));
    KEEPS(webSocket_server_bufferedBytes(host.server, peer, &waiting));
    KEEPS(webSocket_server_setPeerUser(host.server, peer, NULL));
    KEEPS(webSocket_server_peerInfo(host.server, peer, &info));
    KEEPS(webSocket_server_statistics(host.server, &statistics));
    KEEPS(webSocket_server_step(host.server, 0));
    KEEPS(webSocket_server_closePeer(host.server, peer, 1000, NULL));
    KEEPS(webSocket_server_stop(host.server));
    KEEPS(webSocket_server_free(host.server));
    client_hangs_up(&client);
}

int main(void)
{
    int before = count_fds();
    a_conversation();
    ends();
    in_chunks();
    refusals();
    an_answer_with_everything();
    odd_answers();
    keeps_errno();
    CHECK_INT(count_fds(), before);
    return check_done("server_events");
}
