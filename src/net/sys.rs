//! The only system calls of the library.
//!
//! Each function makes one system call and says what came of it; what to do
//! about `EINTR` or `EAGAIN` is the caller's business unless said otherwise.
//! Every call passes `counted` or `status`, the one place where an outcome
//! is read.

use std::ffi::{CStr, c_int};
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

pub use super::random::fill as random;
pub use entropy::{PAGE, WipedPage, kernel_random};
pub use resolve::host_addresses;
pub use thread::{Thread, start_thread};
pub use transfer::{receive, receive_two, send, send_one, send_parts};

mod entropy;
pub mod epoll;
#[cfg(wsembed_faults)]
pub mod faults;
pub mod listen;
mod resolve;
mod thread;
mod transfer;

// The seam: in builds for tests, the calls that can fail pass a place that
// makes them fail. Everywhere else the name stands for the C library itself,
// and nothing of the seam is built.
#[cfg(wsembed_faults)]
use faults as os;
#[cfg(not(wsembed_faults))]
use libc as os;

/// An `errno` value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub c_int);

impl Errno {
    /// Whether trying again later may help: the socket itself is in order.
    #[must_use]
    pub fn is_passing(self) -> bool {
        // EAGAIN and EWOULDBLOCK are one value on every Linux.
        matches!(
            self.0,
            libc::EAGAIN | libc::EINTR | libc::ENOBUFS | libc::ENOMEM
        )
    }
}

/// What tells one socket from the next that gets its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// `SO_COOKIE`: unique among the sockets of a boot.
    Cookie(u64),
    /// The inode, on kernels that give no cookie.
    Inode(u64),
}

// Not in the libc crate; the value holds on every architecture with the
// generic socket options, and on MIPS.
const SO_COOKIE: c_int = 57;

fn counted(outcome: isize) -> Result<usize, Errno> {
    usize::try_from(outcome).map_err(|_| Errno(errno()))
}

fn status(outcome: c_int) -> Result<c_int, Errno> {
    if outcome < 0 {
        Err(Errno(errno()))
    } else {
        Ok(outcome)
    }
}

/// The calling thread's `errno`.
#[must_use]
pub fn errno() -> c_int {
    // SAFETY: the pointer is to the thread's own errno, valid while it runs.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's `errno`.
pub fn set_errno(value: c_int) {
    // SAFETY: as for `errno`.
    unsafe { *libc::__errno_location() = value }
}

/// `poll` on one fd; true if something is ready, false after `timeout_ms`
/// milliseconds.
pub fn poll(fd: RawFd, events: i16, timeout_ms: c_int) -> Result<bool, Errno> {
    let mut entry = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one live entry.
    status(unsafe { os::poll(&raw mut entry, 1, timeout_ms) }).map(|ready| ready > 0)
}

/// Waits for `events` until a point of [`now_ms`]; false when it has come.
/// Signals do not end the wait.
pub fn wait_until(fd: RawFd, events: i16, deadline: u64) -> Result<bool, Errno> {
    loop {
        let left = deadline.saturating_sub(now_ms());
        match poll(fd, events, c_int::try_from(left).unwrap_or(c_int::MAX)) {
            Err(Errno(libc::EINTR)) => {}
            Ok(false) if now_ms() < deadline => {}
            outcome => return outcome,
        }
    }
}

fn get_option<T>(fd: RawFd, level: c_int, name: c_int) -> Result<T, Errno>
where
    T: Copy + Default,
{
    get_sized(fd, level, name).map(|(value, _)| value)
}

/// As `get_option`, with how many bytes the kernel wrote: the rest is zeros.
fn get_sized<T>(fd: RawFd, level: c_int, name: c_int) -> Result<(T, usize), Errno>
where
    T: Copy + Default,
{
    let mut value = T::default();
    let mut size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes into `value`; the types
    // used with this function are plain integers and arrays of them.
    status(unsafe { os::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut size) })?;
    Ok((value, size as usize))
}

fn set_option(fd: RawFd, level: c_int, name: c_int, value: c_int) -> Result<(), Errno> {
    let size = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the kernel reads `size` bytes of a live integer.
    status(unsafe { os::setsockopt(fd, level, name, (&raw const value).cast(), size) })?;
    Ok(())
}

/// Which socket a number stands for now.
pub fn identity(fd: RawFd) -> Result<Identity, Errno> {
    match get_option::<u64>(fd, libc::SOL_SOCKET, SO_COOKIE) {
        Ok(cookie) => Ok(Identity::Cookie(cookie)),
        Err(Errno(libc::ENOPROTOOPT | libc::EINVAL)) => inode(fd).map(Identity::Inode),
        Err(error) => Err(error),
    }
}

// `ino_t` has 32 bits on some targets.
#[allow(clippy::unnecessary_cast)]
fn inode(fd: RawFd) -> Result<u64, Errno> {
    let mut facts = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat fills the struct when it returns 0; only then it is read.
    unsafe {
        status(os::fstat(fd, facts.as_mut_ptr()))?;
        Ok(facts.assume_init().st_ino as u64)
    }
}

/// Whether the socket is local (AF_UNIX).
#[must_use]
pub fn is_local(fd: RawFd) -> bool {
    get_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_DOMAIN) == Ok(libc::AF_UNIX)
}

/// How many bytes have ever been taken from a TCP socket; `None` where the
/// kernel does not say (no TCP, or before Linux 4.1).
#[must_use]
pub fn bytes_taken(fd: RawFd) -> Option<u64> {
    // `tcpi_bytes_received` is the eight bytes at offset 128 of `tcp_info`.
    let (facts, size) = get_sized::<[u64; 17]>(fd, libc::IPPROTO_TCP, libc::TCP_INFO).ok()?;
    // An older kernel's answer ends before them, and is no count of zero.
    if size < size_of::<[u64; 17]>() {
        return None;
    }
    let mut pending: c_int = 0;
    // SAFETY: FIONREAD writes one integer.
    status(unsafe { os::ioctl(fd, libc::FIONREAD, &raw mut pending) }).ok()?;
    facts[16].checked_sub(u64::try_from(pending).ok()?)
}

/// Has the kernel look again whether an edge-triggered waiter is to be woken:
/// on TCP (Linux 4.18) this raises a new edge if bytes or a FIN are pending.
pub fn renew_edge(fd: RawFd) {
    // Where it fails, the socket is gone, and there is no edge to renew.
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_RCVLOWAT, 1);
}

/// Turns Nagle's algorithm off.
pub fn no_delay(fd: RawFd) {
    // A socket that is not TCP has no such delay.
    let _ = set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
}

/// The pending error of a socket (`SO_ERROR`), 0 if none.
pub fn socket_error(fd: RawFd) -> Result<c_int, Errno> {
    get_option(fd, libc::SOL_SOCKET, libc::SO_ERROR)
}

/// Whether a send on this fd waits for room without end: a blocking fd with
/// no `SO_SNDTIMEO`.
#[must_use]
pub fn sends_wait_forever(fd: RawFd) -> bool {
    // SAFETY: F_GETFL takes no argument; what is passed is not looked at.
    let flags = unsafe { os::fcntl(fd, libc::F_GETFL, 0) };
    // A timeval is two integers, each of the size of a C long at most.
    let timeout = get_option::<[u64; 2]>(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO);
    flags >= 0 && flags & libc::O_NONBLOCK == 0 && timeout == Ok([0, 0])
}

/// Ends the sending direction, and wakes whoever polls the socket.
pub fn shutdown_sending(fd: RawFd) {
    // SAFETY: takes no pointer. A socket that is not connected needs none.
    let _ = unsafe { os::shutdown(fd, libc::SHUT_WR) };
}

/// Ends both directions of a connection.
pub fn shutdown(fd: RawFd) {
    // SAFETY: takes no pointer. A socket that is not connected needs none.
    let _ = unsafe { os::shutdown(fd, libc::SHUT_RDWR) };
}

/// A new non-blocking TCP socket, closed on exec, numbered 3 or above: the
/// drop-in reports success as a number above 0, and a program that closed its
/// standard streams must not print into a connection.
pub fn tcp_socket(address: &SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the new fd is nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(status(os::socket(family, kind, 0))?) };
    if socket.as_raw_fd() >= 3 {
        return Ok(socket);
    }
    // SAFETY: as above; the old number is closed when `socket` is dropped.
    unsafe {
        let moved = status(os::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3))?;
        Ok(OwnedFd::from_raw_fd(moved))
    }
}

/// Starts to connect; `EINPROGRESS` is the usual answer.
pub fn connect(fd: RawFd, address: &SocketAddr) -> Result<(), Errno> {
    let outcome = match address {
        SocketAddr::V4(address) => {
            let raw = sockaddr_v4(address);
            let size = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            // SAFETY: the kernel reads `size` bytes of a live struct.
            unsafe { os::connect(fd, (&raw const raw).cast(), size) }
        }
        SocketAddr::V6(address) => {
            let raw = sockaddr_v6(address);
            let size = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            // SAFETY: as above.
            unsafe { os::connect(fd, (&raw const raw).cast(), size) }
        }
    };
    status(outcome).map(drop)
}

/// Whether a socket is connected to itself, as a connect to a free local port
/// can end (both ends pick the same port).
#[must_use]
pub fn is_self_connected(fd: RawFd) -> bool {
    type Name = [u64; 16];
    let ask = |peer: bool| -> Option<Name> {
        let mut name: Name = [0; 16];
        let mut size = size_of::<Name>() as libc::socklen_t;
        let at = (&raw mut name).cast::<libc::sockaddr>();
        // SAFETY: 128 bytes, aligned, hold every socket address.
        let outcome = unsafe {
            if peer {
                os::getpeername(fd, at, &raw mut size)
            } else {
                os::getsockname(fd, at, &raw mut size)
            }
        };
        (outcome == 0).then_some(name)
    };
    matches!((ask(false), ask(true)), (Some(own), Some(peer)) if own == peer)
}

fn sockaddr_v4(address: &SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: in_addr(*address.ip()),
        sin_zero: [0; 8],
    }
}

fn sockaddr_v6(address: &SocketAddrV6) -> libc::sockaddr_in6 {
    libc::sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: address.port().to_be(),
        sin6_flowinfo: address.flowinfo(),
        sin6_addr: libc::in6_addr {
            s6_addr: address.ip().octets(),
        },
        sin6_scope_id: address.scope_id(),
    }
}

fn in_addr(ip: Ipv4Addr) -> libc::in_addr {
    libc::in_addr {
        s_addr: u32::from_ne_bytes(ip.octets()),
    }
}

/// Asks for (`new` is `None`) or sets the IPv4 address of an interface.
/// `ENODEV` for a name that no interface can have.
pub fn interface_address(name: &CStr, new: Option<Ipv4Addr>) -> Result<Ipv4Addr, Errno> {
    let name = name.to_bytes_with_nul();
    if name.len() < 2 || name.len() > libc::IFNAMSIZ {
        return Err(Errno(libc::ENODEV));
    }
    // SAFETY: the fd is new and ours; all zero is a valid ifreq; the address
    // in it is read as IPv4 only where the kernel says that it is.
    unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(status(os::socket(libc::AF_INET, kind, 0))?);
        let mut request: libc::ifreq = zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(name) {
            *to = *from as _;
        }
        let address = (&raw mut request.ifr_ifru).cast::<libc::sockaddr_in>();
        let command = if let Some(ip) = new {
            (*address).sin_family = libc::AF_INET as libc::sa_family_t;
            (*address).sin_addr = in_addr(ip);
            libc::SIOCSIFADDR
        } else {
            libc::SIOCGIFADDR
        };
        status(os::ioctl(
            socket.as_raw_fd(),
            command as _,
            &raw mut request,
        ))?;
        if c_int::from((*address).sin_family) != libc::AF_INET {
            return Err(Errno(libc::EAFNOSUPPORT));
        }
        Ok(Ipv4Addr::from((*address).sin_addr.s_addr.to_ne_bytes()))
    }
}

/// The index of an interface, for the zone of a link-local IPv6 address.
#[must_use]
pub fn interface_index(name: &CStr) -> Option<u32> {
    // SAFETY: a live NUL-terminated string.
    let index = unsafe { os::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

/// Milliseconds on a clock that only goes forward.
#[must_use]
pub fn now_ms() -> u64 {
    // SAFETY: all zero is a valid timespec, and the clock always exists.
    let now = unsafe {
        let mut now: libc::timespec = zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now);
        now
    };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Sleeps for at least so many milliseconds; signals do not cut it short.
pub fn sleep_ms(ms: u32) {
    // std's sleep is clock_nanosleep with what a signal left of the time.
    std::thread::sleep(Duration::from_millis(u64::from(ms)));
}

/// As [`sleep_ms`], in microseconds.
pub fn sleep_us(us: u32) {
    std::thread::sleep(Duration::from_micros(u64::from(us)));
}

/// Has `prepare` run before each fork, `parent` and `child` after it.
pub fn at_fork(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: functions of this library, which stay while it is loaded; the
    // C library forgets them when it is not. It fails only for want of memory,
    // and then a fork is as it is without handlers.
    let _ = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// Runs `body` with every signal blocked: threads started in it inherit that.
fn with_signals_blocked<T>(body: impl FnOnce() -> T) -> T {
    struct Restore(libc::sigset_t);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: the set is the one that was read before.
            let _ = unsafe {
                libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut())
            };
        }
    }
    // SAFETY: sigfillset and pthread_sigmask fill the two sets before use.
    let _restore = unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (zeroed(), zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        Restore(before)
    };
    body()
}
