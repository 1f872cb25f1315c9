//! One file per page.

pub mod analytics;
pub mod door;
pub mod event;
pub mod grants;
pub mod ledger;
pub mod not_found;
pub mod overview;
pub mod rate_card;
pub mod settings;

/// Pages that stand still: the server renders them, the browser leaves them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Still {
    /// Grants.
    Grants,
    /// All pages of settings.
    Settings,
    /// The pages through which people come in.
    Doors,
}
