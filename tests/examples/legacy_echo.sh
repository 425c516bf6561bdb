#!/bin/bash
# legacy_server, level- and edge-triggered, against a peer that knows nothing of the library.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

printf 'Hello' >"$work/hello"
head -c 2048 /dev/urandom >"$work/block"
head -c 60000 /dev/urandom >"$work/large"
bytes 03e8 >"$work/code"

# echoed MASKED PING: the frames as they are sent, and as they must come back.
echoed() {
    frame 81 "$1" "$work/hello"
    frame "$2" "$1" "$work/hello"
    frame 02 "$1" "$work/block"
    frame 00 "$1" "$work/block"
    frame 80 "$1" "$work/hello"
    frame 01 "$1" "$work/hello"
    frame 80 "$1" "$work/hello"
    frame 82 "$1" "$work/large"
}
echoed masked 89 >"$work/input"
echoed unmasked 8a >"$work/output"
frame 88 masked "$work/code" >"$work/close"
frame 88 unmasked "$work/code" >"$work/closed"

conversation() { # PORT WHAT [ROUNDS]
    dial "$1"
    local round
    for ((round = 1; round <= ${3:-3}; round++)); do
        cat "$work/input" >&"$sock"
        expect "$work/output" "$2, round $round"
    done
    cat "$work/close" >&"$sock"
    expect "$work/closed" "$2: close"
    expectEnd "$2: end"
    hangUp
}

for trigger in "" --et; do
    # shellcheck disable=SC2086
    start server legacy_server $trigger
    server=$pid serverPort=$port
    conversation "$serverPort" "plain $trigger"
    for mode in "--seed 3" "--bytes 1" "--glue"; do
        # shellcheck disable=SC2086
        start relay choppy_relay --listen 0 --to "$serverPort" $mode
        conversation "$port" "relay $mode $trigger" 1
        stop "$pid"
    done

    # A reader who comes late: no frame is lost, and the last one does not get stuck.
    dial "$serverPort"
    frame 82 masked "$work/large" >"$work/one"
    frame 82 unmasked "$work/large" >"$work/echo"
    for round in {1..300}; do cat "$work/one"; done >"$work/many"
    for round in {1..300}; do cat "$work/echo"; done >"$work/echoes"
    cat "$work/many" >&"$sock" &
    running[$!]=writer
    sleep 1
    expect "$work/echoes" "late reader $trigger"
    ended $! || fail "the writer failed"
    hangUp

    # Noise instead of a handshake: hung up on.
    exec {sock}<>"/dev/tcp/127.0.0.1/$serverPort"
    printf 'this is not HTTP' >&"$sock"
    expectEnd "noise $trigger"
    hangUp

    # Some are still there when it is stopped.
    for round in {1..50}; do dial "$serverPort"; done
    stop "$server"
done
