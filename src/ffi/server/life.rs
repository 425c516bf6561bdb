//! A server's making.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Caller, SERVERS, Served, Server, caller, webSocket_callback, webSocket_server};
use crate::config::Config;
use crate::ffi::boundary::call;
use crate::ffi::config::{CONFIGS, webSocket_config};
use crate::ffi::convert::write;
use crate::ffi::failure::remember_cause;
use crate::ffi::result::webSocket_result;
use crate::net::poller::Poller;
use crate::net::sys::Errno;
use crate::proto::Error;
use crate::server::turn::Loop;
use crate::server::{Door, Shared};

/// An error, and the `errno` behind it; 0 for none.
pub(super) struct Cause(pub(super) Error, pub(super) i32);

impl From<Error> for Cause {
    fn from(error: Error) -> Cause {
        Cause(error, 0)
    }
}

/// What the kernel refused.
impl From<Errno> for Cause {
    fn from(errno: Errno) -> Cause {
        let error = match errno.0 {
            libc::EMFILE | libc::ENFILE => Error::Handles,
            libc::ENOMEM | libc::ENOBUFS => Error::Memory,
            libc::EADDRINUSE | libc::EACCES | libc::EADDRNOTAVAIL => Error::Address,
            // A path that no socket can have: the kernel was not asked.
            libc::ENAMETOOLONG => return Error::Usage.into(),
            _ => Error::System,
        };
        Cause(error, errno.0)
    }
}

/// Runs the body of a function whose failure `webSocket_lastFailure` tells.
pub(super) fn told(body: impl FnOnce() -> Result<(), Cause>) -> webSocket_result {
    call(|| remember_cause(body().map_err(|Cause(error, errno)| (error, errno))))
}

/// Makes a server: its loops (`WEBSOCKET_THREADS`, one by default), which
/// serve nobody yet. No thread is started.
///
/// `config` may be NULL (defaults) and is copied. `callback` gets the events,
/// with `user`, which is never read through and must live until the server was
/// freed and its threads have ended. Writes the token to `*server` where it
/// succeeds; the caller frees it with `webSocket_server_free`. It uses two file
/// descriptors a loop. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`
/// (`callback` or `server`), `WEBSOCKET_E_LIMITS` (the config's do not fit
/// `WEBSOCKET_MEMORY_BYTES`), `WEBSOCKET_E_HANDLES` (no descriptor or no token
/// is left), `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_SYSTEM` (errno tells),
/// `WEBSOCKET_E_LIMITS` (`WEBSOCKET_MEMORY_BYTES`), `WEBSOCKET_GONE` or
/// `WEBSOCKET_E_BUSY` (the config). Since 0.1.
///
/// # Safety
/// `callback` may be called with `user` from any thread; `server` is NULL or
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_new(
    config: *const webSocket_config,
    callback: webSocket_callback,
    user: *mut c_void,
    server: *mut *mut webSocket_server,
) -> webSocket_result {
    told(|| {
        let callback = callback.filter(|_| !server.is_null()).ok_or(Error::Null)?;
        let (settings, serving) = if config.is_null() {
            Config::default().serving()?
        } else {
            CONFIGS.enter(config as usize)?.value()?.serving()?
        };
        let mut pollers = Vec::new();
        let mut doors = Vec::new();
        for _ in 0..serving.threads {
            let poller = Poller::new()?;
            doors.push(Door::new(poller.waker()));
            pollers.push(poller);
        }
        let program = Served::Caller(Caller {
            callback,
            user,
            token: AtomicUsize::new(0),
            silent: AtomicBool::new(false),
        });
        let shared = Arc::new(Shared::new(program, settings, serving, doors));
        let made = |(number, poller)| {
            let looped = Loop::new(Arc::clone(&shared), number, poller);
            Some(Box::new(looped))
        };
        let resting = pollers.into_iter().enumerate().map(made).collect();
        let own = Arc::clone(&shared);
        let token = SERVERS.insert(Arc::new(Server {
            shared,
            resting: Mutex::new(resting),
            threads: Mutex::default(),
            started: AtomicBool::new(false),
        }))?;
        if let Some(caller) = caller(&own) {
            caller.token.store(token, Ordering::Relaxed);
        }
        // SAFETY: the caller's promise.
        Ok(unsafe { write(server, token as *mut webSocket_server) }?)
    })
}
