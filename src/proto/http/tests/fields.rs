//! Header lines: finding them, lists, what may be sent.

use super::*;

fn lines<'h>(pairs: &[(&'h str, &'h str)]) -> Vec<Header<'h>> {
    pairs
        .iter()
        .map(|&(name, value)| Header {
            name,
            value: value.as_bytes(),
        })
        .collect()
}

#[test]
fn fields_are_found_in_any_case() {
    let headers = lines(&[("Host", "a"), ("VIA", "1"), ("via", "2"), ("Viaduct", "3")]);
    assert_eq!(unique(&headers, "hOST"), Ok(Some(&b"a"[..])));
    assert_eq!(unique(&headers, "Via"), Err(Duplicate));
    assert_eq!(unique(&headers, "Origin"), Ok(None));
    assert_eq!(values(&headers, "Via").collect::<Vec<_>>(), [b"1", b"2"]);
}

#[test]
fn lists_are_cut_at_commas() {
    for (value, wanted) in [
        ("", &[""][..]),
        ("a", &["a"]),
        ("a,b", &["a", "b"]),
        (" a\t , b c,,", &["a", "b c", "", ""]),
        (" , ", &["", ""]),
    ] {
        let found: Vec<_> = elements(value.as_bytes()).collect();
        assert_eq!(
            found,
            wanted
                .iter()
                .map(|text| text.as_bytes())
                .collect::<Vec<_>>()
        );
    }
    let headers = lines(&[
        ("Connection", "keep-alive"),
        ("connection", "x, UPGRADE ,y"),
    ]);
    assert!(has_token(&headers, "Connection", "upgrade"));
    assert!(has_token(&headers, "Connection", "Keep-Alive"));
    for absent in ["up", "upgrade,y", "keep", "", "z"] {
        assert!(!has_token(&headers, "Connection", absent), "{absent}");
    }
}

#[test]
fn lm15_lists_full_of_white_space_are_one_pass() {
    // 4 MiB each: anything but linear work would never end.
    let spaces = " ".repeat(4 << 20);
    let value = format!("b{spaces}x");
    assert_eq!(
        elements(value.as_bytes()).collect::<Vec<_>>(),
        [value.as_bytes()]
    );
    assert_eq!(trim(spaces.as_bytes()), b"");
    let commas = ",".repeat(4 << 20);
    let headers = lines(&[
        ("Upgrade", &spaces),
        ("Upgrade", &commas),
        ("Upgrade", &value),
    ]);
    assert!(!has_token(&headers, "Upgrade", "websocket"));
}

#[test]
fn hc19_hs28_what_may_be_sent_in_a_header() {
    for (name, value, sendable) in [
        ("X-Name", "value", true),
        ("X-Name", "", true),
        ("X-Name", "a b\tc; \"d\" é", true),
        ("X-Name", "a\r\nSet-Cookie: b", false),
        ("X-Name", "a\n", false),
        ("X-Name", "a\r", false),
        ("X-Name", "a\0", false),
        ("X-Name", "\x1b[2J", false),
        ("X-Name", "\x7f", false),
        ("", "value", false),
        ("X Name", "value", false),
        ("X-Name:", "value", false),
        ("X-N\r\name", "value", false),
        ("X-Näme", "value", false),
    ] {
        assert_eq!(
            is_sendable_header(name, value),
            sendable,
            "{name:?} {value:?}"
        );
    }
    assert!(is_token("soap.v1!#$%&'*+-.^_`|~09AZaz"));
    for text in [
        "", " ", "a b", "a,b", "a/b", "a;b", "\"a\"", "a=b", "é", "a\r\n", "@", "[x]",
    ] {
        assert!(!is_token(text), "{text:?}");
    }
}
