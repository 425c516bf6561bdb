//! The drop-in's functions, generation 1. Their prototypes are written by
//! hand: `websocket_common.h` has the eight that old programs find there,
//! `websocket_common_extra.h` the others.

pub mod utility;

use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint};
use std::ptr;

use super::boundary::{bytes, guard, room, set, string, text, write_text};
use crate::legacy::kind::Kind;
use crate::legacy::{helpers, link, package, receive, transmit};
use crate::net::sys::{self, Errno};
use crate::proto::handshake::key;

/// A frame's type: an enumerator of `WebsocketData_Type`, or 99, 100, 101.
pub type WebsocketData_Type = c_int;
/// C's `bool`, taken as a byte: any value but 0 is true.
pub type CBool = u8;

/// What `send()` would return, errno included.
fn sent(outcome: Result<usize, Errno>) -> c_int {
    match outcome {
        Ok(sent) => c_int::try_from(sent).unwrap_or(c_int::MAX),
        Err(Errno(error)) => {
            sys::set_errno(error);
            -1
        }
    }
}

/// Connects to a WebSocket server and completes the opening handshake.
///
/// `ip` is an IPv4 or IPv6 literal or a host name, which is resolved within
/// 1000 ms. TCP is connected within 1000 ms more, a refused connect being
/// tried again each ms; the handshake takes at most 1000 ms more. The strings
/// are not kept. Any thread.
///
/// Returns a connected, non-blocking, close-on-exec fd above 0, which the
/// caller closes with `close()`; or minus the milliseconds spent, at least -1,
/// with errno: `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH` (no such host),
/// `EPROTO` (the answer is no 101 for this key), `EINVAL` (an argument).
///
/// # Safety
/// `ip` and `interface_path` are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_clientLinkToServer(
    ip: *mut c_char,
    port: c_int,
    interface_path: *mut c_char,
) -> c_int {
    guard(-1, || {
        let start = sys::now_ms();
        // SAFETY: the caller passes NUL-terminated strings or NULL.
        let (host, path) = unsafe { (string(ip), string(interface_path)) };
        let path = if interface_path.is_null() {
            Some("/")
        } else {
            path
        };
        let linked = match (host, path) {
            (Some(host), Some(path)) => link::connect(host, port, path, link::GENERATION_1),
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
/// `recvBuf` holds the request's head; it is read up to its NUL, and to
/// `bufLen` bytes at most where `bufLen` is above 0. It needs an upgrade to
/// websocket and a key, nothing else. Any thread.
///
/// Returns the bytes sent, or -1 with errno: `EPROTO` (no such request; nothing
/// was sent), or that of `send()`.
///
/// # Safety
/// `recvBuf` is NULL, NUL-terminated, or has `bufLen` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_serverLinkToClient(
    fd: c_int,
    recvBuf: *mut c_char,
    bufLen: c_int,
) -> c_int {
    guard(-1, || {
        let request = match usize::try_from(bufLen) {
            // SAFETY: `bufLen` bytes, or those up to a NUL, are readable.
            Ok(most) if most > 0 && !recvBuf.is_null() => unsafe {
                bytes(recvBuf, libc::strnlen(recvBuf, most))
            },
            // SAFETY: the caller passes a NUL-terminated string or NULL.
            _ => unsafe { text(recvBuf) }.map_or(&[][..], CStr::to_bytes),
        };
        sent(link::accept(fd, request))
    })
}

/// Sends one frame.
///
/// `data` (NULL allowed with `dataLen` 0) is copied or sent before the call
/// returns. `isMask` says whether the frame leaves masked; on a fd from
/// `webSocket_clientLinkToServer` it always does. A blocking fd waits as
/// `send()` would. What the kernel takes only in part is completed within
/// 500 ms on a client's fd, without waiting on any other; the rest then goes
/// out first on the next send or receive. Any thread; frames never mix.
///
/// Returns the bytes of the whole frame, header included, or -1 with errno:
/// `EAGAIN` (the kernel is full; nothing of the frame was sent), `EINVAL` (no
/// such type, a control payload over 125 bytes, a bad length), or that of
/// `send()`. Never raises SIGPIPE.
///
/// # Safety
/// `data` has `dataLen` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_send(
    fd: c_int,
    data: *mut c_char,
    dataLen: c_int,
    isMask: CBool,
    r#type: WebsocketData_Type,
) -> c_int {
    guard(-1, || {
        let kind = Kind::from_generation1(r#type);
        let (Some(kind), false) = (kind, dataLen < 0 || (data.is_null() && dataLen > 0)) else {
            return sent(Err(Errno(libc::EINVAL)));
        };
        // SAFETY: `data` has `dataLen` readable bytes.
        let payload = unsafe { bytes(data, dataLen) };
        let errno = sys::errno();
        let outcome = transmit::send(fd, payload, isMask != 0, kind);
        sys::set_errno(errno);
        sent(outcome)
    })
}

/// Receives one frame's payload into `data`, which has `dataMaxLen` bytes.
///
/// Takes no byte beyond the frame. A frame that is cut off is kept with the
/// socket; the next call goes on. A blocking fd waits for the first byte of a
/// call only. A ping is answered, a close frame too. Sets SO_RCVLOWAT to 1 on
/// TCP, so that an edge-triggered epoll reports what is still pending; AF_UNIX
/// has no such edge: there receive until `EAGAIN`. Any thread.
///
/// Returns the payload's bytes if above 0. 0: nothing to deliver, errno says
/// why: `EAGAIN` (nothing yet, a control or empty frame; see `*dataType`),
/// `ECONNRESET` (the end; `WDT_DISCONN` after a close frame, whose payload is
/// in `data`), `EMSGSIZE` (too large for `data`, kept for a larger buffer:
/// `webSocket_pendingLen`), `EPROTO` (the peer broke the protocol, from then on
/// always), `EINVAL` (no room), or that of `recv()`. Below 0: minus the bytes
/// in `data` that are no frame, the rest of `data` zeroed: a whole HTTP request
/// (`EAGAIN`) or noise (`EPROTO`). `dataType` may be NULL.
///
/// # Safety
/// `data` has `dataMaxLen` writable bytes that nothing else uses; `dataType`
/// is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_recv(
    fd: c_int,
    data: *mut c_char,
    dataMaxLen: c_int,
    dataType: *mut WebsocketData_Type,
) -> c_int {
    guard(0, || {
        let errno = sys::errno();
        // SAFETY: `data` has `dataMaxLen` writable bytes, the caller's alone.
        let into = unsafe { room(data, dataMaxLen) };
        let received = receive::receive(fd, into, !dataType.is_null());
        // SAFETY: the caller passes a valid pointer or NULL.
        if let Some(kind) = unsafe { dataType.as_mut() } {
            *kind = received.kind.to_generation1();
        }
        let failed = received.result <= 0;
        sys::set_errno(if failed { received.errno } else { errno });
        received.result
    })
}

/// The `dataMaxLen` that `webSocket_recv` needs for what did not fit the last
/// one: a frame's payload, or an HTTP request and its NUL. Any thread.
///
/// Returns 0 if nothing waits, or -1 with errno for a bad fd.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_pendingLen(fd: c_int) -> c_int {
    guard(-1, || sent(receive::pending_length(fd)))
}

/// Sets the largest payload in bytes that is kept until a call brings a buffer
/// that holds it (16 MiB unless set); a larger one that does not fit is
/// skipped. For the whole process, from the next frame on. Any thread.
///
/// Returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_setKeepMax(bytes: c_uint) -> c_int {
    receive::set_keep_max(bytes as usize);
    0
}

/// Builds a frame in `package`, which has room for `packageMaxLen` bytes and
/// may overlap `data`. Any thread.
///
/// Returns the frame's length, or -1 if it does not fit, if the type is
/// unknown, or if a control payload is over 125 bytes; `package` is then
/// untouched.
///
/// # Safety
/// `data` has `dataLen` readable bytes, `package` is NULL or has
/// `packageMaxLen` writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_enPackage(
    data: *mut c_uchar,
    dataLen: c_uint,
    package: *mut c_uchar,
    packageMaxLen: c_uint,
    isMask: CBool,
    r#type: WebsocketData_Type,
) -> c_int {
    guard(-1, || {
        let (length, most) = (dataLen as usize, packageMaxLen as usize);
        let usable = !package.is_null() && (length == 0 || !data.is_null());
        let kind = Kind::from_generation1(r#type).filter(|_| usable);
        let Some(plan) = kind.and_then(|kind| package::plan(length, most, isMask != 0, kind))
        else {
            return -1;
        };
        let total = plan.header_length + length;
        // SAFETY: the plan fits `packageMaxLen`; `data` has `dataLen` bytes
        // and is not used again once its bytes are in place.
        unsafe {
            if length > 0 {
                ptr::copy(data, package.add(plan.header_length), length);
            }
            plan.complete(room(package, total));
        }
        total as c_int
    })
}

/// Reads the frame at the start of `data`. The payload goes to `package`, with
/// a NUL behind it: `packageMaxLen` has to be one more. `package` may overlap
/// `data`. Any thread.
///
/// Returns the frame's type. `WDT_ERR` with `*packageLen` (payload) and
/// `*packageHeadLen` (header) set: the frame is still incomplete, or does not
/// fit. `WDT_ERR` with both untouched: not a frame, or too short to say.
/// Either pointer may be NULL.
///
/// # Safety
/// `data` has `dataLen` readable bytes, `package` is NULL or has
/// `packageMaxLen` writable ones; the lengths are NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_dePackage(
    data: *mut c_uchar,
    dataLen: c_uint,
    package: *mut c_uchar,
    packageMaxLen: c_uint,
    packageLen: *mut c_uint,
    packageHeadLen: *mut c_uint,
) -> c_int {
    let failed = Kind::Error.to_generation1();
    guard(failed, || {
        // SAFETY: `data` has `dataLen` readable bytes.
        let Some(found) = package::look(unsafe { bytes(data, dataLen) }) else {
            return failed;
        };
        // SAFETY: valid pointers or NULL.
        unsafe { set(packageLen, found.length) };
        // SAFETY: as above.
        unsafe { set(packageHeadLen, found.header_length) };
        let Some(key) = found
            .whole
            .filter(|_| !package.is_null() && found.length < packageMaxLen)
        else {
            return failed;
        };
        // SAFETY: the payload lies in `data`, and fits `package` with its NUL.
        unsafe {
            let length = found.length as usize;
            ptr::copy(data.add(found.header_length as usize), package, length);
            package::unmask(room(package, length), key);
            package.add(length).write(0);
        }
        found.kind.to_generation1()
    })
}

/// Writes a fresh Sec-WebSocket-Key to `key`, which has 25 bytes: 24
/// characters and a NUL. Any thread.
///
/// Returns 24; 0 for NULL or if the kernel gives no random bytes.
///
/// # Safety
/// `key` is NULL or has 25 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_buildShakeKey(key: *mut c_uchar) -> c_int {
    guard(0, || match helpers::new_key() {
        // SAFETY: `key` has 25 writable bytes.
        Some(text) if !key.is_null() => unsafe { write_text(key, &text) },
        _ => 0,
    })
}

/// Writes the answer to a client's key (`acceptKeyLen` characters, without a
/// NUL) to `respondKey`, which has 29 bytes: 28 characters and a NUL. Any thread.
///
/// Returns 28; 0 for NULL.
///
/// # Safety
/// `acceptKey` is NULL or has `acceptKeyLen` readable bytes; `respondKey` is
/// NULL or has 29 writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_buildRespondShakeKey(
    acceptKey: *mut c_uchar,
    acceptKeyLen: c_uint,
    respondKey: *mut c_uchar,
) -> c_int {
    guard(0, || {
        if acceptKey.is_null() || respondKey.is_null() {
            return 0;
        }
        // SAFETY: `acceptKeyLen` readable bytes, 29 writable ones.
        unsafe {
            let text = key::accept(bytes(acceptKey, acceptKeyLen));
            write_text(respondKey, &text)
        }
    })
}

/// Compares a server's answer (`acceptKey`) with what answers our own key
/// (`myKey`); the lengths exclude a NUL. Any thread.
///
/// Returns 0 for a match, -1 for none or NULL.
///
/// # Safety
/// Each key is NULL or has as many readable bytes as its length says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_matchShakeKey(
    myKey: *mut c_uchar,
    myKeyLen: c_uint,
    acceptKey: *mut c_uchar,
    acceptKeyLen: c_uint,
) -> c_int {
    guard(-1, || {
        if myKey.is_null() || acceptKey.is_null() {
            return -1;
        }
        // SAFETY: both have so many readable bytes.
        let (own, answer) = unsafe { (bytes(myKey, myKeyLen), bytes(acceptKey, acceptKeyLen)) };
        if helpers::key_matches(own, answer) {
            0
        } else {
            -1
        }
    })
}

/// Writes a client's request to `package`, NUL-terminated and 512 bytes at
/// most; an empty string where it would be longer, or an argument cannot stand
/// in a request. `shakeKey` is NUL-terminated. Any thread.
///
/// # Safety
/// `ip`, `interfacePath` and `shakeKey` are NULL or NUL-terminated; `package`
/// is NULL or has 512 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_buildHttpHead(
    ip: *mut c_char,
    port: c_int,
    interfacePath: *mut c_char,
    shakeKey: *mut c_uchar,
    package: *mut c_char,
) {
    guard((), || {
        if package.is_null() {
            return;
        }
        // SAFETY: NUL-terminated strings or NULL.
        let (host, path, key) = unsafe { (string(ip), string(interfacePath), text(shakeKey)) };
        let path = if interfacePath.is_null() {
            Some("/")
        } else {
            path
        };
        let (Some(host), Some(path), Some(key), Ok(port)) = (host, path, key, u16::try_from(port))
        else {
            // SAFETY: `package` has 512 writable bytes.
            unsafe { write_text(package, b"") };
            return;
        };
        let head = link::request(host, port, path, key.to_bytes());
        let head = head.filter(|head| head.len() < 512).unwrap_or_default();
        // SAFETY: as above.
        unsafe { write_text(package, &head) };
    });
}

/// Writes the 101 answer to a client's key (`acceptKeyLen` characters) to
/// `package`, NUL-terminated, far below 1024 bytes. Any thread.
///
/// # Safety
/// `acceptKey` is NULL or has `acceptKeyLen` readable bytes; `package` is NULL
/// or has 1024 writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_buildHttpRespond(
    acceptKey: *mut c_uchar,
    acceptKeyLen: c_uint,
    package: *mut c_char,
) {
    guard((), || {
        if !acceptKey.is_null() && !package.is_null() {
            // SAFETY: so many readable bytes; 1024 writable ones, of which
            // fewer than 200 are needed whatever the key.
            unsafe {
                let answer = link::answer(bytes(acceptKey, acceptKeyLen));
                write_text(package, &answer);
            }
        }
    });
}
