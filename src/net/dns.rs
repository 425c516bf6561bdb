//! Host names to addresses, within a deadline.
//!
//! The system resolver blocks for as long as it likes, so it runs on a thread
//! of its own, which exists only while lookups are pending and is shared by
//! them. A lookup that hangs keeps its thread; up to `THREADS` are started
//! before further lookups have to wait for one of them.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use super::sys::{self, Errno};

/// How many lookups may hang at once.
const THREADS: usize = 4;
/// How many lookups may wait for a thread.
const QUEUE: usize = 64;
/// After so many milliseconds in the queue, a lookup asks for another thread.
const PATIENCE_MS: u64 = 50;
const STACK: usize = 512 * 1024;
/// Addresses beyond these are not tried.
const ADDRESSES: usize = 16;

type Found = Result<Vec<IpAddrZone>, Errno>;

/// An address and, for link-local IPv6, its zone.
type IpAddrZone = (IpAddr, u32);

#[derive(Default)]
struct Answer {
    found: Mutex<Option<Found>>,
    ready: Condvar,
}

struct Lookup {
    host: String,
    answer: Arc<Answer>,
}

struct Resolver {
    queue: VecDeque<Lookup>,
    threads: usize,
    #[cfg(test)]
    started: usize,
}

static RESOLVER: Mutex<Resolver> = Mutex::new(Resolver {
    queue: VecDeque::new(),
    threads: 0,
    #[cfg(test)]
    started: 0,
});

thread_local! {
    static FORKING: RefCell<Option<MutexGuard<'static, Resolver>>> = const { RefCell::new(None) };
}

extern "C" fn before_fork() {
    let guard = lock(&RESOLVER);
    let _ = FORKING.try_with(|parked| parked.replace(Some(guard)));
}

extern "C" fn after_fork() {
    let _ = FORKING.try_with(|parked| parked.replace(None));
}

extern "C" fn in_child() {
    let _ = FORKING.try_with(|parked| {
        if let Some(resolver) = parked.borrow_mut().as_mut() {
            // The threads are the parent's, and so are those who wait.
            resolver.queue.clear();
            resolver.threads = 0;
        }
        parked.replace(None)
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address that a literal spells: IPv4, IPv6, in brackets or not, with or
/// without a zone.
#[must_use]
pub fn literal(host: &str) -> Option<IpAddrZone> {
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return Some((ip.into(), 0));
    }
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let (ip, zone) = host.split_once('%').unwrap_or((host, ""));
    let ip = ip.parse::<Ipv6Addr>().ok()?;
    let zone = match zone {
        "" if !host.contains('%') => 0,
        name => name
            .parse()
            .ok()
            .or_else(|| sys::interface_index(&CString::new(name).ok()?))?,
    };
    Some((ip.into(), zone))
}

/// The addresses of a host, until `deadline` of [`sys::now_ms`]: `ETIMEDOUT`
/// after it, `EHOSTUNREACH` for a name that has none, `EAGAIN` when too many
/// lookups wait already.
pub fn resolve(host: &str, port: u16, deadline: u64) -> Result<Vec<SocketAddr>, Errno> {
    let found = match literal(host) {
        Some(literal) => vec![literal],
        None => look_up(host, deadline)?,
    };
    let socket = |(ip, zone)| match ip {
        IpAddr::V4(ip) => SocketAddr::from((ip, port)),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, zone).into(),
    };
    Ok(found.into_iter().map(socket).collect())
}

fn look_up(host: &str, deadline: u64) -> Found {
    if host.is_empty() || host.len() > 253 || host.contains(|c: char| c.is_control() || c == ' ') {
        return Err(Errno(libc::EHOSTUNREACH));
    }
    let answer = submit(host)?;
    let mut found = lock(&answer.found);
    let mut asked = false;
    loop {
        if let Some(found) = found.take() {
            return found;
        }
        let left = deadline.saturating_sub(sys::now_ms());
        if left == 0 {
            return Err(Errno(libc::ETIMEDOUT));
        }
        let wait = if asked { left } else { left.min(PATIENCE_MS) };
        let (guard, timeout) = answer
            .ready
            .wait_timeout(found, Duration::from_millis(wait))
            .unwrap_or_else(PoisonError::into_inner);
        found = guard;
        if timeout.timed_out() && !asked {
            asked = true;
            drop(found);
            // The lookups ahead seem to hang: one more thread, if allowed.
            let mut resolver = lock(&RESOLVER);
            if !resolver.queue.is_empty() {
                resolver.start_thread();
            }
            drop(resolver);
            found = lock(&answer.found);
        }
    }
}

fn submit(host: &str) -> Result<Arc<Answer>, Errno> {
    static FORKS: Once = Once::new();
    FORKS.call_once(|| sys::at_fork(before_fork, after_fork, in_child));
    let answer = Arc::new(Answer::default());
    let mut resolver = lock(&RESOLVER);
    // Those who gave up waiting hold no second reference any more.
    resolver
        .queue
        .retain(|lookup| Arc::strong_count(&lookup.answer) > 1);
    if resolver.queue.len() >= QUEUE {
        return Err(Errno(libc::EAGAIN));
    }
    resolver.queue.push_back(Lookup {
        host: host.to_owned(),
        answer: Arc::clone(&answer),
    });
    if resolver.threads == 0 && !resolver.start_thread() {
        resolver.queue.pop_back();
        return Err(Errno(libc::EAGAIN));
    }
    Ok(answer)
}

impl Resolver {
    /// Starts a thread unless all are started; false where none could be.
    fn start_thread(&mut self) -> bool {
        if self.threads >= THREADS {
            return true;
        }
        let started = sys::start_thread(STACK, Box::new(run));
        if started {
            self.threads += 1;
            #[cfg(test)]
            {
                self.started += 1;
            }
        }
        started
    }
}

fn run() {
    loop {
        let lookup = {
            let mut resolver = lock(&RESOLVER);
            let Some(lookup) = resolver.queue.pop_front() else {
                resolver.threads = resolver.threads.saturating_sub(1);
                return;
            };
            lookup
        };
        if Arc::strong_count(&lookup.answer) > 1 {
            let found = ask_system(&lookup.host);
            *lock(&lookup.answer.found) = Some(found);
            lookup.answer.ready.notify_all();
        }
    }
}

#[cfg(not(test))]
fn ask_system(host: &str) -> Found {
    system(host)
}

/// Names under `.hang.test` stand for a resolver that does not answer.
#[cfg(test)]
fn ask_system(host: &str) -> Found {
    if host.ends_with(".hang.test") {
        std::thread::sleep(Duration::from_millis(600));
    }
    system(host)
}

fn system(host: &str) -> Found {
    let host = CString::new(host).map_err(|_| Errno(libc::EHOSTUNREACH))?;
    sys::host_addresses(&host, ADDRESSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(ms: u64) -> u64 {
        sys::now_ms() + ms
    }

    #[test]
    fn literals_never_start_a_thread() {
        for (text, want) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("::1", "[::1]:80"),
            ("[::1]", "[::1]:80"),
            ("fe80::1%7", "[fe80::1%7]:80"),
        ] {
            let found = resolve(text, 80, 0).unwrap();
            assert_eq!(found, [want.parse().unwrap()], "{text}");
        }
        assert!(literal("fe80::1%lo").is_some_and(|(_, zone)| zone > 0));
        for text in [
            "",
            "1.2.3",
            "fe80::1%",
            "fe80::1%no-such-if",
            "[::1",
            "host",
        ] {
            assert_eq!(literal(text), None, "{text}");
        }
    }

    #[test]
    fn tr23_a_name_resolves_and_nonsense_is_refused() {
        let found = resolve("localhost", 7, within(10_000)).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        for name in ["", "a b", "a\nb", &"x".repeat(300)] {
            assert_eq!(
                resolve(name, 7, within(10_000)),
                Err(Errno(libc::EHOSTUNREACH))
            );
        }
    }

    #[test]
    fn tr23_hung_lookups_keep_the_deadline_and_few_threads() {
        let before = lock(&RESOLVER).started;
        for round in 0..8 {
            let name = format!("n{round}.hang.test");
            assert_eq!(resolve(&name, 7, within(70)), Err(Errno(libc::ETIMEDOUT)));
        }
        let resolver = lock(&RESOLVER);
        assert!(resolver.threads <= THREADS);
        assert!(resolver.started - before <= THREADS + 2);
        drop(resolver);
        // The hung ones come back one day, and lookups work again.
        assert!(resolve("localhost", 7, within(20_000)).is_ok());
    }
}
