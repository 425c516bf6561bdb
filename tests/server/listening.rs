//! Where a server takes connections from: addresses, paths, sockets that come
//! from elsewhere; and what it says where it cannot.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use crate::handle::{Handle, LONG_MS, last_failure, text_of};
use crate::support::{CLOSE, Client, REQUEST, TEXT, Told, masked, opened};
use wsembed::config::{WEBSOCKET_BACKLOG, WEBSOCKET_THREADS};
use wsembed::ffi::result::*;

/// A folder of one test's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("wsembed-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> (PathBuf, String) {
        let path = self.0.join(name);
        let address = format!("unix:{}", path.display());
        (path, address)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One client there and back, while the test turns the server.
fn serves(server: &Handle, address: SocketAddr) {
    let mut client = Client::connect(address);
    client.ask();
    client.send(TEXT, b"?");
    let mut told = 0;
    server.until(|| {
        told += server.told().len();
        told >= 3
    });
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    assert_eq!(client.frame(), (TEXT, b"?".to_vec()));
}

fn local(port: u16) -> [SocketAddr; 2] {
    [
        ([127, 0, 0, 1], port).into(),
        ("::1".parse::<std::net::IpAddr>().unwrap(), port).into(),
    ]
}

#[test]
fn everywhere_is_both_families_and_an_address_is_that_address() {
    let server = Handle::echo(&[]);
    for everywhere in ["", "::", "[::]"] {
        let port = server.listen(everywhere, 0).unwrap();
        for address in local(port) {
            serves(&server, address);
        }
    }
    let port = server.listen("127.0.0.1", 0).unwrap();
    let [four, six] = local(port);
    serves(&server, four);
    assert!(TcpStream::connect(six).is_err());
    for bare in ["::1", "[::1]"] {
        let port = server.listen(bare, 0).unwrap();
        let [four, six] = local(port);
        serves(&server, six);
        assert!(TcpStream::connect(four).is_err());
    }
    let port = server.listen("0.0.0.0", 0).unwrap();
    let [four, six] = local(port);
    serves(&server, four);
    assert!(TcpStream::connect(six).is_err());
}

#[test]
fn a_peers_address_is_told_as_it_came() {
    let server = Handle::echo(&[]);
    let port = server.listen("::", 0).unwrap();
    for (address, text) in local(port).into_iter().zip(["127.0.0.1", "::1"]) {
        let mut client = Client::connect(address);
        client.ask();
        let mut peer = None;
        server.until(|| {
            let told = server.told();
            peer = peer.or(told.iter().find_map(|(_, told)| opened(told)));
            peer.is_some()
        });
        let info = server.info(peer.unwrap()).unwrap();
        assert_eq!(text_of(&info.address), text);
        assert_eq!(
            u16::try_from(info.port),
            client
                .socket
                .local_addr()
                .map(|own| own.port())
                .map_err(|_| unreachable!())
        );
        assert_eq!(text_of(&info.target), "/there?a=b");
        assert_eq!(info.targetLength, 10);
        assert_eq!(text_of(&info.subprotocol), "");
    }
}

#[test]
fn tr26_an_address_that_cannot_be_had_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for threads in [1, 2] {
        let server = Handle::echo(&[(WEBSOCKET_THREADS, threads)]);
        for (address, port, result, errno) in [
            ("127.0.0.1", port, WEBSOCKET_E_ADDRESS, libc::EADDRINUSE),
            ("", port, WEBSOCKET_E_ADDRESS, libc::EADDRINUSE),
            ("192.0.2.1", 0, WEBSOCKET_E_ADDRESS, libc::EADDRNOTAVAIL),
            ("localhost", 0, WEBSOCKET_E_USAGE, 0),
            ("127.0.0.1:80", 0, WEBSOCKET_E_USAGE, 0),
            ("1.2.3", 0, WEBSOCKET_E_USAGE, 0),
            ("[::1", 0, WEBSOCKET_E_USAGE, 0),
            ("unix:", 0, WEBSOCKET_E_USAGE, 0),
            (
                &format!("unix:/{}", "x".repeat(108)),
                0,
                WEBSOCKET_E_USAGE,
                0,
            ),
            ("unix:/nowhere/at/all", 0, WEBSOCKET_E_SYSTEM, libc::ENOENT),
        ] {
            assert_eq!(server.listen(address, port), Err(result), "{address}");
            let (number, text) = last_failure();
            assert_eq!(number, errno, "{address}: {text}");
            if errno != 0 {
                let known = std::io::Error::from_raw_os_error(errno).to_string();
                assert!(text.contains(&known), "{text}");
            }
        }
        // What failed leaves nothing behind: this is the first of them.
        let address = server.listen_here();
        server.start().unwrap();
        drop(Client::open(address));
    }
}

#[test]
fn tr26_several_loops_take_no_port_that_another_server_has() {
    let first = Handle::echo(&[(WEBSOCKET_THREADS, 3)]);
    let second = Handle::echo(&[(WEBSOCKET_THREADS, 3)]);
    let port = first.listen_here().port();
    assert_eq!(second.listen("127.0.0.1", port), Err(WEBSOCKET_E_ADDRESS));
    assert_eq!(first.listen("127.0.0.1", port), Err(WEBSOCKET_E_ADDRESS));
    // Once the first is gone its port is to be had, its connections' wait
    // (TIME_WAIT) notwithstanding.
    first.start().unwrap();
    let mut client = Client::open(([127, 0, 0, 1], port).into());
    client.send(CLOSE, &[3, 232]);
    assert_eq!(client.frame().0, CLOSE);
    assert!(client.at_end());
    first.free().unwrap();
    assert_eq!(second.listen("127.0.0.1", port), Ok(port));
    second.start().unwrap();
    drop(Client::open(([127, 0, 0, 1], port).into()));
}

#[test]
fn a_path_is_served_and_gone_at_the_end() {
    let folder = Folder::new("path");
    let (path, address) = folder.path("socket");
    let (like, _) = folder.path("like");
    drop(UnixListener::bind(&like).unwrap());
    for end in ["free", "stop", "free without a turn"] {
        let server = Handle::echo(&[]);
        assert_eq!(server.listen(&address, 7), Ok(0));
        // The umask's permissions, as of any other file.
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&like));
        if end == "free without a turn" {
            server.free().unwrap();
            assert!(!path.exists());
            continue;
        }
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(REQUEST).unwrap();
        let mut peer = None;
        server.until(|| {
            let told = server.told();
            peer = peer.or(told.iter().find_map(|(_, told)| opened(told)));
            peer.is_some()
        });
        let info = server.info(peer.unwrap()).unwrap();
        assert_eq!((text_of(&info.address).as_str(), info.port), ("unix", 0));
        drop(client);
        if end == "free" {
            server.free().unwrap();
        } else {
            server.stop().unwrap();
            server.run().unwrap();
        }
        assert!(!path.exists(), "{end}");
    }
}

#[test]
fn a_path_of_a_dead_server_is_taken_and_no_other() {
    let folder = Folder::new("stale");
    let (path, address) = folder.path("socket");
    // A server that was killed leaves its file.
    drop(UnixListener::bind(&path).unwrap());
    let server = Handle::echo(&[]);
    assert_eq!(server.listen(&address, 0), Ok(0));
    drop(UnixStream::connect(&path).unwrap());
    // One that lives is left alone, also where its line of callers is full.
    let other = Handle::echo(&[]);
    assert_eq!(other.listen(&address, 0), Err(WEBSOCKET_E_ADDRESS));
    assert_eq!(last_failure().0, libc::EADDRINUSE);
    let (path, address) = folder.path("busy");
    let busy = Handle::echo(&[(WEBSOCKET_BACKLOG, 1)]);
    busy.listen(&address, 0).unwrap();
    let _waiting: Vec<_> = (0..2)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    assert_eq!(other.listen(&address, 0), Err(WEBSOCKET_E_ADDRESS));
    assert!(path.exists());
    // A file that is no socket is somebody's.
    let (path, address) = folder.path("letter");
    std::fs::write(&path, "dear").unwrap();
    assert_eq!(other.listen(&address, 0), Err(WEBSOCKET_E_ADDRESS));
    assert_eq!(std::fs::read(&path).unwrap(), b"dear");
    // What has taken the name in the meantime is not removed at the end.
    let (path, address) = folder.path("taken");
    other.listen(&address, 0).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _heir = UnixListener::bind(&path).unwrap();
    other.free().unwrap();
    assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
}

#[test]
fn a_socket_that_listens_already_is_taken_over() {
    let server = Handle::echo(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It waited before the server was there.
    let mut early = Client::connect(address);
    early.ask();
    assert_eq!(server.listen_fd(listener.into_raw_fd()), Ok(()));
    server.until(|| server.told().iter().any(|(_, told)| opened(told).is_some()));
    assert!(early.head().starts_with("HTTP/1.1 101 "));
    serves(&server, address);
    // An inherited path is its owner's to remove.
    let folder = Folder::new("inherited");
    let (path, _) = folder.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(server.listen_fd(listener.into_raw_fd()), Ok(()));
    // What does not listen stays the caller's.
    let (near, _far) = UnixStream::pair().unwrap();
    let pipe = std::fs::File::open("/dev/null").unwrap();
    for fd in [near.as_raw_fd(), pipe.as_raw_fd(), -1, 1 << 20] {
        assert_eq!(server.listen_fd(fd), Err(WEBSOCKET_E_USAGE), "{fd}");
    }
    near.set_nonblocking(true).unwrap();
    pipe.metadata().unwrap();
    server.free().unwrap();
    assert!(path.exists());
    assert!(TcpStream::connect(address).is_err());
}

/// A connection that the program has accepted, and its other end.
fn accepted() -> (TcpStream, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::connect(listener.local_addr().unwrap());
    (listener.accept().unwrap().0, client)
}

#[test]
fn hs31_hs32_a_connection_is_taken_over_wherever_its_reader_was() {
    let hello = masked(TEXT, b"hello");
    let all = [REQUEST, &hello, &hello].concat();
    let at = REQUEST.len();
    for cut in [
        0,
        1,
        at / 2,
        at - 1,
        at,
        at + 1,
        at + hello.len(),
        all.len(),
    ] {
        let server = Handle::echo(&[]);
        let (socket, mut client) = accepted();
        server.adopt(socket.into_raw_fd(), &all[..cut]).unwrap();
        // The rest comes before the server has looked, and after.
        if cut % 2 == 0 {
            client.write(&all[cut..]);
            server.step(LONG_MS).unwrap();
        } else {
            server.step(LONG_MS).unwrap();
            client.write(&all[cut..]);
        }
        let mut texts = 0;
        server.until(|| {
            let told = server.told();
            texts += told
                .iter()
                .filter(|(_, told)| matches!(told, Told::Text(..)))
                .count();
            texts == 2
        });
        assert!(client.head().starts_with("HTTP/1.1 101 "), "{cut}");
        for _ in 0..2 {
            assert_eq!(client.frame(), (TEXT, b"hello".to_vec()), "{cut}");
        }
        assert_eq!(server.statistics().accepted, 1);
    }
}

#[test]
fn what_is_no_connection_is_not_taken_over() {
    let server = Handle::echo(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    for fd in [listener.as_raw_fd(), file.as_raw_fd(), -1, 1 << 20] {
        assert_eq!(server.adopt(fd, b""), Err(WEBSOCKET_E_USAGE), "{fd}");
    }
    // A local pair is one.
    let (near, mut far) = UnixStream::pair().unwrap();
    far.write_all(REQUEST).unwrap();
    server.adopt(near.into_raw_fd(), b"").unwrap();
    server.until(|| server.told().iter().any(|(_, told)| opened(told).is_some()));
    // A server that ends takes nothing more, and closes what it was given.
    let (socket, mut client) = accepted();
    server.stop().unwrap();
    assert_eq!(
        server.adopt(socket.into_raw_fd(), b""),
        Err(WEBSOCKET_E_STATE)
    );
    assert!(client.head().starts_with("HTTP/1.1 503 "));
    assert!(client.at_end());
}
