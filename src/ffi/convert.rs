//! What C passes, as Rust sees it; each conversion checks what can be checked.

use std::ffi::{CStr, c_char};

use crate::proto::Error;

/// The longest string that is taken; a longer one is a mistake.
const MAX_TEXT: usize = 1 << 16;

/// A NUL-terminated UTF-8 string.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that nobody changes
/// while the borrow lives.
pub(crate) unsafe fn text<'c>(text: *const c_char) -> Result<&'c str, Error> {
    if text.is_null() {
        return Err(Error::Null);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    if text.count_bytes() > MAX_TEXT {
        return Err(Error::SendTooBig);
    }
    text.to_str().map_err(|_| Error::SendUtf8)
}

/// What is read as bytes, whatever the program has it as: in the header it is
/// `void` (cbindgen.toml), so that no C program has to cast its text.
pub type Bytes = u8;

/// Bytes to read; NULL is fine where the length is 0.
///
/// # Safety
/// `data` is NULL or points to `length` readable bytes that nobody changes
/// while the borrow lives.
pub(crate) unsafe fn bytes<'c>(data: *const u8, length: usize) -> Result<&'c [u8], Error> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::Null);
    }
    // A length over PTRDIFF_MAX is a negative number in disguise.
    if isize::try_from(length).is_err() {
        return Err(Error::SendTooBig);
    }
    // SAFETY: the caller's promise; not NULL and not too long, as seen above.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// Where a result goes.
///
/// # Safety
/// `out` is NULL or points to memory for a `T` that may be written.
pub(crate) unsafe fn write<T>(out: *mut T, value: T) -> Result<(), Error> {
    if out.is_null() {
        return Err(Error::Null);
    }
    // SAFETY: the caller's promise; no old value is read or dropped.
    unsafe { out.write(value) };
    Ok(())
}
