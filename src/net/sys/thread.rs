//! Threads.
//!
//! The standard library's carry a table of stack guards, spawn hooks and
//! names; with its resolver, that is 19 KB more for a library that devices
//! carry.

use std::ffi::{c_int, c_void};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::null_mut;

use super::{os, with_signals_blocked};

type Run = Box<dyn FnOnce() + Send>;

extern "C" fn enter(run: *mut c_void) -> *mut c_void {
    // SAFETY: `start` made this pointer, for this one use.
    let run = unsafe { Box::from_raw(run.cast::<Run>()) };
    // Nothing may unwind out of a thread's first function.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(*run));
    null_mut()
}

/// Runs `run` on a detached thread that no signal is delivered to; false where
/// none could be started.
pub fn start_thread(stack_bytes: usize, run: Run) -> bool {
    start(stack_bytes, libc::PTHREAD_CREATE_DETACHED, run).is_some()
}

/// A thread that can be waited for; it is left to itself where it is not.
#[derive(Debug)]
pub struct Thread(libc::pthread_t);

impl Thread {
    /// As [`start_thread`], to be waited for.
    #[must_use]
    pub fn start(stack_bytes: usize, run: Run) -> Option<Thread> {
        start(stack_bytes, libc::PTHREAD_CREATE_JOINABLE, run).map(Thread)
    }

    /// Waits until the thread is gone from the process. Not on the thread
    /// itself.
    pub fn join(self) {
        let own = ManuallyDrop::new(self);
        // SAFETY: a joinable thread that was neither joined nor detached.
        let _ = unsafe { libc::pthread_join(own.0, null_mut()) };
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: a joinable thread that was neither joined nor detached.
        let _ = unsafe { libc::pthread_detach(self.0) };
    }
}

fn start(stack_bytes: usize, state: c_int, run: Run) -> Option<libc::pthread_t> {
    let run = Box::into_raw(Box::new(run)).cast::<c_void>();
    with_signals_blocked(|| {
        let mut attributes = MaybeUninit::uninit();
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the attributes are initialised first and destroyed last, and
        // only then; `enter` gets the pointer that it expects, or it is taken
        // back here; the thread is named where it was started.
        unsafe {
            let mut started = false;
            if libc::pthread_attr_init(attributes.as_mut_ptr()) == 0 {
                let attributes = attributes.as_mut_ptr();
                started = libc::pthread_attr_setstacksize(attributes, stack_bytes) == 0
                    && libc::pthread_attr_setdetachstate(attributes, state) == 0
                    && os::pthread_create(thread.as_mut_ptr(), attributes, enter, run) == 0;
                libc::pthread_attr_destroy(attributes);
            }
            if started {
                Some(thread.assume_init())
            } else {
                drop(Box::from_raw(run.cast::<Run>()));
                None
            }
        }
    })
}
