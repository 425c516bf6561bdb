//! How a peer leaves: with its last words told, and with time to read ours.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::turn::Loop;
use super::{Program, Shared};
use crate::net::deadlines::NEVER;
use crate::net::sys;
use crate::net::sys::epoll::READABLE;
use crate::proto::incoming::Input;

/// So many places are not kept when nobody is left.
const MANY: usize = 1024;
/// How long a peer may take to hang up after a connection that we failed.
const LINGER_MS: u64 = 2000;
/// What is read of it meanwhile at once, and dropped.
const LINGER_BYTES: usize = 64 << 10;

impl<P: Program> Loop<P> {
    /// The socket takes nothing any more: what the connection still has to say
    /// is told, and that is the end.
    pub(super) fn broken(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        if let Some(Some(peer)) = self.peers.get_mut(index as usize) {
            peer.connection.feed_eof();
        }
        self.last_words(index, shared).remove(index, shared)
    }

    /// Tells what is left to tell of a connection that reads no more.
    pub(super) fn last_words(self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        self.hand_out(index, &mut Input::new(&mut []), shared)
    }

    /// The connection is over and everything is sent. Where the peer may
    /// still be sending, closing at once would have its kernel throw away what
    /// we sent last: it is given time to read it and to hang up, unless as many
    /// are given that already as may have a handshake at a time.
    pub(super) fn let_go(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        self = self.last_words(index, shared);
        let now = self.now;
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return self;
        };
        let failed = peer
            .connection
            .ended()
            .is_none_or(|(_, error)| error.is_some());
        if !failed || peer.connection.peer_hung_up() {
            return self.remove(index, shared);
        }
        // They hold descriptors and are counted by no other limit.
        let lingering = &shared.gauges.lingering;
        if lingering.load(Ordering::Relaxed) >= shared.serving.max_handshakes {
            return self.remove(index, shared);
        }
        lingering.fetch_add(1, Ordering::Relaxed);
        let fd = peer.socket.as_raw_fd();
        sys::shutdown_sending(fd);
        peer.lingering = true;
        let moved = peer.due != NEVER;
        peer.due = now + LINGER_MS;
        let (due, token) = (peer.due, peer.id.0);
        let watched = self.poller.rewatch(fd, token, READABLE).is_ok();
        if !watched || !self.deadlines.set(due, token) {
            return self.remove(index, shared);
        }
        if moved {
            self.deadline_moved();
        }
        self.end_of(index, shared);
        self
    }

    pub(super) fn linger(mut self: Box<Self>, index: u32) -> Box<Self> {
        let shared = Arc::clone(&self.shared);
        let mut buffer = std::mem::take(&mut self.input);
        let fd = match self.peers.get_mut(index as usize) {
            Some(Some(peer)) => peer.socket.as_raw_fd(),
            _ => -1,
        };
        // Less than the buffer holds: nobody is helped by it, and others wait.
        let room = buffer.get_mut(..LINGER_BYTES).unwrap_or_default();
        let got = sys::receive(fd, room, libc::MSG_DONTWAIT);
        self.input = buffer;
        match got {
            Ok(0) => self.remove(index, &shared),
            Err(errno) if !errno.is_passing() => self.remove(index, &shared),
            _ => self,
        }
    }

    /// The peer is gone, for the program and for other threads.
    fn end_of(&mut self, index: u32, shared: &Shared<P>) {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return;
        };
        let id = peer.id;
        if !peer.opened {
            shared.gauges.handshakes.fetch_sub(1, Ordering::Relaxed);
            peer.opened = true;
        }
        self.topics.forget(id);
        if let Some(slot) = self.slot(index).filter(|slot| slot.has(id)) {
            let from = slot.facts().ip();
            slot.close();
            if let Some(door) = shared.door(id) {
                door.gone.add(&slot.counts);
                door.room.wake();
            }
            shared.leave(from);
        }
    }

    /// Closes the socket and frees the place.
    pub(super) fn remove(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        self.end_of(index, shared);
        if let Some(place) = self.peers.get_mut(index as usize) {
            let gone = place.take();
            if let Some(peer) = &gone {
                // Where the program or a child of its has the socket too,
                // closing it would not end that this loop is told of it.
                let fd = peer.socket.as_raw_fd();
                let _ = self.poller.unwatch(fd);
                shared.program.left(fd);
            }
            if gone.as_ref().is_some_and(|peer| peer.lingering) {
                shared.gauges.lingering.fetch_sub(1, Ordering::Relaxed);
            }
            shared.lost_at(self.number);
            // Room for it was made when the peer came.
            self.free.push(index);
            if self.free.len() == self.peers.len() && self.peers.len() > MANY {
                // The last of many: their room is not needed for long, perhaps.
                (self.free, self.peers) = (Vec::new(), Vec::new());
            }
            if gone.is_some_and(|peer| peer.due != NEVER) {
                self.deadline_moved();
            }
        }
        self
    }
}
