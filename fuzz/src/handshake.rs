//! The opening handshake in any cut: the same outcome, nobody let in who did
//! not ask as RFC 6455 4 demands, bounded memory; and URLs.

use std::sync::Arc;

use wsembed::legacy::{head as tolerant, link};
use wsembed::proto::conn::{Answer, Connection, Role};
use wsembed::proto::handshake::{client, key, server};
use wsembed::proto::http;
use wsembed::proto::incoming::Input;
use wsembed::proto::page::Page;
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
    if role == Role::Server {
        plain(&plan, cuts, &whole);
    }
}

/// Where there are pages: the path that is asked for, if any, and what is
/// sent, which is `answer` then.
fn asked(plan: &Plan, cuts: Lengths<'_>, answer: &Answer) -> (Option<String>, Vec<u8>) {
    let mut connection = Connection::server_of_pages(Arc::clone(&plan.settings), random);
    let (mut path, mut sent) = (None, Vec::new());
    for piece in cuts.pieces(&plan.stream) {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        while connection.next(&mut input).is_ok() {}
        if let Some(asked) = connection.asked().map(str::to_owned) {
            assert!(path.replace(asked).is_none(), "asked twice");
            assert_eq!(connection.answer(answer.clone()), Ok(()));
        }
        while let Ok(bytes @ [_, ..]) = connection.output() {
            sent.extend_from_slice(bytes);
            let length = bytes.len();
            connection.done(length).expect("bytes that were there");
        }
    }
    (path, sent)
}

/// Only a plain request asks for a page, in any cut, and gets one answer; where
/// there are none, it gets what it gets without any of this.
fn plain(plan: &Plan, cuts: Lengths<'_>, without: &Trace) {
    let body = b"a page";
    let page = Page::new("text/plain", body).expect("a content type");
    let answer = Answer::Page(Arc::new(page));
    let (path, sent) = asked(plan, Lengths::new(&[]), &answer);
    assert_eq!(asked(plan, cuts, &answer), (path.clone(), sent.clone()));
    let Some(path) = path else { return };
    let head = head::read(&plan.stream).expect("a head that everybody reads alike");
    let words: Vec<&str> = head.first.split(' ').collect();
    let [method, target, version] = words[..] else {
        panic!("{:?} asked for a page", head.first);
    };
    assert!(version == "HTTP/1.0" || !head.lists("upgrade", "websocket"));
    if matches!(method, "GET" | "HEAD") {
        assert!(path.starts_with('/') && !path.contains(['?', '#']));
        assert!(
            target
                .split('?')
                .next()
                .is_some_and(|target| target.ends_with(&path))
        );
        assert!(version == "HTTP/1.0" || head.one("host").is_some());
        assert!(head.values("transfer-encoding").is_empty(), "a body");
        let whole = head::read(&sent).expect("an answer that everybody reads alike");
        assert_eq!(whole.first, "HTTP/1.1 200 OK");
        assert_eq!(whole.one("content-length"), Some(&b"6"[..]));
        let sent = &sent[whole.size..];
        assert_eq!(sent, if method == "GET" { &body[..] } else { b"" });
    } else {
        assert_eq!(path, "");
        assert_eq!(head::check_refusal(&plan.stream, &sent), 405);
    }
    assert_eq!(asked(plan, cuts, &Answer::NoPages).1, without.sent);
    let missing = asked(plan, cuts, &Answer::Missing).1;
    assert!(matches!(
        head::check_refusal(&plan.stream, &missing),
        404 | 405
    ));
}

fn played(plan: &Plan, cuts: Lengths<'_>) -> Trace {
    let mut trace = play(plan, cuts).expect("there are random bytes");
    trace.events = joined(&trace.events);
    trace
}

fn check(plan: &Plan, trace: &Trace) {
    check_events(&trace.events, plan.stream.len(), plan.settings.lenient);
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
            frames_of(Role::Server, &trace.sent[head.size..], false, false);
        }
        (Role::Server, None) if !trace.sent.is_empty() => {
            let status = head::check_refusal(&plan.stream, &trace.sent);
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
            frames_of(Role::Client, &trace.sent[request.size..], false, false);
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

/// A lenient server makes the same of a request in any cut, and lets in who
/// asks for an upgrade and has a key.
fn lenient(bytes: &[u8], cuts: Lengths<'_>) {
    let settings = Settings {
        lenient: true,
        header_bytes: 300,
        ..Settings::default()
    };
    let plan = Plan {
        role: Role::Server,
        settings: Arc::new(settings),
        established: false,
        randoms: u32::MAX,
        drains: true,
        echoes: false,
        decision: 0,
        calls: Vec::new(),
        stream: bytes.to_vec(),
    };
    let whole = played(&plan, Lengths::new(&[]));
    assert_eq!(played(&plan, cuts), whole);
    if bytes.len() <= 1000 {
        assert_eq!(played(&plan, Lengths::new(&[1])), whole, "byte by byte");
    }
    check_memory(&plan, cuts);
    check_events(&whole.events, bytes.len(), true);
    let is_open = |event: &Seen| matches!(event, Seen::Open(_));
    if !whole.events.iter().any(is_open) {
        return;
    }
    let start = bytes.iter().position(|byte| !b"\r\n".contains(byte));
    let request = &bytes[start.expect("more than empty lines")..];
    assert!(request.starts_with(b"GET "));
    let end = tolerant::end(request, 0).expect("a whole head");
    assert!(start.unwrap_or(0) + end <= 300);
    let request = &request[..end];
    assert!(tolerant::has_token(request, "Upgrade", "websocket"));
    let key = tolerant::values(request, "Sec-WebSocket-Key").next();
    let answer = head::read(&whole.sent).expect("an answer that everybody reads alike");
    assert!(answer.first.starts_with("HTTP/1.1 101 "));
    let accept = key::accept(key.expect("a key"));
    assert_eq!(answer.one("sec-websocket-accept"), Some(&accept[..]));
    frames_of(Role::Server, &whole.sent[answer.size..], false, true);
}

/// The drop-in's tolerant reader finds the end of a head in any cut, and its
/// requests have no line that was not meant.
fn old(source: &mut Source<'_>) {
    let port = source.short();
    let cuts = source.lengths();
    let bytes = source.rest();
    lenient(bytes, cuts);
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
