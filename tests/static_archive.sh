#!/bin/bash
# libwsembed.a lives beside other Rust libraries in one C program (AP37), and what
# scripts/one-object.sh makes of a Rust library still unwinds.
#
#   static_archive.sh [FOLDER OF libwsembed.a]   (that of the finished build)
set -euo pipefail
source=${WSEMBED_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
library=${1:-${WSEMBED_BUILD:-$source/build}/lib}
pc=$library/../package/wsembed.pc
for file in "$library/libwsembed.a" "$pc"; do
    [ -f "$file" ] || { echo "$file is missing: run make first, or name the folder of libwsembed.a" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
twin=$source/tests/twin
# Of a cross build: another target, its linker, and what runs its programs.
target=()
[ -z "${WSEMBED_RUST_TARGET:-}" ] || target=(--target "$WSEMBED_RUST_TARGET" -C "linker=$CC")
read -ra emulator <<<"${WSEMBED_EMULATOR:-}"

for name in one two; do
    for type in staticlib cdylib; do
        "${RUSTC:-rustc}" "${target[@]}" --edition 2024 -C opt-level=2 -C panic=unwind --crate-name "twin_$name" --crate-type "$type" \
            --cfg "twin=\"$name\"" --check-cfg 'cfg(twin, values("one", "two"))' \
            -o "$work/twin_$name.$type" "$twin/twin.rs"
    done
    sh "$source/scripts/one-object.sh" "$work/twin_$name.staticlib" "$work/twin_$name.cdylib" \
        "$work/libtwin_$name.a"
done

read -ra native < <(sed -n 's/^Libs.private: //p' "$pc")
"${CC:-cc}" -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$source/include" "$twin/main.c" \
    "$library/libwsembed.a" "$work/libtwin_one.a" "$work/libtwin_two.a" "${native[@]}" -o "$work/three"
"${emulator[@]}" "$work/three"
