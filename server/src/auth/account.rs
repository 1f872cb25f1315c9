//! `POST /settings/security`: what people do to their own account. One form per act, told apart by its field `do`.
//!
//! Whatever makes an account easier to enter asks for the password again, and turning the second factor off for a code
//! too: a browser that somebody left open is not enough. Wrong ones are slowed down as at signing in.

use super::sign_in::{Failure, check_code, redirect};
use super::{password, password_rule, session, totp};
use crate::access::SignedIn;
use crate::form::Fields;
use crate::notify::letter;
use crate::pages::{PageRequest, shown_once};
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Viewer;
use app::backend::people::Shown;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use std::net::{IpAddr, Ipv4Addr};
use store::{EndSessions, StoreError};

/// Address of the Security page.
pub const SECURITY: &str = "/settings/security";
/// Guesses of the password from inside are counted by account, wherever they come from.
const ANYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// Bytes of a token's hash that name a session in a form.
const NAME_BYTES: usize = 8;

/// What came of it.
enum Done {
    /// A line for the page, by its code, and the panel it is about.
    Told(&'static str, &'static str),
    /// The codes, which are shown once.
    Codes(Vec<String>),
    /// Not signed in any more.
    Out,
}

/// Does what the form says.
pub async fn act(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: PageRequest,
    body: String,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    let fields = Fields::parse(&body);
    let (panel, done) = match fields.get("do") {
        "password" => ("password", change_password(&app, &viewer, &fields).await),
        "totp_begin" => ("second", begin(&app, &viewer, &fields).await),
        "totp_confirm" => ("second", confirm(&app, &viewer, &fields).await),
        "totp_off" => ("second", turn_off(&app, &viewer, &fields).await),
        "codes" => ("second", renew_codes(&app, &viewer, &fields).await),
        "passkey_rename" => ("passkeys", rename_passkey(&app, &viewer, &fields).await),
        "passkey_remove" => ("passkeys", remove_passkey(&app, &viewer, &fields).await),
        "unlink" => ("elsewhere", unlink(&app, &viewer, &fields).await),
        "end" => ("sessions", end_one(&app, &viewer, &fields).await),
        "end_others" => ("sessions", end_others(&app, &viewer).await),
        "end_all" => ("sessions", end_all(&app, &viewer).await),
        _ => ("", Err(Failure::Told("stale_form"))),
    };
    match done {
        Ok(Done::Told(code, panel)) => Ok(Redirect::to(&format!("{SECURITY}?done={code}#{panel}")).into_response()),
        Ok(Done::Codes(codes)) => Ok(shown_once(&app, viewer, Shown::Codes(codes), request).await),
        Ok(Done::Out) => Ok(redirect("/sign-in?done=everywhere", &[session::set_cookie(&app.config, "", 0)])),
        Err(Failure::Told(code)) => Ok(Redirect::to(&format!("{SECURITY}?error={code}#{panel}")).into_response()),
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

async fn change_password(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    check_password(app, viewer, fields).await?;
    let new = new_password(fields)?;
    let words = words_of(app, viewer).await?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    password_rule::check(&new, &words).map_err(|weak| Failure::Told(weak.code()))?;
    let hash = password::hashed(new).await.ok_or(Failure::Told("stale_form"))?;
    app.store.change_password(viewer.user, hash, viewer.session, viewer.by()).await?;
    let product = app.store.org(viewer.org).await?.product;
    app.post(letter::password_changed(&viewer.email, &product, "changed on the Security page"));
    Ok(Done::Told("password", "password"))
}

async fn begin(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    check_password(app, viewer, fields).await?;
    match app.store.begin_second_factor(viewer.user, totp::new_secret()).await {
        Ok(()) => Ok(Done::Told("totp_begun", "second")),
        Err(StoreError::Conflict(_)) => Err(Failure::Told("totp_is_on")),
        Err(error) => Err(error.into()),
    }
}

async fn confirm(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    let factor = app.store.second_factor(viewer.user).await?.filter(|factor| factor.confirmed_at.is_none());
    let secret = factor.ok_or(Failure::Told("totp_late"))?.secret;
    let step = totp::step_of(&secret, fields.get("code"), app.store.now()).ok_or(Failure::Told("code"))?;
    let codes = totp::recovery_codes();
    match app.store.confirm_second_factor(viewer.user, secret, step, hashes(&codes), viewer.by()).await {
        Ok(()) => Ok(Done::Codes(codes)),
        Err(StoreError::NotFound(_)) => Err(Failure::Told("totp_late")),
        Err(error) => Err(error.into()),
    }
}

async fn turn_off(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    check_password(app, viewer, fields).await?;
    check_code(app, viewer.user, fields.get("code"), viewer.by()).await?;
    app.store.remove_second_factor(viewer.user, viewer.by()).await?;
    Ok(Done::Told("totp_off", "second"))
}

async fn renew_codes(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    check_code(app, viewer.user, fields.get("code"), viewer.by()).await?;
    let codes = totp::recovery_codes();
    app.store.renew_recovery_codes(viewer.user, hashes(&codes), viewer.by()).await?;
    Ok(Done::Codes(codes))
}

async fn end_one(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    let which = session_named(fields.get("session")).ok_or(Failure::Told("stale_form"))?;
    let ended = app.store.end_sessions(viewer.user, EndSessions::One(which), viewer.by()).await?;
    let this = viewer.session.starts_with(&which);
    Ok(match ended {
        0 => Done::Told("session_gone", "sessions"),
        _ if this => Done::Out,
        _ => Done::Told("session", "sessions"),
    })
}

async fn end_others(app: &AppState, viewer: &Viewer) -> Result<Done, Failure> {
    app.store.end_sessions(viewer.user, EndSessions::AllBut(viewer.session), viewer.by()).await?;
    Ok(Done::Told("others", "sessions"))
}

async fn end_all(app: &AppState, viewer: &Viewer) -> Result<Done, Failure> {
    app.store.end_sessions(viewer.user, EndSessions::All, viewer.by()).await?;
    Ok(Done::Out)
}

async fn rename_passkey(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    let id = fields.get("passkey").parse().map_err(|_| Failure::Told("stale_form"))?;
    match app.store.rename_passkey(viewer.user, id, fields.get("name").to_owned(), viewer.by()).await {
        Ok(()) => Ok(Done::Told("passkey_renamed", "passkeys")),
        Err(StoreError::NotFound(_)) => Err(Failure::Told("passkey_gone")),
        Err(StoreError::BadRange(_)) => Err(Failure::Told("passkey_name")),
        Err(error) => Err(error.into()),
    }
}

async fn remove_passkey(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    let id = fields.get("passkey").parse().map_err(|_| Failure::Told("stale_form"))?;
    match app.store.remove_passkey(viewer.user, id, viewer.by()).await {
        Ok(()) => Ok(Done::Told("passkey_removed", "passkeys")),
        Err(StoreError::NotFound(_)) => Err(Failure::Told("passkey_gone")),
        Err(error) => Err(error.into()),
    }
}

async fn unlink(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Done, Failure> {
    prove(app, viewer, fields).await?;
    let elsewhere = app.elsewhere.as_ref().ok_or(Failure::Told("stale_form"))?;
    match app.store.unlink_subject(viewer.user, elsewhere.issuer().to_owned(), viewer.by()).await {
        Ok(()) | Err(StoreError::NotFound(_)) => Ok(Done::Told("unlinked", "elsewhere")),
        Err(error) => Err(error.into()),
    }
}

/// Whether it is the viewer who asks, and not somebody at their browser: they signed in just now, or type the password.
///
/// # Errors
/// What the form says, or the store.
pub async fn prove(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<(), Failure> {
    let began = app.store.session_began(viewer.session).await?;
    let age_us = began.map(|began| app.store.now().micros().saturating_sub(began.micros()));
    if age_us.is_some_and(|age| age < store::session::FRESH_US) {
        Ok(())
    } else {
        check_password(app, viewer, fields).await
    }
}

/// Whether the form's password is the viewer's.
async fn check_password(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<(), Failure> {
    let whose = format!("password:{}", viewer.user.0);
    if !app.throttle.admit(&whose, ANYWHERE, app.store.now()) {
        return Err(Failure::Told("password_throttled"));
    }
    let stored = app.store.password_hash(viewer.user).await?;
    if !app.passwords.verify(fields.raw("present").to_owned(), Some(stored)).await {
        return Err(Failure::Told("password_wrong"));
    }
    app.throttle.succeeded(&whose, ANYWHERE);
    Ok(())
}

/// The password that somebody chose, typed twice.
///
/// # Errors
/// Where the two differ.
pub fn new_password(fields: &Fields) -> Result<String, Failure> {
    let (new, again) = (fields.raw("password"), fields.raw("again"));
    if new == again { Ok(new.to_owned()) } else { Err(Failure::Told("passwords_differ")) }
}

/// What a password of theirs must not be made of.
async fn words_of(app: &AppState, viewer: &Viewer) -> Result<Vec<String>, Failure> {
    let orgs = app.store.memberships(viewer.user).await?;
    Ok(orgs.into_iter().map(|membership| membership.name).chain([viewer.email.clone()]).collect())
}

fn hashes(codes: &[String]) -> Vec<[u8; 32]> {
    codes.iter().filter_map(|code| totp::recovery_hash(code)).collect()
}

/// The start of the hash that a form names a session by.
fn session_named(text: &str) -> Option<[u8; NAME_BYTES]> {
    let plain = text.len() == 2 * NAME_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(text, 16).ok().map(u64::to_be_bytes)).flatten()
}
