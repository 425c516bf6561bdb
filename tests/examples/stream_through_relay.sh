#!/bin/bash
# device_stream sends files to file_sink, as they come and through a relay that
# cuts or glues them: what is stored must be what was sent.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

mkdir "$work/sent" "$work/stored"
start sink file_sink --dir "$work/stored"
sink=$pid sinkPort=$port

# 0 and 1 frame, both sides of the frame's size, multiples of it, and many frames.
small="0 1 2047 2048 2049 4096 20000"
large="1048576 3000001"

# device PORT FILE LOG: a server that is held up (under Valgrind, on a busy
# machine) misses the second that the drop-in gives it; a device tries again.
device() {
    local try status=1
    for try in {1..30}; do
        status=0
        # shellcheck disable=SC2086
        ${WSEMBED_UNDER:-} "$programs/device_stream" 127.0.0.1 "$1" "$2" 2>"$3" || status=$?
        grep -q '^device_stream: no WebSocket server' "$3" || break
    done
    return "$status"
}

run() { # MODE PORT SIZES: all at once
    local size name devices=() pid
    for size in $3; do
        name=$1-$size
        head -c "$size" /dev/urandom >"$work/sent/$name"
        device "$2" "$work/sent/$name" "$work/$name.err" &
        devices+=($!)
        running[$!]=$name
    done
    for pid in "${devices[@]}"; do ended "$pid" || fail "a device failed ($1)"; done
    for size in $3; do
        name=$1-$size
        appears "$work/sink.out" "^snOfflineVoice_$name.snv: $size bytes in [0-9]* ms: complete$"
        [ "$(sha256sum <"$work/sent/$name")" = "$(sha256sum <"$work/stored/snOfflineVoice_$name.snv")" ] ||
            fail "$name differs"
    done
}

run plain "$sinkPort" "$small $large"
start relay choppy_relay --listen 0 --to "$sinkPort" --seed 7
run cut "$port" "$small $large"
stop "$pid"
start relay choppy_relay --listen 0 --to "$sinkPort" --bytes 1
run bytes "$port" "$small 65536"
stop "$pid"
start relay choppy_relay --listen 0 --to "$sinkPort" --glue
run glue "$port" "$small $large"
stop "$pid"

# A recorder that writes slowly: what a pipe brings is sent as it comes.
mkfifo "$work/sent/slow"
(for part in one two three; do printf '%s ' "$part"; sleep 0.3; done >"$work/sent/slow") &
"$programs/device_stream" 127.0.0.1 "$sinkPort" "$work/sent/slow" 2>"$work/slow.err" || fail "the slow device failed"
appears "$work/sink.out" '^snOfflineVoice_slow.snv: 14 bytes in [0-9]* ms: complete$'

# Names from the network lead nowhere; unmasked devices are served.
store() { # NAME STORED-AS
    printf '%s' "$1" >"$work/name"
    printf 'content' >"$work/content"
    dial "$sinkPort"
    { frame 81 unmasked "$work/name"; frame 82 unmasked "$work/content"; } >&"$sock"
    appears "$work/sink.out" "^snOfflineVoice_$2.snv: 7 bytes in [0-9]* ms: complete$"
    hangUp
    cmp "$work/content" "$work/stored/snOfflineVoice_$2.snv" >&2 || fail "$2 differs"
}
store '../../up' '.__.__up'
store '/etc/passwd' '_etc_passwd'
store '..' '._'
store $'a\\b\tc d' 'a_b_c_d'
store "$(printf 'long%.0s' {1..100})" "$(printf 'long%.0s' {1..25})"
[ -z "$(find "$work" -newer "$work/request" -name '*up*' ! -path "$work/stored/*")" ] || fail "a file left the directory"

# A field program whose file is a multiple of 2 KiB: no final fragment, no close.
head -c 2048 /dev/urandom >"$work/block"
printf 'multiple' >"$work/name"
dial "$sinkPort"
{ frame 81 masked "$work/name"; frame 02 unmasked "$work/block"; frame 00 unmasked "$work/block"; } >&"$sock"
hangUp
appears "$work/sink.out" '^snOfflineVoice_multiple.snv: 4096 bytes in [0-9]* ms: ended between frames, no final fragment$'
cat "$work/block" "$work/block" | cmp - "$work/stored/snOfflineVoice_multiple.snv" >&2 || fail "multiple differs"

stop "$sink"
[ -z "$(find "$work/stored" -name '*.part')" ] || fail "a .part is left"

# --once ends with 0 after a whole file, the device being answered.
start once file_sink --dir "$work/stored" --once
"$programs/device_stream" 127.0.0.1 "$port" "$work/sent/plain-2049" 2>"$work/device.err" || fail "the device failed (--once)"
ended "$pid" || fail "--once ended with status $?"
