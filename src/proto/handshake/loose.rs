//! The server's side for old devices: what the handshake needs, and no more.

use super::SUBPROTOCOL;
use crate::proto::error::Error;
use crate::proto::http::{self, loose};

/// A request that may be accepted.
#[derive(Debug)]
pub struct Request<'h> {
    /// What the request line asks for, as sent.
    pub target: &'h [u8],
    /// The key: any bytes.
    pub key: &'h [u8],
    /// The first subprotocol offered, to be echoed: old clients offer one, and
    /// browsers hang up where theirs is not in the answer.
    pub subprotocol: Option<&'h str>,
}

/// Judges a whole head: a GET of HTTP/1.x that asks for an upgrade and has a
/// key. Who sends it, to which host, by which version of the protocol is not
/// looked at, and of lines that contradict each other the first counts.
pub fn judge(head: &[u8]) -> Result<Request<'_>, Error> {
    let target = loose::target(head)?;
    if !loose::has_token(head, "Upgrade", "websocket") {
        return Err(Error::Upgrade);
    }
    let key = loose::values(head, "Sec-WebSocket-Key").next();
    let key = key.filter(|key| !key.is_empty()).ok_or(Error::Key)?;
    Ok(Request {
        target,
        key,
        subprotocol: subprotocol(head),
    })
}

/// The first subprotocol that is offered; `None` where it cannot be sent back.
#[must_use]
pub fn subprotocol(head: &[u8]) -> Option<&str> {
    let first = offered(head).find(|name| !name.is_empty())?;
    let name = std::str::from_utf8(first).ok()?;
    http::is_token(name).then_some(name)
}

/// Whether this subprotocol is offered.
#[must_use]
pub fn offers(head: &[u8], name: &str) -> bool {
    http::is_token(name) && offered(head).any(|one| one == name.as_bytes())
}

fn offered(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    loose::values(head, SUBPROTOCOL)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}
