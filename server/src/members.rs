//! Who belongs to an org: `POST /settings/members` (one form per act, told apart by its field `do`), `POST
//! /settings/leave`, and `POST /switch` between the orgs that one belongs to.

use crate::access::SignedIn;
use crate::auth::session;
use crate::auth::sign_in::{Failure, redirect};
use crate::form::Fields;
use crate::notify::letter;
use crate::notify::mail::MailError;
use crate::pages::{PageRequest, shown_once};
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Viewer;
use app::backend::people::Shown;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use ledger::{OrgId, Role};
use std::net::IpAddr;
use store::{Invitation, StoreError, UserId};

const PAGE: &str = "/settings/members";

enum Done {
    /// A line for the page, by its code.
    Told(&'static str),
    /// A link that could not be sent, for whoever made it to pass on.
    Link(Shown),
}

/// Does what the form says.
///
/// # Errors
/// What the store says.
pub async fn act(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: PageRequest,
    body: String,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    let fields = Fields::parse(&body);
    let done = match fields.get("do") {
        "invite" => invite(&app, &viewer, fields.get("email"), fields.get("role")).await,
        "resend" => resend(&app, &viewer, fields.get("invitation")).await,
        "revoke" => revoke(&app, &viewer, fields.get("invitation")).await,
        "role" => change(&app, &viewer, fields.get("member"), role_named(fields.get("role")).map(Some)).await,
        "remove" => change(&app, &viewer, fields.get("member"), Ok(None)).await,
        _ => Err(Failure::Told("stale_form")),
    };
    match done {
        Ok(Done::Told(code)) => Ok(Redirect::to(&format!("{PAGE}?done={code}")).into_response()),
        Ok(Done::Link(shown)) => Ok(shown_once(&app, viewer, shown, request).await),
        Err(failure) => refused(failure, &fields),
    }
}

/// Takes whoever asks out of the org they look at.
///
/// # Errors
/// What the store says.
pub async fn leave(State(app): State<AppState>, SignedIn(viewer): SignedIn) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    match app.store.change_member(viewer.org, viewer.user, viewer.user, None, viewer.by()).await.map_err(told) {
        Ok(()) => {}
        Err(failure) => return refused(failure, &Fields::parse("")),
    }
    if app.store.memberships(viewer.user).await?.is_empty() {
        app.store.end_session(viewer.session).await?;
        return Ok(redirect("/sign-in?done=left", &[session::set_cookie(&app.config, "", 0)]));
    }
    Ok(Redirect::to("/").into_response())
}

/// Goes to another org of whoever asks. What they are no member of is not there for them.
///
/// # Errors
/// What the store says.
pub async fn switch(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    let org = Fields::parse(&body).get("org").parse().map(OrgId).map_err(|_| StoreError::NotFound("organization"))?;
    app.store.switch_org(viewer.session, org).await?;
    Ok(Redirect::to("/"))
}

async fn invite(app: &AppState, viewer: &Viewer, email: &str, role: &str) -> Result<Done, Failure> {
    let role = role_named(role)?;
    // Whoever is invited did not ask for it: a few mails in a quarter of an hour, whoever sends them.
    if !app.invited.admit(email, IpAddr::from([0, 0, 0, 0]), app.store.now()) {
        return Err(Failure::Told("invited_often"));
    }
    let token = session::new_token();
    let sent = app.store.invite(viewer.org, viewer.user, email, role, session::hash(&token), viewer.by()).await;
    let invitation = sent.map_err(told)?;
    let org = app.store.org(viewer.org).await?;
    let link = format!("{}/invitation?token={token}", app.config.base_url());
    let Invitation { email, invited_by, .. } = invitation;
    match app.mailer.send(letter::invitation(&email, &org.product, &org.name, &invited_by, role, &link)).await {
        Ok(()) => Ok(Done::Told("invited")),
        Err(MailError::NotSetUp) => Ok(Done::Link(Shown::Link { email, link, failed: false })),
        Err(error) => {
            tracing::warn!(%error, "an invitation was not sent");
            Ok(Done::Link(Shown::Link { email, link, failed: true }))
        }
    }
}

/// A new link to the same address as the same role: the old one is void.
async fn resend(app: &AppState, viewer: &Viewer, id: &str) -> Result<Done, Failure> {
    let id = number(id)?;
    let invitations = app.store.invitations(viewer.org).await?;
    let found = invitations.into_iter().find(|invitation| invitation.id == id);
    let Invitation { email, role, .. } = found.ok_or(Failure::Told("invitation_gone"))?;
    invite(app, viewer, &email, role.as_str()).await
}

async fn revoke(app: &AppState, viewer: &Viewer, id: &str) -> Result<Done, Failure> {
    let revoked = app.store.revoke_invitation(viewer.org, viewer.user, number(id)?, viewer.by()).await;
    match revoked {
        Err(StoreError::NotFound(_)) => Err(Failure::Told("invitation_gone")),
        other => other.map(|()| Done::Told("revoked")).map_err(told),
    }
}

async fn change(
    app: &AppState,
    viewer: &Viewer,
    member: &str,
    to: Result<Option<Role>, Failure>,
) -> Result<Done, Failure> {
    let (member, to) = (UserId(number(member)?), to?);
    app.store.change_member(viewer.org, viewer.user, member, to, viewer.by()).await.map_err(told)?;
    Ok(Done::Told(if to.is_some() { "role" } else { "removed" }))
}

fn role_named(name: &str) -> Result<Role, Failure> {
    Role::parse(name).ok_or(Failure::Told("bad_role"))
}

fn number(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| Failure::Told("stale_form"))
}

/// What the page has a sentence for.
fn told(error: StoreError) -> Failure {
    match error {
        StoreError::Refused(refusal) => Failure::Told(refusal.code()),
        StoreError::Conflict(_) => Failure::Told("is_member"),
        StoreError::BadRange(_) => Failure::Told("bad_email"),
        StoreError::NotFound(_) => Failure::Told("member_gone"),
        error => Failure::Store(error),
    }
}

/// Back to the page with what was wrong, and what was typed.
fn refused(failure: Failure, fields: &Fields) -> Result<Response, Problem> {
    let code = match failure {
        Failure::Told(code) => code,
        Failure::Store(error) => return Err(error.into()),
    };
    let mut query = vec![("error", code)];
    if fields.get("do") == "invite" {
        query.extend([("email", fields.get("email")), ("role", fields.get("role"))]);
    }
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    Ok(Redirect::to(&format!("{PAGE}?{query}")).into_response())
}
