//! The drop-in over a real socket: whatever the cuts and the sizes of the
//! buffers, each call says what [`oracle`] expects of it, nothing is written
//! outside the buffer, the automatic answers are right, and it comes to an
//! end.

mod oracle;
mod sockets;

use wsembed::legacy::kind::Kind;
use wsembed::legacy::receive::{self, Received, receive};
use wsembed::legacy::{link, transmit};
use wsembed::net::sys::Errno;

use super::source::{Lengths, Masking, Source, shortest_piece, stream};
use oracle::{Oracle, Step, all_are};
use sockets::Pair;

/// Flags in the input's first byte.
pub const CLIENT: u8 = 0x01;
pub const UNTYPED: u8 = 0x02;
pub const KEEP_LITTLE: u8 = 0x04;
pub const NO_END: u8 = 0x08;
pub const ACCEPT: u8 = 0x10;
pub const SENDS: u8 = 0x20;
pub const LAZY: u8 = 0x40;

/// The largest buffer that is tried before a call says what it needs; never
/// above what is kept, so that what is skipped does not depend on it.
const BUFFER: usize = 8192;
/// About the longest stream: room for a length of 64 bits.
const MOST: usize = 68 * 1024;
/// A run ends after so many calls: a long stream can be thousands of frames.
const CALLS: usize = 250;
/// So many calls in a row may come to nothing new: the drop-in must get on.
const STALLED: usize = 24;
/// What every byte of a buffer and around it is before a call.
const CANARY: u8 = 0xC5;
const MARGIN: usize = 32;

pub fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let flags = source.byte();
    let buffers = source.lengths();
    let cuts = source.lengths();
    let bytes = stream(&mut source, Masking::Free, MOST);
    let keep = if flags & KEEP_LITTLE != 0 {
        BUFFER
    } else {
        16 << 20
    };
    receive::set_keep_max(keep);
    let talk = |pair: Pair, buffers: Lengths<'_>, cuts: Lengths<'_>| {
        let oracle = Oracle::new(&bytes, keep, pair.client, flags & UNTYPED == 0);
        let mut talk = Talk {
            oracle,
            pair,
            flags,
            buffers,
            calls: 0,
            idle: 0,
            stuck: 0,
            progress: (0, 0, false),
        };
        talk.run(cuts);
    };
    if flags & CLIENT != 0 {
        // A connection over TCP costs more than all the rest.
        talk(Pair::client(), buffers, cuts);
        return;
    }
    talk(Pair::local(), Lengths::new(&[]), Lengths::new(&[]));
    talk(Pair::local(), buffers, cuts);
}

struct Talk<'t> {
    oracle: Oracle<'t>,
    pair: Pair,
    flags: u8,
    buffers: Lengths<'t>,
    calls: usize,
    /// Calls in a row that found nothing though something was due.
    idle: usize,
    /// Calls in a row since anything was written or handed out.
    stuck: usize,
    /// How far it had got by the call before.
    progress: (usize, usize, bool),
}

impl Talk<'_> {
    fn run(&mut self, mut cuts: Lengths<'_>) {
        let mut ended = false;
        let least = shortest_piece(self.oracle.stream);
        while self.calls < CALLS {
            let rest = &self.oracle.stream[self.oracle.written..];
            if !rest.is_empty() {
                let piece = &rest[..cuts.length().max(least).min(rest.len())];
                self.oracle.written += self.pair.write(piece);
                self.send_one();
            } else if !ended && self.flags & NO_END == 0 {
                self.pair.end();
                self.oracle.ended = true;
                ended = true;
            } else if self.settled() {
                break;
            }
            if self.receive_some() == Step::Over {
                break;
            }
        }
        self.answers(true);
    }

    /// Whether nothing more is due, and nothing more will come.
    fn settled(&self) -> bool {
        self.flags & NO_END != 0 && self.oracle.is_used_up()
    }

    /// Receives until nothing is there; once where the program is lazy and
    /// more is still to be written.
    fn receive_some(&mut self) -> Step {
        let lazy = self.flags & LAZY != 0;
        while self.calls < CALLS {
            let more_to_come = self.oracle.written < self.oracle.stream.len();
            let step = self.receive();
            match step {
                Step::Over => return step,
                Step::Nothing => return step,
                Step::More if lazy && more_to_come => return step,
                Step::More => {}
            }
        }
        Step::More
    }

    fn receive(&mut self) -> Step {
        self.calls += 1;
        let size = self.buffers.length().min(BUFFER);
        let size = self.oracle.needed.take().unwrap_or(size);
        let mut bytes = vec![CANARY; size + 2 * MARGIN];
        let data = &mut bytes[MARGIN..MARGIN + size];
        let received = receive(self.pair.own, data, self.oracle.typed);
        let (before, rest) = bytes.split_at(MARGIN);
        let (data, behind) = rest.split_at(size);
        let untouched = all_are(before, CANARY) && all_are(behind, CANARY);
        assert!(untouched, "written outside the buffer");
        if self.is_early(received) {
            self.pair.wait();
            return Step::More;
        }
        self.idle = 0;
        let step = self.oracle.judge(received, data, CANARY);
        self.check_progress();
        if step != Step::Over {
            self.ask_for_room(received);
        }
        self.accept(data);
        self.answers(false);
        step
    }

    fn check_progress(&mut self) {
        let progress = self.oracle.progress();
        let same = progress == self.progress;
        self.stuck = if same { self.stuck + 1 } else { 0 };
        self.progress = progress;
        assert!(self.stuck < STALLED, "stalled at {progress:?}");
    }

    /// Over TCP what was written may not have arrived.
    fn is_early(&mut self, received: Received) -> bool {
        let nothing = received.kind == Kind::Null && received.errno == libc::EAGAIN;
        let early = nothing && self.pair.client && self.oracle.something_is_due();
        self.idle = if early { self.idle + 1 } else { 0 };
        assert!(self.idle < 10_000, "what was written never comes");
        early
    }

    /// After EMSGSIZE the program is told how large its buffer must be.
    fn ask_for_room(&mut self, received: Received) {
        let pending = receive::pending_length(self.pair.own);
        let maybe = self.oracle.maybe_kept.take();
        let maybe = maybe.filter(|kept| pending == Ok(*kept));
        let kept = self.oracle.kept.take().or(maybe);
        assert_eq!(pending, Ok(kept.unwrap_or(0)));
        if received.errno == libc::EMSGSIZE {
            // Noise has no length that could be told; a frame that was
            // skipped needs none.
            self.oracle.needed = Some(kept.unwrap_or(64));
        }
    }

    /// Answers an HTTP request that was just received.
    fn accept(&mut self, data: &[u8]) {
        let Some(size) = self.oracle.request.take() else {
            return;
        };
        if self.flags & ACCEPT == 0 {
            return;
        }
        match link::accept(self.pair.own, &data[..size]) {
            Ok(sent) => self.oracle.accepted(sent),
            Err(error) => assert_eq!(error, Errno(libc::EPROTO)),
        }
    }

    /// The program sends now and then.
    fn send_one(&mut self) {
        if self.flags & SENDS == 0 || self.calls % 3 != 0 {
            return;
        }
        const KINDS: [Kind; 6] = [
            Kind::Text,
            Kind::BinaryStart,
            Kind::Last,
            Kind::Ping,
            Kind::Close,
            Kind::Middle,
        ];
        let kind = KINDS[self.calls / 3 % KINDS.len()];
        let payload = [b'p'; 130];
        let payload = &payload[..self.calls * 7 % 126];
        let masked = self.calls % 2 == 0;
        let sent = transmit::send(self.pair.own, payload, masked, kind);
        let masked = masked || self.pair.client;
        let header = if masked { 6 } else { 2 };
        assert_eq!(sent, Ok(header + payload.len()));
        self.oracle.sent(kind, masked, payload);
    }

    /// What the peer has been sent by now is what the oracle expects; looked
    /// at where something is due, and at the end.
    fn answers(&mut self, at_end: bool) {
        if at_end || self.oracle.due_to_peer() > self.pair.received.len() {
            self.pair.read(self.oracle.due_to_peer());
            self.oracle.check_sent(&self.pair.received);
        }
    }
}
