//! What is sent: the 101, refusals, and who owns which header.

use super::*;

/// The head of an answer as status and lines, and its body.
fn take_apart(answer: &[u8]) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let limits = http::Limits {
        bytes: 8192,
        lines: 64,
    };
    let mut collector = http::Collector::for_answer(limits);
    let (length, whole) = collector.take(answer).expect("a head");
    assert!(whole);
    let head = http::parse_response(collector.bytes()).expect("a head");
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("text");
    let lines = head
        .headers
        .iter()
        .map(|line| (line.name.to_owned(), text(line.value)));
    (head.status, lines.collect(), answer[length..].to_vec())
}

fn pairs(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn refusals_say_what_their_status_asks_for() {
    let plain = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", "4"),
    ];
    let close = ("Connection", "close");
    for (status, first) in [
        (400, &[close][..]),
        (403, &[close]),
        (404, &[close]),
        (405, &[("Allow", "GET"), close]),
        (
            426,
            &[
                ("Upgrade", "websocket"),
                ("Connection", "close, Upgrade"),
                ("Sec-WebSocket-Version", "13"),
            ],
        ),
        (431, &[close]),
        (505, &[close]),
        (599, &[close]),
    ] {
        let lines = pairs(&[first, &plain].concat());
        assert_eq!(
            take_apart(&refuse(status, &[], b"why\n")),
            (status, lines, b"why\n".to_vec())
        );
    }
    let bare = pairs(&[close, ("Content-Length", "0")]);
    assert_eq!(take_apart(&refuse(503, &[], b"")), (503, bare, Vec::new()));
    assert_eq!(
        take_apart(&refuse(304, &[], b"x")),
        (304, pairs(&[close]), Vec::new())
    );
    assert!(refuse(426, &[], b"").starts_with(b"HTTP/1.1 426 Upgrade Required\r\n"));
    assert!(refuse(599, &[], b"").starts_with(b"HTTP/1.1 599 \r\n"));
}

#[test]
fn hs37_a_program_adds_its_own_lines() {
    let added = pairs(&[
        ("WWW-Authenticate", "Basic realm=\"x\""),
        ("content-type", "text/html"),
    ]);
    let (status, lines, body) = take_apart(&refuse(401, &added, b"<p>"));
    let wanted = [
        &pairs(&[("Connection", "close"), ("Content-Length", "3")])[..],
        &added,
    ]
    .concat();
    assert_eq!((status, lines, body), (401, wanted, b"<p>".to_vec()));
    let (_, lines, _) = take_apart(&refuse(405, &pairs(&[("allow", "GET, HEAD")]), b""));
    assert_eq!(
        lines
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("Allow"))
            .count(),
        1
    );

    let answer = accept(
        KEY.as_bytes(),
        Some("chat"),
        &pairs(&[("Set-Cookie", "a=b")]),
    );
    let tail = b"\r\nSec-WebSocket-Protocol: chat\r\nSet-Cookie: a=b\r\n\r\n";
    assert!(answer.ends_with(tail), "{}", answer.escape_ascii());
}

#[test]
fn every_error_of_a_request_has_a_status_with_a_reason() {
    for (error, status) in [
        (Error::HttpTooBig, 431),
        (Error::Timeout, 408),
        (Error::Refused, 403),
        (Error::Memory, 503),
        (Error::Handles, 503),
        (Error::Random, 503),
        (Error::Internal, 500),
        (Error::SubprotocolChoice, 500),
    ] {
        assert_eq!(refusal_status(error), status, "{error:?}");
        assert!(!reason(status).is_empty(), "{status}");
    }
}

#[test]
fn hc20_names_that_the_handshake_owns() {
    use crate::proto::handshake::is_reserved;
    for name in [
        "Host",
        "upgrade",
        "CONNECTION",
        "Sec-WebSocket-Key",
        "sec-websocket-anything",
        "Sec-WebSocket-",
        "Content-Length",
        "transfer-encoding",
        "Origin",
        "Expect",
    ] {
        assert!(is_reserved(name), "{name}");
    }
    for name in [
        "",
        "Authorization",
        "Cookie",
        "Hosts",
        "X-Host",
        "Sec-WebSocket",
        "Sec-Fetch-Mode",
    ] {
        assert!(!is_reserved(name), "{name}");
    }
}
