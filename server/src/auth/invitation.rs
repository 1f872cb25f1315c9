//! `POST /invitation`: joins an org by the link of an invitation, as whoever is signed in or as somebody new.

use super::account::new_password;
use super::sign_in::{self, Failure, redirect};
use super::{address, password, password_rule, session};
use crate::form::Fields;
use crate::state::AppState;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use axum::response::{IntoResponse, Redirect, Response};
use store::{Guest, StoreError, UserId};

/// Joins and goes on to the org.
pub async fn accept(State(app): State<AppState>, extensions: Extensions, headers: HeaderMap, body: String) -> Response {
    let fields = Fields::parse(&body);
    match join(&app, &extensions, &headers, &fields).await {
        Ok(cookies) => redirect("/", &cookies),
        Err(Failure::Told(code)) => {
            let query = serde_urlencoded::to_string([("error", code), ("token", fields.get("token"))]);
            Redirect::to(&format!("/invitation?{}", query.unwrap_or_default())).into_response()
        }
        Err(Failure::Store(error)) => crate::problem::Problem::from(error).into_response(),
    }
}

/// The cookies of whoever joined: of somebody new a first session.
async fn join(
    app: &AppState,
    extensions: &Extensions,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<Vec<String>, Failure> {
    let token = session::hash(fields.get("token"));
    let invited = app.store.invited(token).await?.ok_or(Failure::Told("invitation_late"))?;
    let from = address::of(&app.config, headers, extensions);
    if invited.has_account {
        let (user, browser) = signed_in(app, headers, &invited.email).await?;
        let (_, org) = accepted(app.store.accept_invitation(token, Guest::Known(user), from).await)?;
        if let Some(browser) = browser {
            app.store.switch_org(browser, org).await?;
        }
        return Ok(Vec::new());
    }
    let new = new_password(fields)?;
    let words = [invited.email.as_str(), invited.org_name.as_str()];
    password_rule::check(&new, &words).map_err(|weak| Failure::Told(weak.code()))?;
    let hash = password::hashed(new).await.ok_or(Failure::Told("invitation_late"))?;
    let (user, _) = accepted(app.store.accept_invitation(token, Guest::New(hash), from).await)?;
    Ok(vec![sign_in::begin(app, extensions, headers, user).await?])
}

fn accepted<T>(answer: Result<T, StoreError>) -> Result<T, Failure> {
    answer.map_err(|error| match error {
        StoreError::NotFound(_) | StoreError::Conflict(_) => Failure::Told("invitation_late"),
        error => Failure::Store(error),
    })
}

/// Whoever is signed in, if the invitation is for them, and their session.
async fn signed_in(app: &AppState, headers: &HeaderMap, email: &str) -> Result<(UserId, Option<[u8; 32]>), Failure> {
    let browser = session::token(&app.config, headers).map(session::hash).ok_or(Failure::Told("sign_in_first"))?;
    let who = app.store.session_person(browser).await?.ok_or(Failure::Told("sign_in_first"))?;
    if who.1 == email { Ok((who.0, Some(browser))) } else { Err(Failure::Told("other_account")) }
}
