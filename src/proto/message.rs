//! From frames to messages (RFC 6455 5.4): order, limits, UTF-8, and whether a
//! message is handed out whole or in chunks.
//!
//! Memory grows with the bytes that have arrived, never with a length that the
//! peer announced.

use super::error::Error;
use super::frame::{Header, Opcode};
use super::mask;
use super::settings::Settings;
use super::utf8::Validator;

/// Room that is kept between messages; a larger buffer is given back.
const KEEP: usize = 1024;

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// What a piece of payload made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Nothing yet.
    Nothing,
    /// The piece itself is a chunk (the only one of a message that came
    /// whole), at this offset of its message.
    Piece {
        /// The first chunk of its message.
        first: bool,
        /// The last chunk of its message.
        last: bool,
        /// Where in the message it begins.
        offset: u64,
    },
    /// The message is whole in the buffer.
    Buffer,
}

/// A message being received.
#[derive(Debug, Default)]
pub struct Message {
    /// `None` between messages.
    kind: Option<Kind>,
    fragments: u64,
    /// Payload bytes of all its frames that have arrived.
    arrived: u64,
    /// How many it may come to: what its last frame has announced, or the limit.
    most: u64,
    /// Handed out in chunks.
    chunked: bool,
    /// Its first chunk is out.
    begun: bool,
    utf8: Validator,
    buffer: Vec<u8>,
}

impl Message {
    /// Whether a message is unfinished.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        self.kind.is_some()
    }

    /// Takes the header of a data frame that comes in its order (RFC 6455 5.4). True where
    /// what has been assembled so far must be handed out as a chunk first.
    #[inline]
    pub fn begin_frame(
        &mut self,
        opcode: Opcode,
        header: &Header,
        settings: &Settings,
    ) -> Result<bool, Error> {
        if header.length > settings.max_frame {
            return Err(Error::FrameTooBig);
        }
        let total = self.arrived.checked_add(header.length);
        let total = total.filter(|total| *total <= settings.max_message);
        let total = total.ok_or(Error::MessageTooBig)?;
        self.fragments += 1;
        if self.fragments > settings.max_fragments {
            return Err(Error::TooManyFragments);
        }
        match opcode {
            Opcode::Text => self.kind = Some(Kind::Text),
            Opcode::Binary => self.kind = Some(Kind::Binary),
            _ => {}
        }
        self.most = if header.fin() {
            total
        } else {
            settings.max_message
        };
        let was_chunked = self.chunked;
        self.chunked |= total > settings.chunk_above;
        Ok(self.chunked && !was_chunked && !self.buffer.is_empty())
    }

    /// What was assembled is handed out as the first chunk.
    pub fn begin_chunks(&mut self) {
        self.begun = true;
    }

    /// Whether the next piece of the payload will be lent from where it is,
    /// rather than gathered. `ends`: it is the message's last.
    #[inline]
    #[must_use]
    pub fn lends(&self, ends: bool) -> bool {
        self.chunked || (ends && self.buffer.is_empty())
    }

    #[inline]
    fn check_text(&mut self, piece: &[u8], ends: bool) -> Result<(), Error> {
        if self.kind == Some(Kind::Text) {
            self.utf8.feed(piece).map_err(|_| Error::Utf8)?;
            if ends {
                self.utf8.finish().map_err(|_| Error::Utf8)?;
            }
        }
        Ok(())
    }

    /// Takes a piece that is lent, unmasked. `ends`: it is the message's last.
    #[inline]
    pub fn lend(&mut self, piece: &[u8], ends: bool) -> Result<Ready, Error> {
        self.check_text(piece, ends)?;
        let offset = self.arrived;
        self.arrived += piece.len() as u64;
        if piece.is_empty() && !ends {
            return Ok(Ready::Nothing);
        }
        let first = !self.begun;
        self.begun = true;
        Ok(Ready::Piece {
            first,
            last: ends,
            offset,
        })
    }

    /// Takes a piece that is gathered, and unmasks it on the way; `phase` as
    /// in [`mask::append`].
    pub fn gather(
        &mut self,
        piece: &[u8],
        key: Option<[u8; 4]>,
        phase: usize,
        ends: bool,
    ) -> Result<Ready, Error> {
        self.make_room(piece.len())?;
        let start = self.buffer.len();
        match key {
            Some(key) => mask::append(&mut self.buffer, piece, key, phase),
            None => self.buffer.extend_from_slice(piece),
        }
        // The buffer is taken out only so that it can be read meanwhile.
        let buffer = std::mem::take(&mut self.buffer);
        let checked = self.check_text(buffer.get(start..).unwrap_or_default(), ends);
        self.buffer = buffer;
        checked?;
        self.arrived += piece.len() as u64;
        Ok(if ends { Ready::Buffer } else { Ready::Nothing })
    }

    /// Room for `more` bytes: the buffer doubles as bytes arrive, but never
    /// beyond what the message may come to.
    fn make_room(&mut self, more: usize) -> Result<(), Error> {
        let need = self.buffer.len() + more;
        if need <= self.buffer.capacity() {
            return Ok(());
        }
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        let room = need.max(self.buffer.len().saturating_mul(2).min(most));
        self.buffer
            .try_reserve_exact(room - self.buffer.len())
            .map_err(|_| Error::Memory)
    }

    /// The kind of the message in progress.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Binary)
    }

    /// What has been assembled.
    #[inline]
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Empties the buffer, whose bytes were handed out. Its room stays for the
    /// next message, until [`Message::trim`].
    pub fn release_buffer(&mut self) {
        self.buffer.clear();
    }

    /// Gives room back that no message needs now: nothing more is there to be
    /// read.
    #[inline]
    pub fn trim(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP {
            self.buffer = Vec::new();
        }
    }

    /// The message was handed out whole, or its last chunk was; the next may
    /// begin. The buffer stays until [`Message::release_buffer`].
    #[inline]
    pub fn end(&mut self) {
        self.kind = None;
        self.fragments = 0;
        self.arrived = 0;
        self.most = 0;
        self.chunked = false;
        self.begun = false;
    }

    /// Drops what there is of a message that will never be whole.
    pub fn abandon(&mut self) {
        *self = Message::default();
    }
}
