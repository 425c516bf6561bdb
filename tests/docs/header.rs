//! C headers as far as their documentation goes: comments and what they are
//! about.

/// What a comment is about.
#[derive(Debug, PartialEq)]
pub enum What {
    /// A function.
    Function,
    /// `#define NAME VALUE`
    Constant(String),
    /// A typedef, struct or enum.
    Type,
}

/// A documented item of a header.
#[derive(Debug)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: What,
    /// Its text in the header, without the comment.
    pub code: String,
    /// The comment, a paragraph per entry, a line per line.
    pub comment: Vec<Vec<String>>,
}

/// Reads a header: every `/** ... */` that starts a line, and what follows it.
pub fn read(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("/**") {
            continue;
        }
        let mut raw = vec![line.trim_start_matches("/**")];
        while !raw.last().is_some_and(|line| line.ends_with("*/")) {
            raw.push(lines.next().expect("a comment ends"));
        }
        let comment = paragraphs(&raw);
        let mut code: Vec<&str> = Vec::new();
        for line in lines.by_ref() {
            code.push(line);
            let open = code.iter().any(|line| line.ends_with('{'));
            if line.starts_with("#define")
                || (line.ends_with(';') && (!open || line.starts_with('}')))
            {
                break;
            }
        }
        items.push(item(&code, comment));
    }
    for item in &mut items {
        // `struct Tag {`: programs name it by its typedef.
        let tag = item.code.strip_prefix("struct ").unwrap_or_default();
        let tag = tag.split(' ').next().unwrap_or_default();
        let start = format!("typedef struct {tag} ");
        if let Some((_, rest)) = text.split_once(&start).filter(|_| !tag.is_empty()) {
            item.name = rest.split(';').next().unwrap_or_default().to_owned();
        }
    }
    items
}

/// The paragraphs of a comment without its stars.
fn paragraphs(raw: &[&str]) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    for line in raw {
        let line = line.trim_end_matches("*/").trim_end();
        let line = line.trim_start().strip_prefix('*').unwrap_or(line);
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.trim().is_empty() {
            found.push(Vec::new());
        } else if let Some(last) = found.last_mut() {
            last.push(line.to_owned());
        }
    }
    found.retain(|paragraph| !paragraph.is_empty());
    found
}

fn item(code: &[&str], comment: Vec<Vec<String>>) -> Item {
    let text = code.join("\n");
    let first = code.first().copied().unwrap_or_default();
    let word = |text: &str| -> String {
        let end = |c: char| !(c.is_alphanumeric() || c == '_');
        text.trim_end()
            .rsplit(end)
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let (name, what) = if let Some(rest) = first.strip_prefix("#define ") {
        let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
        (name.to_owned(), What::Constant(value.to_owned()))
    } else if first.starts_with("typedef")
        || first.starts_with("struct")
        || first.starts_with("enum")
    {
        // `} name;`, `(*name)(...)`, `type name;`
        let name = match text.split_once("(*") {
            Some((_, rest)) if !text.contains('{') => {
                rest.split(')').next().unwrap_or_default().to_owned()
            }
            _ => word(text.trim_end_matches(';')),
        };
        (name, What::Type)
    } else {
        let before = text.split('(').next().unwrap_or_default();
        (word(before), What::Function)
    };
    Item {
        name,
        what,
        code: text,
        comment,
    }
}

/// The lines of a paragraph as one.
pub fn joined(paragraph: &[String]) -> String {
    paragraph
        .iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn comments_and_their_items_are_found() {
    let items = read(concat!(
        "/** One. */\n#define A 1\n\n/* Not this. */\n#define B 2\n",
        "/**\n * Two,\n * lines.\n *\n *  > 0  kept\n */\nint f(int a,\n      int b);\n",
        "/** T. */\ntypedef struct t {\n  /**\n   * Inner.\n   */\n  int a;\n} t;\n",
        "/** C. */\ntypedef void (*c)(void *user);\n/** P. */\nchar *g(void);\n",
        "typedef struct Tag Named;\n/** S. */\nstruct Tag {\n    int a; /**< A. */\n};\n",
    ));
    let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["A", "f", "t", "c", "g", "Named"]);
    assert_eq!(items[0].what, What::Constant("1".to_owned()));
    assert_eq!(items[1].comment[0], ["Two,", "lines."]);
    assert_eq!(items[1].comment[1], [" > 0  kept"]);
    assert_eq!(joined(&items[1].comment[0]), "Two, lines.");
    assert_eq!(items[2].what, What::Type);
    assert!(items[2].code.ends_with("} t;"));
    assert!(items[5].what == What::Type && items[5].code.ends_with("};"));
}
