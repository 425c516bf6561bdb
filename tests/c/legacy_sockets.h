/* Receiving, and all that it says, for the tests of generation 1. */
#ifndef WSEMBED_TEST_LEGACY_SOCKETS_H
#define WSEMBED_TEST_LEGACY_SOCKETS_H

#include "sockets.h"
#include "websocket_common_extra.h"

/* A receive on a filled-in buffer, with all that it says. */
struct outcome {
    int result, error, touched;
    WebsocketData_Type type;
    char data[70000];
};

static inline void receive(int fd, int room, struct outcome *out) {
    int at;
    memset(out->data, 0x5A, sizeof out->data);
    out->type = (WebsocketData_Type)77;
    errno = 4242;
    out->result = webSocket_recv(fd, out->data, room, &out->type);
    out->error = errno;
    /* Nothing behind the room may be touched; nothing behind a payload. */
    at = out->result > 0 ? out->result : room > 0 ? room : 0;
    for (out->touched = 0; at < (int)sizeof out->data; at++) {
        out->touched |= out->data[at] != 0x5A;
    }
    CHECK(!out->touched);
    if (out->result > 0) {
        CHECK_INT(out->error, 4242);
    }
}

#define EXPECT(out, result_, type_, error_)          \
    do {                                             \
        CHECK_INT((out).result, (result_));          \
        CHECK_INT((out).type, (type_));              \
        if ((result_) <= 0) {                        \
            CHECK_INT((out).error, (error_));        \
        }                                            \
    } while (0)

#endif
