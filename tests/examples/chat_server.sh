#!/bin/bash
# chat_server without a browser: its page, what is said and typed, its ends.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"
page=$(cd "$(dirname "$0")/../../c-examples" && pwd)/chat_page
mkfifo "$work/typed"

# launch ARGUMENT...: chat_server whose stdin is what is written to $typed.
launch() {
    : >"$work/chat.out"
    # shellcheck disable=SC2086
    ${WSEMBED_UNDER:-} "$programs/chat_server" "$@" <"$work/typed" >"$work/chat.out" 2>"$work/chat.err" &
    pid=$!
    running[$pid]=chat_server
    exec {typed}>"$work/typed"
    appears "$work/chat.out" '^listening on '
    port=$(sed -n 's|^listening on http://127\.0\.0\.1:\([0-9]*\)/$|\1|p' "$work/chat.out")
    [ -n "$port" ] || fail "not an address: $(cat "$work/chat.out")"
}

# say SOCKET TEXT: as a guest.
say() {
    printf '%b' "$2" >"$work/said"
    frame 81 masked "$work/said" >&"$1"
}

# hears SOCKET WHO TEXT: the next message.
hears() {
    local sock=$1
    printf '%s\n%b' "$2" "$3" >"$work/words"
    frame 81 unmasked "$work/words" >"$work/wanted"
    expect "$work/wanted" "$2: $3"
}

# is_closed SOCKET CODE REASON: the next frame, which is answered.
is_closed() {
    local sock=$1
    { printf -v code '%04x' "$2" && bytes "$code" && printf '%s' "$3"; } >"$work/words"
    frame 88 unmasked "$work/words" >"$work/wanted"
    expect "$work/wanted" "close $2"
    frame 88 masked "$work/words" >&"$sock"
    expectEnd "close $2"
    exec {sock}>&-
}

# get PATH LINE...: what a plain request is answered; $work/head, $work/body.
get() {
    local sock line target=$1
    shift
    exec {sock}<>"/dev/tcp/127.0.0.1/$port"
    printf '%s\r\n' "GET $target HTTP/1.1" "Host: 127.0.0.1:$port" "$@" "" >"$work/request"
    cat "$work/request" >&"$sock"
    : >"$work/head"
    while IFS= read -r -t 60 -u "$sock" line && [ "$line" != $'\r' ]; do echo "${line%$'\r'}" >>"$work/head"; done
    timeout 60 cat <&"$sock" >"$work/body" || fail "GET $target: no end"
    exec {sock}>&-
}
has() { grep -qixF -- "$1" "$work/head" || fail "no \"$1\" in: $(cat "$work/head")"; }

launch
chat=$pid

# The page, its parts, and what is none of them.
for part in "/ html html" "/?from=here html html" "/chat_page.css css css" "/chat_page.js js javascript"; do
    read -r path extension type <<<"$part"
    get "$path"
    has "HTTP/1.1 200 OK"
    has "Content-Type: text/$type; charset=utf-8"
    cmp "$page.$extension" "$work/body" >&2 || fail "$path is not chat_page.$extension"
done
get /other
has "HTTP/1.1 404 Not Found"
upgrade=("Upgrade: websocket" "Connection: Upgrade" "Sec-WebSocket-Version: 13" "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
get / "${upgrade[@]}"
has "HTTP/1.1 404 Not Found"
get /chat "${upgrade[@]}" "Origin: http://127.0.0.1:1"
has "HTTP/1.1 403 Forbidden"

# Everybody hears everybody, and stdin.
dial "$port" /chat
one=$sock
hears "$one" "" "welcome, you are guest 1"
dial "$port" /chat
two=$sock
hears "$two" "" "welcome, you are guest 2"
hears "$one" "" "guest 2 is here"
echo "good morning, 早上好" >&"$typed"
hears "$one" server "good morning, 早上好"
hears "$two" server "good morning, 早上好"
say "$two" 'hi\e[2J\nthere'
hears "$two" you 'hi\e[2J\nthere'
hears "$one" "guest 2" 'hi\e[2J\nthere'
appears "$work/chat.out" '^guest 2: "hi\\x1b\[2J\\nthere"$'
say "$one" ''
hears "$one" you ''
hears "$two" "guest 1" ''
head -c 250000 /dev/zero | tr '\0' z >"$work/long"
frame 81 masked "$work/long" >&"$one"
hears "$one" you "$(cat "$work/long")"
hears "$two" "guest 1" "$(cat "$work/long")"

# What is typed: several lines at once, one in two pieces, none that is too long or not
# UTF-8, commands.
printf 'first\n\nsecond\nthi' >&"$typed"
hears "$one" server first
hears "$one" server second
{ printf 'rd\n' && head -c 40000 "$work/long" && printf '\nnot \377 text\n/nothing\n/kick 7 x\nlast\n'; } >&"$typed"
hears "$one" server third
hears "$one" server last
for line in first second third last; do hears "$two" server "$line"; done
appears "$work/chat.err" '^chat_server: a line has 16383 bytes at most$'
appears "$work/chat.err" '^chat_server: this was not sent: .*UTF-8'
appears "$work/chat.err" '^chat_server: the commands are /who'
appears "$work/chat.err" '^chat_server: /kick takes the number of a guest who is here$'
echo /who >&"$typed"
appears "$work/chat.out" '^guest 1: 127\.0\.0\.1 port [1-9][0-9]*, said 2, was told 1[0-9]$'

# Ends of a guest: kicked, not text, vanished.
echo "/kick 2 enough, 够了" >&"$typed"
is_closed "$two" 1008 "enough, 够了"
appears "$work/chat.out" '^guest 2 leaves: 1008 "enough, 够了"$'
hears "$one" "" "guest 2 has left"
dial "$port" /chat
hears "$sock" "" "welcome, you are guest 3"
hears "$one" "" "guest 3 is here"
frame 82 masked "$work/said" >&"$sock"
is_closed "$sock" 1003 "this chat takes text only"
hears "$one" "" "guest 3 has left"
dial "$port" /chat
hears "$sock" "" "welcome, you are guest 4"
hangUp
hears "$one" "" "guest 4 is here"
hears "$one" "" "guest 4 has left"
appears "$work/chat.out" '^guest 4 leaves: 1006 "" (.*)$'

# It goes on when stdin ends, whose last line needs no line break.
printf 'goodbye' >&"$typed"
exec {typed}>&-
hears "$one" server goodbye
dial "$port" /chat
two=$sock
hears "$two" "" "welcome, you are guest 5"
hears "$one" "" "guest 5 is here"

# SIGTERM, while somebody is there.
kill -TERM "$chat"
is_closed "$one" 1001 "the server is stopping"
is_closed "$two" 1001 "the server is stopping"
ended "$chat" || fail "SIGTERM: status $?"

# SIGINT, /quit, and an address that is in use.
launch --bind 127.0.0.1 --port 0
kill -INT "$pid"
ended "$pid" || fail "SIGINT: status $?"
exec {typed}>&-
launch
dial "$port" /chat
hears "$sock" "" "welcome, you are guest 1"
status=0
"$programs/chat_server" --port "$port" </dev/null >"$work/out" 2>&1 || status=$?
[ "$status" = 1 ] || fail "an address in use: status $status"
grep -q '^chat_server: 127\.0\.0\.1: ' "$work/out" || fail "an address in use: $(cat "$work/out")"
echo /quit >&"$typed"
is_closed "$sock" 1001 "the server is stopping"
ended "$pid" || fail "/quit: status $?"

for wrong in "--port" "--port x" "--port 65536" "--port -1" "--bind" "--loud yes" "3000"; do
    status=0
    # shellcheck disable=SC2086
    "$programs/chat_server" $wrong </dev/null >"$work/out" 2>&1 || status=$?
    [ "$status" = 2 ] || fail "$wrong: status $status"
    grep -q '^usage: chat_server ' "$work/out" || fail "$wrong: no usage"
done
