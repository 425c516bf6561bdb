//! The kernel's random bytes, and memory that a forked child cannot read them
//! from.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use super::{Errno, counted, os};

/// Fills `bytes` from the kernel's CSPRNG; false where it gives none.
#[must_use]
pub fn kernel_random(mut bytes: &mut [u8]) -> bool {
    while !bytes.is_empty() {
        // SAFETY: the pointer and length are those of a live slice.
        let got = unsafe { os::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        match counted(got) {
            Ok(got) if got > 0 => bytes = bytes.get_mut(got..).unwrap_or_default(),
            Err(Errno(libc::EINTR)) => {}
            _ => return false,
        }
    }
    true
}

/// The size of a [`WipedPage`] in bytes.
pub const PAGE: usize = 4096;

/// Memory that reads as zeros in a forked child (`MADV_WIPEONFORK`).
#[derive(Debug)]
pub struct WipedPage(NonNull<c_void>);

impl WipedPage {
    /// A page, or `None` where the kernel (before 4.14) cannot wipe it.
    #[must_use]
    pub fn new() -> Option<WipedPage> {
        // A kernel that does as it should fails the second call: no matter of
        // the program's.
        let errno = super::errno();
        // Who takes advice that does not exist heeds none, and a child would
        // see its parent's bytes: so it is under QEMU's user mode.
        let wiped = |page: &WipedPage| page.advise(libc::MADV_WIPEONFORK) && !page.advise(-1);
        let page = WipedPage::map().filter(wiped);
        super::set_errno(errno);
        page
    }

    /// A page of zeros that a fork does not wipe yet.
    pub(in crate::net) fn map() -> Option<WipedPage> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping, at an address of the kernel's choice.
        let at = unsafe { os::mmap(std::ptr::null_mut(), PAGE, access, kind, -1, 0) };
        if at == libc::MAP_FAILED {
            return None;
        }
        NonNull::new(at).map(WipedPage)
    }

    fn advise(&self, advice: c_int) -> bool {
        // SAFETY: the mapping is ours, whole.
        unsafe { os::madvise(self.0.as_ptr(), PAGE, advice) == 0 }
    }

    /// The page's bytes.
    pub fn bytes(&mut self) -> &mut [u8; PAGE] {
        // SAFETY: PAGE readable and writable bytes that this value owns; in a
        // child they are zeros, which are valid bytes too.
        unsafe { self.0.cast().as_mut() }
    }
}

impl Drop for WipedPage {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no reference to it is left.
        let _ = unsafe { libc::munmap(self.0.as_ptr(), PAGE) };
    }
}
