# Sourced by the tests of old programs (bash): builds on scripts/stream.sh.
# Needs WSEMBED_SOURCE and WSEMBED_BUILD. Some of what it sets is for the sourcer.
# shellcheck shell=bash disable=SC2034
# shellcheck source=scripts/stream.sh
. "$WSEMBED_SOURCE/scripts/stream.sh"
old=$WSEMBED_BUILD/tests/old
examples=$WSEMBED_BUILD/c-examples
work=$(mktemp -d)
trap 'stream_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

ok() {
    echo "ok: $1"
    passed=$((passed + 1))
}

# fail NAME [FILE...]: shows what the files have to say.
fail() {
    echo "FAIL: $1"
    failed=$((failed + 1))
    shift
    [ "$#" = 0 ] || sed 's/^/    /' "$@"
}

# try NAME COMMAND...: one case. The limit is for a defect only.
try() {
    local name=$1
    shift
    if timeout 200 "$@" >"$work/out" 2>&1; then ok "$name"; else fail "$name (status $?)" "$work/out"; fi
}

# The servers that every client meets; the arguments after the name start one.
server_names=(legacy_server legacy_server_et echo_epoll old_server_select old_server_blocking old_server_epoll old_server_epoll_et
    field_server old_ws_server old_ws_bare)
server_start() { # NAME: sets server_pid, server_port, server_largest
    server_largest=1048576
    case $1 in
        legacy_server) set -- "$1" "$examples/legacy_server" && server_largest=65536 ;;
        legacy_server_et) set -- "$1" "$examples/legacy_server" --et && server_largest=65536 ;;
        echo_epoll) set -- "$1" "$examples/echo_epoll" ;;
        field_server) set -- "$1" "$examples/field_server" --echo ;;
        echo_server) set -- "$1" "$examples/echo_server" ;;
        echo_server_2_loops) set -- "$1" "$examples/echo_server" --threads 2 ;;
        *_et) set -- "$1" "$old/${1%_et}" 0 et ;;
        *) set -- "$1" "$old/$1" 0 ;;
    esac
    stream_listen "$work/server.log" "${@:2}" || return 1
    server_pid=$stream_pid
    server_port=$stream_port
    server_fds=$(server_fd_count)
}

server_fd_count() { find "/proc/$server_pid/fd" -mindepth 1 2>/dev/null | wc -l; }

# server_idle NAME: it runs, and has hung up on all who have left.
server_idle() {
    local tries
    for ((tries = 0; tries < 1500; tries++)); do
        [ "$(server_fd_count)" != "$server_fds" ] || break
        sleep 0.02
    done
    if ! kill -0 "$server_pid" 2>/dev/null; then
        fail "$1 is still running" "$work/server.log"
    elif [ "$(server_fd_count)" = "$server_fds" ]; then
        ok "$1 has hung up on all"
    else
        fail "$1 has hung up on all: $(server_fd_count) descriptors, $server_fds before" "$work/server.log"
    fi
}

# Runs in a shell of its own, in the background: what it sets is its own.
one_server() {
    trap stream_stop EXIT
    trap 'exit 130' INT TERM
    stream_pids=()
    passed=0
    failed=0
    work=$work/$server
    mkdir "$work"
    "$1"
    sum
}

# each_server FUNCTION: runs it for all servers at once, with $server set and a
# folder of its own; they mostly wait. Adds up the cases.
each_server() {
    local server pid pids=()
    for server in "${server_names[@]}"; do
        one_server "$1" >"$work/$server.txt" 2>&1 &
        pids+=("$!")
        stream_pids+=("$!")
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    stream_pids=()
    for server in "${server_names[@]}"; do
        sed '$d' "$work/$server.txt"
        read -r more_passed _ more_failed _ < <(tail -n 1 "$work/$server.txt")
        if [[ "$more_passed $more_failed" =~ ^[0-9]+\ [0-9]+$ ]]; then
            passed=$((passed + more_passed))
            failed=$((failed + more_failed))
        else
            fail "the cases of $server came to an end" "$work/$server.txt"
        fi
    done
}

# The last line of a test; its status is the test's.
sum() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
