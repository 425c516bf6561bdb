//! A server whose turns the test takes, and clients that speak the protocol
//! themselves.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use wsembed::config::Serving;
use wsembed::net::poller::Poller;
use wsembed::net::sys::listen::{self, Address, Listening, Sharing};
use wsembed::proto::conn::Event;
use wsembed::proto::frame;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;
use wsembed::server::slots::PeerId;
use wsembed::server::turn::Loop;
use wsembed::server::{Door, Happening, Program, Shared};

/// What the program was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Request(PeerId, String),
    Open(PeerId),
    Text(PeerId, String),
    Binary(PeerId, Vec<u8>),
    /// What only a lenient connection takes.
    Loose(PeerId, Kind, Vec<u8>),
    Ping(PeerId, Vec<u8>),
    Pong(PeerId, Vec<u8>),
    Close(PeerId, u16, String),
    Drain(PeerId),
}

type Act = dyn Fn(&Told, &mut Loop<Test>) + Send + Sync;

/// Notes what it is told, and does what the test wants it to do then.
pub struct Test {
    pub log: Mutex<VecDeque<Told>>,
    act: Box<Act>,
}

impl Program for Test {
    type Told = Told;

    fn note(&self, peer: PeerId, _user: usize, what: &Happening<'_>) -> Told {
        match what {
            Happening::Drain => Told::Drain(peer),
            Happening::Event(event) => match event {
                Event::Request { target } => Told::Request(peer, (*target).into()),
                Event::Open { .. } => Told::Open(peer),
                Event::Data(chunk) => match chunk.kind {
                    Kind::Text => match String::from_utf8(chunk.data.to_vec()) {
                        Ok(text) => Told::Text(peer, text),
                        Err(error) => Told::Loose(peer, Kind::Text, error.into_bytes()),
                    },
                    Kind::Binary => Told::Binary(peer, chunk.data.to_vec()),
                    kind => Told::Loose(peer, kind, chunk.data.to_vec()),
                },
                Event::Ping(data) => Told::Ping(peer, data.to_vec()),
                Event::Pong(data) => Told::Pong(peer, data.to_vec()),
                Event::Close(close) => Told::Close(peer, close.code, close.reason.into()),
            },
        }
    }

    fn tell(&self, told: Told, mut here: Box<Loop<Test>>) -> Box<Loop<Test>> {
        (self.act)(&told, &mut here);
        self.log.lock().unwrap().push_back(told);
        here
    }
}

/// A server of one loop.
pub struct Server {
    pub shared: Arc<Shared<Test>>,
    looped: Option<Box<Loop<Test>>>,
    pub address: SocketAddr,
}

impl Server {
    pub fn new(
        settings: Settings,
        serving: Serving,
        act: impl Fn(&Told, &mut Loop<Test>) + Send + Sync + 'static,
    ) -> Server {
        let poller = Poller::new().unwrap();
        let door = Door::new(poller.waker());
        let test = Test {
            log: Mutex::default(),
            act: Box::new(act),
        };
        let shared = Shared::new(test, Arc::new(settings), serving, vec![door]);
        let shared = Arc::new(shared);
        let mut looped = Box::new(Loop::new(Arc::clone(&shared), 0, poller));
        let any = Address::Internet("127.0.0.1:0".parse().unwrap());
        let how = Listening {
            backlog: 64,
            sharing: Sharing::Alone,
        };
        let socket = listen::listen(&any, how).unwrap();
        let Ok(Some(Address::Internet(address))) = listen::own_address(socket.as_raw_fd()) else {
            panic!("a listening socket has an address");
        };
        looped.listen_on(socket, None).unwrap();
        Server {
            shared,
            looped: Some(looped),
            address,
        }
    }

    /// One that sends back whatever comes.
    pub fn echo(settings: Settings, serving: Serving) -> Server {
        Server::new(settings, serving, |told, here| match told {
            Told::Text(peer, text) => _ = here.send(*peer, Kind::Text, text.as_bytes()),
            Told::Binary(peer, data) => _ = here.send(*peer, Kind::Binary, data),
            Told::Loose(peer, kind, data) => _ = here.send(*peer, *kind, data),
            _ => {}
        })
    }

    pub fn turn(&mut self, timeout: u64) {
        let looped = self.looped.take().unwrap();
        self.looped = Some(looped.turn(timeout).map_err(|(_, errno)| errno).unwrap());
    }

    pub fn here(&mut self) -> &mut Loop<Test> {
        self.looped.as_deref_mut().unwrap()
    }

    /// Turns until `done` says so; 60 s are more than anything here takes.
    pub fn until(&mut self, mut done: impl FnMut(&mut Server) -> bool) {
        let end = std::time::Instant::now() + Duration::from_secs(60);
        while !done(self) {
            assert!(std::time::Instant::now() < end, "log: {:?}", self.told());
            self.turn(10);
        }
    }

    /// Turns until the program was told of something like this; forgets what
    /// came before it.
    pub fn expect<T>(&mut self, look: impl Fn(&Told) -> Option<T>) -> T {
        let mut found = None;
        self.until(|server| {
            let mut log = server.shared.program.log.lock().unwrap();
            while found.is_none() {
                let Some(told) = log.pop_front() else { break };
                found = look(&told);
            }
            found.is_some()
        });
        found.unwrap()
    }

    /// What was told since.
    pub fn take_told(&self) -> Vec<Told> {
        self.shared.program.log.lock().unwrap().drain(..).collect()
    }

    pub fn told(&self) -> Vec<Told> {
        self.shared
            .program
            .log
            .lock()
            .unwrap()
            .iter()
            .cloned()
            .collect()
    }

    /// A client whose handshake is done, and its number here.
    pub fn client(&mut self) -> (Client, PeerId) {
        let mut client = Client::connect(self.address);
        client.ask();
        let peer = self.expect(opened);
        let answer = client.head();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        (client, peer)
    }

    /// The same over a local socket, which holds as much as it holds: nothing
    /// is on the way, nothing grows.
    pub fn local_client(&mut self) -> (Client, PeerId) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        self.shared.adopt(near.into(), b"").unwrap();
        far.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let socket = TcpStream::from(OwnedFd::from(far));
        let mut client = Client { socket };
        client.ask();
        let peer = self.expect(opened);
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        (client, peer)
    }
}

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8A;

/// Who was told to be open.
pub fn opened(told: &Told) -> Option<PeerId> {
    match told {
        Told::Open(peer) => Some(*peer),
        _ => None,
    }
}

/// Who is gone, and by which code.
pub fn closed(told: &Told) -> Option<(PeerId, u16)> {
    match told {
        Told::Close(peer, code, _) => Some((*peer, *code)),
        _ => None,
    }
}

pub const REQUEST: &[u8] = b"GET /there?a=b HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A client of a few lines.
pub struct Client {
    pub socket: TcpStream,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let socket = TcpStream::connect(address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        socket.set_nodelay(true).unwrap();
        Client { socket }
    }

    /// One whose handshake is done, at a server that somebody turns.
    pub fn open(address: SocketAddr) -> Client {
        let mut client = Client::connect(address);
        client.ask();
        let answer = client.head();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        client
    }

    /// Sends the request.
    pub fn ask(&mut self) {
        self.write(REQUEST);
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// An HTTP head, without a byte behind it.
    pub fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }

    pub fn send(&mut self, first: u8, payload: &[u8]) {
        self.write(&masked(first, payload));
    }

    /// A whole frame: its first byte and its payload.
    pub fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut bytes = vec![0; 2];
        self.socket.read_exact(&mut bytes).unwrap();
        let header = loop {
            match frame::decode(&bytes) {
                frame::Decoded::Header(header) => break header,
                frame::Decoded::Need(need) => {
                    let have = bytes.len();
                    bytes.resize(need, 0);
                    self.socket.read_exact(&mut bytes[have..]).unwrap();
                }
            }
        };
        assert!(header.mask.is_none(), "a server does not mask");
        let mut payload = vec![0; header.length as usize];
        self.socket.read_exact(&mut payload).unwrap();
        (header.first, payload)
    }

    /// Whether the server has hung up and nothing is left to read.
    pub fn at_end(&mut self) -> bool {
        matches!(self.socket.read(&mut [0]), Ok(0))
    }
}

pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [1, 2, 3, 4];
    let (header, size) = frame::encode(first, Some(key), payload.len() as u64);
    let mut bytes = header[..size].to_vec();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}
