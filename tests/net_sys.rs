//! What the kernel is asked about a socket, and what is made of no answer.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

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
