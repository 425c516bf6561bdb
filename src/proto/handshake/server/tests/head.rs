//! What HTTP itself asks of a request: syntax, version, method, host, body, target.

use super::*;

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
