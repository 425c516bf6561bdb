//! The way out: messages, control frames, the closing handshake.

use super::{Connection, Report};
use crate::proto::close::{self, MAX_REASON};
use crate::proto::error::Error;
use crate::proto::frame::{MAX_CONTROL, Opcode};
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

const FIN: u8 = 0x80;

impl Connection {
    /// Queues a whole message or a control frame. [`Error::Full`] or any other
    /// error: nothing was queued.
    #[inline]
    pub fn send(&mut self, what: Sendable, data: &[u8]) -> Result<(), Error> {
        match what {
            Sendable::Message(kind) => self.send_chunk(kind, data, true, true),
            Sendable::Ping => self.send_control(Opcode::Ping, data),
            Sendable::Pong => self.send_control(Opcode::Pong, data),
        }
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
        self.may_send(data.len())?;
        let expected = if first { None } else { Some(kind) };
        if self.sending != expected {
            return Err(Error::State);
        }
        let mut utf8 = self.sending_utf8;
        if kind == Kind::Text {
            utf8.feed(data).map_err(|_| Error::SendUtf8)?;
            if last {
                utf8.finish().map_err(|_| Error::SendUtf8)?;
            }
        }
        let opcode = match (first, kind) {
            (false, _) => Opcode::Continuation,
            (true, Kind::Text) => Opcode::Text,
            (true, Kind::Binary) => Opcode::Binary,
        };
        let key = self.mask_key()?;
        let first_byte = opcode as u8 | if last { FIN } else { 0 };
        self.output.frame(first_byte, key, data)?;
        if kind == Kind::Text {
            self.sending_utf8 = utf8;
        }
        self.sending = (!last).then_some(kind);
        if last {
            self.sending_utf8 = Validator::default();
        }
        Ok(())
    }

    fn send_control(&mut self, opcode: Opcode, data: &[u8]) -> Result<(), Error> {
        if data.len() > MAX_CONTROL {
            return Err(Error::SendTooBig);
        }
        self.may_send(data.len())?;
        self.queue_control(opcode, data)
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
        match code {
            Some(code) if !close::may_be_sent(code) => return Err(Error::Range),
            None if !reason.is_empty() => return Err(Error::Usage),
            _ => {}
        }
        if reason.len() > MAX_REASON {
            return Err(Error::SendTooBig);
        }
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
        self.output.frame(FIN | opcode as u8, key, data)
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
        let queued = self
            .mask_key()
            .and_then(|key| self.output.pong(key, &payload));
        if let Err(error) = queued {
            self.fail(error);
        }
    }
}
