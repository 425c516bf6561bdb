//! The any-thread door of a loop: what other threads ask of it, in their
//! order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::slots::PeerId;
use crate::net::poller::Waker;
use crate::net::queue::Payload;
use crate::net::sys::listen::Address;
use crate::proto::Error;
use crate::proto::message::Kind;
use std::os::fd::OwnedFd;

/// What a loop is asked to do.
#[derive(Debug)]
pub enum Request {
    /// Send a message to one peer; its bytes are counted as waiting.
    Send {
        /// Who gets it.
        to: PeerId,
        /// Text or binary.
        kind: Kind,
        /// The whole message.
        payload: Payload,
    },
    /// Send a ping or pong.
    Control {
        /// Who gets it.
        to: PeerId,
        /// A ping, or else a pong.
        ping: bool,
        /// At most 125 bytes.
        payload: Box<[u8]>,
    },
    /// Send a message to all that subscribe to a topic.
    Publish {
        /// The topic's number; `None`: to all.
        topic: Option<Arc<str>>,
        /// Text or binary.
        kind: Kind,
        /// The whole message.
        payload: Arc<[u8]>,
        /// A peer that does not get it.
        except: Option<PeerId>,
    },
    /// Begin, or with `on` false end, a subscription.
    Subscribe {
        /// Who.
        peer: PeerId,
        /// To what.
        topic: Arc<str>,
        /// Begin.
        on: bool,
    },
    /// Close a connection.
    Close {
        /// Whose.
        peer: PeerId,
        /// The code; `None` for none.
        code: Option<u16>,
        /// The reason.
        reason: String,
    },
    /// Serve a connection.
    Adopt {
        /// The socket.
        socket: OwnedFd,
        /// Where it comes from.
        address: Option<Address>,
        /// What was read from it already.
        read: Vec<u8>,
    },
}

impl Request {
    /// What it costs to keep, where nothing else counts it.
    fn cost(&self) -> usize {
        let more = match self {
            Request::Control { payload, .. } => payload.len(),
            Request::Publish { payload, .. } => payload.len(),
            _ => 0,
        };
        size_of::<Request>().saturating_add(more)
    }
}

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Request>,
    /// What they cost.
    bytes: usize,
}

/// The requests of one loop.
#[derive(Debug)]
pub struct Mailbox {
    waiting: Mutex<Waiting>,
    waker: Arc<Waker>,
}

impl Mailbox {
    /// An empty one, that wakes its loop by `waker`.
    #[must_use]
    pub fn new(waker: Arc<Waker>) -> Mailbox {
        Mailbox {
            waiting: Mutex::default(),
            waker,
        }
    }

    /// Asks; [`Error::Memory`]: nothing was asked.
    pub fn post(&self, request: Request) -> Result<(), Error> {
        self.post_within(request, usize::MAX)
    }

    /// As [`Mailbox::post`], where what waits stays within `limit`, or where
    /// nothing does: else [`Error::Full`], and nothing was asked.
    pub fn post_within(&self, request: Request, limit: usize) -> Result<(), Error> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = waiting.bytes.saturating_add(request.cost());
        if bytes > limit && !waiting.requests.is_empty() {
            return Err(Error::Full);
        }
        waiting.requests.try_reserve(1).map_err(|_| Error::Memory)?;
        waiting.requests.push_back(request);
        waiting.bytes = bytes;
        drop(waiting);
        self.waker.wake();
        Ok(())
    }

    /// Has the loop look around without a request.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Takes all.
    #[must_use]
    pub fn take(&self) -> VecDeque<Request> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).requests
    }
}
