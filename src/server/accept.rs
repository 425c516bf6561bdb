//! Where connections come in: listening, taking them, refusing those over a
//! limit, and what to do when there are no more descriptors.

use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::facts::Facts;
use super::interest::Interest;
use super::peer::Peer;
use super::slots::{MAX_PEERS, PeerId};
use super::turn::{Loop, listener_token};
use super::{Program, Shared};
use crate::net::local::Name;
use crate::net::sys::epoll::READABLE;
use crate::net::sys::listen::{self, Address};
use crate::net::sys::{self, Errno};
use crate::proto::Error;
use crate::proto::conn::Connection;

/// Connections taken in one turn: those that are there are served in between. One
/// costs some 10 µs, most of it in the kernel.
const SHARE: usize = 8;
/// How long a listener rests when the process has no descriptors or memory.
const REST_MS: u64 = 100;
/// What a connection gets that cannot be served; nothing is waited for.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Connection: close\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n";

/// A socket that others connect to.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: OwnedFd,
    /// What it is called in the file system, where that is ours.
    _name: Option<Name>,
    /// Given up for when there are no more descriptors.
    spare: Option<OwnedFd>,
}

/// What a limit by address counts: an IPv4 address, or the network part of an
/// IPv6 one, as one customer has all of that.
#[must_use]
pub fn limit_key(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(ip) => {
            let network = u128::from(ip) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        ip => ip,
    }
}

impl<P: Program> Loop<P> {
    /// Takes connections from a listening, non-blocking socket from now on;
    /// its name goes with it.
    pub fn listen_on(&mut self, socket: OwnedFd, name: Option<Name>) -> Result<(), Errno> {
        let token = listener_token(self.listeners.len());
        self.poller.watch(socket.as_raw_fd(), token, READABLE)?;
        self.listeners.push(Listener {
            socket,
            _name: name,
            spare: listen::spare().ok(),
        });
        Ok(())
    }

    /// Takes no more connections from the sockets behind the first `count`.
    pub fn unlisten(&mut self, count: usize) {
        for listener in self.listeners.drain(count.min(self.listeners.len())..) {
            // Another loop or process may have the socket too: closing it here
            // would not end that this loop is told of it.
            let _ = self.poller.unwatch(listener.socket.as_raw_fd());
        }
    }

    /// How many sockets it takes connections from.
    #[must_use]
    pub fn listens(&self) -> usize {
        self.listeners.len()
    }

    pub(super) fn accept_from(&mut self, number: usize, shared: &Shared<P>) {
        let (mut failed, mut scarce) = (0, false);
        for _ in 0..SHARE {
            let Some(listener) = self.listeners.get_mut(number) else {
                return;
            };
            match listen::accept(listener.socket.as_raw_fd()) {
                Ok((socket, address)) => {
                    shared.expect_at(self.number);
                    // The socket is closed where it cannot be served.
                    let _ = self.adopt(socket, address, &[], shared);
                }
                Err(Errno(libc::EAGAIN)) if scarce => return self.rest(number),
                Err(Errno(libc::EAGAIN)) => return,
                Err(Errno(libc::EMFILE | libc::ENFILE)) => {
                    if !listener.turn_away() {
                        return self.rest(number);
                    }
                    shared.gauges.accepted.fetch_add(1, Ordering::Relaxed);
                    shared.gauges.refused.fetch_add(1, Ordering::Relaxed);
                    scarce = true;
                }
                Err(Errno(libc::ENOBUFS | libc::ENOMEM)) => return self.rest(number),
                // Of the connection that was to be taken, which is no more;
                // the next may be in order.
                Err(_) => failed += 1,
            }
        }
        // A socket that gives nothing else fails itself, as one does that
        // somebody has shut down.
        if scarce || failed == SHARE {
            self.rest(number);
        }
    }

    /// Has a listener wait a while: the kernel would say at once that
    /// connections wait, which nothing can be done about.
    fn rest(&mut self, number: usize) {
        let Some(listener) = self.listeners.get(number) else {
            return;
        };
        // Not watched for nothing: a socket that was shut down is told of
        // all the same.
        if self.poller.unwatch(listener.socket.as_raw_fd()).is_ok() && !self.wake_later(number) {
            self.wake_listener(number);
        }
    }

    /// False where there is no memory for a deadline.
    fn wake_later(&mut self, number: usize) -> bool {
        let token = listener_token(number);
        self.deadlines.set(self.now + REST_MS, token)
    }

    pub(super) fn wake_listener(&mut self, number: usize) {
        let Some(listener) = self.listeners.get(number) else {
            return;
        };
        let (fd, token) = (listener.socket.as_raw_fd(), listener_token(number));
        if self.poller.watch(fd, token, READABLE).is_err() {
            // The deadline that has just come has left room for this one.
            let _ = self.wake_later(number);
        }
    }

    /// Serves a connection that was accepted, of which `read` was read. It is
    /// one of the loop's load already.
    pub(super) fn adopt(
        &mut self,
        socket: OwnedFd,
        address: Option<Address>,
        read: &[u8],
        shared: &Shared<P>,
    ) -> Result<PeerId, Error> {
        shared.gauges.accepted.fetch_add(1, Ordering::Relaxed);
        let facts = Facts::new(address.as_ref());
        let from = facts.ip();
        let handshakes = &shared.gauges.handshakes;
        let stopping = shared.stopping.load(Ordering::Acquire);
        let crowded = handshakes.load(Ordering::Relaxed) >= shared.serving.max_handshakes;
        if stopping || crowded || !shared.enter(from) {
            shared.gauges.refused.fetch_add(1, Ordering::Relaxed);
            shared.lost_at(self.number);
            refuse(&socket);
            return Err(Error::Handles);
        }
        handshakes.fetch_add(1, Ordering::Relaxed);
        let placed = self.place(socket, facts, shared);
        if placed.is_err() {
            handshakes.fetch_sub(1, Ordering::Relaxed);
            shared.lost_at(self.number);
            shared.leave(from);
        }
        let id = placed?;
        if !read.is_empty() {
            self.early.push((id, read.to_vec()));
        }
        Ok(id)
    }

    fn place(
        &mut self,
        socket: OwnedFd,
        facts: Facts,
        shared: &Shared<P>,
    ) -> Result<PeerId, Error> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.peers.len()).map_err(|_| Error::Handles)?;
                if index >= MAX_PEERS {
                    return Err(Error::Handles);
                }
                // So that giving the place back later needs no memory.
                let more = self.peers.len() + 1 - self.free.len();
                self.free.try_reserve(more).map_err(|_| Error::Memory)?;
                self.peers.try_reserve(1).map_err(|_| Error::Memory)?;
                self.peers.push(None);
                index
            }
        };
        let door = shared.doors.get(self.number).ok_or(Error::Internal)?;
        let slot = door.slots.get_or_make(index).ok_or(Error::Handles)?;
        let fd = socket.as_raw_fd();
        sys::no_delay(fd);
        if shared.serving.keep_alive > 0 {
            // A local socket needs none.
            let _ = listen::keep_alive(fd, shared.serving.keep_alive);
        }
        let id = PeerId::new(self.number, index, slot.open());
        let from = facts.origin();
        *slot.facts() = facts;
        let connection = Connection::server_of_pages(Arc::clone(&shared.settings), sys::random);
        let mut peer = Peer::new(id, socket, connection);
        peer.interest = Interest::Read;
        peer.connection.tick(self.now);
        let watched = self.poller.watch(fd, id.0, READABLE).is_ok();
        if !watched || !P::came(&self.shared, id, fd, from) {
            if watched {
                let _ = self.poller.unwatch(fd);
            }
            refuse(&peer.socket);
            shared.gauges.refused.fetch_add(1, Ordering::Relaxed);
            slot.close();
            self.free.push(index);
            return Err(Error::Memory);
        }
        if let Some(place) = self.peers.get_mut(index as usize) {
            *place = Some(peer);
        }
        self.mark(index);
        Ok(id)
    }
}

impl Listener {
    /// Tells the connection that waits first that there are no descriptors, at
    /// the price of the spare. False where that could not be done.
    fn turn_away(&mut self) -> bool {
        self.spare = None;
        let first = listen::accept(self.socket.as_raw_fd());
        if let Ok((socket, _)) = &first {
            refuse(socket);
        }
        let told = first.is_ok();
        drop(first);
        self.spare = listen::spare().ok();
        told
    }
}

/// Says that this connection cannot be served. What fits into a new socket's
/// buffer is sent at once or never.
pub(super) fn refuse(socket: &OwnedFd) {
    let fd = socket.as_raw_fd();
    let _ = sys::send(fd, BUSY, &[], libc::MSG_DONTWAIT);
    sys::shutdown_sending(fd);
    // A request that was not read would have the kernel reset the connection
    // when it is closed, and the client's throw the answer away.
    let mut request = [0; 4096];
    for _ in 0..4 {
        match sys::receive(fd, &mut request, libc::MSG_DONTWAIT) {
            Ok(got) if got == request.len() => {}
            _ => break,
        }
    }
}
