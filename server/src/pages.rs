//! Pages: the Leptos app rendered for whoever is signed in, its server functions, and the exports beside them.

use crate::access::SignedIn;
use crate::auth::session;
use crate::problem::Problem;
use crate::security::policy_of_page;
use crate::state::AppState;
use crate::telemetry::RequestId;
use app::AppError;
use app::backend::audit::AuditExport;
use app::backend::deletion::OrgExport;
use app::backend::keys::Made;
use app::backend::ledger::LedgerExport;
use app::backend::people::{MailIsSetUp, Shown, Visitor, WaysIn};
use app::backend::rate_card::Typed;
use app::backend::transactions::TransactionExport;
use app::backend::{self, Backend, Viewer};
use app::components::help::explorer::Explorer;
use app::components::operator::Office;
use app::components::setup::SETUP;
use app::components::written::{self, Written};
use app::correction::Ask;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, RawQuery, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use leptos::nonce::Nonce;
use leptos::prelude::provide_context;

/// Length of a nonce: 22 letters of 62 are more than the 128 bits that the CSP specification asks for.
const NONCE_LEN: usize = 22;

/// Any page that is read while it is sent.
pub async fn page(State(app): State<AppState>, SignedIn(viewer): SignedIn, request: Request) -> Response {
    render(&app, viewer, request).await
}

/// Any page that is read whole before it is sent: see [`app::components::written`].
pub async fn written(State(app): State<AppState>, SignedIn(viewer): SignedIn, request: Request) -> Response {
    let backend = Backend { store: app.store.clone(), viewer };
    let uri = request.uri();
    let origin = backend::origin_of(request.headers());
    let page = written::page(&backend, origin, uri.path(), uri.query().unwrap_or_default()).await;
    written_out(&app, backend.viewer, request, page).await
}

/// Such a page, or what came of reading it.
pub(crate) async fn written_out(
    app: &AppState,
    viewer: Option<Viewer>,
    request: Request,
    page: Result<Written, AppError>,
) -> Response {
    let status = page.as_ref().err().map_or(200, AppError::status);
    let outcome = written::Outcome(page);
    let mut response = render_with(app, viewer, request, move || provide_context(outcome.clone())).await;
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The Rate card page with what was typed in its form.
pub async fn rate_card_again(app: &AppState, viewer: Option<Viewer>, typed: Typed, request: Request) -> Response {
    let status = if typed.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = render_with(app, viewer, request, move || provide_context(typed.clone())).await;
    *response.status_mut() = status;
    response
}

/// The head of a request, for a page that is rendered again as the answer to its form.
pub struct PageRequest(Parts);

impl PageRequest {
    /// The address that was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.uri.path()
    }

    /// What was noted of it on its way here.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// As a request without its body takes it.
    #[must_use]
    pub fn into_parts(self) -> Parts {
        self.0
    }

    /// Its headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }
}

impl<S: Sync> FromRequestParts<S> for PageRequest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.clone()))
    }
}

/// The page at which a form was sent, with what is shown once: it is in no address and nowhere else.
pub async fn shown_once(app: &AppState, viewer: Viewer, shown: Shown, PageRequest(parts): PageRequest) -> Response {
    let request = Request::from_parts(parts, Body::empty());
    render_with(app, Some(viewer), request, move || provide_context(shown.clone())).await
}

/// The page that tries the API, with what it shows.
pub async fn with_explorer(
    app: &AppState,
    viewer: Viewer,
    shown: Explorer,
    PageRequest(parts): PageRequest,
) -> Response {
    let request = Request::from_parts(parts, Body::empty());
    render_with(app, Some(viewer), request, move || provide_context(shown.clone())).await
}

/// A page of operators, with what the server itself knows.
pub async fn with_office(
    app: &AppState,
    viewer: Option<Viewer>,
    office: Office,
    PageRequest(parts): PageRequest,
) -> Response {
    let request = Request::from_parts(parts, Body::empty());
    render_with(app, viewer, request, move || provide_context(office.clone())).await
}

/// Everything that the viewer's org has, as one file of lines.
///
/// # Errors
/// Where the store cannot begin. A failure later ends the connection, so that the file is not taken for a whole one.
pub async fn org_export(State(app): State<AppState>, SignedIn(viewer): SignedIn) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let export = OrgExport::begin(&backend).await.map_err(|error| problem_of(&error))?;
    let attachment = format!("attachment; filename=\"{}\"", export.file_name());
    let pieces = futures::stream::try_unfold(export, async |mut export| {
        Ok::<_, AppError>(export.next().await?.map(|piece| (piece, export)))
    });
    let headers = [(CONTENT_TYPE, "application/x-ndjson".to_owned()), (CONTENT_DISPOSITION, attachment)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// Asks for the end of the viewer's org, or takes that back, and goes to the page that tells what came of it.
///
/// # Errors
/// What the store says.
pub async fn delete_org(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.send_deletion(&body).await.map_err(|error| problem_of(&error))?;
    Ok(Redirect::to(&page))
}

/// Sign in; while nobody is here to sign in, what to do instead.
///
/// # Errors
/// Where the store cannot say.
pub async fn sign_in(State(app): State<AppState>, request: Request) -> Result<Response, Problem> {
    if !app.store.has_people().await? {
        return Ok(Redirect::to(SETUP).into_response());
    }
    Ok(render(&app, None, request).await)
}

/// Help, which those who are not signed in may read too.
///
/// # Errors
/// Where the store cannot say who asks.
pub async fn help(State(app): State<AppState>, request: Request) -> Result<Response, Problem> {
    let viewer = session::viewer(&app, request.headers()).await?;
    Ok(render(&app, viewer, request).await)
}

/// The page of an invitation, which also whoever belongs to no org may open while signed in.
pub async fn invitation(State(app): State<AppState>, request: Request) -> Result<Response, Problem> {
    let viewer = session::viewer(&app, request.headers()).await?;
    let visitor = match session::token(&app.config, request.headers()) {
        Some(token) => app.store.session_person(session::hash(token)).await?.map(|(_, email)| email),
        None => None,
    };
    Ok(render_with(&app, viewer, request, move || provide_context(Visitor(visitor.clone()))).await)
}

/// A page of settings for somebody whose role may not: it says in its place who may.
pub async fn may_not(app: &AppState, viewer: Viewer, request: Request) -> Response {
    let mut response = render(app, Some(viewer), request).await;
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// The API keys page with a key that was just made. It is nowhere else: the answer is not to be kept.
pub async fn keys_with(app: &AppState, viewer: Option<Viewer>, made: Made, request: Request) -> Response {
    let mut response = render_with(app, viewer, request, move || provide_context(made.clone())).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What the Audit log page lists, as CSV: all of it, a page of the store at a time.
///
/// # Errors
/// As [`ledger_csv`].
pub async fn audit_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let begun = AuditExport::begin(&backend, &query.unwrap_or_default()).await;
    let export = begun.map_err(|error| problem_of(&error))?;
    let pieces = futures::stream::try_unfold(export, async |mut export| {
        Ok::<_, AppError>(export.next().await?.map(|piece| (piece, export)))
    });
    let attachment = "attachment; filename=\"audit.csv\"".to_owned();
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, attachment)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The app's page for an address that has none. Whoever is not signed in may see it: it shows nothing of anybody.
pub async fn not_found(app: AppState, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return Problem::not_found("there is nothing at this address: /api/docs lists what there is").into_response();
    }
    let viewer = session::viewer(&app, request.headers()).await.ok().flatten();
    let mut response = render(&app, viewer, request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The page of an event; 404 where the org has none of that id.
///
/// # Errors
/// Where the store cannot say.
pub async fn event(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    // A page is sent as it is rendered, so the status must be known before.
    let is_there = match &viewer {
        Some(viewer) => {
            backend::event::exists(&app.store, viewer.org, &id).await.map_err(|error| problem_of(&error))?
        }
        None => false,
    };
    let mut response = render(&app, viewer, request).await;
    if !is_there {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

/// Books a correction of an event, as the form of its page asks for it, and goes back there.
///
/// # Errors
/// 403 for those who may not; otherwise only what the page could not show.
pub async fn correct_event(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    form: String,
) -> Result<Response, Problem> {
    if !viewer.as_ref().is_some_and(|viewer| viewer.operator) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_operator", "only operators may correct events"));
    }
    let backend = Backend { store: app.store.clone(), viewer };
    match (backend.correct(&id, &form).await, Ask::parse(&form)) {
        (Ok(_), _) => Ok(Redirect::to(&format!("/events/{id}?booked")).into_response()),
        // The page tries the same again and says why it cannot be done.
        (Err(AppError::Refused { .. }), Some(ask)) => {
            let query = serde_urlencoded::to_string(ask.pairs()).unwrap_or_default();
            Ok(Redirect::to(&format!("/events/{id}?{query}#correct")).into_response())
        }
        (Err(error), _) => Err(problem_of(&error)),
    }
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

/// What the Ledger page lists, as CSV: all of it, a page of the store at a time.
///
/// # Errors
/// Where the store cannot begin. A failure later ends the connection, so that the file is not taken for a whole one.
pub async fn ledger_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in again"))?;
    let begun = LedgerExport::begin(&app.store, viewer.org, &query.unwrap_or_default()).await;
    let export = begun.map_err(|error| problem_of(&error))?;
    // Letters, digits, `-`, `_` and `.` only.
    let attachment = format!("attachment; filename=\"{}\"", export.file_name());
    let pieces = futures::stream::try_unfold(export, async |mut export| {
        Ok::<_, AppError>(export.next().await?.map(|piece| (piece, export)))
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, attachment)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// All transactions as a file, written while it is sent.
///
/// # Errors
/// As [`ledger_csv`].
pub async fn transactions_csv(State(app): State<AppState>, SignedIn(viewer): SignedIn) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in again"))?;
    let begun = TransactionExport::begin(&app.store, viewer.org, &app.config.history_prefix).await;
    let export = begun.map_err(|error| problem_of(&error))?;
    // Of the prefix, letters, digits, `-` and `_` only: see `Config::checked`.
    let attachment = format!("attachment; filename=\"{}\"", export.file_name());
    let pieces = futures::stream::try_unfold(export, async |mut export| {
        Ok::<_, AppError>(export.next().await?.map(|piece| (piece, export)))
    });
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, attachment)];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

pub(crate) fn problem_of(error: &AppError) -> Problem {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Problem::new(status, error.code(), error.to_string())
}

/// What the app names where something went wrong.
fn request_id(request: &Request) -> app::error::RequestId {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    app::error::RequestId(id.0)
}

async fn render(app: &AppState, viewer: Option<Viewer>, request: Request) -> Response {
    render_with(app, viewer, request, || ()).await
}

/// Whether a page needs none of the styles of those that stand still.
fn has_own_styles(path: &str) -> bool {
    matches!(path, "/" | "/analytics" | "/ledger" | "/rate-card") || path.starts_with("/events/")
}

/// Renders the page that the request's address names, with one more context.
async fn render_with(
    app: &AppState,
    viewer: Option<Viewer>,
    request: Request,
    more: impl Fn() + Clone + Send + Sync + 'static,
) -> Response {
    let nonce = crate::auth::api_key::random_text(NONCE_LEN);
    let policy = policy_of_page(&nonce);
    let backend = Backend { store: app.store.clone(), viewer };
    let installed = backend.installed().await;
    let mut assets = app.site.assets();
    if has_own_styles(request.uri().path()) {
        assets.still = None;
    }
    let mail = MailIsSetUp(app.mailer.is_set_up());
    let ways = WaysIn {
        no_passkeys: app.passkeys.unavailable(),
        elsewhere: app.elsewhere.as_ref().map(|service| service.names()),
    };
    let request_id = request_id(&request);
    let context = move || {
        provide_context(backend.clone());
        provide_context(installed.clone());
        provide_context(request_id.clone());
        provide_context(assets.clone());
        provide_context(mail);
        provide_context(ways.clone());
        // The same in the scripts that Leptos writes and in the header below.
        provide_context(Nonce::from_value(nonce.as_str()));
        more();
    };
    let handler = leptos_axum::render_app_to_stream_in_order_with_context(context, app::shell);
    let mut response = handler(request).await;
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
