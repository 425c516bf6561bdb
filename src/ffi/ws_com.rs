//! The drop-in's functions, generation 2. Their prototypes are written by hand
//! in `ws_com.h`.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::time::SystemTime;

use super::boundary::{bytes, guard, room, string, text, write_text};
use super::legacy::CBool;
use crate::legacy::kind::Kind;
use crate::legacy::{helpers, link, receive, transmit};
use crate::net::sys::{self, Errno};
use crate::proto::frame::MAX_CONTROL;

/// What a message is: an enumerator of C's `Ws_DataType`.
pub type Ws_DataType = c_int;

/// A time limit in ms where the program gives none.
const DEFAULT_MS: u64 = 1000;

/// A time limit in ms, as programs give it.
fn limit(ms: i32) -> u64 {
    u64::try_from(ms)
        .ok()
        .filter(|ms| *ms > 0)
        .unwrap_or(DEFAULT_MS)
}

/// What was sent; -1 and errno for nothing.
fn sent(outcome: Result<usize, Errno>) -> i32 {
    match outcome {
        Ok(sent) => i32::try_from(sent).unwrap_or(i32::MAX),
        Err(Errno(error)) => {
            sys::set_errno(error);
            -1
        }
    }
}

/// Connects to a WebSocket server and completes the opening handshake.
///
/// `ip` is an IPv4 or IPv6 literal or a host name. TCP within `timeoutMs`
/// milliseconds (1000 unless above 0), a refused connect being tried again each
/// ms; name, TCP and handshake together within twice that. `path` NULL: "/". The
/// strings are not kept. Any thread.
///
/// Returns a connected, non-blocking, close-on-exec fd above 0, which the
/// caller closes with `close()`; or minus the milliseconds spent, at least -1.
///
/// # Safety
/// `ip` and `path` are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_requestServer(
    ip: *mut c_char,
    port: i32,
    path: *mut c_char,
    timeoutMs: i32,
) -> i32 {
    guard(-1, || {
        let start = sys::now_ms();
        // SAFETY: the caller passes NUL-terminated strings or NULL.
        let (host, target) = unsafe { (string(ip), string(path)) };
        let target = if path.is_null() { Some("/") } else { target };
        let linked = match (host, target) {
            (Some(host), Some(path)) => link::connect_within(host, port, path, limit(timeoutMs)),
            _ => Err(Errno(libc::EINVAL)),
        };
        linked.unwrap_or_else(|Errno(error)| {
            sys::set_errno(error);
            -helpers::spent_since(start)
        })
    })
}

/// Answers a client's opening request on an accepted fd.
///
/// `buff` holds the request's head; it is read up to its NUL, and to `buffLen`
/// bytes at most where `buffLen` is above 0. `path` NULL, "" and "/" match
/// every request; otherwise the request's target has to contain it. The first
/// subprotocol that is offered is accepted. Any thread.
///
/// Returns the bytes sent; or -1 where nothing was sent: no upgrade, no key,
/// another path, or `send()` failed.
///
/// # Safety
/// `buff` is NULL, NUL-terminated, or has `buffLen` readable bytes; `path` is
/// NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_replyClient(
    fd: i32,
    buff: *mut c_char,
    buffLen: i32,
    path: *mut c_char,
) -> i32 {
    guard(-1, || {
        let request = match usize::try_from(buffLen) {
            // SAFETY: `buffLen` bytes, or those up to a NUL, are readable.
            Ok(most) if most > 0 && !buff.is_null() => unsafe {
                bytes(buff, libc::strnlen(buff, most))
            },
            // SAFETY: the caller passes a NUL-terminated string or NULL.
            _ => unsafe { text(buff) }.map_or(&[][..], CStr::to_bytes),
        };
        // SAFETY: the caller passes a NUL-terminated string or NULL.
        let path = unsafe { text(path) }.map_or(&[][..], CStr::to_bytes);
        sent(link::accept_at(fd, request, path))
    })
}

/// Sends one message in one frame, or with `WDT_NULL` the bytes as they are.
///
/// `buff` (NULL allowed with `buffLen` 0) is copied or sent before the call
/// returns. `mask` is obeyed, but that a fd from `ws_requestServer` always masks.
/// What leaves, leaves whole or not at all: a blocking fd waits as `send()`
/// would; what the kernel takes only in part is completed within 500 ms on a
/// client's fd, without waiting on any other, and the rest goes out first on
/// the next send or receive. Any thread; frames never mix. Never raises SIGPIPE.
///
/// On a fd of a client of a `Ws_Server` it goes through that client's queue,
/// never masked and without waiting.
///
/// Returns the bytes of the whole frame, header included; 0 for a bad length or
/// type; -1 where nothing was sent.
///
/// # Safety
/// `buff` has `buffLen` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_send(
    fd: i32,
    buff: *mut c_void,
    buffLen: i32,
    mask: CBool,
    r#type: Ws_DataType,
) -> i32 {
    guard(-1, || {
        let bad = buffLen < 0 || (buff.is_null() && buffLen > 0);
        let Some(kind) = Kind::from_generation2(r#type).filter(|_| !bad) else {
            return 0;
        };
        // SAFETY: `buff` has `buffLen` readable bytes.
        let payload = unsafe { bytes(buff, buffLen) };
        if kind.is_control() && payload.len() > MAX_CONTROL {
            return 0;
        }
        if let Some(sent) = super::ws_server::send(fd, payload, r#type) {
            return sent;
        }
        let errno = sys::errno();
        let outcome = if kind == Kind::Null {
            transmit::send_raw(fd, payload)
        } else {
            transmit::send(fd, payload, mask != 0, kind)
        };
        sys::set_errno(errno);
        sent(outcome)
    })
}

/// Receives one message into `buff`, which has `buffSize` bytes.
///
/// Takes no byte beyond the message. Fragments are assembled; what is cut off
/// is kept with the socket, and the next call goes on. A blocking fd waits for
/// the first byte of a call only. A ping is answered, a close frame too. Sets
/// SO_RCVLOWAT to 1 on TCP, so that an edge-triggered epoll reports what is still
/// pending. `retType` may be NULL. Any thread.
///
/// Returns the payload's bytes if above 0, with a NUL behind them where there is
/// room. 0: nothing, a control frame or an empty message (`*retType`);
/// `WDT_DISCONN`: the connection is over, or the peer broke the protocol. Below
/// 0: minus the bytes in `buff` that are no frame (`WDT_NULL`), the rest of it
/// zeroed; or minus the length of a message that is larger than `buffSize`, which
/// is dropped whole, with its type. `buff` NULL or `buffSize` below 1: drops what
/// is pending, without waiting, and returns 0.
///
/// # Safety
/// `buff` has `buffSize` writable bytes that nothing else uses; `retType` is
/// NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_recv(
    fd: i32,
    buff: *mut c_void,
    buffSize: i32,
    retType: *mut Ws_DataType,
) -> i32 {
    guard(0, || {
        let errno = sys::errno();
        // SAFETY: `buff` has `buffSize` writable bytes, the caller's alone.
        let into = unsafe { room(buff, buffSize) };
        let received = if into.is_empty() {
            receive::discard(fd)
        } else {
            receive::receive_message(fd, into)
        };
        // SAFETY: the caller passes a valid pointer or NULL.
        if let Some(kind) = unsafe { retType.as_mut() } {
            *kind = received.kind.to_generation2();
        }
        let failed = received.result <= 0;
        sys::set_errno(if failed { received.errno } else { errno });
        received.result
    })
}

/// The time of day, "HH:MM:SS" at UTC+8, in a buffer of this thread's that the
/// next call on it overwrites. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_time() -> *mut c_char {
    thread_local! {
        static TEXT: UnsafeCell<[u8; 9]> = const { UnsafeCell::new([0; 9]) };
    }
    // Nothing here can panic, or needs the thread's end: without a destructor
    // the buffer is there as long as the thread.
    TEXT.with(|text| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = helpers::time_text(now.unwrap_or_default().as_secs());
        // SAFETY: this thread's own buffer, and no borrow of it is left.
        unsafe { text.get().write(now) };
        text.get().cast()
    })
}

/// Resolves a host name to IPv4 within `timeoutMs` milliseconds (1000 unless
/// above 0). `retIp` has 16 bytes and gets dotted text; a failure leaves it as it
/// was. Any thread.
///
/// Returns the milliseconds spent: at least 1, or -1 at most for a failure.
///
/// # Safety
/// `hostName` is NULL or NUL-terminated; `retIp` is NULL or has 16 writable
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_getIpByHostName(
    hostName: *const c_char,
    retIp: *mut c_char,
    timeoutMs: c_int,
) -> c_int {
    guard(-1, || {
        // SAFETY: a NUL-terminated string or NULL.
        let host = unsafe { string(hostName) };
        let found = host.map(|host| helpers::ipv4_of_host(host, limit(timeoutMs)));
        let (spent, ip) = found.unwrap_or((-1, None));
        if let (Some(ip), false) = (ip, retIp.is_null()) {
            let text = helpers::dotted(ip);
            // SAFETY: `retIp` has 16 writable bytes.
            unsafe { write_text(retIp, CStr::from_ptr(text.as_ptr().cast()).to_bytes()) };
        }
        spent
    })
}

/// Sleeps for `us` microseconds; signals do not cut it short. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_delayus(us: u32) {
    guard((), || sys::sleep_us(us));
}

/// Sleeps for `ms` milliseconds; signals do not cut it short. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_delayms(ms: u32) {
    guard((), || sys::sleep_ms(ms));
}
