//! Keys, base64, digests, host names, interfaces.

use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::net::{dns, sys};
use crate::proto::handshake::key;

/// How long a host name may take to resolve, in ms.
pub const RESOLVE_MS: u64 = 1000;

/// The text of a fresh Sec-WebSocket-Key; `None` without randomness.
#[must_use]
pub fn new_key() -> Option<[u8; key::KEY_LENGTH]> {
    let mut bytes = [0; 16];
    sys::random(&mut bytes).then(|| key::encode(bytes))
}

/// Whether `answer` is what a server says to `own`.
#[must_use]
pub fn key_matches(own: &[u8], answer: &[u8]) -> bool {
    key::accept(own) == answer
}

/// Fills with random bytes of which none is 0; all zeros where the kernel
/// gives none.
pub fn random_string(bytes: &mut [u8]) {
    if !sys::random(bytes) {
        bytes.fill(0);
        return;
    }
    for byte in bytes.iter_mut() {
        while *byte == 0 {
            let mut again = [0; 16];
            if !sys::random(&mut again) {
                return;
            }
            *byte = again.into_iter().find(|byte| *byte != 0).unwrap_or(0);
        }
    }
}

/// The characters that so many bytes become; `None` where that is no `int`.
#[must_use]
pub fn base64_length(bytes: usize) -> Option<usize> {
    let length = base64::encoded_len(bytes, true)?;
    i32::try_from(length).is_ok().then_some(length)
}

/// Base64 of `bytes` into exactly their room; false if the room is not theirs.
#[must_use]
pub fn base64_encode(bytes: &[u8], text: &mut [u8]) -> bool {
    matches!(STANDARD.encode_slice(bytes, text), Ok(length) if length == text.len())
}

/// What base64 text decodes to, up to the first character that is none; a
/// byte cut off at the end does not count. `None` without memory for it.
#[must_use]
pub fn base64_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(text.len() / 4 * 3 + 3).ok()?;
    let (mut bits, mut count) = (0_u32, 0);
    for sextet in text.iter().map_while(|byte| sextet(*byte)) {
        bits = bits << 6 | sextet;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// The SHA-1 of `source` as 40 upper-case hex digits.
#[must_use]
pub fn sha1_hex(source: &[u8]) -> [u8; 40] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digest: [u8; 20] = Sha1::digest(source).into();
    core::array::from_fn(|at| {
        let byte = digest[at / 2];
        DIGITS[usize::from(if at % 2 == 0 { byte >> 4 } else { byte & 15 })]
    })
}

/// The first IPv4 address of a host, and the milliseconds it took: at least
/// 1, negative (and no address) for a failure. It may take `most` ms.
#[must_use]
pub fn ipv4_of_host(host: &str, most: u64) -> (i32, Option<Ipv4Addr>) {
    let start = sys::now_ms();
    let found = dns::resolve(host, 0, start + most);
    let ip = found
        .unwrap_or_default()
        .iter()
        .find_map(|address| match address.ip() {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
    let spent = spent_since(start);
    (if ip.is_some() { spent } else { -spent }, ip)
}

/// Milliseconds since `start`, at least 1.
#[must_use]
pub fn spent_since(start: u64) -> i32 {
    i32::try_from((sys::now_ms() - start).max(1)).unwrap_or(i32::MAX)
}

/// The time of day at UTC+8, so many seconds after 1970 began, as `HH:MM:SS`
/// with a NUL behind it.
#[must_use]
pub fn time_text(seconds: u64) -> [u8; 9] {
    let second = (seconds % 86_400 + 8 * 3600) % 86_400;
    let digit = |value: u64| b'0' + (value % 10) as u8;
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
    [
        digit(hour / 10),
        digit(hour),
        b':',
        digit(minute / 10),
        digit(minute),
        b':',
        digit(second / 10),
        digit(second),
        0,
    ]
}

/// An address as dotted text with a NUL behind it.
#[must_use]
pub fn dotted(ip: Ipv4Addr) -> [u8; 16] {
    let mut text = [0; 16];
    for (to, from) in text.iter_mut().zip(ip.to_string().bytes()) {
        *to = from;
    }
    text
}

/// Sets an interface's IPv4 address; false where the text is none or the
/// kernel refuses.
#[must_use]
pub fn set_interface(name: &CStr, ip: &str) -> bool {
    ip.parse()
        .is_ok_and(|ip| sys::interface_address(name, Some(ip)).is_ok())
}

/// An interface's IPv4 address.
#[must_use]
pub fn interface(name: &CStr) -> Option<Ipv4Addr> {
    sys::interface_address(name, None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_decodes_what_comes_before_bad_input() {
        for (text, want) in [
            ("", &b""[..]),
            ("QUJD", b"ABC"),
            ("QUI=", b"AB"),
            ("QQ==", b"A"),
            ("QUJDR", b"ABC"),
            ("QUJD!QUJD", b"ABC"),
            ("QU!D", b"A"),
            ("====", b""),
            ("+/+/", b"\xfb\xff\xbf"),
        ] {
            assert_eq!(base64_decode(text.as_bytes()).unwrap(), want, "{text}");
        }
        for size in 0..200 {
            let bytes: Vec<u8> = (0..size).map(|n| (n * 37) as u8).collect();
            let mut text = vec![0; base64_length(size).unwrap()];
            assert!(base64_encode(&bytes, &mut text));
            assert_eq!(base64_decode(&text).unwrap(), bytes);
        }
        assert_eq!(base64_length(i32::MAX as usize), None);
    }

    #[test]
    fn sha1_in_upper_case_hex() {
        assert_eq!(
            &sha1_hex(b"abc"),
            b"A9993E364706816ABA3E25717850C26C9CD0D89D"
        );
    }

    #[test]
    fn times_of_day_are_those_of_utc_plus_8() {
        for (seconds, want) in [
            (0, b"08:00:00\0"),
            (57_599, b"23:59:59\0"),
            (57_600, b"00:00:00\0"),
            (1_700_000_000, b"06:13:20\0"),
        ] {
            assert_eq!(&time_text(seconds), want);
        }
    }

    #[test]
    fn random_strings_have_no_nul() {
        for size in [0, 1, 3, 1000, 100_000] {
            let mut bytes = vec![0; size];
            random_string(&mut bytes);
            assert!(!bytes.contains(&0));
        }
    }
}
