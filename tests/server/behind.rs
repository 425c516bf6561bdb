//! What is sent behind what waits: nothing gets in between, nothing is lost,
//! and nobody has more than a turn for it.

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{BINARY, CLOSE, Client, PING, PONG, Server, TEXT, Test, Told, closed, masked};
use wsembed::config::Serving;
use wsembed::net::sys;
use wsembed::proto::Error;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::{Overflow, Settings};
use wsembed::server::slots::PeerId;

/// A server whose peers' queue has this limit.
fn server(send_queue: usize, overflow: Overflow) -> Server {
    let settings = Settings {
        send_queue,
        ..Settings::default()
    };
    let serving = Serving {
        overflow,
        ..Serving::default()
    };
    Server::echo(settings, serving)
}

/// Reads all that a client's socket holds.
fn drain(client: &mut Client) -> usize {
    client.socket.set_nonblocking(true).unwrap();
    let (mut room, mut all) = (vec![0; 1 << 16], 0);
    loop {
        match client.socket.read(&mut room) {
            Ok(got) => all += got,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                client.socket.set_nonblocking(false).unwrap();
                return all;
            }
        }
    }
}

#[test]
fn ct10_the_pong_that_a_flood_of_pings_left_out_does_not_cut_a_message() {
    let reply = vec![7; 20_000];
    let own = reply.clone();
    let settings = Settings::default();
    let mut server = Server::new(settings, Serving::default(), move |told, here| {
        if let Told::Text(peer, _) = told {
            for _ in 0..2 {
                here.send(*peer, Kind::Binary, &own).unwrap();
            }
        }
    });
    let (mut client, _) = server.client();
    // More than may wait in line, and a message, in one read.
    let mut bytes = Vec::new();
    for number in 0..70_u8 {
        bytes.extend(masked(PING, &[number]));
    }
    bytes.extend(masked(TEXT, b"now"));
    client.write(&bytes);
    server.expect(|told| matches!(told, Told::Text(..)).then_some(()));
    let (mut pongs, mut messages) = (Vec::new(), 0);
    while messages < 2 || pongs.last() != Some(&69) {
        match client.frame() {
            (PONG, payload) => pongs.push(payload[0]),
            (first, payload) => {
                assert_eq!((first, payload == reply), (BINARY, true));
                messages += 1;
            }
        }
    }
    assert_eq!(pongs, (0..64).chain([69]).collect::<Vec<_>>());
    assert_eq!(messages, 2);
}

/// Sends messages until some wait; returns how many were sent.
fn fill(server: &mut Server, peer: PeerId, payload: &[u8]) -> usize {
    let mut sent = 0;
    while server.shared.counts(peer).unwrap().waiting == 0 {
        server.here().send(peer, Kind::Binary, payload).unwrap();
        sent += 1;
        server.turn(0);
    }
    sent
}

#[test]
fn cl21_a_close_comes_behind_all_that_waits() {
    const QUEUE: usize = 100_000;
    let mut server = server(QUEUE, Overflow::Refuse);
    let (mut client, peer) = server.local_client();
    let first = fill(&mut server, peer, &[1; 20_000]);
    // The queue is filled to the last byte that it takes.
    let mut last = QUEUE;
    while server.here().send(peer, Kind::Binary, &vec![2; last]) == Err(Error::Full) {
        last -= 1;
    }
    for _ in 0..4 {
        assert_eq!(server.here().control(peer, true, &[3; 125]), Ok(()));
    }
    assert_eq!(server.here().close(peer, Some(1000), ""), Ok(()));
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        loop {
            let (first, payload) = client.frame();
            got.push((first, payload.len()));
            if first == CLOSE {
                return got;
            }
        }
    });
    server.until(|_| reader.is_finished());
    let mut wanted = vec![(BINARY, 20_000); first];
    wanted.extend([(PING, 125); 4]);
    wanted.extend([(BINARY, last), (CLOSE, 2)]);
    assert_eq!(reader.join().unwrap(), wanted);
}

/// What a peer gets in the turn in which it has read all, while many messages
/// wait for it: bytes, and messages.
fn share_of(payload: &[u8], overflow: Overflow) -> (usize, usize) {
    let mut server = server(8 << 20, overflow);
    let (mut client, peer) = server.local_client();
    fill(&mut server, peer, &[1; 20_000]);
    for _ in 0..1000.min((4 << 20) / (payload.len() + 1)) {
        server.here().send(peer, Kind::Binary, payload).unwrap();
    }
    server.turn(0);
    // What was cut in two comes first.
    drain(&mut client);
    server.turn(0);
    drain(&mut client);
    server.turn(0);
    let got = drain(&mut client);
    (got, got / (payload.len() + 2))
}

#[test]
fn ct10_long_messages_that_wait_go_by_shares() {
    let (bytes, _) = share_of(&[2; 17_000], Overflow::Refuse);
    assert!((100_000..(128 << 10) + 18_000).contains(&bytes), "{bytes}");
}

#[test]
fn ct10_short_messages_that_go_one_by_one_go_by_shares() {
    let (_, messages) = share_of(&[2], Overflow::DropOldest);
    assert!((1..=200).contains(&messages), "{messages}");
}

#[test]
fn deadlines_of_one_moment_are_all_due() {
    const PEERS: usize = 200;
    let settings = Settings {
        handshake_timeout: 20,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let fd = server.here().poll_fd().unwrap();
    let mut far = Vec::new();
    for _ in 0..PEERS {
        let (near, other) = std::os::unix::net::UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        server.shared.adopt(near.into(), b"").unwrap();
        far.push(other);
    }
    let mut ended = 0;
    while ended < PEERS {
        assert_eq!(sys::poll(fd, libc::POLLIN, 30_000), Ok(true), "{ended}");
        server.turn(0);
        let told = server.take_told();
        ended += told
            .iter()
            .filter(|told| matches!(told, Told::Close(..)))
            .count();
    }
}

/// So that a whole loop can be looked at.
impl std::fmt::Debug for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Test").finish_non_exhaustive()
    }
}

#[test]
fn deadlines_of_peers_that_failed_are_not_kept() {
    const PEERS: usize = 300;
    let settings = Settings {
        ping_interval: 3_600_000,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    // Its deadline is before theirs, which are not dropped for having come.
    let (_calm, _) = server.client();
    for _ in 0..PEERS {
        let (mut client, _) = server.client();
        // A reserved opcode.
        client.send(0x83, b"");
        server.expect(closed);
        drop(client);
    }
    server.until(|server| server.shared.doors[0].peers() == 1);
    let deadlines = format!("{:?}", server.here()).matches("Reverse(").count();
    assert!(deadlines < PEERS / 2, "{deadlines}");
}

#[test]
fn cl15_a_callback_that_took_long_leaves_its_close_the_whole_time() {
    let settings = Settings {
        close_timeout: 1500,
        ..Settings::default()
    };
    let mut server = Server::new(settings, Serving::default(), |told, here| {
        if let Told::Text(peer, _) = told {
            // Longer than the peer has for its answer.
            std::thread::sleep(Duration::from_millis(2000));
            here.close(*peer, Some(4000), "").unwrap();
        }
    });
    let (mut client, _) = server.client();
    client.send(TEXT, b"end");
    let answers = std::thread::spawn(move || {
        let (first, code) = client.frame();
        assert_eq!((first, &code[..]), (CLOSE, &b"\x0f\xa0"[..]));
        client.send(CLOSE, &code);
        client
    });
    assert_eq!(server.expect(closed).1, 4000);
    answers.join().unwrap();
}

#[test]
fn lm03_who_was_told_full_on_another_thread_is_told_drain() {
    const SENDS: usize = 2000;
    let mut server = server(2000, Overflow::Refuse);
    let (mut client, peer) = server.local_client();
    let shared = Arc::clone(&server.shared);
    let sender = std::thread::spawn(move || {
        let mut sent = 0;
        for attempt in 0..SENDS {
            if shared.send(peer, Kind::Binary, &[7; 1000]).is_ok() {
                sent += 1;
                continue;
            }
            let end = Instant::now() + Duration::from_secs(30);
            while shared.program.log.lock().unwrap().drain(..).count() == 0 {
                assert!(Instant::now() < end, "no DRAIN at {attempt}");
                std::thread::yield_now();
            }
        }
        sent
    });
    let reader = std::thread::spawn(move || {
        let mut got = 0;
        while client.frame().1 != b"end" {
            got += 1;
        }
        got
    });
    while !sender.is_finished() {
        server.turn(10);
    }
    let sent: usize = sender.join().unwrap();
    server.here().send(peer, Kind::Binary, b"end").unwrap();
    server.until(|_| reader.is_finished());
    assert_eq!(reader.join().unwrap(), sent);
}
