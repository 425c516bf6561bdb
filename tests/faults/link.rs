//! `webSocket_clientLinkToServer` against a raw server on loopback.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use wsembed::legacy::link::{self, Times};
use wsembed::net::sys::Errno;
use wsembed::net::sys::faults::Plan;
use wsembed::proto::handshake::key;

use super::support::*;

/// Far more than any machine needs: here failures end a connect, not time.
const TIMES: Times = Times {
    connect: 60_000,
    handshake: 60_000,
};

/// A server that answers every request and glues a frame to the answer.
struct Server {
    port: u16,
    answered: Receiver<TcpStream>,
    thread: Option<JoinHandle<()>>,
}

/// What ends the server's thread: the first byte of a connection.
const STOP: u8 = b'!';

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, answered) = channel();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = request(&mut stream) else {
                    continue;
                };
                if request == [STOP] {
                    return;
                }
                if let Some(stream) = answer(stream, &request) {
                    sender.send(stream).unwrap();
                }
            }
        });
        Server {
            port,
            answered,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> Result<TcpStream, Errno> {
        self.connect_as("127.0.0.1")
    }

    fn connect_as(&self, host: &str) -> Result<TcpStream, Errno> {
        let fd = link::connect(host, self.port.into(), "/path", TIMES)?;
        // SAFETY: the new fd is the caller's.
        Ok(unsafe { TcpStream::from_raw_fd(fd) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.write_all(&[STOP]).unwrap();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

/// The request's head; `None` for a client that is gone before its end.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && request != [STOP] {
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    Some(request)
}

fn answer(mut stream: TcpStream, request: &[u8]) -> Option<TcpStream> {
    let request = std::str::from_utf8(request).unwrap();
    let asked = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .expect("a request without a key");
    let accept = key::accept(asked.as_bytes());
    let accept = std::str::from_utf8(&accept).unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n\u{1}\u{5}glued"
    );
    stream.write_all(answer.as_bytes()).ok()?;
    Some(stream)
}

/// A client's socket, its handshake done, and its raw peer.
pub fn connected() -> (TcpStream, TcpStream) {
    let server = Server::start();
    let own = server.connect().unwrap();
    let peer = server.answered.recv().unwrap();
    glued(&mut Plan::default(), &own);
    (own, peer)
}

/// The frame behind the answer is there, whole.
fn glued(plan: &mut Plan, own: &TcpStream) {
    for _ in 0..1000 {
        let said = plan.run(|| recv(own.as_raw_fd(), 64));
        if said.result == 0 && [libc::EAGAIN, libc::EINTR].contains(&said.errno) {
            if is_quiet(own) {
                wait(own.as_raw_fd(), libc::POLLIN);
            }
            continue;
        }
        assert_eq!((said.kind, &said.data[..]), (101, &b"glued"[..]));
        return;
    }
    panic!("the frame behind the answer does not come");
}

#[test]
fn tr04_tr05_hc14_hc15_a_client_links_through_what_passes() {
    let server = Server::start();
    let scenario = |plan: &mut Plan| {
        let own = plan.run(|| server.connect()).unwrap();
        glued(plan, &own);
        drop(server.answered.recv().unwrap());
    };
    every_k("clientLinkToServer", PASSING, scenario);
    let often = [
        "any:short:1+",
        "any:byte:1+",
        "any:eintr:%5",
        "any:eagain:%4",
        "any:eintr:%7,any:eagain:%5,any:byte:1+",
    ];
    each("clientLinkToServer", &often, scenario);
}

#[test]
fn tr06_tr14_a_client_that_cannot_link_says_why_and_leaves_nothing() {
    let server = Server::start();
    const RULES: &[(&str, &[i32])] = &[
        (
            "any:reset:{k}",
            &[libc::ECONNRESET, libc::EPIPE, libc::ENOTCONN, libc::EBADF],
        ),
        ("socket:emfile:{k}", &[libc::EMFILE]),
        ("connect:econnreset:{k}", &[libc::ECONNRESET]),
        ("connect:eagain:{k}", &[libc::EAGAIN]),
        ("poll:enomem:{k}", &[libc::ENOMEM]),
        ("recv:enomem:{k}", &[libc::ENOMEM]),
        ("recv:econnreset:{k}", &[libc::ECONNRESET]),
        ("sendmsg:enobufs:{k}", &[libc::ENOBUFS]),
        ("sendmsg:epipe:{k}", &[libc::EPIPE]),
        ("getsockopt:enomem:{k}", &[libc::ENOMEM]),
        ("setsockopt:enomem:{k}", &[]),
        ("getsockname:enobufs:{k}", &[]),
        ("getpeername:enobufs:{k}", &[]),
    ];
    for (rule, errnos) in RULES {
        every_k("clientLinkToServer", &[rule], |plan| {
            match plan.run(|| server.connect()) {
                Ok(own) => {
                    // A connection, whatever became of it later.
                    let said = plan.run(|| recv(own.as_raw_fd(), 64));
                    assert!(said.errno != 4242);
                }
                Err(Errno(errno)) => assert!(errnos.contains(&errno), "errno {errno}"),
            }
            // The next one is in order; all answered before it are then known.
            let own = server.connect().unwrap();
            glued(&mut Plan::default(), &own);
            let port = own.local_addr().unwrap();
            while server.answered.recv().unwrap().peer_addr().ok() != Some(port) {}
        });
    }
}

#[test]
fn tr23_no_thread_and_no_resolver() {
    let server = Server::start();
    let mut plan = Plan::new("pthread_create:eagain:1+").unwrap();
    let linked = plan.run(|| server.connect_as("localhost"));
    assert_eq!(linked.map(drop), Err(Errno(libc::EAGAIN)));
    assert!(plan.tallies()[0].hits > 0);
    // With a thread, all is well again.
    let own = server.connect_as("localhost").unwrap();
    glued(&mut Plan::default(), &own);
}
