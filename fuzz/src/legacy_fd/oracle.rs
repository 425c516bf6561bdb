//! What each call of the drop-in's receive must say, told from the whole
//! stream and how much of it has been written.

use wsembed::legacy::kind::Kind;
use wsembed::legacy::receive::Received;

use super::super::reference::{self, Header, Told};
use super::super::source::xor;

/// An HTTP request of more bytes than this may be given up, depending on how
/// it is cut.
const MAX_REQUEST: usize = 64 * 1024;

/// What a call came to, for the loop around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something was received, or will be by a larger buffer.
    More,
    /// Nothing is there.
    Nothing,
    /// Nothing will ever come again.
    Over,
}

/// What is due next.
enum Due {
    Nothing,
    Frame {
        header: Header,
        length: usize,
    },
    /// A frame too large to be kept.
    Skipped {
        size: usize,
    },
    Request {
        size: usize,
    },
    Noise,
    Violation,
}

/// What the peer must be sent.
enum Answer {
    Frame {
        first: u8,
        masked: bool,
        payload: Vec<u8>,
    },
    /// The 101 answer to a request, so many bytes.
    Switch(usize),
}

pub struct Oracle<'s> {
    pub stream: &'s [u8],
    /// How much of it the peer has written.
    pub written: usize,
    /// The peer has written all, and said so.
    pub ended: bool,
    /// The caller looks at the types.
    pub typed: bool,
    /// The buffer that the next call is given.
    pub needed: Option<usize>,
    /// What did not fit waits for a buffer of so many bytes.
    pub kept: Option<usize>,
    /// The same, unless it was noise that did not fit.
    pub maybe_kept: Option<usize>,
    /// A request of so many bytes was just received.
    pub request: Option<usize>,
    keep: usize,
    client: bool,
    /// Where the first byte stands that was not handed out.
    at: usize,
    started: bool,
    broken: bool,
    closed: bool,
    close_sent: bool,
    /// The last thing handed out was noise that did not fit: up to a dozen
    /// bytes of it are kept, and told as noise whatever they look like.
    noisy: bool,
    /// Calls that found nothing though the stream had ended.
    late: u32,
    answers: Vec<Answer>,
    /// Bytes of the peer's that were checked.
    checked: usize,
}

impl<'s> Oracle<'s> {
    pub fn new(stream: &'s [u8], keep: usize, client: bool, typed: bool) -> Oracle<'s> {
        Oracle {
            stream,
            written: 0,
            ended: false,
            typed,
            needed: None,
            kept: None,
            maybe_kept: None,
            request: None,
            keep,
            client,
            at: 0,
            started: client,
            broken: false,
            closed: false,
            close_sent: false,
            noisy: false,
            late: 0,
            answers: Vec::new(),
            checked: 0,
        }
    }

    fn due(&self) -> Due {
        let seen = &self.stream[self.at..self.written];
        let Some(&first) = seen.first() else {
            return Due::Nothing;
        };
        let second = seen.get(1).copied().unwrap_or(0);
        let opcode = first % 16;
        let control = opcode >= 8;
        let known = opcode <= 2 || (8..=10).contains(&opcode);
        let shaped = !control || (first >= 0x80 && second % 128 <= 125);
        let header = reference::header(seen);
        let too_long = header.is_some_and(|header| header.length >= 1 << 63);
        if !known || first & 0x70 != 0 || !shaped || too_long {
            return match first {
                _ if self.started => Due::Violation,
                b'G' => request(seen),
                _ => Due::Noise,
            };
        }
        let Some(header) = header else {
            return Due::Nothing;
        };
        let Ok(length) = usize::try_from(header.length) else {
            return Due::Nothing;
        };
        let body = &seen[header.size..];
        if body.len() < length {
            return Due::Nothing;
        }
        if !control && length > self.keep {
            return Due::Skipped {
                size: header.size + length,
            };
        }
        Due::Frame { header, length }
    }

    /// The payload of the frame that is due, unmasked.
    fn payload(&self, header: Header, length: usize) -> Vec<u8> {
        let key = header.key.unwrap_or_default();
        xor(&self.stream[self.at + header.size..][..length], key)
    }

    /// Changes whenever the talk gets on.
    pub fn progress(&self) -> (usize, usize, bool) {
        (self.at, self.written, self.broken || self.closed)
    }

    pub fn something_is_due(&self) -> bool {
        self.broken || self.closed || self.ended || !matches!(self.due(), Due::Nothing)
    }

    /// Whether all that can be handed out has been.
    pub fn is_used_up(&self) -> bool {
        self.broken || self.closed || matches!(self.due(), Due::Nothing)
    }

    /// Holds one call's outcome against what was due.
    pub fn judge(&mut self, received: Received, data: &[u8], canary: u8) -> Step {
        let said = (received.result, received.kind, received.errno);
        if self.closed {
            assert_eq!(said, (0, Kind::Null, libc::ECONNRESET), "behind a close");
            return Step::Over;
        }
        if self.broken {
            assert_eq!(said, (0, Kind::Error, libc::EPROTO), "behind a violation");
            return Step::Over;
        }
        let is_noise = said.0 < 0 && said.2 == libc::EPROTO;
        let noisy = std::mem::take(&mut self.noisy);
        let no_room = said == (0, Kind::Error, libc::EMSGSIZE) && data.len() == 1;
        match self.due() {
            _ if noisy && is_noise => self.noise(said, data),
            // What is kept of the noise, or the frame behind it.
            due if noisy && no_room => {
                self.noisy = true;
                self.maybe_kept = match due {
                    Due::Frame { length, .. } => Some(length),
                    Due::Request { size } => Some(size + 1),
                    _ => None,
                };
                Step::More
            }
            Due::Nothing => self.nothing(said),
            Due::Violation => {
                assert_eq!(said, (0, Kind::Error, libc::EPROTO));
                self.broken = true;
                Step::More
            }
            Due::Skipped { size } => {
                assert_eq!(said, (0, Kind::Error, libc::EMSGSIZE));
                self.passed(size);
                Step::More
            }
            Due::Noise => self.noise(said, data),
            Due::Request { size } => self.request(said, data, size),
            Due::Frame { header, length } => self.frame(said, data, canary, header, length),
        }
    }

    fn frame(
        &mut self,
        said: (i32, Kind, i32),
        data: &[u8],
        canary: u8,
        header: Header,
        length: usize,
    ) -> Step {
        self.started = true;
        if header.first & 0x08 != 0 {
            self.control(said, data, canary, header, length);
        } else if length > data.len() {
            assert_eq!(said, (0, Kind::Error, libc::EMSGSIZE));
            self.kept = Some(length);
            return Step::More;
        } else {
            let kind = kind_of(header.first);
            assert_eq!(said, (length as i32, kind, libc::EAGAIN));
            let (head, rest) = data.split_at(length);
            assert_eq!(head, self.payload(header, length));
            assert!(all_are(rest, canary), "behind it");
        }
        self.passed(header.size + length);
        Step::More
    }

    fn passed(&mut self, size: usize) {
        self.at += size;
        self.started = true;
    }

    fn nothing(&mut self, said: (i32, Kind, i32)) -> Step {
        if self.written - self.at > MAX_REQUEST && said == (0, Kind::Error, libc::EMSGSIZE) {
            assert!(!self.started && self.stream[self.at] == b'G');
            return Step::Over;
        }
        if said == (0, Kind::Null, libc::ECONNRESET) {
            assert!(self.ended, "an end that nobody made");
            return Step::Over;
        }
        assert_eq!(said, (0, Kind::Null, libc::EAGAIN));
        if self.ended {
            // The call that takes the last bytes does not see the end.
            self.late += 1;
            assert!(self.late < 4, "the end is never told");
            return Step::More;
        }
        Step::Nothing
    }

    /// Bytes that are no frame come as they are, one byte of room left.
    fn noise(&mut self, said: (i32, Kind, i32), data: &[u8]) -> Step {
        let room = data.len() - 1;
        if room == 0 {
            assert_eq!(said, (0, Kind::Error, libc::EMSGSIZE));
            return Step::More;
        }
        let length = said.0.unsigned_abs() as usize;
        assert_eq!((said.1, said.2), (Kind::Error, libc::EPROTO));
        assert!((1..=room).contains(&length), "{length} of {room}");
        let (head, rest) = data.split_at(length);
        assert_eq!(head, &self.stream[self.at..self.at + length]);
        assert!(self.at + length <= self.written);
        assert!(all_are(rest, 0), "zeroed behind noise");
        self.at += length;
        self.noisy = length == room;
        Step::More
    }

    fn request(&mut self, said: (i32, Kind, i32), data: &[u8], size: usize) -> Step {
        if size > MAX_REQUEST && said == (0, Kind::Error, libc::EMSGSIZE) {
            return Step::Over;
        }
        if data.len() <= size {
            assert_eq!(said, (0, Kind::Error, libc::EMSGSIZE));
            self.kept = Some(size + 1);
            return Step::More;
        }
        assert_eq!(said, (-(size as i32), Kind::Error, libc::EAGAIN));
        let (head, rest) = data.split_at(size);
        assert_eq!(head, &self.stream[self.at..self.at + size]);
        assert!(all_are(rest, 0), "zeroed behind a request");
        self.at += size;
        self.request = Some(size);
        Step::More
    }

    fn control(
        &mut self,
        said: (i32, Kind, i32),
        data: &[u8],
        canary: u8,
        header: Header,
        length: usize,
    ) {
        let payload = self.payload(header, length);
        let kind = kind_of(header.first);
        let fits = payload.len() <= data.len();
        let is_close = kind == Kind::Close;
        let told = !is_close && self.typed && fits;
        let result = if told { payload.len() as i32 } else { 0 };
        let errno = if is_close {
            libc::ECONNRESET
        } else {
            libc::EAGAIN
        };
        assert_eq!(said, (result, kind, errno));
        let shown = if is_close || told {
            payload.len().min(data.len())
        } else {
            0
        };
        assert_eq!(data[..shown], payload[..shown]);
        assert!(all_are(&data[shown..], canary));
        let masked = self.client || header.key.is_none();
        if is_close {
            self.closed = true;
            if !self.close_sent {
                let payload = match reference::closed(&payload) {
                    Told::Closed(..) => payload,
                    Told::Failed(code) => code.to_be_bytes().to_vec(),
                    other => panic!("{other:?}"),
                };
                self.answer(header.first, masked, payload);
            }
        } else if kind == Kind::Ping {
            self.answer(0x8A, masked, payload);
        }
    }

    fn answer(&mut self, first: u8, masked: bool, payload: Vec<u8>) {
        self.answers.push(Answer::Frame {
            first,
            masked,
            payload,
        });
    }

    /// The program sent a frame.
    pub fn sent(&mut self, kind: Kind, masked: bool, payload: &[u8]) {
        let first = kind.first_byte().expect("a frame");
        self.close_sent |= kind == Kind::Close;
        self.answer(first, masked, payload.to_vec());
    }

    /// The program accepted a request, with an answer of so many bytes.
    pub fn accepted(&mut self, size: usize) {
        self.answers.push(Answer::Switch(size));
        self.started = true;
    }

    /// How many bytes the peer must have been sent by now, in all.
    pub fn due_to_peer(&self) -> usize {
        let size = |answer: &Answer| match answer {
            Answer::Switch(size) => *size,
            Answer::Frame {
                masked, payload, ..
            } => payload.len() + if *masked { 6 } else { 2 },
        };
        self.checked + self.answers.iter().map(size).sum::<usize>()
    }

    /// Holds what the peer was sent against the answers that were due.
    pub fn check_sent(&mut self, sent: &[u8]) {
        assert_eq!(sent.len(), self.due_to_peer(), "bytes sent");
        let mut rest = &sent[self.checked..];
        for answer in self.answers.drain(..) {
            let size = match answer {
                Answer::Switch(size) => {
                    assert!(rest.starts_with(b"HTTP/1.1 101 "));
                    assert!(rest[..size].ends_with(b"\r\n\r\n"));
                    size
                }
                Answer::Frame {
                    first,
                    masked,
                    payload,
                } => {
                    let header = reference::header(rest).expect("a whole header");
                    assert_eq!((header.first, header.key.is_some()), (first, masked));
                    let size = header.size + payload.len();
                    let key = header.key.unwrap_or_default();
                    let found = xor(&rest[header.size..size], key);
                    assert_eq!((header.length as usize, found), (payload.len(), payload));
                    size
                }
            };
            rest = &rest[size..];
        }
        self.checked = sent.len();
    }
}

/// Whether every byte is this one; by blocks, as [`xor`] goes by words.
pub fn all_are(bytes: &[u8], one: u8) -> bool {
    let block = [one; 1024];
    bytes
        .chunks(1024)
        .all(|piece| *piece == block[..piece.len()])
}

/// The end of a request: its blank line, in whatever way lines end.
fn request(seen: &[u8]) -> Due {
    let is_end = |end: &usize| {
        let head = &seen[..*end];
        head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n")
    };
    match (1..=seen.len()).find(is_end) {
        Some(size) => Due::Request { size },
        None => Due::Nothing,
    }
}

fn kind_of(first: u8) -> Kind {
    match first {
        0x00 => Kind::Middle,
        0x80 => Kind::Last,
        0x01 => Kind::TextStart,
        0x81 => Kind::Text,
        0x02 => Kind::BinaryStart,
        0x82 => Kind::Binary,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8A => Kind::Pong,
        other => panic!("{other:#04x} is no frame"),
    }
}
