//! Waiting for many sockets at once: epoll, and what wakes it.

use std::ffi::c_int;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::{Errno, os, status};

/// Something may be read, or the peer has ended its sending direction.
pub const READABLE: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
/// There is room to write.
pub const WRITABLE: u32 = libc::EPOLLOUT as u32;
/// The socket failed or is closed both ways; always told.
pub const BROKEN: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// How many sockets one wait tells of; the rest is told by the next.
const BATCH: usize = 256;

/// What one wait found.
#[derive(Debug)]
pub struct Batch {
    entries: Vec<libc::epoll_event>,
}

impl Batch {
    /// Room for one wait.
    #[must_use]
    pub fn new() -> Batch {
        Batch {
            entries: Vec::with_capacity(BATCH),
        }
    }

    /// The token and events of an entry.
    #[inline]
    #[must_use]
    pub fn get(&self, at: usize) -> Option<(u64, u32)> {
        // Copied, as the struct is packed on some machines.
        self.entries.get(at).map(|entry| (entry.u64, entry.events))
    }
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

/// A new epoll instance, closed on exec.
pub fn epoll() -> Result<OwnedFd, Errno> {
    // SAFETY: takes no pointer; the new fd is nobody else's.
    unsafe {
        let fd = status(os::epoll_create1(libc::EPOLL_CLOEXEC))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Starts to watch `fd` (level-triggered).
pub fn watch(epoll: RawFd, fd: RawFd, token: u64, events: u32) -> Result<(), Errno> {
    control(epoll, libc::EPOLL_CTL_ADD, fd, token, events)
}

/// Watches for other events from now on.
pub fn rewatch(epoll: RawFd, fd: RawFd, token: u64, events: u32) -> Result<(), Errno> {
    control(epoll, libc::EPOLL_CTL_MOD, fd, token, events)
}

/// Watches no more. Closing the last descriptor of a socket does the same.
pub fn unwatch(epoll: RawFd, fd: RawFd) -> Result<(), Errno> {
    control(epoll, libc::EPOLL_CTL_DEL, fd, 0, 0)
}

fn control(epoll: RawFd, what: c_int, fd: RawFd, token: u64, events: u32) -> Result<(), Errno> {
    let mut event = libc::epoll_event { events, u64: token };
    // SAFETY: a live struct, which the kernel reads.
    status(unsafe { os::epoll_ctl(epoll, what, fd, &raw mut event) }).map(drop)
}

/// Waits up to `timeout_ms` (-1: without end) and fills `batch`; returns how
/// many it found.
pub fn wait(epoll: RawFd, batch: &mut Batch, timeout_ms: c_int) -> Result<usize, Errno> {
    batch.entries.clear();
    let room = batch.entries.spare_capacity_mut();
    let count = c_int::try_from(room.len()).unwrap_or(c_int::MAX);
    let at = room.as_mut_ptr().cast::<libc::epoll_event>();
    // SAFETY: the kernel fills at most `count` entries of the spare room.
    let found = status(unsafe { os::epoll_wait(epoll, at, count, timeout_ms) })?;
    let found = (found as usize).min(batch.entries.capacity());
    // SAFETY: the kernel has filled the first `found` entries.
    unsafe { batch.entries.set_len(found) };
    Ok(found)
}

/// A new eventfd, which any thread and any signal handler may raise.
pub fn waker() -> Result<OwnedFd, Errno> {
    // SAFETY: takes no pointer; the new fd is nobody else's.
    unsafe {
        let fd = status(os::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Raises a [`waker`].
pub fn raise(waker: &OwnedFd) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight live bytes. It fails only where it is raised already.
    let _ = unsafe { libc::write(waker.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

/// Lowers a [`waker`] or a [`timer`].
pub fn lower(fd: &OwnedFd) {
    let mut count = [0_u8; 8];
    // SAFETY: eight live bytes. It fails only where it is not raised.
    let _ = unsafe { libc::read(fd.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
}

/// A timer that makes an epoll instance readable when it is due.
pub fn timer() -> Result<OwnedFd, Errno> {
    let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
    // SAFETY: takes no pointer; the new fd is nobody else's.
    unsafe {
        let fd = status(os::timerfd_create(libc::CLOCK_MONOTONIC, flags))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Sets a [`timer`] to a point of [`super::now_ms`]; `None` stops it.
pub fn set_timer(timer: &OwnedFd, at_ms: Option<u64>) -> Result<(), Errno> {
    // SAFETY: all zero is a valid itimerspec: a stopped timer.
    let mut due: libc::itimerspec = unsafe { zeroed() };
    if let Some(at) = at_ms {
        // A point of 0 would stop it.
        let at = at.max(1);
        due.it_value.tv_sec = libc::time_t::try_from(at / 1000).unwrap_or(libc::time_t::MAX);
        due.it_value.tv_nsec = ((at % 1000) * 1_000_000) as _;
    }
    let old = std::ptr::null_mut();
    // SAFETY: a live struct, which the kernel reads; no old value is asked for.
    status(unsafe {
        os::timerfd_settime(
            timer.as_raw_fd(),
            libc::TFD_TIMER_ABSTIME,
            &raw const due,
            old,
        )
    })
    .map(drop)
}
