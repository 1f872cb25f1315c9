//! One file per page.

pub mod analytics;
pub mod event;
pub mod grants;
pub mod ledger;
pub mod not_found;
pub mod overview;
pub mod people;
pub mod rate_card;
pub mod sign_in;
