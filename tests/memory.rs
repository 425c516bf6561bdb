//! What a peer can make a connection hold, in bytes of our allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use wsembed::config::{
    Config, Serving, WEBSOCKET_MEMORY_BYTES, WEBSOCKET_OVERFLOW, WEBSOCKET_OVERFLOW_BLOCK,
    WEBSOCKET_OVERFLOW_DROP_OLDEST, WEBSOCKET_OVERFLOW_KEEP_LATEST, WEBSOCKET_OVERFLOW_REFUSE,
};
use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Event, Role, Sendable};
use wsembed::proto::incoming::Input;
use wsembed::proto::message::Kind;
use wsembed::proto::parser::{Parser, Rules};
use wsembed::proto::settings::Settings;

#[path = "server/support.rs"]
#[allow(dead_code)]
mod support;

thread_local!(static HELD: Cell<usize> = const { Cell::new(0) });
// After so many large ones this thread gets no more memory for once.
thread_local!(static REFUSED: Cell<usize> = const { Cell::new(usize::MAX) });
/// What a peer or a program sizes is larger; what is smaller is had, or the
/// process ends.
const LARGE: usize = 1500;

/// Whether the system has no memory for this one.
fn is_refused(size: usize) -> bool {
    if size < LARGE || REFUSED.get() == usize::MAX {
        return false;
    }
    let left = REFUSED.get();
    REFUSED.set(left.checked_sub(1).unwrap_or(usize::MAX));
    left == 0
}

struct Counting;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_refused(layout.size()) {
            return std::ptr::null_mut();
        }
        HELD.set(HELD.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that this thread holds more after `work` than before.
fn held<T>(work: impl FnOnce() -> T) -> (isize, T) {
    let before = HELD.get();
    let made = work();
    (HELD.get().wrapping_sub(before) as isize, made)
}

fn random(bytes: &mut [u8]) -> bool {
    bytes.fill(0x5A);
    true
}

/// Feeds, drops every event, writes everything out.
fn feed(connection: &mut Connection, mut bytes: Vec<u8>) {
    let mut input = Input::new(&mut bytes);
    while connection.next(&mut input).is_ok() {}
    while let Ok(length @ 1..) = connection.output().map(<[u8]>::len) {
        connection.done(length).unwrap();
    }
}

fn request(protocols: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {protocols}\r\n\r\n"
    )
    .into()
}

#[test]
fn lm06_lm08_a_request_is_held_as_its_bytes_however_many_names_it_lists() {
    let names: Vec<String> = (0..1900).map(|n| format!("{n:x}")).collect();
    let mut bytes = request(&names.join(","));
    let size = bytes.len() as isize;
    assert!((7000..8192).contains(&size), "{size}");
    let settings = Arc::new(Settings::default());
    let (grown, connection) = held(|| {
        let mut connection = Connection::server(settings, random);
        let mut input = Input::new(&mut bytes);
        connection.next(&mut input).unwrap();
        connection
    });
    // The buffer may have room for twice what came.
    assert!(grown < 2 * size + 2048, "{grown} bytes for {size}");
    drop(connection);
}

#[test]
fn an_idle_server_connection_is_small() {
    let settings = Arc::new(Settings::default());
    let (grown, connection) = held(|| {
        let mut connection = Box::new(Connection::server(settings, random));
        feed(&mut connection, request("chat"));
        feed(
            &mut connection,
            vec![0x81, 0x85, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'],
        );
        connection
    });
    assert!(grown < 1024, "{grown} bytes");
    drop(connection);
}

#[test]
fn fr14_fr16_an_announced_length_costs_nothing() {
    let settings = Arc::new(Settings::default());
    for length in [
        (16_u64 << 20) - 1,
        16 << 20,
        (16 << 20) + 1,
        u32::MAX.into(),
        i64::MAX as u64,
    ] {
        let mut connection = Connection::established(Role::Server, Arc::clone(&settings), random);
        let header = [&[0x82, 0xFF][..], &length.to_be_bytes(), &[0; 4]].concat();
        let (grown, ()) = held(|| feed(&mut connection, header));
        assert!(grown < 1024, "{grown} bytes for {length} announced");
    }
}

#[test]
fn fr26_fr27_ct09_floods_of_small_frames_cost_their_payload_at_most() {
    let settings = Arc::new(Settings {
        max_fragments: u64::MAX,
        ..Settings::default()
    });
    for (frame, payload) in [
        (&[0x00, 0x80, 0, 0, 0, 0][..], 0),
        (&[0x00, 0x81, 0, 0, 0, 0, 1], 1),
        (&[0x89, 0x80, 0, 0, 0, 0], 0),
        (&[0x8A, 0x80, 0, 0, 0, 0], 0),
        (&[0x88, 0x80, 0, 0, 0, 0], 0),
    ] {
        let mut connection = Connection::established(Role::Server, Arc::clone(&settings), random);
        let (grown, ()) = held(|| {
            feed(&mut connection, vec![0x02, 0x80, 0, 0, 0, 0]);
            for _ in 0..100 {
                feed(&mut connection, frame.repeat(1000));
            }
        });
        assert!(
            grown < 2 * 100_000 * payload + 2048,
            "{grown} bytes by {frame:02x?}"
        );
    }
}

#[test]
fn fr14_fr16_a_parser_of_frames_holds_nothing_of_them() {
    assert!(size_of::<Parser>() < 256, "{}", size_of::<Parser>());
    let mut parser = Parser::new(Rules::default());
    for length in [0, 125, 65535, i64::MAX as u64] {
        let mut header = [&[0x01, 0xFF][..], &length.to_be_bytes(), &[0; 4]].concat();
        let mut payload = vec![b'x'; (length as usize).min(100_000)];
        let (grown, ()) = held(|| {
            for bytes in [&mut header, &mut payload] {
                for cut in bytes.chunks_mut(7) {
                    let mut input = Input::new(cut);
                    while parser.next(&mut input).is_ok() {}
                }
            }
        });
        assert_eq!(grown, 0, "{length} announced");
    }
}

/// All but the last byte of a message in masked frames of `piece` bytes, none
/// of them final; then many pings.
fn hoard(settings: &Settings, piece: usize) -> Vec<Vec<u8>> {
    let mut left = settings.max_message as usize - 1;
    let mut first = 0x02;
    let mut frames = Vec::new();
    while left > 0 {
        let length = left.min(piece);
        frames.push(support::masked(first, &vec![b'x'; length]));
        left -= length;
        first = 0x00;
    }
    frames.extend((0..200).map(|_| support::masked(0x89, &[b'p'; 125])));
    frames
}

#[test]
fn lm05_all_that_a_connection_holds_fits_its_one_number() {
    for memory in [64 << 10, 256 << 10, 3 << 20] {
        for (role, piece) in [(Role::Server, 100), (Role::Server, 5000)] {
            let mut config = Config::default();
            config.set_number(WEBSOCKET_MEMORY_BYTES, memory).unwrap();
            let settings = config.settings(role).unwrap();
            let mut frames = hoard(&settings, piece);
            let (grown, connection) = held(|| {
                let mut connection = Box::new(Connection::established(role, settings, random));
                for frame in &mut frames {
                    let mut input = Input::new(frame);
                    while connection.next(&mut input).is_ok() {}
                }
                let message = Sendable::Message(Kind::Binary);
                while connection.send(message, &[7; 100]).is_ok() {}
                while connection.send(Sendable::Ping, &[7]).is_ok() {}
                connection
                    .close(Some(1000), "there is room for this")
                    .unwrap();
                connection
            });
            assert!(grown <= memory as isize, "{grown} of {memory}");
            assert!(grown > memory as isize / 2, "{grown} of {memory}");
            drop(connection);
        }
    }
}

#[test]
fn lm03_lm05_all_that_a_servers_peer_makes_it_hold_fits_its_one_number() {
    let memory = 1 << 20;
    for overflow in [
        WEBSOCKET_OVERFLOW_REFUSE,
        WEBSOCKET_OVERFLOW_DROP_OLDEST,
        WEBSOCKET_OVERFLOW_KEEP_LATEST,
        WEBSOCKET_OVERFLOW_BLOCK,
    ] {
        let mut config = Config::default();
        config.set_number(WEBSOCKET_MEMORY_BYTES, memory).unwrap();
        config
            .set_number(WEBSOCKET_OVERFLOW, overflow.into())
            .unwrap();
        let (settings, serving) = config.serving().unwrap();
        let frames = hoard(&settings, 4000);
        let mut server = support::Server::echo(Settings::clone(&settings), serving);
        // The first has the loop's own buffers grow.
        for turn in 0..2 {
            for length in [10, 1000] {
                let (grown, client) = held(|| peer_that_hoards(&mut server, &frames, length));
                let within = grown <= memory as isize && grown > memory as isize / 2;
                println!("policy {overflow}, {length} bytes each: {grown}");
                assert!(within || turn == 0, "{overflow}: {grown} of {memory}");
                drop(client);
                server.until(|server| {
                    let told = server.take_told();
                    told.iter()
                        .any(|told| matches!(told, support::Told::Close(..)))
                });
            }
        }
    }
}

/// A client that never reads, sends what it may, and is sent messages of
/// `length` bytes, from the loop's thread and past it, until there is no room.
fn peer_that_hoards(
    server: &mut support::Server,
    frames: &[Vec<u8>],
    length: usize,
) -> support::Client {
    let (mut client, peer) = server.client();
    for frame in frames {
        client.write(frame);
        server.turn(0);
    }
    let sent = |server: &support::Server| server.shared.counts(peer).unwrap().bytes_out;
    let payload = vec![b'm'; length];
    // Until the sockets in between hold no more.
    let (mut before, mut stuck) = (0, 0);
    while stuck < 1000 {
        for _ in 0..10 {
            let _ = server.here().send(peer, Kind::Binary, &payload);
        }
        server.turn(0);
        let now = sent(server);
        stuck = if now == before { stuck + 1 } else { 0 };
        before = now;
    }
    for _ in 0..10 {
        for _ in 0..100_000 {
            if server.shared.send(peer, Kind::Binary, &payload).is_err() {
                break;
            }
        }
        server.turn(0);
    }
    while server.shared.send(peer, Kind::Binary, &payload).is_ok() {}
    server.take_told();
    client
}

/// A connection's life with long things in it; the k-th large allocation fails.
/// Whether that was the last of them, and how the connection ended.
fn life_without_memory(role: Role, k: usize) -> (bool, Vec<Error>) {
    let settings = Arc::new(Settings::default());
    let masked = role == Role::Server;
    let frame = |first: u8, payload: &[u8]| {
        let key = masked.then_some([0; 4]);
        let (header, size) = wsembed::proto::frame::encode(first, key, payload.len() as u64);
        [&header[..size], payload].concat()
    };
    let long = vec![b'a'; 30_000];
    let mut wire = [frame(0x02, &long), frame(0x80, &long)].concat();
    wire.extend(frame(0x81, &long));
    let mut connection = Connection::established(role, settings, random);
    let mut errors = Vec::new();
    REFUSED.set(k);
    for piece in wire.chunks(7000) {
        let mut bytes = [0; 7000];
        bytes[..piece.len()].copy_from_slice(piece);
        let mut input = Input::new(&mut bytes[..piece.len()]);
        while let Ok(event) = connection.next(&mut input) {
            if let Event::Close(close) = event {
                errors.extend(close.error);
            }
        }
    }
    for kind in [Kind::Binary, Kind::Text] {
        errors.extend(connection.send(Sendable::Message(kind), &long).err());
    }
    let met = REFUSED.replace(usize::MAX) == usize::MAX;
    while let Ok(length @ 1..) = connection.output().map(<[u8]>::len) {
        connection.done(length).unwrap();
    }
    (!met, errors)
}

#[test]
fn lm13_without_memory_for_what_a_peer_sizes_a_connection_ends_or_a_call_fails() {
    for role in [Role::Server, Role::Client] {
        for k in 0.. {
            let (over, errors) = life_without_memory(role, k);
            if over {
                assert!(k > 3, "{k}");
                assert_eq!(errors, []);
                break;
            }
            assert_eq!(errors.first(), Some(&Error::Memory), "{k}: {errors:?}");
        }
    }
}

#[test]
fn lm16_connections_and_messages_leave_nothing() {
    let mut server = support::Server::echo(Settings::default(), Serving::default());
    let round = |server: &mut support::Server| {
        let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
        for (client, _) in &mut clients {
            for length in [1, 100, 5000] {
                client.send(support::BINARY, &vec![7; length]);
                server.turn(10_000);
                assert_eq!(client.frame().1.len(), length);
            }
        }
        drop(clients);
        for _ in 0..20 {
            server.expect(support::closed);
        }
        server.told().clear();
        server.shared.program.log.lock().unwrap().clear();
    };
    // What is made once and kept.
    for _ in 0..3 {
        round(&mut server);
    }
    let (grown, ()) = held(|| (0..30).for_each(|_| round(&mut server)));
    assert!(grown.abs() < 4096, "{grown} bytes");
}
