/*
 * Small helpers that old programs used besides WebSocket.
 *
 * Shows: webSocket_getRandomString, websocket_base64_encode, websocket_base64_decode,
 *        webSocket_sha1Hash
 */
#include "websocket_common_extra.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The old header did not declare it, so programs do; the header maps the name. */
char *sha1_hash(const char *source);

int main(void)
{
    unsigned char noise[12], back[12];
    char text[17], *digest; /* 12 bytes become 16 characters, and a NUL */
    int length;

    webSocket_getRandomString(noise, sizeof noise);
    length = websocket_base64_encode(noise, text, sizeof noise);
    printf("%d characters: %s\n", length, text);
    if (websocket_base64_decode(text, back) != sizeof back || memcmp(noise, back, sizeof back) != 0)
        return 1;

    digest = sha1_hash("abc");
    if (digest == NULL)
        return 1;
    printf("%s\n", digest);
    length = strcmp(digest, "A9993E364706816ABA3E25717850C26C9CD0D89D");
    free(digest);
    return length != 0;
}
