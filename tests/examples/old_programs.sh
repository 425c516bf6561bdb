#!/bin/bash
# Old programs need the old header's name and -lwsembed, no more: each compiles
# and links on one line, and links with the static library too. The helpers
# that the old header did not declare do their work under the programs' own
# prototypes. Closes with "N passed, N failed".
set -uo pipefail
# shellcheck source=tests/old/lib.sh
. "$WSEMBED_SOURCE/tests/old/lib.sh"
include=$WSEMBED_SOURCE/include/wsembed
read -ra emulator <<<"${WSEMBED_EMULATOR:-}"
read -ra native < <(sed -n 's/^Libs.private: //p' "$WSEMBED_BUILD/package/wsembed.pc")

for source in "$WSEMBED_SOURCE"/tests/old/*.c; do
    name=$(basename "$source" .c)
    try "$name.c, shared" "$CC" -std=gnu99 -Wall -Wextra -Werror -I"$include" "$source" \
        -L"$WSEMBED_BUILD/lib" -lwsembed -lpthread -o "$work/$name"
done
for standard in gnu11 gnu17 c99 c11; do
    try "old_helpers.c as $standard" "$CC" -std=$standard -Wall -Wextra -Werror -fsyntax-only -I"$include" \
        "$WSEMBED_SOURCE/tests/old/old_helpers.c"
done
try "old_helpers.c, static" "$CC" -std=gnu99 -Wall -Wextra -Werror -I"$include" \
    "$WSEMBED_SOURCE/tests/old/old_helpers.c" "$WSEMBED_BUILD/lib/libwsembed.a" "${native[@]}" -o "$work/static"
try "old_helpers" env LD_LIBRARY_PATH="$WSEMBED_BUILD/lib" "${emulator[@]}" "$work/old_helpers"
try "old_helpers, static" "${emulator[@]}" "$work/static"
sum
