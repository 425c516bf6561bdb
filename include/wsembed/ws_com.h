/*
 * wsembed, the drop-in for programs written against the old C helper,
 * generation 2. Frozen: only what such programs rely on.
 *
 * The server on threads of its own is in ws_server.h; websocket.h, the
 * library's own interface, may be used beside this one.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WSEMBED_WS_COM_H
#define WSEMBED_WS_COM_H

#ifdef WSEMBED_GENERATION_1
#error "ws_com.h (generation 2) and websocket_common.h (generation 1) exclude each other"
#endif
#define WSEMBED_GENERATION_2 1

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a message is. */
typedef enum {
    WDT_NULL = 0, /**< receiving: nothing; sending: the bytes as they are, no frame */
    WDT_MINDATA,  /**< a continuation frame that continues nothing (0x80) */
    WDT_TXTDATA,  /**< text */
    WDT_BINDATA,  /**< binary */
    WDT_DISCONN,  /**< close; receiving: the connection is over, close the fd */
    WDT_PING,
    WDT_PONG
} Ws_DataType;

/**
 * Connects to a server and completes the opening handshake. `ip` is an IPv4 or
 * IPv6 literal or a host name. TCP within `timeoutMs` milliseconds (1000 unless
 * above 0), a refused connect being tried again each ms; name, TCP and handshake
 * together within twice that. `path` NULL: "/". Any thread.
 *
 * Returns a connected, non-blocking, close-on-exec fd above 0, which the caller
 * closes with close(); or minus the milliseconds spent, at least -1.
 */
int32_t ws_requestServer(char *ip, int32_t port, char *path, int32_t timeoutMs);

/**
 * Answers a client's opening request (in `buff`, read up to its NUL and to
 * `buffLen` bytes at most where that is above 0) on an accepted fd. `path`
 * NULL, "" and "/" match every request; otherwise the request's target has to
 * contain it. The first subprotocol that is offered is accepted. Any thread.
 *
 * Returns the bytes sent; or -1 where nothing was sent: no upgrade, no key,
 * another path, or send() failed.
 */
int32_t ws_replyClient(int32_t fd, char *buff, int32_t buffLen, char *path);

/**
 * Sends one message in one frame. `buff` may be NULL with `buffLen` 0. `mask`
 * is obeyed, but that a client's fd (from ws_requestServer) always masks and
 * that of a Ws_Server never does. WDT_NULL sends the bytes as they are. A frame
 * leaves whole or not at all; frames of several threads never mix. No SIGPIPE.
 * Any thread.
 *
 * On a fd of a Ws_Server it goes through that client's queue and never waits;
 * what a slow client does not read waits there, up to a limit.
 *
 * Returns the bytes of the whole frame, header included; 0 for a bad length or
 * type; -1 where nothing was sent: the connection is gone, or full.
 */
int32_t ws_send(int32_t fd, void *buff, int32_t buffLen, bool mask, Ws_DataType type);

/**
 * Receives one message into `buff`, which has `buffSize` bytes, at least 16.
 * Fragments are assembled; a message that is cut off is kept with the socket
 * and the next call goes on. A ping is answered, a close frame too. A blocking
 * fd waits for the first byte of a call only. `retType` may be NULL. The order
 * of frames is not judged: a whole message between the fragments of another is
 * told at once, and one whose end never came ends where the next one in several
 * frames begins. Any thread.
 *
 * Returns the payload's bytes if above 0, with a NUL behind them where there is
 * room. 0: nothing, a control frame or an empty message (see `*retType`);
 * WDT_DISCONN: the connection is over, or the peer broke the protocol. Below 0:
 * minus the bytes in `buff` that are no frame (WDT_NULL): an HTTP request (in
 * parts where it is larger), or noise before one; or a message that is larger
 * than `buffSize`, which is dropped whole: minus its length, with its type.
 *
 * `buff` NULL or `buffSize` below 1: drops what is pending, without waiting, and
 * returns 0 (WDT_DISCONN where the connection is over).
 */
int32_t ws_recv(int32_t fd, void *buff, int32_t buffSize, Ws_DataType *retType);

/** The time of day, "HH:MM:SS" at UTC+8, in a buffer of this thread's. */
char *ws_time(void);

/**
 * Resolves a host name within `timeoutMs` milliseconds (1000 unless above 0);
 * `retIp` gets a dotted IPv4 string (16 bytes with its NUL). Returns the
 * milliseconds spent, at least 1; or minus them, at least -1, and `retIp` is
 * untouched. Any thread.
 */
int ws_getIpByHostName(const char *hostName, char *retIp, int timeoutMs);

/** Sleeps for `us` microseconds. */
void ws_delayus(uint32_t us);

/** Sleeps for `ms` milliseconds. */
void ws_delayms(uint32_t ms);

#ifdef __cplusplus
}
#endif

#endif
