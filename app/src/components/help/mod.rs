//! Help: how to report usage, read it, hold credits and understand errors; and the page that tries the API.
//!
//! The texts are `docs/help/*.md`, one source for these pages and for whoever reads the repository. A test runs their examples.

pub mod explorer;
mod markdown;
mod start;

use crate::backend::origin;
use crate::error::AppError;
use crate::markup::Markup;
use leptos::prelude::use_context;

/// Where help begins.
pub const HELP: &str = "/help";
/// Where the page is that tries the API.
pub const EXPLORER: &str = "/help/api";

/// The texts: address, title, Markdown.
pub const TEXTS: [(&str, &str, &str); 4] = [
    ("/help/events", "Report usage", include_str!("../../../../docs/help/events.md")),
    ("/help/usage", "Read usage", include_str!("../../../../docs/help/usage.md")),
    ("/help/holds", "Ask and hold", include_str!("../../../../docs/help/holds.md")),
    ("/help/errors", "Errors", include_str!("../../../../docs/help/errors.md")),
];
/// What the texts call this server.
const SERVER: &str = "http://127.0.0.1:3000";

/// The page at an address under [`HELP`].
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(path: &str) -> Result<Markup, AppError> {
    match path {
        HELP => start::page().await,
        EXPLORER => Ok(explorer::page(&use_context::<explorer::Explorer>().ok_or(AppError::NotFound)?)),
        _ => {
            let (_, _, text) = TEXTS.into_iter().find(|text| text.0 == path).ok_or(AppError::NotFound)?;
            Ok(markdown::article(&text.replace(SERVER, &origin())))
        }
    }
}
