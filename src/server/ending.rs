//! The end of a server: no new peers, 1001 to those that are there, time for
//! them to answer, then the cut.

use super::turn::Loop;
use super::{Program, Shared};
use crate::net::deadlines::NEVER;
use crate::proto::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Going away (RFC 6455 7.4.1).
const GOING_AWAY: u16 = 1001;

impl<P: Program> Loop<P> {
    /// Whether the server was stopped and nobody is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.cut_at != NEVER && self.free.len() == self.peers.len()
    }

    /// One turn on the way to the end.
    pub(super) fn wind_down(mut self: Box<Self>, shared: &Shared<P>) -> Box<Self> {
        let abandoned = shared.abandoned.load(Ordering::Acquire);
        let begins = self.cut_at == NEVER;
        if begins {
            // What was asked before the stop comes before the goodbye.
            self.take_requests();
            self.unlisten(0);
            self.cut_at = self.now.saturating_add(shared.serving.stop_timeout);
            for index in 0..self.peers.len() {
                let Some(Some(peer)) = self.peers.get_mut(index) else {
                    continue;
                };
                peer.connection.note_time(self.now);
                // Where it is closing already, it goes on with that.
                let closed = peer.close(Some(GOING_AWAY), "the server is stopping");
                if closed != Err(Error::Closed) {
                    self.mark(index as u32);
                }
            }
        }
        // At the earliest in the next turn: this one still has to send.
        if abandoned || (!begins && self.now >= self.cut_at) {
            self = self.cut_all();
        }
        self
    }

    /// Ends all connections at once; their ends are told.
    #[must_use]
    pub fn cut_all(mut self: Box<Self>) -> Box<Self> {
        let shared = Arc::clone(&self.shared);
        for index in 0..self.peers.len() as u32 {
            self = self.cut(index, &shared);
        }
        self
    }

    /// Ends a connection at once.
    fn cut(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return self;
        };
        if peer.lingering {
            return self.remove(index, shared);
        }
        self.broken(index, shared)
    }
}
