#!/bin/bash
# Clients as the field has them against every echo server there is, directly
# and through a network that cuts and glues. Closes with "N passed, N failed".
set -uo pipefail
# shellcheck source=tests/old/lib.sh
. "$WSEMBED_SOURCE/tests/old/lib.sh"

# way NAME LARGEST COUNT RELAY_OPTION...
way() {
    local name=$1 largest=$2 count=$3
    shift 3
    [ "$largest" -le "$server_largest" ] || largest=$server_largest
    if ! stream_listen "$work/relay.log" "$examples/choppy_relay" --listen 0 --to "$server_port" "$@"; then
        fail "a relay for $server" "$work/relay.log"
        return
    fi
    try "old_client_sleep to $server, $name" "$old/old_client_sleep" 127.0.0.1 "$stream_port" / "$largest"
    try "old_client_epoll_et to $server, $name" "$old/old_client_epoll_et" 127.0.0.1 "$stream_port" /a "$count"
    try "old_ws_client to $server, $name" "$old/old_ws_client" 127.0.0.1 "$stream_port" / "$largest"
}

series() {
    if ! server_start "$server"; then
        fail "$server starts" "$work/server.log"
        return
    fi
    try "old_client_sleep to $server" "$old/old_client_sleep" 127.0.0.1 "$server_port" / "$server_largest"
    try "old_ws_client to $server" "$old/old_ws_client" 127.0.0.1 "$server_port" / "$server_largest"
    try "old_ws_client to $server by name" "$old/old_ws_client" localhost "$server_port" /path?query=1 1000
    try "old_client_sleep to $server by name" "$old/old_client_sleep" localhost "$server_port" / 1000
    try "old_client_epoll_et to $server" "$old/old_client_epoll_et" 127.0.0.1 "$server_port" /path?query=1 500
    way "in random pieces" 300000 300
    way "in other pieces" 65536 100 --seed 7 --bytes 50
    way "cut at every byte" 4096 40 --bytes 1
    way "glued" 1048576 500 --glue
    server_idle "$server"
}

server_names+=(echo_server)
each_server series
sum
