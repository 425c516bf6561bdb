//! What a call says: result, type and errno of each outcome, and the answers
//! to control frames.

use std::sync::atomic::Ordering::Relaxed;

use super::{Call, Received, Rx, State};
use crate::legacy::fd::Stop;
use crate::legacy::kind::Kind;
use crate::legacy::transmit;
use crate::net::sys::Errno;
use crate::proto::close;
use crate::proto::frame::{Header, MAX_CONTROL};

/// What a caller wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The caller looks at the type.
    pub(super) typed: bool,
    /// Messages, not frames.
    pub(super) messages: bool,
    /// What is cut off is dropped as well.
    pub(super) discards: bool,
    /// A blocking fd waits for the first byte.
    pub(super) waits: bool,
}

/// Nothing, the end, an error of the kernel's.
pub(super) fn failed(error: Errno) -> Received {
    Received {
        result: 0,
        kind: Kind::Null,
        errno: error.0,
    }
}

pub(super) fn violated() -> Received {
    Received {
        result: 0,
        kind: Kind::Error,
        errno: libc::EPROTO,
    }
}

pub(super) fn too_large() -> Received {
    Received {
        result: 0,
        kind: Kind::Error,
        errno: libc::EMSGSIZE,
    }
}

/// A data frame that was larger than the caller's buffer, and is gone.
pub(super) fn dropped(header: Header) -> Received {
    Received {
        result: i32::try_from(header.length).map_or(i32::MIN, |length| -length),
        kind: Kind::of_frame(header.first).unwrap_or(Kind::Error),
        errno: libc::EMSGSIZE,
    }
}

/// A data frame, its payload in place.
pub(super) fn payload(header: Header, length: usize) -> Received {
    Received {
        result: i32::try_from(length).unwrap_or(i32::MAX),
        kind: Kind::of_frame(header.first).unwrap_or(Kind::Error),
        errno: libc::EAGAIN,
    }
}

/// The first `length` bytes of `data` are no frame; the rest is zeroed.
pub(super) fn not_a_frame(data: &mut [u8], length: usize, errno: i32) -> Received {
    data.get_mut(length..).unwrap_or_default().fill(0);
    Received {
        result: i32::try_from(length).map_or(i32::MIN, |length| -length),
        kind: Kind::Error,
        errno,
    }
}

impl Call<'_> {
    /// A control frame whose payload, unmasked, starts `payload`.
    pub(super) fn control(
        &mut self,
        rx: &mut Rx,
        header: Header,
        payload: &[u8; MAX_CONTROL],
        length: usize,
    ) -> Result<Received, Stop> {
        let payload = payload.get(..length).unwrap_or_default();
        // A peer that masks is the client, and gets its answer unmasked.
        let masked = self.socket.record.client || header.mask.is_none();
        let kind = Kind::of_frame(header.first).unwrap_or(Kind::Error);
        let copied = self.data.get_mut(..length).map(|room| {
            if self.manner.typed {
                room.copy_from_slice(payload);
            }
        });
        let mut received = Received {
            result: 0,
            kind,
            errno: libc::EAGAIN,
        };
        match kind {
            Kind::Close => {
                if !self.socket.record.close_sent.load(Relaxed) {
                    transmit::answer(self.socket, kind, close_answer(payload), masked);
                }
                // The payload that is there is given even where it is cut.
                for (to, from) in self.data.iter_mut().zip(payload) {
                    *to = *from;
                }
                rx.state = State::Closed;
                received.errno = libc::ECONNRESET;
                if self.manner.messages {
                    received.result = length.min(self.data.len()) as i32;
                }
            }
            Kind::Ping | Kind::Pong => {
                if kind == Kind::Ping {
                    transmit::answer(self.socket, Kind::Pong, payload, masked);
                }
                if self.manner.typed && copied.is_some() {
                    received.result = length as i32;
                }
            }
            _ => {}
        }
        Ok(received)
    }
}

/// The body that answers a close frame: the peer's own, or 1002 (protocol
/// error), 1007 (not UTF-8) where it may not stand in a close frame.
fn close_answer(payload: &[u8]) -> &[u8] {
    match close::parse(payload) {
        Ok(_) => payload,
        Err(crate::proto::Error::Utf8) => &[0x03, 0xEF],
        Err(_) => &[0x03, 0xEA],
    }
}
