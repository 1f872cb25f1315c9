//! What operators do from pages: organizations, adjustments with a reason, verification, backups. Long work runs beside the
//! requests, one of a kind at a time; its page looks again by itself.

use crate::access::SignedIn;
use crate::jobs;
use crate::pages::{PageRequest, problem_of, with_office};
use crate::preset::Preset;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::{Backend, Viewer};
use app::components::operator::{BACKUPS, Check, Office, Said, VERIFY};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, REFRESH};
use axum::response::{IntoResponse, Redirect, Response};
use ledger::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;
use tokio_util::io::ReaderStream;

/// Folder of snapshots in the data folder.
const FOLDER: &str = "backups";
/// Snapshots that are listed.
const MAX_LISTED: usize = 100;
/// Seconds after which a page with work under way looks again.
const LOOK_AGAIN_S: &str = "2";

/// Work that was begun from a page.
#[derive(Clone, Default)]
pub struct Upkeep(Arc<Mutex<Works>>);

#[derive(Default)]
struct Works {
    check: Check,
    backing_up: bool,
    backup_error: Option<String>,
}

impl Upkeep {
    fn works(&self) -> std::sync::MutexGuard<'_, Works> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a verification may begin now; if so, it has.
    fn begin_check(&self) -> bool {
        let mut works = self.works();
        let free = !matches!(works.check, Check::Running(..));
        if free {
            works.check = Check::Running(0, 0);
        }
        free
    }

    fn begin_backup(&self) -> bool {
        let mut works = self.works();
        let free = !works.backing_up;
        works.backing_up = true;
        free
    }
}

/// Any page of operators.
///
/// # Errors
/// What the store says.
pub async fn page(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: PageRequest,
) -> Result<Response, Problem> {
    show(&app, viewer, request, None).await
}

async fn show(
    app: &AppState,
    viewer: Option<Viewer>,
    request: PageRequest,
    said: Option<Said>,
) -> Result<Response, Problem> {
    let mut office = Office { jobs: jobs::JOBS.to_vec(), said, presets: preset_names(app), ..Office::default() };
    let path = request.path().to_owned();
    if path == BACKUPS {
        office.backups = snapshots(&app.config.data.join(FOLDER));
    }
    {
        let works = app.upkeep.works();
        office.check = works.check.clone();
        office.backing_up = works.backing_up;
        office.backup_error.clone_from(&works.backup_error);
    }
    let running =
        (path == VERIFY && matches!(office.check, Check::Running(..))) || (path == BACKUPS && office.backing_up);
    let mut response = with_office(app, viewer, office, request).await;
    if running {
        response.headers_mut().insert(REFRESH, HeaderValue::from_static(LOOK_AGAIN_S));
    }
    Ok(response)
}

/// Makes an org, adjusts a balance or sets a policy, as the form says.
///
/// # Errors
/// What the store says.
pub async fn organizations(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: PageRequest,
    body: String,
) -> Result<Response, Problem> {
    let backend = Backend { store: app.store.clone(), viewer: viewer.clone() };
    let folder = app.config.data.clone();
    let preset =
        move |name: &str| Preset::named(name, &folder).ok()??.new_org(String::new(), String::new(), false).ok();
    match backend.act_on_organization(&body, preset).await.map_err(|error| problem_of(&error))? {
        Ok(page) => Ok(Redirect::to(&page).into_response()),
        Err(problem) => show(&app, viewer, request, Some(Said::Wrong(problem))).await,
    }
}

/// Notes in the audit log who did something to the whole installation.
async fn note(app: &AppState, viewer: Option<Viewer>, action: &'static str, target: &str) -> Result<(), Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    Ok(app.store.note_operator(viewer.org, viewer.by(), action, target.to_owned()).await?)
}

/// Begins to verify the ledger.
///
/// # Errors
/// What the store says.
pub async fn verify(State(app): State<AppState>, SignedIn(viewer): SignedIn) -> Result<Redirect, Problem> {
    note(&app, viewer, "operator.verify", "").await?;
    if app.upkeep.begin_check() {
        tokio::spawn(check(app.store.clone(), app.upkeep.clone()));
    }
    Ok(Redirect::to(VERIFY))
}

async fn check(store: Store, upkeep: Upkeep) {
    let (begun, progress) = (store.now(), upkeep.clone());
    let verified = store.verify(move |done, of| progress.works().check = Check::Running(done, of)).await;
    let noted = verified.as_ref().map(|verified| verified.events);
    let found = match &verified {
        Ok(found) if !found.problems.is_empty() => Err(store::StoreError::Internal(found.problems.join("; "))),
        Ok(_) => Ok(noted.unwrap_or_default()),
        Err(error) => Err(store::StoreError::Internal(error.to_string())),
    };
    let check = match verified {
        Ok(found) => Check::Done(store.now().to_string(), [found.orgs, found.entries, found.events], found.problems),
        Err(error) => Check::Failed(error.to_string()),
    };
    upkeep.works().check = check;
    jobs::note(&store, "verify", begun, found.map(|events| events.max(1))).await;
}

/// Begins to write a snapshot into the data folder.
///
/// # Errors
/// What the store says.
pub async fn backup(State(app): State<AppState>, SignedIn(viewer): SignedIn) -> Result<Redirect, Problem> {
    if app.upkeep.begin_backup() {
        let name = format!("scrip-{}.db", app.store.now().to_string().replace([':', '.'], "-"));
        note(&app, viewer, "operator.backup", &name).await?;
        tokio::spawn(snapshot(app.store.clone(), app.upkeep.clone(), app.config.data.join(FOLDER), name));
    }
    Ok(Redirect::to(BACKUPS))
}

async fn snapshot(store: Store, upkeep: Upkeep, folder: PathBuf, name: String) {
    let begun: Timestamp = store.now();
    let made = match tokio::fs::create_dir_all(&folder).await {
        Ok(()) => store.backup(&folder.join(&name)).await,
        Err(error) => Err(store::StoreError::Internal(error.to_string())),
    };
    {
        let mut works = upkeep.works();
        works.backing_up = false;
        works.backup_error = made.as_ref().err().map(|error| match error {
            store::StoreError::Internal(why) => why.clone(),
            other => other.to_string(),
        });
    }
    jobs::note(&store, "backup", begun, made.map(|()| 1)).await;
}

/// A snapshot, to be kept elsewhere.
///
/// # Errors
/// 404 where there is none of that name.
pub async fn download(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let gone = || Problem::not_found("there is no such snapshot");
    let folder = app.config.data.join(FOLDER);
    // A name that is listed is a name in the folder and leads nowhere else.
    if !snapshots(&folder).iter().any(|(listed, _)| *listed == name) {
        return Err(gone());
    }
    let file = tokio::fs::File::open(folder.join(&name)).await.map_err(|_| gone())?;
    note(&app, viewer, "operator.download", &name).await?;
    let attachment = format!("attachment; filename=\"{name}\"");
    let headers = [(CONTENT_TYPE, "application/vnd.sqlite3".to_owned()), (CONTENT_DISPOSITION, attachment)];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

/// Names and sizes, newest first: names begin with the time.
fn snapshots(folder: &std::path::Path) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let listed = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let size = entry.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        (plain && name.starts_with("scrip-") && name.ends_with(".db")).then_some((name, size))
    });
    let mut listed: Vec<_> = listed.collect();
    listed.sort_by(|a, b| b.cmp(a));
    listed.truncate(MAX_LISTED);
    listed
}

fn preset_names(app: &AppState) -> Vec<String> {
    Preset::usable(&app.config.data).into_iter().map(|preset| preset.name).collect()
}
