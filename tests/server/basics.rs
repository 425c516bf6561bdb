//! One peer, many peers, and their ends.

use std::net::Shutdown;

use crate::support::{
    BINARY, CLOSE, Client, PING, PONG, REQUEST, Server, TEXT, Told, closed, masked,
};
use wsembed::config::Serving;
use wsembed::net::sys::poll;
use wsembed::proto::Error;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;
use wsembed::server::slots::PeerId;

fn echo() -> Server {
    Server::echo(Settings::default(), Serving::default())
}

#[test]
fn fr20_fr30_messages_of_every_length_come_back() {
    let mut server = echo();
    let (mut client, peer) = server.client();
    let thread = std::thread::spawn(move || {
        let mut bytes = 0;
        for length in [0, 1, 125, 126, 127, 16_383, 16_384, 65_535, 65_536, 300_000] {
            let payload: Vec<u8> = (0..length).map(|at: u32| at as u8).collect();
            client.send(BINARY, &payload);
            bytes += masked(BINARY, &payload).len() as u64;
            assert_eq!(client.frame(), (BINARY, payload));
        }
        // Several in one segment, and a ping among them.
        let glued = [
            masked(TEXT, b"one"),
            masked(PING, b"p"),
            masked(TEXT, b"two"),
        ];
        client.write(&glued.concat());
        bytes += glued.concat().len() as u64;
        assert_eq!(client.frame(), (TEXT, b"one".to_vec()));
        assert_eq!(client.frame(), (PONG, b"p".to_vec()));
        assert_eq!(client.frame(), (TEXT, b"two".to_vec()));
        client.send(CLOSE, &[3, 232, b'o', b'k']);
        assert_eq!(client.frame(), (CLOSE, vec![3, 232]));
        assert!(client.at_end());
        bytes
    });
    let mut counts = None;
    server.until(|server| {
        let now = server.shared.counts(peer).ok();
        counts = counts.or(now.filter(|now| now.messages_in == 12));
        server
            .told()
            .iter()
            .any(|told| closed(told) == Some((peer, 1000)))
    });
    let bytes = thread.join().unwrap() + REQUEST.len() as u64;
    let counts = counts.unwrap();
    assert_eq!((counts.messages_in, counts.messages_out), (12, 12));
    assert_eq!(counts.bytes_in, bytes);
    assert_eq!(counts.waiting, 0);
    assert_eq!(server.shared.counts(peer), Err(Error::Gone));
}

#[test]
fn ap07_ap08_a_number_of_a_peer_that_is_gone_is_gone() {
    let mut server = echo();
    let (client, first) = server.client();
    drop(client);
    assert_eq!(server.expect(closed), (first, 1006));
    let (_client, second) = server.client();
    assert_eq!(second.index(), first.index(), "the place is used again");
    for peer in [
        first,
        PeerId(0),
        PeerId(u64::MAX),
        PeerId(second.0 ^ 1 << 40),
    ] {
        assert_eq!(server.here().send(peer, Kind::Text, b"x"), Err(Error::Gone));
        assert_eq!(server.shared.send(peer, Kind::Text, b"x"), Err(Error::Gone));
        assert_eq!(server.shared.close(peer, None, ""), Err(Error::Gone));
        assert_eq!(server.shared.subscribe(peer, "t", true), Err(Error::Gone));
        assert_eq!(server.shared.set_user(peer, 1), Err(Error::Gone));
    }
}

#[test]
fn ap17_any_thread_sends_in_its_order() {
    let mut server = echo();
    let (mut client, peer) = server.client();
    let threads: Vec<_> = (0..4_u8)
        .map(|thread| {
            let shared = std::sync::Arc::clone(&server.shared);
            std::thread::spawn(move || {
                for number in 0..100_u8 {
                    shared.send(peer, Kind::Binary, &[thread, number]).unwrap();
                }
            })
        })
        .collect();
    let reader = std::thread::spawn(move || {
        let mut next = [0_u8; 4];
        for _ in 0..400 {
            let (first, payload) = client.frame();
            assert_eq!(first, BINARY);
            let thread = usize::from(payload[0]);
            assert_eq!(payload[1], next[thread]);
            next[thread] += 1;
        }
        client
    });
    server.until(|_| reader.is_finished());
    let _client = reader.join().unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(server.shared.counts(peer).unwrap().waiting, 0);
}

#[test]
fn ap17_what_was_sent_before_a_turn_leaves_before_what_its_callbacks_send() {
    let mut server = echo();
    let (mut client, peer) = server.client();
    client.send(TEXT, b"second");
    // The message is there before the wake-up is.
    let fd = server.here().poll_fd().unwrap();
    assert_eq!(poll(fd, libc::POLLIN, -1), Ok(true));
    server.shared.send(peer, Kind::Text, b"first").unwrap();
    server.until(|server| {
        let counts = server.shared.counts(peer).unwrap();
        counts.messages_out == 2
    });
    assert_eq!(client.frame(), (TEXT, b"first".to_vec()));
    assert_eq!(client.frame(), (TEXT, b"second".to_vec()));
}

#[test]
fn a_topic_reaches_its_subscribers_and_all_reaches_all() {
    let mut server = echo();
    let mut clients: Vec<_> = (0..5).map(|_| server.client()).collect();
    let peers: Vec<_> = clients.iter().map(|(_, peer)| *peer).collect();
    for peer in &peers[..3] {
        server.shared.subscribe(*peer, "news", true).unwrap();
    }
    server.shared.subscribe(peers[1], "news", false).unwrap();
    let shared = std::sync::Arc::clone(&server.shared);
    shared
        .publish(Some("news"), Kind::Text, b"n", None)
        .unwrap();
    shared
        .publish(Some("rain"), Kind::Text, b"r", None)
        .unwrap();
    shared
        .publish(None, Kind::Binary, b"all", Some(peers[4]))
        .unwrap();
    server.turn(10_000);
    for (at, (client, peer)) in clients.iter_mut().enumerate() {
        server.here().send(*peer, Kind::Text, b"end").unwrap();
        server.turn(0);
        if at == 0 || at == 2 {
            assert_eq!(client.frame(), (TEXT, b"n".to_vec()));
        }
        if at != 4 {
            assert_eq!(client.frame(), (BINARY, b"all".to_vec()));
        }
        assert_eq!(client.frame(), (TEXT, b"end".to_vec()));
    }
}

#[test]
fn what_a_callback_publishes_keeps_its_place_among_what_it_sends() {
    let mut server = Server::new(Settings::default(), Serving::default(), |told, here| {
        if let Told::Text(peer, _) = told {
            here.send(*peer, Kind::Text, b"first").unwrap();
            here.publish(None, Kind::Text, b"to all", None).unwrap();
            here.send(*peer, Kind::Text, b"last").unwrap();
        }
    });
    let (mut quiet, _) = server.client();
    let (mut client, _) = server.client();
    client.send(TEXT, b"go");
    server.expect(|told| matches!(told, Told::Text(..)).then_some(()));
    for expected in ["first", "to all", "last"] {
        assert_eq!(client.frame(), (TEXT, expected.into()));
    }
    server.turn(0);
    assert_eq!(quiet.frame(), (TEXT, b"to all".to_vec()));
}

#[test]
fn lm03_a_client_that_never_reads_is_refused_and_costs_no_more_than_the_limit() {
    let settings = Settings {
        send_queue: 1 << 20,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let (mut client, peer) = server.client();
    let chunk = vec![7; 10_000];
    let mut sent = 0;
    loop {
        match server.here().send(peer, Kind::Binary, &chunk) {
            Ok(()) => sent += 1,
            Err(error) => {
                assert_eq!(error, Error::Full);
                break;
            }
        }
        server.turn(0);
    }
    assert_eq!(
        server.shared.send(peer, Kind::Binary, &chunk),
        Err(Error::Full)
    );
    let waiting = server.shared.counts(peer).unwrap().waiting;
    assert!(
        waiting <= (1 << 20) && waiting > (1 << 20) - 20_000,
        "{waiting}"
    );
    // Once it reads, everything that was taken comes, then DRAIN is told.
    let reader = std::thread::spawn(move || {
        for _ in 0..sent {
            assert_eq!(client.frame(), (BINARY, vec![7; 10_000]));
        }
        client
    });
    server.expect(|told| (*told == Told::Drain(peer)).then_some(()));
    reader.join().unwrap();
    assert_eq!(server.shared.counts(peer).unwrap().waiting, 0);
    assert_eq!(server.here().send(peer, Kind::Binary, &chunk), Ok(()));
}

#[test]
fn lm04_an_echo_that_is_not_read_pauses_reading() {
    let settings = Settings {
        send_queue: 1 << 20,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    let (client, peer) = server.client();
    let mut writer = client.socket.try_clone().unwrap();
    // Far more than the two sockets hold; the echo is never refused.
    let total = 3000;
    let thread = std::thread::spawn(move || {
        use std::io::Write;
        for number in 0..total {
            let mut payload = vec![0; 10_000];
            payload[..4].copy_from_slice(&u32::to_be_bytes(number));
            writer.write_all(&masked(BINARY, &payload)).unwrap();
        }
    });
    // The writer stops when everything between it and the server is full.
    let mut quiet = 0;
    let mut last = 0;
    server.until(|server| {
        let counts = server.shared.counts(peer).unwrap();
        assert!(counts.waiting < 1 << 20);
        quiet = if counts.bytes_in == last {
            quiet + 1
        } else {
            0
        };
        last = counts.bytes_in;
        quiet > 20
    });
    assert!(last < u64::from(total) * 10_000);
    let mut client = Client {
        socket: client.socket,
    };
    let reader = std::thread::spawn(move || {
        for number in 0..total {
            let (_, payload) = client.frame();
            assert_eq!(payload[..4], u32::to_be_bytes(number));
        }
    });
    server.until(|_| reader.is_finished());
    reader.join().unwrap();
    thread.join().unwrap();
}

#[test]
fn cl18_ap09_the_end_is_told_once_and_nothing_after_it() {
    let mut server = echo();
    // The client's kernel ends the stream without a close frame.
    let (client, peer) = server.client();
    client.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.expect(closed), (peer, 1006));
    assert_eq!(server.here().send(peer, Kind::Text, b"x"), Err(Error::Gone));
    // The program closes; the client answers.
    let (mut client, peer) = server.client();
    server.shared.close(peer, Some(4000), "enough").unwrap();
    let thread = std::thread::spawn(move || {
        assert_eq!(client.frame(), (CLOSE, b"\x0f\xa0enough".to_vec()));
        client.send(CLOSE, &[0x0F, 0xA0]);
        assert!(client.at_end());
    });
    assert_eq!(server.expect(closed), (peer, 4000));
    server.until(|_| thread.is_finished());
    thread.join().unwrap();
    assert_eq!(server.told(), []);
}

#[test]
fn fr07_fr33_a_client_that_breaks_a_rule_gets_the_close_frame_to_read() {
    let mut server = echo();
    let (mut client, peer) = server.client();
    // An unmasked frame, and much behind it that is never read.
    let mut bytes = vec![0x82, 0x01, 0x00];
    bytes.extend(vec![0x55; 200_000]);
    let thread = std::thread::spawn(move || {
        client.write(&bytes);
        let (first, payload) = client.frame();
        assert_eq!((first, &payload[..2]), (CLOSE, &[3, 234][..]));
        client.socket.shutdown(Shutdown::Write).unwrap();
        assert!(client.at_end());
    });
    assert_eq!(server.expect(closed), (peer, 1002));
    server.until(|_| thread.is_finished());
    thread.join().unwrap();
}

#[test]
fn lm09_lm10_limits_refuse_politely() {
    let serving = Serving {
        max_peers: 2,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    let (one, first) = server.client();
    let (_two, _) = server.client();
    let mut third = Client::connect(server.address);
    let thread = std::thread::spawn(move || {
        assert!(third.head().starts_with("HTTP/1.1 503 "));
        assert!(third.at_end());
    });
    server.until(|_| thread.is_finished());
    thread.join().unwrap();
    drop(one);
    assert_eq!(server.expect(closed).0, first);
    server.client();
    let serving = Serving {
        max_peers_of_address: 1,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    let (one, first) = server.client();
    let mut second = Client::connect(server.address);
    server.turn(10_000);
    assert!(second.head().starts_with("HTTP/1.1 503 "));
    drop(one);
    assert_eq!(server.expect(closed).0, first);
    server.client();
}

#[test]
fn a_stopped_server_says_goodbye_and_ends() {
    let mut server = echo();
    let (mut polite, first) = server.client();
    let (_silent, _) = server.client();
    let serving = Serving {
        stop_timeout: 2000,
        ..Serving::default()
    };
    drop(server);
    let mut server = Server::echo(Settings::default(), serving);
    assert!(polite.at_end());
    let (mut polite, polite_id) = server.client();
    let (mut silent, silent_id) = server.client();
    assert_eq!(first.index(), polite_id.index());
    server.shared.stop();
    let thread = std::thread::spawn(move || {
        let (first, payload) = polite.frame();
        assert_eq!((first, &payload[..2]), (CLOSE, &[3, 233][..]));
        polite.send(CLOSE, &[3, 233]);
        assert!(polite.at_end());
    });
    server.until(|server| server.here().is_over());
    thread.join().unwrap();
    let ends: Vec<_> = server.told().iter().filter_map(closed).collect();
    assert_eq!(ends, [(polite_id, 1001), (silent_id, 1006)]);
    assert_eq!(silent.frame().0, CLOSE);
    assert!(silent.at_end());
    assert!(std::net::TcpStream::connect(server.address).is_err());
}
