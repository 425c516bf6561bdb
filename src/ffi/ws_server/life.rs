//! A server's making, its thread, and its end.

use std::ffi::{c_int, c_void};
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::program::Face;
use super::public::{CLIENTS, Calls, Memory, PATH, Ws_Server};
use super::send::{MESSAGE_BYTES, WAITING_BYTES};
use crate::config::Serving;
use crate::ffi::served::{Served, becomes_own, is_own};
use crate::net::poller::Poller;
use crate::net::sys::listen::{self, Address, Listening, Sharing};
use crate::net::sys::{self, Errno, Thread};
use crate::proto::settings::{Overflow, Settings};
use crate::server::turn::Loop;
use crate::server::{Door, Shared};

/// How long a port that is taken is tried again, in milliseconds.
const BIND_TIMEOUT_MS: u64 = 1000;
/// How often.
const BIND_AGAIN_MS: u32 = 10;
/// How long a client may take for its handshake, in milliseconds.
const LOGIN_TIMEOUT_MS: u64 = 5000;
/// How long clients have to answer our close when the server is released.
const RELEASE_MS: u64 = 1000;
/// Seconds of silence after which the kernel looks for a client: one whose
/// power has failed would keep its row for ever.
const KEEP_ALIVE_S: u32 = 60;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The stack that threads of the C library have: old callbacks count on it.
const STACK: usize = 8 << 20;

/// What a server is made of.
pub(super) struct Given<'p> {
    pub port: c_int,
    pub path: &'p [u8],
    pub own: *mut c_void,
    pub calls: Calls,
}

/// A server that was created and not released.
struct Life {
    memory: Arc<Memory>,
    /// None where there is nothing to serve.
    running: Option<(Arc<Shared<Served>>, Thread)>,
}

/// Those that are there: an address that is none of theirs is no harm.
static LIVES: Mutex<Vec<Life>> = Mutex::new(Vec::new());

fn lives() -> MutexGuard<'static, Vec<Life>> {
    LIVES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settings() -> Settings {
    Settings {
        max_message: MESSAGE_BYTES as u64,
        max_frame: MESSAGE_BYTES as u64,
        // Where more than the mark waits nothing is taken; what is, has room.
        send_queue: WAITING_BYTES + MESSAGE_BYTES,
        accept_unmasked: true,
        lenient: true,
        handshake_timeout: LOGIN_TIMEOUT_MS,
        ..Settings::default()
    }
}

fn serving() -> Serving {
    Serving {
        max_peers: CLIENTS,
        max_handshakes: CLIENTS,
        overflow: Overflow::Refuse,
        backlog: BACKLOG,
        keep_alive: KEEP_ALIVE_S,
        stop_timeout: RELEASE_MS,
        ..Serving::default()
    }
}

/// Makes a server; `None` without memory.
pub(super) fn create(given: &Given<'_>) -> Option<*mut Ws_Server> {
    let memory = Arc::new(Memory::new()?);
    let at = memory.at();
    memory.port.store(given.port, Ordering::Relaxed);
    memory.r#priv.store(given.own, Ordering::Relaxed);
    // The last byte stays the NUL.
    for (to, from) in memory.path.iter().take(PATH - 1).zip(given.path) {
        to.store(*from, Ordering::Relaxed);
    }
    memory.keep_calls(given.calls);
    for thread in &memory.thread {
        thread.wss.store(at, Ordering::Relaxed);
    }
    // Whoever releases it at once waits for this lock, and then finds it.
    let mut lives = lives();
    lives.try_reserve(1).ok()?;
    let running = start(given, &memory);
    if running.is_none() {
        memory.ends();
    }
    lives.push(Life { memory, running });
    Some(at)
}

fn start(given: &Given<'_>, memory: &Arc<Memory>) -> Option<(Arc<Shared<Served>>, Thread)> {
    let port = u16::try_from(given.port).ok().filter(|port| *port != 0)?;
    if given.path.len() >= PATH {
        return None;
    }
    let poller = Poller::new().ok()?;
    let face = Face::new(Arc::clone(memory), given.path);
    let doors = vec![Door::new(poller.waker())];
    let shared = Arc::new(Shared::new(
        Served::Face(face),
        Arc::new(settings()),
        serving(),
        doors,
    ));
    let mut looped = Box::new(Loop::new(Arc::clone(&shared), 0, poller));
    let epoll = looped.epoll_fd();
    memory.fd_epoll.store(epoll, Ordering::Relaxed);
    for thread in &memory.thread {
        thread.fd_epoll.store(epoll, Ordering::Relaxed);
    }
    // At once where that can be done: a program may look at `fd` right away.
    let bound = bind(port).is_ok_and(|socket| listen_on(memory, &mut looped, socket));
    let run = move || live(looped, (!bound).then_some(port));
    let thread = Thread::start(STACK, Box::new(run))?;
    Some((shared, thread))
}

fn bind(port: u16) -> Result<OwnedFd, Errno> {
    let how = Listening {
        backlog: c_int::try_from(BACKLOG).unwrap_or(c_int::MAX),
        sharing: Sharing::Alone,
    };
    let everywhere = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    match listen::listen(&Address::Internet(everywhere), how) {
        // A machine without IPv6.
        Err(Errno(libc::EAFNOSUPPORT)) => {
            listen::listen(&Address::Internet(([0, 0, 0, 0], port).into()), how)
        }
        listening => listening,
    }
}

fn listen_on(memory: &Memory, looped: &mut Loop<Served>, socket: OwnedFd) -> bool {
    let fd = socket.as_raw_fd();
    let listens = looped.listen_on(socket, None).is_ok();
    if listens {
        memory.fd.store(fd, Ordering::Release);
    }
    listens
}

/// Tries for the port as long as one may; false where that was in vain.
fn try_again(face: &Face, looped: &mut Loop<Served>, port: u16) -> bool {
    let until = sys::now_ms().saturating_add(BIND_TIMEOUT_MS);
    while !face.releasing.load(Ordering::Acquire) {
        if let Ok(socket) = bind(port) {
            return listen_on(&face.memory, looped, socket);
        }
        if sys::now_ms() >= until {
            return false;
        }
        sys::sleep_ms(BIND_AGAIN_MS);
    }
    false
}

/// The thread's life; `port` where it is still to be had.
fn live(mut looped: Box<Loop<Served>>, port: Option<u16>) {
    let shared = Arc::clone(&looped.shared);
    becomes_own(&shared);
    let Served::Face(face) = &shared.program else {
        return;
    };
    if port.is_none_or(|port| try_again(face, &mut looped, port)) {
        while !looped.is_over() {
            let timeout = face.look(&mut looped);
            match looped.turn(timeout) {
                Ok(turned) => looped = turned,
                // A wait that the kernel refuses is a defect of ours, or
                // memory: the server ends rather than spin.
                Err((turned, _)) => {
                    drop(turned.cut_all());
                    break;
                }
            }
        }
    }
    face.memory.ends();
}

/// Ends the server at this address, if there is one.
pub(super) fn release(at: *mut Ws_Server) {
    let life = {
        let mut lives = lives();
        let found = lives.iter().position(|life| life.memory.at() == at);
        found.map(|found| lives.swap_remove(found))
    };
    let Some(Life { memory, running }) = life else {
        return;
    };
    if let Some((shared, thread)) = running {
        if let Served::Face(face) = &shared.program {
            face.releasing.store(true, Ordering::Release);
        }
        memory.ends();
        shared.stop();
        // From its own callback the thread is left to itself: it is the last
        // that has the memory.
        if !is_own(&shared) {
            thread.join();
        }
    }
}
