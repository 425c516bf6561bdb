//! Messages of fragments: order, limits, chunks.

use wsembed::proto::Error;
use wsembed::proto::conn::Role;
use wsembed::proto::message::Kind;

use crate::support::*;

#[test]
fn fr22_a_continuation_without_a_message() {
    for first in [CONT, FIN | CONT] {
        for case in both(&[(first, b"stray"), (FIN | TEXT, b"later")]) {
            case.expect(&[failed(Error::Continuation)]);
        }
        for case in both(&[(FIN | TEXT, b"whole"), (first, b"stray")]) {
            case.expect(&[text("whole"), failed(Error::Continuation)]);
        }
    }
}

#[test]
fn fr23_a_new_message_inside_a_message() {
    for first in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
        for case in both(&[(TEXT, b"one"), (first, b"two"), (FIN | CONT, b"three")]) {
            case.expect(&[failed(Error::Continuation)]);
        }
    }
}

#[test]
fn fr24_empty_fragments_join_in() {
    let parts: [&[&[u8]]; 5] = [
        &[b"", b"ab", b"cd"],
        &[b"ab", b"", b"cd"],
        &[b"ab", b"cd", b""],
        &[b"", b"abcd", b""],
        &[b"", b"", b"", b"abcd"],
    ];
    for parts in parts {
        let last = parts.len() - 1;
        let frames: Vec<(u8, &[u8])> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                let opcode = if at == 0 { TEXT } else { CONT };
                (opcode | if at == last { FIN } else { 0 }, *part)
            })
            .collect();
        for case in both(&frames) {
            case.expect(&[text("abcd")]);
            case.with(|settings| settings.chunk_above = 0)
                .expect(&[text("abcd")]);
        }
    }
    for case in both(&[(TEXT, b""), (CONT, b""), (FIN | CONT, b"")]) {
        case.expect(&[text("")]);
    }
}

#[test]
fn fr25_empty_messages() {
    for case in both(&[(FIN | TEXT, b""), (FIN | BINARY, b"")]) {
        case.expect(&[text(""), binary(b"")]);
        case.with(|settings| settings.chunk_above = 0)
            .expect(&[text(""), binary(b"")]);
    }
}

#[test]
fn fr26_fr27_the_fragment_limit_counts_empty_ones_too() {
    for payload in [&b""[..], b"x"] {
        let mut frames = vec![(TEXT, payload)];
        frames.extend([(CONT, payload); 7]);
        frames.push((FIN | CONT, payload));
        for case in both(&frames) {
            let whole = text(&String::from_utf8(payload.repeat(9)).unwrap());
            case.clone()
                .with(|settings| settings.max_fragments = 9)
                .expect(&[whole]);
            case.with(|settings| settings.max_fragments = 8)
                .expect(&[failed(Error::TooManyFragments)]);
        }
    }
}

#[test]
fn fr26_sixty_five_thousand_fragments_pass_by_default() {
    let mut connection = server([]).connection();
    assert_eq!(feed(&mut connection, &masked(TEXT, b"a")), []);
    let middle = masked(CONT, b"a").repeat(65_534);
    assert_eq!(feed(&mut connection, &middle), []);
    let whole = feed(&mut connection, &masked(FIN | CONT, b"a"));
    assert_eq!(whole, [text(&"a".repeat(65_536))]);
}

#[test]
fn fr28_fragments_below_the_frame_limit_sum_up_to_the_message_limit() {
    let mut frames = vec![(BINARY, &b"12345678"[..])];
    frames.extend([(CONT, &b"12345678"[..]); 3]);
    for case in both(&frames) {
        let case = case.with(|settings| {
            settings.max_frame = 8;
            settings.max_message = 31;
        });
        case.expect(&[failed(Error::MessageTooBig)]);
    }
}

#[test]
fn fr29_lm14_a_message_of_a_million_fragments() {
    let mut connection = server([]).connection();
    assert_eq!(feed(&mut connection, &masked(BINARY, b"z")), []);
    assert_eq!(
        feed(&mut connection, &masked(CONT, b"z").repeat(999_998)),
        []
    );
    let whole = feed(&mut connection, &masked(FIN | CONT, b"z"));
    assert_eq!(whole, [binary(&vec![b'z'; 1_000_000])]);
}

#[test]
fn lm01_the_message_limit_holds_to_the_byte() {
    for length in [1, 125, 126, 127, 70_000] {
        let payload = vec![7; length];
        let limited = |case: Case, limit: usize| case.with(|s| s.max_message = limit as u64);
        for case in both(&[(FIN | BINARY, &payload)]) {
            limited(case.clone(), length).expect(&[binary(&payload)]);
            if length > 1 {
                limited(case, length - 1).expect(&[failed(Error::MessageTooBig)]);
            }
        }
        let (head, tail) = payload.split_at(length / 2);
        for case in both(&[(BINARY, head), (FIN | CONT, tail)]) {
            limited(case.clone(), length).expect(&[binary(&payload)]);
            if length > 1 {
                limited(case, length - 1).expect(&[failed(Error::MessageTooBig)]);
            }
        }
    }
}

#[test]
fn lm02_the_frame_limit_holds_to_the_byte_and_from_the_header() {
    let payload = vec![7; 300];
    for case in both(&[(FIN | BINARY, &payload)]) {
        let header = if case.role == Role::Server { 8 } else { 4 };
        case.clone()
            .with(|settings| settings.max_frame = 300)
            .expect(&[binary(&payload)]);
        let mut cut = case.with(|settings| settings.max_frame = 299);
        cut.input.truncate(header);
        cut.expect(&[failed(Error::FrameTooBig)]);
    }
}

#[test]
fn limits_start_anew_with_each_message() {
    let mut frames = Vec::new();
    for _ in 0..5 {
        frames.extend([(BINARY, &b"1234"[..]), (CONT, b""), (FIN | CONT, b"5678")]);
    }
    for case in both(&frames) {
        let case = case.with(|settings| {
            settings.max_message = 8;
            settings.max_fragments = 3;
        });
        case.expect(&[(); 5].map(|()| binary(b"12345678")));
    }
}

#[test]
fn chunks_carry_offset_and_what_is_left_of_the_frame() {
    let mut connection = server([])
        .with(|settings| settings.chunk_above = 0)
        .connection();
    let frame = masked(BINARY, b"abcdef");
    let chunk = |data: &[u8], first, last, offset, frame_remaining| Seen::Chunk {
        kind: Kind::Binary,
        data: data.to_vec(),
        first,
        last,
        offset,
        frame_remaining,
    };
    assert_eq!(feed(&mut connection, &frame[..6]), []);
    assert_eq!(
        feed(&mut connection, &frame[6..8]),
        [chunk(b"ab", true, false, 0, 4)]
    );
    assert_eq!(
        feed(&mut connection, &frame[8..]),
        [chunk(b"cdef", false, false, 2, 0)]
    );
    let last = masked(FIN | CONT, b"gh");
    assert_eq!(
        feed(&mut connection, &last[..7]),
        [chunk(b"g", false, false, 6, 1)]
    );
    assert_eq!(
        feed(&mut connection, &last[7..]),
        [chunk(b"h", false, true, 7, 0)]
    );
    let empty_last = [masked(BINARY, b"x"), masked(FIN | CONT, b"")].concat();
    assert_eq!(
        feed(&mut connection, &empty_last),
        [
            chunk(b"x", true, false, 0, 0),
            chunk(b"", false, true, 1, 0)
        ]
    );
}

#[test]
fn a_message_that_grows_past_the_size_turns_to_chunks() {
    let frames = [
        (TEXT, &b"abc"[..]),
        (CONT, b"def"),
        (CONT, b"ghi"),
        (FIN | CONT, b"j"),
    ];
    for case in both(&frames) {
        for size in [0, 1, 2, 3, 5, 6, 8, 9, 10, 100] {
            let case = case.clone().with(|settings| settings.chunk_above = size);
            case.expect(&[text("abcdefghij")]);
        }
    }
    let mut connection = server([])
        .with(|settings| settings.chunk_above = 5)
        .connection();
    assert_eq!(feed(&mut connection, &masked(TEXT, b"abc")), []);
    let chunk = |data: &[u8], first, offset| Seen::Chunk {
        kind: Kind::Text,
        data: data.to_vec(),
        first,
        last: false,
        offset,
        frame_remaining: if first { 3 } else { 0 },
    };
    let second = feed(&mut connection, &masked(CONT, b"def"));
    assert_eq!(second, [chunk(b"abc", true, 0), chunk(b"def", false, 3)]);
    // A short one is whole again.
    let third = feed(
        &mut connection,
        &[masked(FIN | CONT, b""), masked(FIN | TEXT, b"hi")].concat(),
    );
    assert_eq!(third.len(), 2);
    assert_eq!(third[1], text("hi"));
}

#[test]
fn chunks_take_no_memory_and_the_message_limit_still_holds() {
    let mut connection = server([])
        .with(|settings| {
            settings.chunk_above = 0;
            settings.max_message = 10_000_000;
        })
        .connection();
    let mut got = 0;
    let mut ended = None;
    feed(&mut connection, &masked(BINARY, b""));
    while ended.is_none() {
        for seen in feed(&mut connection, &masked(CONT, &[1; 100_000])) {
            match seen {
                Seen::Chunk { data, offset, .. } => {
                    assert_eq!(offset, got);
                    got += data.len() as u64;
                }
                other => ended = Some(other),
            }
        }
    }
    assert_eq!(got, 10_000_000);
    assert_eq!(ended, Some(failed(Error::MessageTooBig)));
}
