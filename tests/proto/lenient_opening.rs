//! The requests of old devices, as a lenient server takes them: in every cut,
//! with frames glued behind.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::Connection;
use wsembed::proto::handshake::key;
use wsembed::proto::settings::Settings;

use crate::support::*;

fn new_server() -> Connection {
    let settings = Settings {
        lenient: true,
        ..Settings::default()
    };
    Connection::server(Arc::new(settings), random)
}

/// The status of a failure and what was kept of the request.
type Kept = Option<(u16, Vec<u8>)>;

/// Events, output and what was kept of a failure, the same in every cut.
fn outcome(input: &[u8]) -> (Vec<Seen>, Vec<u8>, Kept) {
    let run = |pieces: &[&[u8]]| {
        let mut connection = new_server();
        let mut seen = Vec::new();
        for piece in pieces {
            seen.extend(feed(&mut connection, piece));
        }
        let sent = drain(&mut connection);
        let failure = connection.failure();
        let failure = failure.map(|failure| (failure.status, failure.answer.clone()));
        (seen, sent, failure)
    };
    let whole = run(&[input]);
    let step = (input.len() / 600).max(1);
    for at in (0..input.len()).step_by(step) {
        let (head, tail) = input.split_at(at);
        assert_eq!(run(&[head, tail]), whole, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(run(&bytes), whole, "byte by byte");
    whole
}

/// The answer's status line and header lines, and what is behind them.
fn answer(sent: &[u8]) -> (String, Vec<u8>) {
    let end = sent.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, behind) = sent.split_at(end.expect("a whole head") + 4);
    (String::from_utf8(head.to_vec()).unwrap(), behind.to_vec())
}

/// The request must be accepted, with this target and subprotocol, and its
/// key, whatever it is, be answered.
#[track_caller]
fn accepts(head: &[u8], target: &str, key: &[u8], subprotocol: &str) {
    let glued = [plain(FIN | TEXT, b"glued"), masked(FIN | PING, b"ping")];
    let (seen, sent, failure) = outcome(&[head, &glued.concat()].concat());
    let wanted = [
        Seen::Request(target.to_owned()),
        Seen::Open(subprotocol.to_owned()),
        text("glued"),
        Seen::Ping(b"ping".to_vec()),
    ];
    assert_eq!((seen, failure), (wanted.to_vec(), None));
    let (head, frames) = answer(&sent);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let accept = String::from_utf8(key::accept(key).to_vec()).unwrap();
    assert!(head.contains(&format!("\r\nSec-WebSocket-Accept: {accept}\r\n")));
    let echoed = head.contains("Sec-WebSocket-Protocol");
    assert_eq!(echoed, !subprotocol.is_empty(), "{head}");
    if echoed {
        let line = format!("\r\nSec-WebSocket-Protocol: {subprotocol}\r\n");
        assert!(head.contains(&line), "{head}");
    }
    assert_eq!(frames, plain(FIN | PONG, b"ping"));
}

/// The request must be refused for this, with this status.
#[track_caller]
fn refuses(input: &[u8], error: Error, status: u16) {
    let (seen, sent, failure) = outcome(input);
    let end = Seen::Close {
        code: 1006,
        reason: String::new(),
        by_peer: false,
        error: Some(error),
        missing: 0,
    };
    assert_eq!(seen, [end]);
    let (head, _) = answer(&sent);
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert_eq!(failure.unwrap().0, status);
}

const KEY_TEXT: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

#[test]
fn hs_what_browsers_send_is_taken() {
    accepts(
        b"GET /chat?t=1 HTTP/1.1\r\nHost: here:8080\r\nConnection: keep-alive, Upgrade\r\n\
          Upgrade: websocket\r\nOrigin: http://elsewhere\r\nSec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "/chat?t=1",
        KEY_TEXT,
        "",
    );
}

#[test]
fn hs_little_is_asked_of_an_old_device() {
    let least = b"GET /null HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
    accepts(least, "/null", b"k", "");
    for (head, target) in [
        // Another version of HTTP or of the protocol; no version at all is none.
        (
            "GET / HTTP/1.0\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 8\r\n\
             Sec-WebSocket-Key: k\r\n\r\n",
            "/",
        ),
        // Line feeds alone, and mixed; space where none may be; no colon.
        (
            "GET /a HTTP/1.1\nUpgrade:websocket\nSec-WebSocket-Key:k\n\n",
            "/a",
        ),
        (
            "GET /a HTTP/1.1\nupgrade : h2c , websocket\r\nSEC-WEBSOCKET-KEY :  k \n\r\n",
            "/a",
        ),
        (
            "GET /a HTTP/1.1\r\nstray\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
            "/a",
        ),
        // Empty lines first; odd targets.
        (
            "\r\n\nGET /a HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
            "/a",
        ),
        (
            "GET a b HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
            "a b",
        ),
        (
            "GET //a#b HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
            "//a#b",
        ),
        (
            "GET http://x:1/a HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
            "http://x:1/a",
        ),
        // Lines that contradict each other, or would announce a body.
        (
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 5\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: k\r\nSec-WebSocket-Key: l\r\nOrigin: x\r\nOrigin: y\r\n\r\n",
            "/",
        ),
    ] {
        accepts(head.as_bytes(), target, b"k", "");
    }
}

#[test]
fn hs_bytes_that_are_no_text() {
    let head = b"GET /\xC4\xE3 HTTP/1.1\r\nX: \x00\xFF\x01\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Key: \xFFk\r\n\r\n";
    accepts(head, "/\u{FFFD}\u{FFFD}", b"\xFFk", "");
}

#[test]
fn hs_the_first_subprotocol_is_echoed() {
    let with = |lines: &str| {
        format!("GET / HTTP/1.1\r\nUpgrade: websocket\r\n{lines}Sec-WebSocket-Key: k\r\n\r\n")
    };
    for (lines, choice) in [
        ("Sec-WebSocket-Protocol: chat\r\n", "chat"),
        ("sec-websocket-protocol:  b , a\r\n", "b"),
        (
            "Sec-WebSocket-Protocol: c\r\nSec-WebSocket-Protocol: d\r\n",
            "c",
        ),
        ("Sec-WebSocket-Protocol: same, same\r\n", "same"),
        ("Sec-WebSocket-Protocol: , d\r\n", "d"),
        // What cannot stand in the answer is not echoed.
        ("Sec-WebSocket-Protocol: \"no token\"\r\n", ""),
        ("Sec-WebSocket-Protocol: a\rX: y\r\n", ""),
        ("Sec-WebSocket-Protocol:\r\n", ""),
    ] {
        accepts(with(lines).as_bytes(), "/", b"k", choice);
    }
}

#[test]
fn hs_what_is_no_such_request_is_refused() {
    let head = |first: &str, lines: &str| format!("{first}\r\n{lines}\r\n").into_bytes();
    let upgrade = "Upgrade: websocket\r\n";
    let key = "Sec-WebSocket-Key: k\r\n";
    let both = "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n";
    for (input, error, status) in [
        (head("GET / HTTP/1.1", key), Error::Upgrade, 426),
        (
            head("GET / HTTP/1.1", "Upgrade: h2c\r\n"),
            Error::Upgrade,
            426,
        ),
        (head("GET / HTTP/1.1", upgrade), Error::Key, 400),
        (
            head(
                "GET / HTTP/1.1",
                "Upgrade: websocket\r\nSec-WebSocket-Key: \r\n",
            ),
            Error::Key,
            400,
        ),
        (head("GET / HTTP/2.0", both), Error::HttpVersion, 505),
        (head("GET /", both), Error::HttpVersion, 505),
        (head("GET  HTTP/1.1", both), Error::HttpTarget, 400),
        (head("POST / HTTP/1.1", both), Error::HttpMethod, 405),
        (head("GETS / HTTP/1.1", both), Error::HttpMethod, 405),
        (head("get / HTTP/1.1", both), Error::HttpSyntax, 400),
        // TLS; noise; a frame before the handshake.
        (b"\x16\x03\x01\x02\x00\x01".to_vec(), Error::HttpSyntax, 400),
        (vec![0xFF; 30], Error::HttpSyntax, 400),
        (masked(FIN | TEXT, b"early"), Error::HttpSyntax, 400),
        (vec![b'\n'; 20_000], Error::HttpSyntax, 400),
        (b"\r\nnoise".to_vec(), Error::HttpSyntax, 400),
    ] {
        refuses(&input, error, status);
    }
}

#[test]
fn hs_a_head_without_an_end_has_a_limit() {
    let mut input = b"GET / HTTP/1.1\r\nX: ".to_vec();
    input.resize(20_000, b'x');
    refuses(&input, Error::HttpTooBig, 431);

    // To the byte.
    let head = |length: usize| {
        let mut head = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ".to_vec();
        head.resize(length - 4, b'k');
        head.extend(b"\r\n\r\n");
        head
    };
    let limit = Settings::default().header_bytes;
    let longest = head(limit);
    let key = longest[55..limit - 4].to_vec();
    accepts(&longest, "/", &key, "");
    refuses(&head(limit + 1), Error::HttpTooBig, 431);
}

#[test]
fn the_program_may_still_decide() {
    let request = b"GET /b HTTP/1.1\nUpgrade: websocket\nSec-WebSocket-Protocol: x, y\n\
                    Sec-WebSocket-Key: k\nX-Token: t\n\n";
    let mut connection = new_server();
    let seen = first_event(&mut connection, request);
    assert_eq!(seen, Some(Seen::Request("/b".to_owned())));
    assert_eq!(connection.request_header("x-token"), Ok(Some(&b"t"[..])));
    assert_eq!(connection.request_header("Origin"), Ok(None));
    assert_eq!(connection.accept(Some("z")), Err(Error::SubprotocolChoice));
    connection.accept(Some("y")).unwrap();
    assert_eq!(feed(&mut connection, b""), [Seen::Open("y".to_owned())]);
    let (head, _) = answer(&drain(&mut connection));
    assert!(head.contains("\r\nSec-WebSocket-Protocol: y\r\n"), "{head}");

    let mut connection = new_server();
    first_event(&mut connection, request);
    connection.accept(None).unwrap();
    assert_eq!(feed(&mut connection, b""), [Seen::Open(String::new())]);

    let mut connection = new_server();
    first_event(&mut connection, request);
    connection.refuse(404, b"no such path\n").unwrap();
    let (head, body) = answer(&drain(&mut connection));
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(body, b"no such path\n");
}

fn first_event(connection: &mut Connection, piece: &[u8]) -> Option<Seen> {
    let mut piece = piece.to_vec();
    let mut input = wsembed::proto::incoming::Input::new(&mut piece);
    connection.next(&mut input).ok().map(Seen::from)
}

#[test]
fn a_request_that_does_not_come_ends_by_its_deadline_and_by_the_end() {
    let mut connection = new_server();
    connection.tick(1);
    assert_eq!(feed(&mut connection, b"GET / HTTP/1.1\r\n"), []);
    connection.tick(1 + Settings::default().handshake_timeout);
    let seen = feed(&mut connection, b"");
    assert!(
        matches!(
            &seen[..],
            [Seen::Close {
                error: Some(Error::Timeout),
                ..
            }]
        ),
        "{seen:?}"
    );

    let mut connection = new_server();
    assert_eq!(feed(&mut connection, b"GE"), []);
    let seen = feed_eof(&mut connection);
    assert!(
        matches!(
            &seen[..],
            [Seen::Close {
                error: Some(Error::ConnectionLost),
                ..
            }]
        ),
        "{seen:?}"
    );
}

#[test]
fn a_strict_server_takes_none_of_it() {
    let mut connection = Connection::server(Arc::default(), random);
    let least = b"GET /null HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
    let seen = feed(&mut connection, least);
    assert!(
        matches!(
            &seen[..],
            [Seen::Close {
                error: Some(Error::HttpHost),
                ..
            }]
        ),
        "{seen:?}"
    );
}
