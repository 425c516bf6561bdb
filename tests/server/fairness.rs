//! That nobody is served at the others' expense. Counted in turns, not timed.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{BINARY, CLOSE, Client, PING, PONG, Server, TEXT, Told, closed, masked};
use wsembed::config::Serving;
use wsembed::proto::Error;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;
use wsembed::server::slots::PeerId;

fn echo() -> Server {
    Server::echo(Settings::default(), Serving::default())
}

/// Sends the same bytes over and over, as far as the kernel takes them.
struct Flood {
    socket: TcpStream,
    bytes: Vec<u8>,
    at: usize,
}

impl Flood {
    fn new(client: &Client, bytes: Vec<u8>) -> Flood {
        let socket = client.socket.try_clone().unwrap();
        Flood {
            socket,
            bytes,
            at: 0,
        }
    }

    /// Returns how much that was.
    fn go_on(&mut self) -> usize {
        self.socket.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(more) = self.socket.write(&self.bytes[self.at..]) {
            sent += more;
            self.at = (self.at + more) % self.bytes.len();
        }
        self.socket.set_nonblocking(false).unwrap();
        sent
    }
}

/// What was told, by peer.
fn tally(server: &Server) -> HashMap<PeerId, usize> {
    let mut counts = HashMap::new();
    for told in server.shared.program.log.lock().unwrap().drain(..) {
        let (Told::Text(peer, _) | Told::Binary(peer, _) | Told::Ping(peer, _)) = told else {
            continue;
        };
        *counts.entry(peer).or_insert(0) += 1;
    }
    counts
}

#[test]
fn ct10_a_flood_of_small_frames_holds_nobody_up() {
    // Pings, empty messages, fragments of one byte: as many as the sockets
    // hold before the server looks for the first time.
    let ping = masked(PING, b"");
    let empty = masked(TEXT, b"");
    let fragment = [masked(TEXT & 0x7F, b"a"), masked(0x80, b"b")].concat();
    for (frames, each) in [(ping, 6), (empty, 6), (fragment, 7)] {
        let mut server = echo();
        let (flooder, flood) = server.client();
        let (mut other, calm) = server.client();
        let sent = Flood::new(&flooder, frames.repeat(10_000)).go_on();
        assert!(sent > 500_000, "{sent}");
        other.send(TEXT, b"and me?");
        // Both are ready: the very first turn serves both, and tells of the
        // flood no more than one share.
        server.turn(60_000);
        let counts = tally(&server);
        assert_eq!(counts.get(&calm), Some(&1));
        let share = counts[&flood];
        assert!(share <= (64 << 10) / each, "{share}");
        assert_eq!(other.frame(), (TEXT, b"and me?".to_vec()));
    }
}

#[test]
fn a_flood_of_long_messages_holds_nobody_up() {
    let mut server = echo();
    let (flooder, flood) = server.client();
    let (mut other, calm) = server.client();
    let sent = Flood::new(&flooder, masked(BINARY, &[7; 20_000]).repeat(10)).go_on();
    assert!(sent > 500_000, "{sent}");
    for turn in 0..3 {
        other.send(TEXT, b"and me?");
        server.turn(60_000);
        let counts = tally(&server);
        assert_eq!(counts.get(&calm), Some(&1), "{turn}");
        assert!(
            counts
                .get(&flood)
                .is_none_or(|count| count * 20_000 <= 288 << 10)
        );
        assert_eq!(other.frame(), (TEXT, b"and me?".to_vec()));
    }
}

#[test]
fn ct09_a_ping_flood_that_reads_nothing_is_read_no_further_and_holds_nobody_up() {
    let settings = Settings {
        send_queue: 64 << 10,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let (flooder, flood) = server.client();
    let (mut other, _) = server.client();
    // Pings, until their pongs fill everything.
    let mut pings = Flood::new(&flooder, masked(PING, &[9; 125]).repeat(1000));
    for _ in 0..40 {
        pings.go_on();
        for _ in 0..10 {
            server.turn(0);
        }
        assert!(server.shared.counts(flood).unwrap().waiting <= 64 << 10);
        other.send(TEXT, b"still there?");
        server.turn(60_000);
        assert_eq!(other.frame(), (TEXT, b"still there?".to_vec()));
    }
}

#[test]
fn a_stream_that_its_reader_keeps_up_with_holds_nobody_up() {
    // At DRAIN the program sends until it is told FULL, and the client reads
    // everything at once: there is always something to send.
    let reader: Arc<Mutex<Option<TcpStream>>> = Arc::default();
    let (rounds, eager) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&reader));
    let counted = Arc::clone(&rounds);
    let settings = Settings {
        send_queue: 100_000,
        ..Settings::default()
    };
    let mut server = Server::new(settings, Serving::default(), move |told, here| {
        let (Told::Text(peer, _) | Told::Drain(peer)) = told else {
            return;
        };
        if counted.fetch_add(1, Ordering::Relaxed) > 100 {
            return;
        }
        while here.send(*peer, Kind::Binary, &[1; 4000]) == Ok(()) {}
        let mut eager = eager.lock().unwrap();
        let socket = eager.as_mut().unwrap();
        let mut buffer = vec![0; 1 << 20];
        while socket.read(&mut buffer).is_ok_and(|got| got > 0) {}
    });
    let (mut client, _) = server.client();
    let own = client.socket.try_clone().unwrap();
    own.set_nonblocking(true).unwrap();
    *reader.lock().unwrap() = Some(own);
    client.socket.set_nonblocking(true).unwrap();
    client.send(TEXT, b"go on");
    let mut last = 0;
    for _ in 0..20 {
        server.turn(60_000);
        let now = rounds.load(Ordering::Relaxed);
        // What came, what that turn has sent, and what was sent meanwhile.
        assert!(now <= last + 3, "{} rounds in one turn", now - last);
        last = now;
    }
    assert!(last > 5, "{last}");
}

#[test]
fn lm04_lm05_reading_pauses_at_the_mark_and_the_close_has_its_room() {
    let settings = Settings {
        send_queue: 200_000,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let (client, peer) = server.client();
    let mut messages = Flood::new(&client, masked(BINARY, &[5; 4000]).repeat(100));
    let mut quiet = 0;
    let mut last = 0;
    while quiet < 20 {
        messages.go_on();
        server.turn(0);
        let counts = server.shared.counts(peer).unwrap();
        assert!(counts.waiting <= 200_000, "{}", counts.waiting);
        quiet = if counts.bytes_in == last {
            quiet + 1
        } else {
            0
        };
        last = counts.bytes_in;
    }
    assert!(server.shared.counts(peer).unwrap().waiting >= 100_000);
    // Up to the limit, and the close frame behind all of it.
    while server.here().send(peer, Kind::Binary, &[6; 4000]) == Ok(()) {
        server.turn(0);
    }
    assert_eq!(server.shared.close(peer, Some(1000), "bye"), Ok(()));
    drop(messages);
    let mut client = client;
    let reader = std::thread::spawn(move || {
        loop {
            let (first, payload) = client.frame();
            if first == CLOSE {
                assert_eq!(payload, b"\x03\xe8bye");
                // Behind what it has sent of a message, if any.
                drop(client);
                return;
            }
            assert_eq!(payload.len(), 4000);
        }
    });
    server.until(|_| reader.is_finished());
    reader.join().unwrap();
    assert!(server.expect(closed).0 == peer);
    assert_eq!(server.here().send(peer, Kind::Text, b"x"), Err(Error::Gone));
}

#[test]
fn ct12_a_pong_stands_between_the_messages_of_a_queue() {
    let mut server = echo();
    let (mut client, peer) = server.client();
    client.send(PING, b"between");
    let mut sent = 0;
    while server.shared.counts(peer).unwrap().waiting < 100_000 {
        server
            .here()
            .send(peer, Kind::Binary, &[8; 30_000])
            .unwrap();
        sent += 1;
        server.turn(0);
    }
    let reader = std::thread::spawn(move || {
        let mut pongs = 0;
        for _ in 0..=sent {
            match client.frame() {
                (PONG, payload) => {
                    assert_eq!(payload, b"between");
                    pongs += 1;
                }
                (first, payload) => assert_eq!((first, payload), (BINARY, vec![8; 30_000])),
            }
        }
        assert_eq!(pongs, 1);
    });
    server.until(|_| reader.is_finished());
    reader.join().unwrap();
}
