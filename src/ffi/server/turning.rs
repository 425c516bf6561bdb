//! A server's turns, on the program's threads or on its own, and its end.

use std::ffi::c_int;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::life::{Cause, told};
use super::{SERVERS, Server, caller, is_here, share, webSocket_server};
use crate::ffi::boundary::call;
use crate::ffi::convert::write;
use crate::ffi::result::webSocket_result;
use crate::ffi::served::becomes_own;
use crate::net::deadlines::NEVER;
use crate::net::sys::{self, Thread};
use crate::proto::Error;

/// No end: for times that say so.
pub const WEBSOCKET_FOREVER: u32 = u32::MAX;

/// Room for what callbacks need.
const STACK: usize = 1 << 20;

/// Turns the server once: waits up to `timeoutMs` milliseconds for something
/// to do, and does it; the callback is called from here, any number of times.
///
/// 0: does not wait. `WEBSOCKET_FOREVER`: without end. It waits no longer than
/// the next deadline of a peer, and returns after each batch, so call it again
/// and again. For a server of one loop, on a thread of the program's, not
/// always the same; one at a time. Results: `WEBSOCKET_OK` (also where nothing
/// happened), `WEBSOCKET_CLOSED` (it was stopped and all peers are gone:
/// free it), `WEBSOCKET_E_STATE` (it has several loops, or threads of its own),
/// `WEBSOCKET_E_REENTRY` (from its own callback), `WEBSOCKET_E_BUSY` (another
/// thread turns it), `WEBSOCKET_E_HANDLES`, `WEBSOCKET_E_MEMORY` or
/// `WEBSOCKET_E_SYSTEM` (the kernel refused to wait; errno tells),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_step(
    server: *mut webSocket_server,
    timeoutMs: u32,
) -> webSocket_result {
    call(|| {
        let server = share(server)?;
        let timeout = if timeoutMs == WEBSOCKET_FOREVER {
            NEVER
        } else {
            timeoutMs.into()
        };
        server.turn_alone(timeout)
    })
}

impl Server {
    /// One turn of a server of one loop, on the caller's thread.
    fn turn_alone(&self, timeout: u64) -> Result<(), Error> {
        if is_here(&self.shared) {
            return Err(Error::Reentry);
        }
        let looped = self.take_only()?;
        if looped.is_over() {
            self.put_back(0, looped);
            return Err(Error::Closed);
        }
        let turned = looped.turn(timeout);
        let (looped, outcome) = match turned {
            Ok(looped) => (looped, Ok(())),
            Err((looped, errno)) => {
                let Cause(error, errno) = errno.into();
                sys::set_errno(errno);
                (looped, Err(error))
            }
        };
        let over = looped.is_over();
        self.put_back(0, looped);
        if over { Err(Error::Closed) } else { outcome }
    }
}

/// Turns the server, on the calling thread, until it was stopped (by the
/// callback or by another thread) and all peers are gone.
///
/// As `webSocket_server_step` otherwise. Results: `WEBSOCKET_OK` (it is over:
/// free it), and the errors of `webSocket_server_step`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_run(server: *mut webSocket_server) -> webSocket_result {
    call(|| {
        let server = share(server)?;
        loop {
            match server.turn_alone(NEVER) {
                Ok(()) => {}
                Err(Error::Closed) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    })
}

/// Gives the descriptor to wait for in the program's own select, poll, epoll
/// or event loop: it is readable (`POLLIN`) whenever
/// `webSocket_server_step(server, 0)` has something to do, deadlines and
/// requests of other threads included.
///
/// Writes `*fd`: the same every time, and the server's own. Only wait for it,
/// level-triggered; it is closed by `webSocket_server_free`, so take it out of
/// your loop before. Any thread, while nobody turns the server. Results:
/// `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (several loops, or threads of its own),
/// `WEBSOCKET_E_BUSY` (it is being turned), `WEBSOCKET_E_HANDLES`,
/// `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_GONE`. Since 0.1.
///
/// # Safety
/// `fd` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_pollFd(
    server: *mut webSocket_server,
    fd: *mut c_int,
) -> webSocket_result {
    told(|| {
        if fd.is_null() {
            return Err(Error::Null.into());
        }
        let server = share(server)?;
        let mut looped = server.take_only()?;
        let found = looped.poll_fd();
        server.put_back(0, looped);
        // SAFETY: the caller's promise.
        Ok(unsafe { write(fd, found?) }?)
    })
}

/// Starts `WEBSOCKET_THREADS` threads that turn the server, and returns; the
/// callback is called on them, for different peers at the same time where they
/// are several, for one peer always on the same.
///
/// They block all signals: those come to the program's threads as before. Once;
/// they end with `webSocket_server_stop` or `_free`. Any thread. Results:
/// `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (started already, or stopped),
/// `WEBSOCKET_E_BUSY` (a thread of the program's turns it),
/// `WEBSOCKET_E_HANDLES` (no thread could be started; the server is stopped),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_start(server: *mut webSocket_server) -> webSocket_result {
    call(|| {
        let server = share(server)?;
        let stopping = server.shared.stopping.load(Ordering::Acquire);
        {
            // The lock is held until the threads are sure of their loops.
            let resting = server.resting();
            if stopping || server.started.load(Ordering::Acquire) {
                return Err(Error::State);
            }
            if resting.iter().any(Option::is_none) {
                return Err(Error::Busy);
            }
            server.started.store(true, Ordering::Release);
        }
        // Whoever stops it meanwhile waits for all of them.
        let mut threads = server.threads();
        for number in 0..server.shared.doors.len() {
            let own = Arc::clone(&server);
            let thread = Thread::start(STACK, Box::new(move || own.run_loop(number)));
            let Some(thread) = thread else {
                server.shared.stop();
                return Err(Error::Handles);
            };
            threads.push(thread);
        }
        Ok(())
    })
}

impl Server {
    fn threads(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn run_loop(&self, number: usize) {
        becomes_own(&self.shared);
        let Ok(mut looped) = self.take(number) else {
            return;
        };
        // A wait that the kernel refuses is a defect of ours, or memory: the
        // loop ends rather than spin, and its peers' ends are told.
        while !looped.is_over() {
            match looped.turn(NEVER) {
                Ok(turned) => looped = turned,
                Err((turned, _)) => {
                    self.shared.stop();
                    return drop(turned.cut_all());
                }
            }
        }
    }

    /// Waits until all threads of ours are gone; another that does the same
    /// waits for this.
    fn wait_for_threads(&self) {
        self.threads().drain(..).for_each(Thread::join);
    }
}

/// Stops the server: nobody new is taken, all peers are told 1001 (going
/// away) behind what waits for them and have `WEBSOCKET_STOP_TIMEOUT_MS` to
/// answer; then they are cut. `WEBSOCKET_CLOSE` comes for each.
///
/// With threads of its own (`webSocket_server_start`) it returns when they have
/// ended; called from the callback it returns at once. A program that turns
/// the server itself goes on until `webSocket_server_step` says
/// `WEBSOCKET_CLOSED`, or `_run` returns. A server cannot be started again:
/// free it. Stopping again is fine. Any thread; from the callback; not from a
/// signal handler. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_GONE`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_stop(server: *mut webSocket_server) -> webSocket_result {
    call(|| {
        let server = share(server)?;
        server.shared.stop();
        if !is_here(&server.shared) {
            server.wait_for_threads();
        }
        Ok(())
    })
}

/// Frees a server: what is still open is closed at once, without a word to
/// the peers, and nothing is told any more, `WEBSOCKET_CLOSE` neither. Stop it
/// first for a polite end, and where something hangs on each peer's `peerUser`.
///
/// NULL is fine. The token, and every peer's number, are `WEBSOCKET_GONE` from
/// now on. It waits for the server's own threads; from the callback it does
/// not: they end when the callback returns. Any thread. Results:
/// `WEBSOCKET_OK`, `WEBSOCKET_GONE` (freed before). Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_free(server: *mut webSocket_server) -> webSocket_result {
    call(|| {
        if server.is_null() {
            return Ok(());
        }
        let own = share(server)?;
        SERVERS.free_shared(server as usize)?;
        if let Some(caller) = caller(&own.shared) {
            caller.silent.store(true, Ordering::Relaxed);
        }
        own.shared.abandon();
        if !is_here(&own.shared) {
            own.wait_for_threads();
        }
        Ok(())
    })
}
