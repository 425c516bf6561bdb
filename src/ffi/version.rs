//! The library's version. That of the header is written by build.rs; Cargo.toml
//! is the one place of both.

use std::ffi::{CStr, c_char};

const TEXT: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a version has no NUL"),
    };

/// The version of the library that is loaded, such as `"0.1.0"`; the header's
/// own is `WEBSOCKET_VERSION_MAJOR`, `_MINOR`, `_PATCH`.
///
/// Returns a static string. Any thread; callbacks may call it. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_version() -> *const c_char {
    TEXT.as_ptr()
}
