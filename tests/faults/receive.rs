//! `webSocket_recv` and `webSocket_serverLinkToClient` on a server's fd.

use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;

use wsembed::legacy::receive::set_keep_max;
use wsembed::net::sys::faults::Plan;

use super::support::*;

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const KEEP_MAX: usize = 1000;

/// What the end of a connection, or a reset, is told as.
const END: Said = Said {
    result: 0,
    kind: NULL,
    errno: libc::ECONNRESET,
    data: Vec::new(),
};

/// A program that receives whenever there is something, one call at a time.
struct Program<'p> {
    plan: &'p mut Plan,
    own: TcpStream,
    peer: TcpStream,
    room: usize,
    /// What it was told, besides "nothing yet".
    told: Vec<Said>,
    /// The errnos of calls that failed and were simply made again.
    again: Vec<i32>,
    ended: bool,
}

impl Program<'_> {
    fn new(plan: &mut Plan, blocking: bool) -> Program<'_> {
        let (own, peer) = pair();
        own.set_nonblocking(!blocking).unwrap();
        Program {
            plan,
            own,
            peer,
            room: 400,
            told: Vec::new(),
            again: Vec::new(),
            ended: false,
        }
    }

    /// `bytes` arrive, and are received as far as they go.
    fn arrive(&mut self, bytes: &[u8]) {
        if self.ended {
            return;
        }
        put(&mut self.peer, bytes);
        wait(self.own.as_raw_fd(), libc::POLLIN);
        self.receive();
    }

    /// What waits for a call with more room, in bytes.
    fn pending(&mut self) -> usize {
        let fd = self.own.as_raw_fd();
        let mut tries = std::iter::repeat_with(|| self.plan.run(|| pending(fd))).take(9);
        tries
            .find_map(Result::ok)
            .expect("the question fails for ever")
    }

    fn receive(&mut self) {
        let fd = self.own.as_raw_fd();
        for _ in 0..5000 {
            if self.ended || is_quiet(&self.own) && self.pending() == 0 {
                return;
            }
            let said = self.plan.run(|| recv(fd, self.room));
            match (said.result, said.kind, said.errno) {
                (0, NULL, libc::EAGAIN) => {}
                (0, NULL, errno) if errno != libc::ECONNRESET => self.again.push(errno),
                // What is kept waits for a call with room for it; what is
                // not kept has been skipped.
                (0, ERROR, libc::EMSGSIZE) => {
                    let needed = self.pending();
                    if needed > 0 {
                        self.room = self.room.max(needed);
                    }
                    self.told.push(said);
                }
                (..=0, NULL | CLOSE, _) => {
                    self.ended = true;
                    self.told.push(said);
                }
                _ => self.told.push(said),
            }
        }
        panic!(
            "a call that says \"again\" for ever: {:?}",
            self.told.last()
        );
    }

    /// Answers the request that was told last.
    fn answer(&mut self) {
        let fd = self.own.as_raw_fd();
        let request = self.told.last().map(|said| said.data.clone());
        for _ in 0..5000 {
            if self.ended {
                return;
            }
            match self.plan.run(|| accept(fd, request.as_deref().unwrap())) {
                Ok(sent) => return assert!(sent > 100),
                Err(libc::ECONNRESET | libc::EPIPE | libc::ENOTCONN) => {
                    self.ended = true;
                    self.told.push(END);
                }
                Err(errno) => self.again.push(errno),
            }
        }
        panic!(
            "the request is refused for ever: {:?} {:?}",
            self.again.last(),
            self.told
        );
    }
}

/// A whole conversation: what the program was told, what its peer got, the
/// errnos after which it called again.
fn converse(plan: &mut Plan, blocking: bool) -> (Vec<Said>, Vec<u8>, Vec<i32>) {
    set_keep_max(KEEP_MAX);
    let mut program = Program::new(plan, blocking);
    // The number is that of a run before: now it is known to be a new socket.
    assert_eq!(program.pending(), 0);
    program.arrive(&REQUEST[..50]);
    program.arrive(&REQUEST[50..]);
    program.answer();
    program.arrive(&framed(0x81, true, b"hello"));
    // Cut in the header, after it, and in the payload.
    let cut = framed(0x02, true, &[7; 300]);
    for piece in [&cut[..1], &cut[1..8], &cut[8..100], &cut[100..]] {
        program.arrive(piece);
    }
    let cut = framed(0x89, true, b"one");
    program.arrive(&cut[..8]);
    program.arrive(&cut[8..]);
    // Glued: all kinds, empty ones too.
    let mut glued = framed(0x00, true, b"middle");
    glued.extend(framed(0x80, false, b""));
    glued.extend(framed(0x89, true, b"two"));
    glued.extend(framed(0x8A, true, b"pong"));
    glued.extend(framed(0x81, true, b""));
    program.arrive(&glued);
    // Too large for the room and kept; too large to be kept.
    program.arrive(&framed(0x82, true, &[8; 900]));
    program.room = 400;
    program.arrive(&framed(0x82, true, &[9; KEEP_MAX + 500]));
    let mut last = framed(0x89, true, b"three");
    last.extend(framed(0x81, true, b"end"));
    last.extend(framed(0x88, true, b"\x03\xE8bye"));
    program.arrive(&last);
    // One more call: an answer that had to wait goes with it.
    for _ in 0..4 {
        let fd = program.own.as_raw_fd();
        let said = program.plan.run(|| recv(fd, 64));
        assert!(said.result <= 0 && said.errno != 4242, "{said:?}");
    }
    program.own.shutdown(Shutdown::Write).ok();
    let got = rest_of(&mut program.peer);
    (program.told, got, program.again)
}

fn undisturbed() -> (Vec<Said>, Vec<u8>) {
    let (told, got, again) = converse(&mut Plan::default(), false);
    assert_eq!(again, [] as [i32; 0]);
    let kinds: Vec<_> = told.iter().map(|said| (said.result, said.kind)).collect();
    let want = [
        (-(REQUEST.len() as i32), ERROR),
        (5, TEXT),
        (300, 100),
        (3, PING),
        (6, MIDDLE),
        (0, 99),
        (3, PING),
        (4, PONG),
        (0, TEXT),
        (0, ERROR),
        (900, BINARY),
        (0, ERROR),
        (5, PING),
        (3, TEXT),
        (0, CLOSE),
    ];
    assert_eq!(kinds, want);
    (told, got)
}

/// The answers behind the 101.
fn answers(got: &[u8]) -> Vec<Frame> {
    let end = got.windows(4).position(|four| four == b"\r\n\r\n");
    frames(&got[end.map_or(got.len(), |end| end + 4)..])
}

#[test]
fn tr02_tr04_tr05_what_passes_changes_nothing_that_is_received() {
    let (told, got) = undisturbed();
    assert_eq!(answers(&got).len(), 4);
    for blocking in [false, true] {
        let name = if blocking {
            "recv, accept (blocking)"
        } else {
            "recv, accept"
        };
        every_k(name, PASSING, |plan| {
            let outcome = converse(plan, blocking);
            assert_eq!(outcome.0, told);
            assert_eq!(answers(&outcome.1), answers(&got));
            assert!(
                outcome
                    .2
                    .iter()
                    .all(|errno| *errno == libc::EINTR || *errno == libc::EAGAIN)
            );
        });
        each(name, OFTEN, |plan| {
            let outcome = converse(plan, blocking);
            assert_eq!(outcome.0, told);
            // Under a flood of failures the latest pong is answered, not all.
            let (all, some) = (answers(&got), answers(&outcome.1));
            assert!(some.iter().all(|answer| all.contains(answer)), "{some:?}");
            assert_eq!(some.last(), all.last());
        });
    }
}

#[test]
fn tr06_a_reset_before_any_call_ends_the_receiving() {
    let (told, got) = undisturbed();
    every_k("recv, accept", &["any:reset:{k}"], |plan| {
        let outcome = converse(plan, false);
        let (last, before) = outcome.0.split_last().unwrap();
        assert!(told.starts_with(before), "{before:?}");
        // The end, or the close frame that was still received.
        assert!(*last == END || last == told.last().unwrap(), "{last:?}");
        assert!(answers(&got).starts_with(&answers(&outcome.1)));
        assert_eq!(outcome.2, [] as [i32; 0]);
    });
}

/// Errnos that the kernel has for these calls in need: the call says so, and
/// nothing is lost.
const NEED: &[&str] = &[
    "recv:enomem:{k}",
    "recvmsg:enomem:{k}",
    "sendmsg:enobufs:{k}",
    "sendmsg:enomem:{k}",
    "getsockopt:enomem:{k}",
    "setsockopt:enomem:{k}",
];

#[test]
fn tr14_a_kernel_in_need_costs_no_byte() {
    let (told, got) = undisturbed();
    every_k("recv, accept", NEED, |plan| {
        let outcome = converse(plan, false);
        assert_eq!(outcome.0, told);
        assert_eq!(answers(&outcome.1), answers(&got));
        let known = [libc::ENOMEM, libc::ENOBUFS, libc::EAGAIN];
        assert!(
            outcome.2.iter().all(|errno| known.contains(errno)),
            "{:?}",
            outcome.2
        );
    });
    // A kernel that has no cookies, or says nothing of TCP.
    each("recv, accept", &["getsockopt:enoprotoopt:1+"], |plan| {
        let outcome = converse(plan, false);
        assert_eq!(outcome.0, told);
        assert_eq!(answers(&outcome.1), answers(&got));
    });
}

#[test]
fn noise_comes_out_whole_however_it_is_cut() {
    const NOISE: &[u8] = b"hello world";
    let scenario = |plan: &mut Plan| {
        let mut program = Program::new(plan, false);
        program.arrive(NOISE);
        let mut noise = Vec::new();
        for said in &program.told {
            assert_eq!((said.kind, said.errno), (ERROR, libc::EPROTO));
            noise.extend_from_slice(&said.data);
        }
        assert_eq!(noise, NOISE);
    };
    every_k("recv (noise)", PASSING, scenario);
    each(
        "recv (noise)",
        &["any:byte:1+", "any:byte:1+,any:eintr:%3"],
        scenario,
    );
}

#[test]
fn tr06_noise_and_violations_before_a_reset() {
    every_k("recv (noise)", &["any:reset:{k}"], |plan| {
        let mut program = Program::new(plan, false);
        program.arrive(b"hello world");
        program.receive();
        let last = program.told.last().unwrap();
        assert!(*last == END || last.data == b"hello world", "{last:?}");
    });
    // A violation stays one, whatever the kernel says.
    every_k("recv (violation)", PASSING, |plan| {
        let mut program = Program::new(plan, false);
        program.arrive(&framed(0x81, true, b"a"));
        put(&mut program.peer, b"\x83\x80\0\0\0\0");
        wait(program.own.as_raw_fd(), libc::POLLIN);
        let fd = program.own.as_raw_fd();
        let mut kinds = Vec::new();
        for _ in 0..20 {
            let said = program.plan.run(|| recv(fd, 64));
            let again = said.errno == libc::EAGAIN || said.errno == libc::EINTR;
            assert!(
                again || (said.kind, said.errno) == (ERROR, libc::EPROTO),
                "{said:?}"
            );
            kinds.push(again);
        }
        // Once it has been seen it is seen in every call.
        let violations = kinds.iter().skip_while(|again| **again);
        assert!(violations.clone().count() > 15, "{kinds:?}");
        assert!(violations.clone().all(|again| !again), "{kinds:?}");
    });
}

#[test]
fn a_reused_number_keeps_the_header_that_a_look_saw_only_in_part() {
    // What the old socket's record says changes what is made of the header:
    // its program has sent a close frame.
    let (old, mut old_peer) = pair();
    let fd = old.as_raw_fd();
    put(&mut old_peer, &framed(0x82, true, b"first"));
    wait(fd, libc::POLLIN);
    assert_eq!(recv(fd, 100).data, b"first");
    send(fd, &[0x03, 0xE8], false, CLOSE).unwrap();

    let (new, mut peer) = pair();
    reuse(&old, &new);
    put(&mut peer, &framed(0x88, true, &[0x03, 0xE9]));
    wait(fd, libc::POLLIN);
    // The first look sees one byte; the rest has come when it is taken.
    let mut plan = Plan::new("recv:byte:1").unwrap();
    let mut said = plan.run(|| recv(fd, 100));
    while said.errno == libc::EAGAIN {
        said = plan.run(|| recv(fd, 100));
    }
    assert_eq!(
        (said.result, said.kind, said.errno),
        (0, CLOSE, libc::ECONNRESET)
    );
    assert_eq!(plan.tallies()[0].hits, 1);
}
