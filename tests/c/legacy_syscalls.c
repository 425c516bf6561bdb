/* Small messages back and forth, for legacy_syscalls.sh to count what the
 * library asks of the kernel. The peer's calls are read() and write(), so that
 * they can be told from the library's; loopback delivers before write() returns. argv[1]: plain, masked, half. */
#include "legacy_sockets.h"

static struct outcome out;

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "plain";
    const int rounds = argc > 2 ? atoi(argv[2]) : 1000;
    char frame[64];
    int pair[2], round;
    connect_pair(TCP, pair);
    set_blocking(pair[0], 0);
    for (round = 0; round < rounds; round++) {
        if (strcmp(how, "half") == 0) {
            /* Two receives a message: the second has a note. */
            must(write(pair[1], "\x81\x85\0\0\0\0he", 8) == 8, "write");
            receive(pair[0], 64, &out);
            EXPECT(out, 0, WDT_NULL, EAGAIN);
            must(write(pair[1], "llo", 3) == 3, "write");
        } else {
            must(write(pair[1], "\x81\x85\0\0\0\0hello", 11) == 11, "write");
        }
        receive(pair[0], 64, &out);
        EXPECT(out, 5, WDT_TXTDATA, 0);
        CHECK_INT(webSocket_send(pair[0], out.data, 5, strcmp(how, "masked") == 0, WDT_TXTDATA),
                  strcmp(how, "masked") == 0 ? 11 : 7);
        must(read(pair[1], frame, sizeof frame) > 0, "read");
    }
    close_pair(pair);
    return check_done("legacy_syscalls");
}
