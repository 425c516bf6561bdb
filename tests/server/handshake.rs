//! The opening handshake over the wire: requests byte for byte, and what they
//! are answered.

use std::net::Shutdown;

use crate::support::{Client, REQUEST, Server, TEXT, Told, closed, masked, opened};
use wsembed::config::Serving;
use wsembed::proto::settings::Settings;

const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn request() -> String {
    String::from_utf8(REQUEST.to_vec()).unwrap()
}

/// The good request, with one thing exchanged.
fn with(old: &str, new: &str) -> Vec<u8> {
    let good = request();
    assert_eq!(good.matches(old).count(), 1, "{old}");
    good.replacen(old, new, 1).into_bytes()
}

/// The good request with a line more.
fn and(line: &str) -> Vec<u8> {
    with("Host: here\r\n", &format!("Host: here\r\n{line}\r\n"))
}

/// Sends a request; the answer's head, and its body where the server hangs up
/// behind it. The server was told of nobody then.
fn answer(server: &mut Server, request: &[u8]) -> (String, Vec<u8>) {
    let mut client = Client::connect(server.address);
    let bytes = request.to_vec();
    let reader = std::thread::spawn(move || {
        // The server may have judged before all of it is there.
        let _ = std::io::Write::write_all(&mut client.socket, &bytes);
        let head = client.head();
        let mut body = Vec::new();
        if !head.starts_with("HTTP/1.1 101 ") {
            let _ = client.socket.shutdown(Shutdown::Write);
            std::io::Read::read_to_end(&mut client.socket, &mut body).unwrap();
        }
        (head, body)
    });
    server.until(|_| reader.is_finished());
    reader.join().unwrap()
}

/// Whether an answer is a refusal that any HTTP client understands.
fn refusal(head: &str, body: &[u8], what: &str) -> u16 {
    let status = head
        .get(9..12)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0);
    assert!(
        head.starts_with("HTTP/1.1 ") && status >= 300,
        "{what}: {head}"
    );
    assert!(head.contains("\r\nConnection: close"), "{what}: {head}");
    let length = format!("\r\nContent-Length: {}\r\n", body.len());
    assert!(head.contains(&length), "{what}: {head}");
    status
}

#[test]
fn hs01_to_hs09_requests_that_are_refused() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = |value: &str| {
        let line = format!("Sec-WebSocket-Version: {value}\r\n");
        with("Sec-WebSocket-Version: 13\r\n", &line)
    };
    let keyed = |value: &str| with(key, &format!("Sec-WebSocket-Key: {value}\r\n"));
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("HS01 no Host", with("Host: here\r\n", ""), 400),
        ("HS02 two", and("Host: there"), 400),
        ("HS02 bad", with("Host: here", "Host: he re"), 400),
        ("HS05 none", with("Connection: Upgrade\r\n", ""), 400),
        (
            "HS05 another",
            with("Connection: Upgrade", "Connection: keep-alive"),
            400,
        ),
        ("HS06 none", with("Sec-WebSocket-Version: 13\r\n", ""), 426),
        ("HS06 0", version("0"), 426),
        ("HS06 8", version("8"), 426),
        ("HS06 14", version("14"), 426),
        ("HS06 013", version("013"), 426),
        ("HS06 256", version("256"), 426),
        ("HS07 none", with(key, ""), 400),
        ("HS07 empty", keyed(""), 400),
        ("HS07 two", and(key.trim_end()), 400),
        ("HS08 15 bytes", keyed("AAAAAAAAAAAAAAAAAAAA"), 400),
        ("HS08 17 bytes", keyed("AAAAAAAAAAAAAAAAAAAAAAA="), 400),
        ("HS08 no padding", keyed("dGhlIHNhbXBsZSBub25jZQ"), 400),
        ("HS08 no base64", keyed("dGhlIHNhbXBsZSBub25j!!=="), 400),
    ];
    for (what, request, status) in cases {
        let (head, body) = answer(&mut server, &request);
        assert_eq!(refusal(&head, &body, what), status, "{what}: {head}");
        if status == 426 {
            assert!(head.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{head}");
        }
    }
    // Something else than a WebSocket is asked for: never a 101.
    for (what, request) in [
        ("HS03 none", with("Upgrade: websocket\r\n", "")),
        ("HS03 h2c", with("Upgrade: websocket", "Upgrade: h2c")),
    ] {
        let (head, body) = answer(&mut server, &request);
        let status = refusal(&head, &body, what);
        assert!([400, 404, 426].contains(&status), "{what}: {head}");
    }
    for (what, request) in [
        (
            "HS04 a list",
            with("Upgrade: websocket", "Upgrade: h2c, WebSocket"),
        ),
        (
            "HS05 a list",
            with("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        ),
        (
            "HS09 spaces",
            with(key, &key.replace("==\r\n", "== \t \r\n")),
        ),
    ] {
        let (head, _) = answer(&mut server, &request);
        assert!(head.starts_with("HTTP/1.1 101 "), "{what}: {head}");
        assert!(head.contains(ACCEPT), "{what}: {head}");
    }
}

#[test]
fn hs13_hs16_to_hs27_http_that_is_refused() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let line = |new: &str| with("GET /there?a=b HTTP/1.1", new);
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("HS13 doubled", and("Sec-WebSocket-Protocol: a, a"), &[400]),
        ("HS13 no token", and("Sec-WebSocket-Protocol: a b"), &[400]),
        (
            "HS13 not ASCII",
            and("Sec-WebSocket-Protocol: \u{e4}"),
            &[400],
        ),
        ("HS16 POST", line("POST /there HTTP/1.1"), &[400, 405]),
        (
            "HS16 CONNECT",
            line("CONNECT here:80 HTTP/1.1"),
            &[400, 405],
        ),
        ("HS16 get", line("get /there HTTP/1.1"), &[400, 405, 501]),
        ("HS17 1.0", line("GET /there HTTP/1.0"), &[400, 505]),
        ("HS17 1.10", line("GET /there HTTP/1.10"), &[400, 505]),
        ("HS17 2.0", line("GET /there HTTP/2.0"), &[400, 505]),
        ("HS17 0.9", b"GET /there\r\n\r\n".to_vec(), &[400, 505]),
        (
            "HS17 preface",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            &[400, 505],
        ),
        ("HS17 junk", line("GET /there HTTP/1.1 x"), &[400, 505]),
        ("HS18 a body", and("Content-Length: 5"), &[400]),
        ("HS18 chunks", and("Transfer-Encoding: chunked"), &[400]),
        (
            "HS19 both",
            and("Content-Length: 5\r\nTransfer-Encoding: chunked"),
            &[400],
        ),
        (
            "HS19 two",
            and("Content-Length: 0\r\nContent-Length: 1"),
            &[400],
        ),
        ("HS19 -1", and("Content-Length: -1"), &[400]),
        ("HS19 +5", and("Content-Length: +5"), &[400]),
        (
            "HS19 large",
            and("Content-Length: 18446744073709551616"),
            &[400],
        ),
        (
            "HS20 line feeds",
            request().replace("\r\n", "\n").into_bytes(),
            &[400],
        ),
        ("HS20 a bare return", and("A: b\rc"), &[400]),
        ("HS21 NUL", and("A: b\0c"), &[400]),
        ("HS21 a bell", and("A\x07: b"), &[400]),
        ("HS22 a space", and("A : b"), &[400]),
        ("HS22 no name", and(": b"), &[400]),
        ("HS22 no colon", and("Ab"), &[400]),
        ("HS23 folded", and("A: b\r\n c"), &[400]),
        (
            "HS24 empty lines",
            [&b"\r\n".repeat(40), REQUEST].concat(),
            &[400],
        ),
        ("HS26 *", line("GET * HTTP/1.1"), &[400]),
        ("HS26 authority", line("GET here:80 HTTP/1.1"), &[400]),
        ("HS26 nothing", line("GET  HTTP/1.1"), &[400]),
        ("HS26 no slash", line("GET there HTTP/1.1"), &[400]),
        (
            "HS27 long",
            line(&format!("GET /{} HTTP/1.1", "x".repeat(9000))),
            &[414, 431],
        ),
    ];
    for (what, request, statuses) in cases {
        let (head, body) = answer(&mut server, &request);
        let status = refusal(&head, &body, what);
        assert!(statuses.contains(&status), "{what}: {head}");
        // A refusal is no peer's: nobody is told of a connection.
        assert!(
            !server.told().iter().any(|told| opened(told).is_some()),
            "{what}"
        );
    }
    assert_eq!(
        server
            .shared
            .gauges
            .handshakes
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );
    for (what, request, target) in [
        (
            "HS25 absolute",
            line("GET http://elsewhere/over?there HTTP/1.1"),
            "/over?there",
        ),
        (
            "HS27 raw",
            line("GET /a%00%0d%0a/../b HTTP/1.1"),
            "/a%00%0d%0a/../b",
        ),
        ("HS38 Expect", and("Expect: 100-continue"), "/there?a=b"),
    ] {
        let (head, _) = answer(&mut server, &request);
        assert!(head.starts_with("HTTP/1.1 101 "), "{what}: {head}");
        let asked = server.expect(|told| match told {
            Told::Request(_, target) => Some(target.clone()),
            _ => None,
        });
        assert_eq!(asked, target, "{what}");
    }
}

#[test]
fn hs40_hs41_what_speaks_another_protocol_is_answered_and_let_go() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let mut noise = 1_u32;
    let random: Vec<u8> = (0..65_536)
        .map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        })
        .collect();
    for (what, bytes) in [
        (
            "a TLS hello",
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n"[..],
        ),
        ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        ("PROXY", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
        ("noise", &random),
    ] {
        let (head, body) = answer(&mut server, bytes);
        assert!(
            [400, 405, 431, 501, 505].contains(&refusal(&head, &body, what)),
            "{what}: {head}"
        );
    }
}

#[test]
fn hs14_hs36_hs37_hs39_a_program_judges_by_what_was_asked() {
    let mut server = Server::new(Settings::default(), Serving::default(), |told, here| {
        let Told::Request(peer, target) = told else {
            return;
        };
        here.with_connection(*peer, |connection| {
            let secret = connection.request_header("authorization")?;
            if target != "/there?a=b" {
                return connection.refuse(404, b"there is nothing here");
            }
            if secret != Some(b"Bearer 1234") {
                connection.add_header("WWW-Authenticate", "Bearer")?;
                return connection.refuse(401, b"");
            }
            assert!(connection.accept(Some("never-offered")).is_err());
            connection.accept(Some("b"))
        })
        .unwrap();
    });
    let (head, body) = answer(&mut server, &with("/there?a=b", "/elsewhere"));
    assert_eq!(refusal(&head, &body, "HS36"), 404);
    assert_eq!(body, b"there is nothing here");
    let (head, body) = answer(&mut server, REQUEST);
    assert_eq!(refusal(&head, &body, "HS37"), 401);
    assert!(head.contains("\r\nWWW-Authenticate: Bearer\r\n"), "{head}");
    // Where it came from is the socket's to say, not the request's.
    let lines = "Authorization: Bearer 1234\r\nSec-WebSocket-Protocol: a, b\r\n\
        X-Forwarded-For: 203.0.113.7\r\nForwarded: for=203.0.113.7";
    let mut client = Client::connect(server.address);
    client.write(&and(lines));
    let peer = server.expect(opened);
    let head = client.head();
    assert!(head.contains("\r\nSec-WebSocket-Protocol: b\r\n"), "{head}");
    let address = server
        .shared
        .facts(peer, |facts| format!("{:?}", facts.origin()));
    assert!(address.unwrap().contains("127.0.0.1"));
}

#[test]
fn hs29_hs30_who_dawdles_is_let_go() {
    let settings = Settings {
        handshake_timeout: 100,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let silent = Client::connect(server.address);
    let mut slow = Client::connect(server.address);
    slow.write(&REQUEST[..20]);
    let waiting = std::thread::spawn(move || {
        [silent, slow].map(|mut client| {
            let mut answer = String::new();
            std::io::Read::read_to_string(&mut client.socket, &mut answer).unwrap();
            answer
        })
    });
    server.until(|_| waiting.is_finished());
    for head in waiting.join().unwrap() {
        assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    }
    assert!(!server.told().iter().any(|told| opened(told).is_some()));
}

#[test]
fn hs32_hs33_what_follows_the_request_is_frames() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let mut client = Client::connect(server.address);
    client.write(&[REQUEST, &masked(TEXT, b"early")].concat());
    server.expect(|told| matches!(told, Told::Text(..)).then_some(()));
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    server.turn(0);
    assert_eq!(client.frame(), (TEXT, b"early".to_vec()));
    let mut client = Client::connect(server.address);
    client.write(&REQUEST.repeat(2));
    let (_, code) = server.expect(closed);
    assert_eq!(code, 1002);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    assert_eq!(&client.frame().1[..2], [3, 234]);
}

#[test]
fn hs34_hs35_a_connection_that_is_gone_before_it_is_one() {
    let mut server = Server::new(Settings::default(), Serving::default(), |told, here| {
        if let Told::Request(peer, _) = told {
            // Closing at the request refuses it.
            assert_eq!(here.close(*peer, Some(1008), "no"), Ok(()));
        }
    });
    let (head, body) = answer(&mut server, REQUEST);
    refusal(&head, &body, "HS35");
    // Gone within the request, and right behind it.
    for part in [&REQUEST[..30], REQUEST] {
        let mut client = Client::connect(server.address);
        client.write(part);
        drop(client);
    }
    server.until(|server| {
        server
            .shared
            .gauges
            .accepted
            .load(std::sync::atomic::Ordering::Relaxed)
            == 3
            && server
                .shared
                .gauges
                .peers
                .load(std::sync::atomic::Ordering::Relaxed)
                == 0
    });
    assert!(!server.told().iter().any(|told| opened(told).is_some()));
}
