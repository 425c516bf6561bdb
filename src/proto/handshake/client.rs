//! The client's side: the request, judging the answer.

use super::{SUBPROTOCOL, append, finish, key};
use crate::proto::error::Error;
use crate::proto::http::{self, Header};
use crate::proto::url::Url;

#[cfg(test)]
mod tests;

/// The request (RFC 6455 4.1). `headers` are further lines, checked by the
/// config; `origin` is sent where given.
#[must_use]
pub fn request(
    url: &Url,
    key: &[u8],
    subprotocols: &[String],
    origin: Option<&str>,
    headers: &[(String, String)],
) -> Vec<u8> {
    let mut out = Vec::new();
    append(
        &mut out,
        &[
            "GET ",
            &url.target,
            " HTTP/1.1\r\nHost: ",
            &url.authority(),
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ",
        ],
    );
    out.extend_from_slice(key);
    append(&mut out, &["\r\nSec-WebSocket-Version: 13\r\n"]);
    if let Some(origin) = origin {
        append(&mut out, &["Origin: ", origin, "\r\n"]);
    }
    if !subprotocols.is_empty() {
        append(
            &mut out,
            &[SUBPROTOCOL, ": ", &subprotocols.join(", "), "\r\n"],
        );
    }
    finish(&mut out, headers);
    out
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
///
/// What a 101 says about a body is ignored: it has none (RFC 9110 15.2), and
/// the bytes behind the head are frames.
#[must_use]
pub fn examine<'h>(head: &'h [u8], key: &[u8], offered: &[String]) -> Answer<'h> {
    let answer = match http::parse_response(head) {
        Ok(answer) => answer,
        Err(error) => {
            let status = match error {
                Error::HttpVersion => http::status_of_any_version(head),
                _ => 0,
            };
            return Answer::Failed { error, status };
        }
    };
    match answer.status {
        101 => match check(&answer.headers, key, offered) {
            Ok(subprotocol) => Answer::Open { subprotocol },
            Err(error) => Answer::Failed { error, status: 101 },
        },
        100..=199 => Answer::Interim,
        status => Answer::Failed {
            error: Error::HttpStatus,
            status,
        },
    }
}

/// The checks of RFC 6455 4.1 on a 101, in its order; the subprotocol that
/// the server chose.
fn check<'h>(
    headers: &[Header<'h>],
    key: &[u8],
    offered: &[String],
) -> Result<Option<&'h str>, Error> {
    // The whole value: a second protocol would be layered on ours
    // (RFC 9110 7.8), and the bytes that follow would not be frames.
    let upgrade = http::unique(headers, "Upgrade").ok().flatten();
    let is_websocket = upgrade.is_some_and(|value| http::same_text(value, b"websocket"));
    if !is_websocket || !http::has_token(headers, "Connection", "Upgrade") {
        return Err(Error::Upgrade);
    }
    if http::unique(headers, "Sec-WebSocket-Accept") != Ok(Some(&key::accept(key))) {
        return Err(Error::Accept);
    }
    if http::values(headers, "Sec-WebSocket-Extensions")
        .next()
        .is_some()
    {
        return Err(Error::Extension);
    }
    let Some(chosen) = http::unique(headers, SUBPROTOCOL).map_err(|_| Error::Subprotocol)? else {
        return Ok(None);
    };
    // Subprotocols are case-sensitive, as tokens are unless said otherwise.
    match std::str::from_utf8(chosen) {
        Ok(chosen) if offered.iter().any(|name| name == chosen) => Ok(Some(chosen)),
        _ => Err(Error::Subprotocol),
    }
}
