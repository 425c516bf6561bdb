//! The seeds of the corpora: RFC 6455's examples, bytes seen on a real wire,
//! edge lengths, and each class of what a conformance test sends.
//! tests/fuzz_corpus.rs holds the files against this list, and writes them.

mod cases;
mod heads;

use cases::{CASES, CLIENT_WIRE, HEADERS, SERVER_WIRE, TEXTS};

use super::source::{FILLED, FRAME, LARGE, LONG, PLAIN};
use super::{conn_vs_whole, legacy_fd};

/// A file of a corpus.
#[derive(Debug)]
pub struct Seed {
    pub target: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// All of them.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    frame(&mut seeds);
    conn_vs_whole(&mut seeds);
    legacy_fd(&mut seeds);
    heads::handshake(&mut seeds);
    seeds
}

fn add(seeds: &mut Vec<Seed>, target: &'static str, name: &str, bytes: Vec<u8>) {
    let name = format!("seed-{name}");
    let is_twin = |seed: &Seed| seed.target == target && seed.name == name;
    assert!(!seeds.iter().any(is_twin), "{target}/{name} twice");
    seeds.push(Seed {
        target,
        name,
        bytes,
    });
}

fn frame(seeds: &mut Vec<Seed>) {
    for (at, bytes) in HEADERS.iter().enumerate() {
        add(seeds, "frame", &format!("header-{at:02}"), bytes.to_vec());
    }
    for (at, bytes) in TEXTS.iter().enumerate() {
        add(seeds, "frame", &format!("text-{at:02}"), bytes.to_vec());
    }
}

/// Pieces of a stream, as [`super::source::stream`] reads them.
fn stream(frames: &[(u8, u8, &[u8], u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (first, style, payload, filled) in frames {
        if *filled > 0 {
            let double = u8::from(*filled > 0xFFFF);
            let large = if *filled < 300 { 0 } else { LARGE };
            out.extend([FILLED | large | double, *first, *style]);
            out.extend(((filled >> double) as u16).to_be_bytes());
        } else {
            out.extend([FRAME | payload.len() as u8, *first, *style]);
            out.extend_from_slice(payload);
        }
    }
    out
}

/// Bytes as they are, in pieces of the stream.
fn raw(bytes: &[u8]) -> Vec<u8> {
    let piece = |bytes: &[u8]| [&[bytes.len() as u8 - 1], bytes].concat();
    bytes.chunks(128).flat_map(piece).collect()
}

/// Settings of [`conn_vs_whole`]: flags, then an index for each setting.
fn settings(flags: u8, chunks: u8) -> Vec<u8> {
    vec![flags, chunks, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

fn conn_vs_whole(seeds: &mut Vec<Seed>) {
    const TARGET: &str = "conn_vs_whole";
    use conn_vs_whole::{ACCEPT_UNMASKED, CLIENT, ECHO, HANDSHAKE, KEEP_OUTPUT, LENIENT};
    for (name, frames) in CASES {
        let stream = stream(frames);
        let server = [settings(ECHO, 0), vec![0, 2, 1, 3], stream.clone()].concat();
        add(seeds, TARGET, &format!("server-{name}"), server);
        let client = [settings(CLIENT, 3), vec![0, 1, 7], stream].concat();
        add(seeds, TARGET, &format!("client-{name}"), client);
    }
    for (at, (server, client)) in SERVER_WIRE.iter().zip(CLIENT_WIRE).enumerate() {
        let to_client = [settings(CLIENT, 0), vec![0, 1, 4], raw(server)].concat();
        add(seeds, TARGET, &format!("wire-client-{at}"), to_client);
        let to_server = [settings(ACCEPT_UNMASKED, 0), vec![0, 0], raw(client)].concat();
        add(seeds, TARGET, &format!("wire-server-{at}"), to_server);
    }
    let hello = stream(&[
        (0x81, 4, b"hello", 0),
        (0x89, 4, b"p", 0),
        (0x82, 4, b"x", 0),
    ]);
    for call in 0..14 {
        for (kind, argument) in [("a", 0x11), ("b", 0xC8)] {
            let calls = [3, 2, call, argument, 3, call, argument ^ 0x21, 9, call, 7];
            let keep = if call % 2 == 0 { KEEP_OUTPUT } else { 0 };
            let mut start = settings(keep, 0);
            // Deadlines and a short queue, so that the calls meet them.
            start[5..10].copy_from_slice(&[3 + call % 3, 2, 2, 1, 2]);
            let bytes = [start, calls.to_vec(), vec![1, 2], hello.clone()].concat();
            add(seeds, TARGET, &format!("call-{call:02}-{kind}"), bytes);
        }
    }
    for limit in 1..5_u8 {
        let mut start = settings(0, limit);
        start[2..6].fill(limit);
        let frames = stream(&[
            (1, 4, b"ab", 0),
            (0, 4, b"cdefghij", 0),
            (0x80, 4, b"", 126),
        ]);
        let bytes = [start, vec![0, 1, 1], frames].concat();
        add(seeds, TARGET, &format!("limit-{limit}"), bytes);
        let mut start = settings(CLIENT, 0);
        start[10] = limit;
        let bytes = [start, vec![0, 1, 2], hello.clone()].concat();
        add(seeds, TARGET, &format!("random-{limit}"), bytes);
    }
    // The limit of fragments counts anew in each message.
    let mut start = settings(0, 0);
    start[4] = 3;
    let two = [(1, 4, &b"a"[..], 0), (0x80, 4, b"b", 0)].repeat(2);
    let bytes = [start, vec![0, 1, 3], stream(&two)].concat();
    add(seeds, TARGET, "limit-two-messages", bytes);
    for decision in 0..8 {
        let mut start = settings(HANDSHAKE, 0);
        start[11] = decision;
        let frame = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        let bytes = [start, vec![0, 1, 9], raw(heads::REQUEST), raw(frame)].concat();
        add(seeds, TARGET, &format!("request-{decision}"), bytes);
    }
    let answer = [heads::answer(), b"\x81\x05Hello".to_vec()].concat();
    let bytes = [settings(HANDSHAKE | CLIENT, 0), vec![0, 1, 9], raw(&answer)].concat();
    add(seeds, TARGET, "answer", bytes);
    // What only a lenient connection takes.
    let loose = stream(&[
        (0x80, PLAIN, b"stray", 0),
        (0x00, LONG | 4, b"not last", 0),
        (0x81, PLAIN | LONG, b"\xC4\xE3\xBA\xC3", 0),
        (0x01, 4, b"\xE2\x82", 0),
        (0x89, PLAIN, b"p", 0),
        (0x80, PLAIN, b"", 300),
        (0x80, 4, b"", 0),
        (0x02, 4, b"file", 0),
        (0x81, PLAIN, b"beat", 0),
        (0x00, 4, b"", 200),
        (0x82, 4, b"", 300),
        (0x01, PLAIN, b"next", 0),
        (0x80, 4, b"end", 0),
    ]);
    let old = b"GET /a HTTP/1.0\nUpgrade: websocket\nSec-WebSocket-Key: k\n\n";
    for (name, flags) in [("echo", ECHO), ("client", CLIENT), ("server", 0)] {
        let start = settings(LENIENT | flags, 0);
        let bytes = [start, vec![0, 2, 1, 3], loose.clone()].concat();
        add(seeds, TARGET, &format!("lenient-{name}"), bytes);
    }
    let bytes = [
        settings(LENIENT | HANDSHAKE, 0),
        vec![0, 1, 9],
        raw(old),
        loose,
    ]
    .concat();
    add(seeds, TARGET, "lenient-request", bytes);
}

fn legacy_fd(seeds: &mut Vec<Seed>) {
    const TARGET: &str = "legacy_fd";
    use legacy_fd::{ACCEPT, CLIENT, KEEP_LITTLE, LAZY, NO_END, SENDS, UNTYPED};
    let flags = [0, UNTYPED, KEEP_LITTLE, NO_END, SENDS, LAZY, SENDS | LAZY];
    for (at, (name, frames)) in CASES.iter().enumerate() {
        let start = [flags[at % flags.len()], 3, 130, 4, 0, 2, 1, 5];
        let bytes = [&start[..], &stream(frames)].concat();
        add(seeds, TARGET, name, bytes);
    }
    for (at, (server, client)) in SERVER_WIRE.iter().zip(CLIENT_WIRE).enumerate() {
        let bytes = [vec![CLIENT, 1, 64, 1, 6], raw(server)].concat();
        add(seeds, TARGET, &format!("wire-client-{at}"), bytes);
        let bytes = [vec![0, 1, 64, 2, 9, 1], raw(client)].concat();
        add(seeds, TARGET, &format!("wire-server-{at}"), bytes);
    }
    let frames = stream(&[
        (0x81, PLAIN, b"unmasked", 0),
        (0x82, LONG | 4, b"long form", 0),
    ]);
    let request = [
        vec![ACCEPT, 2, 255, 0, 2, 40, 1],
        raw(heads::REQUEST),
        frames,
    ]
    .concat();
    add(seeds, TARGET, "request", request);
    // A server that masks: the client's answers are masked all the same.
    let masked = stream(&[(0x89, 4, b"p", 0), (0x88, 4, b"\x03\xE8", 0)]);
    let masked = [vec![CLIENT, 0, 1, 5], masked].concat();
    add(seeds, TARGET, "client-masked-ping", masked);
    let noise = [vec![0, 2, 3, 60, 1, 2], raw(b"noise\r\n\r\n\x81\x02ok")].concat();
    add(seeds, TARGET, "noise", noise);
    let violation = [vec![CLIENT, 0, 1, 3], raw(b"\x81\x02ok\xF1\x00more")].concat();
    add(seeds, TARGET, "violation", violation);
    let top_bit = b"\x82\x00\x82\x7F\x80\0\0\0\0\0\0\x01x";
    let bytes = [vec![0, 0, 1, 2], raw(top_bit)].concat();
    add(seeds, TARGET, "top-bit", bytes);
}
