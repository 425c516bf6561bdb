//! One thread's wait: sockets, a wake-up from other threads, and the next
//! deadline.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::sys::epoll::{self, Batch, READABLE};
use super::sys::{Errno, now_ms};

/// Tokens of the poller's own; all others are the caller's.
const WAKER: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;

/// The largest token that a caller may use.
pub const MAX_TOKEN: u64 = u64::MAX - 2;
/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// Ends a wait from any thread.
#[derive(Debug)]
pub struct Waker {
    fd: OwnedFd,
    /// Raised, and not seen yet: one raise is enough.
    raised: AtomicBool,
}

impl Waker {
    /// Ends the present wait, or the next.
    pub fn wake(&self) {
        if !self.raised.swap(true, Ordering::AcqRel) {
            epoll::raise(&self.fd);
        }
    }
}

/// What a wait found about one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The caller's name for it.
    pub token: u64,
    /// [`epoll::READABLE`], [`epoll::WRITABLE`] and [`epoll::BROKEN`] bits.
    pub events: u32,
}

/// An epoll instance with a waker, and with a timer where its fd is waited for
/// by somebody else.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    waker: Arc<Waker>,
    timer: Option<OwnedFd>,
    /// What the timer is set to.
    armed: u64,
    batch: Batch,
    found: usize,
}

impl Poller {
    /// Nothing is watched yet.
    pub fn new() -> Result<Poller, Errno> {
        let epoll = epoll::epoll()?;
        let fd = epoll::waker()?;
        epoll::watch(epoll.as_raw_fd(), fd.as_raw_fd(), WAKER, READABLE)?;
        let raised = AtomicBool::new(false);
        Ok(Poller {
            epoll,
            waker: Arc::new(Waker { fd, raised }),
            timer: None,
            armed: NEVER,
            batch: Batch::new(),
            found: 0,
        })
    }

    /// What other threads wake it by.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// The fd that becomes readable when a wait would not have to: from now
    /// on deadlines count too, at the price of a system call where the next
    /// one has changed.
    pub fn fd(&mut self) -> Result<RawFd, Errno> {
        if self.timer.is_none() {
            let timer = epoll::timer()?;
            epoll::watch(self.raw(), timer.as_raw_fd(), TIMER, READABLE)?;
            self.timer = Some(timer);
        }
        Ok(self.raw())
    }

    /// The epoll instance's number.
    #[must_use]
    pub fn raw(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    /// Starts to watch a socket.
    pub fn watch(&self, fd: RawFd, token: u64, events: u32) -> Result<(), Errno> {
        epoll::watch(self.raw(), fd, token, events)
    }

    /// Watches for other events from now on.
    pub fn rewatch(&self, fd: RawFd, token: u64, events: u32) -> Result<(), Errno> {
        epoll::rewatch(self.raw(), fd, token, events)
    }

    /// Watches no more.
    pub fn unwatch(&self, fd: RawFd) -> Result<(), Errno> {
        epoll::unwatch(self.raw(), fd)
    }

    /// Waits up to `timeout` ms ([`NEVER`]: without end), and not beyond
    /// `deadline`. An interrupted wait found nothing.
    pub fn wait(&mut self, timeout: u64, deadline: u64) -> Result<(), Errno> {
        let until = if deadline == NEVER {
            NEVER
        } else {
            deadline.saturating_sub(now_ms())
        };
        let wait = timeout.min(until);
        let wait = if wait == NEVER {
            -1
        } else {
            c_int::try_from(wait).unwrap_or(c_int::MAX)
        };
        self.found = match epoll::wait(self.raw(), &mut self.batch, wait) {
            Err(Errno(libc::EINTR)) => 0,
            found => found?,
        };
        Ok(())
    }

    /// Whether its waker was raised, and the wait has not told so yet.
    #[inline]
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.waker.raised.load(Ordering::Acquire)
    }

    /// An entry of what the last wait found; `None` behind the last. The
    /// waker's and the timer's own are dealt with here and told as `Ok(None)`.
    #[inline]
    pub fn ready(&mut self, at: usize) -> Option<Option<Ready>> {
        if at >= self.found {
            return None;
        }
        let (token, events) = self.batch.get(at)?;
        match token {
            WAKER => {
                epoll::lower(&self.waker.fd);
                // What is raised from here on is for the next wait. Who found
                // it raised has left its request before: a swap sees that, a
                // mere store need not.
                self.waker.raised.swap(false, Ordering::AcqRel);
                Some(None)
            }
            TIMER => {
                if let Some(timer) = &self.timer {
                    epoll::lower(timer);
                }
                // It tells once only, and more than one turn may be needed for
                // what is due at one time.
                self.armed = NEVER;
                Some(None)
            }
            _ => Some(Some(Ready { token, events })),
        }
    }

    /// Has the fd become readable at `deadline`, where somebody waits for it.
    pub fn arm(&mut self, deadline: u64) -> Result<(), Errno> {
        let Some(timer) = &self.timer else {
            return Ok(());
        };
        if deadline != self.armed {
            epoll::set_timer(timer, (deadline != NEVER).then_some(deadline))?;
            self.armed = deadline;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::sys::poll;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    fn all(poller: &mut Poller) -> Vec<Ready> {
        (0..).map_while(|at| poller.ready(at)).flatten().collect()
    }

    #[test]
    fn a_wait_tells_what_is_ready_and_again_while_it_is() {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.watch(near.as_raw_fd(), 7, READABLE).unwrap();
        poller.wait(0, NEVER).unwrap();
        assert_eq!(all(&mut poller), []);
        far.write_all(b"x").unwrap();
        for _ in 0..2 {
            poller.wait(NEVER, NEVER).unwrap();
            let [ready] = all(&mut poller)[..] else {
                panic!()
            };
            assert_eq!((ready.token, ready.events & READABLE != 0), (7, true));
        }
        near.read_exact(&mut [0]).unwrap();
        poller
            .rewatch(near.as_raw_fd(), 7, epoll::WRITABLE)
            .unwrap();
        poller.wait(NEVER, NEVER).unwrap();
        assert_eq!(all(&mut poller)[0].events, epoll::WRITABLE);
        poller.unwatch(near.as_raw_fd()).unwrap();
        poller.wait(0, NEVER).unwrap();
        assert_eq!(all(&mut poller), []);
    }

    #[test]
    fn ap18_a_wake_ends_one_wait() {
        let mut poller = Poller::new().unwrap();
        let waker = poller.waker();
        for _ in 0..3 {
            waker.wake();
            waker.wake();
            let thread = {
                let waker = poller.waker();
                std::thread::spawn(move || waker.wake())
            };
            poller.wait(NEVER, NEVER).unwrap();
            thread.join().unwrap();
            all(&mut poller);
            poller.wait(0, NEVER).unwrap();
            all(&mut poller);
            poller.wait(0, NEVER).unwrap();
            assert_eq!(poller.found, 0);
        }
    }

    #[test]
    fn the_fd_is_readable_when_a_deadline_has_come() {
        let mut poller = Poller::new().unwrap();
        let fd = poller.fd().unwrap();
        poller.arm(now_ms() + 3_600_000).unwrap();
        assert_eq!(poll(fd, libc::POLLIN, 0), Ok(false));
        poller.arm(now_ms()).unwrap();
        assert_eq!(poll(fd, libc::POLLIN, -1), Ok(true));
        poller.wait(0, NEVER).unwrap();
        assert_eq!(all(&mut poller), []);
        poller.arm(NEVER).unwrap();
        assert_eq!(poll(fd, libc::POLLIN, 0), Ok(false));
        // A wait ends at its deadline.
        poller.wait(NEVER, now_ms() + 1).unwrap();
        assert_eq!(poller.found, 0);
    }
}
