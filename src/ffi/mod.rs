//! The C ABI: convert, call, convert back; no logic. One file per C noun.
#![allow(non_camel_case_types, non_snake_case)]

pub(crate) mod boundary;
pub mod config;
pub mod conn;
mod convert;
pub mod event;
pub mod failure;
mod handle;
pub mod legacy;
pub mod log;
pub mod parser;
pub mod problem;
pub mod result;
pub mod version;
