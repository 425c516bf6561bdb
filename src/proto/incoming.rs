//! The frame being read: where in the stream the connection stands, however
//! the bytes are cut.

use super::error::Error;
use super::frame::{self, Decoded, Header, MAX_CONTROL, MAX_HEADER, Opcode};

/// Bytes on their way through a connection, with a place in them.
#[derive(Debug)]
pub struct Input<'d> {
    data: &'d mut [u8],
    at: usize,
}

impl<'d> Input<'d> {
    /// All of `data` is still to be read; it will be unmasked in place.
    pub fn new(data: &'d mut [u8]) -> Input<'d> {
        Input { data, at: 0 }
    }

    /// How many bytes have been read.
    #[inline]
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.at
    }

    /// What is left.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    /// What is left, to be unmasked.
    #[inline]
    pub fn rest_mut(&mut self) -> &mut [u8] {
        self.data.get_mut(self.at..).unwrap_or_default()
    }

    /// Reads up to `count` bytes; returns where they stand.
    #[inline]
    pub fn advance(&mut self, count: usize) -> (usize, usize) {
        let start = self.at;
        self.at = start.saturating_add(count).min(self.data.len());
        (start, self.at)
    }

    /// Reads all that is left and drops it.
    pub fn discard(&mut self) {
        self.at = self.data.len();
    }

    /// Bytes that were read.
    #[inline]
    #[must_use]
    pub fn bytes(&self, (start, end): (usize, usize)) -> &[u8] {
        self.data.get(start..end).unwrap_or_default()
    }

    /// Bytes that were read, to be unmasked.
    #[inline]
    pub fn bytes_mut(&mut self, (start, end): (usize, usize)) -> &mut [u8] {
        self.data.get_mut(start..end).unwrap_or_default()
    }
}

/// A frame whose header is complete.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Its opcode.
    pub opcode: Opcode,
    /// Its header.
    pub header: Header,
    /// Payload bytes that have been read.
    pub done: u64,
}

impl Frame {
    /// Payload bytes still to come.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.header.length - self.done
    }

    /// Reads what there is of the payload, still masked: where it stands, and
    /// the payload bytes that came before it, as the mask's phase.
    #[inline]
    pub fn take_masked(&mut self, input: &mut Input<'_>) -> ((usize, usize), usize) {
        let available = input.rest().len();
        let count = usize::try_from(self.remaining()).map_or(available, |left| left.min(available));
        let phase = (self.done & 3) as usize;
        self.done += count as u64;
        (input.advance(count), phase)
    }

    /// Passes over bytes that were read elsewhere; as [`Frame::take_masked`].
    pub fn skip(&mut self, count: usize) -> ((usize, usize), usize) {
        let phase = (self.done & 3) as usize;
        self.done = self
            .done
            .saturating_add(count as u64)
            .min(self.header.length);
        ((0, 0), phase)
    }

    /// Reads what there is of the payload, unmasked in place.
    #[inline]
    pub fn take(&mut self, input: &mut Input<'_>) -> (usize, usize) {
        let (span, phase) = self.take_masked(input);
        if let Some(key) = self.header.mask {
            super::mask::apply(input.bytes_mut(span), key, phase);
        }
        span
    }
}

/// A header that was cut off by the end of the input.
#[derive(Debug, Default)]
pub struct Cut {
    header: [u8; MAX_HEADER],
    length: u8,
}

impl Cut {
    /// Whether part of a header has arrived.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.length > 0
    }

    /// What has arrived of a header that is not whole.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        let have = usize::from(self.length);
        self.header.get(..have).unwrap_or_default()
    }

    /// Reads a header. `judge` sees its first two bytes as soon as both are
    /// there, before anything else is waited for. `None`: not whole yet.
    #[inline]
    pub fn read(
        &mut self,
        input: &mut Input<'_>,
        judge: impl Fn(u8, u8) -> Result<Opcode, Error>,
    ) -> Result<Option<Frame>, Error> {
        if self.length == 0 {
            if let Decoded::Header(header) = frame::decode(input.rest()) {
                let opcode = judge(header.first, input.rest().get(1).copied().unwrap_or(0))?;
                input.advance(usize::from(header.size));
                return Ok(Some(Frame {
                    opcode,
                    header,
                    done: 0,
                }));
            }
        }
        self.read_cut(input, judge)
    }

    #[cold]
    fn read_cut(
        &mut self,
        input: &mut Input<'_>,
        judge: impl Fn(u8, u8) -> Result<Opcode, Error>,
    ) -> Result<Option<Frame>, Error> {
        loop {
            let have = usize::from(self.length);
            let known = self.header.get(..have).unwrap_or_default();
            let need = match frame::decode(known) {
                Decoded::Header(header) => {
                    let opcode = judge(self.header[0], self.header[1])?;
                    self.length = 0;
                    return Ok(Some(Frame {
                        opcode,
                        header,
                        done: 0,
                    }));
                }
                Decoded::Need(need) => need,
            };
            if have >= 2 {
                judge(self.header[0], self.header[1])?;
            }
            let span = input.advance(need - have);
            let got = span.1 - span.0;
            if got == 0 {
                return Ok(None);
            }
            if let Some(room) = self.header.get_mut(have..have + got) {
                room.copy_from_slice(input.bytes(span));
            }
            self.length += got as u8;
        }
    }
}

/// A control frame's payload, gathered only where it came in pieces.
#[derive(Debug, Default)]
pub struct Control {
    bytes: Vec<u8>,
}

impl Control {
    /// Adds a piece; at most [`MAX_CONTROL`] bytes are ever kept.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        let room = MAX_CONTROL - self.bytes.len().min(MAX_CONTROL);
        let piece = piece.get(..piece.len().min(room)).unwrap_or_default();
        self.bytes
            .try_reserve_exact(MAX_CONTROL - self.bytes.len())
            .map_err(|_| Error::Memory)?;
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// What was gathered.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the memory back.
    pub fn release(&mut self) {
        self.bytes = Vec::new();
    }
}
