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
const PONGS_IN_LINE: u8 = 64;

/// A ping's payload.
#[derive(Debug)]
struct Late {
    payload: [u8; MAX_CONTROL],
    length: u8,
}

impl AsRef<[u8]> for Late {
    fn as_ref(&self) -> &[u8] {
        let length = usize::from(self.length);
        self.payload.get(..length).unwrap_or_default()
    }
}

/// The send side of a connection. It is a pointer while nothing was queued.
#[derive(Debug, Default)]
pub struct Output {
    held: Option<Box<Held>>,
}

/// What there is of it.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    sent: usize,
    /// It was lent.
    lent: bool,
    /// Of what waits, the bytes up to the end of the last pong in line.
    pong_mark: usize,
    pongs: u8,
    /// The latest ping not answered yet.
    pong: Option<Box<Late>>,
}

impl Output {
    fn held(&mut self) -> &mut Held {
        self.held.get_or_insert_default()
    }

    /// What is to be written to the transport next.
    #[inline]
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.held.as_deref().map_or(&[], Held::pending)
    }

    /// Bytes that wait.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.as_deref().map_or(0, Held::len)
    }

    /// Whether nothing waits.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The transport took `length` bytes of [`Output::pending`].
    #[inline]
    pub fn done(&mut self, length: usize) -> Result<(), Error> {
        match self.held.as_deref_mut() {
            Some(held) => held.done(length),
            None if length == 0 => Ok(()),
            None => Err(Error::Usage),
        }
    }

    /// Queues by `other` until [`Output::give_back`], where nothing waits
    /// now: who serves many connections one after the other needs one buffer.
    #[inline]
    pub fn lend(&mut self, other: &mut Output) {
        if self.is_empty() {
            std::mem::swap(&mut self.held, &mut other.held);
            self.held().lent = true;
        }
    }

    /// Gives what was lent back, empty; what still waits in it is copied.
    #[inline]
    pub fn give_back(&mut self, other: &mut Output) -> Result<(), Error> {
        let Some(held) = self.held.as_deref_mut().filter(|held| held.lent) else {
            return Ok(());
        };
        held.lent = false;
        let kept = if held.len() == 0 {
            Ok(None)
        } else {
            held.move_out().map(Some)
        };
        held.reset();
        other.held = self.held.take();
        self.held = kept?;
        Ok(())
    }

    /// Drops what waits: the transport will not take it any more.
    pub fn clear(&mut self) {
        match self.held.as_deref_mut() {
            // To be given back.
            Some(held) if held.lent => held.reset(),
            _ => self.held = None,
        }
    }

    /// Queues this in the place of all that waits, pongs among it or not.
    pub fn replace(&mut self, bytes: Vec<u8>) {
        let held = self.held();
        if held.pong_mark > 0 {
            // Where the last of them ends is not known any more.
            held.pong_mark = bytes.len();
        }
        held.bytes = bytes;
        held.sent = 0;
    }

    /// Gives room back that is larger than `most`. Nothing waits.
    #[inline]
    pub fn trim(&mut self, most: usize) {
        if self
            .held
            .as_deref()
            .is_some_and(|held| held.bytes.capacity() > most)
        {
            self.held = None;
        }
    }

    /// Queues bytes that are no frame: the handshake. `most`: what the buffer
    /// should not grow beyond, here and below.
    pub fn raw(&mut self, bytes: &[u8], most: usize) -> Result<(), Error> {
        self.held().raw(bytes, most)
    }

    /// Queues a frame's header; its payload, unmasked, goes out behind it by
    /// the caller's own hand, or comes by [`Output::raw`].
    pub fn header(&mut self, first: u8, length: u64, most: usize) -> Result<(), Error> {
        let (header, size) = frame::encode(first, None, length);
        self.raw(header.get(..size).unwrap_or_default(), most)
    }

    /// Queues a frame; `key` masks it (a client's frames). One copy.
    #[inline]
    pub fn frame(
        &mut self,
        first: u8,
        key: Option<[u8; 4]>,
        payload: &[u8],
        most: usize,
    ) -> Result<(), Error> {
        self.held().frame(first, key, payload, most)
    }

    /// Answers a ping, in line or as the one latest.
    pub fn pong(&mut self, key: Option<[u8; 4]>, payload: &[u8], most: usize) -> Result<(), Error> {
        self.held().pong(key, payload, most)
    }

    /// Whether a ping's answer waited for the line to move, which it has.
    #[inline]
    #[must_use]
    pub fn owes_pong(&self) -> bool {
        let held = self.held.as_deref();
        held.is_some_and(|held| held.pong.is_some() && held.pong_mark == 0)
    }

    /// The ping whose answer waited for the line to move, once it has.
    pub fn take_late_pong(&mut self) -> Option<impl AsRef<[u8]> + use<>> {
        self.held.as_deref_mut()?.take_late_pong()
    }

    /// Forgets a pong that was not queued: none goes out after a close frame.
    pub fn forget_pong(&mut self) {
        if let Some(held) = self.held.as_deref_mut() {
            held.pong = None;
        }
    }
}

impl Held {
    /// What is to be written to the transport next.
    #[inline]
    fn pending(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Bytes that wait.
    #[inline]
    fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// The transport took `length` bytes of [`Held::pending`].
    fn done(&mut self, length: usize) -> Result<(), Error> {
        if length > self.len() {
            return Err(Error::Usage);
        }
        self.sent += length;
        self.pong_mark = self.pong_mark.saturating_sub(length);
        if self.sent == self.bytes.len() {
            self.sent = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEEP && !self.lent {
                self.bytes = Vec::new();
            }
        }
        Ok(())
    }

    /// Room for `more` bytes. It doubles, but not beyond `most`, unless that
    /// many are needed.
    #[inline]
    fn reserve(&mut self, more: usize, most: usize) -> Result<(), Error> {
        if self.bytes.capacity() - self.bytes.len() >= more {
            return Ok(());
        }
        self.grow(more, most)
    }

    /// Does not let what was sent pile up in front.
    ///
    /// What waits is moved (or copied by growing) only after an eighth of it
    /// was sent or queued, so that neither a queue kept full nor a peer that
    /// reads little makes each send cost the whole queue.
    #[cold]
    fn grow(&mut self, more: usize, most: usize) -> Result<(), Error> {
        if self.bytes.is_empty() {
            return self
                .bytes
                .try_reserve_exact(more)
                .map_err(|_| Error::Memory);
        }
        let eighth = self.len() / 8;
        let mut room = more.max(eighth);
        if self.sent == 0 || self.sent >= eighth {
            self.bytes.drain(..self.sent);
            self.sent = 0;
            let doubled = self.bytes.capacity().saturating_mul(2).min(most);
            room = more.max(doubled.saturating_sub(self.bytes.len()));
        }
        self.bytes
            .try_reserve_exact(room)
            .map_err(|_| Error::Memory)
    }

    /// Queues bytes that are no frame: the handshake. `most`: what the buffer
    /// should not grow beyond, here and below.
    fn raw(&mut self, bytes: &[u8], most: usize) -> Result<(), Error> {
        self.reserve(bytes.len(), most)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Queues a frame; `key` masks it (a client's frames). One copy.
    #[inline]
    fn frame(
        &mut self,
        first: u8,
        key: Option<[u8; 4]>,
        payload: &[u8],
        most: usize,
    ) -> Result<(), Error> {
        let Some(key) = key else {
            self.begin(first, None, payload.len(), most)?;
            self.bytes.extend_from_slice(payload);
            return Ok(());
        };
        self.begin(first, Some(key), payload.len(), most)?;
        mask::append(&mut self.bytes, payload, key, 0);
        Ok(())
    }

    /// Queues a frame's header, and has room for its payload.
    #[inline(always)]
    fn begin(
        &mut self,
        first: u8,
        key: Option<[u8; 4]>,
        length: usize,
        most: usize,
    ) -> Result<(), Error> {
        let (header, size) = frame::encode(first, key, length as u64);
        let room = length.checked_add(header.len());
        self.reserve(room.ok_or(Error::SendTooBig)?, most)?;
        // All of it, of a length that is known here: a call for a few bytes
        // would cost as much as a short message.
        let end = self.bytes.len() + size;
        self.bytes.extend_from_slice(&header);
        self.bytes.truncate(end);
        Ok(())
    }

    /// Answers a ping, in line or as the one latest.
    fn pong(&mut self, key: Option<[u8; 4]>, payload: &[u8], most: usize) -> Result<(), Error> {
        if self.pong_mark == 0 {
            self.pongs = 0;
        }
        if self.pongs >= PONGS_IN_LINE {
            let mut late = Late {
                payload: [0; MAX_CONTROL],
                length: payload.len().min(MAX_CONTROL) as u8,
            };
            for (to, from) in late.payload.iter_mut().zip(payload) {
                *to = *from;
            }
            self.pong = Some(Box::new(late));
            return Ok(());
        }
        self.pongs += 1;
        self.frame(0x80 | Opcode::Pong as u8, key, payload, most)?;
        self.pong_mark = self.len();
        Ok(())
    }

    /// The ping whose answer waited for the line to move, once it has.
    fn take_late_pong(&mut self) -> Option<Late> {
        if self.pong_mark > 0 {
            return None;
        }
        self.pong.take().map(|late| *late)
    }

    /// A copy of what waits, no larger than it has to be; the original is to
    /// be reset.
    #[cold]
    fn move_out(&mut self) -> Result<Box<Held>, Error> {
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(self.len())
            .map_err(|_| Error::Memory)?;
        bytes.extend_from_slice(self.pending());
        Ok(Box::new(Held {
            bytes,
            sent: 0,
            lent: false,
            pong_mark: self.pong_mark,
            pongs: self.pongs,
            pong: self.pong.take(),
        }))
    }

    /// Drops all but the room, which may be another's to look after.
    #[inline]
    fn reset(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.pong_mark = 0;
        self.pongs = 0;
        self.pong = None;
    }
}
