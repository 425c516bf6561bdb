//! Close codes and the close frame's body (RFC 6455 5.5.1, 7.4).

use super::error::Error;

/// A close frame had no code (RFC 6455 7.4.1); never on the wire.
pub const NO_STATUS: u16 = 1005;
/// The connection ended without a close frame; never on the wire.
pub const ABNORMAL: u16 = 1006;
/// The longest reason: a control payload less the code.
pub const MAX_REASON: usize = 123;

/// Whether a code may stand in a close frame: those that RFC 6455 or IANA's
/// registry define for the wire, and 3000 to 4999 for libraries and programs.
#[must_use]
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Whether a program may close with this code and reason; without a code there
/// is no place for a reason.
pub fn check(code: Option<u16>, reason: &str) -> Result<(), Error> {
    match code {
        Some(code) if !may_be_sent(code) => Err(Error::Range),
        None if !reason.is_empty() => Err(Error::Usage),
        _ if reason.len() > MAX_REASON => Err(Error::SendTooBig),
        _ => Ok(()),
    }
}

/// The code and reason of a close frame's body; an empty body is
/// [`NO_STATUS`].
pub fn parse(body: &[u8]) -> Result<(u16, &str), Error> {
    match body {
        [] => Ok((NO_STATUS, "")),
        [_] => Err(Error::CloseFrame),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !may_be_sent(code) {
                return Err(Error::CloseFrame);
            }
            let reason = simdutf8::basic::from_utf8(reason).map_err(|_| Error::Utf8)?;
            Ok((code, reason))
        }
    }
}
