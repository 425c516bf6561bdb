#!/bin/bash
# ws_load: it counts right, and an echo that is not right does not pass.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

# It runs here, wherever the programs run.
cc -std=c99 -Wall -Wextra -Werror "$(dirname "$0")/edit_relay.c" -o "$work/edit_relay"

# load STATUS ARGUMENT...: ws_load must end with that status.
load() {
    local expected=$1 status=0
    shift
    # shellcheck disable=SC2086
    timeout 250 ${WSEMBED_UNDER:-} "$programs/ws_load" "$@" >"$work/load.out" 2>"$work/load.err" || status=$?
    [ "$status" = "$expected" ] || fail "ws_load $* ended with status $status, not $expected"
}

# says PATTERN: the last load said so.
says() {
    grep -qE -- "$1" "$work/load.out" "$work/load.err" || fail "ws_load did not say \"$1\""
}

field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$work/load.out"; }

start echo echo_epoll
echo=$pid echoPort=$port url=ws://127.0.0.1:$port/

# Exactly as many messages as were asked for, of every length of header.
for shape in "1 1 1 0" "3 1 1000 1" "7 5 4321 20" "20 16 5000 125" "2 3 100 126" "5 4 300 65535" "3 2 50 65536" "2 2 12 1000000"; do
    read -r connections flight messages size <<<"$shape"
    for kind in "" --text; do
        # shellcheck disable=SC2086
        load 0 --connections "$connections" --in-flight "$flight" --messages "$messages" --size "$size" $kind --json "$url"
        [ "$(field messages)" = "$messages" ] || fail "$(field messages) messages instead of $messages"
        [ "$(field size)" = "$size" ] || fail "$(field size) bytes instead of $size"
    done
done
load 0 --messages 3 "ws://localhost:$echoPort/a?b"
says '^messages +3, every echo verified$'

# Cut and glued by a network.
for mode in "--seed 4" "--bytes 1" "--glue"; do
    # shellcheck disable=SC2086
    start relay choppy_relay --listen 0 --to "$echoPort" $mode
    load 0 --connections 3 --in-flight 3 --messages 60 --size 300 "ws://127.0.0.1:$port/"
    says '^messages +60, every echo verified$'
    stop "$pid"
done

# What it sees of the server. The values are the machine's; that they are there is not.
load 0 --connections 4 --seconds 0.3 --pid "$echo" "$url"
says '^server +[0-9]+ % of a core, [0-9]+\.[0-9]{3} us of CPU a message$'
says '^server RSS +[1-9][0-9]* KiB before, [1-9][0-9]* KiB after, peak [1-9][0-9]* KiB'
load 0 --connections 4 --seconds 0.3 --pid "$echo" --json "$url"
for name in messages messagesPerSecond p50Us p90Us p99Us maxUs ownCpuPercent serverCpuUsPerMessage before after peak; do
    [[ $(field "$name") =~ ^[0-9.]*[1-9][0-9.]*$ ]] || fail "no $name in $(cat "$work/load.out")"
done
[[ $(field bottleneck) =~ ^(ws_load|server|neither)$ ]] || fail "no bottleneck in $(cat "$work/load.out")"

# Idle connections, held by the server at one moment. Under this number of descriptors
# they do not fit, so that the limit must have been raised; which Valgrind does not allow
# to go beyond what it was started with.
(
    [ -n "${WSEMBED_UNDER:-}" ] || ulimit -Sn 40
    load 0 --idle --connections 50 --seconds 0.5 --pid "$echo" "$url"
)
says '^50 connections, idle for [0-9.]+ s$'
says '^server RSS .* bytes a connection$'
(
    ulimit -n 40
    # Some may go beyond the hard limit.
    if (ulimit -Hn 100) 2>/dev/null; then
        load 0 --idle --connections 50 --seconds 0.1 "$url"
    else
        load 1 --idle --connections 50 --seconds 0.1 "$url"
        # Valgrind keeps some for itself.
        allowed=40
        [ -z "${WSEMBED_UNDER:-}" ] || allowed='[0-9]+'
        says "50 connections need 66 descriptors, $allowed are allowed"
    fi
)

# A signal ends a measurement early, and it is told. Nobody sees from outside when
# it has begun, so a slow machine gets more time.
for patience in 1 5 30 120 never; do
    [ "$patience" != never ] || fail "SIGTERM does not end a measurement in order"
    # shellcheck disable=SC2086
    ${WSEMBED_UNDER:-} "$programs/ws_load" --seconds 3600 "$url" >"$work/load.out" 2>"$work/load.err" &
    running[$!]="ws_load with a signal"
    sleep "$patience"
    kill -TERM $!
    if ended $!; then break; fi
done
says '^messages +[1-9][0-9]*, every echo verified$'

# through STATUS OFFSET DROP INSERT ARGUMENT...: by a relay that edits the echoes.
# The first of them has 2 bytes of header and 64 of payload.
through() {
    local status=$1
    programs=$work start relay edit_relay "$echoPort" "${@:2:3}"
    load "$status" --connections 1 "${@:5}" "ws://127.0.0.1:$port/"
    kill -KILL "$pid"
    ended "$pid" 2>/dev/null || true
}

# One byte: of the sequence number, in the middle, the last one, in the second echo.
for at in 2 30 65; do
    through 1 "$at" 1 00 --messages 50
    says "^ws_load: connection 0: echo 1 differs at byte $((at - 2)): 0x00 instead of 0x[0-9a-f]{2}\$"
done
through 1 131 1 00 --messages 50 --in-flight 4
says 'echo 2 differs at byte 63: 0x00 instead of'
through 1 70000 1 00 --messages 5 --size 1000000
says 'echo 1 differs at byte 69990: 0x00 instead of'
# A whole echo that is missing: the second comes in its place.
through 1 0 66 "" --messages 50 --in-flight 4
says 'echo 1 differs at byte 0: '
# Another kind, a longer and a shorter message, one that nobody asked for.
through 1 0 1 82 --messages 50 --text
says 'the echo is binary, not text$'
through 1 1 1 41 --messages 50 --in-flight 4
says 'the echo has more than the 64 bytes'
through 1 1 1 3f --messages 50
says 'the echo has less than the 64 bytes'
through 1 0 0 8100 --idle --seconds 100
says 'the server sent a message that is no echo$'
# What is allowed: a ping between two echoes, an echo in two frames.
through 0 66 0 8902aabb --messages 50 --in-flight 4
says '^messages +50, every echo verified$'
through 0 0 1 020080 --messages 50 --in-flight 4
says '^messages +50, every echo verified$'
# After that it still compares.
through 1 66 3 02008040ff --messages 50 --in-flight 4
says 'echo 2 differs at byte 0: 0xff instead of 0x21$'
# Ends of all kinds.
through 1 66 0 880403e96f6b --messages 50 --in-flight 4
says '^ws_load: connection 0: the server closed it with code 1001: ok$'
through 1 66 0 880403e91b6b --messages 50
says 'code 1001: \?k$'
through 1 70 0 end --messages 50 --in-flight 4
says '^ws_load: connection 0: the connection ended without a close frame$'
through 1 0 1 f2 --messages 50
says '^ws_load: connection 0: .*reserved bit'
nobody=$port
load 1 --messages 50 "ws://127.0.0.1:$nobody/"
says "^ws_load: connection 0: cannot connect to 127.0.0.1 port $nobody: Connection refused\$"

# Arguments that make no sense.
wrong() { # PATTERN ARGUMENT...
    load 2 "${@:2}"
    says "$1"
    says '^usage: ws_load '
}
wrong 'which URL'
wrong 'http://127.0.0.1/ is no URL of the form ws://' http://127.0.0.1/
wrong 'is no URL of the form ws://' wss://127.0.0.1/
for bad in ws:// ws:///path ws://:80/ ws://h:/ ws://h:123456/ 'ws://[::1' 'ws://[]/'; do wrong 'cannot find host and port' "$bad"; done
wrong "the URL's port takes a number from 1 to 65535" ws://127.0.0.1:0/
wrong "the URL's port takes a number" ws://127.0.0.1:8x/
wrong 'one URL only' "$url" "$url"
wrong 'unknown option --speed' --speed 3 "$url"
for bad in --connections --in-flight --messages --pid; do
    for value in 0 -1 x 1x 99999999999999999999 ""; do wrong "$bad takes a number from 1 to" $bad "$value" "$url"; done
    wrong "$bad takes a number from 1 to" "$url" $bad
done
wrong '--size takes a number from 0 to' --size -1 "$url"
wrong '--seconds takes a number' --seconds 0 "$url"
wrong '--seconds takes a number' --seconds nan "$url"
wrong '--messages goes with neither' --messages 5 --seconds 1 "$url"
wrong '--messages goes with neither' --messages 5 --idle "$url"
wrong 'more than 1 GiB' --size 1000000000 --in-flight 2 "$url"
true &
gone=$!
wait "$gone"
load 1 --pid "$gone" "$url"
says "cannot watch process $gone: No such process\$"
load 1 ws://no-such-name.invalid/
says '^ws_load: no-such-name.invalid: '
stop "$echo"
