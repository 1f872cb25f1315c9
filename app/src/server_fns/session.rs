//! Who is looking, for the page's head.

use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use ledger::Words;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the head of every page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Whose figures these are, with the form that goes to another org, and the bell.
    pub whose: Markup,
    /// The form that signs out.
    pub leave: Markup,
    /// How the org calls credits and workflows.
    pub words: Words,
    /// What every page must say about the balance.
    pub warning: Option<Markup>,
}

/// The session, or `None` on the sign-in page.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetSession, prefix = "/api/fn", endpoint = "session", input = Rows, output = Rows)]
pub async fn session() -> Result<Option<SessionInfo>, AppError> {
    crate::backend::Backend::current().session().await
}
