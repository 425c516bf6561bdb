//! Runs a connection over a stream, with calls of the program in between, and
//! notes everything that can be seen from outside.

use std::cell::Cell;
use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Role, Sendable};
use wsembed::proto::incoming::Input;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;
use wsembed::proto::url::Url;

use super::seen::{Seen, Sent, note};
use super::source::{FILLS, Lengths, filled, shortest_piece};

thread_local! {
    /// How often [`random`] was asked, and how often it will answer.
    static ASKED: Cell<u32> = const { Cell::new(0) };
    static ANSWERS: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// Bytes that look random and are the same in every run; none once the run's
/// answers are used up.
pub fn random(bytes: &mut [u8]) -> bool {
    let asked = ASKED.get();
    if asked >= ANSWERS.get() {
        return false;
    }
    ASKED.set(asked + 1);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (at as u8)
            .wrapping_mul(73)
            .wrapping_add(11)
            .wrapping_add((asked as u8).wrapping_mul(29));
    }
    true
}

/// The nonce that a client's run begins with.
pub fn first_nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    ASKED.set(0);
    ANSWERS.set(u32::MAX);
    assert!(random(&mut nonce));
    nonce
}

/// A call of the program: how many bytes are fed before it, which it is, and
/// its argument.
pub type Call = [u8; 3];

/// What the program does with a request.
pub type Decision = u8;

/// What a run is about.
#[derive(Debug, Clone)]
pub struct Plan {
    pub role: Role,
    pub settings: Arc<Settings>,
    /// The handshake is done.
    pub established: bool,
    /// How often there are random bytes.
    pub randoms: u32,
    /// All that waits is written out after each event; else only where a call
    /// says so.
    pub drains: bool,
    /// Whole messages are sent back.
    pub echoes: bool,
    pub decision: Decision,
    pub calls: Vec<Call>,
    pub stream: Vec<u8>,
}

/// All that can be seen of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    pub events: Vec<Seen>,
    pub sent: Vec<u8>,
    /// What each call came to, and how many bytes waited after it.
    pub calls: Vec<(Result<u64, Error>, usize)>,
    pub ended: Option<(u16, Option<Error>)>,
    pub failure: Option<(u16, Vec<u8>)>,
    /// Frames that the connection agreed to send.
    pub accepted: Vec<Sent>,
    /// A deadline passed: what still waited to be sent was dropped.
    pub gave_up: bool,
}

/// The URL that clients ask for.
pub const URL: &str = "ws://example.com:8080/chat?room=1";

struct Run<'p> {
    plan: &'p Plan,
    connection: Connection,
    trace: Trace,
    now: u64,
    least: usize,
}

/// Runs the plan, what is fed between two calls being cut by `cuts`. `None`
/// where a client has no random bytes to begin with.
pub fn play(plan: &Plan, mut cuts: Lengths<'_>) -> Option<Trace> {
    let mut run = Run {
        plan,
        connection: connection(plan)?,
        trace: Trace::default(),
        now: 1000,
        least: shortest_piece(&plan.stream),
    };
    let mut rest = &plan.stream[..];
    run.drain_if(plan.drains);
    for &[length, call, argument] in &plan.calls {
        let (piece, after) = rest.split_at(rest.len().min(length.into()));
        run.feed_in_pieces(piece, &mut cuts);
        rest = after;
        let outcome = run.call(call, argument);
        let waiting = run.connection.queued();
        run.trace.calls.push((outcome, waiting));
        run.drain_if(plan.drains);
    }
    run.feed_in_pieces(rest, &mut cuts);
    Some(run.finish())
}

fn connection(plan: &Plan) -> Option<Connection> {
    ASKED.set(0);
    ANSWERS.set(plan.randoms);
    let settings = Arc::clone(&plan.settings);
    Some(match (plan.established, plan.role) {
        (true, role) => Connection::established(role, settings, random),
        (false, Role::Server) => Connection::server(settings, random),
        (false, Role::Client) => {
            let url = Url::parse(URL).expect("a valid URL");
            match Connection::client(settings, random, &url) {
                Ok(connection) => connection,
                Err(error) => {
                    assert!(error == Error::Random && plan.randoms == 0);
                    return None;
                }
            }
        }
    })
}

impl Run<'_> {
    fn feed_in_pieces(&mut self, mut bytes: &[u8], cuts: &mut Lengths<'_>) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(cuts.length().max(self.least).min(bytes.len()));
            self.feed(piece);
            bytes = rest;
        }
    }

    /// Feeds a piece: where the connection has room for the rest of a long
    /// frame, what fits goes there.
    fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some(room) = self.connection.room() {
            let count = room.len().min(rest.len());
            if count == 0 {
                break;
            }
            let (read, behind) = rest.split_at(count);
            room[..count].copy_from_slice(read);
            self.connection.read_into_room(count);
            self.hand_out(&mut Input::new(&mut []));
            rest = behind;
        }
        let mut rest = rest.to_vec();
        self.hand_out(&mut Input::new(&mut rest));
    }

    /// Hands out every event.
    fn hand_out(&mut self, input: &mut Input<'_>) {
        loop {
            let event = match self.connection.next(input) {
                Ok(event) => Seen::from(event),
                Err(Error::Again | Error::Closed) => break,
                Err(other) => panic!("next said {other:?}"),
            };
            let closed = self.trace.events.last().is_some_and(is_close);
            assert!(!closed, "an event behind CLOSE: {event:?}");
            self.on_event(&event);
            note(&mut self.trace.events, event);
            self.drain_if(self.plan.drains);
        }
        assert!(input.rest().is_empty(), "what was fed is read to its end");
    }

    fn on_event(&mut self, event: &Seen) {
        match event {
            Seen::Request(_) => self.decide(),
            Seen::Data(data) if self.plan.echoes && data.last => {
                // Chunks follow the cuts; that the message ended does not.
                let echo = data.is_whole() && self.plan.settings.chunk_above == u64::MAX;
                let bytes = if echo { &data.bytes[..] } else { b"end" };
                let kind = if echo { data.kind } else { Kind::Text };
                let _ = self.send(kind, bytes, true, true);
            }
            _ => {}
        }
    }

    fn decide(&mut self) {
        let connection = &mut self.connection;
        let outcome = match self.plan.decision % 8 {
            1 => connection.accept(None),
            2 => connection.accept(Some("chat")),
            3 => connection.refuse(404, b"no such page\n"),
            4 => connection.refuse(200, b""),
            5 => connection.close(Some(1001), ""),
            6 => connection
                .add_header("X-Added", "yes")
                .and_then(|()| connection.add_header("Upgrade", "h2c")),
            7 => connection.request_header("Host").map(drop),
            _ => Ok(()),
        };
        let allowed = match self.plan.decision % 8 {
            2 => [Ok(()), Err(Error::SubprotocolChoice)].contains(&outcome),
            4 => outcome == Err(Error::Range),
            6 => outcome == Err(Error::Header),
            _ => outcome == Ok(()),
        };
        assert!(allowed, "{outcome:?}");
    }

    /// A call of the program; what it came to, as a number.
    fn call(&mut self, call: u8, argument: u8) -> Result<u64, Error> {
        let many = u64::from(argument);
        let fill = FILLS[usize::from(argument % 8)];
        let bytes = filled(fill, argument.into());
        match call % 14 {
            0 => Ok(self.tick(many)),
            1 => Ok(self.tick(many * 100)),
            2 => Ok(self.connection.tick(self.now.saturating_sub(many))),
            3 => self.send(Kind::Text, &bytes, true, true),
            4 => self.send(Kind::Binary, &bytes.repeat(32), true, true),
            5 => {
                let bytes = bytes.get(..usize::from(argument >> 4)).unwrap_or(&bytes);
                self.send(Kind::Text, bytes, argument & 1 == 0, argument & 2 == 0)
            }
            6 => {
                let (first, last) = (argument & 1 == 0, argument & 2 == 0);
                self.send(Kind::Binary, &bytes, first, last)
            }
            7 => self.control(Sendable::Ping, 0x89, &bytes),
            8 => self.control(Sendable::Pong, 0x8A, &bytes),
            9 => self.close(argument),
            10 => self.take_output(argument.into()),
            11 => self.connection.accept(None).map(|()| 0),
            12 => {
                self.connection.add_header("X-A", "b")?;
                self.connection.refuse(503, b"later").map(|()| 0)
            }
            _ => {
                let value = self.connection.request_header("Host")?;
                Ok(value.map_or(0, |value| value.len() as u64))
            }
        }
    }

    fn tick(&mut self, more: u64) -> u64 {
        self.now += more;
        let deadline = self.connection.tick(self.now);
        assert!(deadline >= self.now, "a deadline in the past");
        deadline
    }

    fn send(&mut self, kind: Kind, data: &[u8], first: bool, last: bool) -> Result<u64, Error> {
        let waiting = self.connection.queued();
        let outcome = if first && last {
            self.connection.send(Sendable::Message(kind), data)
        } else {
            self.connection.send_chunk(kind, data, first, last)
        };
        if let Err(error) = outcome {
            assert_eq!(self.connection.queued(), waiting, "{error:?} queued bytes");
            return Err(error);
        }
        let opcode = match (first, kind) {
            (false, _) => 0,
            (true, Kind::Text) => 1,
            (true, Kind::Binary) => 2,
            (true, Kind::Continuation) => 0,
            (true, Kind::Raw) => unreachable!("never received, never sent"),
        };
        self.accept(opcode | if last { 0x80 } else { 0 }, data);
        Ok(0)
    }

    fn control(&mut self, what: Sendable, first: u8, data: &[u8]) -> Result<u64, Error> {
        let outcome = self.connection.send(what, data);
        if data.len() > 125 {
            assert!(outcome.is_err());
        }
        outcome?;
        self.accept(first, data);
        Ok(0)
    }

    fn accept(&mut self, first: u8, payload: &[u8]) {
        self.trace.accepted.push(Sent {
            first,
            payload: payload.to_vec(),
        });
    }

    fn close(&mut self, argument: u8) -> Result<u64, Error> {
        let (code, reason) = match argument % 8 {
            0 => (None, ""),
            1 => (Some(1000), "bye"),
            2 => (Some(1005), ""),
            3 => (None, "why"),
            4 => (Some(4999), "é€😀"),
            5 => (Some(1006), ""),
            6 => (Some(3000), ""),
            _ => (Some(1001), "a reason"),
        };
        self.connection.close(code, reason).map(|()| 0)
    }

    /// Writes out up to so many bytes.
    fn take_output(&mut self, most: usize) -> Result<u64, Error> {
        let queued = self.connection.queued();
        let waiting = self.connection.output();
        self.trace.gave_up |= queued > 0 && !matches!(waiting, Ok([_, ..]));
        let waiting = waiting?;
        let taken = &waiting[..most.min(waiting.len())];
        self.trace.sent.extend_from_slice(taken);
        let (taken, waiting) = (taken.len(), waiting.len());
        assert_eq!(self.connection.done(waiting + 1), Err(Error::Usage));
        self.connection.done(taken)?;
        Ok(taken as u64)
    }

    fn drain_if(&mut self, yes: bool) {
        while yes && matches!(self.take_output(usize::MAX), Ok(1..)) {}
    }

    /// The transport ends; everything is written out.
    fn finish(mut self) -> Trace {
        self.connection.feed_eof();
        self.feed(&[]);
        self.drain_if(true);
        assert_eq!(self.connection.output(), Err(Error::Closed));
        let next = self.connection.next(&mut Input::new(&mut [])).err();
        assert_eq!(next, Some(Error::Closed));
        let sent = self.connection.send(Sendable::Message(Kind::Text), b"");
        assert_eq!(sent, Err(Error::Closed));
        self.trace.ended = self.connection.ended();
        let failure = self.connection.failure();
        self.trace.failure = failure.map(|f| (f.status, f.answer.clone()));
        self.trace
    }
}

pub fn is_close(event: &Seen) -> bool {
    matches!(event, Seen::Close { .. })
}
