/*
 * The messages of ws_load: frames that are made once and differ in a sequence number
 * only. Included by ws_load.c only.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef WS_LOAD_FRAMES_H
#define WS_LOAD_FRAMES_H

#include "ws_load_options.h"

enum {
    DIGITS = 8,      /* bytes of a payload that hold its sequence number, 6 bits each */
    INDEX_SHIFT = 28 /* sequence numbers of a connection begin at its index << this */
};

/* RFC 6455 5.3 wants masks unpredictable, which protects proxies from a browser's
 * scripts. Here it would measure nothing: all frames have this one. */
static const uint8_t mask[4] = {0xa5, 0x3c, 0x96, 0x5b};

static uint8_t *batch; /* frames as we send them, as many as may be in flight */
static size_t frameBytes, frameHead;
static uint8_t *echo;  /* the frame that must come back */
static size_t echoBytes, echoHead, digits;

static size_t frame_head(const struct options *options, uint8_t *head, uint8_t maskBit)
{
    size_t bytes = options->size < 126 ? 0 : options->size < 65536 ? 2 : 8;
    head[0] = options->text ? 0x81 : 0x82;
    head[1] = maskBit | (bytes == 0 ? (uint8_t)options->size : bytes == 2 ? 126 : 127);
    for (size_t i = 0; i < bytes; i++) head[2 + i] = (uint8_t)(options->size >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}

/* ASCII, so that it may stand in text as well. */
static uint8_t digit(uint64_t sequence, size_t i)
{
    return (uint8_t)(0x20 + (sequence >> (6 * i) & 63));
}

static void echo_number(uint64_t sequence)
{
    for (size_t i = 0; i < digits; i++) echo[echoHead + i] = digit(sequence, i);
}

/* Makes the echo and the frames; what differs from message to message is filled in later. */
static bool frames_make(const struct options *options)
{
    uint8_t head[10];
    uint32_t random = 1;
    echoHead = frame_head(options, head, 0);
    frameHead = echoHead + sizeof mask;
    echoBytes = echoHead + options->size;
    frameBytes = frameHead + options->size;
    digits = options->size < DIGITS ? options->size : DIGITS;
    echo = malloc(echoBytes);
    batch = malloc(frameBytes * options->inFlight);
    if (echo == NULL || batch == NULL) return false;
    memcpy(echo, head, echoHead);
    for (size_t i = echoHead; i < echoBytes; i++) {
        random = random * 1103515245 + 12345;
        echo[i] = options->text ? (uint8_t)('a' + (random >> 16) % 26) : (uint8_t)(random >> 16);
    }
    for (size_t slot = 0; slot < options->inFlight; slot++) {
        uint8_t *frame = batch + slot * frameBytes;
        frame_head(options, frame, 0x80);
        memcpy(frame + echoHead, mask, sizeof mask);
        for (size_t i = 0; i < options->size; i++) frame[frameHead + i] = echo[echoHead + i] ^ mask[i & 3];
    }
    return true;
}

static void batch_number(uint64_t sequence, size_t count)
{
    for (size_t slot = 0; slot < count; slot++) {
        uint8_t *payload = batch + slot * frameBytes + frameHead;
        for (size_t i = 0; i < digits; i++) payload[i] = digit(sequence + slot, i) ^ mask[i & 3];
    }
}

#endif
