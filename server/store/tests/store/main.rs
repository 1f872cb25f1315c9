//! The store on a real file: one test program, a module for each concern.
#![allow(missing_docs, reason = "tests tell their rule in their name")]

mod backup;
mod common;
mod honest;
mod old_database;
mod safety;
mod splitting;
mod tampering;
mod usage;
