//! Interactions: what was done on somebody's behalf, and on whose.
//!
//! An event may say its interaction, user and tenant. Where it says an interaction only, or a wrong user, the interaction is mapped
//! ([`owner`]): what is mapped counts for all of its events, those that come later too, and the events keep what they said.

pub(crate) mod owner;

pub use owner::{Mapped, Mapping, Outcome};
