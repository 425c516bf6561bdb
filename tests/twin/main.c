/* Three Rust libraries in one program (two with ONE_TWIN); each has its own standard library. */
#include <stdio.h>
#include <string.h>
#include <wsembed/websocket.h>

int twin_one(void);
#ifdef ONE_TWIN /* two, as rustc makes them, do not link (see scripts/one-object.sh) */
#define twin_two() 2
#else
int twin_two(void);
#endif

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
    printf("ok: the Rust libraries live together, wsembed %s\n", webSocket_version());
    return 0;
}
