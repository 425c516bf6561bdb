#!/bin/bash
# field_server and field_client, with each other and with peers that know nothing
# of the library: greeting, news, heartbeat, echo, a file's echo, and their ends.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

# client NAME ARGUMENT...: a field_client in the background; sets $pid.
client() {
    local name=$1
    shift
    # shellcheck disable=SC2086
    ${WSEMBED_UNDER:-} "$programs/field_client" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    pid=$!
    running[$pid]=$name
}

# get PORT PATH: the status of the answer to a request for a WebSocket.
get() {
    local sock line
    exec {sock}<>"/dev/tcp/127.0.0.1/$1"
    printf '%s\r\n' "GET $2 HTTP/1.1" "Host: x" "Upgrade: websocket" "Connection: Upgrade" \
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "" >&"$sock"
    IFS= read -r -t 60 -u "$sock" line || fail "no answer to a request for $2"
    exec {sock}>&-
    line=${line#HTTP/1.1 }
    echo "${line%% *}"
}

# A greeting, news from main(), the echo of what was said; both ends.
start server field_server --push 300
server=$pid serverPort=$port
client one 127.0.0.1 "$serverPort" --beat 200
one=$pid
appears "$work/one.out" '^[0-9:]\{8\} connected to 127\.0\.0\.1 port '
appears "$work/one.out" '^server: welcome, client 0, it is [0-9][0-9]:[0-9][0-9]:[0-9][0-9]$'
appears "$work/one.out" '^server: hello, I am [0-9]*$'
appears "$work/one.out" '^server: news [0-9]* of [0-9:]* for 1 clients$'
client two localhost "$serverPort" --seconds 2
two=$pid
appears "$work/two.out" '^server: welcome, client 1, '
appears "$work/two.out" '^server: news [0-9]* of [0-9:]* for 2 clients$'
ended "$two" || fail "a client ended with status $? after its time"
appears "$work/server.out" '^client 0 of 127\.0\.0\.1 port [1-9][0-9]* logs in$'
appears "$work/server.out" '^client 1 is gone: it hung up, [1-9][0-9]* bytes$'
stop "$one"
appears "$work/server.out" '^client 0 is gone: it hung up, [1-9][0-9]* bytes$'
news=$(sed -n 's/^server: news \([0-9]*\) .*/\1/p' "$work/one.out")
[ "$news" = "$(seq "$(head -n 1 <<<"$news")" "$(tail -n 1 <<<"$news")")" ] || fail "a gap in the news: $news"

# A file comes back as it went, however the network cuts it.
echoed() { # MODE PORT SIZE...
    local mode=$1 to=$2 size
    shift 2
    for size; do
        head -c "$size" /dev/urandom >"$work/file"
        client file 127.0.0.1 "$to" --file "$work/file"
        ended "$pid" || fail "a file of $size bytes, $mode"
        grep -q "^$work/file: $size bytes came back as they were\$" "$work/file.out" || fail "$size bytes, $mode: $(cat "$work/file.out")"
    done
}
echoed "as it is" "$serverPort" 0 1 16383 16384 16385 1000000
for mode in "--seed 5" "--bytes 1" "--glue"; do
    # shellcheck disable=SC2086
    start relay choppy_relay --listen 0 --to "$serverPort" $mode
    relay=$pid relayPort=$port
    echoed "relay $mode" "$relayPort" 30000
    [ "$mode" = "--bytes 1" ] || echoed "relay $mode" "$relayPort" 600000
    stop "$relay"
done
# A server that does not echo as it should.
cc -std=c99 -Wall -Wextra -Werror "$(dirname "$0")/edit_relay.c" -o "$work/edit_relay"
start echo field_server --echo
echo=$pid echoPort=$port
head -c 40000 /dev/urandom >"$work/file"
programs=$work start relay edit_relay "$echoPort" 20000 1 00
relay=$pid
client file 127.0.0.1 "$port" --file "$work/file"
status=0
ended "$pid" || status=$?
[ "$status" = 1 ] || fail "a wrong echo: status $status"
grep -q '^field_client: what came back behind 16384 bytes differs$' "$work/file.err" || fail "a wrong echo: $(cat "$work/file.err")"
kill -KILL "$relay" 2>/dev/null || true
ended "$relay" 2>/dev/null || true

# Frames by hand at the pure echo: no greeting comes first. Unmasked frames and
# fragments are taken, a ping is answered in between with its payload.
printf 'Hello' >"$work/hello"
head -c 70000 /dev/urandom >"$work/large"
cat "$work/hello" "$work/large" "$work/hello" >"$work/three"
: >"$work/nothing"
for how in masked unmasked; do
    dial "$echoPort"
    {
        frame 02 "$how" "$work/hello"
        frame 89 "$how" "$work/hello"
        frame 00 "$how" "$work/large"
        frame 80 "$how" "$work/hello"
        frame 81 "$how" "$work/nothing"
        frame 81 "$how" "$work/hello"
    } >"$work/input"
    {
        frame 8a unmasked "$work/hello"
        frame 82 unmasked "$work/three"
        frame 81 unmasked "$work/nothing"
        frame 81 unmasked "$work/hello"
    } >"$work/output"
    for round in 1 2 3; do
        cat "$work/input" >&"$sock"
        expect "$work/output" "$how frames, round $round"
    done
    bytes 03e8 >"$work/code"
    frame 88 "$how" "$work/code" >&"$sock"
    frame 88 unmasked "$work/code" >"$work/closed"
    expect "$work/closed" "$how: close"
    expectEnd "$how: end"
    hangUp
done
# The library's own client, which does judge what comes back.
for kind in "" --text; do
    # shellcheck disable=SC2086
    ${WSEMBED_UNDER:-} "$programs/ws_load" --connections 4 --in-flight 3 --messages 200 --size 3000 $kind \
        "ws://127.0.0.1:$echoPort/" >"$work/load.out" 2>"$work/load.err" || fail "ws_load $kind: status $?"
    grep -q '^messages *200, every echo verified$' "$work/load.out" || fail "ws_load $kind: $(cat "$work/load.out")"
done
# What is no UTF-8 comes back from it, and not from a strict one.
bytes 6162ff >"$work/text"
start strict field_server --echo --strict
strict=$pid strictPort=$port
dial "$echoPort"
frame 81 masked "$work/text" >&"$sock"
frame 81 unmasked "$work/text" >"$work/output"
expect "$work/output" "text that is no UTF-8"
hangUp
printf 'é, 早, 🤫' >"$work/good"
for wrong in "81 03ef" "80 03ea"; do
    dial "$strictPort"
    read -r first code <<<"$wrong"
    bytes "$code" >"$work/code"
    { frame 81 masked "$work/good"; frame "$first" masked "$work/text"; frame 81 masked "$work/good"; } >&"$sock"
    { frame 81 unmasked "$work/good"; frame 88 unmasked "$work/code"; } >"$work/output"
    expect "$work/output" "a strict server, text and then $first"
    frame 88 masked "$work/code" >&"$sock"
    expectEnd "a strict server, $first"
    hangUp
done
stop "$strict"

# The connection is lost: it comes again, by itself, when the server does.
start lost field_server --push 0
lost=$pid lostPort=$port
client again 127.0.0.1 "$lostPort"
again=$pid
appears "$work/again.out" '^server: welcome, client 0, '
kill -KILL "$lost"
ended "$lost" 2>/dev/null || true
appears "$work/again.out" ' the connection is lost$'
start back field_server --push 0 --port "$lostPort"
appears "$work/back.out" '^client 0 of 127\.0\.0\.1 port [1-9][0-9]* logs in$'
# The server ends first: it is told of all who are there, and the client tries again.
stop "$pid"
appears "$work/back.out" '^client 0 is gone: the server ends, [1-9][0-9]* bytes$'
stop "$again"

# A port that is taken, and one client too many on another path.
status=0
"$programs/field_server" --port "$serverPort" >"$work/out" 2>&1 || status=$?
[ "$status" = 1 ] || fail "a port that is taken: status $status"
grep -q "^field_server: cannot listen on port $serverPort\$" "$work/out" || fail "a port that is taken: $(cat "$work/out")"
start path field_server --path /chat --push 0
for path in /chat "/chat?t=1" /a/chat/b; do
    [ "$(get "$port" "$path")" = 101 ] || fail "no 101 for $path"
done
for path in / /cha; do
    [ "$(get "$port" "$path")" = 404 ] || fail "no 404 for $path"
done
appears "$work/path.out" '^client [0-9]* is gone: no request for a WebSocket here, 0 bytes$'
stop "$pid"

# Who is silent is dropped, a heartbeat is enough to stay.
start silent field_server --silence 2500 --push 0
silent=$pid
client beats 127.0.0.1 "$port" --beat 100
beats=$pid
appears "$work/beats.out" '^server: welcome, client 0, '
dial "$port"
timeout 120 cat <&"$sock" >"$work/answer" || fail "who is silent is not dropped"
hangUp
appears "$work/silent.out" '^client 1 is gone: it hung up, 0 bytes$'
if grep -q '^client 0 is gone' "$work/silent.out"; then fail "who sends a heartbeat is dropped"; fi
stop "$beats"
stop "$silent"

# Some are there when a server is stopped; nobody is when a client begins.
for _ in {1..30}; do dial "$echoPort"; done
stop "$echo"
stop "$server"
client nobody 127.0.0.1 "$serverPort" --seconds 1
ended "$pid" || fail "nobody there: status $?"
appears "$work/nobody.err" "^field_client: no server at 127\.0\.0\.1 port $serverPort yet\$"

wrong() { # PROGRAM ARGUMENT...
    local status=0
    "$programs/$1" "${@:2}" >"$work/out" 2>&1 || status=$?
    [ "$status" = 2 ] || fail "$*: status $status"
    grep -q "^usage: $1 " "$work/out" || fail "$*: no usage"
}
for bad in --port "--port x" "--port -1" "--port 65536" "--push" "--path" "--loud" 3000; do
    # shellcheck disable=SC2086
    wrong field_server $bad
done
wrong field_client
wrong field_client 127.0.0.1
for bad in 0 65536 x ""; do wrong field_client 127.0.0.1 "$bad"; done
for bad in --file --beat "--beat 0" "--seconds x" more; do
    # shellcheck disable=SC2086
    wrong field_client 127.0.0.1 80 $bad
done
status=0
"$programs/field_client" 127.0.0.1 80 --file "$work/none" >"$work/out" 2>&1 || status=$?
[ "$status" = 1 ] || fail "a file that is not there: status $status"
