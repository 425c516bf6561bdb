use proptest::prelude::*;

use super::*;

fn url(secure: bool, host: &str, port: u16, target: &str) -> Url {
    Url {
        secure,
        host: host.to_owned(),
        port,
        target: target.to_owned(),
    }
}

#[test]
fn urls_and_their_host_header() {
    for (text, wanted, authority) in [
        ("ws://h", url(false, "h", 80, "/"), "h"),
        ("wss://h", url(true, "h", 443, "/"), "h"),
        (
            "WS://Host.Example/",
            url(false, "Host.Example", 80, "/"),
            "Host.Example",
        ),
        ("WsS://h:443/p", url(true, "h", 443, "/p"), "h"),
        ("ws://h:443/p", url(false, "h", 443, "/p"), "h:443"),
        ("wss://h:80/p", url(true, "h", 80, "/p"), "h:80"),
        ("ws://h:/p", url(false, "h", 80, "/p"), "h"),
        ("ws://h:1", url(false, "h", 1, "/"), "h:1"),
        ("ws://h:65535", url(false, "h", 65535, "/"), "h:65535"),
        ("ws://h:0080", url(false, "h", 80, "/"), "h"),
        ("ws://h?a=b&c", url(false, "h", 80, "/?a=b&c"), "h"),
        ("ws://h/?", url(false, "h", 80, "/?"), "h"),
        (
            "ws://h/a//b/../%2F%00?q=/?:@",
            url(false, "h", 80, "/a//b/../%2F%00?q=/?:@"),
            "h",
        ),
        (
            "ws://192.0.2.1:9001/",
            url(false, "192.0.2.1", 9001, "/"),
            "192.0.2.1:9001",
        ),
        ("ws://[::1]/", url(false, "::1", 80, "/"), "[::1]"),
        (
            "wss://[2001:DB8::1]:8443?x",
            url(true, "2001:DB8::1", 8443, "/?x"),
            "[2001:DB8::1]:8443",
        ),
        (
            "ws://[::ffff:192.0.2.1]:",
            url(false, "::ffff:192.0.2.1", 80, "/"),
            "[::ffff:192.0.2.1]",
        ),
        (
            "ws://under_score.local/",
            url(false, "under_score.local", 80, "/"),
            "under_score.local",
        ),
    ] {
        let parsed = Url::parse(text);
        assert_eq!(
            parsed.as_ref().map(Url::authority),
            Ok(authority.to_owned()),
            "{text}"
        );
        assert_eq!(parsed, Ok(wanted), "{text}");
    }
}

#[test]
fn hc21_hc19_urls_that_are_refused() {
    for text in [
        "",
        "ws:",
        "ws:/",
        "ws://",
        "ws:///path",
        "ws://?q",
        "://h",
        "h/path",
        "//h/path",
        "http://h",
        "https://h",
        "wsss://h",
        " ws://h",
        "ws ://h",
        "ws://h/#",
        "ws://h/p#f",
        "ws://h#f",
        "ws://h?q#f",
        "ws://user@h/",
        "ws://user:secret@h/",
        "ws://@h/",
        "ws://h:0/",
        "ws://h:00/",
        "ws://h:65536/",
        "ws://h:-1/",
        "ws://h:+1/",
        "ws://h:99999999999999999999/",
        "ws://h:8o/",
        "ws://h:80:80/",
        "ws://:80/",
        "ws://::1/",
        "ws://[::1/",
        "ws://[]/",
        "ws://[::1]80/",
        "ws://[::1]x/",
        "ws://[::1%25eth0]/",
        "ws://[::1%eth0]/",
        "ws://[v1.x]/",
        "ws://[192.0.2.1]/",
        "ws://h]/",
        "ws://a b/",
        "ws://h/a b",
        "ws://h/a\r\nX: y",
        "ws://h/\0",
        "ws://h/\x7f",
        "ws://h/\t",
        "ws://h\r\n/",
        "ws://h%00/",
        "ws://%68/",
        "ws://h\\@evil/",
        "ws://h<x>/",
        "ws://hé/",
        "ws://h/é",
    ] {
        assert_eq!(Url::parse(text), Err(Error::Url), "{text:?}");
    }
}

#[test]
fn hc21_the_length_is_bounded() {
    let path = "a".repeat(MAX_LENGTH - "ws://h/".len());
    let longest = format!("ws://h/{path}");
    assert_eq!(longest.len(), MAX_LENGTH);
    assert_eq!(
        Url::parse(&longest).map(|url| url.target.len()),
        Ok(path.len() + 1)
    );
    assert_eq!(Url::parse(&format!("{longest}a")), Err(Error::Url));
    assert_eq!(
        Url::parse(&format!("ws://{}", "h".repeat(1 << 16))),
        Err(Error::Url)
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        scheme in "(ws|wss)://|.{0,6}",
        authority in "[a-z0-9.:@\\[\\]%]{0,12}",
        rest in "[/?#a-z% é\r\n]{0,12}",
    ) {
        let text = format!("{scheme}{authority}{rest}");
        if let Ok(url) = Url::parse(&text) {
            prop_assert!(url.target.starts_with('/') && !url.target.contains('#'));
            prop_assert!(!url.host.is_empty() && url.port != 0);
            let scheme = if url.secure { "wss" } else { "ws" };
            let again = format!("{scheme}://{}{}", url.authority(), url.target);
            prop_assert_eq!(Url::parse(&again), Ok(url));
        }
    }
}
