//! What any thread may do with a server. The loop's own thread has the loop
//! itself.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::facts::Facts;
use super::mailbox::Request;
use super::slots::{Counts, PeerId, Slot};
use super::{Door, Shared, accept};
use crate::net::queue::Payload;
use crate::net::sys::listen;
use crate::proto::Error;
use crate::proto::close;
use crate::proto::message::Kind;
use crate::proto::settings::Overflow;

/// What is told of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerCounts {
    /// Messages that came whole.
    pub messages_in: u64,
    /// Messages that were queued.
    pub messages_out: u64,
    /// Bytes that the socket gave.
    pub bytes_in: u64,
    /// Bytes that the socket took.
    pub bytes_out: u64,
    /// The last ping's round trip in ms; `u32::MAX` for none.
    pub round_trip: u32,
    /// Bytes that wait to be sent.
    pub waiting: usize,
}

/// What a message on its way costs besides its bytes: its place in a row that
/// doubles.
const COST: usize = 2 * size_of::<Request>();

/// What a message of this length counts as, on its way to the loop.
pub(super) fn cost_of(length: usize) -> usize {
    length.saturating_add(COST)
}

impl<P> Shared<P> {
    fn place(&self, peer: PeerId) -> Result<(&Door, &Slot), Error> {
        let door = self.door(peer).ok_or(Error::Gone)?;
        let slot = door.slots.get(peer.index()).ok_or(Error::Gone)?;
        if slot.has(peer) {
            Ok((door, slot))
        } else {
            Err(Error::Gone)
        }
    }

    /// Has a message sent; it is copied. [`Error::Full`]: there is no room.
    pub fn send(&self, to: PeerId, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        self.queue(to, kind, payload, false)
    }

    /// As [`Shared::send`]; by [`Overflow::Block`] it waits for room, unless
    /// this thread turns the loop that has to make it.
    pub fn send_or_wait(&self, to: PeerId, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        self.queue(to, kind, payload, self.serving.overflow == Overflow::Block)
    }

    fn queue(&self, to: PeerId, kind: Kind, payload: &[u8], waits: bool) -> Result<(), Error> {
        let (door, slot) = self.place(to)?;
        let limit = self.settings.send_queue;
        if payload.len() > limit {
            return Err(Error::SendTooBig);
        }
        kind.check(payload, &self.settings)?;
        // The other policies find room when the message has come to the loop;
        // what is on the way has a limit all the same.
        let limit = match self.serving.overflow {
            Overflow::Refuse | Overflow::Block => limit,
            _ => limit.saturating_mul(2),
        };
        let copy = Payload::copy(payload)?;
        let cost = cost_of(payload.len());
        // The largest message has room where nothing waits.
        let limit = limit.saturating_add(COST);
        let mut reserved = slot.reserve(to, cost, limit);
        if reserved == Err(Error::Full) && waits && !door.room.is_own() {
            reserved = door.room.wait(self.serving.block_timeout, || {
                if self.stopping.load(Ordering::Acquire) {
                    return Err(Error::Closed);
                }
                slot.reserve(to, cost, limit)
            });
        }
        if reserved == Err(Error::Full) {
            slot.refused();
            // Room that was made before this was noted tells nobody.
            reserved = slot.reserve(to, cost, limit);
        }
        reserved?;
        let request = Request::Send {
            to,
            kind,
            payload: copy,
        };
        let posted = door.mailbox.post(request);
        if posted.is_err() {
            slot.release(to, cost);
            door.room.wake();
        }
        posted
    }

    /// The bytes of publications and pings that may be on the way to a loop: who
    /// asks for them faster than it turns has a limit too.
    fn on_the_way(&self) -> usize {
        self.settings.send_queue.max(1 << 20)
    }

    /// Has a ping (or an unsolicited pong) sent.
    pub fn control(&self, to: PeerId, ping: bool, payload: &[u8]) -> Result<(), Error> {
        let (door, _) = self.place(to)?;
        if payload.len() > crate::proto::frame::MAX_CONTROL {
            return Err(Error::SendTooBig);
        }
        let request = Request::Control {
            to,
            ping,
            payload: payload.into(),
        };
        door.mailbox.post_within(request, self.on_the_way())
    }

    /// Has a message sent to all subscribers of a topic, or to all.
    pub fn publish(
        &self,
        topic: Option<&str>,
        kind: Kind,
        payload: &[u8],
        except: Option<PeerId>,
    ) -> Result<(), Error> {
        let payload = self.shareable(kind, payload)?;
        // Nobody reads what is asked of loops that have ended.
        if self.stopping.load(Ordering::Acquire) {
            return Err(Error::State);
        }
        self.post(topic, kind, &payload, except, None)
    }

    /// Asks all loops to publish, or all but `own`.
    pub(super) fn post(
        &self,
        topic: Option<&str>,
        kind: Kind,
        payload: &Arc<[u8]>,
        except: Option<PeerId>,
        own: Option<usize>,
    ) -> Result<(), Error> {
        let topic: Option<Arc<str>> = topic.map(Arc::from);
        let mut posted = Ok(());
        for (number, door) in self.doors.iter().enumerate() {
            if own == Some(number) {
                continue;
            }
            let request = Request::Publish {
                topic: topic.clone(),
                kind,
                payload: Arc::clone(payload),
                except,
            };
            // The other loops' peers get it all the same.
            let asked = door.mailbox.post_within(request, self.on_the_way());
            posted = posted.and(asked);
        }
        posted
    }

    /// Checks a message for many and makes it one that can be shared.
    pub(super) fn shareable(&self, kind: Kind, payload: &[u8]) -> Result<Arc<[u8]>, Error> {
        if payload.len() > self.settings.send_queue {
            return Err(Error::SendTooBig);
        }
        kind.check(payload, &self.settings)?;
        Ok(Arc::from(payload))
    }

    /// Begins, or with `on` false ends, a subscription.
    pub fn subscribe(&self, peer: PeerId, topic: &str, on: bool) -> Result<(), Error> {
        let (door, _) = self.place(peer)?;
        door.mailbox.post(Request::Subscribe {
            peer,
            topic: topic.into(),
            on,
        })
    }

    /// Has a connection closed.
    pub fn close(&self, peer: PeerId, code: Option<u16>, reason: &str) -> Result<(), Error> {
        let (door, _) = self.place(peer)?;
        close::check(code, reason)?;
        door.mailbox.post(Request::Close {
            peer,
            code,
            reason: reason.to_owned(),
        })
    }

    /// What was counted of a peer.
    pub fn counts(&self, peer: PeerId) -> Result<PeerCounts, Error> {
        let (_, slot) = self.place(peer)?;
        let counts = &slot.counts;
        Ok(PeerCounts {
            messages_in: counts.messages_in.load(Ordering::Relaxed),
            messages_out: counts.messages_out.load(Ordering::Relaxed),
            bytes_in: counts.bytes_in.load(Ordering::Relaxed),
            bytes_out: counts.bytes_out.load(Ordering::Relaxed),
            round_trip: slot.round_trip(),
            waiting: slot.waiting(),
        })
    }

    /// Bytes that wait to be sent to a peer; 0 where it is gone.
    pub fn waiting(&self, of: PeerId) -> usize {
        self.place(of).map_or(0, |(_, slot)| slot.waiting())
    }

    /// What was counted of all peers that there are and were. Of one that
    /// leaves at this moment the count may come with the next look.
    pub fn totals(&self) -> Counts {
        let sum = Counts::default();
        for door in &self.doors {
            sum.add(&door.gone);
            let slots = (0..).map_while(|index| door.slots.get(index));
            for slot in slots.filter(|slot| slot.is_taken()) {
                sum.add(&slot.counts);
            }
        }
        sum
    }

    /// Looks at a peer's facts; lock briefly.
    pub fn facts<T>(&self, peer: PeerId, look: impl FnOnce(&Facts) -> T) -> Result<T, Error> {
        let (_, slot) = self.place(peer)?;
        let facts = slot.facts();
        // The peer may have gone before the lock was taken, and another come.
        if !slot.has(peer) || !facts.is_known() {
            return Err(Error::Gone);
        }
        Ok(look(&facts))
    }

    /// What the program keeps with a peer.
    pub fn user(&self, peer: PeerId) -> Result<usize, Error> {
        let (_, slot) = self.place(peer)?;
        let user = slot.user();
        // The slot's next peer may have come, and what the program keeps with
        // that one is no answer.
        slot.has(peer).then_some(user).ok_or(Error::Gone)
    }

    /// Keeps something with a peer.
    pub fn set_user(&self, peer: PeerId, user: usize) -> Result<(), Error> {
        let (_, slot) = self.place(peer)?;
        // A peer's end waits for this lock before the next one has the slot.
        let _facts = slot.facts();
        if !slot.has(peer) {
            return Err(Error::Gone);
        }
        slot.set_user(user);
        Ok(())
    }

    /// Ends the server without a word to its peers; its loops see to it.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.stop();
    }

    /// Has a connection served that was accepted elsewhere, and of which `read`
    /// was read, by the loop that has the fewest peers. [`Error::State`]: the
    /// server is ending, which the peer is told.
    pub fn adopt(&self, socket: OwnedFd, read: &[u8]) -> Result<(), Error> {
        if self.stopping.load(Ordering::Acquire) {
            accept::refuse(&socket);
            return Err(Error::State);
        }
        let address = listen::peer_address(socket.as_raw_fd()).unwrap_or(None);
        let doors = self.doors.iter().enumerate();
        let fewest = doors.min_by_key(|(_, door)| door.peers());
        let (number, door) = fewest.ok_or(Error::Internal)?;
        self.expect_at(number);
        let posted = door.mailbox.post(Request::Adopt {
            socket,
            address,
            read: read.to_vec(),
        });
        if posted.is_err() {
            self.lost_at(number);
        }
        posted
    }

    /// Begins the end of the server; its loops see to it.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        for door in &self.doors {
            door.mailbox.wake();
            door.room.wake();
        }
    }
}
