//! The arrows between the layers point down, and `unsafe` stays where it is
//! allowed. Reads the sources as text: paths that start with `crate`, `super`
//! or `self`, in `use` lines and in expressions alike.

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer and what it may name besides itself. lib.rs is the map of the
/// crate and names all of them.
const LAYERS: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("net", &["proto"]),
    ("config", &["proto"]),
    ("client", &["net", "proto", "config"]),
    ("server", &["net", "proto", "config"]),
    ("legacy", &["client", "server", "net", "proto", "config"]),
    (
        "ffi",
        &["client", "server", "legacy", "net", "proto", "config"],
    ),
];

/// Files and folders that may say `unsafe`.
const UNSAFE: &[&str] = &["ffi/", "net/sys.rs", "net/sys/"];

/// Layers whose root must forbid `unsafe` to the compiler as well.
const FORBID: &[&str] = &["proto/mod.rs", "server/mod.rs", "legacy/mod.rs"];

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    /// `::`
    Path,
    Sign(char),
}

/// The tokens of Rust source, without comments, strings and lifetimes.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let mut index = 0;
    while index < chars.len() {
        let here = at(index);
        if here == '/' && at(index + 1) == '/' {
            while index < chars.len() && at(index) != '\n' {
                index += 1;
            }
        } else if here == '/' && at(index + 1) == '*' {
            index = after_block_comment(&chars, index);
        } else if here == '"' {
            index = after_string(&chars, index);
        } else if here == '\'' {
            index = after_quote(&chars, index);
        } else if here == '_' || here.is_alphanumeric() {
            let start = index;
            while at(index) == '_' || at(index).is_alphanumeric() {
                index += 1;
            }
            let word: String = chars[start..index].iter().collect();
            // r"…", br#"…"#; but r#type is a name.
            let hashes = chars[index..].iter().take_while(|c| **c == '#').count();
            if matches!(word.as_str(), "r" | "br" | "cr") && at(index + hashes) == '"' {
                index = after_raw_string(&chars, index + hashes + 1, hashes);
            } else {
                found.push(Token::Word(word));
            }
        } else if here == ':' && at(index + 1) == ':' {
            found.push(Token::Path);
            index += 2;
        } else {
            if !here.is_whitespace() {
                found.push(Token::Sign(here));
            }
            index += 1;
        }
    }
    found
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut index = start;
    while index < chars.len() {
        match (chars[index], chars.get(index + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            break;
        }
    }
    index
}

fn after_string(chars: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

fn after_raw_string(chars: &[char], start: usize, hashes: usize) -> usize {
    let mut index = start;
    while index < chars.len() {
        let ends = chars[index] == '"'
            && chars[index + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
        index += 1;
        if ends {
            return index + hashes;
        }
    }
    index
}

/// Past a character literal, or past the quote of a lifetime.
fn after_quote(chars: &[char], start: usize) -> usize {
    if chars.get(start + 1) == Some(&'\\') {
        let escaped = start + 3;
        return chars[escaped.min(chars.len())..]
            .iter()
            .position(|c| *c == '\'')
            .map_or(chars.len(), |end| escaped + end + 1);
    }
    if chars.get(start + 2) == Some(&'\'') {
        start + 3
    } else {
        start + 1
    }
}

/// Where a path is read: its file's module, and the inline modules around it.
struct Reader<'a> {
    tokens: &'a [Token],
    index: usize,
    /// The module that the tokens are in, from the crate's root.
    module: Vec<String>,
    /// The brace depth at which each inline module ends.
    inline: Vec<usize>,
    depth: usize,
    /// Paths from the crate's root that were found.
    paths: Vec<Vec<String>>,
}

impl Reader<'_> {
    fn word(&self, index: usize) -> Option<&str> {
        match self.tokens.get(index) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn read(&mut self) {
        while self.index < self.tokens.len() {
            match &self.tokens[self.index] {
                Token::Sign('{') => self.depth += 1,
                Token::Sign('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.inline.last() == Some(&self.depth) {
                        self.inline.pop();
                        self.module.pop();
                    }
                }
                Token::Word(word) if word == "mod" => {
                    if let (Some(name), Some(Token::Sign('{'))) =
                        (self.word(self.index + 1), self.tokens.get(self.index + 2))
                    {
                        let name = name.to_owned();
                        self.module.push(name);
                        self.inline.push(self.depth);
                        self.depth += 1;
                        self.index += 3;
                        continue;
                    }
                }
                Token::Word(word) if matches!(word.as_str(), "crate" | "super" | "self") => {
                    let inside = self.index > 0 && self.tokens[self.index - 1] == Token::Path;
                    if !inside && self.tokens.get(self.index + 1) == Some(&Token::Path) {
                        self.path(&[]);
                        continue;
                    }
                }
                _ => {}
            }
            self.index += 1;
        }
    }

    /// Reads a path, or a tree of them in braces, behind `prefix`.
    fn path(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        while let Some(word) = self.word(self.index) {
            match word {
                "crate" => path.clear(),
                "super" | "self" => {
                    if path.is_empty() {
                        path.clone_from(&self.module);
                    }
                    if word == "super" {
                        path.pop();
                    }
                }
                name => path.push(name.to_owned()),
            }
            self.index += 1;
            if self.tokens.get(self.index) != Some(&Token::Path) {
                break;
            }
            self.index += 1;
        }
        if self.tokens.get(self.index.wrapping_sub(1)) == Some(&Token::Path)
            && self.tokens.get(self.index) == Some(&Token::Sign('{'))
        {
            self.index += 1;
            while !matches!(self.tokens.get(self.index), None | Some(Token::Sign('}'))) {
                if self.word(self.index) == Some("as") {
                    self.index += 2;
                } else if self.word(self.index).is_some() {
                    self.path(&path);
                } else {
                    self.index += 1;
                }
            }
            self.index += 1;
        } else {
            self.paths.push(path);
        }
    }
}

/// The module of a file, from the crate's root: `proto/mod.rs` is `proto`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/')
        .filter(|part| *part != "lib")
        .map(str::to_owned)
        .collect()
}

/// What is wrong with one file, by its name below src/.
fn violations(file: &str, source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut found = Vec::new();

    let says_unsafe = tokens
        .iter()
        .any(|token| *token == Token::Word("unsafe".to_owned()));
    if says_unsafe && !UNSAFE.iter().any(|place| file.starts_with(place)) {
        found.push(format!(
            "src/{file}: `unsafe` belongs to {}",
            UNSAFE.join(", ")
        ));
    }
    if FORBID.contains(&file) && !source.contains("#![forbid(unsafe_code)]") {
        found.push(format!("src/{file}: `#![forbid(unsafe_code)]` is missing"));
    }

    let module = module_of(file);
    let Some(layer) = module.first().cloned() else {
        return found; // lib.rs
    };
    let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        found.push(format!(
            "src/{file}: `{layer}` has no place in the layers of tests/layering.rs"
        ));
        return found;
    };
    let mut reader = Reader {
        tokens: &tokens,
        index: 0,
        module,
        inline: Vec::new(),
        depth: 0,
        paths: Vec::new(),
    };
    reader.read();
    for path in reader.paths {
        let target = path.first().map_or("the crate's root", String::as_str);
        if target != layer && !below.contains(&target) {
            found.push(format!(
                "src/{file}: `{layer}` may not name `{}`",
                path.join("::")
            ));
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_arrow_points_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 10, "only {} files under src/", files.len());
    let mut found = Vec::new();
    for path in files {
        let source = fs::read_to_string(&path).expect("a source can be read");
        let name = path.strip_prefix(&root).expect("it is below src/");
        found.extend(violations(
            &name.to_string_lossy().replace('\\', "/"),
            &source,
        ));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn planted_violations_are_caught() {
    let planted = [
        ("proto/frame.rs", "use crate::net::sys;"),
        ("proto/frame.rs", "use crate::{proto::Error, ffi::result};"),
        (
            "proto/frame.rs",
            "use crate::{\n    proto::{Error, frame},\n    config::{self, Table},\n};",
        ),
        (
            "proto/frame.rs",
            "fn f() { let x = crate::config::limit(); }",
        ),
        (
            "proto/handshake/key.rs",
            "use super::super::super::net::sys;",
        ),
        ("proto/mod.rs", "use super::net;"),
        (
            "proto/frame.rs",
            "#[cfg(test)]\nmod tests {\n    use super::super::super::ffi::result;\n}",
        ),
        (
            "proto/frame.rs",
            "mod a { mod b {} } use super::super::config::X;",
        ),
        ("net/stream.rs", "use crate::config::Config;"),
        ("net/stream.rs", "use crate::ffi;"),
        ("config.rs", "pub(crate) use crate::net::sys::now;"),
        ("config.rs", "use super::net::sys;"),
        ("client/mod.rs", "use crate::server::Server;"),
        ("server/mod.rs", "use crate::legacy::fd;"),
        ("legacy/fd.rs", "fn f(x: &crate::ffi::handle::Handle) {}"),
        ("proto/frame.rs", "use crate::Reexported;"),
        ("proto/mod.rs", "// #![forbid(unsafe)] is not it"),
        ("proto/mask.rs", "fn f() { unsafe { g() } }"),
        (
            "net/poller.rs",
            "fn f(_: char) { f('\"'); unsafe { g() } f('\"'); }",
        ),
        ("net/poller.rs", "fn f<'a>(x: &'a str) { unsafe { g() } }"),
        ("lib.rs", "unsafe fn f() {}"),
        ("brandnew/mod.rs", ""),
    ];
    for (file, source) in planted {
        assert!(
            !violations(file, source).is_empty(),
            "not caught in {file}: {source}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    let allowed = [
        (
            "proto/frame.rs",
            "use super::Error; use crate::proto::{mask, utf8}; use std::net::TcpStream;",
        ),
        (
            "proto/frame.rs",
            "#[cfg(test)]\nmod tests {\n    use super::*;\n    use super::super::Error;\n}",
        ),
        (
            "proto/frame.rs",
            "// crate::net and unsafe\n/* crate::ffi /* nested */ unsafe */",
        ),
        (
            "proto/frame.rs",
            "fn f() { g(\"crate::net \\\" unsafe\"); g(r#\"crate::ffi \" unsafe\"#); }",
        ),
        (
            "proto/frame.rs",
            "fn f(&self) -> char { self.x; '\\u{41}' }",
        ),
        (
            "proto/mod.rs",
            "#![forbid(unsafe_code)]\npub use error::Error;",
        ),
        (
            "net/sys.rs",
            "use crate::proto::Error; fn f() { unsafe { g() } }",
        ),
        (
            "legacy/fd.rs",
            "use crate::{client, net::sys, proto::Error, server};",
        ),
        (
            "ffi/conn.rs",
            "use super::boundary::call; use crate::proto::Error; unsafe fn f() {}",
        ),
        (
            "ffi/conn.rs",
            "use crate::{net as kernel, proto::{Error as E, *}};",
        ),
        ("lib.rs", "pub mod proto; pub use proto::Error;"),
    ];
    for (file, source) in allowed {
        assert_eq!(
            violations(file, source),
            Vec::<String>::new(),
            "in {file}: {source}"
        );
    }
}
