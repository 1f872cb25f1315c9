//! Who is looking, for the page's head.

use crate::error::AppError;
use crate::json::Json;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the head of every page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Name of the org.
    pub org: String,
    /// Whether its usage is made up.
    pub synthetic: bool,
    /// Who is signed in.
    pub email: String,
}

/// The session, or `None` on the sign-in page.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetSession, prefix = "/api/fn", endpoint = "session", input = Json, output = Json)]
pub async fn session() -> Result<Option<SessionInfo>, AppError> {
    crate::backend::Backend::current().session().await
}
