//! A server by its C functions, as a program has it: listening wherever it
//! may, turned by threads of its own or by the test.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_int, c_void};
use std::net::SocketAddr;
use std::ptr::null;
use std::sync::{Condvar, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::support::Told;
use wsembed::ffi::config::{
    webSocket_config, webSocket_config_free, webSocket_config_new, webSocket_config_setNumber,
};
use wsembed::ffi::event::*;
use wsembed::ffi::failure::{webSocket_failure, webSocket_lastFailure};
use wsembed::ffi::server::info::*;
use wsembed::ffi::server::life::*;
use wsembed::ffi::server::listen::*;
use wsembed::ffi::server::peer::*;
use wsembed::ffi::server::turning::*;
use wsembed::ffi::server::webSocket_server;
use wsembed::server::slots::PeerId;

/// More than anything here takes on the slowest machine.
pub const LONG: Duration = Duration::from_secs(60);
pub const LONG_MS: u32 = 60_000;

type Act = dyn Fn(&Handle, &Told) + Send + Sync;

/// What the callback works with. It stays until the server is freed.
struct Recorder {
    act: Box<Act>,
    log: Mutex<VecDeque<(ThreadId, Told)>>,
    news: Condvar,
    /// The server's token, for the callback.
    token: Mutex<usize>,
}

/// A server's token, and what its callback leaves.
pub struct Handle {
    server: *mut webSocket_server,
    recorder: *const Recorder,
    /// The callback's own view of it frees nothing.
    owner: bool,
}

// SAFETY: every function may be called from any thread, and the recorder is
// behind locks.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

unsafe extern "C" fn callback(user: *mut c_void, event: *const webSocket_event) {
    // SAFETY: the recorder outlives the server; the event lives for the call.
    let (recorder, event) = unsafe { (&*user.cast::<Recorder>(), &*event) };
    // SAFETY: the event lends these bytes for the call.
    let data = unsafe { std::slice::from_raw_parts(event.data, event.length) };
    let text = || String::from_utf8(data.to_vec()).unwrap();
    let peer = PeerId(event.peer);
    let told = match event.kind {
        WEBSOCKET_REQUEST => Told::Request(peer, text()),
        WEBSOCKET_OPEN => Told::Open(peer),
        WEBSOCKET_TEXT => Told::Text(peer, text()),
        WEBSOCKET_BINARY => Told::Binary(peer, data.to_vec()),
        WEBSOCKET_PING => Told::Ping(peer, data.to_vec()),
        WEBSOCKET_PONG => Told::Pong(peer, data.to_vec()),
        WEBSOCKET_DRAIN => Told::Drain(peer),
        WEBSOCKET_CLOSE => Told::Close(peer, event.closeCode as u16, text()),
        other => panic!("an event of kind {other}"),
    };
    let here = Handle {
        server: *recorder.token.lock().unwrap() as *mut webSocket_server,
        recorder,
        owner: false,
    };
    (recorder.act)(&here, &told);
    let mut log = recorder.log.lock().unwrap();
    log.push_back((std::thread::current().id(), told));
    recorder.news.notify_all();
}

fn done(result: i32) -> Result<(), i32> {
    if result == 0 { Ok(()) } else { Err(result) }
}

impl Handle {
    /// A server with these options; `act` is called for whatever happens.
    pub fn new(
        options: &[(u32, u64)],
        act: impl Fn(&Handle, &Told) + Send + Sync + 'static,
    ) -> Handle {
        let recorder = Box::into_raw(Box::new(Recorder {
            act: Box::new(act),
            log: Mutex::default(),
            news: Condvar::new(),
            token: Mutex::new(0),
        }));
        let mut config: *mut webSocket_config = std::ptr::null_mut();
        let mut server = std::ptr::null_mut();
        // SAFETY: everything that is pointed to lives; the recorder until the
        // server is freed.
        unsafe {
            done(webSocket_config_new(&raw mut config)).unwrap();
            for (option, value) in options {
                done(webSocket_config_setNumber(config, *option, *value)).unwrap();
            }
            let call = Some(callback as _);
            done(webSocket_server_new(
                config,
                call,
                recorder.cast(),
                &raw mut server,
            ))
            .unwrap();
            done(webSocket_config_free(config)).unwrap();
            *(*recorder).token.lock().unwrap() = server as usize;
        }
        Handle {
            server,
            recorder,
            owner: true,
        }
    }

    /// One that sends back whatever comes.
    pub fn echo(options: &[(u32, u64)]) -> Handle {
        Handle::new(options, |here, told| match told {
            Told::Text(peer, text) => {
                here.send(*peer, WEBSOCKET_TEXT, text.as_bytes()).unwrap();
            }
            Told::Binary(peer, data) => _ = here.send(*peer, WEBSOCKET_BINARY, data),
            _ => {}
        })
    }

    fn recorder(&self) -> &Recorder {
        // SAFETY: it is freed after the server only, with its owner.
        unsafe { &*self.recorder }
    }

    pub fn listen(&self, address: &str, port: u16) -> Result<u16, i32> {
        let address = CString::new(address).unwrap();
        let mut bound = 0;
        // SAFETY: live pointers.
        let result =
            unsafe { webSocket_server_listen(self.server, address.as_ptr(), port, &raw mut bound) };
        done(result).map(|()| bound)
    }

    /// Listens on a port of the loopback address that the kernel picks.
    pub fn listen_here(&self) -> SocketAddr {
        let port = self.listen("127.0.0.1", 0).unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    pub fn listen_fd(&self, fd: c_int) -> Result<(), i32> {
        done(webSocket_server_listenFd(self.server, fd))
    }

    pub fn adopt(&self, fd: c_int, read: &[u8]) -> Result<(), i32> {
        // SAFETY: a live slice; the number is judged by the callee.
        done(unsafe { webSocket_server_adopt(self.server, fd, read.as_ptr(), read.len()) })
    }

    pub fn start(&self) -> Result<(), i32> {
        done(webSocket_server_start(self.server))
    }

    pub fn stop(&self) -> Result<(), i32> {
        done(webSocket_server_stop(self.server))
    }

    pub fn step(&self, timeout: u32) -> Result<(), i32> {
        done(webSocket_server_step(self.server, timeout))
    }

    pub fn run(&self) -> Result<(), i32> {
        done(webSocket_server_run(self.server))
    }

    /// Frees the server early; what the callback left stays.
    pub fn free(&self) -> Result<(), i32> {
        done(webSocket_server_free(self.server))
    }

    pub fn poll_fd(&self) -> Result<c_int, i32> {
        let mut fd = -1;
        // SAFETY: a live pointer.
        done(unsafe { webSocket_server_pollFd(self.server, &raw mut fd) }).map(|()| fd)
    }

    pub fn send(&self, to: PeerId, kind: u32, data: &[u8]) -> Result<(), i32> {
        // SAFETY: a live slice.
        done(unsafe { webSocket_server_send(self.server, to.0, kind, data.as_ptr(), data.len()) })
    }

    pub fn publish(&self, topic: Option<&str>, data: &[u8], except: u64) -> Result<(), i32> {
        let topic = topic.map(|topic| CString::new(topic).unwrap());
        let name = topic.as_deref().map_or(null(), CStr::as_ptr);
        let (data, length) = (data.as_ptr(), data.len());
        // SAFETY: live pointers.
        done(unsafe {
            webSocket_server_publish(self.server, name, WEBSOCKET_TEXT, data, length, except)
        })
    }

    pub fn subscribe(&self, peer: PeerId, topic: &str) -> Result<(), i32> {
        let topic = CString::new(topic).unwrap();
        // SAFETY: live pointers.
        done(unsafe { webSocket_server_subscribe(self.server, peer.0, topic.as_ptr()) })
    }

    pub fn info(&self, peer: PeerId) -> Result<webSocket_peerInfo, i32> {
        // SAFETY: numbers and arrays of numbers; all zero is one.
        let mut info: webSocket_peerInfo = unsafe { std::mem::zeroed() };
        info.size = size_of::<webSocket_peerInfo>();
        // SAFETY: a live pointer.
        done(unsafe { webSocket_server_peerInfo(self.server, peer.0, &raw mut info) })
            .map(|()| info)
    }

    pub fn statistics(&self) -> webSocket_statistics {
        // SAFETY: numbers; all zero is one.
        let mut found: webSocket_statistics = unsafe { std::mem::zeroed() };
        found.size = size_of::<webSocket_statistics>();
        // SAFETY: a live pointer.
        done(unsafe { webSocket_server_statistics(self.server, &raw mut found) }).unwrap();
        found
    }

    /// What has been told since the last look, and on which thread.
    pub fn told(&self) -> Vec<(ThreadId, Told)> {
        self.recorder().log.lock().unwrap().drain(..).collect()
    }

    /// Waits until the callback was told of something like this, on any
    /// thread; forgets what came before it.
    pub fn expect<T>(&self, look: impl Fn(&Told) -> Option<T>) -> T {
        let end = Instant::now() + LONG;
        let mut log = self.recorder().log.lock().unwrap();
        loop {
            while let Some((_, told)) = log.pop_front() {
                if let Some(found) = look(&told) {
                    return found;
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it was never told");
            (log, _) = self.recorder().news.wait_timeout(log, left).unwrap();
        }
    }

    /// Turns until `done` says so.
    pub fn until(&self, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + LONG;
        while !done() {
            assert!(Instant::now() < end, "log: {:?}", self.told());
            self.step(10).unwrap();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.owner {
            let _ = self.free();
            // SAFETY: made by `new`; no thread of the server's is left.
            drop(unsafe { Box::from_raw(self.recorder.cast_mut()) });
        }
    }
}

/// Why the last call on this thread failed: errno and the sentence.
pub fn last_failure() -> (i32, String) {
    // SAFETY: numbers and arrays of numbers; all zero is one.
    let mut failure: webSocket_failure = unsafe { std::mem::zeroed() };
    failure.size = size_of::<webSocket_failure>();
    // SAFETY: a live pointer; the text has its NUL.
    unsafe {
        done(webSocket_lastFailure(&raw mut failure)).unwrap();
        let text = CStr::from_ptr(failure.text.as_ptr());
        (failure.systemError, text.to_string_lossy().into_owned())
    }
}

/// A fixed-size text of a struct.
pub fn text_of(text: &[std::ffi::c_char]) -> String {
    let bytes = text.iter().take_while(|byte| **byte != 0);
    String::from_utf8(bytes.map(|byte| *byte as u8).collect()).unwrap()
}
