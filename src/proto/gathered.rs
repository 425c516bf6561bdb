//! A message's bytes as they are gathered: appended from the input, or read by
//! the transport straight into their place.
//!
//! Memory grows with the bytes that have arrived: it doubles, but never beyond
//! what the message may come to.

use super::error::Error;
use super::mask;

/// Room that is kept between messages; a larger buffer is given back.
const KEEP: usize = 1024;
/// The least room that is offered to read into, unless less is wanted.
const ROOM: usize = 64 << 10;

/// Bytes, and room behind them.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Behind `length` stand bytes of an earlier message, or zeros: room that
    /// need not be written twice.
    bytes: Vec<u8>,
    length: usize,
}

impl Gathered {
    /// The bytes.
    #[inline]
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Reserves for `more` bytes, of a message that may come to `most`.
    fn reserve(&mut self, more: usize, most: u64) -> Result<(), Error> {
        let need = self.length.checked_add(more).ok_or(Error::Memory)?;
        if need <= self.bytes.capacity() {
            return Ok(());
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let room = need.max(self.length.saturating_mul(2).min(most));
        self.bytes
            .try_reserve_exact(room - self.bytes.len())
            .map_err(|_| Error::Memory)
    }

    /// Appends a piece and unmasks it; `phase` as in [`mask::append`].
    pub fn append(
        &mut self,
        piece: &[u8],
        key: Option<[u8; 4]>,
        phase: usize,
        most: u64,
    ) -> Result<(), Error> {
        self.reserve(piece.len(), most)?;
        let end = self.length + piece.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            match key {
                Some(key) => mask::copy(place, piece, key, phase),
                None => place.copy_from_slice(piece),
            }
        } else {
            self.bytes.truncate(self.length);
            match key {
                Some(key) => mask::append(&mut self.bytes, piece, key, phase),
                None => self.bytes.extend_from_slice(piece),
            }
        }
        self.length = end;
        Ok(())
    }

    /// Room behind the bytes, for up to `want` more: as much again as there
    /// are, or a little.
    pub fn room(&mut self, want: u64, most: u64) -> Result<&mut [u8], Error> {
        let want = usize::try_from(want).unwrap_or(usize::MAX);
        let want = want.min(self.length.max(ROOM));
        self.reserve(want, most)?;
        let end = self.length + want;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        Ok(self.bytes.get_mut(self.length..end).unwrap_or_default())
    }

    /// Takes the first `count` bytes of the room, which have been read, and
    /// unmasks them; returns them.
    pub fn take(&mut self, count: usize, key: Option<[u8; 4]>, phase: usize) -> &[u8] {
        let start = self.length;
        self.length = start.saturating_add(count).min(self.bytes.len());
        let read = self.bytes.get_mut(start..self.length).unwrap_or_default();
        if let Some(key) = key {
            mask::apply(read, key, phase);
        }
        read
    }

    /// Forgets the bytes; the room stays.
    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Whether there is any room.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.bytes.capacity() > 0
    }

    /// Whether there is room that is worth giving back.
    #[inline]
    #[must_use]
    pub fn has_spare(&self) -> bool {
        self.length == 0 && self.bytes.capacity() > KEEP
    }

    /// Gives that room back.
    pub fn trim(&mut self) {
        if self.has_spare() {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [1, 2, 4, 8];

    fn masked(bytes: &[u8], phase: usize) -> Vec<u8> {
        let mut masked = bytes.to_vec();
        mask::apply(&mut masked, KEY, phase);
        masked
    }

    #[test]
    fn fr31_appended_and_read_bytes_are_one_stream() {
        let data: Vec<u8> = (0..300_000_u32).map(|at| (at / 7) as u8).collect();
        // Twice, as the second message finds the room of the first.
        let mut gathered = Gathered::default();
        for _ in 0..2 {
            let mut at = 0;
            for (turn, step) in [1, 70_000, 3, 90_000, 139_996].into_iter().enumerate() {
                while at < data.len().min(step + at) {
                    let piece = &data[at..(at + step).min(data.len())];
                    let count = if turn % 2 == 0 {
                        let piece = masked(piece, at & 3);
                        let most = data.len() as u64;
                        gathered.append(&piece, Some(KEY), at & 3, most).unwrap();
                        piece.len()
                    } else {
                        let room = gathered.room(piece.len() as u64, data.len() as u64);
                        let room = room.unwrap();
                        let count = piece.len().min(room.len());
                        room[..count].copy_from_slice(&masked(&piece[..count], at & 3));
                        let read = gathered.take(count, Some(KEY), at & 3);
                        assert_eq!(read, &piece[..count]);
                        count
                    };
                    at += count;
                    assert_eq!(gathered.filled(), &data[..at]);
                    if count < piece.len() {
                        continue;
                    }
                    break;
                }
            }
            gathered.clear();
            assert!(gathered.is_empty() && gathered.has_spare());
        }
        gathered.trim();
        assert!(!gathered.has_spare());
    }

    #[test]
    fn fr16_room_follows_what_has_arrived_and_not_what_is_wanted() {
        let mut gathered = Gathered::default();
        let huge = u64::MAX >> 1;
        assert_eq!(gathered.room(huge, huge).unwrap().len(), ROOM);
        assert_eq!(gathered.take(10, None, 0).len(), 10);
        assert_eq!(gathered.room(huge, huge).unwrap().len(), ROOM);
        assert_eq!(gathered.take(ROOM, None, 0).len(), ROOM);
        let length = gathered.filled().len();
        assert_eq!(gathered.room(huge, huge).unwrap().len(), length);
        assert_eq!(gathered.room(5, huge).unwrap().len(), 5);
        // More than there was room for cannot have been read.
        assert!(gathered.take(usize::MAX, None, 0).len() <= 2 * length);
    }

    #[test]
    fn a_short_message_keeps_its_small_room() {
        let mut gathered = Gathered::default();
        gathered.append(&[7; 500], None, 0, 500).unwrap();
        gathered.clear();
        assert!(!gathered.has_spare());
    }
}
