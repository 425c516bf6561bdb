/*
 * plain_bytes: bytes for a person, out (text, hex dump) and in (hexadecimal).
 *
 * What is printed came from a network: nothing of it may steer the terminal.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef PLAIN_BYTES_H
#define PLAIN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* How many bytes of `at` are one character that may go to a terminal; 0: none. */
static inline size_t printable(const uint8_t *at, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = at[0];
    size_t size = point < 0x80 ? 1 : point >= 0xF0 ? 4 : point >= 0xE0 ? 3 : 2, i;
    if (size == 1) return point >= 0x20 && point != 0x7F && point != '"' && point != '\\';
    if (point < 0xC2 || point > 0xF4 || size > length) return 0;
    point &= 0x7Fu >> size;
    for (i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        point = point << 6 | (at[i] & 0x3Fu);
    }
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return 0;
    if (point < 0xA0) return 0; /* control characters again */
    /* What turns the direction of writing would make the line tell a lie. */
    if (point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E)) return 0;
    return point >= 0x2066 && point <= 0x2069 ? 0 : size;
}

/* UTF-8 in quotes; what is no printable character as \xNN. */
static inline void printText(const uint8_t *at, size_t length)
{
    putchar('"');
    while (length > 0) {
        size_t size = printable(at, length);
        if (size > 0)
            fwrite(at, 1, size, stdout);
        else if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at == '\n' || *at == '\r' || *at == '\t')
            printf("\\%c", *at == '\n' ? 'n' : *at == '\r' ? 'r' : 't');
        else
            printf("\\x%02x", *at);
        if (size == 0) size = 1;
        at += size;
        length -= size;
    }
    putchar('"');
}

/* Lines of 16 bytes; all but the first begin with `indent` spaces. */
static inline void printDump(const uint8_t *at, size_t length, int indent)
{
    size_t line, i, width = length < 16 ? length : 16;
    for (line = 0; line < length; line += 16) {
        size_t count = length - line < 16 ? length - line : 16;
        printf("%*s%04zx ", line == 0 ? 0 : indent, "", line);
        for (i = 0; i < width; i++) {
            if (i < count)
                printf(" %02x", at[line + i]);
            else
                printf("   ");
        }
        printf("  |");
        for (i = 0; i < count; i++) putchar(at[line + i] >= 0x20 && at[line + i] < 0x7F ? at[line + i] : '.');
        puts("|");
    }
}

static inline int hexDigit(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static inline bool hexGap(char sign)
{
    return sign != '\0' && strchr(" \t\r\n:,;-", sign) != NULL;
}

/* Whether hexadecimal text begins with an offset, as the lines of xxd, hexdump, od and tcpdump do. */
static inline bool hexOffset(const char *text, size_t length)
{
    size_t i = 0, digits, zeros = 0;
    while (i < length && strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0') i++;
    if (length - i >= 2 && text[i] == '0' && text[i + 1] == 'x') i += 2;
    for (digits = i; i < length && hexDigit(text[i]) >= 0; i++) zeros += text[i] == '0';
    digits = i - digits;
    if (digits < 4 || length - i < 2) return false;
    if (text[i] == ':') return text[i + 1] == ' ' || text[i + 1] == '\t';
    return zeros == digits && (digits % 2 == 1 || (text[i] == ' ' && text[i + 1] == ' '));
}

/* Whether bytes may be hexadecimal text: nothing but digits and what stands between them. */
static inline bool looksHex(const uint8_t *at, size_t length)
{
    while (length > 0 && (hexDigit((char)*at) >= 0 || hexGap((char)*at) || *at == 'x')) at++, length--;
    return length == 0;
}

/* Reads the bytes that `text` spells, two digits each, into `bytes`, which has
 * room for length / 2. Where it cannot, `wrong` says why. */
static inline bool readHex(const char *text, size_t length, uint8_t *bytes, size_t *count, char *wrong, size_t room)
{
    size_t i = 0, bad;
    *count = 0;
    while (i < length) {
        bool begins = i == 0 || hexGap(text[i - 1]);
        if (hexGap(text[i])) {
            i++;
            continue;
        }
        if (begins && length - i >= 2 && text[i] == '0' && (text[i + 1] == 'x' || text[i + 1] == 'X')) {
            i += 2;
            if (i < length && !hexGap(text[i])) continue;
            snprintf(wrong, room, "no digits follow the 0x at character %zu", i - 1);
            return false;
        }
        bad = hexDigit(text[i]) < 0 ? i : i + 1;
        if (bad > i && (bad == length || hexGap(text[bad]))) {
            snprintf(wrong, room, "the byte at character %zu has one digit; write 0%c", i + 1, text[i]);
            return false;
        }
        if (bad == i || hexDigit(text[bad]) < 0) {
            snprintf(wrong, room, "character %zu (0x%02x) is no hexadecimal digit", bad + 1, (uint8_t)text[bad]);
            return false;
        }
        bytes[(*count)++] = (uint8_t)(hexDigit(text[i]) << 4 | hexDigit(text[i + 1]));
        i += 2;
    }
    if (*count == 0) snprintf(wrong, room, "there are no digits");
    return *count > 0;
}

#endif
