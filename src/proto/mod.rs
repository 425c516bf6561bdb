//! The protocol (RFC 6455), with no sockets, no clock and no threads: bytes
//! and the time go in, events and bytes come out.
#![forbid(unsafe_code)]

pub mod close;
pub mod conn;
pub mod error;
pub mod frame;
pub mod gathered;
pub mod handshake;
pub mod http;
pub mod incoming;
pub mod mask;
pub mod message;
pub mod output;
pub mod page;
pub mod parser;
pub mod pings;
pub mod settings;
pub mod state;
pub mod timers;
pub mod url;
pub mod utf8;

pub use error::Error;
