//! A server in somebody else's loop: its one descriptor says when a step has
//! something to do.

use std::os::fd::RawFd;

use crate::handle::{Handle, LONG_MS};
use crate::support::{BINARY, Client, TEXT, Told, opened};
use wsembed::config::{
    WEBSOCKET_HANDSHAKE_TIMEOUT_MS, WEBSOCKET_SEND_QUEUE_BYTES, WEBSOCKET_STOP_TIMEOUT_MS,
};
use wsembed::ffi::event::{WEBSOCKET_BINARY, WEBSOCKET_TEXT};
use wsembed::ffi::result::{WEBSOCKET_CLOSED, WEBSOCKET_FULL};
use wsembed::net::sys::poll;

/// Whether a step has something to do now.
fn is_due(fd: RawFd) -> bool {
    poll(fd, libc::POLLIN, 0).unwrap()
}

/// Waits as a program does, in its own call, then lets the server work; until
/// `done`.
fn embed(server: &Handle, fd: RawFd, mut done: impl FnMut() -> bool) {
    while !done() {
        let due = poll(fd, libc::POLLIN, LONG_MS as i32).unwrap();
        assert!(due, "nothing is due, and it is not done");
        server.step(0).unwrap();
    }
}

/// Lets the server do what there is to do.
fn settle(server: &Handle, fd: RawFd) {
    while is_due(fd) {
        server.step(0).unwrap();
    }
}

fn count(server: &Handle, look: impl Fn(&Told) -> bool) -> usize {
    let told = server.told();
    told.iter().filter(|(_, told)| look(told)).count()
}

#[test]
fn its_descriptor_says_when_something_is_to_be_done() {
    let server = Handle::echo(&[]);
    let address = server.listen_here();
    let fd = server.poll_fd().unwrap();
    assert_eq!(server.poll_fd(), Ok(fd), "it is the same all the time");
    settle(&server, fd);
    assert!(!is_due(fd));
    let mut client = Client::connect(address);
    client.ask();
    embed(&server, fd, || {
        count(&server, |told| opened(told).is_some()) == 1
    });
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    settle(&server, fd);
    for _ in 0..3 {
        client.send(TEXT, b"there and back");
        embed(&server, fd, || {
            count(&server, |told| matches!(told, Told::Text(..))) == 1
        });
        assert_eq!(client.frame(), (TEXT, b"there and back".to_vec()));
        settle(&server, fd);
    }
    drop(client);
    embed(&server, fd, || server.statistics().peers == 0);
}

#[test]
fn what_another_thread_asks_for_is_due() {
    let server = Handle::echo(&[]);
    let address = server.listen_here();
    let fd = server.poll_fd().unwrap();
    let mut client = Client::connect(address);
    client.ask();
    let mut peer = None;
    embed(&server, fd, || {
        peer = peer.or(server.told().iter().find_map(|(_, told)| opened(told)));
        peer.is_some()
    });
    let peer = peer.unwrap();
    client.head();
    settle(&server, fd);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            server
                .send(peer, WEBSOCKET_TEXT, b"from elsewhere")
                .unwrap()
        });
    });
    assert!(is_due(fd));
    settle(&server, fd);
    assert_eq!(client.frame(), (TEXT, b"from elsewhere".to_vec()));
    server.stop().unwrap();
    assert!(is_due(fd));
    assert_eq!(server.step(0), Ok(()));
    drop(client);
    let mut last = Ok(());
    while last.is_ok() {
        assert!(poll(fd, libc::POLLIN, LONG_MS as i32).unwrap());
        last = server.step(0);
    }
    assert_eq!(last, Err(WEBSOCKET_CLOSED));
}

#[test]
fn hs30_deadlines_are_due_too() {
    let server = Handle::echo(&[
        (WEBSOCKET_HANDSHAKE_TIMEOUT_MS, 1000),
        (WEBSOCKET_STOP_TIMEOUT_MS, 60),
    ]);
    let address = server.listen_here();
    let fd = server.poll_fd().unwrap();
    let mut silent = Client::connect(address);
    embed(&server, fd, || {
        count(&server, |told| matches!(told, Told::Close(..))) == 1
    });
    assert!(silent.head().starts_with("HTTP/1.1 408 "));
    // It does not hang up: it is let go in the end.
    let _open = {
        let mut client = Client::connect(address);
        client.ask();
        embed(&server, fd, || {
            count(&server, |told| opened(told).is_some()) == 1
        });
        client
    };
    server.stop().unwrap();
    let mut last = Ok(());
    while last.is_ok() {
        assert!(poll(fd, libc::POLLIN, LONG_MS as i32).unwrap());
        last = server.step(0);
    }
    assert_eq!(last, Err(WEBSOCKET_CLOSED));
    assert_eq!(
        count(&server, |told| matches!(told, Told::Close(_, 1006, _))),
        1
    );
}

#[test]
fn lm03_a_drain_is_told_and_what_it_queues_is_due() {
    // At every DRAIN a message more, three times.
    let server = Handle::new(&[(WEBSOCKET_SEND_QUEUE_BYTES, 200_000)], |here, told| {
        if let Told::Drain(peer) = told {
            here.send(*peer, WEBSOCKET_TEXT, b"more").unwrap();
        }
    });
    let address = server.listen_here();
    let fd = server.poll_fd().unwrap();
    let mut client = Client::connect(address);
    client.ask();
    let mut peer = None;
    embed(&server, fd, || {
        peer = peer.or(server.told().iter().find_map(|(_, told)| opened(told)));
        peer.is_some()
    });
    let peer = peer.unwrap();
    client.head();
    let mut sent = 0;
    loop {
        match server.send(peer, WEBSOCKET_BINARY, &[3; 10_000]) {
            Ok(()) => sent += 1,
            Err(full) => {
                assert_eq!(full, WEBSOCKET_FULL);
                settle(&server, fd);
                if server.send(peer, WEBSOCKET_BINARY, &[3; 10_000]).is_err() {
                    break;
                }
                sent += 1;
            }
        }
    }
    let reader = std::thread::spawn(move || {
        let mut binary = 0;
        loop {
            match client.frame() {
                (BINARY, _) => binary += 1,
                // Others were drained in between, while it was being filled.
                (_, text) => {
                    assert_eq!(text, b"more");
                    if binary == sent {
                        return;
                    }
                }
            }
        }
    });
    while !reader.is_finished() {
        if poll(fd, libc::POLLIN, 20).unwrap() {
            server.step(0).unwrap();
        }
    }
    reader.join().unwrap();
    assert!(count(&server, |told| *told == Told::Drain(peer)) > 0);
}
