//! Markdown: its links and its blocks of code.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{files, read, root};

/// Folders with pages.
const FOLDERS: &[&str] = &["", "docs", "docs/api"];

/// The fenced blocks of a page, fences included.
pub fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        match &mut block {
            None if fence => block = Some(format!("{line}\n")),
            None => {}
            Some(open) => {
                open.push_str(line);
                open.push('\n');
                if fence {
                    found.extend(block.take());
                }
            }
        }
    }
    found
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let outside = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    };
    text.lines().filter(outside).collect()
}

/// A section of a page.
#[derive(Debug, Default, PartialEq)]
pub struct Section {
    pub title: String,
    /// How many `#` its heading has.
    pub level: usize,
    /// Lines of its tables.
    pub rows: usize,
    /// Entries of its lists.
    pub items: usize,
}

/// The sections of a page, in order; what is above the first heading too.
pub fn outline(text: &str) -> Vec<Section> {
    let mut found = vec![Section::default()];
    for line in prose(text) {
        if line.starts_with('#') {
            let title = line.trim_start_matches('#');
            found.push(Section {
                title: title.trim().to_owned(),
                level: line.len() - title.len(),
                ..Section::default()
            });
        } else if let Some(section) = found.last_mut() {
            section.rows += usize::from(line.starts_with('|'));
            let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
            let item = line.trim_start().starts_with("- ")
                || (numbered.len() < line.len() && numbered.starts_with(". "));
            section.items += usize::from(item);
        }
    }
    found
}

/// The targets of `](target)` in a line, but for those in `code`.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("](") {
        // An odd number of backticks before it: inside of code.
        let at = line.len() - behind.len();
        let code = line[..at].matches('`').count() % 2 == 1;
        let (target, after) = behind.split_once(')').unwrap_or((behind, ""));
        if !code {
            found.push(target);
        }
        debug_assert!(before.len() < rest.len());
        rest = after;
    }
    found
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in prose(text) {
        let Some(title) = line.strip_prefix('#') else {
            continue;
        };
        let title = title.trim_start_matches('#').trim();
        let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let slug: String = title.to_lowercase().chars().filter(|c| kept(*c)).collect();
        let slug = slug.replace(' ', "-");
        let twins = found.iter().filter(|other| **other == slug).count();
        found.push(if twins == 0 {
            slug
        } else {
            format!("{slug}-{twins}")
        });
    }
    found
}

/// What is wrong with a link of `page`; nothing for one that leads elsewhere.
fn dead(page: &Path, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => page.to_path_buf(),
        file => page.parent().expect("a file has a folder").join(file),
    };
    let name = page.strip_prefix(root()).expect("below the root").display();
    if !path.exists() {
        return Some(format!("{name}: there is no {target}"));
    }
    if !anchor.is_empty() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        if !anchors(&text).iter().any(|other| other == anchor) {
            return Some(format!("{name}: {file} has no heading for #{anchor}"));
        }
    }
    None
}

/// The links of all pages that lead nowhere.
pub fn dead_links() -> Vec<String> {
    let pages: Vec<PathBuf> = FOLDERS
        .iter()
        .flat_map(|folder| files(&root().join(folder), ".md"))
        .collect();
    let mut found = Vec::new();
    let mut links = 0;
    for page in &pages {
        let text = read(page);
        for line in prose(&text) {
            for target in targets(line) {
                links += 1;
                found.extend(dead(page, target));
            }
        }
    }
    assert!(links > 50, "only {links} links in {} pages", pages.len());
    found
}

#[test]
fn links_and_anchors_are_found() {
    assert_eq!(
        targets("[a](b.md) `x](y)` and [c](d#e-f), ![g](h)"),
        ["b.md", "d#e-f", "h"]
    );
    assert_eq!(
        anchors("# One `two`: three\n```\n# not\n```\n## A-b\n## A-b\n## \u{7f16}\u{8bd1} make\n"),
        ["one-two-three", "a-b", "a-b-1", "\u{7f16}\u{8bd1}-make"]
    );
    let page = root().join("README.md");
    assert!(dead(&page, "no/such.md").is_some());
    assert!(dead(&page, "#no-such-heading").is_some());
    assert!(dead(&page, "https://example.com/none").is_none());
    assert!(dead(&page, "LICENSE-MIT").is_none());
}

#[test]
fn blocks_are_whole() {
    assert_eq!(
        blocks("a\n```c\nx\n```\nb\n```\ny\n```\n"),
        ["```c\nx\n```\n", "```\ny\n```\n"]
    );
}

#[test]
fn an_outline_counts_rows_and_entries() {
    let sections = outline("a\n## B\n| c |\n|---|\n- d\n  - e\n1. f\n```\n- g\n```\n### H\n10 i\n");
    let counts: Vec<_> = sections
        .iter()
        .map(|s| (s.level, s.rows, s.items))
        .collect();
    assert_eq!(counts, [(0, 0, 0), (2, 2, 3), (3, 0, 0)]);
    assert_eq!(sections[1].title, "B");
}
