/*
 * Every helper of the old library, called with the prototypes that programs of
 * the field carry themselves: the old header did not declare these functions.
 *
 *     old_helpers
 *
 * Exit status 0: each did what it is for. Known answers are from RFC 3174,
 * RFC 4648 and RFC 6455.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "websocket_common.h"

int webSocket_enPackage(unsigned char *data, unsigned int dataLen, unsigned char *package,
    unsigned int packageMaxLen, bool isMask, WebsocketData_Type type);
int webSocket_dePackage(unsigned char *data, unsigned int dataLen, unsigned char *package,
    unsigned int packageMaxLen, unsigned int *packageLen, unsigned int *packageHeadLen);
int webSocket_buildShakeKey(unsigned char *key);
int webSocket_buildRespondShakeKey(unsigned char *acceptKey, unsigned int acceptKeyLen, unsigned char *respondKey);
int webSocket_matchShakeKey(unsigned char *myKey, unsigned int myKeyLen, unsigned char *acceptKey,
    unsigned int acceptKeyLen);
void webSocket_buildHttpHead(char *ip, int port, char *interfacePath, unsigned char *shakeKey, char *package);
void webSocket_buildHttpRespond(unsigned char *acceptKey, unsigned int acceptKeyLen, char *package);
void webSocket_getRandomString(unsigned char *buf, unsigned int len);
int websocket_base64_encode(const unsigned char *bindata, char *base64, int binlength);
int websocket_base64_decode(const char *base64, unsigned char *bindata);
char *sha1_hash(const char *source);

static int failures = 0;

#define CHECK(what) do { if (!(what)) { printf("line %d: %s\n", __LINE__, #what); failures++; } } while (0)

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ANSWER "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static unsigned char data[70000], package[70020], back[70020];

static void packages(void)
{
    /* type, first byte on the wire, type that comes back */
    static const int types[][3] = {{WDT_MINDATA, 0x00, WDT_MINDATA}, {WDT_TXTDATA, 0x81, WDT_TXTDATA},
        {WDT_BINDATA, 0x82, WDT_BINDATA}, {WDT_DISCONN, 0x88, WDT_DISCONN}, {WDT_PING, 0x89, WDT_PING},
        {WDT_PONG, 0x8A, WDT_PONG}, {100, 0x02, 100}, {101, 0x01, 101}, {99, 0x80, 99}};
    static const unsigned int sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 70000};
    unsigned int t, s, m;
    for (t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            for (m = 0; m < 2; m++) {
                unsigned int size = sizes[s], payload = 77, head = 77;
                unsigned int room = size + (size < 126 ? 2 : size < 65536 ? 4 : 10) + (m ? 4 : 0);
                int ret;
                if (size > 125 && types[t][1] >= 0x88)
                    continue;
                ret = webSocket_enPackage(data, size, package, room, m == 1, types[t][0]);
                CHECK(ret == (int)room);
                CHECK(package[0] == types[t][1]);
                CHECK((package[1] & 0x80) == (m ? 0x80 : 0));
                CHECK(webSocket_enPackage(data, size, package, room - 1, m == 1, types[t][0]) <= 0);
                back[size] = 'x';
                ret = webSocket_dePackage(package, room, back, size + 1, &payload, &head);
                CHECK(ret == types[t][2]);
                CHECK(payload == size && head == room - size);
                CHECK(memcmp(back, data, size) == 0 && back[size] == 0);
                if (size == 0)
                    continue;
                /* one byte is missing: the length is told */
                payload = head = 77;
                CHECK(webSocket_dePackage(package, room - 1, back, size + 1, &payload, &head) == WDT_ERR);
                CHECK(payload == size && head == room - size);
                /* no room: likewise */
                payload = head = 77;
                CHECK(webSocket_dePackage(package, room, back, size, &payload, &head) == WDT_ERR);
                CHECK(payload == size && head == room - size);
                CHECK(webSocket_dePackage(package, room, back, size + 1, NULL, NULL) == types[t][2]);
            }
        }
    }
    {
        unsigned int payload = 77, head = 77;
        CHECK(webSocket_enPackage(data, 1, package, sizeof(package), false, 55) <= 0);
        CHECK(webSocket_dePackage((unsigned char *)"GET / HTTP/1.1\r\n", 16, back, 100, &payload, &head) == WDT_ERR);
        CHECK(payload == 77 && head == 77);
        CHECK(webSocket_dePackage((unsigned char *)"\x81", 1, back, 100, &payload, &head) == WDT_ERR);
        CHECK(payload == 77 && head == 77);
    }
}

static void handshake(void)
{
    unsigned char key[25], other[25], answer[29];
    char text[1024];
    memset(key, 'x', sizeof(key));
    CHECK(webSocket_buildShakeKey(key) == 24);
    CHECK(strlen((char *)key) == 24);
    CHECK(websocket_base64_decode((char *)key, back) == 16);
    CHECK(webSocket_buildShakeKey(other) == 24 && strcmp((char *)key, (char *)other) != 0);
    CHECK(webSocket_buildRespondShakeKey((unsigned char *)KEY, strlen(KEY), answer) == 28);
    CHECK(strcmp((char *)answer, ANSWER) == 0);
    CHECK(webSocket_matchShakeKey((unsigned char *)KEY, strlen(KEY), answer, 28) == 0);
    CHECK(webSocket_matchShakeKey(key, 24, answer, 28) == -1);
    webSocket_buildHttpHead("127.0.0.1", 9000, "/null", key, text);
    CHECK(strncmp(text, "GET /null HTTP/1.1\r\n", 20) == 0);
    CHECK(strstr(text, "\r\nHost: 127.0.0.1:9000\r\n") != NULL);
    CHECK(strstr(text, (char *)key) != NULL);
    CHECK(strcmp(text + strlen(text) - 4, "\r\n\r\n") == 0);
    webSocket_buildHttpRespond((unsigned char *)KEY, strlen(KEY), text);
    CHECK(strncmp(text, "HTTP/1.1 101 ", 13) == 0);
    CHECK(strstr(text, ANSWER "\r\n") != NULL);
    CHECK(strcmp(text + strlen(text) - 4, "\r\n\r\n") == 0);
}

static void base64(void)
{
    static const char *plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    char text[32];
    int i;
    for (i = 0; i < 7; i++) {
        CHECK(websocket_base64_encode((const unsigned char *)plain[i], text, i) == (int)strlen(coded[i]));
        CHECK(strcmp(text, coded[i]) == 0);
        CHECK(websocket_base64_decode(coded[i], back) == i);
        CHECK(memcmp(back, plain[i], i) == 0);
    }
    CHECK(websocket_base64_decode("Zm9v*mFy", back) == 3);
}

static void sha1(void)
{
    char *hash = sha1_hash("abc");
    CHECK(hash != NULL && strcmp(hash, "A9993E364706816ABA3E25717850C26C9CD0D89D") == 0);
    free(hash);
    hash = sha1_hash("");
    CHECK(hash != NULL && strcmp(hash, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709") == 0);
    free(hash);
}

static void network(void)
{
    char ip[16] = "untouched";
    unsigned char random[1000];
    CHECK(websocket_getIpByHostName("localhost", ip) >= 1);
    CHECK(strcmp(ip, "127.0.0.1") == 0);
    CHECK(websocket_getIpByHostName("bad..name", ip) <= -1);
    memset(ip, 0, sizeof(ip));
    netCheck_getIP("lo", ip);
    CHECK(strcmp(ip, "127.0.0.1") == 0);
    strcpy(ip, "as it was");
    netCheck_getIP("a-device-name-that-is-too-long", ip);
    netCheck_getIP("none0", ip);
    CHECK(strcmp(ip, "as it was") == 0);
    CHECK(netCheck_setIP("a-device-name-that-is-too-long", "10.0.0.1") == -1);
    CHECK(netCheck_setIP("lo", "not an address") == -1);
    webSocket_getRandomString(random, sizeof(random));
    CHECK(memchr(random, 0, sizeof(random)) == NULL);
    webSocket_getRandomString(back, sizeof(random));
    CHECK(memcmp(random, back, sizeof(random)) != 0);
    webSocket_delayms(1);
}

int main(void)
{
    unsigned int i;
    for (i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i * 31 + i / 256);
    packages();
    handshake();
    base64();
    sha1();
    network();
    printf("%d wrong\n", failures);
    return failures != 0;
}
