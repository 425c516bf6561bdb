//! Threads that wait until there is room in a peer's send queue
//! (`WEBSOCKET_OVERFLOW_BLOCK`). One place for all peers of a loop: each waiting
//! thread looks again whenever something may have changed.

use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::proto::Error;

thread_local! {
    /// Its address tells this thread from every other that lives.
    static HERE: u8 = const { 0 };
}

fn this_thread() -> usize {
    HERE.with(|here| &raw const *here as usize)
}

/// Where threads wait for a loop.
#[derive(Debug, Default)]
pub struct Room {
    waiting: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
    /// The thread that turned the loop last.
    turned_by: AtomicUsize,
}

impl Room {
    /// The present thread turns the loop.
    pub fn turned(&self) {
        self.turned_by.store(this_thread(), Ordering::Relaxed);
    }

    /// Whether the present thread turned the loop last: it would wait for
    /// itself.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.turned_by.load(Ordering::Relaxed) == this_thread()
    }

    /// How many threads wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Has those that wait look again. What they look at was changed before.
    pub fn wake(&self) {
        // Either they see the change, or they are seen here.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.changed.notify_all();
        }
    }

    /// Tries until it says anything but [`Error::Full`], or `timeout` ms have
    /// passed.
    pub fn wait(&self, timeout: u64, attempt: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
        // Beyond what the clock can add it is no deadline.
        let until = Instant::now().checked_add(Duration::from_millis(timeout));
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let outcome = loop {
            fence(Ordering::SeqCst);
            let outcome = attempt();
            let left = match until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if outcome != Err(Error::Full) || left.is_zero() {
                break outcome;
            }
            let woken = self.changed.wait_timeout(lock, left);
            lock = woken.unwrap_or_else(PoisonError::into_inner).0;
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        drop(lock);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn who_waits_is_woken_by_a_change_or_by_the_time() {
        let room = Arc::new(Room::default());
        let free = Arc::new(AtomicBool::new(false));
        assert_eq!(room.wait(0, || Err(Error::Full)), Err(Error::Full));
        assert_eq!(room.wait(1, || Err(Error::Full)), Err(Error::Full));
        assert_eq!(room.wait(u64::MAX, || Err(Error::Gone)), Err(Error::Gone));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (room, free) = (Arc::clone(&room), Arc::clone(&free));
                std::thread::spawn(move || {
                    room.wait(u64::MAX, || {
                        if free.load(Ordering::Relaxed) {
                            Ok(())
                        } else {
                            Err(Error::Full)
                        }
                    })
                })
            })
            .collect();
        while room.waiting() < 4 {
            std::thread::yield_now();
        }
        room.wake();
        free.store(true, Ordering::Relaxed);
        room.wake();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok(()));
        }
    }

    #[test]
    fn a_thread_knows_its_own_loop() {
        let room = Arc::new(Room::default());
        assert!(!room.is_own());
        room.turned();
        assert!(room.is_own());
        let other = Arc::clone(&room);
        // Both live at the same time.
        assert!(!std::thread::spawn(move || other.is_own()).join().unwrap());
    }
}
