//! Where a server listens.

use std::ffi::{c_char, c_int};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::life::{Cause, told};
use super::{Served, Server, share, webSocket_server};
use crate::ffi::convert::{text, write};
use crate::ffi::result::webSocket_result;
use crate::net::local::Name;
use crate::net::sys::Errno;
use crate::net::sys::listen::{self, Address, Listening, Sharing};
use crate::proto::Error;
use crate::server::turn::Loop;

/// Where to listen: NULL or "" for everywhere, an address, or "unix:" and a
/// path.
fn address_of(text: Option<&str>, port: u16) -> Result<Address, Error> {
    let text = text.unwrap_or("");
    if let Some(path) = text.strip_prefix("unix:") {
        return Ok(Address::Local(path.as_bytes().to_vec()));
    }
    let ip = if text.is_empty() {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        bare.unwrap_or(text).parse().map_err(|_| Error::Usage)?
    };
    Ok(Address::Internet(SocketAddr::new(ip, port)))
}

/// Listens on an address and a port.
///
/// `address`: NULL or "" for every address of this machine, IPv6 and IPv4; an
/// IPv4 or IPv6 address (`"127.0.0.1"`, `"::1"`; no host name); or `"unix:"`
/// and the path of a local socket (`port` is then not looked at). Its file has
/// the permissions that the umask leaves; one that a dead server left is
/// replaced, any other file is not (`WEBSOCKET_E_ADDRESS`), and it is removed
/// when the server ends. `port`: 0 for one that the kernel picks. Writes the
/// port to `*boundPort` (0 for a local socket); NULL is fine. Several addresses
/// are several calls.
///
/// While no thread turns the server: before `webSocket_server_start` or `_run`,
/// or between two calls of `webSocket_server_step`. Any thread. Results:
/// `WEBSOCKET_OK`, `WEBSOCKET_E_USAGE` (not an address, or a path that is too
/// long), `WEBSOCKET_E_ADDRESS` (taken, not allowed, or not this machine's),
/// `WEBSOCKET_E_HANDLES` (no descriptor is left), `WEBSOCKET_E_MEMORY`,
/// `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_STATE` (it is being turned, or was
/// started or stopped), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_UTF8` (`address`
/// is not UTF-8), `WEBSOCKET_E_SEND_TOO_BIG` (`address`), `WEBSOCKET_GONE`;
/// where the kernel refused, errno and `webSocket_lastFailure` tell why. Since
/// 0.1.
///
/// # Safety
/// `address` is NULL or a NUL-terminated string; `boundPort` is NULL or may be
/// written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_server_listen(
    server: *mut webSocket_server,
    address: *const c_char,
    port: u16,
    boundPort: *mut u16,
) -> webSocket_result {
    told(|| {
        let server = share(server)?;
        let given = if address.is_null() {
            None
        } else {
            // SAFETY: the caller's promise.
            Some(unsafe { text(address) }?)
        };
        let port = server.listen(given, port)?;
        if !boundPort.is_null() {
            // SAFETY: the caller's promise.
            unsafe { write(boundPort, port) }?;
        }
        Ok(())
    })
}

impl Server {
    fn listen(&self, given: Option<&str>, port: u16) -> Result<u16, Cause> {
        let mut resting = self.unturned()?;
        let mut address = address_of(given, port)?;
        let mut how = Listening {
            backlog: c_int::try_from(self.shared.serving.backlog).unwrap_or(c_int::MAX),
            sharing: Sharing::Alone,
        };
        if let Address::Local(path) = &address {
            let socket = listen::listen(&address, how)?;
            let name = Name::of(path);
            return share_out(&mut resting, socket, name).map(|()| 0);
        }
        if resting.len() > 1 {
            how.sharing = Sharing::First;
        }
        let mut sockets = Vec::new();
        let mut bound = 0;
        for _ in resting.iter() {
            let mut socket = listen::listen(&address, how);
            // A machine without IPv6.
            let everywhere = given.unwrap_or("").is_empty();
            if matches!(socket, Err(Errno(libc::EAFNOSUPPORT))) && everywhere {
                address = Address::Internet(([0, 0, 0, 0], port).into());
                socket = listen::listen(&address, how);
            }
            let socket = socket?;
            let own = listen::own_address(socket.as_raw_fd())?;
            if let (Address::Internet(all), Some(Address::Internet(own))) = (&mut address, own) {
                // The other loops share the port that the kernel picked.
                bound = own.port();
                all.set_port(bound);
            }
            how.sharing = Sharing::Joining;
            sockets.push(socket);
        }
        let listeners = sockets.into_iter().map(|socket| (socket, None));
        listen_all(&mut resting, listeners.collect())?;
        Ok(bound)
    }
}

/// Has all loops take connections from one socket, each by a descriptor of its
/// own: who is free first has the next one.
fn share_out(
    loops: &mut [Option<Box<Loop<Served>>>],
    socket: OwnedFd,
    name: Option<Name>,
) -> Result<(), Cause> {
    let mut listeners = Vec::new();
    for _ in 1..loops.len() {
        let copy = listen::duplicate(socket.as_raw_fd())?;
        listeners.push((copy, None));
    }
    listeners.push((socket, name));
    listen_all(loops, listeners)
}

/// Has each loop listen on a socket of its own: all of them, or none.
fn listen_all(
    loops: &mut [Option<Box<Loop<Served>>>],
    listeners: Vec<(OwnedFd, Option<Name>)>,
) -> Result<(), Cause> {
    let before: Vec<usize> = loops.iter().flatten().map(|one| one.listens()).collect();
    let mut listened = Ok(());
    for (looped, (socket, name)) in loops.iter_mut().flatten().zip(listeners) {
        listened = listened.and_then(|()| looped.listen_on(socket, name));
    }
    if listened.is_err() {
        for (looped, before) in loops.iter_mut().flatten().zip(before) {
            looped.unlisten(before);
        }
    }
    Ok(listened?)
}

/// Takes connections from a socket that listens already, such as one that
/// systemd passes (`LISTEN_FDS`: descriptors from 3 on).
///
/// `fd`, TCP or a local stream socket, is the server's from now on: it is made
/// non-blocking, and closed when the server ends. So it is where this fails,
/// but for `WEBSOCKET_E_USAGE`, `WEBSOCKET_E_NULL` and `WEBSOCKET_GONE`. All
/// loops take connections from it. While no thread turns the server, as
/// `webSocket_server_listen`. Any thread. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_USAGE` (not a listening stream socket), `WEBSOCKET_E_HANDLES`,
/// `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_SYSTEM`, `WEBSOCKET_E_STATE` (it is being
/// turned, or was started or stopped), `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`;
/// where the kernel refused, errno and `webSocket_lastFailure` tell why. Since
/// 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_server_listenFd(
    server: *mut webSocket_server,
    fd: c_int,
) -> webSocket_result {
    told(|| {
        let server = share(server)?;
        if !listen::is_listening(fd) || !listen::is_stream(fd) {
            return Err(Error::Usage.into());
        }
        // SAFETY: it is a socket, and the caller gives it away.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        listen::make_ours(fd)?;
        share_out(&mut server.unturned()?, socket, None)
    })
}
