//! The server's side: judging a request, answering it.

use crate::proto::error::Error;

/// A request that may be accepted.
#[derive(Debug)]
pub struct Request<'h> {
    /// Path and query.
    pub target: &'h str,
    /// The key, valid.
    pub key: &'h [u8],
    /// The subprotocols offered, in the client's order.
    pub subprotocols: Vec<&'h str>,
}

/// Judges a whole head (RFC 6455 4.2.1). `origins` lists the allowed Origins
/// besides the request's own host; `*` allows all.
pub fn examine<'h>(_head: &'h [u8], _origins: &[String]) -> Result<Request<'h>, Error> {
    todo!()
}

/// The 101 answer. `headers` are further lines, checked by the config.
#[must_use]
pub fn accept(_key: &[u8], _subprotocol: Option<&str>, _headers: &[(String, String)]) -> Vec<u8> {
    todo!()
}

/// The status that answers a request which failed with `error`.
#[must_use]
pub fn refusal_status(_error: Error) -> u16 {
    todo!()
}

/// A complete refusal: status line, what the status asks for (Allow, Upgrade,
/// Sec-WebSocket-Version), Content-Length, `Connection: close`, the body.
#[must_use]
pub fn refuse(_status: u16, _headers: &[(String, String)], _body: &[u8]) -> Vec<u8> {
    todo!()
}
