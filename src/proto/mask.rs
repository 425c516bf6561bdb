//! Masking (RFC 6455 5.3): XOR with a four-byte key that repeats.
//!
//! A payload may come in pieces: `phase` is the number of payload bytes (mod
//! 4) that came before. The inner loops work on fixed-size chunks, which the
//! compiler turns into vector instructions.

const LANES: usize = 32;
const WORD: usize = 8;
/// Well within the first cache.
const PIECE: usize = 4096;

/// The key as it applies at `phase`, twice over.
#[inline]
fn word(key: [u8; 4], phase: usize) -> [u8; WORD] {
    // The first byte is the lowest, whatever the machine's own order.
    let key = u32::from_le_bytes(key).rotate_right(8 * (phase as u32 & 3));
    (u64::from(key) << 32 | u64::from(key)).to_le_bytes()
}

/// A word, repeated over one chunk.
#[inline]
fn pattern(word: [u8; WORD]) -> [u8; LANES] {
    core::array::from_fn(|at| word[at % WORD])
}

/// Masks or unmasks `data` in place.
#[inline]
pub fn apply(data: &mut [u8], key: [u8; 4], phase: usize) {
    let word = word(key, phase);
    let pattern = pattern(word);
    let mut chunks = data.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for (byte, mask) in chunk.iter_mut().zip(&pattern) {
            *byte ^= mask;
        }
    }
    // A short payload is all remainder: eight bytes at a time, then one by one.
    let mut words = chunks.into_remainder().chunks_exact_mut(WORD);
    for eight in &mut words {
        for (byte, mask) in eight.iter_mut().zip(&word) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(&word) {
        *byte ^= mask;
    }
}

/// Masks or unmasks `from` into `to`: one pass instead of a copy and a XOR.
/// Works on as many bytes as the shorter of the two has.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8], key: [u8; 4], phase: usize) {
    let pattern = pattern(word(key, phase));
    let length = to.len().min(from.len());
    let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) else {
        return;
    };
    let mut to_chunks = to.chunks_exact_mut(LANES);
    let mut from_chunks = from.chunks_exact(LANES);
    for (to, from) in (&mut to_chunks).zip(&mut from_chunks) {
        for ((to, from), mask) in to.iter_mut().zip(from).zip(&pattern) {
            *to = from ^ mask;
        }
    }
    let rest = to_chunks.into_remainder();
    for ((to, from), mask) in rest.iter_mut().zip(from_chunks.remainder()).zip(&pattern) {
        *to = from ^ mask;
    }
}

/// Appends `from`, masked, to `to`, whose room the caller has reserved (if
/// not, this allocates).
#[inline]
pub fn append(to: &mut Vec<u8>, from: &[u8], key: [u8; 4], phase: usize) {
    // Piece by piece, so that each is still at hand when it is masked.
    for (at, piece) in from.chunks(PIECE).enumerate() {
        let start = to.len();
        to.extend_from_slice(piece);
        if let Some(added) = to.get_mut(start..) {
            apply(added, key, phase + at * PIECE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(data: &[u8], key: [u8; 4], phase: usize) -> Vec<u8> {
        data.iter()
            .enumerate()
            .map(|(at, byte)| byte ^ key[(phase + at) % 4])
            .collect()
    }

    #[test]
    fn fr31_appending_is_one_stream_over_its_pieces() {
        let key = [1, 2, 4, 8];
        let data: Vec<u8> = (0..3 * PIECE + 5).map(|n| n as u8).collect();
        for phase in 0..4 {
            let mut appended = Vec::new();
            append(&mut appended, &data, key, phase);
            assert_eq!(appended, plain(&data, key, phase));
        }
    }

    #[test]
    fn fr31_every_length_offset_and_phase_agrees_with_the_definition() {
        let key = [0xC3, 0x6C, 0x78, 0x21];
        let bytes: Vec<u8> = (0..400_u32).map(|n| (n * 7 + 3) as u8).collect();
        for offset in 0..16 {
            for length in (0..140).chain([255, 256, 257, 383]) {
                for phase in 0..8 {
                    let data = &bytes[offset..offset + length];
                    let want = plain(data, key, phase);
                    let mut in_place = bytes.clone();
                    apply(&mut in_place[offset..offset + length], key, phase);
                    assert_eq!(in_place[offset..offset + length], want);
                    assert_eq!(in_place[..offset], bytes[..offset]);
                    assert_eq!(in_place[offset + length..], bytes[offset + length..]);
                    let mut copied = vec![0; length];
                    copy(&mut copied, data, key, phase);
                    assert_eq!(copied, want);
                    let mut appended = vec![9];
                    append(&mut appended, data, key, phase);
                    assert_eq!(appended[1..], want);
                }
            }
        }
    }
}
