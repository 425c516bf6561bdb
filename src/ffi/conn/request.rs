//! A request at the server's end: look at it, accept or refuse it.

use std::ffi::c_char;
use std::ptr;

use super::{webSocket_conn, with};
use crate::ffi::boundary::call;
use crate::ffi::convert::{Bytes, bytes, text, write};
use crate::ffi::result::webSocket_result;
use crate::proto::Error;

/// Accepts the request of `WEBSOCKET_REQUEST`.
///
/// `subprotocol`: one that the client offered, or NULL for none. Messages may
/// be sent from now on. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_STATE` (no request waits), `WEBSOCKET_E_SUBPROTOCOL_CHOICE`
/// (not offered; nothing was sent), `WEBSOCKET_E_SEND_UTF8`,
/// `WEBSOCKET_E_SEND_TOO_BIG` (over 64 KiB), `WEBSOCKET_E_MEMORY`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_NULL`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `subprotocol` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_accept(
    conn: *mut webSocket_conn,
    subprotocol: *const c_char,
) -> webSocket_result {
    call(|| {
        let choice = if subprotocol.is_null() {
            None
        } else {
            // SAFETY: the caller's promise.
            Some(unsafe { text(subprotocol) }?)
        };
        with(conn, |conn| conn.connection.accept(choice))
    })
}

/// Refuses the request of `WEBSOCKET_REQUEST` with an HTTP answer; the
/// connection is over.
///
/// `status`: 300 to 599. `body`: `length` bytes of text, copied; NULL with 0
/// for none. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_STATE` (no request waits), `WEBSOCKET_E_RANGE`,
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_MEMORY`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `body` is NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_refuse(
    conn: *mut webSocket_conn,
    status: u32,
    body: *const Bytes,
    length: usize,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let body = unsafe { bytes(body, length) }?;
        let status = u16::try_from(status).map_err(|_| Error::Range)?;
        with(conn, |conn| conn.connection.refuse(status, body))
    })
}

/// Adds a header line to the answer to the request of `WEBSOCKET_REQUEST`,
/// such as `Set-Cookie` or `WWW-Authenticate`.
///
/// Both are copied. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_STATE` (no request waits), `WEBSOCKET_E_HEADER` (not a header
/// that may be sent), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8`,
/// `WEBSOCKET_E_SEND_TOO_BIG` (a text over 64 KiB), `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// Both are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_addHeader(
    conn: *mut webSocket_conn,
    name: *const c_char,
    value: *const c_char,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (text(name)?, text(value)?) };
        with(conn, |conn| conn.connection.add_header(name, value))
    })
}

/// Looks a header of the request up, from `WEBSOCKET_REQUEST` until the call
/// of `webSocket_conn_next` that follows `WEBSOCKET_OPEN`.
///
/// `name` is compared without regard to case; the first line of that name
/// counts. Writes `*value` (`*length` bytes, no NUL, any byte above 31 and
/// tabs; NULL where there is no such header), borrowed until the next call of
/// `webSocket_conn_next`, `_accept`, `_refuse`, `_close` or `_free` on the
/// handle. One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE`
/// (no request is there), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8`,
/// `WEBSOCKET_E_SEND_TOO_BIG` (a name over 64 KiB), `WEBSOCKET_E_MEMORY`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `name` is NULL or a NUL-terminated string; `value` and `length` are NULL or
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_requestHeader(
    conn: *mut webSocket_conn,
    name: *const c_char,
    value: *mut *const c_char,
    length: *mut usize,
) -> webSocket_result {
    call(|| {
        if value.is_null() || length.is_null() {
            return Err(Error::Null);
        }
        // SAFETY: the caller's promise.
        let name = unsafe { text(name) }?;
        with(conn, |conn| {
            let found = conn.connection.request_header(name)?;
            let start = found.map_or(ptr::null(), |found| found.as_ptr().cast());
            // SAFETY: the caller's promise.
            unsafe {
                write(value, start)?;
                write(length, found.map_or(0, <[u8]>::len))
            }
        })
    })
}
