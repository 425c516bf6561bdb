//! HTTP/1.1 heads (RFC 9112): bounded, resumable, parsed by `httparse`.

use super::error::Error;

/// How large a head may grow.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole head.
    pub bytes: usize,
    /// Header lines.
    pub lines: usize,
}

/// Collects a head however it is cut; work is linear in its bytes.
#[derive(Debug)]
pub struct Collector {}

impl Collector {
    /// An empty collector.
    #[must_use]
    pub fn new(_limits: Limits) -> Collector {
        todo!()
    }

    /// Takes bytes up to and including the blank line that ends the head, and
    /// none behind it. Returns how many it took and whether the head is whole.
    pub fn take(&mut self, _data: &[u8]) -> Result<(usize, bool), Error> {
        todo!()
    }

    /// What has been taken so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        todo!()
    }

    /// The head's bytes, the collector's memory with them.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        todo!()
    }
}

/// A header line.
#[derive(Debug, Clone, Copy)]
pub struct Header<'h> {
    /// The field name as sent.
    pub name: &'h str,
    /// The value, without white space around it.
    pub value: &'h [u8],
}

/// A request's head.
#[derive(Debug)]
pub struct RequestHead<'h> {
    /// The method as sent.
    pub method: &'h str,
    /// The request target as sent.
    pub target: &'h str,
    /// The header lines in order.
    pub headers: Vec<Header<'h>>,
}

/// An answer's head.
#[derive(Debug)]
pub struct ResponseHead<'h> {
    /// The status code.
    pub status: u16,
    /// The header lines in order.
    pub headers: Vec<Header<'h>>,
}

/// Reads a whole request head.
pub fn parse_request(_head: &[u8]) -> Result<RequestHead<'_>, Error> {
    todo!()
}

/// Reads a whole answer head.
pub fn parse_response(_head: &[u8]) -> Result<ResponseHead<'_>, Error> {
    todo!()
}
