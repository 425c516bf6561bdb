//! A frame's header as far as it has arrived.

use crate::proto::frame::{self, Decoded, Header, MAX_HEADER};

/// A header that may end early, because the stream does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What has not arrived is zero in it.
    header: Header,
    arrived: u8,
}

impl From<Header> for Head {
    fn from(header: Header) -> Head {
        Head {
            header,
            arrived: header.size,
        }
    }
}

impl Head {
    /// Reads what there is of a header that was cut off; `None` for nothing.
    pub(super) fn of_cut(bytes: &[u8]) -> Option<Head> {
        let mut padded = [0; MAX_HEADER];
        for (to, from) in padded.iter_mut().zip(bytes) {
            *to = *from;
        }
        match frame::decode(&padded) {
            Decoded::Header(header) if !bytes.is_empty() => Some(Head {
                header,
                arrived: bytes.len().min(MAX_HEADER) as u8,
            }),
            _ => None,
        }
    }

    /// FIN, RSV1-3 and the opcode.
    #[must_use]
    pub fn first(&self) -> u8 {
        self.header.first
    }

    /// How many bytes of it have arrived.
    #[must_use]
    pub fn arrived(&self) -> u8 {
        self.arrived
    }

    /// Whether the length is in its shortest form; also where it is not known.
    #[must_use]
    pub fn minimal(&self) -> bool {
        self.length().is_none() || self.header.minimal
    }

    /// Whether it is masked, once the second byte has arrived.
    #[must_use]
    pub fn masked(&self) -> Option<bool> {
        (self.arrived >= 2).then_some(self.header.mask.is_some())
    }

    /// The mask key of a masked frame.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 4]> {
        self.header
            .mask
            .filter(|_| self.arrived == self.header.size)
    }

    /// The form of the length, in bits: 7, 16 or 64, once the second byte has
    /// arrived.
    #[must_use]
    pub fn length_bits(&self) -> Option<u8> {
        (self.arrived >= 2).then(|| match self.size_unmasked() {
            2 => 7,
            4 => 16,
            _ => 64,
        })
    }

    /// The payload's length in bytes.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        (self.arrived >= self.size_unmasked()).then_some(self.header.length)
    }

    /// The header's bytes in front of the mask key.
    fn size_unmasked(&self) -> u8 {
        self.header.size - if self.header.mask.is_some() { 4 } else { 0 }
    }
}
