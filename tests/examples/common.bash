# Sourced by the tests of the examples. It starts the programs and speaks just
# enough WebSocket by itself (bash's /dev/tcp, hand-made frames) to be an
# independent peer.
#
#   bash tests/examples/NAME.sh [DIRECTORY OF THE PROGRAMS]
#
# WSEMBED_UNDER may name a command to run the programs under, such as valgrind.
set -eu -o pipefail
export LC_ALL=C
programs=$(cd "${1:-${WSEMBED_BUILD:-build}/c-examples}" && pwd)
work=$(mktemp -d)
declare -A running=()

finish() {
    local status=$? pid
    trap - EXIT
    for pid in "${!running[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if [ "$status" != 0 ]; then tail -n 20 "$work"/*.err >&2 2>/dev/null || true; fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# start NAME PROGRAM ARGUMENTS: waits for "listening on", sets $pid and $port.
start() {
    local name=$1 program=$2 try
    shift 2
    : >"$work/$name.out"
    # shellcheck disable=SC2086
    ${WSEMBED_UNDER:-} "$programs/$program" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    pid=$!
    running[$pid]=$name
    for try in {1..600}; do
        port=$(sed -n 's|^listening on .*127\.0\.0\.1:\([0-9]*\)/\{0,1\}$|\1|p' "$work/$name.out")
        if [ -n "$port" ]; then return; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    fail "$name does not listen"
}

# ended PID: its exit status, waiting at most a minute.
ended() {
    local try status=0
    for try in {1..1200}; do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.05
    done
    [ "$try" != 1200 ] || fail "${running[$1]} does not end"
    wait "$1" || status=$?
    unset "running[$1]"
    return "$status"
}

# stop PID: SIGTERM must end it cleanly.
stop() {
    local name=${running[$1]}
    kill -TERM "$1"
    ended "$1" || fail "$name ended with status $?"
}

# appears FILE PATTERN: waits until a line of FILE matches.
appears() {
    local try
    for try in {1..1200}; do
        if grep -q -- "$2" "$1" 2>/dev/null; then return; fi
        sleep 0.05
    done
    fail "no line like \"$2\" in $(basename "$1"): $(cat "$1")"
}

# dial PORT [PATH]: connects and shakes hands; $sock is the descriptor. The key and its
# answer are the example of RFC 6455 1.3.
dial() {
    local line accepted=no
    exec {sock}<>"/dev/tcp/127.0.0.1/$1"
    printf '%s\r\n' "GET ${2:-/} HTTP/1.1" "Host: 127.0.0.1:$1" "Upgrade: websocket" "Connection: Upgrade" \
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "Sec-WebSocket-Version: 13" "" >"$work/request"
    cat "$work/request" >&"$sock"
    while IFS= read -r -t 30 -u "$sock" line && [ "$line" != $'\r' ]; do
        case ${line,,} in *accept:\ s3pplmbitxaq9kygzzhzrbk+xoo=$'\r') accepted=yes ;; esac
    done
    [ "$accepted" = yes ] || fail "no handshake on port $1"
}

hangUp() {
    exec {sock}>&-
}

# frame BYTE MASKED FILE: a frame with this first byte (hexadecimal) on stdout.
# The mask key is zero: the masked payload is the payload itself.
frame() {
    local length bit=0 header
    length=$(stat -c %s "$3")
    [ "$2" = unmasked ] || bit=128
    if [ "$length" -lt 126 ]; then
        printf -v header '%02x' $((bit | length))
    elif [ "$length" -lt 65536 ]; then
        printf -v header '%02x%04x' $((bit | 126)) "$length"
    else
        printf -v header '%02x%016x' $((bit | 127)) "$length"
    fi
    if [ "$bit" != 0 ]; then header+=00000000; fi
    bytes "$1$header"
    cat "$3"
}

# bytes HEX: the bytes on stdout.
bytes() {
    local i text=
    for ((i = 0; i < ${#1}; i += 2)); do text+="\\x${1:i:2}"; done
    # shellcheck disable=SC2059
    printf "$text"
}

# expect FILE WHAT: the next bytes from $sock are those of FILE.
expect() {
    timeout 120 head -c "$(stat -c %s "$1")" <&"$sock" >"$work/answer" || fail "$2: no answer in time"
    cmp "$1" "$work/answer" >&2 || fail "$2: not what was expected"
}

# expectEnd WHAT: the peer ends the connection without a further byte.
expectEnd() {
    timeout 60 cat <&"$sock" >"$work/answer" || fail "$1: the connection stays"
    [ ! -s "$work/answer" ] || fail "$1: unexpected bytes at the end"
}
