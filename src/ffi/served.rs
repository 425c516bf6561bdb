//! Whom a loop serves, and the loop at hand in a callback. Servers of
//! `websocket.h` and of `ws_server.h` are of one type here, so that the reactor
//! is in the library once.

use std::cell::Cell;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::Arc;

use super::event::webSocket_event;
use super::server::Caller;
use super::ws_server::{self, Face};
use crate::server::facts::Origin;
use crate::server::slots::PeerId;
use crate::server::turn::Loop;
use crate::server::{Happening, Program, Shared};

/// The program behind a server.
pub(super) enum Served {
    /// One of `websocket.h`.
    Caller(Caller),
    /// One of `ws_server.h`.
    Face(Face),
}

/// A happening, as it is told.
pub(super) enum Told {
    Caller(webSocket_event),
    Face(ws_server::Told),
}

thread_local! {
    /// The loop whose callback this thread is in, from `Box::into_raw`; NULL
    /// for none, and while a call of the callback has it at hand. A plain
    /// pointer, as nothing is to be seen to at the thread's end.
    static HERE: Cell<*mut Loop<Served>> = const { Cell::new(ptr::null_mut()) };
    /// The server that this thread was started for.
    static OWN: Cell<*const Shared<Served>> = const { Cell::new(ptr::null()) };
}

impl Program for Served {
    type Told = Told;

    fn came(to: &Arc<Shared<Served>>, peer: PeerId, fd: RawFd, from: Option<Origin>) -> bool {
        match &to.program {
            Served::Caller(_) => true,
            Served::Face(face) => face.came(to, peer, fd, from),
        }
    }

    fn left(&self, fd: RawFd) {
        if let Served::Face(face) = self {
            face.left(fd);
        }
    }

    #[inline(always)]
    fn note(&self, peer: PeerId, user: usize, what: &Happening<'_>) -> Told {
        match self {
            Served::Caller(caller) => Told::Caller(caller.note(peer, user, what)),
            Served::Face(face) => Told::Face(face.note(peer, what)),
        }
    }

    #[inline(always)]
    fn tell(&self, told: Told, here: Box<Loop<Served>>) -> Box<Loop<Served>> {
        match (self, &told) {
            (Served::Caller(caller), Told::Caller(event)) => caller.tell(event, here),
            (Served::Face(face), Told::Face(told)) => face.tell(told, here),
            // Each is told what it has noted.
            _ => here,
        }
    }
}

/// Calls the program, with the loop at hand for what it does meanwhile.
#[inline(always)]
pub(super) fn call(here: Box<Loop<Served>>, body: impl FnOnce()) -> Box<Loop<Served>> {
    HERE.with(|place| {
        // A callback of one server may turn another.
        let here = Box::into_raw(here);
        let outer = place.replace(here);
        body();
        place.set(outer);
        // SAFETY: it came from a box just now, and whoever had it at hand
        // meanwhile, on this thread, is done with it.
        unsafe { Box::from_raw(here) }
    })
}

/// Runs `body` on the loop that this thread is in a callback of, if it is one
/// that `is_its` says. No lock is taken: the loop itself says whose it is.
#[inline]
pub(super) fn with_here<T>(
    is_its: impl FnOnce(&Shared<Served>) -> bool,
    body: impl FnOnce(&mut Loop<Served>) -> T,
) -> Option<T> {
    struct Back<'p>(&'p Cell<*mut Loop<Served>>, *mut Loop<Served>);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    HERE.with(|place| {
        let back = Back(place, place.replace(ptr::null_mut()));
        // SAFETY: the loop lives as long as its callback, in which this is;
        // nobody else on this thread finds it until it is back in its place.
        let here = unsafe { back.1.as_mut() }?;
        is_its(&here.shared).then(|| body(here))
    })
}

/// Whether this thread is in a callback of any server: its loop must not be
/// held up.
pub(super) fn in_callback() -> bool {
    !HERE.get().is_null()
}

/// This thread is one of that server's own from now on.
pub(super) fn becomes_own(server: &Shared<Served>) {
    OWN.set(ptr::from_ref(server));
}

/// Whether this thread is one of that server's own.
pub(super) fn is_own(server: &Shared<Served>) -> bool {
    ptr::eq(OWN.get(), server)
}

/// Whether this thread is in a callback of this server, which may have been
/// freed in it. On a thread of its own it is, however deep in the callback of
/// another one that is turned there.
pub(super) fn is_here(server: &Shared<Served>) -> bool {
    // SAFETY: the loop lives as long as its callback, in which this is.
    let here = unsafe { HERE.get().as_ref() };
    here.is_some_and(|here| ptr::eq(&raw const *here.shared, server)) || is_own(server)
}
