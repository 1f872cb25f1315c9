//! Parts of the Analytics page that the server writes, each asked for when it is wanted: all of them are markup that stands
//! still, so they share one question and one answer.

use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use leptos::prelude::*;

/// The list of saved views.
pub const VIEWS: &str = "views";
/// The values of the facet that `filter=` names.
pub const FACET: &str = "facet";
/// Why the figures differ from those they are compared with.
pub const WHY: &str = "why";

/// A part of the page, for its query string; nothing to see where that does not ask for it.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetPart, prefix = "/api/fn", endpoint = "analytics-part", input = Rows, output = Rows)]
pub async fn part(
    /// Which.
    part: String,
    /// The query string; empty where the part is not to be shown.
    query: String,
) -> Result<Markup, AppError> {
    crate::backend::Backend::current().part(&part, &query).await
}
