//! One peer's turn: read, tell, send, and what to watch for next.

use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;

use super::interest::{Interest, Pace};
use super::peer::Flushed;
use super::slots::{PeerId, Slot, count};
use super::turn::{BUFFER, Loop, find};
use super::{Happening, Program, Shared};
use crate::net::deadlines::NEVER;
use crate::net::poller::Ready;
use crate::net::queue::COST;
use crate::net::sys::epoll::{BROKEN, READABLE};
use crate::net::sys::{self, Errno};
use crate::proto::conn::{Chunk, Event};
use crate::proto::incoming::Input;
use crate::proto::settings::Overflow;

/// What one peer may have read for it in one turn. It bounds how long a flood
/// of tiny frames holds the others up: one of 6 bytes costs some 30 ns, and so
/// many 40 µs, while reading them in more pieces costs 1 µs a piece.
const SHARE: usize = 8 << 10;
/// Frames from here on cost as much by their bytes as by their number.
const BULK: usize = 512;
/// A peer whose bytes were nearly all of such frames may have twice as much
/// read each time, up to [`BUFFER`]; the first tiny frames end that. It takes
/// 504 KiB of them to have 288 KiB of tiny ones read once, in 1.7 ms.
const DOUBLINGS: u8 = 6;
/// What is read at least, however little may wait to be sent.
const LEAST: usize = 1 << 10;
/// What the echo of a byte costs at most while it waits: that of a frame without a
/// payload, of 6 bytes, has a place in the queue like any other.
const DEAREST: usize = 2 + COST / 6;
/// From so many waiting bytes on nothing more is read from a peer; half of it
/// is enough to go on.
const PAUSE: usize = 1 << 20;

impl<P: Program> Loop<P> {
    /// Serves a peer that is ready, at once or, where it had its whole share
    /// last time, when the others of this turn have been served.
    pub(super) fn attend(mut self: Box<Self>, ready: Ready, shared: &Shared<P>) -> Box<Self> {
        if let Ok(peer) = find(&mut self.peers, PeerId(ready.token)) {
            // The kernel goes on telling of one that waits.
            if peer.pace == Pace::Deferred {
                return self;
            }
            if peer.pace == Pace::Greedy && self.greedy.try_reserve(1).is_ok() {
                peer.pace = Pace::Deferred;
                self.greedy.push_back(ready);
                return self;
            }
        }
        self.serve(ready, shared)
    }

    /// Serves some of those that wait for the others, in their turn, after
    /// `others` were served. Between two of them is a look at who else is
    /// ready: however many peers flood the server, one that does not waits for
    /// a few of their shares only. They have about as much time as the others
    /// had, and where they are many, so many looks are not worth their price.
    pub(super) fn attend_greedy(
        mut self: Box<Self>,
        others: usize,
        shared: &Shared<P>,
    ) -> Box<Self> {
        for _ in 0..1 + self.greedy.len() / 32 + others / 16 {
            let Some(mut ready) = self.greedy.pop_front() else {
                break;
            };
            let Ok(peer) = find(&mut self.peers, PeerId(ready.token)) else {
                continue;
            };
            peer.pace = Pace::Even;
            // What is watched for may have changed since.
            ready.events &= peer.interest.events() | BROKEN;
            if ready.events != 0 {
                self = self.serve(ready, shared);
            }
        }
        self
    }

    /// Reads from a peer and tells what came; sends what there is to send.
    pub(super) fn serve(mut self: Box<Self>, ready: Ready, shared: &Shared<P>) -> Box<Self> {
        let id = PeerId(ready.token);
        let index = id.index();
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return self;
        };
        // An event of the number's last owner, in the same batch.
        if peer.id != id {
            return self;
        }
        if peer.lingering {
            return self.linger(index);
        }
        if ready.events & (READABLE | BROKEN) == 0 {
            peer.connection.tick(self.now);
            return self.settle(index, shared);
        }
        self.receive(index, shared)
    }

    /// Reads from a peer, at most once, and goes on from there.
    pub(super) fn receive(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        let mut buffer = std::mem::take(&mut self.input);
        let got = self.read(index, &mut buffer);
        let fed = buffer.get_mut(..got).unwrap_or_default();
        self = self.feed(index, fed, shared);
        self.input = buffer;
        self
    }

    /// Reads once: the rest of a long frame into its own place (then 0 bytes
    /// are to be fed), all else into `buffer`. The end of the stream, or of
    /// the socket, is fed as such.
    fn read(&mut self, index: u32, buffer: &mut [u8]) -> usize {
        let (number, now) = (self.number, self.now);
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return 0;
        };
        peer.connection.tick(now);
        let fd = peer.socket.as_raw_fd();
        let remaining = peer.connection.frame_remaining();
        let remaining = usize::try_from(remaining).unwrap_or(usize::MAX);
        // No more than may wait to be sent: else the echo of what one read
        // brings would be refused, though the peer did nothing but read late. Of
        // one long frame that is as many bytes, of short ones fewer.
        let arrived = usize::try_from(peer.connection.frame_arrived()).unwrap_or(usize::MAX);
        let waiting = peer.backlog().saturating_add(arrived);
        let echo = self.shared.settings.send_queue.saturating_sub(waiting);
        let far = remaining > buffer.len();
        let room = if far { peer.connection.room() } else { None };
        let in_room = room.is_some();
        // What is left of a long frame costs little too.
        let share = (SHARE << peer.doubled).max(remaining).min(BUFFER);
        let echo = (echo / DEAREST).max(remaining.min(echo)).max(LEAST);
        let share = share.min(echo);
        let room = room.unwrap_or(buffer);
        let share = share.min(room.len());
        let room = room.get_mut(..share).unwrap_or_default();
        let got = loop {
            match sys::receive(fd, room, libc::MSG_DONTWAIT) {
                Err(Errno(libc::EINTR)) => {}
                got => break got,
            }
        };
        match got {
            Err(errno) if errno.is_passing() => 0,
            Ok(0) | Err(_) => {
                peer.connection.feed_eof();
                0
            }
            Ok(got) => {
                if got == share {
                    peer.pace.had_its_share();
                }
                let door = self.shared.doors.get(number);
                if let Some(slot) = door.and_then(|door| door.slots.get(index)) {
                    count(&slot.counts.bytes_in, got as u64);
                }
                if in_room {
                    peer.connection.read_into_room(got);
                    return 0;
                }
                got
            }
        }
    }

    /// Gives bytes to a peer's connection, tells what comes of them, and
    /// sends what that led to.
    pub(super) fn feed(
        mut self: Box<Self>,
        index: u32,
        fed: &mut [u8],
        shared: &Shared<P>,
    ) -> Box<Self> {
        if let Some(Some(peer)) = self.peers.get_mut(index as usize) {
            peer.connection.lend(&mut self.output);
        }
        let length = fed.len();
        self.bulk = 0;
        self.lent.open(fed);
        self = self.hand_out(index, &mut Input::new(fed), shared);
        self.send_lent(index, fed, shared);
        if length > 0 {
            self.rate(index, length);
        }
        self.settle(index, shared)
    }

    /// Sends what the program sent on from what was read.
    #[inline]
    fn send_lent(&mut self, index: u32, fed: &[u8], shared: &Shared<P>) {
        let door = shared.doors.get(self.number);
        let slot = door.and_then(|door| door.slots.get(index));
        match (slot, self.peers.get_mut(index as usize)) {
            (Some(slot), Some(Some(peer))) => peer.send_lent(&mut self.lent, fed, &slot.counts),
            _ => self.lent.close(),
        }
    }

    /// Decides how much is read from a peer next time.
    fn rate(&mut self, index: u32, fed: usize) {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return;
        };
        let arrived = peer.connection.frame_arrived();
        let arrived = usize::try_from(arrived).unwrap_or(usize::MAX);
        let unfinished = if arrived >= BULK { arrived } else { 0 };
        let tiny = fed.saturating_sub(self.bulk.saturating_add(unfinished));
        peer.doubled = if tiny < fed / 8 {
            (peer.doubled + 1).min(DOUBLINGS)
        } else {
            0
        };
    }

    /// Tells what a peer's connection comes to.
    pub(super) fn hand_out(
        mut self: Box<Self>,
        index: u32,
        input: &mut Input<'_>,
        shared: &Shared<P>,
    ) -> Box<Self> {
        let door = shared.doors.get(self.number);
        let Some(slot) = door.and_then(|door| door.slots.get(index)) else {
            return self;
        };
        self.turning = Some(index);
        while let Some(Some(peer)) = self.peers.get_mut(index as usize) {
            let Ok(event) = peer.connection.next(input) else {
                break;
            };
            if let Event::Data(chunk) = &event {
                if chunk.data.len() >= BULK {
                    self.bulk = self.bulk.saturating_add(chunk.data.len());
                }
            }
            let is_pong = matches!(event, Event::Pong(_));
            notice(&event, slot, shared, &mut peer.opened);
            let what = Happening::Event(event);
            let told = shared.program.note(peer.id, slot.user(), &what);
            if is_pong {
                if let Some(ms) = peer.connection.round_trip() {
                    slot.set_round_trip(ms);
                }
            }
            self = shared.program.tell(told, self);
        }
        self.count_gathered();
        self.turning = None;
        self.answer(index, shared);
        self
    }

    /// Answers a peer that asks for a page.
    fn answer(&mut self, index: u32, shared: &Shared<P>) {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return;
        };
        if peer.opened {
            return;
        }
        let Some(answer) = peer.connection.asked().map(|path| shared.pages.find(path)) else {
            return;
        };
        if peer.connection.answer(answer).is_ok() && peer.connection.ended().is_none() {
            // Nothing is told of it any more; nor is its handshake awaited,
            // however long it reads.
            shared.gauges.handshakes.fetch_sub(1, Ordering::Relaxed);
            peer.opened = true;
        }
    }

    /// Ends a peer's turn: sends, watches for what is next, or lets it go.
    pub(super) fn settle(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        let mut output = std::mem::take(&mut self.output);
        let flushed = self.flush(index);
        if let Some(Some(peer)) = self.peers.get_mut(index as usize) {
            peer.connection.give_back(&mut output);
        }
        // A long message may have been put together in it.
        output.trim(BUFFER);
        self.output = output;
        match flushed {
            Some(Flushed::All | Flushed::Blocked) => self.watch(index, shared),
            Some(Flushed::Over) => self.let_go(index, shared),
            Some(Flushed::Broken) => {
                self.failing = Some(index);
                let mut ended = self.broken(index, shared);
                ended.failing = None;
                ended
            }
            None => self,
        }
    }

    fn flush(&mut self, index: u32) -> Option<Flushed> {
        let slot = self.shared.doors.get(self.number)?.slots.get(index)?;
        let peer = self.peers.get_mut(index as usize)?.as_mut()?;
        Some(peer.flush(&slot.counts))
    }

    /// Sees to what is watched for, when to look again, what waits.
    fn watch(mut self: Box<Self>, index: u32, shared: &Shared<P>) -> Box<Self> {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return self;
        };
        let Some(slot) = shared.door(peer.id).and_then(|door| door.slots.get(index)) else {
            return self;
        };
        let backlog = peer.account(slot);
        if shared.serving.overflow == Overflow::Block {
            if let Some(door) = shared.door(peer.id) {
                door.room.wake();
            }
        }
        let pause = PAUSE.min(shared.settings.send_queue / 2);
        let paused = peer.interest == Interest::Write;
        let pause = backlog > if paused { pause / 2 } else { pause };
        peer.congested |= pause;
        // The end of the stream would be told again and again.
        let deaf = pause || peer.connection.peer_hung_up();
        let interest = Interest::of(!deaf, peer.blocked);
        if interest != peer.interest {
            let fd = peer.socket.as_raw_fd();
            if self
                .poller
                .rewatch(fd, peer.id.0, interest.events())
                .is_err()
            {
                return self.broken(index, shared);
            }
            peer.interest = interest;
        }
        let drained = backlog == 0
            && peer.opened
            && !peer.connection.has_told_end()
            && (slot.take_refused() || peer.congested);
        peer.congested &= backlog > 0;
        let id = peer.id;
        self.schedule(index);
        if drained {
            if let Some(slot) = shared.door(id).and_then(|door| door.slots.get(index)) {
                let told = shared.program.note(id, slot.user(), &Happening::Drain);
                self = shared.program.tell(told, self);
            }
        }
        self
    }

    /// Counts what waits for a peer, outside its own turn.
    pub(super) fn account(&mut self, index: u32) {
        let door = self.shared.doors.get(self.number);
        let slot = door.and_then(|door| door.slots.get(index));
        if let (Some(slot), Some(Some(peer))) = (slot, self.peers.get_mut(index as usize)) {
            if peer.blocked {
                peer.account(slot);
            }
        }
    }

    /// Has a peer looked at when its next deadline has come.
    pub(super) fn schedule(&mut self, index: u32) {
        let Some(Some(peer)) = self.peers.get_mut(index as usize) else {
            return;
        };
        let due = peer.connection.deadline();
        // What is overdue is judged in a later turn, after one more look.
        let due = due.max(self.now + 1);
        if due >= peer.due && due != NEVER {
            return;
        }
        let moved = peer.due != NEVER;
        peer.due = due;
        // Without memory for a deadline the peer is looked at in the next turn,
        // and the next, until there is.
        if due != NEVER && !self.deadlines.set(due, peer.id.0) {
            peer.due = NEVER;
            self.mark(index);
        }
        if moved {
            self.deadline_moved();
        }
    }
}

/// Counts what is to be told, and keeps what others may ask for.
fn notice<P>(event: &Event<'_>, slot: &Slot, shared: &Shared<P>, opened: &mut bool) {
    match event {
        Event::Data(Chunk { last: true, .. }) => count(&slot.counts.messages_in, 1),
        Event::Request { target } => {
            slot.facts().add_target(target);
        }
        Event::Open { subprotocol } => {
            shared.gauges.handshakes.fetch_sub(1, Ordering::Relaxed);
            *opened = true;
            slot.facts().add_subprotocol(subprotocol);
        }
        _ => {}
    }
}
