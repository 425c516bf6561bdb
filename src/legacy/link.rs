//! The opening handshake of the drop-in: as tolerant as the old helper.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};

use super::fd::{self, Socket};
use super::helpers::{self, RESOLVE_MS};
use super::{head, receive, transmit};
use crate::net::sys::{self, Errno};
use crate::net::{connect, dns};
use crate::proto::handshake::{key, loose};

/// An answer's head may have so many bytes.
const MAX_ANSWER: usize = 32 * 1024;
/// So many interim answers (1xx) may come before the real one.
const MAX_INTERIM: usize = 8;

/// The time that each stage of a client's connect may take, in ms.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For TCP, from the moment that the host's addresses are known.
    pub connect: u64,
    /// For the handshake, from the moment that TCP is connected.
    pub handshake: u64,
}

/// The times of generation 1.
pub const GENERATION_1: Times = Times {
    connect: 1000,
    handshake: 1000,
};

/// Connects to a server; the fd is non-blocking and the caller's. The host may
/// take a further second to resolve.
pub fn connect(host: &str, port: i32, path: &str, times: Times) -> Result<RawFd, Errno> {
    connect_until(host, port, path, times, RESOLVE_MS, u64::MAX)
}

/// As [`connect()`], TCP within `timeout` ms, and name, TCP and handshake
/// together within twice that. The times of generation 2.
pub fn connect_within(host: &str, port: i32, path: &str, timeout: u64) -> Result<RawFd, Errno> {
    let end = sys::now_ms() + 2 * timeout;
    let times = Times {
        connect: timeout,
        handshake: 2 * timeout,
    };
    connect_until(host, port, path, times, timeout, end)
}

/// Connects; a name may take `resolve` ms, and nothing lasts beyond `end`.
fn connect_until(
    host: &str,
    port: i32,
    path: &str,
    times: Times,
    resolve: u64,
    end: u64,
) -> Result<RawFd, Errno> {
    let within = |time: u64| end.min(sys::now_ms() + time);
    let port = u16::try_from(port).unwrap_or(0);
    if port == 0 {
        return Err(Errno(libc::EINVAL));
    }
    let text = helpers::new_key().ok_or(Errno(libc::EIO))?;
    let request = request(host, port, path, &text).ok_or(Errno(libc::EINVAL))?;
    let addresses = dns::resolve(host, port, within(resolve))?;
    let socket = connect::connect(&addresses, within(times.connect))?;
    handshake(&socket, &request, &text, within(times.handshake))?;
    fd::note_client(socket.as_raw_fd())?;
    Ok(socket.into_raw_fd())
}

/// The client's request; `None` where the host or path cannot stand in one.
#[must_use]
pub fn request(host: &str, port: u16, path: &str, key: &[u8]) -> Option<Vec<u8>> {
    let clean = |byte: u8| byte > b' ' && byte != 0x7F;
    if host.is_empty()
        || ![host.as_bytes(), path.as_bytes(), key]
            .into_iter()
            .flatten()
            .all(|b| clean(*b))
    {
        return None;
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let bare = bare.unwrap_or(host);
    // A zone is this machine's own affair (RFC 6874).
    let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
    let (open, close) = if bare.contains(':') {
        ("[", "]")
    } else {
        ("", "")
    };
    let port = if port == 80 {
        String::new()
    } else {
        format!(":{port}")
    };
    let mut request = format!(
        "GET {slash}{path} HTTP/1.1\r\n\
         Host: {open}{bare}{close}{port}\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: "
    )
    .into_bytes();
    request.extend_from_slice(key);
    request.extend_from_slice(b"\r\n\r\n");
    Some(request)
}

/// The 101 answer to a client's key.
#[must_use]
pub fn answer(client_key: &[u8]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: "
        .to_vec();
    answer.extend_from_slice(&key::accept(client_key));
    answer.extend_from_slice(b"\r\n\r\n");
    answer
}

/// Accepts a client whose request is `request`; returns the bytes sent.
/// `EPROTO` where it asks for no upgrade or has no key.
pub fn accept(fd: RawFd, request: &[u8]) -> Result<usize, Errno> {
    let key = client_key(request).ok_or(Errno(libc::EPROTO))?;
    send_answer(fd, &answer(key))
}

/// As [`accept`], but the request's target has to contain `path`, and the first
/// subprotocol that it offers is accepted.
pub fn accept_at(fd: RawFd, request: &[u8], path: &[u8]) -> Result<usize, Errno> {
    let key = client_key(request).filter(|_| head::asks_for(request, path));
    let mut answer = answer(key.ok_or(Errno(libc::EPROTO))?);
    if let Some(protocol) = loose::subprotocol(request) {
        // In front of the blank line.
        answer.truncate(answer.len() - 2);
        answer.extend_from_slice(b"Sec-WebSocket-Protocol: ");
        answer.extend_from_slice(protocol.as_bytes());
        answer.extend_from_slice(b"\r\n\r\n");
    }
    send_answer(fd, &answer)
}

/// The key of a request for an upgrade to WebSocket.
fn client_key(request: &[u8]) -> Option<&[u8]> {
    let key = head::values(request, "Sec-WebSocket-Key").next();
    key.filter(|key| !key.is_empty() && head::has_token(request, "Upgrade", "websocket"))
}

fn send_answer(fd: RawFd, answer: &[u8]) -> Result<usize, Errno> {
    // The number may have been another connection's a moment ago.
    let socket = Socket::current(fd)?;
    let sent = loop {
        match transmit::send_raw(fd, answer) {
            // Old programs take every failure for a refusal, and hang up.
            Err(Errno(libc::EINTR)) => {}
            outcome => break outcome?,
        }
    };
    receive::begin_frames(&socket.record);
    Ok(sent)
}

fn handshake(socket: &OwnedFd, request: &[u8], key: &[u8], deadline: u64) -> Result<(), Errno> {
    let fd = socket.as_raw_fd();
    let mut sent = 0;
    while let Some(rest) = request.get(sent..).filter(|rest| !rest.is_empty()) {
        match sys::send(fd, rest, &[], libc::MSG_DONTWAIT) {
            Ok(more) => sent += more,
            Err(Errno(libc::EINTR)) if sys::now_ms() < deadline => {}
            Err(Errno(libc::EAGAIN)) => wait(fd, libc::POLLOUT, deadline)?,
            Err(error) => return Err(error),
        }
    }
    let refused = Err(Errno(libc::EPROTO));
    for _ in 0..=MAX_INTERIM {
        let head = read_head(fd, deadline)?;
        match head::status(&head) {
            Some(101) => {
                let mut accepts = head::values(&head, "Sec-WebSocket-Accept");
                let (first, second) = (accepts.next(), accepts.next());
                return match (first, second) {
                    (Some(answer), None) if helpers::key_matches(key, answer) => Ok(()),
                    _ => refused,
                };
            }
            Some(100..200) => {}
            _ => return refused,
        }
    }
    refused
}

fn wait(fd: RawFd, events: i16, deadline: u64) -> Result<(), Errno> {
    if sys::wait_until(fd, events, deadline)? {
        Ok(())
    } else {
        Err(Errno(libc::ETIMEDOUT))
    }
}

/// Takes a head up to its blank line. Frames glued behind it stay in the
/// kernel, where the program's own poll sees them.
fn read_head(fd: RawFd, deadline: u64) -> Result<Vec<u8>, Errno> {
    let mut head = Vec::new();
    loop {
        wait(fd, libc::POLLIN, deadline)?;
        let mut piece = [0; 1024];
        let known = head.len();
        let seen = match sys::receive(fd, &mut piece, libc::MSG_PEEK | libc::MSG_DONTWAIT) {
            Ok(0) => return Err(Errno(libc::ECONNRESET)),
            Ok(seen) => seen,
            Err(Errno(libc::EAGAIN | libc::EINTR)) if sys::now_ms() < deadline => continue,
            Err(error) => return Err(error),
        };
        head.try_reserve(seen).map_err(|_| Errno(libc::ENOMEM))?;
        head.extend_from_slice(piece.get(..seen).unwrap_or_default());
        let end = head::end(&head, known);
        head.truncate(end.unwrap_or(head.len()));
        let part = piece.get_mut(..head.len() - known).unwrap_or_default();
        let got = match sys::receive(fd, part, libc::MSG_DONTWAIT) {
            Ok(got) => got,
            Err(Errno(libc::EAGAIN | libc::EINTR)) if sys::now_ms() < deadline => 0,
            Err(error) => return Err(error),
        };
        // What was not taken is looked at again.
        head.truncate(known + got);
        if end == Some(head.len()) {
            return Ok(head);
        }
        if head.len() > MAX_ANSWER {
            return Err(Errno(libc::EPROTO));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(host: &str, port: u16, path: &str) -> String {
        String::from_utf8(request(host, port, path, b"KEY").unwrap()).unwrap()
    }

    #[test]
    fn requests_name_their_host() {
        assert!(
            text("10.0.0.1", 81, "/a?b").starts_with("GET /a?b HTTP/1.1\r\nHost: 10.0.0.1:81\r\n")
        );
        assert!(text("::1", 9, "").starts_with("GET / HTTP/1.1\r\nHost: [::1]:9\r\n"));
        assert!(
            text("[fe80::1%eth0]", 80, "a").starts_with("GET /a HTTP/1.1\r\nHost: [fe80::1]\r\n")
        );
        assert!(text("h", 80, "/").ends_with("\r\nSec-WebSocket-Key: KEY\r\n\r\n"));
    }

    #[test]
    fn hc19_nothing_that_breaks_a_line_gets_into_a_request() {
        for (host, path) in [
            ("", "/"),
            ("a b", "/"),
            ("a\r\nb", "/"),
            ("a", "/\r\nX: y"),
            ("a", "/ b"),
        ] {
            assert_eq!(request(host, 80, path, b"KEY"), None);
        }
        assert_eq!(request("a", 80, "/", b"K\nY"), None);
    }
}
