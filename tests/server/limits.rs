//! How many may come, what is counted, and what is left when they are gone.

use std::net::Shutdown;
use std::sync::atomic::Ordering;

use crate::support::{CLOSE, Client, PONG, Server, TEXT, Told, closed, opened};
use wsembed::config::Serving;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;
use wsembed::server::accept::limit_key;

/// Peers, handshakes, accepted and refused.
fn counted(server: &Server) -> [u64; 4] {
    let gauges = &server.shared.gauges;
    [
        gauges.peers.load(Ordering::Relaxed) as u64,
        gauges.handshakes.load(Ordering::Relaxed) as u64,
        gauges.accepted.load(Ordering::Relaxed),
        gauges.refused.load(Ordering::Relaxed),
    ]
}

/// One that is answered 503.
fn is_refused(server: &mut Server) {
    let mut client = Client::connect(server.address);
    let refused = counted(server)[3];
    server.until(|server| counted(server)[3] > refused);
    assert!(client.head().starts_with("HTTP/1.1 503 "));
    assert!(client.at_end());
}

#[test]
fn lm09_who_is_on_the_way_out_has_a_limit_too() {
    let serving = Serving {
        max_handshakes: 2,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    // Refused for their requests, and in no hurry to hang up.
    let mut rude = Vec::new();
    for number in 0..4 {
        let mut client = Client::connect(server.address);
        client.write(b"?\r\n\r\n");
        server.expect(closed);
        assert!(client.head().starts_with("HTTP/1.1 400 "));
        rude.push(client);
        let lingering = server.shared.gauges.lingering.load(Ordering::Relaxed);
        assert_eq!(lingering, 2.min(number + 1));
    }
    assert_eq!(counted(&server), [0, 0, 4, 0]);
    drop(rude);
    server.until(|server| server.shared.gauges.lingering.load(Ordering::Relaxed) == 0);
}

#[test]
fn lm11_handshakes_have_a_limit_of_their_own() {
    let serving = Serving {
        max_handshakes: 2,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    let (_open, _) = server.client();
    let mut slow: Vec<_> = (0..2).map(|_| Client::connect(server.address)).collect();
    server.until(|server| counted(server)[1] == 2);
    is_refused(&mut server);
    // One is done, and the next may come.
    slow[0].ask();
    server.expect(opened);
    assert_eq!(counted(&server)[1], 1);
    let (_another, _) = server.client();
    // One goes without a word.
    drop(slow.pop());
    server.until(|server| counted(server)[1] == 0);
    assert_eq!(counted(&server), [3, 0, 5, 1]);
}

#[test]
fn lm10_an_ipv6_network_counts_as_one_address() {
    let key = |text: &str| limit_key(text.parse::<std::net::SocketAddr>().unwrap().ip());
    assert_eq!(key("192.0.2.1:80"), key("192.0.2.1:81"));
    assert_ne!(key("192.0.2.1:80"), key("192.0.2.2:80"));
    assert_eq!(
        key("[2001:db8:0:1::1]:80"),
        key("[2001:db8:0:1:ffff::2]:81")
    );
    assert_ne!(key("[2001:db8:0:1::1]:80"), key("[2001:db8:0:2::1]:80"));
}

#[test]
fn lm10_each_end_gives_an_address_its_place_back() {
    let serving = Serving {
        max_peers_of_address: 2,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    for round in 0..20 {
        let (mut one, peer) = server.client();
        let two = Client::connect(server.address);
        server.until(|server| counted(server)[0] == 2);
        is_refused(&mut server);
        // By a close, by a hang-up, by a fault, before the handshake.
        match round % 3 {
            0 => one.send(CLOSE, &[3, 232]),
            1 => one.write(b"GET / HTTP/1.1\r\n\r\n"),
            _ => server.shared.close(peer, None, "").unwrap(),
        }
        drop((one, two));
        server.until(|server| counted(server)[0] == 0);
    }
    assert_eq!(counted(&server), [0, 0, 60, 20]);
}

#[test]
fn lm12_a_storm_of_connections_leaves_nothing() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let address = server.address;
    let storm = std::thread::spawn(move || {
        for number in 0..600 {
            let mut client = Client::connect(address);
            match number % 4 {
                0 => {}
                1 => client.write(b"GET /"),
                2 => client.ask(),
                _ => {
                    client.ask();
                    client.head();
                    client.send(TEXT, b"and gone");
                }
            }
        }
    });
    let mut highest = 0;
    server.until(|server| {
        for told in server.shared.program.log.lock().unwrap().drain(..) {
            if let Some((peer, _)) = closed(&told) {
                highest = highest.max(peer.index());
            }
        }
        storm.is_finished() && counted(server)[2] == 600 && counted(server)[0] == 0
    });
    storm.join().unwrap();
    assert_eq!(counted(&server), [0, 0, 600, 0]);
    assert!(highest < 200, "places are used again: {highest}");
}

#[test]
fn tr27_a_server_ends_while_connections_wait_for_it() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let waiting: Vec<_> = (0..5).map(|_| Client::connect(server.address)).collect();
    server.shared.stop();
    server.until(|server| server.here().is_over());
    assert_eq!(counted(&server)[..2], [0, 0]);
    for client in waiting {
        // Refused, or reset by the end of the listener.
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut &client.socket, &mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 503 "));
    }
}

#[test]
fn ct13_tr11_a_peer_that_the_network_lost_is_found_out() {
    let settings = Settings {
        ping_interval: 50,
        pong_timeout: 1500,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    // It answers one ping, and then nothing: as if its cable were cut.
    let (mut client, peer) = server.client();
    let answering = std::thread::spawn(move || {
        let (_, payload) = client.frame();
        client.send(PONG, &payload);
        client
    });
    server.expect(|told| matches!(told, Told::Pong(from, _) if *from == peer).then_some(()));
    let _client = answering.join().unwrap();
    assert_eq!(server.expect(closed), (peer, 1006));
}

#[test]
fn tr09_a_half_closed_peer_gets_what_waits_for_it() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let (mut client, peer) = server.client();
    client.send(TEXT, &vec![b'x'; 3 << 20]);
    client.socket.shutdown(Shutdown::Write).unwrap();
    let reader = std::thread::spawn(move || {
        let (first, payload) = client.frame();
        (first, payload.len())
    });
    server.until(|_| reader.is_finished());
    assert_eq!(reader.join().unwrap(), (TEXT, 3 << 20));
    assert_eq!(server.expect(closed), (peer, 1006));
}

#[test]
fn tr10_a_peer_that_never_reads_is_let_go_and_holds_nobody_up() {
    // Found out by its silence, or by a ping that it does not answer.
    for (idle_timeout, ping_interval, expected) in [(800, 0, 1001), (0, 300, 1006)] {
        let settings = Settings {
            idle_timeout,
            ping_interval,
            pong_timeout: 500,
            close_timeout: 200,
            send_queue: 200_000,
            ..Settings::default()
        };
        let mut server = Server::echo(settings, Serving::default());
        let (_stalled, peer) = server.local_client();
        while server
            .shared
            .counts(peer)
            .is_ok_and(|counts| counts.waiting < 100_000)
        {
            let _ = server.here().send(peer, Kind::Binary, &[1; 10_000]);
            server.turn(0);
        }
        // Another one is served meanwhile, until the end.
        let mut end = None;
        while server.shared.counts(peer).is_ok() {
            let (mut other, calm) = server.client();
            other.send(TEXT, b"and me?");
            server.until(|server| {
                let told = server.take_told();
                let mut ends = told.iter().filter_map(closed);
                end = end.or(ends.rfind(|(who, _)| *who == peer));
                told.iter()
                    .any(|told| matches!(told, Told::Text(from, _) if *from == calm))
            });
            server.turn(0);
            while other.frame() != (TEXT, b"and me?".to_vec()) {}
        }
        // It may have come while another one's handshake was waited for.
        assert_eq!(end.unwrap_or((peer, expected)), (peer, expected));
    }
}
