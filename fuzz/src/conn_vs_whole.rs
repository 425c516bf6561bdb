//! A connection that gets its stream in pieces does and says what one does
//! that gets it whole; and both do what RFC 6455 says.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Role};
use wsembed::proto::incoming::Input;
use wsembed::proto::settings::Settings;

use super::drive::{Plan, Trace, play, random};
use super::memory;
use super::reference::{self, Told};
use super::seen::{Seen, Sent, check_events, frames_of, joined};
use super::source::{Lengths, Masking, Source, stream};

/// The longest stream that is also fed byte by byte.
const BYTEWISE: usize = 600;
/// About the longest stream: room for a length of 64 bits.
const MOST: usize = 68 * 1024;

/// Flags in the input's first byte.
pub const CLIENT: u8 = 0x01;
pub const HANDSHAKE: u8 = 0x02;
pub const ACCEPT_UNMASKED: u8 = 0x04;
pub const KEEP_OUTPUT: u8 = 0x08;
pub const ECHO: u8 = 0x10;
pub const LENIENT: u8 = 0x20;

pub fn run(input: &[u8]) {
    let mut source = Source::new(input);
    let (plan, cuts) = plan(&mut source);
    let Some(whole) = play(&plan, Lengths::new(&[])) else {
        return;
    };
    check(&plan, &whole);
    compare(&plan, &whole, cuts);
    if plan.stream.len() <= BYTEWISE {
        compare(&plan, &whole, Lengths::new(&[1]));
    }
    if plan.established && plan.calls.is_empty() && !plan.echoes && plan.randoms == u32::MAX {
        compare_with_reference(&plan, &whole);
        check_memory(&plan, cuts);
    }
}

/// What the input asks for: nine bytes of settings, calls, cuts, the stream.
pub fn plan<'d>(source: &mut Source<'d>) -> (Plan, Lengths<'d>) {
    let flags = source.byte();
    let role = if flags & CLIENT != 0 {
        Role::Client
    } else {
        Role::Server
    };
    let settings = settings(source, flags);
    let randoms = match source.byte() {
        0 => u32::MAX,
        limit => u32::from(limit) - 1,
    };
    let decision = source.byte();
    let count = usize::from(source.byte() % 32);
    let calls = (0..count.min(source.len() / 3))
        .map(|_| [source.byte(), source.byte(), source.byte()])
        .collect();
    let cuts = source.lengths();
    let masking = match role {
        _ if settings.lenient => Masking::Free,
        Role::Client => Masking::Never,
        Role::Server if settings.accept_unmasked => Masking::Free,
        Role::Server => Masking::Always,
    };
    let stream = stream(source, masking, MOST);
    let plan = Plan {
        role,
        settings: Arc::new(settings),
        established: flags & HANDSHAKE == 0,
        randoms,
        drains: flags & KEEP_OUTPUT == 0,
        echoes: flags & ECHO != 0,
        decision,
        calls,
        stream,
    };
    (plan, cuts)
}

fn settings(source: &mut Source<'_>, flags: u8) -> Settings {
    let defaults = Settings::default();
    let lenient = flags & LENIENT != 0;
    let chunk_above = source.choice(&[u64::MAX, 0, 1, 10, 125, 1000, 65_536]);
    let sizes = [16 << 20, 1, 10, 125, 126, 1000, 65_535, 65_536];
    Settings {
        // Chunks of a message may have another between them; tests/proto has
        // that.
        chunk_above: if lenient { u64::MAX } else { chunk_above },
        max_message: source.choice(&sizes),
        max_frame: source.choice(&sizes),
        max_fragments: source.choice(&[1 << 20, 1, 2, 3, 10]),
        send_queue: source.choice(&[32 << 20, 1, 10, 130, 1000, 70_000]),
        ping_interval: source.choice(&[0, 1, 50, 1000]),
        pong_timeout: source.choice(&[0, 1, 60, 2000]),
        idle_timeout: source.choice(&[0, 30, 900]),
        close_timeout: source.choice(&[0, 1, 70]),
        handshake_timeout: 80,
        accept_unmasked: flags & ACCEPT_UNMASKED != 0,
        lenient,
        subprotocols: vec!["chat".to_owned(), "b".to_owned()],
        ..defaults
    }
}

/// What always holds.
fn check(plan: &Plan, trace: &Trace) {
    check_events(&trace.events, plan.stream.len(), plan.settings.lenient);
    let Some(frames) = sent_frames(plan, trace) else {
        return;
    };
    let is_data = |frame: &&Sent| frame.first & 0x08 == 0;
    let own_data = trace.accepted.iter().filter(is_data);
    let mut data = frames.iter().filter(is_data);
    for (at, wanted) in own_data.enumerate() {
        match data.next() {
            Some(found) => assert_eq!(found, wanted, "message frame {at}"),
            None => {
                assert!(trace.gave_up, "message frame {at} was never sent");
                break;
            }
        }
    }
    assert_eq!(data.next(), None, "a message frame that nobody asked for");
    check_pongs(trace, &frames);
    check_close(trace, &frames);
}

/// The frames in our output, behind the handshake; `None` where there were
/// none, as the handshake failed.
fn sent_frames(plan: &Plan, trace: &Trace) -> Option<Vec<Sent>> {
    let mut sent = &trace.sent[..];
    if !plan.established {
        let opened = trace
            .events
            .iter()
            .any(|event| matches!(event, Seen::Open(_)));
        let end = sent.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else {
            assert!(!opened || trace.gave_up, "open without a word");
            return None;
        };
        let first_line: &[u8] = match plan.role {
            Role::Server => b"HTTP/1.1 ",
            Role::Client => b"GET /chat?room=1 HTTP/1.1\r\n",
        };
        assert!(sent.starts_with(first_line));
        if plan.role == Role::Server && !sent.starts_with(b"HTTP/1.1 101 ") {
            assert!(!opened);
            return None;
        }
        sent = &sent[end + 4..];
    }
    Some(frames_of(
        plan.role,
        sent,
        trace.gave_up,
        plan.settings.lenient,
    ))
}

/// Each pong answers a ping that came, or is one that the program sent.
fn check_pongs(trace: &Trace, frames: &[Sent]) {
    let pings = trace.events.iter().filter_map(|event| match event {
        Seen::Ping(payload) => Some(payload),
        _ => None,
    });
    let own = trace.accepted.iter().filter(|frame| frame.first == 0x8A);
    let mut due: Vec<&Vec<u8>> = pings.chain(own.map(|frame| &frame.payload)).collect();
    for pong in frames.iter().filter(|frame| frame.first == 0x8A) {
        let at = due.iter().position(|payload| **payload == pong.payload);
        due.swap_remove(at.expect("a pong for no ping"));
    }
}

/// The close frame that went out fits the end that was told.
fn check_close(trace: &Trace, frames: &[Sent]) {
    let close = frames.iter().find(|frame| frame.first == 0x88);
    let Some(Seen::Close {
        code,
        by_peer,
        error,
        ..
    }) = trace.events.last()
    else {
        return;
    };
    let Some(close) = close else { return };
    let sent = match reference::closed(&close.payload) {
        Told::Closed(code, _) => code,
        other => panic!("our close frame's body: {other:?}"),
    };
    match error {
        // Answered with the peer's own code, or the peer's answer to ours.
        None if *by_peer => assert_eq!(sent, *code),
        None => {}
        // The transport ended while our close waited for its answer.
        Some(Error::ConnectionLost | Error::Timeout) => {}
        Some(_) if trace.calls.is_empty() => assert_eq!(sent, *code),
        Some(_) => {}
    }
}

/// Another run, in other pieces, comes to the same.
fn compare(plan: &Plan, whole: &Trace, cuts: Lengths<'_>) {
    let other = play(plan, cuts).expect("a run that could begin can begin again");
    let mut other = without_joints(other);
    let mut whole = without_joints(whole.clone());
    if is_utf8_failure(&whole) {
        // The chunks of the message that failed end where they were cut.
        let (one, two) = (take_unfinished(&mut whole), take_unfinished(&mut other));
        assert!(one.starts_with(&two) || two.starts_with(&one));
    }
    assert_eq!(other, whole);
}

fn without_joints(mut trace: Trace) -> Trace {
    trace.events = joined(&trace.events);
    trace
}

fn is_utf8_failure(trace: &Trace) -> bool {
    matches!(trace.ended, Some((_, Some(Error::Utf8))))
}

/// Takes out the message that never ended; its bytes.
fn take_unfinished(trace: &mut Trace) -> Vec<u8> {
    let unfinished = |event: &Seen| matches!(event, Seen::Data(data) if !data.last);
    let at = trace.events.iter().position(unfinished);
    match at.map(|at| trace.events.remove(at)) {
        Some(Seen::Data(data)) => data.bytes,
        _ => Vec::new(),
    }
}

/// The same as the plain reading of RFC 6455.
fn compare_with_reference(plan: &Plan, trace: &Trace) {
    let wanted = reference::read(plan.role, &plan.settings, &plan.stream);
    let found: Vec<Told> = joined(&trace.events).into_iter().filter_map(told).collect();
    if plan.settings.chunk_above == u64::MAX {
        assert_eq!(found, wanted);
    } else {
        // Chunks of a message may be out before a ping that came in its midst.
        assert_eq!(apart(found), apart(wanted));
    }
}

fn apart(told: Vec<Told>) -> (Vec<Told>, Vec<Told>) {
    let is_message = |told: &Told| matches!(told, Told::Message(..));
    told.into_iter().partition(is_message)
}

fn told(event: Seen) -> Option<Told> {
    Some(match event {
        Seen::Data(data) if !data.last => return None,
        Seen::Data(data) => Told::Message(data.kind, data.bytes),
        Seen::Ping(payload) => Told::Ping(payload),
        Seen::Pong(payload) => Told::Pong(payload),
        Seen::Close {
            error: Some(Error::ConnectionLost),
            missing,
            code,
            ..
        } => {
            assert_eq!(code, 1006);
            Told::Lost(missing)
        }
        Seen::Close {
            error: Some(_),
            code,
            ..
        } => Told::Failed(code),
        Seen::Close {
            code,
            reason,
            by_peer,
            ..
        } => {
            assert!(by_peer);
            Told::Closed(code, reason)
        }
        other => panic!("{other:?} on an established connection"),
    })
}

/// What a connection holds grows with the bytes that came, whatever lengths
/// they announced.
fn check_memory(plan: &Plan, cuts: Lengths<'_>) {
    let mut bytes = plan.stream.clone();
    let mut connection = Connection::established(plan.role, Arc::clone(&plan.settings), random);
    let mut lengths = cuts;
    let (most, ()) = memory::most_held(|| {
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
    });
    // A buffer that doubles, a pong beside its ping, and what is small.
    let bound = 3 * plan.stream.len() + 2048;
    assert!(most <= bound, "{most} bytes held, {bound} allowed");
}
