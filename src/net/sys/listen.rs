//! Sockets that others connect to.

use std::ffi::c_int;
use std::mem::{MaybeUninit, offset_of, size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::{Errno, get_option, os, set_option, status};
use crate::net::local;

/// Where a connection comes from, or where one is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// IPv4 or IPv6, and a port. An IPv4 address that came through an IPv6
    /// socket is IPv4 here.
    Internet(SocketAddr),
    /// A path in the file system; empty for a socket without a name.
    Local(Vec<u8>),
}

/// A `sockaddr` of any family.
struct Raw {
    bytes: MaybeUninit<libc::sockaddr_storage>,
    size: libc::socklen_t,
}

impl Raw {
    fn empty() -> Raw {
        Raw {
            // SAFETY: all zero is a valid sockaddr_storage.
            bytes: MaybeUninit::new(unsafe { zeroed() }),
            size: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }

    fn holding<T>(address: T) -> Raw {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut raw = Raw::empty();
        // SAFETY: the storage is large enough and aligned for every address.
        unsafe { raw.bytes.as_mut_ptr().cast::<T>().write(address) };
        raw.size = size_of::<T>() as libc::socklen_t;
        raw
    }

    fn internet(address: &SocketAddr) -> Raw {
        match address {
            SocketAddr::V4(address) => Raw::holding(super::sockaddr_v4(address)),
            SocketAddr::V6(address) => Raw::holding(super::sockaddr_v6(address)),
        }
    }

    /// `None` where a path is too long for the kernel, or has a NUL in it.
    fn local(path: &[u8]) -> Option<Raw> {
        // SAFETY: all zero is a valid sockaddr_un.
        let mut address: libc::sockaddr_un = unsafe { zeroed() };
        if path.is_empty() || path.len() >= address.sun_path.len() || path.contains(&0) {
            return None;
        }
        address.sun_family = libc::AF_UNIX as libc::sa_family_t;
        for (to, from) in address.sun_path.iter_mut().zip(path) {
            *to = *from as _;
        }
        let mut raw = Raw::holding(address);
        raw.size = (offset_of!(libc::sockaddr_un, sun_path) + path.len() + 1) as libc::socklen_t;
        Some(raw)
    }

    fn read(&self) -> Option<Address> {
        let at = self.bytes.as_ptr();
        // SAFETY: the storage was zeroed and then filled by the kernel; each
        // struct is read only where the family says that it is one.
        unsafe {
            match c_int::from((*at).ss_family) {
                libc::AF_INET => {
                    let raw = &*at.cast::<libc::sockaddr_in>();
                    let ip = Ipv4Addr::from(raw.sin_addr.s_addr.to_ne_bytes());
                    let port = u16::from_be(raw.sin_port);
                    Some(Address::Internet(SocketAddr::new(ip.into(), port)))
                }
                libc::AF_INET6 => {
                    let raw = &*at.cast::<libc::sockaddr_in6>();
                    let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
                    let port = u16::from_be(raw.sin6_port);
                    Some(Address::Internet(match ip.to_ipv4_mapped() {
                        Some(ip) => SocketAddr::new(IpAddr::V4(ip), port),
                        None => SocketAddrV6::new(ip, port, 0, raw.sin6_scope_id).into(),
                    }))
                }
                libc::AF_UNIX => {
                    let raw = &*at.cast::<libc::sockaddr_un>();
                    let path = raw.sun_path.iter().take_while(|byte| **byte != 0);
                    Some(Address::Local(path.map(|byte| *byte as u8).collect()))
                }
                _ => None,
            }
        }
    }
}

/// How a socket listens.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    /// Connections that may wait to be accepted.
    pub backlog: c_int,
    /// Who else may listen on the port.
    pub sharing: Sharing,
}

/// Whether several sockets listen on one port: the kernel then shares
/// connections out between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// It is this socket's alone.
    Alone,
    /// Nobody may have it yet, but others are to come.
    First,
    /// It is that of another socket of ours.
    Joining,
}

/// A new listening socket, non-blocking and closed on exec. An IPv6 address
/// of all zeros takes IPv4 as well. A path that a dead server left is replaced.
pub fn listen(address: &Address, how: Listening) -> Result<OwnedFd, Errno> {
    let (family, raw) = match address {
        Address::Internet(address @ SocketAddr::V4(_)) => (libc::AF_INET, Raw::internet(address)),
        Address::Internet(address) => (libc::AF_INET6, Raw::internet(address)),
        Address::Local(path) => (
            libc::AF_UNIX,
            Raw::local(path).ok_or(Errno(libc::ENAMETOOLONG))?,
        ),
    };
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes no pointer; the new fd is nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(status(os::socket(family, kind, 0))?) };
    let fd = socket.as_raw_fd();
    if family != libc::AF_UNIX {
        // A server that restarts finds its port in TIME_WAIT otherwise.
        set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
        if how.sharing == Sharing::Joining {
            set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
        }
    }
    if let Address::Internet(SocketAddr::V6(address)) = address {
        let only = c_int::from(!address.ip().is_unspecified());
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, only)?;
    }
    match (bind(fd, &raw), address) {
        (Err(Errno(libc::EADDRINUSE)), Address::Local(path)) if is_deserted(path, &raw) => {
            remove_path(path);
            bind(fd, &raw)?;
        }
        (bound, _) => bound?,
    }
    // After the bind: a second server on the same port would get half of the
    // connections otherwise, and nobody would be told.
    if how.sharing == Sharing::First && family != libc::AF_UNIX {
        set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    }
    // SAFETY: takes no pointer.
    status(unsafe { os::listen(fd, how.backlog) })?;
    Ok(socket)
}

fn bind(fd: RawFd, to: &Raw) -> Result<(), Errno> {
    // SAFETY: the kernel reads `size` bytes of a live struct.
    status(unsafe { os::bind(fd, to.bytes.as_ptr().cast(), to.size) }).map(drop)
}

/// Whether a path is a socket's that nobody listens on any more.
fn is_deserted(path: &[u8], raw: &Raw) -> bool {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // Connecting to a file of another kind is refused just so.
    if !local::is_socket(path) {
        return false;
    }
    // SAFETY: takes no pointer; the new fd is nobody else's.
    let Ok(probe) = status(unsafe { os::socket(libc::AF_UNIX, kind, 0) }) else {
        return false;
    };
    // SAFETY: a new descriptor; the kernel reads `size` bytes of a live struct.
    unsafe {
        let probe = OwnedFd::from_raw_fd(probe);
        let at = raw.bytes.as_ptr().cast();
        status(os::connect(probe.as_raw_fd(), at, raw.size)) == Err(Errno(libc::ECONNREFUSED))
    }
}

/// Takes a connection that waits: non-blocking, closed on exec. `EAGAIN`:
/// none does.
pub fn accept(listener: RawFd) -> Result<(OwnedFd, Option<Address>), Errno> {
    let mut raw = Raw::empty();
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the kernel writes at most `size` bytes; the new fd is nobody
    // else's.
    let socket = unsafe {
        let at = raw.bytes.as_mut_ptr().cast();
        OwnedFd::from_raw_fd(status(os::accept4(listener, at, &raw mut raw.size, flags))?)
    };
    Ok((socket, raw.read()))
}

/// The address that a socket is bound to.
pub fn own_address(fd: RawFd) -> Result<Option<Address>, Errno> {
    let mut raw = Raw::empty();
    // SAFETY: the kernel writes at most `size` bytes.
    status(unsafe { os::getsockname(fd, raw.bytes.as_mut_ptr().cast(), &raw mut raw.size) })?;
    Ok(raw.read())
}

/// The address at a connection's other end.
pub fn peer_address(fd: RawFd) -> Result<Option<Address>, Errno> {
    let mut raw = Raw::empty();
    // SAFETY: as above.
    status(unsafe { os::getpeername(fd, raw.bytes.as_mut_ptr().cast(), &raw mut raw.size) })?;
    Ok(raw.read())
}

/// Whether a socket accepts connections.
#[must_use]
pub fn is_listening(fd: RawFd) -> bool {
    get_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN) == Ok(1)
}

/// Whether a number is a stream socket.
#[must_use]
pub fn is_stream(fd: RawFd) -> bool {
    get_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_TYPE) == Ok(libc::SOCK_STREAM)
}

/// Makes a socket that the program brings non-blocking and closed on exec.
pub fn make_ours(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: these commands take integers.
    unsafe {
        let flags = status(os::fcntl(fd, libc::F_GETFL, 0))?;
        status(os::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK))?;
        status(os::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC))?;
    }
    Ok(())
}

/// Another descriptor of the same socket, closed on exec.
pub fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: the command takes an integer; the new fd is nobody else's.
    unsafe {
        let copy = status(os::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0))?;
        Ok(OwnedFd::from_raw_fd(copy))
    }
}

/// A descriptor that stands for nothing: kept so that one is left when the
/// process has no more.
pub fn spare() -> Result<OwnedFd, Errno> {
    // SAFETY: takes no pointer; the new fd is nobody else's.
    unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        Ok(OwnedFd::from_raw_fd(status(os::socket(
            libc::AF_UNIX,
            kind,
            0,
        ))?))
    }
}

/// Has the kernel look for dead peers after `seconds` of silence.
pub fn keep_alive(fd: RawFd, seconds: u32) -> Result<(), Errno> {
    let seconds = c_int::try_from(seconds).unwrap_or(c_int::MAX);
    set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, seconds)?;
    set_option(
        fd,
        libc::IPPROTO_TCP,
        libc::TCP_KEEPINTVL,
        (seconds / 3).max(1),
    )?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3)
}

/// Removes the name of a local socket.
pub fn remove_path(path: &[u8]) {
    let mut name = path.to_vec();
    name.push(0);
    // SAFETY: a live NUL-terminated string. A name that is gone needs nothing.
    let _ = unsafe { libc::unlink(name.as_ptr().cast()) };
}
