//! What any thread may know of a peer: whether it is there, how much waits to
//! be sent to it, its counters and facts. The loop that serves the peer writes;
//! a peer's number tells its loop, its slot, and which of the slot's peers.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::facts::Facts;
use crate::net::table::Table;
use crate::proto::Error;

/// A peer's number, never 0: generation, loop, index. It comes back after 2^32
/// peers of its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeerId(pub u64);

const INDEX_BITS: u32 = 24;
/// Peers that one loop can have.
pub const MAX_PEERS: u32 = 1 << INDEX_BITS;
/// Loops that one server can have; the last number is left for what is no
/// peer.
pub const MAX_LOOPS: usize = (1 << (32 - INDEX_BITS)) - 1;

impl PeerId {
    /// The number of the peer that a slot has in this generation.
    #[must_use]
    pub fn new(on: usize, index: u32, generation: u32) -> PeerId {
        let low = (on as u32) << INDEX_BITS | index;
        PeerId(u64::from(generation) << 32 | u64::from(low))
    }

    /// Which loop serves it.
    #[must_use]
    pub fn on(self) -> usize {
        (self.0 as u32 >> INDEX_BITS) as usize
    }

    /// Which slot of the loop it has.
    #[must_use]
    pub fn index(self) -> u32 {
        self.0 as u32 & (MAX_PEERS - 1)
    }

    /// Which of the slot's peers it is; odd while it is there.
    #[must_use]
    pub fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What was counted of one peer. Only its loop counts.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that came whole (or their last chunk did).
    pub messages_in: AtomicU64,
    /// Messages that were queued.
    pub messages_out: AtomicU64,
    /// Bytes that the socket gave.
    pub bytes_in: AtomicU64,
    /// Bytes that the socket took.
    pub bytes_out: AtomicU64,
}

impl Counts {
    /// Adds what was counted of one peer.
    pub fn add(&self, other: &Counts) {
        count(&self.messages_in, other.messages_in.load(Ordering::Relaxed));
        count(
            &self.messages_out,
            other.messages_out.load(Ordering::Relaxed),
        );
        count(&self.bytes_in, other.bytes_in.load(Ordering::Relaxed));
        count(&self.bytes_out, other.bytes_out.load(Ordering::Relaxed));
    }
}

/// Adds where nobody else does: no locked instruction.
#[inline]
pub fn count(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

/// No pong of ours has come yet.
pub const NO_ROUND_TRIP: u32 = u32::MAX;

/// One peer's place.
#[derive(Debug, Default)]
pub struct Slot {
    /// The generation, odd while a peer is there, over the bytes that wait to
    /// be sent to it, in the loop's hands and on the way to it: in one word,
    /// so that no bytes are ever counted for the slot's next peer.
    state: AtomicU64,
    /// The last ping's round trip in ms, plus 1; 0 for none.
    round_trip: AtomicU32,
    /// A message of another thread was refused.
    refused: AtomicBool,
    /// What the program keeps with it.
    user: AtomicUsize,
    /// What was counted.
    pub counts: Counts,
    facts: Mutex<Facts>,
}

/// Splits a slot's state: generation, bytes.
fn parts(state: u64) -> (u32, u32) {
    ((state >> 32) as u32, state as u32)
}

impl Slot {
    /// Whether this peer is there. What is done to the slot next may still
    /// find it gone.
    #[inline]
    #[must_use]
    pub fn has(&self, peer: PeerId) -> bool {
        let (generation, _) = parts(self.state.load(Ordering::Acquire));
        generation == peer.generation() && generation & 1 == 1
    }

    /// Whether some peer is there.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        parts(self.state.load(Ordering::Acquire)).0 & 1 == 1
    }

    /// Begins a peer's life; returns its generation.
    pub fn open(&self) -> u32 {
        self.round_trip.store(0, Ordering::Relaxed);
        self.user.store(0, Ordering::Relaxed);
        self.refused.store(false, Ordering::Relaxed);
        for counter in [
            &self.counts.messages_in,
            &self.counts.messages_out,
            &self.counts.bytes_in,
            &self.counts.bytes_out,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
        self.next_generation(1)
    }

    /// Ends it.
    pub fn close(&self) {
        self.next_generation(0);
        *self.facts() = Facts::default();
    }

    /// Only the loop begins and ends lives, so the generation stays between
    /// the two operations.
    fn next_generation(&self, parity: u32) -> u32 {
        let (generation, _) = parts(self.state.load(Ordering::Relaxed));
        let generation = (generation.wrapping_add(1) & !1) | parity;
        self.state
            .store(u64::from(generation) << 32, Ordering::Release);
        generation
    }

    /// Bytes that wait to be sent.
    #[inline]
    #[must_use]
    pub fn waiting(&self) -> usize {
        parts(self.state.load(Ordering::Relaxed)).1 as usize
    }

    /// Changes the bytes that wait, where `peer` is there.
    fn update(
        &self,
        peer: PeerId,
        change: impl Fn(usize) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let (generation, bytes) = parts(state);
            if generation != peer.generation() || generation & 1 == 0 {
                return Err(Error::Gone);
            }
            let bytes = u32::try_from(change(bytes as usize)?).unwrap_or(u32::MAX);
            let new = u64::from(generation) << 32 | u64::from(bytes);
            let order = (Ordering::AcqRel, Ordering::Relaxed);
            match self
                .state
                .compare_exchange_weak(state, new, order.0, order.1)
            {
                Ok(_) => return Ok(()),
                Err(now) => state = now,
            }
        }
    }

    /// Counts `bytes` as waiting where `limit` allows it: else
    /// [`Error::Full`], or [`Error::Gone`].
    pub fn reserve(&self, peer: PeerId, bytes: usize, limit: usize) -> Result<(), Error> {
        self.update(peer, |waiting| {
            let sum = waiting.checked_add(bytes).ok_or(Error::Full)?;
            if sum > limit {
                Err(Error::Full)
            } else {
                Ok(sum)
            }
        })
    }

    /// Counts bytes as waiting no more.
    pub fn release(&self, peer: PeerId, bytes: usize) {
        // A peer that is gone has nothing that waits.
        let _ = self.update(peer, |waiting| Ok(waiting.saturating_sub(bytes)));
        // As `account`.
        fence(Ordering::SeqCst);
    }

    /// What is known of the peer; lock briefly.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts `now` bytes as waiting in the loop's hands, instead of `before`.
    pub fn account(&self, peer: PeerId, before: usize, now: usize) {
        // A peer that is gone has nothing that waits.
        let _ = self.update(peer, |waiting| {
            Ok(waiting.saturating_sub(before).saturating_add(now))
        });
        // Either `take_refused` sees who found no room, or that one looks
        // again behind its note and finds this.
        fence(Ordering::SeqCst);
    }

    /// Notes that another thread's message found no room. Who notes it tries
    /// once more: room may have been made before.
    pub fn refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Whether one was, since this last said so.
    #[inline]
    pub fn take_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed) && self.refused.swap(false, Ordering::Relaxed)
    }

    /// What the program keeps with the peer, an address as a number.
    #[inline]
    #[must_use]
    pub fn user(&self) -> usize {
        // Who sees a peer's value sees that the slot is that peer's.
        self.user.load(Ordering::Acquire)
    }

    /// Keeps something with the peer.
    pub fn set_user(&self, user: usize) {
        self.user.store(user, Ordering::Release);
    }

    /// The last ping's round trip in ms.
    #[must_use]
    pub fn round_trip(&self) -> u32 {
        self.round_trip.load(Ordering::Relaxed).wrapping_sub(1)
    }

    /// Notes a round trip.
    pub fn set_round_trip(&self, ms: u64) {
        let ms = u32::try_from(ms).unwrap_or(NO_ROUND_TRIP - 1);
        self.round_trip
            .store(ms.saturating_add(1), Ordering::Relaxed);
    }
}

/// The slots of one loop.
pub type Slots = Table<Slot>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ap08_a_number_is_of_one_peer_only() {
        let slots = Slots::new();
        let slot = slots.get_or_make(5).unwrap();
        let nobody = PeerId::new(3, 5, 0);
        assert!(!slot.has(nobody));
        let first = PeerId::new(3, 5, slot.open());
        assert_eq!((first.on(), first.index()), (3, 5));
        assert!(slot.has(first) && first.0 != 0);
        slot.set_user(77);
        slot.set_round_trip(12);
        assert_eq!(slot.reserve(first, 10, 10), Ok(()));
        assert_eq!(slot.reserve(first, 1, 10), Err(Error::Full));
        assert_eq!(slot.reserve(nobody, 1, 10), Err(Error::Gone));
        slot.close();
        assert!(!slot.has(first));
        let second = PeerId::new(3, 5, slot.open());
        assert!(slot.has(second) && !slot.has(first) && first != second);
        slot.release(first, 10);
        assert_eq!(slot.reserve(first, 1, 10), Err(Error::Gone));
        assert_eq!((slot.user(), slot.waiting()), (0, 0));
        assert_eq!(slot.reserve(second, 3, 10), Ok(()));
        slot.release(second, 2);
        assert_eq!(slot.waiting(), 1);
        assert_eq!(slot.round_trip(), NO_ROUND_TRIP);
        assert!(!slot.has(nobody));
    }

    #[test]
    fn tr15_the_largest_numbers_keep_their_parts() {
        let last = PeerId::new(MAX_LOOPS - 1, MAX_PEERS - 1, u32::MAX);
        assert_eq!(last.on(), MAX_LOOPS - 1);
        assert_eq!(last.index(), MAX_PEERS - 1);
        assert_eq!(last.generation(), u32::MAX);
        assert_ne!(last.0, u64::MAX);
    }

    #[test]
    fn tr15_a_slot_that_was_used_often_goes_on() {
        let slots = Slots::new();
        let slot = slots.get_or_make(0).unwrap();
        slot.state
            .store(u64::from(u32::MAX - 2) << 32, Ordering::Relaxed);
        let mut generations = Vec::new();
        for _ in 0..3 {
            let peer = PeerId::new(0, 0, slot.open());
            assert!(slot.has(peer) && peer.0 != 0);
            generations.push(peer.generation());
            slot.close();
            assert!(!slot.has(peer));
        }
        assert_eq!(generations, [u32::MAX, 1, 3]);
    }
}
