//! A socket made of memory: reading copies from a batch and writing copies
//! into a buffer of its own, as the kernel would.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug, Clone, Default)]
pub struct Stream {
    bytes: Vec<u8>,
    at: usize,
    /// Where reads end, in order; none: wherever the reader's room does.
    cuts: Vec<usize>,
    next_cut: usize,
    endless: bool,
    written: Vec<u8>,
}

/// What a write is copied to at most in one piece, as a socket's buffers are
/// used again and again.
const WRITTEN: usize = 64 << 10;

impl Stream {
    #[must_use]
    pub fn new(bytes: Vec<u8>, cuts: Vec<usize>) -> Stream {
        Stream {
            bytes,
            cuts,
            ..Stream::default()
        }
    }

    /// The same bytes come again and again.
    #[must_use]
    pub fn endless(self) -> Stream {
        Stream {
            endless: true,
            ..self
        }
    }

    /// The same bytes come once more.
    pub fn rewind(&mut self) {
        self.at = 0;
        self.next_cut = 0;
    }

    /// What one read brings into room for `room` bytes; empty at the end.
    #[inline]
    pub fn bring(&mut self, room: usize) -> &[u8] {
        if self.endless && self.at == self.bytes.len() {
            self.rewind();
        }
        let mut end = self.bytes.len().min(self.at + room);
        if let Some(&cut) = self.cuts.get(self.next_cut) {
            end = end.min(cut);
            self.next_cut += usize::from(end == cut);
        }
        let taken = &self.bytes[self.at..end];
        self.at = end;
        taken
    }

    #[inline]
    pub fn read_into(&mut self, room: &mut [u8]) -> usize {
        let taken = self.bring(room.len());
        room[..taken.len()].copy_from_slice(taken);
        taken.len()
    }

    /// Writes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if self.written.is_empty() {
            self.written = vec![0; WRITTEN];
        }
        for piece in bytes.chunks(WRITTEN) {
            self.written[..piece.len()].copy_from_slice(piece);
            black_box(&mut self.written);
        }
    }
}

impl Read for Stream {
    #[inline]
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.read_into(room) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Stream {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let taken = self.bring(room.remaining());
        room.put_slice(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.put(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        for part in parts {
            self.put(part);
        }
        Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
