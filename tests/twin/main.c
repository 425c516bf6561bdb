/* Three Rust libraries in one program; each has its own standard library. */
#include <stdio.h>
#include <string.h>
#include <wsembed/websocket.h>

int twin_one(void);
int twin_two(void);

int main(void)
{
    if (twin_one() != 1 || twin_two() != 2 || twin_one() != 1) {
        puts("FAIL: a panic was not caught where it was thrown");
        return 1;
    }
    if (strcmp(webSocket_result_name(WEBSOCKET_E_UTF8), "WEBSOCKET_E_UTF8") != 0) {
        puts("FAIL: libwsembed.a gives a wrong answer");
        return 1;
    }
    printf("ok: three Rust libraries, wsembed %s\n", webSocket_version());
    return 0;
}
