//! Forgotten passwords: `POST /forgot-password` sends a link, `POST /reset-password` sets a new one by it.
//!
//! Whoever asks for a link is answered at once and always the same, before anybody looks whether the address is known:
//! neither words nor time tell whose accounts there are.

use super::account::new_password;
use super::sign_in::Failure;
use super::{address, password, password_rule, session};
use crate::form::Fields;
use crate::notify::letter;
use crate::state::AppState;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use axum::response::{IntoResponse, Redirect, Response};
use std::net::{IpAddr, Ipv4Addr};
use store::StoreError;

const ANYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Sends a link to an account's address, if there is one.
pub async fn forgot(State(app): State<AppState>, body: String) -> Redirect {
    let email = Fields::parse(&body).get("email").to_owned();
    // Counted whether or not there is such a person, so that nobody's mailbox is filled.
    if app.mailer.is_set_up() && app.resets.admit(&email, ANYWHERE, app.store.now()) {
        tokio::spawn(async move {
            if let Err(error) = send_link(&app, &email).await {
                tracing::warn!(%error, "a link for a new password was not made");
            }
        });
    }
    Redirect::to("/forgot-password?done=sent")
}

async fn send_link(app: &AppState, email: &str) -> Result<(), StoreError> {
    let Some(user) = app.store.user_by_email(email).await? else { return Ok(()) };
    let token = session::new_token();
    app.store.begin_reset(user.id, session::hash(&token)).await?;
    let link = format!("{}/reset-password?token={token}", app.config.base_url());
    let product = app.store.installation().await?.product;
    app.post(letter::reset(&user.email, &product, &link));
    Ok(())
}

/// Sets a new password by a link. Nobody is signed in by it: a second factor is asked for as always.
pub async fn reset(State(app): State<AppState>, extensions: Extensions, headers: HeaderMap, body: String) -> Response {
    let fields = Fields::parse(&body);
    let token = fields.get("token").to_owned();
    let from = address::of(&app.config, &headers, &extensions);
    match set(&app, &fields, session::hash(&token), from).await {
        Ok(()) => Redirect::to("/sign-in?done=reset").into_response(),
        Err(Failure::Told(code)) => {
            let query = serde_urlencoded::to_string([("error", code), ("token", &token)]).unwrap_or_default();
            Redirect::to(&format!("/reset-password?{query}")).into_response()
        }
        Err(Failure::Store(error)) => crate::problem::Problem::from(error).into_response(),
    }
}

async fn set(app: &AppState, fields: &Fields, token: [u8; 32], from: Option<String>) -> Result<(), Failure> {
    let late = || Failure::Told("link_late");
    let (user, email) = app.store.reset_of(token).await?.ok_or_else(late)?;
    let new = new_password(fields)?;
    let orgs = app.store.memberships(user).await?;
    let words: Vec<&str> = orgs.iter().map(|org| org.name.as_str()).chain([email.as_str()]).collect();
    password_rule::check(&new, &words).map_err(|weak| Failure::Told(weak.code()))?;
    let hash = password::hashed(new).await.ok_or_else(late)?;
    match app.store.reset_password(token, hash, from).await {
        Ok(()) => {}
        Err(StoreError::NotFound(_)) => return Err(late()),
        Err(error) => return Err(error.into()),
    }
    let product = app.store.installation().await?.product;
    app.post(letter::password_changed(&email, &product, "set anew by a link in a mail"));
    Ok(())
}
