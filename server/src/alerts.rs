//! What is done on the pages of alerts and budgets: plain forms, then a redirect to the page that says what came of it.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Backend;
use axum::extract::{Path, State};
use axum::response::Redirect;

/// Makes a rule.
///
/// # Errors
/// What the store says.
pub async fn make(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_alert(None, &body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Changes a rule, silences it, acknowledges what it fired, or takes it away.
///
/// # Errors
/// What the store says.
pub async fn act(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_alert(Some(&id), &body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Makes a budget.
///
/// # Errors
/// What the store says.
pub async fn make_budget(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_budget("new", &body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Changes a budget, or takes one away.
///
/// # Errors
/// What the store says.
pub async fn budget(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_budget(&id, &body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}
