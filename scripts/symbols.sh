#!/bin/sh
# What the release build of the libraries exports, needs and weighs.
#
#   symbols.sh exported   libwsembed.so exports what tests/symbols.txt lists (AP37)
#   symbols.sh needed     it needs only libc, libgcc_s and the loader
#   symbols.sh soname     its SONAME has the major version of Cargo.toml
#   symbols.sh size       stripped, it keeps to its budget
#   symbols.sh archive    libwsembed.a: one object, only our names global
#   symbols.sh --update   writes tests/symbols.txt anew
set -eu
export LC_ALL=C
source=${WSEMBED_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
build=${WSEMBED_BUILD:-$source/build}
golden=$source/tests/symbols.txt
shared=$build/lib/libwsembed.so
archive=$build/lib/libwsembed.a
# 808 KiB, of which Rust's std and its backtraces are some 300; the oldest Rust that
# builds it makes it 45 KiB larger than 1.95 does.
size_budget=827392

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "FAIL: $*"
    exit 1
}
[ -e "$shared" ] || fail "$shared is missing: run make first"

# expect_golden FILE WHERE: FILE has the names that are there.
expect_golden() {
    diff "$golden" "$1" >"$work/diff" && return
    sed -n "s/^< \(.*\)/missing from $2: \1/p; s/^> \(.*\)/not in tests\/symbols.txt: \1/p" "$work/diff"
    fail "$2 and tests/symbols.txt differ; if that is intended, run scripts/symbols.sh --update"
}

exported() { "${NM:-nm}" -D --defined-only "$shared" | sed 's/.* //; s/@.*//' | sort; }
dynamic() { "${READELF:-readelf}" -d "$shared" | sed -n "s/.*($1).*\[\(.*\)\].*/\1/p"; }

case ${1:-} in
exported)
    exported >"$work/names"
    [ -s "$work/names" ] || fail "$shared exports nothing"
    expect_golden "$work/names" libwsembed.so
    echo "ok: $(wc -l <"$golden") exported symbols, as listed"
    ;;
needed)
    dynamic NEEDED >"$work/needed"
    [ -s "$work/needed" ] || fail "readelf shows no NEEDED entry of $shared"
    while read -r name; do
        case $name in
        libc.so.6 | libgcc_s.so.1 | ld-linux*.so.* | ld64.so.*) ;;
        *) fail "libwsembed.so needs $name; only libc, libgcc_s and the loader are allowed" ;;
        esac
    done <"$work/needed"
    echo "ok: needs only $(tr '\n' ' ' <"$work/needed")"
    ;;
soname)
    major=$(sed -n 's/^version = "\([0-9]*\)\..*/\1/p' "$source/Cargo.toml")
    found=$(dynamic SONAME)
    [ "$found" = "libwsembed.so.$major" ] || fail "the SONAME is '$found', not libwsembed.so.$major"
    echo "ok: SONAME $found"
    ;;
size)
    "${STRIP:-strip}" -o "$work/stripped" "$shared"
    size=$(wc -c <"$work/stripped")
    case $("${READELF:-readelf}" -h "$shared" | sed -n 's/^ *Machine: *//p') in
    # The same code is 1.6 times as long in this machine's instructions.
    "IBM S/390") size_budget=$((size_budget * 17 / 10)) ;;
    # Its pages may have 64 KiB: up to that much of the file is a hole.
    AArch64) size_budget=$((size_budget + 65536)) ;;
    esac
    [ "$size" -le "$size_budget" ] ||
        fail "stripped libwsembed.so is $size bytes, $((size - size_budget)) over its budget of $size_budget"
    echo "ok: $size bytes stripped, of at most $size_budget"
    ;;
archive)
    members=$("${AR:-ar}" t "$archive" | wc -l)
    [ "$members" = 1 ] || fail "libwsembed.a has $members objects, not one"
    "${NM:-nm}" -g --defined-only "$archive" | sed -n 's/^[0-9a-f]* [A-Z] //p' | sort >"$work/names"
    expect_golden "$work/names" libwsembed.a
    echo "ok: libwsembed.a is one object of $(wc -c <"$archive") bytes with only our names global"
    ;;
--update)
    exported >"$golden"
    echo "wrote $golden: $(wc -l <"$golden") symbols"
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
