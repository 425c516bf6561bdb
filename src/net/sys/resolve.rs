//! The system's resolver, and threads for it to block.
//!
//! The standard library has both. Its threads carry a table of stack guards,
//! spawn hooks and names, its resolver a version check and an error type; for
//! a library that devices carry, that is 19 KB more for one call.

use std::ffi::{CStr, c_void};
use std::mem::{MaybeUninit, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

use super::{Errno, os, with_signals_blocked};

extern "C" fn enter(run: *mut c_void) -> *mut c_void {
    // SAFETY: `start_thread` made this pointer of a `fn()`.
    let run: fn() = unsafe { std::mem::transmute(run) };
    // Nothing may unwind out of a thread's first function.
    let _ = std::panic::catch_unwind(run);
    null_mut()
}

/// Runs `run` on a detached thread that no signal is delivered to; false where
/// none could be started.
pub fn start_thread(stack_bytes: usize, run: fn()) -> bool {
    with_signals_blocked(|| {
        let mut attributes = MaybeUninit::uninit();
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the attributes are initialised first and destroyed last, and
        // only then; `enter` gets the function that it expects.
        unsafe {
            if libc::pthread_attr_init(attributes.as_mut_ptr()) != 0 {
                return false;
            }
            let attributes = attributes.as_mut_ptr();
            let started = libc::pthread_attr_setstacksize(attributes, stack_bytes) == 0
                && libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED)
                    == 0
                && os::pthread_create(thread.as_mut_ptr(), attributes, enter, run as *mut c_void)
                    == 0;
            libc::pthread_attr_destroy(attributes);
            started
        }
    })
}

/// `getaddrinfo`: up to `most` addresses of a host, each with its IPv6 zone.
/// Blocks for as long as the system likes. `EHOSTUNREACH` where it finds none.
pub fn host_addresses(host: &CStr, most: usize) -> Result<Vec<(IpAddr, u32)>, Errno> {
    // SAFETY: a hints struct of zeros is one without wishes.
    let mut hints: libc::addrinfo = unsafe { zeroed() };
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list: *mut libc::addrinfo = null_mut();
    // SAFETY: a NUL-terminated name, no service, hints and a place for the list.
    let failed =
        unsafe { os::getaddrinfo(host.as_ptr(), null_mut(), &raw const hints, &raw mut list) };
    if failed != 0 {
        return Err(Errno(libc::EHOSTUNREACH));
    }
    let mut found = Vec::new();
    let mut next = list;
    // SAFETY: the list and the addresses in it live until freeaddrinfo, and
    // each address is of the type that its family says.
    unsafe {
        while let Some(entry) = next.as_ref() {
            if found.len() < most {
                found.extend(address(entry));
            }
            next = entry.ai_next;
        }
        libc::freeaddrinfo(list);
    }
    if found.is_empty() {
        return Err(Errno(libc::EHOSTUNREACH));
    }
    Ok(found)
}

/// The address of an entry, if it is IPv4 or IPv6.
///
/// # Safety
/// `ai_addr` is NULL or points to an address of the entry's family.
unsafe fn address(entry: &libc::addrinfo) -> Option<(IpAddr, u32)> {
    if entry.ai_addr.is_null() {
        return None;
    }
    match entry.ai_family {
        libc::AF_INET => {
            // SAFETY: the caller's promise; read unaligned, as the entry may be.
            let v4 = unsafe { entry.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
            Some((Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes()).into(), 0))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { entry.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some((
                Ipv6Addr::from(v6.sin6_addr.s6_addr).into(),
                v6.sin6_scope_id,
            ))
        }
        _ => None,
    }
}
