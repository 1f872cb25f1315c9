//! What protects every answer: security headers, the origin of forms, a bound on work, time and panics.

use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Duration;
use tower_http::csrf::{CsrfLayer, ProtectionError};

/// For everything that is neither a page nor the API's documentation: nothing may be loaded at all.
const POLICY_OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// Swagger UI sets styles from its scripts and draws with data URLs. Its scripts are files of ours.
pub const POLICY_OF_DOCS: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// A year, as browsers' preload lists ask for.
const HSTS: &str = "max-age=31536000";

/// The policy of a page whose scripts carry `nonce`. WebAssembly needs `'wasm-unsafe-eval'`; nothing else is evaluated.
#[must_use]
pub fn policy_of_page(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// Middleware: headers that every answer carries, unless a handler chose its own.
pub async fn headers(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let private = !path.starts_with("/pkg/");
    let docs = path.starts_with("/api/docs");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if docs { POLICY_OF_DOCS } else { POLICY_OF_DATA };
    set_default(headers, CONTENT_SECURITY_POLICY, policy);
    set_default(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set_default(headers, REFERRER_POLICY, "same-origin");
    set_default(headers, CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    set_default(headers, CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    if private {
        // Balances must not be kept by proxies, nor shown after signing out by the back button.
        set_default(headers, CACHE_CONTROL, "no-store");
    }
    if app.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://")) {
        set_default(headers, STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

fn set_default(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// What answers a request that another site sent.
pub type CrossSite = fn(ProtectionError) -> Response;

/// Refuses what another site makes a browser send. The API proper carries no cookie: its keys cannot be sent unasked.
///
/// # Errors
/// A public URL that is no origin.
pub fn same_site(app: &AppState) -> Result<CsrfLayer<CrossSite>, String> {
    let layer = match app.config.origin() {
        Some(origin) => CsrfLayer::new().add_trusted_origin(origin).map_err(|error| error.to_string())?,
        None => CsrfLayer::new(),
    };
    let layer = layer.with_insecure_bypass(|_, uri| uri.path().starts_with("/api/v1/"));
    Ok(layer.with_rejection_response(cross_site as CrossSite))
}

fn cross_site(_: ProtectionError) -> Response {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross_site",
        "another site sent this request: open the page here and try again",
    )
    .into_response()
}

/// Whether it is somebody who watches the server, and must get an answer just when it is busy.
#[must_use]
pub fn is_watching(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// Middleware: a place among the requests worked on, or 503 at once rather than a queue without end; and an end for those that hang.
pub async fn bounded(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let place = if is_watching(path) { None } else { Some(app.places.try_acquire()) };
    if matches!(place, Some(Err(_))) {
        return busy().into_response();
    }
    // Bodies of events have an end of their own, between two pieces of the body.
    if path == crate::api::v1::EVENTS_PATH {
        return next.run(request).await;
    }
    let limit = Duration::from_secs(app.config.request_timeout_s);
    let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the request took too long: ask for less");
    tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| late().into_response())
}

fn busy() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many requests at once: try again in a moment")
}

/// What is answered after a panic. The message goes to the log only.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer wants")]
pub fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong here: the log has it")
        .into_response()
}
