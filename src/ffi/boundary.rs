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

/// Runs `body`; a panic inside it becomes `on_panic`.
pub(crate) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
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
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    // What a panic leaves half-done stays behind the handle's door, which
    // marks the handle as broken.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    outcome.unwrap_or(on_panic)
}

/// Runs the body of a function that returns a `webSocket_result`.
pub(crate) fn call(body: impl FnOnce() -> Result<(), Error>) -> webSocket_result {
    guard(Error::Internal.into(), || {
        body().map_or_else(Into::into, |()| WEBSOCKET_OK)
    })
}

/// Where and why a panic was stopped on this thread since the last call of
/// this; empty if none was.
pub(crate) fn take_panic() -> String {
    PLACE.try_with(RefCell::take).unwrap_or_default()
}
