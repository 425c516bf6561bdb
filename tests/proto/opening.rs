//! The opening handshake as a connection runs it; the judging of heads has
//! tests of its own.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Role, Sendable};
use wsembed::proto::handshake::key;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;
use wsembed::proto::url::Url;

use crate::support::*;

const REQUEST: &str = "GET /stream?id=1 HTTP/1.1\r\nHost: device.example\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\nX-Token: a b\r\n\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn new_server(change: impl FnOnce(&mut Settings)) -> Connection {
    let mut settings = Settings::default();
    change(&mut settings);
    Connection::server(Arc::new(settings), random)
}

fn new_client(url: &str, change: impl FnOnce(&mut Settings)) -> Connection {
    let mut settings = Settings::default();
    change(&mut settings);
    Connection::client(Arc::new(settings), random, &Url::parse(url).unwrap()).unwrap()
}

/// The answer that fits the key which [`random`] gives.
fn answer(extra: &str) -> String {
    let mut nonce = [0; 16];
    random(&mut nonce);
    let accept = String::from_utf8(key::accept(&key::encode(nonce)).into()).unwrap();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extra}\r\n"
    )
}

fn head(connection: &mut Connection) -> String {
    String::from_utf8(drain(connection)).unwrap()
}

fn ended(error: Error) -> Seen {
    Seen::Close {
        code: 1006,
        reason: String::new(),
        by_peer: false,
        error: Some(error),
        missing: 0,
    }
}

#[test]
fn hs31_a_request_cut_anywhere_with_frames_glued_behind_is_one_connection() {
    let input = [
        REQUEST.as_bytes(),
        &masked(FIN | TEXT, b"first"),
        &masked(FIN | TEXT, b"second"),
    ];
    let input = input.concat();
    let expected = [
        Seen::Request("/stream?id=1".into()),
        Seen::Open("".into()),
        text("first"),
        text("second"),
    ];
    let mut cuts: Vec<Vec<&[u8]>> = (0..input.len())
        .map(|at| vec![&input[..at], &input[at..]])
        .collect();
    cuts.push(input.chunks(1).collect());
    for pieces in cuts {
        let mut connection = new_server(|_| {});
        let seen: Vec<Seen> = pieces
            .iter()
            .flat_map(|piece| feed(&mut connection, piece))
            .collect();
        assert_eq!(seen, expected);
        let head = head(&mut connection);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(
            head.contains(&format!("\r\nSec-WebSocket-Accept: {ACCEPT}\r\n")),
            "{head}"
        );
        assert!(
            !head.contains("Sec-WebSocket-Protocol"),
            "HS12: none is supported"
        );
        assert!(head.ends_with("\r\n\r\n"));
    }
}

#[test]
fn hs33_a_second_request_behind_the_first_is_garbage() {
    let mut connection = new_server(|_| {});
    let seen = feed(&mut connection, &[REQUEST, REQUEST].concat().into_bytes());
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(matches!(seen[2], Seen::Close { code: 1002, .. }));
}

#[test]
fn a_server_takes_the_first_offered_subprotocol_that_it_supports() {
    for (supported, chosen) in [
        (&["superchat", "chat"][..], "chat"),
        (&["superchat"], "superchat"),
        (&["other"], ""),
    ] {
        let mut connection = new_server(|settings| {
            settings.subprotocols = supported.iter().map(|&one| one.into()).collect();
        });
        let seen = feed(&mut connection, REQUEST.as_bytes());
        assert_eq!(seen[1], Seen::Open(chosen.into()));
        let line = format!("\r\nSec-WebSocket-Protocol: {chosen}\r\n");
        assert_eq!(head(&mut connection).contains(&line), !chosen.is_empty());
    }
}

/// A connection whose request was shown and not yet decided.
fn shown(change: impl FnOnce(&mut Settings)) -> Connection {
    let mut connection = new_server(change);
    let mut bytes = REQUEST.as_bytes().to_vec();
    let mut input = wsembed::proto::incoming::Input::new(&mut bytes);
    let event = connection.next(&mut input).unwrap();
    assert_eq!(Seen::from(event), Seen::Request("/stream?id=1".into()));
    connection
}

#[test]
fn hs14_only_an_offered_subprotocol_can_be_accepted() {
    let mut connection = shown(|_| {});
    assert_eq!(
        connection.accept(Some("other")),
        Err(Error::SubprotocolChoice)
    );
    assert_eq!(drain(&mut connection), []);
    connection.accept(Some("superchat")).unwrap();
    assert_eq!(connection.accept(None), Err(Error::State));
    assert_eq!(connection.refuse(403, b""), Err(Error::State));
    connection
        .send(Sendable::Message(Kind::Text), b"hello")
        .unwrap();
    assert_eq!(feed(&mut connection, b""), [Seen::Open("superchat".into())]);
    let sent = drain(&mut connection);
    assert!(sent.ends_with(&plain(FIN | TEXT, b"hello")));
}

#[test]
fn hs35_a_program_refuses_or_closes_at_the_request() {
    let mut refused = shown(|_| {});
    refused
        .add_header("WWW-Authenticate", "Basic realm=\"x\"")
        .unwrap();
    assert_eq!(refused.refuse(101, b""), Err(Error::Range));
    refused.refuse(401, b"who are you?\n").unwrap();
    assert_eq!(refused.refuse(401, b""), Err(Error::State));
    let answer = head(&mut refused);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(
        answer.contains("\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\nwho are you?\n"), "{answer}");
    assert_eq!(
        feed(&mut refused, &masked(FIN | TEXT, b"x")),
        [ended(Error::Refused)]
    );
    assert_eq!(refused.output(), Err(Error::Closed));

    let mut closed = shown(|_| {});
    closed.close(Some(1001), "not now").unwrap();
    assert!(head(&mut closed).starts_with("HTTP/1.1 503 "));
    assert_eq!(feed(&mut closed, b""), [ended(Error::Refused)]);
}

#[test]
fn hs28_header_lines_with_line_breaks_are_not_sent() {
    let mut connection = shown(|_| {});
    for (name, value) in [
        ("X\r\nY", "v"),
        ("X", "v\r\nSet-Cookie: y"),
        ("X", "a\0b"),
        ("", "v"),
        ("X Y", "v"),
        ("Sec-WebSocket-Accept", "x"),
        ("Connection", "close"),
    ] {
        assert_eq!(
            connection.add_header(name, value),
            Err(Error::Header),
            "{name}: {value}"
        );
    }
    connection.accept(None).unwrap();
    assert!(!head(&mut connection).contains("Set-Cookie"));
}

#[test]
fn request_headers_can_be_looked_up_until_open_was_seen() {
    let mut connection = shown(|settings| settings.subprotocols = vec!["chat".into()]);
    assert_eq!(connection.request_header("x-TOKEN"), Ok(Some(&b"a b"[..])));
    assert_eq!(connection.request_header("X-None"), Ok(None));
    assert_eq!(feed(&mut connection, b"")[0], Seen::Open("chat".into()));
    // feed() has called next() again.
    assert_eq!(connection.request_header("X-Token"), Err(Error::State));
}

#[test]
fn refusals_are_proper_http_answers_and_told_once() {
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(9000));
    for (id, request, status, error) in [
        ("hs41", "SSH-2.0-OpenSSH_9.2\r\n", 400, Error::HttpSyntax),
        ("hs40", "\x16\x03\x01\x02", 400, Error::HttpSyntax),
        (
            "hs20",
            "GET / HTTP/1.1\nHost: x\n\n",
            400,
            Error::HttpSyntax,
        ),
        (
            "hs16",
            "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
            405,
            Error::HttpMethod,
        ),
        (
            "hs03",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            426,
            Error::Upgrade,
        ),
        ("lm06", &long, 431, Error::HttpTooBig),
    ] {
        for pieces in [
            vec![request.as_bytes()],
            request.as_bytes().chunks(1).collect(),
        ] {
            let mut connection = new_server(|_| {});
            let seen: Vec<_> = pieces
                .iter()
                .flat_map(|piece| feed(&mut connection, piece))
                .collect();
            assert_eq!(seen, [ended(error)], "{id}");
            let answer = head(&mut connection);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{id}: {answer}"
            );
            assert!(answer.contains("\r\nConnection: close"), "{id}: {answer}");
            assert!(answer.contains("\r\nContent-Length: "), "{id}: {answer}");
            assert_eq!(connection.output(), Err(Error::Closed), "{id}");
            assert!(connection.failure().unwrap().status >= 400);
        }
    }
}

#[test]
fn hs10_an_origin_of_another_host_is_refused_unless_listed() {
    let request = REQUEST.replace("X-Token: a b", "Origin: https://evil.example");
    let mut connection = new_server(|_| {});
    assert_eq!(
        feed(&mut connection, request.as_bytes()),
        [ended(Error::Origin)]
    );
    assert!(head(&mut connection).starts_with("HTTP/1.1 403 "));
    let mut listed = new_server(|s| s.origins = vec!["https://evil.example".into()]);
    assert_eq!(feed(&mut listed, request.as_bytes()).len(), 2);
    let own = REQUEST.replace("X-Token: a b", "Origin: https://device.example");
    assert_eq!(feed(&mut new_server(|_| {}), own.as_bytes()).len(), 2);
}

#[test]
fn hs34_the_client_is_gone_before_the_handshake_ends() {
    for cut in [0, 1, 40, REQUEST.len() - 1] {
        let mut connection = new_server(|_| {});
        assert_eq!(feed(&mut connection, &REQUEST.as_bytes()[..cut]), []);
        assert_eq!(feed_eof(&mut connection), [ended(Error::ConnectionLost)]);
        assert_eq!(connection.output(), Err(Error::Closed));
    }
}

#[test]
fn hc14_hc15_an_answer_cut_anywhere_with_frames_glued_behind() {
    let input = [
        answer("").as_bytes(),
        &plain(FIN | TEXT, b"first"),
        &plain(FIN | PING, b"p"),
    ]
    .concat();
    let expected = [
        Seen::Open("".into()),
        text("first"),
        Seen::Ping(b"p".into()),
    ];
    for at in 0..input.len() {
        let mut connection = new_client("ws://h/", |_| {});
        let mut seen = feed(&mut connection, &input[..at]);
        seen.extend(feed(&mut connection, &input[at..]));
        assert_eq!(seen, expected, "cut at {at}");
    }
}

#[test]
fn the_request_says_what_the_url_and_the_settings_say() {
    let mut connection = new_client("wss://[::1]:8443/a?b=c", |settings| {
        settings.subprotocols = vec!["chat".into(), "superchat".into()];
        settings.origins = vec!["https://page.example".into()];
        settings.headers = vec![("Authorization".into(), "Bearer x".into())];
    });
    let request = head(&mut connection);
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    for line in [
        "Host: [::1]:8443",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Origin: https://page.example",
        "Authorization: Bearer x",
        "Sec-WebSocket-Version: 13",
    ] {
        assert!(
            request.contains(&format!("\r\n{line}\r\n")),
            "{line} in {request}"
        );
    }
    assert!(request.ends_with("\r\n\r\n"));
}

#[test]
fn hc03_the_answers_subprotocol() {
    let offers = |settings: &mut Settings| settings.subprotocols = vec!["chat".into()];
    let mut chosen = new_client("ws://h/", offers);
    let seen = feed(
        &mut chosen,
        answer("Sec-WebSocket-Protocol: chat\r\n").as_bytes(),
    );
    assert_eq!(seen, [Seen::Open("chat".into())]);
    let mut other = new_client("ws://h/", offers);
    drain(&mut other);
    let seen = feed(
        &mut other,
        answer("Sec-WebSocket-Protocol: other\r\n").as_bytes(),
    );
    assert_eq!(seen, [ended(Error::Subprotocol)]);
    assert_eq!(
        other.output(),
        Err(Error::Closed),
        "a client answers nothing"
    );
}

#[test]
fn hc05_other_statuses_are_reported_with_the_answers_first_bytes() {
    for status in [200, 301, 401, 403, 404, 429, 500, 503] {
        let mut connection = new_client("ws://h/", |_| {});
        drain(&mut connection);
        let answer = format!("HTTP/1.1 {status} Because\r\nContent-Length: 9\r\n\r\nnot found");
        assert_eq!(
            feed(&mut connection, answer.as_bytes()),
            [ended(Error::HttpStatus)]
        );
        let failure = connection.failure().unwrap();
        assert_eq!(failure.status, status);
        assert!(
            failure
                .answer
                .starts_with(format!("HTTP/1.1 {status} ").as_bytes())
        );
        assert_eq!(drain(&mut connection), []);
    }
}

#[test]
fn hc11_the_body_of_a_refusal_is_not_waited_for_nor_kept() {
    let head = "HTTP/1.1 503 Busy\r\nContent-Length: 1000000000\r\n\r\n";
    let mut connection = new_client("ws://h/", |_| {});
    drain(&mut connection);
    assert_eq!(
        feed(&mut connection, head.as_bytes()),
        [ended(Error::HttpStatus)]
    );
    assert_eq!(connection.output(), Err(Error::Closed));
    for _ in 0..100 {
        assert_eq!(feed(&mut connection, &[b'x'; 10_000]), []);
    }
    assert!(connection.failure().unwrap().answer.len() <= 256);
}

#[test]
fn hc22_every_connection_has_a_key_of_its_own() {
    use std::cell::Cell;
    thread_local!(static NEXT: Cell<u8> = const { Cell::new(0) });
    /// Sixteen bytes are asked for at once, and are other ones each time.
    fn counting(bytes: &mut [u8]) -> bool {
        assert_eq!(bytes.len(), 16);
        bytes.fill(NEXT.replace(NEXT.get() + 1));
        true
    }
    for byte in 0..3 {
        let url = Url::parse("ws://h/").unwrap();
        let settings = Arc::new(Settings::default());
        let mut connection = Connection::client(settings, counting, &url).unwrap();
        let encoded = String::from_utf8(key::encode([byte; 16]).into()).unwrap();
        let line = format!("\r\nSec-WebSocket-Key: {encoded}\r\n");
        assert!(head(&mut connection).contains(&line));
    }
}

#[test]
fn hc08_interim_answers_are_skipped_a_bounded_number_of_times() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let mut connection = new_client("ws://h/", |_| {});
    let seen = feed(
        &mut connection,
        (interim.repeat(3) + &answer("")).as_bytes(),
    );
    assert_eq!(seen, [Seen::Open("".into())]);
    let mut endless = new_client("ws://h/", |_| {});
    let seen = feed(&mut endless, interim.repeat(100).as_bytes());
    assert_eq!(seen, [ended(Error::HttpStatus)]);
}

#[test]
fn hc12_an_answer_whose_head_never_ends() {
    let mut connection = new_client("ws://h/", |_| {});
    feed(&mut connection, b"HTTP/1.1 101 Switching Protocols\r\n");
    let mut seen = Vec::new();
    for _ in 0..2000 {
        seen.extend(feed(&mut connection, b"X: filling\r\n"));
    }
    assert_eq!(seen, [ended(Error::HttpTooBig)]);
}

#[test]
fn hc16_frames_close_and_end_at_once_behind_the_answer() {
    let mut input = answer("").into_bytes();
    input.extend(plain(FIN | TEXT, b"hi"));
    input.extend(plain(FIN | CLOSE, &1000_u16.to_be_bytes()));
    let mut connection = new_client("ws://h/", |_| {});
    connection.feed_eof();
    let seen = feed(&mut connection, &input);
    assert_eq!(seen, [Seen::Open("".into()), text("hi"), closed(1000, "")]);
}

#[test]
fn hc17_the_server_hangs_up_without_an_answer() {
    let mut connection = new_client("ws://h/", |_| {});
    assert_eq!(feed_eof(&mut connection), [ended(Error::ConnectionLost)]);
}

#[test]
fn hc24_no_random_bytes_no_connection() {
    let url = Url::parse("ws://h/").unwrap();
    let made = Connection::client(Arc::new(Settings::default()), no_random, &url);
    assert_eq!(made.err(), Some(Error::Random));
}

#[test]
fn two_ends_shake_hands_and_talk() {
    let mut client = new_client("ws://device.example/stream", |_| {});
    let mut server = new_server(|_| {});
    let seen = feed(&mut server, &drain(&mut client));
    assert_eq!(
        seen,
        [Seen::Request("/stream".into()), Seen::Open("".into())]
    );
    assert_eq!(
        feed(&mut client, &drain(&mut server)),
        [Seen::Open("".into())]
    );
    client.send(Sendable::Message(Kind::Text), b"over").unwrap();
    assert_eq!(feed(&mut server, &drain(&mut client)), [text("over")]);
    let role = Role::Client;
    assert_eq!(frames_of(role, &drain(&mut client)), []);
}
