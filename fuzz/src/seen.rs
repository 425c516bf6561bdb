//! What a connection told and sent, owned, and what always holds of it.

use super::reference;
use super::source::xor;
use wsembed::proto::Error;
use wsembed::proto::conn::{Event, Role};
use wsembed::proto::message::Kind;

/// An event, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Request(String),
    Open(String),
    Data(Data),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close {
        code: u16,
        reason: String,
        by_peer: bool,
        error: Option<Error>,
        missing: u64,
    },
}

/// A message, or chunks of one that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    pub first: bool,
    pub last: bool,
    pub offset: u64,
    pub frame_remaining: u64,
}

impl Data {
    pub fn is_whole(&self) -> bool {
        self.first && self.last
    }
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Seen {
        match event {
            Event::Request { target } => Seen::Request(target.to_owned()),
            Event::Open { subprotocol } => Seen::Open(subprotocol.to_owned()),
            Event::Data(chunk) => Seen::Data(Data {
                kind: chunk.kind,
                bytes: chunk.data.to_vec(),
                first: chunk.first,
                last: chunk.last,
                offset: chunk.offset,
                frame_remaining: chunk.frame_remaining,
            }),
            Event::Ping(data) => Seen::Ping(data.to_vec()),
            Event::Pong(data) => Seen::Pong(data.to_vec()),
            Event::Close(close) => Seen::Close {
                code: close.code,
                reason: close.reason.to_owned(),
                by_peer: close.by_peer,
                error: close.error,
                missing: close.missing,
            },
        }
    }
}

/// Notes an event behind the others; the chunks of a message, whose cuts
/// follow those of the input, become one.
pub fn note(events: &mut Vec<Seen>, event: Seen) {
    if let (Seen::Data(more), Some(Seen::Data(data))) = (&event, events.last_mut()) {
        if !data.last {
            assert!(!more.first, "a message begins inside another");
            assert_eq!(more.kind, data.kind);
            assert_eq!(more.offset, data.offset + data.bytes.len() as u64);
            data.bytes.extend_from_slice(&more.bytes);
            data.last = more.last;
            data.frame_remaining = more.frame_remaining;
            return;
        }
    }
    events.push(event);
}

/// Joins the chunks of a message that control frames came between, to where
/// its first one stands.
pub fn joined(events: &[Seen]) -> Vec<Seen> {
    let mut out: Vec<Seen> = Vec::new();
    let mut open: Option<usize> = None;
    for event in events {
        let Seen::Data(more) = event else {
            out.push(event.clone());
            continue;
        };
        match open.map(|at| &mut out[at]) {
            Some(Seen::Data(data)) => {
                assert!(!more.first && more.kind == data.kind);
                assert_eq!(more.offset, data.bytes.len() as u64);
                data.bytes.extend_from_slice(&more.bytes);
                data.last = more.last;
                data.frame_remaining = more.frame_remaining;
            }
            _ => {
                assert!(more.first && more.offset == 0, "{more:?}");
                open = Some(out.len());
                out.push(event.clone());
            }
        }
        if more.last {
            open = None;
        }
    }
    out
}

/// What holds of every connection that was run to its end: one CLOSE and
/// nothing behind it, text that is UTF-8 and no stray frame where it is not
/// lenient, no more bytes than came.
pub fn check_events(events: &[Seen], fed: usize, lenient: bool) {
    let is_close = |event: &&Seen| matches!(event, Seen::Close { .. });
    assert_eq!(events.iter().filter(is_close).count(), 1, "{events:?}");
    assert!(events.last().as_ref().is_some_and(is_close));
    let mut told = 0;
    for event in joined(events) {
        match event {
            Seen::Data(data) => {
                told += data.bytes.len();
                assert_ne!(data.kind, Kind::Raw, "never received");
                if !lenient {
                    assert_ne!(data.kind, Kind::Continuation);
                    if data.kind == Kind::Text {
                        check_text(&data);
                    }
                }
                assert!(!data.last || data.frame_remaining == 0);
            }
            Seen::Ping(payload) | Seen::Pong(payload) => {
                assert!(payload.len() <= 125);
                told += payload.len();
            }
            _ => {}
        }
    }
    assert!(told <= fed, "{told} bytes told of {fed}");
}

/// Whole text is UTF-8; what there is of a message that was cut off may end
/// inside a code point.
fn check_text(data: &Data) {
    match std::str::from_utf8(&data.bytes) {
        Ok(_) => {}
        Err(error) => assert!(
            !data.last && error.error_len().is_none(),
            "text that is not UTF-8 was told"
        ),
    }
}

/// A frame that we sent, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub first: u8,
    pub payload: Vec<u8>,
}

/// The frames in our output: each by the rules of RFC 6455 5 for our role, in
/// an order that 5.4 allows, nothing behind a close frame. `cut_off` allows
/// the last one to be incomplete: the transport was given up. A lenient end
/// sends continuations that continue nothing.
pub fn frames_of(role: Role, mut sent: &[u8], cut_off: bool, lenient: bool) -> Vec<Sent> {
    let mut frames: Vec<Sent> = Vec::new();
    let mut in_message = false;
    while !sent.is_empty() {
        let Some(header) = reference::header(sent) else {
            assert!(cut_off, "the output ends inside a header");
            break;
        };
        assert_eq!(header.key.is_some(), role == Role::Client, "RFC 6455 5.1");
        assert!(header.minimal && header.length < 1 << 63, "RFC 6455 5.2");
        let opcode = header.first & 0x0F;
        let fin = header.first & 0x80 != 0;
        assert!([0, 1, 2, 8, 9, 10].contains(&opcode) && header.first & 0x70 == 0);
        if opcode >= 8 {
            assert!(fin && header.length <= 125, "RFC 6455 5.5");
        } else {
            let stray = lenient && !in_message && header.first == 0x80;
            assert!(stray || in_message == (opcode == 0), "RFC 6455 5.4");
            in_message = !fin;
        }
        let body = &sent[header.size..];
        let length = header.length as usize;
        if body.len() < length {
            assert!(cut_off, "the output ends inside a payload");
            break;
        }
        let closed = frames.last().is_some_and(|frame| frame.first == 0x88);
        assert!(!closed, "a frame behind the close frame");
        let key = header.key.unwrap_or_default();
        frames.push(Sent {
            first: header.first,
            payload: xor(&body[..length], key),
        });
        sent = &body[length..];
    }
    frames
}
