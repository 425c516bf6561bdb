//! The protocol, tested with bytes and a fake clock. One file mirrors one file
//! (or folder) of `src/proto`.

mod close;
mod control;
mod cuts;
mod frame;
mod message;
mod opening;
mod output;
mod parser;
mod support;
mod timers;
mod utf8;
