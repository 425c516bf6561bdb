//! What a program sends: messages, chunks, control frames, the close.

use std::ffi::c_char;

use super::{webSocket_conn, with, with_fast};
use crate::ffi::boundary::call;
use crate::ffi::convert::{Bytes, bytes, text};
use crate::ffi::event::{
    WEBSOCKET_BINARY, WEBSOCKET_FINAL, WEBSOCKET_FIRST, WEBSOCKET_PING, WEBSOCKET_PONG,
    WEBSOCKET_TEXT,
};
use crate::ffi::result::webSocket_result;
use crate::proto::Error;
use crate::proto::conn::Sendable;
use crate::proto::message;

/// Queues a whole message, a ping or a pong.
///
/// `kind`: `WEBSOCKET_TEXT` (`data` must be UTF-8), `WEBSOCKET_BINARY`,
/// `WEBSOCKET_PING` or `WEBSOCKET_PONG` (at most 125 bytes). `data` is copied,
/// and may be what an event lent; NULL with 0 is an empty message. One thread
/// at a time. Results: `WEBSOCKET_OK`; nothing was queued by `WEBSOCKET_FULL`
/// (write `webSocket_conn_output` first), `WEBSOCKET_CLOSED`,
/// `WEBSOCKET_E_STATE` (not open yet, or a fragmented message is unfinished),
/// `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_USAGE`
/// (no such kind), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_MEMORY`,
/// `WEBSOCKET_E_RANDOM`, `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `data` is NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_send(
    conn: *mut webSocket_conn,
    kind: u32,
    data: *const Bytes,
    length: usize,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let data = unsafe { bytes(data, length) }?;
        let what = match kind {
            WEBSOCKET_TEXT => Sendable::Message(message::Kind::Text),
            WEBSOCKET_BINARY => Sendable::Message(message::Kind::Binary),
            WEBSOCKET_PING => Sendable::Ping,
            WEBSOCKET_PONG => Sendable::Pong,
            _ => return Err(Error::Usage),
        };
        with_fast(conn, |conn| conn.connection.send(what, data))
    })
}

/// Queues a chunk of a message as one frame (RFC 6455 5.4).
///
/// `kind`: `WEBSOCKET_TEXT` or `WEBSOCKET_BINARY`, the same for all chunks.
/// `flags`: `WEBSOCKET_FIRST` for the first chunk, `WEBSOCKET_FINAL` for the
/// last, both for an only one, 0 between. Text may be cut inside a code point.
/// Pings and pongs may be sent between chunks. Ownership, threads and results
/// as `webSocket_conn_send`; `WEBSOCKET_E_STATE`: the flags or kind do not fit
/// what was sent before. After any error the chunk may be tried again.
/// Since 0.1.
///
/// # Safety
/// `data` is NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_sendChunk(
    conn: *mut webSocket_conn,
    kind: u32,
    data: *const Bytes,
    length: usize,
    flags: u32,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let data = unsafe { bytes(data, length) }?;
        let kind = match kind {
            WEBSOCKET_TEXT => message::Kind::Text,
            WEBSOCKET_BINARY => message::Kind::Binary,
            _ => return Err(Error::Usage),
        };
        if flags & !(WEBSOCKET_FIRST | WEBSOCKET_FINAL) != 0 {
            return Err(Error::Usage);
        }
        let first = flags & WEBSOCKET_FIRST != 0;
        let last = flags & WEBSOCKET_FINAL != 0;
        with(conn, |conn| {
            conn.connection.send_chunk(kind, data, first, last)
        })
    })
}

/// Starts the closing handshake (RFC 6455 7.1.2). Messages that still come are
/// dropped; `WEBSOCKET_CLOSE` tells the end.
///
/// `code`: 1000 to 1003, 1007 to 1014, 3000 to 4999; 0 for none. `reason`:
/// UTF-8, at most 123 bytes, copied; NULL for none. During a request this
/// refuses it. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_CLOSED` (closing or closed already), `WEBSOCKET_E_RANGE` (the
/// code), `WEBSOCKET_E_USAGE` (a reason without a code),
/// `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_RANDOM`, `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `reason` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_close(
    conn: *mut webSocket_conn,
    code: u32,
    reason: *const c_char,
) -> webSocket_result {
    call(|| {
        let reason = if reason.is_null() {
            ""
        } else {
            // SAFETY: the caller's promise.
            unsafe { text(reason) }?
        };
        let code = u16::try_from(code).map_err(|_| Error::Range)?;
        with(conn, |conn| {
            conn.connection.close((code != 0).then_some(code), reason)
        })
    })
}
