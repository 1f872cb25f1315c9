//! `POST /sign-in` and `POST /sign-out`: plain forms, so that they work without JavaScript.

use super::session;
use crate::state::AppState;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use ledger::Timestamp;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use store::StoreError;

const SECONDS_PER_DAY: u64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// What the sign-in form sends.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

enum Failure {
    Credentials,
    Throttled,
    Store(StoreError),
}

/// Signs in and goes on to `next`, or back to the form.
pub async fn sign_in(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let next = session::local_path(&credentials.next).to_owned();
    let before = session::token(&app.config, &headers).map(session::hash);
    match check(&app, address(&extensions), credentials, before).await {
        Ok(token) => redirect(&next, &session::set_cookie(&app.config, &token, lifetime_s(&app))),
        Err(Failure::Credentials) => Redirect::to(&session::sign_in_path(Some("credentials"), &next)).into_response(),
        Err(Failure::Throttled) => Redirect::to(&session::sign_in_path(Some("throttled"), &next)).into_response(),
        Err(Failure::Store(error)) => crate::problem::Problem::from(error).into_response(),
    }
}

/// Ends the session, here and in the store.
pub async fn sign_out(State(app): State<AppState>, headers: HeaderMap) -> Response {
    if let Some(token) = session::token(&app.config, &headers)
        && let Err(error) = app.store.end_session(session::hash(token)).await
    {
        return crate::problem::Problem::from(error).into_response();
    }
    redirect("/sign-in", &session::set_cookie(&app.config, "", 0))
}

/// A new token for whoever the credentials belong to. A session from before ends: its token may have been seen by others.
async fn check(
    app: &AppState,
    address: IpAddr,
    credentials: Credentials,
    before: Option<[u8; 32]>,
) -> Result<String, Failure> {
    let now = app.store.now();
    if !app.throttle.admit(&credentials.email, address, now) {
        return Err(Failure::Throttled);
    }
    let user = app.store.user_by_email(&credentials.email).await.map_err(Failure::Store)?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let fits = app.passwords.verify(credentials.password, stored).await;
    let Some(user) = user.filter(|_| fits) else { return Err(Failure::Credentials) };
    app.throttle.succeeded(&credentials.email, address);
    if let Some(before) = before {
        app.store.end_session(before).await.map_err(Failure::Store)?;
    }
    let token = session::new_token();
    let lifetime = i64::try_from(lifetime_s(app)).unwrap_or(i64::MAX).saturating_mul(MICROS_PER_SECOND);
    let expires_at = Timestamp::from_micros(now.micros().saturating_add(lifetime));
    app.store.create_session(session::hash(&token), user.id, expires_at).await.map_err(Failure::Store)?;
    Ok(token)
}

fn lifetime_s(app: &AppState) -> u64 {
    u64::from(app.config.session_days) * SECONDS_PER_DAY
}

/// Where the connection comes from; behind a proxy that is the proxy, and the email alone tells attempts apart.
fn address(extensions: &Extensions) -> IpAddr {
    extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip())
}

fn redirect(to: &str, cookie: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    // Made of our own letters only.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
