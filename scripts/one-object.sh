#!/bin/sh
# Makes the static library that is installed: one object in which only our own
# names are global.
#
#   one-object.sh RUST_STATICLIB SHARED_LIBRARY OUTPUT
#
# What cargo makes carries the globals of Rust's standard library, so that two
# such libraries in one program clash. Here the parts that our exported
# functions need are linked into one object, and every other name becomes
# local to it. The exported names are those of the shared library.
#
# CC, AR, NM and OBJCOPY name the (cross) tools.
set -eu
raw=$1 shared=$2 output=$3
CC=${CC:-cc} AR=${AR:-ar} NM=${NM:-nm} OBJCOPY=${OBJCOPY:-objcopy}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$NM" -D --defined-only "$shared" | sed 's/.* //; s/@.*//' | LC_ALL=C sort -u >"$work/names"
if ! [ -s "$work/names" ]; then
    echo "one-object.sh: $shared exports nothing" >&2
    exit 1
fi

# Bitcode (.llvmbc) is of no use to a C linker and is most of the size.
"$OBJCOPY" --strip-debug --remove-section .llvmbc --remove-section .llvmcmd "$raw" "$work/raw.a"

# The exported functions are the roots; what they do not reach is left out.
# Groups go, too: a linker keeps the first of the groups of one name, so that a
# second such library would lose its (now local) DW.ref.rust_eh_personality and
# crash in its first panic.
sed 's/^/-Wl,-u,/' "$work/names" >"$work/roots"
"$CC" -r -nostdlib -Wl,--gc-sections -Wl,--force-group-allocation "@$work/roots" "$work/raw.a" -o "$work/wsembed.o"

sed 's/^/--keep-global-symbol=/' "$work/names" >"$work/keep"
"$OBJCOPY" "@$work/keep" --strip-debug --strip-unneeded "$work/wsembed.o"

# D: no times or owners in it, so that equal input gives an equal archive.
"$AR" rcsD "$work/libwsembed.a" "$work/wsembed.o"
mv -f "$work/libwsembed.a" "$output"
