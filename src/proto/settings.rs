//! What a connection is told about its limits, deadlines and handshake. The
//! option table in `config` gives each field its public name, default and
//! range.

/// One connection's settings; shared by all that were made from one config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of a message, assembled or in chunks.
    pub max_message: u64,
    /// Bytes of one frame's payload.
    pub max_frame: u64,
    /// Frames of one message, at least 1.
    pub max_fragments: u64,
    /// Messages above this size are handed out in chunks as they arrive.
    pub chunk_above: u64,
    /// Bytes that may wait to be sent.
    pub send_queue: usize,
    /// All bytes that one connection can make us hold; 0: what the limits come
    /// to. Nothing looks at it here: `config` shapes the limits by it.
    pub memory: u64,
    /// A server takes frames that are not masked.
    pub accept_unmasked: bool,
    /// The peer is one of the old devices: what they send is taken, and what
    /// they want is sent, though RFC 6455 forbids it. Not masked or masked,
    /// lengths in any form, continuation frames that continue nothing, text
    /// that is not UTF-8; a server takes any request with a key. Of no option:
    /// only the drop-in sets it.
    pub lenient: bool,
    /// Bytes of an HTTP head.
    pub header_bytes: usize,
    /// Lines of an HTTP head.
    pub header_lines: usize,
    /// From the first tick to the end of the handshake; 0: no deadline.
    pub handshake_timeout: u64,
    /// From the start of the closing handshake to its end; 0: no deadline.
    pub close_timeout: u64,
    /// Silence from the peer after which it is pinged; 0: never.
    pub ping_interval: u64,
    /// From our ping to its pong; 0: no deadline.
    pub pong_timeout: u64,
    /// Silence from the peer after which the connection is closed; 0: never.
    pub idle_timeout: u64,
    /// Further header lines of our request or answer.
    pub headers: Vec<(String, String)>,
    /// Subprotocols: offered by a client, supported by a server.
    pub subprotocols: Vec<String>,
    /// Origins: a server allows these besides its own host; a client sends the
    /// first.
    pub origins: Vec<String>,
}

/// What becomes of a message for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// It is refused.
    #[default]
    Refuse,
    /// The oldest that wait make room for it.
    DropOldest,
    /// It replaces all that wait, whether or not there is room.
    KeepLatest,
    /// The connection is closed with 1013.
    Close,
    /// Who sends it waits a while for room, where that is possible; else it is
    /// refused.
    Block,
}

impl Settings {
    /// `length` as a size in memory, where a message of one frame of that
    /// length is within all limits and handed out in one piece.
    #[inline]
    #[must_use]
    pub fn whole_message(&self, length: u64) -> Option<usize> {
        let most = self.max_message.min(self.max_frame).min(self.chunk_above);
        if length > most {
            return None;
        }
        usize::try_from(length).ok()
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_message: 16 << 20,
            max_frame: 16 << 20,
            // RFC 6455 sets no limit; senders of tiny frames exist. This many
            // one-byte frames are still far below the byte limit's memory.
            max_fragments: 1 << 20,
            chunk_above: u64::MAX,
            send_queue: 32 << 20,
            memory: 0,
            accept_unmasked: false,
            lenient: false,
            header_bytes: 8 << 10,
            header_lines: 100,
            handshake_timeout: 10_000,
            close_timeout: 5_000,
            ping_interval: 0,
            pong_timeout: 20_000,
            idle_timeout: 0,
            headers: Vec::new(),
            subprotocols: Vec::new(),
            origins: Vec::new(),
        }
    }
}
