//! A connection: bytes and the time in, events and bytes out.
//!
//! The loop around it is always the same: [`Connection::tick`], read,
//! [`Connection::next`] until it says [`Error::Again`], then
//! [`Connection::output`] and [`Connection::done`]. Nothing here waits, and a
//! failure of the peer is a state and a queued close frame, never a panic.

mod opening;
mod receive;
mod room;
mod send;
mod whole;

use std::sync::Arc;

use super::close;
use super::error::Error;
use super::frame::Opcode;
use super::handshake::server;
use super::incoming::{Control, Cut, Frame, Input};
use super::message::{Kind, Message};
use super::output::Output;
use super::settings::Settings;
use super::state::{Cause, Reply, State, transition};
use super::timers::{Due, NEVER, Timers};
use super::utf8::Validator;
use opening::Opening;
pub use send::Sendable;

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sends masked frames, gets unmasked ones.
    Client,
    /// The other way round.
    Server,
}

/// A source of random bytes (mask keys, the handshake's key); false where it
/// has none.
pub type Random = fn(&mut [u8]) -> bool;

/// What happened. What it borrows lasts until the next call of
/// [`Connection::next`].
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'e> {
    /// A client asks for this path and query; the next call accepts, unless
    /// [`Connection::accept`] or [`Connection::refuse`] came first.
    Request {
        /// Path and query, as sent.
        target: &'e str,
    },
    /// The handshake is done.
    Open {
        /// The subprotocol agreed on; empty for none.
        subprotocol: &'e str,
    },
    /// A message, or a chunk of one.
    Data(Chunk<'e>),
    /// A ping; the pong is queued.
    Ping(&'e [u8]),
    /// A pong.
    Pong(&'e [u8]),
    /// The end; comes exactly once.
    Close(CloseEvent<'e>),
}

/// A message, or a part of it. Text may be cut inside a code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'e> {
    /// Text or binary.
    pub kind: Kind,
    /// The bytes, unmasked.
    pub data: &'e [u8],
    /// The first chunk of its message.
    pub first: bool,
    /// The last one.
    pub last: bool,
    /// Where in its message it begins.
    pub offset: u64,
    /// Bytes of the present frame still to come.
    pub frame_remaining: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseEvent<'e> {
    /// The peer's code; [`close::NO_STATUS`], [`close::ABNORMAL`], or the code
    /// that we failed the connection with.
    pub code: u16,
    /// The peer's reason.
    pub reason: &'e str,
    /// The peer's close frame began it.
    pub by_peer: bool,
    /// Why, where it was not a clean closing handshake.
    pub error: Option<Error>,
    /// Bytes missing of a frame that was cut off by the end; at least 1 where
    /// one was.
    pub missing: u64,
}

/// What is told once about the end.
#[derive(Debug)]
struct Report {
    code: u16,
    reason: String,
    by_peer: bool,
    error: Option<Error>,
    missing: u64,
}

impl Report {
    /// An end that is not the peer's close.
    fn failed(code: u16, error: Error) -> Report {
        Report {
            code,
            reason: String::new(),
            by_peer: false,
            error: Some(error),
            missing: 0,
        }
    }
}

/// More about a failure, for a log.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The HTTP status that was received or sent; 0 for none.
    pub status: u16,
    /// The first bytes of the answer or request that failed.
    pub answer: Vec<u8>,
}

/// What the last event lent, to be taken back by the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lent {
    Nothing,
    Message,
    Control,
    Opening,
}

/// One WebSocket connection, either role.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    settings: Arc<Settings>,
    random: Random,
    state: State,
    opening: Option<Box<Opening>>,
    /// OPEN is still to be told.
    announce: bool,
    cut: Cut,
    frame: Option<Frame>,
    control: Control,
    message: Message,
    lent: Lent,
    output: Output,
    /// The message's own room was given out, and this much of it was read into
    /// and not looked at.
    in_room: Option<usize>,
    /// A fragmented message of ours is unfinished.
    sending: Option<Kind>,
    sending_utf8: Validator,
    timers: Timers,
    /// The payload of our ping that waits for its pong.
    ping: Option<[u8; 8]>,
    eof: bool,
    /// The transport is of no use any more, whatever still waits.
    hang_up: bool,
    report: Option<Box<Report>>,
    reported: bool,
    failure: Option<Box<Failure>>,
}

impl Connection {
    fn new(
        role: Role,
        settings: Arc<Settings>,
        random: Random,
        opening: Option<Opening>,
    ) -> Connection {
        Connection {
            role,
            settings,
            random,
            state: State::Opening,
            opening: opening.map(Box::new),
            announce: false,
            cut: Cut::default(),
            frame: None,
            control: Control::default(),
            message: Message::default(),
            lent: Lent::Nothing,
            output: Output::default(),
            in_room: None,
            sending: None,
            sending_utf8: Validator::default(),
            timers: Timers::new(),
            ping: None,
            eof: false,
            hang_up: false,
            report: None,
            reported: false,
            failure: None,
        }
    }

    /// A connection whose handshake was done elsewhere: messages flow at once.
    #[must_use]
    pub fn established(role: Role, settings: Arc<Settings>, random: Random) -> Connection {
        let mut connection = Connection::new(role, settings, random, None);
        connection.state = State::Open;
        connection.timers.opened();
        connection
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Details of the failure, once there was one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_deref()
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<(u16, Option<Error>)> {
        let report = self.report.as_deref()?;
        Some((report.code, report.error))
    }

    /// Tells the time: monotonic, in ms, from any origin. Returns when it
    /// wants to be told again at the latest; [`super::timers::NEVER`] where
    /// nothing is due. A silent peer is given one more turn: the tick that
    /// finds it overdue returns the present, the next one acts.
    pub fn tick(&mut self, now: u64) -> u64 {
        let settings = Arc::clone(&self.settings);
        self.timers.tick(now, &settings);
        loop {
            let (at, due) = self.timers.next(&settings, self.state == State::Open);
            if at > self.timers.now() || at == NEVER {
                self.timers.nothing_due();
                return at;
            }
            if !self.timers.is_certain(due) {
                return self.timers.now();
            }
            self.act_on(due);
        }
    }

    fn act_on(&mut self, due: Due) {
        match due {
            Due::Handshake => self.fail(Error::Timeout),
            Due::Close => {
                self.lose(Error::Timeout);
                self.hang_up = true;
                self.timers.closed();
            }
            Due::Ping => self.keep_alive(),
            Due::Pong => {
                self.lose(Error::Timeout);
                self.hang_up = true;
                self.timers.closed();
            }
            Due::Room => {
                // What is or will be read into it is not counted as gathered yet.
                if self.in_room.is_none() {
                    self.message.trim();
                }
                self.timers.room_gone();
            }
            Due::Idle => self.fail_with(Error::Timeout, 1001, "idle for too long"),
        }
    }

    /// The transport will bring no more bytes. What was fed before is still
    /// handed out by [`Connection::next`].
    pub fn feed_eof(&mut self) {
        self.eof = true;
    }

    /// The next event. [`Error::Again`]: `input` is used up, what was cut off
    /// in it is kept. [`Error::Closed`]: no event will ever come again.
    #[inline]
    pub fn next<'e>(&'e mut self, input: &'e mut Input<'_>) -> Result<Event<'e>, Error> {
        self.take_back();
        if let Some((kind, span)) = self.whole_message(input) {
            return Ok(Event::Data(Chunk {
                kind,
                data: input.bytes(span),
                first: true,
                last: true,
                offset: 0,
                frame_remaining: 0,
            }));
        }
        let found = self.find(input)?;
        Ok(self.event(found, input))
    }

    /// What to write to the transport. Empty: nothing now.
    /// [`Error::Closed`]: everything is written and the connection is over:
    /// close the transport. A client that closed cleanly is told so when the
    /// server has closed its end (RFC 6455 7.1.1) or the close timeout passed.
    pub fn output(&mut self) -> Result<&[u8], Error> {
        if self.state == State::Open {
            self.send_late_pong();
        }
        if self.hang_up {
            self.output.clear();
        }
        if self.state == State::Over && self.output.is_empty() {
            let clean = self
                .report
                .as_deref()
                .is_some_and(|report| report.error.is_none());
            if !(clean && self.role == Role::Client) || self.eof || self.hang_up {
                return Err(Error::Closed);
            }
        }
        Ok(self.output.pending())
    }

    /// The transport took `length` bytes of [`Connection::output`].
    pub fn done(&mut self, length: usize) -> Result<(), Error> {
        self.output.done(length)
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.output.len()
    }

    /// Takes back what the last event lent.
    #[inline]
    fn take_back(&mut self) {
        match self.lent {
            Lent::Nothing => return,
            Lent::Message => self.message.release_buffer(),
            Lent::Control => self.control.release(),
            Lent::Opening => self.opening = None,
        }
        self.lent = Lent::Nothing;
    }

    /// Fails the connection (RFC 6455 7.1.7).
    fn fail(&mut self, error: Error) {
        let reason = error.to_string();
        self.fail_with(error, error.close_code(), &reason);
    }

    #[cold]
    fn fail_with(&mut self, error: Error, code: u16, reason: &str) {
        let opened = self.state != State::Opening;
        let Some((state, reply)) = transition(self.state, Cause::Failure) else {
            return;
        };
        match reply {
            // Without memory or random bytes there is no close frame to send;
            // the connection is over all the same.
            Reply::Close => _ = self.queue_close(Some(code), reason),
            Reply::Refusal => self.queue_refusal(server::refusal_status(error), error),
            Reply::Nothing => {}
        }
        let code = if opened { code } else { close::ABNORMAL };
        self.end(state, Report::failed(code, error));
    }

    /// The transport is gone, or as good as gone.
    #[cold]
    fn lose(&mut self, error: Error) {
        let Some((state, _)) = transition(self.state, Cause::Lost) else {
            return;
        };
        let missing = match &self.frame {
            Some(frame) => frame.remaining(),
            None => u64::from(self.cut.is_pending()),
        };
        self.end(
            state,
            Report {
                missing,
                ..Report::failed(close::ABNORMAL, error)
            },
        );
    }

    /// Enters the last state; the report waits for [`Connection::next`], and
    /// so does giving back memory: a deadline or the program may end the
    /// connection while the last event's bytes are still lent.
    fn end(&mut self, state: State, report: Report) {
        if self.role == Role::Client && self.state == State::Opening {
            // A request of which nobody waits for the answer.
            self.output.clear();
        }
        self.state = state;
        self.report = Some(Box::new(report));
        self.announce = false;
        self.sending = None;
        self.output.forget_pong();
        self.timers.closing(&self.settings);
    }

    /// Drops what receiving needed; nothing of it is lent any more.
    fn release(&mut self) {
        self.opening = None;
        self.frame = None;
        self.in_room = None;
        self.message.abandon();
        self.control.release();
    }

    /// The next frame's mask key; none from a server.
    #[inline]
    fn mask_key(&self) -> Result<Option<[u8; 4]>, Error> {
        if self.role == Role::Server {
            return Ok(None);
        }
        let mut key = [0; 4];
        if (self.random)(&mut key) {
            Ok(Some(key))
        } else {
            Err(Error::Random)
        }
    }

    /// Pings a silent peer; once is enough while it does not read either.
    fn keep_alive(&mut self) {
        if self.ping.is_some() && !self.output.is_empty() {
            return self.timers.pinged(&self.settings);
        }
        let mut payload = [0; 8];
        if !(self.random)(&mut payload) {
            return self.fail(Error::Random);
        }
        match self.queue_control(Opcode::Ping, &payload) {
            Ok(()) => {
                self.ping = Some(payload);
                self.timers.pinged(&self.settings);
            }
            Err(error) => self.fail(error),
        }
    }
}
