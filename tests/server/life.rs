//! A server's life by its C functions: what may be called when, and what is
//! said where it may not.

use std::sync::Arc;
use std::time::Instant;

use crate::handle::{Handle, LONG, LONG_MS};
use crate::support::{CLOSE, Client, TEXT, Told, opened};
use wsembed::config::{WEBSOCKET_STOP_TIMEOUT_MS, WEBSOCKET_THREADS};
use wsembed::ffi::event::WEBSOCKET_TEXT;
use wsembed::ffi::result::*;
use wsembed::ffi::server::turning::WEBSOCKET_FOREVER;

fn quiet(options: &[(u32, u64)]) -> Handle {
    Handle::new(options, |_, _| {})
}

#[test]
fn ap33_a_server_turned_by_the_program() {
    let server = Handle::echo(&[]);
    server.listen_here();
    // Listening again, and later, is fine.
    let address = server.listen_here();
    assert_eq!(server.step(0), Ok(()));
    let mut client = Client::connect(address);
    client.ask();
    server.until(|| server.statistics().peers == 1 && server.statistics().handshakes == 0);
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.send(TEXT, b"hello");
    server.step(LONG_MS).unwrap();
    assert_eq!(client.frame(), (TEXT, b"hello".to_vec()));
    for _ in 0..2 {
        assert_eq!(server.stop(), Ok(()));
    }
    assert_eq!(server.start(), Err(WEBSOCKET_E_STATE));
    assert_eq!(server.step(0), Ok(()), "a peer is there");
    assert_eq!(&client.frame().1[..2], [3, 233]);
    client.send(CLOSE, &[3, 233]);
    assert_eq!(server.run(), Ok(()));
    assert!(client.at_end());
    assert_eq!(server.step(0), Err(WEBSOCKET_CLOSED));
    assert_eq!(server.run(), Ok(()));
    assert_eq!(server.listen("127.0.0.1", 0), Err(WEBSOCKET_E_STATE));
    assert_eq!(server.free(), Ok(()));
    assert_eq!(server.free(), Err(WEBSOCKET_GONE));
    assert_eq!(server.step(0), Err(WEBSOCKET_GONE));
    assert_eq!(server.stop(), Err(WEBSOCKET_GONE));
}

#[test]
fn ap33_a_server_with_threads_of_its_own() {
    for threads in [1, 3] {
        let server = quiet(&[(WEBSOCKET_THREADS, threads)]);
        server.listen_here();
        assert_eq!(server.start(), Ok(()));
        // Whether or not the threads are at work already.
        for _ in 0..50 {
            assert_eq!(server.start(), Err(WEBSOCKET_E_STATE));
            assert_eq!(server.listen("127.0.0.1", 0), Err(WEBSOCKET_E_STATE));
            assert_eq!(server.step(0), Err(WEBSOCKET_E_STATE));
            assert_eq!(server.run(), Err(WEBSOCKET_E_STATE));
            assert_eq!(server.poll_fd(), Err(WEBSOCKET_E_STATE));
        }
        assert_eq!(server.stop(), Ok(()));
        assert_eq!(server.stop(), Ok(()));
        assert_eq!(server.start(), Err(WEBSOCKET_E_STATE));
        assert_eq!(server.step(0), Err(WEBSOCKET_E_STATE));
        assert_eq!(server.free(), Ok(()));
    }
    // Several loops are turned by threads of their own only.
    let server = quiet(&[(WEBSOCKET_THREADS, 2)]);
    assert_eq!(server.step(0), Err(WEBSOCKET_E_STATE));
    assert_eq!(server.run(), Err(WEBSOCKET_E_STATE));
    assert_eq!(server.poll_fd(), Err(WEBSOCKET_E_STATE));
    // Never listened, never started, never turned.
    assert_eq!(quiet(&[]).free(), Ok(()));
    let server = quiet(&[]);
    assert_eq!(server.stop(), Ok(()));
    assert_eq!(server.step(WEBSOCKET_FOREVER), Err(WEBSOCKET_CLOSED));
}

#[test]
fn a_server_that_is_over_waits_for_nothing() {
    let server = Arc::new(quiet(&[(WEBSOCKET_STOP_TIMEOUT_MS, 3_600_000)]));
    server.stop().unwrap();
    let turning = {
        let server = Arc::clone(&server);
        std::thread::spawn(move || {
            for _ in 0..3 {
                assert_eq!(server.step(WEBSOCKET_FOREVER), Err(WEBSOCKET_CLOSED));
                assert_eq!(server.run(), Ok(()));
            }
        })
    };
    let end = Instant::now() + LONG;
    while !turning.is_finished() {
        assert!(Instant::now() < end, "it waits for the deadline of nobody");
        std::thread::yield_now();
    }
    turning.join().unwrap();
}

#[test]
fn ap11_ap12_ap13_callbacks_turn_nothing_and_end_what_they_like() {
    // It may not turn its own server, and may stop and free it.
    let server = Handle::new(&[], |here, told| {
        if let Told::Text(..) = told {
            assert_eq!(here.step(0), Err(WEBSOCKET_E_REENTRY));
            assert_eq!(here.run(), Err(WEBSOCKET_E_REENTRY));
            assert_eq!(here.listen("127.0.0.1", 0), Err(WEBSOCKET_E_STATE));
            assert_eq!(here.stop(), Ok(()));
            assert_eq!(here.free(), Ok(()));
            assert_eq!(here.free(), Err(WEBSOCKET_GONE));
            assert_eq!(here.stop(), Err(WEBSOCKET_GONE));
        }
    });
    let address = server.listen_here();
    let mut client = Client::connect(address);
    client.ask();
    client.send(TEXT, b"now");
    assert_eq!(server.run(), Ok(()));
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    assert!(client.at_end());
    let told: Vec<_> = server.told().into_iter().map(|(_, told)| told).collect();
    assert!(matches!(told.last(), Some(Told::Text(..))), "{told:?}");
}

#[test]
fn a_running_server_is_stopped_and_freed_from_another_thread() {
    for free in [false, true] {
        let server = Arc::new(Handle::echo(&[]));
        let address = server.listen_here();
        let running = {
            let server = Arc::clone(&server);
            std::thread::spawn(move || server.run())
        };
        let mut client = Client::connect(address);
        client.ask();
        let peer = server.expect(opened);
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        // Somebody else turns it.
        assert_eq!(server.start(), Err(WEBSOCKET_E_BUSY));
        assert_eq!(server.step(0), Err(WEBSOCKET_E_BUSY));
        assert_eq!(server.poll_fd(), Err(WEBSOCKET_E_BUSY));
        assert_eq!(server.listen("127.0.0.1", 0), Err(WEBSOCKET_E_STATE));
        assert_eq!(server.send(peer, WEBSOCKET_TEXT, b"here"), Ok(()));
        assert_eq!(client.frame(), (TEXT, b"here".to_vec()));
        if free {
            assert_eq!(server.free(), Ok(()));
            assert!(client.at_end(), "cut without a word");
            // The turn that ends it, or the one that finds it gone.
            let ended = running.join().unwrap();
            assert!(matches!(ended, Ok(())), "{ended:?}");
        } else {
            assert_eq!(server.stop(), Ok(()));
            assert_eq!(client.frame().0, CLOSE);
            client.send(CLOSE, &[3, 233]);
            assert_eq!(running.join().unwrap(), Ok(()));
            assert!(client.at_end());
        }
    }
}

#[test]
fn a_server_ends_with_1001_on_every_loop_and_cuts_who_does_not_answer() {
    let server = Handle::echo(&[(WEBSOCKET_THREADS, 3), (WEBSOCKET_STOP_TIMEOUT_MS, 2000)]);
    let address = server.listen_here();
    server.start().unwrap();
    let mut clients: Vec<_> = (0..24).map(|_| Client::open(address)).collect();
    for _ in 0..24 {
        server.expect(opened);
    }
    let ending: Vec<_> = clients
        .drain(..12)
        .map(|mut client| {
            std::thread::spawn(move || {
                let (first, payload) = client.frame();
                assert_eq!((first, &payload[..2]), (CLOSE, &[3, 233][..]));
                client.send(CLOSE, &[3, 233]);
                assert!(client.at_end());
            })
        })
        .collect();
    server.stop().unwrap();
    for thread in ending {
        thread.join().unwrap();
    }
    let mut ends = [0, 0];
    for (_, told) in server.told() {
        if let Told::Close(_, code, _) = told {
            ends[usize::from(code == 1001)] += 1;
        }
    }
    assert_eq!(ends, [12, 12], "cut, and closed with 1001");
    for mut client in clients {
        assert_eq!(&client.frame().1[..2], [3, 233]);
        assert!(client.at_end());
    }
    assert!(std::net::TcpStream::connect(address).is_err());
    let counted = server.statistics();
    assert_eq!((counted.peers, counted.handshakes), (0, 0));
    assert_eq!((counted.accepted, counted.refused), (24, 0));
}

#[test]
fn ap28_texts_end_where_they_say() {
    // A message has a length, and NULs like any other character.
    let server = Handle::echo(&[]);
    let address = server.listen_here();
    let mut client = Client::connect(address);
    client.ask();
    client.send(TEXT, b"\0a\0\0b\0");
    let mut told = 0;
    server.until(|| {
        told += server.told().len();
        told >= 3
    });
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    assert_eq!(client.frame(), (TEXT, b"\0a\0\0b\0".to_vec()));
    // A text without an end in sight is none.
    let long = "x".repeat(100_000);
    assert_eq!(server.listen(&long, 0), Err(WEBSOCKET_E_SEND_TOO_BIG));
    let sent = server.publish(Some(&long), b"", 0);
    assert_eq!(sent, Err(WEBSOCKET_E_SEND_TOO_BIG));
}

#[test]
fn what_was_sent_before_the_stop_comes_before_the_goodbye() {
    // By another thread, in the middle of a turn.
    let server = Handle::new(&[], |here, told| {
        if let Told::Text(peer, _) = told {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    here.publish(None, b"thank you all", 0).unwrap();
                    here.send(*peer, WEBSOCKET_TEXT, b"and you").unwrap();
                    // Of a server that the program turns it does not wait.
                    here.stop().unwrap();
                });
            });
        }
    });
    let address = server.listen_here();
    let mut client = Client::connect(address);
    client.ask();
    client.send(TEXT, b"that is all");
    let reader = std::thread::spawn(move || {
        client.head();
        assert_eq!(client.frame(), (TEXT, b"thank you all".to_vec()));
        assert_eq!(client.frame(), (TEXT, b"and you".to_vec()));
        assert_eq!(&client.frame().1[..2], [3, 233]);
        client.send(CLOSE, &[3, 233]);
        assert!(client.at_end());
    });
    assert_eq!(server.run(), Ok(()));
    reader.join().unwrap();
}

#[test]
fn a_stop_without_any_patience_says_goodbye_all_the_same() {
    let server = Handle::echo(&[(WEBSOCKET_STOP_TIMEOUT_MS, 0)]);
    let address = server.listen_here();
    let mut client = Client::connect(address);
    client.ask();
    server.until(|| server.statistics().peers == 1 && server.statistics().handshakes == 0);
    client.head();
    server.stop().unwrap();
    assert_eq!(server.run(), Ok(()));
    assert_eq!(&client.frame().1[..2], [3, 233]);
    assert!(client.at_end());
}
