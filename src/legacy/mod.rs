//! The drop-in: the functions of the old C helper, as a thin face of the core.
#![forbid(unsafe_code)]
