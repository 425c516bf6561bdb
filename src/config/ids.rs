//! The options' numbers, with the comments that the documentation of the
//! options is made from, and the values that have names.

/// The largest message in bytes, whole or in chunks; a larger one fails the
/// connection with 1009. Default 16 MiB.
pub const WEBSOCKET_MAX_MESSAGE_BYTES: u32 = 1;
/// The largest payload of one frame in bytes; a larger one fails the
/// connection with 1009 as soon as its header is read. Default 16 MiB.
pub const WEBSOCKET_MAX_FRAME_BYTES: u32 = 2;
/// The most frames of one message; more fail the connection with 1009.
/// Default 1048576.
pub const WEBSOCKET_MAX_FRAGMENTS: u32 = 3;
/// Messages of more bytes than this are handed out in chunks as they arrive,
/// so that memory stays flat; 0: all but empty ones. Default: never.
pub const WEBSOCKET_CHUNK_ABOVE_BYTES: u32 = 4;
/// The most bytes that may wait to be sent; beyond them a send is refused with
/// `WEBSOCKET_FULL`. Default 32 MiB.
pub const WEBSOCKET_SEND_QUEUE_BYTES: u32 = 5;
/// 1: a server takes frames that are not masked, which RFC 6455 5.1 forbids
/// and devices that run the old helper send. Default 0.
pub const WEBSOCKET_ACCEPT_UNMASKED: u32 = 6;
/// The most bytes of the peer's HTTP head. Default 8 KiB.
pub const WEBSOCKET_MAX_HEADER_BYTES: u32 = 7;
/// The most lines of the peer's HTTP head. Default 100.
pub const WEBSOCKET_MAX_HEADERS: u32 = 8;
/// Milliseconds from the first tick to the end of the handshake, in all; 0: no
/// deadline. Default 10000.
pub const WEBSOCKET_HANDSHAKE_TIMEOUT_MS: u32 = 9;
/// Milliseconds for the closing handshake and for sending what is queued at
/// the end; 0: no deadline. Default 5000.
pub const WEBSOCKET_CLOSE_TIMEOUT_MS: u32 = 10;
/// Milliseconds of silence after which the peer is pinged; 0: never.
/// Default 0.
pub const WEBSOCKET_PING_INTERVAL_MS: u32 = 11;
/// Milliseconds that the peer has to answer such a ping; 0: for ever.
/// Default 20000.
pub const WEBSOCKET_PONG_TIMEOUT_MS: u32 = 12;
/// Milliseconds of silence after which the connection is closed with 1001; 0:
/// never. Default 0.
pub const WEBSOCKET_IDLE_TIMEOUT_MS: u32 = 13;
/// Loops of a server, each on a thread of its own; more than one need
/// `webSocket_server_start`. Default 1.
pub const WEBSOCKET_THREADS: u32 = 14;
/// Peers that a server has at a time; more are answered 503. Default 10000.
pub const WEBSOCKET_MAX_CONNECTIONS: u32 = 15;
/// Peers of one address (of IPv6: of one /64 network) at a time; more are
/// answered 503; 0: no limit but the server's own. Default 0.
pub const WEBSOCKET_MAX_CONNECTIONS_PER_ADDRESS: u32 = 16;
/// Peers whose handshake is not over; more are answered 503. Default 1000.
pub const WEBSOCKET_MAX_HANDSHAKES: u32 = 17;
/// What a server does with a message when too much waits for its peer:
/// `WEBSOCKET_OVERFLOW_REFUSE` and the like. Default 0.
pub const WEBSOCKET_OVERFLOW: u32 = 18;
/// Connections that may wait to be accepted; the kernel may allow fewer.
/// Default 1024.
pub const WEBSOCKET_BACKLOG: u32 = 19;
/// Seconds of silence after which the kernel looks whether a peer is still
/// there (TCP keepalive); 0: never. Default 0.
pub const WEBSOCKET_KEEPALIVE_SECONDS: u32 = 20;
/// Milliseconds that peers have to close when a server stops. Default 5000.
pub const WEBSOCKET_STOP_TIMEOUT_MS: u32 = 21;
/// All bytes of memory that one connection can make us hold, whatever its peer
/// does. Limits that are not set get their shares of it (a third for a message
/// being assembled, the rest for what waits to be sent), never more than their
/// defaults; limits that are set and do not fit are refused when the handle is
/// made (`WEBSOCKET_E_LIMITS`). What counts: the message, the send queue (one
/// and a half times, as its buffer grows in steps; two and a half times where
/// `WEBSOCKET_OVERFLOW` drops or closes), and 16 KiB for the rest; before that
/// the handshake's head. At least 65536; 0: what the other limits come to.
/// Default 0.
pub const WEBSOCKET_MEMORY_BYTES: u32 = 22;
/// Milliseconds that a send may wait for room (`WEBSOCKET_OVERFLOW_BLOCK`).
/// Default 5000.
pub const WEBSOCKET_BLOCK_TIMEOUT_MS: u32 = 23;

/// `WEBSOCKET_OVERFLOW`: the message is refused with `WEBSOCKET_FULL`.
pub const WEBSOCKET_OVERFLOW_REFUSE: u32 = 0;
/// `WEBSOCKET_OVERFLOW`: the oldest messages that wait are dropped for it.
pub const WEBSOCKET_OVERFLOW_DROP_OLDEST: u32 = 1;
/// `WEBSOCKET_OVERFLOW`: it replaces all messages that wait, whether or not
/// there is room.
pub const WEBSOCKET_OVERFLOW_KEEP_LATEST: u32 = 2;
/// `WEBSOCKET_OVERFLOW`: the connection is closed with 1013.
pub const WEBSOCKET_OVERFLOW_CLOSE: u32 = 3;
/// `WEBSOCKET_OVERFLOW`: `webSocket_server_send` waits for room, up to
/// `WEBSOCKET_BLOCK_TIMEOUT_MS`, then refuses the message with
/// `WEBSOCKET_FULL`. Only a loop makes room, so that a thread that turns one
/// (in a callback, or between its own steps) is refused at once.
pub const WEBSOCKET_OVERFLOW_BLOCK: u32 = 4;
/// A header line, `"Name: value"`, that goes into our request or answer. A
/// list.
pub const WEBSOCKET_HEADER: u32 = 100;
/// A subprotocol: offered by a client, supported by a server (which takes the
/// first one offered that it supports). A list.
pub const WEBSOCKET_SUBPROTOCOL: u32 = 101;
/// A server allows browsers from this Origin besides its own host (`"*"`: from
/// any; scheme, host and port count, `null` is as it is); a client sends the
/// first. A list.
pub const WEBSOCKET_ORIGIN: u32 = 102;
