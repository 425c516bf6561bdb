/*
 * wsembed, the drop-in for programs written against the old C helper,
 * generation 1. Frozen: only what such programs rely on.
 *
 * The other functions of generation 1 are in websocket_common_extra.h;
 * websocket.h, the library's own interface, may be used beside this one.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WSEMBED_WEBSOCKET_COMMON_H
#define WSEMBED_WEBSOCKET_COMMON_H

#ifdef WSEMBED_GENERATION_2
#error "websocket_common.h (generation 1) and ws_com.h (generation 2) exclude each other"
#endif
#define WSEMBED_GENERATION_1 1

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a frame is; the types of a fragmented message are below. */
typedef enum {
    WDT_MINDATA = -20, /**< a continuation that is not the last */
    WDT_TXTDATA = -19, /**< text */
    WDT_BINDATA = -18, /**< binary */
    WDT_DISCONN = -17, /**< close */
    WDT_PING = -16,
    WDT_PONG = -15,
    WDT_ERR = -1,      /**< not a frame, does not fit, protocol violation */
    WDT_NULL = 0       /**< nothing, end of the connection */
} WebsocketData_Type;

/** The last frame of a fragmented message. */
#define WDT_LASTDATA ((WebsocketData_Type)99)
/** The first frame of a fragmented binary message. */
#define WDT_BINSTART ((WebsocketData_Type)100)
/** The first frame of a fragmented text message. */
#define WDT_TXTSTART ((WebsocketData_Type)101)

/**
 * The SHA-1 of a NUL-terminated string: 40 upper-case hex digits and a NUL,
 * which the caller frees with free(); NULL for NULL or without memory. Any
 * thread.
 *
 * Programs that use it carry a prototype of their own; the name itself is too
 * common for a library to export, so it is mapped to another.
 */
#define sha1_hash webSocket_sha1Hash

/**
 * Connects to a server and completes the opening handshake. `ip` is an IPv4 or
 * IPv6 literal or a host name (resolved within 1000 ms). TCP within 1000 ms
 * more, a refused connect being tried again each ms; the handshake within
 * 1000 ms more. Any thread.
 *
 * Returns a connected, non-blocking, close-on-exec fd above 0, which the caller
 * closes with close(); or minus the milliseconds spent, at least -1, with errno
 * (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, EPROTO, EINVAL, ...).
 */
int webSocket_clientLinkToServer(char *ip, int port, char *interface_path);

/**
 * Answers a client's opening request (in `recvBuf`, read up to its NUL and to
 * `bufLen` bytes at most where that is above 0) on an accepted fd. Any thread.
 *
 * Returns the bytes sent; or -1 with errno EPROTO (no upgrade, no key: nothing
 * was sent) or that of send().
 */
int webSocket_serverLinkToClient(int fd, char *recvBuf, int bufLen);

/**
 * Sends one frame; `data` may be NULL with `dataLen` 0. On a fd from
 * webSocket_clientLinkToServer every frame leaves masked, whatever `isMask`
 * says. A frame that the kernel takes only in part is completed within 500 ms
 * on such a fd, without waiting on any other (a blocking fd without SO_SNDTIMEO
 * waits as send() does); what is left goes out first on the next send or
 * receive. Any thread; frames never mix. After a fork one process owns the fd.
 *
 * Returns the bytes of the whole frame, header included; or -1 with errno:
 * EAGAIN (full: nothing of the frame was sent), EINVAL (no such type, a control
 * payload over 125 bytes, a bad length), or that of send(). No SIGPIPE.
 */
int webSocket_send(int fd, char *data, int dataLen, bool isMask, WebsocketData_Type type);

/**
 * Receives one frame's payload, and no byte beyond the frame. A frame that is
 * cut off is kept with the socket, and the next call goes on. A blocking fd
 * waits (honouring SO_RCVTIMEO) for the first byte of a call only; a
 * non-blocking one never. A ping is answered, a close frame too. `dataType` may
 * be NULL. Any thread.
 *
 * Whenever it took anything it sets SO_RCVLOWAT to 1 (overwriting the
 * program's own): on TCP, Linux 4.18 and later, an edge-triggered epoll then
 * reports what is still pending. AF_UNIX raises no such edge: there an
 * edge-triggered program receives until errno is EAGAIN and the type WDT_NULL.
 *
 * Returns
 *  > 0  payload bytes; nothing behind them in `data` is touched. A ping or pong
 *       with payload counts if `dataType` is given.
 *  0    and errno: EAGAIN nothing yet, or a control or empty frame (its type in
 *       `*dataType`); ECONNRESET the end (after a close frame WDT_DISCONN, its
 *       payload in `data`); EMSGSIZE it does not fit and is kept for a call
 *       with a larger buffer (webSocket_pendingLen; beyond webSocket_setKeepMax
 *       skipped); EPROTO the peer broke the protocol, from then on always;
 *       EINVAL no room; else that of recv().
 *  < 0  minus the bytes in `data` that are no frame, at a connection's start;
 *       the rest of `data` is zeroed. errno EAGAIN: a whole HTTP request.
 *       EPROTO: anything else.
 */
int webSocket_recv(int fd, char *data, int dataMaxLen, WebsocketData_Type *dataType);

/** Sleeps; signals do not cut it short. Any thread. */
void webSocket_delayms(unsigned int ms);

/**
 * Resolves a host name within 1000 ms; `backIp` (16 bytes) gets dotted IPv4
 * text, or stays as it was. Returns the milliseconds spent: at least 1, or at
 * most -1 for a failure. Any thread.
 */
int websocket_getIpByHostName(char *hostName, char *backIp);

/** Sets an interface's IPv4 address. Returns 0, or -1. Any thread. */
int netCheck_setIP(char *devName, char *ip);

/**
 * Writes an interface's IPv4 address to `ip` (16 bytes); a failure leaves it as
 * it was. Any thread.
 */
void netCheck_getIP(char *devName, char *ip);

#ifdef __cplusplus
}
#endif

#endif
