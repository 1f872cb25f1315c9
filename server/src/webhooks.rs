//! Endpoints from their pages: plain forms, then a redirect to the page that says what came of it.
//!
//! Before an address is kept it is read and looked up as when something is sent there ([`crate::outgoing`]), so that whoever types it hears
//! at once what is wrong with it. It is looked at again each time: what a name says today says nothing of tomorrow.

use crate::access::SignedIn;
use crate::jobs::deliveries::ByHandError;
use crate::outgoing::CallError;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::backend::Viewer;
use app::components::webhooks::PATH;
use app::query;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use ledger::endpoint::Shape;
use ledger::{DeliveryId, EndpointId, MessageKind, OrgId, Permission};
use store::StoreError;
use store::outbox::endpoint::NewEndpoint;

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), format!("url cannot be used: {error}"))
    }
}

type Pairs = Vec<(String, String)>;

fn get<'a>(form: &'a Pairs, name: &str) -> &'a str {
    form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

/// Whoever is signed in and may: the guard has asked the same.
fn allowed(viewer: Option<Viewer>) -> Result<Viewer, Problem> {
    let viewer = viewer.ok_or_else(|| problem_of(&AppError::NotSignedIn))?;
    if viewer.role.may(Permission::ManageSettings) {
        return Ok(viewer);
    }
    let problem = Permission::ManageSettings.refusal(viewer.role);
    Err(problem_of(&AppError::Refused { problem }))
}

/// What the form says an endpoint is; its address is one that may be sent to.
async fn wanted(app: &AppState, org: OrgId, form: &Pairs) -> Result<NewEndpoint, ByHandError> {
    let url = get(form, "url").trim().to_owned();
    app.courier.check(org, &url).await?;
    let is_chosen = |kind: &MessageKind| form.iter().any(|(name, value)| name == "kind" && value == kind.as_str());
    Ok(NewEndpoint {
        shape: Shape::parse(get(form, "shape")).unwrap_or(Shape::Webhook),
        title: get(form, "title").trim().to_owned(),
        url,
        kinds: MessageKind::ALL.into_iter().filter(is_chosen).collect(),
    })
}

/// The way back to the form, with what was typed.
fn back(path: &str, code: &str, form: &Pairs, place: &str) -> Redirect {
    let mut search = String::new();
    query::push(&mut search, "error", code);
    for (name, value) in form.iter().filter(|(name, _)| name != "do") {
        query::push(&mut search, name, value);
    }
    Redirect::to(&format!("{path}?{search}#{place}"))
}

/// An address that is not taken leads back to its form.
fn refused(error: ByHandError, path: &str, form: &Pairs, place: &str) -> Result<Redirect, Problem> {
    match error {
        ByHandError::Address(error) => Ok(back(path, error.code(), form, place)),
        ByHandError::Full(_) => Ok(back(path, "rate_limited", form, place)),
        ByHandError::Store(error) => Err(error.into()),
    }
}

/// What a form was not taken for, as a code for its page.
fn code_of(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Refused(refusal) => Some(refusal.code()),
        StoreError::TooMany(_) => Some("too_many"),
        _ => None,
    }
}

/// Makes an endpoint.
///
/// # Errors
/// What the store says.
pub async fn create(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let (viewer, form) = (allowed(viewer)?, query::parse(&body));
    let new = match wanted(&app, viewer.org, &form).await {
        Ok(new) => new,
        Err(error) => return refused(error, PATH, &form, "add"),
    };
    match app.store.create_endpoint(viewer.org, new, viewer.by()).await {
        Ok(made) => Ok(Redirect::to(&format!("{PATH}/{}?done=created", made.id))),
        Err(error) => code_of(&error).map(|code| back(PATH, code, &form, "add")).ok_or_else(|| error.into()),
    }
}

/// Changes, tests, rotates, disables, enables or deletes an endpoint.
///
/// # Errors
/// What the store says.
pub async fn act(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    body: String,
) -> Result<Redirect, Problem> {
    let (viewer, form) = (allowed(viewer)?, query::parse(&body));
    let id = EndpointId::parse(&id).ok_or_else(|| problem_of(&AppError::NotFound))?;
    let (org, by, here) = (viewer.org, viewer.by(), format!("{PATH}/{id}"));
    let done = match get(&form, "do") {
        "test" => {
            return match app.courier.test(org, id, by).await {
                Ok(delivery) => Ok(Redirect::to(&format!("{here}/{delivery}?done=tried"))),
                Err(ByHandError::Full(_)) => Ok(Redirect::to(&format!("{here}?done=busy"))),
                Err(error) => Err(error.into()),
            };
        }
        "save" => {
            let new = match wanted(&app, org, &form).await {
                Ok(new) => new,
                Err(error) => return refused(error, &here, &form, "settings"),
            };
            if let Err(error) = app.store.change_endpoint(org, id, new, by).await {
                return code_of(&error).map(|code| back(&here, code, &form, "settings")).ok_or_else(|| error.into());
            }
            "saved"
        }
        "rotate" => app.store.rotate_endpoint(org, id, by).await.map(|_| "rotated")?,
        "enable" => app.store.enable_endpoint(org, id, true, by).await.map(|_| "enabled")?,
        "disable" => app.store.enable_endpoint(org, id, false, by).await.map(|_| "disabled")?,
        "delete" => {
            app.store.delete_endpoint(org, id, by).await?;
            return Ok(Redirect::to(&format!("{PATH}?done=deleted")));
        }
        _ => return Ok(Redirect::to(&here)),
    };
    Ok(Redirect::to(&format!("{here}?done={done}")))
}

/// Sends a delivery again.
///
/// # Errors
/// What the store says.
pub async fn again(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path((endpoint, delivery)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    let viewer = allowed(viewer)?;
    let found = EndpointId::parse(&endpoint).zip(DeliveryId::parse(&delivery));
    let (endpoint, delivery) = found.ok_or_else(|| problem_of(&AppError::NotFound))?;
    let done = match app.courier.again(viewer.org, delivery, viewer.by()).await {
        Ok(()) => "tried",
        Err(ByHandError::Full(_)) => "busy",
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("{PATH}/{endpoint}/{delivery}?done={done}")))
}
