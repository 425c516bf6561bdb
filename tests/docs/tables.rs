//! The pages beside those of the functions: index, results, types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::api::{Function, Header, MARK, noun};
use crate::header::{What, joined};

/// A comment's first sentence.
fn sentence(comment: &[Vec<String>]) -> String {
    let text = comment
        .first()
        .map(|lines| joined(lines))
        .unwrap_or_default();
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text[..end].to_owned()
}

pub fn index(functions: &[Function]) -> String {
    let mut groups: Vec<((&str, &str), Vec<&Function>)> = Vec::new();
    for function in functions {
        let key = (function.header.as_str(), noun(function));
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, members)) => members.push(function),
            None => groups.push((key, vec![function])),
        }
    }
    let mut text = format!(
        "{MARK}# Functions\n\nA page per function: its prototype, what the header says of it, and a program that calls it. \
         The programs are in [examples/](examples); `make test` compiles and runs them.\n\n\
         Beside these: [results](results.md), [types and constants](types.md), [options](../options.md).\n"
    );
    for ((header, noun), members) in groups {
        let title = match noun {
            "" if header == "websocket.h" => "The library".to_owned(),
            "" if header.starts_with("ws_") => format!("The drop-in, generation 2: {header}"),
            "" => format!("The drop-in: {header}"),
            noun => format!("webSocket_{noun}"),
        };
        write!(text, "\n## {title}\n\n| function | |\n|---|---|\n").expect("a String takes all");
        for function in members {
            let says = sentence(&function.comment).replace('|', "\\|");
            writeln!(text, "| [`{0}`]({0}.md) | {says} |", function.symbol)
                .expect("a String takes all");
        }
    }
    text
}

/// The constants of a header: name, value, comment.
fn constants<'h>(headers: &'h [Header], header: &str) -> Vec<(&'h str, &'h str, String)> {
    let own = headers.iter().filter(|(name, _)| name == header);
    own.flat_map(|(_, items)| items)
        .filter_map(|item| match &item.what {
            What::Constant(value) => {
                let says: Vec<String> = item.comment.iter().map(|lines| joined(lines)).collect();
                Some((item.name.as_str(), value.as_str(), says.join(" ")))
            }
            _ => None,
        })
        .collect()
}

fn is_result(name: &str, value: &str) -> bool {
    name == "WEBSOCKET_OK" || value.starts_with('-')
}

pub fn results(headers: &[Header]) -> String {
    let mut text = format!(
        "{MARK}# Results\n\nWhat a call returns (`webSocket_result`): `WEBSOCKET_OK` or a negative code. -1 to -99 are flow: nothing is wrong. \
         -1xx: a mistake of the call, which changed nothing. -2xx protocol, -3xx handshake, -4xx transport, -7xx resources, \
         -9xx a defect of the library. Codes are only ever added: treat one that you do not know by its hundred, or ask \
         [`webSocket_result_isFatal`](webSocket_result_isFatal.md).\n\n\
         | code | name | meaning |\n|---|---|---|\n"
    );
    for (name, value, says) in constants(headers, "websocket.h") {
        if is_result(name, value) {
            writeln!(text, "| {value} | `{name}` | {says} |").expect("a String takes all");
        }
    }
    text
}

pub fn types(headers: &[Header]) -> String {
    let mut text = format!(
        "{MARK}# Types and constants\n\nResults have [a page of their own](results.md), and so have [options](../options.md).\n"
    );
    let mut groups: BTreeMap<String, Vec<(&str, &str, String)>> = BTreeMap::new();
    let options: BTreeSet<&str> = wsembed::config::TABLE.iter().map(|row| row.name).collect();
    let all: Vec<_> = constants(headers, "websocket.h")
        .into_iter()
        .filter(|(name, value, _)| !is_result(name, value) && !options.contains(name))
        .collect();
    for (name, value, says) in all.iter().cloned() {
        let part = name.split('_').nth(1).unwrap_or_default();
        let prefix = format!("WEBSOCKET_{part}_");
        let shared = all.iter().filter(|(other, ..)| other.starts_with(&prefix));
        let group = match part {
            "VERSION" => "The header's version".to_owned(),
            "LOG" => "Levels of log".to_owned(),
            "STAGE" => "Stages of a failure".to_owned(),
            "FOREVER" | "NO" => "Numbers that are none".to_owned(),
            _ if shared.count() > 1 => format!("{prefix}..."),
            _ => "Events and their flags".to_owned(),
        };
        groups.entry(group).or_default().push((name, value, says));
    }
    groups.insert("ws_server.h".to_owned(), constants(headers, "ws_server.h"));
    for (header, items) in headers {
        let types = items.iter().filter(|item| item.what == What::Type);
        for item in types {
            write!(text, "\n## {}\n\n", item.name).expect("a String takes all");
            for paragraph in &item.comment {
                write!(text, "{}\n\n", joined(paragraph)).expect("a String takes all");
            }
            write!(text, "Of `{header}`:\n\n```c\n{}\n```\n", item.code)
                .expect("a String takes all");
        }
    }
    for (title, members) in groups {
        write!(
            text,
            "\n## {title}\n\n| constant | value | meaning |\n|---|---|---|\n"
        )
        .expect("a String takes all");
        for (name, value, says) in members {
            writeln!(text, "| `{name}` | {value} | {says} |").expect("a String takes all");
        }
    }
    text
}
