//! Prints what was measured as tables, then whether the limits are kept.
//!
//! `table RESULTS [DOCUMENT]`: also puts the tables into the document, between
//! its two marks. Ends with a failure where a limit is missed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use wsembed_benches::results::Group;
use wsembed_benches::{SIZES, label};

const BEGIN: &str = "<!-- tables: written by make bench-parse DOCS=yes -->";
const END: &str = "<!-- end of tables -->";

const GROUPS: [(&str, &str); 8] = [
    ("mask", "Masking in place"),
    ("parse", "Parsing: binary frames, masked"),
    ("text, ASCII", "Parsing: text frames, ASCII"),
    ("text, Chinese", "Parsing: text frames, Chinese"),
    ("assembly", "Assembly: messages in four fragments"),
    ("cut", "Assembly: frames cut across two reads"),
    ("send, server", "Sending, not masked"),
    ("send, client", "Sending, masked"),
];
/// Where every size must be faster than these two.
const RACES: [&str; 5] = ["parse", "text, ASCII", "text, Chinese", "assembly", "cut"];
const RIVALS: [&str; 2] = ["tungstenite", "wslay"];
/// Those that do the same work: wslay's lower half neither judges nor assembles.
const PEERS: [&str; 3] = ["tungstenite", "fastwebsockets", "wslay"];

/// As columns stand in the tables.
const COLUMNS: [&str; 10] = [
    "memcpy",
    "memcpy, unaligned",
    "wsembed, in place",
    "wsembed C, in place",
    "wsembed",
    "wsembed, unaligned",
    "wsembed C",
    "tungstenite",
    "fastwebsockets",
    "wslay",
];

const UNMASK_OF_MEMCPY: f64 = 0.8;
const UNMASK_FROM: usize = 64 << 10;
const SMALL_NS: f64 = 12.0;

fn time(ns: f64) -> String {
    match ns {
        ..100.0 => format!("{ns:.1} ns"),
        ..10_000.0 => format!("{ns:.0} ns"),
        _ => format!("{:.1} us", ns / 1000.0),
    }
}

fn table(name: &str, title: &str, group: &Group) -> String {
    let mut columns: Vec<&str> = COLUMNS.to_vec();
    columns.push("wslay, frames");
    columns.retain(|column| group.contenders.iter().any(|one| one == column));
    let mut text = format!("\n### {title} (`{name}`)\n\n| size |");
    for column in &columns {
        _ = write!(text, " {column} |");
    }
    text += " memcpy / wsembed | best peer / wsembed |\n|---|";
    text += &"---:|".repeat(columns.len() + 2);
    text += "\n";
    for bytes in SIZES {
        let size = label(bytes);
        _ = write!(text, "| {size} |");
        for column in &columns {
            match group.time(column, &size) {
                Some(ns) => _ = write!(text, " {}, {:.1} GB/s |", time(ns), bytes as f64 / ns),
                None => text += " |",
            }
        }
        let ratio = |other: Option<f64>| match (other, group.time("wsembed", &size)) {
            (Some(other), Some(ours)) => format!(" {:.2} |", other / ours),
            _ => " |".to_owned(),
        };
        text += &ratio(group.time("memcpy", &size));
        text += &ratio(group.best_peer(&PEERS, &size));
        text += "\n";
    }
    text
}

fn handshakes(group: &Group) -> String {
    let mut text = "\n### Opening handshakes (`handshake`)\n\n\
        | end | wsembed | tungstenite | tungstenite / wsembed |\n|---|---:|---:|---:|\n"
        .to_owned();
    for end in ["server", "client"] {
        if let (Some(ours), Some(theirs)) =
            (group.time("wsembed", end), group.time("tungstenite", end))
        {
            let (ratio, ours, theirs) = (theirs / ours, time(ours), time(theirs));
            _ = writeln!(text, "| {end} | {ours} | {theirs} | {ratio:.2} |");
        }
    }
    text
}

/// One line per limit; the count of those that are missed.
struct Verdicts {
    missed: u32,
}

impl Verdicts {
    fn line(&mut self, kept: bool, text: &str) {
        self.missed += u32::from(!kept);
        println!("{} {text}", if kept { "ok    " } else { "MISSED" });
    }

    fn masking(&mut self, mask: &Group) {
        for bytes in SIZES.into_iter().filter(|&bytes| bytes >= UNMASK_FROM) {
            let size = label(bytes);
            for kind in ["", ", unaligned"] {
                let copy = mask.time(&format!("memcpy{kind}"), &size);
                let ours = mask.time(&format!("wsembed{kind}"), &size);
                let (Some(copy), Some(ours)) = (copy, ours) else {
                    continue;
                };
                let ratio = copy / ours;
                let text = format!(
                    "unmasking {size}{kind}: {ratio:.2} of memcpy (at least {UNMASK_OF_MEMCPY})"
                );
                self.line(ratio >= UNMASK_OF_MEMCPY, &text);
            }
        }
    }

    fn small(&mut self, parse: &Group) {
        let size = label(16);
        if let Some(ns) = parse.time("wsembed, in place", &size) {
            let text = format!(
                "parse and unmask a frame of {size}: {ns:.1} ns (at most {SMALL_NS}); \
                 through the C functions {:.1} ns",
                parse.time("wsembed C, in place", &size).unwrap_or(f64::NAN)
            );
            self.line(ns <= SMALL_NS, &text);
        }
    }

    fn race(&mut self, name: &str, group: &Group, ours: &str) {
        for size in SIZES.map(label) {
            let own = group.time(ours, &size);
            let other = group.best_peer(&RIVALS, &size);
            if let (Some(own), Some(other)) = (own, other) {
                let text = format!(
                    "{name}, {size}: {ours} {}, the faster of tungstenite and wslay {} ({:.2})",
                    time(own),
                    time(other),
                    other / own
                );
                self.line(own < other, &text);
            }
        }
    }
}

fn document(path: &Path, tables: &str) -> Result<(), String> {
    let wrong = |what: &str| format!("{}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let marks = text
        .split_once(BEGIN)
        .and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = marks.ok_or_else(|| wrong("its two marks are not there"))?;
    let text = format!("{head}{BEGIN}\n{}\n{END}{tail}", tables.trim_end());
    std::fs::write(path, text).map_err(|error| wrong(&error.to_string()))
}

fn run() -> Result<u32, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (results, target) = match arguments.as_slice() {
        [results] => (results, None),
        [results, target] => (results, Some(target)),
        _ => return Err("usage: table RESULTS [DOCUMENT]".to_owned()),
    };
    let results = Path::new(results);
    let mut tables = String::new();
    let mut groups = Vec::new();
    for (name, title) in GROUPS {
        let group = Group::read(results, name)?;
        tables += &table(name, title, &group);
        groups.push((name, group));
    }
    tables += &handshakes(&Group::read(results, "handshake")?);
    println!("{tables}");
    if let Some(target) = target {
        document(Path::new(target), &tables)?;
    }
    let mut verdicts = Verdicts { missed: 0 };
    for (name, group) in &groups {
        match *name {
            "mask" => verdicts.masking(group),
            "parse" => verdicts.small(group),
            _ => {}
        }
    }
    for (name, group) in groups.iter().filter(|(name, _)| RACES.contains(name)) {
        verdicts.race(name, group, "wsembed");
        verdicts.race(name, group, "wsembed C");
    }
    Ok(verdicts.missed)
}

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(missed) => {
            println!("{missed} limits are missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("table: {error}");
            ExitCode::from(2)
        }
    }
}
