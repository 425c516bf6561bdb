//! What can be wrong with a frame, each with the section that says so.

use core::ffi::CStr;

/// A rule that a frame breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A reserved bit that no extension uses.
    ReservedBits,
    /// A reserved opcode.
    Opcode,
    /// A control frame without FIN.
    FragmentedControl,
    /// A control frame of more than 125 bytes.
    LongControl,
    /// A length that is not in its shortest form.
    LengthForm,
    /// A length with its top bit set.
    LengthTopBit,
    /// A frame of a client that is not masked.
    Unmasked,
    /// A frame of a server that is masked.
    Masked,
    /// A continuation outside a message.
    NoMessage,
    /// A message that begins inside another.
    InsideMessage,
    /// Text that is not UTF-8.
    TextUtf8,
    /// A close frame with a body of one byte.
    CloseBody,
    /// A close code that may not be sent.
    CloseCode,
    /// A close reason that is not UTF-8.
    CloseReason,
    /// Data behind a close frame.
    AfterClose,
    /// The stream ends inside the header.
    HeaderCut,
    /// The stream ends inside the payload.
    PayloadCut,
}

impl Problem {
    /// Every problem, in the order of the bits.
    pub const ALL: [Problem; 17] = [
        Problem::ReservedBits,
        Problem::Opcode,
        Problem::FragmentedControl,
        Problem::LongControl,
        Problem::LengthForm,
        Problem::LengthTopBit,
        Problem::Unmasked,
        Problem::Masked,
        Problem::NoMessage,
        Problem::InsideMessage,
        Problem::TextUtf8,
        Problem::CloseBody,
        Problem::CloseCode,
        Problem::CloseReason,
        Problem::AfterClose,
        Problem::HeaderCut,
        Problem::PayloadCut,
    ];

    /// Its bit in a set.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// What is wrong and which section says so, for a person.
    #[must_use]
    pub const fn text(self) -> &'static CStr {
        match self {
            Problem::ReservedBits => {
                c"a reserved bit is set that no extension uses here (RFC 6455 5.2)"
            }
            Problem::Opcode => c"the opcode is reserved (RFC 6455 5.2)",
            Problem::FragmentedControl => {
                c"a control frame without FIN: it must not be fragmented (RFC 6455 5.5)"
            }
            Problem::LongControl => {
                c"a control frame with more than 125 bytes of payload (RFC 6455 5.5)"
            }
            Problem::LengthForm => c"the length is not in its shortest form (RFC 6455 5.2)",
            Problem::LengthTopBit => {
                c"the top bit of the 64-bit length is set: no frame behind it can be found (RFC 6455 5.2)"
            }
            Problem::Unmasked => c"not masked, as a client's frames must be (RFC 6455 5.1)",
            Problem::Masked => c"masked, as a server's frames must not be (RFC 6455 5.1)",
            Problem::NoMessage => c"a continuation with no message to continue (RFC 6455 5.4)",
            Problem::InsideMessage => {
                c"a new message before the last one has got its final frame (RFC 6455 5.4)"
            }
            Problem::TextUtf8 => c"the text is not UTF-8 (RFC 6455 8.1)",
            Problem::CloseBody => {
                c"the close frame has one byte of body, and a code has two (RFC 6455 5.5.1)"
            }
            Problem::CloseCode => c"the close code must not be sent (RFC 6455 7.4)",
            Problem::CloseReason => c"the close reason is not UTF-8 (RFC 6455 5.5.1)",
            Problem::AfterClose => c"data behind a close frame (RFC 6455 5.5.1)",
            Problem::HeaderCut => c"the stream ends inside the header (RFC 6455 7.1.5)",
            Problem::PayloadCut => c"the stream ends inside the payload (RFC 6455 7.1.5)",
        }
    }
}

/// The problems of one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Problems(u32);

impl Problems {
    /// Adds a problem where it is one.
    pub fn note(&mut self, problem: Problem, wrong: bool) {
        if wrong {
            self.0 |= problem.bit();
        }
    }

    /// Whether a problem is among them.
    #[must_use]
    pub fn has(self, problem: Problem) -> bool {
        self.0 & problem.bit() != 0
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// A bit for each.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}
