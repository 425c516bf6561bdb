//! The kernel gives no random bytes, or few of them: no weak key ever.
#![allow(unsafe_code)]

use std::collections::HashSet;
use std::os::fd::AsRawFd;
use std::thread;

use wsembed::ffi::legacy::utility::webSocket_getRandomString;
use wsembed::ffi::legacy::webSocket_buildShakeKey;
use wsembed::legacy::link::{self, GENERATION_1};
use wsembed::net::sys::Errno;
use wsembed::net::sys::faults::Plan;

use super::support::*;

/// Runs `body` on a thread of its own, whose pool of random bytes is new.
fn afresh(plan: &mut Plan, body: impl FnOnce(&mut Plan) + Send) {
    thread::scope(|scope| {
        if let Err(panic) = scope.spawn(|| body(plan)).join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn hc24_without_randomness_nothing_is_masked_or_sent() {
    each(
        "send (masked)",
        &[
            "getrandom:enosys:1+",
            "getrandom:eagain:1+",
            "getrandom:eio:1+",
        ],
        |plan| {
            afresh(plan, |plan| {
                let (own, peer) = pair();
                for size in [0, 5, 3000] {
                    let sent = plan.run(|| send(own.as_raw_fd(), &vec![1; size], true, TEXT));
                    assert_eq!(sent, Err(libc::EIO));
                }
                assert!(is_quiet(&peer));
                // What needs no key goes on.
                assert_eq!(
                    plan.run(|| send(own.as_raw_fd(), b"ok", false, TEXT)),
                    Ok(4)
                );
                // Nor is there a key for a handshake.
                let linked = plan.run(|| link::connect("127.0.0.1", 9, "/", GENERATION_1));
                assert_eq!(linked, Err(Errno(libc::EIO)));
                let mut key = [0x5A_u8; 25];
                // SAFETY: 25 bytes, as the function writes at most.
                let length = plan.run(|| unsafe { webSocket_buildShakeKey(key.as_mut_ptr()) });
                assert!(length <= 0, "a key of length {length}");
                let mut text = [0x5A_u8; 32];
                // SAFETY: 32 bytes.
                plan.run(|| unsafe { webSocket_getRandomString(text.as_mut_ptr(), 32) });
                assert_eq!(text, [0; 32]);
            });
        },
    );
}

/// The keys of a thousand masked frames.
fn keys(plan: &mut Plan) {
    let (own, mut peer) = pair();
    let mut sent = 0;
    for _ in 0..3000 {
        match plan.run(|| send(own.as_raw_fd(), b"", true, TEXT)) {
            Ok(_) => sent += 1,
            Err(errno) => assert_eq!(errno, libc::EIO),
        }
    }
    drop(own);
    let stream = rest_of(&mut peer);
    let found: HashSet<_> = stream.chunks(6).map(|frame| frame[2..].to_vec()).collect();
    assert_eq!(stream.len(), sent * 6);
    // 3000 random keys of 32 bits: one pair in a thousand runs.
    assert!(
        found.len() + 2 >= sent,
        "{} keys for {sent} frames",
        found.len()
    );
    assert!(sent >= 2990);
}

#[test]
fn hc23_hc24_keys_stay_random_whatever_fails_in_between() {
    let rules = [
        "getrandom:eintr:{k}",
        "getrandom:short:{k}",
        "getrandom:byte:{k}",
        "getrandom:eio:{k}",
        "mmap:enomem:{k}",
        "madvise:einval:{k}",
    ];
    every_k("send (keys)", &rules, |plan| afresh(plan, keys));
    each(
        "send (keys)",
        &["getrandom:byte:1+", "madvise:einval:1+,getrandom:short:1+"],
        |plan| {
            afresh(plan, keys);
        },
    );
}
