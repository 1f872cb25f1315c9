//! What operators do from pages: `POST /grants` gives credits, `POST /grants/adjust` puts a balance right, `POST
//! /rate-card` lays down prices. Plain forms, so that they work without JavaScript; the answer is the address of the page
//! that says what came of it, or the page itself where what was typed is too long for an address.

use crate::access::SignedIn;
use crate::pages::{problem_of, rate_card_again};
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::rate_card::Sent;
use app::backend::{Backend, Viewer};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

/// Gives credits.
///
/// # Errors
/// 403 for whoever is no operator, or what the store says.
pub async fn give(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let backend = operators_only(&app, viewer)?;
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
    let backend = operators_only(&app, viewer)?;
    let page = backend.adjust(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Tries out a rate card, or lays it down.
///
/// # Errors
/// What is no form, or what the store says.
pub async fn rate_card(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // The route bounds it.
    let bytes = to_bytes(body, usize::MAX).await.map_err(|_| too_long())?;
    let form = String::from_utf8_lossy(&bytes);
    let backend = Backend { store: app.store.clone(), viewer: viewer.clone() };
    match backend.send_rate_card(&form).await.map_err(|error| problem_of(&error))? {
        Sent::LaidDown(page) => Ok(Redirect::to(&page).into_response()),
        Sent::Typed(typed) => Ok(rate_card_again(&app, viewer, typed, Request::from_parts(parts, Body::empty())).await),
    }
}

fn too_long() -> Problem {
    Problem::too_large("body_too_large", "the rate card is longer than is kept: at most 64 KiB")
}

fn operators_only(app: &AppState, viewer: Option<Viewer>) -> Result<Backend, Problem> {
    let viewer = viewer.filter(|viewer| viewer.operator).ok_or_else(|| {
        let detail = "only operators may give or adjust credits: ask whoever runs this server";
        Problem::new(StatusCode::FORBIDDEN, "not_operator", detail)
    })?;
    Ok(Backend { store: app.store.clone(), viewer: Some(viewer) })
}
