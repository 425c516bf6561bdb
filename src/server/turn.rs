//! A loop and its turn: wait, read, tell, send.
//!
//! Reading goes into one buffer of the loop's, sending out of another: each
//! peer has them for its turn, and keeps only what the turn left over.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::accept::Listener;
use super::anywhere::cost_of;
use super::lent::Lent;
use super::mailbox::Request;
use super::peer::Peer;
use super::slots::{MAX_LOOPS, PeerId, Slot};
use super::topics::Topics;
use super::{Door, Program, Shared};
use crate::net::deadlines::{Deadlines, NEVER};
use crate::net::poller::{Poller, Ready};
use crate::net::sys::{self, Errno};
use crate::proto::Error;
use crate::proto::output::Output;

/// What is read at once at most: four frames of 64 KiB with their headers, and
/// some. One byte less than a sender's batch costs a copy of its last message.
pub(super) const BUFFER: usize = 288 << 10;
/// Peers whose deadline has come that are seen to in one turn: a thousand that
/// connected together are overdue together. The next turn does not wait.
const OVERDUE: usize = 64;

/// One loop. It belongs to the thread that turns it.
#[derive(Debug)]
pub struct Loop<P> {
    /// What it shares.
    pub shared: Arc<Shared<P>>,
    pub(super) number: usize,
    pub(super) poller: Poller,
    pub(super) peers: Vec<Option<Peer>>,
    pub(super) free: Vec<u32>,
    pub(super) deadlines: Deadlines,
    pub(super) listeners: Vec<Listener>,
    pub(super) topics: Topics,
    pub(super) now: u64,
    /// What adopted peers have sent already.
    pub(super) early: Vec<(PeerId, Vec<u8>)>,
    /// Whose turn it is.
    pub(super) turning: Option<u32>,
    /// Whose socket has just refused bytes, while the end is told.
    pub(super) failing: Option<u32>,
    /// Peers that something was queued for outside their own turn.
    pub(super) dirty: Vec<u32>,
    /// Those that are ready and wait for the others.
    pub(super) greedy: VecDeque<Ready>,
    /// Bytes of long frames among those that are fed now.
    pub(super) bulk: usize,
    /// Messages to the peer whose turn it is that are not counted yet.
    pub(super) gathered: u64,
    /// Payloads in the read buffer that leave at the end of the peer's turn.
    pub(super) lent: Lent,
    /// The buffer that replies gather in; empty of bytes between turns.
    pub(super) output: Output,
    pub(super) input: Box<[u8]>,
    /// When those that are still there at the end are cut.
    pub(super) cut_at: u64,
}

impl<P: Program> Loop<P> {
    /// A loop that serves nobody yet.
    pub fn new(shared: Arc<Shared<P>>, number: usize, poller: Poller) -> Loop<P> {
        Loop {
            shared,
            number,
            poller,
            peers: Vec::new(),
            free: Vec::new(),
            deadlines: Deadlines::default(),
            listeners: Vec::new(),
            topics: Topics::default(),
            now: sys::now_ms(),
            early: Vec::new(),
            turning: None,
            failing: None,
            dirty: Vec::new(),
            greedy: VecDeque::new(),
            bulk: 0,
            gathered: 0,
            lent: Lent::default(),
            output: Output::default(),
            input: vec![0; BUFFER].into_boxed_slice(),
            cut_at: NEVER,
        }
    }

    /// What other threads see of it.
    pub fn door(&self) -> Option<&Door> {
        self.shared.doors.get(self.number)
    }

    /// Whether a peer, should it be there, is one of this loop's.
    #[inline]
    #[must_use]
    pub fn serves(&self, peer: PeerId) -> bool {
        peer.on() == self.number
    }

    /// Its peers' part of the table.
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        self.door()?.slots.get(index)
    }

    /// A peer for the program to do something with. What its connection
    /// begins now is timed from now: a silent one was told the time long ago.
    pub(super) fn peer(&mut self, id: PeerId) -> Result<&mut Peer, Error> {
        let peer = find(&mut self.peers, id)?;
        peer.connection.note_time(self.now);
        Ok(peer)
    }

    /// One turn: waits up to `timeout` ms for something to do, and does it.
    pub fn turn(mut self: Box<Self>, timeout: u64) -> Result<Box<Self>, (Box<Self>, Errno)> {
        let shared = Arc::clone(&self.shared);
        if let Some(door) = self.door() {
            door.room.turned();
        }
        let due = self.next_due();
        if let Err(errno) = self.poller.wait(timeout, due) {
            return Err((self, errno));
        }
        self.now = sys::now_ms();
        // What was asked before this turn comes before what its callbacks do.
        if self.poller.is_raised() {
            self.take_requests();
        }
        let mut at = 0;
        while let Some(ready) = self.poller.ready(at) {
            at += 1;
            self = match ready {
                None => {
                    self.take_requests();
                    self
                }
                Some(ready) => match listener_of(ready.token) {
                    Some(number) => {
                        self.accept_from(number, &shared);
                        self
                    }
                    None => self.attend(ready, &shared),
                },
            };
        }
        let others = at.saturating_sub(self.greedy.len());
        self = self.attend_greedy(others, &shared);
        // Callbacks may have taken long: what begins from here on has its
        // whole time.
        self.now = sys::now_ms();
        for _ in 0..OVERDUE {
            let Some((at, token)) = self.deadlines.pop(self.now) else {
                break;
            };
            self = self.overdue(at, token, &shared);
        }
        if shared.stopping.load(Ordering::Acquire) {
            self = self.wind_down(&shared);
        }
        self = self.clean_all(&shared);
        let due = self.next_due();
        // Where the timer cannot be set, the program's own wait is as long as
        // it chose.
        let _ = self.poller.arm(due);
        Ok(self)
    }

    fn overdue(mut self: Box<Self>, at: u64, token: u64, shared: &Shared<P>) -> Box<Self> {
        if let Some(number) = listener_of(token) {
            self.wake_listener(number);
            return self;
        }
        let id = PeerId(token);
        if !holds(&self.peers, at, token) {
            self.deadlines.dropped_one();
            return self;
        }
        let Some(Some(peer)) = self.peers.get_mut(id.index() as usize) else {
            return self;
        };
        peer.due = NEVER;
        if peer.lingering {
            return self.remove(id.index(), shared);
        }
        // What the peer has sent meanwhile is read before anything is held
        // against it.
        self.receive(id.index(), shared)
    }

    /// When the loop has to look next. Deadlines that are no more are dropped
    /// here, so that nobody wakes for them.
    fn next_due(&mut self) -> u64 {
        while let Some((at, token)) = self.deadlines.peek() {
            if holds(&self.peers, at, token) {
                return at.min(self.cut_at);
            }
            let _ = self.deadlines.pop(at);
            self.deadlines.dropped_one();
        }
        self.cut_at
    }

    /// A deadline that is in the heap is no more. Once they are many they are
    /// taken out, so that their memory is not held until they come.
    pub(super) fn deadline_moved(&mut self) {
        if self.deadlines.drop_one() {
            let peers = &self.peers;
            self.deadlines.keep(|at, token| holds(peers, at, token));
        }
    }

    /// Notes that a peer has something to send, outside its own turn.
    #[inline]
    pub(super) fn mark(&mut self, index: u32) {
        if self.turning == Some(index) {
            return;
        }
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return;
        };
        if !peer.dirty && self.dirty.try_reserve(1).is_ok() {
            peer.dirty = true;
            self.dirty.push(index);
        }
    }

    /// Sees to the peers that something was queued for. What their callbacks
    /// queue is for the next turn: a program that goes on sending as long as
    /// it may would never let this one end.
    fn clean_all(mut self: Box<Self>, shared: &Shared<P>) -> Box<Self> {
        let mut marked = std::mem::take(&mut self.dirty);
        for index in marked.drain(..) {
            self = self.clean(index, shared);
        }
        if self.dirty.is_empty() {
            // Its room is kept.
            self.dirty = marked;
        } else if let Some(door) = self.door() {
            door.mailbox.wake();
        }
        self
    }

    fn clean(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return self;
        };
        peer.dirty = false;
        if peer.lingering {
            return self;
        }
        peer.connection.tick(self.now);
        let id = peer.id;
        let early = self.early.iter().position(|(of, _)| *of == id);
        let mut early = match early {
            Some(at) => self.early.swap_remove(at).1,
            None => Vec::new(),
        };
        self.feed(index, &mut early, shared)
    }

    /// Does what other threads have asked for.
    pub fn take_requests(&mut self) {
        let shared = Arc::clone(&self.shared);
        let requests = self.door().map(|door| door.mailbox.take());
        for request in requests.into_iter().flatten() {
            self.carry_out(request, &shared);
        }
    }

    fn carry_out(&mut self, request: Request, shared: &Shared<P>) {
        // What a peer that is gone would have got is dropped; who asked was
        // told the truth at the time.
        match request {
            Request::Send { to, kind, payload } => {
                let cost = cost_of(payload.bytes().len());
                let _ = self.send_payload(to, kind, payload, usize::MAX);
                // Where it waits on it counts as waiting all the time, so that
                // no other takes its room meanwhile.
                self.account(to.index());
                if let Some(slot) = self.slot(to.index()) {
                    slot.release(to, cost);
                }
            }
            Request::Control { to, ping, payload } => _ = self.control(to, ping, &payload),
            Request::Publish {
                topic,
                kind,
                payload,
                except,
            } => self.publish_here(topic.as_deref(), kind, &payload, except),
            Request::Subscribe { peer, topic, on } => _ = self.subscribe(peer, &topic, on),
            Request::Close { peer, code, reason } => _ = self.close(peer, code, &reason),
            Request::Adopt {
                socket,
                address,
                read,
            } => _ = self.adopt(socket, address, &read, shared),
        }
    }

    /// What it waits on, to be looked at only.
    #[must_use]
    pub fn epoll_fd(&self) -> RawFd {
        self.poller.raw()
    }

    /// The fd to wait for where somebody else waits.
    pub fn poll_fd(&mut self) -> Result<RawFd, Errno> {
        let fd = self.poller.fd()?;
        let due = self.next_due();
        self.poller.arm(due)?;
        Ok(fd)
    }
}

/// A listener's token: a number of a loop that does not exist, so that no
/// peer ever has it.
pub(super) fn listener_token(number: usize) -> u64 {
    PeerId::new(MAX_LOOPS, number as u32, 0).0
}

fn listener_of(token: u64) -> Option<usize> {
    let id = PeerId(token);
    (id.on() == MAX_LOOPS).then_some(id.index() as usize)
}

/// Whether a deadline is still one.
fn holds(peers: &[Option<Peer>], at: u64, token: u64) -> bool {
    let id = PeerId(token);
    let peer = peers.get(id.index() as usize).and_then(Option::as_ref);
    listener_of(token).is_some() || peer.is_some_and(|peer| peer.id == id && peer.due == at)
}

/// A peer that is there.
#[inline]
pub(super) fn find(peers: &mut [Option<Peer>], id: PeerId) -> Result<&mut Peer, Error> {
    let peer = peers.get_mut(id.index() as usize);
    let peer = peer.and_then(Option::as_mut).ok_or(Error::Gone)?;
    if peer.id == id && !peer.lingering {
        Ok(peer)
    } else {
        Err(Error::Gone)
    }
}
