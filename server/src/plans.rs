//! What is done on the pages of the plan and of auto top-up: plain forms, then a redirect to the page that says what came of it.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Backend;
use axum::extract::State;
use axum::response::Redirect;

/// Subscribes, changes the plan, cancels or resumes.
///
/// # Errors
/// What the store says.
pub async fn act(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.act_on_plan(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Turns auto top-up on or off.
///
/// # Errors
/// What the store says.
pub async fn top_up(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.set_top_up(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}
