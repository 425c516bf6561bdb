//! One frame in.
//!
//! Never a byte beyond the current frame is taken: look at the header
//! (`MSG_PEEK`), then take exactly what it announces. What is cut off is taken
//! and kept with the socket's record, and the next call goes on from there. A
//! blocking fd waits for the first byte of a call only.

mod deliver;
mod foreign;
mod kept;
mod message;

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::fd::{Record, Socket, Stop};
use super::kind::Kind;
use super::lock;
use super::transmit;
use crate::net::sys::{self, Errno};
use crate::proto::frame::{self, Decoded, Header, MAX_CONTROL, MAX_HEADER, Opcode};
use crate::proto::mask;
use deliver::Manner;
use message::Message;

pub use message::{discard, receive_message};

/// An HTTP request may have so many bytes.
const MAX_REQUEST: usize = 64 * 1024;
/// How much is read at once of what goes to no buffer of the caller's.
const PIECE: usize = 16 * 1024;
/// How many such pieces one call reads, so that a peer that sends as fast as
/// we read cannot hold the caller.
const PIECES: usize = 256;

/// Payloads above this many bytes that do not fit are skipped, not kept.
static KEEP_MAX: AtomicUsize = AtomicUsize::new(16 << 20);

/// Sets the largest payload, in bytes, that is kept for a larger buffer.
pub fn set_keep_max(bytes: usize) {
    KEEP_MAX.store(bytes, Relaxed);
}

/// What one call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Above 0: payload bytes. Below 0: minus the bytes that are not a frame.
    pub result: i32,
    /// The frame's type.
    pub kind: Kind,
    /// The errno that goes with a result of 0 or less.
    pub errno: i32,
}

/// What is half-received, or what ended the receiving.
#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// The first bytes of a header.
    Header {
        bytes: [u8; MAX_HEADER],
        length: usize,
    },
    /// What is left of bytes that are no frame.
    Noise {
        bytes: [u8; MAX_HEADER],
        length: usize,
    },
    /// A header's payload, as far as it has come, still masked. Whole only if
    /// it did not fit the caller's buffer.
    Payload { header: Header, bytes: Vec<u8> },
    /// The rest of a payload that is too large to keep, in bytes.
    Skip { header: Header, left: u64 },
    /// An HTTP request, as far as it has come.
    Request { bytes: Vec<u8>, whole: bool },
    /// The peer broke the protocol, or memory ran out in the middle of a frame.
    Broken,
    /// The peer's close frame has come: what follows it does not count.
    Closed,
}

/// The receiving side of a record.
#[derive(Debug, Default)]
pub struct Rx {
    state: State,
    /// What has come of a message in several frames.
    message: Message,
}

impl Rx {
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.message.is_idle()
    }

    /// Moves what is kept to `to`.
    pub(super) fn move_to(&mut self, to: &mut Rx) {
        *to = std::mem::take(self);
    }

    /// Whether something is half-received.
    pub(super) fn holds(&self) -> bool {
        !matches!(self.state, State::Idle | State::Broken | State::Closed)
            || !self.message.is_idle()
    }
}

/// What the first bytes of a frame amount to.
enum Start {
    Need,
    Frame(Header),
    Request,
    Noise,
    Violation,
}

/// One call.
struct Call<'c> {
    socket: &'c mut Socket,
    data: &'c mut [u8],
    manner: Manner,
    /// The first read of a call may wait, on a blocking fd.
    may_wait: bool,
    /// Something was taken from the kernel, or handed over from what was kept.
    taken: bool,
    /// Part of a message went to the record of the right socket: the call goes
    /// on with that one.
    moves: bool,
}

/// Receives one frame's payload into `data`; `typed` says that the caller
/// looks at the type. The contract of `webSocket_recv`.
pub fn receive(fd: RawFd, data: &mut [u8], typed: bool) -> Received {
    let manner = Manner {
        typed,
        messages: false,
        discards: false,
        waits: true,
    };
    receive_so(fd, data, manner)
}

fn receive_so(fd: RawFd, data: &mut [u8], manner: Manner) -> Received {
    if data.is_empty() {
        return deliver::failed(Errno(libc::EINVAL));
    }
    let mut may_wait = manner.waits;
    loop {
        let mut socket = match Socket::find(fd) {
            Ok(socket) => socket,
            Err(error) => return deliver::failed(error),
        };
        let mut call = Call {
            socket: &mut socket,
            data,
            manner,
            may_wait,
            taken: false,
            moves: false,
        };
        let outcome = call.run();
        may_wait &= !call.moves;
        let (taken, record) = (call.taken, &socket.record);
        if taken && !record.local {
            sys::renew_edge(fd);
        }
        match outcome {
            Ok(received) => return received,
            Err(Stop::Error(error)) => return deliver::failed(error),
            Err(Stop::Stale) => {}
        }
    }
}

/// The `dataMaxLen` that the next receive needs to get what did not fit: 0
/// where nothing waits. `EBADF` and the like for a bad fd.
pub fn pending_length(fd: RawFd) -> Result<usize, Errno> {
    let mut socket = Socket::find(fd)?;
    if !socket.is_current()? {
        socket = socket.successor()?;
    }
    // A receive that waits for the peer has nothing that it could have handed
    // out; and whoever asks must not wait with it.
    let Some(rx) = socket.record.rx_unless_waiting() else {
        return Ok(0);
    };
    Ok(match &rx.state {
        State::Payload { header, bytes } if bytes.len() as u64 == header.length => bytes.len(),
        State::Request { bytes, whole: true } => bytes.len() + 1,
        _ => 0,
    })
}

/// Forgets a half-received HTTP request: the handshake is over.
pub(super) fn begin_frames(record: &Record) {
    record.started.store(true, Relaxed);
    // Where another thread waits for the peer, this one must not wait with it.
    let Some(mut rx) = record.rx_unless_waiting() else {
        return;
    };
    if matches!(rx.state, State::Request { .. }) {
        rx.state = State::Idle;
        record.note_rx(rx.holds());
    }
}

impl Call<'_> {
    fn run(&mut self) -> Result<Received, Stop> {
        let record = Arc::clone(&self.socket.record);
        let mut rx = match record.try_rx() {
            Some(rx) => rx,
            None => {
                self.socket.pass_waiting_receive()?;
                lock(&record.rx)
            }
        };
        if !self.socket.is_in_place() {
            return Err(Stop::Stale);
        }
        if !rx.is_idle() || Record::any_holds_rx() || record.holds_tx() {
            self.socket.verify()?;
        }
        if record.holds_tx() {
            transmit::flush(self.socket);
        }
        let outcome = if self.manner.messages {
            self.message(&mut rx)
        } else {
            self.advance(&mut rx)
        };
        if outcome == Err(Stop::Stale) {
            return outcome;
        }
        self.settle(&record, &mut rx)?;
        if self.moves {
            Err(Stop::Stale)
        } else {
            outcome
        }
    }

    /// Whatever is kept has to be kept with the right socket.
    fn settle(&mut self, record: &Arc<Record>, rx: &mut Rx) -> Result<(), Stop> {
        // An edge on a local socket cannot be renewed: the call is spent on
        // the identity, so that what comes next finds the right record.
        let looks = (self.taken && record.local) || !rx.is_idle();
        if looks && !self.socket.is_current()? {
            let mut started = record.started.load(Relaxed);
            if let State::Header { length, .. } = rx.state {
                // Not yet judged; and what came before came on the old socket,
                // unless more than this has been taken.
                let taken = sys::bytes_taken(self.socket.fd);
                started &= taken.is_none_or(|taken| taken > length as u64);
            }
            let current = Socket::current_with(self.socket.fd, started, rx)?;
            if self.taken && record.local && !current.record.local {
                sys::renew_edge(self.socket.fd);
            }
        }
        record.note_rx(rx.holds());
        Ok(())
    }

    fn advance(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        match &rx.state {
            State::Idle => self.start(rx),
            State::Header { .. } => self.more_header(rx),
            State::Noise { bytes, length } => {
                let (bytes, length) = (*bytes, *length);
                self.noise(rx, bytes.get(..length).unwrap_or_default())
            }
            State::Payload { .. } => self.more_payload(rx),
            State::Skip { .. } => self.skip(rx),
            State::Request { .. } => self.more_request(rx),
            State::Broken => Ok(deliver::violated()),
            State::Closed => Err(Errno(libc::ECONNRESET).into()),
        }
    }

    /// One read; the first of a call waits where the fd does. The end of the
    /// stream is an error.
    fn read(&mut self, into: Option<&mut [u8]>, offset: usize, end: usize) -> Result<usize, Stop> {
        let into = into.unwrap_or(self.data).get_mut(offset..end);
        let into = into.unwrap_or_default();
        let outcome = if std::mem::take(&mut self.may_wait) {
            let waiting = self.socket.wait_to_receive();
            let outcome = sys::receive(self.socket.fd, into, 0);
            // Something is kept, so the record was the socket's when the wait
            // began: what has come goes with it, even if it was replaced.
            waiting.end();
            outcome
        } else {
            sys::receive(self.socket.fd, into, libc::MSG_DONTWAIT)
        };
        let got = outcome?;
        if got == 0 && offset < end {
            return Err(Errno(libc::ECONNRESET).into());
        }
        self.taken = true;
        Ok(got)
    }

    fn peek(&mut self, into: &mut [u8]) -> Result<usize, Stop> {
        let outcome = if std::mem::take(&mut self.may_wait) {
            let waiting = self.socket.wait_to_receive();
            let outcome = sys::receive(self.socket.fd, into, libc::MSG_PEEK);
            if !waiting.end() {
                // The number went to another socket meanwhile; nothing of
                // that one's has been taken.
                return Err(Stop::Stale);
            }
            outcome
        } else {
            sys::receive(self.socket.fd, into, libc::MSG_PEEK | libc::MSG_DONTWAIT)
        };
        match outcome? {
            0 => Err(Errno(libc::ECONNRESET).into()),
            got => Ok(got),
        }
    }

    fn start(&mut self, rx: &mut Rx) -> Result<Received, Stop> {
        let mut bytes = [0; MAX_HEADER];
        let length = self.peek(&mut bytes)?;
        let seen = bytes.get(..length).unwrap_or_default();
        match self.examine(seen)? {
            Start::Need => {
                // More may come before it is taken, and be a header on which
                // the record decides.
                self.socket.verify()?;
                rx.state = State::Header { bytes, length: 0 };
                self.more_header(rx)
            }
            Start::Frame(header) => self.frame(rx, header),
            Start::Request => {
                rx.state = State::Request {
                    bytes: Vec::new(),
                    whole: false,
                };
                self.more_request(rx)
            }
            Start::Noise => self.noise(rx, &[]),
            Start::Violation => {
                rx.state = State::Broken;
                Ok(deliver::violated())
            }
        }
    }

    /// Judges the bytes from a frame's start. Where the verdict rests on the
    /// record, the identity is compared, before anything is taken.
    fn examine(&mut self, seen: &[u8]) -> Result<Start, Stop> {
        let record = Arc::clone(&self.socket.record);
        let first = seen.first().copied().unwrap_or_default();
        let second = seen.get(1).copied().unwrap_or_default();
        let judged = frame::judge(first, second, 0);
        let decoded = frame::decode(seen);
        let header = match (judged, decoded) {
            (Ok(_), Decoded::Need(_)) => return Ok(Start::Need),
            // No endpoint may send a length with the top bit set (5.2).
            (Ok(_), Decoded::Header(header)) if header.length < 1 << 63 => header,
            _ if record.client || record.started.load(Relaxed) => {
                self.socket.verify()?;
                return Ok(Start::Violation);
            }
            _ if first == b'G' => return Ok(Start::Request),
            _ => return Ok(Start::Noise),
        };
        // A peer that masks is no server, so this record may be stale; and a
        // close frame that the program sent itself changes the answer.
        let answered = judged == Ok(Opcode::Close) && record.close_sent.load(Relaxed);
        if answered || (record.client && header.mask.is_some()) {
            self.socket.verify()?;
        }
        if !record.started.load(Relaxed) {
            record.started.store(true, Relaxed);
        }
        Ok(Start::Frame(header))
    }

    /// A frame whose header is in the kernel, whole.
    fn frame(&mut self, rx: &mut Rx, header: Header) -> Result<Received, Stop> {
        let size = usize::from(header.size);
        let control = header.first & 0x08 != 0;
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        let mut head = [0; MAX_HEADER];
        let mut small = [0; MAX_CONTROL];
        let room = if control {
            small.get_mut(..length)
        } else {
            self.data.get_mut(..length)
        };
        let (Some(head), fits) = (head.get_mut(..size), room.is_some()) else {
            return Err(Errno(libc::EINVAL).into());
        };
        let room = room.unwrap_or_default();
        let got = sys::receive_two(self.socket.fd, head, room, libc::MSG_DONTWAIT)?;
        if got == 0 {
            return Err(Errno(libc::ECONNRESET).into());
        }
        self.taken = true;
        if fits && got == size + length {
            if let Some(key) = header.mask {
                mask::apply(room, key, 0);
            }
            return if control {
                self.control(rx, header, &small, length)
            } else {
                Ok(deliver::payload(header, length))
            };
        }
        if got < size {
            // Another reader of this fd was faster; what it left is a start.
            let mut bytes = [0; MAX_HEADER];
            bytes[..size].copy_from_slice(head);
            rx.state = State::Header { bytes, length: got };
            return Err(Errno(libc::EAGAIN).into());
        }
        if !fits {
            self.begin_payload(rx, header);
            return self.advance(rx);
        }
        let part = room.get(..got - size).unwrap_or_default();
        let mut bytes = Vec::new();
        let kept = append(&mut bytes, part);
        rx.state = State::Payload { header, bytes };
        self.kept(rx, kept)
    }
}

/// Appends, growing by what has arrived.
fn append(bytes: &mut Vec<u8>, more: &[u8]) -> Result<(), Errno> {
    bytes
        .try_reserve(more.len())
        .map_err(|_| Errno(libc::ENOMEM))?;
    bytes.extend_from_slice(more);
    Ok(())
}
