//! The drop-in's receive over a socketpair, where the sizes of the buffers
//! matter.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

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
/// Nor does anything behind its first byte begin one.
const TOP_BIT: &[u8] = b"\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE\xFD\xFC";

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
