//! Whole heads taken apart.

use super::*;

#[test]
fn hs17_versions() {
    for (line, error) in [
        ("GET /", Error::HttpSyntax),
        ("GET / ", Error::HttpSyntax),
        ("GET  / HTTP/1.1", Error::HttpSyntax),
        ("GET /  HTTP/1.1", Error::HttpSyntax),
        ("GET / HTTP/1.1 ", Error::HttpSyntax),
        ("GET / HTTP/1.1 junk", Error::HttpSyntax),
        ("GET / HTTP/1.10", Error::HttpSyntax),
        ("GET / HTTP/11.1", Error::HttpSyntax),
        ("GET / HTTP/1", Error::HttpSyntax),
        ("GET / http/1.1", Error::HttpSyntax),
        ("GET / HTTPS/1.1", Error::HttpSyntax),
        ("GET HTTP/1.1", Error::HttpSyntax),
        ("GET / HTTP/1.0", Error::HttpVersion),
        ("GET / HTTP/0.9", Error::HttpVersion),
        ("GET / HTTP/1.2", Error::HttpVersion),
        ("GET / HTTP/3.0", Error::HttpVersion),
        ("PRI * HTTP/2.0", Error::HttpVersion),
    ] {
        let head = format!("{line}\r\nHost: h\r\n\r\n");
        assert_eq!(parse_request(head.as_bytes()).err(), Some(error), "{line}");
        let collected = Collector::new(ROOMY).take(head.as_bytes());
        let passed = error == Error::HttpVersion;
        assert_eq!(
            collected,
            if passed {
                Ok((head.len(), true))
            } else {
                Err(error)
            },
            "{line}"
        );
    }
}

#[test]
fn requests_are_taken_apart() {
    let head = parse_request(REQUESTS[1]).expect("a request");
    assert_eq!((head.method, head.target), ("GET", "/chat?x=%00"));
    let lines: Vec<_> = head
        .headers
        .iter()
        .map(|line| (line.name, line.value))
        .collect();
    assert_eq!(
        lines,
        [
            ("Host", &b"h"[..]),
            ("Upgrade", b"websocket"),
            ("Empty", b""),
            ("Tabs", b"a\tb"),
        ]
    );
    let head = parse_request(REQUESTS[4]).expect("a request");
    assert_eq!(head.headers[0].value, b"caf\xC3\xA9 \xFF");
    assert_eq!(head.headers[1].name, "!#$%&'*+-.^_`|~");
}

#[test]
fn hc09_answers_are_taken_apart() {
    for (head, status) in ANSWERS
        .iter()
        .zip([Ok(101), Ok(101), Ok(200), Err(Error::HttpVersion)])
    {
        assert_eq!(parse_response(head).map(|head| head.status), status);
    }
    for (line, status) in [
        ("HTTP/1.1 999 x", Ok(999)),
        ("HTTP/1.1 100 x", Ok(100)),
        ("HTTP/1.1 099 x", Err(Error::HttpSyntax)),
        ("HTTP/1.1 000", Err(Error::HttpSyntax)),
        ("HTTP/1.1  200 x", Err(Error::HttpSyntax)),
        ("HTTP/1.1 200\tx", Err(Error::HttpSyntax)),
        ("HTTP/2.0 200 x", Err(Error::HttpVersion)),
        ("HTTP/2 200", Err(Error::HttpSyntax)),
        ("ICY 200 OK", Err(Error::HttpSyntax)),
    ] {
        let head = format!("{line}\r\n\r\n");
        assert_eq!(
            parse_response(head.as_bytes()).map(|head| head.status),
            status,
            "{line}"
        );
    }
    assert_eq!(status_of_any_version(ANSWERS[3]), 503);
    assert_eq!(status_of_any_version(b"HTTP/2.0 101\r\n\r\n"), 101);
    assert_eq!(status_of_any_version(b"HTTP/2.0 101\r\n"), 0);
    assert_eq!(status_of_any_version(b""), 0);
}

#[test]
fn a_head_is_parsed_whole_or_not_at_all() {
    for (index, head) in REQUESTS.iter().enumerate() {
        let whole = parse_request(head);
        assert_eq!(
            whole.is_ok(),
            index != 3,
            "only the HTTP/2 preface is of another version"
        );
        for cut in 0..head.len() {
            assert_eq!(parse_request(&head[..cut]).err(), Some(Error::HttpSyntax));
        }
        let more = [head, &b"x"[..]].concat();
        assert_eq!(parse_request(&more).err(), Some(Error::HttpSyntax));
    }
}
