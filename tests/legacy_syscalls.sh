#!/bin/sh
# Counts the system calls of the drop-in's receive and send in steady state:
# 3 a receive and 1 a send, at most 2 more where something is kept.
#
#   legacy_syscalls.sh [FOLDER OF libwsembed.so]   (that of the finished build)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
library=${1:-${WSEMBED_BUILD:-$here/../build}/lib}
[ -e "$library/libwsembed.so" ] || {
    echo "$library/libwsembed.so is missing: run make first, or name its folder" >&2
    exit 2
}
library=$(cd "$library" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v strace >/dev/null || {
    echo "strace is missing: scripts/setup --tests installs it" >&2
    exit 2
}

ln -s "$library/libwsembed.so" "$work/libwsembed.so.0"
${CC:-cc} -std=gnu99 -D_GNU_SOURCE -Wall -Wextra -I"$here/../include/wsembed" \
    -o "$work/program" "$here/c/legacy_syscalls.c" "$library/libwsembed.so"

# What the library asks, in 1000 rounds less what 0 rounds ask.
calls() {
    LD_LIBRARY_PATH="$work" strace -f -o "$work/trace" "$work/program" "$1" "$2" >"$work/out" ||
        { cat "$work/out" >&2; echo "$1: the program failed under strace" >&2; exit 2; }
    grep -cvE '^[0-9]+ +(read|write|exit_group|\+\+\+|---)' "$work/trace"
}

status=0
limit() {
    spent=$(($(calls "$1" 1000) - $(calls "$1" 0)))
    # First use of the fd, and a pool of mask keys now and then.
    most=$(($2 * 1000 + 20))
    echo "$1: $spent calls in 1000 rounds, at most $most"
    if [ "$spent" -gt "$most" ] || [ "$spent" -lt 2000 ]; then
        status=1
    fi
}

limit plain 4   # a receive (3) and a send (1)
limit masked 4
limit half 11   # two receives (3 and 2 more each) and a send (1)
exit $status
