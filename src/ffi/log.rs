//! The log hook. Nothing is printed unless a program asks.

use std::ffi::{CString, c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::boundary::call;
use super::result::webSocket_result;

/// Something failed.
pub const WEBSOCKET_LOG_ERROR: i32 = 1;
/// A peer was refused or cut off.
pub const WEBSOCKET_LOG_WARNING: i32 = 2;

/// Gets a line of log: its level and its text, without a line break, valid
/// during the call.
pub type webSocket_logCallback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, text: *const c_char)>;

#[derive(Clone, Copy)]
struct Hook {
    callback: unsafe extern "C" fn(user: *mut c_void, level: i32, text: *const c_char),
    user: *mut c_void,
}

// SAFETY: the pointer is only handed back to the program, which promised that
// its callback may be called on any thread.
unsafe impl Send for Hook {}
// SAFETY: as above.
unsafe impl Sync for Hook {}

static ASKED: AtomicBool = AtomicBool::new(false);
static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

/// Sets where lines of log go; NULL: nowhere, as at first.
///
/// `callback` may be called on any thread that calls this library, and must
/// not call it with the same handle (`WEBSOCKET_E_REENTRY`). Peers' bytes in a
/// line are escaped. It must return: no `longjmp`, no C++ exception (which
/// ends the program). `user` is handed back; it must live until the hook has
/// been changed and no other thread is inside a call that began before. Any
/// thread. Result: `WEBSOCKET_OK`. Since 0.1.
///
/// # Safety
/// `callback` may be called with `user` from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_setLog(
    callback: webSocket_logCallback,
    user: *mut c_void,
) -> webSocket_result {
    call(|| {
        let hook = callback.map(|callback| Hook { callback, user });
        ASKED.store(hook.is_some(), Ordering::Relaxed);
        *HOOK.write().unwrap_or_else(PoisonError::into_inner) = hook;
        Ok(())
    })
}

/// Gives a line to the hook; `line` is made only where there is one.
pub(super) fn log(level: i32, line: impl FnOnce() -> String) {
    if !ASKED.load(Ordering::Relaxed) {
        return;
    }
    let hook = *HOOK.read().unwrap_or_else(PoisonError::into_inner);
    let Some(hook) = hook else {
        return;
    };
    let text: String = line().escape_debug().collect();
    let Ok(text) = CString::new(text) else {
        return;
    };
    // SAFETY: whoever set the hook promised that it may be called so.
    unsafe { (hook.callback)(hook.user, level, text.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::ptr::null_mut;
    use std::sync::Mutex;

    use super::*;

    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    unsafe extern "C" fn note(_user: *mut c_void, level: i32, text: *const c_char) {
        // SAFETY: a string for the time of the call.
        let text = unsafe { CStr::from_ptr(text) }.to_str().unwrap();
        if level == WEBSOCKET_LOG_ERROR {
            LINES.lock().unwrap().push(text.to_owned());
        }
    }

    #[test]
    fn hs42_a_line_is_one_line_whatever_a_peer_has_said() {
        // SAFETY: the callback needs no user.
        unsafe { webSocket_setLog(Some(note), null_mut()) };
        log(WEBSOCKET_LOG_ERROR, || {
            "a\r\nb\0c\x1b[2Jd%s%n\u{202e}e".into()
        });
        // SAFETY: as above.
        unsafe { webSocket_setLog(None, null_mut()) };
        log(WEBSOCKET_LOG_ERROR, || unreachable!("nobody asked for it"));
        let lines = LINES.lock().unwrap();
        assert_eq!(*lines, [r"a\r\nb\0c\u{1b}[2Jd%s%n\u{202e}e"]);
    }
}
