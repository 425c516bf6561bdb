//! What a loop's happenings are to a program of generation 2: rows, callbacks,
//! reasons.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::public::{self, Memory, Ws_Client};
use super::public::{WET_DISCONNECT, WET_LOGIN, WET_LOGIN_TIMEOUT, WET_NONE, WET_SEND};
use super::rows::Desk;
use super::{Ws_DataType, Ws_ExitType, send};
use crate::ffi::served::{self, Served};
use crate::proto::conn::Event;
use crate::proto::message::Kind;
use crate::proto::{Error, close};
use crate::server::facts::Origin;
use crate::server::slots::PeerId;
use crate::server::turn::Loop;
use crate::server::{Happening, Shared};

/// `Ws_DataType`.
pub(super) const WDT_NULL: Ws_DataType = 0;
pub(super) const WDT_MINDATA: Ws_DataType = 1;
pub(super) const WDT_TXTDATA: Ws_DataType = 2;
pub(super) const WDT_BINDATA: Ws_DataType = 3;
pub(super) const WDT_DISCONN: Ws_DataType = 4;
pub(super) const WDT_PING: Ws_DataType = 5;
pub(super) const WDT_PONG: Ws_DataType = 6;

/// A buffer of messages that grew beyond this is given back.
const KEPT: usize = 64 << 10;
/// Not Found: the request is for another path.
const NOT_FOUND: u16 = 404;
/// Internal error: no memory for a message.
const OUT_OF_MEMORY: u16 = 1011;

/// The program behind a server.
#[derive(Debug)]
pub struct Face {
    pub(super) memory: Arc<Memory>,
    /// Part of every target that is taken; empty for all.
    path: Vec<u8>,
    /// Release has begun.
    pub releasing: AtomicBool,
    /// What only the loop's thread uses.
    desk: Mutex<Desk>,
}

/// A happening on its way to the program.
pub struct Told {
    peer: PeerId,
    what: What,
}

enum What {
    Nothing,
    /// A request, and whether its path is ours.
    Request(bool),
    Open,
    /// A message of so many bytes, which are on the desk.
    Message(usize, Ws_DataType),
    /// A control frame; its payload is there too.
    Control(Ws_DataType),
    /// There was no memory for a message.
    Lost,
    /// The end, which the peer's close frame (on the desk) began.
    Closed(Option<Error>, bool),
}

impl Face {
    pub(super) fn new(memory: Arc<Memory>, path: &[u8]) -> Face {
        Face {
            memory,
            path: if path == b"/" { &[] } else { path }.to_vec(),
            releasing: AtomicBool::new(false),
            desk: Mutex::default(),
        }
    }

    /// Never held while the program is called.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn takes(&self, target: &str) -> bool {
        let own = self.path.as_slice();
        own.is_empty() || target.as_bytes().windows(own.len()).any(|part| part == own)
    }

    /// Puts bytes and a NUL where the program is shown them.
    fn lay_out(&self, parts: [&[u8]; 2]) -> bool {
        let message = &mut self.desk().message;
        message.clear();
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        if message.try_reserve(length.saturating_add(1)).is_err() {
            return false;
        }
        for part in parts {
            message.extend_from_slice(part);
        }
        message.push(0);
        true
    }

    fn message(&self, bytes: &[u8], told: impl FnOnce(usize) -> What) -> What {
        if self.lay_out([bytes, &[]]) {
            told(bytes.len())
        } else {
            What::Lost
        }
    }

    fn opened(
        &self,
        peer: PeerId,
        row: &Ws_Client,
        mut here: Box<Loop<Served>>,
    ) -> Box<Loop<Served>> {
        row.loginTimeout.store(self.age(peer), Ordering::Relaxed);
        // The answer leaves before the program is told, however long that takes.
        let _ = here.send_now(peer);
        send::opened(row.fd.load(Ordering::Relaxed));
        row.isLogin.store(1, Ordering::Release);
        let login = self.memory.calls().login;
        let silent = self.releasing.load(Ordering::Acquire);
        served::call(here, || {
            if let Some(login) = login.filter(|_| !silent) {
                // SAFETY: the program's promise.
                unsafe { login(public::address(row)) };
            }
        })
    }

    /// Shows the program what lies on the desk.
    fn shown(
        &self,
        row: &Ws_Client,
        length: usize,
        kind: Ws_DataType,
        here: Box<Loop<Served>>,
    ) -> Box<Loop<Served>> {
        let Some(call) = self.memory.calls().message else {
            return here;
        };
        // A program that has released its server expects ends only.
        if self.releasing.load(Ordering::Acquire) {
            return here;
        }
        let mut message = std::mem::take(&mut self.desk().message);
        let here = served::call(here, || {
            let length = public::int(length);
            // SAFETY: the program's promise; the message ends with a NUL and
            // is its own until it returns.
            unsafe {
                call(
                    public::address(row),
                    message.as_mut_ptr().cast(),
                    length,
                    kind,
                );
            }
        });
        if message.capacity() <= KEPT {
            self.desk().message = message;
        }
        here
    }

    fn reason(
        &self,
        peer: PeerId,
        row: &Ws_Client,
        error: Option<Error>,
        here: &Loop<Served>,
    ) -> Ws_ExitType {
        let given = row.exitType.load(Ordering::Acquire);
        if given != WET_NONE {
            return given;
        }
        if self.releasing.load(Ordering::Acquire) {
            return WET_NONE;
        }
        if row.isLogin.load(Ordering::Relaxed) == 0 {
            return match error {
                Some(Error::Timeout) => WET_LOGIN_TIMEOUT,
                _ => WET_LOGIN,
            };
        }
        if here.send_failed(peer) {
            WET_SEND
        } else {
            WET_DISCONNECT
        }
    }

    fn ended(
        &self,
        peer: PeerId,
        row: &Ws_Client,
        error: Option<Error>,
        here: Box<Loop<Served>>,
    ) -> Box<Loop<Served>> {
        let reason = self.reason(peer, row, error, &here);
        row.exitType.store(reason, Ordering::Relaxed);
        row.isExiting.store(1, Ordering::Release);
        send::closing(row.fd.load(Ordering::Relaxed));
        if row.isLogin.load(Ordering::Relaxed) == 0 {
            row.loginTimeout.store(self.age(peer), Ordering::Relaxed);
        }
        let exit = self.memory.calls().exit;
        let here = served::call(here, || {
            if let Some(exit) = exit {
                // SAFETY: the program's promise.
                unsafe { exit(public::address(row), reason) };
            }
        });
        self.free_row(peer, row);
        here
    }
}

impl Face {
    /// A connection was accepted; false where there is no row for it.
    pub fn came(
        &self,
        to: &Arc<Shared<Served>>,
        peer: PeerId,
        fd: RawFd,
        from: Option<Origin>,
    ) -> bool {
        if !send::own(fd, to, peer) {
            return false;
        }
        let taken = self.take_row(peer, fd, from);
        if !taken {
            send::disown(fd);
        }
        taken
    }

    /// A client's socket is closed next.
    pub fn left(&self, fd: RawFd) {
        send::disown(fd);
    }

    /// Takes a happening down; what it lends is copied.
    pub fn note(&self, peer: PeerId, what: &Happening<'_>) -> Told {
        let what = match what {
            Happening::Drain => What::Nothing,
            Happening::Event(event) => match *event {
                Event::Request { target } => What::Request(self.takes(target)),
                Event::Open { .. } => What::Open,
                Event::Data(chunk) => {
                    let kind = match chunk.kind {
                        Kind::Text => WDT_TXTDATA,
                        Kind::Continuation => WDT_MINDATA,
                        // The last never comes.
                        Kind::Binary | Kind::Raw => WDT_BINDATA,
                    };
                    self.message(chunk.data, |length| What::Message(length, kind))
                }
                Event::Ping(data) => self.message(data, |_| What::Control(WDT_PING)),
                Event::Pong(data) => self.message(data, |_| What::Control(WDT_PONG)),
                Event::Close(end) => {
                    let code = end.code.to_be_bytes();
                    let has_code = end.by_peer && end.code != close::NO_STATUS;
                    let code = if has_code { &code[..] } else { &[] };
                    let shown = end.by_peer && self.lay_out([code, end.reason.as_bytes()]);
                    What::Closed(end.error, shown)
                }
            },
        };
        Told { peer, what }
    }

    /// Tells the program.
    pub fn tell(&self, told: &Told, mut here: Box<Loop<Served>>) -> Box<Loop<Served>> {
        let peer = told.peer;
        let Some(row) = self.row(peer) else {
            return here;
        };
        match told.what {
            What::Nothing => {}
            What::Request(true) => {}
            // The end is told next, whether or not there was room to say why.
            What::Request(false) => {
                _ = here.with_connection(peer, |connection| connection.refuse(NOT_FOUND, &[]));
            }
            What::Open => here = self.opened(peer, row, here),
            What::Message(length, kind) => {
                let more = u32::try_from(length).unwrap_or(u32::MAX);
                row.recvBytes.fetch_add(more, Ordering::Relaxed);
                here = self.shown(row, length, kind, here);
            }
            What::Control(kind) => here = self.shown(row, 0, kind, here),
            What::Lost => _ = here.dismiss(peer, OUT_OF_MEMORY),
            What::Closed(error, by_peer) => {
                if by_peer {
                    here = self.shown(row, 0, WDT_DISCONN, here);
                }
                return self.ended(peer, row, error, here);
            }
        }
        let _ = Face::drop_unwanted(peer, row, &mut here);
        here
    }
}
