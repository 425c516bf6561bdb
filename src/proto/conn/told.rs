//! What a connection tells of: events, its end, its failure.

use crate::proto::error::Error;
use crate::proto::message::Kind;

/// What happened. What it borrows lasts until the next call of
/// [`super::Connection::next`].
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'e> {
    /// A client asks for this path and query; the next call accepts, unless
    /// [`super::Connection::accept`] or [`super::Connection::refuse`] came first.
    Request {
        /// Path and query, as sent.
        target: &'e str,
    },
    /// The handshake is done.
    Open {
        /// The subprotocol agreed on; empty for none.
        subprotocol: &'e str,
    },
    /// A message, or a chunk of one.
    Data(Chunk<'e>),
    /// A ping; the pong is queued.
    Ping(&'e [u8]),
    /// A pong.
    Pong(&'e [u8]),
    /// The end; comes exactly once.
    Close(CloseEvent<'e>),
}

/// A message, or a part of it. Text may be cut inside a code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'e> {
    /// What the message carries.
    pub kind: Kind,
    /// The bytes, unmasked.
    pub data: &'e [u8],
    /// The first chunk of its message.
    pub first: bool,
    /// The last one.
    pub last: bool,
    /// Where in its message it begins.
    pub offset: u64,
    /// Bytes of the present frame still to come.
    pub frame_remaining: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseEvent<'e> {
    /// The peer's code; [`crate::proto::close::NO_STATUS`], [`crate::proto::close::ABNORMAL`], or the code
    /// that we failed the connection with.
    pub code: u16,
    /// The peer's reason.
    pub reason: &'e str,
    /// The peer's close frame began it.
    pub by_peer: bool,
    /// Why, where it was not a clean closing handshake.
    pub error: Option<Error>,
    /// Bytes missing of a frame that was cut off by the end; at least 1 where
    /// one was.
    pub missing: u64,
}

/// What is told once about the end.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) by_peer: bool,
    pub(super) error: Option<Error>,
    pub(super) missing: u64,
}

impl Report {
    /// An end that is not the peer's close.
    pub(super) fn failed(code: u16, error: Error) -> Report {
        Report {
            code,
            reason: String::new(),
            by_peer: false,
            error: Some(error),
            missing: 0,
        }
    }
}

/// More about a failure, for a log.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The HTTP status that was received or sent; 0 for none.
    pub status: u16,
    /// The first bytes of the answer or request that failed.
    pub answer: Vec<u8>,
}
