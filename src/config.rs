//! The one option table.
