//! From frames to messages (RFC 6455 5.4): order, limits, UTF-8, and whether a
//! message is handed out whole or in chunks.
//!
//! Memory grows with the bytes that have arrived, never with a length that the
//! peer announced.

use super::error::Error;
use super::frame::{Header, Opcode};
use super::gathered::Gathered;
use super::settings::Settings;
use super::utf8::{self, Validator};

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
    /// A continuation frame that continues nothing, FIN set. Only where
    /// [`Settings::lenient`] is.
    Continuation,
    /// Bytes to be sent as they are, in no frame. Only where
    /// [`Settings::lenient`] is; never received.
    Raw,
}

impl Kind {
    /// The opcode of the first frame; `None` for what is no frame.
    #[inline]
    #[must_use]
    pub fn opcode(self) -> Option<Opcode> {
        Some(match self {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
            Kind::Continuation => Opcode::Continuation,
            Kind::Raw => return None,
        })
    }

    /// Whether a whole message of this kind may be sent.
    pub fn check(self, payload: &[u8], settings: &Settings) -> Result<(), Error> {
        match self {
            _ if settings.lenient => Ok(()),
            Kind::Text if !utf8::is_valid(payload) => Err(Error::SendUtf8),
            Kind::Text | Kind::Binary => Ok(()),
            Kind::Continuation | Kind::Raw => Err(Error::Usage),
        }
    }
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
    /// Text may be in any coding.
    any_coding: bool,
    utf8: Validator,
    buffer: Gathered,
}

impl Message {
    /// Whether a message is unfinished.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        self.kind.is_some()
    }

    /// Takes the header of a data frame that comes in its order (RFC 6455
    /// 5.4), or follows [`Message::begin_stray`]. True where what has been
    /// assembled so far must be handed out as a chunk first.
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

    /// A continuation that continues nothing is all of the message that begins.
    pub fn begin_stray(&mut self) {
        self.kind = Some(Kind::Continuation);
    }

    /// Text may be in any coding from now on.
    pub fn take_any_coding(&mut self) {
        self.any_coding = true;
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
        if self.kind == Some(Kind::Text) && !self.any_coding {
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
    /// in [`super::mask::append`].
    pub fn gather(
        &mut self,
        piece: &[u8],
        key: Option<[u8; 4]>,
        phase: usize,
        ends: bool,
    ) -> Result<Ready, Error> {
        let start = self.buffer.filled().len();
        self.buffer.append(piece, key, phase, self.most)?;
        self.gathered(start, ends)
    }

    /// Room to read the next `want` bytes of the payload into; see
    /// [`Message::take_room`].
    pub fn room(&mut self, want: u64) -> Result<&mut [u8], Error> {
        self.buffer.room(want, self.most)
    }

    /// Takes the first `count` bytes of the room, still masked.
    pub fn take_room(
        &mut self,
        count: usize,
        key: Option<[u8; 4]>,
        phase: usize,
        ends: bool,
    ) -> Result<Ready, Error> {
        let start = self.buffer.filled().len();
        self.buffer.take(count, key, phase);
        self.gathered(start, ends)
    }

    /// Bytes from `start` on are new in the buffer.
    fn gathered(&mut self, start: usize, ends: bool) -> Result<Ready, Error> {
        // The buffer is taken out only so that it can be read meanwhile.
        let buffer = std::mem::take(&mut self.buffer);
        let new = buffer.filled().get(start..).unwrap_or_default();
        let checked = self.check_text(new, ends);
        self.arrived += new.len() as u64;
        self.buffer = buffer;
        checked?;
        Ok(if ends { Ready::Buffer } else { Ready::Nothing })
    }

    /// The kind of the message in progress.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Binary)
    }

    /// Whether what is handed out next is the first chunk, and its offset.
    #[must_use]
    pub fn next_chunk(&self) -> (bool, u64) {
        (!self.begun, if self.begun { self.arrived } else { 0 })
    }

    /// What has been assembled.
    #[inline]
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.buffer.filled()
    }

    /// Empties the buffer, whose bytes were handed out. Its room stays until
    /// [`Message::trim`].
    pub fn release_buffer(&mut self) {
        self.buffer.clear();
    }

    /// Whether there is any room, in use or not.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.buffer.has_room()
    }

    /// Whether there is room that no message needs.
    #[inline]
    #[must_use]
    pub fn has_spare(&self) -> bool {
        self.buffer.has_spare()
    }

    /// Gives that room back.
    pub fn trim(&mut self) {
        self.buffer.trim();
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
