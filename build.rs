//! Writes the C headers into OUT_DIR and names the shared library for its ABI.
//!
//! - `websocket.h`, of which include/wsembed/websocket.h is a copy (`make
//!   header`; tests/header.rs compares the two);
//! - `legacy.h` and `ws.h`, the prototypes of the drop-in's two generations as
//!   the library defines them, which tests/c/legacy_prototypes.c and
//!   ws_prototypes.c hold against the hand-written headers.
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
    "src/config/ids.rs",
    "src/ffi/config.rs",
    "src/ffi/event.rs",
    "src/ffi/failure.rs",
    "src/ffi/conn.rs",
    "src/ffi/conn/request.rs",
    "src/ffi/conn/send.rs",
    "src/ffi/problem.rs",
    "src/ffi/parser.rs",
    "src/ffi/server.rs",
    "src/ffi/server/life.rs",
    "src/ffi/server/listen.rs",
    "src/ffi/server/turning.rs",
    "src/ffi/server/page.rs",
    "src/ffi/server/request.rs",
    "src/ffi/server/peer.rs",
    "src/ffi/server/info.rs",
];

/// The sources of `legacy.h`.
const LEGACY: &[&str] = &["src/ffi/legacy.rs", "src/ffi/legacy/utility.rs"];

/// The sources of `ws.h`.
const GENERATION_2: &[&str] = &["src/ffi/ws_com.rs", "src/ffi/ws_server.rs"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WSEMBED_HEADER_DIR");

    write_header(&root, "cbindgen.toml", SOURCES, "websocket.h")?;
    write_header(&root, "cbindgen-legacy.toml", LEGACY, "legacy.h")?;
    write_header(&root, "cbindgen-legacy.toml", GENERATION_2, "ws.h")?;

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
    let mut config = cbindgen::Config::from_file(root.join(config))?;
    if name == "websocket.h" {
        config.after_includes = Some(version_macros()?);
    }
    let mut builder = cbindgen::Builder::new().with_config(config);
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

/// The version of the header, from Cargo.toml.
fn version_macros() -> Result<String, env::VarError> {
    let mut text = String::new();
    for part in ["MAJOR", "MINOR", "PATCH"] {
        let value = env::var(format!("CARGO_PKG_VERSION_{part}"))?;
        let name = part.to_lowercase();
        text += &format!("\n/**\n * The {name} version of this header.\n */\n");
        text += &format!("#define WEBSOCKET_VERSION_{part} {value}\n");
    }
    // cbindgen ends the last line.
    Ok(text.trim_end().to_owned())
}

/// A copy that is equal keeps its time, so that no C program is compiled anew.
fn copy_if_different(from: &Path, to: &Path) -> std::io::Result<()> {
    let text = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(to, text)
}
