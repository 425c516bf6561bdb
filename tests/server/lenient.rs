//! A server for old devices: what is in no strict frame goes through the same
//! queues, in its order.

use std::io::Write;
use std::sync::Arc;
use std::thread;

use crate::support::{BINARY, CLOSE, Client, PONG, Server, TEXT, Told, closed, opened};
use wsembed::config::Serving;
use wsembed::proto::Error;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;

/// A continuation that continues nothing.
const STRAY: u8 = 0x80;

fn settings() -> Settings {
    Settings {
        lenient: true,
        ..Settings::default()
    }
}

fn server() -> Server {
    Server::echo(settings(), Serving::default())
}

/// The kinds in turn, and what leaves for each.
const ROUND: [(Kind, u8); 4] = [
    (Kind::Text, TEXT),
    (Kind::Continuation, STRAY),
    (Kind::Raw, BINARY),
    (Kind::Binary, BINARY),
];

/// What is sent as the `number`th: raw bytes are a frame made by hand.
fn payload(kind: Kind, number: usize, length: usize) -> Vec<u8> {
    let mut payload = vec![number as u8; length];
    if kind == Kind::Raw {
        let mut frame = vec![BINARY, 126];
        frame.extend((length as u16).to_be_bytes());
        frame.append(&mut payload);
        payload = frame;
    }
    payload
}

#[test]
fn kinds_keep_their_order_behind_a_full_socket() {
    // Encoded at once, in a batch; and each by a call of its own.
    for length in [700, 20_000] {
        let mut server = server();
        let (mut client, peer) = server.local_client();
        let mut sent = 0;
        // Until some wait in the queue, and from another thread as many again.
        while sent < 40 || server.here().waiting(peer).unwrap() < 200_000 {
            let (kind, _) = ROUND[sent % 4];
            let payload = payload(kind, sent, length);
            server.here().send(peer, kind, &payload).unwrap();
            server.turn(0);
            sent += 1;
        }
        let shared = Arc::clone(&server.shared);
        let from = sent;
        let other = thread::spawn(move || {
            for number in from..from + 40 {
                let (kind, _) = ROUND[number % 4];
                let payload = payload(kind, number, length);
                shared.send(peer, kind, &payload).unwrap();
            }
        });
        other.join().unwrap();
        sent += 40;
        let reader = thread::spawn(move || {
            for number in 0..sent {
                let (_, first) = ROUND[number % 4];
                let (got, payload) = client.frame();
                assert_eq!((got, payload.len()), (first, length), "{number}");
                assert!(payload.iter().all(|byte| *byte == number as u8));
            }
            client
        });
        server.until(|_| reader.is_finished());
        drop(reader.join().unwrap());
    }
}

#[test]
fn text_in_any_coding_comes_from_any_thread() {
    let mut server = server();
    let (mut client, peer) = server.client();
    let gbk = b"\xC4\xE3\xBA\xC3";
    server.shared.send(peer, Kind::Text, gbk).unwrap();
    server.here().send(peer, Kind::Text, gbk).unwrap();
    server.shared.publish(None, Kind::Text, gbk, None).unwrap();
    server.turn(0);
    server.turn(0);
    for _ in 0..3 {
        assert_eq!(client.frame(), (TEXT, gbk.to_vec()));
    }
}

#[test]
fn raw_bytes_of_no_length_are_nothing() {
    let mut server = server();
    let (mut client, peer) = server.client();
    server.shared.send(peer, Kind::Raw, b"").unwrap();
    server.here().send(peer, Kind::Raw, b"").unwrap();
    server.shared.send(peer, Kind::Continuation, b"").unwrap();
    server.turn(0);
    server.turn(0);
    assert_eq!(client.frame(), (STRAY, Vec::new()));
}

#[test]
fn a_strict_server_refuses_them() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let (mut client, peer) = server.client();
    for kind in [Kind::Continuation, Kind::Raw] {
        assert_eq!(server.shared.send(peer, kind, b"a"), Err(Error::Usage));
        assert_eq!(server.here().send(peer, kind, b"a"), Err(Error::Usage));
        let published = server.shared.publish(None, kind, b"a", None);
        assert_eq!(published, Err(Error::Usage));
    }
    let bad = server.shared.send(peer, Kind::Text, b"\xFF");
    assert_eq!(bad, Err(Error::SendUtf8));
    server.shared.send(peer, Kind::Binary, b"b").unwrap();
    server.turn(0);
    assert_eq!(client.frame(), (BINARY, b"b".to_vec()));
}

#[test]
fn an_old_device_is_served_from_its_request_on() {
    let mut server = server();
    let mut client = Client::connect(server.address);
    // The first frames come with the request; none is masked.
    let mut bytes =
        b"GET /null HTTP/1.1\nUpgrade: websocket\nSec-WebSocket-Key: k\nSec-WebSocket-Protocol: p\n\n"
            .to_vec();
    bytes.extend(b"\x81\x05hello\x80\x04part\x00\x01.\x81\x04\xC4\xE3\xBA\xC3");
    // A length that is longer than it has to be.
    bytes.extend(b"\x82\xFE\x00\x02\x00\x00\x00\x00ab\x89\x00");
    client.write(&bytes);
    let peer = server.expect(opened);
    server.expect(|told| matches!(told, Told::Ping(..)).then_some(()));
    let head = client.head();
    assert!(head.contains("\r\nSec-WebSocket-Protocol: p\r\n"), "{head}");
    for (first, payload) in [
        (TEXT, &b"hello"[..]),
        (STRAY, b"part"),
        (STRAY, b"."),
        (TEXT, b"\xC4\xE3\xBA\xC3"),
        (BINARY, b"ab"),
        (PONG, b""),
    ] {
        assert_eq!(client.frame(), (first, payload.to_vec()));
    }
    client.write(b"\x88\x02\x03\xE8");
    assert_eq!(server.expect(closed), (peer, 1000));
    assert_eq!(client.frame(), (CLOSE, b"\x03\xE8".to_vec()));
    assert!(client.at_end());
}

#[test]
fn long_stray_frames_go_through_the_room_of_a_message() {
    let mut server = server();
    let (mut client, _) = server.client();
    let payload: Vec<u8> = (0..1_000_000_u32).map(|at| (at / 5) as u8).collect();
    let mut socket = client.socket.try_clone().unwrap();
    let sent = payload.clone();
    let writer = thread::spawn(move || {
        for first in [STRAY, 0x00, BINARY] {
            let length = (sent.len() as u64).to_be_bytes();
            let frame = [&[first, 127], &length[..], &sent].concat();
            socket.write_all(&frame).unwrap();
        }
    });
    let reader = thread::spawn(move || {
        for first in [STRAY, STRAY, BINARY] {
            let (got, echo) = client.frame();
            assert!(got == first && echo == payload);
        }
    });
    server.until(|_| reader.is_finished());
    reader.join().unwrap();
    writer.join().unwrap();
}

#[test]
fn who_asks_for_no_websocket_is_told_and_gone() {
    let mut server = server();
    for (request, answer) in [
        (&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], "HTTP/1.1 426 "),
        (b"POST / HTTP/1.1\r\n", "HTTP/1.1 405 "),
        (b"\x16\x03\x01\x00", "HTTP/1.1 400 "),
    ] {
        let mut client = Client::connect(server.address);
        client.write(request);
        server.expect(closed);
        assert!(client.head().starts_with(answer));
    }
}
