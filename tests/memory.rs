//! What a peer can make a connection hold, in bytes of our allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use wsembed::proto::conn::{Connection, Role};
use wsembed::proto::incoming::Input;
use wsembed::proto::parser::{Parser, Rules};
use wsembed::proto::settings::Settings;

thread_local!(static HELD: Cell<usize> = const { Cell::new(0) });

struct Counting;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
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
