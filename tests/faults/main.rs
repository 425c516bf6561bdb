//! The drop-in's functions while system calls fail: each kind of failure at
//! the k-th call, for every k. Run by scripts/check-faults; without the seam
//! (`--cfg wsembed_faults`) there is nothing here.
//!
//! After what passes (EINTR, EAGAIN, short counts) a program that simply calls
//! again must get what it would have got; what does not pass ends the call
//! with its errno, and the stream stays whole or ends.
#![cfg(wsembed_faults)]

mod link;
mod random;
mod receive;
mod send;
mod server;
mod support;
mod world;
