//! The rows of `Ws_Server.client`: taken, freed, and looked at for what the
//! program has written there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering;

use super::program::Face;
use super::public::{CLIENTS, WET_NONE, Ws_Client};
use crate::ffi::served::Served;
use crate::net::deadlines::NEVER;
use crate::net::sys;
use crate::server::facts::Origin;
use crate::server::slots::PeerId;
use crate::server::turn::Loop;

/// How often rows are looked at, in milliseconds.
const LOOK_MS: u64 = 100;
/// Normal closure (RFC 6455 7.4.1): the program has the client dropped.
const NORMAL: u16 = 1000;

/// What the loop's thread knows of its clients.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// By their rows: who has it, and since when.
    rows: Vec<Option<(PeerId, u64)>>,
    /// Rows among them that are free.
    free: Vec<usize>,
    /// The rows of clients by the loop's index, which a client keeps a while
    /// when it has left its row.
    row_of: HashMap<u32, usize>,
    /// The message that is being told, and a NUL.
    pub message: Vec<u8>,
    /// When the rows were last looked at.
    looked: u64,
}

impl Desk {
    /// Gives a client a row, of which there are `CLIENTS`.
    fn take(&mut self, peer: PeerId) -> Option<usize> {
        self.row_of.try_reserve(1).ok()?;
        let at = match self.free.pop() {
            Some(at) => at,
            None if self.rows.len() < CLIENTS => {
                // So that giving the row back needs no memory.
                let more = self.rows.len() + 1 - self.free.len();
                self.free.try_reserve(more).ok()?;
                self.rows.try_reserve(1).ok()?;
                self.rows.push(None);
                self.rows.len() - 1
            }
            None => return None,
        };
        *self.rows.get_mut(at)? = Some((peer, sys::now_ms()));
        self.row_of.insert(peer.index(), at);
        Some(at)
    }

    /// Whose row it is, and since when.
    fn find(&self, peer: PeerId) -> Option<(usize, u64)> {
        let at = *self.row_of.get(&peer.index())?;
        let (owner, since) = (*self.rows.get(at)?)?;
        (owner == peer).then_some((at, since))
    }

    fn give_back(&mut self, peer: PeerId) -> Option<usize> {
        let (at, _) = self.find(peer)?;
        self.row_of.remove(&peer.index());
        *self.rows.get_mut(at)? = None;
        self.free.push(at);
        Some(at)
    }
}

impl Face {
    /// A client's row.
    pub(super) fn row(&self, peer: PeerId) -> Option<&Ws_Client> {
        let (at, _) = self.desk().find(peer)?;
        self.memory.client.get(at)
    }

    /// Takes a row for a client; false where there is none.
    pub(super) fn take_row(&self, peer: PeerId, socket: RawFd, from: Option<Origin>) -> bool {
        let own = &*self.memory;
        let Some(at) = self.desk().take(peer) else {
            return false;
        };
        let (Some(row), Some(thread)) = (own.client.get(at), own.counted_by(at)) else {
            return false;
        };
        let order = Ordering::Relaxed;
        let _locked = own.lock(&self.releasing);
        if let Some(Origin::Internet(address)) = from {
            row.port.store(address.port().into(), order);
            if let IpAddr::V4(ip) = address.ip() {
                for (to, from) in row.ip.iter().zip(ip.octets()) {
                    to.store(from, order);
                }
            }
        }
        // A program may have written to the row while it was free.
        row.exitType.store(WET_NONE, order);
        row.r#priv.store(ptr::null_mut(), order);
        let count = own.clientCount.fetch_add(1, Ordering::AcqRel);
        row.index.store(u32::try_from(count).unwrap_or(0), order);
        row.wss.store(self.memory.at(), order);
        row.wst.store(ptr::from_ref(thread).cast_mut(), order);
        thread.clientCount.fetch_add(1, order);
        thread.isRun.store(1, order);
        // The last: who sees it sees the rest.
        row.fd.store(socket, Ordering::Release);
        true
    }

    pub(super) fn free_row(&self, peer: PeerId, row: &Ws_Client) {
        let Some(at) = self.desk().give_back(peer) else {
            return;
        };
        let order = Ordering::Relaxed;
        let _locked = self.memory.lock(&self.releasing);
        row.fd.store(0, Ordering::Release);
        for byte in &row.ip {
            byte.store(0, order);
        }
        row.port.store(0, order);
        row.isLogin.store(0, order);
        row.isExiting.store(0, order);
        row.exitType.store(WET_NONE, order);
        row.recvBytes.store(0, order);
        row.index.store(0, order);
        row.loginTimeout.store(0, order);
        row.r#priv.store(ptr::null_mut(), order);
        row.wss.store(ptr::null_mut(), order);
        row.wst.store(ptr::null_mut(), order);
        if let Some(thread) = self.memory.counted_by(at) {
            thread.clientCount.fetch_sub(1, order);
        }
        // The last: who sees it sees the rest.
        self.memory.clientCount.fetch_sub(1, Ordering::AcqRel);
    }

    /// Milliseconds since a client came.
    pub(super) fn age(&self, peer: PeerId) -> u32 {
        let known = self.desk().find(peer);
        let age = known.map_or(0, |(_, since)| sys::now_ms().saturating_sub(since));
        u32::try_from(age).unwrap_or(u32::MAX)
    }

    /// Drops the client of a row where the program has asked for it.
    pub(super) fn drop_unwanted(peer: PeerId, row: &Ws_Client, here: &mut Loop<Served>) -> bool {
        let unwanted = row.exitType.load(Ordering::Acquire) != WET_NONE
            && row.isExiting.load(Ordering::Relaxed) == 0
            && row.fd.load(Ordering::Relaxed) != 0;
        if !unwanted {
            return false;
        }
        // What the program sent before it wrote there goes first.
        here.take_requests();
        here.dismiss(peer, NORMAL).is_ok()
    }

    /// Looks at the rows, if it is time: for clients that the program wants to
    /// have dropped. Returns how long the loop may wait.
    pub(super) fn look(&self, here: &mut Loop<Served>) -> u64 {
        if self.memory.clientCount.load(Ordering::Relaxed) == 0 {
            return NEVER;
        }
        let now = sys::now_ms();
        let mut desk = self.desk();
        let passed = now.saturating_sub(desk.looked);
        if passed < LOOK_MS {
            return LOOK_MS - passed;
        }
        desk.looked = now;
        let mut dropped = false;
        for (known, row) in desk.rows.iter().zip(&self.memory.client) {
            let Some((peer, since)) = known else { continue };
            if row.isLogin.load(Ordering::Relaxed) == 0 {
                let age = u32::try_from(now.saturating_sub(*since)).unwrap_or(u32::MAX);
                row.loginTimeout.store(age, Ordering::Relaxed);
            }
            dropped |= Face::drop_unwanted(*peer, row, here);
        }
        if dropped { 0 } else { LOOK_MS }
    }
}
