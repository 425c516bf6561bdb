//! Everything that can go wrong, as one enum.
//!
//! `ffi::result` maps each variant to its C result code, one to one and
//! without a wildcard, so that a new variant cannot be forgotten there.

use thiserror::Error;

/// Why a call did not do what it was asked, or why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Error {
    // Flow: nothing is wrong.
    /// Nothing to report before more bytes are fed.
    #[error("nothing more until more bytes are fed")]
    Again,
    /// The connection is over; nothing can be sent or received any more.
    #[error("the connection is closed")]
    Closed,
    /// The send queue is at its limit; nothing was queued.
    #[error("the send queue is full")]
    Full,
    /// The handle was freed, or never was one.
    #[error("the handle is gone: it was freed, or never was one of ours")]
    Gone,
    /// A deadline passed.
    #[error("a deadline passed")]
    Timeout,

    // Usage: the caller's mistake; nothing was changed.
    /// An argument has no valid meaning.
    #[error("an argument is not valid")]
    Usage,
    /// A required pointer is NULL.
    #[error("a required pointer is NULL")]
    Null,
    /// Another thread is inside a call on this handle.
    #[error("another thread is using this handle")]
    Busy,
    /// The call was made from a callback of the same handle.
    #[error("the call is not allowed from a callback of the same handle")]
    Reentry,
    /// The call does not fit the state of the connection or of a fragmented message.
    #[error("the call does not fit the connection's state")]
    State,
    /// A struct's `size` field names no version that this library knows.
    #[error("a struct's size field was not initialised, or is of an unknown version")]
    StructSize,
    /// No such option, or it does not apply to this kind of handle.
    #[error("no such option, or it does not apply here")]
    Option,
    /// A value is outside the option's range.
    #[error("the value is out of range")]
    Range,
    /// The URL cannot be understood.
    #[error("the URL is not a valid ws:// or wss:// URL")]
    Url,
    /// A header's name or value cannot be sent, or is one that the library sends itself.
    #[error("the header cannot be sent: bad name, bad value, or a name the handshake owns")]
    Header,
    /// Text or a close reason to be sent is not UTF-8.
    #[error("text to be sent is not valid UTF-8")]
    SendUtf8,
    /// A message or payload to be sent is larger than allowed.
    #[error("what is to be sent is larger than allowed")]
    SendTooBig,
    /// The subprotocol chosen was not offered by the client.
    #[error("the subprotocol was not offered by the client")]
    SubprotocolChoice,

    /// The limits of a connection come to more than its memory.
    #[error(
        "WEBSOCKET_MAX_MESSAGE_BYTES (or WEBSOCKET_CHUNK_ABOVE_BYTES), WEBSOCKET_SEND_QUEUE_BYTES and \
         WEBSOCKET_MAX_HEADER_BYTES do not fit WEBSOCKET_MEMORY_BYTES"
    )]
    Limits,

    // Protocol: the peer broke RFC 6455; the connection fails.
    /// A reserved bit is set (RFC 6455 5.2).
    #[error("a reserved bit is set that no extension was negotiated for (RFC 6455 5.2)")]
    ReservedBits,
    /// A reserved opcode (RFC 6455 5.2).
    #[error("the opcode is reserved (RFC 6455 5.2)")]
    Opcode,
    /// An unmasked frame from a client, or a masked one from a server (RFC 6455 5.1).
    #[error("a client's frame is unmasked or a server's is masked (RFC 6455 5.1)")]
    Masking,
    /// A length that is not in its shortest form, or has its top bit set (RFC 6455 5.2).
    #[error("the payload length is not in its shortest form or has its top bit set (RFC 6455 5.2)")]
    Length,
    /// A control frame that is fragmented or longer than 125 bytes (RFC 6455 5.5).
    #[error("a control frame is fragmented or longer than 125 bytes (RFC 6455 5.5)")]
    ControlFrame,
    /// A continuation without a message, or a new message inside one (RFC 6455 5.4).
    #[error("a continuation frame without a message, or a new message inside one (RFC 6455 5.4)")]
    Continuation,
    /// A close frame with a one-byte body or a code that may not be sent (RFC 6455 7.4).
    #[error("the close frame's body or code is not valid (RFC 6455 5.5.1, 7.4)")]
    CloseFrame,
    /// Text or a close reason that is not UTF-8 (RFC 6455 8.1).
    #[error("text is not valid UTF-8 (RFC 6455 8.1)")]
    Utf8,
    /// A message over the limit.
    #[error("the message is larger than WEBSOCKET_MAX_MESSAGE_BYTES")]
    MessageTooBig,
    /// A frame over the limit.
    #[error("the frame is larger than WEBSOCKET_MAX_FRAME_BYTES")]
    FrameTooBig,
    /// A message of too many fragments.
    #[error("the message has more fragments than WEBSOCKET_MAX_FRAGMENTS")]
    TooManyFragments,

    // Handshake: the connection never opened.
    /// Not HTTP/1.1 as RFC 9112 defines it.
    #[error("not a valid HTTP/1.1 head (RFC 9112)")]
    HttpSyntax,
    /// A head over its byte or line limit.
    #[error("the HTTP head is larger than WEBSOCKET_MAX_HEADER_BYTES or has too many lines")]
    HttpTooBig,
    /// Another HTTP version than 1.1.
    #[error("the HTTP version is not 1.1")]
    HttpVersion,
    /// Another method than GET.
    #[error("the HTTP method is not GET")]
    HttpMethod,
    /// A request target in a form that a WebSocket request cannot have.
    #[error("the request target is not a path or an absolute http URL")]
    HttpTarget,
    /// Host is missing, doubled or malformed.
    #[error("the Host header is missing, doubled or malformed")]
    HttpHost,
    /// A request with a body.
    #[error("the request announces a body")]
    HttpBody,
    /// The server answered with another status than 101.
    #[error("the server answered with an HTTP status other than 101")]
    HttpStatus,
    /// Upgrade or Connection is missing or names something else.
    #[error("not an upgrade to websocket")]
    Upgrade,
    /// Sec-WebSocket-Version is not 13.
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    /// Sec-WebSocket-Key is missing, doubled or does not decode to 16 bytes.
    #[error("Sec-WebSocket-Key is missing, doubled or not 16 bytes in base64")]
    Key,
    /// Sec-WebSocket-Accept does not answer our key.
    #[error("Sec-WebSocket-Accept does not answer the key that was sent")]
    Accept,
    /// A malformed subprotocol list, or an answer that was not offered.
    #[error("the subprotocol is malformed or was not offered")]
    Subprotocol,
    /// The server answered with an extension that was not offered.
    #[error("the server chose an extension that was not offered")]
    Extension,
    /// The Origin is not allowed.
    #[error("the request's Origin is not allowed")]
    Origin,
    /// The program refused the request.
    #[error("the request was refused by the program")]
    Refused,

    // Transport.
    /// The transport ended without a close frame.
    #[error("the connection ended without a close frame")]
    ConnectionLost,
    /// An address is taken, not allowed, or not this machine's.
    #[error("the address is taken, not allowed, or not this machine's")]
    Address,
    /// The kernel refused a call.
    #[error("the kernel refused a call; errno tells why")]
    System,

    // Resources.
    /// An allocation failed.
    #[error("out of memory")]
    Memory,
    /// The kernel gave no random bytes.
    #[error("the kernel gave no random bytes")]
    Random,
    /// No handle is free.
    #[error("too many handles")]
    Handles,

    // Internal.
    /// A defect of the library, stopped at its boundary.
    #[error("internal error: please report it")]
    Internal,
}

impl Error {
    /// The close code that tells the peer of this failure (RFC 6455 7.4.1).
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Error::Utf8 => 1007,
            Error::MessageTooBig | Error::FrameTooBig | Error::TooManyFragments => 1009,
            Error::Memory | Error::Random | Error::Internal => 1011,
            _ => 1002,
        }
    }
}
