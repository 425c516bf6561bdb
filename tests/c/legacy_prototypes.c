/*
 * The drop-in's hand-written headers and the library agree: legacy.h has the
 * prototypes as the library defines them, so that a difference in a type does
 * not compile.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "websocket_common.h"
#include "websocket_common_extra.h"
#include "legacy.h"

int main(void)
{
    /* The types of generation 1 are part of its interface as well. */
    typedef char enum_is_an_int[sizeof(WebsocketData_Type) == sizeof(int) ? 1 : -1];
    (void)sizeof(enum_is_an_int);
    return 0;
}
