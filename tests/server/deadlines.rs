//! Silent peers, dead peers, pings and their round trips; and that a loop wakes
//! for nothing else.

use std::time::Duration;

use crate::support::{Server, Told};
use wsembed::config::Serving;
use wsembed::proto::settings::Settings;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
const NO_ROUND_TRIP: u32 = u32::MAX;

fn echo(settings: Settings) -> Server {
    Server::echo(settings, Serving::default())
}

fn closed(told: &Told) -> Option<(u64, u16)> {
    match told {
        Told::Close(peer, code, _) => Some((peer.0, *code)),
        _ => None,
    }
}

#[test]
fn ct13_who_does_not_answer_pings_is_gone_and_who_does_stays() {
    let mut server = echo(Settings {
        ping_interval: 30,
        pong_timeout: 5000,
        ..Settings::default()
    });
    let (mut dead, dead_id) = server.client();
    let (mut alive, alive_id) = server.client();
    let answers = std::thread::spawn(move || {
        let mut pings = 0;
        loop {
            match alive.frame() {
                (PING, payload) => alive.send(PONG, &payload),
                (TEXT, _) => return (alive, pings),
                other => panic!("{other:?}"),
            }
            pings += 1;
        }
    });
    assert_eq!(server.expect(closed), (dead_id.0, 1006));
    server
        .here()
        .send(alive_id, wsembed::proto::message::Kind::Text, b"end")
        .unwrap();
    server.until(|_| answers.is_finished());
    let (_alive, pings) = answers.join().unwrap();
    assert!(pings > 1, "{pings}");
    let round_trip = server.shared.counts(alive_id).unwrap().round_trip;
    assert!(round_trip <= 5000, "{round_trip}");
    // One ping, and then nothing: RFC 6455 7.1.7 wants no close frame there.
    assert_eq!(dead.frame().0, PING);
    assert!(dead.at_end());
}

#[test]
fn fr16_who_is_silent_for_too_long_is_told_1001_and_who_is_not_stays() {
    let mut server = echo(Settings {
        idle_timeout: 5000,
        ..Settings::default()
    });
    let (mut silent, silent_id) = server.client();
    let (mut busy, busy_id) = server.client();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let talks = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(50)).is_err() {
            busy.send(TEXT, b"still here");
            assert_eq!(busy.frame().0, TEXT);
        }
        busy
    });
    let silent_thread = std::thread::spawn(move || {
        let (first, payload) = silent.frame();
        assert_eq!((first, &payload[..2]), (CLOSE, &[3, 233][..]));
        silent.send(CLOSE, &payload[..2]);
    });
    assert_eq!(server.expect(closed), (silent_id.0, 1001));
    stop.send(()).unwrap();
    server.until(|_| talks.is_finished() && silent_thread.is_finished());
    silent_thread.join().unwrap();
    let _busy = talks.join().unwrap();
    assert!(server.shared.counts(busy_id).is_ok());
}

#[test]
fn ct07_the_round_trip_of_a_ping_of_the_programs() {
    let mut server = echo(Settings::default());
    let (mut client, peer) = server.client();
    let round_trip = |server: &Server| server.shared.counts(peer).unwrap().round_trip;
    let mut pong = |server: &mut Server, payload: &[u8]| {
        client.send(PONG, payload);
        server.expect(|told| (matches!(told, Told::Pong(_, got) if got == payload)).then_some(()));
    };
    pong(&mut server, b"");
    server.here().control(peer, true, b"are you there").unwrap();
    server.turn(0);
    pong(&mut server, b"are you here");
    assert_eq!(round_trip(&server), NO_ROUND_TRIP);
    pong(&mut server, b"are you there");
    assert!(round_trip(&server) < NO_ROUND_TRIP);
    // From another thread.
    server.shared.control(peer, true, b"and now").unwrap();
    server.turn(10_000);
    pong(&mut server, b"and now");
    assert!(round_trip(&server) < NO_ROUND_TRIP);
}

#[test]
fn a_loop_wakes_once_for_a_deadline_and_once_for_what_comes() {
    let mut server = echo(Settings {
        ping_interval: 100,
        ..Settings::default()
    });
    let (mut client, peer) = server.client();
    let count = 5;
    let answers = std::thread::spawn(move || {
        for _ in 0..count {
            let (first, payload) = client.frame();
            assert_eq!(first, PING);
            client.send(PONG, &payload);
        }
        client
    });
    let mut pongs = 0;
    let mut turns = 0;
    while pongs < count {
        server.turn(60_000);
        turns += 1;
        pongs += server
            .take_told()
            .iter()
            .filter(|told| matches!(told, Told::Pong(..)))
            .count();
    }
    // The client's threads may be so late that a ping follows it in between.
    assert!(turns <= 2 * count + 1, "{turns}");
    assert!(server.shared.counts(peer).unwrap().round_trip < NO_ROUND_TRIP);
    answers.join().unwrap();
}
