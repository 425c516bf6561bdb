/* What a callback sends on from what an event lent leaves at the end of the turn,
 * from where it was read: everything keeps its order and its bytes, whatever else is
 * sent between, however the client's bytes come and however it reads.
 * Catalogue: AP09, AP17, FR30, LM03, TR05. */
#include "server_support.h"

enum { LONGEST = 70000, MESSAGES = 120, EXPECTED = 64 << 20 };

static struct host host;
static uint8_t foreign[LONGEST];
static int refused;

static void sends(webSocket_peer peer, uint32_t kind, const uint8_t *data, size_t length)
{
    refused += webSocket_server_send(host.server, peer, kind, data, length) != WEBSOCKET_OK;
}

/* What is answered is the message's own affair: its first byte says. */
static void answers(void *user, const webSocket_event *event)
{
    const uint8_t *data = event->data;
    size_t length = event->length, buffered = 0;
    webSocket_peer peer = event->peer;
    (void)user;
    if (event->kind != WEBSOCKET_BINARY)
        return;
    switch (length == 0 ? 'e' : data[0]) {
    case 'h': /* a part of it, which is no whole payload of the buffer */
        sends(peer, WEBSOCKET_BINARY, data + length / 4, length - length / 4);
        break;
    case 't': /* more often than are kept track of */
        for (int i = 0; i < 25; i++)
            sends(peer, WEBSOCKET_BINARY, data, length);
        break;
    case 'f': /* memory of the program's between two of ours */
        sends(peer, WEBSOCKET_BINARY, data, length);
        sends(peer, WEBSOCKET_BINARY, foreign, length);
        memset(foreign, foreign[0] + 1, sizeof foreign);
        sends(peer, WEBSOCKET_BINARY, data, length);
        break;
    case 's':
        sends(peer, WEBSOCKET_BINARY, data, length);
        CHECK_INT(webSocket_server_bufferedBytes(host.server, peer, &buffered), WEBSOCKET_OK);
        sends(peer, WEBSOCKET_TEXT, (const uint8_t *)"short", 5);
        break;
    case 'p':
        sends(peer, WEBSOCKET_PING, (const uint8_t *)"ping", 4);
        sends(peer, WEBSOCKET_BINARY, data, length);
        break;
    case 'a': /* to all: it is shared, not lent */
        sends(peer, WEBSOCKET_BINARY, data, length);
        CHECK_INT(webSocket_server_publish(host.server, NULL, WEBSOCKET_BINARY, data, length, 0), WEBSOCKET_OK);
        break;
    case 'c':
        sends(peer, WEBSOCKET_BINARY, data, length);
        CHECK_INT(webSocket_server_closePeer(host.server, peer, 1000, "enough"), WEBSOCKET_OK);
        break;
    default: sends(peer, WEBSOCKET_BINARY, data, length);
    }
}

/* ---- what the client must get */

static uint8_t *expected, *got;
static size_t expectedLength;
/* Control frames go before messages that wait, so only their number is known: all of
 * them are of 6 bytes. */
static size_t pings, pongs;

static void expects(uint8_t first, const uint8_t *data, size_t length)
{
    uint8_t *to = expected + expectedLength;
    size_t head = length < 126 ? 2 : length < 65536 ? 4 : 10;
    memset(to, 0, head);
    to[0] = first;
    to[1] = length < 126 ? (uint8_t)length : length < 65536 ? 126 : 127;
    for (size_t i = 0; head > 2 && i < 4 && i < head - 2; i++)
        to[head - 1 - i] = (uint8_t)(length >> 8 * i);
    memcpy(to + head, data, length);
    expectedLength += head + length;
}

static void expects_answer(const uint8_t *data, size_t length, uint8_t *byte)
{
    static uint8_t other[LONGEST];
    switch (length == 0 ? 'e' : data[0]) {
    case 'h': expects(0x82, data + length / 4, length - length / 4); break;
    case 't':
        for (int i = 0; i < 25; i++)
            expects(0x82, data, length);
        break;
    case 'f':
        expects(0x82, data, length);
        memset(other, *byte, sizeof other);
        expects(0x82, other, length);
        (*byte)++;
        expects(0x82, data, length);
        break;
    case 's':
        expects(0x82, data, length);
        expects(0x81, (const uint8_t *)"short", 5);
        break;
    case 'p':
        pings++;
        expects(0x82, data, length);
        break;
    case 'a':
        expects(0x82, data, length);
        expects(0x82, data, length);
        break;
    case 'c':
        expects(0x82, data, length);
        expects(0x88, (const uint8_t *)"\x03\xe8" "enough", 8);
        break;
    default: expects(0x82, data, length);
    }
}

/* ---- the two at it */

static uint32_t seed;

static uint32_t random_below(uint32_t most)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % most;
}

/* What came has these messages in this order, and these control frames. */
static void compare(size_t length)
{
    size_t at = 0, compared = 0;
    while (at < length && check_failures == 0) {
        size_t payload = got[at + 1], head = 2;
        if (payload >= 126) {
            head = payload == 126 ? 4 : 10;
            payload = 0;
            for (size_t i = 2; i < head; i++)
                payload = payload << 8 | got[at + i];
        }
        if (got[at] == 0x89 || got[at] == 0x8A) {
            CHECK(memcmp(got + at + 1, got[at] == 0x89 ? "\4ping" : "\4mine", 5) == 0);
            *(got[at] == 0x89 ? &pings : &pongs) -= 1;
        } else if (compared + head + payload > expectedLength || memcmp(got + at, expected + compared, head + payload) != 0) {
            fprintf(stderr, "the message at byte %zu differs\n", compared);
            check_failures++;
        } else {
            compared += head + payload;
        }
        at += head + payload;
    }
    CHECK_INT(compared, expectedLength);
    CHECK(pings == 0 && pongs == 0);
}

static void converse(struct client *client, const uint8_t *input, size_t inputLength, int reluctant)
{
    size_t sent = 0, came = 0, all = expectedLength + 6 * (pings + pongs);
    time_t until = seconds_now() + PATIENCE_S;
    while (came < all) {
        uint32_t piece = 1 + random_below(random_below(4) == 0 ? 100 : 600000);
        ssize_t moved;
        if (sent < inputLength) {
            size_t length = inputLength - sent < piece ? inputLength - sent : piece;
            moved = send(client->fd, input + sent, length, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += moved > 0 ? (size_t)moved : 0;
        }
        CHECK_INT(webSocket_server_step(host.server, 0), WEBSOCKET_OK);
        piece = 1 + random_below(reluctant ? 3000 : 300000);
        moved = recv(client->fd, got + came, all - came < piece ? all - came : piece, MSG_DONTWAIT);
        if (moved > 0) {
            came += (size_t)moved;
            until = seconds_now() + PATIENCE_S;
        }
        if (moved == 0 || seconds_now() > until) {
            fprintf(stderr, "%zu bytes of %zu came\n", came, all);
            check_failures++;
            return;
        }
    }
    CHECK_INT(sent, inputLength);
    compare(came);
}

static size_t make_frame(uint8_t *to, uint8_t first, const uint8_t *data, size_t length)
{
    static const uint8_t mask[4] = {0x5a, 0xc3, 0x0f, 0x81};
    size_t head = length < 126 ? 2 : length < 65536 ? 4 : 10;
    memset(to, 0, head);
    to[0] = first;
    to[1] = 0x80 | (length < 126 ? (uint8_t)length : length < 65536 ? 126 : 127);
    for (size_t i = 0; head > 2 && i < 4 && i < head - 2; i++)
        to[head - 1 - i] = (uint8_t)(length >> 8 * i);
    memcpy(to + head, mask, 4);
    for (size_t i = 0; i < length; i++)
        to[head + 4 + i] = data[i] ^ mask[i & 3];
    return head + 4 + length;
}

static void a_round(uint32_t number, int tcp, int reluctant, const char *ops)
{
    static uint8_t data[LONGEST];
    static uint8_t input[(LONGEST + 20) * MESSAGES];
    struct client client;
    size_t inputLength = 0;
    uint8_t byte = foreign[0];
    uint16_t port = 0;
    int messages = check_short() ? MESSAGES / 6 : MESSAGES;
    seed = number;
    expectedLength = pings = pongs = 0;
    refused = 0;
    if (tcp) {
        CHECK_INT(webSocket_server_listen(host.server, "127.0.0.1", 0, &port), WEBSOCKET_OK);
        client_dialled(&client, port);
    } else {
        client_adopted(&host, &client);
    }
    client_open(&host, &client);
    for (int i = 0; i < messages; i++) {
        static const size_t lengths[] = {0, 5, 300, 15000, 16384, 20000, 40000, 65535, 65536, LONGEST};
        /* Long ones mostly, so that what is read at once grows. */
        size_t length = lengths[random_below(3) == 0 ? random_below(10) : 4 + random_below(6)];
        for (size_t k = 0; k < length; k++)
            data[k] = (uint8_t)(seed >> 8 ^ k * 7 ^ k >> 8);
        if (length > 0)
            data[0] = (uint8_t)ops[random_below((uint32_t)strlen(ops))];
        if (random_below(5) == 0) {
            inputLength += make_frame(input + inputLength, 0x89, (const uint8_t *)"mine", 4);
            pongs++;
        }
        if (random_below(6) == 0 && length > 10) { /* assembled elsewhere, in the midst of others */
            inputLength += make_frame(input + inputLength, 0x02, data, length / 3);
            inputLength += make_frame(input + inputLength, 0x80, data + length / 3, length - length / 3);
        } else {
            inputLength += make_frame(input + inputLength, 0x82, data, length);
        }
        expects_answer(data, length, &byte);
    }
    data[0] = 'c';
    inputLength += make_frame(input + inputLength, 0x82, data, 20000);
    expects_answer(data, 20000, &byte);
    converse(&client, input, inputLength, reluctant);
    CHECK_INT(refused, 0);
    client_hangs_up(&client);
}

int main(void)
{
    static const char *const ops[] = {"e", "eeehs", "eeffs", "eepa", "ehtfspa"};
    expected = malloc(EXPECTED);
    got = malloc(EXPECTED);
    if (expected == NULL || got == NULL)
        give_up("memory");
    for (uint32_t i = 0; i < 10; i++) {
        memset(foreign, 100, sizeof foreign);
        CHECK_INT(webSocket_server_new(NULL, answers, NULL, &host.server), WEBSOCKET_OK);
        a_round(i + 1, i % 2 == 0, i >= 5, ops[i % 5]);
        CHECK_INT(webSocket_server_free(host.server), WEBSOCKET_OK);
        if (check_failures != 0) {
            fprintf(stderr, "round %u\n", (unsigned)i);
            break;
        }
    }
    free(expected);
    free(got);
    return check_done("server_lent");
}
