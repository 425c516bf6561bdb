mod fields;
mod parse;

use proptest::prelude::*;

use super::*;

const ROOMY: Limits = Limits {
    bytes: 8192,
    lines: 64,
};

/// Heads that are whole and valid, requests first.
const REQUESTS: [&[u8]; 5] = [
    b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /chat?x=%00 HTTP/1.1\r\nHost: h\r\nUpgrade:websocket\r\nEmpty:\r\nTabs:\t a\tb \t\r\n\r\n",
    b"\r\n\r\nOPTIONS * HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\n",
    b"GET http://h/p HTTP/1.1\r\nX: caf\xC3\xA9 \xFF\r\n!#$%&'*+-.^_`|~: y\r\n\r\n",
];
const ANSWERS: [&[u8]; 4] = [
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 101\r\n\r\n",
    b"HTTP/1.1 200 \r\nA: b\r\n\r\n",
    b"HTTP/1.0 503 nicht verf\xFCgbar\r\n\r\n",
];

fn whole_heads() -> impl Iterator<Item = (fn(Limits) -> Collector, &'static [u8])> {
    let requests = REQUESTS.map(|head| (Collector::new as fn(Limits) -> Collector, head));
    requests.into_iter().chain(ANSWERS.map(|head| {
        let new: fn(Limits) -> Collector = Collector::for_answer;
        (new, head)
    }))
}

/// Feeds `pieces` one after the other: the bytes taken in all, and the outcome.
fn feed<'p>(
    collector: &mut Collector,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (usize, Result<bool, Error>) {
    let (mut total, mut done) = (0, false);
    for piece in pieces {
        match collector.take(piece) {
            Ok((taken, whole)) => {
                assert!(
                    whole || taken == piece.len(),
                    "bytes left behind before the end"
                );
                total += taken;
                done = whole;
            }
            Err(error) => return (collector.bytes().len(), Err(error)),
        }
    }
    (total, Ok(done))
}

fn refused_at(collector: &mut Collector, text: &[u8]) -> (usize, Error) {
    match feed(collector, text.chunks(1)) {
        (taken, Err(error)) => (taken, error),
        (_, Ok(_)) => panic!("not refused: {}", text.escape_ascii()),
    }
}

#[test]
fn hs31_hc15_a_head_cut_anywhere_is_the_same_head() {
    for (new, head) in whole_heads() {
        for tail in [
            &b""[..],
            b"\x81\x85frame",
            b"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            let all = [head, tail].concat();
            for cut in 0..=all.len() {
                let mut collector = new(ROOMY);
                let (one, two) = all.split_at(cut);
                assert_eq!(feed(&mut collector, [one, two]), (head.len(), Ok(true)));
                assert_eq!(collector.bytes(), head);
            }
            let mut collector = new(ROOMY);
            assert_eq!(feed(&mut collector, all.chunks(1)), (head.len(), Ok(true)));
            assert_eq!(collector.into_bytes(), head);
        }
    }
}

#[test]
fn hs32_hc14_nothing_behind_the_blank_line_is_taken() {
    for (new, head) in whole_heads() {
        let mut collector = new(ROOMY);
        let glued = [head, &[0x81; 1 << 16]].concat();
        assert_eq!(collector.take(&glued), Ok((head.len(), true)));
        assert_eq!(collector.take(&glued), Ok((0, true)));
        assert_eq!(collector.bytes(), head);
    }
}

#[test]
fn no_head_is_whole_before_its_last_byte() {
    for (new, head) in whole_heads() {
        let (start, last) = head.split_at(head.len() - 1);
        let mut collector = new(ROOMY);
        assert_eq!(collector.take(start), Ok((start.len(), false)));
        assert_eq!(collector.take(b""), Ok((0, false)));
        assert_eq!(collector.take(last), Ok((1, true)));
    }
}

/// A request whose refusal must come at the byte behind `good`.
fn assert_refused_behind(good: &[u8], bad: u8) {
    let mut collector = Collector::new(ROOMY);
    let text = [good, &[bad][..], b"\r\n\r\n"].concat();
    let case = text.escape_ascii();
    assert_eq!(
        refused_at(&mut collector, &text),
        (good.len(), Error::HttpSyntax),
        "{case}"
    );
    assert_eq!(
        collector.take(b"x"),
        Err(Error::HttpSyntax),
        "final: {case}"
    );
    assert_eq!(collector.bytes(), good, "{case}");

    let mut whole = Collector::new(ROOMY);
    assert_eq!(whole.take(&text), Err(Error::HttpSyntax), "{case}");
    assert_eq!(whole.bytes(), good, "{case}");
    assert_eq!(
        parse_request(&text).err(),
        Some(Error::HttpSyntax),
        "{case}"
    );
}

#[test]
fn hs20_line_ends_are_carriage_return_and_line_feed() {
    for (good, bad) in [
        (&b"GET / HTTP/1.1"[..], b'\n'),
        (b"GET / HTTP/1.1\r", b'\r'),
        (b"GET / HTTP/1.1\r", b'H'),
        (b"GET / HTTP/1.1\r\n", b'\n'),
        (b"GET / HTTP/1.1\r\n\r", b'\r'),
        (b"GET / HTTP/1.1\r\n\r", b' '),
        (b"GET / HTTP/1.1\r\nHost: h", b'\n'),
        (b"GET / HTTP/1.1\r\nHost: h\r", b'\r'),
        (b"GET / HTTP/1.1\r\nHost: h\r", b'x'),
        (b"", b'\n'),
        (b"\r", b'\r'),
    ] {
        assert_refused_behind(good, bad);
    }
}

#[test]
fn hs21_control_bytes_are_refused_where_they_stand() {
    for bad in (0..0x20).chain([0x7F]) {
        for good in [
            &b""[..],
            b"GE",
            b"GET ",
            b"GET /a",
            b"GET / HT",
            b"GET / HTTP/1.1",
        ] {
            if bad != b'\r' {
                assert_refused_behind(good, bad);
            }
        }
        for good in [&b"GET / HTTP/1.1\r\nNa"[..], b"GET / HTTP/1.1\r\nName: va"] {
            if bad != b'\r' && (bad != b'\t' || good.ends_with(b"Na")) {
                assert_refused_behind(good, bad);
            }
        }
    }
    for good in [
        &b"G"[..],
        b"GET /",
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\nNa",
    ] {
        assert_refused_behind(good, 0x80);
        assert_refused_behind(good, 0xFF);
    }
}

#[test]
fn hs22_names_are_tokens_right_before_their_colon() {
    for (good, bad) in [
        (&b"GET / HTTP/1.1\r\nHost"[..], b' '),
        (b"GET / HTTP/1.1\r\nHost", b'\t'),
        (b"GET / HTTP/1.1\r\n", b':'),
        (b"GET / HTTP/1.1\r\nHost: h\r\n", b':'),
        (b"GET / HTTP/1.1\r\nHost", b'\r'),
        (b"GET / HTTP/1.1\r\nHo", b'('),
        (b"GET / HTTP/1.1\r\nHo", b'"'),
    ] {
        assert_refused_behind(good, bad);
    }
}

#[test]
fn hs23_folded_lines_are_refused() {
    for bad in [b' ', b'\t'] {
        assert_refused_behind(b"GET / HTTP/1.1\r\n", bad);
        assert_refused_behind(b"GET / HTTP/1.1\r\nHost: h\r\n", bad);
    }
}

#[test]
fn hs24_two_empty_lines_before_a_request_and_none_before_an_answer() {
    let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    for empty in [&b""[..], b"\r\n", b"\r\n\r\n"] {
        let head = [empty, request].concat();
        assert_eq!(Collector::new(ROOMY).take(&head), Ok((head.len(), true)));
        assert_eq!(parse_request(&head).map(|head| head.method), Ok("GET"));
    }
    assert_refused_behind(b"\r\n\r\n", b'\r');
    let mut answers = Collector::for_answer(ROOMY);
    assert_eq!(
        refused_at(&mut answers, b"\r\nHTTP/1.1 101\r\n\r\n"),
        (0, Error::HttpSyntax)
    );
}

#[test]
fn hs40_hs41_what_is_not_http_is_refused_without_waiting() {
    for (good, junk) in [
        (&b""[..], &b"\x16\x03\x01\x02\x00\x01"[..]),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2", b"\r\n"),
        (b"SSH-2.0-OpenSSH_9.2p1", b"\r\n"),
        (b"PROXY TCP4 ", b"192.0.2.1 192.0.2.2 1 2\r\n"),
        (b"\r\n\r\n", b"\0\r\nQUIT\n"),
        (b"EHLO example.com", b"\r\n"),
        (b"", b"\x81\x85\x00\x00\x00\x00hello"),
        (b"", b" GET / HTTP/1.1"),
        (b"", b"{\"json\":1}"),
    ] {
        let text = [good, junk].concat();
        assert_eq!(
            refused_at(&mut Collector::new(ROOMY), &text),
            (good.len(), Error::HttpSyntax),
            "{}",
            text.escape_ascii()
        );
    }
    for (good, junk) in [
        (&b""[..], &b"\x15\x03\x03\x00\x02\x02\x0A"[..]),
        (b"", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        (b"H", b"ELLO\r\n"),
        (b"HTTP/1.1 ", b"OK\r\n"),
        (b"HTTP/1.1 20", b" OK\r\n"),
        (b"HTTP/1.1 200", b"0\r\n"),
        (b"HTTP/1.1", b"\r\n"),
        (b"", b"GET / HTTP/1.1\r\n"),
    ] {
        let text = [good, junk].concat();
        assert_eq!(
            refused_at(&mut Collector::for_answer(ROOMY), &text),
            (good.len(), Error::HttpSyntax),
            "{}",
            text.escape_ascii()
        );
    }
}

#[test]
fn lm06_hc12_the_head_may_fill_its_limit_and_not_pass_it() {
    for (new, head) in whole_heads() {
        for (bytes, outcome) in [
            (head.len(), (head.len(), Ok(true))),
            (head.len() - 1, (head.len() - 2, Err(Error::HttpTooBig))),
            (1, (0, Err(Error::HttpTooBig))),
            (0, (0, Err(Error::HttpTooBig))),
        ] {
            let limits = Limits { bytes, lines: 64 };
            assert_eq!(feed(&mut new(limits), head.chunks(1)), outcome);
            assert_eq!(feed(&mut new(limits), [head]), outcome);
        }
    }
    // The limit's last byte came and the head did not end: no waiting for one more.
    let endless = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'a'; 9000]].concat();
    let mut collector = Collector::new(ROOMY);
    assert_eq!(collector.take(&endless[..8191]), Ok((8191, false)));
    assert_eq!(collector.take(b"a"), Err(Error::HttpTooBig));
    assert_eq!(collector.take(b"\r\n\r\n"), Err(Error::HttpTooBig));
}

#[test]
fn lm08_lines_are_counted_as_they_begin() {
    let limits = Limits {
        bytes: 1 << 20,
        lines: 3,
    };
    let three = b"GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\n";
    let good = [&three[..], b"\r\n"].concat();
    assert_eq!(Collector::new(limits).take(&good), Ok((good.len(), true)));
    let flood = [&three[..], &b"d:\r\n".repeat(100_000)].concat();
    assert_eq!(
        refused_at(&mut Collector::new(limits), &flood),
        (three.len(), Error::HttpTooBig)
    );
    let none = Limits {
        bytes: 100,
        lines: 0,
    };
    let bare = b"GET / HTTP/1.1\r\n\r\n";
    assert_eq!(Collector::new(none).take(bare), Ok((bare.len(), true)));
}

#[test]
fn lm07_a_long_head_byte_by_byte_is_one_pass_and_its_own_size() {
    // 4 MiB: scanning from the start again at each byte would never end.
    let length = 4 << 20;
    let mut collector = Collector::new(Limits {
        bytes: usize::MAX,
        lines: usize::MAX,
    });
    let head = [
        &b"GET / HTTP/1.1\r\n"[..],
        &b"n:v\r\n".repeat(length / 5),
        b"\r\n",
    ]
    .concat();
    assert_eq!(feed(&mut collector, head.chunks(1)), (head.len(), Ok(true)));
    let bytes = collector.into_bytes();
    assert!(
        bytes.capacity() <= 2 * head.len(),
        "{} for {}",
        bytes.capacity(),
        head.len()
    );
    assert_eq!(
        parse_request(&bytes).map(|head| head.headers.len()),
        Ok(length / 5)
    );
}

#[test]
fn a_limit_costs_no_memory_until_bytes_arrive() {
    let mut collector = Collector::new(Limits {
        bytes: usize::MAX,
        lines: usize::MAX,
    });
    assert_eq!(collector.take(b"GET"), Ok((3, false)));
    assert!(collector.into_bytes().capacity() <= 64);
}

/// Bytes that are often nearly a head.
fn near_heads() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"HTTP/1.1 101 \r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"Name: value\r\n".to_vec()),
        Just(b"n:".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..8),
        "[ -~\t]{0,8}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_cut_collects_the_same(
        bytes in near_heads(),
        answer in any::<bool>(),
        size in 1..20_usize,
        limit in prop_oneof![Just(8192_usize), 0..64_usize],
    ) {
        let limits = Limits { bytes: limit, lines: 3 };
        let new = if answer { Collector::for_answer } else { Collector::new };
        let (mut whole, mut cut) = (new(limits), new(limits));
        let outcome = feed(&mut whole, [&bytes[..]]);
        prop_assert_eq!(feed(&mut cut, bytes.chunks(size)), if bytes.is_empty() {
            (0, Ok(false))
        } else {
            outcome
        });
        prop_assert_eq!(whole.bytes(), cut.bytes());
        prop_assert_eq!(whole.bytes(), &bytes[..outcome.0]);
        prop_assert!(outcome.0 <= limit);
        if outcome.1 == Ok(true) {
            // What the collector calls a head, the parser reads, unless by its version.
            let error = if answer {
                parse_response(whole.bytes()).err()
            } else {
                parse_request(whole.bytes()).err()
            };
            prop_assert!(matches!(error, None | Some(Error::HttpVersion)), "{:?}", error);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_request(&bytes);
        let _ = parse_response(&bytes);
        let _ = status_of_any_version(&bytes);
        let trimmed = trim(&bytes);
        prop_assert_eq!(trim(trimmed), trimmed);
    }
}
