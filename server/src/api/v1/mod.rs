//! Version 1 of the API. One file per noun; each reads from its documentation to its answer.

pub mod balance;
pub mod body;
pub mod events;
pub mod lines;
pub mod usage;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where events go: it has its own bounds of size and time.
pub const EVENTS_PATH: &str = "/api/v1/events";

/// All routes with their description.
#[must_use]
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(events::post, events::list))
        .routes(routes!(events::show))
        .routes(routes!(balance::show))
        .routes(routes!(usage::show))
}
