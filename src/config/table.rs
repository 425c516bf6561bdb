//! The rows of the one option table: name, unit, range, whom it applies to,
//! and where its value is kept.

use super::Options;
use super::ids::*;
use crate::proto::Error;
use crate::proto::handshake::is_reserved;
use crate::proto::http::{is_sendable_header, is_token};
use crate::proto::settings::{Overflow, Settings};

/// What an option holds.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A number in `min..=max`.
    Number {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// Reads it; the default is that of the defaults.
        get: fn(&Options) -> u64,
        /// Writes it.
        set: fn(&mut Options, u64),
    },
    /// A list of texts.
    List {
        /// Checks a text and adds it.
        add: fn(&mut Settings, &str) -> Result<(), Error>,
        /// Empties the list.
        clear: fn(&mut Settings),
    },
}

/// Which handles take an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// Either end.
    Both,
    /// The server's end only.
    Server,
    /// A server of many peers only (`webSocket_server`).
    Serving,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The number that C programs pass.
    pub id: u32,
    /// The constant's name.
    pub name: &'static str,
    /// What its numbers count; empty for texts.
    pub unit: &'static str,
    /// What it holds.
    pub value: Value,
    /// Which handles take it.
    pub applies: Applies,
}

/// A length in memory: what this machine can address.
const MAX_LENGTH: u64 = usize::MAX as u64 >> 1;
/// A payload length on the wire (RFC 6455 5.2).
const MAX_PAYLOAD: u64 = u64::MAX >> 1;
/// A hundred years: sums of times never overflow.
const MAX_TIME: u64 = 100 * 366 * 24 * 3600 * 1000;

macro_rules! number {
    ($id:ident, $unit:literal, $range:expr, $applies:ident, $field:ident as $type:ty) => {
        Row {
            id: $id,
            name: stringify!($id),
            unit: $unit,
            value: Value::Number {
                min: *$range.start(),
                max: *$range.end(),
                get: |options| options.settings.$field as u64,
                // The range keeps the number within the field's type.
                set: |options, number| options.settings_mut().$field = number as $type,
            },
            applies: Applies::$applies,
        }
    };
}

macro_rules! serving {
    ($id:ident, $unit:literal, $range:expr, $field:ident as $type:ty) => {
        Row {
            id: $id,
            name: stringify!($id),
            unit: $unit,
            value: Value::Number {
                min: *$range.start(),
                max: *$range.end(),
                get: |options| options.serving.$field as u64,
                // As above.
                set: |options, number| options.serving.$field = number as $type,
            },
            applies: Applies::Serving,
        }
    };
}

macro_rules! list {
    ($id:ident, $field:ident, $add:expr) => {
        Row {
            id: $id,
            name: stringify!($id),
            unit: "",
            value: Value::List {
                add: $add,
                clear: |settings| settings.$field.clear(),
            },
            applies: Applies::Both,
        }
    };
}

/// Every option.
pub const TABLE: &[Row] = &[
    number!(
        WEBSOCKET_MAX_MESSAGE_BYTES,
        "bytes",
        1..=MAX_PAYLOAD,
        Both,
        max_message as u64
    ),
    number!(
        WEBSOCKET_MAX_FRAME_BYTES,
        "bytes",
        1..=MAX_PAYLOAD,
        Both,
        max_frame as u64
    ),
    number!(
        WEBSOCKET_MAX_FRAGMENTS,
        "frames",
        1..=u64::MAX,
        Both,
        max_fragments as u64
    ),
    number!(
        WEBSOCKET_CHUNK_ABOVE_BYTES,
        "bytes",
        0..=u64::MAX,
        Both,
        chunk_above as u64
    ),
    number!(
        WEBSOCKET_SEND_QUEUE_BYTES,
        "bytes",
        1..=MAX_LENGTH,
        Both,
        send_queue as usize
    ),
    Row {
        id: WEBSOCKET_ACCEPT_UNMASKED,
        name: "WEBSOCKET_ACCEPT_UNMASKED",
        unit: "0 or 1",
        value: Value::Number {
            min: 0,
            max: 1,
            get: |options| u64::from(options.settings.accept_unmasked),
            set: |options, number| options.settings_mut().accept_unmasked = number == 1,
        },
        applies: Applies::Server,
    },
    number!(
        WEBSOCKET_MAX_HEADER_BYTES,
        "bytes",
        256..=1 << 20,
        Both,
        header_bytes as usize
    ),
    number!(
        WEBSOCKET_MAX_HEADERS,
        "lines",
        8..=1000,
        Both,
        header_lines as usize
    ),
    number!(
        WEBSOCKET_HANDSHAKE_TIMEOUT_MS,
        "ms",
        0..=MAX_TIME,
        Both,
        handshake_timeout as u64
    ),
    number!(
        WEBSOCKET_CLOSE_TIMEOUT_MS,
        "ms",
        0..=MAX_TIME,
        Both,
        close_timeout as u64
    ),
    number!(
        WEBSOCKET_PING_INTERVAL_MS,
        "ms",
        0..=MAX_TIME,
        Both,
        ping_interval as u64
    ),
    number!(
        WEBSOCKET_PONG_TIMEOUT_MS,
        "ms",
        0..=MAX_TIME,
        Both,
        pong_timeout as u64
    ),
    number!(
        WEBSOCKET_IDLE_TIMEOUT_MS,
        "ms",
        0..=MAX_TIME,
        Both,
        idle_timeout as u64
    ),
    serving!(WEBSOCKET_THREADS, "loops", 1..=64, threads as usize),
    serving!(
        WEBSOCKET_MAX_CONNECTIONS,
        "peers",
        1..=1 << 24,
        max_peers as usize
    ),
    serving!(
        WEBSOCKET_MAX_CONNECTIONS_PER_ADDRESS,
        "peers",
        0..=1 << 24,
        max_peers_of_address as usize
    ),
    serving!(
        WEBSOCKET_MAX_HANDSHAKES,
        "peers",
        1..=1 << 24,
        max_handshakes as usize
    ),
    Row {
        id: WEBSOCKET_OVERFLOW,
        name: "WEBSOCKET_OVERFLOW",
        unit: "0 to 4",
        value: Value::Number {
            min: 0,
            max: 4,
            get: |options| match options.serving.overflow {
                Overflow::Refuse => WEBSOCKET_OVERFLOW_REFUSE.into(),
                Overflow::DropOldest => WEBSOCKET_OVERFLOW_DROP_OLDEST.into(),
                Overflow::KeepLatest => WEBSOCKET_OVERFLOW_KEEP_LATEST.into(),
                Overflow::Close => WEBSOCKET_OVERFLOW_CLOSE.into(),
                Overflow::Block => WEBSOCKET_OVERFLOW_BLOCK.into(),
            },
            set: |options, number| {
                options.serving.overflow = match number {
                    1 => Overflow::DropOldest,
                    2 => Overflow::KeepLatest,
                    3 => Overflow::Close,
                    4 => Overflow::Block,
                    _ => Overflow::Refuse,
                }
            },
        },
        applies: Applies::Serving,
    },
    serving!(WEBSOCKET_BACKLOG, "connections", 1..=65_535, backlog as u32),
    serving!(
        WEBSOCKET_KEEPALIVE_SECONDS,
        "s",
        0..=32_767,
        keep_alive as u32
    ),
    serving!(
        WEBSOCKET_STOP_TIMEOUT_MS,
        "ms",
        0..=MAX_TIME,
        stop_timeout as u64
    ),
    number!(
        WEBSOCKET_MEMORY_BYTES,
        "bytes",
        0..=MAX_LENGTH,
        Both,
        memory as u64
    ),
    serving!(
        WEBSOCKET_BLOCK_TIMEOUT_MS,
        "ms",
        0..=MAX_TIME,
        block_timeout as u64
    ),
    list!(WEBSOCKET_HEADER, headers, |settings, line| {
        let (name, value) = line.split_once(':').ok_or(Error::Header)?;
        let value = value.trim_matches([' ', '\t']);
        if !is_sendable_header(name, value) || is_reserved(name) {
            return Err(Error::Header);
        }
        settings.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }),
    list!(WEBSOCKET_SUBPROTOCOL, subprotocols, |settings, name| {
        // RFC 6455 4.1: tokens, all different.
        if !is_token(name) || settings.subprotocols.iter().any(|one| one == name) {
            return Err(Error::Range);
        }
        settings.subprotocols.push(name.to_owned());
        Ok(())
    }),
    list!(WEBSOCKET_ORIGIN, origins, |settings, origin| {
        if origin.is_empty() || !is_sendable_header("Origin", origin) {
            return Err(Error::Header);
        }
        settings.origins.push(origin.to_owned());
        Ok(())
    }),
];
