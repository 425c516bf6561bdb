//! The drop-in's receive over a socketpair, where the sizes of the buffers
//! matter.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use wsembed::legacy::kind::Kind;
use wsembed::legacy::receive::{Received, receive};

fn pair() -> (UnixStream, UnixStream) {
    let (own, peer) = UnixStream::pair().unwrap();
    own.set_nonblocking(true).unwrap();
    (own, peer)
}

const EMPTY: Received = Received {
    result: 0,
    kind: Kind::Null,
    errno: libc::EAGAIN,
};

/// Bytes that are no frame, sent in two pieces; then buffers of these sizes.
fn noise_in(bytes: &[u8], cut: usize, sizes: &[usize]) -> Vec<u8> {
    let (own, mut peer) = pair();
    peer.write_all(&bytes[..cut]).unwrap();
    let mut data = [0; 64];
    assert_eq!(receive(own.as_raw_fd(), &mut data, true), EMPTY);
    peer.write_all(&bytes[cut..]).unwrap();
    let mut out = Vec::new();
    for size in sizes.iter().chain([&64; 3]) {
        let received = receive(own.as_raw_fd(), &mut data[..*size], true);
        if received.result < 0 {
            assert_eq!((received.kind, received.errno), (Kind::Error, libc::EPROTO));
            out.extend_from_slice(&data[..received.result.unsigned_abs() as usize]);
        } else if *size == 1 {
            assert_eq!(
                (received.kind, received.errno),
                (Kind::Error, libc::EMSGSIZE)
            );
        }
    }
    assert_eq!(receive(own.as_raw_fd(), &mut data, true), EMPTY);
    out
}

/// A length with the top bit set at the start of a connection: only the
/// fourteenth byte shows that it is no frame, and by then all are kept.
const TOP_BIT: &[u8] = b"\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x02\x03\x04";

#[test]
fn fr14_noise_that_had_no_room_comes_with_the_next_buffer() {
    assert_eq!(noise_in(TOP_BIT, 4, &[1]), TOP_BIT);
    assert_eq!(noise_in(TOP_BIT, 4, &[1, 1, 2, 1, 3]), TOP_BIT);
}

#[test]
fn fr14_what_is_left_of_noise_is_not_kept_back_for_want_of_more() {
    for size in 2..16 {
        assert_eq!(noise_in(TOP_BIT, 4, &[size; 14]), TOP_BIT, "{size}");
    }
}

#[test]
fn fr14_what_is_left_of_noise_is_not_taken_for_frames() {
    let like_frames = b"\x02\xFF\xFB\x04\x00\x02\x01\x00\x00\x60\x81\x00\x81\x00";
    for size in 2..16 {
        assert_eq!(noise_in(like_frames, 4, &[size; 14]), like_frames, "{size}");
    }
}

#[test]
fn fr14_noise_that_is_kept_does_not_wait_for_more() {
    let (own, mut peer) = pair();
    let mut data = [0; 64];
    peer.write_all(&TOP_BIT[..4]).unwrap();
    assert_eq!(receive(own.as_raw_fd(), &mut data, true), EMPTY);
    peer.write_all(&TOP_BIT[4..]).unwrap();
    let first = receive(own.as_raw_fd(), &mut data[..4], true);
    assert_eq!((first.result, first.errno), (-3, libc::EPROTO));
    // If it waits, it waits for this long and the test fails.
    own.set_nonblocking(false).unwrap();
    own.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let waits = std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let fd = own.as_raw_fd();
        scope.spawn(move || {
            let mut data = [0; 64];
            let _ = tell.send(receive(fd, &mut data, true).result);
        });
        let told = told.recv_timeout(Duration::from_secs(20));
        drop(peer);
        told
    });
    assert_eq!(waits, Ok(-11));
}
