//! The fuzz targets' bodies: what each asserts of any input. They know nothing
//! of libFuzzer, so tests/fuzz_corpus.rs runs them over the corpora with a
//! stable toolchain.

pub mod conn_vs_whole;
pub mod drive;
pub mod frame;
pub mod handshake;
pub mod head;
pub mod legacy_fd;
pub mod memory;
pub mod reference;
pub mod seeds;
pub mod seen;
pub mod source;
