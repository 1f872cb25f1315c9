//! What people say of a workflow, from its page: `POST /workflows/{id}`. A plain form: the answer is the address of the page, or the page
//! again, saying why nothing was done.

use crate::access::SignedIn;
use crate::pages::{problem_of, written_out};
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::backend::{Backend, origin_of};
use app::components::runs::filter::path_of;
use app::components::{workflows, written};
use app::query;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

/// Most bytes of the form: two fields of 256 letters, escaped.
pub const MAX_FORM_BYTES: usize = 8 * 1024;

/// Changes a workflow's name and project.
///
/// # Errors
/// What could not be shown on its page.
pub async fn set(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let (parts, body) = request.into_parts();
    let search = parts.uri.query().unwrap_or_default().to_owned();
    // `.` and `..` cannot stand in a path.
    let id = query::parse(&search).into_iter().find(|(name, _)| name == "id").map_or(id, |(_, id)| id);
    let bytes = to_bytes(body, MAX_FORM_BYTES).await.map_err(|_| too_large())?;
    let problem = match backend.set_workflow(&id, &String::from_utf8_lossy(&bytes)).await {
        Ok(()) => {
            let page = path_of(workflows::PATH, &id);
            let joint = if page.contains('?') { '&' } else { '?' };
            return Ok(Redirect::to(&format!("{page}{joint}saved=yes#settings")).into_response());
        }
        Err(AppError::Refused { problem }) => problem,
        Err(error) => return Err(problem_of(&error)),
    };
    let asked = written::asked(&backend, origin_of(&parts.headers), parts.uri.path(), &search)
        .await
        .map_err(|error| problem_of(&error))?;
    let page = workflows::one::page(&asked, Some(&format!("Nothing was changed: {problem}."))).await;
    let request = Request::from_parts(parts, Body::empty());
    let mut response = written_out(&app, backend.viewer.clone(), request, page).await;
    if response.status().is_success() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn too_large() -> Problem {
    Problem::too_large("body_too_large", "this is no form of the page: load it again")
}
