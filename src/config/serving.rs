//! What a server is told besides what each of its connections is.

use crate::proto::settings::Overflow;

/// What a server of many peers is told; each peer's own is in [`crate::proto::settings::Settings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Loops, each on a thread of its own.
    pub threads: usize,
    /// Peers at a time.
    pub max_peers: usize,
    /// Peers of one address at a time (IPv6: of one /64); 0: no limit.
    pub max_peers_of_address: usize,
    /// Handshakes at a time.
    pub max_handshakes: usize,
    /// What happens when too much waits to be sent.
    pub overflow: Overflow,
    /// Milliseconds that a send waits for room, where it may.
    pub block_timeout: u64,
    /// Connections that wait to be accepted.
    pub backlog: u32,
    /// Seconds of silence after which the kernel looks for a peer; 0: never.
    pub keep_alive: u32,
    /// Milliseconds that peers have to close when the server stops.
    pub stop_timeout: u64,
}

impl Default for Serving {
    fn default() -> Serving {
        Serving {
            threads: 1,
            max_peers: 10_000,
            max_peers_of_address: 0,
            max_handshakes: 1000,
            overflow: Overflow::Refuse,
            block_timeout: 5000,
            backlog: 1024,
            keep_alive: 0,
            stop_timeout: 5000,
        }
    }
}
