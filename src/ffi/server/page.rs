//! Pages beside the WebSocket.

use std::ffi::{c_char, c_void};

use super::{share, webSocket_server};
use crate::ffi::boundary::call;
use crate::ffi::convert::{bytes as read, text};
use crate::ffi::result::webSocket_result;
use crate::proto::page::Page;

/// Adds a page, replaces it or removes it: what the server answers to a GET
/// (or HEAD) of `path` that asks for no WebSocket.
///
/// `path`: what comes in the request before any `?`: one slash first, visible
/// ASCII (anything else percent-encoded), at most 1024 bytes; compared byte by
/// byte. `contentType`: such as `"text/html; charset=utf-8"`; NULL removes the
/// page, and `bytes` is not looked at then (a page that is not there is fine).
/// `bytes`: `length` bytes; NULL with 0 is an empty page. All are copied, once:
/// whoever is reading a page that is replaced gets the old one to its end.
///
/// Whoever asks for a page counts against the limits as a peer does, but no
/// event tells of it, and the connection is closed after the answer. Whoever
/// takes less than 16 KiB of it in `WEBSOCKET_HANDSHAKE_TIMEOUT_MS` is cut
/// off. The lines of `WEBSOCKET_HEADER` go with a page, and unless they are
/// among those also `Cache-Control: no-store` and
/// `X-Content-Type-Options: nosniff`. As soon as there is one page, a request
/// for another is answered 404, and one with another method 405; without any
/// page a GET is 426 (Upgrade Required), and `WEBSOCKET_CLOSE` tells of it. A
/// page is for everybody: neither Origin nor credentials are looked at.
///
/// Any time, any thread; from the callback. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_USAGE` (not such a path), `WEBSOCKET_E_HEADER` (not a content
/// type that can be sent), `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_GONE`.
/// Since 0.1.
///
/// # Safety
/// `path` and `contentType` are NULL or NUL-terminated strings; `bytes` is
/// NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_addPage(
    server: *mut webSocket_server,
    path: *const c_char,
    contentType: *const c_char,
    bytes: *const c_void,
    length: usize,
) -> webSocket_result {
    call(|| {
        let server = share(server)?;
        // SAFETY: the caller's promise.
        let path = unsafe { text(path) }?;
        let page = if contentType.is_null() {
            None
        } else {
            // SAFETY: the caller's promise.
            let (kind, bytes) = unsafe { (text(contentType)?, read(bytes.cast(), length)?) };
            Some(Page::new(kind, bytes)?)
        };
        server.shared.pages.set(path, page)
    })
}
