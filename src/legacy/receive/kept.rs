//! Frames that are cut off, or do not fit: what is kept between two calls.

use std::sync::atomic::Ordering::Relaxed;

use super::deliver;
use super::{Call, KEEP_MAX, PIECE, PIECES, Received, Rx, Start, State, append};
use crate::legacy::fd::Stop;
use crate::net::sys::Errno;
use crate::proto::frame::{self, Decoded, Header, MAX_CONTROL};
use crate::proto::mask;

impl Call<'_> {
    /// Makes room for a payload that goes into no buffer of the caller's yet.
    pub(super) fn begin_payload(&mut self, rx: &mut Rx, header: Header) {
        let room = self.data.len();
        // A message that is too large is dropped; it is no frame that waits.
        let largest = if self.manner.messages && header.first & 0x08 == 0 {
            room
        } else {
            KEEP_MAX.load(Relaxed).max(room)
        };
        rx.state = if header.length <= largest as u64 {
            State::Payload {
                header,
                bytes: Vec::new(),
            }
        } else {
            State::Skip {
                header,
                left: header.length,
            }
        };
    }

    /// The outcome of a call whose frame is still incomplete.
    pub(super) fn kept(&mut self, rx: &mut Rx, kept: Result<(), Errno>) -> Result<Received, Stop> {
        if let Err(error) = kept {
            // Bytes of the middle of a frame are lost: the stream cannot go on.
            rx.state = State::Broken;
            return Err(error.into());
        }
        Err(Errno(libc::EAGAIN).into())
    }

    pub(super) fn more_header(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        loop {
            let State::Header { bytes, length } = rx.state else {
                return self.advance(rx);
            };
            let seen = bytes.get(..length).unwrap_or_default();
            // What is kept is looked at before more is waited for: it may be
            // no frame, and have had no room.
            let start = if seen.is_empty() {
                Start::Need
            } else {
                self.examine(seen)?
            };
            match start {
                Start::Need => self.read_header(rx)?,
                Start::Frame(header) => {
                    self.begin_payload(rx, header);
                    return self.advance(rx);
                }
                Start::Request | Start::Noise => return self.noise(rx, seen),
                Start::Violation => {
                    rx.state = State::Broken;
                    return Ok(deliver::violated());
                }
            }
        }
    }

    /// Reads on towards the end of a header, as far as that is known.
    fn read_header(&mut self, rx: &mut Rx) -> Result<(), Stop> {
        let State::Header { bytes, length } = &mut rx.state else {
            return Err(Errno(libc::EAGAIN).into());
        };
        let Decoded::Need(end) = frame::decode(bytes.get(..*length).unwrap_or_default()) else {
            return Err(Errno(libc::EAGAIN).into());
        };
        *length += self.read(Some(bytes), *length, end)?;
        Ok(())
    }

    pub(super) fn more_payload(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        let State::Payload { header, bytes } = &mut rx.state else {
            return self.advance(rx);
        };
        let header = *header;
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let control = header.first & 0x08 != 0;
        if self.manner.messages && !control && length > self.data.len() {
            // The buffer has become smaller since the frame began.
            let left = (length - bytes.len()) as u64;
            rx.state = State::Skip { header, left };
            return self.skip(rx);
        }
        if bytes.len() < length {
            let kept = if control {
                let mut small = [0; MAX_CONTROL];
                let got = self.read(Some(&mut small), bytes.len(), length)?;
                append(
                    bytes,
                    small
                        .get(bytes.len()..bytes.len() + got)
                        .unwrap_or_default(),
                )
            } else if length <= self.data.len() {
                // Straight to its place behind what is kept.
                let start = bytes.len();
                let got = self.read(None, start, length)?;
                if start + got == length {
                    if let Some(room) = self.data.get_mut(..start) {
                        room.copy_from_slice(bytes);
                    }
                    return Ok(self.finish_payload(rx, header, length));
                }
                append(bytes, self.data.get(start..start + got).unwrap_or_default())
            } else {
                self.collect(bytes, length)?
            };
            if kept.is_err() || bytes.len() < length {
                return self.kept(rx, kept);
            }
        }
        if control {
            let mut small = [0; MAX_CONTROL];
            if let Some(room) = small.get_mut(..length) {
                room.copy_from_slice(bytes);
                mask::apply(room, header.mask.unwrap_or_default(), 0);
            }
            rx.state = State::Idle;
            self.taken = true;
            return self.control(rx, header, &small, length);
        }
        let Some(room) = self.data.get_mut(..length) else {
            return Ok(deliver::too_large());
        };
        room.copy_from_slice(bytes);
        Ok(self.finish_payload(rx, header, length))
    }

    /// A data frame's payload is in the caller's buffer, still masked.
    pub(super) fn finish_payload(
        &mut self,
        rx: &mut Rx,
        header: Header,
        length: usize,
    ) -> Received {
        if let (Some(key), Some(room)) = (header.mask, self.data.get_mut(..length)) {
            mask::apply(room, key, 0);
        }
        rx.state = State::Idle;
        // An edge may have been spent on a call that could not take this.
        self.taken = true;
        deliver::payload(header, length)
    }

    /// Reads what has come of a payload that does not fit the caller's buffer.
    pub(super) fn collect(
        &mut self,
        bytes: &mut Vec<u8>,
        length: usize,
    ) -> Result<Result<(), Errno>, Stop> {
        let mut piece = [0; PIECE];
        for _ in 0..PIECES {
            let missing = length - bytes.len();
            if missing == 0 {
                break;
            }
            let got = self.read(Some(&mut piece), 0, missing.min(PIECE))?;
            if let Err(error) = append(bytes, piece.get(..got).unwrap_or_default()) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn skip(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        let State::Skip { header, left } = &mut rx.state else {
            return self.advance(rx);
        };
        let mut piece = [0; PIECE];
        for _ in 0..PIECES {
            if *left == 0 {
                break;
            }
            let end = usize::try_from(*left).unwrap_or(PIECE).min(PIECE);
            *left -= self.read(Some(&mut piece), 0, end)? as u64;
        }
        if *left > 0 {
            return Err(Errno(libc::EAGAIN).into());
        }
        let header = *header;
        rx.state = State::Idle;
        self.taken = true;
        Ok(if self.manner.messages {
            deliver::dropped(header)
        } else {
            deliver::too_large()
        })
    }
}
