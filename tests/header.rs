//! The committed header is the one that the sources give, and its version is
//! that of Cargo.toml.

use std::path::Path;
use std::{env, fs};

use wsembed::ffi::version::{
    WEBSOCKET_VERSION_MAJOR, WEBSOCKET_VERSION_MINOR, WEBSOCKET_VERSION_PATCH,
};

const GENERATED: &str = concat!(env!("OUT_DIR"), "/websocket.h");
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include/wsembed/websocket.h");

/// With WSEMBED_UPDATE_HEADER set (`make header`) this writes the committed
/// header in place of comparing it.
#[test]
fn header_is_current() {
    let generated = fs::read_to_string(GENERATED).expect("build.rs writes websocket.h");
    if env::var_os("WSEMBED_UPDATE_HEADER").is_some() {
        let committed = Path::new(COMMITTED);
        fs::create_dir_all(committed.parent().expect("a file has a folder"))
            .expect("include/wsembed can be made");
        fs::write(committed, generated).expect("the header can be written");
        return;
    }
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    let line = first_difference(&committed, &generated);
    assert!(
        line.is_none(),
        "include/wsembed/websocket.h is not what the sources give, from line {} on: run `make header`",
        line.unwrap_or(0),
    );
}

/// The number of the first line in which two texts differ.
fn first_difference(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return None;
    }
    let equal = one
        .lines()
        .zip(other.lines())
        .take_while(|(a, b)| a == b)
        .count();
    Some(equal + 1)
}

#[test]
fn a_difference_is_found() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
    assert_eq!(first_difference("", "a\n"), Some(1));
    assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
    assert_eq!(first_difference("a", "a\n"), Some(2));
}

#[test]
fn version_is_that_of_cargo_toml() {
    let number = |text: &str| text.parse::<i32>().expect("a version's part is a number");
    assert_eq!(
        WEBSOCKET_VERSION_MAJOR,
        number(env!("CARGO_PKG_VERSION_MAJOR"))
    );
    assert_eq!(
        WEBSOCKET_VERSION_MINOR,
        number(env!("CARGO_PKG_VERSION_MINOR"))
    );
    assert_eq!(
        WEBSOCKET_VERSION_PATCH,
        number(env!("CARGO_PKG_VERSION_PATCH"))
    );
}

#[test]
fn version_is_in_the_header() {
    let header = fs::read_to_string(GENERATED).expect("build.rs writes websocket.h");
    for (name, value) in [
        ("MAJOR", WEBSOCKET_VERSION_MAJOR),
        ("MINOR", WEBSOCKET_VERSION_MINOR),
        ("PATCH", WEBSOCKET_VERSION_PATCH),
    ] {
        let line = format!("#define WEBSOCKET_VERSION_{name} {value}");
        assert!(
            header.lines().any(|found| found == line),
            "no line `{line}` in the header"
        );
    }
}
