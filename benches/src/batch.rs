//! Batches of masked frames, as a server gets them from a client.

use wsembed::proto::frame::{Opcode, encode};
use wsembed::proto::mask;

use crate::{Tally, messages};

/// What the payloads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Binary,
    /// Text of one byte per character.
    Ascii,
    /// Chinese text, three bytes per character.
    Chinese,
}

const CHINESE: &str = "设备温度正常湿度百分之四十网络连接稳定音频流已经开始";

/// The bytes of frames, and what must come out of them.
#[derive(Debug, Clone)]
pub struct Batch {
    pub bytes: Vec<u8>,
    /// Where each frame ends in `bytes`.
    pub ends: Vec<usize>,
    pub expected: Tally,
}

/// A payload of exactly `size` bytes; `number` varies it.
#[must_use]
pub fn payload(kind: Kind, size: usize, number: usize) -> Vec<u8> {
    match kind {
        Kind::Binary => (0..size).map(|at| (at * 7 + number * 13) as u8).collect(),
        Kind::Ascii => (0..size)
            .map(|at| b' ' + ((at * 7 + number * 13) % 95) as u8)
            .collect(),
        Kind::Chinese => {
            let mut text = String::with_capacity(size + 3);
            let characters = CHINESE.chars().cycle().skip(number % 8);
            for character in characters.take(size / 3) {
                text.push(character);
            }
            while text.len() < size {
                text.push('.');
            }
            text.into_bytes()
        }
    }
}

/// A batch of messages of `size` bytes, each in this many fragments.
#[must_use]
pub fn make(kind: Kind, size: usize, fragments: usize) -> Batch {
    let mut batch = Batch {
        bytes: Vec::new(),
        ends: Vec::new(),
        expected: Tally::default(),
    };
    let first_opcode = match kind {
        Kind::Binary => Opcode::Binary,
        Kind::Ascii | Kind::Chinese => Opcode::Text,
    };
    // Any key will do, if it changes from frame to frame and has no zero byte.
    let mut key = 0x9E37_79B9_u32;
    for number in 0..messages(size) {
        let payload = payload(kind, size, number);
        batch.expected.add(&payload);
        let pieces: Vec<&[u8]> = payload.chunks(size.div_ceil(fragments)).collect();
        for (at, piece) in pieces.iter().enumerate() {
            let opcode = if at == 0 {
                first_opcode
            } else {
                Opcode::Continuation
            };
            let fin = if at + 1 == pieces.len() { 0x80 } else { 0 };
            key = key.wrapping_mul(0x0019_660D).wrapping_add(0x3C6E_F35F) | 0x0101_0101;
            push(&mut batch, opcode as u8 | fin, key.to_le_bytes(), piece);
        }
    }
    batch
}

fn push(batch: &mut Batch, first: u8, key: [u8; 4], payload: &[u8]) {
    let (header, size) = encode(first, Some(key), payload.len() as u64);
    batch.bytes.extend_from_slice(&header[..size]);
    let start = batch.bytes.len();
    batch.bytes.extend_from_slice(payload);
    mask::apply(&mut batch.bytes[start..], key, 0);
    batch.ends.push(batch.bytes.len());
}

impl Batch {
    /// Where reads end that cut every frame in the middle, at odd places, and
    /// glue its second half to the first of the next.
    #[must_use]
    pub fn odd_cuts(&self) -> Vec<usize> {
        let mut start = 0;
        let mut cuts = Vec::new();
        for &end in &self.ends {
            cuts.push((start + (end - start) / 2) | 1);
            start = end;
        }
        cuts.push(self.bytes.len());
        cuts
    }
}
