//! A connection: bytes and the time in, events and bytes out.
//!
//! The loop around it is always the same: [`Connection::tick`], read,
//! [`Connection::next`] until it says [`Error::Again`], then
//! [`Connection::output`] and [`Connection::done`]. Nothing here waits, and a
//! failure of the peer is a state and a queued close frame, never a panic.

mod answer;
mod aside;
mod ending;
mod loose;
mod opening;
mod reading;
mod receive;
mod room;
mod send;
mod told;
mod whole;

use std::sync::Arc;

use super::error::Error;
use super::frame::Opcode;
use super::incoming::Input;
use super::message::Kind;
use super::output::Output;
use super::settings::Settings;
use super::state::State;
use super::timers::{Due, NEVER, Timers};
use super::utf8::Validator;
pub use answer::Answer;
use aside::Aside;
use reading::Reading;
pub use send::Sendable;
pub use told::{Chunk, CloseEvent, Event, Failure};

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
    aside: Option<Box<Aside>>,
    /// OPEN is still to be told.
    announce: bool,
    /// What is not whole, if anything is.
    reading: Option<Box<Reading>>,
    lent: Lent,
    output: Output,
    /// A fragmented message of ours is unfinished.
    sending: Option<Kind>,
    sending_utf8: Validator,
    timers: Timers,
    eof: bool,
    /// The transport is of no use any more, whatever still waits.
    hang_up: bool,
    reported: bool,
}

impl Connection {
    fn new(role: Role, settings: Arc<Settings>, random: Random) -> Connection {
        Connection {
            role,
            settings,
            random,
            state: State::Opening,
            aside: None,
            announce: false,
            reading: None,
            lent: Lent::Nothing,
            output: Output::default(),
            sending: None,
            sending_utf8: Validator::default(),
            timers: Timers::new(),
            eof: false,
            hang_up: false,
            reported: false,
        }
    }

    /// A connection whose handshake was done elsewhere: messages flow at once.
    #[must_use]
    pub fn established(role: Role, settings: Arc<Settings>, random: Random) -> Connection {
        let mut connection = Connection::new(role, settings, random);
        connection.state = State::Open;
        connection.timers.opened();
        connection
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Tells the time: monotonic, in ms, from any origin. Returns when it
    /// wants to be told again at the latest; [`super::timers::NEVER`] where
    /// nothing is due. A silent peer is given one more turn: the tick that
    /// finds it overdue returns the present, the next one acts.
    pub fn tick(&mut self, now: u64) -> u64 {
        self.timers.tick(now, &self.settings);
        loop {
            let open = self.state == State::Open;
            let (at, due) = self.next_due(open);
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

    /// What is due next, and when.
    fn next_due(&self, open: bool) -> (u64, Due) {
        let next = self.timers.next(&self.settings, open);
        match self.reading.as_deref() {
            Some(reading) if reading.room_until < next.0 => (reading.room_until, Due::Room),
            _ => next,
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
            Due::Room => self.give_room_back(),
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
    // Also where several places call it: it is half of what a short message
    // costs.
    #[inline(always)]
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
        let (queued, page) = self.output_parts()?;
        Ok(if queued.is_empty() { page } else { queued })
    }

    /// As [`Connection::output`], with what comes right behind it: a page's
    /// bytes, which are shared and never queued.
    #[inline(always)]
    pub fn output_parts(&mut self) -> Result<(&[u8], &[u8]), Error> {
        if self.state == State::Open && !self.hang_up && !self.output.owes_pong() {
            return Ok((self.output.pending(), &[]));
        }
        self.other_output()
    }

    /// As [`Connection::output_parts`], where there is more to it.
    #[cold]
    fn other_output(&mut self) -> Result<(&[u8], &[u8]), Error> {
        if self.state == State::Open {
            self.send_late_pong();
        }
        if self.hang_up {
            self.output.clear();
        }
        if self.state != State::Over {
            return Ok((self.output.pending(), &[]));
        }
        let page = if self.hang_up { &[] } else { self.page() };
        if self.output.is_empty() && page.is_empty() {
            let clean = self.report().is_some_and(|report| report.error.is_none());
            if !(clean && self.role == Role::Client) || self.eof || self.hang_up {
                return Err(Error::Closed);
            }
        }
        Ok((self.output.pending(), page))
    }

    /// The transport took `length` bytes of [`Connection::output`].
    #[inline]
    pub fn done(&mut self, length: usize) -> Result<(), Error> {
        let queued = self.output.len();
        if length <= queued {
            return self.output.done(length);
        }
        self.page_sent(length - queued)?;
        self.output.done(queued)
    }

    /// Queues what is sent from now on into `output`, where nothing waits yet;
    /// [`Connection::give_back`] ends that.
    #[inline]
    pub fn lend(&mut self, output: &mut Output) {
        self.output.lend(output);
    }

    /// Gives a lent output back, empty; what still waits is kept. Where there
    /// is no memory to keep it, the connection is over.
    #[inline]
    pub fn give_back(&mut self, output: &mut Output) {
        if self.output.give_back(output).is_err() {
            self.lose(Error::Memory);
            self.hang_up = true;
        }
    }

    /// When [`Connection::tick`] is to be called next, at the latest, as
    /// things stand now.
    #[must_use]
    pub fn deadline(&self) -> u64 {
        self.next_due(self.state == State::Open).0
    }

    /// Bytes of the frame being read that are still to come; 0 between frames.
    #[must_use]
    pub fn frame_remaining(&self) -> u64 {
        let frame = self.reading.as_deref().and_then(|reading| reading.frame);
        frame.map_or(0, |frame| frame.remaining())
    }

    /// Bytes of the frame being read that have come; 0 between frames.
    #[must_use]
    pub fn frame_arrived(&self) -> u64 {
        let frame = self.reading.as_deref().and_then(|reading| reading.frame);
        frame.map_or(0, |frame| frame.done)
    }

    /// Whether so many bytes more may wait to be sent.
    #[must_use]
    pub fn has_room_for(&self, length: usize) -> bool {
        let waiting = self.output.len().checked_add(length);
        waiting.is_some_and(|waiting| waiting <= self.settings.send_queue)
    }

    /// Whether the transport has said that no more bytes will come.
    #[must_use]
    pub fn peer_hung_up(&self) -> bool {
        self.eof
    }

    /// How long the last pong to a ping of ours took, in ms: of the keepalive's
    /// pings, and of the program's where only one waits for its pong.
    #[must_use]
    pub fn round_trip(&self) -> Option<u64> {
        self.timers.round_trip()
    }

    /// Bytes that wait to be sent.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.output.len()
    }

    /// Takes back what the last event lent.
    #[inline]
    fn take_back(&mut self) {
        if self.lent == Lent::Nothing {
            return;
        }
        let reading = self.reading.as_deref_mut();
        match (self.lent, reading) {
            (Lent::Message, Some(reading)) => reading.message.release_buffer(),
            (Lent::Control, Some(reading)) => reading.control.release(),
            (Lent::Opening, _) => _ = self.take_opening(),
            _ => {}
        }
        self.lent = Lent::Nothing;
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
        if self.timers.awaits_pong() && !self.output.is_empty() {
            return self.timers.pinged(&self.settings);
        }
        let mut payload = [0; 8];
        if !(self.random)(&mut payload) {
            return self.fail(Error::Random);
        }
        match self.queue_control(Opcode::Ping, &payload) {
            Ok(()) => self.timers.ping_sent(payload, &self.settings),
            Err(error) => self.fail(error),
        }
    }
}
