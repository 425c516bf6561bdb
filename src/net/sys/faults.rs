//! The seam: system calls that fail where a test says so.
//!
//! Built with `--cfg wsembed_faults` only; then `sys` calls these functions in
//! the place of those of the C library, which have the same names. What fails,
//! how and when is a [`Plan`]: of a thread, for Rust tests, or of the process,
//! from the environment, for C programs ([`plan`] has the words for both).
//!
//! An injected failure keeps the promises of the kernel. A short count really
//! moves fewer bytes. `EAGAIN` and `EINTR` move none, and, as where the kernel
//! says them, a new edge follows for whoever waits with `EPOLLET`. A reset is
//! made for real, before the call, so that the peer sees it too and all later
//! calls go by it.

mod plan;
mod program;

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::size_of;

use libc::{iovec, msghdr, nfds_t, pollfd, size_t, sockaddr, socklen_t, ssize_t};

pub use plan::{Kind, Plan, Tally};

/// What becomes of a call.
enum Verdict {
    /// It is made, with up to so many bytes of what it asks for.
    Made(Limit),
    /// It is not made; errno is set.
    Failed,
}

#[derive(Clone, Copy)]
enum Limit {
    All,
    Half,
    Byte,
}

impl Limit {
    /// At least one byte of `length`, for a count of 0 means the end.
    fn of(self, length: usize) -> usize {
        match self {
            Limit::All => length,
            Limit::Half => length.div_ceil(2),
            Limit::Byte => length.min(1),
        }
    }
}

/// Asks the plans about a call on `fd`; -1 for a call without one.
fn ask(call: &'static str, fd: c_int) -> Verdict {
    match plan::next(call) {
        None => Verdict::Made(Limit::All),
        Some(Kind::Half) => {
            raise_edges(fd);
            Verdict::Made(Limit::Half)
        }
        Some(Kind::Byte) => {
            raise_edges(fd);
            Verdict::Made(Limit::Byte)
        }
        Some(Kind::Reset) => {
            reset(fd);
            Verdict::Made(Limit::All)
        }
        Some(Kind::Fails(errno)) => {
            if matches!(errno, libc::EAGAIN | libc::EINTR) {
                raise_edges(fd);
            }
            super::set_errno(errno);
            Verdict::Failed
        }
    }
}

/// The edges that follow an `EAGAIN`: one if there is something to read, one
/// for room to write.
fn raise_edges(fd: c_int) {
    let errno = super::errno();
    for (level, name, value) in [
        (libc::SOL_SOCKET, libc::SO_RCVLOWAT, 1),
        // The value that a socket has by default.
        (libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, 0),
    ] {
        let value: c_int = value;
        let size = size_of::<c_int>() as socklen_t;
        // SAFETY: the kernel reads `size` bytes of a live integer. It refuses
        // what is no socket, or is no TCP.
        unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size) };
    }
    super::set_errno(errno);
}

/// Resets a TCP connection: the peer gets an RST, and this side the errors of
/// one that was reset: `ECONNRESET` once, then the end, or `EPIPE`.
fn reset(fd: c_int) {
    let errno = super::errno();
    let nobody = sockaddr {
        sa_family: libc::AF_UNSPEC as libc::sa_family_t,
        sa_data: [0; 14],
    };
    let size = size_of::<sockaddr>() as socklen_t;
    // SAFETY: the kernel reads `size` bytes of a live struct; shutdown takes
    // no pointer.
    unsafe {
        if libc::connect(fd, &raw const nobody, size) == 0 {
            libc::shutdown(fd, libc::SHUT_RDWR);
        }
    }
    super::set_errno(errno);
}

/// A copy of `message` that covers up to `limit` of its bytes.
///
/// # Safety
/// `message` is what `recvmsg` or `sendmsg` may be called with.
// `msg_iovlen` is an `int` on some targets.
#[allow(clippy::unnecessary_cast)]
unsafe fn limited<T>(
    message: *const msghdr,
    limit: Limit,
    body: impl FnOnce(*mut msghdr) -> T,
) -> T {
    const PARTS: usize = 16;
    // SAFETY: the caller's promise: a message, and as many parts as it says.
    let (mut copy, parts) = unsafe {
        let copy = *message;
        (
            copy,
            std::slice::from_raw_parts(copy.msg_iov, copy.msg_iovlen as usize),
        )
    };
    assert!(parts.len() <= PARTS, "more parts than the seam knows");
    let mut left = limit.of(parts.iter().map(|part| part.iov_len).sum());
    let mut kept = [iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    }; PARTS];
    for (to, from) in kept.iter_mut().zip(parts) {
        *to = *from;
        to.iov_len = from.iov_len.min(left);
        left -= to.iov_len;
    }
    copy.msg_iov = kept.as_mut_ptr();
    body(&raw mut copy)
}

/// A call that gets no shorter: it fails, or is made as it is.
macro_rules! whole {
    ($($(#[$what:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $result:ty,
        on $fd:expr, fails with $failure:expr;)*) => {$(
        $(#[$what])*
        ///
        /// # Safety
        /// That of the C library's function.
        pub unsafe fn $name($($argument: $kind),*) -> $result {
            match ask(stringify!($name), $fd) {
                // SAFETY: the caller's promise.
                Verdict::Made(_) => unsafe { libc::$name($($argument),*) },
                Verdict::Failed => $failure,
            }
        }
    )*};
}

whole! {
    /// `getsockopt`
    getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, size: *mut socklen_t) -> c_int,
        on fd, fails with -1;
    /// `setsockopt`
    setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, size: socklen_t) -> c_int,
        on fd, fails with -1;
    /// `fstat`
    fstat(fd: c_int, facts: *mut libc::stat) -> c_int, on fd, fails with -1;
    /// `shutdown`
    shutdown(fd: c_int, how: c_int) -> c_int, on fd, fails with -1;
    /// `socket`
    socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int, on -1, fails with -1;
    /// `getpeername`
    getpeername(fd: c_int, name: *mut sockaddr, size: *mut socklen_t) -> c_int, on fd, fails with -1;
    /// `getsockname`
    getsockname(fd: c_int, name: *mut sockaddr, size: *mut socklen_t) -> c_int, on fd, fails with -1;
    /// `if_nametoindex`
    if_nametoindex(name: *const c_char) -> c_uint, on -1, fails with 0;
    /// `mmap`
    mmap(at: *mut c_void, length: size_t, access: c_int, flags: c_int, fd: c_int, offset: libc::off_t)
        -> *mut c_void, on -1, fails with libc::MAP_FAILED;
    /// `madvise`
    madvise(at: *mut c_void, length: size_t, advice: c_int) -> c_int, on -1, fails with -1;
    /// `pthread_create`
    pthread_create(thread: *mut libc::pthread_t, attributes: *const libc::pthread_attr_t,
        enter: extern "C" fn(*mut c_void) -> *mut c_void, argument: *mut c_void) -> c_int,
        on -1, fails with super::errno();
    /// `getaddrinfo`
    getaddrinfo(host: *const c_char, service: *const c_char, hints: *const libc::addrinfo,
        list: *mut *mut libc::addrinfo) -> c_int, on -1, fails with libc::EAI_AGAIN;
    /// `bind`
    bind(fd: c_int, name: *const sockaddr, size: socklen_t) -> c_int, on fd, fails with -1;
    /// `listen`
    listen(fd: c_int, backlog: c_int) -> c_int, on fd, fails with -1;
    /// `epoll_create1`
    epoll_create1(flags: c_int) -> c_int, on -1, fails with -1;
    /// `epoll_ctl`
    epoll_ctl(epoll: c_int, what: c_int, fd: c_int, event: *mut libc::epoll_event) -> c_int,
        on -1, fails with -1;
    /// `eventfd`
    eventfd(count: c_uint, flags: c_int) -> c_int, on -1, fails with -1;
    /// `timerfd_create`
    timerfd_create(clock: libc::clockid_t, flags: c_int) -> c_int, on -1, fails with -1;
    /// `timerfd_settime`
    timerfd_settime(timer: c_int, flags: c_int, new: *const libc::itimerspec,
        old: *mut libc::itimerspec) -> c_int, on -1, fails with -1;
    /// `accept4`
    accept4(fd: c_int, name: *mut sockaddr, size: *mut socklen_t, flags: c_int) -> c_int,
        on fd, fails with -1;
    /// `epoll_wait`
    epoll_wait(fd: c_int, ready: *mut libc::epoll_event, room: c_int, timeout: c_int) -> c_int,
        on fd, fails with -1;
}

/// `fcntl` with one integer.
///
/// # Safety
/// That of the C library's function.
pub unsafe fn fcntl(fd: c_int, command: c_int, argument: c_int) -> c_int {
    match ask("fcntl", fd) {
        // SAFETY: the caller's promise.
        Verdict::Made(_) => unsafe { libc::fcntl(fd, command, argument) },
        Verdict::Failed => -1,
    }
}

/// `ioctl` with one pointer.
///
/// # Safety
/// That of the C library's function.
pub unsafe fn ioctl<T>(fd: c_int, request: libc::Ioctl, argument: *mut T) -> c_int {
    match ask("ioctl", fd) {
        // SAFETY: the caller's promise.
        Verdict::Made(_) => unsafe { libc::ioctl(fd, request, argument) },
        Verdict::Failed => -1,
    }
}

/// `connect`. An interrupted one is made all the same: it goes on in the
/// kernel.
///
/// # Safety
/// That of the C library's function.
pub unsafe fn connect(fd: c_int, address: *const sockaddr, size: socklen_t) -> c_int {
    let verdict = ask("connect", fd);
    let interrupted = matches!(verdict, Verdict::Failed) && super::errno() == libc::EINTR;
    if matches!(verdict, Verdict::Failed) && !interrupted {
        return -1;
    }
    // SAFETY: the caller's promise.
    let outcome = unsafe { libc::connect(fd, address, size) };
    if interrupted && (outcome == 0 || super::errno() == libc::EINPROGRESS) {
        super::set_errno(libc::EINTR);
        return -1;
    }
    outcome
}

/// `poll`; a plan's reset is that of the first fd.
///
/// # Safety
/// That of the C library's function.
pub unsafe fn poll(entries: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
    // SAFETY: the caller's promise: `count` entries.
    let fd = unsafe { entries.as_ref() }.map_or(-1, |entry| entry.fd);
    match ask("poll", fd) {
        // SAFETY: the caller's promise.
        Verdict::Made(_) => unsafe { libc::poll(entries, count, timeout) },
        Verdict::Failed => -1,
    }
}

/// `getrandom`
///
/// # Safety
/// That of the C library's function.
pub unsafe fn getrandom(into: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    match ask("getrandom", -1) {
        // SAFETY: the caller's promise, of fewer bytes.
        Verdict::Made(limit) => unsafe { libc::getrandom(into, limit.of(length), flags) },
        Verdict::Failed => -1,
    }
}

/// `recv`
///
/// # Safety
/// That of the C library's function.
pub unsafe fn recv(fd: c_int, into: *mut c_void, length: size_t, flags: c_int) -> ssize_t {
    match ask("recv", fd) {
        // SAFETY: the caller's promise, of fewer bytes.
        Verdict::Made(limit) => unsafe { libc::recv(fd, into, limit.of(length), flags) },
        Verdict::Failed => -1,
    }
}

/// `send`
///
/// # Safety
/// That of the C library's function.
pub unsafe fn send(fd: c_int, bytes: *const c_void, length: size_t, flags: c_int) -> ssize_t {
    match ask("send", fd) {
        // SAFETY: the caller's promise, of fewer bytes.
        Verdict::Made(limit) => unsafe { libc::send(fd, bytes, limit.of(length), flags) },
        Verdict::Failed => -1,
    }
}

/// `write`
///
/// # Safety
/// That of the C library's function.
pub unsafe fn write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    match ask("write", -1) {
        // SAFETY: the caller's promise, of fewer bytes.
        Verdict::Made(limit) => unsafe { libc::write(fd, bytes, limit.of(length)) },
        Verdict::Failed => -1,
    }
}

/// `recvmsg`
///
/// # Safety
/// That of the C library's function.
pub unsafe fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    match ask("recvmsg", fd) {
        // SAFETY: the caller's promise, of fewer bytes. What the kernel says
        // in the message besides them goes to the copy: `sys` looks at none.
        Verdict::Made(limit) => unsafe {
            limited(message, limit, |copy| libc::recvmsg(fd, copy, flags))
        },
        Verdict::Failed => -1,
    }
}

/// `sendmsg`
///
/// # Safety
/// That of the C library's function.
pub unsafe fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
    match ask("sendmsg", fd) {
        // SAFETY: the caller's promise, of fewer bytes.
        Verdict::Made(limit) => unsafe {
            limited(message, limit, |copy| libc::sendmsg(fd, copy, flags))
        },
        Verdict::Failed => -1,
    }
}
