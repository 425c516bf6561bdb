//! Requests, answers and URLs.

use wsembed::proto::handshake::key;

use super::super::drive::first_nonce;
use super::super::handshake::{ADDRESS, ANSWER, OLD, REQUEST as REQUEST_INPUT};
use super::{Seed, add};

/// The request of RFC 6455 1.2, with a subprotocol that the targets support.
pub const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://server.example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The answer that the targets' client waits for.
pub fn answer() -> Vec<u8> {
    let accept = key::accept(&key::encode(first_nonce()));
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        &accept[..],
        b"\r\n\r\n",
    ]
    .concat()
}

/// What replaces a part of a good head.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("good", "", ""),
    ("post", "GET ", "POST "),
    ("http10", "HTTP/1.1", "HTTP/1.0"),
    ("absolute", "/chat", "http://server.example.com/chat?x=1"),
    ("two-slashes", "/chat", "//evil.example/chat"),
    ("no-host", "Host: server.example.com\r\n", ""),
    ("two-hosts", "Host:", "Host: other\r\nHost:"),
    ("bare-feed", "\r\nUpgrade", "\nUpgrade"),
    ("folded", "Upgrade: websocket", "Upgrade:\r\n websocket"),
    ("space-colon", "Upgrade:", "Upgrade :"),
    ("no-upgrade", "Upgrade: websocket\r\n", ""),
    ("h2c", "Upgrade: websocket", "Upgrade: h2c, WebSocket"),
    (
        "keep-alive",
        "Connection: Upgrade",
        "connection: keep-alive, UPGRADE",
    ),
    ("version-8", "Version: 13", "Version: 8"),
    (
        "two-versions",
        "Version: 13",
        "Version: 13\r\nSec-WebSocket-Version: 13",
    ),
    (
        "short-key",
        "dGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ=",
    ),
    (
        "loose-key",
        "dGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZR==",
    ),
    (
        "chunked",
        "Upgrade:",
        "Transfer-Encoding: chunked\r\nUpgrade:",
    ),
    ("length", "Upgrade:", "Content-Length: 5\r\nUpgrade:"),
    ("length-0", "Upgrade:", "Content-Length: 0\r\nUpgrade:"),
    ("lengths", "Upgrade:", "Content-Length: 0, 0\r\nUpgrade:"),
    ("evil-origin", "http://server", "https://evil"),
    (
        "good-origin",
        "http://server.example.com\r",
        "https://good.example\r",
    ),
    ("protocols", "chat, superchat", "chat, chat"),
    ("protocol-bytes", "chat, superchat", "ch\u{e9}t"),
    ("expect", "Upgrade:", "Expect: 100-continue\r\nUpgrade:"),
    ("empty-lines", "GET ", "\r\n\r\nGET "),
    ("control", "Upgrade:", "X: \x01\r\nUpgrade:"),
    ("head", "GET ", "HEAD "),
    (
        "plain-query",
        "/chat",
        "/a/b?c=/d HTTP/1.1\r\nHost: h\r\n\r\n",
    ),
    ("plain-old", "/chat", "/a HTTP/1.0\r\n\r\n"),
    (
        "plain-head",
        "GET /chat",
        "HEAD http://h/a HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    ("plain-post", "GET /chat", "POST /a HTTP/1.1\r\n\r\n"),
    ("plain-body", "Upgrade: websocket", "Content-Length: 5"),
];

const ANSWERS: &[(&str, &str, &str)] = &[
    ("good", "", ""),
    ("refused", "101 Switching Protocols", "403 Forbidden"),
    (
        "moved",
        "101 Switching Protocols",
        "302 Found\r\nLocation: /",
    ),
    ("http10", "HTTP/1.1", "HTTP/1.0"),
    ("no-reason", "101 Switching Protocols", "101"),
    ("lower-case", "Upgrade: websocket", "upgrade:WEBSOCKET"),
    ("no-upgrade", "Upgrade: websocket\r\n", ""),
    ("no-connection", "Connection: Upgrade\r\n", ""),
    ("wrong-accept", "Accept: ", "Accept: x"),
    (
        "extension",
        "Upgrade:",
        "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade:",
    ),
    (
        "chat",
        "Upgrade:",
        "Sec-WebSocket-Protocol: chat\r\nUpgrade:",
    ),
    (
        "not-offered",
        "Upgrade:",
        "Sec-WebSocket-Protocol: other\r\nUpgrade:",
    ),
    (
        "interim",
        "HTTP/1.1 101",
        "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 101",
    ),
    ("junk", "HTTP/1.1 101", "SSH-2.0-x"),
    (
        "glued",
        "Upgrade\r\nSec",
        "Upgrade\r\nContent-Length: 9\r\nSec",
    ),
];

const URLS: &[&str] = &[
    "ws://example.com/chat",
    "wss://example.com:8443/chat?room=1&x=%20",
    "WS://[2001:db8::1]:81/",
    "ws://127.0.0.1",
    "ws://h?q",
    "ws://h:/",
    "ws://h:65536/",
    "ws://user:password@h/",
    "ws://h/#f",
    "http://h/",
    "ws://[::1%25eth0]/",
    "ws://h//double",
];

pub fn handshake(seeds: &mut Vec<Seed>) {
    const TARGET: &str = "handshake";
    let frame = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for (at, (name, part, other)) in REQUESTS.iter().enumerate() {
        let head = String::from_utf8_lossy(REQUEST).replacen(part, other, 1);
        let start = [REQUEST_INPUT, 0, 0, 0, at as u8 % 3, at as u8 % 8, 2, 30, 1];
        let bytes = [&start[..], head.as_bytes(), frame].concat();
        add(seeds, TARGET, &format!("request-{name}"), bytes);
    }
    for (name, part, other) in ANSWERS {
        let answer = answer();
        let head = String::from_utf8_lossy(&answer).replacen(part, other, 1);
        let start = [ANSWER, 0, 0, 0, 0, 0, 1, 20];
        let bytes = [&start[..], head.as_bytes(), b"\x81\x05Hello"].concat();
        add(seeds, TARGET, &format!("answer-{name}"), bytes);
    }
    let lines = "X: y\r\n".repeat(60);
    for (name, limit) in [("bytes", [1, 0]), ("lines", [0, 1])] {
        let start = [REQUEST_INPUT, limit[0], limit[1], 0, 0, 0, 0];
        let bytes = [&start[..], b"GET / HTTP/1.1\r\n", lines.as_bytes()].concat();
        add(seeds, TARGET, &format!("too-many-{name}"), bytes);
    }
    for (at, url) in URLS.iter().enumerate() {
        let bytes = [&[ADDRESS], url.as_bytes()].concat();
        add(seeds, TARGET, &format!("url-{at:02}"), bytes);
    }
    let old: [(&str, &[u8]); 5] = [
        ("request", REQUEST),
        (
            "feeds",
            b"GET / HTTP/1.1\nUpgrade: websocket\nSec-WebSocket-Key: x\n\n\x81\x00",
        ),
        ("answer", b"HTTP/1.1 101\r\nSEC-WEBSOCKET-ACCEPT:x\r\n\r\n"),
        ("target", b"[fe80::1%eth0] /path?q"),
        ("host", b"10.0.0.1 x"),
    ];
    for (name, text) in old {
        let bytes = [&[OLD, 0x1F, 0x90, 2, 7, 1], text].concat();
        add(seeds, TARGET, &format!("old-{name}"), bytes);
    }
}
