//! `wsembed`: WebSocket for C programs on embedded Linux.
//!
//! A map of the crate; ARCHITECTURE.md says who may call whom.
//!
//! - [`proto`]: the protocol. Bytes in, events and bytes out; no sockets, no
//!   clock, no threads.
//! - [`net`]: the kernel: every system call.
//! - [`config`]: the one table of options.
//! - [`legacy`]: the drop-in for old device programs, a thin face of the same
//!   core.
//! - [`server`]: loops that serve peers, and a door for any thread.
//! - [`ffi`]: the C ABI.

pub mod config;
#[allow(unsafe_code)]
pub mod ffi;
pub mod legacy;
pub mod net;
pub mod proto;
pub mod server;
