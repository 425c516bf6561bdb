//! Origins (RFC 6455 10.2).

use super::*;

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
        ("[::1]", "https://[::1]:443", true),
        ("[::1]:8080", "http://[::2]:8080", false),
        ("[::1]:8080", "http://[::1]", false),
        ("h:8080", "ws://h:8080", false),
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
        ("https://app.example:443", &["https://app.example"], true),
        ("http://app.example", &["HTTP://app.example:80"], true),
        ("http://[::1]", &["http://[::1]:80"], true),
        ("http://[::1]:81", &["http://[::1]:81"], true),
        ("null", &["null"], true),
        ("moz-extension://a-b", &["moz-extension://a-b"], true),
        ("https://app.example:80", &["https://app.example"], false),
        ("https://app.example", &["http://app.example:443"], false),
        ("http://[::1]", &["http://[::2]", "http://::1"], false),
        ("moz-extension://a-b", &["moz-extension://a"], false),
        ("null", &["https://null", "x"], false),
        ("x", &["y", "http:// "], false),
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
