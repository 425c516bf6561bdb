//! `WEBSOCKET_OVERFLOW_BLOCK`: threads that wait for room.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::support::{Client, Server};
use wsembed::config::Serving;
use wsembed::proto::Error;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::{Overflow, Settings};
use wsembed::server::slots::PeerId;

const BINARY: u8 = 0x82;
const LENGTH: usize = 10_000;
/// More than two sockets and the queue hold.
const MANY: u32 = 2000;

fn server(block_timeout: u64) -> Server {
    let settings = Settings {
        send_queue: 200_000,
        ..Settings::default()
    };
    let serving = Serving {
        overflow: Overflow::Block,
        block_timeout,
        ..Serving::default()
    };
    Server::echo(settings, serving)
}

/// A thread that sends until it is refused.
fn sender(server: &Server, peer: PeerId) -> JoinHandle<(u32, Result<(), Error>)> {
    let shared = Arc::clone(&server.shared);
    std::thread::spawn(move || {
        for number in 0..MANY {
            let mut payload = vec![0; LENGTH];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            if let Err(error) = shared.send_or_wait(peer, Kind::Binary, &payload) {
                return (number, Err(error));
            }
        }
        (MANY, Ok(()))
    })
}

/// Turns until a thread waits.
fn until_one_waits(server: &mut Server) {
    server.until(|server| server.shared.doors[0].room.waiting() > 0);
}

fn outcome(
    server: &mut Server,
    thread: JoinHandle<(u32, Result<(), Error>)>,
) -> (u32, Result<(), Error>) {
    server.until(|_| thread.is_finished());
    thread.join().unwrap()
}

fn read_all(mut client: Client) -> JoinHandle<Client> {
    std::thread::spawn(move || {
        for number in 0..MANY {
            let (first, payload) = client.frame();
            assert_eq!((first, payload.len()), (BINARY, LENGTH));
            assert_eq!(payload[..4], number.to_be_bytes());
        }
        client
    })
}

#[test]
fn lm03_a_thread_waits_until_the_peer_reads() {
    let mut server = server(u64::MAX);
    let (client, peer) = server.client();
    let thread = sender(&server, peer);
    until_one_waits(&mut server);
    let waiting = server.shared.counts(peer).unwrap().waiting;
    assert!(waiting <= 210_000, "{waiting}");
    let reader = read_all(client);
    assert_eq!(outcome(&mut server, thread), (MANY, Ok(())));
    server.until(|_| reader.is_finished());
    let _client = reader.join().unwrap();
    server.turn(0);
    assert_eq!(server.shared.counts(peer).unwrap().waiting, 0);
}

#[test]
fn a_thread_that_waited_in_vain_is_refused() {
    let mut server = server(1);
    let (_client, peer) = server.client();
    let thread = sender(&server, peer);
    let (sent, last) = outcome(&mut server, thread);
    assert!(sent < MANY);
    assert_eq!(last, Err(Error::Full));
}

#[test]
fn ap09_a_thread_that_waits_hears_of_the_end_of_its_peer() {
    let mut server = server(u64::MAX);
    let (client, peer) = server.client();
    let thread = sender(&server, peer);
    until_one_waits(&mut server);
    drop(client);
    let (sent, last) = outcome(&mut server, thread);
    assert!(sent < MANY);
    assert_eq!(last, Err(Error::Gone));
}

#[test]
fn a_thread_that_waits_hears_that_the_server_stops() {
    let mut server = server(u64::MAX);
    let (_client, peer) = server.client();
    let threads = [sender(&server, peer), sender(&server, peer)];
    server.until(|server| server.shared.doors[0].room.waiting() == 2);
    server.shared.stop();
    for thread in threads {
        let (_, last) = outcome(&mut server, thread);
        assert_eq!(last, Err(Error::Closed));
    }
}

#[test]
fn the_loops_own_thread_is_refused_at_once() {
    let mut server = server(u64::MAX);
    let (_client, peer) = server.client();
    let payload = vec![0; LENGTH];
    let mut sent = 0;
    let refused = loop {
        let outcome = if sent % 2 == 0 {
            server.here().send(peer, Kind::Binary, &payload)
        } else {
            server.shared.send_or_wait(peer, Kind::Binary, &payload)
        };
        if let Err(error) = outcome {
            break error;
        }
        sent += 1;
        assert!(sent < MANY);
        server.turn(0);
    };
    assert_eq!(refused, Error::Full);
    let waiting = server.shared.counts(peer).unwrap().waiting;
    assert!(waiting <= 210_000, "{waiting}");
}
