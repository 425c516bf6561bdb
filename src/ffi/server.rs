//! `webSocket_server`: many peers, on loops of the library's or of the
//! program's.

pub mod info;
pub mod life;
pub mod listen;
pub mod page;
pub mod peer;
pub mod request;
pub mod turning;

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::event::{WEBSOCKET_DRAIN, webSocket_event};
use super::handle::{Door, Kind};
use super::result::WEBSOCKET_OK;
use super::served::{self, Served, in_callback, is_here};
use crate::net::sys::Thread;
use crate::proto::Error;
use crate::server::slots::PeerId;
use crate::server::turn::Loop;
use crate::server::{Happening, Shared};

static SERVERS: Door<Arc<Server>> = Door::new(Kind::Server);

/// A server of many peers; an opaque token, not an address.
///
/// It has one loop or several (`WEBSOCKET_THREADS`); each peer is served by one
/// of them as long as it lives. Where a function's comment does not say
/// otherwise, any thread may call it at any time.
pub struct webSocket_server {
    _opaque: [u8; 0],
}

/// Gets a server's events, with the `user` of `webSocket_server_new`, on the
/// thread that turns the loop of the peer (`event->peer`): one at a time for
/// each loop, so with several loops for different peers at the same time.
/// `event` and what it lends are valid until it returns.
///
/// A peer's events come in this order: `WEBSOCKET_REQUEST`, `WEBSOCKET_OPEN`,
/// then messages, pings, pongs and `WEBSOCKET_DRAIN`, and once
/// `WEBSOCKET_CLOSE`, the last. A peer whose request was no good, or refused,
/// has `WEBSOCKET_CLOSE` without `WEBSOCKET_OPEN`. Ignore a `kind` that you do
/// not know.
///
/// While it runs its loop serves nobody: what takes long belongs to another
/// thread, which may send the answer itself. It may call every function of this
/// library, but turn the same server (`WEBSOCKET_E_REENTRY`) or wait for its
/// threads. It must return: no `longjmp`, no C++ exception (which ends the
/// program).
pub type webSocket_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, event: *const webSocket_event)>;

type Callback = unsafe extern "C" fn(user: *mut c_void, event: *const webSocket_event);

/// The program behind a server.
pub(super) struct Caller {
    callback: Callback,
    user: *mut c_void,
    /// The server's token, for its own threads to know it by.
    token: AtomicUsize,
    /// The server was freed: nothing is told any more.
    silent: AtomicBool,
}

// SAFETY: the pointer is only handed back to the program, which promised that
// its callback may be called on the loops' threads.
unsafe impl Send for Caller {}
// SAFETY: as above.
unsafe impl Sync for Caller {}

impl Caller {
    /// Takes a happening down.
    #[inline(always)]
    pub(super) fn note(&self, peer: PeerId, user: usize, what: &Happening<'_>) -> webSocket_event {
        let mut event = match what {
            Happening::Event(event) => webSocket_event::new(event),
            Happening::Drain => webSocket_event {
                size: size_of::<webSocket_event>(),
                kind: WEBSOCKET_DRAIN,
                flags: 0,
                data: [].as_ptr(),
                length: 0,
                peerUser: ptr::null_mut(),
                offset: 0,
                frameRemaining: 0,
                peer: 0,
                closeCode: 0,
                result: WEBSOCKET_OK,
            },
        };
        event.peer = peer.0;
        event.peerUser = user as *mut c_void;
        event
    }

    /// Tells the program.
    #[inline(always)]
    pub(super) fn tell(
        &self,
        told: &webSocket_event,
        here: Box<Loop<Served>>,
    ) -> Box<Loop<Served>> {
        if self.silent.load(Ordering::Relaxed) {
            return here;
        }
        served::call(here, || {
            // SAFETY: the program's promise; the event and what it lends live
            // until the connection is asked for its next event.
            unsafe { (self.callback)(self.user, told) };
        })
    }
}

/// The caller behind a server of this file.
fn caller(server: &Shared<Served>) -> Option<&Caller> {
    match &server.program {
        Served::Caller(caller) => Some(caller),
        Served::Face(_) => None,
    }
}

/// Runs `body` on the loop that this thread is in a callback of, if it is one
/// of the server that the token names.
#[inline]
fn with_here<T>(
    server: *mut webSocket_server,
    body: impl FnOnce(&mut Loop<Served>) -> T,
) -> Option<T> {
    let is_its = |shared: &Shared<Served>| {
        caller(shared).is_some_and(|caller| {
            caller.token.load(Ordering::Relaxed) == server as usize
                && !caller.silent.load(Ordering::Relaxed)
        })
    };
    served::with_here(is_its, body)
}

/// Loops by their numbers, where no thread turns them.
type Resting = Vec<Option<Box<Loop<Served>>>>;

/// What a handle stands for.
struct Server {
    shared: Arc<Shared<Served>>,
    /// The loops that no thread turns at present, by their numbers.
    resting: Mutex<Resting>,
    /// The threads that were started and not waited for.
    threads: Mutex<Vec<Thread>>,
    /// The threads were started.
    started: AtomicBool,
}

impl Server {
    fn resting(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a loop to turn it.
    fn take(&self, number: usize) -> Result<Box<Loop<Served>>, Error> {
        let mut resting = self.resting();
        let place = resting.get_mut(number).ok_or(Error::State)?;
        place.take().ok_or(Error::Busy)
    }

    /// Takes the one loop of a server that the program turns itself.
    fn take_only(&self) -> Result<Box<Loop<Served>>, Error> {
        let mut resting = self.resting();
        let [only] = resting.as_mut_slice() else {
            return Err(Error::State);
        };
        // Looked at under the lock: the threads get their loops, or the
        // program keeps its own.
        if self.started.load(Ordering::Acquire) {
            return Err(Error::State);
        }
        only.take().ok_or(Error::Busy)
    }

    /// The loops, where they may still be given something to listen on.
    fn unturned(&self) -> Result<MutexGuard<'_, Resting>, Error> {
        let resting = self.resting();
        let stopping = self.shared.stopping.load(Ordering::Acquire);
        let turned = self.started.load(Ordering::Acquire) || resting.iter().any(Option::is_none);
        if stopping || turned {
            return Err(Error::State);
        }
        Ok(resting)
    }

    /// Lets it rest.
    fn put_back(&self, number: usize, looped: Box<Loop<Served>>) {
        if let Some(place) = self.resting().get_mut(number) {
            *place = Some(looped);
        }
    }
}

fn share(server: *mut webSocket_server) -> Result<Arc<Server>, Error> {
    SERVERS.share(server as usize)
}
