#!/bin/bash
# A recording that the drop-in streams through choppy_relay is stored by
# file_sink byte for byte, however the network cuts it.
set -uo pipefail
# shellcheck source=scripts/stream.sh
. "$WSEMBED_SOURCE/scripts/stream.sh"
work=$(mktemp -d)
trap 'stream_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

failures=0
check() { # NAME BYTES RELAY_OPTION...
    local name=$1 bytes=$2
    shift 2
    mkdir "$work/$name"
    if "$WSEMBED_BUILD/tools/make_tone" "$work/$name.wav" "$bytes" &&
        stream_file "$WSEMBED_BUILD/c-examples" "$work/$name.wav" "$work/$name" "$@" &&
        [ "$(stream_checksum "$work/$name.wav")" = "$(stream_checksum "$stream_arrived")" ]; then
        echo "ok: $name"
    else
        echo "FAIL: $name: what arrived is not what was sent"
        failures=$((failures + 1))
    fi
}

check as_it_comes 1048576
check another_seed 300000 --seed 7
check every_byte 65536 --bytes 1
check glued 1048576 --glue
check one_frame 2048
[ "$failures" = 0 ]
