//! `ws_send` on a number that is a server's client: through that client's
//! queue, so that frames of several threads never mix and nobody waits.

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Ws_DataType;
use super::program::{
    WDT_BINDATA, WDT_DISCONN, WDT_MINDATA, WDT_NULL, WDT_PING, WDT_PONG, WDT_TXTDATA,
};
use crate::ffi::served::{Served, with_here};
use crate::net::sys;
use crate::net::table::Table;
use crate::proto::message::Kind;
use crate::proto::{Error, close};
use crate::server::Shared;
use crate::server::slots::PeerId;

/// A message in either direction, and with it a frame, in bytes.
pub(super) const MESSAGE_BYTES: usize = 64 << 20;
/// Where so much waits for a client, in bytes, nothing more is taken; below it
/// any message is. It is more than what is read at once from one that reads
/// late can have echoed, however short its messages are.
pub(super) const WAITING_BYTES: usize = 8 << 20;

/// No server has the number.
const FREE: u8 = 0;
/// The handshake is not over, or the end has come: nothing can be sent.
const SHUT: u8 = 1;
/// Messages flow.
const OPEN: u8 = 2;

/// Whose a number is.
#[derive(Default)]
struct Place {
    /// Looked at first: most numbers are no server's.
    state: AtomicU8,
    owner: Mutex<Option<(Arc<Shared<Served>>, PeerId)>>,
}

static PLACES: Table<Place> = Table::new();

fn place(fd: RawFd) -> Option<&'static Place> {
    PLACES.get(u32::try_from(fd).ok()?)
}

/// A server's client has this number from now on.
pub(super) fn own(fd: RawFd, server: &Arc<Shared<Served>>, peer: PeerId) -> bool {
    let place = u32::try_from(fd).ok().and_then(|fd| PLACES.get_or_make(fd));
    let Some(place) = place else { return false };
    let mut owner = place.owner.lock().unwrap_or_else(PoisonError::into_inner);
    *owner = Some((Arc::clone(server), peer));
    place.state.store(SHUT, Ordering::Release);
    true
}

/// Its handshake is over.
pub(super) fn opened(fd: RawFd) {
    if let Some(place) = place(fd) {
        place.state.store(OPEN, Ordering::Release);
    }
}

/// Its end has come; the socket is still there, with what is left to send.
pub(super) fn closing(fd: RawFd) {
    if let Some(place) = place(fd) {
        place.state.store(SHUT, Ordering::Release);
    }
}

/// The number is the server's no more.
pub(super) fn disown(fd: RawFd) {
    let Some(place) = place(fd) else { return };
    let mut owner = place.owner.lock().unwrap_or_else(PoisonError::into_inner);
    place.state.store(FREE, Ordering::Release);
    let gone = owner.take();
    drop(owner);
    // It may be the last that the server hung on.
    drop(gone);
}

/// What is to be sent.
enum Wanted<'p> {
    Message(Kind),
    Control { ping: bool },
    Close(Option<u16>, &'p str),
}

/// What a type asks for, and how many bytes of the payload go out; `None` for a
/// bad type or length.
fn wanted(kind: Ws_DataType, payload: &[u8]) -> Option<(Wanted<'_>, usize)> {
    let length = payload.len();
    let control = length <= crate::proto::frame::MAX_CONTROL;
    match kind {
        WDT_TXTDATA => Some((Wanted::Message(Kind::Text), length)),
        WDT_BINDATA => Some((Wanted::Message(Kind::Binary), length)),
        WDT_MINDATA => Some((Wanted::Message(Kind::Continuation), length)),
        WDT_NULL => Some((Wanted::Message(Kind::Raw), length)),
        WDT_PING if control => Some((Wanted::Control { ping: true }, length)),
        WDT_PONG if control => Some((Wanted::Control { ping: false }, length)),
        // What is no code and reason (RFC 6455 5.5.1) says nothing.
        WDT_DISCONN if control => Some(match close::parse(payload) {
            Ok((code, reason)) if code != close::NO_STATUS => {
                (Wanted::Close(Some(code), reason), length)
            }
            _ => (Wanted::Close(None, ""), 0),
        }),
        _ => None,
    }
}

/// The bytes of an unmasked frame (RFC 6455 5.2).
fn frame_bytes(payload: usize) -> usize {
    let header = match payload {
        0..=125 => 2,
        126..=0xFFFF => 4,
        _ => 10,
    };
    payload.saturating_add(header)
}

/// Sends a message on a number that is a client's of a server here; `None`
/// where it is not. Never waits. The frame's bytes; 0 for a bad length or type;
/// -1 where nothing was sent.
pub fn send(fd: c_int, payload: &[u8], kind: Ws_DataType) -> Option<c_int> {
    let place = place(fd)?;
    if place.state.load(Ordering::Acquire) == FREE {
        return None;
    }
    let owner = place.owner.lock().unwrap_or_else(PoisonError::into_inner);
    let (server, peer) = owner.clone()?;
    drop(owner);
    let Some((what, length)) = wanted(kind, payload) else {
        return Some(0);
    };
    if place.state.load(Ordering::Acquire) != OPEN {
        sys::set_errno(libc::EPIPE);
        return Some(-1);
    }
    Some(match post(&server, peer, &what, payload) {
        Ok(()) if kind == WDT_NULL => super::public::int(length),
        Ok(()) => super::public::int(frame_bytes(length)),
        Err(error) => {
            sys::set_errno(match error {
                Error::Full => libc::EAGAIN,
                Error::SendTooBig => libc::EMSGSIZE,
                Error::Memory => libc::ENOMEM,
                _ => libc::EPIPE,
            });
            -1
        }
    })
}

fn post(
    server: &Shared<Served>,
    peer: PeerId,
    what: &Wanted<'_>,
    payload: &[u8],
) -> Result<(), Error> {
    if payload.len() > MESSAGE_BYTES {
        return Err(Error::SendTooBig);
    }
    let is_its = |shared: &Shared<Served>| ptr::eq(shared, server);
    let is_message = matches!(what, Wanted::Message(_));
    let full = |waiting: usize| is_message && waiting >= WAITING_BYTES;
    let here = with_here(is_its, |here| {
        if full(here.waiting(peer)?) {
            return Err(Error::Full);
        }
        match *what {
            Wanted::Message(kind) => here.send(peer, kind, payload)?,
            Wanted::Control { ping } => here.control(peer, ping, payload)?,
            Wanted::Close(code, reason) => here.close(peer, code, reason)?,
        }
        // Programs of generation 2 expect it to be on its way, however long
        // their callback goes on.
        here.send_now(peer)
    });
    here.unwrap_or_else(|| match *what {
        Wanted::Message(_) if full(server.waiting(peer)) => Err(Error::Full),
        Wanted::Message(kind) => server.send(peer, kind, payload),
        Wanted::Control { ping } => server.control(peer, ping, payload),
        Wanted::Close(code, reason) => server.close(peer, code, reason),
    })
}
