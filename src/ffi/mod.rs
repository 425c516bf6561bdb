//! The C ABI: convert, call, convert back; no logic. One file per C noun.
#![allow(non_camel_case_types, non_snake_case)]

pub(crate) mod boundary;
pub mod config;
pub mod conn;
mod convert;
pub mod event;
pub mod failure;
mod handle;
mod layout;
pub mod legacy;
pub mod log;
pub mod parser;
pub mod problem;
pub mod result;
mod served;
pub mod server;
pub mod version;
pub mod ws_com;
pub mod ws_server;
