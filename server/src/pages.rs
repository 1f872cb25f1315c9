//! Pages: the Leptos app rendered for whoever is signed in, its server functions, and the exports beside them.

use crate::access::SignedIn;
use crate::problem::Problem;
use crate::security::policy_of_page;
use crate::state::AppState;
use crate::telemetry::RequestId;
use app::AppError;
use app::backend::{Backend, Viewer};
use axum::extract::{RawQuery, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use leptos::nonce::Nonce;
use leptos::prelude::provide_context;

/// Length of a nonce: 22 letters of 62 are more than the 128 bits that the CSP specification asks for.
const NONCE_LEN: usize = 22;

/// Any page.
pub async fn page(State(app): State<AppState>, SignedIn(viewer): SignedIn, request: Request) -> Response {
    render(&app, viewer, request).await
}

/// The app's page for an address that has none. Whoever is not signed in may see it: it shows nothing of anybody.
pub async fn not_found(app: AppState, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return Problem::not_found("there is nothing at this address: /api/docs lists what there is").into_response();
    }
    let viewer = crate::auth::session::viewer(&app, request.headers()).await.ok().flatten();
    let mut response = render(&app, viewer, request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A server function of the app.
pub async fn server_function(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: Request,
) -> impl IntoResponse {
    let backend = Backend { store: app.store.clone(), viewer };
    let request_id = request_id(&request);
    let context = move || {
        provide_context(backend.clone());
        provide_context(request_id.clone());
    };
    leptos_axum::handle_server_fns_with_context(context, request).await
}

/// What the Analytics page shows, as CSV.
///
/// # Errors
/// A query that the page would refuse too.
pub async fn usage_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in again"))?;
    let made = app::exports::usage_csv(&app.store, viewer.org, &query.unwrap_or_default()).await;
    let (name, csv) = made.map_err(|error| problem_of(&error))?;
    // The name is made of dates and words of ours; anything else in it would be dropped here.
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    let attachment = format!("attachment; filename=\"{name}\"");
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, attachment)], csv).into_response())
}

pub(crate) fn problem_of(error: &AppError) -> Problem {
    let status = match error {
        AppError::NotSignedIn => StatusCode::UNAUTHORIZED,
        AppError::BadRange { .. } | AppError::Outdated => StatusCode::BAD_REQUEST,
        AppError::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal { .. } | AppError::Unreachable => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Problem::new(status, error.code(), error.to_string())
}

/// What the app names where something went wrong.
fn request_id(request: &Request) -> app::error::RequestId {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    app::error::RequestId(id.0)
}

async fn render(app: &AppState, viewer: Option<Viewer>, request: Request) -> Response {
    let nonce = crate::auth::api_key::random_text(NONCE_LEN);
    let policy = policy_of_page(&nonce);
    let backend = Backend { store: app.store.clone(), viewer };
    let assets = app.site.assets();
    let request_id = request_id(&request);
    let context = move || {
        provide_context(backend.clone());
        provide_context(request_id.clone());
        provide_context(assets.clone());
        // The same in the scripts that Leptos writes and in the header below.
        provide_context(Nonce::from_value(nonce.as_str()));
    };
    let handler = leptos_axum::render_app_to_stream_in_order_with_context(context, app::shell);
    let mut response = handler(request).await;
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
