//! HTTP/1.1 heads (RFC 9112): bounded, resumable, parsed by `httparse`.
//!
//! A head passes two readers. The scanner judges each byte as it comes and
//! decides where the head ends; `httparse` takes the whole head apart. Both
//! have to agree, so what the one would let pass by leniency (bare line
//! feeds, folded lines, any number of empty lines) the other refuses.

mod fields;
pub mod loose;
mod scan;
#[cfg(test)]
mod tests;

use super::error::Error;
use scan::Scanner;

pub use fields::{
    Duplicate, Header, elements, has_token, is_sendable_header, is_token, same_text, trim, unique,
    values,
};

/// How large a head may grow.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole head.
    pub bytes: usize,
    /// Header lines.
    pub lines: usize,
}

/// Collects a head however it is cut; work is linear in its bytes.
///
/// What cannot become a head is refused at the byte that shows it: a control
/// character, a line feed without its carriage return, a folded line, a first
/// line that is no request line (or status line), a header line without a
/// name or a colon. Whether the version is 1.1 is for the parser to say.
#[derive(Debug)]
pub struct Collector {
    scanner: Scanner,
    limits: Limits,
    bytes: Vec<u8>,
    failed: Option<Error>,
    /// What is in a head is left for [`loose`].
    loose: bool,
}

impl Collector {
    /// An empty collector for a request. It skips two empty lines before the
    /// request line (RFC 9112 2.2); they count as bytes of the head.
    #[must_use]
    pub fn new(limits: Limits) -> Collector {
        Collector {
            scanner: Scanner::request(),
            limits,
            bytes: Vec::new(),
            failed: None,
            loose: false,
        }
    }

    /// An empty collector for an answer.
    #[must_use]
    pub fn for_answer(limits: Limits) -> Collector {
        Collector {
            scanner: Scanner::answer(),
            limits,
            bytes: Vec::new(),
            failed: None,
            loose: false,
        }
    }

    /// An empty collector for an old device's request: of what is in it only
    /// the method is judged, so that noise is refused at once.
    #[must_use]
    pub fn for_loose_request(limits: Limits) -> Collector {
        Collector {
            loose: true,
            ..Collector::new(limits)
        }
    }

    /// Takes bytes up to and including the blank line that ends the head, and
    /// none behind it. Returns how many it took and whether the head is whole.
    ///
    /// A failure is final. The bytes before the one that failed are kept.
    pub fn take(&mut self, data: &[u8]) -> Result<(usize, bool), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.loose {
            let outcome = self.take_loosely(data);
            self.failed = outcome.err();
            return outcome;
        }
        let (taken, outcome) = self.scan(data);
        let outcome = outcome.and(self.keep(data.get(..taken).unwrap_or_default()));
        self.failed = outcome.err();
        outcome.map(|()| (taken, self.scanner.is_done()))
    }

    /// How many bytes belong to the head, and what stopped the count.
    fn scan(&mut self, data: &[u8]) -> (usize, Result<(), Error>) {
        // A head that fills its limit without an end cannot end within it.
        let room = self.limits.bytes.saturating_sub(self.bytes.len()).max(1);
        let data = data.get(..room).unwrap_or(data);
        let mut taken = 0;
        while let Some(&byte) = data.get(taken) {
            if self.scanner.is_done() {
                return (taken, Ok(()));
            }
            if let Err(error) = self.scanner.step(byte) {
                return (taken, Err(error));
            }
            if self.scanner.lines() > self.limits.lines {
                return (taken, Err(Error::HttpTooBig));
            }
            taken += 1;
            taken += self
                .scanner
                .more_of_this(data.get(taken..).unwrap_or_default());
        }
        if taken == room && !self.scanner.is_done() {
            return (taken - 1, Err(Error::HttpTooBig));
        }
        (taken, Ok(()))
    }

    fn take_loosely(&mut self, data: &[u8]) -> Result<(usize, bool), Error> {
        let known = self.bytes.len();
        let room = self.limits.bytes.saturating_sub(known);
        let data = data.get(..room).unwrap_or(data);
        self.keep(data)?;
        let start = loose::start(&self.bytes);
        if start > loose::MAX_EMPTY {
            self.bytes.truncate(loose::MAX_EMPTY);
            return Err(Error::HttpSyntax);
        }
        let head = self.bytes.get(start..).unwrap_or_default();
        if let Err((agrees, error)) = loose::begins(head) {
            self.bytes.truncate(start + agrees);
            return Err(error);
        }
        match loose::end(head, known.saturating_sub(start)) {
            Some(end) => {
                self.bytes.truncate(start + end);
                Ok((self.bytes.len() - known, true))
            }
            None if self.bytes.len() >= self.limits.bytes => Err(Error::HttpTooBig),
            None => Ok((data.len(), false)),
        }
    }

    fn keep(&mut self, data: &[u8]) -> Result<(), Error> {
        self.bytes
            .try_reserve(data.len())
            .map_err(|_| Error::Memory)?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// What has been taken so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many header lines have begun.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.scanner.lines()
    }

    /// The head's bytes, the collector's memory with them.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A request's head.
#[derive(Debug)]
pub struct RequestHead<'h> {
    /// The method as sent.
    pub method: &'h str,
    /// The request target as sent: visible ASCII, not empty.
    pub target: &'h str,
    /// Of the version 1.0 or 1.1: the digit behind the point.
    pub minor: u8,
    /// The header lines in order.
    pub headers: Vec<Header<'h>>,
}

/// An answer's head.
#[derive(Debug)]
pub struct ResponseHead<'h> {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The header lines in order.
    pub headers: Vec<Header<'h>>,
}

/// Reads a whole request head of HTTP/1.1, and nothing behind it.
pub fn parse_request(head: &[u8]) -> Result<RequestHead<'_>, Error> {
    let head = parse_old_request(head)?;
    if head.minor == 1 {
        Ok(head)
    } else {
        Err(Error::HttpVersion)
    }
}

/// As [`parse_request`], of HTTP/1.1 or HTTP/1.0.
pub fn parse_old_request(head: &[u8]) -> Result<RequestHead<'_>, Error> {
    parse_collected(head, scan::whole(Scanner::request(), head)?)
}

/// As [`parse_old_request`], of what a [`Collector`] found to be a whole head
/// of so many lines, and need not be read through again.
pub(super) fn parse_collected(head: &[u8], lines: usize) -> Result<RequestHead<'_>, Error> {
    let mut lines = slots(lines)?;
    let mut request = httparse::Request::new(&mut lines);
    complete(request.parse(head), head)?;
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(Error::HttpVersion);
    };
    Ok(RequestHead {
        method,
        target,
        minor,
        headers: own(request.headers)?,
    })
}

/// Reads a whole answer head, and nothing behind it. The reason phrase may be
/// missing, and its space with it.
pub fn parse_response(head: &[u8]) -> Result<ResponseHead<'_>, Error> {
    let mut lines = slots(scan::whole(Scanner::answer(), head)?)?;
    let mut response = httparse::Response::new(&mut lines);
    complete(response.parse(head), head)?;
    let (Some(status), Some(1)) = (response.code, response.version) else {
        return Err(Error::HttpVersion);
    };
    if status < 100 {
        return Err(Error::HttpSyntax);
    }
    Ok(ResponseHead {
        status,
        headers: own(response.headers)?,
    })
}

/// The status of an answer whose version [`parse_response`] refused; 0 where
/// there is none.
#[must_use]
pub fn status_of_any_version(head: &[u8]) -> u16 {
    if scan::whole(Scanner::answer(), head).is_err() {
        return 0;
    }
    // The scanner has held the first line against "HTTP/0.0 000".
    let digits = head.get(9..12).unwrap_or_default();
    digits
        .iter()
        .fold(0, |status, digit| status * 10 + u16::from(digit & 0x0F))
}

/// Room for so many header lines, all of which have arrived.
fn slots<'h>(lines: usize) -> Result<Vec<httparse::Header<'h>>, Error> {
    let mut slots = Vec::new();
    slots.try_reserve_exact(lines).map_err(|_| Error::Memory)?;
    slots.resize(lines, httparse::EMPTY_HEADER);
    Ok(slots)
}

fn own<'h>(lines: &[httparse::Header<'h>]) -> Result<Vec<Header<'h>>, Error> {
    let mut headers = Vec::new();
    headers
        .try_reserve_exact(lines.len())
        .map_err(|_| Error::Memory)?;
    headers.extend(lines.iter().map(|line| Header {
        name: line.name,
        value: trim(line.value),
    }));
    Ok(headers)
}

fn complete(outcome: httparse::Result<usize>, head: &[u8]) -> Result<(), Error> {
    match outcome {
        Ok(httparse::Status::Complete(length)) if length == head.len() => Ok(()),
        // The scanner has seen digits: it is another version, not junk.
        Err(httparse::Error::Version) => Err(Error::HttpVersion),
        _ => Err(Error::HttpSyntax),
    }
}
