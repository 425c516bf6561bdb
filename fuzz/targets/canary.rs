//! Bugs planted on purpose, behind a condition that only a fuzzer meets: what
//! proves that a run of the other targets would find theirs. WSEMBED_CANARY
//! says which: `panic` or `memory`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(input));

use wsembed::proto::frame::{Decoded, decode};

/// A program that trusts one announced length: a panic, or a read behind its
/// own memory, as `WSEMBED_CANARY` says.
fn run(input: &[u8]) {
    let Decoded::Header(header) = decode(input) else {
        return;
    };
    if !header.fin() || header.mask.is_none() || header.length != 0x0102_0304_0506 {
        return;
    }
    match std::env::var("WSEMBED_CANARY").as_deref() {
        Ok("memory") => {
            let bytes = vec![0_u8; usize::from(header.size)];
            let behind = std::hint::black_box(bytes.len());
            // SAFETY: none, on purpose: one byte behind the vector, for the
            // sanitizer to catch. Nothing but the canary's own run gets here.
            std::hint::black_box(unsafe { bytes.as_ptr().add(behind).read_volatile() });
        }
        _ => panic!("the planted bug was found"),
    }
}
