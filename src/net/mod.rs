//! The kernel.

pub mod connect;
pub mod dns;
pub mod random;
#[allow(unsafe_code)]
pub mod sys;
