//! Writes the C headers into OUT_DIR and names the shared library for its ABI.
//!
//! - `websocket.h`, of which include/wsembed/websocket.h is a copy (`make
//!   header`; tests/header.rs compares the two);
//! - `legacy.h`, the drop-in's prototypes as the library defines them, which
//!   tests/c/legacy_prototypes.c holds against the hand-written headers.
//!
//! CMake sets WSEMBED_HEADER_DIR to have copies at a place that it knows.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources of `websocket.h`, in the order in which a reader wants them.
const SOURCES: &[&str] = &[
    "src/ffi/version.rs",
    "src/ffi/result.rs",
    "src/ffi/log.rs",
    "src/config.rs",
    "src/ffi/config.rs",
    "src/ffi/event.rs",
    "src/ffi/failure.rs",
    "src/ffi/conn.rs",
    "src/ffi/conn/request.rs",
    "src/ffi/conn/send.rs",
    "src/ffi/problem.rs",
    "src/ffi/parser.rs",
];

/// The sources of `legacy.h`.
const LEGACY: &[&str] = &["src/ffi/legacy.rs", "src/ffi/legacy/utility.rs"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WSEMBED_HEADER_DIR");

    write_header(&root, "cbindgen.toml", SOURCES, "websocket.h")?;
    write_header(&root, "cbindgen-legacy.toml", LEGACY, "legacy.h")?;

    let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwsembed.so.{major}");
    Ok(())
}

fn write_header(
    root: &Path,
    config: &str,
    sources: &[&str],
    name: &str,
) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={config}");
    let mut builder =
        cbindgen::Builder::new().with_config(cbindgen::Config::from_file(root.join(config))?);
    for source in sources {
        println!("cargo:rerun-if-changed={source}");
        if !root.join(source).is_file() {
            return Err(format!(
                "build.rs names {source} as a source of {name}, but there is no such file"
            )
            .into());
        }
        builder = builder.with_src(root.join(source));
    }
    let header = Path::new(&env::var("OUT_DIR")?).join(name);
    builder.generate()?.write_to_file(&header);

    if let Some(folder) = env::var_os("WSEMBED_HEADER_DIR") {
        fs::create_dir_all(&folder)?;
        copy_if_different(&header, &Path::new(&folder).join(name))?;
    }
    Ok(())
}

/// A copy that is equal keeps its time, so that no C program is compiled anew.
fn copy_if_different(from: &Path, to: &Path) -> std::io::Result<()> {
    let text = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(to, text)
}
