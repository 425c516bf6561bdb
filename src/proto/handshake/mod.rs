//! The opening handshake (RFC 6455 4), one file a side.

pub mod client;
pub mod key;
pub mod server;
