//! The table, and what a config takes and refuses.

use super::ids::*;
use super::*;
use crate::proto::settings::Settings;

#[test]
fn ids_and_names_are_unique_and_defaults_in_range() {
    let defaults = Options::default();
    for (at, row) in TABLE.iter().enumerate() {
        assert!(
            TABLE[..at]
                .iter()
                .all(|other| other.id != row.id && other.name != row.name)
        );
        if let Value::Number { min, max, get, set } = row.value {
            let default = get(&defaults);
            assert!((min..=max).contains(&default), "{}", row.name);
            let mut options = defaults.clone();
            for number in [min, max, default] {
                set(&mut options, number);
                assert_eq!(get(&options), number, "{}", row.name);
            }
            assert_eq!(options, defaults, "{}", row.name);
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
