//! Frames in memory, without a socket.

use super::kind::Kind;
use crate::net::sys;
use crate::proto::frame::{self, Decoded, MAX_CONTROL, MAX_HEADER};
use crate::proto::mask;

/// How a frame is to be laid out.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    header: [u8; MAX_HEADER],
    /// The header's length in bytes; the payload goes behind it.
    pub header_length: usize,
    key: Option<[u8; 4]>,
}

/// Lays out a frame for `room` bytes; `None` if it does not fit, if the kind
/// is no frame, a control payload is over 125 bytes, or there is no mask key.
#[must_use]
pub fn plan(length: usize, room: usize, masked: bool, kind: Kind) -> Option<Plan> {
    if kind.is_control() && length > MAX_CONTROL {
        return None;
    }
    let mut key = [0; 4];
    if masked && !sys::random(&mut key) {
        return None;
    }
    let key = masked.then_some(key);
    let (header, header_length) = frame::encode(kind.first_byte()?, key, length as u64);
    let total = length.checked_add(header_length)?;
    (total <= room && i32::try_from(total).is_ok()).then_some(Plan {
        header,
        header_length,
        key,
    })
}

impl Plan {
    /// Masks the payload in `frame` and puts the header before it.
    pub fn complete(&self, frame: &mut [u8]) {
        let Some((head, payload)) = frame.split_at_mut_checked(self.header_length) else {
            return;
        };
        if let Some(key) = self.key {
            mask::apply(payload, key, 0);
        }
        head.copy_from_slice(self.header.get(..head.len()).unwrap_or_default());
    }
}

/// What a frame's first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The frame's type.
    pub kind: Kind,
    /// The payload's length in bytes.
    pub length: u32,
    /// The header's length in bytes.
    pub header_length: u32,
    /// The whole frame is there; its mask key.
    pub whole: Option<Option<[u8; 4]>>,
}

/// Looks at a frame in memory; `None` if it is not one, or too short to say.
#[must_use]
pub fn look(data: &[u8]) -> Option<Found> {
    let &[first, second, ..] = data else {
        return None;
    };
    frame::judge(first, second, 0).ok()?;
    let (length, header_length) = frame::announced(data)?;
    // Programs add the two in an unsigned int.
    let total = u32::try_from(length.checked_add(header_length as u64)?).ok()?;
    let whole = match frame::decode(data) {
        Decoded::Header(header) if data.len() as u64 >= u64::from(total) => Some(header.mask),
        _ => None,
    };
    Some(Found {
        kind: Kind::of_frame(first)?,
        length: length as u32,
        header_length: header_length as u32,
        whole,
    })
}

/// Unmasks a payload in place.
pub fn unmask(payload: &mut [u8], key: Option<[u8; 4]>) {
    if let Some(key) = key {
        mask::apply(payload, key, 0);
    }
}
