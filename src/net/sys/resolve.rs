//! The system's resolver.
//!
//! The standard library's carries a version check and an error type; see also
//! the threads beside this, which it blocks.

use std::ffi::CStr;
use std::mem::zeroed;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

use super::{Errno, os};

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
