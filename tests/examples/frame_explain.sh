#!/bin/bash
# frame_explain: what a wire has carried, every problem, every way in.
# shellcheck source=tests/examples/common.bash
. "$(dirname "$0")/common.bash"

explain() {
    # shellcheck disable=SC2086
    ${WSEMBED_UNDER:-} "$programs/frame_explain" "$@"
}

# tells STATUS ARGUMENTS...: its output is standard input, whatever the cuts.
# ARGUMENTS may read $work/input as a FILE.
tells() {
    local status=$1 got cut
    shift
    cat >"$work/want"
    for cut in 65536 1 2 3 7 64; do
        got=0
        explain --cut "$cut" "$@" >"$work/got" 2>"$work/got.err" || got=$?
        diff -u "$work/want" "$work/got" >&2 || fail "$*, cut every $cut bytes: told otherwise"
        [ "$got" = "$status" ] || fail "$*: status $got, not $status: $(cat "$work/got.err")"
    done
}

# refuses MESSAGE ARGUMENTS...
refuses() {
    local message=$1 status=0
    shift
    explain "$@" >"$work/got" 2>"$work/got.err" </dev/null || status=$?
    [ "$status" = 2 ] || fail "$*: status $status, not 2"
    [ "$(cat "$work/got.err")" = "frame_explain: $message" ] ||
        fail "$*: \"$(cat "$work/got.err")\", not \"$message\""
}

# problem HEX TEXT [OPTION]...: the frame in front is told with this problem
# alone, and the ping behind it with none.
problem() {
    local hex=$1 text=$2 status=0
    shift 2
    explain "$@" --hex "$hex" 8a00 >"$work/got" || status=$?
    [ "$status" = 1 ] || fail "$hex: status $status, not 1"
    [ "$(sed -n 's/^  PROBLEM  //p' "$work/got")" = "$text" ] || fail "$hex: not \"$text\": $(cat "$work/got")"
    [ "$(grep -c '^frame .*: pong$' "$work/got")" = 1 ] || fail "$hex: the frame behind it was not found"
}

# A conversation as it was seen on a wire: first the server's bytes, whose last
# two frames came glued, then the client's.
server="81 07 48 65 6c 6c 6f 20 21
81 10 49 20 61 6d 20 53 65 72 76 65 72 5f 54 65 73 74
81 14 59 6f 75 20 61 72 65 20 63 61 72 65 66 72 65 65 20 2e 2e 2e 81 21 5c 4f 5e 4f 2f 20 20 3c 2d 2e 3c 2d 20 20 54 41 54 20 20 3d 2e 3d 23 20 20 2d 2e 2d 21 20 2e 2e 2e"
client="81 87 c3 6c 78 21 8b 09 14 4d ac 4c 59
81 90 c3 6c 78 21 8a 4c 19 4c e3 2f 14 48 a6 02 0c 7e 97 09 0b 55
81 8f c3 6c 78 21 8a 4c 19 4c e3 0f 19 53 a6 0a 0a 44 a6 4c 59
81 9a 68 b6 52 22 4b 93 0c 01 28 f6 12 66 3c f1 77 7c 4e 90 79 7d 41 9d 7a 08 36 93 73 6a 20 ff"

tells 0 --from server --hex "$server" <<'END'
frame 1 at byte 0 (0x0): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   7 (7-bit form), header 2 bytes
  mask     none
  payload  "Hello !"
frame 2 at byte 9 (0x9): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   16 (7-bit form), header 2 bytes
  mask     none
  payload  "I am Server_Test"
frame 3 at byte 27 (0x1b): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   20 (7-bit form), header 2 bytes
  mask     none
  payload  "You are carefree ..."
frame 4 at byte 49 (0x31): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   33 (7-bit form), header 2 bytes
  mask     none
  payload  "\\O^O/  <-.<-  TAT  =.=#  -.-! ..."
4 frames, 84 bytes: no problems
END

tells 0 --from client --hex "$client" <<'END'
frame 1 at byte 0 (0x0): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   7 (7-bit form), header 6 bytes
  mask     c3 6c 78 21
  payload  "Hello !"
frame 2 at byte 13 (0xd): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   16 (7-bit form), header 6 bytes
  mask     c3 6c 78 21
  payload  "I am Client_Test"
frame 3 at byte 35 (0x23): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   15 (7-bit form), header 6 bytes
  mask     c3 6c 78 21
  payload  "I am carefree !"
frame 4 at byte 56 (0x38): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   26 (7-bit form), header 6 bytes
  mask     68 b6 52 22
  payload  "#%^#@@@DTG%^&&+_)+(*^%!HHI"
4 frames, 88 bytes: no problems
END

# Every way in tells the same, and every way to write hexadecimal.
bytes "$(tr -d ' \n' <<<"$client")" >"$work/input"
explain --from client "$work/input" | diff "$work/want" - >&2 || fail "a file"
explain --from client - <"$work/input" | diff "$work/want" - >&2 || fail "standard input"
for ((at = 0; at < 88; at++)); do tail -c +$((at + 1)) "$work/input" | head -c 1; done |
    explain --from client - | diff "$work/want" - >&2 || fail "a pipe that brings bytes one by one"
explain --from client --hex - <<<"$client" | diff "$work/want" - >&2 || fail "hexadecimal on standard input"
# shellcheck disable=SC2086
explain --from client --hex $client | diff "$work/want" - >&2 || fail "hexadecimal in many arguments"
for as in 's/ /:/g' 's/\</0x/g' 's/ /,\t/g' 's/ /-/g' 's/ //g' 's/.*/\U&/' 's/$/\r/'; do
    explain --from client --hex "$(sed "$as" <<<"$client")" | diff "$work/want" - >&2 || fail "hexadecimal as by $as"
done

# What a payload looks like: what could steer a terminal is escaped.
tells 1 --hex 0105 61e282ac22 8a0300ff41 0008 0a1bc285e280ae5c 8004 c3a4e282 8200 8213 000102030405060708090a0b0c0d0e0f101112 <<'END'
frame 1 at byte 0 (0x0): text
  bits     FIN 0, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   5 (7-bit form), header 2 bytes
  mask     none
  payload  "a€\""
frame 2 at byte 7 (0x7): pong
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0xA
  length   3 (7-bit form), header 2 bytes
  mask     none
  payload  0000  00 ff 41  |..A|
frame 3 at byte 12 (0xc): continuation
  bits     FIN 0, RSV1 0, RSV2 0, RSV3 0, opcode 0x0
  length   8 (7-bit form), header 2 bytes
  mask     none
  payload  "\n\x1b\xc2\x85\xe2\x80\xae\\"
frame 4 at byte 22 (0x16): continuation
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x0
  length   4 (7-bit form), header 2 bytes
  mask     none
  payload  0000  c3 a4 e2 82  |....|
  PROBLEM  the text is not UTF-8 (RFC 6455 8.1)
frame 5 at byte 28 (0x1c): binary
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x2
  length   0 (7-bit form), header 2 bytes
  mask     none
  payload  empty
frame 6 at byte 30 (0x1e): binary
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x2
  length   19 (7-bit form), header 2 bytes
  mask     none
  payload  0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  |................|
           0010  10 11 12                                         |...|
6 frames, 51 bytes: 1 frame with problems
END
tells 0 --bytes 3 --hex 0105 6162636465 8805 03e9616263 <<'END'
frame 1 at byte 0 (0x0): text
  bits     FIN 0, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   5 (7-bit form), header 2 bytes
  mask     none
  payload  "abc"
  hidden   2 bytes more
frame 2 at byte 7 (0x7): close
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x8
  length   5 (7-bit form), header 2 bytes
  mask     none
  close    1001 (going away)
  reason   "a"
  hidden   2 bytes more
the last message has not got its final frame
2 frames, 14 bytes: no problems
END
# A close frame's code is no part of its reason, however little is shown, and
# what the end cut off is told behind it.
tells 0 --bytes 1 --hex 8805 03e9 616263 <<'END'
frame 1 at byte 0 (0x0): close
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x8
  length   5 (7-bit form), header 2 bytes
  mask     none
  close    1001 (going away)
  hidden   3 bytes more
1 frame, 7 bytes: no problems
END
tells 1 --hex 8805 03e9 <<'END'
frame 1 at byte 0 (0x0): close
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x8
  length   5 (7-bit form), header 2 bytes
  mask     none
  close    1001 (going away)
  missing  3 bytes
  PROBLEM  the stream ends inside the payload (RFC 6455 7.1.5)
1 frame, 4 bytes: 1 frame with problems
END
tells 0 --deflate --hex 418200000000 6162 8000 <<'END'
frame 1 at byte 0 (0x0): text
  bits     FIN 0, RSV1 1, RSV2 0, RSV3 0, opcode 0x1
  length   2 (7-bit form), header 6 bytes
  mask     00 00 00 00
  payload  0000  61 62  |ab|
frame 2 at byte 8 (0x8): continuation
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x0
  length   0 (7-bit form), header 2 bytes
  mask     none
  payload  empty
2 frames, 10 bytes: no problems
END

# The longer forms, and a payload larger than any buffer.
head -c 200000 /dev/zero >"$work/large"
frame 82 masked "$work/large" >"$work/input"
tells 0 --bytes 0 "$work/input" <<'END'
frame 1 at byte 0 (0x0): binary
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x2
  length   200000 (64-bit form), header 14 bytes
  mask     00 00 00 00
  hidden   200000 bytes more
1 frame, 200014 bytes: no problems
END

# Every problem, with what stands behind it.
problem c100 'a reserved bit is set that no extension uses here (RFC 6455 5.2)'
problem c900 'a reserved bit is set that no extension uses here (RFC 6455 5.2)' --deflate
problem 8301ff 'the opcode is reserved (RFC 6455 5.2)'
problem 8f00 'the opcode is reserved (RFC 6455 5.2)'
problem 0900 'a control frame without FIN: it must not be fragmented (RFC 6455 5.5)'
problem "897e007e$(printf '78%.0s' {1..126})" 'a control frame with more than 125 bytes of payload (RFC 6455 5.5)'
problem 827e0001ff 'the length is not in its shortest form (RFC 6455 5.2)'
problem 827f0000000000000001ff 'the length is not in its shortest form (RFC 6455 5.2)'
problem 8000 'a continuation with no message to continue (RFC 6455 5.4)'
problem 01008200 'a new message before the last one has got its final frame (RFC 6455 5.4)'
problem 8103edaabf 'the text is not UTF-8 (RFC 6455 8.1)'
problem 0101e2800161 'the text is not UTF-8 (RFC 6455 8.1)'
problem 880103 'the close frame has one byte of body, and a code has two (RFC 6455 5.5.1)'
problem 880203ed 'the close code must not be sent (RFC 6455 7.4)'
problem 880303e8ff 'the close reason is not UTF-8 (RFC 6455 5.5.1)'
problem 88008100 'data behind a close frame (RFC 6455 5.5.1)'
problem 898000000000 'masked, as a server'\''s frames must not be (RFC 6455 5.1)' --from server
explain --from client --hex 8900 8a8000000000 >"$work/got" && fail "an unmasked frame of a client is in order"
[ "$(grep -c PROBLEM "$work/got")" = 1 ] || fail "one frame of two is not masked: $(cat "$work/got")"
grep -qx "  PROBLEM  not masked, as a client's frames must be (RFC 6455 5.1)" "$work/got" || fail "$(cat "$work/got")"

# What ends a stream: a length that leads nowhere, a cut payload, a cut header.
tells 1 --hex 827f8000000000000000 8900 <<'END'
frame 1 at byte 0 (0x0): binary
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x2
  length   9223372036854775808 (64-bit form), header 10 bytes
  mask     none
  PROBLEM  the top bit of the 64-bit length is set: no frame behind it can be found (RFC 6455 5.2)
1 frame, 10 bytes: 1 frame with problems
END
tells 1 --hex 827e0100 6162 <<'END'
frame 1 at byte 0 (0x0): binary
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x2
  length   256 (16-bit form), header 4 bytes
  mask     none
  payload  0000  61 62  |ab|
  missing  254 bytes
  PROBLEM  the stream ends inside the payload (RFC 6455 7.1.5)
1 frame, 6 bytes: 1 frame with problems
END
tells 1 --hex 8a00 29 <<'END'
frame 1 at byte 0 (0x0): pong
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0xA
  length   0 (7-bit form), header 2 bytes
  mask     none
  payload  empty
frame 2 at byte 2 (0x2): ping
  bits     FIN 0, RSV1 0, RSV2 1, RSV3 0, opcode 0x9
  header   1 byte of it, no more
  PROBLEM  a reserved bit is set that no extension uses here (RFC 6455 5.2)
  PROBLEM  a control frame without FIN: it must not be fragmented (RFC 6455 5.5)
  PROBLEM  the stream ends inside the header (RFC 6455 7.1.5)
2 frames, 3 bytes: 1 frame with problems
END
: >"$work/input"
tells 0 "$work/input" <<'END'
0 frames, 0 bytes: no problems
END

# A capture that begins with the handshake: one direction, the other, both.
printf '%s\r\n' "GET /chat HTTP/1.1" "Host: h" "Sec-WebSocket-Extensions: permessage-deflate" "" >"$work/request"
printf '%s\r\n' "HTTP/1.1 101 Switching Protocols" "sec-websocket-extensions: Permessage-Deflate" "" >"$work/answer"
{ cat "$work/request"; bytes 818000000000; } >"$work/input"
tells 0 "$work/input" <<'END'
HTTP request at byte 0, 77 bytes: "GET /chat HTTP/1.1"
frames of a client: each must be masked
permessage-deflate: messages with RSV1 are compressed
frame 1 at byte 77 (0x4d): text
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x1
  length   0 (7-bit form), header 6 bytes
  mask     00 00 00 00
  payload  empty
1 frame, 83 bytes: no problems
END
{ cat "$work/answer"; bytes c10161; bytes 888000000000; } >"$work/input"
tells 1 "$work/input" <<'END'
HTTP answer at byte 0, 82 bytes: "HTTP/1.1 101 Switching Protocols"
frames of a server: none may be masked
permessage-deflate: messages with RSV1 are compressed
frame 1 at byte 82 (0x52): text
  bits     FIN 1, RSV1 1, RSV2 0, RSV3 0, opcode 0x1
  length   1 (7-bit form), header 2 bytes
  mask     none
  payload  0000  61  |a|
frame 2 at byte 85 (0x55): close
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x8
  length   0 (7-bit form), header 6 bytes
  mask     00 00 00 00
  payload  empty
  PROBLEM  masked, as a server's frames must not be (RFC 6455 5.1)
2 frames, 91 bytes: 1 frame with problems
END
printf 'HTTP/1.1 101 \r\n\r\n' >"$work/answer"
{ cat "$work/request" "$work/answer"; bytes 89008a8000000000; } >"$work/input"
tells 0 "$work/input" <<'END'
HTTP request at byte 0, 77 bytes: "GET /chat HTTP/1.1"
HTTP answer at byte 77, 17 bytes: "HTTP/1.1 101 "
both directions in one stream: masking is not judged, messages of the two may mix
frame 1 at byte 94 (0x5e): ping
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0x9
  length   0 (7-bit form), header 2 bytes
  mask     none
  payload  empty
frame 2 at byte 96 (0x60): pong
  bits     FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 0xA
  length   0 (7-bit form), header 6 bytes
  mask     00 00 00 00
  payload  empty
2 frames, 102 bytes: no problems
END
# What only begins like a head is a frame: "GE" is one with a reserved opcode.
tells 1 --hex 4745 <<'END'
frame 1 at byte 0 (0x0): reserved data
  bits     FIN 0, RSV1 1, RSV2 0, RSV3 0, opcode 0x7
  length   69 (7-bit form), header 2 bytes
  mask     none
  missing  69 bytes
  PROBLEM  a reserved bit is set that no extension uses here (RFC 6455 5.2)
  PROBLEM  the opcode is reserved (RFC 6455 5.2)
  PROBLEM  the stream ends inside the payload (RFC 6455 7.1.5)
1 frame, 2 bytes: 1 frame with problems
END

# What cannot be read says why.
refuses '--hex: character 3 (0x67) is no hexadecimal digit' --hex 81g0
refuses '--hex: character 4 (0x7a) is no hexadecimal digit' --hex 810z
refuses '--hex: the byte at character 4 has one digit; write 08' --hex 81 8 00
refuses '--hex: the byte at character 3 has one digit; write 0a' --hex 81a
refuses '--hex: no digits follow the 0x at character 4' --hex 81 0x
refuses '--hex: character 4 (0x78) is no hexadecimal digit' --hex 0x0x81
refuses '--hex: there are no digits' --hex
refuses '--hex: there are no digits' --hex -
# Dumps: xxd, hexdump -C, od -x, tcpdump -x, and one whose words are joined.
offset='--hex: the first word looks like an offset: leave out the columns of offsets and of characters (as xxd -p does)'
refuses "$offset" --hex '00000000: 8105 4865 6c6c 6f                        ..Hello'
refuses "$offset" --hex '00000000  81 05 48 65 6c 6c 6f                              |..Hello|'
refuses "$offset" --hex '0000000 0581 6548 6c6c 006f'
refuses "$offset" --hex $'\t0x0000:  8105 4865 6c6c 6f'
refuses "$offset" --hex 00000010: 8105 4865
refuses '--hex: character 10 (0x7c) is no hexadecimal digit' --hex '81 01 61 |..a|'
explain --hex 0000 0000 >"$work/got" || [ $? = 1 ] || fail "zeros are bytes"
# Text in place of bytes is told as bytes, with a word about it.
for text in '81 05 48 65 6c 6c 6f' '00000000: 8105 4865 6c6c 6f  ..Hello' $'\t0x0000:  8105 4865'; do
    printf '%s' "$text" >"$work/input"
    explain --cut 3 "$work/input" >"$work/got" 2>"$work/got.err" && fail "\"$text\" is no frame"
    grep -q 'looks like hexadecimal text' "$work/got.err" || fail "\"$text\": no word of it"
done
head -c 4096 "$programs/frame_explain" >"$work/input"
explain "$work/input" >"$work/got" 2>"$work/got.err" || [ $? = 1 ] || fail "any bytes can be told"
[ ! -s "$work/got.err" ] || fail "bytes are no hexadecimal text: $(cat "$work/got.err")"
refuses "cannot open $work/none: No such file or directory" "$work/none"
refuses 'cannot read: Is a directory' "$work"
refuses '--from takes client or server' --from nobody "$work/input"
refuses '--cut takes a number from 1 to 65536' --cut 0 "$work/input"
refuses '--bytes takes a number from 0 to 1073741824' --bytes -1 "$work/input"
head -c 60 "$work/request" >"$work/input"
refuses 'the stream ends inside an HTTP head' "$work/input"
{ cat "$work/request"; head -c 70000 /dev/zero | tr '\0' x; } | sed 's/^\r$/X: y\r/' >"$work/input"
refuses 'an HTTP head of more than 65536 bytes' "$work/input"
printf 'HTTP/1.1 404 Not Found\r\n\r\n' >"$work/input"
refuses 'no frames follow an answer other than 101' "$work/input"
for wrong in "" "--from" "--unknown $work/input" "$work/input more" "--cut"; do
    status=0
    # shellcheck disable=SC2086
    explain $wrong >"$work/got" 2>"$work/got.err" || status=$?
    [ "$status" = 2 ] || fail "\"$wrong\": status $status, not 2"
done
explain --help | grep -q '^usage: frame_explain' || fail "--help"
if explain --hex 8100 >/dev/full 2>"$work/got.err"; then fail "a full disk was not noticed"; fi
