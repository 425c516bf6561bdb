//! Sockets, the C functions, and plans for every k.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use wsembed::ffi::legacy;
use wsembed::net::sys::faults::{Plan, Tally};
use wsembed::net::sys::{errno, set_errno};
use wsembed::proto::frame::{self, Decoded};
use wsembed::proto::mask;

pub const NULL: c_int = 0;
pub const ERROR: c_int = -1;
pub const MIDDLE: c_int = -20;
pub const TEXT: c_int = -19;
pub const BINARY: c_int = -18;
pub const CLOSE: c_int = -17;
pub const PING: c_int = -16;
pub const PONG: c_int = -15;

/// What passes: to call again is all that a program has to do.
pub const PASSING: &[&str] = &[
    "any:eintr:{k}",
    "any:eagain:{k}",
    "any:short:{k}",
    "any:byte:{k}",
    "any:eintr:{k},any:eagain:{l}",
    "any:byte:{k},any:eagain:{l}",
    "any:byte:{k},any:eintr:{l}",
];

/// All the time, or nearly. Not every second or third call: what waits, looks
/// and then takes would fail at the same place for ever.
pub const OFTEN: &[&str] = &[
    "any:short:1+",
    "any:byte:1+",
    "any:eintr:%5",
    "any:eagain:%7",
    "any:eintr:%7,any:eagain:%5,any:byte:1+",
];

/// Two connected TCP sockets, of which the first is the library's.
pub fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (own, _) = listener.accept().unwrap();
    peer.set_nodelay(true).unwrap();
    own.set_nodelay(true).unwrap();
    let limit = Some(Duration::from_secs(60));
    peer.set_read_timeout(limit).unwrap();
    own.set_read_timeout(limit).unwrap();
    (own, peer)
}

/// Whether nothing can be read now, not even an end.
pub fn is_quiet(stream: &TcpStream) -> bool {
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    let mut byte = 0_u8;
    // SAFETY: one byte, alive.
    let got = unsafe { libc::recv(stream.as_raw_fd(), (&raw mut byte).cast(), 1, flags) };
    got < 0 && errno() == libc::EAGAIN
}

/// Waits for `events`, or for an error.
pub fn wait(fd: RawFd, events: i16) {
    let mut entry = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one entry, alive.
    let ready = unsafe { libc::poll(&raw mut entry, 1, 60_000) };
    assert_eq!(ready, 1, "nothing came for a minute");
}

/// What a call of `webSocket_recv` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub result: c_int,
    pub kind: c_int,
    /// 0 where the result is above 0.
    pub errno: c_int,
    pub data: Vec<u8>,
}

pub fn recv(fd: RawFd, room: usize) -> Said {
    let mut data = vec![0x5A_u8; room];
    let mut kind = 77;
    set_errno(4242);
    let size = c_int::try_from(room).unwrap();
    // SAFETY: `room` bytes and an integer, alive.
    let result =
        unsafe { legacy::webSocket_recv(fd, data.as_mut_ptr().cast(), size, &raw mut kind) };
    let errno = if result > 0 { 0 } else { errno() };
    data.truncate(result.unsigned_abs() as usize);
    Said {
        result,
        kind,
        errno,
        data,
    }
}

/// `webSocket_send`; errno where it fails.
pub fn send(fd: RawFd, payload: &[u8], masked: bool, kind: c_int) -> Result<usize, c_int> {
    let length = c_int::try_from(payload.len()).unwrap();
    let data = payload.as_ptr().cast_mut().cast();
    set_errno(4242);
    // SAFETY: the function only reads the live slice.
    let sent = unsafe { legacy::webSocket_send(fd, data, length, u8::from(masked), kind) };
    usize::try_from(sent).map_err(|_| errno())
}

/// `webSocket_serverLinkToClient`; errno where it fails.
pub fn accept(fd: RawFd, request: &[u8]) -> Result<usize, c_int> {
    let length = c_int::try_from(request.len()).unwrap();
    let data = request.as_ptr().cast_mut().cast();
    set_errno(4242);
    // SAFETY: the function only reads the live slice.
    let sent = unsafe { legacy::webSocket_serverLinkToClient(fd, data, length) };
    usize::try_from(sent).map_err(|_| errno())
}

/// `webSocket_pendingLen`; errno where it fails.
pub fn pending(fd: RawFd) -> Result<usize, c_int> {
    usize::try_from(legacy::webSocket_pendingLen(fd)).map_err(|_| errno())
}

/// A frame as a peer sends it.
pub fn framed(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let key = masked.then_some([0x11, 0x22, 0x33, 0x44]);
    let (header, size) = frame::encode(first, key, payload.len() as u64);
    let mut bytes = header[..size].to_vec();
    mask::append(&mut bytes, payload, key.unwrap_or_default(), 0);
    bytes
}

/// A frame: first byte, whether masked, payload.
pub type Frame = (u8, bool, Vec<u8>);

/// The whole frames of a stream. What is left over must be the start of one
/// more.
pub fn frames(mut stream: &[u8]) -> Vec<Frame> {
    let mut found = Vec::new();
    while let Decoded::Header(header) = frame::decode(stream) {
        frame::judge(header.first, 0, 0).expect("the stream has lost its frames");
        let size = usize::from(header.size);
        let length = usize::try_from(header.length).unwrap();
        let Some(payload) = stream.get(size..size + length) else {
            break;
        };
        let mut payload = payload.to_vec();
        mask::apply(&mut payload, header.mask.unwrap_or_default(), 0);
        found.push((header.first, header.mask.is_some(), payload));
        stream = &stream[size + length..];
    }
    found
}

/// All that a peer still gets, up to the end or a reset.
pub fn rest_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.raw_os_error() != Some(libc::ECONNRESET) => panic!("{error}"),
        _ => bytes,
    }
}

/// Writes, as far as the other side still listens.
pub fn put(stream: &mut TcpStream, bytes: &[u8]) {
    if let Err(error) = stream.write_all(bytes) {
        let gone = [libc::EPIPE, libc::ECONNRESET].map(Some);
        assert!(gone.contains(&error.raw_os_error()), "{error}");
    }
}

/// Open descriptors of the process.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// All descriptors have been closed again; a raw peer on a thread of its own
/// may take a moment.
fn await_descriptors(before: usize, name: &str, plan: &str) {
    for _ in 0..20_000 {
        if descriptors() <= before {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{name}, {plan}: descriptors are left");
}

/// Runs `scenario` under each rule for k = 1, 2, ... until a run makes fewer
/// than k such calls. Says so in one line for each rule, which the script
/// collects; a rule that never hits is a test that could not fail.
pub fn every_k(name: &str, rules: &[&str], mut scenario: impl FnMut(&mut Plan)) {
    for rule in rules {
        let before = descriptors();
        let mut k = 1;
        loop {
            let text = rule
                .replace("{k}", &k.to_string())
                .replace("{l}", &(k + 1).to_string());
            let Tally { hits, .. } = under(&text, &mut scenario);
            if hits == 0 {
                break;
            }
            k += 1;
            assert!(k < 20_000, "{name}, {rule}: a run without end");
        }
        assert!(k > 1, "{name}, {rule}: never hit");
        await_descriptors(before, name, rule);
        println!("\nseam: {name}: {rule}: k = 1 to {}", k - 1);
    }
}

/// Runs `scenario` once under each plan.
pub fn each(name: &str, plans: &[&str], mut scenario: impl FnMut(&mut Plan)) {
    for text in plans {
        let before = descriptors();
        let Tally { hits, .. } = under(text, &mut scenario);
        assert!(hits > 0, "{name}, {text}: never hit");
        await_descriptors(before, name, text);
        println!("\nseam: {name}: {text}: {hits} hits");
    }
}

fn under(text: &str, scenario: &mut impl FnMut(&mut Plan)) -> Tally {
    struct Name<'n>(&'n str);
    impl Drop for Name<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("under the plan {}", self.0);
            }
        }
    }
    let name = Name(text);
    let mut plan = Plan::new(text).unwrap();
    scenario(&mut plan);
    drop(name);
    plan.tallies()[0]
}

/// The number of `old` stands for the socket `new` from now on.
pub fn reuse(old: &TcpStream, new: &TcpStream) {
    // SAFETY: takes no pointer; both numbers are open.
    let number = unsafe { libc::dup2(new.as_raw_fd(), old.as_raw_fd()) };
    assert_eq!(number, old.as_raw_fd());
}
