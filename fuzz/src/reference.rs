//! RFC 6455 once more, as plainly as it can be said: over the whole stream at
//! once, with copies, one message after the other. What the library does in
//! pieces must come to the same.

use super::source::xor;
use wsembed::proto::conn::Role;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;

/// A header by RFC 6455 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub first: u8,
    pub key: Option<[u8; 4]>,
    pub length: u64,
    pub size: usize,
    pub minimal: bool,
}

/// The header that `bytes` start with; `None` where it is not whole.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let second = *bytes.get(1)?;
    let seven = second % 128;
    let length_end = match seven {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let size = if second >= 128 {
        length_end + 4
    } else {
        length_end
    };
    if bytes.len() < size {
        return None;
    }
    let mut length = if length_end == 2 { u64::from(seven) } else { 0 };
    for &byte in &bytes[2..length_end] {
        length = length * 256 + u64::from(byte);
    }
    let minimal = match length_end {
        2 => true,
        4 => length > 125,
        _ => length > 65_535,
    };
    let key = &bytes[length_end..size];
    let key = (!key.is_empty()).then(|| [key[0], key[1], key[2], key[3]]);
    Some(Header {
        first: bytes[0],
        key,
        length,
        size,
        minimal,
    })
}

/// The codes that a close frame may carry: RFC 6455 7.4.1 and 7.4.2, and what
/// IANA's registry has added below 3000.
pub fn is_close_code(code: u16) -> bool {
    match code {
        1000..=1003 => true,
        // 1004 is reserved; 1005 and 1006 must not be sent.
        1007..=1011 => true,
        // Service restart, try again later, bad gateway.
        1012..=1014 => true,
        _ => (3000..5000).contains(&code),
    }
}

/// What a connection tells a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The peer's close frame.
    Closed(u16, String),
    /// A rule was broken: the close code.
    Failed(u16),
    /// The stream ended; the bytes missing of its last frame, at least 1 where
    /// one was cut off.
    Lost(u64),
}

/// What an established connection makes of a whole stream and its end.
pub fn read(role: Role, settings: &Settings, stream: &[u8]) -> Vec<Told> {
    let mut reader = Reader {
        role,
        settings,
        told: Vec::new(),
        kind: None,
        message: Vec::new(),
        frames: 0,
    };
    let mut rest = stream;
    loop {
        match reader.frame(rest) {
            Ok(size) => rest = &rest[size..],
            Err(end) => {
                reader.told.push(end);
                return reader.told;
            }
        }
    }
}

struct Reader<'s> {
    role: Role,
    settings: &'s Settings,
    told: Vec<Told>,
    kind: Option<Kind>,
    message: Vec<u8>,
    frames: u64,
}

const VIOLATION: Told = Told::Failed(1002);
const NOT_UTF8: Told = Told::Failed(1007);
const TOO_BIG: Told = Told::Failed(1009);

impl Reader<'_> {
    /// Reads one frame; its size, or how the connection ended.
    fn frame(&mut self, rest: &[u8]) -> Result<usize, Told> {
        let &[first, second, ..] = rest else {
            return Err(Told::Lost(rest.len() as u64));
        };
        self.rules(first, second)?;
        let Some(header) = header(rest) else {
            return Err(Told::Lost(1));
        };
        let any_form = header.minimal || self.settings.lenient;
        if !any_form || header.length >= 1 << 63 {
            return Err(VIOLATION);
        }
        let control = first & 0x08 != 0;
        // A new message inside one, which only a lenient end takes: whole and of
        // the other kind, it is told before the other; in pieces, it ends the other.
        let begins = matches!(first & 0x0F, 1 | 2);
        let same = match self.kind {
            Some(Kind::Text) => first == 0x81,
            Some(Kind::Binary) => first == 0x82,
            _ => false,
        };
        if same {
            return Err(VIOLATION);
        }
        let other = self.kind.take_if(|_| begins);
        let other = other.map(|kind| {
            let frames = std::mem::take(&mut self.frames);
            (kind, std::mem::take(&mut self.message), frames)
        });
        if !control {
            self.limits(header.length)?;
        }
        let mut parked = None;
        match other {
            Some(other) if first & 0x80 != 0 => parked = Some(other),
            Some((kind, message, _)) => self.told.push(Told::Message(kind, message)),
            None => {}
        }
        let body = &rest[header.size..];
        let there =
            usize::try_from(header.length).map_or(body.len(), |length| length.min(body.len()));
        let missing = header.length - there as u64;
        let key = header.key.unwrap_or_default();
        let payload = xor(&body[..there], key);
        if control {
            if missing > 0 {
                return Err(Told::Lost(missing));
            }
            self.control(first & 0x0F, payload)?;
        } else {
            self.data(first, &payload, missing)?;
            if let Some((kind, message, frames)) = parked {
                (self.kind, self.message, self.frames) = (Some(kind), message, frames);
            }
        }
        Ok(header.size + there)
    }

    /// RFC 6455 5.1, 5.2, 5.4, 5.5: what two bytes can break.
    fn rules(&self, first: u8, second: u8) -> Result<(), Told> {
        let (fin, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0F);
        let (masked, short) = (second & 0x80 != 0, second & 0x7F);
        let masking = match self.role {
            Role::Server => masked || self.settings.accept_unmasked,
            Role::Client => !masked,
        };
        let masking = masking || self.settings.lenient;
        let order = match opcode {
            0 => self.kind.is_some() || self.settings.lenient,
            1 | 2 => self.kind.is_none() || self.settings.lenient,
            8..=10 => fin && short <= 125,
            _ => false,
        };
        if reserved == 0 && masking && order {
            Ok(())
        } else {
            Err(VIOLATION)
        }
    }

    fn limits(&mut self, length: u64) -> Result<(), Told> {
        self.frames += 1;
        let total = self.message.len() as u128 + u128::from(length);
        let fits = length <= self.settings.max_frame
            && total <= u128::from(self.settings.max_message)
            && self.frames <= self.settings.max_fragments;
        if fits { Ok(()) } else { Err(TOO_BIG) }
    }

    fn data(&mut self, first: u8, payload: &[u8], missing: u64) -> Result<(), Told> {
        match first & 0x0F {
            1 => self.kind = Some(Kind::Text),
            2 => self.kind = Some(Kind::Binary),
            _ => {}
        }
        // A stray continuation is a message of its own, whatever its FIN.
        let stray = self.kind.is_none();
        if stray {
            self.kind = Some(Kind::Continuation);
        }
        self.message.extend_from_slice(payload);
        let ends = (stray || first & 0x80 != 0) && missing == 0;
        if self.kind == Some(Kind::Text) && !self.settings.lenient {
            match std::str::from_utf8(&self.message) {
                Ok(_) => {}
                Err(error) if error.error_len().is_none() && !ends => {}
                Err(_) => return Err(NOT_UTF8),
            }
        }
        if missing > 0 {
            return Err(Told::Lost(missing));
        }
        if let (true, Some(kind)) = (ends, self.kind) {
            self.kind = None;
            self.frames = 0;
            let message = std::mem::take(&mut self.message);
            self.told.push(Told::Message(kind, message));
        }
        Ok(())
    }

    fn control(&mut self, opcode: u8, payload: Vec<u8>) -> Result<(), Told> {
        match opcode {
            9 => self.told.push(Told::Ping(payload)),
            10 => self.told.push(Told::Pong(payload)),
            _ => return Err(closed(&payload)),
        }
        Ok(())
    }
}

/// What a close frame's body says (RFC 6455 5.5.1, 7.1.5, 7.1.6).
pub fn closed(body: &[u8]) -> Told {
    if body.is_empty() {
        return Told::Closed(1005, String::new());
    }
    if body.len() == 1 {
        return VIOLATION;
    }
    let code = u16::from(body[0]) * 256 + u16::from(body[1]);
    if !is_close_code(code) {
        return VIOLATION;
    }
    match String::from_utf8(body[2..].to_vec()) {
        Ok(reason) => Told::Closed(code, reason),
        Err(_) => NOT_UTF8,
    }
}
