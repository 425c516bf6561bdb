//! Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 1.3, 4.2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A key's text: 16 bytes in base64.
pub const KEY_LENGTH: usize = 24;
/// An accept value's text: a SHA-1 digest in base64.
pub const ACCEPT_LENGTH: usize = 28;

/// The text of a key made of 16 random bytes.
#[must_use]
pub fn encode(random: [u8; 16]) -> [u8; KEY_LENGTH] {
    let mut text = [0; KEY_LENGTH];
    // 16 bytes are 24 characters: the room is exact.
    let _ = STANDARD.encode_slice(random, &mut text);
    text
}

/// Whether a text is the base64 of exactly 16 bytes.
#[must_use]
pub fn is_valid(key: &[u8]) -> bool {
    let mut bytes = [0; 18];
    key.len() == KEY_LENGTH && matches!(STANDARD.decode_slice(key, &mut bytes), Ok(16))
}

/// What a server answers to a key.
#[must_use]
pub fn accept(key: &[u8]) -> [u8; ACCEPT_LENGTH] {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut text = [0; ACCEPT_LENGTH];
    // 20 bytes are 28 characters: the room is exact.
    let _ = STANDARD.encode_slice(digest, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_seen_on_a_real_wire_and_in_the_rfc() {
        for (key, answer) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("J2BJc+GQuSw34hi2TjyVpg==", "uGY1yScptmHNgZqrDnpq1Ws1xho="),
            ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ] {
            assert!(is_valid(key.as_bytes()));
            assert_eq!(accept(key.as_bytes()), answer.as_bytes());
        }
    }

    #[test]
    fn hs08_keys_that_are_not_16_bytes_of_base64() {
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25jZTEy",
            "dGhlIHNhbXBsZSBub25j*Q==",
            "dGhlIHNhbXBsZSBub25jZR==",
        ] {
            assert!(!is_valid(key.as_bytes()), "{key}");
        }
        assert!(is_valid(&encode([0; 16])));
        assert!(is_valid(&encode([0xFF; 16])));
    }
}
