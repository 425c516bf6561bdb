//! What is not a frame, at a connection's start: an HTTP request, or noise.

use super::deliver;
use super::{Call, MAX_REQUEST, Received, Rx, State, append};
use crate::legacy::fd::Stop;
use crate::legacy::head;
use crate::proto::frame::MAX_HEADER;

/// As much of a request as fits, and a NUL; the rest follows. A program of
/// generation 2 brings no larger buffer, and what it looks for comes first.
fn part(data: &mut [u8], request: &mut Vec<u8>) -> Received {
    let Some((_, room)) = data.split_last_mut() else {
        return deliver::too_large();
    };
    let length = room.len();
    if length == 0 {
        return deliver::too_large();
    }
    for (to, from) in room.iter_mut().zip(request.drain(..length)) {
        *to = from;
    }
    deliver::not_a_frame(data, length, libc::EAGAIN)
}

impl Call<'_> {
    /// Bytes that are no frame, at a connection's start: what was kept of
    /// them, then what is readable.
    pub(super) fn noise(&mut self, rx: &mut Rx, kept: &[u8]) -> Result<Received, Stop> {
        // One byte stays free, so that a program finds a NUL behind them.
        let room = self.data.len() - 1;
        if room == 0 {
            return Ok(deliver::too_large());
        }
        let mut length = kept.len().min(room);
        if let (Some(to), Some(from)) = (self.data.get_mut(..length), kept.get(..length)) {
            to.copy_from_slice(from);
        }
        let left = kept.get(length..).unwrap_or_default();
        if left.is_empty() {
            rx.state = State::Idle;
            // What was kept does not wait for more.
            self.may_wait &= kept.is_empty();
            match self.read(None, length, room) {
                Ok(got) => length += got,
                // What was kept is delivered first.
                Err(error) if length == 0 => return Err(error),
                Err(_) => {}
            }
        } else {
            let mut bytes = [0; MAX_HEADER];
            bytes[..left.len()].copy_from_slice(left);
            rx.state = State::Noise {
                bytes,
                length: left.len(),
            };
        }
        self.taken = true;
        Ok(deliver::not_a_frame(self.data, length, libc::EPROTO))
    }

    /// Takes what has come of an HTTP request, up to its blank line.
    pub(super) fn more_request(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        let State::Request { bytes, whole } = &mut rx.state else {
            return self.advance(rx);
        };
        let mut piece = [0; 4096];
        while !*whole {
            let seen = self.peek(&mut piece)?;
            let known = bytes.len();
            let end = known + seen;
            append(bytes, piece.get(..seen).unwrap_or_default())?;
            let found = head::end(bytes, known);
            bytes.truncate(known);
            let take = found.unwrap_or(end) - known;
            let got = self.read(Some(&mut piece), 0, take)?;
            append(bytes, piece.get(..got).unwrap_or_default())?;
            *whole = found == Some(bytes.len());
            if !*whole && bytes.len() > MAX_REQUEST {
                rx.state = State::Broken;
                return Ok(deliver::too_large());
            }
        }
        let length = bytes.len();
        // One byte more than the request, for the NUL behind it.
        let Some((room, [_, ..])) = self.data.split_at_mut_checked(length) else {
            return Ok(if self.manner.messages {
                part(self.data, bytes)
            } else {
                deliver::too_large()
            });
        };
        room.copy_from_slice(bytes);
        rx.state = State::Idle;
        self.taken = true;
        Ok(deliver::not_a_frame(self.data, length, libc::EAGAIN))
    }
}
