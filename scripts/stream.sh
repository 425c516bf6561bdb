# Sourced by the demo and by the tests of the examples (bash): starts example
# programs on free ports, and sends a file through choppy_relay to file_sink.
# shellcheck shell=bash

# Ends only what was started here.
stream_pids=()
stream_stop() {
    local pid
    for pid in "${stream_pids[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    stream_pids=()
}

# stream_listen LOG COMMAND...: starts COMMAND and waits until it says where it
# listens. Sets stream_pid and stream_port. Fails if it ends or says nothing.
stream_listen() {
    local log=$1 tries
    shift
    : >"$log"
    "$@" >"$log" 2>&1 &
    stream_pid=$!
    stream_pids+=("$stream_pid")
    for ((tries = 0; tries < 1500; tries++)); do
        stream_port=$(sed -n 's/^listening on .*:\([0-9][0-9]*\)\/*$/\1/p' "$log")
        [ -z "$stream_port" ] || return 0
        kill -0 "$stream_pid" 2>/dev/null || break
        sleep 0.02
    done
    echo "${1##*/} did not say where it listens:" >&2
    cat "$log" >&2
    return 1
}

# stream_file EXAMPLES FILE DIR RELAY_OPTION...: sends FILE into the empty
# folder DIR. Sets stream_arrived to what file_sink stored.
stream_file() {
    local examples=$1 file=$2 dir=$3 sink status=0
    shift 3
    stream_listen "$dir/sink.log" "$examples/file_sink" --port 0 --dir "$dir" --once || return 1
    sink=$stream_pid
    stream_listen "$dir/relay.log" "$examples/choppy_relay" --listen 0 --to "$stream_port" "$@" || return 1
    "$examples/device_stream" 127.0.0.1 "$stream_port" "$file" || status=1
    if [ "$status" = 0 ]; then
        # It ends by itself (--once). The limit is for a defect only.
        timeout 60 tail --pid="$sink" -f /dev/null || status=1
        wait "$sink" || status=1
    fi
    stream_stop
    [ "$status" = 0 ] || { cat "$dir/sink.log" "$dir/relay.log"; return 1; } >&2
    stream_arrived=$(find "$dir" -name 'snOfflineVoice_*.snv')
    [ -f "$stream_arrived" ] || { echo "no single stored file in $dir: '$stream_arrived'" >&2; return 1; }
}

stream_checksum() { sha256sum <"$1" | cut -c 1-64; }
