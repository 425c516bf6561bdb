//! Frame headers: what is refused, and that every cut comes to the same.

use wsembed::proto::Error;
use wsembed::proto::conn::Role;
use wsembed::proto::frame::{Decoded, decode, encode};

use crate::support::*;

/// A masked header with any first byte and any length form, zero key.
fn header(first: u8, form: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    bytes.extend(form);
    bytes[1] |= 0x80;
    bytes.extend([0; 4]);
    bytes
}

#[test]
fn fr01_reserved_bits_without_an_extension() {
    for bits in [0x10, 0x20, 0x40, 0x70] {
        for opcode in [TEXT, BINARY, CONT] {
            for case in both(&[(FIN | bits | opcode, b"x"), (FIN | TEXT, b"later")]) {
                case.expect(&[failed(Error::ReservedBits)]);
            }
        }
    }
}

#[test]
fn fr03_reserved_bits_on_control_frames() {
    for bits in [0x10, 0x20, 0x40] {
        for opcode in [PING, PONG, CLOSE] {
            for case in both(&[(FIN | bits | opcode, b"")]) {
                case.expect(&[failed(Error::ReservedBits)]);
            }
        }
    }
}

#[test]
fn fr04_fr05_reserved_opcodes() {
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        for case in both(&[
            (FIN | TEXT, b"before"),
            (FIN | opcode, b""),
            (FIN | TEXT, b"after"),
        ]) {
            case.expect(&[text("before"), failed(Error::Opcode)]);
        }
    }
}

#[test]
fn fr06_a_reserved_opcode_is_refused_from_two_bytes_whatever_length_it_announces() {
    let mut connection = server([]).connection();
    assert_eq!(
        feed(&mut connection, &[FIN | 0x3, 0xFF]),
        [failed(Error::Opcode)]
    );
}

#[test]
fn fr07_a_server_refuses_unmasked_frames() {
    for payload in [&b""[..], b"plain"] {
        server(plain(FIN | TEXT, payload)).expect(&[failed(Error::Masking)]);
        server(plain(FIN | PING, payload)).expect(&[failed(Error::Masking)]);
    }
}

#[test]
fn fr07_unless_it_was_told_to_accept_them() {
    let frames = [plain(FIN | TEXT, b"plain"), masked(FIN | TEXT, b"masked")].concat();
    let case = server(frames).with(|settings| settings.accept_unmasked = true);
    case.expect(&[text("plain"), text("masked")]);
}

#[test]
fn fr08_a_client_refuses_masked_frames() {
    client(masked(FIN | TEXT, b"masked")).expect(&[failed(Error::Masking)]);
}

#[test]
fn fr09_fr10_a_zero_mask_key_and_an_empty_masked_frame() {
    let zero_key = [FIN | TEXT, 0x82, 0, 0, 0, 0, b'h', b'i'];
    server(zero_key).expect(&[text("hi")]);
    let frames = [masked(FIN | TEXT, b""), masked(FIN | TEXT, b"next")].concat();
    server(frames).expect(&[text(""), text("next")]);
}

#[test]
fn fr11_fr12_lengths_not_in_their_shortest_form() {
    for length in [0_u16, 1, 125] {
        let [high, low] = length.to_be_bytes();
        server(header(FIN | BINARY, &[126, high, low])).expect(&[failed(Error::Length)]);
    }
    for length in [0_u64, 125, 126, 65535] {
        let form = [&[127][..], &length.to_be_bytes()].concat();
        server(header(FIN | BINARY, &form)).expect(&[failed(Error::Length)]);
    }
}

#[test]
fn fr13_lengths_with_the_top_bit_set() {
    for length in [1_u64 << 63, u64::MAX, u64::MAX - 13] {
        let form = [&[127][..], &length.to_be_bytes()].concat();
        server(header(FIN | BINARY, &form)).expect(&[failed(Error::Length)]);
    }
}

#[test]
fn fr14_fr15_huge_lengths_fail_from_the_header() {
    for length in [
        u64::MAX >> 1,
        1 << 32,
        (1 << 32) - 1,
        1 << 31,
        (1 << 31) - 1,
    ] {
        let form = [&[127][..], &length.to_be_bytes()].concat();
        server(header(FIN | BINARY, &form)).expect(&[failed(Error::FrameTooBig)]);
        // Where frames may be of any size, the sum over a message still fails
        // without overflowing.
        let first = masked(BINARY, b"x");
        let second = header(FIN | CONT, &form);
        let case =
            server([first, second].concat()).with(|settings| settings.max_frame = u64::MAX >> 1);
        case.expect(&[failed(Error::MessageTooBig)]);
    }
}

#[test]
fn fr16_an_announced_length_takes_no_memory() {
    // A terabyte announced, in a process that could not have it.
    let form = [&[127][..], &(1_u64 << 40).to_be_bytes()].concat();
    let mut input = header(FIN | BINARY, &form);
    input.extend(b"abc");
    let case = server(input).then_eof().with(|settings| {
        settings.max_frame = 1 << 41;
        settings.max_message = 1 << 41;
    });
    case.expect(&[lost((1 << 40) - 3)]);
}

#[test]
fn fr17_a_header_cut_after_every_byte() {
    // Two, four and ten bytes, and the mask's four.
    for length in [0, 125, 126, 65_536] {
        let payload = vec![b'a'; length];
        for case in both(&[(FIN | BINARY, &payload), (FIN | PING, b"?")]) {
            let expected = [binary(&payload), Seen::Ping(b"?".to_vec())];
            // Behind the header a few cuts tell as much as all.
            let header = case.input.len() - length;
            for cut in 1..header.min(16) {
                let mut connection = case.connection();
                let (first, rest) = case.input.split_at(cut);
                let mut seen = feed(&mut connection, first);
                seen.extend(feed(&mut connection, rest));
                assert_eq!(seen, expected, "{cut}");
            }
            if length < 1000 {
                case.expect(&expected);
            }
        }
    }
}

#[test]
fn fr18_fr19_the_end_inside_a_header_or_a_payload() {
    let frame = masked(FIN | TEXT, &[b'a'; 200]);
    for cut in 1..frame.len() {
        let missing = if cut < 8 {
            1
        } else {
            (frame.len() - cut) as u64
        };
        server(&frame[..cut]).then_eof().expect(&[lost(missing)]);
    }
    server([]).then_eof().expect(&[lost(0)]);
    server(masked(TEXT, b"half")).then_eof().expect(&[lost(0)]);
    server(&frame)
        .then_eof()
        .expect(&[text(&"a".repeat(200)), lost(0)]);
}

#[test]
fn fr20_fr21_several_frames_in_one_read_and_half_of_another() {
    for case in both(&[
        (FIN | TEXT, b"one"),
        (FIN | BINARY, b"two"),
        (FIN | TEXT, b"three"),
    ]) {
        case.expect(&[text("one"), binary(b"two"), text("three")]);
    }
}

#[test]
fn fr20_glued_frames_seen_on_a_real_wire() {
    let glued = b"\x81\x14You are carefree ...\x81\x21\\O^O/  <-.<-  TAT  =.=#  -.-! ...";
    client(glued).expect(&[
        text("You are carefree ..."),
        text("\\O^O/  <-.<-  TAT  =.=#  -.-! ..."),
    ]);
}

#[test]
fn fr30_every_length_at_an_encoding_edge() {
    for length in [0, 1, 125, 126, 127, 128, 65535, 65536, 65537] {
        let payload: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
        for case in both(&[(FIN | BINARY, &payload)]) {
            case.expect(&[binary(&payload)]);
            let mut echo = case.connection();
            echo.send_chunk(wsembed::proto::message::Kind::Binary, &payload, true, true)
                .unwrap();
            let sent = drain(&mut echo);
            assert_eq!(
                frames_of(case.role, &sent),
                [(FIN | BINARY, payload.clone())]
            );
        }
    }
}

#[test]
fn fr32_garbage_after_the_handshake() {
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        for role in [Role::Server, Role::Client] {
            let events = Case {
                role,
                ..server(garbage)
            }
            .events();
            assert_eq!(events.len(), 1, "{garbage:?}");
            assert!(
                matches!(events[0], Seen::Close { code: 1002, .. }),
                "{events:?}"
            );
        }
    }
}

#[test]
fn fr33_nothing_after_a_fatal_frame_is_parsed() {
    let frames = [
        masked(FIN | 0x3, b""),
        masked(FIN | TEXT, b"no"),
        masked(FIN | PING, b"no"),
    ];
    let (events, sent) = server(frames.concat()).outcome();
    assert_eq!(events, [failed(Error::Opcode)]);
    assert_eq!(frames_of(Role::Server, &sent).len(), 1);
}

#[test]
fn fr34_more_bytes_are_asked_for_only_while_the_frame_may_still_be_right() {
    let frame = masked(FIN | TEXT, &[b'a'; 70_000]);
    let mut connection = server([]).connection();
    for byte in &frame[..frame.len() - 1] {
        assert_eq!(feed(&mut connection, &[*byte]), []);
    }
    let last = feed(&mut connection, &frame[frame.len() - 1..]);
    assert_eq!(last, [text(&"a".repeat(70_000))]);
}

#[test]
fn headers_survive_a_round_trip() {
    for length in [0, 1, 125, 126, 65535, 65536, u64::MAX >> 1, u64::MAX] {
        for key in [None, Some(KEY)] {
            let (bytes, size) = encode(FIN | BINARY, key, length);
            for short in 0..size {
                assert!(matches!(decode(&bytes[..short]), Decoded::Need(need) if need > short));
            }
            let Decoded::Header(header) = decode(&bytes) else {
                panic!("whole");
            };
            assert_eq!(usize::from(header.size), size);
            assert_eq!((header.length, header.mask), (length, key));
            assert!(header.minimal && header.fin());
        }
    }
}
