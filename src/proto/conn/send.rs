//! The way out: messages, control frames, the closing handshake.

use super::told::Report;
use super::{Connection, Role};
use crate::proto::close::{self, MAX_REASON};
use crate::proto::error::Error;
use crate::proto::frame::{FIN, MAX_CONTROL, Opcode};
use crate::proto::message::Kind;
use crate::proto::state::{Cause, Reply, State, transition};
use crate::proto::utf8::Validator;

/// What a program may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sendable {
    /// A message, or a chunk of one.
    Message(Kind),
    /// A ping of at most 125 bytes.
    Ping,
    /// An unsolicited pong of at most 125 bytes.
    Pong,
}

/// The first byte of a message in one frame; `None` for what is no frame.
#[inline(always)]
fn whole(kind: Kind) -> Option<u8> {
    kind.opcode().map(|opcode| FIN | opcode as u8)
}

impl Connection {
    /// Tells the time and acts on nothing that is due: what begins from here
    /// on has its whole time, however long ago the last [`Connection::tick`]
    /// was.
    #[inline]
    pub fn note_time(&mut self, now: u64) {
        self.timers.tick(now, &self.settings);
    }

    /// Queues a whole message or a control frame. [`Error::Full`] or any other
    /// error: nothing was queued.
    #[inline]
    pub fn send(&mut self, what: Sendable, data: &[u8]) -> Result<(), Error> {
        match what {
            Sendable::Message(kind) => self.send_message(kind, data),
            Sendable::Ping => self.send_control(Opcode::Ping, data),
            Sendable::Pong => self.send_control(Opcode::Pong, data),
        }
    }

    #[inline]
    fn send_message(&mut self, kind: Kind, data: &[u8]) -> Result<(), Error> {
        self.may_send(data.len())?;
        if self.sending.is_some() {
            return Err(Error::State);
        }
        kind.check(data, &self.settings)?;
        self.queue_message(kind, data)
    }

    /// Queues a chunk as one frame of a fragmented message (RFC 6455 5.4).
    /// `first` and `last` must fit what was sent before.
    #[inline]
    pub fn send_chunk(
        &mut self,
        kind: Kind,
        data: &[u8],
        first: bool,
        last: bool,
    ) -> Result<(), Error> {
        if first && last {
            return self.send_message(kind, data);
        }
        self.may_send(data.len())?;
        let expected = if first { None } else { Some(kind) };
        if self.sending != expected {
            return Err(Error::State);
        }
        let mut utf8 = self.sending_utf8;
        if kind == Kind::Text && !self.settings.lenient {
            utf8.feed(data).map_err(|_| Error::SendUtf8)?;
            if last {
                utf8.finish().map_err(|_| Error::SendUtf8)?;
            }
        }
        let opcode = match (first, kind) {
            (false, _) => Opcode::Continuation,
            (true, Kind::Text) => Opcode::Text,
            (true, Kind::Binary) => Opcode::Binary,
            // These are whole, or nothing.
            (true, Kind::Continuation | Kind::Raw) => return Err(Error::Usage),
        };
        let key = self.mask_key()?;
        let first_byte = opcode as u8 | if last { FIN } else { 0 };
        let most = self.settings.send_queue;
        self.output.frame(first_byte, key, data, most)?;
        if kind == Kind::Text {
            self.sending_utf8 = utf8;
        }
        self.sending = (!last).then_some(kind);
        if last {
            self.sending_utf8 = Validator::default();
        }
        Ok(())
    }

    /// Queues a whole message that was checked.
    #[inline]
    fn queue_message(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        let most = self.settings.send_queue;
        let Some(first) = whole(kind) else {
            return self.output.raw(payload, most);
        };
        let key = self.mask_key()?;
        self.output.frame(first, key, payload, most)
    }

    /// Whether a whole message may be sent, now or when there is room.
    pub fn check_message(&self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        match self.state {
            State::Open if self.sending.is_none() => {}
            State::Opening | State::Open => return Err(Error::State),
            State::Closing | State::Over => return Err(Error::Closed),
        }
        if payload.len() > self.settings.send_queue {
            return Err(Error::SendTooBig);
        }
        kind.check(payload, &self.settings)
    }

    /// Queues the header of a whole unmasked message (of raw bytes, which have
    /// none, nothing); its payload goes out
    /// right behind what [`Connection::output`] then has, from where the caller
    /// has it, and what the transport does not take of it is queued by
    /// [`Connection::send_rest`]. The same checks as for [`Connection::send`].
    pub fn send_header(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        if self.role == Role::Client {
            return Err(Error::State);
        }
        // It goes before the header: [`Connection::output`] would queue it
        // between that and the payload.
        if self.output.owes_pong() {
            self.send_late_pong();
        }
        self.check_message(kind, payload)?;
        if self.output.len() > self.settings.send_queue - payload.len() {
            return Err(Error::Full);
        }
        let Some(first) = whole(kind) else {
            return Ok(());
        };
        let most = self.settings.send_queue;
        self.output.header(first, payload.len() as u64, most)
    }

    /// Queues a whole message that has waited elsewhere and was counted against
    /// the limit there: it has its room, whatever else was queued since.
    pub fn send_counted(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        self.check_message(kind, payload)?;
        self.queue_message(kind, payload)
    }

    /// Queues what the transport did not take of a payload whose header was
    /// queued last. Without the memory for it the connection is over: the
    /// stream cannot go on.
    pub fn send_rest(&mut self, rest: &[u8]) {
        if self.output.raw(rest, self.settings.send_queue).is_err() {
            self.lose(Error::Memory);
            self.hang_up = true;
        }
    }

    /// Queues this in the place of all that waits: the same bytes, less those that
    /// the transport took, with payloads between them whose headers were queued
    /// by [`Connection::send_header`]. Without the memory for it the connection
    /// is over: the stream cannot go on.
    pub fn requeue(&mut self, rest: Result<Vec<u8>, Error>) {
        match rest {
            Ok(rest) => self.output.replace(rest),
            Err(error) => {
                self.lose(error);
                self.hang_up = true;
            }
        }
    }

    fn send_control(&mut self, opcode: Opcode, data: &[u8]) -> Result<(), Error> {
        if data.len() > MAX_CONTROL {
            return Err(Error::SendTooBig);
        }
        self.may_send(data.len())?;
        self.queue_control(opcode, data)?;
        if opcode == Opcode::Ping {
            self.timers.asked(data);
        }
        Ok(())
    }

    /// Whether a payload of this length may be queued now.
    #[inline]
    fn may_send(&self, length: usize) -> Result<(), Error> {
        match self.state {
            State::Opening => return Err(Error::State),
            State::Closing | State::Over => return Err(Error::Closed),
            State::Open => {}
        }
        let limit = self.settings.send_queue;
        if length > limit {
            return Err(Error::SendTooBig);
        }
        if self.output.len() > limit - length {
            return Err(Error::Full);
        }
        Ok(())
    }

    /// Starts the closing handshake; no code sends an empty body. Messages
    /// that still come from the peer are dropped; the end is an event.
    pub fn close(&mut self, code: Option<u16>, reason: &str) -> Result<(), Error> {
        close::check(code, reason)?;
        let (state, reply) = transition(self.state, Cause::LocalClose).ok_or(Error::Closed)?;
        match reply {
            Reply::Close => {
                self.queue_close(code, reason)?;
                self.state = state;
                self.sending = None;
                self.output.forget_pong();
                self.timers.closing(&self.settings);
            }
            Reply::Refusal | Reply::Nothing => {
                // Service Unavailable: the client may try again.
                self.queue_refusal(503, Error::Refused);
                self.end(state, Report::failed(close::ABNORMAL, Error::Refused));
            }
        }
        Ok(())
    }

    /// Queues a control frame, for which there is always room.
    pub(super) fn queue_control(&mut self, opcode: Opcode, data: &[u8]) -> Result<(), Error> {
        let key = self.mask_key()?;
        let (first, most) = (FIN | opcode as u8, self.settings.send_queue);
        self.output.frame(first, key, data, most)
    }

    /// Queues a close frame; the reason is cut at a character's border.
    pub(super) fn queue_close(&mut self, code: Option<u16>, reason: &str) -> Result<(), Error> {
        let mut body = [0; MAX_CONTROL];
        let mut length = 0;
        if let Some(code) = code {
            let border = |at: &usize| reason.is_char_boundary(*at);
            let end = (0..=reason.len().min(MAX_REASON)).rev().find(border);
            let reason = reason
                .as_bytes()
                .get(..end.unwrap_or(0))
                .unwrap_or_default();
            length = 2 + reason.len();
            body[..2].copy_from_slice(&code.to_be_bytes());
            if let Some(room) = body.get_mut(2..length) {
                room.copy_from_slice(reason);
            }
        }
        let body = body.get(..length).unwrap_or_default();
        self.queue_control(Opcode::Close, body)
    }

    /// Answers the latest ping of a flood, once the pongs in line are out.
    pub(super) fn send_late_pong(&mut self) {
        let Some(payload) = self.output.take_late_pong() else {
            return;
        };
        let most = self.settings.send_queue;
        let queued = self
            .mask_key()
            .and_then(|key| self.output.pong(key, payload.as_ref(), most));
        if let Err(error) = queued {
            self.fail(error);
        }
    }
}
