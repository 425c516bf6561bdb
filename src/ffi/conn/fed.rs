//! What stands behind a connection's token: the connection, and what is lent.

use crate::proto::Error;
use crate::proto::conn::Connection;

/// A connection and the bytes that it was fed and has not read.
pub(super) struct Conn {
    pub(super) connection: Connection,
    pub(super) fed: *mut u8,
    pub(super) length: usize,
    /// The room that was given out last, while it is there.
    pub(super) room: *mut u8,
    pub(super) room_length: usize,
}

impl Conn {
    /// Whether what was handed over before has been read.
    #[inline(always)]
    pub(super) fn may_feed(&self) -> Result<(), Error> {
        if self.length > 0 || self.connection.has_unread() {
            return Err(Error::State);
        }
        Ok(())
    }

    /// How far behind the start of the room an address is; `None` outside.
    #[inline(always)]
    pub(super) fn place_in_room(&self, data: *mut u8) -> Option<usize> {
        let at = (data as usize).checked_sub(self.room as usize)?;
        (!self.room.is_null() && at < self.room_length).then_some(at)
    }
}

// SAFETY: `fed` is memory that the program lent with `feed`; it is touched only
// in `next`, by the one thread that has the handle. `room` is only compared.
unsafe impl Send for Conn {}
