//! Waiting in the kernel without holding up another socket's calls: closing a
//! fd wakes nobody, and the number may be another socket's at once.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Identity, Record, Socket, Stop, TABLE};
use crate::legacy::{lock, try_lock};
use crate::net::sys;

/// What is sent through a number passes its gate.
#[derive(Debug, Default)]
pub(in crate::legacy) struct Gate {
    lock: Mutex<()>,
    /// The socket for which whoever has passed it may be waiting in the kernel.
    waits: Mutex<Option<Identity>>,
}

/// Passage through a gate, until it is dropped.
pub(in crate::legacy) struct Passage<'g> {
    gate: &'g Gate,
    _guard: MutexGuard<'g, ()>,
}

impl Gate {
    /// Waits until whoever is in the gate has left it.
    pub(in crate::legacy) fn pass(&self) -> Passage<'_> {
        Passage {
            gate: self,
            _guard: lock(&self.lock),
        }
    }

    pub(in crate::legacy) fn try_pass(&self) -> Option<Passage<'_>> {
        Some(Passage {
            gate: self,
            _guard: try_lock(&self.lock)?,
        })
    }
}

impl Passage<'_> {
    /// Says that the call may now wait; it has compared the identity.
    pub(in crate::legacy) fn may_wait(&self, record: &Record) {
        *lock(&self.gate.waits) = Some(record.identity);
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        *lock(&self.gate.waits) = None;
    }
}

impl Socket {
    /// Says that this call, which has the `rx` lock, may now wait.
    pub(in crate::legacy) fn wait_to_receive(&self) -> Waiting<'_> {
        self.record.rx_waits.store(true, SeqCst);
        Waiting(self)
    }

    /// Another thread has the `rx` lock. It may be waiting in the kernel for a
    /// socket that is long gone from this number: then its record is taken out
    /// of the way. One that does not wait is about to let the lock go.
    pub(in crate::legacy) fn pass_waiting_receive(&mut self) -> Result<(), Stop> {
        if self.is_current()? {
            return Ok(());
        }
        let mut table = lock(&TABLE);
        if !self.record.rx_waits.load(SeqCst) {
            return Ok(());
        }
        let taken = table.take(self);
        drop(table);
        drop(taken);
        Err(Stop::Stale)
    }

    /// As [`Socket::pass_waiting_receive`], for another thread in the gate: the
    /// number gets a new gate. What it has still to send is the old socket's.
    pub(in crate::legacy) fn pass_waiting_send(&mut self) -> Result<(), Stop> {
        let own = sys::identity(self.fd)?;
        let mut table = lock(&TABLE);
        if lock(&self.gate.waits).is_none_or(|other| other == own) {
            return Ok(());
        }
        let stale = if self.record.identity == own {
            None
        } else {
            table.take(self)
        };
        let at = usize::try_from(self.fd).ok();
        if let Some(slot) = at.and_then(|at| table.slots.get_mut(at)) {
            if Arc::ptr_eq(&slot.gate, &self.gate) {
                slot.gate = Arc::default();
            }
        }
        drop(table);
        drop(stale);
        Err(Stop::Stale)
    }
}

/// A receive that may be waiting in the kernel.
pub(in crate::legacy) struct Waiting<'s>(&'s Socket);

impl Waiting<'_> {
    /// Ends the wait. Whether the record is still in place: from here on no
    /// other receive takes it away.
    pub(in crate::legacy) fn end(self) -> bool {
        // Under the table's lock, as in `pass_waiting_receive`.
        let table = lock(&TABLE);
        self.0.record.rx_waits.store(false, SeqCst);
        table.has(self.0)
    }
}
