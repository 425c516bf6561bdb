//! The frame header codec (RFC 6455 5.2).
//!
//! Decoding and judging are apart: the strict connection and the tolerant
//! drop-in read headers with the same code and differ in what they accept.

use super::error::Error;

/// The longest header: two bytes, a 64-bit length, a mask key.
pub const MAX_HEADER: usize = 14;
/// In a header's first byte: the last frame of its message.
pub const FIN: u8 = 0x80;
/// The longest payload of a control frame (RFC 6455 5.5).
pub const MAX_CONTROL: usize = 125;

/// The opcodes that RFC 6455 defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation = 0x0,
    /// The first (or only) frame of a text message.
    Text = 0x1,
    /// The first (or only) frame of a binary message.
    Binary = 0x2,
    /// The closing handshake.
    Close = 0x8,
    /// A ping.
    Ping = 0x9,
    /// A pong.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode in the low four bits of a frame's first byte.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Opcode> {
        Some(match bits & 0x0F {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xA => Opcode::Pong,
            _ => return None,
        })
    }

    /// Close, ping or pong.
    #[must_use]
    pub fn is_control(self) -> bool {
        self as u8 & 0x08 != 0
    }
}

/// A frame header as it stands on the wire, not yet judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// FIN, RSV1-3 and the opcode.
    pub first: u8,
    /// The mask key of a masked frame.
    pub mask: Option<[u8; 4]>,
    /// The payload's length in bytes; may exceed what any address space holds.
    pub length: u64,
    /// The header's own length in bytes, 2 to 14.
    pub size: u8,
    /// Whether the length is in its shortest form.
    pub minimal: bool,
}

/// What the first bytes of a frame amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// The header needs this many bytes in all, as far as can be told yet.
    Need(usize),
    /// The whole header.
    Header(Header),
}

/// Reads a header from the start of `bytes`; never fails, never looks past it.
// Also where several places call it: a call costs a short message 5%.
#[inline(always)]
#[must_use]
pub fn decode(bytes: &[u8]) -> Decoded {
    let &[first, second, ref rest @ ..] = bytes else {
        return Decoded::Need(2);
    };
    let masked = second & 0x80 != 0;
    let mask_size = if masked { 4 } else { 0 };
    let (length, minimal, length_size) = match second & 0x7F {
        126 => {
            let Some(&length) = rest.first_chunk() else {
                return Decoded::Need(4 + mask_size);
            };
            let length = u16::from_be_bytes(length);
            (u64::from(length), length >= 126, 2)
        }
        127 => {
            let Some(&length) = rest.first_chunk() else {
                return Decoded::Need(10 + mask_size);
            };
            let length = u64::from_be_bytes(length);
            (length, length > 0xFFFF, 8)
        }
        short => (u64::from(short), true, 0),
    };
    let size = 2 + length_size + mask_size;
    let mask = if masked {
        let Some(&mask) = rest.get(length_size..).and_then(<[u8]>::first_chunk) else {
            return Decoded::Need(size);
        };
        Some(mask)
    } else {
        None
    };
    Decoded::Header(Header {
        first,
        mask,
        length,
        size: size as u8,
        minimal,
    })
}

/// The payload length that the first bytes of a frame announce, known before
/// the mask key has arrived.
#[must_use]
pub fn announced(bytes: &[u8]) -> Option<(u64, usize)> {
    let &[_, second, ref rest @ ..] = bytes else {
        return None;
    };
    let size = if second & 0x80 != 0 { 6 } else { 2 };
    match second & 0x7F {
        126 => {
            let length = rest.first_chunk::<2>()?;
            Some((u64::from(u16::from_be_bytes(*length)), size + 2))
        }
        127 => Some((u64::from_be_bytes(*rest.first_chunk::<8>()?), size + 8)),
        short => Some((u64::from(short), size)),
    }
}

/// What no endpoint may send, told from a frame's first two bytes, before
/// anything is allocated for it. `reserved` are the RSV bits (0x70) that a
/// negotiated extension allows on data frames.
#[inline]
pub fn judge(first: u8, second: u8, reserved: u8) -> Result<Opcode, Error> {
    let opcode = Opcode::from_bits(first).ok_or(Error::Opcode)?;
    let allowed = if opcode.is_control() { 0 } else { reserved };
    if first & 0x70 & !allowed != 0 {
        return Err(Error::ReservedBits);
    }
    if opcode.is_control() && (first & 0x80 == 0 || second & 0x7F > 125) {
        return Err(Error::ControlFrame);
    }
    Ok(opcode)
}

impl Header {
    /// Whether this is the last frame of its message.
    #[inline]
    #[must_use]
    pub fn fin(&self) -> bool {
        self.first & FIN != 0
    }

    /// The length rules that the strict connection holds a peer to
    /// (RFC 6455 5.2): shortest form, top bit clear.
    #[inline]
    pub fn judge_length(&self) -> Result<(), Error> {
        if self.minimal && self.is_possible() {
            Ok(())
        } else {
            Err(Error::Length)
        }
    }

    /// Whether the length has its top bit clear: none other can be told, or
    /// sent, by anyone.
    #[inline]
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.length < 1 << 63
    }
}

/// A header in its shortest form; the bytes and how many of them count.
#[inline]
#[must_use]
pub fn encode(first: u8, mask: Option<[u8; 4]>, length: u64) -> ([u8; MAX_HEADER], usize) {
    let mut bytes = [0; MAX_HEADER];
    let mask_bit = if mask.is_some() { 0x80 } else { 0 };
    bytes[0] = first;
    let mut size = if length < 126 {
        bytes[1] = mask_bit | length as u8;
        2
    } else if let Ok(length) = u16::try_from(length) {
        bytes[1] = mask_bit | 126;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        4
    } else {
        bytes[1] = mask_bit | 127;
        bytes[2..10].copy_from_slice(&length.to_be_bytes());
        10
    };
    if let Some(mask) = mask {
        bytes[size..size + 4].copy_from_slice(&mask);
        size += 4;
    }
    (bytes, size)
}
