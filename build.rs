//! Writes `websocket.h` into OUT_DIR (a test compares it with the committed
//! one) and names the shared library for its ABI.

use std::env;
use std::path::Path;

/// The sources of `websocket.h`, in the order in which a reader wants them.
const SOURCES: &[&str] = &["src/ffi/result.rs", "src/ffi/version.rs"];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let root = Path::new(&root);

    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root.join(source));
        println!("cargo:rerun-if-changed={source}");
    }
    builder
        .generate()
        .expect("cbindgen reads the C ABI")
        .write_to_file(Path::new(&out).join("websocket.h"));

    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwsembed.so.0");
}
