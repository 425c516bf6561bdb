//! Frames told, not judged away: what each one is, what is wrong with it, and
//! on to the next as long as its length says where that begins.
//!
//! For tools and tests. The codec is the connection's; unlike it this goes on
//! behind a broken rule, and tells all that a frame breaks. Nothing is kept of
//! a payload: the pieces are lent from the input, unmasked in place.

mod head;
mod problem;

pub use head::Head;
pub use problem::{Problem, Problems};

use super::close;
use super::conn::Role;
use super::error::Error;
use super::frame::{MAX_CONTROL, Opcode};
use super::incoming::{Cut, Frame, Input};
use super::utf8::Validator;

/// What the frames are held to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whose frames they are; unknown: masked or not, both are right.
    pub sender: Option<Role>,
    /// permessage-deflate was agreed on: RSV1 may be set on the first frame of
    /// a message (RFC 7692 6).
    pub compression: bool,
}

/// A piece of a frame. Each frame has one that is its first and one that is its
/// last, which may be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'d> {
    /// Where the frame begins in the stream.
    pub offset: u64,
    /// The frame's header.
    pub head: Head,
    /// Payload, unmasked. Only a first piece, or the last of a frame that was
    /// cut off, is without.
    pub data: &'d [u8],
    /// Where `data` begins in the payload.
    pub at: u64,
    /// Payload bytes behind this piece; of a last piece, those that will not
    /// come.
    pub remaining: u64,
    /// The first piece of its frame.
    pub first: bool,
    /// The last piece of its frame.
    pub last: bool,
    /// What is wrong with the frame, as far as can be told yet.
    pub problems: Problems,
    /// The code of a close frame, once it has arrived.
    pub close_code: Option<u16>,
}

/// The content of the message in progress.
#[derive(Debug)]
enum Content {
    Text(Validator),
    /// Binary; text that was found to be none; or what an extension has made of
    /// it, since a reserved bit is set.
    Unchecked,
}

/// The body of a close frame, read as it comes.
#[derive(Debug, Default)]
struct CloseBody {
    code: u16,
    code_bytes: u8,
    reason: Validator,
}

/// A frame whose payload is being read.
#[derive(Debug)]
struct Reading {
    frame: Frame,
    offset: u64,
    problems: Problems,
    close: CloseBody,
}

/// Reads a stream of frames, in any cut.
#[derive(Debug, Default)]
pub struct Parser {
    rules: Rules,
    /// Bytes of the stream that were read.
    read: u64,
    cut: Cut,
    frame: Option<Reading>,
    /// The message that data frames make up. A continuation outside a message
    /// begins none; a message inside another takes its place.
    message: Option<Content>,
    /// A close frame has been seen.
    closed: bool,
    eof: bool,
    /// A length told that no further frame can be found.
    lost: bool,
}

impl Parser {
    /// At the start of a stream of frames.
    #[must_use]
    pub fn new(rules: Rules) -> Parser {
        Parser {
            rules,
            ..Parser::default()
        }
    }

    /// The stream ends behind what is fed until now.
    pub fn feed_eof(&mut self) {
        self.eof = true;
    }

    /// Whether more may be fed: [`Error::Length`] behind a frame whose end
    /// cannot be told, [`Error::State`] behind the end of the stream.
    pub fn may_feed(&self) -> Result<(), Error> {
        if self.lost {
            return Err(Error::Length);
        }
        if self.eof { Err(Error::State) } else { Ok(()) }
    }

    /// The next piece. [`Error::Again`]: more must be fed; [`Error::Closed`]:
    /// the stream has ended and all is told; [`Error::Length`]: no further frame
    /// can be found.
    pub fn next<'d>(&mut self, input: &'d mut Input<'_>) -> Result<Piece<'d>, Error> {
        if self.lost {
            input.discard();
            return Err(Error::Length);
        }
        let (mut reading, first) = match self.frame.take() {
            Some(reading) => (reading, false),
            None => match self.begin(input)? {
                Some(reading) => (reading, true),
                None => return self.end_in_header(),
            },
        };
        if input.rest().is_empty() && !first {
            if !self.eof {
                self.frame = Some(reading);
                return Err(Error::Again);
            }
            reading.problems.note(Problem::PayloadCut, true);
            let end = reading.frame.done;
            return Ok(reading.piece(&[], end, false, true));
        }
        if reading.problems.has(Problem::LengthTopBit) {
            self.lost = true;
            input.discard();
            return Ok(reading.piece(&[], 0, true, true));
        }
        let at = reading.frame.done;
        let span = reading.frame.take(input);
        self.read += (span.1 - span.0) as u64;
        let last = reading.frame.remaining() == 0;
        self.check(&mut reading, input.bytes(span), last);
        let piece = reading.piece(input.bytes(span), at, first, last);
        if !last {
            self.frame = Some(reading);
        }
        Ok(piece)
    }

    /// Reads a header; `None` where it is not whole.
    fn begin(&mut self, input: &mut Input<'_>) -> Result<Option<Reading>, Error> {
        let before = input.consumed();
        // A reserved opcode has no name here: such a frame is told by its first byte.
        let name = |first| Opcode::from_bits(first).unwrap_or(Opcode::Binary);
        let frame = self.cut.read(input, |first, _| Ok(name(first)))?;
        self.read += (input.consumed() - before) as u64;
        let Some(frame) = frame else {
            return Ok(None);
        };
        let problems = self.judge(&frame.header.into());
        let first = frame.header.first;
        let opcode = Opcode::from_bits(first);
        match opcode {
            Some(Opcode::Text) => self.message = Some(Content::Text(Validator::default())),
            Some(Opcode::Binary) => self.message = Some(Content::Unchecked),
            Some(Opcode::Close) => self.closed = true,
            _ => {}
        }
        let is_data = opcode.is_some_and(|opcode| !opcode.is_control());
        if is_data && first & 0x70 != 0 && self.message.is_some() {
            self.message = Some(Content::Unchecked);
        }
        Ok(Some(Reading {
            frame,
            offset: self.read - u64::from(frame.header.size),
            problems,
            close: CloseBody::default(),
        }))
    }

    /// Nothing of a header is left to read, or it is not whole.
    fn end_in_header<'d>(&mut self) -> Result<Piece<'d>, Error> {
        if !self.eof {
            return Err(Error::Again);
        }
        let head = Head::of_cut(self.cut.pending()).ok_or(Error::Closed)?;
        self.cut = Cut::default();
        let mut problems = self.judge(&head);
        problems.note(Problem::HeaderCut, true);
        Ok(Piece {
            offset: self.read - u64::from(head.arrived()),
            head,
            data: &[],
            at: 0,
            remaining: head.length().unwrap_or(0),
            first: true,
            last: true,
            problems,
            close_code: None,
        })
    }

    /// What the header shows, as far as it has arrived.
    fn judge(&self, head: &Head) -> Problems {
        let mut problems = Problems::default();
        let first = head.first();
        let opcode = Opcode::from_bits(first);
        // The reserved ones of the upper half are control frames too (RFC 6455 5.5).
        let control = first & 0x08 != 0;
        let begins = matches!(opcode, Some(Opcode::Text | Opcode::Binary));
        let allowed = if self.rules.compression && begins {
            0x40
        } else {
            0
        };
        problems.note(Problem::ReservedBits, first & 0x70 & !allowed != 0);
        problems.note(Problem::Opcode, opcode.is_none());
        problems.note(Problem::FragmentedControl, control && first & 0x80 == 0);
        let continues = opcode == Some(Opcode::Continuation);
        problems.note(Problem::NoMessage, continues && self.message.is_none());
        problems.note(Problem::InsideMessage, begins && self.message.is_some());
        problems.note(Problem::AfterClose, !control && self.closed);
        if let Some(masked) = head.masked() {
            let sender = self.rules.sender;
            problems.note(Problem::Unmasked, sender == Some(Role::Client) && !masked);
            problems.note(Problem::Masked, sender == Some(Role::Server) && masked);
        }
        if let Some(length) = head.length() {
            problems.note(Problem::LongControl, control && length > MAX_CONTROL as u64);
            problems.note(Problem::LengthForm, !head.minimal());
            problems.note(Problem::LengthTopBit, length >> 63 != 0);
            let close = opcode == Some(Opcode::Close);
            problems.note(Problem::CloseBody, close && length == 1);
        }
        problems
    }

    /// What the payload shows. `ends` with the frame's last byte.
    fn check(&mut self, reading: &mut Reading, data: &[u8], ends: bool) {
        let header = &reading.frame.header;
        match Opcode::from_bits(header.first) {
            Some(Opcode::Close) => reading.close.check(&mut reading.problems, data, ends),
            Some(Opcode::Text | Opcode::Binary | Opcode::Continuation) => {
                let ends = ends && header.fin();
                if let Some(Content::Text(utf8)) = &mut self.message {
                    if utf8.feed(data).is_err() || (ends && utf8.finish().is_err()) {
                        reading.problems.note(Problem::TextUtf8, true);
                        // Told once, for the frame that has the bad byte.
                        self.message = Some(Content::Unchecked);
                    }
                }
                if ends {
                    self.message = None;
                }
            }
            _ => {}
        }
    }
}

impl CloseBody {
    fn check(&mut self, problems: &mut Problems, data: &[u8], ends: bool) {
        let mut reason = data;
        while self.code_bytes < 2 {
            let Some((&byte, rest)) = reason.split_first() else {
                return;
            };
            self.code = self.code << 8 | u16::from(byte);
            self.code_bytes += 1;
            reason = rest;
            let whole = self.code_bytes == 2;
            problems.note(Problem::CloseCode, whole && !close::may_be_sent(self.code));
        }
        let wrong = self.reason.feed(reason).is_err() || (ends && self.reason.finish().is_err());
        problems.note(Problem::CloseReason, wrong);
    }
}

impl Reading {
    fn piece<'d>(&self, data: &'d [u8], at: u64, first: bool, last: bool) -> Piece<'d> {
        Piece {
            offset: self.offset,
            head: self.frame.header.into(),
            data,
            at,
            remaining: self.frame.remaining(),
            first,
            last,
            problems: self.problems,
            close_code: (self.close.code_bytes == 2).then_some(self.close.code),
        }
    }
}
