/*
 * The public structs are laid out as promised (that this compiles shows it), and
 * the library that is linked takes them at exactly that size. The version in
 * the header is that of the library.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "layout.h"

#include <stdint.h>

#include "check.h"

static void the_event_is_taken_at_its_size(void)
{
    webSocket_event event = WEBSOCKET_EVENT_INIT;
    webSocket_conn *conn;
    CHECK_INT(webSocket_conn_newServer(NULL, &conn), WEBSOCKET_OK);
    CHECK_INT(event.size, sizeof event);
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_AGAIN);
    event.size = sizeof event - 1;
    CHECK_INT(webSocket_conn_next(conn, &event), WEBSOCKET_E_STRUCT_SIZE);
    CHECK_INT(webSocket_conn_free(conn), WEBSOCKET_OK);
}

static void the_failure_is_written_up_to_its_size(void)
{
    struct {
        webSocket_failure failure;
        uint8_t behind[16];
    } place;
    size_t i;
    memset(&place, 0x5A, sizeof place);
    place.failure.size = sizeof place.failure;
    CHECK_INT(webSocket_lastFailure(&place.failure), WEBSOCKET_OK);
    CHECK_INT(place.failure.size, sizeof place.failure);
    CHECK_INT(place.failure.stage, WEBSOCKET_STAGE_NONE);
    CHECK_INT(place.failure.answer[sizeof place.failure.answer - 1], 0);
    for (i = 0; i < sizeof place.behind; i++)
        CHECK_INT(place.behind[i], 0x5A);
    place.failure.size = sizeof place.failure - 1;
    CHECK_INT(webSocket_lastFailure(&place.failure), WEBSOCKET_E_STRUCT_SIZE);
}

static void the_versions_agree(void)
{
    char header[48];
    snprintf(header, sizeof header, "%d.%d.%d", WEBSOCKET_VERSION_MAJOR, WEBSOCKET_VERSION_MINOR,
             WEBSOCKET_VERSION_PATCH);
    CHECK(strcmp(header, webSocket_version()) == 0);
}

int main(void)
{
    the_event_is_taken_at_its_size();
    the_failure_is_written_up_to_its_size();
    the_versions_agree();
    return check_done("layout");
}
