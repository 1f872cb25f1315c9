//! Files of usage: what the Analytics page shows, the events behind it, and reports.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::backend::runs_csv::RunsCsv;
use app::backend::{Backend, EventsCsv};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const CSV: &str = "text/csv; charset=utf-8";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What the Analytics page shows, as CSV.
///
/// # Errors
/// A query that the page would refuse too.
pub async fn usage_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let file = backend.usage_csv(&query.unwrap_or_default()).await.map_err(|error| problem_of(&error))?;
    Ok(attachment(CSV, &file.name, Body::from(file.content)))
}

/// The same as a workbook.
///
/// # Errors
/// As [`usage_csv`].
pub async fn usage_xlsx(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let file = backend.usage_xlsx(&query.unwrap_or_default()).await.map_err(|error| problem_of(&error))?;
    Ok(attachment(XLSX, &file.name, Body::from(file.content)))
}

/// What the Reports page shows, as CSV.
///
/// # Errors
/// As [`usage_csv`].
pub async fn report_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let file = backend.report_csv(&query.unwrap_or_default()).await.map_err(|error| problem_of(&error))?;
    Ok(attachment(CSV, &file.name, Body::from(file.content)))
}

/// Usage and purchases of the page's period as FOCUS 1.0.
///
/// # Errors
/// As [`usage_csv`].
pub async fn focus_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let file = backend.focus_csv(&query.unwrap_or_default()).await.map_err(|error| problem_of(&error))?;
    Ok(attachment(CSV, &file.name, Body::from(file.content)))
}

/// What the Reports page shows, as a workbook.
///
/// # Errors
/// As [`usage_csv`].
pub async fn report_xlsx(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let file = backend.report_xlsx(&query.unwrap_or_default()).await.map_err(|error| problem_of(&error))?;
    Ok(attachment(XLSX, &file.name, Body::from(file.content)))
}

/// The events behind it, a piece of the store at a time.
///
/// # Errors
/// Where the store cannot begin. A failure later ends the connection, so that the file is not taken for a whole one.
pub async fn events_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let begun = EventsCsv::begin(&backend, &query.unwrap_or_default()).await;
    let export = begun.map_err(|error| problem_of(&error))?;
    let name = export.file_name();
    let pieces = futures::stream::try_unfold(export, async |mut export| {
        Ok::<_, AppError>(export.next().await?.map(|piece| (piece, export)))
    });
    Ok(attachment(CSV, &name, Body::from_stream(pieces)))
}

/// The runs of a list, as `/usage` shows them under the same address.
///
/// # Errors
/// As [`events_csv`].
pub async fn runs_csv(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let begun = RunsCsv::begin(&backend, &app::query::parse(&query.unwrap_or_default())).await;
    let export = begun.map_err(|error| problem_of(&error))?;
    let pieces = futures::stream::try_unfold(export, async |mut export| {
        Ok::<_, AppError>(export.next().await?.map(|piece| (piece, export)))
    });
    Ok(attachment(CSV, "runs.csv", Body::from_stream(pieces)))
}

/// A file to keep. Its name is made of dates and words of ours.
fn attachment(kind: &str, name: &str, content: Body) -> Response {
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    (headers, content).into_response()
}
