//! The types of frames, as either generation numbers them.

use crate::proto::frame::Opcode;

/// The type of a frame, or of what a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or the end of the connection.
    Null,
    /// Not a frame, a frame that does not fit, a violation.
    Error,
    /// A continuation that is not the last (0x00).
    Middle,
    /// The last continuation (0x80).
    Last,
    /// A whole text message (0x81).
    Text,
    /// The first frame of a fragmented text message (0x01).
    TextStart,
    /// A whole binary message (0x82).
    Binary,
    /// The first frame of a fragmented binary message (0x02).
    BinaryStart,
    /// A close frame (0x88).
    Close,
    /// A ping (0x89).
    Ping,
    /// A pong (0x8A).
    Pong,
}

impl Kind {
    /// What a frame with this first byte is; the RSV bits do not count.
    #[must_use]
    pub fn of_frame(first: u8) -> Option<Kind> {
        let fin = first & 0x80 != 0;
        Some(match (Opcode::from_bits(first)?, fin) {
            (Opcode::Continuation, false) => Kind::Middle,
            (Opcode::Continuation, true) => Kind::Last,
            (Opcode::Text, false) => Kind::TextStart,
            (Opcode::Text, true) => Kind::Text,
            (Opcode::Binary, false) => Kind::BinaryStart,
            (Opcode::Binary, true) => Kind::Binary,
            (Opcode::Close, _) => Kind::Close,
            (Opcode::Ping, _) => Kind::Ping,
            (Opcode::Pong, _) => Kind::Pong,
        })
    }

    /// The first byte of a frame of this type; `None` for what is no frame.
    #[must_use]
    pub fn first_byte(self) -> Option<u8> {
        Some(match self {
            Kind::Null | Kind::Error => return None,
            Kind::Middle => 0x00,
            Kind::Last => 0x80,
            Kind::Text => 0x81,
            Kind::TextStart => 0x01,
            Kind::Binary => 0x82,
            Kind::BinaryStart => 0x02,
            Kind::Close => 0x88,
            Kind::Ping => 0x89,
            Kind::Pong => 0x8A,
        })
    }

    /// Close, ping or pong.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Kind::Close | Kind::Ping | Kind::Pong)
    }

    /// The `WebsocketData_Type` of generation 1.
    #[must_use]
    pub fn to_generation1(self) -> i32 {
        match self {
            Kind::Null => 0,
            Kind::Error => -1,
            Kind::Pong => -15,
            Kind::Ping => -16,
            Kind::Close => -17,
            Kind::Binary => -18,
            Kind::Text => -19,
            Kind::Middle => -20,
            Kind::Last => 99,
            Kind::BinaryStart => 100,
            Kind::TextStart => 101,
        }
    }

    /// The frame that a `WebsocketData_Type` of generation 1 asks for.
    #[must_use]
    pub fn from_generation1(number: i32) -> Option<Kind> {
        Some(match number {
            -15 => Kind::Pong,
            -16 => Kind::Ping,
            -17 => Kind::Close,
            -18 => Kind::Binary,
            -19 => Kind::Text,
            -20 => Kind::Middle,
            99 => Kind::Last,
            100 => Kind::BinaryStart,
            101 => Kind::TextStart,
            _ => return None,
        })
    }

    /// The `Ws_DataType` of generation 2.
    #[must_use]
    pub fn to_generation2(self) -> i32 {
        match self {
            Kind::Null | Kind::Error => 0,
            Kind::Middle | Kind::Last => 1,
            Kind::Text | Kind::TextStart => 2,
            Kind::Binary | Kind::BinaryStart => 3,
            Kind::Close => 4,
            Kind::Ping => 5,
            Kind::Pong => 6,
        }
    }

    /// What a `Ws_DataType` of generation 2 asks for; `Kind::Null` is the bytes
    /// as they are.
    #[must_use]
    pub fn from_generation2(number: i32) -> Option<Kind> {
        Some(match number {
            0 => Kind::Null,
            1 => Kind::Last,
            2 => Kind::Text,
            3 => Kind::Binary,
            4 => Kind::Close,
            5 => Kind::Ping,
            6 => Kind::Pong,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_first_bytes_agree_both_ways() {
        for (number, first) in [
            (-20, 0x00),
            (-19, 0x81),
            (-18, 0x82),
            (-17, 0x88),
            (-16, 0x89),
            (-15, 0x8A),
            (100, 0x02),
            (101, 0x01),
            (99, 0x80),
        ] {
            let kind = Kind::from_generation1(number).unwrap();
            assert_eq!(kind.to_generation1(), number);
            assert_eq!(kind.first_byte(), Some(first));
            assert_eq!(Kind::of_frame(first), Some(kind));
            assert_eq!(kind.is_control(), first & 0x08 != 0);
        }
        for number in [-1, 0, 1, 2, 98, 102, -14, -21, i32::MIN, i32::MAX] {
            assert_eq!(Kind::from_generation1(number), None);
        }
    }

    #[test]
    fn the_numbers_of_generation_2() {
        for number in 0..7 {
            let kind = Kind::from_generation2(number).unwrap();
            assert_eq!(kind.to_generation2(), number);
        }
        for number in [-20, -1, 7, 99, 100, i32::MIN, i32::MAX] {
            assert_eq!(Kind::from_generation2(number), None);
        }
    }
}
