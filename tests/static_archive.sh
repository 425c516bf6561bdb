#!/bin/bash
# libwsembed.a lives beside other Rust libraries in one C program, and what
# scripts/one-object.sh makes of a Rust library still unwinds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
twin=$WSEMBED_SOURCE/tests/twin

for name in one two; do
    for type in staticlib cdylib; do
        "$RUSTC" --edition 2024 -C opt-level=2 -C panic=unwind --crate-name "twin_$name" --crate-type "$type" \
            --cfg "twin=\"$name\"" --check-cfg 'cfg(twin, values("one", "two"))' \
            -o "$work/twin_$name.$type" "$twin/twin.rs"
    done
    sh "$WSEMBED_SOURCE/scripts/one-object.sh" "$work/twin_$name.staticlib" "$work/twin_$name.cdylib" \
        "$work/libtwin_$name.a"
done

read -ra native < <(sed -n 's/^Libs.private: //p' "$WSEMBED_BUILD/package/wsembed.pc")
"$CC" -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$WSEMBED_SOURCE/include" "$twin/main.c" \
    "$WSEMBED_BUILD/lib/libwsembed.a" "$work/libtwin_one.a" "$work/libtwin_two.a" "${native[@]}" -o "$work/three"
"$work/three"
