//! What is remembered about a socket between two calls.
//!
//! The caller owns the fd: it may close it without a word, and the number may
//! stand for another socket at once. So a record carries its socket's
//! identity, and whoever is about to let a record decide something compares
//! that first. Records are indexed by fd number, so there are never more than
//! fds; two numbers of one socket (`dup`) share a record.
//!
//! A stale record may be in use by several threads when one of them finds out
//! and replaces it. So that a frame is never sent into the middle of another,
//! what is sent through a number passes its gate, which outlives its records,
//! and whoever has passed it looks whether its record is still in place.

mod fork;
mod wait;

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, Once};

use super::receive::Rx;
use super::transmit::{Answer, Tx};
use super::{lock, try_lock};
use crate::net::sys::{self, Errno, Identity};
use wait::Gate;
pub(super) use wait::Passage;

/// A socket as the drop-in remembers it.
#[derive(Debug)]
pub struct Record {
    identity: Identity,
    /// Made by a client's connect: all that leaves is masked.
    pub(super) client: bool,
    /// AF_UNIX, as far as the record's own socket goes.
    pub(super) local: bool,
    /// A handshake or a frame has been seen.
    pub(super) started: AtomicBool,
    /// The program has sent a close frame: the peer's needs no answer.
    pub(super) close_sent: AtomicBool,
    pub(super) rx: Mutex<Rx>,
    /// Whoever has the `rx` lock waits in the kernel, and has taken nothing.
    rx_waits: AtomicBool,
    pub(super) tx: Mutex<Tx>,
    /// The automatic answer that still has to go out.
    pub(super) answer: Mutex<Option<Answer>>,
    holds_rx: AtomicBool,
    holds_tx: AtomicBool,
}

/// How many records hold something half-received, half-sent.
static RX_HOLDERS: AtomicUsize = AtomicUsize::new(0);
static TX_HOLDERS: AtomicUsize = AtomicUsize::new(0);

/// Why a call has to begin anew, or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The record was another socket's and has been replaced.
    Stale,
    /// The call ends with this errno.
    Error(Errno),
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Stop {
        Stop::Error(error)
    }
}

impl Record {
    fn new(fd: RawFd, identity: Identity, client: bool) -> Record {
        Record {
            identity,
            client,
            local: sys::is_local(fd),
            started: AtomicBool::new(client),
            close_sent: AtomicBool::new(false),
            rx: Mutex::default(),
            rx_waits: AtomicBool::new(false),
            tx: Mutex::default(),
            answer: Mutex::new(None),
            holds_rx: AtomicBool::new(false),
            holds_tx: AtomicBool::new(false),
        }
    }

    fn set(flag: &AtomicBool, holders: &AtomicUsize, holds: bool) -> bool {
        if flag.load(Relaxed) == holds || flag.swap(holds, Relaxed) == holds {
            return false;
        }
        if holds {
            holders.fetch_add(1, Relaxed);
        } else {
            holders.fetch_sub(1, Relaxed);
        }
        holds
    }

    pub(super) fn try_rx(&self) -> Option<MutexGuard<'_, Rx>> {
        try_lock(&self.rx)
    }

    /// The receiving side; `None` while a receive waits for the peer.
    pub(super) fn rx_unless_waiting(&self) -> Option<MutexGuard<'_, Rx>> {
        loop {
            if let Some(rx) = self.try_rx() {
                return Some(rx);
            }
            if self.rx_waits.load(SeqCst) {
                return None;
            }
            // A sleep: a thread of low priority may have to get on first.
            sys::sleep_ms(1);
        }
    }

    fn take_over(&self, kept: &mut Rx) {
        if !kept.is_idle() {
            let mut rx = lock(&self.rx);
            kept.move_to(&mut rx);
            Record::set(&self.holds_rx, &RX_HOLDERS, rx.holds());
        }
    }

    /// Notes whether something is half-received; call under the `rx` lock.
    pub(super) fn note_rx(&self, holds: bool) {
        if Record::set(&self.holds_rx, &RX_HOLDERS, holds) {
            drop_two_stale();
        }
    }

    /// Notes whether something is half-sent or waits to be sent.
    pub(super) fn note_tx(&self, holds: bool) {
        if Record::set(&self.holds_tx, &TX_HOLDERS, holds) {
            drop_two_stale();
        }
    }

    /// Whether something waits to be sent before the next frame.
    pub(super) fn holds_tx(&self) -> bool {
        self.holds_tx.load(Relaxed)
    }

    fn holds(&self) -> bool {
        self.holds_rx.load(Relaxed) || self.holds_tx()
    }

    /// Whether any socket holds something half-received. Only then can a
    /// number whose record is empty be a fresh `dup` of one that holds.
    pub(super) fn any_holds_rx() -> bool {
        RX_HOLDERS.load(Relaxed) > 0
    }

    /// As [`Record::any_holds_rx`], for what is half-sent.
    pub(super) fn any_holds_tx() -> bool {
        TX_HOLDERS.load(Relaxed) > 0
    }

    /// The same socket after a fork in whose middle another thread held a lock.
    fn renewed(&self) -> Record {
        Record {
            identity: self.identity,
            client: self.client,
            local: self.local,
            started: AtomicBool::new(self.started.load(Relaxed)),
            close_sent: AtomicBool::new(self.close_sent.load(Relaxed)),
            rx: Mutex::default(),
            rx_waits: AtomicBool::new(false),
            tx: Mutex::default(),
            answer: Mutex::new(None),
            holds_rx: AtomicBool::new(false),
            holds_tx: AtomicBool::new(false),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        Record::set(&self.holds_rx, &RX_HOLDERS, false);
        Record::set(&self.holds_tx, &TX_HOLDERS, false);
    }
}

/// A call's hold on the record of its fd.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) fd: RawFd,
    pub(super) record: Arc<Record>,
    /// Held while something is sent through this number.
    pub(super) gate: Arc<Gate>,
    /// Whether this call has compared the identity.
    verified: bool,
}

impl Socket {
    /// The record of a number, made at first use. Another socket's record may
    /// still stand there: see [`Socket::verify`].
    pub(super) fn find(fd: RawFd) -> Result<Socket, Errno> {
        let at = usize::try_from(fd).map_err(|_| Errno(libc::EBADF))?;
        if let Some(slot) = lock(&TABLE).slots.get(at) {
            if let Some((_, record)) = &slot.entry {
                return Ok(Socket {
                    fd,
                    record: Arc::clone(record),
                    gate: Arc::clone(&slot.gate),
                    verified: false,
                });
            }
        }
        Socket::current(fd)
    }

    /// The record of the socket that the number stands for now.
    pub(super) fn current(fd: RawFd) -> Result<Socket, Errno> {
        Socket::current_with(fd, false, &mut Rx::default())
    }

    /// As [`Socket::current`], in the place of this record, an older socket's.
    /// Once that had started, what was read was frames: so has this one, if it
    /// has been read from.
    pub(super) fn successor(&self) -> Result<Socket, Errno> {
        let started = self.record.started.load(Relaxed)
            && sys::bytes_taken(self.fd).is_some_and(|taken| taken > 0);
        Socket::current_with(self.fd, started, &mut Rx::default())
    }

    /// As [`Socket::current`], for a call that took bytes of this socket's by
    /// an older record: a new record has them before any other call finds it.
    pub(super) fn current_with(fd: RawFd, started: bool, kept: &mut Rx) -> Result<Socket, Errno> {
        let own = Arc::new(Record::new(fd, sys::identity(fd)?, false));
        own.started.store(started, Relaxed);
        own.take_over(kept);
        let (record, gate) = insert(fd, Arc::clone(&own), true)?;
        if !Arc::ptr_eq(&own, &record) {
            record.started.fetch_or(started, Relaxed);
            record.take_over(&mut lock(&own.rx));
        }
        Ok(Socket {
            fd,
            record,
            gate,
            verified: true,
        })
    }

    /// Whether the number still has this record and gate, which another thread may have
    /// found to be another socket's.
    pub(super) fn is_in_place(&self) -> bool {
        lock(&TABLE).has(self)
    }

    /// Compares the identity, once a call. Where the record is another
    /// socket's, the right one takes its place and the call has to begin anew:
    /// so call this before anything is taken from the socket.
    pub(super) fn verify(&mut self) -> Result<(), Stop> {
        if self.is_current()? {
            return Ok(());
        }
        self.successor()?;
        Err(Stop::Stale)
    }

    /// Compares the identity, once a call.
    pub(super) fn is_current(&mut self) -> Result<bool, Errno> {
        if !self.verified {
            self.verified = sys::identity(self.fd)? == self.record.identity;
        }
        Ok(self.verified)
    }
}

/// Notes a client's new socket.
pub(super) fn note_client(fd: RawFd) -> Result<(), Errno> {
    // A dup of this socket could get a number whose record is long stale, and
    // then a send there would not know that it is a client's.
    drop_all_stale();
    let record = Record::new(fd, sys::identity(fd)?, true);
    insert(fd, Arc::new(record), false).map(drop)
}

/// A fd number.
#[derive(Default)]
struct Slot {
    gate: Arc<Gate>,
    entry: Option<(Identity, Arc<Record>)>,
}

struct Table {
    slots: Vec<Slot>,
    /// Where the next search for stale buffers starts.
    cursor: usize,
}

static TABLE: Mutex<Table> = Mutex::new(Table {
    slots: Vec::new(),
    cursor: 0,
});

impl Table {
    fn has(&self, socket: &Socket) -> bool {
        let at = usize::try_from(socket.fd).ok();
        let Some(slot) = at.and_then(|at| self.slots.get(at)) else {
            return false;
        };
        let entry = slot.entry.as_ref();
        Arc::ptr_eq(&slot.gate, &socket.gate)
            && entry.is_some_and(|(_, record)| Arc::ptr_eq(record, &socket.record))
    }

    /// Takes a socket's record out, if it is still in place.
    fn take(&mut self, socket: &Socket) -> Option<(Identity, Arc<Record>)> {
        if !self.has(socket) {
            return None;
        }
        let at = usize::try_from(socket.fd).ok()?;
        self.slots.get_mut(at)?.entry.take()
    }

    fn of_identity(&self, identity: Identity) -> Option<Arc<Record>> {
        let mut entries = self.slots.iter().filter_map(|slot| slot.entry.as_ref());
        let (_, record) = entries.find(|(other, _)| *other == identity)?;
        Some(Arc::clone(record))
    }

    /// Up to two records that hold something, among the next few slots.
    fn next_holders(&mut self) -> [Option<(usize, Identity)>; 2] {
        const SLOTS: usize = 64;
        let mut found = [None; 2];
        let mut room = found.iter_mut();
        for _ in 0..SLOTS.min(self.slots.len()) {
            let at = self.cursor % self.slots.len();
            self.cursor = at + 1;
            let entry = self.slots.get(at).and_then(|slot| slot.entry.as_ref());
            if let Some((identity, record)) = entry {
                if record.holds() {
                    let Some(slot) = room.next() else { break };
                    *slot = Some((at, *identity));
                }
            }
        }
        found
    }
}

/// Puts a record in its number's place. With `share`, a record that the socket
/// has already, under this number or another, takes the new one's place: found
/// and put under one lock, so that a socket never has two.
fn insert(fd: RawFd, record: Arc<Record>, share: bool) -> Result<(Arc<Record>, Arc<Gate>), Errno> {
    static FORKS: Once = Once::new();
    FORKS.call_once(|| sys::at_fork(fork::before, fork::after, fork::in_child));
    let at = usize::try_from(fd).map_err(|_| Errno(libc::EBADF))?;
    let identity = record.identity;
    let mut table = lock(&TABLE);
    if let Some(missing) = (at + 1).checked_sub(table.slots.len()) {
        let slots = &mut table.slots;
        slots
            .try_reserve(missing)
            .map_err(|_| Errno(libc::ENOMEM))?;
        slots.resize_with(slots.len().max(at + 1), Slot::default);
    }
    let shared = if share {
        table.of_identity(identity)
    } else {
        None
    };
    let record = shared.unwrap_or(record);
    let Some(slot) = table.slots.get_mut(at) else {
        return Err(Errno(libc::ENOMEM));
    };
    let before = slot.entry.replace((identity, Arc::clone(&record)));
    let gate = Arc::clone(&slot.gate);
    drop(table);
    // Its buffers are freed outside the lock.
    drop(before);
    drop_two_stale();
    Ok((record, gate))
}

/// Frees the buffers of sockets that are gone: two are looked at whenever a
/// record or a buffer is made, so they cannot pile up.
fn drop_two_stale() {
    if !Record::any_holds_rx() && !Record::any_holds_tx() {
        return;
    }
    let candidates = lock(&TABLE).next_holders();
    for (at, identity) in candidates.into_iter().flatten() {
        drop_if_stale(at, identity);
    }
}

fn drop_all_stale() {
    let identities: Vec<(usize, Identity)> = lock(&TABLE)
        .slots
        .iter()
        .enumerate()
        .filter_map(|(at, slot)| Some((at, slot.entry.as_ref()?.0)))
        .collect();
    for (at, identity) in identities {
        drop_if_stale(at, identity);
    }
}

fn drop_if_stale(at: usize, identity: Identity) {
    let Ok(fd) = RawFd::try_from(at) else { return };
    match sys::identity(fd) {
        Ok(now) if now != identity => {}
        Err(Errno(libc::EBADF | libc::ENOTSOCK)) => {}
        // The same, or the kernel cannot say.
        _ => return,
    }
    let mut table = lock(&TABLE);
    let stale = match table.slots.get_mut(at) {
        Some(Slot { entry, .. }) if entry.as_ref().is_some_and(|(own, _)| *own == identity) => {
            entry.take()
        }
        _ => None,
    };
    drop(table);
    drop(stale);
}
