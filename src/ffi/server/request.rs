//! A peer's request, in the callback of its `WEBSOCKET_REQUEST`.

use std::ffi::c_char;
use std::ptr;

use super::{share, webSocket_server, with_here};
use crate::ffi::boundary::call;
use crate::ffi::convert::{Bytes, bytes, text, write};
use crate::ffi::event::webSocket_peer;
use crate::ffi::result::webSocket_result;
use crate::proto::Error;
use crate::proto::conn::Connection;
use crate::server::slots::PeerId;

/// Runs `body` on a peer's connection; in a callback of its loop only.
fn with<T>(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    body: impl FnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    share(server)?;
    let here = with_here(server, |here| here.with_connection(PeerId(peer), body));
    here.ok_or(Error::State)?
}

/// Accepts the request of `WEBSOCKET_REQUEST`; `WEBSOCKET_OPEN` follows.
///
/// `subprotocol`: one that the client offered, or NULL for none. A request that
/// is neither accepted nor refused when the callback returns is accepted, with
/// the first subprotocol offered that the config has. Only in the callback of
/// the peer's `WEBSOCKET_REQUEST`. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE`
/// (no request waits, or not from the callback),
/// `WEBSOCKET_E_SUBPROTOCOL_CHOICE` (not offered; nothing was sent),
/// `WEBSOCKET_E_SEND_UTF8` or `WEBSOCKET_E_SEND_TOO_BIG` (`subprotocol`),
/// `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE` (the peer or the server),
/// `WEBSOCKET_E_NULL`. Since 0.1.
///
/// # Safety
/// `subprotocol` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_accept(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    subprotocol: *const c_char,
) -> webSocket_result {
    call(|| {
        let choice = if subprotocol.is_null() {
            None
        } else {
            // SAFETY: the caller's promise.
            Some(unsafe { text(subprotocol) }?)
        };
        with(server, peer, |connection| connection.accept(choice))
    })
}

/// Refuses the request of `WEBSOCKET_REQUEST` with an HTTP answer; the
/// connection ends behind it, and `WEBSOCKET_CLOSE` follows.
///
/// `status`: 300 to 599, such as 401, 403 or 404. `body`: `length` bytes of
/// text, copied; NULL with 0 for none. Only in the callback of the peer's
/// `WEBSOCKET_REQUEST`. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (no
/// request waits, or not from the callback), `WEBSOCKET_E_RANGE` (the status),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG` (the body),
/// `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE` (the peer or the server). Since 0.1.
///
/// # Safety
/// `body` is NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_refuse(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    status: u32,
    body: *const Bytes,
    length: usize,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let body = unsafe { bytes(body, length) }?;
        let status = u16::try_from(status).map_err(|_| Error::Range)?;
        with(server, peer, |connection| connection.refuse(status, body))
    })
}

/// Adds a header line to the answer to the request of `WEBSOCKET_REQUEST`, such
/// as `Set-Cookie` or `WWW-Authenticate`; before `webSocket_server_accept` or
/// `_refuse`.
///
/// Both are copied. Only in the callback of the peer's `WEBSOCKET_REQUEST`.
/// Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (no request waits, or not from
/// the callback), `WEBSOCKET_E_HEADER` (not a header that may be sent, or one
/// that is the handshake's), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8`,
/// `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_GONE` (the peer or the server). Since
/// 0.1.
///
/// # Safety
/// Both are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_addHeader(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    name: *const c_char,
    value: *const c_char,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (text(name)?, text(value)?) };
        with(server, peer, |connection| {
            connection.add_header(name, value)
        })
    })
}

/// Looks a header of the request up, in the callback of the peer's
/// `WEBSOCKET_REQUEST` or `WEBSOCKET_OPEN`.
///
/// `name` is compared without regard to case; the first line of that name
/// counts. Writes `*value` (NULL where there is no such header) and `*length`,
/// its bytes: what the peer sent, without a NUL, not to be trusted; borrowed
/// until the callback returns or accepts, refuses or closes. Results:
/// `WEBSOCKET_OK` (also where there is no such header), `WEBSOCKET_E_STATE` (no
/// request is there, or not from the callback), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_SEND_UTF8` or `WEBSOCKET_E_SEND_TOO_BIG` (`name`),
/// `WEBSOCKET_GONE` (the peer or the server). Since 0.1.
///
/// # Safety
/// `name` is NULL or a NUL-terminated string; `value` and `length` are NULL or
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_requestHeader(
    server: *mut webSocket_server,
    peer: webSocket_peer,
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
        with(server, peer, |connection| {
            let found = connection.request_header(name)?;
            let start = found.map_or(ptr::null(), |found| found.as_ptr().cast());
            // SAFETY: the caller's promise.
            unsafe {
                write(value, start)?;
                write(length, found.map_or(0, <[u8]>::len))
            }
        })
    })
}
