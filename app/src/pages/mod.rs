//! One file per page that is hydrated, and one for all that stand still.

pub mod analytics;
pub mod event;
pub mod ledger;
pub mod not_found;
pub mod overview;
pub mod rate_card;
pub mod still;
