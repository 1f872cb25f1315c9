//! `POST /sign-in`, `POST /sign-in/code` and `POST /sign-out`: plain forms, so that they work without JavaScript.
//!
//! Where a second factor is set up, the right password gives only a half session: another cookie that opens nothing but
//! the page for the code. Each of the two steps begins with a token that nobody had before, so that a token planted in a
//! browser is worth nothing after signing in.

use super::{address, session, totp};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Form;
use axum::extract::State;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use ledger::Timestamp;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};
use store::audit::By;
use store::second_factor::HALF_SESSION_US;
use store::{NewSession, StoreError, UserId};

const SECONDS_PER_DAY: u64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// Codes are counted per person wherever they come from: whoever guesses them has the password already.
const ANYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What the sign-in form sends.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// What the form of the second step sends.
#[derive(Deserialize)]
pub struct Code {
    code: String,
    #[serde(default)]
    next: String,
}

/// Why somebody is not signed in.
pub enum Failure {
    /// A code that the form has a sentence for.
    Told(&'static str),
    /// The store.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Signs in and goes on to `next`, to the second step, or back to the form.
pub async fn sign_in(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Response {
    let next = session::local_path(&credentials.next).to_owned();
    let address = address::of(&app.config, &headers, &extensions);
    let answer = match check(&app, address, credentials).await {
        Ok((user, true)) => ask_for_code(&app, user, &next).await,
        Ok((user, false)) => begin(&app, &extensions, &headers, user).await.map(|cookie| redirect(&next, &[cookie])),
        Err(failure) => Err(failure),
    };
    answer.unwrap_or_else(|failure| refuse(failure, |code| session::sign_in_path(Some(code), &next)))
}

/// Takes the second factor and goes on to `next`.
pub async fn code(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(form): Form<Code>,
) -> Response {
    let next = session::local_path(&form.next).to_owned();
    let Some(half) = session::half_token(&app.config, &headers).map(session::hash) else {
        return Redirect::to(&session::sign_in_path(Some("code_late"), &next)).into_response();
    };
    let signed_in = async {
        let who = app.store.half_session(half).await?.ok_or(Failure::Told("code_late"))?;
        let by = By::user(&who.email, address::of(&app.config, &headers, &extensions));
        check_code(&app, who.user, &form.code, by).await?;
        app.store.end_half_session(half).await?;
        begin(&app, &extensions, &headers, who.user).await
    };
    match signed_in.await {
        Ok(cookie) => redirect(&next, &[cookie, session::set_half_cookie(&app.config, "", 0)]),
        Err(failure) => refuse(failure, |code| match code {
            "code_late" => session::sign_in_path(Some(code), &next),
            code => session::code_path(Some(code), &next),
        }),
    }
}

/// Ends the session, here and in the store.
pub async fn sign_out(State(app): State<AppState>, headers: HeaderMap) -> Response {
    if let Some(token) = session::token(&app.config, &headers)
        && let Err(error) = app.store.end_session(session::hash(token)).await
    {
        return Problem::from(error).into_response();
    }
    redirect("/sign-in", &[session::set_cookie(&app.config, "", 0)])
}

/// Whom the credentials belong to, and whether they owe a second factor.
async fn check(app: &AppState, address: Option<String>, credentials: Credentials) -> Result<(UserId, bool), Failure> {
    // Without an address all are slowed down together, which is the careful side.
    let address = address.and_then(|address| address.parse().ok()).unwrap_or(ANYWHERE);
    if !app.throttle.admit(&credentials.email, address, app.store.now()) {
        return Err(Failure::Told("throttled"));
    }
    let user = app.store.user_by_email(&credentials.email).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let fits = app.passwords.verify(credentials.password, stored).await;
    let user = user.filter(|_| fits).ok_or(Failure::Told("credentials"))?;
    app.throttle.succeeded(&credentials.email, address);
    belongs(app, user.id, &credentials.next).await?;
    Ok((user.id, owes_code(app, user.id).await?))
}

/// Refuses whoever belongs to no org, unless they are on the way to accept an invitation, or in the midst of the first start.
///
/// # Errors
/// What the form says, or the store.
pub async fn belongs(app: &AppState, user: UserId, next: &str) -> Result<(), Failure> {
    let joins = next.starts_with("/invitation?");
    let member = joins || !app.store.memberships(user).await?.is_empty();
    // The first owner has no org until the first start is through.
    if member || app.store.setup_of(user).await?.is_some_and(|setup| setup.org.is_none()) {
        return Ok(());
    }
    Err(Failure::Told("no_org"))
}

/// Whether a second factor is asked of somebody.
///
/// # Errors
/// Where the store cannot say.
pub async fn owes_code(app: &AppState, user: UserId) -> Result<bool, StoreError> {
    Ok(app.store.second_factor(user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// Whether a code, of the app or for recovery, is good; it is used up then. Wrong ones are counted.
///
/// # Errors
/// What the form says, or the store.
pub async fn check_code(app: &AppState, user: UserId, typed: &str, by: By) -> Result<(), Failure> {
    let now = app.store.now();
    let whose = format!("code:{}", user.0);
    if !app.throttle.admit(&whose, ANYWHERE, now) {
        return Err(Failure::Told("code_throttled"));
    }
    let factor = app.store.second_factor(user).await?;
    let secret = factor.filter(|factor| factor.confirmed_at.is_some()).map(|factor| factor.secret);
    let secret = secret.ok_or(Failure::Told("code"))?;
    let good = match (totp::step_of(&secret, typed, now), totp::recovery_hash(typed)) {
        (Some(step), _) => app.store.use_step(user, step).await?,
        (None, Some(hash)) => app.store.use_recovery_code(user, hash, by).await?,
        (None, None) => false,
    };
    if !good {
        return Err(Failure::Told("code"));
    }
    app.throttle.succeeded(&whose, ANYWHERE);
    Ok(())
}

/// Sends a browser to the second step.
///
/// # Errors
/// What the store says.
pub async fn ask_for_code(app: &AppState, user: UserId, next: &str) -> Result<Response, Failure> {
    let token = session::new_token();
    app.store.begin_half_session(session::hash(&token), user).await?;
    let seconds = u64::try_from(HALF_SESSION_US / MICROS_PER_SECOND).unwrap_or_default();
    Ok(redirect(&session::code_path(None, next), &[session::set_half_cookie(&app.config, &token, seconds)]))
}

/// A session for whoever proved who they are: the cookie that carries its new token. A session from before ends: its token
/// may have been seen by others.
///
/// # Errors
/// What the store says.
pub async fn begin(
    app: &AppState,
    extensions: &Extensions,
    headers: &HeaderMap,
    user: UserId,
) -> Result<String, Failure> {
    if let Some(before) = session::token(&app.config, headers) {
        app.store.end_session(session::hash(before)).await?;
    }
    let token = session::new_token();
    let lifetime = i64::try_from(lifetime_s(app)).unwrap_or(i64::MAX).saturating_mul(MICROS_PER_SECOND);
    let expires_at = Timestamp::from_micros(app.store.now().micros().saturating_add(lifetime));
    let agent = headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
    let address = address::of(&app.config, headers, extensions);
    let new = NewSession { token_hash: session::hash(&token), user, expires_at, agent, address };
    app.store.create_session(new).await?;
    Ok(session::set_cookie(&app.config, &token, lifetime_s(app)))
}

fn lifetime_s(app: &AppState) -> u64 {
    u64::from(app.config.session_days) * SECONDS_PER_DAY
}

fn refuse(failure: Failure, back: impl Fn(&'static str) -> String) -> Response {
    match failure {
        Failure::Told(code) => Redirect::to(&back(code)).into_response(),
        Failure::Store(error) => Problem::from(error).into_response(),
    }
}

/// Goes on with cookies set.
pub fn redirect(to: &str, cookies: &[String]) -> Response {
    with_cookies(Redirect::to(to), cookies)
}

/// An answer with cookies set.
pub fn with_cookies(answer: impl IntoResponse, cookies: &[String]) -> Response {
    let mut response = answer.into_response();
    for cookie in cookies {
        // Made of our own letters only.
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}
