//! What wsembed is measured with and beside: batches of frames, a socket made
//! of memory, and each contender as a closure that takes one batch in.

pub mod batch;
pub mod c_abi;
pub mod handshake;
pub mod ours;
pub mod peers;
pub mod results;
pub mod stream;
pub mod wslay;

/// Payload bytes of one message.
pub const SIZES: [usize; 5] = [16, 125, 1 << 10, 64 << 10, 1 << 20];

/// Bytes that one read of a socket brings at most: the room that tungstenite
/// reads into by default, here everyone's who chooses it.
pub const READ_BYTES: usize = 128 << 10;

/// Messages of one batch: at least 256 KiB of payload, at least one message.
#[must_use]
pub fn messages(size: usize) -> usize {
    (256_usize << 10).div_ceil(size)
}

/// What a contender made of one batch. The sum of first bytes shows that the
/// payloads were unmasked and can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub messages: u64,
    pub bytes: u64,
    pub first: u64,
}

impl Tally {
    #[inline]
    pub fn add(&mut self, payload: &[u8]) {
        self.messages += 1;
        self.bytes += payload.len() as u64;
        self.first += u64::from(payload.first().copied().unwrap_or(0));
    }
}

/// Does one batch of work on a connection that lives from batch to batch.
pub type Contender = Box<dyn FnMut() -> Tally>;

/// A size as people say it; also the name of its folder in the results.
#[must_use]
pub fn label(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..0x10_0000 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}
