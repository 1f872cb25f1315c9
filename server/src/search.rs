//! What `public/palette.js` asks at every letter: the hits of the Search page as JSON.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Backend;
use app::components::search::Hit;
use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Found {
    items: Vec<Hit>,
}

/// The hits of a text.
///
/// # Errors
/// What the store says.
pub async fn search(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<Found>, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let items = backend.found(&asked.q).await.map_err(|error| problem_of(&error))?;
    Ok(Json(Found { items }))
}
