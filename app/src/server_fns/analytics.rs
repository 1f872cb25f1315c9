//! The usage of a range, for the Analytics page to slice.

use super::Moment;
use crate::calendar::Day;
use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use crate::wire;
use ledger::Cube;
use ledger::reach::Reach;
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
    /// What was used.
    #[serde(with = "wire")]
    pub cube: Cube,
    /// What it is compared with.
    pub compared: Option<Compared>,
    /// What the rate cards of these days match, each by itself.
    pub reach: Vec<Vec<Reach>>,
    /// The last day with any usage, where there is none in these days.
    pub last: Option<Day>,
    /// What charts and ledger differ by, over all time.
    pub difference: Markup,
    /// When all this was read.
    pub as_of: Moment,
    /// Where the browser reached the server, for links to be copied.
    pub origin: String,
}

/// The usage of other days, with bars of the same width and in the same order: the first beside the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// What was used. Its lists are its own.
    #[serde(with = "wire")]
    pub cube: Cube,
}

/// The usage of the signed-in person's org that a view's question asks for ([`crate::view::View::question`]); of the last
/// [`DEFAULT_DAYS`] days where it names none.
///
/// # Errors
/// [`AppError::BadRange`] for more bars than a cube has; otherwise what [`AppError`] says.
#[server(name = GetAnalytics, prefix = "/api/fn", endpoint = "analytics", input = Rows, output = Rows)]
pub async fn analytics(
    /// The question.
    query: String,
) -> Result<Analytics, AppError> {
    crate::backend::Backend::current().analytics(&query).await
}
