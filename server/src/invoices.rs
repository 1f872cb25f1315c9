//! Files and forms of billing: an invoice as PDF, lists as CSV, what invoices are made out to, and who sells. Plain forms, as in
//! [`crate::desk`]. Who may is the guard's to say, and asked again behind it.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::pdf;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::{Backend, Viewer};
use app::components::billing::sheet::Sheet;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use ledger::invoice::Document;
use store::StoreError;

const CSV: &str = "text/csv; charset=utf-8";

fn backend(app: &AppState, viewer: Option<Viewer>) -> Backend {
    Backend { store: app.store.clone(), viewer }
}

/// An issued invoice as PDF.
///
/// # Errors
/// 404 where there is none of that id, or only a draft.
pub async fn pdf(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let document = backend(&app, viewer).invoice_document(&id).await.map_err(|error| problem_of(&error))?;
    pdf_of(&document).await
}

/// What an invoice says, as PDF.
///
/// # Errors
/// Where it could not be written.
pub(crate) async fn pdf_of(document: &Document) -> Result<Response, Problem> {
    let sheet = Sheet::of(document);
    // Some milliseconds of a core: not on a thread that answers others.
    let written = tokio::task::spawn_blocking(move || pdf::invoice(&sheet)).await;
    let failed = |error: String| Problem::from(StoreError::Internal(error));
    let bytes = written.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    let name = document.number.as_deref().unwrap_or("draft");
    Ok(attachment("application/pdf", &format!("{name}.pdf"), bytes))
}

/// The invoices that the list's filter lets through.
///
/// # Errors
/// What the store says.
pub async fn invoices_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let text = backend(&app, viewer).invoices_csv(&query.unwrap_or_default()).await;
    Ok(attachment(CSV, "invoices.csv", text.map_err(|error| problem_of(&error))?))
}

/// The payments that the list's filter lets through.
///
/// # Errors
/// What the store says, or days that are none.
pub async fn payments_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let text = backend(&app, viewer).payments_csv(&query.unwrap_or_default()).await;
    Ok(attachment(CSV, "payments.csv", text.map_err(|error| problem_of(&error))?))
}

/// Sets what invoices are made out to.
///
/// # Errors
/// What the store says.
pub async fn details(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let page = backend(&app, viewer).send_billing_details(&body).await;
    Ok(Redirect::to(&page.map_err(|error| problem_of(&error))?))
}

/// Sets who sells.
///
/// # Errors
/// What the store says.
pub async fn seller(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let page = backend(&app, viewer).send_seller(&body).await;
    Ok(Redirect::to(&page.map_err(|error| problem_of(&error))?))
}

/// A file to keep; its name is of ours.
fn attachment(kind: &str, name: &str, content: impl IntoResponse) -> Response {
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    (headers, content).into_response()
}
