//! HTTP heads as old device code writes them.
//!
//! The strict reader beside this one refuses what a browser would never send.
//! The drop-in meets devices in the field: it looks for the end of a head and
//! for the few header lines of the handshake, and judges nothing else.

use super::same_text;
use crate::proto::error::Error;

/// The only method.
const GET: &[u8] = b"GET ";
/// Bytes of empty lines that may come first.
pub const MAX_EMPTY: usize = 4;

/// Where the head in `bytes` ends, its blank line included; its first `known`
/// bytes have been searched before.
#[must_use]
pub fn end(bytes: &[u8], known: usize) -> Option<usize> {
    // The blank line may have begun in what is known.
    let from = known.saturating_sub(3);
    let news = bytes.get(from..)?;
    let ends = |at: usize| {
        let before = bytes.get(..from + at)?;
        let head = before.strip_suffix(b"\n")?;
        let head = head.strip_suffix(b"\r").unwrap_or(head);
        head.ends_with(b"\n").then_some(from + at)
    };
    (1..=news.len()).find_map(ends)
}

/// How many of the first bytes are empty lines, behind which a head begins.
#[must_use]
pub fn start(bytes: &[u8]) -> usize {
    let first = |byte: &u8| !b"\r\n".contains(byte);
    bytes.iter().position(first).unwrap_or(bytes.len())
}

/// Whether what begins as `head` does may become a GET request: how many bytes
/// agree, and what the next one shows instead.
pub fn begins(head: &[u8]) -> Result<(), (usize, Error)> {
    let differs = |(found, wanted): (&u8, &u8)| found != wanted;
    let Some(at) = head.iter().zip(GET).position(differs) else {
        return Ok(());
    };
    match head.get(at) {
        Some(b'A'..=b'Z') => Err((at, Error::HttpMethod)),
        _ => Err((at, Error::HttpSyntax)),
    }
}

/// The request target; the version behind it has to be 1.0 or 1.1, or any 1.x.
pub fn target(head: &[u8]) -> Result<&[u8], Error> {
    let head = head.get(start(head)..).unwrap_or_default();
    let line = head.split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default().trim_ascii_end();
    let rest = line.strip_prefix(GET).ok_or(Error::HttpMethod)?;
    let space = rest.iter().rposition(|byte| *byte == b' ');
    let (target, version) = rest
        .split_at_checked(space.unwrap_or(0))
        .unwrap_or_default();
    if !version.trim_ascii_start().starts_with(b"HTTP/1.") {
        return Err(Error::HttpVersion);
    }
    let target = target.trim_ascii();
    if target.is_empty() {
        Err(Error::HttpTarget)
    } else {
        Ok(target)
    }
}

/// The lines of a head behind the first: name and value, trimmed.
fn lines(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let head = head.get(start(head)..).unwrap_or_default();
    head.split(|byte| *byte == b'\n')
        .skip(1)
        .map(<[u8]>::trim_ascii)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
        })
}

/// The values of a header, in whatever case its name is written.
pub fn values<'a, 'h>(
    head: &'h [u8],
    name: &'a str,
) -> impl Iterator<Item = &'h [u8]> + use<'a, 'h> {
    lines(head)
        .filter(move |line| same_text(line.0, name.as_bytes()))
        .map(|line| line.1)
}

/// Whether a header has `token` in its comma-separated list.
#[must_use]
pub fn has_token(head: &[u8], name: &str, token: &str) -> bool {
    values(head, name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|part| same_text(part.trim_ascii(), token.as_bytes()))
}

/// Whether a request's target contains `path`; "" and "/" are everywhere.
#[must_use]
pub fn asks_for(head: &[u8], path: &[u8]) -> bool {
    if matches!(path, b"" | b"/") {
        return true;
    }
    let head = head.get(start(head)..).unwrap_or_default();
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    target.windows(path.len()).any(|part| part == path)
}

/// The status of an answer; `None` for what is not HTTP/1.1.
#[must_use]
pub fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?;
    let &[a, b, c, end] = digits.first_chunk::<4>()?;
    if !b" \r\n".contains(&end) {
        return None;
    }
    [a, b, c].iter().try_fold(0, |status, digit| {
        digit
            .is_ascii_digit()
            .then(|| status * 10 + u16::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hs_ends_are_found_however_a_head_is_cut() {
        for head in [
            &b"GET / HTTP/1.1\r\nA: b\r\n\r\n"[..],
            b"GET / HTTP/1.1\nA: b\n\n",
            b"GET / HTTP/1.1\r\nA: b\n\r\n",
        ] {
            let glued = [head, b"\x81\x00\r\n\r\n"].concat();
            for known in 0..head.len() {
                assert_eq!(end(&glued[..known], 0), None);
                for more in known..=glued.len() {
                    let want = (more >= head.len()).then_some(head.len());
                    assert_eq!(end(&glued[..more], known), want, "{known} {more}");
                }
            }
        }
    }

    #[test]
    fn hs_targets() {
        for (head, want) in [
            (&b"GET /a HTTP/1.1\r\n"[..], Ok(&b"/a"[..])),
            (b"\r\n\nGET  /a b  HTTP/1.0\nX", Ok(b"/a b")),
            (b"GET /a HTTP/2\r\n", Err(Error::HttpVersion)),
            (b"GET /a\r\n", Err(Error::HttpVersion)),
            (b"GET HTTP/1.1\r\n", Err(Error::HttpTarget)),
            (b"GET  HTTP/1.1\r\n", Err(Error::HttpTarget)),
            (b"GET", Err(Error::HttpMethod)),
            (b"", Err(Error::HttpMethod)),
        ] {
            assert_eq!(target(head), want);
        }
    }

    #[test]
    fn hc09_statuses() {
        for (head, want) in [
            (&b"HTTP/1.1 101 Switching Protocols\r\n"[..], Some(101)),
            (b"HTTP/1.1 101\r\n", Some(101)),
            (b"HTTP/1.0 101 X\r\n", None),
            (b"HTTP/1.1 1010\r\n", None),
            (b"HTTP/1.1 10x \r\n", None),
            (b"HTTP/1.1 10", None),
            (b"", None),
        ] {
            assert_eq!(status(head), want);
        }
    }

    #[test]
    fn lines_in_any_case_with_any_space() {
        let head =
            b"GET / HTTP/1.1\r\nUPGRADE :  h2c , WebSocket\nno colon\r\nkey:\tv \r\n\r\nkey: w";
        assert!(has_token(head, "Upgrade", "websocket"));
        assert!(!has_token(head, "Upgrade", "socket"));
        assert_eq!(values(head, "Key").collect::<Vec<_>>(), [b"v"]);
    }
}
