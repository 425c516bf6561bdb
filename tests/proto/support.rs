//! Builds frames, runs a connection over them in every cut, and notes what it
//! did.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Event, Role};
use wsembed::proto::frame;
use wsembed::proto::incoming::Input;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;

pub const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
pub const FIN: u8 = 0x80;
pub const CONT: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// Bytes that look random and are the same in every run.
pub fn random(bytes: &mut [u8]) -> bool {
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (at as u8).wrapping_mul(73).wrapping_add(11);
    }
    true
}

/// A source that has run dry.
pub fn no_random(_: &mut [u8]) -> bool {
    false
}

/// A frame from a client.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    build(first, Some(KEY), payload)
}

/// A frame from a server.
pub fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    build(first, None, payload)
}

/// A frame from the peer of `role`.
pub fn to(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    match role {
        Role::Server => masked(first, payload),
        Role::Client => plain(first, payload),
    }
}

fn build(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let (header, size) = frame::encode(first, key, payload.len() as u64);
    let mut bytes = header[..size].to_vec();
    let key = key.unwrap_or_default();
    bytes.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// What a connection told, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Request(String),
    Open(String),
    Message(Kind, Vec<u8>),
    Chunk {
        kind: Kind,
        data: Vec<u8>,
        first: bool,
        last: bool,
        offset: u64,
        frame_remaining: u64,
    },
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

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Seen {
        match event {
            Event::Request { target } => Seen::Request(target.to_owned()),
            Event::Open { subprotocol } => Seen::Open(subprotocol.to_owned()),
            Event::Data(chunk) if chunk.first && chunk.last => {
                assert_eq!(chunk.offset, 0);
                Seen::Message(chunk.kind, chunk.data.to_vec())
            }
            Event::Data(chunk) => Seen::Chunk {
                kind: chunk.kind,
                data: chunk.data.to_vec(),
                first: chunk.first,
                last: chunk.last,
                offset: chunk.offset,
                frame_remaining: chunk.frame_remaining,
            },
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

/// The end that a rule broken by the peer brings.
pub fn failed(error: Error) -> Seen {
    Seen::Close {
        code: error.close_code(),
        reason: String::new(),
        by_peer: false,
        error: Some(error),
        missing: 0,
    }
}

/// The end that a lost transport brings.
pub fn lost(missing: u64) -> Seen {
    Seen::Close {
        code: 1006,
        reason: String::new(),
        by_peer: false,
        error: Some(Error::ConnectionLost),
        missing,
    }
}

/// A clean end begun by the peer.
pub fn closed(code: u16, reason: &str) -> Seen {
    Seen::Close {
        code,
        reason: reason.to_owned(),
        by_peer: true,
        error: None,
        missing: 0,
    }
}

pub fn text(data: &str) -> Seen {
    Seen::Message(Kind::Text, data.as_bytes().to_vec())
}

pub fn binary(data: &[u8]) -> Seen {
    Seen::Message(Kind::Binary, data.to_vec())
}

/// Feeds one piece and notes every event.
pub fn feed(connection: &mut Connection, piece: &[u8]) -> Vec<Seen> {
    let mut piece = piece.to_vec();
    let mut input = Input::new(&mut piece);
    let mut seen = Vec::new();
    loop {
        match connection.next(&mut input) {
            Ok(event) => seen.push(event.into()),
            Err(Error::Again | Error::Closed) => break,
            Err(other) => panic!("next said {other:?}"),
        }
    }
    assert!(input.rest().is_empty(), "what was fed is read to its end");
    seen
}

/// Tells the end of the transport and notes every event.
pub fn feed_eof(connection: &mut Connection) -> Vec<Seen> {
    connection.feed_eof();
    feed(connection, &[])
}

/// All that waits to be sent.
pub fn drain(connection: &mut Connection) -> Vec<u8> {
    let mut sent = Vec::new();
    while let Ok(bytes) = connection.output() {
        if bytes.is_empty() {
            break;
        }
        let bytes = bytes.to_vec();
        connection.done(bytes.len()).unwrap();
        sent.extend(bytes);
    }
    sent
}

/// What is fed to a connection whose handshake is done.
#[derive(Clone)]
pub struct Case {
    pub role: Role,
    pub settings: Settings,
    pub input: Vec<u8>,
    pub eof: bool,
}

/// A server that gets these bytes.
pub fn server(input: impl AsRef<[u8]>) -> Case {
    Case {
        role: Role::Server,
        settings: Settings::default(),
        input: input.as_ref().to_vec(),
        eof: false,
    }
}

/// A client that gets these bytes.
pub fn client(input: impl AsRef<[u8]>) -> Case {
    Case {
        role: Role::Client,
        ..server(input)
    }
}

/// Both roles, the frames being built for each.
pub fn both(frames: &[(u8, &[u8])]) -> [Case; 2] {
    [Role::Server, Role::Client].map(|role| {
        let input = frames
            .iter()
            .flat_map(|(first, payload)| to(role, *first, payload));
        Case {
            role,
            ..server(input.collect::<Vec<u8>>())
        }
    })
}

impl Case {
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Case {
        change(&mut self.settings);
        self
    }

    pub fn then_eof(mut self) -> Case {
        self.eof = true;
        self
    }

    pub fn connection(&self) -> Connection {
        Connection::established(self.role, Arc::new(self.settings.clone()), random)
    }

    /// The events and the output of one run over these pieces.
    fn run<'p>(&self, pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<Seen>, Vec<u8>) {
        let mut connection = self.connection();
        let mut seen = Vec::new();
        let mut sent = Vec::new();
        for piece in pieces {
            seen.extend(feed(&mut connection, piece));
            sent.extend(drain(&mut connection));
        }
        if self.eof {
            seen.extend(feed_eof(&mut connection));
            sent.extend(drain(&mut connection));
        }
        (joined(seen), sent)
    }

    /// Events and output, which must be the same however the input is cut:
    /// whole, byte by byte, at each place in two, at random.
    pub fn outcome(&self) -> (Vec<Seen>, Vec<u8>) {
        let input = &self.input[..];
        let whole = self.run([input]);
        assert_eq!(self.run(input.chunks(1)), whole, "byte by byte");
        let step = (input.len() / 600).max(1);
        for at in (0..input.len()).step_by(step) {
            let (head, tail) = input.split_at(at);
            assert_eq!(self.run([head, tail]), whole, "cut at {at}");
        }
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for round in 0..20 {
            let mut pieces = Vec::new();
            let mut rest = input;
            while !rest.is_empty() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let (head, tail) = rest.split_at((state % 40) as usize % rest.len() + 1);
                pieces.push(head);
                rest = tail;
            }
            assert_eq!(self.run(pieces), whole, "random cuts, round {round}");
        }
        whole
    }

    /// The events of one run over the whole input.
    pub fn events_of_whole(&self) -> Vec<Seen> {
        self.run([&self.input[..]]).0
    }

    /// As [`Case::outcome`], the events only.
    pub fn events(&self) -> Vec<Seen> {
        self.outcome().0
    }

    /// The events must be these, and where the last is a failure, exactly one
    /// close frame with its code must have gone out.
    #[track_caller]
    pub fn expect(&self, expected: &[Seen]) {
        let (events, sent) = self.outcome();
        assert_eq!(events, expected, "{:?}", self.role);
        let Some(Seen::Close {
            error: Some(error),
            code,
            ..
        }) = expected.last()
        else {
            return;
        };
        let codes = close_codes(self.role, &sent);
        if *error == Error::ConnectionLost {
            assert_eq!(codes, [] as [u16; 0]);
        } else {
            assert_eq!(codes, [*code]);
        }
    }
}

/// Joins chunks of one message, whose cuts follow those of the input.
fn joined(seen: Vec<Seen>) -> Vec<Seen> {
    let mut out: Vec<Seen> = Vec::new();
    for one in seen {
        if let Seen::Chunk {
            kind,
            data,
            first,
            last,
            offset,
            frame_remaining,
        } = &one
        {
            if let Some(Seen::Chunk {
                kind: before_kind,
                data: before,
                last: before_last,
                offset: before_offset,
                frame_remaining: before_remaining,
                ..
            }) = out.last_mut()
            {
                if !*before_last && !first {
                    assert_eq!(kind, before_kind);
                    assert_eq!(*offset, *before_offset + before.len() as u64);
                    before.extend(data);
                    *before_last = *last;
                    *before_remaining = *frame_remaining;
                    continue;
                }
            }
        }
        out.push(one);
    }
    let whole = |one| match one {
        Seen::Chunk {
            kind,
            data,
            first: true,
            last: true,
            ..
        } => Seen::Message(kind, data),
        other => other,
    };
    out.into_iter().map(whole).collect()
}

/// The frames that an end sent, unmasked.
pub fn frames_of(role: Role, mut sent: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while !sent.is_empty() {
        let frame::Decoded::Header(header) = frame::decode(sent) else {
            panic!("output ends inside a header");
        };
        assert_eq!(header.mask.is_some(), role == Role::Client, "RFC 6455 5.1");
        assert!(header.minimal, "shortest form");
        let size = usize::from(header.size);
        let end = size + header.length as usize;
        let key = header.mask.unwrap_or_default();
        let payload = sent[size..end].iter().zip(key.iter().cycle());
        frames.push((
            header.first,
            payload.map(|(byte, mask)| byte ^ mask).collect(),
        ));
        sent = &sent[end..];
    }
    frames
}

/// The codes of the close frames that an end sent; an empty one is 1005.
pub fn close_codes(role: Role, sent: &[u8]) -> Vec<u16> {
    frames_of(role, sent)
        .into_iter()
        .filter(|(first, _)| *first == FIN | CLOSE)
        .map(|(_, body)| {
            body.first_chunk()
                .map_or(1005, |code| u16::from_be_bytes(*code))
        })
        .collect()
}
