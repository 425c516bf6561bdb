//! The way in: frames to events.

use super::opening::Opening;
use super::reading::Reading;
use super::told::Report;
use super::{Chunk, CloseEvent, Connection, Event, Lent, Role};
use crate::proto::close;
use crate::proto::error::Error;
use crate::proto::frame::{self, Opcode};
use crate::proto::incoming::{Frame, Input};
use crate::proto::mask;
use crate::proto::message::{Kind, Message, Ready};
use crate::proto::settings::Settings;
use crate::proto::state::{Cause, Reply, State, transition};
use crate::proto::timers::Timers;

/// Where an event's bytes stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Input((usize, usize)),
    Message,
    Control,
}

/// An event before it borrows anything.
#[derive(Debug)]
pub(super) enum Found {
    Request,
    Open,
    Data {
        kind: Kind,
        place: Place,
        first: bool,
        last: bool,
        offset: u64,
        frame_remaining: u64,
    },
    Ping(Place),
    Pong(Place),
    Close,
}

/// What one step along the input came to.
#[derive(Debug)]
pub(super) enum Step {
    Found(Found),
    /// Something was read that is no event; there may be more.
    Continue,
    /// The input is used up.
    Starved,
    /// A plain request is to be answered before anything else.
    Waiting,
}

/// What a frame's first two bytes must agree with.
#[derive(Clone, Copy)]
struct Rules {
    role: Role,
    accept_unmasked: bool,
    /// Whether a message is in progress; not asked once we are closing, since
    /// messages are dropped then.
    in_progress: Option<bool>,
}

impl Rules {
    #[inline]
    fn judge(self, first: u8, second: u8) -> Result<Opcode, Error> {
        let opcode = frame::judge(first, second, 0)?;
        let masked = second & 0x80 != 0;
        let right = match self.role {
            Role::Client => !masked,
            Role::Server => masked || self.accept_unmasked,
        };
        if !right {
            return Err(Error::Masking);
        }
        match self.in_progress {
            Some(in_progress) if !opcode.is_control() => {
                if (opcode == Opcode::Continuation) == in_progress {
                    Ok(opcode)
                } else {
                    Err(Error::Continuation)
                }
            }
            _ => Ok(opcode),
        }
    }
}

/// A control frame's payload that came in pieces.
fn control_of(reading: Option<&Reading>) -> &[u8] {
    reading.map_or(&[], |reading| reading.control.bytes())
}

/// Reads what there is of a data frame's payload.
#[inline]
fn data_payload(
    reading: &mut Reading,
    mut frame: Frame,
    input: &mut Input<'_>,
    state: State,
    timers: &mut Timers,
    settings: &Settings,
    lent: &mut Lent,
) -> Result<Step, Error> {
    let in_room = reading.in_room.take().unwrap_or(0);
    let key = frame.header.mask;
    let (span, phase) = if in_room > 0 {
        frame.skip(in_room)
    } else {
        frame.take_masked(input)
    };
    let frame_remaining = frame.remaining();
    let frame_ends = frame_remaining == 0;
    let ends = frame_ends && frame.header.fin();
    if !frame_ends {
        reading.frame = Some(frame);
    }
    // What was fed comes behind what the room has.
    let on = if frame_ends || in_room > 0 {
        Step::Continue
    } else {
        Step::Starved
    };
    if state != State::Open {
        return Ok(on);
    }
    if span.0 != span.1 || in_room > 0 {
        timers.progress(settings);
    }
    let message = &mut reading.message;
    let kind = message.kind();
    let ready = if in_room > 0 {
        message.take_room(in_room, key, phase, ends)?
    } else if message.lends(ends) {
        if let Some(key) = key {
            mask::apply(input.bytes_mut(span), key, phase);
        }
        message.lend(input.bytes(span), ends)?
    } else {
        message.gather(input.bytes(span), key, phase, ends)?
    };
    let (place, first, last, offset) = match ready {
        Ready::Nothing => return Ok(on),
        Ready::Piece {
            first,
            last,
            offset,
        } => (Place::Input(span), first, last, offset),
        Ready::Buffer => {
            *lent = Lent::Message;
            (Place::Message, true, true, 0)
        }
    };
    if last {
        message.end();
    }
    Ok(Step::Found(Found::Data {
        kind,
        place,
        first,
        last,
        offset,
        frame_remaining,
    }))
}

impl Connection {
    /// Walks the input up to the next event.
    #[inline]
    pub(super) fn find(&mut self, input: &mut Input<'_>) -> Result<Found, Error> {
        if !input.rest().is_empty() {
            self.timers.heard();
        }
        loop {
            let step = match self.state {
                State::Open | State::Closing if !self.announce => self.read_frame(input),
                State::Over => return self.finish(input),
                _ => self.read_handshake(input),
            };
            match step {
                Ok(Step::Found(found)) => return Ok(found),
                Ok(Step::Continue) => {}
                Ok(Step::Waiting) => {
                    // What is behind a request that is answered and closed
                    // is nobody's.
                    input.discard();
                    return Err(Error::Again);
                }
                Ok(Step::Starved) if self.eof => self.lose(Error::ConnectionLost),
                Ok(Step::Starved) => {
                    self.rest();
                    return Err(Error::Again);
                }
                Err(error) => self.fail(error),
            }
        }
    }

    /// What comes after the end is not looked at (RFC 6455 7.1.7).
    fn finish(&mut self, input: &mut Input<'_>) -> Result<Found, Error> {
        input.discard();
        if self.reported {
            return Err(Error::Closed);
        }
        self.reported = true;
        self.release();
        Ok(Found::Close)
    }

    #[inline]
    fn read_frame(&mut self, input: &mut Input<'_>) -> Result<Step, Error> {
        if self.reading.is_none() && input.rest().is_empty() {
            return Ok(Step::Starved);
        }
        let reading = &mut **self.reading.get_or_insert_default();
        let mut frame = match reading.frame.take() {
            Some(frame) => frame,
            None => {
                let read = if self.settings.lenient {
                    match reading.loose_header(input, self.state, &self.settings)? {
                        (read, None) => read,
                        (_, Some(unfinished)) => {
                            self.lent = Lent::Message;
                            return Ok(Step::Found(unfinished));
                        }
                    }
                } else {
                    let message = &reading.message;
                    let rules = Rules {
                        role: self.role,
                        accept_unmasked: self.settings.accept_unmasked,
                        in_progress: (self.state == State::Open).then(|| message.in_progress()),
                    };
                    let judge = |first, second| rules.judge(first, second);
                    let read = reading.cut.read(input, judge)?;
                    if let Some(frame) = &read {
                        frame.header.judge_length()?;
                    }
                    read
                };
                let Some(frame) = read else {
                    return Ok(Step::Starved);
                };
                if !frame.opcode.is_control() && self.state == State::Open {
                    let settings = &self.settings;
                    let message = &mut reading.message;
                    if message.begin_frame(frame.opcode, &frame.header, settings)? {
                        reading.frame = Some(frame);
                        return Ok(Step::Found(self.flush_assembled(frame)));
                    }
                }
                frame
            }
        };
        if frame.opcode.is_control() {
            let span = frame.take(input);
            return self.control_payload(frame, span, input);
        }
        let (state, settings) = (self.state, &*self.settings);
        let (timers, lent) = (&mut self.timers, &mut self.lent);
        data_payload(reading, frame, input, state, timers, settings, lent)
    }

    /// The message has just grown past the size up to which it is handed out
    /// whole: what was assembled is its first chunk.
    fn flush_assembled(&mut self, frame: Frame) -> Found {
        self.lent = Lent::Message;
        let message = self.reading.as_deref_mut().map(|reading| {
            reading.message.begin_chunks();
            &reading.message
        });
        Found::Data {
            kind: message.map_or(Kind::Binary, Message::kind),
            place: Place::Message,
            first: true,
            last: false,
            offset: 0,
            frame_remaining: frame.remaining(),
        }
    }

    fn control_payload(
        &mut self,
        frame: Frame,
        span: (usize, usize),
        input: &Input<'_>,
    ) -> Result<Step, Error> {
        let ends = frame.remaining() == 0;
        let reading = self.reading.as_deref_mut().ok_or(Error::Internal)?;
        let place = if ends && reading.control.bytes().is_empty() {
            Place::Input(span)
        } else {
            reading.control.add(input.bytes(span))?;
            Place::Control
        };
        if !ends {
            reading.frame = Some(frame);
            return Ok(Step::Starved);
        }
        if matches!(place, Place::Control) {
            self.lent = Lent::Control;
        }
        match frame.opcode {
            Opcode::Close => {
                let (code, reason) = close::parse(self.place(place, input))?;
                let reason = reason.to_owned();
                self.peer_close(code, reason)?;
                Ok(Step::Continue)
            }
            // No pong follows our close frame (RFC 6455 5.5.2).
            _ if self.state != State::Open => {
                self.take_back();
                Ok(Step::Continue)
            }
            Opcode::Ping => {
                let key = self.mask_key()?;
                let payload = match place {
                    Place::Input(span) => input.bytes(span),
                    _ => control_of(self.reading.as_deref()),
                };
                self.output.pong(key, payload, self.settings.send_queue)?;
                Ok(Step::Found(Found::Ping(place)))
            }
            _ => {
                let payload = match place {
                    Place::Input(span) => input.bytes(span),
                    _ => control_of(self.reading.as_deref()),
                };
                self.timers.pong(payload);
                Ok(Step::Found(Found::Pong(place)))
            }
        }
    }

    /// The peer's close frame: answered with its own code (RFC 6455 5.5.1).
    fn peer_close(&mut self, code: u16, reason: String) -> Result<(), Error> {
        let by_peer = self.state == State::Open;
        let Some((state, reply)) = transition(self.state, Cause::PeerClose) else {
            return Ok(());
        };
        if reply == Reply::Close {
            let answer = (code != close::NO_STATUS).then_some(code);
            self.queue_close(answer, "")?;
        }
        self.end(
            state,
            Report {
                code,
                reason,
                by_peer,
                error: None,
                missing: 0,
            },
        );
        Ok(())
    }

    fn reading(&self) -> Option<&Reading> {
        self.reading.as_deref()
    }

    fn place<'e>(&'e self, place: Place, input: &'e Input<'_>) -> &'e [u8] {
        match place {
            Place::Input(span) => input.bytes(span),
            Place::Message => self
                .reading()
                .map_or(&[], |reading| reading.message.buffer()),
            Place::Control => self
                .reading()
                .map_or(&[], |reading| reading.control.bytes()),
        }
    }

    /// Dresses up what was found.
    #[inline]
    pub(super) fn event<'e>(&'e self, found: Found, input: &'e Input<'_>) -> Event<'e> {
        match found {
            Found::Data {
                kind,
                place,
                first,
                last,
                offset,
                frame_remaining,
            } => Event::Data(Chunk {
                kind,
                data: self.place(place, input),
                first,
                last,
                offset,
                frame_remaining,
            }),
            Found::Request => Event::Request {
                target: self.opening().map_or("", Opening::target),
            },
            Found::Open => Event::Open {
                subprotocol: self.opening().map_or("", Opening::subprotocol),
            },
            Found::Ping(place) => Event::Ping(self.place(place, input)),
            Found::Pong(place) => Event::Pong(self.place(place, input)),
            Found::Close => Event::Close(self.close_event()),
        }
    }

    fn close_event(&self) -> CloseEvent<'_> {
        let report = self.report();
        CloseEvent {
            code: report.map_or(close::ABNORMAL, |report| report.code),
            reason: report.map_or("", |report| &report.reason),
            by_peer: report.is_some_and(|report| report.by_peer),
            error: report.and_then(|report| report.error),
            missing: report.map_or(0, |report| report.missing),
        }
    }
}
