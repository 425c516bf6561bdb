//! HTTP heads, read a second time: as lines, with copies. Whoever was let in
//! must have asked as RFC 6455 4 demands, whatever reads the lines.

use std::borrow::Cow;

/// A head's first line, its header lines, and where it ends.
#[derive(Debug)]
pub struct Head<'h> {
    pub first: Cow<'h, str>,
    pub lines: Vec<(String, &'h [u8])>,
    pub size: usize,
}

/// The head that `bytes` start with, behind up to two empty lines. Fails on
/// everything that RFC 9112 2.2, 3, 5 forbid and that readers disagree about.
pub fn read(bytes: &[u8]) -> Result<Head<'_>, &'static str> {
    let mut start = 0;
    while start < 4 && bytes[start..].starts_with(b"\r\n") {
        start += 2;
    }
    let end = bytes[start..]
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("no blank line")?;
    let head = &bytes[start..start + end];
    let mut lines = Vec::new();
    let mut first = None;
    for line in split_lines(head) {
        if line
            .iter()
            .any(|byte| matches!(byte, 0..=8 | 10..=31 | 127))
        {
            return Err("a control character");
        }
        match first {
            None => first = Some(String::from_utf8_lossy(line)),
            Some(_) => lines.push(header_line(line)?),
        }
    }
    Ok(Head {
        first: first.unwrap_or_default(),
        lines,
        size: start + end + 4,
    })
}

fn split_lines(head: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = head;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    lines
}

fn header_line(line: &[u8]) -> Result<(String, &[u8]), &'static str> {
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or("no colon")?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(is_token) {
        return Err("not a field name");
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    Ok((name, value.trim_ascii()))
}

impl Head<'_> {
    /// The values of a field, whose name is given in lower case.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        let own = self.lines.iter().filter(|(own, _)| own == name);
        own.map(|(_, value)| *value).collect()
    }

    /// Whether a comma-separated list has an element, in any case.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        self.values(name)
            .iter()
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|one| one.trim_ascii().eq_ignore_ascii_case(element.as_bytes()))
    }

    /// The one value of a field.
    pub fn one(&self, name: &str) -> Option<&[u8]> {
        match self.values(name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// The base64 text of exactly 16 bytes: 22 digits, of which the last has four
/// bits to spare, and two signs of padding (RFC 4648 4).
pub fn is_key(text: &[u8]) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len() == 24
        && text[..21].iter().all(|byte| digit(*byte))
        && b"AQgw".contains(&text[21])
        && text.ends_with(b"==")
}

/// Asserts that a request which was let in is one that may be.
pub fn check_request(bytes: &[u8], target: &str) {
    let head = read(bytes).expect("a head that everybody reads alike");
    let words: Vec<&str> = head.first.split(' ').collect();
    let [method, asked, version] = words[..] else {
        panic!("{:?} was let in", head.first);
    };
    assert_eq!((method, version), ("GET", "HTTP/1.1"));
    assert!(asked.ends_with(target), "{asked:?} for {target:?}");
    assert!(target.starts_with('/') && !target.starts_with("//"));
    assert!(
        target
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    );
    assert!(head.lists("upgrade", "websocket"));
    assert!(head.lists("connection", "upgrade"));
    assert_eq!(head.one("sec-websocket-version"), Some(&b"13"[..]));
    assert!(head.one("sec-websocket-key").is_some_and(is_key));
    assert!(head.one("host").is_some_and(|host| !host.is_empty()));
    assert!(head.values("transfer-encoding").is_empty());
    let lengths = head.values("content-length");
    assert!(lengths.is_empty() || lengths == [b"0"], "a body");
    assert!(head.values("origin").len() <= 1);
}

/// Asserts that an answer which opened a connection may do so.
pub fn check_answer(bytes: &[u8], accept: &[u8], offered: &[String], subprotocol: &str) {
    let mut rest = bytes;
    let head = loop {
        let head = read(rest).expect("a head that everybody reads alike");
        assert!(head.first.starts_with("HTTP/1.1 1"), "{:?}", head.first);
        if head.first.starts_with("HTTP/1.1 101") {
            break head;
        }
        rest = &rest[head.size..];
    };
    assert_eq!(head.one("sec-websocket-accept"), Some(accept));
    let upgrade = head.one("upgrade").expect("one Upgrade line");
    assert!(upgrade.eq_ignore_ascii_case(b"websocket"));
    assert!(head.lists("connection", "upgrade"));
    assert!(head.values("sec-websocket-extensions").is_empty());
    let chosen = head.values("sec-websocket-protocol");
    assert_eq!(chosen.is_empty(), subprotocol.is_empty());
    if let [chosen] = chosen[..] {
        assert_eq!(chosen, subprotocol.as_bytes());
        assert!(offered.iter().any(|own| own == subprotocol));
    }
}

/// Whether what came so far asks for an answer without a body.
pub fn is_head_request(bytes: &[u8]) -> bool {
    let one = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    one.strip_prefix(b"\r\n")
        .unwrap_or(one)
        .starts_with(b"HEAD ")
}

/// Asserts that a refusal is one whole HTTP answer, and returns its status.
pub fn check_refusal(request: &[u8], sent: &[u8]) -> u16 {
    let head = read(sent).expect("an answer that everybody reads alike");
    let status = head.first.strip_prefix("HTTP/1.1 ").expect("HTTP/1.1");
    let status: u16 = status[..3].parse().expect("three digits");
    assert!((300..600).contains(&status), "{status}");
    let length = head.one("content-length").expect("a length");
    let length: usize = String::from_utf8_lossy(length).parse().expect("a number");
    let body = if is_head_request(request) { 0 } else { length };
    assert_eq!(sent.len() - head.size, body);
    assert!(head.lists("connection", "close"));
    status
}
