//! The kernel.

pub mod connect;
pub mod deadlines;
pub mod dns;
pub mod local;
pub mod poller;
pub mod queue;
pub mod random;
#[allow(unsafe_code)]
pub mod sys;
pub mod table;
