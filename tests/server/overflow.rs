//! What becomes of messages when too much waits for a peer.

use std::sync::Arc;

use crate::support::{BINARY, CLOSE, Client, Server, Told, closed};
use wsembed::config::Serving;
use wsembed::proto::Error;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::{Overflow, Settings};
use wsembed::server::slots::PeerId;

const QUEUE: usize = 100_000;

fn server(overflow: Overflow) -> Server {
    let settings = Settings {
        send_queue: QUEUE,
        ..Settings::default()
    };
    let serving = Serving {
        overflow,
        ..Serving::default()
    };
    Server::echo(settings, serving)
}

fn message(number: u32) -> Vec<u8> {
    let mut payload = vec![0; 4000];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    payload
}

/// Fills the socket between the server and a client that does not read:
/// messages up to the number that is returned were sent, and little waits.
fn fill(server: &mut Server, peer: PeerId) -> u32 {
    let mut number = 0;
    while server.shared.counts(peer).unwrap().waiting == 0 {
        let sent = server.here().send(peer, Kind::Binary, &message(number));
        assert_eq!(sent, Ok(()));
        number += 1;
        server.turn(0);
    }
    number
}

/// The numbers that a client gets, up to `last`, and its close code, if any.
fn read(client: &mut Client, last: u32) -> (Vec<u32>, Option<u16>) {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let (first, payload) = client.frame();
        if first == CLOSE {
            return (numbers, Some(u16::from_be_bytes([payload[0], payload[1]])));
        }
        assert_eq!((first, payload.len()), (BINARY, 4000));
        let number = payload.first_chunk().copied().unwrap();
        numbers.push(u32::from_be_bytes(number));
    }
    (numbers, None)
}

/// The first that had to wait, what the sender was told, what the client got,
/// and its close code.
type Overfilled = (u32, Vec<Result<(), Error>>, Vec<u32>, Option<u16>);

/// Sends a hundred more than fit; what the loop's own thread is told, and what
/// the client gets.
fn overfill(overflow: Overflow, elsewhere: bool) -> Overfilled {
    let mut server = server(overflow);
    let (mut client, peer) = server.local_client();
    let first = fill(&mut server, peer);
    let mut results = Vec::new();
    for number in first..first + 100 {
        let result = if elsewhere {
            let shared = Arc::clone(&server.shared);
            let sent =
                std::thread::spawn(move || shared.send(peer, Kind::Binary, &message(number)));
            let result = sent.join().unwrap();
            server.turn(0);
            result
        } else {
            server.here().send(peer, Kind::Binary, &message(number))
        };
        results.push(result);
        let waiting = server
            .shared
            .counts(peer)
            .map_or(0, |counts| counts.waiting);
        assert!(waiting <= QUEUE, "{waiting}");
    }
    let accepted = results.iter().rposition(Result::is_ok).unwrap() as u32;
    let reader = std::thread::spawn(move || (read(&mut client, first + accepted), client));
    server.until(|_| reader.is_finished());
    let ((numbers, code), client) = reader.join().unwrap();
    if overflow == Overflow::Close {
        drop(client);
        assert_eq!(server.expect(closed).0, peer);
    } else if results.contains(&Err(Error::Full)) {
        server.expect(|told| (*told == Told::Drain(peer)).then_some(()));
        assert_eq!(server.here().send(peer, Kind::Binary, b"again"), Ok(()));
    }
    (first, results, numbers, code)
}

#[test]
fn lm03_a_full_queue_refuses_and_keeps_its_order() {
    for elsewhere in [false, true] {
        let (first, results, numbers, code) = overfill(Overflow::Refuse, elsewhere);
        let taken = results.iter().filter(|result| result.is_ok()).count();
        assert!((15..30).contains(&taken), "{taken}");
        assert!(
            results[taken..]
                .iter()
                .all(|result| *result == Err(Error::Full))
        );
        assert_eq!(numbers, (0..first + taken as u32).collect::<Vec<_>>());
        assert_eq!(code, None);
    }
}

#[test]
fn lm03_the_oldest_make_room() {
    for elsewhere in [false, true] {
        let (first, results, numbers, code) = overfill(Overflow::DropOldest, elsewhere);
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(code, None);
        // A gap, and behind it the newest, without another.
        let newest = numbers.iter().rev().zip((0..first + 100).rev());
        let newest = newest.take_while(|(got, next)| *got == next).count();
        assert!((15..30).contains(&newest), "{newest}");
        let before = numbers.len() - newest;
        assert_eq!(numbers[..before], (0..before as u32).collect::<Vec<_>>());
        assert!(before as u32 <= first);
    }
}

#[test]
fn lm03_the_latest_replaces_all_that_wait() {
    for elsewhere in [false, true] {
        let (first, results, numbers, code) = overfill(Overflow::KeepLatest, elsewhere);
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(code, None);
        let (last, before) = numbers.split_last().unwrap();
        assert_eq!(*last, first + 99);
        assert_eq!(before, (0..before.len() as u32).collect::<Vec<_>>());
        assert!(before.len() as u32 <= first);
    }
}

#[test]
fn lm03_cl21_a_peer_that_reads_too_slowly_is_closed_with_1013() {
    for elsewhere in [false, true] {
        let (first, results, numbers, code) = overfill(Overflow::Close, elsewhere);
        // Another thread is not told: its message was on the way.
        let taken = results.iter().take_while(|result| result.is_ok()).count();
        assert!(elsewhere || (15..50).contains(&taken), "{taken}");
        let rest = results[taken..].iter();
        let told = [Err(Error::Full), Err(Error::Closed)];
        assert!(rest.clone().all(|result| told.contains(result)));
        assert!(elsewhere || results[taken] == told[0]);
        assert_eq!(code, Some(1013));
        // What the socket had begun with is whole; what waited is gone.
        assert_eq!(numbers, (0..numbers.len() as u32).collect::<Vec<_>>());
        assert!(numbers.len() as u32 <= first + taken as u32);
    }
}
