#!/bin/bash
# Devices that vanish inside a frame: file_sink must not take the file for whole.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

mkdir "$work/stored"
head -c 2048 /dev/urandom >"$work/block"
printf 'cut' >"$work/name"

# partial FILE: what arrives is FILE, then the device is killed.
partial() {
    start sink file_sink --dir "$work/stored" --once
    dial "$port"
    cat "$1" >&"$sock"
    sleep 1000 <&"$sock" &
    local device=$!
    running[$device]=device
    hangUp
    kill -KILL "$device"
    ended "$device" 2>/dev/null || true
    local status=0
    ended "$pid" || status=$?
    [ "$status" = 1 ] || fail "--once ended with status $status after a cut file"
    appears "$work/sink.out" "^snOfflineVoice_cut.snv.part: $2 bytes in [0-9]* ms: cut (WEBSOCKET_E_CONNECTION_LOST, $3 bytes"
    [ ! -e "$work/stored/snOfflineVoice_cut.snv" ] || fail "a cut file was taken for whole"
    head -c "$2" "$work/sequence" | cmp - "$work/stored/snOfflineVoice_cut.snv.part" >&2 || fail "the .part differs"
}

cat "$work/block" "$work/block" >"$work/sequence"
{ frame 81 masked "$work/name"; frame 02 unmasked "$work/block"; } >"$work/start"
frame 00 unmasked "$work/block" >"$work/next"

# Inside the payload of the second frame (its header has 4 bytes).
{ cat "$work/start"; head -c 1004 "$work/next"; } >"$work/input"
partial "$work/input" 3048 1048
# After its header, before its first byte of payload.
{ cat "$work/start"; head -c 4 "$work/next"; } >"$work/input"
partial "$work/input" 2048 2048
# Inside its header.
{ cat "$work/start"; head -c 1 "$work/next"; } >"$work/input"
partial "$work/input" 2048 '[1-9][0-9]*'

# The next try of the device replaces what was left.
start sink file_sink --dir "$work/stored" --once
cp "$work/block" "$work/cut"
"$programs/device_stream" 127.0.0.1 "$port" "$work/cut" 2>"$work/device.err" || fail "the second try failed"
ended "$pid" || fail "--once ended with status $?"
cmp "$work/cut" "$work/stored/snOfflineVoice_cut.snv" >&2 || fail "the second try differs"
[ ! -e "$work/stored/snOfflineVoice_cut.snv.part" ] || fail "the .part is still there"
