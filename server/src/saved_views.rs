//! Saved views of usage: `POST /analytics/views`, one form per act, told apart by its field `do`.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Backend;
use axum::extract::State;
use axum::response::Redirect;

/// Does what the form says, and goes to the view it was about, which tells what came of it.
///
/// # Errors
/// What the store says.
pub async fn act(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_saved_view(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}
