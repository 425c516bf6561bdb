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
fn hs01_hs02_one_good_host() {
    assert_refused(
        "Host",
        Error::HttpHost,
        400,
        &[
            &[],
            &[""],
            &["a", "a"],
            &["a", "b"],
            &["a b"],
            &["a/b"],
            &["a@b"],
            &["a?b"],
            &["a:b"],
            &["a:65536"],
            &["a:-1"],
            &["a:80:80"],
            &[":80"],
            &["http://a"],
            &["::1"],
            &["[::1"],
            &["[::1%25eth0]"],
            &["a\u{e9}"],
            &["a\tb"],
            &["a\\b"],
        ],
    );
    assert_accepted(
        "Host",
        &[
            &["a"],
            &["a.example:8080"],
            &["192.0.2.1"],
            &["[::1]:9001"],
            &["a:"],
            &["under_score"],
        ],
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
fn hs10_an_origin_is_our_own_host_or_listed() {
    for (host, origin, own) in [
        ("h", "http://h", true),
        ("h", "https://h", true),
        ("H.Example", "HTTP://h.eXAMPLE", true),
        ("h", "http://h:80", true),
        ("h", "https://h:443", true),
        ("h:80", "http://h", true),
        ("h:443", "https://h", true),
        ("h:", "http://h", true),
        ("h:8080", "http://h:8080", true),
        ("[::1]:8080", "http://[::1]:8080", true),
        ("h", "http://h:443", false),
        ("h", "https://h:80", false),
        ("h:443", "http://h", false),
        ("h:8080", "http://h", false),
        ("h:8080", "http://h:8081", false),
        ("h", "http://h:8080", false),
        ("h", "http://evil", false),
        ("h", "http://h.evil", false),
        ("h", "http://evil/h", false),
        ("h", "http://h/", false),
        ("h", "http://h@evil", false),
        ("h", "http://evil@h", false),
        ("h", "http://h http://evil", false),
        ("h", "file://h", false),
        ("h", "h", false),
        ("h", "null", false),
        ("h", "", false),
        ("h", "http://h\u{e9}", false),
    ] {
        let lines = [&GOOD[1..], &[("Host", host), ("Origin", origin)]].concat();
        let head = head("GET / HTTP/1.1", &lines);
        let wanted = if own {
            None
        } else {
            Some((Error::Origin, 403))
        };
        assert_eq!(refusal(&head), wanted, "{host} {origin}");
        assert!(
            examine(&head, &owned(&["*"])).is_ok(),
            "all are listed: {origin}"
        );
    }
    for (origin, list, listed) in [
        ("https://app.example", &["https://app.example"][..], true),
        (
            "https://APP.example",
            &["https://b", "HTTPS://app.EXAMPLE"],
            true,
        ),
        ("null", &["null"], true),
        ("https://app.example", &["http://app.example"], false),
        ("https://app.example", &["app.example"], false),
        ("https://app.example", &["https://app"], false),
        ("https://app.example.evil", &["https://app.example"], false),
        ("https://app.example", &[], false),
        ("https://app.example", &[""], false),
        ("https://app.example", &["*.example"], false),
    ] {
        let outcome = examine(&with("Origin", &[origin]), &owned(list)).err();
        assert_eq!(
            outcome,
            if listed { None } else { Some(Error::Origin) },
            "{origin} {list:?}"
        );
    }
}

#[test]
fn hs11_no_origin_is_no_browser_and_two_are_a_fault() {
    assert!(examine(&with("Origin", &[]), &owned(&["https://app.example"])).is_ok());
    let own = "http://server.example";
    assert_refused(
        "Origin",
        Error::HttpSyntax,
        400,
        &[&[own, own], &["null", "null"]],
    );
    let doubled = with("Origin", &[own, own]);
    assert_eq!(
        examine(&doubled, &owned(&["*"])).err(),
        Some(Error::HttpSyntax)
    );
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
    // 200 000 names: comparing each with each would never end.
    let names: Vec<_> = (0..200_000).map(|index| format!("n{index}")).collect();
    let head = with(SUBPROTOCOL, &[&names.join(",")]);
    assert_eq!(
        examine(&head, &[]).map(|request| request.subprotocols.len()),
        Ok(names.len())
    );
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
fn hs16_get_and_nothing_else() {
    for method in [
        "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "get", "Get", "GETX", "G",
    ] {
        let outcome = target_of(&format!("{method} / HTTP/1.1"));
        assert_eq!(outcome, Err(Error::HttpMethod), "{method}");
    }
    assert_eq!(refusal_status(Error::HttpMethod), 405);
}

#[test]
fn hs17_version_before_all_else() {
    for (first, error, status) in [
        ("GET / HTTP/1.0", Error::HttpVersion, 505),
        ("POST * HTTP/2.0", Error::HttpVersion, 505),
        ("GET /", Error::HttpSyntax, 400),
        ("GET / HTTP/1.10", Error::HttpSyntax, 400),
        ("GET / HTTP/1.1 x", Error::HttpSyntax, 400),
    ] {
        assert_eq!(refusal(&head(first, &[])), Some((error, status)), "{first}");
    }
    assert_eq!(
        refusal(b"PRI * HTTP/2.0\r\n\r\n"),
        Some((Error::HttpVersion, 505))
    );
}

#[test]
fn hs18_no_request_has_a_body() {
    assert_refused(
        "Content-Length",
        Error::HttpBody,
        400,
        &[
            &["1"],
            &["5"],
            &["00"],
            &["0", "0"],
            &["0, 0"],
            &["5", "5"],
            &["99999999999999999999"],
        ],
    );
    assert_refused(
        "Transfer-Encoding",
        Error::HttpBody,
        400,
        &[
            &["chunked"],
            &["identity"],
            &[""],
            &["gzip, chunked"],
            &["chunked", "chunked"],
        ],
    );
    assert_accepted("Content-Length", &[&["0"], &["\t0 "]]);
}

#[test]
fn hs19_lengths_that_contradict_or_are_none() {
    assert_refused(
        "Content-Length",
        Error::HttpSyntax,
        400,
        &[
            &["0", "5"],
            &["5, 6"],
            &["-1"],
            &["+5"],
            &["0x0"],
            &["5 5"],
            &[""],
            &["0,"],
            &["a"],
            &["1e1"],
        ],
    );
    for (length, error) in [
        ("0", Error::HttpBody),
        ("5", Error::HttpBody),
        ("x", Error::HttpSyntax),
    ] {
        let lines = [
            &GOOD[..],
            &[("Content-Length", length), ("Transfer-Encoding", "chunked")],
        ];
        assert_eq!(
            refusal(&head("GET / HTTP/1.1", &lines.concat())),
            Some((error, 400))
        );
    }
}

#[test]
fn hs20_hs21_hs22_hs23_http_that_is_none() {
    for line in [
        "X: y\nZ: z",
        "X: y\rZ: z",
        "X: y\r\r",
        "X: a\0b",
        "X\x01: y",
        "X: \x1b[2J",
        "X : y",
        ": y",
        "X",
        " X: y",
        "X: y\r\n folded",
        "X: y\r\n\tfolded",
        "X(): y",
    ] {
        let mut text = String::from_utf8(with("X", &[])).expect("ASCII");
        text.truncate(text.len() - 2);
        let text = format!("{text}{line}\r\n\r\n");
        assert_eq!(
            refusal(text.as_bytes()),
            Some((Error::HttpSyntax, 400)),
            "{line:?}"
        );
    }
}

#[test]
fn hs25_the_absolute_form_brings_its_own_path_and_host() {
    for (target, path) in [
        ("http://h/p", "/p"),
        ("HTTPS://h:8443/p?q", "/p?q"),
        ("ws://h/", "/"),
        ("WSS://[::1]/a://b", "/a://b"),
    ] {
        assert_eq!(
            target_of(&format!("GET {target} HTTP/1.1")),
            Ok(path.to_owned())
        );
    }
    let from = |origin| {
        let lines = [&GOOD[..], &[("Origin", origin)]].concat();
        refusal(&head("GET http://other.example:81/p HTTP/1.1", &lines))
    };
    assert_eq!(from("http://other.example:81"), None);
    assert_eq!(from("http://server.example"), Some((Error::Origin, 403)));
}

#[test]
fn hs26_other_targets_are_refused() {
    for target in [
        "*",
        "h:443",
        "server.example",
        "chat",
        "?q",
        "//",
        "//evil/p",
        "/p#f",
        "#",
        "http://h",
        "http://h?q",
        "http://h#/",
        "http:///p",
        "http://h//p",
        "http://user@h/p",
        "http://h:99999/p",
        "http:/p",
        "ftp://h/p",
        "://h/p",
        "\\p",
    ] {
        assert_eq!(
            target_of(&format!("GET {target} HTTP/1.1")),
            Err(Error::HttpTarget),
            "{target}"
        );
    }
    assert_eq!(refusal_status(Error::HttpTarget), 400);
}

#[test]
fn hs27_targets_are_passed_as_they_came() {
    let long = format!("/{}", "a".repeat(1 << 16));
    for target in [
        "/%00?%0d%0a",
        "/../..//a/./",
        "/a?b?c/://d",
        "/?",
        "/\"<>\\^`{|}",
        &long,
    ] {
        assert_eq!(
            target_of(&format!("GET {target} HTTP/1.1")),
            Ok(target.to_owned())
        );
    }
    for target in ["/a b", "/\u{e9}", "/\0", "/\r", "/\t"] {
        assert_eq!(
            target_of(&format!("GET {target} HTTP/1.1")),
            Err(Error::HttpSyntax)
        );
    }
}

#[test]
fn hs38_expect_is_answered_by_the_answer_itself() {
    assert_accepted("Expect", &[&["100-continue"], &["anything"]]);
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
