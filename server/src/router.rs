//! What is where, and what every request passes through.
//!
//! From the outside in: observed (id, log, metrics) → compressed, where the browser takes it → problems written → headers → panics caught → a place among the
//! requests, and a limit of time → same site → the route → the guard of [`crate::access`] → the handler.

use crate::access::guard;
use crate::auth::{account, invitation, oidc, passkey, reset, sign_in};
use crate::explorer::Explore;
use crate::notify::unsubscribe;
use crate::state::AppState;
use crate::{
    alerts, api, assets, customers, desk, explorer, exports, invoices, live, members, notifications, operator, pages,
    picture, plans, problem, purchases, saved_views, search, security, settings, setup, telemetry, webhooks, workflows,
};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::sync::atomic::Ordering;
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

/// Most bytes of a form or of what a page asks the server: addresses and short texts. Bodies of events have their own.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// How hard answers are compressed (0 to 11): pages with their usage become a fifth, within a millisecond or two. Files of the
/// app were compressed when it was built; streams of events are not.
const COMPRESSION: i32 = 4;

/// Most bytes of the form with a rate card: its text escaped, three bytes for one.
const MAX_CARD_FORM_BYTES: usize = 3 * ledger::card_text::MAX_TEXT_BYTES + MAX_FORM_BYTES;

/// Everything the server answers.
///
/// # Errors
/// A public URL that is no origin, in a sentence.
pub fn router(app: AppState) -> Result<Router, String> {
    // Pages load while they render. Once per process: a second router finds it done.
    let _ = any_spawner::Executor::init_tokio();
    // Counted from the first request on.
    let _ = telemetry::metrics();
    let (api, description) = api::routes();
    let api = api.layer(DefaultBodyLimit::disable());
    let explorer = Explore::new(&description, to_itself(api.clone(), &app));
    let pages = Router::new()
        .route("/", get(pages::page))
        .route("/analytics", get(pages::page))
        .route("/customers", get(pages::written))
        .route("/customers/tenants", get(pages::written))
        .route("/interactions/{id}", get(pages::written).post(customers::map_one))
        .route("/users/{id}", get(pages::written))
        .route("/tenants/{id}", get(pages::written))
        .route("/usage", get(pages::written))
        .route("/runs/{id}", get(pages::written))
        .route("/workflows", get(pages::written))
        .route("/workflows/{id}", get(pages::written).post(workflows::set))
        .route("/search", get(pages::written))
        .route("/search.json", get(search::search))
        .route("/billing/invoices", get(pages::written))
        .route("/billing/invoices/{id}", get(purchases::page).post(purchases::pay_invoice))
        .route("/billing/invoices/{id}/pdf", get(invoices::pdf))
        .route("/billing/payments", get(pages::written))
        .route("/billing/details", get(pages::written).post(invoices::details))
        .route("/exports/invoices.csv", get(invoices::invoices_csv))
        .route("/exports/payments.csv", get(invoices::payments_csv))
        .route("/operator/seller", get(operator::page).post(invoices::seller))
        .route("/operator/reconcile", get(operator::page))
        .route("/alerts", get(pages::written))
        .route("/alerts/new", get(pages::written).post(alerts::make))
        .route("/alerts/{id}", get(pages::written).post(alerts::act))
        .route("/alerts/budgets/new", get(pages::written).post(alerts::make_budget))
        .route("/alerts/budgets/{id}", get(pages::written).post(alerts::budget))
        .route("/projects", get(pages::written))
        .route("/reports", get(pages::written))
        .route("/billing", get(pages::written))
        .route("/billing/plan", get(pages::written).post(plans::act))
        .route("/billing/top-up", get(pages::written).post(plans::top_up))
        .route("/billing/purchase", get(purchases::page).post(purchases::buy))
        .route("/billing/purchases", get(pages::written))
        .route("/billing/purchases/{id}", get(purchases::page).post(purchases::again))
        .route("/billing/methods", get(purchases::page).post(purchases::act_on_methods))
        .route("/billing/sandbox/{reference}", get(purchases::page).post(purchases::play))
        .route("/operator/payments", get(operator::page).post(purchases::act_on_till))
        .route("/grants", get(pages::page).post(desk::give))
        .route("/grants/adjust", post(desk::adjust))
        .route("/ledger", get(pages::page))
        .route("/rate-card", get(pages::page))
        .route("/settings", get(async || Redirect::to("/settings/members")))
        .route("/settings/keys", get(pages::page).post(settings::keys))
        .route("/notifications", get(pages::written).post(notifications::read))
        .route("/settings/notifications", get(pages::written).post(notifications::wishes))
        .route(unsubscribe::PATH, get(notifications::ask).post(notifications::end))
        .route("/settings/webhooks", get(pages::written).post(webhooks::create))
        .route("/settings/webhooks/{id}", get(pages::written).post(webhooks::act))
        .route("/settings/webhooks/{id}/{delivery}", get(pages::written).post(webhooks::again))
        .route("/settings/audit", get(pages::page))
        .route("/help/{text}", get(pages::page))
        .route("/help/api", get(explorer::page).post(explorer::send))
        .layer(Extension(explorer))
        .route("/settings/deletion", get(pages::page).post(pages::delete_org))
        .route("/exports/organization.jsonl", post(pages::org_export))
        .route("/operator", get(async || Redirect::to("/operator/organizations")))
        .route("/operator/organizations", get(operator::page).post(operator::organizations))
        .route("/operator/jobs", get(operator::page))
        .route("/operator/verify", get(operator::page).post(operator::verify))
        .route("/operator/backups", get(operator::page).post(operator::backup))
        .route("/operator/backups/{name}", post(operator::download))
        .route("/settings/organization", get(pages::page).post(settings::organization))
        .route("/settings/terminology", get(pages::page).post(settings::terminology))
        .route("/help", get(pages::help))
        .route("/setup", get(setup::wizard).post(setup::act))
        .route("/setup/waiting", get(setup::waiting))
        .route("/setup/{token}", get(setup::link).post(setup::account))
        .route("/exports/audit.csv", get(pages::audit_csv))
        .route("/events/{id}", get(pages::event).post(pages::correct_event))
        .route("/sign-in", get(pages::sign_in).post(sign_in::sign_in))
        .route("/sign-in/code", get(pages::page).post(sign_in::code))
        .route("/forgot-password", get(pages::page).post(reset::forgot))
        .route("/reset-password", get(pages::page).post(reset::reset))
        .route("/invitation", get(pages::invitation).post(invitation::accept))
        .route("/settings/members", get(pages::page).post(members::act))
        .route("/settings/leave", post(members::leave))
        .route("/settings/security", get(pages::page).post(account::act))
        .route("/settings/security/passkeys/begin", post(passkey::begin_adding))
        .route("/settings/security/passkeys", post(passkey::add))
        .route("/sign-in/oidc", get(oidc::start))
        .route(oidc::CALLBACK, get(oidc::callback))
        .route("/sign-in/passkey/begin", post(passkey::begin_entering))
        .route("/sign-in/passkey", post(passkey::enter))
        .route("/switch", post(members::switch))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/analytics/views", post(saved_views::act))
        .route("/exports/usage.csv", get(exports::usage_csv))
        .route("/exports/usage.xlsx", get(exports::usage_xlsx))
        .route("/exports/focus.csv", get(exports::focus_csv))
        .route("/exports/report.csv", get(exports::report_csv))
        .route("/exports/report.xlsx", get(exports::report_xlsx))
        .route("/exports/events.csv", get(exports::events_csv))
        .route("/exports/runs.csv", get(exports::runs_csv))
        .route("/exports/usage.svg", get(picture::usage_svg))
        .route("/exports/usage.png", get(picture::usage_png))
        .route("/exports/ledger.csv", get(pages::ledger_csv))
        .route("/exports/transactions.csv", get(pages::transactions_csv))
        .route("/live", get(live::live))
        .route("/api/fn/{*name}", post(pages::server_function))
        .layer(RequestBodyLimitLayer::new(MAX_FORM_BYTES))
        .route(
            "/webhooks/{provider}",
            post(purchases::webhook).layer(RequestBodyLimitLayer::new(purchases::MAX_MESSAGE_BYTES)),
        )
        .route("/rate-card", post(desk::rate_card).layer(RequestBodyLimitLayer::new(MAX_CARD_FORM_BYTES)))
        .route(
            customers::PATH,
            get(pages::written).post(customers::map).layer(RequestBodyLimitLayer::new(customers::MAX_FORM_BYTES)),
        );
    let operation = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    // One layer of all of them: each that a router is given by itself is cloned and boxed with all those within it, request by request.
    let layers = ServiceBuilder::new()
        .layer(from_fn(telemetry::observe))
        .layer(CompressionLayer::new().quality(CompressionLevel::Precise(COMPRESSION)))
        .layer(from_fn_with_state(app.clone(), problem::finish))
        .layer(from_fn_with_state(app.clone(), security::headers))
        .layer(CatchPanicLayer::custom(security::after_panic))
        .layer(from_fn_with_state(app.clone(), security::bounded))
        .layer(security::same_site(&app)?);
    let routes = Router::new().merge(api).merge(pages).merge(operation);
    Ok(routes
        .route_layer(from_fn_with_state(app.clone(), guard))
        .fallback(assets::file_or_page)
        .layer(layers)
        .with_state(app))
}

/// The API for calls of the server to itself: guarded and written out as any other.
fn to_itself(api: Router<AppState>, app: &AppState) -> Router {
    api.route_layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn_with_state(app.clone(), problem::finish))
        .with_state(app.clone())
}

/// Whether the database answers and the writer takes work.
async fn ready(State(app): State<AppState>) -> Response {
    match app.store.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

/// Prometheus' text format.
async fn metrics(State(app): State<AppState>) -> Response {
    if !app.config.metrics {
        return StatusCode::NOT_FOUND.into_response();
    }
    let handle = telemetry::metrics();
    if let Some((waiting, stats)) = app.store.writer_stats() {
        let commits = stats.commits.load(Ordering::Relaxed);
        let commit_us = stats.commit_us.load(Ordering::Relaxed);
        telemetry::writer(waiting, commits, stats.requests.load(Ordering::Relaxed), commit_us);
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}
