//! The server's loops on real sockets: turned by the test itself, or behind
//! the C functions as a program has them.

mod basics;
mod behind;
mod deadlines;
mod descriptors;
mod embedding;
mod fairness;
mod floods;
mod handle;
mod handshake;
mod lenient;
mod life;
mod limits;
mod listening;
mod overflow;
mod pages;
mod rough;
mod support;
mod threads;
mod waiting;
