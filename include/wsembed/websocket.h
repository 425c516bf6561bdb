/*
 * wsembed: WebSocket (RFC 6455) for C programs on embedded Linux.
 *
 * Generated from the sources of the library; do not edit.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef WSEMBED_WEBSOCKET_H
#define WSEMBED_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

/**
 * The major version of this header.
 */
#define WEBSOCKET_VERSION_MAJOR 0

/**
 * The minor version of this header.
 */
#define WEBSOCKET_VERSION_MINOR 1

/**
 * The patch version of this header.
 */
#define WEBSOCKET_VERSION_PATCH 0

/**
 * Done.
 */
#define WEBSOCKET_OK 0

/**
 * Nothing to report before more bytes are fed.
 */
#define WEBSOCKET_AGAIN -1

/**
 * The connection is over; nothing can be sent or received any more.
 */
#define WEBSOCKET_CLOSED -2

/**
 * The send queue is at its limit; nothing was queued.
 */
#define WEBSOCKET_FULL -3

/**
 * The handle was freed, or never was one.
 */
#define WEBSOCKET_GONE -4

/**
 * A deadline passed.
 */
#define WEBSOCKET_TIMEOUT -5

/**
 * An argument has no valid meaning.
 */
#define WEBSOCKET_E_USAGE -100

/**
 * A required pointer is NULL.
 */
#define WEBSOCKET_E_NULL -101

/**
 * Another thread is inside a call on this handle.
 */
#define WEBSOCKET_E_BUSY -102

/**
 * The call was made from a callback of the same handle.
 */
#define WEBSOCKET_E_REENTRY -103

/**
 * The call does not fit the state of the connection or of a fragmented message.
 */
#define WEBSOCKET_E_STATE -104

/**
 * A struct's `size` field names no version that this library knows.
 */
#define WEBSOCKET_E_STRUCT_SIZE -105

/**
 * No such option, or it does not apply to this kind of handle.
 */
#define WEBSOCKET_E_OPTION -106

/**
 * A value is outside the option's range.
 */
#define WEBSOCKET_E_RANGE -107

/**
 * The URL cannot be understood.
 */
#define WEBSOCKET_E_URL -108

/**
 * A header's name or value cannot be sent, or is one that the library sends itself.
 */
#define WEBSOCKET_E_HEADER -109

/**
 * Text or a close reason to be sent is not UTF-8.
 */
#define WEBSOCKET_E_SEND_UTF8 -110

/**
 * A message or payload to be sent is larger than allowed.
 */
#define WEBSOCKET_E_SEND_TOO_BIG -111

/**
 * The subprotocol chosen was not offered by the client.
 */
#define WEBSOCKET_E_SUBPROTOCOL_CHOICE -112

/**
 * The limits of a connection come to more than `WEBSOCKET_MEMORY_BYTES`.
 */
#define WEBSOCKET_E_LIMITS -113

/**
 * A reserved bit is set (RFC 6455 5.2).
 */
#define WEBSOCKET_E_RESERVED_BITS -200

/**
 * A reserved opcode (RFC 6455 5.2).
 */
#define WEBSOCKET_E_OPCODE -201

/**
 * An unmasked frame from a client, or a masked one from a server (RFC 6455 5.1).
 */
#define WEBSOCKET_E_MASKING -202

/**
 * A length that is not in its shortest form, or has its top bit set (RFC 6455 5.2).
 */
#define WEBSOCKET_E_LENGTH -203

/**
 * A control frame that is fragmented or longer than 125 bytes (RFC 6455 5.5).
 */
#define WEBSOCKET_E_CONTROL_FRAME -204

/**
 * A continuation without a message, or a new message inside one (RFC 6455 5.4).
 */
#define WEBSOCKET_E_CONTINUATION -205

/**
 * A close frame with a one-byte body or a code that may not be sent (RFC 6455 7.4).
 */
#define WEBSOCKET_E_CLOSE_FRAME -206

/**
 * Text or a close reason that is not UTF-8 (RFC 6455 8.1).
 */
#define WEBSOCKET_E_UTF8 -207

/**
 * A message over the limit.
 */
#define WEBSOCKET_E_MESSAGE_TOO_BIG -208

/**
 * A frame over the limit.
 */
#define WEBSOCKET_E_FRAME_TOO_BIG -209

/**
 * A message of too many fragments.
 */
#define WEBSOCKET_E_TOO_MANY_FRAGMENTS -210

/**
 * Not HTTP/1.1 as RFC 9112 defines it.
 */
#define WEBSOCKET_E_HTTP_SYNTAX -300

/**
 * A head over its byte or line limit.
 */
#define WEBSOCKET_E_HTTP_TOO_BIG -301

/**
 * Another HTTP version than 1.1.
 */
#define WEBSOCKET_E_HTTP_VERSION -302

/**
 * Another method than GET.
 */
#define WEBSOCKET_E_HTTP_METHOD -303

/**
 * A request target in a form that a WebSocket request cannot have.
 */
#define WEBSOCKET_E_HTTP_TARGET -304

/**
 * Host is missing, doubled or malformed.
 */
#define WEBSOCKET_E_HTTP_HOST -305

/**
 * A request with a body.
 */
#define WEBSOCKET_E_HTTP_BODY -306

/**
 * The server answered with another status than 101.
 */
#define WEBSOCKET_E_HTTP_STATUS -307

/**
 * Upgrade or Connection is missing or names something else.
 */
#define WEBSOCKET_E_UPGRADE -308

/**
 * Sec-WebSocket-Version is not 13.
 */
#define WEBSOCKET_E_VERSION -309

/**
 * Sec-WebSocket-Key is missing, doubled or does not decode to 16 bytes.
 */
#define WEBSOCKET_E_KEY -310

/**
 * Sec-WebSocket-Accept does not answer our key.
 */
#define WEBSOCKET_E_ACCEPT -311

/**
 * A malformed subprotocol list, or an answer that was not offered.
 */
#define WEBSOCKET_E_SUBPROTOCOL -312

/**
 * The server answered with an extension that was not offered.
 */
#define WEBSOCKET_E_EXTENSION -313

/**
 * The Origin is not allowed.
 */
#define WEBSOCKET_E_ORIGIN -314

/**
 * The program refused the request.
 */
#define WEBSOCKET_E_REFUSED -315

/**
 * The transport ended without a close frame.
 */
#define WEBSOCKET_E_CONNECTION_LOST -400

/**
 * An address cannot be listened on or connected from: it is taken, not
 * allowed, or not this machine's.
 */
#define WEBSOCKET_E_ADDRESS -401

/**
 * The kernel refused a call; errno tells which error it gave.
 */
#define WEBSOCKET_E_SYSTEM -402

/**
 * An allocation failed.
 */
#define WEBSOCKET_E_MEMORY -700

/**
 * The kernel gave no random bytes.
 */
#define WEBSOCKET_E_RANDOM -701

/**
 * No handle is free.
 */
#define WEBSOCKET_E_HANDLES -702

/**
 * A defect of the library, stopped at its boundary.
 */
#define WEBSOCKET_E_INTERNAL -900

/**
 * Something failed.
 */
#define WEBSOCKET_LOG_ERROR 1

/**
 * A peer was refused or cut off.
 */
#define WEBSOCKET_LOG_WARNING 2

/**
 * The largest message in bytes, whole or in chunks; a larger one fails the
 * connection with 1009. Default 16 MiB.
 */
#define WEBSOCKET_MAX_MESSAGE_BYTES 1

/**
 * The largest payload of one frame in bytes; a larger one fails the
 * connection with 1009 as soon as its header is read. Default 16 MiB.
 */
#define WEBSOCKET_MAX_FRAME_BYTES 2

/**
 * The most frames of one message; more fail the connection with 1009.
 * Default 1048576.
 */
#define WEBSOCKET_MAX_FRAGMENTS 3

/**
 * Messages of more bytes than this are handed out in chunks as they arrive,
 * so that memory stays flat; 0: all but empty ones. Default: never.
 */
#define WEBSOCKET_CHUNK_ABOVE_BYTES 4

/**
 * The most bytes that may wait to be sent; beyond them a send is refused with
 * `WEBSOCKET_FULL`. Default 32 MiB.
 */
#define WEBSOCKET_SEND_QUEUE_BYTES 5

/**
 * 1: a server takes frames that are not masked, which RFC 6455 5.1 forbids
 * and devices that run the old helper send. Default 0.
 */
#define WEBSOCKET_ACCEPT_UNMASKED 6

/**
 * The most bytes of the peer's HTTP head. Default 8 KiB.
 */
#define WEBSOCKET_MAX_HEADER_BYTES 7

/**
 * The most lines of the peer's HTTP head. Default 100.
 */
#define WEBSOCKET_MAX_HEADERS 8

/**
 * Milliseconds from the first tick to the end of the handshake, in all; 0: no
 * deadline. Default 10000.
 */
#define WEBSOCKET_HANDSHAKE_TIMEOUT_MS 9

/**
 * Milliseconds for the closing handshake and for sending what is queued at
 * the end; 0: no deadline. Default 5000.
 */
#define WEBSOCKET_CLOSE_TIMEOUT_MS 10

/**
 * Milliseconds of silence after which the peer is pinged; 0: never.
 * Default 0.
 */
#define WEBSOCKET_PING_INTERVAL_MS 11

/**
 * Milliseconds that the peer has to answer such a ping; 0: for ever.
 * Default 20000.
 */
#define WEBSOCKET_PONG_TIMEOUT_MS 12

/**
 * Milliseconds of silence after which the connection is closed with 1001; 0:
 * never. Default 0.
 */
#define WEBSOCKET_IDLE_TIMEOUT_MS 13

/**
 * Loops of a server, each on a thread of its own; more than one need
 * `webSocket_server_start`. Default 1.
 */
#define WEBSOCKET_THREADS 14

/**
 * Peers that a server has at a time; more are answered 503. Default 10000.
 */
#define WEBSOCKET_MAX_CONNECTIONS 15

/**
 * Peers of one address (of IPv6: of one /64 network) at a time; more are
 * answered 503; 0: no limit but the server's own. Default 0.
 */
#define WEBSOCKET_MAX_CONNECTIONS_PER_ADDRESS 16

/**
 * Peers whose handshake is not over; more are answered 503. Default 1000.
 */
#define WEBSOCKET_MAX_HANDSHAKES 17

/**
 * What a server does with a message when too much waits for its peer:
 * `WEBSOCKET_OVERFLOW_REFUSE` and the like. Default 0.
 */
#define WEBSOCKET_OVERFLOW 18

/**
 * Connections that may wait to be accepted; the kernel may allow fewer.
 * Default 1024.
 */
#define WEBSOCKET_BACKLOG 19

/**
 * Seconds of silence after which the kernel looks whether a peer is still
 * there (TCP keepalive); 0: never. Default 0.
 */
#define WEBSOCKET_KEEPALIVE_SECONDS 20

/**
 * Milliseconds that peers have to close when a server stops. Default 5000.
 */
#define WEBSOCKET_STOP_TIMEOUT_MS 21

/**
 * All bytes of memory that one connection can make us hold, whatever its peer
 * does. Limits that are not set get their shares of it (a third for a message
 * being assembled, the rest for what waits to be sent), never more than their
 * defaults; limits that are set and do not fit are refused when the handle is
 * made (`WEBSOCKET_E_LIMITS`). What counts: the message, the send queue (one
 * and a half times, as its buffer grows in steps; two and a half times where
 * `WEBSOCKET_OVERFLOW` drops or closes), and 16 KiB for the rest; before that
 * the handshake's head. At least 65536; 0: what the other limits come to.
 * Default 0.
 */
#define WEBSOCKET_MEMORY_BYTES 22

/**
 * Milliseconds that a send may wait for room (`WEBSOCKET_OVERFLOW_BLOCK`).
 * Default 5000.
 */
#define WEBSOCKET_BLOCK_TIMEOUT_MS 23

/**
 * `WEBSOCKET_OVERFLOW`: the message is refused with `WEBSOCKET_FULL`.
 */
#define WEBSOCKET_OVERFLOW_REFUSE 0

/**
 * `WEBSOCKET_OVERFLOW`: the oldest messages that wait are dropped for it.
 */
#define WEBSOCKET_OVERFLOW_DROP_OLDEST 1

/**
 * `WEBSOCKET_OVERFLOW`: it replaces all messages that wait, whether or not
 * there is room.
 */
#define WEBSOCKET_OVERFLOW_KEEP_LATEST 2

/**
 * `WEBSOCKET_OVERFLOW`: the connection is closed with 1013.
 */
#define WEBSOCKET_OVERFLOW_CLOSE 3

/**
 * `WEBSOCKET_OVERFLOW`: `webSocket_server_send` waits for room, up to
 * `WEBSOCKET_BLOCK_TIMEOUT_MS`, then refuses the message with
 * `WEBSOCKET_FULL`. Only a loop makes room, so that a thread that turns one
 * (in a callback, or between its own steps) is refused at once.
 */
#define WEBSOCKET_OVERFLOW_BLOCK 4

/**
 * A header line, `"Name: value"`, that goes into our request or answer. A
 * list.
 */
#define WEBSOCKET_HEADER 100

/**
 * A subprotocol: offered by a client, supported by a server (which takes the
 * first one offered that it supports). A list.
 */
#define WEBSOCKET_SUBPROTOCOL 101

/**
 * A server allows browsers from this Origin besides its own host (`"*"`: from
 * any; scheme, host and port count, `null` is as it is); a client sends the
 * first. A list.
 */
#define WEBSOCKET_ORIGIN 102

/**
 * A client asks to connect (`data`: path and query); accept or refuse.
 */
#define WEBSOCKET_REQUEST 1

/**
 * The connection is open (`data`: the subprotocol agreed on, or nothing).
 */
#define WEBSOCKET_OPEN 2

/**
 * A text message, or a chunk of one.
 */
#define WEBSOCKET_TEXT 3

/**
 * A binary message, or a chunk of one.
 */
#define WEBSOCKET_BINARY 4

/**
 * A ping (`data`: its payload); its pong is queued already.
 */
#define WEBSOCKET_PING 5

/**
 * A pong (`data`: its payload).
 */
#define WEBSOCKET_PONG 6

/**
 * Of a server: all that waited for a peer has been sent, after a message was
 * refused (`WEBSOCKET_FULL`) or so much waited that nothing more was read from
 * it: sending may go on.
 */
#define WEBSOCKET_DRAIN 7

/**
 * The connection is over (`data`: the peer's reason); comes exactly once.
 */
#define WEBSOCKET_CLOSE 9

/**
 * The first chunk of its message; the first piece of its `webSocket_frame`.
 */
#define WEBSOCKET_FIRST 1

/**
 * The last chunk of its message; the last piece of its `webSocket_frame`.
 */
#define WEBSOCKET_FINAL 2

/**
 * Of `WEBSOCKET_CLOSE`: the peer's close frame began it.
 */
#define WEBSOCKET_BY_PEER 4

/**
 * Nothing failed.
 */
#define WEBSOCKET_STAGE_NONE 0

/**
 * A call was not understood, or its handle is gone; nothing was changed.
 */
#define WEBSOCKET_STAGE_USAGE 1

/**
 * The opening handshake (HTTP).
 */
#define WEBSOCKET_STAGE_HANDSHAKE 6

/**
 * The WebSocket protocol, after the handshake.
 */
#define WEBSOCKET_STAGE_PROTOCOL 7

/**
 * The transport ended.
 */
#define WEBSOCKET_STAGE_CLOSED 8

/**
 * A deadline passed.
 */
#define WEBSOCKET_STAGE_TIMEOUT 9

/**
 * Memory, random bytes, handles; or a defect of the library.
 */
#define WEBSOCKET_STAGE_RESOURCES 10

/**
 * The kernel refused a call, such as one to listen (`systemError` tells why).
 */
#define WEBSOCKET_STAGE_SYSTEM 11

/**
 * A reserved bit that no extension uses (RFC 6455 5.2).
 */
#define WEBSOCKET_PROBLEM_RESERVED_BITS 1

/**
 * A reserved opcode (RFC 6455 5.2).
 */
#define WEBSOCKET_PROBLEM_OPCODE 2

/**
 * A control frame without FIN (RFC 6455 5.5).
 */
#define WEBSOCKET_PROBLEM_FRAGMENTED_CONTROL 4

/**
 * A control frame of more than 125 bytes (RFC 6455 5.5).
 */
#define WEBSOCKET_PROBLEM_LONG_CONTROL 8

/**
 * A length that is not in its shortest form (RFC 6455 5.2).
 */
#define WEBSOCKET_PROBLEM_LENGTH_FORM 16

/**
 * A length with its top bit set (RFC 6455 5.2): no frame behind it can be
 * found.
 */
#define WEBSOCKET_PROBLEM_LENGTH_TOP_BIT 32

/**
 * A frame of a client that is not masked (RFC 6455 5.1).
 */
#define WEBSOCKET_PROBLEM_UNMASKED 64

/**
 * A frame of a server that is masked (RFC 6455 5.1).
 */
#define WEBSOCKET_PROBLEM_MASKED 128

/**
 * A continuation outside a message (RFC 6455 5.4).
 */
#define WEBSOCKET_PROBLEM_NO_MESSAGE 256

/**
 * A message that begins before the last one has ended (RFC 6455 5.4).
 */
#define WEBSOCKET_PROBLEM_INSIDE_MESSAGE 512

/**
 * Text that is not UTF-8 (RFC 6455 8.1); of a message's frames the one that
 * has the bad byte. Compressed text is not looked at.
 */
#define WEBSOCKET_PROBLEM_TEXT_UTF8 1024

/**
 * A close frame with one byte of body (RFC 6455 5.5.1).
 */
#define WEBSOCKET_PROBLEM_CLOSE_BODY 2048

/**
 * A close code that must not be sent (RFC 6455 7.4).
 */
#define WEBSOCKET_PROBLEM_CLOSE_CODE 4096

/**
 * A close reason that is not UTF-8 (RFC 6455 5.5.1).
 */
#define WEBSOCKET_PROBLEM_CLOSE_REASON 8192

/**
 * Data behind a close frame (RFC 6455 5.5.1).
 */
#define WEBSOCKET_PROBLEM_AFTER_CLOSE 16384

/**
 * The stream ends inside the header (RFC 6455 7.1.5).
 */
#define WEBSOCKET_PROBLEM_HEADER_CUT 32768

/**
 * The stream ends inside the payload (RFC 6455 7.1.5).
 */
#define WEBSOCKET_PROBLEM_PAYLOAD_CUT 65536

/**
 * The frames come from a client: each must be masked.
 */
#define WEBSOCKET_PARSER_FROM_CLIENT 1

/**
 * The frames come from a server: none may be masked.
 */
#define WEBSOCKET_PARSER_FROM_SERVER 2

/**
 * permessage-deflate was agreed on: RSV1 on the first frame of a message says
 * that it is compressed (RFC 7692 6). Nothing is decompressed.
 */
#define WEBSOCKET_PARSER_COMPRESSED 4

/**
 * No end: for times that say so.
 */
#define WEBSOCKET_FOREVER UINT32_MAX

/**
 * No ping of ours was answered yet.
 */
#define WEBSOCKET_NO_ROUND_TRIP UINT32_MAX

/**
 * Options for the handles to be made; an opaque token, not an address.
 */
typedef struct webSocket_config webSocket_config;

/**
 * A connection; an opaque token, not an address.
 */
typedef struct webSocket_conn webSocket_conn;

/**
 * A parser of frames; an opaque token, not an address.
 */
typedef struct webSocket_parser webSocket_parser;

/**
 * A server of many peers; an opaque token, not an address.
 *
 * It has one loop or several (`WEBSOCKET_THREADS`); each peer is served by one
 * of them as long as it lives. Where a function's comment does not say
 * otherwise, any thread may call it at any time.
 */
typedef struct webSocket_server webSocket_server;

/**
 * What a call returns: `WEBSOCKET_OK`, or a negative code.
 *
 * -1 to -99 are flow (nothing is wrong); -1xx usage (the call changed
 * nothing), -2xx protocol, -3xx handshake, -4xx transport, -7xx resources,
 * -9xx internal. Codes are only ever added.
 */
typedef int32_t webSocket_result;

/**
 * Gets a line of log: its level and its text, without a line break, valid
 * during the call.
 */
typedef void (*webSocket_logCallback)(void *user, int32_t level, const char *text);

/**
 * What went wrong, at which stage.
 */
typedef struct webSocket_failure {
  /**
   * `sizeof` this struct, set by whoever provides it:
   * `webSocket_failure failure = WEBSOCKET_FAILURE_INIT;`
   */
  size_t size;
  /**
   * `WEBSOCKET_STAGE_...`.
   */
  uint32_t stage;
  /**
   * The result that says why; `WEBSOCKET_OK` where nothing failed.
   */
  webSocket_result result;
  /**
   * The `errno` behind it; 0 for none.
   */
  int32_t systemError;
  /**
   * The HTTP status that was received or sent; 0 for none.
   */
  uint32_t httpStatus;
  /**
   * The `closeCode` of `WEBSOCKET_CLOSE` (1006: lost, or never open); 0
   * where nothing failed, and where the handshake did.
   */
  uint32_t closeCode;
  /**
   * How many bytes of `answer` count.
   */
  uint32_t answerLength;
  /**
   * A sentence for a log, in English, with its NUL.
   */
  char text[160];
  /**
   * The first bytes of the HTTP head that failed, as they came: not text,
   * not trusted, no NUL.
   */
  uint8_t answer[256];
} webSocket_failure;

/**
 * A peer of a server; 0 where there is but one peer.
 */
typedef uint64_t webSocket_peer;

/**
 * What happened.
 */
typedef struct webSocket_event {
  /**
   * `sizeof` this struct, set by whoever provides it:
   * `webSocket_event event = WEBSOCKET_EVENT_INIT;` (a server's callback is
   * given the library's).
   */
  size_t size;
  /**
   * `WEBSOCKET_REQUEST` and so on.
   */
  uint32_t kind;
  /**
   * `WEBSOCKET_FIRST` and `WEBSOCKET_FINAL` (both: the whole message),
   * `WEBSOCKET_BY_PEER`.
   */
  uint32_t flags;
  /**
   * The bytes, never NULL; borrowed until the next call of
   * `webSocket_conn_next`, `_feed` or `_free` on the handle; of a server,
   * until the callback returns. Text and reasons are UTF-8, are not ended by
   * a NUL and may hold one anywhere (U+0000); a chunk of text may end inside
   * a code point.
   */
  const uint8_t *data;
  /**
   * How many bytes `data` has.
   */
  size_t length;
  /**
   * The pointer that the program keeps with a server's peer
   * (`webSocket_server_setPeerUser`); else NULL.
   */
  void *peerUser;
  /**
   * Where `data` begins in its message, in bytes.
   */
  uint64_t offset;
  /**
   * Bytes of the present frame that are still to come; of a close, those
   * that the end cut off (at least 1 where it came inside a frame).
   */
  uint64_t frameRemaining;
  /**
   * Which peer of a server; else 0.
   */
  webSocket_peer peer;
  /**
   * Of `WEBSOCKET_CLOSE`: the peer's code, 1005 (it gave none), 1006 (the
   * connection was lost or never opened), or the code that we failed it
   * with.
   */
  uint32_t closeCode;
  /**
   * Of `WEBSOCKET_CLOSE`: `WEBSOCKET_OK` for a clean closing handshake, else
   * why.
   */
  webSocket_result result;
} webSocket_event;

/**
 * A piece of a frame.
 *
 * A frame comes in one piece, or in several where what was fed ends inside
 * it. All fields but `flags`, `problems`, `closeCode` and those of the piece
 * (`data`, `length`, `pieceOffset`, `remaining`) are the same in all of them.
 */
typedef struct webSocket_frame {
  /**
   * `sizeof` this struct, set by whoever provides it:
   * `webSocket_frame frame = WEBSOCKET_FRAME_INIT;`
   */
  size_t size;
  /**
   * Payload of this piece, unmasked, never NULL; borrowed until the next
   * call of `webSocket_parser_next`, `_feed` or `_free` on the handle. It
   * stands in what was fed.
   */
  const uint8_t *data;
  /**
   * How many bytes `data` has. 0 in the first piece where no payload has
   * come with the header, and in the last of a frame that was cut off.
   */
  size_t length;
  /**
   * Bytes of the frame's header, 2 to 14; fewer than its form needs where
   * the stream ended inside it (`WEBSOCKET_PROBLEM_HEADER_CUT`): what has not
   * come is then 0 in the fields below.
   */
  size_t headerLength;
  /**
   * Where the frame begins in the stream, in bytes.
   */
  uint64_t offset;
  /**
   * Bytes of the whole payload, as the header announces it.
   */
  uint64_t payloadLength;
  /**
   * Where `data` begins in the payload, in bytes.
   */
  uint64_t pieceOffset;
  /**
   * Payload bytes behind this piece; with `WEBSOCKET_FINAL`, those that will
   * not come.
   */
  uint64_t remaining;
  /**
   * `WEBSOCKET_FIRST`, `WEBSOCKET_FINAL`: the first and the last piece of the
   * frame. Each frame has both.
   */
  uint32_t flags;
  /**
   * What is wrong with the frame: a set of `WEBSOCKET_PROBLEM_...`, 0 for
   * nothing. Only ever grows from piece to piece.
   */
  uint32_t problems;
  /**
   * 0 to 15.
   */
  uint32_t opcode;
  /**
   * The code of a close frame, once it has come; else 0.
   */
  uint32_t closeCode;
  /**
   * The form of the length: 7, 16 or 64 bits.
   */
  uint32_t lengthBits;
  /**
   * 1: `maskKey` was applied to the payload.
   */
  uint32_t masked;
  /**
   * The mask key.
   */
  uint8_t maskKey[4];
  /**
   * The last frame of its message: 0 or 1.
   */
  uint8_t fin;
  /**
   * The first reserved bit: 0 or 1.
   */
  uint8_t rsv1;
  /**
   * The second reserved bit: 0 or 1.
   */
  uint8_t rsv2;
  /**
   * The third reserved bit: 0 or 1.
   */
  uint8_t rsv3;
} webSocket_frame;

/**
 * Gets a server's events, with the `user` of `webSocket_server_new`, on the
 * thread that turns the loop of the peer (`event->peer`): one at a time for
 * each loop, so with several loops for different peers at the same time.
 * `event` and what it lends are valid until it returns.
 *
 * A peer's events come in this order: `WEBSOCKET_REQUEST`, `WEBSOCKET_OPEN`,
 * then messages, pings, pongs and `WEBSOCKET_DRAIN`, and once
 * `WEBSOCKET_CLOSE`, the last. A peer whose request was no good, or refused,
 * has `WEBSOCKET_CLOSE` without `WEBSOCKET_OPEN`. Ignore a `kind` that you do
 * not know.
 *
 * While it runs its loop serves nobody: what takes long belongs to another
 * thread, which may send the answer itself. It may call every function of this
 * library, but turn the same server (`WEBSOCKET_E_REENTRY`) or wait for its
 * threads. It must return: no `longjmp`, no C++ exception (which ends the
 * program).
 */
typedef void (*webSocket_callback)(void *user, const struct webSocket_event *event);

/**
 * What is known of a peer. Its texts are what the peer sent, cut to their
 * room: fit for a log, not for a decision on `target` where it was cut.
 */
typedef struct webSocket_peerInfo {
  /**
   * `sizeof` this struct, set by whoever provides it:
   * `webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;`
   */
  size_t size;
  /**
   * Bytes of the request's path and query; more than `target` holds where
   * it was cut.
   */
  size_t targetLength;
  /**
   * Messages of the peer that have come whole.
   */
  uint64_t messagesIn;
  /**
   * Messages to the peer that were sent, or wait.
   */
  uint64_t messagesOut;
  /**
   * Bytes that came from its socket, the handshake's included.
   */
  uint64_t bytesIn;
  /**
   * Bytes that its socket has taken, the handshake's included.
   */
  uint64_t bytesOut;
  /**
   * The last ping's round trip in milliseconds, or
   * `WEBSOCKET_NO_ROUND_TRIP`.
   */
  uint32_t roundTripMs;
  /**
   * The peer's port; 0 for a local socket.
   */
  uint32_t port;
  /**
   * The peer's IPv4 or IPv6 address as text, `"unix"` for a local socket,
   * empty where the kernel does not say; NUL-terminated.
   */
  char address[64];
  /**
   * The subprotocol agreed on, empty for none; NUL-terminated, cut where it
   * is longer.
   */
  char subprotocol[64];
  /**
   * Path and query of the request, from `WEBSOCKET_REQUEST` on;
   * NUL-terminated, cut where it is longer.
   */
  char target[256];
} webSocket_peerInfo;

/**
 * What a server counts, all its loops together.
 */
typedef struct webSocket_statistics {
  /**
   * `sizeof` this struct, set by whoever provides it:
   * `webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;`
   */
  size_t size;
  /**
   * Peers that are there now, those whose handshake is not over included.
   */
  size_t peers;
  /**
   * Of these, those whose handshake is not over.
   */
  size_t handshakes;
  /**
   * Loops (`WEBSOCKET_THREADS`).
   */
  size_t threads;
  /**
   * Connections that came, adopted ones and those refused included; only
   * grows.
   */
  uint64_t accepted;
  /**
   * Of these, those refused (503) for a limit of the server or for want of
   * descriptors; only grows.
   */
  uint64_t refused;
  /**
   * Messages that came whole, from all peers that are and were; this and
   * those below only grow, but for a peer that leaves at this moment.
   */
  uint64_t messagesIn;
  /**
   * Messages that were sent to them, or wait.
   */
  uint64_t messagesOut;
  /**
   * Bytes that their sockets gave, handshakes included.
   */
  uint64_t bytesIn;
  /**
   * Bytes that their sockets took.
   */
  uint64_t bytesOut;
} webSocket_statistics;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded, such as `"0.1.0"`; the header's
 * own is `WEBSOCKET_VERSION_MAJOR`, `_MINOR`, `_PATCH`.
 *
 * Returns a static string. Any thread; callbacks may call it. Since 0.1.
 */
const char *webSocket_version(void);

/**
 * The name of a result code, such as `"WEBSOCKET_E_UTF8"`.
 *
 * Returns a static string, never NULL; `"WEBSOCKET_?"` for a number that is
 * no code. Any thread; callbacks may call it. Since 0.1.
 */
const char *webSocket_result_name(webSocket_result result);

/**
 * A sentence that says what a result code means, in English.
 *
 * Returns a static string, never NULL. Any thread; callbacks may call it.
 * Since 0.1.
 */
const char *webSocket_result_text(webSocket_result result);

/**
 * Whether a result says that the connection is over: 1 for protocol,
 * handshake, transport, resource and internal errors and for
 * `WEBSOCKET_CLOSED` and `WEBSOCKET_GONE`, else 0.
 *
 * After a fatal result a connection still gives its queued output and its
 * close event; it takes nothing more to send. Any thread; callbacks may call
 * it. Since 0.1.
 */
int webSocket_result_isFatal(webSocket_result result);

/**
 * Sets where lines of log go; NULL: nowhere, as at first.
 *
 * `callback` may be called on any thread that calls this library, and must
 * not call it with the same handle (`WEBSOCKET_E_REENTRY`). Peers' bytes in a
 * line are escaped. It must return: no `longjmp`, no C++ exception (which
 * ends the program). `user` is handed back; it must live until the hook has
 * been changed and no other thread is inside a call that began before. Any
 * thread. Result: `WEBSOCKET_OK`. Since 0.1.
 *
 * # Safety
 * `callback` may be called with `user` from any thread.
 */
webSocket_result webSocket_setLog(webSocket_logCallback callback, void *user);

/**
 * Makes a config that holds every option's default.
 *
 * Writes the token to `*config`, on success only; the caller frees it with
 * `webSocket_config_free`. A handle copies the config that it is made from.
 * One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_HANDLES`. Since 0.1.
 *
 * # Safety
 * `config` is NULL or may be written.
 */
webSocket_result webSocket_config_new(struct webSocket_config **config);

/**
 * Sets an option that is a number (`WEBSOCKET_MAX_MESSAGE_BYTES` and the
 * like; each one's comment tells its unit).
 *
 * One thread at a time. Results: `WEBSOCKET_OK`; nothing is changed by
 * `WEBSOCKET_E_OPTION` (no such option, or it holds texts),
 * `WEBSOCKET_E_RANGE`, `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_config_setNumber(struct webSocket_config *config,
                                            uint32_t option,
                                            uint64_t value);

/**
 * Makes `text` the only one of an option that holds a list of texts
 * (`WEBSOCKET_HEADER`, `WEBSOCKET_SUBPROTOCOL`, `WEBSOCKET_ORIGIN`).
 *
 * `text` is UTF-8 with a NUL, and copied. One thread at a time. Results:
 * `WEBSOCKET_OK`; nothing is changed by `WEBSOCKET_E_OPTION`,
 * `WEBSOCKET_E_HEADER` (not a header line that may be sent),
 * `WEBSOCKET_E_RANGE` (not a token, or listed already), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG` (over 64 KiB),
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `text` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_config_setText(struct webSocket_config *config,
                                          uint32_t option,
                                          const char *text);

/**
 * Adds `text` to an option that holds a list of texts.
 *
 * As `webSocket_config_setText`, but what the list holds already stays.
 * Since 0.1.
 *
 * # Safety
 * `text` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_config_addText(struct webSocket_config *config,
                                          uint32_t option,
                                          const char *text);

/**
 * Frees a config; handles that were made from it are not touched.
 *
 * NULL is fine. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_GONE` (freed before), `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_config_free(struct webSocket_config *config);

/**
 * Tells about the last failure, on this thread, of a call that made no
 * handle (`webSocket_conn_newClient` and the like), set an option, or had a
 * server listen.
 *
 * `failure->size` must be set (`WEBSOCKET_FAILURE_INIT`). Where a defect of
 * the library was stopped at its boundary (`WEBSOCKET_E_INTERNAL`), `text`
 * says where. Any thread. Results: `WEBSOCKET_OK` (also where nothing has
 * failed: the stage is then `WEBSOCKET_STAGE_NONE`), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_STRUCT_SIZE`. Since 0.1.
 *
 * # Safety
 * `failure` is NULL or points to a struct whose `size` is set.
 */
webSocket_result webSocket_lastFailure(struct webSocket_failure *failure);

/**
 * Makes the client's end of a connection over a transport that the program
 * brings. Its first output is the opening request.
 *
 * `config` may be NULL (defaults) and is copied. `url`: `ws://host[:port]/path?query`
 * or `wss://...`; used for the request only, nothing is connected. Writes the
 * token to `*conn`, on success only; the caller frees it with
 * `webSocket_conn_free`. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_URL`, `WEBSOCKET_E_OPTION`
 * (an option is set that is for servers), `WEBSOCKET_E_LIMITS`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG` (a URL over 64 KiB),
 * `WEBSOCKET_E_RANDOM`, `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_HANDLES`,
 * `WEBSOCKET_GONE` or `WEBSOCKET_E_BUSY` (the config);
 * `webSocket_lastFailure` has a sentence. Since 0.1.
 *
 * # Safety
 * `url` is NULL or a NUL-terminated string; `conn` is NULL or may be written.
 */
webSocket_result webSocket_conn_newClient(const struct webSocket_config *config,
                                          const char *url,
                                          struct webSocket_conn **conn);

/**
 * Makes the server's end of a connection over a transport that the program
 * brings, such as a socket that it accepted.
 *
 * `config` may be NULL (defaults) and is copied. Writes the token to `*conn`,
 * on success only; the caller frees it with `webSocket_conn_free`. Any thread. Results:
 * `WEBSOCKET_OK`, `WEBSOCKET_E_LIMITS` (they do not fit
 * `WEBSOCKET_MEMORY_BYTES`), `WEBSOCKET_E_OPTION` (one is set that is for
 * `webSocket_server`), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_HANDLES`,
 * `WEBSOCKET_GONE` or `WEBSOCKET_E_BUSY` (the config);
 * `webSocket_lastFailure` has a sentence. Since 0.1.
 *
 * # Safety
 * `conn` is NULL or may be written.
 */
webSocket_result webSocket_conn_newServer(const struct webSocket_config *config,
                                          struct webSocket_conn **conn);

/**
 * Frees a connection; nothing is sent.
 *
 * NULL is fine. From within a callback of the same handle it takes effect
 * when the call returns. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_GONE` (freed before), `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_conn_free(struct webSocket_conn *conn);

/**
 * Hands over bytes that came from the peer, in any cut.
 *
 * `data` (`length` bytes) is lent until `webSocket_conn_next` has said
 * `WEBSOCKET_AGAIN` or `WEBSOCKET_CLOSED` or the handle was freed, and is
 * unmasked in place meanwhile; what was cut off at its end is copied then.
 * Bytes at the start of `webSocket_conn_room` are taken where they are.
 * One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (what
 * was fed before is not read yet: call `webSocket_conn_next`),
 * `WEBSOCKET_E_USAGE` (more than the room has, or not from its start),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG` (a negative length in
 * disguise), `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `data` may be read and written until it is given back as above.
 */
webSocket_result webSocket_conn_feed(struct webSocket_conn *conn, uint8_t *data, size_t length);

/**
 * Gives room to read the rest of a long frame into, so that it is not copied.
 *
 * Writes `*data` and `*length`; NULL and 0 where there is none, as before
 * `webSocket_conn_next` has said `WEBSOCKET_AGAIN`: read into memory of the
 * program's then. Read up to `length` bytes to `data` and hand them over with
 * `webSocket_conn_feed(conn, data, count)`. The room is the connection's own,
 * there until the next call of `webSocket_conn_next`, `_room` or `_free` on the
 * handle. One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE`
 * (what was fed before is not read yet), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `data` and `length` are NULL or may be written.
 */
webSocket_result webSocket_conn_room(struct webSocket_conn *conn, uint8_t **data, size_t *length);

/**
 * Tells that the peer will send no more bytes (`recv` returned 0, or failed
 * for good). `webSocket_conn_next` still gives what was fed before, then
 * `WEBSOCKET_CLOSE`.
 *
 * One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_conn_feedEof(struct webSocket_conn *conn);

/**
 * Gives the next event.
 *
 * `event->size` must be set (`WEBSOCKET_EVENT_INIT`); `event->data` is
 * borrowed as its comment says. A request that the program neither accepts
 * nor refuses before the next call is accepted by that call. One thread at a
 * time. Results: `WEBSOCKET_OK` (an event), `WEBSOCKET_AGAIN` (none until
 * more is fed), `WEBSOCKET_CLOSED` (none ever again), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_STRUCT_SIZE`, `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`.
 * Since 0.1.
 *
 * # Safety
 * `event` is NULL or points to a struct whose `size` is set; what was fed is
 * still lent.
 */
webSocket_result webSocket_conn_next(struct webSocket_conn *conn, struct webSocket_event *event);

/**
 * Gives what is to be written to the transport.
 *
 * Writes `*data` and `*length`: borrowed until the next call on the handle,
 * but for `webSocket_conn_requestHeader`. Say with
 * `webSocket_conn_outputDone` how much was written. One thread at a time.
 * Results: `WEBSOCKET_OK` (length 0: nothing to write now),
 * `WEBSOCKET_CLOSED` (all is written and the connection is over: shut the
 * transport down and close it), `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `data` and `length` are NULL or may be written.
 */
webSocket_result webSocket_conn_output(struct webSocket_conn *conn,
                                       const uint8_t **data,
                                       size_t *length);

/**
 * Tells that the transport took the first `length` bytes of
 * `webSocket_conn_output`.
 *
 * One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_USAGE` (more
 * than there were; nothing was changed), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_conn_outputDone(struct webSocket_conn *conn, size_t length);

/**
 * Tells the time, before reading and whenever the deadline that it wrote has
 * come. Deadlines (handshake, close, ping, idle) are acted on here; what they
 * cause is in `webSocket_conn_next` and `_output`. A peer that is silent for
 * too long is given one more turn of the loop: the call that finds it overdue
 * writes the present as the deadline, and the next one acts.
 *
 * `nowMs`: milliseconds of a clock that never runs backwards
 * (`CLOCK_MONOTONIC`). Writes `*deadlineMs`, on the same clock; `UINT64_MAX`
 * where nothing is due; NULL is fine. Without any call there are no
 * deadlines. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_NULL` (the handle), `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`.
 * Since 0.1.
 *
 * # Safety
 * `deadlineMs` is NULL or may be written.
 */
webSocket_result webSocket_conn_tick(struct webSocket_conn *conn,
                                     uint64_t nowMs,
                                     uint64_t *deadlineMs);

/**
 * Tells how many bytes wait to be sent, so that a program can stop reading
 * from a peer that does not.
 *
 * Writes `*length`. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `length` is NULL or may be written.
 */
webSocket_result webSocket_conn_bufferedBytes(struct webSocket_conn *conn, size_t *length);

/**
 * Tells why the connection failed.
 *
 * `failure->size` must be set (`WEBSOCKET_FAILURE_INIT`). One thread at a
 * time. Results: `WEBSOCKET_OK` (also where nothing failed: the stage is then
 * `WEBSOCKET_STAGE_NONE`), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_STRUCT_SIZE`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `failure` is NULL or points to a struct whose `size` is set.
 */
webSocket_result webSocket_conn_failure(struct webSocket_conn *conn,
                                        struct webSocket_failure *failure);

/**
 * Accepts the request of `WEBSOCKET_REQUEST`.
 *
 * `subprotocol`: one that the client offered, or NULL for none. Messages may
 * be sent from now on. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_STATE` (no request waits), `WEBSOCKET_E_SUBPROTOCOL_CHOICE`
 * (not offered; nothing was sent), `WEBSOCKET_E_SEND_UTF8`,
 * `WEBSOCKET_E_SEND_TOO_BIG` (over 64 KiB), `WEBSOCKET_E_MEMORY`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_NULL`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `subprotocol` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_conn_accept(struct webSocket_conn *conn, const char *subprotocol);

/**
 * Refuses the request of `WEBSOCKET_REQUEST` with an HTTP answer; the
 * connection is over.
 *
 * `status`: 300 to 599. `body`: `length` bytes of text, copied; NULL with 0
 * for none. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_STATE` (no request waits), `WEBSOCKET_E_RANGE`,
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_MEMORY`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `body` is NULL or has `length` readable bytes.
 */
webSocket_result webSocket_conn_refuse(struct webSocket_conn *conn,
                                       uint32_t status,
                                       const void *body,
                                       size_t length);

/**
 * Adds a header line to the answer to the request of `WEBSOCKET_REQUEST`,
 * such as `Set-Cookie` or `WWW-Authenticate`.
 *
 * Both are copied. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_STATE` (no request waits), `WEBSOCKET_E_HEADER` (not a header
 * that may be sent), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8`,
 * `WEBSOCKET_E_SEND_TOO_BIG` (a text over 64 KiB), `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * Both are NULL or NUL-terminated strings.
 */
webSocket_result webSocket_conn_addHeader(struct webSocket_conn *conn,
                                          const char *name,
                                          const char *value);

/**
 * Looks a header of the request up, from `WEBSOCKET_REQUEST` until the call
 * of `webSocket_conn_next` that follows `WEBSOCKET_OPEN`.
 *
 * `name` is compared without regard to case; the first line of that name
 * counts. Writes `*value` (`*length` bytes, no NUL, any byte above 31 and
 * tabs; NULL where there is no such header), borrowed until the next call of
 * `webSocket_conn_next`, `_accept`, `_refuse`, `_close` or `_free` on the
 * handle. One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE`
 * (no request is there), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8`,
 * `WEBSOCKET_E_SEND_TOO_BIG` (a name over 64 KiB), `WEBSOCKET_E_MEMORY`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `name` is NULL or a NUL-terminated string; `value` and `length` are NULL or
 * may be written.
 */
webSocket_result webSocket_conn_requestHeader(struct webSocket_conn *conn,
                                              const char *name,
                                              const char **value,
                                              size_t *length);

/**
 * Queues a whole message, a ping or a pong.
 *
 * `kind`: `WEBSOCKET_TEXT` (`data` must be UTF-8), `WEBSOCKET_BINARY`,
 * `WEBSOCKET_PING` or `WEBSOCKET_PONG` (at most 125 bytes). `data` is copied,
 * and may be what an event lent; NULL with 0 is an empty message. One thread
 * at a time. Results: `WEBSOCKET_OK`; nothing was queued by `WEBSOCKET_FULL`
 * (write `webSocket_conn_output` first), `WEBSOCKET_CLOSED`,
 * `WEBSOCKET_E_STATE` (not open yet, or a fragmented message is unfinished),
 * `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_USAGE`
 * (no such kind), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_MEMORY`,
 * `WEBSOCKET_E_RANDOM`, `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `data` is NULL or has `length` readable bytes.
 */
webSocket_result webSocket_conn_send(struct webSocket_conn *conn,
                                     uint32_t kind,
                                     const void *data,
                                     size_t length);

/**
 * Queues a chunk of a message as one frame (RFC 6455 5.4).
 *
 * `kind`: `WEBSOCKET_TEXT` or `WEBSOCKET_BINARY`, the same for all chunks.
 * `flags`: `WEBSOCKET_FIRST` for the first chunk, `WEBSOCKET_FINAL` for the
 * last, both for an only one, 0 between. Text may be cut inside a code point.
 * Pings and pongs may be sent between chunks. Ownership, threads and results
 * as `webSocket_conn_send`; `WEBSOCKET_E_STATE`: the flags or kind do not fit
 * what was sent before. After any error the chunk may be tried again.
 * Since 0.1.
 *
 * # Safety
 * `data` is NULL or has `length` readable bytes.
 */
webSocket_result webSocket_conn_sendChunk(struct webSocket_conn *conn,
                                          uint32_t kind,
                                          const void *data,
                                          size_t length,
                                          uint32_t flags);

/**
 * Starts the closing handshake (RFC 6455 7.1.2). Messages that still come are
 * dropped; `WEBSOCKET_CLOSE` tells the end.
 *
 * `code`: 1000 to 1003, 1007 to 1014, 3000 to 4999; 0 for none. `reason`:
 * UTF-8, at most 123 bytes, copied; NULL for none. During a request this
 * refuses it. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_CLOSED` (closing or closed already), `WEBSOCKET_E_RANGE` (the
 * code), `WEBSOCKET_E_USAGE` (a reason without a code),
 * `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_RANDOM`, `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `reason` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_conn_close(struct webSocket_conn *conn,
                                      uint32_t code,
                                      const char *reason);

/**
 * A sentence that says what a problem is, with the section of the RFC, in
 * English.
 *
 * `problem`: one bit of a frame's `problems`; of several, the lowest is told:
 *
 * ```c
 * uint32_t left;
 * for (left = frame.problems; left != 0; left &= left - 1)
 *     puts(webSocket_problem_text(left));
 * ```
 *
 * Returns a static string, never NULL; `"no problem"` for 0, `"unknown
 * problem"` for bits that are none. Any thread; callbacks may call it.
 * Since 0.1.
 */
const char *webSocket_problem_text(uint32_t problem);

/**
 * Makes a parser of frames, which tells what stands in a stream and what is
 * wrong with it, and goes on. It refuses nothing and answers nothing; for a
 * connection take `webSocket_conn`.
 *
 * ```c
 * webSocket_parser *parser;
 * webSocket_frame frame = WEBSOCKET_FRAME_INIT;
 * webSocket_parser_new(WEBSOCKET_PARSER_FROM_CLIENT, &parser);
 * while ((length = read(0, bytes, sizeof bytes)) > 0) {
 *     webSocket_parser_feed(parser, bytes, (size_t)length);
 *     while (webSocket_parser_next(parser, &frame) == WEBSOCKET_OK)
 *         printf("opcode %u, problems %x\n", (unsigned)frame.opcode, (unsigned)frame.problems);
 * }
 * webSocket_parser_free(parser);
 * ```
 *
 * One parser reads one direction of a connection, from behind the HTTP head.
 * `flags`: `WEBSOCKET_PARSER_FROM_CLIENT` or `WEBSOCKET_PARSER_FROM_SERVER` (with
 * neither, masked and unmasked frames are both right),
 * `WEBSOCKET_PARSER_COMPRESSED`; 0 is fine. Writes the token to `*parser`, on
 * success only; the caller frees it with `webSocket_parser_free`. Its memory is small and does
 * not depend on the stream. Any thread. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_USAGE` (no such flags), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_HANDLES`. Since 0.1.
 *
 * # Safety
 * `parser` is NULL or may be written.
 */
webSocket_result webSocket_parser_new(uint32_t flags, struct webSocket_parser **parser);

/**
 * Frees a parser.
 *
 * NULL is fine. One thread at a time. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_GONE` (freed before), `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_parser_free(struct webSocket_parser *parser);

/**
 * Hands over the next bytes of the stream, in any cut.
 *
 * `data` (`length` bytes) is lent until `webSocket_parser_next` has given
 * another result than `WEBSOCKET_OK` or the handle was freed, and its payload
 * is unmasked in place meanwhile. One thread at a time. Results:
 * `WEBSOCKET_OK`; nothing is lent by `WEBSOCKET_E_STATE` (what was fed before is
 * not read yet, or the stream has ended), `WEBSOCKET_E_LENGTH` (behind
 * `WEBSOCKET_PROBLEM_LENGTH_TOP_BIT`), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_SEND_TOO_BIG` (a negative length in disguise),
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `data` may be read and written until it is given back as above.
 */
webSocket_result webSocket_parser_feed(struct webSocket_parser *parser,
                                       uint8_t *data,
                                       size_t length);

/**
 * Tells that the stream ends behind what was fed: a frame that is not whole
 * then is told with `WEBSOCKET_PROBLEM_HEADER_CUT` or `_PAYLOAD_CUT`.
 *
 * One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
 */
webSocket_result webSocket_parser_feedEof(struct webSocket_parser *parser);

/**
 * Gives the next frame, or the next piece of one.
 *
 * `frame->size` must be set (`WEBSOCKET_FRAME_INIT`); `frame->data` is borrowed
 * as its comment says. A header is told as soon as it is whole. One thread at
 * a time. Results: `WEBSOCKET_OK` (a piece), `WEBSOCKET_AGAIN` (none until
 * more is fed), `WEBSOCKET_CLOSED` (the stream has ended and all was told),
 * `WEBSOCKET_E_LENGTH` (the last frame told had
 * `WEBSOCKET_PROBLEM_LENGTH_TOP_BIT`; what followed was dropped),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_STRUCT_SIZE`, `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_BUSY`. Since 0.1.
 *
 * # Safety
 * `frame` is NULL or points to a struct whose `size` is set; what was fed is
 * still lent.
 */
webSocket_result webSocket_parser_next(struct webSocket_parser *parser,
                                       struct webSocket_frame *frame);

/**
 * Makes a server: its loops (`WEBSOCKET_THREADS`, one by default), which
 * serve nobody yet. No thread is started.
 *
 * `config` may be NULL (defaults) and is copied. `callback` gets the events,
 * with `user`, which is never read through and must live until the server was
 * freed and its threads have ended. Writes the token to `*server` where it
 * succeeds; the caller frees it with `webSocket_server_free`. It uses two file
 * descriptors a loop. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`
 * (`callback` or `server`), `WEBSOCKET_E_LIMITS` (the config's do not fit
 * `WEBSOCKET_MEMORY_BYTES`), `WEBSOCKET_E_HANDLES` (no descriptor or no token
 * is left), `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_SYSTEM` (errno tells),
 * `WEBSOCKET_E_LIMITS` (`WEBSOCKET_MEMORY_BYTES`), `WEBSOCKET_GONE` or
 * `WEBSOCKET_E_BUSY` (the config). Since 0.1.
 *
 * # Safety
 * `callback` may be called with `user` from any thread; `server` is NULL or
 * may be written.
 */
webSocket_result webSocket_server_new(const struct webSocket_config *config,
                                      webSocket_callback callback,
                                      void *user,
                                      struct webSocket_server **server);

/**
 * Listens on an address and a port.
 *
 * `address`: NULL or "" for every address of this machine, IPv6 and IPv4; an
 * IPv4 or IPv6 address (`"127.0.0.1"`, `"::1"`; no host name); or `"unix:"`
 * and the path of a local socket (`port` is then not looked at). Its file has
 * the permissions that the umask leaves; one that a dead server left is
 * replaced, any other file is not (`WEBSOCKET_E_ADDRESS`), and it is removed
 * when the server ends. `port`: 0 for one that the kernel picks. Writes the
 * port to `*boundPort` (0 for a local socket); NULL is fine. Several addresses
 * are several calls.
 *
 * While no thread turns the server: before `webSocket_server_start` or `_run`,
 * or between two calls of `webSocket_server_step`. Any thread. Results:
 * `WEBSOCKET_OK`, `WEBSOCKET_E_USAGE` (not an address, or a path that is too
 * long), `WEBSOCKET_E_ADDRESS` (taken, not allowed, or not this machine's),
 * `WEBSOCKET_E_HANDLES` (no descriptor is left), `WEBSOCKET_E_MEMORY`,
 * `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_STATE` (it is being turned, or was
 * started or stopped), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8` (`address`
 * is not UTF-8), `WEBSOCKET_E_SEND_TOO_BIG` (`address`), `WEBSOCKET_GONE`;
 * where the kernel refused, errno and `webSocket_lastFailure` tell why. Since
 * 0.1.
 *
 * # Safety
 * `address` is NULL or a NUL-terminated string; `boundPort` is NULL or may be
 * written.
 */
webSocket_result webSocket_server_listen(struct webSocket_server *server,
                                         const char *address,
                                         uint16_t port,
                                         uint16_t *boundPort);

/**
 * Takes connections from a socket that listens already, such as one that
 * systemd passes (`LISTEN_FDS`: descriptors from 3 on).
 *
 * `fd`, TCP or a local stream socket, is the server's from now on: it is made
 * non-blocking, and closed when the server ends. So it is where this fails,
 * but for `WEBSOCKET_E_USAGE`, `WEBSOCKET_E_NULL` and `WEBSOCKET_GONE`. All
 * loops take connections from it. While no thread turns the server, as
 * `webSocket_server_listen`. Any thread. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_USAGE` (not a listening stream socket), `WEBSOCKET_E_HANDLES`,
 * `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_STATE` (it is being
 * turned, or was started or stopped), `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`;
 * where the kernel refused, errno and `webSocket_lastFailure` tell why. Since
 * 0.1.
 */
webSocket_result webSocket_server_listenFd(struct webSocket_server *server, int fd);

/**
 * Turns the server once: waits up to `timeoutMs` milliseconds for something
 * to do, and does it; the callback is called from here, any number of times.
 *
 * 0: does not wait. `WEBSOCKET_FOREVER`: without end. It waits no longer than
 * the next deadline of a peer, and returns after each batch, so call it again
 * and again. For a server of one loop, on a thread of the program's, not
 * always the same; one at a time. Results: `WEBSOCKET_OK` (also where nothing
 * happened), `WEBSOCKET_CLOSED` (it was stopped and all peers are gone:
 * free it), `WEBSOCKET_E_STATE` (it has several loops, or threads of its own),
 * `WEBSOCKET_E_REENTRY` (from its own callback), `WEBSOCKET_E_BUSY` (another
 * thread turns it), `WEBSOCKET_E_HANDLES`, `WEBSOCKET_E_MEMORY` or
 * `WEBSOCKET_E_SYSTEM` (the kernel refused to wait; errno tells),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`. Since 0.1.
 */
webSocket_result webSocket_server_step(struct webSocket_server *server, uint32_t timeoutMs);

/**
 * Turns the server, on the calling thread, until it was stopped (by the
 * callback or by another thread) and all peers are gone.
 *
 * As `webSocket_server_step` otherwise. Results: `WEBSOCKET_OK` (it is over:
 * free it), and the errors of `webSocket_server_step`. Since 0.1.
 */
webSocket_result webSocket_server_run(struct webSocket_server *server);

/**
 * Gives the descriptor to wait for in the program's own select, poll, epoll
 * or event loop: it is readable (`POLLIN`) whenever
 * `webSocket_server_step(server, 0)` has something to do, deadlines and
 * requests of other threads included.
 *
 * Writes `*fd`: the same every time, and the server's own. Only wait for it,
 * level-triggered; it is closed by `webSocket_server_free`, so take it out of
 * your loop before. Any thread, while nobody turns the server. Results:
 * `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (several loops, or threads of its own),
 * `WEBSOCKET_E_BUSY` (it is being turned), `WEBSOCKET_E_HANDLES`,
 * `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_GONE`. Since 0.1.
 *
 * # Safety
 * `fd` is NULL or may be written.
 */
webSocket_result webSocket_server_pollFd(struct webSocket_server *server, int *fd);

/**
 * Starts `WEBSOCKET_THREADS` threads that turn the server, and returns; the
 * callback is called on them, for different peers at the same time where they
 * are several, for one peer always on the same.
 *
 * They block all signals: those come to the program's threads as before. Once;
 * they end with `webSocket_server_stop` or `_free`. Any thread. Results:
 * `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (started already, or stopped),
 * `WEBSOCKET_E_BUSY` (a thread of the program's turns it),
 * `WEBSOCKET_E_HANDLES` (no thread could be started; the server is stopped),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`. Since 0.1.
 */
webSocket_result webSocket_server_start(struct webSocket_server *server);

/**
 * Stops the server: nobody new is taken, all peers are told 1001 (going
 * away) behind what waits for them and have `WEBSOCKET_STOP_TIMEOUT_MS` to
 * answer; then they are cut. `WEBSOCKET_CLOSE` comes for each.
 *
 * With threads of its own (`webSocket_server_start`) it returns when they have
 * ended; called from the callback it returns at once. A program that turns
 * the server itself goes on until `webSocket_server_step` says
 * `WEBSOCKET_CLOSED`, or `_run` returns. A server cannot be started again:
 * free it. Stopping again is fine. Any thread; from the callback; not from a
 * signal handler. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_GONE`. Since 0.1.
 */
webSocket_result webSocket_server_stop(struct webSocket_server *server);

/**
 * Frees a server: what is still open is closed at once, without a word to
 * the peers, and nothing is told any more, `WEBSOCKET_CLOSE` neither. Stop it
 * first for a polite end, and where something hangs on each peer's `peerUser`.
 *
 * NULL is fine. The token, and every peer's number, are `WEBSOCKET_GONE` from
 * now on. It waits for the server's own threads; from the callback it does
 * not: they end when the callback returns. Any thread. Results:
 * `WEBSOCKET_OK`, `WEBSOCKET_GONE` (freed before). Since 0.1.
 */
webSocket_result webSocket_server_free(struct webSocket_server *server);

/**
 * Adds a page, replaces it or removes it: what the server answers to a GET
 * (or HEAD) of `path` that asks for no WebSocket.
 *
 * `path`: what comes in the request before any `?`: one slash first, visible
 * ASCII (anything else percent-encoded), at most 1024 bytes; compared byte by
 * byte. `contentType`: such as `"text/html; charset=utf-8"`; NULL removes the
 * page, and `bytes` is not looked at then (a page that is not there is fine).
 * `bytes`: `length` bytes; NULL with 0 is an empty page. All are copied, once:
 * whoever is reading a page that is replaced gets the old one to its end.
 *
 * Whoever asks for a page counts against the limits as a peer does, but no
 * event tells of it, and the connection is closed after the answer. Whoever
 * takes less than 16 KiB of it in `WEBSOCKET_HANDSHAKE_TIMEOUT_MS` is cut
 * off. The lines of `WEBSOCKET_HEADER` go with a page, and unless they are
 * among those also `Cache-Control: no-store` and
 * `X-Content-Type-Options: nosniff`. As soon as there is one page, a request
 * for another is answered 404, and one with another method 405; without any
 * page a GET is 426 (Upgrade Required), and `WEBSOCKET_CLOSE` tells of it. A
 * page is for everybody: neither Origin nor credentials are looked at.
 *
 * Any time, any thread; from the callback. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_E_USAGE` (not such a path), `WEBSOCKET_E_HEADER` (not a content
 * type that can be sent), `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_GONE`.
 * Since 0.1.
 *
 * # Safety
 * `path` and `contentType` are NULL or NUL-terminated strings; `bytes` is
 * NULL or has `length` readable bytes.
 */
webSocket_result webSocket_server_addPage(struct webSocket_server *server,
                                          const char *path,
                                          const char *contentType,
                                          const void *bytes,
                                          size_t length);

/**
 * Accepts the request of `WEBSOCKET_REQUEST`; `WEBSOCKET_OPEN` follows.
 *
 * `subprotocol`: one that the client offered, or NULL for none. A request that
 * is neither accepted nor refused when the callback returns is accepted, with
 * the first subprotocol offered that the config has. Only in the callback of
 * the peer's `WEBSOCKET_REQUEST`. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE`
 * (no request waits, or not from the callback),
 * `WEBSOCKET_E_SUBPROTOCOL_CHOICE` (not offered; nothing was sent),
 * `WEBSOCKET_E_SEND_UTF8` or `WEBSOCKET_E_SEND_TOO_BIG` (`subprotocol`),
 * `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE` (the peer or the server),
 * `WEBSOCKET_E_NULL`. Since 0.1.
 *
 * # Safety
 * `subprotocol` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_server_accept(struct webSocket_server *server,
                                         webSocket_peer peer,
                                         const char *subprotocol);

/**
 * Refuses the request of `WEBSOCKET_REQUEST` with an HTTP answer; the
 * connection ends behind it, and `WEBSOCKET_CLOSE` follows.
 *
 * `status`: 300 to 599, such as 401, 403 or 404. `body`: `length` bytes of
 * text, copied; NULL with 0 for none. Only in the callback of the peer's
 * `WEBSOCKET_REQUEST`. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (no
 * request waits, or not from the callback), `WEBSOCKET_E_RANGE` (the status),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG` (the body),
 * `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE` (the peer or the server). Since 0.1.
 *
 * # Safety
 * `body` is NULL or has `length` readable bytes.
 */
webSocket_result webSocket_server_refuse(struct webSocket_server *server,
                                         webSocket_peer peer,
                                         uint32_t status,
                                         const void *body,
                                         size_t length);

/**
 * Adds a header line to the answer to the request of `WEBSOCKET_REQUEST`, such
 * as `Set-Cookie` or `WWW-Authenticate`; before `webSocket_server_accept` or
 * `_refuse`.
 *
 * Both are copied. Only in the callback of the peer's `WEBSOCKET_REQUEST`.
 * Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (no request waits, or not from
 * the callback), `WEBSOCKET_E_HEADER` (not a header that may be sent, or one
 * that is the handshake's), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8`,
 * `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_GONE` (the peer or the server). Since
 * 0.1.
 *
 * # Safety
 * Both are NULL or NUL-terminated strings.
 */
webSocket_result webSocket_server_addHeader(struct webSocket_server *server,
                                            webSocket_peer peer,
                                            const char *name,
                                            const char *value);

/**
 * Looks a header of the request up, in the callback of the peer's
 * `WEBSOCKET_REQUEST` or `WEBSOCKET_OPEN`.
 *
 * `name` is compared without regard to case; the first line of that name
 * counts. Writes `*value` (NULL where there is no such header) and `*length`,
 * its bytes: what the peer sent, without a NUL, not to be trusted; borrowed
 * until the callback returns or accepts, refuses or closes. Results:
 * `WEBSOCKET_OK` (also where there is no such header), `WEBSOCKET_E_STATE` (no
 * request is there, or not from the callback), `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_SEND_UTF8` or `WEBSOCKET_E_SEND_TOO_BIG` (`name`),
 * `WEBSOCKET_GONE` (the peer or the server). Since 0.1.
 *
 * # Safety
 * `name` is NULL or a NUL-terminated string; `value` and `length` are NULL or
 * may be written.
 */
webSocket_result webSocket_server_requestHeader(struct webSocket_server *server,
                                                webSocket_peer peer,
                                                const char *name,
                                                const char **value,
                                                size_t *length);

/**
 * Sends a message or a control frame to a peer.
 *
 * `kind`: `WEBSOCKET_TEXT` (`data` must be UTF-8), `WEBSOCKET_BINARY`,
 * `WEBSOCKET_PING` or `WEBSOCKET_PONG` (at most 125 bytes). `data`: `length`
 * bytes, free again when the call returns, and may be what the event lent;
 * NULL with 0 for an empty one. Any thread: messages of one thread leave in
 * their order. From the callback of the peer's loop it takes no lock; replies
 * gather and leave together when the batch that was read has been told. It
 * waits only with `WEBSOCKET_OVERFLOW_BLOCK`, for room, on a thread that is in
 * no callback: for `WEBSOCKET_BLOCK_TIMEOUT_MS` at most, until the peer is
 * gone or the server stops (`WEBSOCKET_CLOSED`).
 *
 * Results: `WEBSOCKET_OK` (it is on its way), `WEBSOCKET_FULL` (more than
 * `WEBSOCKET_SEND_QUEUE_BYTES` would wait for this peer; `WEBSOCKET_DRAIN` tells
 * when it may go on; with another `WEBSOCKET_OVERFLOW` see there; of pings and
 * pongs: so many are on their way to the peer's loop),
 * `WEBSOCKET_CLOSED` (closing), `WEBSOCKET_GONE` (the peer or the server),
 * `WEBSOCKET_E_STATE` (not open yet), `WEBSOCKET_E_USAGE` (the kind),
 * `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_NULL`,
 * `WEBSOCKET_E_MEMORY`. Another thread than the peer's loop is told
 * `WEBSOCKET_OK` for a peer that is closing or not open yet as well: the
 * message is then dropped. Since 0.1.
 *
 * # Safety
 * `data` is NULL or has `length` readable bytes.
 */
webSocket_result webSocket_server_send(struct webSocket_server *server,
                                       webSocket_peer peer,
                                       uint32_t kind,
                                       const void *data,
                                       size_t length);

/**
 * Sends a message to all peers that subscribe to a topic, or to all that are
 * open; never waits. It is in memory once, however many peers it waits for.
 *
 * `topic`: a text that the peers subscribed to, compared byte by byte; NULL
 * for all peers. `kind`: `WEBSOCKET_TEXT` (`data` must be UTF-8) or
 * `WEBSOCKET_BINARY`. `data`: `length` bytes, copied; NULL with 0 for an empty
 * message. `except`: a peer that does not get it, such as the one it came
 * from; 0 for none. A peer that has no room for it goes without (see
 * `WEBSOCKET_OVERFLOW`) and gets `WEBSOCKET_DRAIN` later. Any thread: it keeps
 * its place among what the thread sends to each peer.
 *
 * Results: `WEBSOCKET_OK` (it is on its way; also where nobody subscribes),
 * `WEBSOCKET_FULL` (a loop has `WEBSOCKET_SEND_QUEUE_BYTES`, or 1 MiB, of
 * publications to come; its peers go without), `WEBSOCKET_E_USAGE` (the kind),
 * `WEBSOCKET_E_STATE` (the server was stopped), `WEBSOCKET_E_SEND_UTF8`
 * (`data` or `topic`),
 * `WEBSOCKET_E_SEND_TOO_BIG` (over `WEBSOCKET_SEND_QUEUE_BYTES`; a topic over
 * 64 KiB), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE`. Since
 * 0.1.
 *
 * # Safety
 * `topic` is NULL or a NUL-terminated string; `data` is NULL or has `length`
 * readable bytes.
 */
webSocket_result webSocket_server_publish(struct webSocket_server *server,
                                          const char *topic,
                                          uint32_t kind,
                                          const void *data,
                                          size_t length,
                                          webSocket_peer except);

/**
 * Has a peer get what is published to a topic from now on; again is fine.
 *
 * `topic`: any text in UTF-8, copied; it need not be announced and ends with
 * its last subscriber. Subscriptions end with their peer. Any thread. Results:
 * `WEBSOCKET_OK`, `WEBSOCKET_GONE` (the peer or the server),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8` (`topic`),
 * `WEBSOCKET_E_SEND_TOO_BIG` (over 64 KiB), `WEBSOCKET_E_MEMORY`. Since 0.1.
 *
 * # Safety
 * `topic` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_server_subscribe(struct webSocket_server *server,
                                            webSocket_peer peer,
                                            const char *topic);

/**
 * Has a peer get no more of a topic; one that it never subscribed to is fine.
 *
 * What was published before still comes. `topic`, threads and results as for
 * `webSocket_server_subscribe`. Since 0.1.
 *
 * # Safety
 * `topic` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_server_unsubscribe(struct webSocket_server *server,
                                              webSocket_peer peer,
                                              const char *topic);

/**
 * Starts the closing handshake with a peer, behind the messages that wait for
 * it; never waits. `WEBSOCKET_CLOSE` tells the end, at most
 * `WEBSOCKET_CLOSE_TIMEOUT_MS` later; no message is told before it any more.
 *
 * `code`: 1000 to 1003, 1007 to 1014, 3000 to 4999; 0 for none. `reason`:
 * UTF-8, at most 123 bytes, copied; NULL for none. Before the peer is open it
 * refuses the request. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_CLOSED`
 * (closing already), `WEBSOCKET_GONE` (the peer or the server),
 * `WEBSOCKET_E_RANGE` (the code), `WEBSOCKET_E_USAGE` (a reason without a
 * code), `WEBSOCKET_E_SEND_TOO_BIG` or `WEBSOCKET_E_SEND_UTF8` (the reason),
 * `WEBSOCKET_E_NULL`, `WEBSOCKET_E_MEMORY`. Since 0.1.
 *
 * # Safety
 * `reason` is NULL or a NUL-terminated string.
 */
webSocket_result webSocket_server_closePeer(struct webSocket_server *server,
                                            webSocket_peer peer,
                                            uint32_t code,
                                            const char *reason);

/**
 * Tells how many bytes wait to be sent to a peer, those on their way from
 * other threads included; what the kernel has taken is not.
 *
 * Writes `*length`. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE` (the
 * peer or the server), `WEBSOCKET_E_NULL`. Since 0.1.
 *
 * # Safety
 * `length` is NULL or may be written.
 */
webSocket_result webSocket_server_bufferedBytes(struct webSocket_server *server,
                                                webSocket_peer peer,
                                                size_t *length);

/**
 * Keeps a pointer of the program's with a peer, to find in each of its later
 * events (`peerUser`); NULL at first.
 *
 * Never read through, never freed: free what it points to in the callback of
 * `WEBSOCKET_CLOSE`, which comes once for every peer unless the server is
 * freed before. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE` (the
 * peer or the server), `WEBSOCKET_E_NULL`. Since 0.1.
 */
webSocket_result webSocket_server_setPeerUser(struct webSocket_server *server,
                                              webSocket_peer peer,
                                              void *user);

/**
 * Serves a connection that the program accepted itself, or got otherwise, as
 * one that the server accepted.
 *
 * `fd`, a connected TCP or local stream socket, is the server's from now on:
 * it is made non-blocking, and closed in the end. So it is where this fails,
 * but for `WEBSOCKET_E_USAGE`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_NULL`
 * and `WEBSOCKET_GONE`. `data`: `length` bytes that were read from it already,
 * copied; NULL with 0 for none. It goes to the loop with the fewest peers; the
 * limits on connections hold for it (503). Any thread. Results: `WEBSOCKET_OK`
 * (its request is awaited), `WEBSOCKET_E_USAGE` (not a connected stream
 * socket), `WEBSOCKET_E_STATE` (the server was stopped; the peer is answered
 * 503), `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG`
 * (`length` is beyond `PTRDIFF_MAX`), `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE`.
 * Since 0.1.
 *
 * # Safety
 * `data` is NULL or has `length` readable bytes.
 */
webSocket_result webSocket_server_adopt(struct webSocket_server *server,
                                        int fd,
                                        const void *data,
                                        size_t length);

/**
 * Tells what is known of a peer.
 *
 * Fills `*info`, whose `size` must be set (`WEBSOCKET_PEER_INFO_INIT`);
 * nothing in it is borrowed. From the first event of the peer up to and
 * including `WEBSOCKET_CLOSE`. Any thread; the counters of a peer that is
 * being served just now may be of different moments. Results: `WEBSOCKET_OK`,
 * `WEBSOCKET_GONE` (the peer or the server), `WEBSOCKET_E_STRUCT_SIZE`,
 * `WEBSOCKET_E_NULL`. Since 0.1.
 *
 * # Safety
 * `info` is NULL or points to a struct whose `size` is set.
 */
webSocket_result webSocket_server_peerInfo(struct webSocket_server *server,
                                           webSocket_peer peer,
                                           struct webSocket_peerInfo *info);

/**
 * Tells what a server has counted.
 *
 * Fills `*statistics`, whose `size` must be set (`WEBSOCKET_STATISTICS_INIT`).
 * It looks at every peer: not for each message. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE`,
 * `WEBSOCKET_E_STRUCT_SIZE`, `WEBSOCKET_E_NULL`. Since 0.1.
 *
 * # Safety
 * `statistics` is NULL or points to a struct whose `size` is set.
 */
webSocket_result webSocket_server_statistics(struct webSocket_server *server,
                                             struct webSocket_statistics *statistics);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WSEMBED_WEBSOCKET_H */

/* What a struct is set to before it is handed to the library. */
#define WEBSOCKET_PEER_INFO_INIT { sizeof(webSocket_peerInfo), 0, 0, 0, 0, 0, 0, 0, {0}, {0}, {0} }
#define WEBSOCKET_STATISTICS_INIT { sizeof(webSocket_statistics), 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define WEBSOCKET_EVENT_INIT { sizeof(webSocket_event), 0, 0, NULL, 0, NULL, 0, 0, 0, 0, WEBSOCKET_OK }
#define WEBSOCKET_FRAME_INIT { sizeof(webSocket_frame), NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, 0, 0, 0, 0 }
#define WEBSOCKET_FAILURE_INIT { sizeof(webSocket_failure), 0, WEBSOCKET_OK, 0, 0, 0, 0, {0}, {0} }
