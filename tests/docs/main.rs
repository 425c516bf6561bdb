//! The documentation that is made from the sources is current, every exported
//! function has a page with an example that calls it, and no link is dead.
//!
//! With WSEMBED_UPDATE_DOCS set (`make header`) the pages are written in place
//! of being compared.

mod api;
mod header;
mod options;
mod page;
mod prose;
mod tables;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder whose names end so, sorted.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of a folder").path())
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(end))
        .collect();
    found.sort();
    found
}

fn updating() -> bool {
    env::var_os("WSEMBED_UPDATE_DOCS").is_some()
}

/// Compares a page with what is generated, or writes it. Says what differs.
fn hold(name: &str, generated: &str) -> Option<String> {
    let path = root().join(name);
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed == generated {
        return None;
    }
    if updating() {
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("docs/ can be made");
        fs::write(&path, generated).expect("docs/ can be written");
        return None;
    }
    let same = committed
        .lines()
        .zip(generated.lines())
        .take_while(|(one, other)| one == other)
        .count();
    Some(format!(
        "{name} is not what the sources give, from line {} on: run `make header`",
        same + 1
    ))
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_page_of_the_options_is_current() {
    let found = hold("docs/options.md", &options::page());
    assert_none(&Vec::from_iter(found));
}

#[test]
fn every_default_in_a_comment_is_that_of_the_table() {
    assert_none(&options::wrong_defaults());
}

#[test]
fn every_exported_function_has_a_page_and_an_example() {
    let (pages, mut found) = api::pages();
    for (name, text) in &pages {
        found.extend(hold(name, text));
    }
    for path in files(&root().join("docs/api"), ".md") {
        let name = path.strip_prefix(root()).expect("below the root");
        let name = name.to_string_lossy();
        if pages.iter().any(|(page, _)| *page == name) {
            continue;
        }
        if updating() {
            fs::remove_file(&path).expect("docs/api can be written");
        } else {
            found.push(format!("{name} is the page of nothing: run `make header`"));
        }
    }
    assert_none(&found);
}

#[test]
fn no_link_is_dead() {
    assert_none(&prose::dead_links());
}

/// The pages that are there in two languages.
const PAIRS: &[(&str, &str)] = &[
    ("README.md", "README.zh-CN.md"),
    ("docs/dropin.md", "docs/dropin.zh-CN.md"),
];

#[test]
fn both_languages_show_the_same_code() {
    for (english, chinese) in PAIRS {
        let first = prose::blocks(&read(&root().join(english)));
        let second = prose::blocks(&read(&root().join(chinese)));
        assert!(first.len() > 3, "{english} has blocks of code");
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one, other, "a block of {english} and of {chinese}");
        }
        assert_eq!(first.len(), second.len(), "{english} and {chinese}");
    }
}

#[test]
fn both_languages_have_the_same_sections_and_rows() {
    for (english, chinese) in PAIRS {
        let first = prose::outline(&read(&root().join(english)));
        let second = prose::outline(&read(&root().join(chinese)));
        assert!(first.len() > 10, "{english} has sections");
        for (one, other) in first.iter().zip(&second) {
            let same =
                one.level == other.level && one.rows == other.rows && one.items == other.items;
            assert!(same, "{english} and {chinese}:\n{one:?}\n{other:?}");
        }
        assert_eq!(first.len(), second.len(), "{english} and {chinese}");
    }
}

#[test]
fn the_layout_on_the_page_is_the_one_that_is_asserted() {
    let numbers = |text: &str, field: usize, separator: char| {
        let cells: Vec<&str> = text.split(separator).map(str::trim).collect();
        let name = cells.get(field)?.trim_matches('`').to_owned();
        let numbers = cells.get(cells.len().checked_sub(3)?..cells.len() - 1)?;
        let numbers: Option<Vec<u32>> = numbers.iter().map(|cell| cell.parse().ok()).collect();
        Some((name, numbers?))
    };
    let page = read(&root().join("docs/abi.md"));
    let fields = page.lines().filter(|line| line.starts_with("| `"));
    let said: Vec<_> = fields.filter_map(|line| numbers(line, 1, '|')).collect();
    let tests = ["tests/c/layout.h", "tests/c/ws_server_layout.c"];
    let test = tests.map(|name| read(&root().join(name))).concat();
    // Behind a mutex offsets are sums, which are on no page.
    let asserted = test.lines().filter_map(|line| line.strip_prefix("AT("));
    let asserted = asserted.filter_map(|line| numbers(&line.replace(')', ","), 1, ','));
    // The page has 64-bit machines first.
    let asserted: Vec<_> = asserted
        .map(|(name, offsets)| (name, offsets.into_iter().rev().collect()))
        .collect();
    assert!(asserted.len() > 15, "{asserted:?}");
    assert_eq!(said, asserted);
}
