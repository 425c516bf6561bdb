//! A function's page.

use std::fmt::Write;

use crate::api::{Example, Function, MARK, noun};
use crate::header::joined;

/// Where a paragraph begins to tell what is returned.
fn results_start(text: &str) -> Option<usize> {
    let starts = ["Results: ", "Result: ", "Returns "];
    starts.iter().filter_map(|start| text.find(start)).min()
}

/// A comment as Markdown: its text, then results, then the caller's promises.
fn prose(comment: &[Vec<String>]) -> String {
    let (mut text, mut results, mut promises) = (String::new(), String::new(), String::new());
    let (mut returns, mut fenced) = (false, false);
    for paragraph in comment {
        if let Some((_, rest)) = paragraph
            .split_first()
            .filter(|(first, _)| first.as_str() == "# Safety")
        {
            write!(
                promises,
                "\n## What the caller promises\n\n{}\n",
                joined(rest)
            )
            .expect("a String takes all");
            continue;
        }
        let fences = paragraph.iter().filter(|line| line.starts_with("```"));
        let inside = fenced;
        fenced ^= fences.count() % 2 == 1;
        if inside || paragraph.iter().any(|line| line.starts_with("```")) {
            // Code in a comment is a block already.
            write!(text, "\n{}\n", paragraph.join("\n")).expect("a String takes all");
            continue;
        }
        let mut lines = paragraph.as_slice();
        let listed = lines.iter().any(|line| line.starts_with(' '));
        if listed {
            // A list in columns stays as it is; a heading word becomes ours.
            if let Some((_, rest)) = lines
                .split_first()
                .filter(|(first, _)| first.as_str() == "Returns")
            {
                (lines, returns) = (rest, true);
            }
            let target = if returns { &mut results } else { &mut text };
            write!(target, "\n```text\n{}\n```\n", lines.join("\n")).expect("a String takes all");
            continue;
        }
        let whole = joined(lines);
        let at = if returns {
            Some(0)
        } else {
            results_start(&whole)
        };
        returns |= at.is_some();
        let (before, after) = whole.split_at(at.unwrap_or(whole.len()));
        // The heading says it.
        let after = after
            .trim_start_matches("Results: ")
            .trim_start_matches("Result: ");
        for (target, part) in [(&mut text, before), (&mut results, after)] {
            if !part.trim().is_empty() {
                write!(target, "\n{}\n", part.trim()).expect("a String takes all");
            }
        }
    }
    if !results.is_empty() {
        write!(text, "\n## Results\n{results}").expect("a String takes all");
    }
    text + &promises
}

/// Types and results that a page names lead to their own page.
fn see(function: &Function, functions: &[Function], types: &[&str]) -> String {
    let same = |other: &&Function| {
        other.symbol != function.symbol
            && other.header == function.header
            && noun(other) == noun(function)
    };
    let mut others: Vec<&str> = functions
        .iter()
        .filter(same)
        .map(|other| other.symbol.as_str())
        .collect();
    // The drop-in's functions are best found by the index.
    if function.header != "websocket.h" {
        others.clear();
    }
    let mut links: Vec<String> = others
        .iter()
        .map(|name| format!("[`{name}`]({name}.md)"))
        .collect();
    if function.prototype.contains("webSocket_result ") {
        links.push("[all results](results.md)".to_owned());
    }
    for name in types {
        let mut words = function
            .prototype
            .split(|c: char| !(c.is_alphanumeric() || c == '_'));
        if words.any(|word| word == *name) {
            links.push(format!("[`{name}`](types.md#{})", name.to_lowercase()));
        }
    }
    if function.symbol.starts_with("webSocket_config_set")
        || function.symbol.starts_with("webSocket_config_add")
    {
        links.push("[all options](../options.md)".to_owned());
    }
    if function.header != "websocket.h" {
        let chapter = if function.header.starts_with("ws_") {
            "#generation-2"
        } else {
            ""
        };
        links.push(format!("[the drop-in](../dropin.md{chapter})"));
    }
    links.push("[all functions](README.md)".to_owned());
    links.join(", ")
}

pub fn page(
    function: &Function,
    example: &Example,
    functions: &[Function],
    types: &[&str],
) -> String {
    let Function {
        symbol,
        header,
        prototype,
        ..
    } = function;
    let mapped = match &function.alias {
        Some(alias) => format!("\nThe header maps `{alias}` to this name.\n"),
        None => String::new(),
    };
    // The drop-in's headers are included by their bare names.
    let include = if header == "websocket.h" {
        "<wsembed/websocket.h>".to_owned()
    } else {
        format!("\"{header}\"")
    };
    let helper = if example.text.contains("#include \"client.h\"") {
        "; [client.h](examples/client.h) has its client's two functions"
    } else if example.text.contains("#include \"pair.h\"") {
        "; [pair.h](examples/pair.h) moves the bytes between the two ends"
    } else {
        ""
    };
    format!(
        "{MARK}# {symbol}\n{mapped}\n\
         ```c\n#include {include}\n\n{prototype}\n```\n{}\n\
         ## Example\n\n[examples/{file}](examples/{file}){helper}:\n\n```c\n{}```\n\n\
         ## See also\n\n{}\n",
        prose(&function.comment),
        example.text,
        see(function, functions, types),
        file = example.file,
    )
}
