//! The client's side: the request, judging the answer.

use crate::proto::error::Error;
use crate::proto::url::Url;

/// The request (RFC 6455 4.1). `headers` are further lines, checked by the
/// config; `origin` is sent where given.
#[must_use]
pub fn request(
    _url: &Url,
    _key: &[u8],
    _subprotocols: &[String],
    _origin: Option<&str>,
    _headers: &[(String, String)],
) -> Vec<u8> {
    todo!()
}

/// What an answer amounts to.
#[derive(Debug)]
pub enum Answer<'h> {
    /// 101, and all checks passed.
    Open {
        /// The subprotocol that the server chose.
        subprotocol: Option<&'h str>,
    },
    /// A 1xx other than 101: the real answer follows.
    Interim,
    /// No connection.
    Failed {
        /// Why.
        error: Error,
        /// The HTTP status, 0 where the head could not be read.
        status: u16,
    },
}

/// Judges a whole head (RFC 6455 4.1).
#[must_use]
pub fn examine<'h>(_head: &'h [u8], _key: &[u8], _offered: &[String]) -> Answer<'h> {
    todo!()
}
