//! Pages beside the WebSocket, over loopback.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crate::support::*;
use wsembed::config::Serving;
use wsembed::net::sys;
use wsembed::proto::Error;
use wsembed::proto::page::Page;
use wsembed::proto::settings::Settings;

/// More than the kernel keeps between two sockets.
const BIG: usize = 24 << 20;
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";

fn put(server: &Server, path: &str, bytes: &[u8]) {
    let page = Page::new("text/html", bytes).unwrap();
    server.shared.pages.set(path, Some(page)).unwrap();
}

fn server_of(bytes: &[u8]) -> Server {
    // However slow the machine is.
    let settings = Settings {
        handshake_timeout: 300_000,
        ..Settings::default()
    };
    let serving = Serving {
        stop_timeout: 300_000,
        ..Serving::default()
    };
    let server = Server::echo(settings, serving);
    put(&server, "/", bytes);
    server
}

/// Bytes that differ from place to place, so that none can be lost unseen.
fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let at = |at: u32| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 24) as u8;
    (0..length as u32).map(at).collect()
}

fn read_all(client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    client.socket.read_to_end(&mut all).unwrap();
    all
}

/// Asks, and reads up to the server's end.
fn asking(address: SocketAddr, request: &[u8]) -> JoinHandle<Vec<u8>> {
    let request = request.to_vec();
    std::thread::spawn(move || {
        let mut client = Client::connect(address);
        client.write(&request);
        read_all(&mut client)
    })
}

fn split(answer: &[u8]) -> (String, Vec<u8>) {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("a head") + 4);
    (String::from_utf8(head.to_vec()).unwrap(), body.to_vec())
}

/// Head and body of the answer.
fn ask(server: &mut Server, request: &[u8]) -> (String, Vec<u8>) {
    let thread = asking(server.address, request);
    server.until(|_| thread.is_finished());
    split(&thread.join().unwrap())
}

fn peers(server: &Server) -> (usize, usize) {
    let gauges = &server.shared.gauges;
    let handshakes = gauges.handshakes.load(Ordering::Relaxed);
    (gauges.peers.load(Ordering::Relaxed), handshakes)
}

/// A client that has asked for a page, and has read its head and nothing
/// else; the server can send it no more.
fn stalled(server: &mut Server) -> Client {
    let mut client = Client::connect(server.address);
    client.write(GET);
    // Its handshake ends with the answer; what it reads later does not matter.
    server.until(|server| peers(server) == (1, 0));
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    client
}

/// Turns until nothing is left to do before something happens.
fn quiet(server: &mut Server) {
    let fd = server.here().poll_fd().unwrap();
    server.until(|_| !sys::poll(fd, libc::POLLIN, 0).unwrap());
}

#[test]
fn a_page_and_a_websocket_at_one_port() {
    let mut server = server_of(b"<p>here");
    let (head, body) = ask(&mut server, b"GET /?a=b HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(body, b"<p>here");
    let (head, body) = ask(&mut server, b"HEAD / HTTP/1.0\r\n\r\n");
    assert!(head.contains("\r\nContent-Length: 7\r\n"), "{head}");
    assert_eq!(body, b"");
    assert_eq!(server.told(), []);
    let (mut client, _) = server.client();
    client.send(0x81, b"x");
    let thread = std::thread::spawn(move || client.frame());
    server.until(|_| thread.is_finished());
    assert_eq!(thread.join().unwrap(), (0x81, b"x".to_vec()));
}

#[test]
fn hs36_what_there_is_no_page_for() {
    let mut server = server_of(b"");
    put(&server, "/a", b"1");
    put(&server, "/b", b"2");
    put(&server, "/a", b"3");
    for (request, status, body) in [
        ("GET /", 200, ""),
        ("GET /a", 200, "3"),
        ("GET /b", 200, "2"),
        ("GET /c", 404, "there is no such page\n"),
        ("HEAD /c", 404, ""),
        ("POST /a", 405, "pages have the methods GET and HEAD\n"),
    ] {
        let request = format!("{request} HTTP/1.1\r\nHost: h\r\n\r\n");
        let (head, found) = ask(&mut server, request.as_bytes());
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request} {head}"
        );
        assert_eq!(found, body.as_bytes(), "{request}");
    }
    let pages = &server.shared.pages;
    assert_eq!(pages.set("/a", None), Ok(()));
    assert_eq!(pages.set("/a", None), Ok(()));
    assert_eq!(pages.set("a", None), Err(Error::Usage));
    let (head, _) = ask(&mut server, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(server.told(), []);
    // Without any page a request for one is told of, as it always was.
    for path in ["/", "/b"] {
        server.shared.pages.set(path, None).unwrap();
    }
    let (head, _) = ask(&mut server, GET);
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
    assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
    assert!(matches!(server.told()[..], [Told::Close(_, 1006, _)]));
}

#[test]
fn a_slow_reader_gets_all_of_a_large_page_and_of_the_one_it_asked_for() {
    let (old, new) = (pattern(BIG, 1), pattern(1000, 2));
    let mut server = server_of(&old);
    let mut slow = stalled(&mut server);
    assert_eq!(peers(&server), (1, 0));
    // The page is replaced, which others see, and is removed.
    put(&server, "/", &new);
    assert_eq!(ask(&mut server, GET).1, new);
    server.shared.pages.set("/", None).unwrap();
    let thread = std::thread::spawn(move || {
        let mut body = vec![0; 100_000];
        slow.socket.read_exact(&mut body).unwrap();
        body.extend(read_all(&mut slow));
        body
    });
    server.until(|_| thread.is_finished());
    assert!(thread.join().unwrap() == old);
    server.until(|server| peers(server) == (0, 0));
    assert_eq!(server.told(), []);
}

#[test]
fn a_reader_that_has_ended_its_own_side_gets_all_and_costs_no_turns() {
    let page = pattern(BIG, 3);
    let mut server = server_of(&page);
    let mut client = stalled(&mut server);
    client.socket.shutdown(Shutdown::Write).unwrap();
    quiet(&mut server);
    let thread = std::thread::spawn(move || read_all(&mut client));
    server.until(|_| thread.is_finished());
    assert!(thread.join().unwrap() == page);
    server.until(|server| peers(server) == (0, 0));
}

#[test]
fn hs29_a_reader_that_never_reads_is_cut_off() {
    let settings = Settings {
        handshake_timeout: 6000,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    put(&server, "/", &pattern(BIG, 4));
    let mut client = stalled(&mut server);
    server.until(|server| peers(server) == (0, 0));
    assert_eq!(server.told(), []);
    server.until(|server| server.shared.doors[0].peers() == 0);
    // What the kernel had still comes, and not the rest.
    let mut body = Vec::new();
    let _ = client.socket.read_to_end(&mut body);
    assert!(body.len() < BIG);
}

#[test]
fn hs32_what_is_behind_a_request_does_not_cost_the_answer() {
    let page = pattern(300_000, 5);
    let mut server = server_of(&page);
    let request = [GET, GET, &vec![0x81; 1 << 20]].concat();
    let address = server.address;
    let thread = std::thread::spawn(move || {
        let mut client = Client::connect(address);
        let mut writer = client.socket.try_clone().unwrap();
        // The server reads on for a while, and may then hang up.
        let garbage = std::thread::spawn(move || _ = writer.write_all(&request));
        let answer = read_all(&mut client);
        drop(client);
        garbage.join().unwrap();
        answer
    });
    server.until(|_| thread.is_finished());
    let (head, body) = split(&thread.join().unwrap());
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(body == page);
    assert_eq!(server.told(), []);
}

#[test]
fn hs18_a_request_with_a_body_is_answered_and_nothing_of_it_read_as_another() {
    let mut server = server_of(b"page");
    let request = [
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\n",
        GET,
    ]
    .concat();
    let (head, _) = ask(&mut server, &request);
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    assert!(head.contains("\r\nAllow: GET, HEAD\r\n"), "{head}");
    let request = [
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\n",
        GET,
    ]
    .concat();
    let (head, body) = ask(&mut server, &request);
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert_eq!(body, format!("{}\n", Error::HttpBody).into_bytes());
}

#[test]
fn lm09_lm11_a_page_counts_as_a_peer_and_not_as_a_handshake() {
    let serving = Serving {
        max_peers: 1,
        max_handshakes: 1,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    put(&server, "/", &pattern(BIG, 6));
    let mut client = stalled(&mut server);
    let (head, _) = ask(&mut server, GET);
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    let thread = std::thread::spawn(move || read_all(&mut client).len());
    server.until(|_| thread.is_finished());
    assert_eq!(thread.join().unwrap(), BIG);
    server.until(|server| peers(server) == (0, 0));
    put(&server, "/", b"small");
    assert_eq!(ask(&mut server, GET).1, b"small");
}

#[test]
fn a_stopped_server_lets_a_page_end() {
    let page = pattern(BIG, 7);
    let mut server = server_of(&page);
    let mut client = stalled(&mut server);
    server.shared.stop();
    let thread = std::thread::spawn(move || read_all(&mut client));
    server.until(|server| server.here().is_over());
    assert!(thread.join().unwrap() == page);
    assert_eq!(server.told(), []);
}

#[test]
fn hs10_hs11_an_origin_that_is_not_the_own_host_is_403_beside_pages_too() {
    let settings = Settings {
        origins: vec!["https://app.example".to_owned()],
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    put(&server, "/", b"page");
    for (origin, status) in [
        ("http://here", 101),
        ("https://app.example", 101),
        ("https://app.example:443", 101),
        ("http://app.example", 403),
        ("http://here:8080", 403),
        ("http://evil", 403),
        ("null", 403),
    ] {
        let line = format!("Origin: {origin}\r\n\r\n");
        let request = [&REQUEST[..REQUEST.len() - 2], line.as_bytes()].concat();
        let mut client = Client::connect(server.address);
        client.write(&request);
        let thread = std::thread::spawn(move || client.head());
        server.until(|_| thread.is_finished());
        let head = thread.join().unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{origin} {head}"
        );
        // A page is for everybody.
        let get = format!("GET / HTTP/1.1\r\nHost: here\r\n{line}");
        assert_eq!(ask(&mut server, get.as_bytes()).1, b"page");
    }
}

#[test]
fn hs35_hs37_the_program_refuses_with_a_status_beside_pages() {
    let settings = Settings::default();
    let mut server = Server::new(settings, Serving::default(), |told, here| {
        if let Told::Request(peer, _) = told {
            let refused = here.with_connection(*peer, |connection| {
                connection.add_header("WWW-Authenticate", "Basic realm=\"x\"")?;
                connection.refuse(401, b"who are you?\n")
            });
            assert_eq!(refused, Ok(()));
        }
    });
    put(&server, "/there", b"page");
    let (head, body) = ask(&mut server, REQUEST);
    assert!(head.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{head}");
    assert!(
        head.contains("\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"),
        "{head}"
    );
    assert_eq!(body, b"who are you?\n");
    assert_eq!(ask(&mut server, b"GET /there HTTP/1.0\r\n\r\n").1, b"page");
}
