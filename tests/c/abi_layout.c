/* The layout of the sized structs, as docs/abi.md promises it: asserted by the
 * compiler, for whichever machine it compiles. */
#include <wsembed/websocket.h>

#include "check.h"

#define IS(name, wide, narrow) \
    typedef char name[(sizeof(void *) == 8 ? (wide) : (narrow)) ? 1 : -1]
#define AT(type, field, wide, narrow) \
    IS(type##_##field, offsetof(type, field) == (wide), offsetof(type, field) == (narrow))

AT(webSocket_event, size, 0, 0);
AT(webSocket_event, kind, 8, 4);
AT(webSocket_event, flags, 12, 8);
AT(webSocket_event, data, 16, 12);
AT(webSocket_event, length, 24, 16);
AT(webSocket_event, peerUser, 32, 20);
AT(webSocket_event, offset, 40, 24);
AT(webSocket_event, frameRemaining, 48, 32);
AT(webSocket_event, peer, 56, 40);
AT(webSocket_event, closeCode, 64, 48);
AT(webSocket_event, result, 68, 52);
IS(event_whole, sizeof(webSocket_event) == 72, sizeof(webSocket_event) == 56);

AT(webSocket_failure, size, 0, 0);
AT(webSocket_failure, stage, 8, 4);
AT(webSocket_failure, result, 12, 8);
AT(webSocket_failure, systemError, 16, 12);
AT(webSocket_failure, httpStatus, 20, 16);
AT(webSocket_failure, closeCode, 24, 20);
AT(webSocket_failure, answerLength, 28, 24);
AT(webSocket_failure, text, 32, 28);
AT(webSocket_failure, answer, 192, 188);
IS(failure_whole, sizeof(webSocket_failure) == 448, sizeof(webSocket_failure) == 444);

IS(widths, sizeof(webSocket_result) == 4 && sizeof(webSocket_peer) == 8,
   sizeof(webSocket_result) == 4 && sizeof(webSocket_peer) == 8);

/* What a program of another version sees: a size that the library does not
 * know is refused, a larger one keeps what is behind. */
static void sizes(void) {
    struct {
        webSocket_failure failure;
        unsigned char more[32];
    } newer;
    webSocket_failure older = WEBSOCKET_FAILURE_INIT;
    unsigned char untouched[32];
    memset(untouched, 0x5A, sizeof untouched);
    memset(&newer, 0x5A, sizeof newer);
    newer.failure.size = sizeof newer;
    CHECK_INT(webSocket_lastFailure(&newer.failure), WEBSOCKET_OK);
    CHECK_INT(newer.failure.size, sizeof newer);
    CHECK_INT(newer.failure.stage, WEBSOCKET_STAGE_NONE);
    CHECK_BYTES(newer.more, untouched, sizeof untouched);
    older.size--;
    older.stage = 77;
    CHECK_INT(webSocket_lastFailure(&older), WEBSOCKET_E_STRUCT_SIZE);
    CHECK_INT(older.stage, 77);
}

int main(void) {
    sizes();
    return check_done("abi_layout");
}
