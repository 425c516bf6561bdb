//! The server: loops that serve peers, and a door through which any thread
//! reaches them.
#![forbid(unsafe_code)]

pub mod accept;
pub mod anywhere;
mod ending;
pub mod facts;
mod here;
mod interest;
mod leave;
mod lent;
pub mod mailbox;
pub mod pages;
pub mod peer;
pub mod room;
mod serve;
pub mod slots;
pub mod topics;
pub mod turn;

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Serving;
use crate::net::poller::Waker;
use crate::proto::conn::Event;
use crate::proto::settings::Settings;
use facts::Origin;
use mailbox::Mailbox;
use pages::Pages;
use room::Room;
use slots::{Counts, PeerId, Slots};
use turn::Loop;

/// What the program is told about a peer.
#[derive(Debug)]
pub enum Happening<'e> {
    /// What its connection came to.
    Event(Event<'e>),
    /// What waited for it has been sent, after so much did that it mattered.
    Drain,
}

/// The program that a server serves for.
pub trait Program: Sized + Send + Sync + 'static {
    /// A happening that borrows nothing, as the program is told it.
    type Told;

    /// A connection was accepted, on this socket; its happenings follow, and
    /// the end is one of them. False: it cannot be served, and is refused.
    fn came(_to: &Arc<Shared<Self>>, _peer: PeerId, _fd: RawFd, _from: Option<Origin>) -> bool {
        true
    }

    /// The socket of a connection, whose end was told, is closed next: its
    /// number is another's soon.
    fn left(&self, _fd: RawFd) {}

    /// Takes a happening down. What it lends stays until [`Program::tell`]
    /// returns.
    fn note(&self, peer: PeerId, user: usize, what: &Happening<'_>) -> Self::Told;

    /// Tells the program. It has the loop at hand meanwhile, and gives it back.
    fn tell(&self, told: Self::Told, here: Box<Loop<Self>>) -> Box<Loop<Self>>;
}

/// A loop, as other threads see it.
#[derive(Debug)]
pub struct Door {
    /// What they ask.
    pub mailbox: Mailbox,
    /// What they may know.
    pub slots: Slots,
    /// Its peers, and those on their way to it.
    pub load: AtomicUsize,
    /// Where other threads wait for it.
    pub room: Room,
    /// What was counted of its peers that are gone.
    pub gone: Counts,
}

impl Door {
    /// Of a loop that is woken by `waker`.
    #[must_use]
    pub fn new(waker: Arc<Waker>) -> Door {
        Door {
            mailbox: Mailbox::new(waker),
            slots: Slots::new(),
            load: AtomicUsize::new(0),
            room: Room::default(),
            gone: Counts::default(),
        }
    }

    /// How many peers its loop has.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }
}

/// What all loops count together.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Peers that are there.
    pub peers: AtomicUsize,
    /// Those whose handshake is not over.
    pub handshakes: AtomicUsize,
    /// Those that were ended and have not hung up; they are no peers any more.
    pub lingering: AtomicUsize,
    /// Connections ever accepted.
    pub accepted: AtomicU64,
    /// Connections refused for a limit.
    pub refused: AtomicU64,
}

/// What all loops of a server and all threads share.
#[derive(Debug)]
pub struct Shared<P> {
    /// Who is told.
    pub program: P,
    /// Each connection's settings.
    pub settings: Arc<Settings>,
    /// The server's.
    pub serving: Serving,
    /// The loops.
    pub doors: Box<[Door]>,
    /// What is counted.
    pub gauges: Gauges,
    /// What plain requests get.
    pub pages: Pages,
    /// The server is to end.
    pub stopping: AtomicBool,
    /// At once.
    pub abandoned: AtomicBool,
    /// Peers by address, where they have a limit.
    of_address: Mutex<HashMap<IpAddr, usize>>,
}

impl<P> Shared<P> {
    /// A server with these loops' doors, before the loops are made.
    pub fn new(program: P, settings: Arc<Settings>, serving: Serving, doors: Vec<Door>) -> Self {
        Shared {
            program,
            settings,
            serving,
            doors: doors.into_boxed_slice(),
            gauges: Gauges::default(),
            pages: Pages::default(),
            stopping: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            of_address: Mutex::default(),
        }
    }

    /// The door that a peer is behind.
    #[must_use]
    pub fn door(&self, peer: PeerId) -> Option<&Door> {
        self.doors.get(peer.on())
    }

    /// A connection is on its way to this loop, which counts it at once: the
    /// next one may come before the loop has seen this one.
    fn expect_at(&self, number: usize) {
        if let Some(door) = self.doors.get(number) {
            door.load.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One of the loop's connections is there no more.
    fn lost_at(&self, number: usize) {
        if let Some(door) = self.doors.get(number) {
            door.load.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.of_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more peer; false where a limit is reached.
    fn enter(&self, from: Option<IpAddr>) -> bool {
        let limit = self.serving.max_peers;
        let within = |now: usize| (now < limit).then_some(now + 1);
        let order = Ordering::Relaxed;
        if self
            .gauges
            .peers
            .fetch_update(order, order, within)
            .is_err()
        {
            return false;
        }
        let most = self.serving.max_peers_of_address;
        let Some(from) = from.filter(|_| most > 0) else {
            return true;
        };
        let mut addresses = self.addresses();
        let known = addresses.get(&from).copied().unwrap_or(0);
        if known >= most || addresses.try_reserve(1).is_err() {
            drop(addresses);
            self.gauges.peers.fetch_sub(1, order);
            return false;
        }
        addresses.insert(from, known + 1);
        true
    }

    /// Counts one less.
    fn leave(&self, from: Option<IpAddr>) {
        self.gauges.peers.fetch_sub(1, Ordering::Relaxed);
        let Some(from) = from.filter(|_| self.serving.max_peers_of_address > 0) else {
            return;
        };
        let mut addresses = self.addresses();
        match addresses.get_mut(&from) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = addresses.remove(&from),
        }
    }
}
