//! `webSocket_event`: the one struct that tells what happened.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use super::result::{WEBSOCKET_OK, webSocket_result};
use crate::proto::conn::Event;
use crate::proto::message::Kind;

/// A client asks to connect (`data`: path and query); accept or refuse.
pub const WEBSOCKET_REQUEST: u32 = 1;
/// The connection is open (`data`: the subprotocol agreed on, or nothing).
pub const WEBSOCKET_OPEN: u32 = 2;
/// A text message, or a chunk of one.
pub const WEBSOCKET_TEXT: u32 = 3;
/// A binary message, or a chunk of one.
pub const WEBSOCKET_BINARY: u32 = 4;
/// A ping (`data`: its payload); its pong is queued already.
pub const WEBSOCKET_PING: u32 = 5;
/// A pong (`data`: its payload).
pub const WEBSOCKET_PONG: u32 = 6;
/// Of a server: all that waited for a peer has been sent, after a message was
/// refused (`WEBSOCKET_FULL`) or so much waited that nothing more was read from
/// it: sending may go on.
pub const WEBSOCKET_DRAIN: u32 = 7;
/// The connection is over (`data`: the peer's reason); comes exactly once.
pub const WEBSOCKET_CLOSE: u32 = 9;

/// The first chunk of its message; the first piece of its `webSocket_frame`.
pub const WEBSOCKET_FIRST: u32 = 1;
/// The last chunk of its message; the last piece of its `webSocket_frame`.
pub const WEBSOCKET_FINAL: u32 = 2;
/// Of `WEBSOCKET_CLOSE`: the peer's close frame began it.
pub const WEBSOCKET_BY_PEER: u32 = 4;

/// A peer of a server; 0 where there is but one peer.
pub type webSocket_peer = u64;

/// What happened.
#[repr(C)]
#[derive(Debug)]
pub struct webSocket_event {
    /// `sizeof` this struct, set by whoever provides it:
    /// `webSocket_event event = WEBSOCKET_EVENT_INIT;` (a server's callback is
    /// given the library's).
    pub size: usize,
    /// `WEBSOCKET_REQUEST` and so on.
    pub kind: u32,
    /// `WEBSOCKET_FIRST` and `WEBSOCKET_FINAL` (both: the whole message),
    /// `WEBSOCKET_BY_PEER`.
    pub flags: u32,
    /// The bytes, never NULL; borrowed until the next call of
    /// `webSocket_conn_next`, `_feed` or `_free` on the handle; of a server,
    /// until the callback returns. Text and reasons are UTF-8, are not ended by
    /// a NUL and may hold one anywhere (U+0000); a chunk of text may end inside
    /// a code point.
    pub data: *const u8,
    /// How many bytes `data` has.
    pub length: usize,
    /// The pointer that the program keeps with a server's peer
    /// (`webSocket_server_setPeerUser`); else NULL.
    pub peerUser: *mut c_void,
    /// Where `data` begins in its message, in bytes.
    pub offset: u64,
    /// Bytes of the present frame that are still to come; of a close, those
    /// that the end cut off (at least 1 where it came inside a frame).
    pub frameRemaining: u64,
    /// Which peer of a server; else 0.
    pub peer: webSocket_peer,
    /// Of `WEBSOCKET_CLOSE`: the peer's code, 1005 (it gave none), 1006 (the
    /// connection was lost or never opened), or the code that we failed it
    /// with.
    pub closeCode: u32,
    /// Of `WEBSOCKET_CLOSE`: `WEBSOCKET_OK` for a clean closing handshake, else
    /// why.
    pub result: webSocket_result,
}

// On every target: pointers first in pairs, so that neither a hole nor a tail
// is padded and a later version can add fields behind; held by layout.rs.

impl webSocket_event {
    pub(super) fn new(event: &Event<'_>) -> webSocket_event {
        let mut out = webSocket_event {
            size: size_of::<webSocket_event>(),
            kind: 0,
            flags: 0,
            data: ptr::null(),
            length: 0,
            peerUser: ptr::null_mut(),
            offset: 0,
            frameRemaining: 0,
            peer: 0,
            closeCode: 0,
            result: WEBSOCKET_OK,
        };
        let whole = WEBSOCKET_FIRST | WEBSOCKET_FINAL;
        let (kind, flags, data) = match *event {
            Event::Request { target } => (WEBSOCKET_REQUEST, whole, target.as_bytes()),
            Event::Open { subprotocol } => (WEBSOCKET_OPEN, whole, subprotocol.as_bytes()),
            Event::Ping(data) => (WEBSOCKET_PING, whole, data),
            Event::Pong(data) => (WEBSOCKET_PONG, whole, data),
            Event::Data(chunk) => {
                out.offset = chunk.offset;
                out.frameRemaining = chunk.frame_remaining;
                let kind = match chunk.kind {
                    Kind::Text => WEBSOCKET_TEXT,
                    // The last two never come: only the drop-in is lenient.
                    Kind::Binary | Kind::Continuation | Kind::Raw => WEBSOCKET_BINARY,
                };
                let first = if chunk.first { WEBSOCKET_FIRST } else { 0 };
                let last = if chunk.last { WEBSOCKET_FINAL } else { 0 };
                (kind, first | last, chunk.data)
            }
            Event::Close(close) => {
                out.frameRemaining = close.missing;
                out.closeCode = close.code.into();
                out.result = close.error.map_or(WEBSOCKET_OK, webSocket_result::from);
                let by_peer = if close.by_peer { WEBSOCKET_BY_PEER } else { 0 };
                (WEBSOCKET_CLOSE, whole | by_peer, close.reason.as_bytes())
            }
        };
        (out.kind, out.flags) = (kind, flags);
        (out.data, out.length) = (data.as_ptr(), data.len());
        out
    }
}
