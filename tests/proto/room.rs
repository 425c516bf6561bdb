//! Long frames that are read straight into their message's place.

use std::sync::Arc;

use proptest::prelude::*;
use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Event, Role};
use wsembed::proto::incoming::Input;
use wsembed::proto::settings::Settings;
use wsembed::proto::timers::NEVER;

use crate::support::{
    BINARY, CONT, FIN, PING, Seen, TEXT, binary, failed, feed, masked, plain, random,
};

fn open(role: Role, settings: Settings) -> Connection {
    Connection::established(role, Arc::new(settings), random)
}

/// Reads `stream` as a program does that asks for room before each read of up
/// to `step` bytes; tells what was seen, and how many bytes the room took.
fn read(connection: &mut Connection, mut stream: &[u8], step: usize) -> (Vec<Seen>, usize) {
    let mut seen = Vec::new();
    let mut in_room = 0;
    let mut now = 0;
    while !stream.is_empty() {
        now += 1;
        connection.tick(now);
        let count = if let Some(room) = connection.room() {
            let count = room.len().min(step).min(stream.len());
            room[..count].copy_from_slice(&stream[..count]);
            connection.read_into_room(count);
            seen.extend(feed(connection, &[]));
            in_room += count;
            count
        } else {
            let count = step.min(stream.len());
            seen.extend(feed(connection, &stream[..count]));
            count
        };
        stream = &stream[count..];
    }
    (seen, in_room)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 3) as u8).collect()
}

#[test]
fn fr31_tr01_frames_read_in_place_are_those_that_are_fed() {
    let long = pattern(300_000);
    let words = "Grüße, 世界. ".repeat(9000);
    let stream = [
        masked(FIN | BINARY, &long),
        masked(FIN | TEXT, words.as_bytes()),
        masked(TEXT, &words.as_bytes()[..70_001]),
        masked(FIN | PING, b"between"),
        masked(FIN | CONT, &words.as_bytes()[70_001..]),
        masked(FIN | BINARY, b"short"),
        masked(FIN | BINARY, &pattern(70_000)),
    ]
    .concat();
    let whole = feed(&mut open(Role::Server, Settings::default()), &stream);
    assert_eq!(whole.len(), 6);
    assert_eq!(whole[0], binary(&long));
    for step in [1000, 4096, 16_384, 65_536, 65_537, 131_072, 1 << 20] {
        let mut connection = open(Role::Server, Settings::default());
        let (seen, in_room) = read(&mut connection, &stream, step);
        assert!(seen == whole, "steps of {step}");
        assert_eq!(in_room > 0, step < 1 << 20, "steps of {step}");
    }
    let stream = plain(FIN | BINARY, &long);
    let mut connection = open(Role::Client, Settings::default());
    let (seen, in_room) = read(&mut connection, &stream, 10_000);
    assert_eq!(seen, [binary(&long)]);
    assert_eq!(in_room, 280_000);
}

#[test]
fn u812_text_read_in_place_is_refused_at_its_first_bad_piece() {
    let mut text = pattern(200_000);
    text.fill(b'a');
    text[100_000] = 0xFF;
    let stream = masked(FIN | TEXT, &text);
    let mut connection = open(Role::Server, Settings::default());
    let (seen, in_room) = read(&mut connection, &stream[..110_000], 10_000);
    assert_eq!(seen, [failed(Error::Utf8)]);
    assert!(in_room > 0);
    assert!(connection.room().is_none());
}

#[test]
fn there_is_no_room_where_nothing_would_be_gained() {
    let whole = masked(FIN | BINARY, &pattern(100_000));
    // Between messages, in a header, for a short rest, in chunks, at the end.
    let mut connection = open(Role::Server, Settings::default());
    assert!(connection.room().is_none());
    feed(&mut connection, &whole[..7]);
    assert!(connection.room().is_none());
    feed(&mut connection, &whole[7..90_000]);
    assert!(connection.room().is_none());
    let chunked = Settings {
        chunk_above: 0,
        ..Settings::default()
    };
    let mut connection = open(Role::Server, chunked);
    feed(&mut connection, &whole[..1000]);
    assert!(connection.room().is_none());
    let mut connection = open(Role::Server, Settings::default());
    feed(&mut connection, &whole[..1000]);
    assert!(connection.room().is_some());
    connection.close(Some(1000), "").unwrap();
    assert!(connection.room().is_none());
}

#[test]
fn fr16_a_frame_that_is_announced_and_never_comes_gets_little_room() {
    let mut connection = open(Role::Server, Settings::default());
    let header = &masked(FIN | BINARY, &pattern(1 << 20))[..14];
    feed(&mut connection, header);
    assert!(connection.room().unwrap().len() <= 64 << 10);
}

#[test]
fn more_than_the_room_cannot_have_been_read_into_it() {
    let whole = masked(FIN | BINARY, &pattern(40_000));
    let mut connection = open(Role::Server, Settings::default());
    feed(&mut connection, &whole[..1000]);
    assert!(connection.room().is_some());
    connection.read_into_room(usize::MAX);
    let seen = feed(&mut connection, &[]);
    assert!(matches!(&seen[..], [Seen::Message(_, data)] if data.len() == 40_000));
}

/// An open server connection that has kept the room of a message before.
fn with_spare_room(now: u64) -> Connection {
    let quiet = Settings {
        ping_interval: 0,
        idle_timeout: 0,
        ..Settings::default()
    };
    let mut connection = open(Role::Server, quiet);
    connection.tick(now);
    let before = masked(FIN | BINARY, &pattern(100_000));
    feed(&mut connection, &before[..90_000]);
    assert_eq!(feed(&mut connection, &before[90_000..]).len(), 1);
    connection
}

#[test]
fn fr31_bytes_in_the_room_outlive_the_time_at_which_spare_room_goes() {
    let payload = pattern(100_000);
    let stream = masked(FIN | BINARY, &payload);
    let mut connection = with_spare_room(1);
    feed(&mut connection, &stream[..14]);
    let room = connection.room().unwrap();
    let count = room.len();
    room.copy_from_slice(&stream[14..14 + count]);
    connection.read_into_room(count);
    connection.tick(1_000_000);
    assert_eq!(feed(&mut connection, &[]), []);
    let seen = feed(&mut connection, &stream[14 + count..]);
    assert!(seen == [binary(&payload)]);
}

#[test]
fn fr31_what_is_fed_behind_the_room_is_read_behind_it() {
    let payload = pattern(100_000);
    let stream = masked(FIN | BINARY, &payload);
    let mut connection = open(Role::Server, Settings::default());
    feed(&mut connection, &stream[..1000]);
    connection.room().unwrap()[..20_000].copy_from_slice(&stream[1000..21_000]);
    connection.read_into_room(20_000);
    assert!(connection.room().is_none(), "not before it is looked at");
    connection.feed_eof();
    let seen = feed(&mut connection, &stream[21_000..]);
    assert!(seen.first() == Some(&binary(&payload)));
}

#[test]
fn ap03_asking_for_room_takes_back_nothing_that_is_lent() {
    let mut connection = Connection::server(Arc::default(), random);
    let mut request = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    let mut input = Input::new(&mut request);
    assert!(matches!(
        connection.next(&mut input),
        Ok(Event::Request { .. })
    ));
    assert!(matches!(
        connection.next(&mut input),
        Ok(Event::Open { .. })
    ));
    assert!(connection.room().is_none());
    // It is, until the next event is asked for.
    assert_eq!(connection.request_header("Host"), Ok(Some(&b"h"[..])));
}

#[test]
fn spare_room_goes_back_though_short_messages_keep_coming() {
    let mut connection = with_spare_room(0);
    assert_eq!(connection.tick(1), 1000);
    let short = masked(FIN | TEXT, b"short");
    for now in (100..3000).step_by(100) {
        connection.tick(now);
        assert_eq!(feed(&mut connection, &short).len(), 1);
    }
    // Nothing is left to be given back.
    assert_eq!(connection.tick(3000), NEVER);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn fr31_tr01_however_bytes_come_in_the_same_is_told(
        sizes in prop::collection::vec((0..90_000_usize, any::<bool>()), 1..5),
        turns in prop::collection::vec((1..60_000_usize, 0..1500_u64, any::<bool>(), any::<bool>()), 1..20),
    ) {
        let mut stream = Vec::new();
        for (size, cut) in sizes {
            let data = pattern(size);
            let (head, tail) = data.split_at(if cut { size / 3 } else { 0 });
            if cut {
                stream.extend(masked(BINARY, head));
                stream.extend(masked(FIN | PING, b"between"));
            }
            stream.extend(masked(FIN | if cut { CONT } else { BINARY }, tail));
        }
        let quiet = || open(Role::Server, Settings { ping_interval: 0, idle_timeout: 0, ..Settings::default() });
        let whole = feed(&mut quiet(), &stream);
        let mut connection = quiet();
        let (mut rest, mut now, mut seen) = (&stream[..], 1, Vec::new());
        for (step, later, use_room, glued) in turns.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let room = if use_room { connection.room() } else { None };
            let fed = if let Some(room) = room {
                let (read, behind) = rest.split_at(step.min(room.len()).min(rest.len()));
                room[..read.len()].copy_from_slice(read);
                connection.read_into_room(read.len());
                rest = behind;
                // Now and then more is fed before what came is looked at.
                if glued { step.min(rest.len()) } else { 0 }
            } else {
                step.min(rest.len())
            };
            now += later;
            connection.tick(now);
            seen.extend(feed(&mut connection, &rest[..fed]));
            rest = &rest[fed..];
        }
        prop_assert!(seen == whole);
    }
}
