//! One frame out.
//!
//! A frame leaves whole or not at all: what the kernel took only in part is
//! kept, and goes out before anything else, on the next send or receive.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::fence;

use super::fd::{Passage, Record, Socket, Stop};
use super::kind::Kind;
use super::{lock, try_lock};
use crate::net::sys::{self, Errno};
use crate::proto::frame::{self, MAX_CONTROL, MAX_HEADER};
use crate::proto::mask;

/// How long a client waits for room for the rest of a frame, in ms.
const CLIENT_WAIT_MS: u64 = 500;
/// Masked frames up to this size are built on the stack.
const SMALL: usize = 2048;

/// What is still to be sent of a frame.
#[derive(Debug, Default)]
pub struct Tx {
    rest: Vec<u8>,
    sent: usize,
}

/// An automatic answer that waits for its turn.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    kind: Kind,
    masked: bool,
    payload: [u8; MAX_CONTROL],
    length: usize,
}

impl Tx {
    fn rest(&self) -> &[u8] {
        self.rest.get(self.sent..).unwrap_or_default()
    }

    fn clear(&mut self) {
        *self = Tx::default();
    }

    /// Keeps what follows the first `sent` bytes of two parts.
    fn keep(&mut self, first: &[u8], second: &[u8], sent: usize) -> Result<(), Errno> {
        let (first, second) = behind(first, second, sent);
        self.clear();
        self.rest
            .try_reserve_exact(first.len() + second.len())
            .map_err(|_| Errno(libc::ENOMEM))?;
        self.rest.extend_from_slice(first);
        self.rest.extend_from_slice(second);
        Ok(())
    }
}

/// Two parts without their first `sent` bytes.
fn behind<'p>(first: &'p [u8], second: &'p [u8], sent: usize) -> (&'p [u8], &'p [u8]) {
    match first.get(sent..) {
        Some(first) => (first, second),
        None => (&[], second.get(sent - first.len()..).unwrap_or_default()),
    }
}

/// Sends one frame; returns the bytes of the whole frame, header included.
///
/// `EINVAL`: a control payload over 125 bytes, or a kind that is no frame.
/// `EAGAIN`: nothing was written, the kernel is full.
pub fn send(fd: RawFd, payload: &[u8], masked: bool, kind: Kind) -> Result<usize, Errno> {
    let first = kind.first_byte().ok_or(Errno(libc::EINVAL))?;
    if kind.is_control() && payload.len() > MAX_CONTROL {
        return Err(Errno(libc::EINVAL));
    }
    repeat(fd, |socket| {
        let role_matters = socket.record.client && !masked;
        if role_matters || kind == Kind::Close {
            socket.verify()?;
        }
        let sent = send_frame(socket, first, payload, masked || socket.record.client)?;
        if kind == Kind::Close {
            socket.record.close_sent.store(true, Relaxed);
        }
        Ok(sent)
    })
}

/// Sends bytes that are no frame, whole or not at all, like a frame.
pub fn send_raw(fd: RawFd, bytes: &[u8]) -> Result<usize, Errno> {
    repeat(fd, |socket| push(socket, bytes, &[]))
}

/// Runs `body` on the fd's record, again where it was another socket's.
fn repeat(
    fd: RawFd,
    mut body: impl FnMut(&mut Socket) -> Result<usize, Stop>,
) -> Result<usize, Errno> {
    loop {
        match body(&mut Socket::find(fd)?) {
            Ok(sent) => return Ok(sent),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Stale) => {}
        }
    }
}

fn send_frame(socket: &mut Socket, first: u8, payload: &[u8], masked: bool) -> Result<usize, Stop> {
    let length = payload.len() as u64;
    if !masked {
        let (header, size) = frame::encode(first, None, length);
        return push(socket, header.get(..size).unwrap_or_default(), payload);
    }
    let key = new_key()?;
    let (header, size) = frame::encode(first, Some(key), length);
    let header = header.get(..size).unwrap_or_default();
    // One buffer: masked once, before anything is sent, whatever the program
    // does to its own buffer meanwhile.
    let mut small = [0; SMALL];
    if let Some(room) = small.get_mut(..payload.len()) {
        mask::copy(room, payload, key, 0);
        return push(socket, header, room);
    }
    let mut large = Vec::new();
    large
        .try_reserve_exact(payload.len())
        .map_err(|_| Errno(libc::ENOMEM))?;
    mask::append(&mut large, payload, key, 0);
    push(socket, header, &large)
}

/// A mask key; without the kernel's randomness nothing is masked, and sent.
fn new_key() -> Result<[u8; 4], Errno> {
    let mut key = [0; 4];
    if sys::random(&mut key) {
        Ok(key)
    } else {
        Err(Errno(libc::EIO))
    }
}

/// Sends two parts as one piece, behind what is already waiting.
fn push(socket: &mut Socket, first: &[u8], second: &[u8]) -> Result<usize, Stop> {
    let total = first.len() + second.len();
    if i32::try_from(total).is_err() {
        return Err(Errno(libc::EMSGSIZE).into());
    }
    let gate = Arc::clone(&socket.gate);
    let record = Arc::clone(&socket.record);
    let outcome = {
        let passage = match gate.try_pass() {
            Some(passage) => passage,
            None => {
                socket.pass_waiting_send()?;
                gate.pass()
            }
        };
        // Whoever had the gate before may have found the record stale, and
        // left the rest of a frame with the right one.
        if !socket.is_in_place() {
            return Err(Stop::Stale);
        }
        if Record::any_holds_tx() {
            socket.verify()?;
        }
        let mut tx = lock(&record.tx);
        let outcome = push_locked(socket, &passage, &mut tx, first, second);
        note(&record, &tx);
        outcome
    };
    // A receive that found the lock taken left its answer to this thread. The
    // fences pair up: either that receive sees the lock free, or this the flag.
    fence(SeqCst);
    if record.holds_tx() {
        flush(socket);
    }
    outcome.map(|()| total)
}

fn push_locked(
    socket: &mut Socket,
    passage: &Passage<'_>,
    tx: &mut Tx,
    first: &[u8],
    second: &[u8],
) -> Result<(), Stop> {
    if socket.record.holds_tx() {
        socket.verify()?;
        passage.may_wait(&socket.record);
        drain(socket.fd, &socket.record, tx, 0)?;
    }
    let sent = match give(socket.fd, first, second, libc::MSG_DONTWAIT) {
        Err(Errno(libc::EAGAIN)) => 0,
        outcome => outcome?,
    };
    if sent == first.len() + second.len() {
        return Ok(());
    }
    // From here on the record decides: whose the rest is, and, where the fd
    // blocks, whom a wait holds up.
    if sent == 0 {
        socket.verify()?;
    }
    let fd = socket.fd;
    let lost = |error: &Errno| break_off(fd, *error);
    if socket.is_current().inspect_err(lost)? {
        return send_rest(socket, passage, tx, (first, second), sent);
    }
    let mut current = socket.successor().inspect_err(lost)?;
    let record = Arc::clone(&current.record);
    let mut tx = lock(&record.tx);
    let outcome = send_rest(&mut current, passage, &mut tx, (first, second), sent);
    note(&record, &tx);
    outcome
}

/// Sends as the kernel does. A reset that came in one edge with the last frames
/// leaves nothing that would raise another (SO_RCVLOWAT does for bytes and a
/// FIN only): an edge-triggered program would never hang up. shutdown() wakes
/// epoll; and the direction that it ends is the one that has just failed.
fn give(fd: RawFd, first: &[u8], second: &[u8], flags: i32) -> Result<usize, Errno> {
    let outcome = sys::send(fd, first, second, flags);
    if matches!(outcome, Err(Errno(libc::EPIPE | libc::ECONNRESET))) {
        sys::shutdown_sending(fd);
    }
    outcome
}

/// Part of a frame is out and the rest is lost: nothing may follow it.
fn break_off(fd: RawFd, error: Errno) {
    // A number that is no socket's now may be another one's in a moment.
    if error != Errno(libc::EBADF) {
        sys::shutdown_sending(fd);
    }
}

/// Goes on behind the first `sent` bytes, and waits where the fd does.
fn send_rest(
    socket: &mut Socket,
    passage: &Passage<'_>,
    tx: &mut Tx,
    (first, second): (&[u8], &[u8]),
    mut sent: usize,
) -> Result<(), Stop> {
    passage.may_wait(&socket.record);
    let rest = behind(first, second, sent);
    match give(socket.fd, rest.0, rest.1, 0) {
        Ok(more) => sent += more,
        Err(error) if sent > 0 && error.is_passing() => {}
        Err(error) => {
            if sent > 0 {
                break_off(socket.fd, error);
            }
            return Err(error.into());
        }
    }
    if sent == 0 {
        return Err(Errno(libc::EAGAIN).into());
    }
    if sent < first.len() + second.len() && !socket.is_in_place() {
        // Closed during the wait, and the number is another socket's.
        return Err(Errno(libc::EPIPE).into());
    }
    finish(socket, tx, first, second, sent)
}

/// Sends what can be sent of the rest of a frame, and keeps what cannot.
fn finish(
    socket: &mut Socket,
    tx: &mut Tx,
    first: &[u8],
    second: &[u8],
    mut sent: usize,
) -> Result<(), Stop> {
    let total = first.len() + second.len();
    // A blocking fd without a time limit stops short only for a signal.
    let (flags, patience) = if sys::sends_wait_forever(socket.fd) {
        (0, 0)
    } else if socket.record.client {
        (libc::MSG_DONTWAIT, CLIENT_WAIT_MS)
    } else {
        (libc::MSG_DONTWAIT, 0)
    };
    let deadline = sys::now_ms() + patience;
    while sent < total {
        let (first, second) = behind(first, second, sent);
        match give(socket.fd, first, second, flags) {
            Ok(more) => sent += more,
            Err(Errno(libc::EINTR)) => {}
            Err(error) if error.is_passing() && sys::now_ms() < deadline => {
                if error != Errno(libc::EAGAIN) {
                    // The kernel lacks memory: poll would say that all is well.
                    sys::sleep_ms(1);
                }
                if sys::wait_until(socket.fd, libc::POLLOUT, deadline).is_err() {
                    break;
                }
            }
            Err(error) if error.is_passing() => break,
            Err(error) => {
                break_off(socket.fd, error);
                return Err(error.into());
            }
        }
    }
    if sent < total {
        tx.keep(first, second, sent).inspect_err(|_| {
            // Half a frame and no memory for the rest: the stream cannot go on.
            sys::shutdown(socket.fd);
        })?;
    }
    Ok(())
}

/// Sends what waits: first the rest of a frame, then the automatic answer.
/// Fails while part of a frame is still left, for then nothing may follow.
fn drain(fd: RawFd, record: &Record, tx: &mut Tx, flags: i32) -> Result<(), Errno> {
    if !record.holds_tx() {
        return Ok(());
    }
    drain_rest(fd, tx, flags)?;
    let Some(answer) = lock(&record.answer).take() else {
        return Ok(());
    };
    let mut bytes = [0; MAX_HEADER + MAX_CONTROL];
    let Some(bytes) = answer.encode(&mut bytes) else {
        return Ok(());
    };
    match give(fd, bytes, &[], libc::MSG_DONTWAIT) {
        Ok(sent) if sent == bytes.len() => Ok(()),
        Ok(sent) if sent > 0 => {
            tx.keep(bytes, &[], sent)
                .inspect_err(|_| sys::shutdown(fd))?;
            // A program hangs up after a close frame: no later call would
            // send what is only held up by a signal.
            drain_rest(fd, tx, libc::MSG_DONTWAIT)
        }
        Err(error) if !error.is_passing() => Ok(()),
        _ => {
            // Not a byte is out: it waits on, unless a newer one came.
            lock(&record.answer).get_or_insert(answer);
            Ok(())
        }
    }
}

/// Sends the rest of a frame; fails while part of it is left.
fn drain_rest(fd: RawFd, tx: &mut Tx, flags: i32) -> Result<(), Errno> {
    while !tx.rest().is_empty() {
        match give(fd, tx.rest(), &[], flags) {
            Ok(0) => return Err(Errno(libc::EAGAIN)),
            Ok(sent) => tx.sent += sent,
            Err(error) => {
                if !error.is_passing() {
                    tx.clear();
                    break_off(fd, error);
                }
                return Err(error);
            }
        }
    }
    tx.clear();
    Ok(())
}

fn note(record: &Record, tx: &Tx) {
    // One lock over looking and noting, so that an answer that comes between
    // the two is not noted away.
    let answer = lock(&record.answer);
    record.note_tx(answer.is_some() || !tx.rest().is_empty());
}

/// Sends what waits, as far as that goes without waiting. Whoever holds a lock
/// does it instead when done. The caller has compared the identity.
pub(super) fn flush(socket: &Socket) {
    let record = &socket.record;
    for _ in 0..2 {
        fence(SeqCst);
        if !record.holds_tx() {
            return;
        }
        let Some(_passage) = socket.gate.try_pass() else {
            return;
        };
        let Some(mut tx) = try_lock(&record.tx) else {
            return;
        };
        if !socket.is_in_place() {
            return;
        }
        let stuck = drain(socket.fd, record, &mut tx, libc::MSG_DONTWAIT).is_err();
        note(record, &tx);
        if stuck {
            return;
        }
    }
}

/// Queues an automatic answer and sends it if that needs no waiting. A newer
/// pong replaces one that still waits; a close replaces any.
pub(super) fn answer(socket: &mut Socket, kind: Kind, payload: &[u8], masked: bool) {
    let mut answer = Answer {
        kind,
        masked,
        payload: [0; MAX_CONTROL],
        length: payload.len(),
    };
    let Some(room) = answer.payload.get_mut(..payload.len()) else {
        return;
    };
    room.copy_from_slice(payload);
    // It may have to wait, and must not wait with a socket that is gone.
    let current;
    let socket = match socket.is_current() {
        Ok(true) => socket,
        _ => match socket.successor() {
            Ok(found) => {
                current = found;
                &current
            }
            Err(_) => return,
        },
    };
    {
        let mut slot = lock(&socket.record.answer);
        *slot = Some(answer);
        socket.record.note_tx(true);
    }
    flush(socket);
}

impl Answer {
    /// The answer as a frame; `None` without randomness for its mask.
    fn encode<'b>(&self, bytes: &'b mut [u8; MAX_HEADER + MAX_CONTROL]) -> Option<&'b [u8]> {
        let payload = self.payload.get(..self.length)?;
        let key = if self.masked {
            Some(new_key().ok()?)
        } else {
            None
        };
        let (header, size) = frame::encode(self.kind.first_byte()?, key, payload.len() as u64);
        let (to, room) = bytes.split_at_mut_checked(size)?;
        to.copy_from_slice(header.get(..size)?);
        mask::copy(room, payload, key.unwrap_or_default(), 0);
        bytes.get(..size + payload.len())
    }
}
