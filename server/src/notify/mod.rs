//! Telling people something outside of the pages.

pub mod billing;
pub mod letter;
pub mod mail;
pub mod message;
pub mod unsubscribe;
