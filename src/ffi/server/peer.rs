//! A server's peers: what is sent to them, and what is known of them.

use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{FromRawFd, OwnedFd};

use super::{in_callback, share, webSocket_server, with_here};
use crate::ffi::boundary::call;
use crate::ffi::convert::{Bytes, bytes, text, write};
use crate::ffi::event::{
    WEBSOCKET_BINARY, WEBSOCKET_PING, WEBSOCKET_PONG, WEBSOCKET_TEXT, webSocket_peer,
};
use crate::ffi::result::webSocket_result;
use crate::net::sys::listen;
use crate::proto::Error;
use crate::proto::conn::Sendable;
use crate::proto::message::Kind;
use crate::server::slots::PeerId;

/// # Safety
/// `text` is NULL or a NUL-terminated string, unchanged while the borrow lives.
unsafe fn optional<'c>(given: *const c_char) -> Result<Option<&'c str>, Error> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { text(given) }.map(Some)
}

fn kind_of(kind: u32) -> Result<Kind, Error> {
    match kind {
        WEBSOCKET_TEXT => Ok(Kind::Text),
        WEBSOCKET_BINARY => Ok(Kind::Binary),
        _ => Err(Error::Usage),
    }
}

/// Sends a message or a control frame to a peer.
///
/// `kind`: `WEBSOCKET_TEXT` (`data` must be UTF-8), `WEBSOCKET_BINARY`,
/// `WEBSOCKET_PING` or `WEBSOCKET_PONG` (at most 125 bytes). `data`: `length`
/// bytes, free again when the call returns, and may be what the event lent;
/// NULL with 0 for an empty one. Any thread: messages of one thread leave in
/// their order. From the callback of the peer's loop it takes no lock; replies
/// gather and leave together when the batch that was read has been told. It
/// waits only with `WEBSOCKET_OVERFLOW_BLOCK`, for room, on a thread that is in
/// no callback: for `WEBSOCKET_BLOCK_TIMEOUT_MS` at most, until the peer is
/// gone or the server stops (`WEBSOCKET_CLOSED`).
///
/// Results: `WEBSOCKET_OK` (it is on its way), `WEBSOCKET_FULL` (more than
/// `WEBSOCKET_SEND_QUEUE_BYTES` would wait for this peer; `WEBSOCKET_DRAIN` tells
/// when it may go on; with another `WEBSOCKET_OVERFLOW` see there; of pings and
/// pongs: so many are on their way to the peer's loop),
/// `WEBSOCKET_CLOSED` (closing), `WEBSOCKET_GONE` (the peer or the server),
/// `WEBSOCKET_E_STATE` (not open yet), `WEBSOCKET_E_USAGE` (the kind),
/// `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_MEMORY`. Another thread than the peer's loop is told
/// `WEBSOCKET_OK` for a peer that is closing or not open yet as well: the
/// message is then dropped. Since 0.1.
///
/// # Safety
/// `data` is NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_send(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    kind: u32,
    data: *const Bytes,
    length: usize,
) -> webSocket_result {
    call(move || {
        // SAFETY: the caller's promise.
        let data = unsafe { bytes(data, length) }?;
        let peer = PeerId(peer);
        let what = match kind {
            WEBSOCKET_TEXT => Sendable::Message(Kind::Text),
            WEBSOCKET_BINARY => Sendable::Message(Kind::Binary),
            WEBSOCKET_PING => Sendable::Ping,
            WEBSOCKET_PONG => Sendable::Pong,
            _ => return Err(Error::Usage),
        };
        let here = with_here(server, |here| match what {
            _ if !here.serves(peer) => None,
            Sendable::Message(kind) => Some(here.send(peer, kind, data)),
            _ => Some(here.control(peer, what == Sendable::Ping, data)),
        });
        if let Some(Some(sent)) = here {
            return sent;
        }
        let shared = &share(server)?.shared;
        match what {
            Sendable::Message(kind) if in_callback() => shared.send(peer, kind, data),
            Sendable::Message(kind) => shared.send_or_wait(peer, kind, data),
            _ => shared.control(peer, what == Sendable::Ping, data),
        }
    })
}

/// Sends a message to all peers that subscribe to a topic, or to all that are
/// open; never waits. It is in memory once, however many peers it waits for.
///
/// `topic`: a text that the peers subscribed to, compared byte by byte; NULL
/// for all peers. `kind`: `WEBSOCKET_TEXT` (`data` must be UTF-8) or
/// `WEBSOCKET_BINARY`. `data`: `length` bytes, copied; NULL with 0 for an empty
/// message. `except`: a peer that does not get it, such as the one it came
/// from; 0 for none. A peer that has no room for it goes without (see
/// `WEBSOCKET_OVERFLOW`) and gets `WEBSOCKET_DRAIN` later. Any thread: it keeps
/// its place among what the thread sends to each peer.
///
/// Results: `WEBSOCKET_OK` (it is on its way; also where nobody subscribes),
/// `WEBSOCKET_FULL` (a loop has `WEBSOCKET_SEND_QUEUE_BYTES`, or 1 MiB, of
/// publications to come; its peers go without), `WEBSOCKET_E_USAGE` (the kind),
/// `WEBSOCKET_E_STATE` (the server was stopped), `WEBSOCKET_E_SEND_UTF8`
/// (`data` or `topic`),
/// `WEBSOCKET_E_SEND_TOO_BIG` (over `WEBSOCKET_SEND_QUEUE_BYTES`; a topic over
/// 64 KiB), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE`. Since
/// 0.1.
///
/// # Safety
/// `topic` is NULL or a NUL-terminated string; `data` is NULL or has `length`
/// readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_publish(
    server: *mut webSocket_server,
    topic: *const c_char,
    kind: u32,
    data: *const Bytes,
    length: usize,
    except: webSocket_peer,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let (data, topic) = unsafe { (bytes(data, length)?, optional(topic)?) };
        let except = (except != 0).then_some(PeerId(except));
        let kind = kind_of(kind)?;
        let handle = share(server)?;
        let here = with_here(server, |here| here.publish(topic, kind, data, except));
        here.unwrap_or_else(|| handle.shared.publish(topic, kind, data, except))
    })
}

/// Has a peer get what is published to a topic from now on; again is fine.
///
/// `topic`: any text in UTF-8, copied; it need not be announced and ends with
/// its last subscriber. Subscriptions end with their peer. Any thread. Results:
/// `WEBSOCKET_OK`, `WEBSOCKET_GONE` (the peer or the server),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8` (`topic`),
/// `WEBSOCKET_E_SEND_TOO_BIG` (over 64 KiB), `WEBSOCKET_E_MEMORY`. Since 0.1.
///
/// # Safety
/// `topic` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_subscribe(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    topic: *const c_char,
) -> webSocket_result {
    // SAFETY: the caller's promise.
    unsafe { subscription(server, peer, topic, true) }
}

/// Has a peer get no more of a topic; one that it never subscribed to is fine.
///
/// What was published before still comes. `topic`, threads and results as for
/// `webSocket_server_subscribe`. Since 0.1.
///
/// # Safety
/// `topic` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_unsubscribe(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    topic: *const c_char,
) -> webSocket_result {
    // SAFETY: the caller's promise.
    unsafe { subscription(server, peer, topic, false) }
}

/// # Safety
/// `topic` is NULL or a NUL-terminated string.
unsafe fn subscription(
    handle: *mut webSocket_server,
    peer: webSocket_peer,
    topic: *const c_char,
    on: bool,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let topic = unsafe { text(topic) }?;
        let server = share(handle)?;
        let peer = PeerId(peer);
        let here = with_here(handle, |here| {
            let own = here.serves(peer);
            own.then(|| here.subscribe(peer, &topic.into(), on))
        });
        match here {
            Some(Some(done)) => done,
            _ => server.shared.subscribe(peer, topic, on),
        }
    })
}

/// Starts the closing handshake with a peer, behind the messages that wait for
/// it; never waits. `WEBSOCKET_CLOSE` tells the end, at most
/// `WEBSOCKET_CLOSE_TIMEOUT_MS` later; no message is told before it any more.
///
/// `code`: 1000 to 1003, 1007 to 1014, 3000 to 4999; 0 for none. `reason`:
/// UTF-8, at most 123 bytes, copied; NULL for none. Before the peer is open it
/// refuses the request. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_CLOSED`
/// (closing already), `WEBSOCKET_GONE` (the peer or the server),
/// `WEBSOCKET_E_RANGE` (the code), `WEBSOCKET_E_USAGE` (a reason without a
/// code), `WEBSOCKET_E_SEND_TOO_BIG` or `WEBSOCKET_E_SEND_UTF8` (the reason),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_MEMORY`. Since 0.1.
///
/// # Safety
/// `reason` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_closePeer(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    code: u32,
    reason: *const c_char,
) -> webSocket_result {
    call(|| {
        // SAFETY: the caller's promise.
        let reason = unsafe { optional(reason) }?.unwrap_or("");
        let code = u16::try_from(code).map_err(|_| Error::Range)?;
        let code = (code != 0).then_some(code);
        let shared = &share(server)?.shared;
        let peer = PeerId(peer);
        let here = with_here(server, |here| {
            here.serves(peer).then(|| here.close(peer, code, reason))
        });
        match here {
            Some(Some(done)) => done,
            _ => shared.close(peer, code, reason),
        }
    })
}

/// Tells how many bytes wait to be sent to a peer, those on their way from
/// other threads included; what the kernel has taken is not.
///
/// Writes `*length`. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE` (the
/// peer or the server), `WEBSOCKET_E_NULL`. Since 0.1.
///
/// # Safety
/// `length` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_bufferedBytes(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    length: *mut usize,
) -> webSocket_result {
    call(|| {
        let shared = &share(server)?.shared;
        let peer = PeerId(peer);
        let here = with_here(server, |here| here.serves(peer).then(|| here.waiting(peer)));
        let waiting = match here {
            Some(Some(waiting)) => waiting?,
            _ => shared.counts(peer)?.waiting,
        };
        // SAFETY: the caller's promise.
        unsafe { write(length, waiting) }
    })
}

/// Keeps a pointer of the program's with a peer, to find in each of its later
/// events (`peerUser`); NULL at first.
///
/// Never read through, never freed: free what it points to in the callback of
/// `WEBSOCKET_CLOSE`, which comes once for every peer unless the server is
/// freed before. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE` (the
/// peer or the server), `WEBSOCKET_E_NULL`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_setPeerUser(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    user: *mut c_void,
) -> webSocket_result {
    call(|| share(server)?.shared.set_user(PeerId(peer), user as usize))
}

/// Serves a connection that the program accepted itself, or got otherwise, as
/// one that the server accepted.
///
/// `fd`, a connected TCP or local stream socket, is the server's from now on:
/// it is made non-blocking, and closed in the end. So it is where this fails,
/// but for `WEBSOCKET_E_USAGE`, `WEBSOCKET_E_SEND_TOO_BIG`, `WEBSOCKET_E_NULL`
/// and `WEBSOCKET_GONE`. `data`: `length` bytes that were read from it already,
/// copied; NULL with 0 for none. It goes to the loop with the fewest peers; the
/// limits on connections hold for it (503). Any thread. Results: `WEBSOCKET_OK`
/// (its request is awaited), `WEBSOCKET_E_USAGE` (not a connected stream
/// socket), `WEBSOCKET_E_STATE` (the server was stopped; the peer is answered
/// 503), `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG`
/// (`length` is beyond `PTRDIFF_MAX`), `WEBSOCKET_E_MEMORY`, `WEBSOCKET_GONE`.
/// Since 0.1.
///
/// # Safety
/// `data` is NULL or has `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_adopt(
    server: *mut webSocket_server,
    fd: c_int,
    data: *const Bytes,
    length: usize,
) -> webSocket_result {
    call(|| {
        let server = share(server)?;
        // SAFETY: the caller's promise.
        let data = unsafe { bytes(data, length) }?;
        if !listen::is_stream(fd) || listen::peer_address(fd).is_err() {
            return Err(Error::Usage);
        }
        // SAFETY: it is a socket, and the caller gives it away.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        listen::make_ours(fd).map_err(|_| Error::System)?;
        server.shared.adopt(socket, data)
    })
}
