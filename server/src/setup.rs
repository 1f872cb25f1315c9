//! The first start: `GET` and `POST /setup/{token}` by the link that `scrip serve` prints, then `/setup` for whoever used it,
//! by their session. For everybody else there is no such page.
//!
//! Every request asks the store how far the first start has come; nothing of it is remembered here, so that a server that is
//! started again goes on where the owner was.

use crate::auth::account::new_password;
use crate::auth::api_key::FreshKey;
use crate::auth::sign_in::{Failure, begin, redirect};
use crate::auth::{address, password, password_rule, session};
use crate::form::Fields;
use crate::pages;
use crate::pages::problem_of;
use crate::preset::{Plan, Preset};
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::setup::{Base, Done, FreshKey as Key, Wizard, chart_of_last_event};
use app::backend::{UserId, origin_of};
use app::components::setup::{self as view, Choice, Frame, Progress, SETUP, Step};
use app::markup::Markup;
use app::theme::Theme;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::Stream;
use ledger::OrgId;
use std::convert::Infallible;
use std::time::Duration;
use store::{By, StoreError};
use tokio::sync::OwnedSemaphorePermit;

/// Browsers that wait for the first event at once: one person has few.
pub const MAX_WAITING: usize = 8;
/// How often a waiting browser's question is asked of the store, and how many times before the stream ends: less than a
/// server gets to close. The browser comes again by itself.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ASK_TIMES: u32 = 16;

/// Nothing but styles, the wizard's script and pictures of ours; no script in the page itself.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The form for the first account.
///
/// # Errors
/// What the store says.
pub async fn link(
    State(app): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    if !app.store.setup_link(session::hash(&token)).await? {
        return Ok(pages::not_found(app, request).await);
    }
    let content = view::account(&format!("{SETUP}/{token}"), "", None);
    page(&app, request.headers(), StatusCode::OK, Some(Step::Account), account_page(content)).await
}

/// Makes the first account, signs it in, and uses the link up.
///
/// # Errors
/// What the store says.
pub async fn account(
    State(app): State<AppState>,
    Path(token): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    let fields = Fields::parse(&body);
    match first_owner(&app, &token, &fields).await {
        Ok(user) => match begin(&app, &extensions, &headers, user).await {
            Ok(cookie) => Ok(redirect(SETUP, &[cookie])),
            Err(Failure::Store(error)) => Err(error.into()),
            // Nothing else is said there; signing in leads on.
            Err(Failure::Told(_)) => Ok(Redirect::to("/sign-in").into_response()),
        },
        Err(Failure::Told(code)) => {
            let problem = app::components::people::problem(code);
            let content = view::account(&format!("{SETUP}/{token}"), fields.get("email"), Some(problem));
            page(&app, &headers, StatusCode::UNPROCESSABLE_ENTITY, Some(Step::Account), account_page(content)).await
        }
        Err(Failure::Store(StoreError::NotFound(_))) => Err(gone()),
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

fn account_page(content: Vec<Markup>) -> Markup {
    view::page(Progress { current: Step::Account, next: Step::Account, founded: false }, content)
}

async fn first_owner(app: &AppState, token: &str, fields: &Fields) -> Result<UserId, Failure> {
    let token = session::hash(token);
    // Before the slow hash of a password, so that nobody without the link costs it.
    if !app.store.setup_link(token).await? {
        return Err(StoreError::NotFound("link").into());
    }
    let email = fields.get("email");
    let new = new_password(fields)?;
    password_rule::check(&new, &[email]).map_err(|weak| Failure::Told(weak.code()))?;
    let hash = password::hashed(new).await.ok_or(Failure::Told("stale_form"))?;
    match app.store.first_owner(token, email, &hash).await {
        Err(StoreError::BadRange(_)) => Err(Failure::Told("bad_email")),
        made => Ok(made?),
    }
}

/// The step of the wizard that the owner is at, or where the link is to be found while nobody is here.
///
/// # Errors
/// What the store says.
pub async fn wizard(State(app): State<AppState>, request: Request) -> Result<Response, Problem> {
    if !app.store.has_people().await? {
        return page(&app, request.headers(), StatusCode::OK, None, view::closed()).await;
    }
    let Some(wizard) = wizard_of(&app, request.headers(), request.extensions()).await? else {
        return Ok(pages::not_found(app, request).await);
    };
    let viewer = session::viewer(&app, request.headers()).await?;
    let looked_at = wizard.standing.org.filter(|org| viewer.is_some_and(|viewer| viewer.org == *org));
    if let Some(org) = looked_at.filter(|_| wizard.standing.received) {
        let chart = chart_of_last_event(&app.store, org).await.map_err(|error| problem_of(&error))?;
        return Ok(Redirect::to(&chart).into_response());
    }
    let (step, markup) = wizard.page(request.uri().query().unwrap_or_default()).await.map_err(|e| problem_of(&e))?;
    page(&app, request.headers(), StatusCode::OK, Some(step), markup).await
}

/// Does what a form of the wizard says.
///
/// # Errors
/// 404 for everybody but the owner, or what the store says.
pub async fn act(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    let wizard = wizard_of(&app, &headers, &extensions).await?.ok_or_else(gone)?;
    let FreshKey { text, prefix, hash } = FreshKey::draw();
    let key = Key { origin: origin_of(&headers), text, prefix, hash };
    match wizard.send(&body, key).await.map_err(|error| problem_of(&error))? {
        Done::At(path) => Ok(Redirect::to(&path).into_response()),
        Done::Again(step, markup) => page(&app, &headers, StatusCode::UNPROCESSABLE_ENTITY, Some(step), markup).await,
        Done::Shown(markup) => page(&app, &headers, StatusCode::OK, Some(Step::Key), markup).await,
        Done::Over(org, path) => {
            look_at(&app, &headers, org).await?;
            Ok(Redirect::to(&path).into_response())
        }
        Done::Founded(markup, org, sample) => {
            look_at(&app, &headers, org).await?;
            if let Some(preset) = sample {
                tokio::spawn(fill_sample(app.clone(), preset, wizard.user));
            }
            page(&app, &headers, StatusCode::OK, Some(Step::Key), markup).await
        }
    }
}

/// The owner's pages show that org from now on, also beside a sample.
async fn look_at(app: &AppState, headers: &HeaderMap, org: OrgId) -> Result<(), Problem> {
    match session::token(&app.config, headers) {
        Some(token) => Ok(app.store.switch_org(session::hash(token), org).await?),
        None => Ok(()),
    }
}

/// Beside everything else: whoever waits for their first event need not wait for a sample.
async fn fill_sample(app: AppState, preset: String, user: UserId) {
    if let Err(failure) = crate::cli::sample_beside(&app.store, &preset, user).await {
        tracing::warn!(%failure, preset, "the sample was not made, or not all of it");
    }
}

/// Says `received`, and where to go on, as soon as the org has its first event. The stream is short, and ends by itself.
///
/// # Errors
/// 404 for everybody but the owner, 503 where too many wait.
pub async fn waiting(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let wizard = wizard_of(&app, &headers, &extensions).await?.filter(|wizard| wizard.standing.org.is_some());
    let user = wizard.ok_or_else(gone)?.user;
    let place = std::sync::Arc::clone(&app.waiting).try_acquire_owned().map_err(|_| StoreError::Busy)?;
    Ok(Sse::new(futures::stream::unfold(Some(Waiting { app, user, asked: 0, _place: place }), Waiting::next)))
}

struct Waiting {
    app: AppState,
    user: UserId,
    asked: u32,
    _place: OwnedSemaphorePermit,
}

impl Waiting {
    async fn next(this: Option<Self>) -> Option<(Result<Event, Infallible>, Option<Self>)> {
        let mut this = this.filter(|this| this.asked < ASK_TIMES)?;
        if this.asked > 0 {
            tokio::time::sleep(ASK_EVERY).await;
        }
        this.asked += 1;
        let still = Event::default().retry(ASK_EVERY).comment("waiting");
        // What cannot be read now is asked again. The wizard knows where its chart is.
        match this.app.store.setup_of(this.user).await {
            Ok(Some(setup)) if setup.received => Some((Ok(Event::default().event("received").data(SETUP)), None)),
            Ok(None) => None,
            Ok(Some(_)) | Err(_) => Some((Ok(still), Some(this))),
        }
    }
}

/// The wizard of whoever is signed in; `None` for everybody but its owner, and once it is over.
async fn wizard_of<'a>(
    app: &'a AppState,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Option<Wizard<'a>>, Problem> {
    let Some((user, email)) = owner(app, headers).await? else { return Ok(None) };
    let Some(standing) = app.store.setup_of(user).await? else { return Ok(None) };
    let by = By::user(&email, address::of(&app.config, headers, extensions));
    Ok(Some(Wizard {
        store: &app.store,
        user,
        by,
        standing,
        bases: Preset::usable(app.store.folder()).into_iter().map(base).collect(),
    }))
}

async fn owner(app: &AppState, headers: &HeaderMap) -> Result<Option<(UserId, String)>, Problem> {
    match session::token(&app.config, headers) {
        Some(token) => Ok(app.store.session_person(session::hash(token)).await?),
        None => Ok(None),
    }
}

/// Where whoever is not signed in to any org is at home while the first start goes on; `None` once it is over for them.
///
/// # Errors
/// What the store says.
pub async fn home(app: &AppState, headers: &HeaderMap) -> Result<Option<Redirect>, Problem> {
    let going_on = match owner(app, headers).await? {
        Some((user, _)) => app.store.setup_of(user).await?.is_some_and(|setup| setup.org.is_none()),
        None => !app.store.has_people().await?,
    };
    Ok(going_on.then(|| Redirect::to(SETUP)))
}

/// A plan in a list: its name, and what people read.
fn told(plan: &Plan) -> (String, String) {
    let price = plan.money().ok().flatten().map_or_else(String::new, |price| format!(", {price} a month"));
    (plan.name.clone(), format!("{}{price}", plan.title))
}

fn base(preset: Preset) -> Base {
    let list = |names: Vec<&str>| names.join(", ");
    let contains = vec![
        ("Credit types", list(preset.meters.iter().map(|meter| meter.title.as_str()).collect())),
        ("Sources", list(preset.sources.iter().map(|source| source.title.as_str()).collect())),
        ("Words", list(vec![&preset.words.unit, &preset.words.workflow, &preset.words.workflows])),
        ("Plans", list(preset.plans.iter().map(|plan| plan.title.as_str()).collect())),
    ];
    let contains = contains.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let choice = Choice {
        name: preset.name.clone(),
        title: preset.title.clone(),
        description: preset.description.clone(),
        contains,
        plans: preset.plans.iter().filter(|plan| !plan.is_custom()).map(told).collect(),
        sample: preset.sample.is_some(),
    };
    // A preset that is listed was checked.
    let offers = preset.offers().unwrap_or_default();
    let (meters, agents) = (preset.meter_infos(), preset.agents());
    Base { choice, meters, agents, words: preset.words, lines: preset.lines, offers }
}

async fn page(
    app: &AppState,
    headers: &HeaderMap,
    status: StatusCode,
    step: Option<Step>,
    main: Markup,
) -> Result<Response, Problem> {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok());
    let theme = cookies.map_or(Theme::System, Theme::of_cookies);
    let product = app.store.installation().await?.product;
    let frame = Frame { assets: app.site.assets(), theme, product };
    let html = frame.document(step.map_or("Not set up yet", Step::title), step == Some(Step::Event), main);
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    Ok((status, headers, html).into_response())
}

fn gone() -> Problem {
    Problem::not_found("there is nothing at this address")
}
