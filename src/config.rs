//! The one option table: what each option is called, means, is worth by
//! default, and applies to. The documentation of the options is made from it.

use std::sync::Arc;

use crate::proto::Error;
use crate::proto::conn::Role;
use crate::proto::handshake::is_reserved;
use crate::proto::http::{is_sendable_header, is_token};
use crate::proto::settings::Settings;

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
/// A header line, `"Name: value"`, that goes into our request or answer. A
/// list.
pub const WEBSOCKET_HEADER: u32 = 100;
/// A subprotocol: offered by a client, supported by a server (which takes the
/// first one offered that it supports). A list.
pub const WEBSOCKET_SUBPROTOCOL: u32 = 101;
/// A server allows browsers from this Origin besides its own host (`"*"`: from
/// any); a client sends the first. A list.
pub const WEBSOCKET_ORIGIN: u32 = 102;

/// What an option holds.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A number in `min..=max`.
    Number {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// Reads it from the settings; the default is that of the defaults.
        get: fn(&Settings) -> u64,
        /// Writes it.
        set: fn(&mut Settings, u64),
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
    /// Servers only.
    Server,
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
                get: |settings| settings.$field as u64,
                // The range keeps the number within the field's type.
                set: |settings, number| settings.$field = number as $type,
            },
            applies: Applies::$applies,
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
            get: |settings| u64::from(settings.accept_unmasked),
            set: |settings, number| settings.accept_unmasked = number == 1,
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

/// A config: settings being made.
#[derive(Debug, Clone, Default)]
pub struct Config {
    settings: Settings,
    /// The options that were set, to refuse them where they do not apply.
    touched: Vec<&'static Row>,
}

impl Config {
    fn row(id: u32) -> Result<&'static Row, Error> {
        TABLE.iter().find(|row| row.id == id).ok_or(Error::Option)
    }

    /// Notes that an option was set.
    fn touch(&mut self, row: &'static Row) {
        if !self.touched.iter().any(|other| other.id == row.id) {
            self.touched.push(row);
        }
    }

    /// Sets a number.
    pub fn set_number(&mut self, id: u32, number: u64) -> Result<(), Error> {
        let row = Self::row(id)?;
        match row.value {
            Value::Number { min, max, .. } if !(min..=max).contains(&number) => Err(Error::Range),
            Value::Number { set, .. } => {
                set(&mut self.settings, number);
                self.touch(row);
                Ok(())
            }
            Value::List { .. } => Err(Error::Option),
        }
    }

    /// Makes a text the only one of its list.
    pub fn set_text(&mut self, id: u32, text: &str) -> Result<(), Error> {
        let row = Self::row(id)?;
        let Value::List { add, clear } = row.value else {
            return Err(Error::Option);
        };
        let mut settings = self.settings.clone();
        clear(&mut settings);
        add(&mut settings, text)?;
        self.settings = settings;
        self.touch(row);
        Ok(())
    }

    /// Adds a text to its list.
    pub fn add_text(&mut self, id: u32, text: &str) -> Result<(), Error> {
        let row = Self::row(id)?;
        let Value::List { add, .. } = row.value else {
            return Err(Error::Option);
        };
        add(&mut self.settings, text)?;
        self.touch(row);
        Ok(())
    }

    /// The settings for one end; refused where an option was set that does not
    /// apply to it.
    pub fn settings(&self, role: Role) -> Result<Arc<Settings>, Error> {
        let fits = |row: &&Row| row.applies == Applies::Both || role == Role::Server;
        if self.touched.iter().all(fits) {
            Ok(Arc::new(self.settings.clone()))
        } else {
            Err(Error::Option)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_are_unique_and_defaults_in_range() {
        let defaults = Settings::default();
        for (at, row) in TABLE.iter().enumerate() {
            assert!(
                TABLE[..at]
                    .iter()
                    .all(|other| other.id != row.id && other.name != row.name)
            );
            if let Value::Number { min, max, get, set } = row.value {
                let default = get(&defaults);
                assert!((min..=max).contains(&default), "{}", row.name);
                let mut settings = defaults.clone();
                for number in [min, max, default] {
                    set(&mut settings, number);
                    assert_eq!(get(&settings), number, "{}", row.name);
                }
                assert_eq!(settings, defaults, "{}", row.name);
            }
        }
    }

    #[test]
    fn wrong_type_range_and_option_change_nothing() {
        let mut config = Config::default();
        assert_eq!(config.set_number(0, 1), Err(Error::Option));
        assert_eq!(config.set_number(WEBSOCKET_HEADER, 1), Err(Error::Option));
        assert_eq!(
            config.set_number(WEBSOCKET_MAX_MESSAGE_BYTES, 0),
            Err(Error::Range)
        );
        assert_eq!(
            config.set_number(WEBSOCKET_ACCEPT_UNMASKED, 2),
            Err(Error::Range)
        );
        assert_eq!(
            config.add_text(WEBSOCKET_MAX_FRAME_BYTES, "1"),
            Err(Error::Option)
        );
        for line in [
            "X",
            "X y: z",
            "X: a\r\nB: c",
            "Host: x",
            "sec-websocket-key: x",
            ": x",
        ] {
            assert_eq!(
                config.add_text(WEBSOCKET_HEADER, line),
                Err(Error::Header),
                "{line}"
            );
            assert_eq!(
                config.set_text(WEBSOCKET_HEADER, line),
                Err(Error::Header),
                "{line}"
            );
        }
        for name in ["", "a b", "a,b", "\u{e9}"] {
            assert_eq!(
                config.add_text(WEBSOCKET_SUBPROTOCOL, name),
                Err(Error::Range),
                "{name}"
            );
        }
        assert_eq!(*config.settings(Role::Server).unwrap(), Settings::default());
        // What was refused was not set: it does not stand in a client's way.
        assert_eq!(*config.settings(Role::Client).unwrap(), Settings::default());
    }

    #[test]
    fn lists_are_set_and_added_to() {
        let mut config = Config::default();
        config.add_text(WEBSOCKET_HEADER, "X-A: 1").unwrap();
        config.add_text(WEBSOCKET_HEADER, "X-B:2").unwrap();
        config.add_text(WEBSOCKET_SUBPROTOCOL, "chat").unwrap();
        assert_eq!(
            config.add_text(WEBSOCKET_SUBPROTOCOL, "chat"),
            Err(Error::Range)
        );
        config.set_text(WEBSOCKET_SUBPROTOCOL, "superchat").unwrap();
        let settings = config.settings(Role::Client).unwrap();
        assert_eq!(settings.headers[1], ("X-B".to_owned(), "2".to_owned()));
        assert_eq!(settings.subprotocols, ["superchat"]);
    }

    #[test]
    fn a_server_option_does_not_make_a_client() {
        let mut config = Config::default();
        config.set_number(WEBSOCKET_ACCEPT_UNMASKED, 1).unwrap();
        assert!(config.settings(Role::Server).unwrap().accept_unmasked);
        assert_eq!(config.settings(Role::Client), Err(Error::Option));
    }
}
