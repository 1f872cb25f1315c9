//! What usage must cost, computed another way than `ledger` does it, and histories to compare the two by.
//!
//! [`Oracle`] keeps plain sums of what was used and turns them into credits by the definition of each rule, in whole
//! numbers of any size ([`Big`]): no carry, no reduced fractions, no rounding but the one at the end. [`History`] makes
//! rate cards and events out of bytes, so that a fuzzer, a property and a test of the store choose from the same ones.
//! [`targets`] are the bodies of the fuzz targets.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "what is wrong here must end the test")]

mod big;
mod choices;
mod history;
mod rules;
pub mod targets;
mod voids;

pub use big::Big;
pub use choices::Choices;
pub use history::{ATTRIBUTE, History, KOLKATA_MINUTES, METERS, Reported, cycle_of};
pub use rules::{Oracle, Verdict, Voided};
