//! The one door to every handle.
//!
//! A C handle is a token, not an address: an index, a generation and a kind.
//! Slots are never freed, so any token can be looked up without touching
//! memory that it names. [`Door::enter`] takes the handle for one call; freed,
//! foreign and made-up tokens, other threads and re-entry are errors.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::proto::Error;

/// Bits of a token: 1 (so that it is odd, unlike any handle that is an
/// address), the kind, the index, the generation.
const KIND_BITS: u32 = 3;
const INDEX_BITS: u32 = if usize::BITS == 64 { 28 } else { 14 };
const GENERATION_BITS: u32 = if usize::BITS == 64 { 30 } else { 14 };
const INDEX_SHIFT: u32 = 1 + KIND_BITS;
const GENERATION_SHIFT: u32 = INDEX_SHIFT + INDEX_BITS;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

/// A slot's status, the low two bits of its state; the generation is above.
const FREE: u32 = 0;
const IDLE: u32 = 1;
const TAKEN: u32 = 2;
/// Freed from within a call: dropped when the call ends.
const DOOMED: u32 = 3;

/// Slots are made in chunks that double in size, so they never move.
const FIRST_CHUNK_BITS: u32 = 6;
const CHUNKS: usize = (INDEX_BITS - FIRST_CHUNK_BITS + 1) as usize;

/// What a handle is to C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Config = 1,
    Conn = 2,
    Server = 4,
    Parser = 5,
}

struct Slot<T> {
    state: AtomicU32,
    /// The thread that is inside, by its tag.
    owner: AtomicUsize,
    /// A panic ended a call: only freeing is allowed.
    broken: AtomicBool,
    value: UnsafeCell<Option<Box<T>>>,
}

/// All handles of one kind.
pub(crate) struct Door<T: 'static> {
    kind: Kind,
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    free: Mutex<Free>,
}

/// Indexes to use again, the longest unused first so that generations last.
struct Free {
    fresh: u32,
    indexes: VecDeque<u32>,
}

// SAFETY: a slot's value is touched only by the one thread that moved its
// state to TAKEN by compare-and-swap, and moves between threads (T: Send).
unsafe impl<T: Send> Sync for Door<T> {}

/// A number that is this thread's own while it lives.
fn thread_tag() -> usize {
    thread_local!(static TAG: u8 = const { 0 });
    TAG.with(|tag| std::ptr::from_ref(tag) as usize)
}

impl<T: Send> Door<T> {
    pub(crate) const fn new(kind: Kind) -> Door<T> {
        Door {
            kind,
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::new(Free {
                fresh: 0,
                indexes: VecDeque::new(),
            }),
        }
    }

    fn place(index: u32) -> (usize, usize) {
        let shifted = u64::from(index) + (1 << FIRST_CHUNK_BITS);
        let top = shifted.ilog2();
        let chunk = (top - FIRST_CHUNK_BITS) as usize;
        (chunk, (shifted - (1 << top)) as usize)
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        let (chunk, at) = Self::place(index);
        self.chunks.get(chunk)?.get()?.get(at)
    }

    /// As [`Door::slot`], making its chunk where it is the first of it.
    fn slot_or_make(&self, index: u32) -> Option<&Slot<T>> {
        let (chunk, at) = Self::place(index);
        let slots = self.chunks.get(chunk)?.get_or_init(|| {
            let make = |_| Slot {
                state: AtomicU32::new(FREE),
                owner: AtomicUsize::new(0),
                broken: AtomicBool::new(false),
                value: UnsafeCell::new(None),
            };
            (0..1_usize << (chunk as u32 + FIRST_CHUNK_BITS))
                .map(make)
                .collect()
        });
        slots.get(at)
    }

    fn token(&self, index: u32, generation: u32) -> usize {
        (generation as usize) << GENERATION_SHIFT
            | (index as usize) << INDEX_SHIFT
            | (self.kind as usize) << 1
            | 1
    }

    /// The slot that a token names and the generation that it was made with.
    fn find(&self, token: usize) -> Result<(u32, u32, &Slot<T>), Error> {
        let index = (token >> INDEX_SHIFT) as u32 & ((1 << INDEX_BITS) - 1);
        let generation = (token >> GENERATION_SHIFT) as u32 & GENERATION_MASK;
        // Rebuilding it catches any other kind and stray bits.
        if token == 0 {
            return Err(Error::Null);
        }
        if self.token(index, generation) != token {
            return Err(Error::Gone);
        }
        let slot = self.slot(index).ok_or(Error::Gone)?;
        Ok((index, generation, slot))
    }

    /// Puts a value behind the door; returns its token, never 0.
    pub(crate) fn insert(&self, value: T) -> Result<usize, Error> {
        let value = Box::new(value);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        // An index that has just been freed waits behind others, so that a
        // stale token meets its own generation as late as possible.
        let index = if free.indexes.len() >= 64 || free.fresh >> INDEX_BITS != 0 {
            free.indexes.pop_front().ok_or(Error::Handles)?
        } else {
            free.fresh += 1;
            free.fresh - 1
        };
        drop(free);
        let slot = self.slot_or_make(index).ok_or(Error::Handles)?;
        let generation = slot.state.load(Ordering::Relaxed) >> 2;
        slot.broken.store(false, Ordering::Relaxed);
        // SAFETY: the index came off the free list, so its state is FREE and no
        // other thread touches the value before the store below.
        unsafe { *slot.value.get() = Some(value) };
        slot.state.store(generation << 2 | IDLE, Ordering::Release);
        Ok(self.token(index, generation))
    }

    /// Moves a slot from idle to taken by this thread.
    fn take(slot: &Slot<T>, generation: u32) -> Result<(), Error> {
        let idle = generation << 2 | IDLE;
        let taken = generation << 2 | TAKEN;
        let state = &slot.state;
        match state.compare_exchange(idle, taken, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {
                slot.owner.store(thread_tag(), Ordering::Relaxed);
                Ok(())
            }
            Err(now) if now >> 2 != generation || matches!(now & 3, FREE | DOOMED) => {
                Err(Error::Gone)
            }
            Err(_) if slot.owner.load(Ordering::Relaxed) == thread_tag() => Err(Error::Reentry),
            Err(_) => Err(Error::Busy),
        }
    }

    /// Takes a handle for one call.
    #[inline(never)]
    pub(crate) fn enter(&self, token: usize) -> Result<Entered<'_, T>, Error> {
        self.enter_fast(token)
    }

    /// As [`Door::enter`], for the calls that are made for every message: its
    /// result stays in registers, at the price of the code's size.
    #[inline(always)]
    pub(crate) fn enter_fast(&self, token: usize) -> Result<Entered<'_, T>, Error> {
        let (index, generation, slot) = self.find(token)?;
        Self::take(slot, generation)?;
        let entered = Entered {
            door: self,
            index,
            generation,
            slot,
        };
        if slot.broken.load(Ordering::Relaxed) {
            return Err(Error::Internal);
        }
        Ok(entered)
    }

    /// A copy of what a handle stands for, for a kind that any thread may use
    /// at any time. Others that do the same are waited for: it takes them no
    /// longer than the copy.
    pub(crate) fn share(&self, token: usize) -> Result<T, Error>
    where
        T: Clone,
    {
        loop {
            match self.enter(token) {
                Err(Error::Busy) => std::thread::yield_now(),
                entered => return entered?.value().map(|value| value.clone()),
            }
        }
    }

    /// Frees a handle; from within a call of its own thread, when that ends.
    pub(crate) fn free(&self, token: usize) -> Result<(), Error> {
        let (index, generation, slot) = self.find(token)?;
        match Self::take(slot, generation) {
            Ok(()) => {
                self.release(index, generation, slot);
                Ok(())
            }
            Err(Error::Reentry) => {
                let taken = generation << 2 | TAKEN;
                let doomed = generation << 2 | DOOMED;
                let state = &slot.state;
                state
                    .compare_exchange(taken, doomed, Ordering::Relaxed, Ordering::Relaxed)
                    .map(drop)
                    .map_err(|_| Error::Gone)
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Door::free`], for a kind that is used by [`Door::share`]: who has
    /// it just then is waited for.
    pub(crate) fn free_shared(&self, token: usize) -> Result<(), Error> {
        loop {
            match self.free(token) {
                Err(Error::Busy) => std::thread::yield_now(),
                freed => return freed,
            }
        }
    }

    /// Empties a slot that this thread has taken.
    #[inline(never)]
    fn release(&self, index: u32, generation: u32, slot: &Slot<T>) {
        // SAFETY: the state is TAKEN or DOOMED by this thread, and the guard
        // that lent the value out is gone.
        let value = unsafe { (*slot.value.get()).take() };
        slot.owner.store(0, Ordering::Relaxed);
        let next = (generation + 1) & GENERATION_MASK;
        slot.state.store(next << 2 | FREE, Ordering::Release);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.indexes.push_back(index);
        drop(free);
        drop(value);
    }
}

/// A handle taken for one call.
pub(crate) struct Entered<'d, T: Send + 'static> {
    door: &'d Door<T>,
    index: u32,
    generation: u32,
    slot: &'d Slot<T>,
}

impl<T: Send> Entered<'_, T> {
    /// The value behind the handle.
    pub(crate) fn value(&mut self) -> Result<&mut T, Error> {
        // SAFETY: this guard holds the slot (TAKEN), one guard exists per
        // taking, and the borrow ends with the guard's own.
        unsafe { (*self.slot.value.get()).as_deref_mut() }.ok_or(Error::Internal)
    }
}

impl<T: Send> Drop for Entered<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.slot.broken.store(true, Ordering::Relaxed);
        }
        // Before the state: the next thread's calls must not find this one.
        self.slot.owner.store(0, Ordering::Relaxed);
        let taken = self.generation << 2 | TAKEN;
        let idle = self.generation << 2 | IDLE;
        // While it is taken only this thread's own calls change the state (a
        // free from within one dooms it), so no read-modify-write is needed.
        let state = &self.slot.state;
        if state.load(Ordering::Relaxed) == taken {
            state.store(idle, Ordering::Release);
        } else {
            self.door.release(self.index, self.generation, self.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static DOOR: Door<String> = Door::new(Kind::Conn);

    #[test]
    fn ap06_ap07_ap08_stale_tokens_are_gone_even_when_the_slot_is_reused() {
        let mut stale = Vec::new();
        for round in 0..300 {
            let token = DOOR.insert(format!("{round}")).unwrap();
            assert_eq!(token & 1, 1);
            for old in &stale {
                assert_eq!(DOOR.enter(*old).err(), Some(Error::Gone));
                assert_eq!(DOOR.free(*old), Err(Error::Gone));
            }
            let mut entered = DOOR.enter(token).unwrap();
            assert_eq!(*entered.value().unwrap(), format!("{round}"));
            drop(entered);
            DOOR.free(token).unwrap();
            stale.push(token);
        }
        let highest = stale.iter().map(|token| DOOR.find(*token).unwrap().0).max();
        assert!(highest.unwrap() < 200, "slots are reused");
    }

    #[test]
    fn ap32_garbage_and_foreign_tokens_are_gone() {
        static OTHER: Door<String> = Door::new(Kind::Config);
        let token = OTHER.insert("other".into()).unwrap();
        assert_eq!(DOOR.enter(token).err(), Some(Error::Gone));
        assert_eq!(DOOR.enter(0).err(), Some(Error::Null));
        let on_stack = 0_u64;
        for garbage in [
            1,
            2,
            usize::MAX,
            usize::MAX - 1,
            &raw const on_stack as usize,
        ] {
            assert_eq!(DOOR.enter(garbage).err(), Some(Error::Gone));
            assert_eq!(DOOR.free(garbage), Err(Error::Gone));
        }
        for shift in 0..usize::BITS {
            assert!(DOOR.enter(token ^ (1 << shift)).is_err());
        }
        OTHER.free(token).unwrap();
    }

    #[test]
    fn ap11_ap13_reentry_is_refused_and_a_free_inside_is_deferred() {
        let token = DOOR.insert("mine".into()).unwrap();
        let mut entered = DOOR.enter(token).unwrap();
        assert_eq!(DOOR.enter(token).err(), Some(Error::Reentry));
        DOOR.free(token).unwrap();
        assert_eq!(DOOR.free(token), Err(Error::Gone));
        assert_eq!(*entered.value().unwrap(), "mine");
        drop(entered);
        assert_eq!(DOOR.enter(token).err(), Some(Error::Gone));
    }

    #[test]
    fn ap16_ap17_another_thread_is_told_busy() {
        let token = DOOR.insert("shared".into()).unwrap();
        let entered = DOOR.enter(token).unwrap();
        std::thread::spawn(move || {
            assert_eq!(DOOR.enter(token).err(), Some(Error::Busy));
            assert_eq!(DOOR.free(token), Err(Error::Busy));
        })
        .join()
        .unwrap();
        drop(entered);
        std::thread::spawn(move || DOOR.free(token).unwrap())
            .join()
            .unwrap();
    }

    #[test]
    fn ap17_threads_that_use_and_free_one_handle_agree() {
        for _ in 0..200 {
            let token = DOOR.insert("raced".into()).unwrap();
            let freed: u32 = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(move || {
                            for _ in 0..20 {
                                if let Ok(mut entered) = DOOR.enter(token) {
                                    entered.value().unwrap().push('.');
                                }
                            }
                            loop {
                                match DOOR.free(token) {
                                    Ok(()) => return 1,
                                    Err(Error::Gone) => return 0,
                                    Err(_) => std::thread::yield_now(),
                                }
                            }
                        })
                    })
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .sum()
            });
            assert_eq!(freed, 1);
        }
    }

    #[test]
    fn ap15_a_panic_inside_breaks_the_handle_but_not_its_freeing() {
        let token = DOOR.insert("broken".into()).unwrap();
        let outcome = std::panic::catch_unwind(|| {
            let _entered = DOOR.enter(token).unwrap();
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(outcome.is_err());
        assert_eq!(DOOR.enter(token).err(), Some(Error::Internal));
        DOOR.free(token).unwrap();
    }
}
