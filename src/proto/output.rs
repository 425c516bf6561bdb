//! What waits to be sent: whole frames (or an HTTP head) in one buffer.
//!
//! Limits: messages are bounded by the send queue; pings answered by a bounded
//! number of pongs; one close frame always has room.

use super::error::Error;
use super::frame::{self, MAX_CONTROL, Opcode};
use super::mask;

/// Room that is kept while nothing waits; a larger buffer is given back.
const KEEP: usize = 1024;
/// Pongs that may wait in line; while so many do, only the latest further ping
/// is answered (RFC 6455 5.5.3 allows that), so that a peer who pings and
/// never reads costs us no more.
const PONGS_IN_LINE: u32 = 64;

/// The send side of a connection.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Bytes ever queued and ever sent: marks in the stream.
    queued_total: u64,
    sent_total: u64,
    /// Where in the stream the last pong in line ends.
    pong_mark: u64,
    pongs: u32,
    /// The latest ping not answered yet.
    pong: Option<Box<[u8]>>,
}

impl Output {
    /// What is to be written to the transport next.
    #[inline]
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Bytes that wait.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The transport took `length` bytes of [`Output::pending`].
    pub fn done(&mut self, length: usize) -> Result<(), Error> {
        if length > self.len() {
            return Err(Error::Usage);
        }
        self.sent += length;
        self.sent_total += length as u64;
        if self.sent == self.bytes.len() {
            self.sent = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEEP {
                self.bytes = Vec::new();
            }
        }
        Ok(())
    }

    /// Drops what waits: the transport will not take it any more.
    pub fn clear(&mut self) {
        *self = Output::default();
    }

    /// Room for `more` bytes, without letting what was sent pile up in front.
    ///
    /// What waits is moved (or copied by growing) only after an eighth of it
    /// was sent or queued, so that neither a queue kept full nor a peer that
    /// reads little makes each send cost the whole queue.
    fn reserve(&mut self, more: usize) -> Result<(), Error> {
        if self.sent == 0 || self.bytes.capacity() - self.bytes.len() >= more {
            return self.bytes.try_reserve(more).map_err(|_| Error::Memory);
        }
        let eighth = self.len() / 8;
        if self.sent >= eighth {
            self.bytes.drain(..self.sent);
            self.sent = 0;
            return self.bytes.try_reserve(more).map_err(|_| Error::Memory);
        }
        let room = more.max(eighth);
        self.bytes
            .try_reserve_exact(room)
            .map_err(|_| Error::Memory)
    }

    /// Queues bytes that are no frame: the handshake.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        self.queued_total += bytes.len() as u64;
        Ok(())
    }

    /// Queues a frame; `key` masks it (a client's frames). One copy.
    pub fn frame(&mut self, first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Result<(), Error> {
        let (header, size) = frame::encode(first, key, payload.len() as u64);
        let header = header.get(..size).unwrap_or_default();
        let length = size.checked_add(payload.len()).ok_or(Error::SendTooBig)?;
        self.reserve(length)?;
        self.bytes.extend_from_slice(header);
        match key {
            None => self.bytes.extend_from_slice(payload),
            Some(key) => mask::append(&mut self.bytes, payload, key, 0),
        }
        self.queued_total += length as u64;
        Ok(())
    }

    /// Answers a ping, in line or as the one latest.
    pub fn pong(&mut self, key: Option<[u8; 4]>, payload: &[u8]) -> Result<(), Error> {
        if self.sent_total >= self.pong_mark {
            self.pongs = 0;
        }
        if self.pongs >= PONGS_IN_LINE {
            let payload = payload
                .get(..payload.len().min(MAX_CONTROL))
                .unwrap_or_default();
            self.pong = Some(payload.into());
            return Ok(());
        }
        self.pongs += 1;
        self.frame(0x80 | Opcode::Pong as u8, key, payload)?;
        self.pong_mark = self.queued_total;
        Ok(())
    }

    /// The ping whose answer waited for the line to move, once it has.
    pub fn take_late_pong(&mut self) -> Option<Box<[u8]>> {
        if self.sent_total < self.pong_mark {
            return None;
        }
        self.pong.take()
    }

    /// Forgets a pong that was not queued: none goes out after a close frame.
    pub fn forget_pong(&mut self) {
        self.pong = None;
    }
}
