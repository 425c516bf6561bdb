//! The drop-in's opening handshake against raw peers on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wsembed::legacy::kind::Kind;
use wsembed::legacy::link::{self, GENERATION_1, Times};
use wsembed::legacy::receive::{Received, receive};
use wsembed::legacy::transmit;
use wsembed::net::sys::{self, Errno};
use wsembed::proto::handshake::key;

fn listener() -> (TcpListener, i32) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port.into())
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap()
}

fn key_of(request: &str) -> &str {
    request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap()
}

fn accept_of(request: &str) -> String {
    String::from_utf8(key::accept(key_of(request).as_bytes()).to_vec()).unwrap()
}

/// A server for one connection: `serve` gets the stream and the request.
fn server(serve: impl FnOnce(TcpStream, String) + Send + 'static) -> (i32, JoinHandle<()>) {
    let (listener, port) = listener();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let request = read_request(&mut stream);
        serve(stream, request);
    });
    (port, thread)
}

/// A connected client; closes its fd when dropped.
struct Client(RawFd);

impl Client {
    fn open(port: i32) -> Result<Client, Errno> {
        link::connect("127.0.0.1", port, "/path?q", GENERATION_1).map(Client)
    }

    fn next(&self, data: &mut [u8]) -> Received {
        loop {
            let received = receive(self.0, data, true);
            if received.kind != Kind::Null || received.errno != libc::EAGAIN {
                return received;
            }
            sys::poll(self.0, libc::POLLIN, 30_000).unwrap();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A duplicate that std owns would leave the number open: shut the
        // connection instead, and let the process end close it.
        sys::shutdown(self.0);
    }
}

const GLUED: &[u8] = b"\x81\x05first\x82\x03two";

fn wants_glued(client: &Client) {
    let mut data = [0; 64];
    assert_eq!(client.next(&mut data).result, 5);
    assert_eq!(&data[..5], b"first");
    assert_eq!(client.next(&mut data).result, 3);
    assert_eq!(&data[..3], b"two");
    assert_eq!(client.next(&mut data).errno, libc::ECONNRESET);
}

#[test]
fn hc15_answers_cut_at_every_byte_with_frames_glued_hc14() {
    let answer = |accept: &str| {
        let mut bytes = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(GLUED);
        bytes
    };
    for cut in 0..=answer(&"=".repeat(28)).len() {
        let (port, thread) = server(move |mut stream, request| {
            let bytes = answer(&accept_of(&request));
            stream.write_all(&bytes[..cut]).unwrap();
            thread::sleep(Duration::from_millis(1));
            stream.write_all(&bytes[cut..]).unwrap();
        });
        let client = Client::open(port).unwrap();
        wants_glued(&client);
        thread.join().unwrap();
    }
}

#[test]
fn answers_that_broke_the_old_client() {
    type Make = fn(&str) -> String;
    let rows: [(&str, Make); 5] = [
        ("lower-case names", |accept| {
            format!(
                "HTTP/1.1 101 ok\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
            )
        }),
        ("no reason, no spaces", |accept| {
            format!("HTTP/1.1 101\r\nSEC-WEBSOCKET-ACCEPT:{accept}\r\n\r\n")
        }),
        ("far more than 512 bytes", |accept| {
            format!(
                "HTTP/1.1 101 X\r\nX-Long: {}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
                "y".repeat(20_000)
            )
        }),
        ("hc08: interim answers first", |accept| {
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            )
        }),
        ("hc10: a length", |accept| {
            format!(
                "HTTP/1.1 101 X\r\nContent-Length: 99\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            )
        }),
    ];
    for (name, make) in rows {
        let (port, thread) = server(move |mut stream, request| {
            stream
                .write_all(make(&accept_of(&request)).as_bytes())
                .unwrap();
            stream.write_all(GLUED).unwrap();
        });
        let client = Client::open(port).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        wants_glued(&client);
        thread.join().unwrap();
    }
}

#[test]
fn hc_answers_that_are_refused() {
    type Make = fn(&str) -> String;
    let rows: [(&str, Make, i32); 9] = [
        (
            "hc01: wrong accept",
            |_| {
                "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
                    .into()
            },
            libc::EPROTO,
        ),
        (
            "hc01: none",
            |_| "HTTP/1.1 101 X\r\n\r\n".into(),
            libc::EPROTO,
        ),
        (
            "hc01: two",
            |accept| {
                format!(
                    "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                )
            },
            libc::EPROTO,
        ),
        (
            "hc05: 200",
            |accept| format!("HTTP/1.1 200 OK\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"),
            libc::EPROTO,
        ),
        (
            "hc05: 404",
            |_| "HTTP/1.1 404 Not Found\r\n\r\n".into(),
            libc::EPROTO,
        ),
        (
            "hc09: HTTP/1.0",
            |accept| format!("HTTP/1.0 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"),
            libc::EPROTO,
        ),
        ("junk", |_| "SSH-2.0-x\r\n\r\n".into(), libc::EPROTO),
        (
            "hc12: no end",
            |_| "HTTP/1.1 101 X\r\n".to_string() + &"X: y\r\n".repeat(20_000),
            libc::EPROTO,
        ),
        (
            "hc17: the end",
            |_| "HTTP/1.1 101 X\r\n".into(),
            libc::ECONNRESET,
        ),
    ];
    for (name, make, errno) in rows {
        let (port, thread) = server(move |mut stream, request| {
            // The client may be gone before all is written.
            let _ = stream.write_all(make(&accept_of(&request)).as_bytes());
        });
        match Client::open(port) {
            Ok(_) => panic!("{name}: accepted"),
            Err(error) => assert_eq!(error, Errno(errno), "{name}"),
        }
        thread.join().unwrap();
    }
}

#[test]
fn hc18_a_silent_server_costs_the_handshake_s_time() {
    let (listener, port) = listener();
    let times = Times {
        connect: 5000,
        handshake: 80,
    };
    let start = sys::now_ms();
    let linked = link::connect("127.0.0.1", port, "/", times);
    assert_eq!(linked, Err(Errno(libc::ETIMEDOUT)));
    assert!(sys::now_ms() - start >= 80);
    drop(listener);
}

#[test]
fn tr24_a_refused_connect_is_tried_until_the_server_starts() {
    let (first, port) = listener();
    drop(first);
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port as u16)).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        let accept = accept_of(&request);
        write!(
            stream,
            "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
        stream.write_all(GLUED).unwrap();
    });
    let times = Times {
        connect: 20_000,
        handshake: 20_000,
    };
    let client = Client(link::connect("localhost", port, "", times).unwrap());
    wants_glued(&client);
    thread.join().unwrap();
}

#[test]
fn the_request_and_what_a_client_sends() {
    let (port, thread) = server(|mut stream, request| {
        assert!(request.starts_with("GET /path?q HTTP/1.1\r\nHost: 127.0.0.1:"));
        let accept = accept_of(&request);
        write!(
            stream,
            "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
        // fr: masked, whatever the caller says; and so is the pong.
        let mut frame = [0; 8];
        stream.read_exact(&mut frame).unwrap();
        assert_eq!(frame[..2], [0x81, 0x82]);
        assert_eq!([frame[6] ^ frame[2], frame[7] ^ frame[3]], *b"ab");
        stream.write_all(b"\x89\x01p").unwrap();
        stream.read_exact(&mut frame[..7]).unwrap();
        assert_eq!(frame[..2], [0x8A, 0x81]);
        assert_eq!(frame[6] ^ frame[2], b'p');
    });
    let client = Client::open(port).unwrap();
    assert_eq!(transmit::send(client.0, b"ab", false, Kind::Text), Ok(8));
    let mut data = [0; 8];
    let received = client.next(&mut data);
    assert_eq!((received.result, received.kind), (1, Kind::Ping));
    thread.join().unwrap();
}

/// Reads one masked frame with a 64-bit length; returns its payload, unmasked.
fn read_large(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 14];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[..2], [0x82, 0xFF]);
    let length = u64::from_be_bytes(head[2..10].try_into().unwrap());
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).unwrap();
    for (at, byte) in payload.iter_mut().enumerate() {
        *byte ^= head[10 + at % 4];
    }
    payload
}

#[test]
fn tr10_a_client_waits_a_while_for_room_then_keeps_the_rest() {
    const SIZE: usize = 32 << 20;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (port, thread) = server(move |mut stream, request| {
        let accept = accept_of(&request);
        write!(
            stream,
            "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
        wait.recv().unwrap();
        assert!(read_large(&mut stream).iter().all(|byte| *byte == 7));
        let mut frame = [0; 7];
        stream.read_exact(&mut frame).unwrap();
        assert_eq!(
            [frame[0], frame[1], frame[6] ^ frame[2]],
            [0x81, 0x81, b'z']
        );
    });
    let client = Client::open(port).unwrap();
    let payload = vec![7; SIZE];
    let start = sys::now_ms();
    assert_eq!(
        transmit::send(client.0, &payload, false, Kind::Binary),
        Ok(SIZE + 14)
    );
    // Nobody reads: the call has waited its 500 ms, and kept the rest.
    assert!(sys::now_ms() - start >= 500);
    assert_eq!(
        transmit::send(client.0, b"z", false, Kind::Text),
        Err(Errno(libc::EAGAIN))
    );
    go.send(()).unwrap();
    loop {
        match transmit::send(client.0, b"z", false, Kind::Text) {
            Ok(sent) => break assert_eq!(sent, 7),
            Err(error) => assert_eq!(error, Errno(libc::EAGAIN)),
        }
        sys::poll(client.0, libc::POLLOUT, 30_000).unwrap();
    }
    thread.join().unwrap();
}

#[test]
fn an_ipv6_host_is_bracketed() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        // No IPv6 on this machine: `requests_name_their_host` covers the text.
        return;
    };
    let port = i32::from(listener.local_addr().unwrap().port());
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = read_request(&mut stream);
        assert!(
            request.contains(&format!("\r\nHost: [::1]:{port}\r\n")),
            "{request}"
        );
        let accept = accept_of(&request);
        write!(
            stream,
            "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
    });
    let client = Client(link::connect("::1", port, "/", GENERATION_1).unwrap());
    thread.join().unwrap();
    drop(client);
}

#[test]
fn bad_arguments_connect_to_nothing() {
    for (host, port, path) in [
        ("127.0.0.1", 0, "/"),
        ("127.0.0.1", -1, "/"),
        ("127.0.0.1", 65_536, "/"),
        ("", 80, "/"),
        ("127.0.0.1", 80, "/\r\nX: y"),
    ] {
        let linked = link::connect(host, port, path, GENERATION_1);
        assert_eq!(linked, Err(Errno(libc::EINVAL)), "{host} {port} {path}");
    }
}

#[test]
fn requests_that_a_server_accepts_and_refuses() {
    let rows: [(&str, bool); 9] = [
        (
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            true,
        ),
        (
            "GET / HTTP/1.1\r\nupgrade:WebSocket\r\nsec-websocket-key:x\r\n\r\n",
            true,
        ),
        (
            "GET / HTTP/1.1\nUpgrade: websocket\nSec-WebSocket-Key: x\n\n",
            true,
        ),
        ("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", false),
        (
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key:  \r\n\r\n",
            false,
        ),
        ("GET / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n", false),
        (
            "GET / HTTP/1.1\r\nUpgrade: h2c\r\nSec-WebSocket-Key: x\r\n\r\n",
            false,
        ),
        (
            "GET / HTTP/1.1\r\n\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
            false,
        ),
        ("", false),
    ];
    for (request, good) in rows {
        let (listener, port) = listener();
        let mut peer = TcpStream::connect((Ipv4Addr::LOCALHOST, port as u16)).unwrap();
        let (own, _) = listener.accept().unwrap();
        let outcome = link::accept(own.as_raw_fd(), request.as_bytes());
        drop(own);
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).unwrap();
        if good {
            assert_eq!(outcome, Ok(answer.len()), "{request}");
            assert!(answer.starts_with(b"HTTP/1.1 101 "));
        } else {
            assert_eq!(outcome, Err(Errno(libc::EPROTO)), "{request}");
            assert!(answer.is_empty());
        }
    }
}
