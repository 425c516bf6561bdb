//! docs/options.md: the option table, and what the constants' comments say.

use std::fmt::Write;

use wsembed::config::{Applies, Options, Row, TABLE, Value};

use crate::header::{self, joined};
use crate::{read, root};

/// A constant's comment: what it does, and the default that it names.
fn comment(row: &Row) -> (String, Option<String>) {
    let items = header::read(&read(&root().join("include/wsembed/websocket.h")));
    let item = items
        .iter()
        .find(|item| item.name == row.name)
        .unwrap_or_else(|| panic!("websocket.h has no {}", row.name));
    let text = item.comment.iter().map(|lines| joined(lines));
    let text = text.collect::<Vec<_>>().join(" ");
    match text.split_once("Default") {
        None => (text, None),
        Some((does, default)) => {
            let default = default.trim_start_matches([':', ' ']);
            let default = default.trim_end_matches('.');
            (does.trim_end().to_owned(), Some(default.to_owned()))
        }
    }
}

/// A number as people write it.
fn number(value: u64, unit: &str) -> String {
    match value {
        u64::MAX => "no limit".to_owned(),
        value if value == u64::MAX >> 1 => "2^63 - 1".to_owned(),
        value if unit == "bytes" && value >= 1 << 20 && value % (1 << 20) == 0 => {
            format!("{value} ({} MiB)", value >> 20)
        }
        value if unit == "bytes" && value >= 1 << 10 && value % (1 << 10) == 0 => {
            format!("{value} ({} KiB)", value >> 10)
        }
        value => value.to_string(),
    }
}

fn range(row: &Row, min: u64, max: u64) -> String {
    match max {
        u64::MAX => format!("{min} and more"),
        // A length in memory; the page says what that is on 32-bit machines.
        max if max == usize::MAX as u64 >> 1 => format!("{min} to {}", number(u64::MAX >> 1, "")),
        max if row.unit == "ms" => format!("{min} to {max} (100 years)"),
        max => format!("{min} to {}", number(max, row.unit)),
    }
}

const HEAD: &str = "\
<!-- Made from src/config/ids.rs and table.rs by `make header`; do not edit. -->
# Options

A `webSocket_config` holds options for the handles that are made from it. Set them, make the handle, free the config: the handle
has a copy, and later changes do not touch it.

```c
webSocket_config *config;
webSocket_conn *conn;
if (webSocket_config_new(&config) == WEBSOCKET_OK) {
    webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, 64 * 1024);
    webSocket_config_addText(config, WEBSOCKET_SUBPROTOCOL, \"telemetry.v1\");
    webSocket_conn_newServer(config, &conn);
    webSocket_config_free(config);
}
```

Each call says at once what it thinks of its argument, and changes nothing if it refuses: `WEBSOCKET_E_OPTION` (no such option, or
of the other type), `WEBSOCKET_E_RANGE`, `WEBSOCKET_E_HEADER`. An option that does not apply to a handle is refused when the handle is
made (`WEBSOCKET_E_OPTION`). A `NULL` config means all defaults, which are safe against a hostile peer.

The drop-in has no config; its one setting is [`webSocket_setKeepMax`](api/webSocket_setKeepMax.md).
";

/// docs/options.md.
pub fn page() -> String {
    let defaults = Options::default();
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n## Numbers\n\nSet by [`webSocket_config_setNumber`](api/webSocket_config_setNumber.md).\n\n\
         | id | option | unit | default | range | for | what it does |\n|---|---|---|---|---|---|---|\n",
    );
    for row in TABLE {
        if let Value::Number { min, max, get, .. } = row.value {
            let default = match (comment(row).1.as_deref(), get(&defaults)) {
                (Some("never"), _) => "never".to_owned(),
                (_, value) => number(value, row.unit),
            };
            line(&mut page, row, &[row.unit, &default, &range(row, min, max)]);
        }
    }
    page.push_str("\nOn 32-bit machines a length in memory (`WEBSOCKET_SEND_QUEUE_BYTES`) ends at 2^31 - 1.\n");
    page.push_str(
        "\n## Lists of texts\n\nEmpty by default. [`webSocket_config_setText`](api/webSocket_config_setText.md) makes a text the only one, \
         [`webSocket_config_addText`](api/webSocket_config_addText.md) adds one. A text is UTF-8, at most 64 KiB.\n\n\
         | id | option | for | what it does |\n|---|---|---|---|\n",
    );
    for row in TABLE {
        if let Value::List { .. } = row.value {
            line(&mut page, row, &[]);
        }
    }
    page
}

fn line(page: &mut String, row: &Row, cells: &[&str]) {
    let applies = match row.applies {
        Applies::Both => "both ends",
        Applies::Server => "servers",
        Applies::Serving => "`webSocket_server`",
    };
    let cells: String = cells.iter().map(|cell| format!("{cell} | ")).collect();
    let does = comment(row).0.replace('|', "\\|");
    let does = does.trim_end_matches(" A list.");
    writeln!(
        page,
        "| {} | `{}` | {cells}{applies} | {does} |",
        row.id, row.name
    )
    .expect("a String takes all");
}

/// Where a comment names another default than the table has.
pub fn wrong_defaults() -> Vec<String> {
    let defaults = Options::default();
    let wrong = |row: &Row| {
        let Value::Number { get, .. } = row.value else {
            return None;
        };
        let said = comment(row).1.unwrap_or_default();
        let value = match said.split_once(' ') {
            Some((number, "MiB")) => number.parse::<u64>().map(|number| number << 20),
            Some((number, "KiB")) => number.parse::<u64>().map(|number| number << 10),
            _ if said == "never" => Ok(u64::MAX),
            _ => said.parse(),
        };
        let is = get(&defaults);
        (value != Ok(is)).then(|| {
            format!(
                "src/config/ids.rs: the comment of {} says \"Default {said}\"; it is {is}",
                row.name
            )
        })
    };
    TABLE.iter().filter_map(wrong).collect()
}
