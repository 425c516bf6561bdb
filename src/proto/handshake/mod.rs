//! The opening handshake (RFC 6455 4), one file a side; `loose`: a server of
//! old devices.

pub mod client;
pub mod key;
pub mod loose;
pub mod plain;
pub mod server;

use crate::proto::http;

/// The subprotocol list's and the answer's field name.
const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Whether a header's name is the handshake's own, on either side: a program
/// cannot add such a line. They say what the connection becomes, where the
/// message ends and whom it is for; two of them would contradict each other.
/// A client's Origin has an option of its own.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "Connection",
        "Content-Length",
        "Expect",
        "Host",
        "Keep-Alive",
        "Origin",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    ];
    const PREFIX: &str = "Sec-WebSocket-";
    NAMES
        .iter()
        .any(|own| http::same_text(own.as_bytes(), name.as_bytes()))
        || name
            .get(..PREFIX.len())
            .is_some_and(|start| http::same_text(start.as_bytes(), PREFIX.as_bytes()))
}

/// Appends the texts, in order. Its callers would grow by a copy for each text.
#[inline(never)]
fn append(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Whether the program's own lines have one of that name.
fn has(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(given, _)| http::same_text(given.as_bytes(), name.as_bytes()))
}

/// Appends the program's own lines and the blank line.
fn finish<'l>(out: &mut Vec<u8>, headers: impl IntoIterator<Item = &'l (String, String)>) {
    for (name, value) in headers {
        append(out, &[name, ": ", value, "\r\n"]);
    }
    append(out, &["\r\n"]);
}
