//! The drop-in: the functions of the old C helper, as a thin face of the core.
//!
//! - [`kind`]: the types of frames as C programs name them.
//! - [`fd`]: what is remembered about a socket between two calls.
//! - [`receive`], [`transmit`]: one frame in, one frame out.
//! - [`package`]: frames in memory, without a socket.
//! - [`head`], [`link`]: the opening handshake, tolerant.
//! - [`helpers`]: keys, base64, host names, interfaces.
#![forbid(unsafe_code)]

pub mod fd;
pub mod helpers;
pub mod kind;
pub mod link;
pub mod package;
pub mod receive;
pub mod transmit;

/// HTTP heads as old device code writes them.
pub use crate::proto::http::loose as head;

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Locks; after a panic in another call the state behind it is still whole,
/// since it is changed only by single assignments.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`lock`], but `None` where another thread has it.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
