//! The problems of a `webSocket_frame`, and what each means.

use std::ffi::c_char;

use super::boundary::guard;
use crate::proto::parser::Problem;

/// A reserved bit that no extension uses (RFC 6455 5.2).
pub const WEBSOCKET_PROBLEM_RESERVED_BITS: u32 = 0x1;
/// A reserved opcode (RFC 6455 5.2).
pub const WEBSOCKET_PROBLEM_OPCODE: u32 = 0x2;
/// A control frame without FIN (RFC 6455 5.5).
pub const WEBSOCKET_PROBLEM_FRAGMENTED_CONTROL: u32 = 0x4;
/// A control frame of more than 125 bytes (RFC 6455 5.5).
pub const WEBSOCKET_PROBLEM_LONG_CONTROL: u32 = 0x8;
/// A length that is not in its shortest form (RFC 6455 5.2).
pub const WEBSOCKET_PROBLEM_LENGTH_FORM: u32 = 0x10;
/// A length with its top bit set (RFC 6455 5.2): no frame behind it can be
/// found.
pub const WEBSOCKET_PROBLEM_LENGTH_TOP_BIT: u32 = 0x20;
/// A frame of a client that is not masked (RFC 6455 5.1).
pub const WEBSOCKET_PROBLEM_UNMASKED: u32 = 0x40;
/// A frame of a server that is masked (RFC 6455 5.1).
pub const WEBSOCKET_PROBLEM_MASKED: u32 = 0x80;
/// A continuation outside a message (RFC 6455 5.4).
pub const WEBSOCKET_PROBLEM_NO_MESSAGE: u32 = 0x100;
/// A message that begins before the last one has ended (RFC 6455 5.4).
pub const WEBSOCKET_PROBLEM_INSIDE_MESSAGE: u32 = 0x200;
/// Text that is not UTF-8 (RFC 6455 8.1); of a message's frames the one that
/// has the bad byte. Compressed text is not looked at.
pub const WEBSOCKET_PROBLEM_TEXT_UTF8: u32 = 0x400;
/// A close frame with one byte of body (RFC 6455 5.5.1).
pub const WEBSOCKET_PROBLEM_CLOSE_BODY: u32 = 0x800;
/// A close code that must not be sent (RFC 6455 7.4).
pub const WEBSOCKET_PROBLEM_CLOSE_CODE: u32 = 0x1000;
/// A close reason that is not UTF-8 (RFC 6455 5.5.1).
pub const WEBSOCKET_PROBLEM_CLOSE_REASON: u32 = 0x2000;
/// Data behind a close frame (RFC 6455 5.5.1).
pub const WEBSOCKET_PROBLEM_AFTER_CLOSE: u32 = 0x4000;
/// The stream ends inside the header (RFC 6455 7.1.5).
pub const WEBSOCKET_PROBLEM_HEADER_CUT: u32 = 0x8000;
/// The stream ends inside the payload (RFC 6455 7.1.5).
pub const WEBSOCKET_PROBLEM_PAYLOAD_CUT: u32 = 0x10000;

/// Holds the numbers above to those of the parser, whose sets are passed on as
/// they are. A new problem without a number here does not compile.
macro_rules! same {
    ($($problem:ident = $bit:ident,)*) => {
        const _: () = {
            $(assert!(Problem::$problem.bit() == $bit);)*
            assert!(Problem::ALL.len() == [$($bit),*].len());
            const fn all_problems(problem: Problem) {
                match problem { $(Problem::$problem => {})* }
            }
            let _ = all_problems;
        };
    };
}

same! {
    ReservedBits = WEBSOCKET_PROBLEM_RESERVED_BITS,
    Opcode = WEBSOCKET_PROBLEM_OPCODE,
    FragmentedControl = WEBSOCKET_PROBLEM_FRAGMENTED_CONTROL,
    LongControl = WEBSOCKET_PROBLEM_LONG_CONTROL,
    LengthForm = WEBSOCKET_PROBLEM_LENGTH_FORM,
    LengthTopBit = WEBSOCKET_PROBLEM_LENGTH_TOP_BIT,
    Unmasked = WEBSOCKET_PROBLEM_UNMASKED,
    Masked = WEBSOCKET_PROBLEM_MASKED,
    NoMessage = WEBSOCKET_PROBLEM_NO_MESSAGE,
    InsideMessage = WEBSOCKET_PROBLEM_INSIDE_MESSAGE,
    TextUtf8 = WEBSOCKET_PROBLEM_TEXT_UTF8,
    CloseBody = WEBSOCKET_PROBLEM_CLOSE_BODY,
    CloseCode = WEBSOCKET_PROBLEM_CLOSE_CODE,
    CloseReason = WEBSOCKET_PROBLEM_CLOSE_REASON,
    AfterClose = WEBSOCKET_PROBLEM_AFTER_CLOSE,
    HeaderCut = WEBSOCKET_PROBLEM_HEADER_CUT,
    PayloadCut = WEBSOCKET_PROBLEM_PAYLOAD_CUT,
}

/// A sentence that says what a problem is, with the section of the RFC, in
/// English.
///
/// `problem`: one bit of a frame's `problems`; of several, the lowest is told:
///
/// ```c
/// uint32_t left;
/// for (left = frame.problems; left != 0; left &= left - 1)
///     puts(webSocket_problem_text(left));
/// ```
///
/// Returns a static string, never NULL; `"no problem"` for 0, `"unknown
/// problem"` for bits that are none. Any thread; callbacks may call it.
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_problem_text(problem: u32) -> *const c_char {
    guard(c"unknown problem".as_ptr(), || {
        if problem == 0 {
            return c"no problem".as_ptr();
        }
        let lowest = 1 << problem.trailing_zeros();
        let known = Problem::ALL.iter().find(|known| known.bit() == lowest);
        known
            .map_or(c"unknown problem", |known| known.text())
            .as_ptr()
    })
}
