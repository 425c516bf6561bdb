//! Reading the rest of a long frame straight into its message's place.

use super::{Connection, Lent};
use crate::proto::incoming::Frame;
use crate::proto::state::State;

/// Frames of which less than this is missing come with what follows them.
const MIN_ROOM: u64 = 16 << 10;

impl Connection {
    /// Room to read the rest of a long frame into, straight from the
    /// transport; `None` where what comes next is to be fed, and while the last
    /// event's bytes are lent. Say with [`Connection::read_into_room`] how much
    /// came, then call [`Connection::next`].
    pub fn room(&mut self) -> Option<&mut [u8]> {
        if self.lent != Lent::Nothing || self.has_unread() {
            return None;
        }
        let reading = self.reading.as_deref_mut()?;
        let frame = reading.frame.as_ref()?;
        let remaining = frame.remaining();
        let of_message = !frame.opcode.is_control() && !reading.message.lends(false);
        if self.state != State::Open || !of_message || remaining < MIN_ROOM {
            return None;
        }
        let room = reading.message.room(remaining).ok()?;
        reading.in_room = Some(0);
        Some(room)
    }

    /// Whether bytes stand in the room that [`Connection::next`] has not
    /// looked at.
    #[inline]
    #[must_use]
    pub fn has_unread(&self) -> bool {
        let in_room = self.reading.as_deref().and_then(|reading| reading.in_room);
        in_room.is_some_and(|count| count > 0)
    }

    /// The transport has put so many bytes at the start of
    /// [`Connection::room`].
    pub fn read_into_room(&mut self, count: usize) {
        let Some(reading) = self.reading.as_deref_mut() else {
            return;
        };
        if reading.in_room.is_none() {
            return;
        }
        let left = reading.frame.as_ref().map_or(0, Frame::remaining);
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        reading.in_room = Some(count);
        if count > 0 {
            self.timers.heard();
        }
    }
}
