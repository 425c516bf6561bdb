//! Connected sockets: one end for the drop-in, one for the fuzzer.
#![allow(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use wsembed::legacy::link::{self, Times};
use wsembed::net::sys;
use wsembed::proto::handshake::key;

/// The lowest number of a local socket.
const LOCAL: RawFd = 200;

trait Peer: Read + Write {
    fn end(&self);
}

impl Peer for UnixStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Peer for TcpStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

pub struct Pair {
    peer: Box<dyn Peer>,
    pub own: RawFd,
    /// Closes `own`, behind the peer.
    _own: OwnedFd,
    /// `own` is a client's.
    pub client: bool,
    /// All that the peer was sent.
    pub received: Vec<u8>,
}

impl Pair {
    /// A socketpair, whose number was another one's before. It is never one of
    /// the numbers that clients have: a local socket that follows a TCP socket
    /// is told apart from it only when something is kept or verified.
    pub fn local() -> Pair {
        let (own, peer) = UnixStream::pair().expect("a socketpair");
        own.set_nonblocking(true).expect("O_NONBLOCK");
        peer.set_nonblocking(true).expect("O_NONBLOCK");
        // SAFETY: takes no pointer; the number, if any, is new and ours.
        let own = unsafe { libc::fcntl(own.as_raw_fd(), libc::F_DUPFD_CLOEXEC, LOCAL) };
        assert!(own >= LOCAL, "no number of {LOCAL} or above");
        Pair::new(Box::new(peer), own, false)
    }

    /// A client of a server in this process.
    pub fn client() -> Pair {
        static SERVER: OnceLock<(i32, Mutex<Receiver<TcpStream>>)> = OnceLock::new();
        let (port, accepted) = SERVER.get_or_init(serve);
        let times = Times {
            connect: 30_000,
            handshake: 30_000,
        };
        let accepted = accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let own = link::connect("127.0.0.1", *port, "/", times).expect("a connection");
        let peer = accepted.recv().expect("the server's end");
        Pair::new(Box::new(peer), own, true)
    }

    fn new(peer: Box<dyn Peer>, own: RawFd, client: bool) -> Pair {
        Pair {
            peer,
            own,
            // SAFETY: the number is a socket that nobody else owns.
            _own: unsafe { OwnedFd::from_raw_fd(own) },
            client,
            received: Vec::new(),
        }
    }

    /// Writes what there is room for.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        match self.peer.write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// Ends the peer's direction.
    pub fn end(&self) {
        self.peer.end();
    }

    /// Waits until something can be received.
    pub fn wait(&self) {
        let _ = sys::poll(self.own, libc::POLLIN, 5);
    }

    /// Reads what has come, until at least `least` bytes are there in all.
    pub fn read(&mut self, least: usize) {
        let mut tries = 0;
        let mut piece = [0; 4096];
        loop {
            match self.peer.read(&mut piece) {
                Ok(0) => panic!("the drop-in closed the connection"),
                Ok(got) => self.received.extend_from_slice(&piece[..got]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.received.len() >= least {
                        return;
                    }
                    tries += 1;
                    assert!(self.client && tries < 10_000, "an answer is missing");
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Accepts clients for ever; its port, and where the connections come out.
fn serve() -> (i32, Mutex<Receiver<TcpStream>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (give, take) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = welcome(stream.expect("a connection"));
            if give.send(stream).is_err() {
                return;
            }
        }
    });
    (port.into(), Mutex::new(take))
}

fn welcome(mut stream: TcpStream) -> TcpStream {
    reset_at_close(&stream);
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a whole request");
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).expect("a request of ours");
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .expect("a key");
    let accept = key::accept(key.as_bytes());
    let accept = String::from_utf8_lossy(&accept);
    let answer = format!("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
    stream.write_all(answer.as_bytes()).expect("room");
    stream.set_nonblocking(true).expect("O_NONBLOCK");
    stream
}

/// Thousands of connections a second would leave no port free for a minute:
/// they end with a reset, which leaves nothing behind.
fn reset_at_close(stream: &TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    // SAFETY: the kernel reads the size of a live struct.
    let outcome = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<libc::linger>() as libc::socklen_t,
        )
    };
    assert_eq!(outcome, 0, "SO_LINGER");
}
