//! Import: rows of a file become events, by a mapping that is TOML.
//!
//! mapping (what a row means) ← csv, jsonl (how rows are read) ← rows (how a row is told from another) ← run (the whole).

pub mod csv;
pub mod jsonl;
pub mod mapping;
pub mod rejects;
pub mod rows;
pub mod run;
