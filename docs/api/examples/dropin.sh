#!/bin/bash
# The drop-in's client against the drop-in's server, as the pages show them.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/../../../tests/examples/common.bash"

start server api_dropin_server
for round in 1 2 3; do
    said=$(timeout 60 "$programs/api_dropin_client" 127.0.0.1 "$port" /stream) || fail "round $round: no answer"
    [ "$said" = hello ] || fail "round $round: it said \"$said\""
done
