//! `ws_server.h`, generation 2 of the drop-in: a server on a thread of its own
//! whose public structs are live. One loop of `crate::server` serves it; its
//! peers' places are the rows of `Ws_Server.client`.

mod life;
mod program;
mod public;
mod rows;
mod send;

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::boundary::{guard, text};
use super::ws_com::Ws_DataType;
pub(super) use program::{Face, Told};
pub use public::{Ws_Client, Ws_Server, Ws_Thread};
pub(super) use send::send;

/// Why a client is gone: an enumerator of `Ws_ExitType`.
pub type Ws_ExitType = c_int;

/// The handshake is over.
pub type WsOnLogin = Option<unsafe extern "C" fn(client: *mut Ws_Client)>;
/// A message, or a control frame.
pub type WsOnMessage = Option<
    unsafe extern "C" fn(
        client: *mut Ws_Client,
        msg: *mut c_char,
        msgLen: c_int,
        r#type: Ws_DataType,
    ),
>;
/// The last that is told of a client.
pub type WsOnExit = Option<unsafe extern "C" fn(client: *mut Ws_Client, exitType: Ws_ExitType)>;

/// Starts a server on `port` (all addresses), on a thread of its own, which is
/// the one that callbacks are called on, one at a time.
///
/// `path`: NULL, "" and "/" take every request, otherwise its target has to
/// contain it; up to 255 bytes. `priv` is kept and never read through.
/// Callbacks may be NULL.
///
/// Returns a server, which the caller frees with `ws_server_release`; NULL
/// without memory. Where the port cannot be had within
/// `WS_SERVER_BIND_TIMEOUT_MS`, or an argument is no good, `isExit` turns true
/// and `fd` is 0. Any thread.
///
/// # Safety
/// `path` is NULL or NUL-terminated; the callbacks may be called on another
/// thread until the server was released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_server_create(
    port: c_int,
    path: *const c_char,
    r#priv: *mut c_void,
    onLogin: WsOnLogin,
    onMessage: WsOnMessage,
    onExit: WsOnExit,
) -> *mut Ws_Server {
    guard(null_mut(), || {
        // SAFETY: the caller's promise.
        let path = unsafe { text(path) }.map_or(&[][..], |path| path.to_bytes());
        let given = life::Given {
            port,
            path,
            own: r#priv,
            calls: public::Calls {
                login: onLogin,
                message: onMessage,
                exit: onExit,
            },
        };
        life::create(&given).unwrap_or(null_mut())
    })
}

/// Stops a server: `onExit` (`WET_NONE`) for each client that is still there,
/// then all is freed and `*wss` NULL. From one of its own callbacks it returns
/// at once, and the rest follows when that callback has returned. NULL, a
/// pointer to NULL, and a server that was released before are fine. Any thread.
///
/// # Safety
/// `wss` is NULL or may be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_server_release(wss: *mut *mut Ws_Server) {
    guard((), || {
        if wss.is_null() {
            return;
        }
        // SAFETY: the caller's promise; a pointer is aligned as an atomic one
        // is. Of two threads that release by one variable, one gets it.
        let variable = unsafe { AtomicPtr::from_ptr(wss) };
        life::release(variable.swap(null_mut(), Ordering::AcqRel));
    });
}
