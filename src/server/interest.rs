//! What a peer's socket is watched for, and whether others come first.

use crate::net::sys::epoll::{READABLE, WRITABLE};

/// What a peer's socket is watched for; broken ones are always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Nothing.
    Nothing,
    /// Something to read.
    Read,
    /// Room to write.
    Write,
    /// Either.
    Both,
}

impl Interest {
    /// Of these.
    #[must_use]
    pub fn of(read: bool, write: bool) -> Interest {
        match (read, write) {
            (false, false) => Interest::Nothing,
            (true, false) => Interest::Read,
            (false, true) => Interest::Write,
            (true, true) => Interest::Both,
        }
    }

    /// As epoll has it.
    #[must_use]
    pub fn events(self) -> u32 {
        match self {
            Interest::Nothing => 0,
            Interest::Read => READABLE,
            Interest::Write => WRITABLE,
            Interest::Both => READABLE | WRITABLE,
        }
    }
}

/// Whether a peer has to wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It has not.
    Even,
    /// It had its whole share, in bytes read or sent, and there may be more.
    Greedy,
    /// It waits until the others of a turn have had theirs.
    Deferred,
}

impl Pace {
    /// It had its whole share.
    pub fn had_its_share(&mut self) {
        if *self == Pace::Even {
            *self = Pace::Greedy;
        }
    }
}
