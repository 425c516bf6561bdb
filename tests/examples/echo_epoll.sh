#!/bin/bash
# echo_epoll against a peer that knows nothing of the library.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

: >"$work/empty"
printf 'Hello' >"$work/hello"
printf 'HelloHelloHello' >"$work/thrice"
head -c 2000 /dev/urandom >"$work/medium"
head -c $((16 << 20)) /dev/urandom >"$work/huge"
bytes 03e8 >"$work/code"

# Messages of all kinds, glued together, with a ping inside a fragmented one.
{
    frame 81 masked "$work/hello"
    frame 82 masked "$work/medium"
    frame 01 masked "$work/hello"
    frame 89 masked "$work/hello"
    frame 00 masked "$work/hello"
    frame 80 masked "$work/hello"
    frame 82 masked "$work/empty"
} >"$work/input"
{
    frame 81 unmasked "$work/hello"
    frame 82 unmasked "$work/medium"
    frame 8a unmasked "$work/hello"
    frame 81 unmasked "$work/thrice"
    frame 82 unmasked "$work/empty"
} >"$work/output"
frame 88 masked "$work/code" >"$work/close"
frame 88 unmasked "$work/code" >"$work/closed"

start echo echo_epoll
echo=$pid echoPort=$port

conversation() { # PORT WHAT
    dial "$1"
    local round
    for round in 1 2 3; do
        cat "$work/input" >&"$sock"
        expect "$work/output" "$2, round $round"
    done
    cat "$work/close" >&"$sock"
    expect "$work/closed" "$2: close"
    expectEnd "$2: end"
    hangUp
}

conversation "$echoPort" plain
for mode in "--seed 3" "--bytes 1" "--glue"; do
    # shellcheck disable=SC2086
    start relay choppy_relay --listen 0 --to "$echoPort" $mode
    conversation "$port" "relay $mode"
    stop "$pid"
done

# The largest message, and a reader who comes late: the server waits for room.
dial "$echoPort"
frame 82 unmasked "$work/huge" >"$work/output"
for round in 1 2; do cat "$work/output"; done >"$work/outputs"
frame 82 masked "$work/huge" >"$work/input"
(for round in 1 2; do cat "$work/input"; done >&"$sock") &
running[$!]=writer
sleep 1
expect "$work/outputs" "two messages of 16 MiB"
ended $! || fail "the writer failed"
hangUp

# A frame that is not masked ends the connection with 1002 (RFC 6455 5.1).
dial "$echoPort"
frame 81 unmasked "$work/hello" >&"$sock"
timeout 60 cat <&"$sock" >"$work/answer" || fail "an unmasked frame was not refused"
[ "$(head -c 4 "$work/answer" | od -An -tx1 | sed 's/ \(..\) .. / \1 /')" = " 88 03 ea" ] || fail "not refused with 1002"
hangUp

# Many at once, some of which are still there when it is stopped.
socks=()
for round in {1..200}; do
    dial "$echoPort"
    socks+=("$sock")
done
frame 81 masked "$work/hello" >"$work/input"
frame 81 unmasked "$work/hello" >"$work/output"
for sock in "${socks[@]}"; do cat "$work/input" >&"$sock"; done
for sock in "${socks[@]}"; do expect "$work/output" "many clients"; done
stop "$echo"
