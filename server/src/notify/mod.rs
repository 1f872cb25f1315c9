//! Telling people something outside of the pages.

pub mod letter;
pub mod mail;
