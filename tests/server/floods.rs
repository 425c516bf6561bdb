//! Clients that no server wishes for: what they cost is bounded. Counted in
//! turns, frames and bytes, not timed.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{BINARY, CLOSE, Client, PING, Server, TEXT, Told, closed, masked, opened};
use wsembed::config::Serving;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;

/// Writes as much of an endless repetition as the sockets take at once.
fn fill(client: &Client, frame: &[u8]) -> usize {
    let mut socket = client.socket.try_clone().unwrap();
    let bytes = frame.repeat(10_000);
    let mut sent = 0;
    socket.set_nonblocking(true).unwrap();
    while let Ok(more) = socket.write(&bytes[sent % bytes.len()..]) {
        sent += more;
    }
    socket.set_nonblocking(false).unwrap();
    sent
}

/// How many pings were told since this was last asked, and whether a text was.
fn pings_and_texts(server: &Server) -> (usize, usize) {
    let (mut pings, mut texts) = (0, 0);
    for told in server.take_told() {
        match told {
            Told::Ping(..) => pings += 1,
            Told::Text(..) => texts += 1,
            _ => {}
        }
    }
    (pings, texts)
}

#[test]
fn ct10_forty_floods_cost_a_calm_client_no_more_than_two() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let flooders: Vec<_> = (0..40).map(|_| server.client()).collect();
    let (mut calm, _) = server.client();
    for (flooder, _) in &flooders {
        assert!(fill(flooder, &masked(PING, b"")) > 100_000);
    }
    // Each has its share once: from then on they are known to be greedy.
    server.turn(60_000);
    let (first, _) = pings_and_texts(&server);
    let share = first / flooders.len();
    for round in 0..20 {
        calm.send(TEXT, b"and me?");
        server.turn(60_000);
        let (pings, texts) = pings_and_texts(&server);
        assert_eq!(texts, 1, "round {round}");
        assert!(
            pings > 0 && pings <= 2 * share,
            "{pings}, a share is {share}"
        );
        assert_eq!(calm.frame(), (TEXT, b"and me?".to_vec()));
    }
    // They have their turns all the same, one after the other.
    let mut served = std::collections::HashSet::new();
    for _ in 0..40 {
        server.turn(60_000);
        for told in server.take_told() {
            if let Told::Ping(peer, _) = told {
                served.insert(peer);
            }
        }
    }
    assert_eq!(served.len(), flooders.len());
}

#[test]
fn ct10_long_messages_before_a_flood_do_not_widen_its_share_for_long() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let (mut flooder, peer) = server.client();
    let (_calm, _) = server.client();
    // The server's reading of long messages doubles, up to a limit.
    for _ in 0..30 {
        flooder.send(BINARY, &[7; 100_000]);
        server.expect(|told| matches!(told, Told::Binary(..)).then_some(()));
        assert_eq!(flooder.frame().1.len(), 100_000);
    }
    fill(&flooder, &masked(PING, b""));
    let mut told = Vec::new();
    while told.len() < 4 {
        server.turn(60_000);
        let (pings, _) = pings_and_texts(&server);
        if pings > 0 {
            told.push(pings);
        }
    }
    // One read of the loop's whole buffer; then the usual share, which a peer may
    // have twice in a turn that it has for itself.
    let (whole, share) = ((288 << 10) / 6 + 1, (8 << 10) / 6 + 1);
    assert!(told[0] <= whole + share, "{told:?}");
    for pings in &told[1..] {
        assert!(*pings <= 2 * share, "{told:?}");
    }
    assert!(server.shared.counts(peer).is_ok());
}

#[test]
fn fr27_fr28_endless_fragments_end_at_the_limit() {
    let limits = Settings {
        max_message: 5000,
        max_fragments: 6000,
        ..Settings::default()
    };
    let few = Settings {
        max_fragments: 300,
        ..limits.clone()
    };
    // One byte each; empty, where only their number counts; many at once.
    for (settings, size) in [(&limits, 1), (&few, 1), (&few, 0), (&limits, 700)] {
        let mut server = Server::echo(settings.clone(), Serving::default());
        let (mut flooder, _) = server.client();
        flooder.send(BINARY & 0x7F, &vec![7; size]);
        let frame = masked(0, &vec![7; size]);
        let mut socket = flooder.socket.try_clone().unwrap();
        let stubborn = size == 700;
        let writer = std::thread::spawn(move || {
            if stubborn {
                // It goes on, whatever it hears, until the server has hung up.
                while socket.write_all(&frame.repeat(1000)).is_ok() {}
            } else {
                let _ = socket.write_all(&frame.repeat(8000));
            }
        });
        let (_, code) = server.expect(closed);
        assert_eq!(code, 1009, "{size}");
        let (first, body) = flooder.frame();
        assert_eq!((first, &body[..2]), (CLOSE, &[3, 241][..]), "{size}");
        if !stubborn {
            drop(flooder);
        }
        server.until(|_| writer.is_finished());
        writer.join().unwrap();
    }
}

#[test]
fn lm04_what_piled_up_unread_comes_in_its_order_and_not_all_in_one_turn() {
    const COUNT: u32 = 60_000;
    let mut server = Server::echo(Settings::default(), Serving::default());
    let (mut client, peer) = server.client();
    for number in 0..COUNT {
        // Of all lengths, short ones above all; some are sent by themselves.
        let length = if number % 5000 == 0 {
            20_000
        } else {
            4 + number as usize % 60
        };
        let mut payload = vec![number as u8; length];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        server.here().send(peer, Kind::Binary, &payload).unwrap();
    }
    server.turn(0);
    let reader = std::thread::spawn(move || {
        for number in 0..COUNT {
            let (first, payload) = client.frame();
            assert_eq!((first, &payload[..4]), (BINARY, &number.to_be_bytes()[..]));
            assert!(payload[4..].iter().all(|byte| *byte == number as u8));
        }
        client
    });
    let mut sent = server.shared.counts(peer).unwrap().bytes_out;
    server.until(|server| {
        let now = server.shared.counts(peer).unwrap().bytes_out;
        let more = now - std::mem::replace(&mut sent, now);
        // The share, and the last message or batch that began within it.
        assert!(more <= (128 + 64 + 20) << 10, "{more} bytes in one turn");
        reader.is_finished()
    });
    reader.join().unwrap();
    assert_eq!(server.shared.counts(peer).unwrap().waiting, 0);
}

#[test]
fn lm11_clients_that_were_refused_and_do_not_hang_up_are_few() {
    let serving = Serving {
        max_handshakes: 3,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    let lingering = |server: &Server| {
        let gauge = &server.shared.gauges.lingering;
        gauge.load(Ordering::Relaxed)
    };
    let mut held = Vec::new();
    for number in 1..=10 {
        let mut client = Client::connect(server.address);
        client.write(b"this is no request\r\n\r\n");
        let mut answer = Vec::new();
        client.socket.set_nonblocking(true).unwrap();
        server.until(|_| {
            let mut some = [0; 512];
            match client.socket.read(&mut some) {
                Ok(got) => {
                    answer.extend_from_slice(&some[..got]);
                    got == 0
                }
                Err(error) => error.kind() != ErrorKind::WouldBlock,
            }
        });
        assert!(answer.starts_with(b"HTTP/1.1 400 "));
        server.until(|server| lingering(server) == number.min(3));
        held.push(client);
    }
    // The last ones were let go at once; the first ones hang up.
    drop(held);
    server.until(|server| lingering(server) == 0);
    let (_client, _) = server.client();
}

#[test]
fn lm12_a_storm_of_connections_leaves_nothing() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let (mut calm, _) = server.client();
    let address = server.address;
    let shared = Arc::clone(&server.shared);
    let accepted = move || shared.gauges.accepted.load(Ordering::Relaxed);
    let storm = std::thread::spawn(move || {
        for number in 0..3000 {
            // More than may wait to be accepted would be turned away by the
            // kernel, and tried again a second later.
            while accepted() + 50 < number {
                std::thread::yield_now();
            }
            let mut client = Client::connect(address);
            match number % 5 {
                0 => {}
                1 => client.write(b"GET / HT"),
                2 => client.ask(),
                3 => {
                    client.ask();
                    client.send(CLOSE, &[3, 232]);
                }
                _ => {
                    client.ask();
                    client.send(TEXT, b"an echo that is not read");
                }
            }
        }
    });
    let mut told = 0;
    server.until(|server| {
        told += server.take_told().iter().filter_map(opened).count();
        storm.is_finished()
    });
    storm.join().unwrap();
    let gauges = |server: &Server| {
        let gauges = &server.shared.gauges;
        [&gauges.peers, &gauges.handshakes, &gauges.lingering]
            .map(|gauge| gauge.load(Ordering::Relaxed))
    };
    server.until(|server| gauges(server) == [1, 0, 0]);
    assert!(told > 0);
    calm.send(TEXT, b"still there?");
    server
        .expect(|told| matches!(told, Told::Text(_, text) if text == "still there?").then_some(()));
    assert_eq!(calm.frame(), (TEXT, b"still there?".to_vec()));
}

#[test]
fn lm11_handshakes_that_are_overdue_together_are_ended_some_a_turn() {
    const COUNT: usize = 150;
    let settings = Settings {
        handshake_timeout: 200,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let mut clients = Vec::new();
    for number in 1..=COUNT as u64 {
        let mut client = Client::connect(server.address);
        client.write(b"GET / HTTP/1.1\r\nX-Slow: s");
        clients.push(client);
        server.until(|server| {
            let accepted = &server.shared.gauges.accepted;
            accepted.load(Ordering::Relaxed) == number
        });
    }
    // Those that came last are overdue by then, too.
    std::thread::sleep(Duration::from_millis(300));
    let count = |server: &Server| server.take_told().iter().filter_map(closed).count();
    let (mut ended, mut most) = (count(&server), 0);
    while ended < COUNT {
        server.turn(60_000);
        let more = count(&server);
        (ended, most) = (ended + more, most.max(more));
    }
    // 64, and any of which there was something to read.
    assert!(most < COUNT / 2, "{most} in one turn");
    for client in &mut clients {
        assert!(client.head().starts_with("HTTP/1.1 408 "));
    }
}

#[test]
fn lm04_an_echo_that_is_read_late_is_not_refused() {
    // Medium ones: what is read of them at once doubles, to far more than may
    // wait. Tiny ones cost much more than their bytes while they wait.
    for size in [2000, 30, 0] {
        let settings = Settings {
            send_queue: 64 << 10,
            ..Settings::default()
        };
        let refused = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&refused);
        let mut server = Server::new(settings, Serving::default(), move |told, here| {
            if let Told::Binary(peer, data) = told {
                if here.send(*peer, Kind::Binary, data).is_err() {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let (client, _) = server.client();
        // Until nothing goes any more.
        let bytes = masked(BINARY, &vec![7; size]).repeat(1_000_000 / (size + 6));
        let mut socket = client.socket.try_clone().unwrap();
        socket.set_nonblocking(true).unwrap();
        let (mut sent, mut stuck) = (0, 0);
        while stuck < 50 {
            stuck += 1;
            while let Ok(more) = socket.write(&bytes[sent % bytes.len()..]) {
                (sent, stuck) = (sent + more, 0);
            }
            server.turn(1);
        }
        assert!(sent > 1 << 20, "{sent}");
        assert_eq!(refused.load(Ordering::Relaxed), 0, "{size}");
    }
}
