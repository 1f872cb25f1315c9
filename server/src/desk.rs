//! What operators do from pages: `POST /grants` gives credits, `POST /grants/adjust` puts a balance right. Plain forms,
//! so that they work without JavaScript; the answer is the address of the page that says what came of it.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::{Backend, Viewer};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;

/// Gives credits.
///
/// # Errors
/// 403 for whoever is no operator, or what the store says.
pub async fn give(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let backend = operators_only(app, viewer)?;
    let page = backend.give(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Books an adjustment.
///
/// # Errors
/// As [`give`].
pub async fn adjust(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = operators_only(app, viewer)?;
    let page = backend.adjust(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

fn operators_only(app: AppState, viewer: Option<Viewer>) -> Result<Backend, Problem> {
    let viewer = viewer.filter(|viewer| viewer.operator).ok_or_else(|| {
        let detail = "only operators may give or adjust credits: ask whoever runs this server";
        Problem::new(StatusCode::FORBIDDEN, "not_operator", detail)
    })?;
    Ok(Backend { store: app.store, viewer: Some(viewer) })
}
