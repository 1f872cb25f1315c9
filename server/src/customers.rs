//! Mapping interactions from pages: `POST /interactions/{id}` maps one, `POST /customers/interactions` one that its form names, or many
//! by a CSV. Plain forms: the answer is the address of the interaction, or the page again, saying what came of it.

use crate::access::SignedIn;
use crate::mapping_csv::{self, MAX_BYTES, Report, Unreadable};
use crate::pages::{problem_of, written_out};
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::backend::{Backend, interactions, origin_of};
use app::components::customers::data::Told;
use app::components::{customers, written};
use app::query;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use ledger::Permission;

/// Where the forms are.
pub const PATH: &str = customers::interactions::PATH;
/// Most bytes of a form with a CSV in it: the CSV twice, as a file and pasted, and what is around them.
pub const MAX_FORM_BYTES: usize = 2 * MAX_BYTES + 64 * 1024;

/// Maps an interaction as the form of its page says.
///
/// # Errors
/// What could not be shown there.
pub async fn map_one(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let (parts, body) = request.into_parts();
    let form = text_of(body).await?;
    let told = match backend.map_interaction(Some(&id), &form).await {
        Ok(id) => return Ok(to_page(&id).into_response()),
        Err(error) => interactions::told(error).map_err(|error| problem_of(&error))?,
    };
    let asked = written::asked(&backend, origin_of(&parts.headers), parts.uri.path(), "")
        .await
        .map_err(|error| problem_of(&error))?;
    let page = customers::interaction::page(&asked, &id, Some(&told)).await;
    let request = Request::from_parts(parts, Body::empty());
    Ok(shown(written_out(&app, backend.viewer.clone(), request, page).await, &told))
}

/// Maps the interaction that the form names, or all of its CSV.
///
/// # Errors
/// What could not be shown on the page.
pub async fn map(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: Request,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let is_csv = |value: &str| value.starts_with("multipart/form-data");
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (parts, told) = if is_csv(content_type) {
        let (parts, body) = request.into_parts();
        let again = Request::from_parts(parts.clone(), body);
        (parts, map_csv(&backend, again).await?)
    } else {
        let (parts, body) = request.into_parts();
        match backend.map_interaction(None, &text_of(body).await?).await {
            Ok(id) => return Ok(to_page(&id).into_response()),
            Err(error) => (parts, interactions::told(error).map_err(|error| problem_of(&error))?),
        }
    };
    let asked =
        written::asked(&backend, origin_of(&parts.headers), PATH, "").await.map_err(|error| problem_of(&error))?;
    let page = customers::interactions::page(&asked, Some(&told)).await;
    let request = Request::from_parts(parts, Body::empty());
    Ok(shown(written_out(&app, backend.viewer.clone(), request, page).await, &told))
}

/// The page that says what came of it; refused where nothing was done.
fn shown(mut response: Response, told: &Told) -> Response {
    let nothing = match told {
        Told::Refused(_) => true,
        Told::Done(mapped, unchanged, rejected, _) => *rejected > 0 && mapped + unchanged == 0,
    };
    if nothing && response.status().is_success() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

fn to_page(id: &str) -> Redirect {
    Redirect::to(&format!("{}?mapped=yes", query::place("/interactions", id)))
}

async fn text_of(body: Body) -> Result<String, Problem> {
    // The route bounds it.
    let bytes = to_bytes(body, MAX_FORM_BYTES).await.map_err(|_| too_large())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn too_large() -> Problem {
    Problem::too_large("body_too_large", "the CSV is above 1 MiB: send it in parts")
}

async fn map_csv(backend: &Backend, request: Request) -> Result<Told, Problem> {
    let viewer = backend.allowed(Permission::ManageSettings).map_err(|error: AppError| problem_of(&error))?;
    let no_form = || Problem::bad_request("bad_form", "this is no form of the page: load it again");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| no_form())?;
    // The file counts where there is one.
    let mut csv = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| too_large())? {
        if !matches!(field.name(), Some("file" | "text")) || !csv.is_empty() {
            continue;
        }
        let bytes = field.bytes().await.map_err(|_| too_large())?;
        csv = bytes.to_vec();
    }
    if csv.is_empty() {
        return Ok(Told::Refused("Choose a file, or paste lines.".to_owned()));
    }
    let Ok(text) = String::from_utf8(csv) else {
        return Ok(Told::Refused("This is no CSV in UTF-8: save it as such.".to_owned()));
    };
    if text.len() > MAX_BYTES {
        return Err(too_large());
    }
    Ok(match mapping_csv::map(&backend.store, viewer.org, viewer.by(), &text).await? {
        Ok(Report { mapped, unchanged, rejected, errors }) => {
            let lines = errors.into_iter().map(|bad| (bad.line, bad.detail)).collect();
            Told::Done(mapped, unchanged, rejected, lines)
        }
        Err(Unreadable(_, detail)) => Told::Refused(format!("Nothing was done: {detail}.")),
    })
}
