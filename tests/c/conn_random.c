/* Calls in any order with any arguments: nothing breaks, every result is a
 * known one, errno is left alone. Catalogue: AP36, AP38. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wsembed/websocket.h>

#include "check.h"

#define HANDLES 4

/* How often each kind of event came. */
static int events[WEBSOCKET_CLOSE + 1];

static uint64_t state = 0x9E3779B97F4A7C15u;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 11) % below);
}

static void known(webSocket_result result)
{
    CHECK(strcmp(webSocket_result_name(result), "WEBSOCKET_?") != 0);
    CHECK(result != WEBSOCKET_E_INTERNAL && result != WEBSOCKET_E_MEMORY);
    CHECK_INT(errno, 4321);
}

/* A connection, and the bytes that it has on loan. */
struct end {
    webSocket_conn *conn;
    uint8_t *lent;
};

static void read_all(struct end *end)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_result result;
    uint32_t sum = 0;
    while ((result = webSocket_conn_next(end->conn, &event)) == WEBSOCKET_OK) {
        size_t i;
        events[event.kind]++;
        for (i = 0; i < event.length; i++)
            sum += event.data[i];
        if (sum % 5 == 1)
            known(webSocket_conn_send(end->conn, WEBSOCKET_BINARY, event.data, event.length));
        if (event.kind == WEBSOCKET_REQUEST && draw(4) == 0)
            known(webSocket_conn_refuse(end->conn, 200 + draw(500), event.data, event.length));
    }
    known(result);
    free(end->lent);
    end->lent = NULL;
}

static void feed(struct end *end, const uint8_t *bytes, size_t length)
{
    read_all(end);
    end->lent = malloc(length + 1);
    CHECK(end->lent);
    memcpy(end->lent, bytes, length);
    errno = 4321;
    known(webSocket_conn_feed(end->conn, end->lent, length));
}

/* Moves some output of one end to another, now and then damaged. */
static void move(struct end *from, struct end *to)
{
    const uint8_t *data;
    size_t length;
    uint8_t piece[512];
    webSocket_result result = webSocket_conn_output(from->conn, &data, &length);
    known(result);
    if (result != WEBSOCKET_OK || length == 0)
        return;
    length = length > sizeof piece ? sizeof piece : length;
    length = draw(3) ? length : 1 + draw((uint32_t)length);
    memcpy(piece, data, length);
    known(webSocket_conn_outputDone(from->conn, length));
    if (draw(200) == 0)
        piece[draw((uint32_t)length)] ^= (uint8_t)(1 + draw(255));
    feed(to, piece, length);
}

static void make(struct end *end, int client)
{
    webSocket_config *config;
    known(webSocket_config_new(&config));
    for (; draw(3) == 0; known(webSocket_config_setNumber(config, draw(15), draw(2) ? 300 + draw(3000) : draw(16)))) {
    }
    known(webSocket_config_addText(config, 99 + draw(5), draw(2) ? "X-A: b" : "chat"));
    if (!client)
        known(webSocket_conn_newServer(config, &end->conn));
    else if (webSocket_conn_newClient(config, "ws://device/", &end->conn) != WEBSOCKET_OK)
        known(webSocket_conn_newClient(NULL, "ws://device/", &end->conn));
    known(webSocket_config_free(config));
}

static void any_call(struct end *end, struct end *other)
{
    static uint64_t now;
    static uint8_t bytes[200];
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    const char *value;
    uint64_t deadline;
    size_t length;
    switch (draw(20)) {
    case 0: known(webSocket_conn_feedEof(draw(200) ? NULL : end->conn)); break;
    case 1: known(webSocket_conn_accept(end->conn, draw(2) ? NULL : "chat")); break;
    case 2: known(webSocket_conn_refuse(end->conn, draw(20) ? 0 : 403, bytes, draw(200))); break;
    case 3: known(webSocket_conn_addHeader(end->conn, "X-B", draw(2) ? "c" : "c\n")); break;
    case 4: known(webSocket_conn_requestHeader(end->conn, draw(2) ? "host" : "", &value, &length)); break;
    case 5: known(webSocket_conn_send(end->conn, draw(8), bytes, draw(200))); break;
    case 6: known(webSocket_conn_sendChunk(end->conn, 2 + draw(4), bytes, draw(200), draw(2) ? WEBSOCKET_FINAL : draw(5))); break;
    case 7: known(webSocket_conn_close(end->conn, draw(100) ? 999 : 990 + draw(30), "why")); break;
    case 8: known(webSocket_conn_outputDone(end->conn, draw(200) ? SIZE_MAX : draw(20))); break;
    case 9: known(webSocket_conn_tick(end->conn, now += draw(100) ? draw(5) : draw(4000), &deadline)); break;
    case 10: known(webSocket_conn_bufferedBytes(end->conn, &length)); break;
    case 11: known(webSocket_conn_failure(end->conn, &failure)); break;
    case 12: known(webSocket_lastFailure(&failure)); break;
    case 13:
        if (draw(500) == 0)
            feed(end, bytes, draw(200));
        break;
    case 14: read_all(end); break;
    default: move(end, other); break;
    }
}

int main(void)
{
    struct end ends[HANDLES] = {{0}};
    int round, i;
    errno = 4321;
    for (i = 0; i < HANDLES; i++)
        make(&ends[i], i % 2);
    for (round = 0; round < 300000; round++) {
        i = (int)draw(HANDLES);
        any_call(&ends[i], &ends[i ^ 1]);
        if (draw(400) == 0) { /* both ends anew */
            int one;
            for (one = i & ~1; one <= (i | 1); one++) {
                known(webSocket_conn_free(ends[one].conn));
                CHECK_INT(webSocket_conn_feedEof(ends[one].conn), WEBSOCKET_GONE);
                free(ends[one].lent);
                ends[one].lent = NULL;
                make(&ends[one], one % 2);
            }
        }
    }
    for (i = 0; i < HANDLES; i++) {
        known(webSocket_conn_free(ends[i].conn));
        free(ends[i].lent);
    }
    /* It got somewhere. */
    for (i = WEBSOCKET_REQUEST; i <= WEBSOCKET_CLOSE; i++)
        CHECK(events[i] > 20 || (i > WEBSOCKET_PONG && i < WEBSOCKET_CLOSE));
    return check_done("conn_random");
}
