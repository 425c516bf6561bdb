//! The line that no panic crosses.
//!
//! Every exported function runs its body through [`guard`] or [`call`]. The
//! first use installs a panic hook that keeps panics inside the library off
//! stderr and records where they happened; panics elsewhere in a Rust program
//! reach the hook that was there before.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_uint};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::ptr;
use std::sync::Once;

use super::result::{WEBSOCKET_OK, webSocket_result};
use crate::proto::Error;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics inside the library off stderr, for good.
fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if DEPTH.with(Cell::get) == 0 {
                return before(info);
            }
            let text = info.to_string();
            // Late in a thread's exit the place is gone; a panic here would
            // abort.
            let _ = PLACE.try_with(|place| place.replace(text));
        }));
    });
}

/// The one place where panics are caught; not generic, so that the library
/// carries it once and not once a function.
#[inline(never)]
fn run(body: &mut dyn FnMut()) {
    install_hook();
    DEPTH.with(|depth| {
        depth.set(depth.get() + 1);
        // What a panic leaves half-done stays behind the handle's door, which
        // marks the handle as broken.
        let outcome = catch_unwind(AssertUnwindSafe(body));
        depth.set(depth.get() - 1);
        drop(outcome);
    });
}

/// Runs `body`; a panic inside it becomes `on_panic`.
#[inline]
pub(crate) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    let mut outcome = on_panic;
    let mut body = Some(body);
    run(&mut || {
        if let Some(body) = body.take() {
            outcome = body();
        }
    });
    outcome
}

/// Runs the body of a function that returns a `webSocket_result`.
#[inline]
pub(crate) fn call(body: impl FnOnce() -> Result<(), Error>) -> webSocket_result {
    match guard(Err(Error::Internal), body) {
        Ok(()) => WEBSOCKET_OK,
        Err(error) => error.into(),
    }
}

/// Where and why a panic was stopped on this thread since the last call of
/// this; empty if none was.
pub(crate) fn take_panic() -> String {
    PLACE.try_with(RefCell::take).unwrap_or_default()
}

/// Bytes to read; none for NULL or a length below 0.
///
/// # Safety
/// `at`, if not NULL, has `length` readable bytes, unchanged while `'a` lasts.
pub(crate) unsafe fn bytes<'a, T>(at: *const T, length: impl TryInto<usize>) -> &'a [u8] {
    match length.try_into() {
        // SAFETY: as the caller promises; slices of T as bytes need T = byte.
        Ok(length) if !at.is_null() => unsafe { std::slice::from_raw_parts(at.cast(), length) },
        _ => &[],
    }
}

/// Room to write; none for NULL or a length below 0.
///
/// # Safety
/// `at`, if not NULL, has `length` writable bytes that nothing else uses
/// while `'a` lasts.
pub(crate) unsafe fn room<'a, T>(at: *mut T, length: impl TryInto<usize>) -> &'a mut [u8] {
    match length.try_into() {
        // SAFETY: as the caller promises. The bytes may be uninitialised in
        // C's eyes; they are only written, or read after being written.
        Ok(length) if !at.is_null() => unsafe { std::slice::from_raw_parts_mut(at.cast(), length) },
        _ => &mut [],
    }
}

/// A C string's bytes; `None` for NULL.
///
/// # Safety
/// `at`, if not NULL, is NUL-terminated, and unchanged while `'a` lasts.
pub(crate) unsafe fn text<'a, T>(at: *const T) -> Option<&'a CStr> {
    // SAFETY: as the caller promises.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at.cast()) })
}

/// A C string; `None` for NULL or what is not UTF-8.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn string<'a>(at: *const c_char) -> Option<&'a str> {
    // SAFETY: as the caller promises.
    unsafe { text(at) }.and_then(|text| text.to_str().ok())
}

/// Writes bytes and a NUL; returns how many bytes without it.
///
/// # Safety
/// `at` has `from.len() + 1` writable bytes.
pub(crate) unsafe fn write_text<T>(at: *mut T, from: &[u8]) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        ptr::copy(from.as_ptr(), at.cast(), from.len());
        at.cast::<u8>().add(from.len()).write(0);
    }
    c_int::try_from(from.len()).unwrap_or(c_int::MAX)
}

/// Sets an output that may be NULL.
///
/// # Safety
/// `at` is valid for writing, or NULL.
pub(crate) unsafe fn set(at: *mut c_uint, value: c_uint) {
    // SAFETY: as the caller promises.
    if let Some(at) = unsafe { at.as_mut() } {
        *at = value;
    }
}
