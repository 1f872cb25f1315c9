//! What admins do from the pages of settings: plain forms, as in [`crate::desk`]. Who may is the guard's to say.

use crate::access::SignedIn;
use crate::auth::api_key::FreshKey;
use crate::pages::{keys_with, problem_of};
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::backend::keys::{Fresh, KeyDone};
use app::backend::{Backend, origin_of};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

/// Sets the org.
///
/// # Errors
/// What the store says.
pub async fn organization(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_organization(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Sets words, of the org or of the installation. Who may which is said by the form: the page is everybody's.
///
/// # Errors
/// 403 for those who may not, or what the store says.
pub async fn terminology(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    match backend.send_terminology(&body).await {
        Ok(page) => Ok(Redirect::to(&page)),
        Err(AppError::Refused { problem }) => Err(Problem::new(StatusCode::FORBIDDEN, "missing_role", problem)),
        Err(error) => Err(problem_of(&error)),
    }
}

/// Makes, rotates or revokes a key. A new key is shown on the page that answers, and never again.
///
/// # Errors
/// What the store says.
pub async fn keys(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // The route bounds it.
    let too_long = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the form is too long");
    let bytes = to_bytes(body, usize::MAX).await.map_err(too_long)?;
    let FreshKey { text, prefix, hash } = FreshKey::draw();
    let origin = origin_of(&parts.headers);
    let backend = Backend { store: app.store.clone(), viewer: viewer.clone() };
    let done = backend.send_key(&String::from_utf8_lossy(&bytes), Fresh { origin, text, prefix, hash }).await;
    match done.map_err(|error| problem_of(&error))? {
        KeyDone::Made(made) => Ok(keys_with(&app, viewer, *made, Request::from_parts(parts, Body::empty())).await),
        KeyDone::At(page) => Ok(Redirect::to(&page).into_response()),
    }
}
