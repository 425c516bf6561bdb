//! What the kernel is asked about a socket, and what is made of no answer.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

use wsembed::net::sys;

/// How many of the 136 bytes of `tcp_info` up to `tcpi_bytes_received` there are.
fn length_of_tcp_info(stream: &TcpStream) -> u32 {
    let mut facts = [0u8; 136];
    let mut size = 136;
    // SAFETY: the kernel writes at most `size` bytes into the array.
    let status = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            facts.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    assert_eq!(status, 0);
    size
}

#[test]
fn tr25_a_socket_that_met_itself_is_noticed() {
    // SAFETY: takes integers; the new descriptor is nobody else's.
    let socket = unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        TcpListener::from_raw_fd(fd)
    };
    let fd = socket.as_raw_fd();
    // SAFETY: all zero is a valid address, of a port that the kernel picks.
    let mut own: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    own.sin_family = libc::AF_INET as libc::sa_family_t;
    own.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    let size = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: a live struct of the size that is given.
    assert_eq!(unsafe { libc::bind(fd, (&raw const own).cast(), size) }, 0);
    let address = socket.local_addr().unwrap();
    sys::connect(fd, &address).unwrap();
    assert!(sys::is_self_connected(fd));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(!sys::is_self_connected(other.as_raw_fd()));
}

#[test]
fn bytes_taken_is_a_count_only_where_the_kernel_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut near, _) = listener.accept().unwrap();
    // Linux before 4.1 and QEMU's user mode give a shorter answer.
    let counts = length_of_tcp_info(&near) == 136;
    assert_eq!(sys::bytes_taken(near.as_raw_fd()), counts.then_some(0));
    far.write_all(b"hello").unwrap();
    near.read_exact(&mut [0; 3]).unwrap();
    assert_eq!(sys::bytes_taken(near.as_raw_fd()), counts.then_some(3));
}
