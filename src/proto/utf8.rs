//! UTF-8 that comes in pieces (RFC 6455 8.1), refused at the first bad byte.
//!
//! `simdutf8` checks the runs; only a code point that is split between two
//! pieces is looked at byte by byte.

/// The bytes are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// Whether `text` is UTF-8 and ends with a whole code point.
#[inline]
#[must_use]
pub fn is_valid(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// How many bytes at the end begin a code point without ending it.
#[inline]
fn unfinished(text: &[u8]) -> usize {
    let last = text.iter().rev().take(3).enumerate();
    for (behind, byte) in last {
        let length = match byte {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            _ => return 0,
        };
        return if behind + 1 < length { behind + 1 } else { 0 };
    }
    0
}

/// A validator that remembers a code point cut off at the end of a piece.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validator {
    /// Continuation bytes that are still to come.
    missing: u8,
    /// The range that the next continuation byte must be in (RFC 3629 4: the
    /// second byte excludes overlong forms, surrogates and what is above
    /// U+10FFFF).
    low: u8,
    high: u8,
}

impl Validator {
    /// Takes the next piece; an error is final for the message.
    #[inline]
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Invalid> {
        let mut rest = piece;
        while self.missing > 0 {
            let Some((&byte, after)) = rest.split_first() else {
                return Ok(());
            };
            self.step(byte)?;
            rest = after;
        }
        // What a code point's start at the end still lacks may come next; all
        // before it must be valid as it is.
        let (whole, cut) = rest
            .split_at_checked(rest.len() - unfinished(rest))
            .ok_or(Invalid)?;
        if !is_valid(whole) {
            return Err(Invalid);
        }
        for &byte in cut {
            self.step(byte)?;
        }
        Ok(())
    }

    /// Ends the message: a code point must not be left open.
    #[inline]
    pub fn finish(&mut self) -> Result<(), Invalid> {
        let open = self.missing > 0;
        *self = Validator::default();
        if open { Err(Invalid) } else { Ok(()) }
    }

    /// One byte of a code point that may be split.
    fn step(&mut self, byte: u8) -> Result<(), Invalid> {
        if self.missing > 0 {
            if !(self.low..=self.high).contains(&byte) {
                return Err(Invalid);
            }
            self.missing -= 1;
            (self.low, self.high) = (0x80, 0xBF);
            return Ok(());
        }
        (self.missing, self.low, self.high) = match byte {
            0x00..=0x7F => (0, 0, 0),
            0xC2..=0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xED => (2, 0x80, 0x9F),
            0xE1..=0xEF => (2, 0x80, 0xBF),
            0xF0 => (3, 0x90, 0xBF),
            0xF1..=0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => return Err(Invalid),
        };
        Ok(())
    }
}
