#!/bin/bash
# Devices of generation 2 by the dozen at one server, one of which does not read:
# nothing is lost or mixed up, and nobody waits for that one. scripts/check-field
# does so with a thousand. Closes with "N passed, N failed".
set -uo pipefail
# shellcheck source=tests/old/lib.sh
. "$WSEMBED_SOURCE/tests/old/lib.sh"

server=field_server
if stream_listen "$work/server.log" "$examples/field_server" --push 200; then
    server_pid=$stream_pid server_port=$stream_port server_fds=$(server_fd_count)
    try "60 devices" "$old/old_ws_crowd" 127.0.0.1 "$server_port" 60 3
    try "60 devices, and one that does not read" "$old/old_ws_crowd" 127.0.0.1 "$server_port" 60 3 stuck
    server_idle "$server"
    joined=$(grep -c ' logs in$' "$work/server.log")
    gone=$(grep -c '^client [0-9]* is gone: it hung up,' "$work/server.log")
    if [ "$joined" = 121 ] && [ "$gone" = 121 ]; then
        ok "onLogin and onExit once for each"
    else
        fail "onLogin $joined times, onExit $gone times, for 121 devices" "$work/server.log"
    fi
else
    fail "$server starts"
fi
sum
