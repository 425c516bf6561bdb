/*
 * The hand-written headers of generation 2 and the library agree: ws.h has the
 * prototypes as the library defines them, so that a difference in a type does
 * not compile.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "ws_server.h"
#include "ws.h"

int main(void)
{
    /* The types of messages are part of the interface as well. */
    typedef char an_enum_is_an_int[sizeof(Ws_DataType) == sizeof(int) ? 1 : -1];
    (void)sizeof(an_enum_is_an_int);
    return 0;
}
