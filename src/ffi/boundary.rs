//! The line that no panic crosses.
//!
//! Every exported function runs its body through [`guard`] or [`call`]. The
//! first use installs a panic hook that keeps panics inside the library off
//! stderr and records where they happened; panics elsewhere in a Rust program
//! reach the hook that was there before.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
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
            PLACE.with(|place| place.replace(text));
        }));
    });
}

/// The one place where panics are caught; not generic, so that the library
/// carries it once and not once a function.
#[inline(never)]
fn run(body: &mut dyn FnMut()) {
    install_hook();
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    // What a panic leaves half-done stays behind the handle's door, which
    // marks the handle as broken.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    drop(outcome);
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

/// Where and why the last panic on this thread was stopped; empty if none was.
pub(crate) fn last_panic() -> String {
    PLACE.with(|place| place.borrow().clone())
}
