//! A server made by the C functions, turned on this thread under a plan, and
//! clients of a few lines that the plan does not touch.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::ptr::null_mut;

use wsembed::config::{WEBSOCKET_CLOSE_TIMEOUT_MS, WEBSOCKET_STOP_TIMEOUT_MS};
use wsembed::ffi::config::{
    webSocket_config_free, webSocket_config_new, webSocket_config_setNumber,
};
use wsembed::ffi::event::{
    WEBSOCKET_BINARY, WEBSOCKET_CLOSE, WEBSOCKET_REQUEST, WEBSOCKET_TEXT, webSocket_event,
    webSocket_peer,
};
use wsembed::ffi::result::{WEBSOCKET_CLOSED, WEBSOCKET_E_HANDLES, WEBSOCKET_OK};
use wsembed::ffi::result::{
    WEBSOCKET_E_ADDRESS, WEBSOCKET_E_MEMORY, WEBSOCKET_E_SYSTEM, WEBSOCKET_E_USAGE,
};
use wsembed::ffi::server::life::webSocket_server_new;
use wsembed::ffi::server::listen::{webSocket_server_listen, webSocket_server_listenFd};
use wsembed::ffi::server::peer::webSocket_server_send;
use wsembed::ffi::server::turning::{
    webSocket_server_free, webSocket_server_pollFd, webSocket_server_step,
};
use wsembed::ffi::server::webSocket_server;
use wsembed::net::sys::errno;
use wsembed::net::sys::faults::Plan;
use wsembed::proto::frame::{self, Decoded};

use super::support::{Frame, frames};

/// A request, by whose path the peer is known.
pub fn request(name: u32) -> Vec<u8> {
    format!(
        "GET /{name} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// Room in the sockets' buffers: little, so that long messages have to wait.
static ROOM: c_int = 8192;
/// Turns that a phase may take; a few dozen are usual.
const MOST_TURNS: u32 = 3000;

/// What the callback was told: peer, kind, close code.
type Told = (webSocket_peer, u32, u32);

/// What the callback gets.
pub struct Log {
    server: *mut webSocket_server,
    pub told: RefCell<Vec<Told>>,
    /// Peers by the names in their requests.
    peers: RefCell<HashMap<u32, webSocket_peer>>,
}

unsafe extern "C" fn happens(user: *mut c_void, event: *const webSocket_event) {
    // SAFETY: the server's promise, and the test's: a log that outlives it.
    let (log, event) = unsafe { (&*user.cast::<Log>(), &*event) };
    log.told
        .borrow_mut()
        .push((event.peer, event.kind, event.closeCode));
    if event.kind == WEBSOCKET_REQUEST {
        // SAFETY: the event's bytes live until this returns.
        let target = unsafe { std::slice::from_raw_parts(event.data, event.length) };
        let name = std::str::from_utf8(&target[1..]).unwrap().parse().unwrap();
        log.peers.borrow_mut().insert(name, event.peer);
    }
    if matches!(event.kind, WEBSOCKET_TEXT | WEBSOCKET_BINARY) {
        let (kind, data, length) = (event.kind, event.data, event.length);
        // SAFETY: the event's bytes live until this returns.
        let sent = unsafe { webSocket_server_send(log.server, event.peer, kind, data, length) };
        assert_eq!(sent, WEBSOCKET_OK, "an echo is refused");
    }
}

/// A client: what is still to be written, what has come, whether that is all.
pub struct Client {
    pub name: u32,
    socket: TcpStream,
    unwritten: Vec<u8>,
    pub got: Vec<u8>,
    pub ended: bool,
    /// It does not read meanwhile.
    pub deaf: bool,
}

impl Client {
    pub fn new(name: u32, port: u16) -> Client {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        Client {
            name,
            socket,
            unwritten: Vec::new(),
            got: Vec::new(),
            ended: false,
            deaf: false,
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.unwritten.extend_from_slice(bytes);
        self.pump();
    }

    /// Writes and reads as far as that goes at once.
    pub fn pump(&mut self) {
        while !self.unwritten.is_empty() {
            match self.socket.write(&self.unwritten) {
                Ok(count) => _ = self.unwritten.drain(..count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.unwritten.clear(),
            }
        }
        let mut piece = [0; 65_536];
        while !self.ended && !self.deaf {
            match self.socket.read(&mut piece) {
                Ok(0) => self.ended = true,
                Ok(count) => self.got.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
    }

    /// Ends its sending direction.
    pub fn half_close(&self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }

    /// The answer's head, once it is whole.
    pub fn head(&self) -> Option<&[u8]> {
        let end = self.got.windows(4).position(|four| four == b"\r\n\r\n")?;
        Some(&self.got[..end + 4])
    }

    pub fn is_open(&self) -> bool {
        let open = b"HTTP/1.1 101 ";
        self.head().is_some_and(|head| head.starts_with(open))
    }

    /// How many whole frames are behind the head, and the last one's first
    /// byte.
    pub fn count(&self) -> (usize, u8) {
        let mut at = self.head().map_or(0, <[u8]>::len);
        let (mut count, mut last) = (0, 0);
        while let Decoded::Header(header) = frame::decode(&self.got[at..]) {
            at += usize::from(header.size) + usize::try_from(header.length).unwrap();
            if at > self.got.len() {
                break;
            }
            (count, last) = (count + 1, header.first);
        }
        (count, last)
    }

    /// The whole frames behind the head.
    pub fn frames(&self) -> Vec<Frame> {
        let head = self.head().map_or(0, <[u8]>::len);
        if !self.is_open() {
            return Vec::new();
        }
        frames(&self.got[head..])
    }
}

/// The server and all that is known of it.
pub struct World<'p> {
    plan: &'p mut Plan,
    pub server: *mut webSocket_server,
    pub log: Box<Log>,
    /// Where `webSocket_server_listen` listens.
    pub port: u16,
    /// Where the socket that was given to it listens; little room in it.
    pub narrow: u16,
    /// Where it is waited for instead of in `webSocket_server_step`.
    waits_at: Option<c_int>,
    /// Functions that failed.
    pub failures: u64,
    pub over: bool,
    /// Clients so far.
    pub names: u32,
}

impl World<'_> {
    /// A server that listens. Each function may fail as often as the plan
    /// says, with an error of its own, and is called again.
    pub fn new(plan: &mut Plan, embedded: bool) -> World<'_> {
        let log = Log {
            server: null_mut(),
            told: RefCell::default(),
            peers: RefCell::default(),
        };
        let mut world = World {
            plan,
            server: null_mut(),
            log: Box::new(log),
            port: 0,
            narrow: 0,
            waits_at: None,
            failures: 0,
            over: false,
            names: 0,
        };
        let user = (&raw mut *world.log).cast::<c_void>();
        let mut config = null_mut();
        // SAFETY: a live place.
        assert_eq!(unsafe { webSocket_config_new(&raw mut config) }, 0);
        for timeout in [WEBSOCKET_CLOSE_TIMEOUT_MS, WEBSOCKET_STOP_TIMEOUT_MS] {
            assert_eq!(webSocket_config_setNumber(config, timeout, 20), 0);
        }
        let mut server = null_mut();
        // SAFETY: the log outlives the server; the token's place is alive.
        world.call(|_| unsafe {
            webSocket_server_new(config, Some(happens), user, &raw mut server)
        });
        assert_eq!(webSocket_config_free(config), 0);
        (world.server, world.log.server) = (server, server);
        let mut port = 0;
        // SAFETY: a string with its NUL, and a live place.
        world.call(|world| unsafe {
            webSocket_server_listen(world.server, c"127.0.0.1".as_ptr(), 0, &raw mut port)
        });
        world.port = port;
        let mut narrow = 0;
        world.call(|world| {
            let listener = narrow_listener();
            narrow = listener.local_addr().unwrap().port();
            let fd = listener.into_raw_fd();
            let result = webSocket_server_listenFd(world.server, fd);
            if result == WEBSOCKET_E_USAGE {
                // SAFETY: it was not taken, and is nobody else's.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
            }
            result
        });
        world.narrow = narrow;
        if embedded {
            let mut fd = -1;
            // SAFETY: a live place.
            world.call(|world| unsafe { webSocket_server_pollFd(world.server, &raw mut fd) });
            world.waits_at = Some(fd);
        }
        world
    }

    /// Calls a function until it succeeds.
    fn call(&mut self, mut function: impl FnMut(&Self) -> i32) {
        for _ in 0..50 {
            let mut plan = std::mem::take(self.plan);
            let result = plan.run(|| function(self));
            *self.plan = plan;
            if result == WEBSOCKET_OK {
                return;
            }
            let errors = [
                WEBSOCKET_E_HANDLES,
                WEBSOCKET_E_MEMORY,
                WEBSOCKET_E_SYSTEM,
                WEBSOCKET_E_ADDRESS,
                WEBSOCKET_E_USAGE,
            ];
            assert!(errors.contains(&result), "{result}, errno {}", errno());
            self.failures += 1;
        }
        panic!("it fails for ever");
    }

    /// One turn, of 20 ms at most.
    pub fn turn(&mut self) {
        self.wait_and_turn(20);
    }

    fn wait_and_turn(&mut self, timeout: c_int) {
        let mut timeout = timeout;
        if let Some(fd) = self.waits_at {
            let mut entry = libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one live entry.
            unsafe { libc::poll(&raw mut entry, 1, timeout) };
            timeout = 0;
        }
        let server = self.server;
        let turned = self
            .plan
            .run(|| webSocket_server_step(server, timeout as u32));
        match turned {
            WEBSOCKET_OK => {}
            WEBSOCKET_CLOSED => self.over = true,
            WEBSOCKET_E_SYSTEM | WEBSOCKET_E_MEMORY => self.failures += 1,
            other => panic!("a turn ended with {other}"),
        }
    }

    /// Turns until `done` says so, while the clients read and write.
    pub fn until(
        &mut self,
        clients: &mut [Client],
        what: &str,
        done: impl Fn(&World<'_>, &[Client]) -> bool,
    ) {
        for _ in 0..MOST_TURNS {
            for client in clients.iter_mut() {
                client.pump();
            }
            if done(self, clients) {
                return;
            }
            self.turn();
        }
        let told = &self.log.told;
        let clients = clients.iter().map(|one| (one.ended, one.count()));
        let clients: Vec<_> = clients.collect();
        panic!("{what}: it does not come to that; told: {told:?}; clients: {clients:?}");
    }

    /// Calls so far that a signal could have interrupted: the last rule of
    /// each plan counts them.
    fn calls(&self) -> u64 {
        self.plan.tallies().last().map_or(0, |tally| tally.calls)
    }

    /// Where nobody wants anything, a turn waits and makes no other call; it
    /// comes to that after `most` calls.
    pub fn assert_quiet(&mut self, clients: &mut [Client], most: u64, what: &str) {
        let mut quiet = 0;
        let start = self.calls();
        for _ in 0..3000 {
            for client in clients.iter_mut() {
                client.pump();
            }
            let before = self.calls();
            self.wait_and_turn(1);
            quiet = if self.calls() - before <= 1 {
                quiet + 1
            } else {
                0
            };
            if quiet == 3 {
                let calls = self.calls() - start;
                assert!(calls <= most, "{what}: {calls} calls for nothing");
                return;
            }
        }
        panic!("{what}: the server does not come to rest");
    }

    /// What a thread that is no loop asks for.
    pub fn elsewhere(&self, ask: impl FnOnce(*mut webSocket_server) -> i32 + Send) -> i32 {
        let server = self.server as usize;
        let asked = || ask(server as *mut webSocket_server);
        std::thread::scope(|scope| scope.spawn(asked).join().unwrap())
    }

    /// A client's peer.
    pub fn peer(&self, client: &Client) -> webSocket_peer {
        self.log.peers.borrow()[&client.name]
    }

    /// Frees the server. CLOSE was told once of each peer that anything was
    /// told of, and nothing after it.
    pub fn end(self) -> u64 {
        let server = self.server;
        let freed = self.plan.run(|| webSocket_server_free(server));
        assert_eq!(freed, WEBSOCKET_OK);
        let mut ended: HashMap<webSocket_peer, u32> = HashMap::new();
        for (peer, kind, _) in &*self.log.told.borrow() {
            let ends = ended.entry(*peer).or_default();
            assert_eq!(*ends, 0, "told of {peer:x} after its end");
            *ends += u32::from(*kind == WEBSOCKET_CLOSE);
        }
        for (peer, ends) in &ended {
            assert_eq!(*ends, 1, "the end of {peer:x} was not told");
        }
        self.failures
    }
}

/// A listening socket whose connections have little room in their buffers.
fn narrow_listener() -> TcpListener {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer; the new fd is nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(libc::socket(libc::AF_INET, kind, 0)) };
    for name in [libc::SO_SNDBUF, libc::SO_RCVBUF] {
        let size = size_of::<c_int>() as libc::socklen_t;
        let room = (&raw const ROOM).cast();
        let fd = socket.as_raw_fd();
        // SAFETY: the kernel reads a live integer.
        let set = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, name, room, size) };
        assert_eq!(set, 0);
    }
    // Not bound yet: the kernel picks a port of any address.
    // SAFETY: takes no pointer.
    assert_eq!(unsafe { libc::listen(socket.as_raw_fd(), 64) }, 0);
    TcpListener::from(socket)
}
