//! What the old helper had beside WebSocket: host names, base64, SHA-1, network
//! interfaces.

use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint};
use std::ptr;

use crate::ffi::boundary::{bytes, guard, room, string, text, write_text};
use crate::legacy::helpers;
use crate::net::sys;

/// Fills `buf` with `len` random bytes of which none is 0, from the kernel's
/// CSPRNG; all zeros if it gives none. Any thread.
///
/// # Safety
/// `buf` is NULL or has `len` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_getRandomString(buf: *mut c_uchar, len: c_uint) {
    // SAFETY: `buf` has `len` writable bytes.
    guard((), || helpers::random_string(unsafe { room(buf, len) }));
}

/// Sleeps for `ms` milliseconds; signals do not cut it short. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_delayms(ms: c_uint) {
    guard((), || sys::sleep_ms(ms));
}

/// Resolves a host name to IPv4 within 1000 ms. `backIp` has 16 bytes and gets
/// dotted text; a failure leaves it as it was. Any thread.
///
/// Returns the milliseconds spent: at least 1, or -1 at most for a failure.
///
/// # Safety
/// `hostName` is NULL or NUL-terminated; `backIp` is NULL or has 16 writable
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn websocket_getIpByHostName(
    hostName: *mut c_char,
    backIp: *mut c_char,
) -> c_int {
    guard(-1, || {
        // SAFETY: a NUL-terminated string or NULL.
        let host = unsafe { string(hostName) };
        let (spent, ip) = host.map_or((-1, None), |host| {
            helpers::ipv4_of_host(host, helpers::RESOLVE_MS)
        });
        if let (Some(ip), false) = (ip, backIp.is_null()) {
            let text = helpers::dotted(ip);
            // SAFETY: `backIp` has 16 writable bytes.
            unsafe { write_text(backIp, CStr::from_ptr(text.as_ptr().cast()).to_bytes()) };
        }
        spent
    })
}

/// Base64 of `binlength` bytes, NUL-terminated; `base64` has room for four
/// characters for every three bytes begun, and the NUL. Any thread.
///
/// Returns the characters without the NUL; 0 for NULL or a bad length.
///
/// # Safety
/// `bindata` is NULL or has `binlength` readable bytes; `base64` is NULL or has
/// the room said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn websocket_base64_encode(
    bindata: *const c_uchar,
    base64: *mut c_char,
    binlength: c_int,
) -> c_int {
    guard(0, || {
        if base64.is_null() {
            return 0;
        }
        // SAFETY: `bindata` has `binlength` readable bytes.
        let from = unsafe { bytes(bindata, binlength) };
        let length = helpers::base64_length(from.len()).unwrap_or(0);
        // SAFETY: `base64` has room for the text and its NUL.
        unsafe {
            base64.add(length).write(0);
            let done = helpers::base64_encode(from, room(base64, length));
            if done {
                length as c_int
            } else {
                write_text(base64, b"")
            }
        }
    })
}

/// Decodes NUL-terminated base64 up to the first character that is none, its
/// padding included. `bindata` may be `base64`. Any thread.
///
/// Returns the bytes decoded; no NUL is added. 0 for NULL.
///
/// # Safety
/// `base64` is NULL or NUL-terminated; `bindata` is NULL or has room for three
/// bytes of every four characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn websocket_base64_decode(
    base64: *const c_char,
    bindata: *mut c_uchar,
) -> c_int {
    guard(0, || {
        // SAFETY: a NUL-terminated string or NULL.
        let from = unsafe { text(base64) }.filter(|_| !bindata.is_null());
        let Some(decoded) = from.and_then(|from| helpers::base64_decode(from.to_bytes())) else {
            return 0;
        };
        // SAFETY: `bindata` has room for three bytes of every four characters.
        unsafe { ptr::copy(decoded.as_ptr(), bindata, decoded.len()) };
        c_int::try_from(decoded.len()).unwrap_or(0)
    })
}

/// The SHA-1 of a NUL-terminated string. `websocket_common.h` maps the old
/// name `sha1_hash` to this one. Any thread.
///
/// Returns 40 upper-case hex digits, NUL-terminated, which the caller frees
/// with `free()`; NULL for NULL or without memory.
///
/// # Safety
/// `source` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_sha1Hash(source: *const c_char) -> *mut c_char {
    guard(ptr::null_mut(), || {
        // SAFETY: a NUL-terminated string or NULL.
        let Some(source) = (unsafe { text(source) }) else {
            return ptr::null_mut();
        };
        let digits = helpers::sha1_hex(source.to_bytes());
        // SAFETY: the new block has 41 bytes.
        unsafe {
            let copy = libc::malloc(digits.len() + 1).cast::<c_char>();
            if !copy.is_null() {
                write_text(copy, &digits);
            }
            copy
        }
    })
}

/// Sets the IPv4 address of an interface (which needs privileges). Any thread.
///
/// Returns 0; -1 for a name that no interface can have, text that is no
/// address, or if the kernel refuses.
///
/// # Safety
/// `devName` and `ip` are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netCheck_setIP(devName: *mut c_char, ip: *mut c_char) -> c_int {
    guard(-1, || {
        // SAFETY: NUL-terminated strings or NULL.
        match unsafe { (text(devName), string(ip)) } {
            (Some(name), Some(ip)) if helpers::set_interface(name, ip) => 0,
            _ => -1,
        }
    })
}

/// Writes an interface's IPv4 address to `ip`, which has 16 bytes, as dotted
/// text; a failure leaves it as it was. Any thread.
///
/// # Safety
/// `devName` is NULL or NUL-terminated; `ip` is NULL or has 16 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netCheck_getIP(devName: *mut c_char, ip: *mut c_char) {
    guard((), || {
        // SAFETY: a NUL-terminated string or NULL.
        let found = unsafe { text(devName) }.and_then(helpers::interface);
        if let (Some(found), false) = (found, ip.is_null()) {
            let text = helpers::dotted(found);
            // SAFETY: `ip` has 16 writable bytes.
            unsafe { write_text(ip, CStr::from_ptr(text.as_ptr().cast()).to_bytes()) };
        }
    });
}
