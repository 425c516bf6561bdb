/*
 * make_tone FILE BYTES: writes a WAV file of about BYTES bytes: 16-bit mono PCM
 * at 16 kHz, as a voice device records it. The tone sweeps from 220 to 880 Hz,
 * so that no two stretches of the file are equal and a swapped piece shows.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { RATE = 16000, HEADER = 44, LOWEST = HEADER + 2, HIGHEST = 1 << 30 };

/* WAV is little-endian on every machine. */
static void put(FILE *file, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> (8 * i) & 0xff), file);
}

static void put_header(FILE *file, uint32_t payload)
{
    fputs("RIFF", file);
    put(file, HEADER - 8 + payload, 4);
    fputs("WAVEfmt ", file);
    put(file, 16, 4);       /* size of the format block */
    put(file, 1, 2);        /* PCM */
    put(file, 1, 2);        /* channels */
    put(file, RATE, 4);     /* samples per second */
    put(file, RATE * 2, 4); /* bytes per second */
    put(file, 2, 2);        /* bytes per sample of all channels */
    put(file, 16, 2);       /* bits per sample */
    fputs("data", file);
    put(file, payload, 4);
}

/* A parabola in place of a sine: needs no -lm and sounds alike. */
static int wave(uint32_t phase)
{
    int32_t x = (int32_t)(phase >> 16) - 32768; /* -32768..32767: one period */
    int32_t half = x < 0 ? x + 16384 : 16384 - x;
    int32_t arc = x < 0 ? -1 : 1;
    return arc * (int)(12000 - (int64_t)12000 * half * half / (16384 * 16384));
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long bytes = argc == 3 ? strtol(argv[2], &end, 10) : 0;
    if (argc != 3 || *end != '\0' || bytes < LOWEST || bytes > HIGHEST) {
        fprintf(stderr, "usage: make_tone FILE BYTES (%d to %d)\n", LOWEST, HIGHEST);
        return 2;
    }
    FILE *file = fopen(argv[1], "wb");
    if (!file) {
        perror(argv[1]);
        return 1;
    }
    uint32_t samples = (uint32_t)(bytes - HEADER) / 2, phase = 0;
    put_header(file, samples * 2);
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t hertz = 220 + (uint32_t)((uint64_t)660 * i / samples);
        phase += (uint32_t)(((uint64_t)hertz << 32) / RATE);
        put(file, (uint32_t)wave(phase), 2);
    }
    if (ferror(file) || fclose(file) != 0) {
        perror(argv[1]);
        return 1;
    }
    return 0;
}
