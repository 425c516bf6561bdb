//! Deadlines, by a fake clock.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Role, Sendable};
use wsembed::proto::settings::Settings;
use wsembed::proto::timers::NEVER;

use crate::support::*;

fn timed_out(seen: &[Seen], expected: u16) {
    let [
        Seen::Close {
            code,
            error: Some(Error::Timeout),
            by_peer: false,
            ..
        },
    ] = seen
    else {
        panic!("{seen:?}");
    };
    assert_eq!(*code, expected);
}

#[test]
fn without_a_tick_there_are_no_deadlines() {
    let mut connection = server([]).with(|s| s.idle_timeout = 1).connection();
    assert_eq!(
        feed(&mut connection, &masked(FIN | TEXT, b"x")),
        [text("x")]
    );
    assert_eq!(connection.tick(u64::MAX - 1), u64::MAX);
}

#[test]
fn ct13_a_peer_that_never_answers_our_ping() {
    let mut connection = server([])
        .with(|s| (s.ping_interval, s.pong_timeout) = (1000, 300))
        .connection();
    assert_eq!(connection.tick(5000), 6000);
    assert_eq!(connection.tick(5999), 6000);
    assert_eq!(drain(&mut connection), []);
    assert_eq!(connection.tick(6000), 6300);
    let pings = frames_of(Role::Server, &drain(&mut connection));
    assert_eq!(pings.len(), 1);
    assert_eq!(pings[0].0, FIN | PING);
    assert_eq!(connection.tick(6299), 6300);
    // One more turn, for what may wait in the socket.
    assert_eq!(connection.tick(6300), 6300);
    assert_eq!(connection.tick(6300), NEVER);
    timed_out(&feed(&mut connection, b""), 1006);
    assert_eq!(connection.output(), Err(Error::Closed));
}

#[test]
fn ct07_only_the_right_pong_satisfies_our_ping() {
    let mut connection = server([])
        .with(|s| (s.ping_interval, s.pong_timeout) = (1000, 300))
        .connection();
    connection.tick(0);
    connection.tick(1000);
    let ping = frames_of(Role::Server, &drain(&mut connection)).remove(0).1;
    connection.tick(1100);
    feed(&mut connection, &masked(FIN | PONG, b"guess"));
    assert_eq!(connection.tick(1200), 1300);
    feed(&mut connection, &masked(FIN | PONG, &ping));
    assert_eq!(connection.tick(1250), 2200);
}

#[test]
fn a_long_message_counts_as_life_while_its_pong_cannot_come() {
    let mut connection = server([])
        .with(|s| (s.ping_interval, s.pong_timeout) = (1000, 300))
        .connection();
    connection.tick(0);
    let frame = masked(FIN | BINARY, &[1; 5000]);
    feed(&mut connection, &frame[..100]);
    connection.tick(1000);
    drain(&mut connection);
    for (step, piece) in frame[100..4100].chunks(100).enumerate() {
        let now = 1200 + 200 * step as u64;
        assert_ne!(connection.tick(now), NEVER);
        assert_eq!(feed(&mut connection, piece), []);
    }
    connection.tick(1_000_000);
    connection.tick(1_000_000);
    timed_out(&feed(&mut connection, b""), 1006);
}

#[test]
fn without_a_pong_timeout_pings_go_on() {
    let mut connection = client([])
        .with(|s| (s.ping_interval, s.pong_timeout) = (10, 0))
        .connection();
    assert_eq!(connection.tick(0), 10);
    assert_eq!(connection.tick(10), 20);
    assert_eq!(frames_of(Role::Client, &drain(&mut connection)).len(), 1);
    assert_eq!(connection.tick(25), 35);
    assert_eq!(frames_of(Role::Client, &drain(&mut connection)).len(), 1);
}

#[test]
fn a_program_that_was_held_up_reads_before_it_judges() {
    let mut connection = server([])
        .with(|s| (s.ping_interval, s.pong_timeout, s.idle_timeout) = (1000, 300, 5000))
        .connection();
    connection.tick(0);
    connection.tick(1000);
    let ping = frames_of(Role::Server, &drain(&mut connection)).remove(0).1;
    // The pong came in time; the program slept for an hour.
    let late = 3_600_000;
    assert_eq!(connection.tick(late), late);
    assert_eq!(
        feed(&mut connection, &masked(FIN | PONG, &ping)),
        [Seen::Pong(ping)]
    );
    assert_eq!(connection.tick(late), late + 1000);
    // Each silence is given its own second look.
    connection.tick(late + 5000);
    feed(&mut connection, &masked(FIN | TEXT, b"here"));
    assert_ne!(connection.tick(late + 5000), NEVER);
    assert_eq!(connection.state(), wsembed::proto::state::State::Open);
}

#[test]
fn fr16_idle_peers_are_closed_with_1001() {
    let mut connection = server([]).with(|s| s.idle_timeout = 1000).connection();
    assert_eq!(connection.tick(0), 1000);
    connection.tick(900);
    feed(&mut connection, &masked(FIN | TEXT, b"hi"));
    assert_eq!(connection.tick(901), 1900);
    assert_eq!(connection.tick(1900), 1900);
    connection.tick(1900);
    timed_out(&feed(&mut connection, b""), 1001);
    assert_eq!(close_codes(Role::Server, &drain(&mut connection)), [1001]);
}

#[test]
fn hs29_hs30_the_handshake_deadline_is_total_not_per_read() {
    let settings = Settings {
        handshake_timeout: 1000,
        ..Settings::default()
    };
    let mut connection = Connection::server(Arc::new(settings), random);
    assert_eq!(connection.tick(10), 1010);
    for (at, byte) in b"GET / HTT".iter().enumerate() {
        connection.tick(10 + 100 * at as u64);
        assert_eq!(feed(&mut connection, &[*byte]), []);
    }
    connection.tick(1010);
    timed_out(&feed(&mut connection, b"P"), 1006);
    assert!(drain(&mut connection).starts_with(b"HTTP/1.1 408 "));
    assert_eq!(connection.output(), Err(Error::Closed));
}

#[test]
fn hc18_a_server_that_never_answers() {
    let settings = Settings {
        handshake_timeout: 1000,
        ..Settings::default()
    };
    let url = wsembed::proto::url::Url::parse("ws://h/").unwrap();
    let mut connection = Connection::client(Arc::new(settings), random, &url).unwrap();
    assert_eq!(connection.tick(10), 1010);
    drain(&mut connection);
    assert_eq!(feed(&mut connection, b"HTTP/1.1 1"), []);
    connection.tick(1009);
    assert_eq!(feed(&mut connection, b"0"), []);
    connection.tick(1010);
    timed_out(&feed(&mut connection, b"1"), 1006);
    assert_eq!(connection.output(), Err(Error::Closed));
}

#[test]
fn tr21_tr22_clocks_that_jump() {
    let mut connection = server([]).with(|s| s.idle_timeout = 1000).connection();
    assert_eq!(connection.tick(1_000_000), 1_001_000);
    // Backwards: nothing is due early, nothing is lost.
    assert_eq!(connection.tick(5), 1_001_000);
    assert_eq!(connection.tick(0), 1_001_000);
    let mut late = server([]).with(|s| s.idle_timeout = 1000).connection();
    assert_eq!(late.tick(u64::MAX - 500), NEVER);
    assert_eq!(feed(&mut late, &masked(FIN | TEXT, b"x")), [text("x")]);
}

#[test]
fn ap20_the_last_moment_of_all_is_no_deadline() {
    for settings in [
        Settings::default(),
        Settings {
            ping_interval: 1,
            pong_timeout: 1,
            idle_timeout: 1,
            close_timeout: 1,
            handshake_timeout: 1,
            ..Settings::default()
        },
    ] {
        let settings = Arc::new(settings);
        let mut server = Connection::server(Arc::clone(&settings), random);
        assert_eq!(server.tick(NEVER), NEVER);
        let mut open = Connection::established(Role::Server, settings, random);
        open.tick(1);
        assert_eq!(open.tick(NEVER), NEVER);
        assert_eq!(open.tick(NEVER), NEVER);
    }
}

#[test]
fn ct09_pings_do_not_pile_up_for_a_peer_that_never_reads() {
    for role in [Role::Server, Role::Client] {
        let mut connection = Case { role, ..server([]) }
            .with(|s| (s.ping_interval, s.pong_timeout) = (10, 0))
            .connection();
        for now in 0..1000 {
            connection.tick(10 * now);
        }
        assert_eq!(frames_of(role, &drain(&mut connection)).len(), 1);
        // Once it reads, pings go on.
        connection.tick(20_000);
        assert_eq!(frames_of(role, &drain(&mut connection)).len(), 1);
    }
}

#[test]
fn ct07_the_round_trip_is_that_of_the_pong_that_answers() {
    let mut connection = server([]).with(|s| s.ping_interval = 1000).connection();
    connection.tick(1000);
    assert_eq!(connection.round_trip(), None);
    feed(&mut connection, &masked(FIN | PONG, b"unasked"));
    assert_eq!(connection.round_trip(), None);
    // The keepalive's ping.
    connection.tick(2000);
    let pings = frames_of(Role::Server, &drain(&mut connection));
    connection.tick(2040);
    feed(&mut connection, &masked(FIN | PONG, b"unasked"));
    assert_eq!(connection.round_trip(), None);
    feed(&mut connection, &masked(FIN | PONG, &pings[0].1));
    assert_eq!(connection.round_trip(), Some(40));
    // The program's own.
    connection.send(Sendable::Ping, b"mine").unwrap();
    connection.tick(2050);
    feed(&mut connection, &masked(FIN | PONG, b"yours"));
    assert_eq!(connection.round_trip(), Some(40));
    feed(&mut connection, &masked(FIN | PONG, b"mine"));
    assert_eq!(connection.round_trip(), Some(10));
}
