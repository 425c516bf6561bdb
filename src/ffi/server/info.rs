//! What a server tells about itself and its peers.

use std::ffi::c_char;
use std::mem::size_of;
use std::sync::atomic::Ordering;

use super::{share, webSocket_server, with_here};
use crate::ffi::boundary::call;
use crate::ffi::convert::write;
use crate::ffi::event::webSocket_peer;
use crate::ffi::result::webSocket_result;
use crate::proto::Error;
use crate::server::facts::{Facts, Origin};
use crate::server::slots::PeerId;
use crate::server::turn::Loop;

/// No ping of ours was answered yet.
pub const WEBSOCKET_NO_ROUND_TRIP: u32 = u32::MAX;

/// What is known of a peer. Its texts are what the peer sent, cut to their
/// room: fit for a log, not for a decision on `target` where it was cut.
#[repr(C)]
#[derive(Debug)]
pub struct webSocket_peerInfo {
    /// `sizeof` this struct, set by whoever provides it:
    /// `webSocket_peerInfo info = WEBSOCKET_PEER_INFO_INIT;`
    pub size: usize,
    /// Bytes of the request's path and query; more than `target` holds where
    /// it was cut.
    pub targetLength: usize,
    /// Messages of the peer that have come whole.
    pub messagesIn: u64,
    /// Messages to the peer that were sent, or wait.
    pub messagesOut: u64,
    /// Bytes that came from its socket, the handshake's included.
    pub bytesIn: u64,
    /// Bytes that its socket has taken, the handshake's included.
    pub bytesOut: u64,
    /// The last ping's round trip in milliseconds, or
    /// `WEBSOCKET_NO_ROUND_TRIP`.
    pub roundTripMs: u32,
    /// The peer's port; 0 for a local socket.
    pub port: u32,
    /// The peer's IPv4 or IPv6 address as text, `"unix"` for a local socket,
    /// empty where the kernel does not say; NUL-terminated.
    pub address: [c_char; 64],
    /// The subprotocol agreed on, empty for none; NUL-terminated, cut where it
    /// is longer.
    pub subprotocol: [c_char; 64],
    /// Path and query of the request, from `WEBSOCKET_REQUEST` on;
    /// NUL-terminated, cut where it is longer.
    pub target: [c_char; 256],
}

// On every target: no hole and no tail padding.
const _: () = assert!(size_of::<webSocket_peerInfo>() == 2 * size_of::<usize>() + 40 + 384);

/// Fills a text of fixed size.
fn put<const N: usize>(text: &[u8]) -> [c_char; N] {
    let mut room = [0; N];
    for (to, from) in room.iter_mut().take(N - 1).zip(text) {
        *to = *from as c_char;
    }
    room
}

fn fill(info: &mut webSocket_peerInfo, facts: &Facts) {
    match facts.origin() {
        Some(Origin::Internet(address)) => {
            info.address = put(address.ip().to_string().as_bytes());
            info.port = address.port().into();
        }
        Some(Origin::Local) => info.address = put(b"unix"),
        None => {}
    }
    info.subprotocol = put(facts.subprotocol().as_bytes());
    info.target = put(facts.target().as_bytes());
    info.targetLength = facts.target().len();
}

/// Tells what is known of a peer.
///
/// Fills `*info`, whose `size` must be set (`WEBSOCKET_PEER_INFO_INIT`);
/// nothing in it is borrowed. From the first event of the peer up to and
/// including `WEBSOCKET_CLOSE`. Any thread; the counters of a peer that is
/// being served just now may be of different moments. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_GONE` (the peer or the server), `WEBSOCKET_E_STRUCT_SIZE`,
/// `WEBSOCKET_E_NULL`. Since 0.1.
///
/// # Safety
/// `info` is NULL or points to a struct whose `size` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_peerInfo(
    server: *mut webSocket_server,
    peer: webSocket_peer,
    info: *mut webSocket_peerInfo,
) -> webSocket_result {
    call(|| {
        if info.is_null() {
            return Err(Error::Null);
        }
        // SAFETY: the caller's promise.
        let size = unsafe { (*info).size };
        if size < size_of::<webSocket_peerInfo>() {
            return Err(Error::StructSize);
        }
        let handle = server;
        let server = share(handle)?;
        let peer = PeerId(peer);
        with_here(handle, Loop::count_gathered);
        let counts = server.shared.counts(peer)?;
        let mut found = webSocket_peerInfo {
            size,
            targetLength: 0,
            messagesIn: counts.messages_in,
            messagesOut: counts.messages_out,
            bytesIn: counts.bytes_in,
            bytesOut: counts.bytes_out,
            roundTripMs: counts.round_trip,
            port: 0,
            address: [0; 64],
            subprotocol: [0; 64],
            target: [0; 256],
        };
        server.shared.facts(peer, |facts| fill(&mut found, facts))?;
        // SAFETY: the caller's promise; the struct is at least as large as ours.
        unsafe { write(info, found) }
    })
}

/// What a server counts, all its loops together.
#[repr(C)]
#[derive(Debug)]
pub struct webSocket_statistics {
    /// `sizeof` this struct, set by whoever provides it:
    /// `webSocket_statistics statistics = WEBSOCKET_STATISTICS_INIT;`
    pub size: usize,
    /// Peers that are there now, those whose handshake is not over included.
    pub peers: usize,
    /// Of these, those whose handshake is not over.
    pub handshakes: usize,
    /// Loops (`WEBSOCKET_THREADS`).
    pub threads: usize,
    /// Connections that came, adopted ones and those refused included; only
    /// grows.
    pub accepted: u64,
    /// Of these, those refused (503) for a limit of the server or for want of
    /// descriptors; only grows.
    pub refused: u64,
    /// Messages that came whole, from all peers that are and were; this and
    /// those below only grow, but for a peer that leaves at this moment.
    pub messagesIn: u64,
    /// Messages that were sent to them, or wait.
    pub messagesOut: u64,
    /// Bytes that their sockets gave, handshakes included.
    pub bytesIn: u64,
    /// Bytes that their sockets took.
    pub bytesOut: u64,
}

const _: () = assert!(size_of::<webSocket_statistics>() == 4 * size_of::<usize>() + 48);

/// Tells what a server has counted.
///
/// Fills `*statistics`, whose `size` must be set (`WEBSOCKET_STATISTICS_INIT`).
/// It looks at every peer: not for each message. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_STRUCT_SIZE`, `WEBSOCKET_E_NULL`. Since 0.1.
///
/// # Safety
/// `statistics` is NULL or points to a struct whose `size` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_statistics(
    server: *mut webSocket_server,
    statistics: *mut webSocket_statistics,
) -> webSocket_result {
    call(|| {
        if statistics.is_null() {
            return Err(Error::Null);
        }
        // SAFETY: the caller's promise.
        let size = unsafe { (*statistics).size };
        if size < size_of::<webSocket_statistics>() {
            return Err(Error::StructSize);
        }
        let handle = server;
        let server = share(handle)?;
        let gauges = &server.shared.gauges;
        with_here(handle, Loop::count_gathered);
        let totals = server.shared.totals();
        let found = webSocket_statistics {
            size,
            peers: gauges.peers.load(Ordering::Relaxed),
            handshakes: gauges.handshakes.load(Ordering::Relaxed),
            threads: server.shared.doors.len(),
            accepted: gauges.accepted.load(Ordering::Relaxed),
            refused: gauges.refused.load(Ordering::Relaxed),
            messagesIn: totals.messages_in.load(Ordering::Relaxed),
            messagesOut: totals.messages_out.load(Ordering::Relaxed),
            bytesIn: totals.bytes_in.load(Ordering::Relaxed),
            bytesOut: totals.bytes_out.load(Ordering::Relaxed),
        };
        // SAFETY: the caller's promise; the struct is at least as large as ours.
        unsafe { write(statistics, found) }
    })
}
