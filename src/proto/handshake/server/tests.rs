mod answers;
mod head;
mod origin;

use proptest::prelude::*;

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The lines of a good request, one of each field.
const GOOD: [(&str, &str); 5] = [
    ("Host", "server.example"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
];

/// A request of these lines.
fn head(first: &str, lines: &[(&str, &str)]) -> Vec<u8> {
    let mut out = format!("{first}\r\n");
    for (name, value) in lines {
        out += &format!("{name}: {value}\r\n");
    }
    (out + "\r\n").into_bytes()
}

/// The good request with all lines of `name` replaced by `values`.
fn with(name: &str, values: &[&str]) -> Vec<u8> {
    let mut lines: Vec<_> = GOOD.into_iter().filter(|(own, _)| *own != name).collect();
    lines.extend(values.iter().map(|value| (name, *value)));
    head("GET /chat HTTP/1.1", &lines)
}

/// The target that the good request gets with another first line.
fn target_of(first: &str) -> Result<String, Error> {
    let head = head(first, &GOOD);
    examine(&head, &[]).map(|request| request.target.to_owned())
}

/// The error of a request, and the status that answers it.
fn refusal(head: &[u8]) -> Option<(Error, u16)> {
    examine(head, &[])
        .err()
        .map(|error| (error, refusal_status(error)))
}

/// Each list of values of `name` leads to this error.
fn assert_refused(name: &str, error: Error, status: u16, cases: &[&[&str]]) {
    for values in cases {
        let head = with(name, values);
        assert_eq!(refusal(&head), Some((error, status)), "{name}: {values:?}");
    }
}

fn assert_accepted(name: &str, cases: &[&[&str]]) {
    for values in cases {
        assert_eq!(refusal(&with(name, values)), None, "{name}: {values:?}");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_request_of_rfc_6455_1_3() {
    let head = b"GET /chat HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://example.com\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let request = examine(head, &owned(&["http://example.com"])).expect("acceptable");
    assert_eq!(request.target, "/chat");
    assert_eq!(request.key, KEY.as_bytes());
    assert_eq!(request.subprotocols, ["chat", "superchat"]);
    assert_eq!(
        accept(request.key, Some("chat"), &[]),
        b"HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\r\n"
    );
}

#[test]
fn hs03_hs04_upgrade_names_websocket() {
    assert_refused(
        "Upgrade",
        Error::Upgrade,
        426,
        &[
            &[],
            &[""],
            &["h2c"],
            &["websocket2"],
            &["web socket"],
            &["websocket/13"],
            &["h2c, x"],
        ],
    );
    assert_accepted(
        "Upgrade",
        &[
            &["WebSocket"],
            &["WEBSOCKET"],
            &["websocket, h2c"],
            &["h2c , websocket"],
            &["h2c", "websocket"],
        ],
    );
}

#[test]
fn hs03_a_page_is_asked_for() {
    let page = head(
        "GET / HTTP/1.1",
        &[("Host", "h"), ("Connection", "keep-alive")],
    );
    assert_eq!(refusal(&page), Some((Error::Upgrade, 426)));
}

#[test]
fn hs05_connection_names_upgrade() {
    assert_refused(
        "Connection",
        Error::HttpSyntax,
        400,
        &[
            &[],
            &[""],
            &["keep-alive"],
            &["Upgrades"],
            &["close, up grade"],
        ],
    );
    assert_accepted(
        "Connection",
        &[
            &["upgrade"],
            &["keep-alive, Upgrade"],
            &["UPGRADE,x"],
            &["x", "Upgrade"],
            &[",, upgrade ,"],
        ],
    );
}

#[test]
fn hs06_version_13_alone() {
    assert_refused(
        "Sec-WebSocket-Version",
        Error::Version,
        426,
        &[
            &[],
            &[""],
            &["0"],
            &["7"],
            &["8"],
            &["12"],
            &["14"],
            &["013"],
            &["256"],
            &["13, 8"],
            &["13", "13"],
            &["13", "8"],
            &["+13"],
            &["1 3"],
        ],
    );
    assert_accepted("Sec-WebSocket-Version", &[&["  13\t"]]);
}

#[test]
fn hs07_hs08_one_key_of_16_bytes() {
    assert_refused(
        "Sec-WebSocket-Key",
        Error::Key,
        400,
        &[
            &[],
            &[""],
            &[KEY, KEY],
            &["dGhlIHNhbXBsZSBub25jZQ"],
            &["dGhlIHNhbXBsZSBub25j"],
            &["dGhlIHNhbXBsZSBub25jZTE="],
            &["dGhlIHNhbXBsZSBub25jZTEy"],
            &["dGhlIHNhbXBsZSBub25j*Q=="],
            &["dGhlIHNhbXBs ZSBub25jZQ=="],
            &["dGhlIHNhbXBsZSBub25jZQ==, x"],
        ],
    );
}

#[test]
fn hs09_white_space_around_the_key_is_not_the_key() {
    let head = with("Sec-WebSocket-Key", &[&format!(" \t{KEY} \t ")]);
    let request = examine(&head, &[]).expect("acceptable");
    assert_eq!(request.key, KEY.as_bytes());
    let answer = accept(request.key, None, &[]);
    let wanted = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    assert!(answer.ends_with(wanted), "{}", answer.escape_ascii());
}

#[test]
fn hs12_subprotocols_come_in_the_clients_order() {
    for (values, offered) in [
        (&[][..], &[][..]),
        (&["b"], &["b"]),
        (&["b, a"], &["b", "a"]),
        (&["b", "a,c"], &["b", "a", "c"]),
        (&["\tsoap ,wamp.2.json\t"], &["soap", "wamp.2.json"]),
        (&["chat, Chat"], &["chat", "Chat"]),
    ] {
        let head = with(SUBPROTOCOL, values);
        let request = examine(&head, &[]).expect("acceptable");
        assert_eq!(request.subprotocols, offered, "{values:?}");
    }
    let answer = accept(KEY.as_bytes(), None, &[]);
    assert!(!answer.escape_ascii().to_string().contains(SUBPROTOCOL));
}

#[test]
fn hs13_subprotocol_lists_that_are_refused() {
    assert_refused(
        SUBPROTOCOL,
        Error::Subprotocol,
        400,
        &[
            &[""],
            &[","],
            &["a,"],
            &[",a"],
            &["a,,b"],
            &["a, a"],
            &["a", "a"],
            &["c, a, b, a"],
            &["a", ""],
            &["a b"],
            &["a;b"],
            &["\"a\""],
            &["a/b"],
            &["caf\u{e9}"],
        ],
    );
    let raw = [
        &b"GET / HTTP/1.1\r\nSec-WebSocket-Protocol: \xFF\r\n"[..],
        &with("X", &[])[20..],
    ];
    assert_eq!(refusal(&raw.concat()), Some((Error::Subprotocol, 400)));
}

#[test]
fn lm15_hostile_subprotocol_lists_are_judged_in_one_pass() {
    let spaces = format!("b{}x", " ".repeat(1 << 20));
    let quote = format!("\"{}", "\\".repeat(1 << 20));
    assert_refused(
        SUBPROTOCOL,
        Error::Subprotocol,
        400,
        &[&[&spaces], &[&quote]],
    );
    // So many that comparing each with each would take its time.
    let names: Vec<_> = (0..200_000).map(|index| format!("n{index}")).collect();
    assert_refused(
        SUBPROTOCOL,
        Error::Subprotocol,
        400,
        &[&[&names.join(",")], &[&names[..129].join(",")]],
    );
    let head = with(SUBPROTOCOL, &[&names[..128].join(",")]);
    let offered = examine(&head, &[]).map(|request| request.subprotocols.len());
    assert_eq!(offered, Ok(128));
}

#[test]
fn hs15_extensions_are_ignored_whatever_they_say() {
    assert_accepted(
        "Sec-WebSocket-Extensions",
        &[
            &["permessage-deflate"],
            &["permessage-deflate; client_max_window_bits", "x"],
            &[";;=,"],
            &[""],
        ],
    );
}

#[test]
fn the_first_failing_check_names_the_error() {
    // All that can be wrong at once; each repair brings the next error out.
    let mut lines = vec![
        ("Host", "a b"),
        ("Content-Length", "5"),
        ("Upgrade", "h2c"),
        ("Connection", "close"),
        ("Sec-WebSocket-Version", "8"),
        ("Sec-WebSocket-Key", "short"),
        ("Sec-WebSocket-Protocol", "a,a"),
        ("Origin", "http://evil"),
    ];
    let mut first = "POST * HTTP/1.0";
    let mut next = |line, repair: Option<(usize, &'static str)>| {
        first = line;
        if let Some((index, value)) = repair {
            lines[index].1 = value;
        }
        examine(&head(first, &lines), &[]).err()
    };
    assert_eq!(next("POST * HTTP/1.0", None), Some(Error::HttpVersion));
    assert_eq!(next("POST * HTTP/1.1", None), Some(Error::HttpMethod));
    assert_eq!(next("GET * HTTP/1.1", None), Some(Error::HttpHost));
    assert_eq!(
        next("GET * HTTP/1.1", Some((0, "h"))),
        Some(Error::HttpBody)
    );
    assert_eq!(
        next("GET * HTTP/1.1", Some((1, "0"))),
        Some(Error::HttpTarget)
    );
    assert_eq!(next("GET / HTTP/1.1", None), Some(Error::Upgrade));
    assert_eq!(
        next("GET / HTTP/1.1", Some((2, "websocket"))),
        Some(Error::HttpSyntax)
    );
    assert_eq!(
        next("GET / HTTP/1.1", Some((3, "Upgrade"))),
        Some(Error::Version)
    );
    assert_eq!(next("GET / HTTP/1.1", Some((4, "13"))), Some(Error::Key));
    assert_eq!(
        next("GET / HTTP/1.1", Some((5, KEY))),
        Some(Error::Subprotocol)
    );
    assert_eq!(next("GET / HTTP/1.1", Some((6, "a"))), Some(Error::Origin));
    assert_eq!(next("GET / HTTP/1.1", Some((7, "http://h"))), None);
}

proptest! {
    #[test]
    fn arbitrary_values_never_panic(
        index in 0..8_usize,
        value in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let name = [
            "Host",
            "Upgrade",
            "Connection",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Version",
            SUBPROTOCOL,
            "Origin",
            "Content-Length",
        ][index];
        let mut head = with(name, &[]);
        head.truncate(head.len() - 2);
        let head = [&head[..], name.as_bytes(), b":", &value, b"\r\n\r\n"].concat();
        if let Ok(request) = examine(&head, &[]) {
            prop_assert_eq!(request.target, "/chat");
            prop_assert_eq!(request.key, KEY.as_bytes());
            prop_assert!(request.subprotocols.iter().all(|name| http::is_token(name)));
        }
    }
}
