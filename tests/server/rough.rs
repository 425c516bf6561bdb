//! What the kernel, other processes and long silences do to a server.

use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use crate::support::{CLOSE, Client, Server, Told, closed};
use wsembed::config::Serving;
use wsembed::net::sys;
use wsembed::proto::settings::Settings;

/// Turns until there is nothing more to do at once, which there has to be an
/// end of.
fn assert_rests(server: &mut Server) {
    let fd = server.here().poll_fd().unwrap();
    for _ in 0..100 {
        server.turn(0);
    }
    assert_eq!(sys::poll(fd, libc::POLLIN, 0), Ok(false), "it never rests");
}

#[test]
fn cl15_who_was_silent_for_longer_than_the_close_timeout_gets_a_close_frame() {
    let settings = || Settings {
        close_timeout: 1,
        ..Settings::default()
    };
    let mut server = Server::echo(settings(), Serving::default());
    let (mut client, peer) = server.client();
    std::thread::sleep(Duration::from_millis(50));
    server.shared.close(peer, Some(4000), "enough").unwrap();
    server.expect(closed);
    assert_eq!(client.frame(), (CLOSE, b"\x0f\xa0enough".to_vec()));
    // The same where the server stops.
    let mut server = Server::echo(settings(), Serving::default());
    let (mut client, _) = server.client();
    std::thread::sleep(Duration::from_millis(50));
    server.shared.stop();
    server.expect(closed);
    let (first, payload) = client.frame();
    assert_eq!((first, &payload[..2]), (CLOSE, &[3, 233][..]));
}

#[test]
fn tr17_a_socket_that_somebody_else_has_too_is_not_told_of_after_its_end() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Client::connect(elsewhere.local_addr().unwrap());
    let (accepted, _) = elsewhere.accept().unwrap();
    accepted.set_nonblocking(true).unwrap();
    // As a child has it that was forked meanwhile.
    let _copy = accepted.try_clone().unwrap();
    server.shared.adopt(OwnedFd::from(accepted), &[]).unwrap();
    client.ask();
    server.expect(|told| matches!(told, Told::Open(_)).then_some(()));
    drop(client);
    server.expect(closed);
    assert_rests(&mut server);
}

#[test]
fn tr27_a_listener_that_somebody_else_has_too_is_not_told_of_after_the_end() {
    let serving = Serving {
        stop_timeout: 3_600_000,
        ..Serving::default()
    };
    let settings = Settings {
        close_timeout: 3_600_000,
        ..Settings::default()
    };
    let mut server = Server::echo(settings, serving);
    let inherited = TcpListener::bind("127.0.0.1:0").unwrap();
    inherited.set_nonblocking(true).unwrap();
    let copy = OwnedFd::from(inherited.try_clone().unwrap());
    server.here().listen_on(copy, None).unwrap();
    // It does not answer the close frame, so that the end takes its time.
    let _silent = server.client();
    server.shared.stop();
    server.turn(0);
    let _late = Client::connect(inherited.local_addr().unwrap());
    assert_rests(&mut server);
    assert!(!server.here().is_over());
}

#[test]
fn tr13_tr16_a_listener_that_was_shut_down_does_not_spin() {
    let mut server = Server::echo(Settings::default(), Serving::default());
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let copy = OwnedFd::from(other.try_clone().unwrap());
    server.here().listen_on(copy, None).unwrap();
    sys::shutdown(other.as_raw_fd());
    assert_rests(&mut server);
    // The other listener is not touched by it.
    server.client();
}

#[test]
fn lm09_a_refused_client_can_read_why_though_its_request_was_not_read() {
    let serving = Serving {
        max_peers: 1,
        ..Serving::default()
    };
    let mut server = Server::echo(Settings::default(), serving);
    let _first = server.client();
    let mut second = Client::connect(server.address);
    second.ask();
    server.until(|server| {
        sys::poll(second.socket.as_raw_fd(), libc::POLLIN, 0) == Ok(true) || {
            server.turn(0);
            false
        }
    });
    assert!(second.head().starts_with("HTTP/1.1 503 "));
    // An end, not a reset that could take the answer away.
    assert!(second.at_end());
}
