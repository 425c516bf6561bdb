#!/bin/bash
# Recordings as the field streams them reach file_sink whole: bare numbers for
# types, no mask asked for after the first frame, and often no last frame.
# Closes with "N passed, N failed".
set -uo pipefail
# shellcheck source=tests/old/lib.sh
. "$WSEMBED_SOURCE/tests/old/lib.sh"

# case BYTES proper|"" RELAY_OPTION...
stream() {
    local bytes=$1 how=$2 name sink
    shift 2
    name="$bytes bytes, ${how:-as the field does} ${*:-direct}"
    rm -rf "${work:?}/files"
    mkdir "$work/files"
    head -c "$bytes" /dev/urandom >"$work/recording"
    if ! stream_listen "$work/sink.log" "$examples/file_sink" --port 0 --dir "$work/files" --once; then
        fail "$name: file_sink starts" "$work/sink.log"
        return
    fi
    sink=$stream_pid
    if [ "$#" != 0 ] && ! stream_listen "$work/relay.log" "$examples/choppy_relay" --listen 0 --to "$stream_port" "$@"; then
        fail "$name: choppy_relay starts" "$work/relay.log"
        return
    fi
    # shellcheck disable=SC2086 # an empty $how is no argument
    if ! timeout 200 "$old/old_stream" 127.0.0.1 "$stream_port" "$work/recording" $how >"$work/out" 2>&1; then
        fail "$name: old_stream" "$work/out" "$work/sink.log"
    elif ! timeout 100 tail --pid="$sink" -f /dev/null || ! wait "$sink"; then
        fail "$name: file_sink" "$work/sink.log"
    elif ! cmp "$work/recording" "$work/files/snOfflineVoice_recording.snv" >"$work/out" 2>&1; then
        fail "$name: what arrived is not what was sent" "$work/out" "$work/sink.log"
    else
        ok "$name"
    fi
    stream_stop
}

for how in "" proper; do
    for bytes in 1 2047 2048 2049 4096 65536 300001; do stream "$bytes" "$how"; done
    for bytes in 2048 8192 20000; do stream "$bytes" "$how" --bytes 1; done
    for bytes in 4096 300000 1048576; do
        stream "$bytes" "$how" --glue
        stream "$bytes" "$how" --seed 3
    done
done
sum
