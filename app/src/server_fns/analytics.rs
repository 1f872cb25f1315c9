//! The usage of a range, for the Analytics page to slice.

use super::Moment;
use crate::calendar::Day;
use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use crate::wire;
use ledger::Cube;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Days of the range where none is chosen, today included.
pub const DEFAULT_DAYS: i64 = 30;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analytics {
    /// First day shown.
    pub from: Day,
    /// Last day shown.
    pub to: Day,
    /// Today in the org's zone.
    pub today: Day,
    /// Hours where it is one day, days otherwise.
    #[serde(with = "wire")]
    pub cube: Cube,
    /// What charts and ledger differ by, over all time.
    pub difference: Markup,
    /// When all this was read.
    pub as_of: Moment,
}

/// The usage of the signed-in person's org from the first to the last day, or of the last [`DEFAULT_DAYS`] days.
///
/// # Errors
/// [`AppError::BadRange`] for more days than a cube has; otherwise what [`AppError`] says.
#[server(name = GetAnalytics, prefix = "/api/fn", endpoint = "analytics", input = Rows, output = Rows)]
pub async fn analytics(
    /// First and last day.
    range: Option<(Day, Day)>,
) -> Result<Analytics, AppError> {
    crate::backend::Backend::current().analytics(range).await
}
