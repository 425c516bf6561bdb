/*
 * Size and offsets of every public struct, on 32-bit and on 64-bit machines: a
 * change of the ABI does not compile. src/ffi/layout.rs holds the same rows
 * against what Rust believes. Includes nothing but the library's header, so
 * that it compiles for machines whose C library is not here.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WSEMBED_TEST_LAYOUT_H
#define WSEMBED_TEST_LAYOUT_H

#include <wsembed/websocket.h>

#define SAME(name, have, want32, want64) \
    typedef char name##_is_as_promised[(have) == (sizeof(void *) == 4 ? (want32) : (want64)) ? 1 : -1];
#define SIZE(type, want32, want64) SAME(type, sizeof(type), want32, want64)
#define AT(type, field, want32, want64) SAME(type##_##field, offsetof(type, field), want32, want64)

SIZE(webSocket_result, 4, 4)
SIZE(webSocket_peer, 8, 8)

SIZE(webSocket_event, 56, 72)
AT(webSocket_event, size, 0, 0)
AT(webSocket_event, kind, 4, 8)
AT(webSocket_event, flags, 8, 12)
AT(webSocket_event, data, 12, 16)
AT(webSocket_event, length, 16, 24)
AT(webSocket_event, peerUser, 20, 32)
AT(webSocket_event, offset, 24, 40)
AT(webSocket_event, frameRemaining, 32, 48)
AT(webSocket_event, peer, 40, 56)
AT(webSocket_event, closeCode, 48, 64)
AT(webSocket_event, result, 52, 68)

SIZE(webSocket_failure, 444, 448)
AT(webSocket_failure, size, 0, 0)
AT(webSocket_failure, stage, 4, 8)
AT(webSocket_failure, result, 8, 12)
AT(webSocket_failure, systemError, 12, 16)
AT(webSocket_failure, httpStatus, 16, 20)
AT(webSocket_failure, closeCode, 20, 24)
AT(webSocket_failure, answerLength, 24, 28)
AT(webSocket_failure, text, 28, 32)
AT(webSocket_failure, answer, 188, 192)

SIZE(webSocket_frame, 80, 96)
AT(webSocket_frame, size, 0, 0)
AT(webSocket_frame, data, 4, 8)
AT(webSocket_frame, length, 8, 16)
AT(webSocket_frame, headerLength, 12, 24)
AT(webSocket_frame, offset, 16, 32)
AT(webSocket_frame, payloadLength, 24, 40)
AT(webSocket_frame, pieceOffset, 32, 48)
AT(webSocket_frame, remaining, 40, 56)
AT(webSocket_frame, flags, 48, 64)
AT(webSocket_frame, problems, 52, 68)
AT(webSocket_frame, opcode, 56, 72)
AT(webSocket_frame, closeCode, 60, 76)
AT(webSocket_frame, lengthBits, 64, 80)
AT(webSocket_frame, masked, 68, 84)
AT(webSocket_frame, maskKey, 72, 88)
AT(webSocket_frame, fin, 76, 92)
AT(webSocket_frame, rsv1, 77, 93)
AT(webSocket_frame, rsv2, 78, 94)
AT(webSocket_frame, rsv3, 79, 95)

SIZE(webSocket_peerInfo, 432, 440)
AT(webSocket_peerInfo, size, 0, 0)
AT(webSocket_peerInfo, targetLength, 4, 8)
AT(webSocket_peerInfo, messagesIn, 8, 16)
AT(webSocket_peerInfo, messagesOut, 16, 24)
AT(webSocket_peerInfo, bytesIn, 24, 32)
AT(webSocket_peerInfo, bytesOut, 32, 40)
AT(webSocket_peerInfo, roundTripMs, 40, 48)
AT(webSocket_peerInfo, port, 44, 52)
AT(webSocket_peerInfo, address, 48, 56)
AT(webSocket_peerInfo, subprotocol, 112, 120)
AT(webSocket_peerInfo, target, 176, 184)

SIZE(webSocket_statistics, 64, 80)
AT(webSocket_statistics, size, 0, 0)
AT(webSocket_statistics, peers, 4, 8)
AT(webSocket_statistics, handshakes, 8, 16)
AT(webSocket_statistics, threads, 12, 24)
AT(webSocket_statistics, accepted, 16, 32)
AT(webSocket_statistics, refused, 24, 40)
AT(webSocket_statistics, messagesIn, 32, 48)
AT(webSocket_statistics, messagesOut, 40, 56)
AT(webSocket_statistics, bytesIn, 48, 64)
AT(webSocket_statistics, bytesOut, 56, 72)

#endif
