use proptest::prelude::*;

use super::*;
use crate::proto::handshake::server;

const KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The lines of a good answer, one of each field.
const GOOD: [(&str, &str); 3] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", ACCEPT),
];

fn head(first: &str, lines: &[(&str, &str)]) -> Vec<u8> {
    let mut out = format!("{first}\r\n");
    for (name, value) in lines {
        out += &format!("{name}: {value}\r\n");
    }
    (out + "\r\n").into_bytes()
}

/// The good answer with all lines of `name` replaced by `values`.
fn with(name: &str, values: &[&str]) -> Vec<u8> {
    let mut lines: Vec<_> = GOOD.into_iter().filter(|(own, _)| *own != name).collect();
    lines.extend(values.iter().map(|value| (name, *value)));
    head("HTTP/1.1 101 Switching Protocols", &lines)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The subprotocol of an open connection, or the error and the status.
fn outcome(head: &[u8], offered: &[&str]) -> Result<Option<String>, (Error, u16)> {
    match examine(head, KEY, &owned(offered)) {
        Answer::Open { subprotocol } => Ok(subprotocol.map(str::to_owned)),
        Answer::Failed { error, status } => Err((error, status)),
        Answer::Interim => panic!("interim: {}", head.escape_ascii()),
    }
}

/// Each list of values of `name` fails a 101 with this error.
fn assert_refused(name: &str, error: Error, cases: &[&[&str]]) {
    for values in cases {
        assert_eq!(
            outcome(&with(name, values), &["a", "b"]),
            Err((error, 101)),
            "{name}: {values:?}"
        );
    }
}

fn assert_opens(name: &str, cases: &[&[&str]]) {
    for values in cases {
        assert_eq!(
            outcome(&with(name, values), &[]),
            Ok(None),
            "{name}: {values:?}"
        );
    }
}

#[test]
fn the_request_in_full() {
    let url = Url::parse("ws://[::1]:9001/chat?a=b").expect("a URL");
    let headers = [("Authorization".to_owned(), "Basic eA==".to_owned())];
    let offered = owned(&["chat", "superchat"]);
    assert_eq!(
        request(&url, KEY, &offered, Some("http://page.example"), &headers),
        b"GET /chat?a=b HTTP/1.1\r\n\
        Host: [::1]:9001\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Origin: http://page.example\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\n\
        Authorization: Basic eA==\r\n\r\n"
    );
    let url = Url::parse("wss://h.example").expect("a URL");
    assert_eq!(
        request(&url, KEY, &[], None, &[]),
        b"GET / HTTP/1.1\r\n\
        Host: h.example\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n"
    );
}

#[test]
fn both_sides_understand_each_other() {
    let offered = owned(&["b", "a"]);
    for text in [
        "ws://h",
        "wss://h:80/p?q",
        "ws://[::1]:1?x",
        "ws://h:8080/%20//",
    ] {
        let url = Url::parse(text).expect("a URL");
        let sent = request(&url, KEY, &offered, None, &[]);
        let received = server::examine(&sent, &[]).expect("acceptable");
        assert_eq!(received.target, url.target);
        assert_eq!(received.subprotocols, offered);
        for chosen in [None, Some("a"), Some("b")] {
            let answer = server::accept(received.key, chosen, &[]);
            assert_eq!(outcome(&answer, &["b", "a"]), Ok(chosen.map(str::to_owned)));
        }
    }
}

#[test]
fn hs26_a_path_of_two_slashes_is_refused_by_our_server_alone() {
    let url = Url::parse("ws://h//p").expect("a URL");
    let sent = request(&url, KEY, &[], None, &[]);
    assert!(sent.starts_with(b"GET //p HTTP/1.1\r\n"));
    assert_eq!(server::examine(&sent, &[]).err(), Some(Error::HttpTarget));
}

#[test]
fn hc01_one_accept_that_answers_our_key() {
    assert_refused(
        "Sec-WebSocket-Accept",
        Error::Accept,
        &[
            &[],
            &[""],
            &["s3pPLMBiTxaQ9kYGzzhZRbK+xOp="],
            &["S3PPLMBITXAQ9KYGZZHZRBK+XOO="],
            &["s3pPLMBiTxaQ9kYGzzhZRbK+xOo"],
            &["dGhlIHNhbXBsZSBub25jZQ=="],
            &[ACCEPT, ACCEPT],
            &[ACCEPT, "x"],
            &["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
        ],
    );
    assert_opens(
        "Sec-WebSocket-Accept",
        &[&["\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= "]],
    );
}

#[test]
fn hc02_hc13_upgrade_to_websocket_and_nothing_else() {
    let long = "websocket".repeat(700);
    assert_refused(
        "Upgrade",
        Error::Upgrade,
        &[
            &[],
            &[""],
            &["h2c"],
            &["websocke"],
            &["websockets"],
            &["websocket, h2c"],
            &["websocket", "websocket"],
            &[&long],
        ],
    );
    assert_opens(
        "Upgrade",
        &[&["WebSocket"], &["WEBSOCKET"], &[" websocket\t"]],
    );
    assert_refused(
        "Connection",
        Error::Upgrade,
        &[&[], &[""], &["close"], &["Upgraded"]],
    );
    assert_opens(
        "Connection",
        &[
            &["upgrade"],
            &["keep-alive, Upgrade"],
            &["close", "Upgrade"],
        ],
    );
}

#[test]
fn hc03_the_subprotocol_is_one_that_was_offered() {
    assert_refused(
        SUBPROTOCOL,
        Error::Subprotocol,
        &[
            &[""],
            &["c"],
            &["A"],
            &["a, b"],
            &["a", "b"],
            &["a", "a"],
            &["a\u{e9}"],
        ],
    );
    assert_eq!(
        outcome(&with(SUBPROTOCOL, &["a"]), &[]),
        Err((Error::Subprotocol, 101))
    );
    assert_eq!(
        outcome(&with(SUBPROTOCOL, &[" b "]), &["a", "b"]),
        Ok(Some("b".to_owned()))
    );
    assert_eq!(outcome(&with(SUBPROTOCOL, &[]), &["a", "b"]), Ok(None));
}

#[test]
fn hc04_no_extension_was_offered() {
    assert_refused(
        "Sec-WebSocket-Extensions",
        Error::Extension,
        &[&["permessage-deflate"], &["x; y=z"], &[""], &["a", "b"]],
    );
}

#[test]
fn hc05_other_statuses() {
    for status in [
        200, 204, 301, 302, 307, 308, 400, 401, 403, 404, 407, 426, 429, 500, 503, 999,
    ] {
        for lines in [&GOOD[..], &[]] {
            let answer = head(&format!("HTTP/1.1 {status} x"), lines);
            assert_eq!(outcome(&answer, &[]), Err((Error::HttpStatus, status)));
        }
    }
}

#[test]
fn hc08_interim_answers() {
    for status in [100, 102, 103, 199] {
        for lines in [&GOOD[..], &[], &[("Link", "</x>")]] {
            let answer = head(&format!("HTTP/1.1 {status} x"), lines);
            assert!(
                matches!(examine(&answer, KEY, &[]), Answer::Interim),
                "{status}"
            );
        }
    }
}

#[test]
fn hc09_versions_and_the_missing_reason() {
    for (first, wanted) in [
        ("HTTP/1.1 101", Ok(None)),
        ("HTTP/1.1 101 ", Ok(None)),
        ("HTTP/1.1 101 anything at all \t", Ok(None)),
        (
            "HTTP/1.0 101 Switching Protocols",
            Err((Error::HttpVersion, 101)),
        ),
        ("HTTP/1.0 503 x", Err((Error::HttpVersion, 503))),
        ("HTTP/1.0 100 x", Err((Error::HttpVersion, 100))),
        ("HTTP/2.0 101", Err((Error::HttpVersion, 101))),
        ("HTTP/2 101", Err((Error::HttpSyntax, 0))),
        ("HTTP/1.1 1010", Err((Error::HttpSyntax, 0))),
        ("HTTP/1.1 10", Err((Error::HttpSyntax, 0))),
        ("101 Switching Protocols", Err((Error::HttpSyntax, 0))),
    ] {
        assert_eq!(outcome(&head(first, &GOOD), &[]), wanted, "{first}");
    }
}

#[test]
fn hc10_a_101_has_no_body_whatever_it_says() {
    assert_opens("Content-Length", &[&["0"], &["5"], &["x", "y"]]);
    assert_opens("Transfer-Encoding", &[&["chunked"]]);
}

#[test]
fn heads_that_are_none() {
    for junk in [
        &b""[..],
        b"\r\n",
        b"HTTP/1.1 101\r\n",
        b"HTTP/1.1 101\n\n",
        b"\x16\x03\x01",
    ] {
        assert_eq!(outcome(junk, &[]), Err((Error::HttpSyntax, 0)));
    }
    let glued = [&with("X", &[])[..], b"\x81\x00"].concat();
    assert_eq!(outcome(&glued, &[]), Err((Error::HttpSyntax, 0)));
}

proptest! {
    #[test]
    fn arbitrary_values_never_panic_nor_open_by_chance(
        index in 0..3_usize,
        value in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let (name, wanted) = GOOD[index];
        let mut head = with(name, &[]);
        head.truncate(head.len() - 2);
        let head = [&head[..], name.as_bytes(), b":", &value, b"\r\n\r\n"].concat();
        if let Answer::Open { .. } = examine(&head, KEY, &[]) {
            let text = String::from_utf8_lossy(&value).to_ascii_lowercase();
            prop_assert!(text.contains(&wanted.to_ascii_lowercase()));
        }
    }
}
