//! docs/api: a page per exported function, made from the headers' comments and
//! the examples of docs/api/examples; an index; the results; the types.

use std::collections::BTreeSet;
use std::path::Path;

use crate::header::{self, Item, What};
use crate::page::page;
use crate::tables::{index, results, types};
use crate::{files, read, root};

const EXAMPLES: &str = "docs/api/examples";
pub const MARK: &str =
    "<!-- Made from the headers and docs/api/examples by `make header`; do not edit. -->\n";

/// An exported function and all that its page needs.
pub struct Function {
    /// The name that is exported, and that of the page.
    pub symbol: String,
    /// The name that a program uses, where a header maps it.
    pub alias: Option<String>,
    /// The header's file name.
    pub header: String,
    pub prototype: String,
    pub comment: Vec<Vec<String>>,
}

/// A program that shows some functions.
pub struct Example {
    pub file: String,
    pub text: String,
    shows: BTreeSet<String>,
}

/// A header's file name and what it documents.
pub type Header = (String, Vec<Item>);

/// The headers, with `websocket.h` first.
fn headers() -> Vec<Header> {
    let mut paths = files(&root().join("include/wsembed"), ".h");
    paths.sort_by_key(|path| !path.ends_with("websocket.h"));
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    paths
        .iter()
        .map(|path| (name(path).unwrap_or_default(), header::read(&read(path))))
        .collect()
}

/// The prototype of a function that no header declares.
fn undeclared(symbol: &str) -> Option<String> {
    let generated = read(Path::new(concat!(env!("OUT_DIR"), "/legacy.h")));
    let start = generated.find(&format!("{symbol}("))?;
    let start = generated[..start].rfind('\n')? + 1;
    let end = start + generated[start..].find(';')?;
    Some(generated[start..=end].to_owned())
}

fn functions(headers: &[Header], symbols: &BTreeSet<String>) -> Vec<Function> {
    let mut found = Vec::new();
    for (header, items) in headers {
        for item in items {
            let (symbol, alias, prototype) = match &item.what {
                What::Function => (&item.name, None, Some(item.code.clone())),
                // A name of the old helper, mapped to an export of ours.
                What::Constant(value) if symbols.contains(value) => {
                    let prototype = undeclared(value).map(|text| text.replace(value, &item.name));
                    (value, Some(item.name.clone()), prototype)
                }
                _ => continue,
            };
            found.push(Function {
                symbol: symbol.clone(),
                alias,
                header: header.clone(),
                prototype: prototype.unwrap_or_default(),
                comment: item.comment.clone(),
            });
        }
    }
    found
}

/// The examples; each names what it shows behind "Shows:" in its first comment.
fn examples() -> Vec<Example> {
    let example = |path: &std::path::PathBuf| {
        let text = read(path);
        let comment = text.split("*/").next().unwrap_or_default();
        let shows = comment.split_once("Shows:").map_or("", |(_, names)| names);
        let word = |c: char| !(c.is_alphanumeric() || c == '_');
        Example {
            file: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            shows: shows
                .split(word)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            text,
        }
    };
    files(&root().join(EXAMPLES), ".c")
        .iter()
        .map(example)
        .collect()
}

impl Example {
    /// Whether it calls a function, comments aside.
    fn calls(&self, name: &str) -> bool {
        let mut code = String::new();
        for (at, part) in self.text.split("/*").enumerate() {
            code.push_str(if at == 0 {
                part
            } else {
                part.split_once("*/").map_or("", |(_, rest)| rest)
            });
        }
        let starts = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        code.match_indices(&format!("{name}("))
            .any(|(at, _)| starts(at))
    }
}

/// What is about a function's example, and the example.
fn example_of<'e>(
    function: &Function,
    examples: &'e [Example],
    found: &mut Vec<String>,
) -> Option<&'e Example> {
    let symbol = &function.symbol;
    let mut showing = examples
        .iter()
        .filter(|example| example.shows.contains(symbol));
    let Some(example) = showing.next() else {
        found.push(format!(
            "{symbol} has no example: name it behind \"Shows:\" in a program of {EXAMPLES}"
        ));
        return None;
    };
    if let Some(other) = showing.next() {
        found.push(format!(
            "{symbol} is shown by {} and by {}: one is enough",
            example.file, other.file
        ));
    }
    let name = function.alias.as_ref().unwrap_or(symbol);
    if !example.calls(name) {
        found.push(format!(
            "{EXAMPLES}/{} shows {symbol}, but does not call it",
            example.file
        ));
    }
    Some(example)
}

/// The pages, by name, and what is wrong.
pub fn pages() -> (Vec<(String, String)>, Vec<String>) {
    let symbols = read(&root().join("tests/symbols.txt"));
    let symbols: BTreeSet<String> = symbols.lines().map(str::to_owned).collect();
    let headers = headers();
    let functions = functions(&headers, &symbols);
    let examples = examples();
    let mut found = Vec::new();

    let documented: BTreeSet<String> = functions.iter().map(|one| one.symbol.clone()).collect();
    for symbol in symbols.difference(&documented) {
        found.push(format!(
            "{symbol} is exported, but no header has a comment (/** */) on it"
        ));
    }
    for symbol in documented.difference(&symbols) {
        found.push(format!(
            "{symbol} is in a header, but not in tests/symbols.txt"
        ));
    }
    for example in &examples {
        for name in example.shows.difference(&documented) {
            found.push(format!(
                "{EXAMPLES}/{} shows {name}, which there is not",
                example.file
            ));
        }
        if example.shows.is_empty() {
            found.push(format!("{EXAMPLES}/{} shows nothing", example.file));
        }
    }

    // Those with something to see: neither handles nor results.
    let shapes = headers.iter().flat_map(|(_, items)| items);
    let shapes = shapes.filter(|item| {
        item.what == What::Type
            && !item
                .code
                .starts_with(&format!("typedef struct {0} {0}", item.name))
    });
    let shapes: Vec<&str> = shapes
        .map(|item| item.name.as_str())
        .filter(|name| *name != "webSocket_result")
        .collect();

    let mut pages = Vec::new();
    for function in &functions {
        if let Some(example) = example_of(function, &examples, &mut found) {
            let text = page(function, example, &functions, &shapes);
            pages.push((format!("docs/api/{}.md", function.symbol), text));
        }
    }
    pages.push(("docs/api/README.md".to_owned(), index(&functions)));
    pages.push(("docs/api/results.md".to_owned(), results(&headers)));
    pages.push(("docs/api/types.md".to_owned(), types(&headers)));
    (pages, found)
}

/// What a function belongs to: `conn` for `webSocket_conn_feed`; nothing for
/// those of no handle and of the drop-in.
pub fn noun(function: &Function) -> &str {
    let parts: Vec<&str> = function.symbol.split('_').collect();
    match (function.header.as_str(), parts.as_slice()) {
        ("websocket.h", [_, noun, _]) => noun,
        _ => "",
    }
}
