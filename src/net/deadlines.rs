//! Deadlines of many, without a system call for each: a heap, of which only
//! the first matters to the wait.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// So few that are no more are not worth the trouble.
const DROPPED: usize = 64;

/// Deadlines by time; each names whom it is for. A deadline that has moved
/// away is not taken out: whoever it is for is asked, and sets it anew.
#[derive(Debug, Default)]
pub struct Deadlines {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    /// So many of them are no more, at most.
    dropped: usize,
}

impl Deadlines {
    /// Has `whom` told at `at`, at the latest. False where there is no memory
    /// to remember it.
    #[must_use]
    pub fn set(&mut self, at: u64, whom: u64) -> bool {
        if self.heap.try_reserve(1).is_err() {
            return false;
        }
        self.heap.push(Reverse((at, whom)));
        true
    }

    /// The first, and whom it is for.
    #[must_use]
    pub fn peek(&self) -> Option<(u64, u64)> {
        self.heap.peek().map(|Reverse(entry)| *entry)
    }

    /// Notes that one of them is no more; true where it is worth to
    /// [`Deadlines::keep`] the others only.
    pub fn drop_one(&mut self) -> bool {
        self.dropped += 1;
        self.dropped >= DROPPED && self.dropped > self.heap.len() / 2
    }

    /// One of those that are no more was taken out.
    pub fn dropped_one(&mut self) {
        self.dropped = self.dropped.saturating_sub(1);
    }

    /// Keeps those that `holds` says so of, and gives back what memory is to
    /// spare.
    pub fn keep(&mut self, mut holds: impl FnMut(u64, u64) -> bool) {
        self.heap.retain(|Reverse((at, whom))| holds(*at, *whom));
        self.heap.shrink_to(self.heap.len() * 2);
        self.dropped = 0;
    }

    /// Takes one that has come.
    pub fn pop(&mut self, now: u64) -> Option<(u64, u64)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_in_their_order_and_not_before() {
        let mut deadlines = Deadlines::default();
        assert_eq!(deadlines.peek(), None);
        for (at, whom) in [(30, 3), (10, 1), (20, 2), (10, 4)] {
            assert!(deadlines.set(at, whom));
        }
        assert_eq!(deadlines.peek(), Some((10, 1)));
        assert_eq!(deadlines.pop(9), None);
        assert_eq!(deadlines.pop(10), Some((10, 1)));
        assert_eq!(deadlines.pop(25), Some((10, 4)));
        assert_eq!(deadlines.pop(25), Some((20, 2)));
        assert_eq!(deadlines.pop(25), None);
        assert_eq!(deadlines.peek(), Some((30, 3)));
    }

    #[test]
    fn those_that_are_no_more_are_dropped_once_they_are_many() {
        let mut deadlines = Deadlines::default();
        let many = 10 * DROPPED as u64;
        for whom in 0..many {
            assert!(deadlines.set(10 + whom, whom));
        }
        for dropped in 1..=many / 2 {
            assert!(!deadlines.drop_one(), "{dropped}");
        }
        assert!(deadlines.drop_one());
        deadlines.keep(|at, whom| at == 10 + whom && whom % 10 == 9);
        assert!(!deadlines.drop_one());
        for whom in (0..many).filter(|whom| whom % 10 == 9) {
            assert_eq!(deadlines.pop(u64::MAX - 1), Some((10 + whom, whom)));
        }
        assert_eq!(deadlines.peek(), None);
    }
}
