//! The protocol, tested with bytes and a fake clock. One file mirrors one file
//! (or folder) of `src/proto`.

mod close;
mod control;
mod cuts;
mod frame;
mod lenient;
mod lenient_opening;
mod message;
mod opening;
mod output;
mod pages;
mod parser;
mod room;
mod support;
mod timers;
mod utf8;
