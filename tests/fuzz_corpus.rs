//! Every file of the fuzz corpora through the body of its target, without a
//! fuzzer: what a fuzz run found once stays found. And the seeds among them
//! are those that `fuzz/src/seeds.rs` makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

// Each body, its harness and its seeds, as scripts/fuzz builds them; not all
// that the targets use is used here.
#[allow(dead_code)]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// A corpus is a regression test that runs each time: it stays small.
const MOST_FILES: usize = 300;

fn folder(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("fuzz/corpus").join(target)
}

/// The files of a corpus, by name.
fn files(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = folder(target);
    let entries = fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("a readable file"))
        })
        .collect()
}

/// Names the file at hand if the test ends in a panic.
struct Announce<'n>(&'n str, &'n str);

impl Drop for Announce<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was fuzz/corpus/{}/{}", self.0, self.1);
        }
    }
}

fn run_corpus(target: &str, body: fn(&[u8])) {
    let files = files(target);
    assert!(files.len() > 20, "{} files for {target}", files.len());
    assert!(files.len() < MOST_FILES, "{} files", files.len());
    for (name, bytes) in &files {
        let _announce = Announce(target, name);
        body(bytes);
    }
    println!("{target}: {} files", files.len());
}

#[test]
fn corpus_of_frame() {
    run_corpus("frame", fuzz::frame::run);
}

#[test]
fn corpus_of_handshake() {
    run_corpus("handshake", fuzz::handshake::run);
}

#[test]
fn corpus_of_conn_vs_whole() {
    run_corpus("conn_vs_whole", fuzz::conn_vs_whole::run);
}

#[test]
fn corpus_of_legacy_fd() {
    run_corpus("legacy_fd", fuzz::legacy_fd::run);
}

/// With WSEMBED_WRITE_SEEDS set, writes them (scripts/fuzz --seeds).
#[test]
fn the_seeds_are_those_of_their_generator() {
    let seeds = fuzz::seeds::all();
    if std::env::var_os("WSEMBED_WRITE_SEEDS").is_some() {
        for seed in &seeds {
            fs::create_dir_all(folder(seed.target)).expect("a writable folder");
            fs::write(folder(seed.target).join(&seed.name), &seed.bytes).expect("writable");
        }
    }
    for target in ["frame", "handshake", "conn_vs_whole", "legacy_fd"] {
        let mut found = files(target);
        found.retain(|name, _| name.starts_with("seed-"));
        let wanted = seeds.iter().filter(|seed| seed.target == target);
        let wanted: BTreeMap<_, _> = wanted
            .map(|seed| (seed.name.clone(), seed.bytes.clone()))
            .collect();
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(&found),
            names(&wanted),
            "{target}: scripts/fuzz --seeds"
        );
        assert!(found == wanted, "{target}: a seed's bytes differ");
    }
}
