//! One peer, as its loop has it: the socket, the connection, what waits.

use std::os::fd::{AsRawFd, OwnedFd};

use super::interest::{Interest, Pace};
use super::lent::Lent;
use super::slots::{Counts, PeerId, Slot, count};
use crate::net::queue::{Outcome, Payload, Queue, Waiting};
use crate::net::sys::{self, Errno};
use crate::proto::Error;
use crate::proto::conn::{Connection, Sendable};
use crate::proto::message::Kind;
use crate::proto::settings::Overflow;

/// A payload from here on leaves the program's memory without a copy, in one
/// system call with what waits before it.
const DIRECT: usize = 16 << 10;
/// What one batch may gather before it is sent.
const CORK: usize = 64 << 10;
/// What one peer may have sent for it in one turn: what piled up while it did
/// not read may go all at once, and others wait meanwhile.
const SHARE: usize = 128 << 10;
/// What a message that goes by itself takes of that besides its bytes: so many
/// could be sent in the time of a system call.
const CALL: usize = 1 << 10;
/// Nothing is due.
const NEVER: u64 = u64::MAX;

/// How far a peer's bytes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing waits.
    All,
    /// The socket takes no more for now.
    Blocked,
    /// Everything is sent and the connection is over.
    Over,
    /// The socket failed.
    Broken,
}

/// What may wait for a peer, and what happens beyond it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// Bytes.
    pub(super) bytes: usize,
    /// Who goes without.
    pub(super) overflow: Overflow,
}

/// A peer.
#[derive(Debug)]
pub struct Peer {
    /// Its number.
    pub id: PeerId,
    /// Its socket.
    pub socket: OwnedFd,
    /// Its protocol.
    pub connection: Connection,
    /// Messages behind those that the connection has encoded.
    queue: Option<Box<Queue>>,
    /// The bytes that its slot counts as waiting for this. Never more: a slot
    /// counts no further.
    accounted: u32,
    /// What is asked of epoll.
    pub interest: Interest,
    /// When it is looked at next, at the latest.
    pub due: u64,
    /// How often what may be read of it in one turn has doubled.
    pub doubled: u8,
    /// Whether others come first.
    pub pace: Pace,
    /// More waits: the socket took less than it was given, or the peer has
    /// had its share.
    pub blocked: bool,
    /// It waits in the loop's list to be flushed.
    pub dirty: bool,
    /// So much waits, or a send was refused, that DRAIN will be told.
    pub congested: bool,
    /// OPEN was told.
    pub opened: bool,
    /// Only waiting for the peer to hang up.
    pub lingering: bool,
}

impl Peer {
    /// A peer whose request is still to come.
    #[must_use]
    pub fn new(id: PeerId, socket: OwnedFd, connection: Connection) -> Peer {
        Peer {
            id,
            socket,
            connection,
            queue: None,
            accounted: 0,
            interest: Interest::Nothing,
            due: NEVER,
            doubled: 0,
            pace: Pace::Even,
            blocked: false,
            dirty: false,
            congested: false,
            opened: false,
            lingering: false,
        }
    }

    /// Bytes that wait.
    #[must_use]
    pub fn backlog(&self) -> usize {
        let queued = self.queue.as_deref().map_or(0, Queue::bytes);
        self.connection.queued() + queued
    }

    /// The bytes that its slot counts as waiting here.
    #[must_use]
    pub fn accounted(&self) -> usize {
        self.accounted as usize
    }

    /// Counts what waits in its slot; returns it.
    pub fn account(&mut self, slot: &Slot) -> usize {
        let backlog = self.backlog();
        let now = u32::try_from(backlog).unwrap_or(u32::MAX);
        if now != self.accounted {
            slot.account(self.id, self.accounted(), now as usize);
            self.accounted = now;
        }
        backlog
    }

    /// Sends a message of the program's, or has it wait. `lent`: what the turn
    /// has lent, if it is this peer's.
    pub(super) fn send(
        &mut self,
        kind: Kind,
        payload: &[u8],
        allowed: Allowed,
        lent: Option<&mut Lent>,
        counts: &Counts,
    ) -> Result<(), Error> {
        if self.blocked || self.queue.is_some() {
            self.connection.check_message(kind, payload)?;
            let payload = Payload::copy(payload)?;
            return self.wait(Waiting { kind, payload }, allowed, counts);
        }
        let mut corked = false;
        if let Some(lent) = lent {
            if payload.len() >= DIRECT && self.lend(kind, payload, lent)? {
                count(&counts.messages_out, 1);
                return Ok(());
            }
            // What was lent goes before this, at the end of the turn.
            corked = !lent.is_empty();
        }
        if corked {
            self.gather_more(kind, payload, allowed, counts)
        } else if payload.len() >= DIRECT {
            self.write_message(kind, payload, counts)?;
            count(&counts.messages_out, 1);
            Ok(())
        } else {
            self.gather_or_flush(kind, payload, allowed, counts)
        }
    }

    /// Puts a short message to those that gather, where nothing else is to be
    /// done; false: nothing was done.
    #[inline(always)]
    pub(super) fn gather_short(&mut self, kind: Kind, payload: &[u8]) -> bool {
        let waits = self.blocked || self.queue.is_some();
        if waits || payload.len() >= DIRECT || self.connection.queued() >= CORK - DIRECT {
            return false;
        }
        let what = Sendable::Message(kind);
        self.connection.send(what, payload).is_ok()
    }

    /// Sends a message with those that gather.
    #[inline]
    fn gather_or_flush(
        &mut self,
        kind: Kind,
        payload: &[u8],
        allowed: Allowed,
        counts: &Counts,
    ) -> Result<(), Error> {
        let mut sent = self.connection.send(Sendable::Message(kind), payload);
        // The batch has gathered all that may wait: the socket may take it.
        if sent == Err(Error::Full) {
            self.flush(counts);
            if self.blocked {
                let payload = Payload::copy(payload)?;
                return self.wait(Waiting { kind, payload }, allowed, counts);
            }
            sent = self.connection.send(Sendable::Message(kind), payload);
        }
        sent?;
        if self.connection.queued() >= CORK {
            self.flush(counts);
        }
        count(&counts.messages_out, 1);
        Ok(())
    }

    /// As [`Peer::gather_or_flush`], where nothing may be sent before the end
    /// of the turn.
    fn gather_more(
        &mut self,
        kind: Kind,
        payload: &[u8],
        allowed: Allowed,
        counts: &Counts,
    ) -> Result<(), Error> {
        let waiting = self.connection.queued().saturating_add(payload.len());
        if waiting > allowed.bytes {
            self.connection.check_message(kind, payload)?;
            let payload = Payload::copy(payload)?;
            return self.wait(Waiting { kind, payload }, allowed, counts);
        }
        self.connection.send(Sendable::Message(kind), payload)?;
        count(&counts.messages_out, 1);
        Ok(())
    }

    /// As [`Peer::send`], of a payload that may be shared or is a copy already.
    pub(super) fn send_payload(
        &mut self,
        kind: Kind,
        payload: Payload,
        allowed: Allowed,
        lent: Option<&mut Lent>,
        counts: &Counts,
    ) -> Result<(), Error> {
        if self.blocked || self.queue.is_some() {
            self.connection.check_message(kind, payload.bytes())?;
            return self.wait(Waiting { kind, payload }, allowed, counts);
        }
        self.send(kind, payload.bytes(), allowed, lent, counts)
    }

    fn wait(&mut self, message: Waiting, allowed: Allowed, counts: &Counts) -> Result<(), Error> {
        let taken = self.connection.queued();
        let queue = self.queue.get_or_insert_default();
        match queue.push(message, allowed.bytes, taken, allowed.overflow)? {
            Outcome::Queued { .. } => {
                count(&counts.messages_out, 1);
                Ok(())
            }
            Outcome::Refused => {
                self.congested = true;
                Err(Error::Full)
            }
            Outcome::Close => {
                // What waits would not be read either.
                self.queue = None;
                let reason = "too much waits to be read";
                self.connection.close(Some(1013), reason)?;
                Err(Error::Full)
            }
        }
    }

    /// Sends a message straight from where it is; what the socket does not
    /// take is copied.
    fn write_message(&mut self, kind: Kind, payload: &[u8], counts: &Counts) -> Result<(), Error> {
        self.connection.send_header(kind, payload)?;
        let fd = self.socket.as_raw_fd();
        let sent = loop {
            let head = self.connection.output().unwrap_or_default();
            match sys::send(fd, head, payload, libc::MSG_DONTWAIT) {
                Err(Errno(libc::EINTR)) => {}
                // A socket that failed says so again when it is flushed.
                sent => break sent.unwrap_or(0),
            }
        };
        count(&counts.bytes_out, sent as u64);
        let head = self.connection.queued();
        let of_payload = sent.saturating_sub(head);
        self.connection.done(sent.min(head))?;
        let rest = payload.get(of_payload..).unwrap_or_default();
        if !rest.is_empty() {
            self.blocked = true;
            self.connection.send_rest(rest);
        }
        Ok(())
    }

    /// Encodes short messages that wait, if there are any: a system call for
    /// each would take a hundred times as long. Only where the socket has taken
    /// all before them, and not where they wait for newer ones to take their
    /// places: what is encoded is not dropped any more.
    fn gather(&mut self) -> bool {
        while let Some(queue) = self.queue.as_deref_mut().filter(|queue| !queue.drops()) {
            let length = queue.next_length().filter(|length| *length < DIRECT);
            let room = length.is_some_and(|length| self.connection.has_room_for(length));
            if !room || self.connection.queued() >= CORK {
                break;
            }
            let Some(next) = queue.pop() else { break };
            let payload = next.payload.bytes();
            match self.connection.send_header(next.kind, payload) {
                Ok(()) => self.connection.send_rest(payload),
                // A connection that is closing sends no more messages.
                Err(_) => self.queue = None,
            }
        }
        self.connection.queued() > 0
    }

    /// Sends what waits, as far as the socket takes it and a turn goes.
    pub fn flush(&mut self, counts: &Counts) -> Flushed {
        let mut share = SHARE;
        loop {
            let (bytes, page) = match self.connection.output_parts() {
                Err(_) => return Flushed::Over,
                Ok(parts) => parts,
            };
            if bytes.is_empty() && page.is_empty() {
                self.blocked = false;
                if self.gather() {
                    continue;
                }
                let queue = self.queue.as_deref_mut();
                let Some(queue) = queue.filter(|queue| !queue.is_empty()) else {
                    self.queue = None;
                    return Flushed::All;
                };
                if share == 0 {
                    return self.had_its_share();
                }
                let Some(next) = queue.pop() else { continue };
                share = share.saturating_sub(next.payload.bytes().len().saturating_add(CALL));
                let written = self.write_message(next.kind, next.payload.bytes(), counts);
                if written.is_err() {
                    self.queue = None;
                }
                if self.blocked {
                    return Flushed::Blocked;
                }
                continue;
            }
            if share == 0 {
                return self.had_its_share();
            }
            let piece = bytes.get(..share).unwrap_or(bytes);
            let page = if piece.len() < bytes.len() { &[] } else { page };
            let length = piece.len() + page.len();
            let fd = self.socket.as_raw_fd();
            let sent = if page.is_empty() {
                sys::send_one(fd, piece, libc::MSG_DONTWAIT)
            } else {
                sys::send(fd, piece, page, libc::MSG_DONTWAIT)
            };
            match sent {
                Ok(sent) => {
                    count(&counts.bytes_out, sent as u64);
                    if self.connection.done(sent).is_err() || sent == 0 {
                        return Flushed::Broken;
                    }
                    if sent < length {
                        self.blocked = true;
                        return Flushed::Blocked;
                    }
                    share = share.saturating_sub(sent);
                }
                Err(Errno(libc::EINTR)) => {}
                Err(errno) if errno.is_passing() => {
                    self.blocked = true;
                    return Flushed::Blocked;
                }
                Err(_) => return Flushed::Broken,
            }
        }
    }

    /// More waits, and has to wait for others.
    fn had_its_share(&mut self) -> Flushed {
        self.blocked = true;
        self.pace.had_its_share();
        Flushed::Blocked
    }

    /// Starts the closing handshake, behind the messages that wait.
    pub fn close(&mut self, code: Option<u16>, reason: &str) -> Result<(), Error> {
        self.encode_queue();
        self.connection.close(code, reason)
    }

    /// Ends the connection without the peer's answer, behind the messages that
    /// wait.
    pub fn dismiss(&mut self, code: u16) {
        self.encode_queue();
        self.connection.dismiss(code);
    }

    fn encode_queue(&mut self) {
        while let Some(next) = self.queue.as_deref_mut().and_then(Queue::pop) {
            let payload = next.payload.bytes();
            if self.connection.send_counted(next.kind, payload).is_err() {
                break;
            }
        }
        self.queue = None;
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn an_open_peer_that_is_idle_is_small() {
        // It stands in the loop's row of peers, without a block of its own.
        assert!(
            size_of::<Option<Peer>>() <= 128,
            "{}",
            size_of::<Option<Peer>>()
        );
    }
}
