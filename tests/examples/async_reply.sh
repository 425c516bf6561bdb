#!/bin/bash
# async_reply: every answer comes, in its peer's order, while the loop serves the
# others; its queue is bounded; it ends when all that it took is answered.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

# load ARGUMENT...: ws_load compares each echo with the one that is due, so that
# two answers that change places do not pass.
load() {
    # shellcheck disable=SC2086
    timeout 250 ${WSEMBED_UNDER:-} "$programs/ws_load" "$@" "$url" >"$work/load.out" 2>"$work/load.err" ||
        fail "ws_load $* ended with status $?"
}

# Four workers, whose work never takes the same time.
start async async_reply --workers 4 --work-ms 3
async=$pid asyncPort=$port url=ws://127.0.0.1:$port/
load --connections 1 --in-flight 16 --messages 200 --size 100
load --connections 7 --in-flight 9 --messages 630 --size 100 --text
grep -q '^messages *630, every echo verified$' "$work/load.out" || fail "not every answer was verified"
load --connections 3 --in-flight 2 --messages 30 --size 60000
load --connections 5 --in-flight 3 --messages 60 --size 0

# A peer that hangs up with its answers on the way is in nobody's way.
printf 'a message that nobody waits for' >"$work/lost"
frame 81 masked "$work/lost" >"$work/input"
for _ in {1..20}; do
    dial "$asyncPort"
    for _ in 1 2 3; do cat "$work/input"; done >&"$sock"
    hangUp
done
load --connections 2 --in-flight 2 --messages 20
# One that is larger than what it takes is refused with 1009.
head -c 70000 /dev/zero >"$work/large"
dial "$asyncPort"
frame 82 masked "$work/large" >&"$sock" || true
timeout 60 head -c 4 <&"$sock" | od -An -tx1 | grep -q '88 .. 03 f1' || fail "no 1009 for what is too large"
hangUp
stop "$async"

# A queue of two messages, one worker: the clients are held up, and nothing is lost.
start async async_reply --workers 1 --queue 2 --work-ms 1
async=$pid url=ws://127.0.0.1:$port/
load --connections 4 --in-flight 64 --messages 800 --size 200
stop "$async"

# While the one worker is at work for an hour, others are let in, and pings answered.
start async async_reply --workers 1 --work-ms 3600000
async=$pid asyncPort=$port
dial "$asyncPort"
held=$sock
cat "$work/input" >&"$held"
dial "$asyncPort"
printf 'ping' >"$work/ping"
frame 89 masked "$work/ping" >&"$sock"
frame 8a unmasked "$work/ping" >"$work/output"
expect "$work/output" "a ping beside work"
hangUp
exec {held}>&-
kill -KILL "$async"
ended "$async" 2>/dev/null || true

# SIGTERM: what it took is answered, then comes 1001.
start async async_reply --workers 2 --work-ms 300
async=$pid
dial "$port"
for number in 1 2 3 4; do
    printf 'message %s' "$number" >"$work/part"
    frame 81 masked "$work/part" >>"$work/four"
    frame 81 unmasked "$work/part" >"$work/answer.$number"
done
cat "$work/four" >&"$sock"
expect "$work/answer.1" "the first answer"
kill -TERM "$async"
for number in 2 3 4; do expect "$work/answer.$number" "answer $number at the end"; done
timeout 60 head -c 4 <&"$sock" | od -An -tx1 | grep -q '88 .. 03 e9' || fail "no 1001 behind the answers"
bytes 03e9 >"$work/code"
frame 88 masked "$work/code" >&"$sock"
ended "$async" || fail "async_reply ended with status $?"
hangUp

# Arguments that make no sense.
for bad in "--port" "--port 65536" "--workers 0" "--workers 65" "--queue 0" "--work-ms x" "--speed 3"; do
    status=0
    # shellcheck disable=SC2086
    "$programs/async_reply" $bad >"$work/wrong.out" 2>&1 || status=$?
    [ "$status" = 2 ] || fail "async_reply $bad ended with status $status, not 2"
    grep -q '^usage: async_reply ' "$work/wrong.out" || fail "async_reply $bad did not say how it is used"
done
