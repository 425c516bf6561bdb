/* Every way to hold it wrong is a result: NULL, freed, garbage, foreign and
 * re-entered handles, two threads, sizes and states that do not fit.
 * Catalogue: AP01-AP10, AP13, AP16, AP17, AP20, AP22, AP27, AP32. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wsembed/websocket.h>

#include "check.h"

static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* A server's end whose handshake is done. */
static webSocket_conn *opened(void)
{
    webSocket_conn *conn;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    uint8_t bytes[sizeof request - 1];
    const uint8_t *data;
    size_t length;
    memcpy(bytes, request, sizeof bytes);
    CHECK_INT(webSocket_conn_newServer(NULL, &conn), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, bytes, sizeof bytes), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.kind, WEBSOCKET_REQUEST);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
    CHECK_INT(event.kind, WEBSOCKET_OPEN);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    CHECK_INT(webSocket_conn_output(conn, &data, &length), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_outputDone(conn, length), WEBSOCKET_OK);
    return conn;
}

/* Every function on one handle: each must give `expected`. */
static void every_function(webSocket_conn *conn, webSocket_result expected)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    uint8_t byte = 0;
    const uint8_t *data = NULL;
    const char *value = NULL;
    size_t length = 0;
    uint64_t deadline = 0;
    CHECK_INT(webSocket_conn_feed(conn, &byte, 1), expected);
    CHECK_INT(webSocket_conn_feedEof(conn), expected);
    CHECK_INT(webSocket_conn_next(conn, &event), expected);
    CHECK_INT(webSocket_conn_accept(conn, NULL), expected);
    CHECK_INT(webSocket_conn_refuse(conn, 403, NULL, 0), expected);
    CHECK_INT(webSocket_conn_addHeader(conn, "X", "y"), expected);
    CHECK_INT(webSocket_conn_requestHeader(conn, "Host", &value, &length), expected);
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_TEXT, &byte, 1), expected);
    CHECK_INT(webSocket_conn_sendChunk(conn, WEBSOCKET_TEXT, &byte, 1, WEBSOCKET_FIRST), expected);
    CHECK_INT(webSocket_conn_close(conn, 1000, NULL), expected);
    CHECK_INT(webSocket_conn_output(conn, &data, &length), expected);
    CHECK_INT(webSocket_conn_outputDone(conn, 0), expected);
    CHECK_INT(webSocket_conn_tick(conn, 1, &deadline), expected);
    CHECK_INT(webSocket_conn_bufferedBytes(conn, &length), expected);
    CHECK_INT(webSocket_conn_failure(conn, &failure), expected);
    CHECK(data == NULL && value == NULL && length == 0 && deadline == 0 && event.kind == 0);
}

static void bad_handles(void)
{
    webSocket_conn *conn = opened();
    webSocket_config *config;
    char on_stack[64];
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);

    every_function(NULL, WEBSOCKET_E_NULL);                          /* AP01 */
    every_function((webSocket_conn *)on_stack, WEBSOCKET_GONE);      /* AP32 */
    every_function((webSocket_conn *)(uintptr_t)1, WEBSOCKET_GONE);
    every_function((webSocket_conn *)UINTPTR_MAX, WEBSOCKET_GONE);
    every_function((webSocket_conn *)(void *)config, WEBSOCKET_GONE);
    CHECK_INT(webSocket_config_setNumber((webSocket_config *)(void *)conn, 1, 1), WEBSOCKET_GONE);
    CHECK_INT(webSocket_conn_free(NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_GONE);          /* AP06 */
    every_function(conn, WEBSOCKET_GONE);                            /* AP07 */

    CHECK_INT(webSocket_config_free(NULL), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_free(config), WEBSOCKET_GONE);
    CHECK_INT(webSocket_config_setNumber(config, 1, 1), WEBSOCKET_GONE);
    CHECK_INT(webSocket_conn_newServer(config, &conn), WEBSOCKET_GONE);
}

static void reused_slots(void) /* AP08 */
{
    webSocket_conn *stale[200];
    size_t i, j;
    for (i = 0; i < 200; i++) {
        CHECK_INT(webSocket_conn_newServer(NULL, &stale[i]), WEBSOCKET_OK);
        for (j = 0; j < i; j++)
            CHECK_INT(webSocket_conn_feedEof(stale[j]), WEBSOCKET_GONE);
        CHECK_INT(webSocket_conn_free(stale[i]), WEBSOCKET_OK);
    }
}

static void bad_arguments(void)
{
    webSocket_conn *conn = opened(), *other = NULL;
    webSocket_config *config;
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_failure failure = WEBSOCKET_FAILURE_INIT;
    uint8_t byte = 'x';
    const uint8_t *data;
    size_t length;

    CHECK_INT(webSocket_config_new(NULL), WEBSOCKET_E_NULL);       /* AP03 */
    CHECK_INT(webSocket_config_new(&config), WEBSOCKET_OK);
    CHECK_INT(webSocket_config_setNumber(config, 0, 1), WEBSOCKET_E_OPTION);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, 0), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_lastFailure(&failure), WEBSOCKET_OK);
    CHECK_INT(failure.result, WEBSOCKET_E_RANGE);
    CHECK(failure.stage == WEBSOCKET_STAGE_USAGE && failure.text[0] != '\0');
    CHECK_INT(webSocket_config_addText(config, WEBSOCKET_HEADER, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_config_addText(config, WEBSOCKET_HEADER, "\xff: x"), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_config_addText(config, WEBSOCKET_HEADER, "Host: x"), WEBSOCKET_E_HEADER);
    CHECK_INT(webSocket_config_setNumber(config, WEBSOCKET_ACCEPT_UNMASKED, 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_newClient(config, "ws://h/", &other), WEBSOCKET_E_OPTION);
    CHECK(other == NULL);
    webSocket_config_free(config);

    CHECK_INT(webSocket_conn_newServer(NULL, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_newClient(NULL, "ws://h/", NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_newClient(NULL, NULL, &other), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_newClient(NULL, "http://h/", &other), WEBSOCKET_E_URL);
    CHECK_INT(webSocket_conn_newClient(NULL, "ws://h/\r\nX: y", &other), WEBSOCKET_E_URL);
    CHECK_INT(webSocket_conn_newClient(NULL, "ws://h:65536/", &other), WEBSOCKET_E_URL);
    CHECK(other == NULL);

    CHECK_INT(webSocket_conn_feed(conn, NULL, 1), WEBSOCKET_E_NULL); /* AP02 */
    CHECK_INT(webSocket_conn_feed(conn, NULL, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, &byte, SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG); /* AP20 */
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_TEXT, NULL, 1), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_TEXT, &byte, SIZE_MAX), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_TEXT, &byte, SIZE_MAX / 2 + 1), WEBSOCKET_E_SEND_TOO_BIG);
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_TEXT, (const uint8_t *)"\xff", 1), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_conn_send(conn, 0, &byte, 1), WEBSOCKET_E_USAGE); /* AP22 */
    CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_CLOSE, &byte, 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_send(conn, 0xFFFFFFFF, &byte, 1), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_sendChunk(conn, WEBSOCKET_PING, &byte, 1, 3), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_sendChunk(conn, WEBSOCKET_TEXT, &byte, 1, 4), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_sendChunk(conn, WEBSOCKET_TEXT, &byte, 1, 0), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_conn_close(conn, 1005, NULL), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_conn_close(conn, 1006, NULL), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_conn_close(conn, 70000, NULL), WEBSOCKET_E_RANGE);
    CHECK_INT(webSocket_conn_close(conn, 1000, "\xff"), WEBSOCKET_E_SEND_UTF8);
    CHECK_INT(webSocket_conn_accept(conn, NULL), WEBSOCKET_E_STATE);
    CHECK_INT(webSocket_conn_output(conn, NULL, &length), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_output(conn, &data, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_outputDone(conn, 1000), WEBSOCKET_E_USAGE);
    CHECK_INT(webSocket_conn_bufferedBytes(conn, NULL), WEBSOCKET_E_NULL);
    CHECK_INT(webSocket_conn_next(conn, NULL), WEBSOCKET_E_NULL);
    event.size = sizeof event - 1; /* AP04, AP05 */
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_E_STRUCT_SIZE);
    event.size = 0;
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_E_STRUCT_SIZE);
    event.size = sizeof event + 100; /* a newer header's: only ours is written */
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    failure.size = 7;
    CHECK_INT(webSocket_conn_failure(conn, &failure), WEBSOCKET_E_STRUCT_SIZE);
    CHECK_INT(webSocket_lastFailure(&failure), WEBSOCKET_E_STRUCT_SIZE);
    CHECK_INT(webSocket_lastFailure(NULL), WEBSOCKET_E_NULL);

    /* What was fed is ours until it is read: no second loan meanwhile. */
    CHECK_INT(webSocket_conn_feed(conn, &byte, 1), WEBSOCKET_OK);
    CHECK_INT(webSocket_conn_feed(conn, &byte, 1), WEBSOCKET_E_STATE);
    webSocket_conn_free(conn);
}

/* AP13, AP11: the log hook is a callback on the handle's own call. */
static webSocket_conn *logged;
static int lines, freed_inside;

static void on_log(void *user, int32_t level, const char *text)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    CHECK(user == &lines && level == WEBSOCKET_LOG_WARNING && text[0] != '\0');
    lines++;
    CHECK_INT(webSocket_conn_next(logged, &event), WEBSOCKET_E_REENTRY);
    CHECK_INT(webSocket_conn_send(logged, WEBSOCKET_TEXT, NULL, 0), WEBSOCKET_E_REENTRY);
    if (freed_inside) {
        CHECK_INT(webSocket_conn_free(logged), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_free(logged), WEBSOCKET_GONE);
    }
}

static void re_entry(void)
{
    uint8_t bad[] = {0xFF, 0xFF};
    CHECK_INT(webSocket_setLog(on_log, &lines), WEBSOCKET_OK);
    for (freed_inside = 0; freed_inside < 2; freed_inside++) {
        webSocket_event event = WEBSOCKET_EVENT_INIT;
        logged = opened();
        lines = 0;
        CHECK_INT(webSocket_conn_feed(logged, bad, sizeof bad), WEBSOCKET_OK);
        CHECK_INT(webSocket_conn_next(logged, &event), WEBSOCKET_OK);
        CHECK_INT(event.kind, WEBSOCKET_CLOSE);
        CHECK_INT(lines, 1);
        CHECK_INT(webSocket_conn_free(logged), freed_inside ? WEBSOCKET_GONE : WEBSOCKET_OK);
    }
    CHECK_INT(webSocket_setLog(NULL, NULL), WEBSOCKET_OK);
}

/* AP16, AP17: two threads on one handle; one of them frees it. */
static void *hammer(void *user)
{
    webSocket_conn *conn = user;
    long done = 0;
    for (;;) {
        webSocket_result result = webSocket_conn_send(conn, WEBSOCKET_PING, NULL, 0);
        if (result == WEBSOCKET_GONE)
            return (void *)done;
        CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_E_BUSY || result == WEBSOCKET_FULL);
        done += result == WEBSOCKET_OK;
    }
}

static void two_threads(void)
{
    int round;
    for (round = 0; round < 30; round++) {
        webSocket_conn *conn = opened();
        pthread_t threads[3];
        size_t i;
        for (i = 0; i < 3; i++)
            CHECK_INT(pthread_create(&threads[i], NULL, hammer, conn), 0);
        for (i = 0; i < 200; i++) {
            const uint8_t *data;
            size_t length;
            webSocket_conn_output(conn, &data, &length);
        }
        while (webSocket_conn_free(conn) == WEBSOCKET_E_BUSY) {
        }
        for (i = 0; i < 3; i++)
            CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
}

/* AP27: every alignment, a buffer that ends at a page that may not be read, a
 * message to send that may not be written. */
static void page_borders(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), offset, length;
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_INT(mprotect(pages + page, page, PROT_NONE), 0);
    for (offset = 0; offset < 16; offset++) {
        for (length = 0; length < 120; length++) {
            webSocket_conn *conn = opened();
            webSocket_event event = WEBSOCKET_EVENT_INIT;
            const uint8_t *data;
            size_t queued, i;
            uint8_t *frame = pages + page - 6 - length - (length % 2 ? offset : 0);
            frame[0] = 0x82;
            frame[1] = (uint8_t)(0x80 | length);
            memcpy(frame + 2, "\x01\x02\x03\x04", 4);
            for (i = 0; i < length; i++)
                frame[6 + i] = (uint8_t)(i ^ (i % 4 + 1));
            CHECK_INT(webSocket_conn_feed(conn, frame, 6 + length), WEBSOCKET_OK);
            CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_OK);
            CHECK_INT(event.length, length);
            for (i = 0; i < length; i++)
                CHECK_INT(event.data[i], i);
            CHECK_INT(mprotect(pages, page, PROT_READ), 0);
            CHECK_INT(webSocket_conn_send(conn, WEBSOCKET_BINARY, event.data, event.length), 0);
            CHECK_INT(mprotect(pages, page, PROT_READ | PROT_WRITE), 0);
            CHECK_INT(webSocket_conn_output(conn, &data, &queued), WEBSOCKET_OK);
            CHECK_INT(queued, 2 + length);
            webSocket_conn_free(conn);
        }
    }
    munmap(pages, 2 * page);
}

int main(void)
{
    bad_handles();
    reused_slots();
    bad_arguments();
    re_entry();
    two_threads();
    page_borders();
    CHECK(strcmp(webSocket_result_name(WEBSOCKET_E_UTF8), "WEBSOCKET_E_UTF8") == 0);
    CHECK(strcmp(webSocket_result_name(12345), "WEBSOCKET_?") == 0);
    CHECK(webSocket_result_text(WEBSOCKET_FULL)[0] != '\0');
    CHECK(!webSocket_result_isFatal(WEBSOCKET_AGAIN) && webSocket_result_isFatal(WEBSOCKET_E_UTF8));
    return check_done("conn_misuse");
}
