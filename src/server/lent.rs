//! Long payloads that a program sends on from the loop's read buffer: they stay
//! there until the end of the peer's turn, and leave with all that the turn
//! brought in one system call, without a copy.

use std::io::IoSlice;
use std::ops::Range;
use std::os::fd::AsRawFd;

use super::peer::Peer;
use super::slots::{Counts, count};
use crate::net::sys::{self, Errno};
use crate::proto::Error;
use crate::proto::message::Kind;

/// Payloads that one turn may lend; any further ones are copied.
const MOST: usize = 20;
/// What is sent at once: each payload, and the bytes before and behind it.
const PARTS: usize = 2 * MOST + 1;

/// A payload in the read buffer.
#[derive(Debug)]
struct Piece {
    /// Bytes of the output that go before it.
    before: usize,
    at: Range<usize>,
}

/// What the peer whose turn it is has lent.
#[derive(Debug, Default)]
pub(super) struct Lent {
    /// Where in memory the bytes are that are handed out now; only to be
    /// compared.
    buffer: Range<usize>,
    pieces: Vec<Piece>,
    bytes: usize,
}

impl Lent {
    /// These bytes are handed out from now on. They stay as they are, but for
    /// being unmasked before they are told, until [`Lent::close`].
    #[inline]
    pub(super) fn open(&mut self, fed: &[u8]) {
        let start = fed.as_ptr().addr();
        self.buffer = start..start + fed.len();
    }

    /// Nothing is handed out any more; nothing is lent.
    #[inline]
    pub(super) fn close(&mut self) {
        self.buffer = 0..0;
        self.pieces.clear();
        self.bytes = 0;
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes that are lent.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where a payload stands in the read buffer, if it does and there is room
    /// for it here.
    fn find(&mut self, payload: &[u8]) -> Option<Range<usize>> {
        let from = payload.as_ptr().addr().checked_sub(self.buffer.start)?;
        let to = from.checked_add(payload.len())?;
        let room = self.pieces.len() < MOST && self.pieces.try_reserve(1).is_ok();
        (room && to <= self.buffer.len()).then_some(from..to)
    }

    /// All that is to be sent, in its order; `None` where the connection has
    /// dropped what it had queued.
    fn weave<'b>(&self, output: &'b [u8], fed: &'b [u8]) -> Option<[IoSlice<'b>; PARTS]> {
        let mut parts = [IoSlice::new(&[]); PARTS];
        let mut free = parts.iter_mut();
        let mut done = 0;
        for piece in &self.pieces {
            *free.next()? = IoSlice::new(output.get(done..piece.before)?);
            *free.next()? = IoSlice::new(fed.get(piece.at.clone())?);
            done = piece.before;
        }
        *free.next()? = IoSlice::new(output.get(done..)?);
        Some(parts)
    }
}

/// A copy of what follows the first `sent` bytes.
fn rest(parts: &[IoSlice<'_>], sent: usize, total: usize) -> Result<Vec<u8>, Error> {
    let mut rest = Vec::new();
    rest.try_reserve_exact(total.saturating_sub(sent))
        .map_err(|_| Error::Memory)?;
    let mut skip = sent;
    for part in parts {
        rest.extend_from_slice(part.get(skip..).unwrap_or_default());
        skip = skip.saturating_sub(part.len());
    }
    Ok(rest)
}

impl Peer {
    /// Sends a message whose payload stands in the read buffer at the end of
    /// this turn; false: nothing was done, as it does not, or has no room.
    pub(super) fn lend(
        &mut self,
        kind: Kind,
        payload: &[u8],
        lent: &mut Lent,
    ) -> Result<bool, Error> {
        let all = lent.bytes.saturating_add(payload.len());
        if !self.connection.has_room_for(all) {
            return Ok(false);
        }
        let Some(at) = lent.find(payload) else {
            return Ok(false);
        };
        self.connection.send_header(kind, payload)?;
        let before = self.connection.queued();
        lent.pieces.push(Piece { before, at });
        lent.bytes = all;
        Ok(true)
    }

    /// Sends what was lent with what else waits; what the socket does not take
    /// is copied. `fed`: what was handed out.
    #[inline]
    pub(super) fn send_lent(&mut self, lent: &mut Lent, fed: &[u8], counts: &Counts) {
        if !lent.is_empty() {
            self.send_woven(lent, fed, counts);
        }
        lent.close();
    }

    fn send_woven(&mut self, lent: &Lent, fed: &[u8], counts: &Counts) {
        let fd = self.socket.as_raw_fd();
        let output = self.connection.output().unwrap_or_default();
        let Some(parts) = lent.weave(output, fed) else {
            return;
        };
        let used = parts.get(..=2 * lent.pieces.len()).unwrap_or_default();
        let total = output.len() + lent.bytes;
        let sent = loop {
            match sys::send_parts(fd, used, libc::MSG_DONTWAIT) {
                Err(Errno(libc::EINTR)) => {}
                // A socket that failed says so again when it is flushed.
                sent => break sent.unwrap_or(0),
            }
        };
        count(&counts.bytes_out, sent as u64);
        if sent < total {
            self.blocked = true;
            let rest = rest(used, sent, total);
            return self.connection.requeue(rest);
        }
        let queued = output.len();
        if self.connection.done(queued).is_err() {
            self.connection.requeue(Ok(Vec::new()));
        }
    }
}
