//! A table that grows and never moves, so that any thread may look into it
//! while another makes it larger.

use std::sync::OnceLock;

/// Chunks come in groups of 2^4 of the same length. The first group has 2^8
/// places, each further one twice as many, so that little more is made than
/// there are places in use, and a large table still has few chunks.
const GROUP_BITS: u32 = 4;
const FIRST_GROUP_BITS: u32 = 8;
const CHUNKS: usize = ((u32::BITS - FIRST_GROUP_BITS) << GROUP_BITS) as usize;

/// Places by index. They are made in chunks and stay.
#[derive(Debug)]
pub struct Table<T> {
    chunks: [OnceLock<Box<[T]>>; CHUNKS],
}

impl<T> Table<T> {
    /// No place yet.
    #[must_use]
    pub const fn new() -> Table<T> {
        Table {
            chunks: [const { OnceLock::new() }; CHUNKS],
        }
    }

    /// A place's chunk, where in it the place is, and the chunk's length.
    fn place(index: u32) -> (usize, usize, usize) {
        let shifted = u64::from(index) + (1 << FIRST_GROUP_BITS);
        let top = shifted.ilog2();
        let length = 1_u64 << (top - GROUP_BITS);
        let group = (top - FIRST_GROUP_BITS) << GROUP_BITS;
        let chunk = u64::from(group) + (shifted - (1 << top)) / length;
        (chunk as usize, (shifted % length) as usize, length as usize)
    }

    /// A place that was made.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&T> {
        let (chunk, at, _) = Self::place(index);
        self.chunks.get(chunk)?.get()?.get(at)
    }
}

impl<T: Default> Table<T> {
    /// As [`Table::get`], making its chunk where it is the first of it.
    pub fn get_or_make(&self, index: u32) -> Option<&T> {
        let (chunk, at, length) = Self::place(index);
        let chunk = self.chunks.get(chunk)?;
        let places = chunk.get_or_init(|| (0..length).map(|_| T::default()).collect());
        places.get(at)
    }
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn places_are_their_own_and_stay_where_they_are() {
        let table: Table<AtomicU32> = Table::new();
        assert!(table.get(0).is_none());
        let first = table.get_or_make(0).unwrap();
        for index in 0..5000 {
            let place = table.get_or_make(index).unwrap();
            assert_eq!(place.swap(index + 1, Ordering::Relaxed), 0);
        }
        assert_eq!(first.load(Ordering::Relaxed), 1);
        for index in 0..5000 {
            assert_eq!(table.get(index).unwrap().load(Ordering::Relaxed), index + 1);
        }
        assert!(table.get(u32::MAX).is_none());
    }
}
