/*
 * wsembed, the drop-in for programs written against the old C helper,
 * generation 2: a server on a thread of its own. Frozen: programs read these
 * structs, so the order and types of their fields are part of the interface.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WSEMBED_WS_SERVER_H
#define WSEMBED_WS_SERVER_H

#include <pthread.h>

#include "ws_com.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The rows of `Ws_Server.thread`. */
#define WS_SERVER_THREAD 10
/** Clients that each of them counts. */
#define WS_SERVER_CLIENT_OF_THREAD 500
/** Clients at a time, the rows of `Ws_Server.client`. */
#define WS_SERVER_CLIENT (WS_SERVER_THREAD * WS_SERVER_CLIENT_OF_THREAD)
/** The largest message of the old helper; ours takes larger ones. */
#define WS_SERVER_PKG (1024 * 100 + 16)
/** How long a port that is taken is tried again. */
#define WS_SERVER_BIND_TIMEOUT_MS 1000
/** How long a client may take for the handshake. */
#define WS_SERVER_LOGIN_TIMEOUT_MS 5000
/** Of no meaning here; programs may use it. */
#define WS_SERVER_CLIENT_OF_PRINTF 500

/** Why a client is gone. */
typedef enum {
    WET_NONE = 0,      /**< it is not; or the server was released */
    WET_EPOLL,         /**< never given: a socket that cannot be watched has no row */
    WET_SEND,          /**< its socket took nothing more */
    WET_LOGIN,         /**< its request was no good, or for another path */
    WET_LOGIN_TIMEOUT, /**< its request did not come in time */
    WET_DISCONNECT     /**< it hung up, closed, or broke the protocol */
} Ws_ExitType;

typedef struct WsClient Ws_Client;
typedef struct WsThread Ws_Thread;
typedef struct WsServer Ws_Server;

/** The handshake is over. */
typedef void (*WsOnLogin)(Ws_Client *client);
/**
 * `msgLen` above 0: a message, with a NUL behind it, valid until it returns.
 * 0: an empty message, or a control frame (`type`), whose payload is in `msg`:
 * a ping, which is answered already; a pong; or WDT_DISCONN, where the client
 * closes, and onExit follows. Never below 0: what is no frame, behind the
 * handshake, ends the connection (WET_DISCONNECT).
 */
typedef void (*WsOnMessage)(Ws_Client *client, char *msg, int msgLen, Ws_DataType type);
/** Once for each client that was accepted, the last that is told of it. */
typedef void (*WsOnExit)(Ws_Client *client, Ws_ExitType exitType);

/** A client's row. Any thread may read it; a program may write `exitType` and `priv`. */
struct WsClient {
    int fd;               /**< 0: the row is free */
    uint8_t ip[4];        /**< IPv4 address; of others zeros */
    int port;             /**< its port, in the host's byte order */
    Ws_ExitType exitType; /**< set it to have the server drop this client */
    bool isLogin;         /**< the handshake is over */
    bool isExiting;       /**< onExit is being called */
    uint32_t recvBytes;   /**< payload bytes received */
    uint32_t index;       /**< the server's clientCount when it came */
    uint32_t loginTimeout; /**< milliseconds that its handshake has taken */
    void *priv;           /**< the program's; NULL at first */
    Ws_Server *wss;       /**< its server */
    Ws_Thread *wst;       /**< the row that counts it */
};

/** Clients are counted in rows of 500. */
struct WsThread {
    int fd_epoll;    /**< the server's */
    int clientCount; /**< clients in this row's part of `client` */
    bool isRun;      /**< it has been used */
    Ws_Server *wss;  /**< its server */
};

/** A server. Any thread may read it. */
struct WsServer {
    int fd;       /**< the listening socket; 0: none */
    int fd_epoll; /**< what the server waits on */
    int port;     /**< the port it was created with */
    char path[256]; /**< the path it was created with */
    void *priv;     /**< what it was created with; the program's */
    int clientCount; /**< clients that are there */
    bool isExit;    /**< it serves nobody: the port could not be had, or it is being released */
    pthread_mutex_t lock; /**< held while a row is taken or freed, not while a callback runs */
    WsOnLogin onLogin;
    WsOnMessage onMessage;
    WsOnExit onExit;
    Ws_Thread thread[WS_SERVER_THREAD];
    Ws_Client client[WS_SERVER_CLIENT];
};

/**
 * Starts a server on `port` (all addresses), on a thread of its own, which is
 * the one that callbacks are called on, one at a time. Callbacks may be NULL.
 * `path` as for ws_replyClient, up to 255 characters. `priv` is kept. A message
 * may have 64 MiB in either direction (ws_send: -1 and EMSGSIZE beyond). While
 * 8 MiB or more wait for a client, ws_send gives -1 and EAGAIN.
 *
 * Returns a server, which the caller frees with ws_server_release; NULL without
 * memory. Where the port cannot be had within a second, or an argument is no
 * good, `isExit` turns true and `fd` is 0: release it all the same.
 */
Ws_Server *ws_server_create(
    int port,
    const char *path,
    void *priv,
    WsOnLogin onLogin,
    WsOnMessage onMessage,
    WsOnExit onExit);

/**
 * Stops a server: onExit (WET_NONE) for each client that is still there, then
 * all is freed and `*wss` NULL; it waits a second at most for clients to answer
 * the close. From now on no callback but onExit is called. From one of its own
 * callbacks it returns at once, and the rest, the freeing too, follows when
 * that callback has returned. NULL, or a pointer to NULL, is fine, and so is a
 * server that was released before. Any thread.
 */
void ws_server_release(Ws_Server **wss);

#ifdef __cplusplus
}
#endif

#endif
