//! The grammar of a head, byte by byte (RFC 9112 2.1, 3, 4, 5).
//!
//! Every byte is judged when it arrives, so that what is not HTTP is refused
//! at once and not when a deadline ends the wait for a blank line.

use super::fields::{is_tchar, is_text, is_visible};
use crate::proto::error::Error;

/// What follows the target of a request line; `0` stands for any digit.
const REQUEST_VERSION: &[u8] = b"HTTP/0.0";
/// A status line up to its reason phrase; `0` stands for any digit.
const STATUS_LINE: &[u8] = b"HTTP/0.0 000";
/// The empty lines skipped before a request line (RFC 9112 2.2).
const MAX_EMPTY_LINES: u8 = 2;

/// What the next byte belongs to. The states that end in `Feed` have seen a
/// carriage return and take nothing but the line feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    StartFeed,
    Method,
    TargetStart,
    Target,
    /// So many bytes of the pattern have matched.
    Pattern(u8),
    Reason,
    LineFeed,
    LineStart,
    Name,
    Value,
    EndFeed,
    Done,
}

/// A head read so far.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    pattern: &'static [u8],
    empty_lines: u8,
    lines: usize,
}

impl Scanner {
    pub(super) fn request() -> Scanner {
        Scanner {
            state: State::Start,
            pattern: REQUEST_VERSION,
            empty_lines: 0,
            lines: 0,
        }
    }

    /// RFC 9112 2.2 excuses empty lines before a request line only.
    pub(super) fn answer() -> Scanner {
        Scanner {
            state: State::Pattern(0),
            pattern: STATUS_LINE,
            empty_lines: 0,
            lines: 0,
        }
    }

    /// Whether the blank line has been read.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The header lines begun so far.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// How many bytes come next that [`Scanner::step`] would take without a
    /// change: most of a head is within names and values.
    #[inline]
    pub(super) fn more_of_this(&self, data: &[u8]) -> usize {
        let end = match self.state {
            State::Name => data.iter().position(|&byte| !is_tchar(byte)),
            State::Target => data.iter().position(|&byte| !is_visible(byte)),
            State::Value => data.iter().position(|&byte| !is_text(byte)),
            _ => Some(0),
        };
        end.unwrap_or(data.len())
    }

    /// Judges one byte; after [`Scanner::is_done`] no byte fits.
    pub(super) fn step(&mut self, byte: u8) -> Result<(), Error> {
        let (visible, text) = (is_visible(byte), is_text(byte));
        self.state = match (self.state, byte) {
            (State::Start, b'\r') if self.empty_lines < MAX_EMPTY_LINES => {
                self.empty_lines += 1;
                State::StartFeed
            }
            (State::StartFeed, b'\n') => State::Start,
            (State::Start | State::Method, _) if is_tchar(byte) => State::Method,
            (State::Method, b' ') => State::TargetStart,
            (State::TargetStart | State::Target, _) if visible => State::Target,
            (State::Target, b' ') => State::Pattern(0),
            (State::Pattern(matched), _) => self.match_pattern(matched, byte)?,
            (State::Reason, _) if text => State::Reason,
            (State::Reason | State::Value, b'\r') => State::LineFeed,
            (State::LineFeed, b'\n') => State::LineStart,
            (State::LineStart, b'\r') => State::EndFeed,
            (State::LineStart, _) if is_tchar(byte) => {
                self.lines = self.lines.saturating_add(1);
                State::Name
            }
            (State::Name, _) if is_tchar(byte) => State::Name,
            (State::Name, b':') => State::Value,
            (State::Value, _) if text => State::Value,
            (State::EndFeed, b'\n') => State::Done,
            _ => return Err(Error::HttpSyntax),
        };
        Ok(())
    }

    fn match_pattern(&self, matched: u8, byte: u8) -> Result<State, Error> {
        match (self.pattern.get(usize::from(matched)), byte) {
            (Some(b'0'), b'0'..=b'9') => Ok(State::Pattern(matched + 1)),
            (Some(wanted), _) if *wanted != b'0' && *wanted == byte => {
                Ok(State::Pattern(matched + 1))
            }
            (None, b'\r') => Ok(State::LineFeed),
            (None, b' ') if self.pattern == STATUS_LINE => Ok(State::Reason),
            _ => Err(Error::HttpSyntax),
        }
    }
}

/// Checks that `head` is one whole head and nothing more; the number of its
/// header lines.
pub(super) fn whole(mut scanner: Scanner, head: &[u8]) -> Result<usize, Error> {
    let mut rest = head;
    while let [byte, behind @ ..] = rest {
        scanner.step(*byte)?;
        rest = behind
            .get(scanner.more_of_this(behind)..)
            .unwrap_or_default();
    }
    if scanner.is_done() {
        Ok(scanner.lines())
    } else {
        Err(Error::HttpSyntax)
    }
}
