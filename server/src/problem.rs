//! Errors of the API as problem details (RFC 9457): one type from the handler to the wire.
//!
//! A handler returns a [`Problem`]; it travels as a response extension until [`finish`] writes it with the request's id.
//! Whatever else fails under `/api` (a layer, an unknown route, a panic) is given the same form there, so that a client
//! needs one reader for all errors. Codes are stable; texts are for people and may change.

use crate::auth::session;
use crate::state::AppState;
use crate::telemetry::RequestId;
use app::markup::Markup;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERER, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ledger::Refusal;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use store::StoreError;
use utoipa::ToSchema;

/// Media type of every error under `/api`.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Seconds after which a client that met a full queue should come back: several group commits later.
const RETRY_AFTER_S: u32 = 1;

/// What went wrong, on its way to the wire.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable; what programs compare.
    pub code: Cow<'static, str>,
    /// What to do.
    pub detail: String,
    /// More facts, by problem.
    pub more: Map<String, Value>,
    /// Whether an API key would have helped.
    asks_for_key: bool,
    /// When to come back, where it is known better than [`RETRY_AFTER_S`].
    retry_after_s: u32,
}

/// An error, as RFC 9457 writes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:scrip:problem:missing_scope", "title": "Missing scope", "status": 403,
    "detail": "this key lacks the scope usage:read: create one that has it", "code": "missing_scope",
    "request_id": "9f86d081884c7d65"
}))]
pub struct ProblemDetails {
    /// `urn:scrip:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The code in words.
    title: String,
    /// The HTTP status again.
    status: u16,
    /// What to do.
    detail: String,
    /// Stable; what programs compare.
    code: Cow<'static, str>,
    /// To be named when asking for help; the server's log has it.
    request_id: String,
    /// More facts, by problem.
    #[serde(flatten)]
    #[schema(additional_properties, value_type = Object)]
    more: Map<String, Value>,
}

impl Problem {
    /// A problem of that code, told in `detail`.
    #[must_use]
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        let asks_for_key = status == StatusCode::UNAUTHORIZED;
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            more: Map::new(),
            asks_for_key,
            retry_after_s: RETRY_AFTER_S,
        }
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: whoever asks must sign in (again).
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in again").without_bearer()
    }

    /// 404.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 413: more than is taken at once.
    #[must_use]
    pub fn too_large(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, detail)
    }

    /// The same without asking for an API key: the answer to a browser that is not signed in.
    #[must_use]
    pub const fn without_bearer(mut self) -> Self {
        self.asks_for_key = false;
        self
    }

    /// The same with the seconds after which to come back, for 429 and 503.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = seconds;
        self
    }

    /// The same with more members. Only objects have any.
    #[must_use]
    pub fn with(mut self, members: impl Serialize) -> Self {
        if let Ok(Value::Object(members)) = serde_json::to_value(members) {
            self.more.extend(members);
        }
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::EventConflict
            | Refusal::IdempotencyConflict
            | Refusal::AlreadyVoided
            | Refusal::HoldCaptured
            | Refusal::HoldReleased
            | Refusal::HoldExpired
            | Refusal::KeyEnded
            | Refusal::ZoneInUse
            | Refusal::RateCardChanged { .. } => StatusCode::CONFLICT,
            Refusal::InsufficientCredits { .. } | Refusal::BudgetExceeded { .. } => StatusCode::PAYMENT_REQUIRED,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::Refused(refusal) => return refusal.into(),
            StoreError::Subscription(_) => StatusCode::CONFLICT,
            StoreError::NotFound(_) => StatusCode::NOT_FOUND,
            StoreError::Conflict(_) | StoreError::FileExists(_) => StatusCode::CONFLICT,
            StoreError::BadRange(_) => StatusCode::BAD_REQUEST,
            StoreError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            StoreError::TooMany(_) | StoreError::NoSale(_) => StatusCode::UNPROCESSABLE_ENTITY,
            StoreError::NoRefund(_) => StatusCode::CONFLICT,
            StoreError::Pruned { .. } => StatusCode::GONE,
            StoreError::Busy | StoreError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Database(_) | StoreError::Internal(_) => {
                tracing::error!(cause = ?error, "the store failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.retry_after_s));
        }
        if self.asks_for_key {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"scrip\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl ProblemDetails {
    fn new(problem: Problem, request_id: RequestId) -> Self {
        let Problem { status, code, detail, more, .. } = problem;
        let mut title = code.replace('_', " ");
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let kind = format!("urn:scrip:problem:{code}");
        Self { kind, title, status: status.as_u16(), detail, code, request_id: request_id.0, more }
    }
}

/// Middleware: writes problems out, with where help is found, and turns every other error under `/api` into one.
pub async fn finish(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let is_form = !is_api && request.method() == Method::POST;
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let for_people = !is_api && accept.contains("text/html");
    let back =
        request.headers().get(REFERER).and_then(|value| value.to_str().ok()).map_or_else(|| "/".to_owned(), path_of);
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_error(&response) && (is_api || (is_form && !is_page(&response))) => {
            of_status(response.status())
        }
        None => return response,
    };
    let support = app.store.installation().await.ok().and_then(|installation| installation.support);
    let problem = match support {
        Some(support) => problem.with(serde_json::json!({ "support": support.as_str() })),
        None => problem,
    };
    let (mut parts, _) = response.into_parts();
    let details = ProblemDetails::new(problem, id);
    let (kind, body) = if for_people {
        let policy = HeaderValue::from_static("default-src 'none'; style-src 'self'; frame-ancestors 'none'");
        parts.headers.insert(CONTENT_SECURITY_POLICY, policy);
        ("text/html; charset=utf-8", page(&details, &back, &app.site.assets().css).into_bytes())
    } else {
        (MEDIA_TYPE, serde_json::to_vec(&details).unwrap_or_default())
    };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

/// The problem as a page, for somebody whose form was refused: what it is, and the way back.
fn page(problem: &ProblemDetails, back: &str, css: &str) -> String {
    let text = |tag: &'static str, text: &str| Markup::new(tag).text(text);
    let mut detail = problem.detail.clone();
    if let Some(first) = detail.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let way = Markup::new("a").class("button").attr("href", back).text("Back");
    let support = problem.more.get("support").and_then(Value::as_str);
    let support = support.map(|whom| text("p", &format!("Whom to ask: {whom}")));
    let panel = Markup::new("div")
        .class("panel")
        .child(text("h1", &problem.title))
        .child(text("p", &format!("{}.", detail.trim_end_matches('.'))))
        .children(support)
        .child(Markup::new("p").class("muted").text(&format!("Request {}", problem.request_id)))
        .child(Markup::new("p").child(way));
    let (mut title, mut body) = (String::new(), String::new());
    text("title", &problem.title).write_html(&mut title);
    Markup::new("main").child(Markup::new("div").class("page sign-in").child(panel)).write_html(&mut body);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><link rel=\"stylesheet\" href=\"{css}\">{title}</head>\
         <body>{body}</body></html>"
    )
}

/// The path of the page that a browser came from, with its query; the first page where it would lead elsewhere.
fn path_of(referer: &str) -> String {
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
    session::local_path(path.unwrap_or_default()).to_owned()
}

/// Server functions answer errors in a form of their own, which the browser's half reads: JSON stays.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (status.is_client_error() || status.is_server_error()) && !kind.contains("json") && !kind.contains("msgpack")
}

/// A form that is answered by its page again has its error there.
fn is_page(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn of_status(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address: /api/docs lists what there is"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this address does not take this method: see Allow"),
        StatusCode::REQUEST_TIMEOUT => ("timeout", "the request took too long: send less at once"),
        StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the body is larger than is taken at once: split it"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "this content type is not read here"),
        StatusCode::SERVICE_UNAVAILABLE => ("busy", "too much is going on: try again in a moment"),
        status if status.is_client_error() => ("bad_request", "the request cannot be read"),
        _ => ("internal", "something went wrong here: the log has it under the request id"),
    };
    Problem::new(status, code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_the_members_that_clients_rely_on() {
        let problem = Problem::from(Refusal::EventConflict).with(serde_json::json!({"rejected": 1}));
        let sent = serde_json::to_value(ProblemDetails::new(problem, RequestId("7".to_owned()))).expect("serializes");
        assert_eq!(sent["type"], "urn:scrip:problem:event_conflict");
        assert_eq!((sent["title"].as_str(), sent["status"].as_u64()), (Some("Event conflict"), Some(409)));
        assert_eq!((sent["code"].as_str(), sent["rejected"].as_u64()), (Some("event_conflict"), Some(1)));
    }

    #[test]
    fn no_database_text_reaches_a_client() {
        let problem = Problem::from(StoreError::Internal("SqliteFailure(secret)".to_owned()));
        assert_eq!((problem.status, problem.detail.contains("secret")), (StatusCode::INTERNAL_SERVER_ERROR, false));
    }
}
