//! Header lines: finding them, reading lists, what may be sent.
//!
//! All of it is linear in the bytes it reads, whatever they are.

/// A header line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'h> {
    /// The field name as sent.
    pub name: &'h str,
    /// The value, without white space around it.
    pub value: &'h [u8],
}

/// A field that may come once came more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate;

/// Whether two texts differ in the case of ASCII letters at most. Kept out of
/// its many callers, none of them in a hurry: as a loop for speed it is large.
#[inline(never)]
#[must_use]
pub fn same_text(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The values of all lines of that name, in order.
pub fn values<'a, 'h>(
    headers: &'a [Header<'h>],
    name: &'a str,
) -> impl Iterator<Item = &'h [u8]> + use<'a, 'h> {
    headers
        .iter()
        .filter(move |line| same_text(line.name.as_bytes(), name.as_bytes()))
        .map(|line| line.value)
}

/// The value of a field that may come once.
#[inline(never)]
pub fn unique<'h>(headers: &[Header<'h>], name: &str) -> Result<Option<&'h [u8]>, Duplicate> {
    let mut found = values(headers, name);
    let first = found.next();
    if found.next().is_some() {
        Err(Duplicate)
    } else {
        Ok(first)
    }
}

/// The elements of a comma-separated list, without white space around them.
/// Empty elements are kept: not every list may have them.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim)
}

/// Whether an element of the field, over all of its lines, is `token` in any
/// case.
#[inline(never)]
#[must_use]
pub fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(elements)
        .any(|element| same_text(element, token.as_bytes()))
}

/// A value without optional white space around it (RFC 9110 5.6.3).
#[must_use]
pub fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A character of a token (RFC 9110 5.6.2).
const TCHAR: u8 = 1;
/// One that shows (RFC 5234 B.1, VCHAR).
const VISIBLE: u8 = 2;
/// What values and reasons are of (RFC 9110 5.5).
const TEXT: u8 = 4;

/// What each byte is: a head is judged byte by byte.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_graphic() {
            table[at] |= VISIBLE | TEXT;
        }
        if byte == b' ' || byte == b'\t' || byte >= 0x80 {
            table[at] |= TEXT;
        }
        let special = matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        if byte.is_ascii_alphanumeric() || special {
            table[at] |= TCHAR;
        }
        at += 1;
    }
    table
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES
        .get(usize::from(byte))
        .is_some_and(|classes| classes & class != 0)
}

/// A character of a token (RFC 9110 5.6.2).
pub(super) fn is_tchar(byte: u8) -> bool {
    is(byte, TCHAR)
}

/// A character that shows (RFC 5234 B.1, VCHAR).
pub(super) fn is_visible(byte: u8) -> bool {
    is(byte, VISIBLE)
}

/// What values and reasons are of (RFC 9110 5.5).
pub(super) fn is_text(byte: u8) -> bool {
    is(byte, TEXT)
}

/// Whether a text is a token (RFC 9110 5.6.2): a method, a field name, a
/// subprotocol.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// Whether a header line can be sent (RFC 9110 5.5): the name a token, the
/// value without control characters other than tabs, so that neither can end
/// the line or begin another.
#[must_use]
pub fn is_sendable_header(name: &str, value: &str) -> bool {
    is_token(name)
        && !value
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
}
