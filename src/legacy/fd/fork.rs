//! A fork: the table is whole in the child, and no lock of it is held by a
//! thread that does not exist there.

use std::cell::RefCell;
use std::sync::{Arc, MutexGuard};

use super::{TABLE, Table};
use crate::legacy::lock;

thread_local! {
    static FORKING: RefCell<Option<MutexGuard<'static, Table>>> = const { RefCell::new(None) };
}

pub(super) extern "C" fn before() {
    let guard = lock(&TABLE);
    let _ = FORKING.try_with(|parked| parked.replace(Some(guard)));
}

pub(super) extern "C" fn after() {
    let _ = FORKING.try_with(|parked| parked.replace(None));
}

/// A lock that another thread held at the fork is never released in the
/// child: its record is replaced. What it held half-way is the parent's.
pub(super) extern "C" fn in_child() {
    let _ = FORKING.try_with(|parked| {
        if let Some(table) = parked.borrow_mut().as_mut() {
            for slot in &mut table.slots {
                if slot.gate.try_pass().is_none() {
                    std::mem::forget(std::mem::take(&mut slot.gate));
                }
                let Some((_, record)) = &mut slot.entry else {
                    continue;
                };
                let free = record.rx.try_lock().is_ok()
                    && record.tx.try_lock().is_ok()
                    && record.answer.try_lock().is_ok();
                if !free {
                    let renewed = Arc::new(record.renewed());
                    // The old one is left alone, locks and all.
                    std::mem::forget(std::mem::replace(record, renewed));
                }
            }
        }
        parked.replace(None)
    });
}
