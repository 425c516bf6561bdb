//! Bytes in and out of a socket.

use std::ffi::c_int;
use std::io::IoSlice;
use std::mem::zeroed;
use std::os::fd::RawFd;

use super::{Errno, counted, os};

/// `recv` into one buffer. 0 is the end of the stream.
pub fn receive(fd: RawFd, into: &mut [u8], flags: c_int) -> Result<usize, Errno> {
    // SAFETY: the pointer and length are those of a live slice.
    let got = unsafe { os::recv(fd, into.as_mut_ptr().cast(), into.len(), flags) };
    counted(got).map(|got| got.min(into.len()))
}

/// `recvmsg` into two buffers, the first filled before the second.
pub fn receive_two(
    fd: RawFd,
    first: &mut [u8],
    second: &mut [u8],
    flags: c_int,
) -> Result<usize, Errno> {
    let room = first.len() + second.len();
    let mut parts = [first, second].map(|part| libc::iovec {
        iov_base: part.as_mut_ptr().cast(),
        iov_len: part.len(),
    });
    // SAFETY: all zero is a valid msghdr; the kernel writes inside the two
    // live slices that the iovecs describe.
    let got = unsafe {
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len() as _;
        os::recvmsg(fd, &raw mut message, flags)
    };
    counted(got).map(|got| got.min(room))
}

/// `sendmsg` of two buffers as one; never raises SIGPIPE.
pub fn send(fd: RawFd, first: &[u8], second: &[u8], flags: c_int) -> Result<usize, Errno> {
    send_parts(fd, &[first, second].map(IoSlice::new), flags)
}

/// As [`send`], of any number up to `IOV_MAX` (1024).
#[inline]
pub fn send_parts(fd: RawFd, parts: &[IoSlice<'_>], flags: c_int) -> Result<usize, Errno> {
    // SAFETY: all zero is a valid msghdr; an IoSlice is an iovec; the kernel only
    // reads the live slices that they describe.
    let sent = unsafe {
        let mut message: libc::msghdr = zeroed();
        message.msg_iov = parts.as_ptr().cast_mut().cast();
        message.msg_iovlen = parts.len() as _;
        os::sendmsg(fd, &raw const message, flags | libc::MSG_NOSIGNAL)
    };
    let total = parts.iter().map(|part| part.len()).sum();
    counted(sent).map(|sent| sent.min(total))
}

/// `send` of one buffer, which the kernel has less work with; never raises
/// SIGPIPE.
#[inline]
pub fn send_one(fd: RawFd, bytes: &[u8], flags: c_int) -> Result<usize, Errno> {
    let flags = flags | libc::MSG_NOSIGNAL;
    // SAFETY: the kernel only reads a live slice.
    let sent = unsafe { os::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) };
    counted(sent).map(|sent| sent.min(bytes.len()))
}
