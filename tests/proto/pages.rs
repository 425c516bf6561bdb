//! Requests that are none for a WebSocket, where there are pages.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Answer, Connection};
use wsembed::proto::page::{self, Page};
use wsembed::proto::settings::Settings;

use crate::support::*;

const BODY: &[u8] = b"<p>\xC3\xA9\0";

fn new_server(change: impl FnOnce(&mut Settings)) -> Connection {
    let mut settings = Settings::default();
    change(&mut settings);
    Connection::server_of_pages(Arc::new(settings), random)
}

fn html(bytes: &[u8]) -> Arc<Page> {
    Arc::new(Page::new("text/html", bytes).unwrap())
}

/// One page, at `/`.
fn find(path: &str) -> Answer {
    match path {
        "/" => Answer::Page(html(BODY)),
        _ => Answer::Missing,
    }
}

/// A head of these lines.
fn head(lines: &[&str]) -> Vec<u8> {
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

/// What a connection tells of these bytes and answers to them, where plain
/// requests get what `find` gives.
fn exchange(
    connection: &mut Connection,
    bytes: &[u8],
    find: impl Fn(&str) -> Answer,
) -> (Vec<Seen>, Vec<u8>) {
    let mut seen = feed(connection, bytes);
    if let Some(answer) = connection.asked().map(find) {
        assert_eq!(seen, []);
        connection.answer(answer).unwrap();
        seen = feed(connection, b"");
    }
    (seen, drain(connection))
}

/// Status line, header lines and body of an answer.
fn split(answer: &[u8]) -> (String, Vec<String>, Vec<u8>) {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("a head") + 4);
    let head = String::from_utf8(head.to_vec()).unwrap();
    let mut lines = head.trim_end().split("\r\n").map(str::to_owned);
    (lines.next().unwrap(), lines.collect(), body.to_vec())
}

fn closed(connection: &mut Connection) {
    assert_eq!(connection.output(), Err(Error::Closed));
    assert_eq!(feed(connection, b"more"), []);
    assert_eq!(connection.asked(), None);
}

/// The status of the answer, about which no event tells.
fn status_of(request: &[&str]) -> (u16, Vec<String>, Vec<u8>) {
    let mut connection = new_server(|_| {});
    let (seen, answer) = exchange(&mut connection, &head(request), find);
    assert_eq!(seen, [], "{request:?}");
    closed(&mut connection);
    let (status, lines, body) = split(&answer);
    let status = status.strip_prefix("HTTP/1.1 ").unwrap();
    assert!(lines.contains(&"Connection: close".to_owned()), "{lines:?}");
    (status[..3].parse().unwrap(), lines, body)
}

#[test]
fn a_get_of_a_page_gets_it() {
    for request in [
        &["GET / HTTP/1.1", "Host: h"][..],
        &["GET /?a=b/c HTTP/1.1", "Host: h"],
        &["GET http://h/?x HTTP/1.1", "Host: x"],
        &["", "GET / HTTP/1.1", "Host: [::1]:80"],
        &["GET / HTTP/1.1", "Host: h", "Content-Length: 0"],
        &[
            "GET / HTTP/1.1",
            "Host: h",
            "Upgrade: h2c",
            "Connection: Upgrade",
        ],
        &["GET / HTTP/1.1", "Host: h", "Origin: http://evil"],
        &["GET / HTTP/1.1", "Host: h", "Expect: 100-continue"],
        &["GET / HTTP/1.0"],
        &["GET / HTTP/1.0", "Host: h"],
        &[
            "GET / HTTP/1.0",
            "Upgrade: websocket",
            "Connection: Upgrade",
        ],
    ] {
        let (status, lines, body) = status_of(request);
        assert_eq!((status, &body[..]), (200, BODY), "{request:?}");
        let wanted = [
            "Connection: close",
            "Content-Type: text/html",
            "Content-Length: 6",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
        ];
        assert_eq!(lines, wanted);
    }
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let (_, wanted, _) = status_of(&["GET / HTTP/1.1", "Host: h"]);
    let found = status_of(&["HEAD / HTTP/1.1", "Host: h"]);
    assert_eq!(found, (200, wanted, Vec::new()));
    let (_, wanted, body) = status_of(&["GET /x HTTP/1.1", "Host: h"]);
    assert!(!body.is_empty());
    let found = status_of(&["HEAD /x HTTP/1.1", "Host: h"]);
    assert_eq!(found, (404, wanted, Vec::new()));
    // Where the request itself is wrong, too.
    let mut connection = new_server(|_| {});
    let (seen, answer) = exchange(&mut connection, &head(&["HEAD / HTTP/1.1"]), find);
    assert!(matches!(
        &seen[..],
        [Seen::Close {
            error: Some(Error::HttpHost),
            ..
        }]
    ));
    let (status, lines, body) = split(&answer);
    assert_eq!(
        (&status[..], &body[..]),
        ("HTTP/1.1 400 Bad Request", &b""[..])
    );
    let length = format!("Content-Length: {}", Error::HttpHost.to_string().len() + 1);
    assert!(lines.contains(&length), "{lines:?}");
}

#[test]
fn hs36_an_unknown_path_is_404() {
    for target in ["/x", "/index.html", "/%2F", "/./", "/favicon.ico?v=1"] {
        let (status, _, body) = status_of(&[&format!("GET {target} HTTP/1.1"), "Host: h"]);
        assert_eq!(status, 404, "{target}");
        assert_eq!(body, b"there is no such page\n");
    }
}

#[test]
fn hs16_methods_that_no_page_has_are_405() {
    for first in [
        "POST / HTTP/1.1",
        "PUT /x HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT h:80 HTTP/1.1",
        "get / HTTP/1.1",
        "POST / HTTP/1.0",
    ] {
        let (status, lines, _) = status_of(&[first, "Content-Length: 1000"]);
        assert_eq!(status, 405, "{first}");
        assert!(lines.contains(&"Allow: GET, HEAD".to_owned()), "{lines:?}");
    }
}

#[test]
fn hs01_hs02_hs17_hs18_hs19_hs26_what_is_wrong_is_refused_and_told() {
    for (request, error, status) in [
        (&["GET / HTTP/1.1"][..], Error::HttpHost, 400),
        (
            &["GET / HTTP/1.1", "Host: a", "Host: b"],
            Error::HttpHost,
            400,
        ),
        (&["GET / HTTP/1.0", "Host: a b"], Error::HttpHost, 400),
        (
            &["GET / HTTP/1.0", "Host: a", "Host: a"],
            Error::HttpHost,
            400,
        ),
        (
            &["GET / HTTP/1.1", "Host: h", "Content-Length: 5"],
            Error::HttpBody,
            400,
        ),
        (
            &["GET / HTTP/1.0", "Transfer-Encoding: chunked"],
            Error::HttpBody,
            400,
        ),
        (
            &[
                "HEAD / HTTP/1.1",
                "Host: h",
                "Content-Length: 0",
                "Content-Length: 1",
            ],
            Error::HttpSyntax,
            400,
        ),
        (&["GET // HTTP/1.1", "Host: h"], Error::HttpTarget, 400),
        (&["GET * HTTP/1.1", "Host: h"], Error::HttpTarget, 400),
        (&["GET /#x HTTP/1.1", "Host: h"], Error::HttpTarget, 400),
        (&["PRI * HTTP/2.0", "", "SM"], Error::HttpVersion, 505),
        (&["GET / HTTP/1.2", "Host: h"], Error::HttpVersion, 505),
        // A WebSocket's request is judged as ever, page or no page.
        (
            &[
                "GET / HTTP/1.1",
                "Host: h",
                "Upgrade: websocket",
                "Connection: Upgrade",
            ],
            Error::Version,
            426,
        ),
        (
            &[
                "POST / HTTP/1.1",
                "Host: h",
                "Upgrade: websocket",
                "Connection: Upgrade",
            ],
            Error::HttpMethod,
            405,
        ),
    ] {
        let mut connection = new_server(|_| {});
        let (seen, answer) = exchange(&mut connection, &head(request), find);
        let told = Seen::Close {
            code: 1006,
            reason: String::new(),
            by_peer: false,
            error: Some(error),
            missing: 0,
        };
        assert_eq!(seen, [told], "{request:?}");
        let start = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(start.as_bytes()), "{request:?}");
        closed(&mut connection);
    }
}

#[test]
fn hs03_hs16_hs17_without_pages_nothing_is_different() {
    for request in [
        &["GET / HTTP/1.1", "Host: h"][..],
        &["GET / HTTP/1.1", "Host: h", "Upgrade: h2c"],
        &["GET / HTTP/1.0"],
        &["POST / HTTP/1.0"],
        &[
            "GET / HTTP/1.0",
            "Upgrade: websocket",
            "Connection: Upgrade",
        ],
        &["HEAD / HTTP/1.1", "Host: h"],
        &["POST / HTTP/1.1", "Host: h"],
        &["GET / HTTP/1.1"],
        &["GET / HTTP/1.1", "Host: h", "Content-Length: 5"],
    ] {
        let mut plain = Connection::server(Arc::default(), random);
        let mut pages = new_server(|_| {});
        let wanted = exchange(&mut plain, &head(request), |_| panic!("asked"));
        let found = exchange(&mut pages, &head(request), |_| Answer::NoPages);
        assert_eq!(found, wanted, "{request:?}");
        assert_eq!(wanted.0.len(), 1);
        let failures = [&plain, &pages].map(|one| one.failure().cloned().unwrap());
        assert_eq!(failures[0].status, failures[1].status);
        assert_eq!(failures[0].answer, failures[1].answer);
        let body_of_head = request[0].starts_with("HEAD") && !split(&found.1).2.is_empty();
        assert!(!body_of_head);
    }
}

#[test]
fn hs31_hs32_cut_anywhere_and_with_more_behind_it_is_one_request() {
    let request = head(&["GET / HTTP/1.1", "Host: h"]);
    let (_, wanted) = exchange(&mut new_server(|_| {}), &request, find);
    let glued = [&request[..], &request, b"\x81\x85garbage", &[0xFF; 5000]].concat();
    for cut in 0..request.len() + 20 {
        let mut connection = new_server(|_| {});
        assert_eq!(feed(&mut connection, &glued[..cut]), []);
        let (seen, answer) = exchange(&mut connection, &glued[cut..], find);
        assert_eq!((seen, &answer), (vec![], &wanted), "{cut}");
        closed(&mut connection);
    }
    // The end of the stream right behind the request: the answer still goes out.
    let mut connection = new_server(|_| {});
    connection.feed_eof();
    let (seen, answer) = exchange(&mut connection, &request, find);
    assert_eq!((seen, answer), (vec![], wanted));
}

#[test]
fn a_page_is_shared_and_leaves_in_any_pieces() {
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
    let page = html(&bytes);
    for step in [1, 7, 999, 16 << 10, usize::MAX] {
        let mut connection = new_server(|_| {});
        let share = |_: &str| Answer::Page(Arc::clone(&page));
        feed(&mut connection, &head(&["GET / HTTP/1.1", "Host: h"]));
        let answer = connection.asked().map(share).unwrap();
        connection.answer(answer).unwrap();
        assert_eq!(Arc::strong_count(&page), 2);
        assert!(connection.queued() < 1000, "its bytes are not queued");
        assert_eq!(connection.answer(Answer::Missing), Err(Error::State));
        let (queued, shared) = connection.output_parts().unwrap();
        assert!(!queued.is_empty());
        assert_eq!(shared.as_ptr(), page.bytes().as_ptr());
        let total = queued.len() + shared.len();
        assert_eq!(connection.done(total + 1), Err(Error::Usage));
        connection.feed_eof();
        let mut got = Vec::new();
        loop {
            let (queued, shared) = match connection.output_parts() {
                Ok(parts) => parts,
                Err(error) => break assert_eq!(error, Error::Closed),
            };
            let next = [queued, shared].concat();
            let taken = next.len().min(step);
            got.extend_from_slice(&next[..taken]);
            connection.done(taken).unwrap();
        }
        assert_eq!(got.len(), total);
        assert_eq!(split(&got).2, bytes, "{step}");
    }
    assert_eq!(Arc::strong_count(&page), 1);
}

#[test]
fn hs29_a_reader_that_takes_too_little_is_cut_off() {
    let mut connection = new_server(|settings| settings.handshake_timeout = 1000);
    connection.tick(0);
    let big = |_: &str| Answer::Page(html(&[7; 100_000]));
    feed(&mut connection, &head(&["GET / HTTP/1.1", "Host: h"]));
    let answer = connection.asked().map(big).unwrap();
    connection.answer(answer).unwrap();
    assert_eq!(connection.deadline(), 1000);
    let head = connection.output().unwrap().len();
    connection.done(head).unwrap();
    // As long as enough is taken it may take its time.
    for turn in 1..=4 {
        connection.tick(turn * 900);
        connection.done(16 << 10).unwrap();
        assert_eq!(connection.deadline(), turn * 900 + 1000);
    }
    connection.tick(4500);
    connection.done(1000).unwrap();
    assert_eq!(connection.deadline(), 4600);
    connection.tick(4599);
    assert!(connection.output().is_ok());
    connection.tick(4600);
    assert_eq!(connection.output(), Err(Error::Closed));
    assert_eq!(feed(&mut connection, b""), []);
    // Before there is an answer the request's own deadline holds.
    let mut connection = new_server(|settings| settings.handshake_timeout = 1000);
    connection.tick(0);
    feed(&mut connection, b"GET / HTTP/1.1\r\n");
    connection.tick(1000);
    assert!(drain(&mut connection).starts_with(b"HTTP/1.1 408 "));
}

#[test]
fn a_plain_request_can_be_neither_accepted_nor_refused() {
    let mut connection = new_server(|_| {});
    assert_eq!(connection.answer(Answer::Missing), Err(Error::State));
    feed(&mut connection, &head(&["GET /x HTTP/1.1", "Host: h"]));
    assert_eq!(connection.asked(), Some("/x"));
    assert_eq!(connection.accept(None), Err(Error::State));
    assert_eq!(connection.refuse(404, b""), Err(Error::State));
    assert_eq!(connection.add_header("A", "b"), Err(Error::State));
    assert_eq!(connection.request_header("Host"), Err(Error::State));
    // The program ends it before anybody answered.
    connection.close(None, "").unwrap();
    assert_eq!(connection.asked(), None);
    assert_eq!(connection.answer(Answer::Missing), Err(Error::State));
    assert!(drain(&mut connection).starts_with(b"HTTP/1.1 503 "));
}

#[test]
fn a_websocket_beside_pages_is_what_it_is_without() {
    let request = head(&[
        "GET / HTTP/1.1",
        "Host: h",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]);
    let bytes = [&request[..], &masked(FIN | TEXT, b"x")].concat();
    let mut pages = new_server(|_| {});
    let mut plain = Connection::server(Arc::default(), random);
    let wanted = exchange(&mut plain, &bytes, |_| panic!("asked"));
    assert_eq!(wanted.0.len(), 3);
    assert_eq!(exchange(&mut pages, &bytes, |_| panic!("asked")), wanted);
}

#[test]
fn hc20_lines_of_the_config_go_with_a_page_and_replace_its_defaults() {
    let mut connection = new_server(|settings| {
        settings.headers = [
            ("X-Frame-Options", "DENY"),
            ("cache-control", "no-cache"),
            ("content-type", "text/plain"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    });
    let (_, answer) = exchange(&mut connection, &head(&["GET / HTTP/1.1", "Host: h"]), find);
    let (_, lines, _) = split(&answer);
    let wanted = [
        "Connection: close",
        "Content-Type: text/html",
        "Content-Length: 6",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "cache-control: no-cache",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn hs28_content_types_and_paths_that_cannot_be_sent_are_refused() {
    for kind in [
        "text/html",
        "text/html; charset=utf-8",
        " application/vnd.x+json ;a=\"b c\" ",
        "a/b",
    ] {
        assert_eq!(Page::new(kind, b"").unwrap().content_type(), kind.trim());
    }
    for kind in [
        "",
        "text",
        "/",
        "text/",
        "/html",
        "text/html\r\nX: y",
        "text/html\n",
        "text/html; a=\0",
        "text/ html",
        "text/html/x",
        "caf\u{e9}/x",
        "text/html; a=\u{e9}",
        &format!("a/{}", "b".repeat(255)),
    ] {
        assert_eq!(Page::new(kind, b"").err(), Some(Error::Header), "{kind:?}");
    }
    let longest = format!("/{}", "a".repeat(page::MAX_PATH - 1));
    for path in ["/", "/a", "/a/b.html", "/%C3%A9", "/a//", &longest] {
        assert!(page::is_path(path), "{path}");
    }
    let longer = format!("{longest}a");
    for path in [
        "", "a", "*", "//", "//a", "/?", "/a?b", "/#", "/a b", "/\u{e9}", "/\r", &longer,
    ] {
        assert!(!page::is_path(path), "{path:?}");
    }
}
