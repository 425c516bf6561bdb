//! The structs of `ws_server.h`. A program reads them from any thread while the
//! server writes, so every field is an atomic of the C field's size.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::{offset_of, size_of, transmute};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, Ordering};

use super::{Ws_ExitType, WsOnExit, WsOnLogin, WsOnMessage};
use crate::net::sys;

/// Rows of `Ws_Server.thread`.
const THREADS: usize = 10;
/// Clients that each of them counts.
const CLIENTS_OF_THREAD: usize = 500;
/// Rows of `Ws_Server.client`.
pub(super) const CLIENTS: usize = THREADS * CLIENTS_OF_THREAD;
/// Bytes of `Ws_Server.path`, its NUL included.
pub(super) const PATH: usize = 256;

/// How often the lock is tried for, in microseconds: often enough to get it
/// from a program that gives it back for moments only.
const LOCK_AGAIN_US: u32 = 100;

/// No reason: the client is there, or its server was released.
pub(super) const WET_NONE: Ws_ExitType = 0;
/// Its socket took nothing more.
pub(super) const WET_SEND: Ws_ExitType = 2;
/// Its request was no good, or for another path.
pub(super) const WET_LOGIN: Ws_ExitType = 3;
/// Its request did not come in time.
pub(super) const WET_LOGIN_TIMEOUT: Ws_ExitType = 4;
/// It hung up, closed, or broke the protocol.
pub(super) const WET_DISCONNECT: Ws_ExitType = 5;

/// A client's row.
#[repr(C)]
#[derive(Debug)]
pub struct Ws_Client {
    /// 0: the row is free.
    pub fd: AtomicI32,
    /// IPv4 address; of others zeros.
    pub ip: [AtomicU8; 4],
    /// In the host's byte order.
    pub port: AtomicI32,
    /// A program sets it to have the client dropped.
    pub exitType: AtomicI32,
    /// The handshake is over.
    pub isLogin: AtomicU8,
    /// `onExit` is being called.
    pub isExiting: AtomicU8,
    /// Payload bytes received.
    pub recvBytes: AtomicU32,
    /// `clientCount` when it came.
    pub index: AtomicU32,
    /// Milliseconds that its handshake has taken.
    pub loginTimeout: AtomicU32,
    /// The program's.
    pub r#priv: AtomicPtr<c_void>,
    /// Its server.
    pub wss: AtomicPtr<Ws_Server>,
    /// The row that counts it.
    pub wst: AtomicPtr<Ws_Thread>,
}

/// Clients are counted in rows of 500.
#[repr(C)]
#[derive(Debug)]
pub struct Ws_Thread {
    /// The server's.
    pub fd_epoll: AtomicI32,
    /// Clients in this row's part of `client`.
    pub clientCount: AtomicI32,
    /// It has been used.
    pub isRun: AtomicU8,
    /// Its server.
    pub wss: AtomicPtr<Ws_Server>,
}

/// A server, as programs see it.
#[repr(C)]
#[derive(Debug)]
pub struct Ws_Server {
    /// The listening socket; 0: none.
    pub fd: AtomicI32,
    /// What the server waits on.
    pub fd_epoll: AtomicI32,
    /// The port it was created with.
    pub port: AtomicI32,
    /// The path it was created with.
    pub path: [AtomicU8; PATH],
    /// The program's.
    pub r#priv: AtomicPtr<c_void>,
    /// Clients that are there.
    pub clientCount: AtomicI32,
    /// It serves nobody.
    pub isExit: AtomicU8,
    /// Held while a row is taken or freed.
    pub lock: UnsafeCell<libc::pthread_mutex_t>,
    /// A `WsOnLogin`.
    pub onLogin: AtomicPtr<c_void>,
    /// A `WsOnMessage`.
    pub onMessage: AtomicPtr<c_void>,
    /// A `WsOnExit`.
    pub onExit: AtomicPtr<c_void>,
    /// Who counts which clients.
    pub thread: [Ws_Thread; THREADS],
    /// The clients.
    pub client: [Ws_Client; CLIENTS],
}

// SAFETY: every field is atomic but the lock, which is only used as a mutex.
unsafe impl Sync for Ws_Server {}

// The C library's mutex differs from machine to machine; all else is promised,
// as in tests/c/ws_server_layout.c.
const LOCK: usize = size_of::<libc::pthread_mutex_t>();
const WORD: usize = size_of::<usize>();
const _: () = {
    const fn promised(on_32_bit: usize, on_64_bit: usize) -> usize {
        if WORD == 4 { on_32_bit } else { on_64_bit }
    }
    assert!(size_of::<Ws_Client>() == promised(44, 56));
    assert!(offset_of!(Ws_Client, fd) == 0);
    assert!(offset_of!(Ws_Client, ip) == 4);
    assert!(offset_of!(Ws_Client, port) == 8);
    assert!(offset_of!(Ws_Client, exitType) == 12);
    assert!(offset_of!(Ws_Client, isLogin) == 16);
    assert!(offset_of!(Ws_Client, isExiting) == 17);
    assert!(offset_of!(Ws_Client, recvBytes) == 20);
    assert!(offset_of!(Ws_Client, index) == 24);
    assert!(offset_of!(Ws_Client, loginTimeout) == 28);
    assert!(offset_of!(Ws_Client, r#priv) == 32);
    assert!(offset_of!(Ws_Client, wss) == 32 + WORD);
    assert!(offset_of!(Ws_Client, wst) == 32 + 2 * WORD);
    assert!(size_of::<Ws_Thread>() == promised(16, 24));
    assert!(offset_of!(Ws_Thread, fd_epoll) == 0);
    assert!(offset_of!(Ws_Thread, clientCount) == 4);
    assert!(offset_of!(Ws_Thread, isRun) == 8);
    assert!(offset_of!(Ws_Thread, wss) == promised(12, 16));
    assert!(offset_of!(Ws_Server, fd) == 0);
    assert!(offset_of!(Ws_Server, fd_epoll) == 4);
    assert!(offset_of!(Ws_Server, port) == 8);
    assert!(offset_of!(Ws_Server, path) == 12);
    assert!(offset_of!(Ws_Server, r#priv) == promised(268, 272));
    assert!(offset_of!(Ws_Server, clientCount) == promised(272, 280));
    assert!(offset_of!(Ws_Server, isExit) == promised(276, 284));
    assert!(offset_of!(Ws_Server, lock) == promised(280, 288));
    assert!(offset_of!(Ws_Server, onLogin) == promised(280, 288) + LOCK);
    assert!(offset_of!(Ws_Server, onMessage) == promised(284, 296) + LOCK);
    assert!(offset_of!(Ws_Server, onExit) == promised(288, 304) + LOCK);
    assert!(offset_of!(Ws_Server, thread) == promised(292, 312) + LOCK);
    assert!(offset_of!(Ws_Server, client) == promised(452, 552) + LOCK);
    assert!(size_of::<Ws_Server>() == promised(220_452, 280_552) + LOCK);
};

/// What a program is told by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls {
    pub login: WsOnLogin,
    pub message: WsOnMessage,
    pub exit: WsOnExit,
}

impl Ws_Server {
    /// The callbacks as they are now: a program may replace them.
    pub(super) fn calls(&self) -> Calls {
        // SAFETY: what stands there was put there as such a function, or as
        // NULL, by `keep_calls` or by a program that has the header's types.
        unsafe {
            Calls {
                login: transmute::<*mut c_void, WsOnLogin>(self.onLogin.load(Ordering::Acquire)),
                message: transmute::<*mut c_void, WsOnMessage>(
                    self.onMessage.load(Ordering::Acquire),
                ),
                exit: transmute::<*mut c_void, WsOnExit>(self.onExit.load(Ordering::Acquire)),
            }
        }
    }

    pub(super) fn keep_calls(&self, calls: Calls) {
        let at = |call: Option<*mut c_void>| call.unwrap_or(std::ptr::null_mut());
        let order = Ordering::Release;
        self.onLogin
            .store(at(calls.login.map(|call| call as *mut c_void)), order);
        self.onMessage
            .store(at(calls.message.map(|call| call as *mut c_void)), order);
        self.onExit
            .store(at(calls.exit.map(|call| call as *mut c_void)), order);
    }

    /// It serves nobody from now on.
    pub(super) fn ends(&self) {
        self.fd.store(0, Ordering::Release);
        self.isExit.store(1, Ordering::Release);
    }

    /// The row of threads that counts a client's row.
    pub(super) fn counted_by(&self, row: usize) -> Option<&Ws_Thread> {
        self.thread.get(row / CLIENTS_OF_THREAD)
    }

    /// Takes the lock, unless and until `given_up`: a program may hold it while
    /// it waits for this thread to end.
    pub(super) fn lock(&self, given_up: &AtomicBool) -> Option<Locked<'_>> {
        while !given_up.load(Ordering::Acquire) {
            // SAFETY: a mutex that was made with the server, and is at its
            // address as long as the borrow lasts.
            if unsafe { libc::pthread_mutex_trylock(self.lock.get()) } == 0 {
                return Some(Locked(self));
            }
            sys::sleep_us(LOCK_AGAIN_US);
        }
        None
    }
}

/// The lock, held.
pub(super) struct Locked<'s>(&'s Ws_Server);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: this thread has taken it.
        let _ = unsafe { libc::pthread_mutex_unlock(self.0.lock.get()) };
    }
}

/// A server's memory, at an address that stays.
#[derive(Debug)]
pub(super) struct Memory(NonNull<Ws_Server>);

// SAFETY: what it points to is Sync, and freed by the last owner only.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Zeros, and a lock; `None` without memory.
    pub(super) fn new() -> Option<Memory> {
        // SAFETY: the layout is not empty; all zero is a valid Ws_Server, and
        // the lock is made before anybody else knows of it.
        unsafe {
            let at = NonNull::new(alloc_zeroed(Layout::new::<Ws_Server>()).cast::<Ws_Server>())?;
            let memory = Memory(at);
            let lock = memory.lock.get();
            (libc::pthread_mutex_init(lock, std::ptr::null()) == 0).then_some(memory)
        }
    }

    pub(super) fn at(&self) -> *mut Ws_Server {
        self.0.as_ptr()
    }
}

impl Deref for Memory {
    type Target = Ws_Server;

    fn deref(&self) -> &Ws_Server {
        // SAFETY: it was made in `new` and lives as long as this.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // The lock is left as it is: a program may hold it, and here it is
        // nothing but its bytes.
        // SAFETY: allocated in `new` with this layout, and freed once.
        unsafe { dealloc(self.0.as_ptr().cast(), Layout::new::<Ws_Server>()) }
    }
}

/// A client's row at its address, for C.
pub(super) fn address(client: &Ws_Client) -> *mut Ws_Client {
    std::ptr::from_ref(client).cast_mut()
}

/// C's `int`, of what is a number.
pub(super) fn int(number: usize) -> c_int {
    c_int::try_from(number).unwrap_or(c_int::MAX)
}
