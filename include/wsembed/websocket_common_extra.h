/*
 * wsembed, the drop-in, generation 1: the functions that the old header did
 * not declare (programs carry prototypes of their own for them), and two that
 * it did not have. Any thread may call any of them.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WSEMBED_WEBSOCKET_COMMON_EXTRA_H
#define WSEMBED_WEBSOCKET_COMMON_EXTRA_H

#include "websocket_common.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The `dataMaxLen` that webSocket_recv needs for what did not fit (EMSGSIZE): a
 * frame's payload, or an HTTP request and its NUL. 0 if nothing waits, -1 with
 * errno for a bad fd.
 */
int webSocket_pendingLen(int fd);

/**
 * Sets the largest payload in bytes that is kept for a larger buffer (16 MiB
 * unless set), for the whole process; a larger one that does not fit is
 * skipped. Returns 0.
 */
int webSocket_setKeepMax(unsigned int bytes);

/**
 * Builds a frame in `package`, which may overlap `data`. Returns its length; -1
 * (and `package` untouched) if it does not fit `packageMaxLen`, the type is
 * unknown, or a control payload is over 125 bytes.
 */
int webSocket_enPackage(unsigned char *data, unsigned int dataLen, unsigned char *package,
                        unsigned int packageMaxLen, bool isMask, WebsocketData_Type type);

/**
 * Reads the frame at the start of `data`; its payload and a NUL go to
 * `package`. Returns the type. WDT_ERR with `*packageLen` and `*packageHeadLen`
 * set: incomplete, or does not fit (`packageMaxLen` has to be one more than the
 * payload). WDT_ERR with both untouched: not a frame, or too short to say.
 * Either pointer may be NULL.
 */
int webSocket_dePackage(unsigned char *data, unsigned int dataLen, unsigned char *package,
                        unsigned int packageMaxLen, unsigned int *packageLen,
                        unsigned int *packageHeadLen);

/** A fresh key: 24 characters and a NUL. Returns 24; 0 for NULL or no randomness. */
int webSocket_buildShakeKey(unsigned char *key);

/** The answer to a key: 28 characters and a NUL. Returns 28; 0 for NULL. */
int webSocket_buildRespondShakeKey(unsigned char *acceptKey, unsigned int acceptKeyLen,
                                   unsigned char *respondKey);

/** Whether `acceptKey` answers `myKey`; lengths without a NUL. 0 if so, else -1. */
int webSocket_matchShakeKey(unsigned char *myKey, unsigned int myKeyLen, unsigned char *acceptKey,
                            unsigned int acceptKeyLen);

/**
 * A client's request, NUL-terminated, in at most 512 bytes; an empty string
 * where it would be longer, or an argument cannot stand in a request.
 */
void webSocket_buildHttpHead(char *ip, int port, char *interfacePath, unsigned char *shakeKey,
                             char *package);

/** The 101 answer to a client's key, NUL-terminated, in less than 1024 bytes. */
void webSocket_buildHttpRespond(unsigned char *acceptKey, unsigned int acceptKeyLen, char *package);

/** Random bytes, none of them 0 (all of them, if the kernel gives none). */
void webSocket_getRandomString(unsigned char *buf, unsigned int len);

/** Base64, NUL-terminated. Returns the characters without the NUL. */
int websocket_base64_encode(const unsigned char *bindata, char *base64, int binlength);

/** Decodes up to the first character that is not base64. Returns the bytes. */
int websocket_base64_decode(const char *base64, unsigned char *bindata);

#ifdef __cplusplus
}
#endif

#endif
