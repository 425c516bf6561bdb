//! Results: one code for each [`Error`], and what to do with it.

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::OnceLock;

use super::boundary::guard;
use crate::proto::Error;

/// What a call returns: `WEBSOCKET_OK`, or a negative code.
///
/// -1 to -99 are flow (nothing is wrong); -1xx usage (the call changed
/// nothing), -2xx protocol, -3xx handshake, -4xx transport, -7xx resources,
/// -9xx internal. Codes are only ever added.
pub type webSocket_result = i32;

/// Done.
pub const WEBSOCKET_OK: i32 = 0;

/// Nothing to report before more bytes are fed.
pub const WEBSOCKET_AGAIN: i32 = -1;

/// The connection is over; nothing can be sent or received any more.
pub const WEBSOCKET_CLOSED: i32 = -2;

/// The send queue is at its limit; nothing was queued.
pub const WEBSOCKET_FULL: i32 = -3;

/// The handle was freed, or never was one.
pub const WEBSOCKET_GONE: i32 = -4;

/// A deadline passed.
pub const WEBSOCKET_TIMEOUT: i32 = -5;

/// An argument has no valid meaning.
pub const WEBSOCKET_E_USAGE: i32 = -100;

/// A required pointer is NULL.
pub const WEBSOCKET_E_NULL: i32 = -101;

/// Another thread is inside a call on this handle.
pub const WEBSOCKET_E_BUSY: i32 = -102;

/// The call was made from a callback of the same handle.
pub const WEBSOCKET_E_REENTRY: i32 = -103;

/// The call does not fit the state of the connection or of a fragmented message.
pub const WEBSOCKET_E_STATE: i32 = -104;

/// A struct's `size` field names no version that this library knows.
pub const WEBSOCKET_E_STRUCT_SIZE: i32 = -105;

/// No such option, or it does not apply to this kind of handle.
pub const WEBSOCKET_E_OPTION: i32 = -106;

/// A value is outside the option's range.
pub const WEBSOCKET_E_RANGE: i32 = -107;

/// The URL cannot be understood.
pub const WEBSOCKET_E_URL: i32 = -108;

/// A header's name or value cannot be sent, or is one that the library sends itself.
pub const WEBSOCKET_E_HEADER: i32 = -109;

/// Text or a close reason to be sent is not UTF-8.
pub const WEBSOCKET_E_SEND_UTF8: i32 = -110;

/// A message or payload to be sent is larger than allowed.
pub const WEBSOCKET_E_SEND_TOO_BIG: i32 = -111;

/// The subprotocol chosen was not offered by the client.
pub const WEBSOCKET_E_SUBPROTOCOL_CHOICE: i32 = -112;

/// The limits of a connection come to more than `WEBSOCKET_MEMORY_BYTES`.
pub const WEBSOCKET_E_LIMITS: i32 = -113;

/// A reserved bit is set (RFC 6455 5.2).
pub const WEBSOCKET_E_RESERVED_BITS: i32 = -200;

/// A reserved opcode (RFC 6455 5.2).
pub const WEBSOCKET_E_OPCODE: i32 = -201;

/// An unmasked frame from a client, or a masked one from a server (RFC 6455 5.1).
pub const WEBSOCKET_E_MASKING: i32 = -202;

/// A length that is not in its shortest form, or has its top bit set (RFC 6455 5.2).
pub const WEBSOCKET_E_LENGTH: i32 = -203;

/// A control frame that is fragmented or longer than 125 bytes (RFC 6455 5.5).
pub const WEBSOCKET_E_CONTROL_FRAME: i32 = -204;

/// A continuation without a message, or a new message inside one (RFC 6455 5.4).
pub const WEBSOCKET_E_CONTINUATION: i32 = -205;

/// A close frame with a one-byte body or a code that may not be sent (RFC 6455 7.4).
pub const WEBSOCKET_E_CLOSE_FRAME: i32 = -206;

/// Text or a close reason that is not UTF-8 (RFC 6455 8.1).
pub const WEBSOCKET_E_UTF8: i32 = -207;

/// A message over the limit.
pub const WEBSOCKET_E_MESSAGE_TOO_BIG: i32 = -208;

/// A frame over the limit.
pub const WEBSOCKET_E_FRAME_TOO_BIG: i32 = -209;

/// A message of too many fragments.
pub const WEBSOCKET_E_TOO_MANY_FRAGMENTS: i32 = -210;

/// Not HTTP/1.1 as RFC 9112 defines it.
pub const WEBSOCKET_E_HTTP_SYNTAX: i32 = -300;

/// A head over its byte or line limit.
pub const WEBSOCKET_E_HTTP_TOO_BIG: i32 = -301;

/// Another HTTP version than 1.1.
pub const WEBSOCKET_E_HTTP_VERSION: i32 = -302;

/// Another method than GET.
pub const WEBSOCKET_E_HTTP_METHOD: i32 = -303;

/// A request target in a form that a WebSocket request cannot have.
pub const WEBSOCKET_E_HTTP_TARGET: i32 = -304;

/// Host is missing, doubled or malformed.
pub const WEBSOCKET_E_HTTP_HOST: i32 = -305;

/// A request with a body.
pub const WEBSOCKET_E_HTTP_BODY: i32 = -306;

/// The server answered with another status than 101.
pub const WEBSOCKET_E_HTTP_STATUS: i32 = -307;

/// Upgrade or Connection is missing or names something else.
pub const WEBSOCKET_E_UPGRADE: i32 = -308;

/// Sec-WebSocket-Version is not 13.
pub const WEBSOCKET_E_VERSION: i32 = -309;

/// Sec-WebSocket-Key is missing, doubled or does not decode to 16 bytes.
pub const WEBSOCKET_E_KEY: i32 = -310;

/// Sec-WebSocket-Accept does not answer our key.
pub const WEBSOCKET_E_ACCEPT: i32 = -311;

/// A malformed subprotocol list, or an answer that was not offered.
pub const WEBSOCKET_E_SUBPROTOCOL: i32 = -312;

/// The server answered with an extension that was not offered.
pub const WEBSOCKET_E_EXTENSION: i32 = -313;

/// The Origin is not allowed.
pub const WEBSOCKET_E_ORIGIN: i32 = -314;

/// The program refused the request.
pub const WEBSOCKET_E_REFUSED: i32 = -315;

/// The transport ended without a close frame.
pub const WEBSOCKET_E_CONNECTION_LOST: i32 = -400;

/// An address cannot be listened on or connected from: it is taken, not
/// allowed, or not this machine's.
pub const WEBSOCKET_E_ADDRESS: i32 = -401;

/// The kernel refused a call; errno tells which error it gave.
pub const WEBSOCKET_E_SYSTEM: i32 = -402;

/// An allocation failed.
pub const WEBSOCKET_E_MEMORY: i32 = -700;

/// The kernel gave no random bytes.
pub const WEBSOCKET_E_RANDOM: i32 = -701;

/// No handle is free.
pub const WEBSOCKET_E_HANDLES: i32 = -702;

/// A defect of the library, stopped at its boundary.
pub const WEBSOCKET_E_INTERNAL: i32 = -900;

/// Writes the one list that pairs errors, codes and names.
macro_rules! pairs {
    ($($error:ident => $code:ident,)*) => {
        impl From<Error> for webSocket_result {
            #[inline(never)]
            fn from(error: Error) -> webSocket_result {
                match error {
                    $(Error::$error => $code,)*
                }
            }
        }

        /// Every error with its code and the code's name.
        const ALL: &[(Error, webSocket_result, &CStr)] =
            &[$((Error::$error, $code, name(concat!(stringify!($code), "\0")))),*];
    };
}

pairs! {
    Again => WEBSOCKET_AGAIN,
    Closed => WEBSOCKET_CLOSED,
    Full => WEBSOCKET_FULL,
    Gone => WEBSOCKET_GONE,
    Timeout => WEBSOCKET_TIMEOUT,
    Usage => WEBSOCKET_E_USAGE,
    Null => WEBSOCKET_E_NULL,
    Busy => WEBSOCKET_E_BUSY,
    Reentry => WEBSOCKET_E_REENTRY,
    State => WEBSOCKET_E_STATE,
    StructSize => WEBSOCKET_E_STRUCT_SIZE,
    Option => WEBSOCKET_E_OPTION,
    Range => WEBSOCKET_E_RANGE,
    Url => WEBSOCKET_E_URL,
    Header => WEBSOCKET_E_HEADER,
    SendUtf8 => WEBSOCKET_E_SEND_UTF8,
    SendTooBig => WEBSOCKET_E_SEND_TOO_BIG,
    SubprotocolChoice => WEBSOCKET_E_SUBPROTOCOL_CHOICE,
    Limits => WEBSOCKET_E_LIMITS,
    ReservedBits => WEBSOCKET_E_RESERVED_BITS,
    Opcode => WEBSOCKET_E_OPCODE,
    Masking => WEBSOCKET_E_MASKING,
    Length => WEBSOCKET_E_LENGTH,
    ControlFrame => WEBSOCKET_E_CONTROL_FRAME,
    Continuation => WEBSOCKET_E_CONTINUATION,
    CloseFrame => WEBSOCKET_E_CLOSE_FRAME,
    Utf8 => WEBSOCKET_E_UTF8,
    MessageTooBig => WEBSOCKET_E_MESSAGE_TOO_BIG,
    FrameTooBig => WEBSOCKET_E_FRAME_TOO_BIG,
    TooManyFragments => WEBSOCKET_E_TOO_MANY_FRAGMENTS,
    HttpSyntax => WEBSOCKET_E_HTTP_SYNTAX,
    HttpTooBig => WEBSOCKET_E_HTTP_TOO_BIG,
    HttpVersion => WEBSOCKET_E_HTTP_VERSION,
    HttpMethod => WEBSOCKET_E_HTTP_METHOD,
    HttpTarget => WEBSOCKET_E_HTTP_TARGET,
    HttpHost => WEBSOCKET_E_HTTP_HOST,
    HttpBody => WEBSOCKET_E_HTTP_BODY,
    HttpStatus => WEBSOCKET_E_HTTP_STATUS,
    Upgrade => WEBSOCKET_E_UPGRADE,
    Version => WEBSOCKET_E_VERSION,
    Key => WEBSOCKET_E_KEY,
    Accept => WEBSOCKET_E_ACCEPT,
    Subprotocol => WEBSOCKET_E_SUBPROTOCOL,
    Extension => WEBSOCKET_E_EXTENSION,
    Origin => WEBSOCKET_E_ORIGIN,
    Refused => WEBSOCKET_E_REFUSED,
    ConnectionLost => WEBSOCKET_E_CONNECTION_LOST,
    Address => WEBSOCKET_E_ADDRESS,
    System => WEBSOCKET_E_SYSTEM,
    Memory => WEBSOCKET_E_MEMORY,
    Random => WEBSOCKET_E_RANDOM,
    Handles => WEBSOCKET_E_HANDLES,
    Internal => WEBSOCKET_E_INTERNAL,
}

/// A literal with its NUL as a C string; checked when compiled.
const fn name(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a name has one NUL, at its end"),
    }
}

/// The name of a result code, such as `"WEBSOCKET_E_UTF8"`.
///
/// Returns a static string, never NULL; `"WEBSOCKET_?"` for a number that is
/// no code. Any thread; callbacks may call it. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_result_name(result: webSocket_result) -> *const c_char {
    guard(c"WEBSOCKET_?".as_ptr(), || {
        if result == WEBSOCKET_OK {
            return c"WEBSOCKET_OK".as_ptr();
        }
        let known = ALL.iter().find(|(_, code, _)| *code == result);
        known.map_or(c"WEBSOCKET_?", |(_, _, name)| name).as_ptr()
    })
}

/// A sentence that says what a result code means, in English.
///
/// Returns a static string, never NULL. Any thread; callbacks may call it.
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_result_text(result: webSocket_result) -> *const c_char {
    static TEXTS: OnceLock<Vec<CString>> = OnceLock::new();
    guard(c"unknown result".as_ptr(), || {
        if result == WEBSOCKET_OK {
            return c"done".as_ptr();
        }
        let texts = TEXTS.get_or_init(|| {
            let text = |error: &Error| CString::new(error.to_string()).unwrap_or_default();
            ALL.iter().map(|(error, ..)| text(error)).collect()
        });
        let place = ALL.iter().position(|(_, code, _)| *code == result);
        place
            .and_then(|at| texts.get(at))
            .map_or(c"unknown result".as_ptr(), |text| text.as_ptr())
    })
}

/// Whether a result says that the connection is over: 1 for protocol,
/// handshake, transport, resource and internal errors and for
/// `WEBSOCKET_CLOSED` and `WEBSOCKET_GONE`, else 0.
///
/// After a fatal result a connection still gives its queued output and its
/// close event; it takes nothing more to send. Any thread; callbacks may call
/// it. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_result_isFatal(result: webSocket_result) -> c_int {
    c_int::from(result <= -200 || result == WEBSOCKET_CLOSED || result == WEBSOCKET_GONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_named() {
        for (at, (error, code, name)) in ALL.iter().enumerate() {
            assert_eq!(webSocket_result::from(*error), *code);
            assert!(*code < 0);
            assert!(
                !ALL[..at].iter().any(|(_, other, _)| other == code),
                "{name:?}"
            );
            assert!(name.to_str().unwrap().starts_with("WEBSOCKET_"));
            assert!(!error.to_string().is_empty());
        }
    }
}
