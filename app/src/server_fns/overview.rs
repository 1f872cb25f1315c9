//! Everything on the Overview page, in one answer.

use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the page shows. All of it stands still until it is asked for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Its parts, from top to bottom.
    pub parts: Vec<Markup>,
    /// When it was read, in words.
    pub as_of: String,
}

/// The signed-in person's org at a glance.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetOverview, prefix = "/api/fn", endpoint = "overview", input = Rows, output = Rows)]
pub async fn overview() -> Result<Overview, AppError> {
    crate::backend::Backend::current().overview().await
}
