//! `webSocket_send`, masked and unmasked, on a server's and a client's fd.

use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::thread;

use wsembed::net::sys::faults::Plan;

use super::link::connected;
use super::support::*;

/// Frames to send: masked?, kind, first byte, payload.
fn messages() -> Vec<(bool, i32, u8, Vec<u8>)> {
    let large: Vec<u8> = (0..70_000_u32).map(|n| (n / 7) as u8).collect();
    vec![
        (false, TEXT, 0x81, b"small".to_vec()),
        (true, BINARY, 0x82, b"masked".to_vec()),
        (false, 100, 0x02, vec![1; 200]),
        (true, MIDDLE, 0x00, vec![2; 3000]),
        (true, 99, 0x80, Vec::new()),
        (false, PING, 0x89, b"ping".to_vec()),
        (false, BINARY, 0x82, large.clone()),
        (true, BINARY, 0x82, large),
        (false, CLOSE, 0x88, b"\x03\xE8".to_vec()),
        // Behind it, so that nothing of the close frame is kept.
        (false, PONG, 0x8A, Vec::new()),
    ]
}

/// Sends all, each until it is taken or fails for good; returns the errnos on
/// the way, and how many were taken.
fn send_all(plan: &mut Plan, fd: RawFd) -> (Vec<i32>, usize) {
    let mut errnos = Vec::new();
    for (taken, (masked, kind, _, payload)) in messages().iter().enumerate() {
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries < 100_000, "never taken: {:?}", errnos.last());
            match plan.run(|| send(fd, payload, *masked, *kind)) {
                Ok(sent) => {
                    assert!(sent > payload.len());
                    break;
                }
                Err(errno) => {
                    errnos.push(errno);
                    let passes = [libc::EAGAIN, libc::EINTR, libc::ENOMEM, libc::ENOBUFS];
                    if !passes.contains(&errno) {
                        return (errnos, taken);
                    }
                    wait(fd, libc::POLLOUT);
                }
            }
        }
    }
    // What was kept of the last one goes out with the next call.
    for _ in 0..4 {
        let said = plan.run(|| recv(fd, 64));
        assert!(said.result <= 0, "{said:?}");
    }
    (errnos, messages().len())
}

/// The whole of it on one connection: errnos, frames taken, frames arrived.
fn deliver(
    plan: &mut Plan,
    (own, mut peer): (TcpStream, TcpStream),
) -> (Vec<i32>, usize, Vec<Frame>) {
    let reader = thread::spawn(move || rest_of(&mut peer));
    let (errnos, taken) = send_all(plan, own.as_raw_fd());
    own.shutdown(Shutdown::Write).ok();
    let arrived = frames(&reader.join().unwrap());
    (errnos, taken, arrived)
}

/// On a server's fd, or a client's.
fn sockets(client: bool, blocking: bool) -> (TcpStream, TcpStream) {
    let pair = if client { connected() } else { pair() };
    pair.0.set_nonblocking(!blocking).unwrap();
    if blocking {
        // The calls of `recv` that flush what is kept would wait otherwise.
        let limit = std::time::Duration::from_millis(1);
        pair.0.set_read_timeout(Some(limit)).unwrap();
    }
    pair
}

fn wanted(client: bool) -> Vec<Frame> {
    let all = messages().into_iter();
    all.map(|(masked, _, first, payload)| (first, masked || client, payload))
        .collect()
}

const WAYS: [(&str, bool, bool); 3] = [
    ("send (server)", false, false),
    ("send (server, blocking)", false, true),
    ("send (client)", true, false),
];

/// A frame of which a part is out and the rest has to be kept.
const HALF_SENT: &[&str] = &[
    "sendmsg:byte:{k},sendmsg:eagain:{l},sendmsg:eagain:%2",
    "sendmsg:short:{k},sendmsg:eagain:{l},sendmsg:eagain:%3",
    "sendmsg:short:{k},sendmsg:eintr:{l}",
];

#[test]
fn tr02_tr04_tr05_frames_arrive_whole_and_in_order() {
    for (name, client, blocking) in WAYS {
        let want = wanted(client);
        let scenario = |plan: &mut Plan| {
            let (errnos, taken, arrived) = deliver(plan, sockets(client, blocking));
            assert_eq!(taken, want.len(), "{errnos:?}");
            assert!(arrived == want, "the stream differs");
        };
        every_k(name, PASSING, scenario);
        every_k(name, HALF_SENT, scenario);
        each(
            name,
            &[
                "any:short:1+",
                "sendmsg:eintr:%2",
                "sendmsg:eagain:%3",
                "any:short:1+,any:eagain:%5",
            ],
            scenario,
        );
    }
}

#[test]
fn tr06_a_reset_ends_the_sending_between_whole_frames() {
    for (name, client, blocking) in WAYS {
        let want = wanted(client);
        every_k(name, &["any:reset:{k}"], |plan| {
            let (errnos, taken, arrived) = deliver(plan, sockets(client, blocking));
            assert!(want.starts_with(&arrived), "the stream differs");
            // The last calls may be made before the reset is known.
            assert!(
                taken == want.len()
                    || matches!(
                        errnos.last(),
                        Some(&(libc::ECONNRESET | libc::EPIPE | libc::ENOTCONN))
                    ),
                "{errnos:?}"
            );
        });
    }
}

#[test]
fn tr14_a_kernel_in_need_cuts_no_frame() {
    const NEED: &[&str] = &[
        "sendmsg:enobufs:{k}",
        "sendmsg:enomem:{k}",
        "getsockopt:enomem:{k}",
        "sendmsg:byte:{k},sendmsg:enobufs:{l}",
        "sendmsg:byte:{k},getsockopt:enomem:1",
        "sendmsg:byte:{k},getsockopt:enomem:2",
        "sendmsg:byte:{k},getsockopt:enomem:3",
        "sendmsg:byte:{k},sendmsg:eagain:{l},getsockopt:enomem:{l}",
        "sendmsg:byte:{k},fcntl:ebadf:%2",
        "sendmsg:byte:{k},sendmsg:eagain:{l},poll:enomem:1+",
    ];
    // Half a frame, and then an error that no socket recovers from.
    const BROKEN: &[&str] = &[
        "sendmsg:byte:{k},sendmsg:eio:{l}",
        "sendmsg:byte:{k},sendmsg:eagain:{l},sendmsg:eperm:%3",
        "sendmsg:epipe:{k}",
    ];
    for (name, client, blocking) in WAYS {
        let want = wanted(client);
        let scenario = |plan: &mut Plan| {
            let (_, taken, arrived) = deliver(plan, sockets(client, blocking));
            assert!(want.starts_with(&arrived), "the stream differs");
            // What was not taken must not arrive, what arrives was taken.
            assert!(arrived.len() <= taken);
        };
        every_k(name, NEED, scenario);
        every_k(name, BROKEN, scenario);
    }
}
