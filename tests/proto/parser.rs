//! Frames told for tools: every field, every problem, every cut.

mod tell;

use proptest::prelude::*;
use wsembed::proto::Error;
use wsembed::proto::conn::Role;
use wsembed::proto::frame;
use wsembed::proto::mask;
use wsembed::proto::parser::{Parser, Problem, Problems, Rules};

use self::tell::{Teller, tell, tell_in};
use crate::support::*;

fn set(problems: &[Problem]) -> u32 {
    problems.iter().fold(0, |set, problem| set | problem.bit())
}

/// The problems of each frame of a stream that can be read to its end.
fn problems_as(rules: Rules, stream: &[u8]) -> Vec<u32> {
    let (told, end) = tell(rules, stream);
    assert_eq!(end, Error::Closed);
    told.iter().map(|told| told.problems).collect()
}

fn problems(stream: &[u8]) -> Vec<u32> {
    problems_as(Rules::default(), stream)
}

fn from(sender: Role) -> Rules {
    Rules {
        sender: Some(sender),
        ..Rules::default()
    }
}

#[test]
fn fr20_frames_that_came_glued_are_told_with_their_places() {
    let client = [
        0x81, 0x87, 0xc3, 0x6c, 0x78, 0x21, 0x8b, 0x09, 0x14, 0x4d, 0xac, 0x4c, 0x59,
    ];
    let mut stream = client.to_vec();
    stream.extend([0x81, 0x07]);
    stream.extend(b"Hello !");
    stream.extend(masked(FIN | BINARY, &[7; 163]));
    stream.extend(plain(FIN | BINARY, &vec![8; 65536]));
    let (told, end) = tell(Rules::default(), &stream);
    assert_eq!((told.len(), end), (4, Error::Closed));
    let offsets: Vec<u64> = told.iter().map(|told| told.offset).collect();
    assert_eq!(offsets, [0, 13, 22, 22 + 8 + 163]);
    let bits: Vec<_> = told
        .iter()
        .map(|told| told.head.length_bits().unwrap())
        .collect();
    assert_eq!(bits, [7, 7, 16, 64]);
    let sizes: Vec<u8> = told.iter().map(|told| told.head.arrived()).collect();
    assert_eq!(sizes, [6, 2, 8, 10]);
    let keys: Vec<_> = told.iter().map(|told| told.head.key()).collect();
    assert_eq!(
        keys,
        [Some([0xc3, 0x6c, 0x78, 0x21]), None, Some(KEY), None]
    );
    assert_eq!(told[0].payload, b"Hello !");
    assert_eq!(told[1].payload, b"Hello !");
    assert_eq!(told[2].payload, [7; 163]);
    assert_eq!(told[3].payload, vec![8; 65536]);
    assert!(told.iter().all(|told| told.problems == 0));
}

#[test]
fn fr31_what_was_unmasked_gives_the_same_bytes_when_it_is_masked_again() {
    let stream = [
        0x81, 0x9a, 0x68, 0xb6, 0x52, 0x22, 0x4b, 0x93, 0x0c, 0x01, 0x28, 0xf6, 0x12, 0x66, 0x3c,
        0xf1, 0x77, 0x7c, 0x4e, 0x90, 0x79, 0x7d, 0x41, 0x9d, 0x7a, 0x08, 0x36, 0x93, 0x73, 0x6a,
        0x20, 0xff,
    ];
    let (told, _) = tell(from(Role::Client), &stream);
    assert_eq!(told[0].problems, 0);
    let mut payload = told[0].payload.clone();
    assert_eq!(payload, b"#%^#@@@DTG%^&&+_)+(*^%!HHI");
    let key = told[0].head.key().unwrap();
    let (header, size) = frame::encode(told[0].head.first(), Some(key), payload.len() as u64);
    mask::apply(&mut payload, key, 0);
    assert_eq!([&header[..size], &payload].concat(), stream);
}

#[test]
fn fr01_fr03_reserved_bits() {
    for bit in [0x40, 0x20, 0x10] {
        for first in [FIN | TEXT, FIN | BINARY, FIN | PING, FIN | CLOSE] {
            assert_eq!(
                problems(&plain(first | bit, b"")),
                [set(&[Problem::ReservedBits])]
            );
        }
    }
    let agreed = Rules {
        compression: true,
        ..Rules::default()
    };
    // Compressed text is not looked at; the next message is.
    let stream = [
        plain(0x40 | TEXT, b"\xff"),
        plain(FIN | CONT, b"\xff"),
        plain(FIN | TEXT, b"\xff"),
        plain(0x40 | FIN | PING, b""),
        plain(0x40 | BINARY, b""),
        plain(0x40 | FIN | CONT, b""),
        plain(0x20 | FIN | TEXT, b""),
    ]
    .concat();
    let bits = set(&[Problem::ReservedBits]);
    let utf8 = set(&[Problem::TextUtf8]);
    assert_eq!(
        problems_as(agreed, &stream),
        [0, 0, utf8, bits, 0, bits, bits]
    );
}

#[test]
fn fr04_fr05_reserved_opcodes_are_passed_by_their_length() {
    for opcode in [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF] {
        let stream = [masked(FIN | opcode, b"any"), masked(FIN | TEXT, b"next")].concat();
        let (told, _) = tell(Rules::default(), &stream);
        assert_eq!(told[0].problems, set(&[Problem::Opcode]));
        assert_eq!(told[0].payload, b"any");
        assert_eq!(
            (&told[1].payload[..], told[1].problems),
            (&b"next"[..], 0),
            "{opcode}"
        );
    }
}

#[test]
fn fr07_fr08_masking_is_told_where_the_sender_is_known() {
    let frames = [masked(FIN | PING, b"x"), plain(FIN | PING, b"x")].concat();
    let (unmasked, is_masked) = (set(&[Problem::Unmasked]), set(&[Problem::Masked]));
    assert_eq!(problems(&frames), [0, 0]);
    assert_eq!(problems_as(from(Role::Client), &frames), [0, unmasked]);
    assert_eq!(problems_as(from(Role::Server), &frames), [is_masked, 0]);
}

#[test]
fn fr11_fr12_longer_forms_than_needed() {
    let form = set(&[Problem::LengthForm]);
    for header in [
        &[0x82, 126, 0, 125][..],
        &[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 125],
    ] {
        assert_eq!(problems(&[header, &[7; 125]].concat()), [form]);
    }
    let least = [&[0x82, 126, 0, 126][..], &[7; 126]].concat();
    assert_eq!(problems(&least), [0]);
    // A short control frame in a long form is not a long control frame.
    assert_eq!(problems(&[0x89, 126, 0, 1, b'x']), [form]);
}

#[test]
fn fr13_a_length_with_its_top_bit_set_is_the_last_that_is_told() {
    let stream = [
        &plain(FIN | TEXT, b"a")[..],
        &[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4],
        &plain(FIN | TEXT, b"b"),
    ]
    .concat();
    let (told, end) = tell(Rules::default(), &stream);
    assert_eq!((told.len(), end), (2, Error::Length));
    assert_eq!(told[1].problems, set(&[Problem::LengthTopBit]));
    assert_eq!(told[1].remaining, (1 << 63) + 1);
    let mut parser = Parser::new(Rules::default());
    Teller::default().feed(&mut parser, &stream);
    assert_eq!(parser.may_feed(), Err(Error::Length));
    // The largest that may be announced is waited for.
    let most = [&[0x82, 127][..], &i64::MAX.to_be_bytes(), b"abc"].concat();
    let (told, end) = tell(Rules::default(), &most);
    assert_eq!(end, Error::Closed);
    assert_eq!(told[0].remaining, i64::MAX as u64 - 3);
    assert_eq!(told[0].problems, set(&[Problem::PayloadCut]));
}

#[test]
fn fr18_fr19_the_end_of_the_stream_inside_a_frame() {
    let whole = [
        &[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0][..],
        &KEY,
        &vec![1; 65536],
    ]
    .concat();
    for cut in 1..14 {
        let (told, end) = tell(Rules::default(), &whole[..cut]);
        assert_eq!((told.len(), end), (1, Error::Closed));
        assert_eq!(told[0].problems, set(&[Problem::HeaderCut]));
        assert_eq!(usize::from(told[0].head.arrived()), cut);
        assert_eq!(told[0].head.masked(), (cut >= 2).then_some(true));
        assert_eq!(told[0].head.length_bits(), (cut >= 2).then_some(64));
        assert_eq!(told[0].head.length(), (cut >= 10).then_some(65536));
        assert_eq!(told[0].head.key(), None);
        assert_eq!(told[0].remaining, if cut >= 10 { 65536 } else { 0 });
    }
    for cut in [14, 15, 1000, whole.len() - 1] {
        let (told, _) = tell(Rules::default(), &whole[..cut]);
        assert_eq!(told[0].problems, set(&[Problem::PayloadCut]));
        assert_eq!(told[0].remaining as usize, whole.len() - cut);
        assert_eq!(told[0].payload.len(), cut - 14);
    }
    assert_eq!(problems(&whole), [0]);
    // What there is of a header is judged.
    let cut_and = |problems: &[Problem]| [set(problems) | set(&[Problem::HeaderCut])];
    assert_eq!(problems(&[0x83]), cut_and(&[Problem::Opcode]));
    assert_eq!(
        problems(&[0x19]),
        cut_and(&[Problem::ReservedBits, Problem::FragmentedControl])
    );
    assert_eq!(
        problems(&[0x89, 126, 0, 126][..3]),
        cut_and(&[]),
        "length not known"
    );
    assert_eq!(
        problems_as(from(Role::Server), &[0x89, 0xFE, 0, 126]),
        cut_and(&[Problem::LongControl, Problem::Masked])
    );
}

#[test]
fn fr22_fr23_messages_in_the_wrong_order() {
    let (none, inside) = (set(&[Problem::NoMessage]), set(&[Problem::InsideMessage]));
    let stream = [
        plain(FIN | CONT, b""),
        plain(CONT, b""),
        plain(FIN | CONT, b""),
        plain(TEXT, b""),
        plain(FIN | PING, b""),
        plain(BINARY, b""),
        plain(FIN | TEXT, b""),
        plain(FIN | CONT, b""),
    ]
    .concat();
    assert_eq!(
        problems(&stream),
        [none, none, none, 0, 0, inside, inside, none]
    );
}

#[test]
fn ct01_ct02_control_frames() {
    let (cut, long) = (
        set(&[Problem::FragmentedControl]),
        set(&[Problem::LongControl]),
    );
    assert_eq!(problems(&plain(PING, b"x")), [cut]);
    assert_eq!(problems(&plain(FIN | PONG, &[7; 125])), [0]);
    assert_eq!(problems(&plain(FIN | PONG, &[7; 126])), [long]);
    assert_eq!(problems(&plain(FIN | PONG, &vec![7; 65536])), [long]);
}

#[test]
fn cl01_to_cl09_close_frames() {
    let close = |body: &[u8]| tell(Rules::default(), &masked(FIN | CLOSE, body)).0[0].clone();
    assert_eq!(
        (close(b"").problems, close(b"").close_code),
        (0, None),
        "CL01"
    );
    assert_eq!(close(b"\x03").problems, set(&[Problem::CloseBody]), "CL02");
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let told = close(&code.to_be_bytes());
        assert_eq!(
            (told.problems, told.close_code),
            (set(&[Problem::CloseCode]), Some(code))
        );
    }
    for code in [1000_u16, 1003, 1007, 1014, 3000, 4999] {
        let told = close(&[&code.to_be_bytes()[..], "schön".as_bytes()].concat());
        assert_eq!((told.problems, told.close_code), (0, Some(code)));
    }
    let reason = set(&[Problem::CloseReason]);
    assert_eq!(close(b"\x03\xe8\xff and more").problems, reason, "CL08");
    assert_eq!(close(b"\x03\xe8cut \xe2\x82").problems, reason, "CL08");
    assert_eq!(close(&[0x03; 125]).problems, set(&[Problem::CloseCode]));
    let long = close(&[&[3, 0xE8][..], &[b'x'; 124]].concat());
    assert_eq!(long.problems, set(&[Problem::LongControl]), "CL09");
}

#[test]
fn cl11_data_behind_a_close_frame() {
    let stream = [
        plain(FIN | CLOSE, b""),
        plain(FIN | PING, b""),
        plain(FIN | CLOSE, b""),
        plain(FIN | TEXT, b""),
        plain(FIN | 3, b""),
    ]
    .concat();
    let after = set(&[Problem::AfterClose]);
    let opcode = set(&[Problem::Opcode]);
    assert_eq!(problems(&stream), [0, 0, 0, after, after | opcode]);
}

#[test]
fn text_is_followed_over_its_message() {
    let utf8 = set(&[Problem::TextUtf8]);
    // The euro sign is e2 82 ac.
    let good = [
        plain(TEXT, b"\xe2"),
        plain(FIN | PING, b"\xff"),
        plain(CONT, b"\x82"),
        plain(FIN | CONT, b"\xac"),
    ]
    .concat();
    assert_eq!(problems(&good), [0, 0, 0, 0]);
    let unfinished = [plain(TEXT, b"\xe2"), plain(FIN | CONT, b"\x82")].concat();
    assert_eq!(problems(&unfinished), [0, utf8]);
    // Told once, for the frame that has the bad byte; the next message is new.
    let bad = [
        masked(TEXT, b"fine"),
        masked(CONT, b"bad \xed\xa0\x80 byte"),
        masked(FIN | CONT, b"\xff"),
        masked(FIN | TEXT, b"fine"),
        masked(FIN | BINARY, b"\xff"),
    ]
    .concat();
    assert_eq!(problems(&bad), [0, utf8, 0, 0, 0]);
}

#[test]
fn nothing_is_wrong_exactly_where_the_connection_finds_nothing() {
    for first in 0..=255_u8 {
        for second in 0..=255_u8 {
            for reserved in [0, 0x40] {
                let rules = Rules {
                    sender: None,
                    compression: reserved != 0,
                };
                let mut stream = if first & 0x0F == 0 {
                    plain(BINARY, b"")
                } else {
                    Vec::new()
                };
                let long = if second & 0x7F == 126 {
                    &[0x7F, 0xFF][..]
                } else {
                    &[0, 0, 0, 0, 0, 1, 0, 0]
                };
                let long = if second & 0x7F < 126 { &[] } else { long };
                stream.extend([&[first, second][..], long, &KEY].concat());
                let told = tell_in(rules, &stream, stream.len()).0;
                let found = &told[usize::from(first & 0x0F == 0)];
                let body = set(&[
                    Problem::PayloadCut,
                    Problem::CloseBody,
                    Problem::CloseCode,
                    Problem::CloseReason,
                    Problem::TextUtf8,
                ]);
                // A continuation never begins a compressed message.
                let reserved = if first & 0x0F == 0 { 0 } else { reserved };
                assert_eq!(
                    found.problems & !body == 0,
                    frame::judge(first, second, reserved).is_ok(),
                    "{first:02x} {second:02x}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn every_problem_has_its_own_bit_and_a_section() {
    let mut seen = Problems::default();
    for problem in Problem::ALL {
        assert!(!seen.has(problem), "{problem:?}");
        seen.note(problem, true);
        assert!(seen.has(problem));
        assert!(
            problem.text().to_str().unwrap().contains("(RFC 6455 "),
            "{problem:?}"
        );
    }
    assert_eq!(seen.bits(), (1 << Problem::ALL.len()) - 1);
    assert!(!seen.is_empty() && Problems::default().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_told_the_same_in_any_cut(
        stream in prop::collection::vec(any::<u8>(), 0..300),
        client in any::<bool>(),
        compression in any::<bool>(),
    ) {
        let sender = Some(if client { Role::Client } else { Role::Server });
        tell(Rules { sender, compression }, &stream);
    }

    #[test]
    fn fr17_frames_of_any_first_byte_are_all_found(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..140)), 0..8),
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(|(first, payload)| masked(*first, payload)).collect();
        let (told, end) = tell(from(Role::Client), &stream);
        prop_assert_eq!(end, Error::Closed);
        let told: Vec<_> = told.into_iter().map(|told| (told.head.first(), told.payload)).collect();
        prop_assert_eq!(told, frames);
    }
}
