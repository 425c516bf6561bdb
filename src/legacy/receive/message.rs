//! Whole messages out of frames: what generation 2 receives.
//!
//! It judges the order of frames as little as generation 1 does. A message of
//! one frame may come between those of another (two threads of an old peer); a
//! continuation that continues nothing is told as what it is; and a message
//! whose end never came ends where the next one in several frames begins.

use std::os::fd::RawFd;

use super::{Call, Manner, PIECE, PIECES, Received, Rx, State, append, receive_so};
use crate::legacy::fd::Stop;
use crate::legacy::kind::Kind;
use crate::net::sys::Errno;

/// How many frames one call takes, so that a peer that sends them as fast as
/// we read cannot hold the caller.
const FRAMES: usize = 4096;

/// What has come of a message in several frames.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// Text or binary; `None` where no message is open.
    open: Option<Kind>,
    bytes: Vec<u8>,
    /// Its length in bytes so far, dropped ones included.
    length: u64,
    /// It is too large: its bytes are only counted.
    dropped: bool,
    /// Discarded by the program: its end is not told.
    muted: bool,
    /// The data frame that is half-received was discarded too.
    mute_next: bool,
}

impl Message {
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && !self.mute_next
    }

    /// Takes a data frame whose payload starts `data`, or which was dropped
    /// (`frame.result` below 0). Returns a message that is complete.
    fn join(&mut self, frame: Received, data: &mut [u8]) -> Option<Received> {
        let muted = std::mem::take(&mut self.mute_next);
        match frame.kind {
            Kind::TextStart | Kind::BinaryStart => {
                let kind = if frame.kind == Kind::TextStart {
                    Kind::Text
                } else {
                    Kind::Binary
                };
                let next = Message {
                    open: Some(kind),
                    muted,
                    ..Message::default()
                };
                let unfinished = std::mem::replace(self, next);
                self.add(frame, data);
                unfinished.finish(data)
            }
            Kind::Middle | Kind::Last if self.open.is_some() => {
                self.muted |= muted;
                self.add(frame, data);
                if frame.kind == Kind::Middle {
                    return None;
                }
                std::mem::take(self).finish(data)
            }
            _ if muted => None,
            _ => Some(frame),
        }
    }

    fn add(&mut self, frame: Received, data: &[u8]) {
        let length = u64::from(frame.result.unsigned_abs());
        self.length = self.length.saturating_add(length);
        let payload = usize::try_from(frame.result).ok();
        let payload = payload.and_then(|length| data.get(..length));
        // Without memory for it, it is as good as too large.
        self.dropped |= self.muted
            || self.length > data.len() as u64
            || payload.is_none_or(|payload| append(&mut self.bytes, payload).is_err());
        if self.dropped {
            self.bytes = Vec::new();
        }
    }

    /// Hands the message over; `None` where nobody is to hear of it.
    fn finish(self, data: &mut [u8]) -> Option<Received> {
        let kind = self.open.filter(|_| !self.muted)?;
        let length = i32::try_from(self.length).unwrap_or(i32::MAX);
        let room = data.get_mut(..self.bytes.len());
        let (Some(room), false) = (room, self.dropped) else {
            return Some(Received {
                result: -length,
                kind,
                errno: libc::EMSGSIZE,
            });
        };
        room.copy_from_slice(&self.bytes);
        Some(Received {
            result: length,
            kind,
            errno: libc::EAGAIN,
        })
    }
}

impl Rx {
    /// What is half-received of data is not told when it is complete.
    fn mute(&mut self) {
        let cut = match &self.state {
            State::Header { bytes, length } => bytes.first().filter(|_| *length > 0).copied(),
            State::Payload { header, .. } | State::Skip { header, .. } => Some(header.first),
            _ => None,
        };
        self.message.mute_next |= cut.is_some_and(|first| first & 0x08 == 0);
        if self.message.open.is_some() {
            self.message.muted = true;
            self.message.bytes = Vec::new();
        }
    }
}

impl Call<'_> {
    /// Takes frames until a message is complete, or there is something else to
    /// say.
    pub(super) fn message(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        let outcome = self.next_message(rx);
        let over = match &outcome {
            Ok(received) => {
                matches!(rx.state, State::Broken | State::Closed) && received.result >= 0
            }
            Err(Stop::Error(error)) => !error.is_passing(),
            Err(Stop::Stale) => false,
        };
        if over {
            rx.message = Message::default();
        } else if self.manner.discards && outcome.is_err() {
            rx.mute();
        }
        outcome
    }

    fn next_message(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        for _ in 0..FRAMES {
            let frame = self.advance(rx)?;
            if frame.kind == Kind::Error || frame.kind.is_control() {
                return Ok(frame);
            }
            if let Some(message) = rx.message.join(frame, self.data) {
                return Ok(message);
            }
            self.may_wait = false;
            // The rest belongs to the same socket, so this has to be kept with
            // its record before more is taken.
            self.moves = !self.socket.is_current()?;
            if self.moves {
                break;
            }
        }
        Err(Errno(libc::EAGAIN).into())
    }
}

/// Receives one message into `data`, with a NUL behind it where there is room.
/// The contract of `ws_recv`: the result of a control frame is 0, and whatever
/// ends the connection is `Kind::Close`.
pub fn receive_message(fd: RawFd, data: &mut [u8]) -> Received {
    let manner = Manner {
        typed: true,
        messages: true,
        discards: false,
        waits: true,
    };
    let received = receive_so(fd, data, manner);
    let length = usize::try_from(received.result).ok();
    let told = matches!(received.kind, Kind::Null | Kind::Error);
    if let Some(end) = length
        .and_then(|length| data.get_mut(length))
        .filter(|_| !told)
    {
        *end = 0;
    }
    simplified(received)
}

/// Without the errno, which programs of generation 2 do not read.
fn simplified(mut received: Received) -> Received {
    let ended = match received.kind {
        Kind::Null => !Errno(received.errno).is_passing(),
        Kind::Error => received.result == 0,
        _ => false,
    };
    if ended {
        received.kind = Kind::Close;
    }
    if received.kind.is_control() {
        received.result = 0;
    }
    received
}

/// Drops what is pending, without waiting. What is cut off is dropped as well
/// when its rest has come; control frames are answered. The result is 0, its
/// kind `Close` at the end of the connection.
pub fn discard(fd: RawFd) -> Received {
    let manner = Manner {
        typed: false,
        messages: true,
        discards: true,
        waits: false,
    };
    let mut scratch = [0; PIECE];
    let mut received = simplified(receive_so(fd, &mut scratch, manner));
    for _ in 0..PIECES {
        if matches!(received.kind, Kind::Null | Kind::Close) {
            break;
        }
        received = simplified(receive_so(fd, &mut scratch, manner));
    }
    received.result = 0;
    received
}
