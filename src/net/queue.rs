//! The one send queue: messages that wait until the transport takes more, a
//! limit, and what to do at it. A message that is sent to many is shared.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::proto::Error;
use crate::proto::message::Kind;
use crate::proto::settings::Overflow;

/// A payload that waits.
#[derive(Debug, Clone)]
pub enum Payload {
    /// This queue's own copy.
    Own(Box<[u8]>),
    /// One of many references.
    Shared(Arc<[u8]>),
}

impl Payload {
    /// A copy of `bytes`.
    pub fn copy(bytes: &[u8]) -> Result<Payload, Error> {
        let mut own = Vec::new();
        own.try_reserve_exact(bytes.len())
            .map_err(|_| Error::Memory)?;
        own.extend_from_slice(bytes);
        Ok(Payload::Own(own.into_boxed_slice()))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Payload::Own(bytes) => bytes,
            Payload::Shared(bytes) => bytes,
        }
    }
}

/// A message that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Text or binary.
    pub kind: Kind,
    /// The whole message.
    pub payload: Payload,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It waits; so many others were dropped for it.
    Queued {
        /// How many.
        dropped: usize,
    },
    /// It does not, and nothing has changed.
    Refused,
    /// It does not, and the connection is to be closed.
    Close,
}

/// What each message costs besides its bytes, so that many empty ones have a
/// limit too: its place in a row that doubles, and its block's head.
pub const COST: usize = 2 * size_of::<Waiting>() + 2 * size_of::<usize>();

/// Messages in their order.
#[derive(Debug, Default)]
pub struct Queue {
    messages: VecDeque<Waiting>,
    bytes: usize,
    /// Messages may still be dropped for others.
    drops: bool,
}

impl Queue {
    /// What it counts against the limit.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn cost(message: &Waiting) -> usize {
        message.payload.bytes().len().saturating_add(COST)
    }

    /// Queues a message where `limit` bytes are allowed in all, of which
    /// `taken` are taken elsewhere.
    pub fn push(
        &mut self,
        message: Waiting,
        limit: usize,
        taken: usize,
        policy: Overflow,
    ) -> Result<Outcome, Error> {
        self.drops = matches!(policy, Overflow::DropOldest | Overflow::KeepLatest);
        let cost = Self::cost(&message);
        let room = limit.saturating_sub(taken);
        let mut dropped = 0;
        if policy == Overflow::KeepLatest && cost <= room {
            dropped = self.messages.len();
            self.clear();
        }
        if cost > room.saturating_sub(self.bytes) {
            match policy {
                Overflow::DropOldest if cost <= room => {
                    while cost > room.saturating_sub(self.bytes) && self.pop().is_some() {
                        dropped += 1;
                    }
                }
                Overflow::Close => return Ok(Outcome::Close),
                _ => return Ok(Outcome::Refused),
            }
        }
        self.messages.try_reserve(1).map_err(|_| Error::Memory)?;
        self.messages.push_back(message);
        self.bytes += cost;
        Ok(Outcome::Queued { dropped })
    }

    /// The length of the message whose turn it is.
    #[must_use]
    pub fn next_length(&self) -> Option<usize> {
        self.messages.front().map(|next| next.payload.bytes().len())
    }

    /// Whether messages are to stay here until the transport takes them, as
    /// others may take their places.
    #[must_use]
    pub fn drops(&self) -> bool {
        self.drops
    }

    /// The message whose turn it is.
    pub fn pop(&mut self) -> Option<Waiting> {
        let message = self.messages.pop_front()?;
        self.bytes -= Self::cost(&message);
        Some(message)
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.messages = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(byte: u8, length: usize) -> Waiting {
        Waiting {
            kind: Kind::Binary,
            payload: Payload::copy(&vec![byte; length]).unwrap(),
        }
    }

    /// A limit of three messages of ten bytes.
    const LIMIT: usize = 3 * (10 + COST);

    fn filled() -> Queue {
        let mut queue = Queue::default();
        for byte in 1..=3 {
            let outcome = queue.push(message(byte, 10), LIMIT, 0, Overflow::Refuse);
            assert_eq!(outcome, Ok(Outcome::Queued { dropped: 0 }));
        }
        assert_eq!(queue.bytes(), LIMIT);
        queue
    }

    fn rest(mut queue: Queue) -> Vec<u8> {
        let left = std::iter::from_fn(|| queue.pop().map(|one| one.payload.bytes()[0])).collect();
        assert!(queue.is_empty());
        assert_eq!(queue.bytes(), 0);
        left
    }

    #[test]
    fn lm03_a_full_queue_does_what_its_policy_says() {
        for (policy, outcome, left) in [
            (Overflow::Refuse, Outcome::Refused, vec![1, 2, 3]),
            (Overflow::Close, Outcome::Close, vec![1, 2, 3]),
            (
                Overflow::DropOldest,
                Outcome::Queued { dropped: 1 },
                vec![2, 3, 4],
            ),
            (
                Overflow::KeepLatest,
                Outcome::Queued { dropped: 3 },
                vec![4],
            ),
        ] {
            let mut queue = filled();
            assert_eq!(queue.push(message(4, 10), LIMIT, 0, policy), Ok(outcome));
            assert_eq!(rest(queue), left, "{policy:?}");
        }
    }

    #[test]
    fn what_can_never_fit_drops_nothing() {
        for policy in [Overflow::Refuse, Overflow::DropOldest, Overflow::KeepLatest] {
            let mut queue = filled();
            let outcome = queue.push(message(4, LIMIT), LIMIT, 0, policy);
            assert_eq!(outcome, Ok(Outcome::Refused));
            assert_eq!(rest(queue), [1, 2, 3]);
            let mut queue = filled();
            let outcome = queue.push(message(4, 10), LIMIT, LIMIT, policy);
            assert_eq!(outcome, Ok(Outcome::Refused), "{policy:?}");
        }
    }

    #[test]
    fn empty_messages_have_a_limit_too() {
        let mut queue = Queue::default();
        let mut count = 0;
        let empty = || Waiting {
            kind: Kind::Text,
            payload: Payload::Own(Box::default()),
        };
        while queue.push(empty(), LIMIT, 0, Overflow::Refuse) == Ok(Outcome::Queued { dropped: 0 })
        {
            count += 1;
        }
        assert_eq!(count, LIMIT / COST);
    }

    #[test]
    fn a_shared_payload_is_not_copied() {
        let shared: Arc<[u8]> = Arc::from(*b"news");
        let mut queues: [Queue; 5] = Default::default();
        for queue in &mut queues {
            let message = Waiting {
                kind: Kind::Text,
                payload: Payload::Shared(Arc::clone(&shared)),
            };
            queue.push(message, 1000, 0, Overflow::Refuse).unwrap();
        }
        assert_eq!(Arc::strong_count(&shared), 6);
        drop(queues);
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
