//! What a target reads its input as: settings, lengths of pieces, a stream of
//! frames. Every input means something, so that no run is wasted.

/// Bytes of the input not read yet. What is read behind the end is 0.
#[derive(Debug, Clone, Copy)]
pub struct Source<'d> {
    rest: &'d [u8],
}

impl<'d> Source<'d> {
    pub fn new(rest: &'d [u8]) -> Source<'d> {
        Source { rest }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn len(&self) -> usize {
        self.rest.len()
    }

    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// The next `count` bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'d [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub fn rest(&mut self) -> &'d [u8] {
        self.take(self.rest.len())
    }

    /// One of a few values.
    pub fn choice<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::from(self.byte()) % values.len()]
    }

    /// Up to 15 lengths, to be used over and over.
    pub fn lengths(&mut self) -> Lengths<'d> {
        let count = usize::from(self.byte() % 16);
        Lengths {
            steps: self.take(count),
            at: 0,
        }
    }
}

/// Lengths that repeat: of pieces, of buffers.
#[derive(Debug, Clone, Copy)]
pub struct Lengths<'d> {
    steps: &'d [u8],
    at: usize,
}

impl<'d> Lengths<'d> {
    pub fn new(steps: &'d [u8]) -> Lengths<'d> {
        Lengths { steps, at: 0 }
    }

    /// At least 1; a step of 0 stands for 4096, no steps for everything.
    pub fn length(&mut self) -> usize {
        if self.steps.is_empty() {
            return usize::MAX;
        }
        let step = self.steps[self.at % self.steps.len()];
        self.at += 1;
        match step {
            0 => 4096,
            length => length.into(),
        }
    }

    /// Cuts bytes into pieces of these lengths.
    pub fn pieces(mut self, mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.length().min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

/// The shortest piece that a stream is cut into: few enough pieces that a long
/// stream costs no seconds.
pub fn shortest_piece(stream: &[u8]) -> usize {
    stream.len() / 256
}

/// Which frames of a stream are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masking {
    Always,
    Never,
    /// As the input says.
    Free,
}

/// A piece of the stream that stands for itself; its low seven bits and one
/// are its length.
pub const RAW: u8 = 0x00;
/// A frame: first byte, style, then as many bytes of payload as the tag's low
/// six bits say.
pub const FRAME: u8 = 0x80;
/// A frame: first byte, style, a 16-bit length; the tag's next bits say that
/// the length is [`LARGE`] and which of [`FILLS`] fills the payload, and the
/// lowest doubles a large length.
pub const FILLED: u8 = 0xC0;
/// With [`FILLED`]: the length counts as it is; else what is left of it after
/// division by 300, as most frames should be small.
pub const LARGE: u8 = 0x30;

/// In a frame's style: not masked, where the target leaves that free.
pub const PLAIN: u8 = 0x01;
/// In a frame's style: the length is not in its shortest form.
pub const LONG: u8 = 0x02;

/// What fills a payload.
pub const FILLS: [&[u8]; 8] = [
    b"a",
    "aé€😀".as_bytes(),
    b"\0",
    b"\xFF",
    b"0123456789",
    "€".as_bytes(),
    b"\xE2\x82",
    b"\x81\x00",
];

/// The bytes that a peer sends: pieces as [`RAW`], [`FRAME`] and [`FILLED`]
/// describe them. At most about `most`, as one piece of input can stand for
/// many bytes.
pub fn stream(source: &mut Source<'_>, masking: Masking, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while !source.is_empty() && out.len() < most {
        let tag = source.byte();
        if tag & 0x80 == RAW {
            out.extend_from_slice(source.take(usize::from(tag) + 1));
            continue;
        }
        let (first, style) = (source.byte(), source.byte());
        if tag & 0xC0 == FRAME {
            let payload = source.take(usize::from(tag & 0x3F));
            frame(&mut out, masking, first, style, payload);
        } else {
            let length = usize::from(source.short());
            let length = if tag & LARGE == LARGE {
                length << (tag & 1)
            } else {
                length % 300
            };
            let payload = filled(FILLS[usize::from(tag >> 1 & 7)], length);
            frame(&mut out, masking, first, style, &payload);
        }
    }
    out
}

/// As many bytes, made of `fill` over and over.
pub fn filled(fill: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = fill.repeat(length / fill.len() + 1);
    bytes.truncate(length);
    bytes
}

/// Masks or unmasks (RFC 6455 5.3), by words: each comparison of a loop over
/// bytes would cost a fuzz run more than the rest.
pub fn xor(bytes: &[u8], key: [u8; 4]) -> Vec<u8> {
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut out = Vec::with_capacity(bytes.len());
    for piece in bytes.chunks(8) {
        let mut eight = [0; 8];
        eight[..piece.len()].copy_from_slice(piece);
        let masked = (u64::from_ne_bytes(eight) ^ word).to_ne_bytes();
        out.extend_from_slice(&masked[..piece.len()]);
    }
    out
}

/// Appends a frame, built by hand so that the library's encoder is not judged
/// by itself.
fn frame(out: &mut Vec<u8>, masking: Masking, first: u8, style: u8, payload: &[u8]) {
    let masked = match masking {
        Masking::Always => true,
        Masking::Never => false,
        Masking::Free => style & PLAIN == 0,
    };
    let bit = if masked { 0x80 } else { 0 };
    let length = payload.len() as u64;
    let long = style & LONG != 0;
    out.push(first);
    match length {
        0..=125 if !long => out.push(bit | length as u8),
        0..=0xFFFF if !(long && length > 125) => {
            out.push(bit | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(bit | 127);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    if !masked {
        out.extend_from_slice(payload);
        return;
    }
    let key = match style >> 2 {
        0 => [0; 4],
        _ => [
            style,
            style ^ 0x5A,
            style.wrapping_mul(3),
            style.wrapping_add(7),
        ],
    };
    out.extend_from_slice(&key);
    out.extend(xor(payload, key));
}
