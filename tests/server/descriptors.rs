//! Descriptors, signals and resets: each test in a process of its own where it
//! changes what all tests share.
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::fs::{File, read_dir};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::process::Command;

use crate::handle::{Handle, LONG_MS};
use crate::support::{BINARY, Client, Server, TEXT, closed, masked, opened};
use wsembed::config::{
    Serving, WEBSOCKET_BACKLOG, WEBSOCKET_KEEPALIVE_SECONDS, WEBSOCKET_STOP_TIMEOUT_MS,
    WEBSOCKET_THREADS,
};
use wsembed::ffi::event::WEBSOCKET_TEXT;
use wsembed::net::sys::listen;
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;

/// Runs the test of this name again, in a process where it is the only one;
/// whether this is that process.
fn alone(name: &str) -> bool {
    const WHO: &str = "WSEMBED_TEST_ALONE";
    if std::env::var_os(WHO).is_some() {
        return true;
    }
    let test = format!("descriptors::{name}");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--test-threads=1", "--nocapture"])
        .env(WHO, name)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}{failed}", output.status);
    assert!(said.contains("1 passed"), "{said}");
    false
}

/// This process's descriptors, but for the one that lists them.
fn descriptors() -> BTreeSet<RawFd> {
    let names = read_dir("/proc/self/fd").unwrap();
    let all: Vec<RawFd> = names
        .map(|name| name.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    // SAFETY: takes integers.
    let open = |fd: &RawFd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0;
    all.into_iter().filter(open).collect()
}

fn threads() -> usize {
    read_dir("/proc/self/task").unwrap().count()
}

/// Allows descriptors below this number.
fn allow(number: u64) {
    let limit = libc::rlimit {
        rlim_cur: number as libc::rlim_t,
        rlim_max: 4096,
    };
    // SAFETY: a live struct.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(set, 0);
}

/// Has the kernel reset a connection when its socket is closed.
fn reset(socket: TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let size = size_of::<libc::linger>() as libc::socklen_t;
    // SAFETY: a live struct of the size that is given.
    let status = unsafe {
        let at = (&raw const linger).cast();
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            at,
            size,
        )
    };
    assert_eq!(status, 0);
}

/// An option of a socket that is a number.
fn option(fd: RawFd, level: i32, name: i32) -> i32 {
    let mut value = -1;
    let mut size = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes.
    let status =
        unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut size) };
    assert_eq!(status, 0);
    value
}

/// The server's end of a client's connection, in this process.
fn server_end(client: &Client) -> RawFd {
    let far = listen::Address::Internet(client.socket.local_addr().unwrap());
    let is_it = |fd: &RawFd| listen::peer_address(*fd) == Ok(Some(far.clone()));
    descriptors().into_iter().find(is_it).unwrap()
}

/// There and back, while the test turns the server.
fn echo(server: &Handle, address: SocketAddr) -> Client {
    let mut client = Client::connect(address);
    client.ask();
    client.send(TEXT, b"there");
    let mut told = 0;
    server.until(|| {
        told += server.told().len();
        told >= 3
    });
    client.head();
    assert_eq!(client.frame(), (TEXT, b"there".to_vec()));
    client
}

#[test]
fn tr18_every_descriptor_is_closed_on_exec() {
    if !alone("tr18_every_descriptor_is_closed_on_exec") {
        return;
    }
    let before = descriptors();
    let server = Handle::echo(&[]);
    let client = echo(&server, server.listen_here());
    server.poll_fd().unwrap();
    // What the program brings is made so.
    let near = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let far = Client::connect(near.local_addr().unwrap());
    for fd in [near.accept().unwrap().0.into_raw_fd(), near.into_raw_fd()] {
        // SAFETY: takes integers.
        assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }, 0);
        if listen::is_listening(fd) {
            server.listen_fd(fd).unwrap();
        } else {
            server.adopt(fd, b"").unwrap();
        }
    }
    server.step(0).unwrap();
    let ours: Vec<_> = descriptors().difference(&before).copied().collect();
    assert!(ours.len() > 8, "{ours:?}");
    for fd in ours {
        // SAFETY: takes integers.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
        assert_eq!(flags, libc::FD_CLOEXEC, "{fd}");
    }
    drop((client, far));
    server.free().unwrap();
    assert_eq!(descriptors(), before);
}

#[test]
fn tr17_a_child_that_ends_takes_nothing_with_it() {
    if !alone("tr17_a_child_that_ends_takes_nothing_with_it") {
        return;
    }
    let path = std::env::temp_dir().join(format!("wsembed-{}-fork", std::process::id()));
    let server = Handle::echo(&[]);
    let address = server.listen_here();
    server
        .listen(&format!("unix:{}", path.display()), 0)
        .unwrap();
    let mut client = echo(&server, address);
    // SAFETY: the child calls what is safe after a fork, and is gone.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the child.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: NULL is fine.
    let ended = unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    assert_eq!(ended, child);
    client.send(TEXT, b"still there?");
    server.step(LONG_MS).unwrap();
    assert_eq!(client.frame(), (TEXT, b"still there?".to_vec()));
    drop(echo(&server, address));
    assert!(path.exists());
    server.free().unwrap();
    assert!(!path.exists());
}

#[test]
fn tr19_a_descriptor_may_be_number_0() {
    if !alone("tr19_a_descriptor_may_be_number_0") {
        return;
    }
    // SAFETY: standard input is nobody's in here.
    drop(unsafe { OwnedFd::from_raw_fd(0) });
    let server = Handle::echo(&[]);
    // Now the poller's, now a listener's, now a peer's.
    for turn in 0..3 {
        let server = if turn == 0 {
            &server
        } else {
            &Handle::echo(&[])
        };
        assert!(descriptors().contains(&0));
        if turn == 2 {
            // SAFETY: what the first server has it keeps by its own number.
            let moved = unsafe { libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3) };
            assert!(moved > 0);
        }
        drop(echo(server, server.listen_here()));
    }
    server.free().unwrap();
    assert!(!descriptors().contains(&0));
    // A listener, then a peer.
    let server = Handle::echo(&[]);
    assert!(descriptors().contains(&0));
    drop(echo(&server, server.listen_here()));
}

#[test]
fn tr20_descriptors_may_be_as_high_as_the_limit_allows() {
    if !alone("tr20_descriptors_may_be_as_high_as_the_limit_allows") {
        return;
    }
    allow(4096);
    let below: Vec<_> = (0..1100)
        .map(|_| File::open("/dev/null").unwrap())
        .collect();
    let server = Handle::echo(&[]);
    let client = echo(&server, server.listen_here());
    assert!(server_end(&client) > 1024);
    drop(below);
}

#[test]
fn tr12_without_descriptors_it_refuses_rests_and_recovers() {
    if !alone("tr12_without_descriptors_it_refuses_rests_and_recovers") {
        return;
    }
    let server = Handle::echo(&[]);
    let address = server.listen_here();
    server.step(0).unwrap();
    let mut clients: Vec<_> = (0..8).map(|_| Client::connect(address)).collect();
    // No gaps: two numbers are left.
    let highest = *descriptors().last().unwrap();
    let files = || File::open("/dev/null").unwrap();
    let _gaps: Vec<_> = std::iter::repeat_with(files)
        .take_while(|file| file.as_raw_fd() < highest)
        .collect();
    allow(highest as u64 + 3);
    server.until(|| server.statistics().refused >= 2);
    let counted = server.statistics();
    assert_eq!((counted.peers, counted.accepted), (2, 2 + counted.refused));
    // No turn refuses more than one: it rests in between, and does not spin.
    server.step(0).unwrap();
    assert!(server.statistics().refused <= counted.refused + 1);
    allow(4096);
    server.until(|| server.statistics().accepted == 8);
    let refused = server.statistics().refused as usize;
    assert_eq!(server.statistics().peers, 8 - refused);
    // Whoever came is served, or was told so.
    let mut heads = Vec::new();
    for client in &mut clients {
        let _ = std::io::Write::write_all(&mut client.socket, crate::support::REQUEST);
    }
    server.until(|| server.statistics().handshakes == 0);
    for mut client in clients {
        heads.push(client.head());
    }
    let told = heads
        .iter()
        .filter(|head| head.starts_with("HTTP/1.1 503 "))
        .count();
    let open = heads
        .iter()
        .filter(|head| head.starts_with("HTTP/1.1 101 "))
        .count();
    assert_eq!((told, open), (refused, 8 - refused));
}

#[test]
fn tr07_no_signal_comes_of_a_peer_that_is_gone() {
    if !alone("tr07_no_signal_comes_of_a_peer_that_is_gone") {
        return;
    }
    // Rust programs ignore it, C programs are ended by it.
    // SAFETY: the default action is what a C program begins with.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let mut server = Server::echo(Settings::default(), Serving::default());
    for length in [10, 20_000, 300_000] {
        let (client, peer) = server.client();
        reset(client.socket);
        // The kernel says of the first send that it is reset, of the next that
        // it is broken.
        for _ in 0..3 {
            let _ = server.here().send(peer, Kind::Binary, &vec![0; length]);
        }
        assert_eq!(server.expect(closed), (peer, 1006));
    }
}

#[test]
fn tr06_tr08_tr16_a_reset_is_told_once_whatever_was_going_on() {
    let settings = Settings {
        send_queue: 200_000,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, Serving::default());
    for what in ["idle", "unread", "paused", "half a message", "closing"] {
        let (mut client, peer) = server.client();
        match what {
            "unread" => client.send(TEXT, b"never seen, perhaps"),
            "half a message" => client.write(&masked(BINARY, &[1; 1000])[..500]),
            "closing" => server.shared.close(peer, Some(1000), "").unwrap(),
            "paused" => {
                // Nothing is read of it any more, nor can anything be sent:
                // the poller still says that it is broken.
                while server.here().send(peer, Kind::Binary, &[0; 10_000]) == Ok(()) {
                    server.turn(0);
                }
            }
            _ => {}
        }
        server.turn(0);
        reset(client.socket);
        let (who, code) = server.expect(closed);
        assert_eq!(who, peer, "{what}");
        assert_eq!(code, 1006, "{what}");
        for _ in 0..3 {
            server.turn(0);
        }
        assert_eq!(server.told().iter().filter_map(closed).count(), 0, "{what}");
        assert!(server.shared.counts(peer).is_err());
    }
}

#[test]
fn tr11_tr28_sockets_are_set_as_the_options_say() {
    for (seconds, on) in [(0, 0), (30, 1)] {
        let server = Handle::echo(&[(WEBSOCKET_KEEPALIVE_SECONDS, seconds)]);
        let client = echo(&server, server.listen_here());
        let fd = server_end(&client);
        assert_eq!(option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY), 1);
        assert_eq!(option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE), on);
        if on == 1 {
            assert_eq!(option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE), 30);
            assert_eq!(option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL), 10);
            assert_eq!(option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT), 3);
        }
        // SAFETY: takes integers.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
        assert_ne!(flags & libc::O_NONBLOCK, 0);
    }
}

/// How many connections may wait at a listening socket.
fn backlog(fd: RawFd) -> u32 {
    // tcp_info begins with eight bytes and has words from there on: of a
    // listener the sixth is how many wait, the seventh how many may.
    let mut facts = [0_u32; 8];
    let mut size = size_of_val(&facts) as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes into the array.
    let status = unsafe {
        let at = facts.as_mut_ptr().cast();
        libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, at, &raw mut size)
    };
    assert_eq!(status, 0);
    facts[7]
}

#[test]
fn as_many_connections_may_wait_as_the_option_says() {
    let server = Handle::echo(&[(WEBSOCKET_BACKLOG, 7)]);
    let own = Ok(Some(listen::Address::Internet(server.listen_here())));
    let is_it = |fd: &RawFd| listen::is_listening(*fd) && listen::own_address(*fd) == own;
    let listener = descriptors().into_iter().find(is_it).unwrap();
    assert_eq!(backlog(listener), 7);
}

#[test]
fn lm12_descriptors_and_threads_end_where_they_began() {
    if !alone("lm12_descriptors_and_threads_end_where_they_began") {
        return;
    }
    let before = (descriptors(), threads());
    for round in 0..6 {
        let server = Handle::echo(&[(WEBSOCKET_THREADS, 3), (WEBSOCKET_STOP_TIMEOUT_MS, 50)]);
        let address = server.listen_here();
        server.start().unwrap();
        let mut clients: Vec<_> = (0..20).map(|_| Client::open(address)).collect();
        // Some have things waiting for them, some are only half there.
        for _ in 0..20 {
            let peer = server.expect(opened);
            let _ = server.send(peer, WEBSOCKET_TEXT, &vec![b'x'; 1 << 20]);
        }
        clients.extend((0..5).map(|_| Client::connect(address)));
        match round % 3 {
            0 => server.stop().unwrap(),
            1 => server.free().unwrap(),
            _ => drop(clients),
        }
        drop(server);
    }
    // A thread says that it has ended a moment before the kernel does.
    while threads() > before.1 {
        std::thread::yield_now();
    }
    assert_eq!(descriptors(), before.0);
}
