//! TCP connections within a deadline.
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use super::sys::{self, Errno};

/// The least time that one of several addresses is given, in ms.
const SHARE_MS: u64 = 200;

/// A connected, non-blocking socket with Nagle's algorithm off, to the first
/// of `addresses` that takes it.
///
/// A refused connect is tried again each millisecond until `deadline` (of
/// [`sys::now_ms`]): devices often start before their server. Each address
/// gets its share of the time, so one that does not answer leaves some to the
/// next. The error is that of the last attempt, `ETIMEDOUT` for no answer.
pub fn connect(addresses: &[SocketAddr], deadline: u64) -> Result<OwnedFd, Errno> {
    let mut last = Errno(libc::EHOSTUNREACH);
    loop {
        let mut refused = false;
        for (at, address) in addresses.iter().enumerate() {
            let now = sys::now_ms();
            let left = deadline.saturating_sub(now);
            let share = (left / (addresses.len() - at) as u64).max(SHARE_MS);
            match attempt(address, deadline.min(now + share)) {
                Ok(socket) => return Ok(socket),
                Err(error) => {
                    refused |= error == Errno(libc::ECONNREFUSED);
                    last = error;
                }
            }
        }
        if !refused {
            return Err(last);
        }
        if sys::now_ms() >= deadline {
            return Err(Errno(libc::ECONNREFUSED));
        }
        sys::sleep_ms(1);
    }
}

fn attempt(address: &SocketAddr, deadline: u64) -> Result<OwnedFd, Errno> {
    let socket = sys::tcp_socket(address)?;
    let fd = socket.as_raw_fd();
    sys::no_delay(fd);
    match sys::connect(fd, address) {
        // An interrupted connect goes on in the kernel.
        Ok(()) | Err(Errno(libc::EINPROGRESS | libc::EINTR)) => {}
        Err(error) => return Err(error),
    }
    if !sys::wait_until(fd, libc::POLLOUT, deadline)? {
        return Err(Errno(libc::ETIMEDOUT));
    }
    match sys::socket_error(fd)? {
        // Nobody listens: the retries have met their own port (TR25).
        0 if sys::is_self_connected(fd) => Err(Errno(libc::ECONNREFUSED)),
        0 => Ok(socket),
        error => Err(Errno(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};

    fn free_port() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap()
    }

    #[test]
    fn tr24_refused_until_the_deadline_is_refused() {
        let address = free_port();
        let outcome = connect(&[address], sys::now_ms() + 30);
        assert_eq!(outcome.map(drop), Err(Errno(libc::ECONNREFUSED)));
        assert!(connect(&[], sys::now_ms() + 30).is_err());
    }

    #[test]
    fn tr24_the_next_address_is_tried() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addresses = [free_port(), listener.local_addr().unwrap()];
        let socket = connect(&addresses, sys::now_ms() + 10_000).unwrap();
        assert!(socket.as_raw_fd() >= 3);
        assert_eq!(sys::socket_error(socket.as_raw_fd()), Ok(0));
    }
}
