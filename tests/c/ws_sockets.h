/* Receiving, and all that it says, for the tests of generation 2. */
#ifndef WSEMBED_TEST_WS_SOCKETS_H
#define WSEMBED_TEST_WS_SOCKETS_H

#include "sockets.h"
#include "ws_com.h"

/* A receive on a filled-in buffer. */
struct outcome {
    int result;
    Ws_DataType type;
    char data[2048];
};

static inline void hear(int fd, int room, struct outcome *out) {
    int at = room > 0 ? room : 0, touched = 0;
    memset(out->data, 0x5A, sizeof out->data);
    out->type = (Ws_DataType)77;
    out->result = ws_recv(fd, out->data, room, &out->type);
    /* Nothing behind the room may be touched; a NUL behind a payload. */
    for (; at < (int)sizeof out->data; at++) {
        touched |= out->data[at] != 0x5A;
    }
    CHECK(!touched);
    if (out->result > 0 && out->result < room) {
        CHECK_INT(out->data[out->result], 0);
    }
}

#define EXPECT(out, result_, type_)      \
    do {                                 \
        CHECK_INT((out).result, (result_)); \
        CHECK_INT((out).type, (type_));  \
    } while (0)

#define EXPECT_TEXT(out, text, type_)                    \
    do {                                                 \
        EXPECT(out, (int)sizeof(text) - 1, type_);       \
        CHECK_BYTES((out).data, text, sizeof(text));     \
    } while (0)

#endif
