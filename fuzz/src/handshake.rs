//! The opening handshake in any cut: the same outcome, nobody let in who did
//! not ask as RFC 6455 4 demands, bounded memory; and URLs.

use std::sync::Arc;

use wsembed::legacy::{head as tolerant, link};
use wsembed::proto::conn::{Connection, Role};
use wsembed::proto::handshake::{client, key, server};
use wsembed::proto::http;
use wsembed::proto::incoming::Input;
use wsembed::proto::settings::Settings;
use wsembed::proto::url::Url;

use super::drive::{Plan, Trace, URL, play, random};
use super::head;
use super::memory;
use super::seen::{Seen, check_events, frames_of, joined};
use super::source::{Lengths, Source};

/// What the input is, by its first byte.
pub const REQUEST: u8 = 0;
pub const ANSWER: u8 = 1;
pub const ADDRESS: u8 = 2;
pub const OLD: u8 = 3;

pub fn run(input: &[u8]) {
    let mut source = Source::new(input);
    match source.byte() % 4 {
        REQUEST => opening(Role::Server, &mut source),
        ANSWER => opening(Role::Client, &mut source),
        ADDRESS => address(source.rest()),
        _ => old(&mut source),
    }
}

fn opening(role: Role, source: &mut Source<'_>) {
    let settings = Settings {
        header_bytes: source.choice(&[8 << 10, 256, 512, 1 << 20]),
        header_lines: source.choice(&[100, 8, 20, 1000]),
        subprotocols: source
            .choice::<&[&str]>(&[&["chat", "b"], &[], &["b"]])
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        origins: source
            .choice::<&[&str]>(&[&[], &["https://good.example"], &["*"]])
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        headers: vec![("X-Own".to_owned(), "1".to_owned())],
        ..Settings::default()
    };
    let decision = source.byte();
    let cuts = source.lengths();
    let plan = Plan {
        role,
        settings: Arc::new(settings),
        established: false,
        randoms: u32::MAX,
        drains: true,
        echoes: false,
        decision,
        calls: Vec::new(),
        stream: source.rest().to_vec(),
    };
    let whole = played(&plan, Lengths::new(&[]));
    check(&plan, &whole);
    assert_eq!(played(&plan, cuts), whole);
    if plan.stream.len() <= 1000 {
        assert_eq!(played(&plan, Lengths::new(&[1])), whole, "byte by byte");
    }
    check_memory(&plan, cuts);
}

fn played(plan: &Plan, cuts: Lengths<'_>) -> Trace {
    let mut trace = play(plan, cuts).expect("there are random bytes");
    trace.events = joined(&trace.events);
    trace
}

fn check(plan: &Plan, trace: &Trace) {
    check_events(&trace.events, plan.stream.len());
    let opened = trace.events.iter().find_map(|event| match event {
        Seen::Open(subprotocol) => Some(subprotocol.as_str()),
        _ => None,
    });
    let requested = trace.events.iter().find_map(|event| match event {
        Seen::Request(target) => Some(target.as_str()),
        _ => None,
    });
    if let Some(target) = requested {
        assert_eq!(plan.role, Role::Server);
        head::check_request(&plan.stream, target);
    }
    match (plan.role, opened) {
        (Role::Server, Some(_)) => {
            assert!(requested.is_some());
            let head = head::read(&trace.sent).expect("an answer");
            assert!(head.first.starts_with("HTTP/1.1 101 "));
            let asked = head::read(&plan.stream).expect("a request");
            let key = asked.one("sec-websocket-key").expect("a key");
            let accept = head.one("sec-websocket-accept");
            assert_eq!(accept, Some(&key::accept(key)[..]));
            frames_of(Role::Server, &trace.sent[head.size..], false);
        }
        (Role::Server, None) if !trace.sent.is_empty() => {
            let status = head::check_refusal(&trace.sent);
            assert_eq!(
                trace.failure.as_ref().map(|failure| failure.0),
                Some(status)
            );
        }
        (Role::Server, None) => {}
        (Role::Client, opened) => {
            let request = head::read(&trace.sent).expect("a request");
            let key = request.one("sec-websocket-key").expect("a key");
            if let Some(subprotocol) = opened {
                let offered = &plan.settings.subprotocols;
                head::check_answer(&plan.stream, &key::accept(key), offered, subprotocol);
            }
            frames_of(Role::Client, &trace.sent[request.size..], false);
        }
    }
    if let Some((_, answer)) = &trace.failure {
        assert!(answer.len() <= 256);
    }
}

/// A head costs its own bytes and what its lines need while they are judged.
fn check_memory(plan: &Plan, cuts: Lengths<'_>) {
    let mut bytes = plan.stream.clone();
    let settings = Arc::clone(&plan.settings);
    let url = Url::parse(URL).expect("a valid URL");
    let mut lengths = cuts;
    let (most, _connection) = memory::most_held(|| {
        let mut connection = match plan.role {
            Role::Server => Connection::server(settings, random),
            Role::Client => Connection::client(settings, random, &url).expect("random bytes"),
        };
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at_mut(lengths.length().min(rest.len()));
            let mut input = Input::new(piece);
            while connection.next(&mut input).is_ok() {
                while let Ok(length @ 1..) = connection.output().map(<[u8]>::len) {
                    connection.done(length).expect("bytes that were there");
                }
            }
            rest = after;
        }
        connection
    });
    let head = plan.stream.len().min(plan.settings.header_bytes);
    let lines = plan.stream.split(|byte| *byte == b'\n').count();
    let lines = lines.min(plan.settings.header_lines + 1);
    let names = plan.stream.split(|byte| *byte == b',').count().min(128);
    // Two views of each line, one of each name, in vectors that double; the
    // head and its copies; the frames behind it; our request or answer.
    let bound = 4 * head + 2 * 64 * lines + 2 * 16 * names + 3 * plan.stream.len() + 8192;
    assert!(most <= bound, "{most} bytes held, {bound} allowed");
}

/// A URL that is taken makes a request that our own server takes.
fn address(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(url) = Url::parse(text) else { return };
    assert!(text.len() <= 8192 && text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!text.contains('#') && url.port != 0);
    assert!(!url.host.is_empty() && !url.host.contains(['[', ']', '@', '/', '?']));
    assert!(url.target.starts_with('/'));
    let scheme = if url.secure { "wss" } else { "ws" };
    let again = format!("{scheme}://{}{}", url.authority(), url.target);
    assert_eq!(Url::parse(&again).as_ref(), Ok(&url), "{again}");
    let request = client::request(&url, &key::encode([7; 16]), &[], None, &[]);
    let head = head::read(&request).expect("a request that everybody reads alike");
    assert_eq!(head.size, request.len());
    assert_eq!(head.one("host"), Some(url.authority().as_bytes()));
    assert_eq!(head.first, format!("GET {} HTTP/1.1", url.target));
    let parsed = http::parse_request(&request).expect("our own parser reads it");
    assert_eq!(parsed.target, url.target);
    match server::examine(&request, &[]) {
        Ok(examined) => assert_eq!(examined.target, url.target),
        // A server would not know a host from a path.
        Err(_) => assert!(url.target.starts_with("//")),
    }
}

/// The drop-in's tolerant reader finds the end of a head in any cut, and its
/// requests have no line that was not meant.
fn old(source: &mut Source<'_>) {
    let port = source.short();
    let cuts = source.lengths();
    let bytes = source.rest();
    let wanted = (1..=bytes.len()).find(|end| {
        let head = &bytes[..*end];
        head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n")
    });
    let mut known = 0;
    let mut found = None;
    for piece in cuts.pieces(bytes) {
        let seen = known + piece.len();
        found = tolerant::end(&bytes[..seen], known);
        assert_eq!(found, wanted.filter(|end| *end <= seen));
        if found.is_some() {
            break;
        }
        known = seen;
    }
    assert_eq!(found, wanted);
    let head = &bytes[..wanted.unwrap_or(bytes.len())];
    if let Some(status) = tolerant::status(head) {
        assert!(head.starts_with(format!("HTTP/1.1 {status:03}").as_bytes()));
    }
    for value in tolerant::values(head, "Sec-WebSocket-Key") {
        assert!(!value.contains(&b'\n') && value.trim_ascii() == value);
    }
    let _ = tolerant::has_token(head, "Upgrade", "websocket");
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (host, path) = text.split_once(' ').unwrap_or((text, ""));
        if let Some(request) = link::request(host, port, path, b"KEY") {
            assert_eq!(request.split(|byte| *byte == b'\n').count(), 8);
            assert_eq!(tolerant::end(&request, 0), Some(request.len()));
            let key = tolerant::values(&request, "Sec-WebSocket-Key").next();
            assert_eq!(key, Some(&b"KEY"[..]));
        }
    }
}
