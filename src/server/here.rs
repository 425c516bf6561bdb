//! What the program does with peers on the loop's own thread.

use std::net::IpAddr;

use super::facts::{Facts, Origin};
use super::lent::Lent;
use super::peer::Allowed;
use super::slots::{PeerId, Slot, count};
use super::turn::{Loop, find};
use super::{Program, Shared, accept};
use crate::net::queue::Payload;
use crate::net::sys;
use crate::proto::Error;
use crate::proto::conn::{Connection, Sendable};
use crate::proto::message::Kind;
use crate::proto::settings::Overflow;

impl<P: Program> Loop<P> {
    /// Sends a message from the loop's own thread.
    #[inline(always)]
    pub fn send(&mut self, to: PeerId, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        if self.gather(to, kind, payload) {
            return Ok(());
        }
        self.send_or_queue(to, kind, payload)
    }

    /// The shortest way out: a short message to the peer whose turn it is, where
    /// it need only be put to those before it. False: it is for
    /// [`Loop::send_or_queue`], which tells what is wrong with it.
    #[inline(always)]
    fn gather(&mut self, to: PeerId, kind: Kind, payload: &[u8]) -> bool {
        if self.turning != Some(to.index()) || !self.lent.is_empty() {
            return false;
        }
        let Ok(peer) = find(&mut self.peers, to) else {
            return false;
        };
        let gathered = peer.gather_short(kind, payload);
        self.gathered += u64::from(gathered);
        gathered
    }

    /// Counts for its peer what has gathered.
    pub fn count_gathered(&mut self) {
        let gathered = std::mem::take(&mut self.gathered);
        if let Some(slot) = self.turning.and_then(|index| self.slot(index)) {
            count(&slot.counts.messages_out, gathered);
        }
    }

    fn send_or_queue(&mut self, to: PeerId, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        let shared = &*self.shared;
        let slot = slot_of(shared, to).ok_or(Error::Gone)?;
        let peer = find(&mut self.peers, to)?;
        peer.connection.note_time(self.now);
        let overflow = shared.serving.overflow;
        let mut limit = shared.settings.send_queue;
        if peer.blocked && matches!(overflow, Overflow::Refuse | Overflow::Block) {
            // What is on its way from other threads has its room already.
            limit = limit.saturating_sub(slot.waiting().saturating_sub(peer.accounted()));
        }
        let lent = lent_by(&mut self.lent, self.turning, to);
        let allowed = Allowed::beside(lent.as_deref(), limit, overflow);
        let sent = peer.send(kind, payload, allowed, lent, &slot.counts);
        self.mark(to.index());
        sent
    }

    /// As [`Loop::send`]; where a full queue refuses, only up to `limit`.
    pub(super) fn send_payload(
        &mut self,
        to: PeerId,
        kind: Kind,
        payload: Payload,
        limit: usize,
    ) -> Result<(), Error> {
        let shared = &*self.shared;
        let slot = slot_of(shared, to).ok_or(Error::Gone)?;
        let peer = find(&mut self.peers, to)?;
        peer.connection.note_time(self.now);
        let overflow = shared.serving.overflow;
        let limit = match overflow {
            Overflow::Refuse | Overflow::Block => limit,
            _ => shared.settings.send_queue,
        };
        let lent = lent_by(&mut self.lent, self.turning, to);
        let allowed = Allowed::beside(lent.as_deref(), limit, overflow);
        let sent = peer.send_payload(kind, payload, allowed, lent, &slot.counts);
        self.mark(to.index());
        sent
    }

    /// Runs `body` on a peer's connection, on the loop's own thread.
    pub fn with_connection<T>(
        &mut self,
        peer: PeerId,
        body: impl FnOnce(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = body(&mut self.peer(peer)?.connection);
        self.mark(peer.index());
        result
    }

    /// Sends what has gathered for a peer now, and not at the end of the turn:
    /// for a program whose callbacks take long.
    pub fn send_now(&mut self, to: PeerId) -> Result<(), Error> {
        let slot = slot_of(&self.shared, to).ok_or(Error::Gone)?;
        let peer = find(&mut self.peers, to)?;
        let lends = self.turning == Some(to.index()) && !self.lent.is_empty();
        // What is lent goes before what was queued behind it.
        if !peer.blocked && !lends {
            // How it went is found again at the end of the turn.
            peer.flush(&slot.counts);
        }
        Ok(())
    }

    /// Whether a peer, whose end is being told, ends because its socket takes
    /// no more bytes.
    #[must_use]
    pub fn send_failed(&self, peer: PeerId) -> bool {
        self.serves(peer) && self.failing == Some(peer.index())
    }

    /// Ends a connection without waiting for the peer's close frame: its end
    /// is told next, and what it still sends is dropped. What waits for it goes
    /// first.
    pub fn dismiss(&mut self, peer: PeerId, code: u16) -> Result<(), Error> {
        self.now = sys::now_ms();
        self.peer(peer)?.dismiss(code);
        self.mark(peer.index());
        Ok(())
    }

    /// Bytes that wait for a peer, this turn's included.
    pub fn waiting(&mut self, of: PeerId) -> Result<usize, Error> {
        let door = self.shared.doors.get(self.number).ok_or(Error::Gone)?;
        let slot = door.slots.get(of.index()).ok_or(Error::Gone)?;
        let peer = find(&mut self.peers, of)?;
        // The slot learns of it at the end of the turn.
        let elsewhere = slot.waiting().saturating_sub(peer.accounted());
        let lent = lent_by(&mut self.lent, self.turning, of);
        let lent = lent.map_or(0, |lent| lent.bytes());
        Ok(elsewhere
            .saturating_add(peer.backlog())
            .saturating_add(lent))
    }

    /// Closes a connection from the loop's own thread.
    pub fn close(&mut self, peer: PeerId, code: Option<u16>, reason: &str) -> Result<(), Error> {
        // Its time counts from here, however long the callback has taken.
        self.now = sys::now_ms();
        self.peer(peer)?.close(code, reason)?;
        self.mark(peer.index());
        Ok(())
    }

    /// Sends a ping, or else an unsolicited pong.
    pub fn control(&mut self, to: PeerId, ping: bool, payload: &[u8]) -> Result<(), Error> {
        let what = if ping { Sendable::Ping } else { Sendable::Pong };
        // As for `close`: a round trip begins here.
        self.now = sys::now_ms();
        self.peer(to)?.connection.send(what, payload)?;
        self.mark(to.index());
        Ok(())
    }
}

/// What the turn has lent, if it is this peer's.
#[inline]
fn lent_by(lent: &mut Lent, turning: Option<u32>, peer: PeerId) -> Option<&mut Lent> {
    (turning == Some(peer.index())).then_some(lent)
}

impl Allowed {
    /// So much, of which what is lent is taken.
    #[inline]
    fn beside(lent: Option<&Lent>, limit: usize, overflow: Overflow) -> Allowed {
        Allowed {
            bytes: limit.saturating_sub(lent.map_or(0, Lent::bytes)),
            overflow,
        }
    }
}

fn slot_of<P>(shared: &Shared<P>, peer: PeerId) -> Option<&Slot> {
    let slot = shared.door(peer)?.slots.get(peer.index())?;
    slot.has(peer).then_some(slot)
}

impl Facts {
    /// The address that a limit counts by: of IPv6 the network part.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.origin()? {
            Origin::Internet(address) => Some(accept::limit_key(address.ip())),
            Origin::Local => None,
        }
    }
}
