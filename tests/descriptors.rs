//! The process has no more file descriptors. In a process of its own, since
//! the limit is one for all.
#![allow(unsafe_code, dead_code)]

#[path = "server/support.rs"]
mod support;

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{BINARY, Client, Server, closed};
use wsembed::config::Serving;
use wsembed::proto::settings::Settings;

/// Open descriptors, in their order.
fn descriptors() -> Vec<RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let number =
        |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    let mut open: Vec<RawFd> = entries.filter_map(number).collect();
    // One of them was that of the folder itself.
    // SAFETY: takes no pointer.
    // SAFETY: takes no pointer.
    open.retain(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0);
    open.sort_unstable();
    open
}

fn set_limit(to: u64) {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a live struct.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = to as libc::rlim_t;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

/// Leaves so many free descriptors.
fn leave(free: usize) {
    let open = descriptors();
    let mut unused = (0..).filter(|fd| !open.contains(fd));
    set_limit(unused.nth(free).unwrap() as u64);
}

const ENOUGH: u64 = 1000;
/// Turns that a server that does not spin stays far below.
const MOST_TURNS: u32 = 300;

fn echo() -> Server {
    Server::echo(Settings::default(), Serving::default())
}

/// Whether a client has something to read, or the end.
fn is_answered(client: &Client) -> bool {
    client.socket.set_nonblocking(true).unwrap();
    let answered = client.socket.peek(&mut [0]).is_ok();
    client.socket.set_nonblocking(false).unwrap();
    answered
}

/// More clients than descriptors: who waits is told 503 and to try again, who
/// is there stays, and once there are descriptors again all goes on.
fn too_many_clients() {
    let mut server = echo();
    let (mut old, _) = server.client();
    let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        client.ask();
    }
    leave(6);
    let mut turns = 0;
    while !clients.iter().all(is_answered) {
        server.turn(20_000);
        turns += 1;
        assert!(turns < MOST_TURNS, "the server spins");
    }
    let answers: Vec<String> = clients.iter_mut().map(Client::head).collect();
    let served = |answer: &&String| answer.starts_with("HTTP/1.1 101 ");
    let refused = |answer: &&String| answer.starts_with("HTTP/1.1 503 ");
    assert_eq!(answers.iter().filter(served).count(), 6);
    assert_eq!(answers.iter().filter(refused).count(), 14);
    for (client, answer) in clients.iter_mut().zip(&answers) {
        assert!(served(&answer) || client.at_end());
    }
    // Who is served still is.
    old.send(BINARY, b"still here");
    server.until(|_| is_answered(&old));
    assert_eq!(old.frame(), (BINARY, b"still here".to_vec()));
    // With the first that leave, others get in; no limit was changed.
    let mut left = 0;
    for (client, _) in clients
        .into_iter()
        .zip(&answers)
        .filter(|(_, answer)| served(answer))
    {
        drop(client);
        server.expect(closed);
        left += 1;
    }
    assert_eq!(left, 6);
    server.client();
    set_limit(ENOUGH);
}

/// No descriptor is left, not even the one in reserve: clients wait, nothing
/// spins, and they are served when there are some again.
fn no_spare_either() {
    // The loop's two, the listening socket, and none in reserve.
    leave(3);
    let mut server = echo();
    set_limit(ENOUGH);
    let mut client = Client::connect(server.address);
    client.ask();
    leave(0);
    let more = Arc::new(AtomicBool::new(false));
    let thread = {
        let more = Arc::clone(&more);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            set_limit(ENOUGH);
            more.store(true, Ordering::Release);
        })
    };
    let mut turns = 0;
    while !is_answered(&client) {
        server.turn(20_000);
        turns += 1;
        assert!(turns < MOST_TURNS, "the server spins");
    }
    assert!(
        more.load(Ordering::Acquire),
        "it was served without a descriptor"
    );
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    thread.join().unwrap();
}

#[test]
fn tr12_without_descriptors_the_server_neither_spins_nor_stops() {
    set_limit(ENOUGH);
    too_many_clients();
    no_spare_either();
}
