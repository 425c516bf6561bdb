/* Frames in memory and the helper functions: tables, limits, guard pages. */
#include <sys/mman.h>

#include "legacy_sockets.h"

extern char *sha1_hash(const char *source); /* as old programs declare it */

static unsigned char *guarded; /* the end of a page before a PROT_NONE one */

static void guard_page(void) {
    long page = sysconf(_SC_PAGESIZE);
    unsigned char *at = (unsigned char *)mmap(NULL, (size_t)page * 33, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(at != MAP_FAILED, "mmap");
    must(mprotect(at + page * 32, (size_t)page, PROT_NONE) == 0, "mprotect");
    guarded = at + page * 32;
}

static void packages(void) {
    static const struct {
        int type;
        unsigned char first;
    } rows[] = {
        {WDT_MINDATA, 0x00}, {WDT_TXTDATA, 0x81}, {WDT_BINDATA, 0x82}, {WDT_DISCONN, 0x88}, {WDT_PING, 0x89},
        {WDT_PONG, 0x8A},    {100, 0x02},         {101, 0x01},         {99, 0x80},
    };
    static const unsigned sizes[] = {0, 1, 2, 3, 4, 5, 31, 32, 33, 125, 126, 127, 65535, 65536, 65537};
    static unsigned char frame[65600], back[65600];
    const unsigned stride = check_short() ? 1500 : 37;
    size_t row, size;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (size = 0; size < sizeof sizes / sizeof *sizes; size++) {
            unsigned length = sizes[size], at, masked;
            unsigned char *data = guarded - length; /* ap27: ends at the guard page */
            for (at = 0; at < length; at++) {
                data[at] = (unsigned char)(at * 11 + 1);
            }
            for (masked = 0; masked < 2; masked++) {
                unsigned head = 2 + (length > 65535 ? 8 : length > 125 ? 2 : 0) + 4 * masked, total = head + length;
                unsigned got = 9, got_head = 9, room;
                int made;
                memset(frame, 0x5A, sizeof frame);
                made = webSocket_enPackage(data, length, frame, sizeof frame, masked, (WebsocketData_Type)rows[row].type);
                if (rows[row].first & 8 && length > 125) {
                    CHECK(made <= 0);
                    continue;
                }
                CHECK_INT(made, total);
                CHECK_INT(frame[0], rows[row].first);
                CHECK_INT(frame[total], 0x5A);
                /* One byte short, and far too short: refused, nothing written. */
                for (room = 0; room < total; room += total - room > stride + 40 ? stride : total - room > 40 ? 37 : 1) {
                    memset(back, 0x5A, total);
                    CHECK(webSocket_enPackage(data, length, back, room, masked, (WebsocketData_Type)rows[row].type) <= 0);
                    for (at = 0; at < total && back[at] == 0x5A; at++) {
                    }
                    CHECK_INT(at, total);
                }
                /* Exact room, ending at the guard page. */
                CHECK_INT(webSocket_enPackage(frame + head, length, guarded - total, total, masked, (WebsocketData_Type)rows[row].type), total);
                for (at = 0; at < length; at++) {
                    data[at] = (unsigned char)(at * 11 + 1);
                }
                CHECK_INT(webSocket_enPackage(data, length, frame, sizeof frame, masked, (WebsocketData_Type)rows[row].type), total);
                /* Every prefix that ends at the guard page. */
                for (at = 0; at < total; at += at < 20 || total - at < 20 ? 1 : 997 < total - at - 19 ? 997 : 1) {
                    unsigned known = masked ? head - 4 : head;
                    memcpy(guarded - at, frame, at);
                    got = got_head = 9;
                    CHECK_INT(webSocket_dePackage(guarded - at, at, back, sizeof back, &got, &got_head), WDT_ERR);
                    CHECK_INT(got, at < known ? 9 : length);
                    CHECK_INT(got_head, at < known ? 9 : head);
                }
                memcpy(guarded - total, frame, total);
                /* The payload needs room for its NUL as well. */
                got = got_head = 9;
                CHECK_INT(webSocket_dePackage(guarded - total, total, back, length, &got, &got_head), WDT_ERR);
                CHECK_INT(got, length);
                CHECK_INT(got_head, head);
                memset(back, 0x5A, sizeof back);
                CHECK_INT(webSocket_dePackage(guarded - total, total, back, length + 1, NULL, NULL), rows[row].type);
                CHECK_INT(back[length], 0);
                CHECK_INT(back[length + 1], 0x5A);
                for (at = 0; at < length; at++) {
                    if (back[at] != (unsigned char)(at * 11 + 1)) {
                        CHECK_INT(at, -1);
                        break;
                    }
                }
                /* In place. */
                got = 9;
                CHECK_INT(webSocket_dePackage(frame, total, frame, sizeof frame, &got, &got_head), rows[row].type);
                CHECK_INT(got, length);
                CHECK_BYTES(frame, back, length);
                for (at = 0; at < length; at++) {
                    data[at] = (unsigned char)(at * 11 + 1);
                }
            }
        }
    }
}

static void refused_packages(void) {
    static const struct {
        const char *bytes;
        unsigned length;
    } rows[] = {
        {"", 0}, {"\x81", 1}, {"\x91\x00", 2}, {"\x83\x00", 2}, {"\x09\x00", 2}, {"\x89\x7E\x00\x7E", 4}, {"GET / HTTP", 10},
        {"\x82\x7E\x01", 3}, {"\x82\x7F\x00\x00\x00\x00\x00\x00\x00", 9},
        {"\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00", 10}, {"\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10},
        {"\x82\x7F\x00\x00\x00\x01\x00\x00\x00\x00", 10}, {"\x82\x7F\x00\x00\x00\x00\xFF\xFF\xFF\xFF", 10},
    };
    static const int types[] = {WDT_NULL, WDT_ERR, 1, 98, 102, -21};
    unsigned char room[64], data[200] = {0};
    size_t row;
    for (row = 0; row < sizeof rows / sizeof *rows; row++) {
        unsigned got = 9, head = 9;
        CHECK_INT(webSocket_dePackage((unsigned char *)rows[row].bytes, rows[row].length, room, sizeof room, &got, &head), WDT_ERR);
        CHECK_INT(got, 9);
        CHECK_INT(head, 9);
    }
    CHECK_INT(webSocket_dePackage(NULL, 10, room, sizeof room, NULL, NULL), WDT_ERR);
    CHECK_INT(webSocket_dePackage((unsigned char *)"\x81\x00", 2, NULL, 64, NULL, NULL), WDT_ERR);
    for (row = 0; row < sizeof types / sizeof *types; row++) {
        CHECK(webSocket_enPackage(data, 3, room, sizeof room, false, (WebsocketData_Type)types[row]) <= 0);
    }
    CHECK(webSocket_enPackage(data, 126, data, sizeof data, false, WDT_PING) <= 0);
    CHECK(webSocket_enPackage(NULL, 3, room, sizeof room, false, WDT_TXTDATA) <= 0);
    CHECK(webSocket_enPackage(data, 3, NULL, 64, false, WDT_TXTDATA) <= 0);
    CHECK(webSocket_enPackage(data, 0xFFFFFFFFu, room, 0xFFFFFFFFu, false, WDT_TXTDATA) <= 0);
    CHECK_INT(webSocket_enPackage(NULL, 0, room, 2, false, WDT_TXTDATA), 2);
    /* The real wire's last row: taken apart and made again. */
    {
        static const char wire[] = "\x81\x9a\x68\xb6\x52\x22\x4b\x93\x0c\x01\x28\xf6\x12\x66\x3c\xf1\x77\x7c\x4e\x90\x79\x7d\x41\x9d\x7a\x08\x36\x93\x73\x6a\x20\xff";
        unsigned got = 0, head = 0, at;
        CHECK_INT(webSocket_dePackage((unsigned char *)wire, 32, room, sizeof room, &got, &head), WDT_TXTDATA);
        CHECK_INT(got, 26);
        CHECK_INT(head, 6);
        for (at = 0; at < 26; at++) {
            CHECK(room[at] >= ' ' && room[at] < 127);
            CHECK_INT((char)(room[at] ^ (unsigned char)wire[2 + (at & 3)]), wire[6 + at]);
        }
    }
}

static void keys(void) {
    static const char *const rows[][2] = {
        {"J2BJc+GQuSw34hi2TjyVpg==", "uGY1yScptmHNgZqrDnpq1Ws1xho="},
        {"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
        {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
    };
    unsigned char key[26], other[26], answer[30];
    size_t row;
    memset(key, 0x5A, sizeof key);
    CHECK_INT(webSocket_buildShakeKey(key), 24);
    CHECK_INT(strlen((char *)key), 24);
    CHECK_INT(key[25], 0x5A);
    CHECK_INT(webSocket_buildShakeKey(other), 24);
    CHECK(strcmp((char *)key, (char *)other) != 0);
    CHECK_INT(websocket_base64_decode((char *)key, answer), 16);
    CHECK_INT(webSocket_buildShakeKey(NULL), 0);
    for (row = 0; row < 3; row++) {
        unsigned char *own = (unsigned char *)rows[row][0], *want = (unsigned char *)rows[row][1];
        memset(answer, 0x5A, sizeof answer);
        CHECK_INT(webSocket_buildRespondShakeKey(own, 24, answer), 28);
        CHECK(strcmp((char *)answer, rows[row][1]) == 0);
        CHECK_INT(answer[29], 0x5A);
        CHECK_INT(webSocket_matchShakeKey(own, 24, want, 28), 0);
        CHECK_INT(webSocket_matchShakeKey(own, 24, want, 27), -1);
        CHECK_INT(webSocket_matchShakeKey(own, 23, want, 28), -1);
        CHECK_INT(webSocket_matchShakeKey(want, 28, own, 24), -1);
    }
    CHECK_INT(webSocket_buildRespondShakeKey(NULL, 24, answer), 0);
    CHECK_INT(webSocket_buildRespondShakeKey(key, 24, NULL), 0);
    CHECK_INT(webSocket_matchShakeKey(NULL, 24, answer, 28), -1);
    CHECK_INT(webSocket_matchShakeKey(key, 24, NULL, 28), -1);
}

static void heads(void) {
    unsigned char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
    static char path[600], head[1100];
    size_t length;
    memset(head, 0x5A, sizeof head);
    webSocket_buildHttpHead((char *)"::1", 8080, (char *)"/chat?x=1", key, head);
    CHECK(strncmp(head, "GET /chat?x=1 HTTP/1.1\r\nHost: [::1]:8080\r\n", 42) == 0);
    CHECK(strstr(head, "\r\nUpgrade: websocket\r\n") != NULL);
    CHECK(strstr(head, "\r\nConnection: Upgrade\r\n") != NULL);
    CHECK(strstr(head, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
    CHECK(strstr(head, "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n") != NULL);
    /* Never more than 512 bytes, whatever the path. */
    for (length = 0; length < sizeof path - 1; length++) {
        size_t at;
        memset(path, 'p', length);
        path[length] = 0;
        memset(head, 0x5A, sizeof head);
        webSocket_buildHttpHead((char *)"127.0.0.1", 80, path, key, head);
        CHECK(strlen(head) == 0 || strcmp(head + strlen(head) - 4, "\r\n\r\n") == 0);
        for (at = 512; at < sizeof head; at++) {
            CHECK_INT(head[at], 0x5A);
        }
    }
    CHECK_INT(strlen(head), 0);
    /* hc19 */
    webSocket_buildHttpHead((char *)"h", 80, (char *)"/\r\nX: y", key, head);
    CHECK_INT(strlen(head), 0);
    webSocket_buildHttpHead(NULL, 80, (char *)"/", key, head);
    CHECK_INT(strlen(head), 0);
    webSocket_buildHttpHead((char *)"h", 80, (char *)"/", key, NULL);
    memset(head, 0x5A, sizeof head);
    webSocket_buildHttpRespond(key, 24, head);
    CHECK(strncmp(head, "HTTP/1.1 101 ", 13) == 0);
    CHECK(strstr(head, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n") != NULL);
    CHECK_INT(head[1024], 0x5A);
    webSocket_buildHttpRespond(NULL, 24, head);
    webSocket_buildHttpRespond(key, 24, NULL);
}

static void others(void) {
    unsigned char bytes[1000];
    char text[64], *digest;
    int at, spent;
    memset(bytes, 0, sizeof bytes);
    webSocket_getRandomString(bytes, 999);
    CHECK(memchr(bytes, 0, 999) == NULL);
    CHECK_INT(bytes[999], 0);
    webSocket_getRandomString(NULL, 5);
    webSocket_delayms(0);
    webSocket_delayms(2);
    for (at = 0; at < 40; at++) {
        unsigned char back[64];
        memset(guarded - 40, 0xC7, 40);
        memset(text, 0x5A, sizeof text);
        CHECK_INT(websocket_base64_encode(guarded - at, text, at), (at + 2) / 3 * 4);
        CHECK_INT(strlen(text), (at + 2) / 3 * 4);
        memset(back, 0x5A, sizeof back);
        CHECK_INT(websocket_base64_decode(text, back), at);
        CHECK_BYTES(back, guarded - at, (size_t)at);
        CHECK_INT(back[at], 0x5A);
        /* In place. */
        CHECK_INT(websocket_base64_decode(text, (unsigned char *)text), at);
        CHECK_BYTES(text, guarded - at, (size_t)at);
    }
    CHECK_INT(websocket_base64_encode(bytes, text, -1), 0);
    CHECK_INT(websocket_base64_encode(NULL, text, 3), 0);
    CHECK_INT(websocket_base64_decode(NULL, bytes), 0);
    /* Never a read past the NUL. */
    for (at = 1; at < 8; at++) {
        memcpy(guarded - at, &"QUJDRUZ"[8 - at], (size_t)at);
        guarded[-1] = 0;
        CHECK(websocket_base64_decode((char *)guarded - at, bytes) <= at);
    }
    CHECK_INT(websocket_base64_decode("QUJD!QUJD", bytes), 3);
    digest = sha1_hash("abc");
    CHECK(digest != NULL && strcmp(digest, "A9993E364706816ABA3E25717850C26C9CD0D89D") == 0);
    free(digest);
    CHECK(sha1_hash(NULL) == NULL);
    /* Names and interfaces. */
    strcpy(text, "kept");
    spent = websocket_getIpByHostName((char *)"127.0.0.1", text);
    CHECK(spent >= 1);
    CHECK(strcmp(text, "127.0.0.1") == 0);
    CHECK(websocket_getIpByHostName((char *)"localhost", text) >= 1);
    strcpy(text, "kept");
    CHECK(websocket_getIpByHostName((char *)"no such name", text) <= -1);
    CHECK(websocket_getIpByHostName((char *)"::1", text) <= -1);
    CHECK(websocket_getIpByHostName(NULL, text) <= -1);
    CHECK(websocket_getIpByHostName((char *)"127.0.0.1", NULL) >= 1);
    netCheck_getIP((char *)"nosuchdev0", text);
    netCheck_getIP((char *)"a-name-that-no-interface-can-have", text);
    netCheck_getIP(NULL, text);
    netCheck_getIP((char *)"", text);
    CHECK(strcmp(text, "kept") == 0);
    netCheck_getIP((char *)"lo", text);
    CHECK(strcmp(text, "127.0.0.1") == 0);
    CHECK_INT(netCheck_setIP((char *)"nosuchdev0", (char *)"10.0.0.1"), -1);
    CHECK_INT(netCheck_setIP((char *)"lo", (char *)"not an address"), -1);
    CHECK_INT(netCheck_setIP((char *)"a-name-that-no-interface-can-have", (char *)"10.0.0.1"), -1);
    CHECK_INT(netCheck_setIP(NULL, NULL), -1);
}

static void links(void) {
    static const char head[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
    const int length = (int)sizeof head - 1;
    int port = 0, listener = listen_local(&port), spent, pair[2];
    char copy[128];
    close(listener);
    /* Nobody listens: minus the milliseconds spent. */
    spent = webSocket_clientLinkToServer((char *)"127.0.0.1", port, (char *)"/");
    CHECK(spent <= -1000);
    CHECK_INT(errno, ECONNREFUSED);
    CHECK(webSocket_clientLinkToServer(NULL, port, (char *)"/") <= -1);
    CHECK_INT(errno, EINVAL);
    CHECK(webSocket_clientLinkToServer((char *)"127.0.0.1", 0, (char *)"/") <= -1);
    connect_pair(TCP, pair);
    strcpy(copy, head);
    /* The length that webSocket_recv gave is negative; recv()'s is not. */
    CHECK_INT(webSocket_serverLinkToClient(pair[0], copy, -length), 129);
    CHECK_INT(webSocket_serverLinkToClient(pair[0], copy, 0), 129);
    CHECK_INT(webSocket_serverLinkToClient(pair[0], copy, length), 129);
    CHECK_INT(webSocket_serverLinkToClient(pair[0], copy, 4096), 129);
    /* No NUL: not a byte beyond bufLen is read. */
    memcpy(guarded - length, head, (size_t)length);
    CHECK_INT(webSocket_serverLinkToClient(pair[0], (char *)guarded - length, length), 129);
    CHECK(webSocket_serverLinkToClient(pair[0], copy, 20) <= 0);
    CHECK_INT(errno, EPROTO);
    CHECK(webSocket_serverLinkToClient(pair[0], NULL, 20) <= 0);
    CHECK_INT(errno, EPROTO);
    CHECK(webSocket_serverLinkToClient(-1, copy, length) <= 0);
    CHECK_INT(errno, EBADF);
    close_pair(pair);
}

int main(void) {
    guard_page();
    links();
    packages();
    refused_packages();
    keys();
    heads();
    others();
    return check_done("legacy_package");
}
