//! The committed header is the one that the sources give, its version is that
//! of Cargo.toml, and its structs have a promised layout.

use std::path::Path;
use std::{env, fs};

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

/// tests/c/layout.c holds it against webSocket_version().
#[test]
fn version_is_that_of_cargo_toml() {
    let header = fs::read_to_string(GENERATED).expect("build.rs writes websocket.h");
    let found: Vec<&str> = ["MAJOR", "MINOR", "PATCH"]
        .iter()
        .filter_map(|part| {
            let start = format!("#define WEBSOCKET_VERSION_{part} ");
            header.lines().find_map(|line| line.strip_prefix(&start))
        })
        .collect();
    assert_eq!(found.join("."), env!("CARGO_PKG_VERSION"));
}

/// tests/c/layout.h promises size and offsets of each.
#[test]
fn no_public_struct_is_without_a_promised_layout() {
    let header = fs::read_to_string(GENERATED).expect("build.rs writes websocket.h");
    let layout = include_str!("c/layout.h");
    let mut structs = 0;
    for line in header.lines() {
        let Some(name) = line.strip_prefix("typedef struct ") else {
            continue;
        };
        // `typedef struct NAME NAME;` is opaque.
        let Some(name) = name.strip_suffix(" {") else {
            continue;
        };
        structs += 1;
        assert!(
            layout.contains(&format!("\nSIZE({name}, ")),
            "{name} is missing in tests/c/layout.h and src/ffi/layout.rs"
        );
    }
    assert!(structs >= 2, "the header was not understood");
}
