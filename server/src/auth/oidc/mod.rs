//! Signing in by an account at a service elsewhere: OpenID Connect, code flow with PKCE.
//!
//! `GET /sign-in/oidc` sends the browser there with a cookie that is worth one answer; the service sends it back to
//! [`CALLBACK`] with a code. What was asked waits in memory, under the cookie: a `state` that the browser must bring back,
//! a nonce that the token must hold, and what the code is exchanged with.
//!
//! Who may come in by it is decided here and nowhere else:
//! - somebody whom the service signed in before is who they were then, whatever email it states now;
//! - else the service must say that the email is verified, and it must be that of an account here, or of the invitation
//!   whose link led here. Nobody becomes a person by signing in elsewhere;
//! - a person has one account at the service: a second one with the same email is refused, since emails are given anew.
//!
//! It stands for the password. A second step is asked for as after a password, unless `oidc_second_step = false`.

pub mod http;
pub mod provider;

pub use provider::CALLBACK;

use self::provider::{Asked, Person, Provider, Trouble};
use super::pending::Pending;
use super::sign_in::{Failure, ask_for_code, begin, belongs, owes_code, redirect};
use super::{address, api_key, password, session};
use crate::config::Config;
use crate::form::Fields;
use crate::state::AppState;
use axum::extract::{RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use openidconnect::{Nonce, PkceCodeVerifier};
use store::{By, Guest, StoreError, Subject, UserId};

/// How long somebody may take to sign in there.
const LIFE_S: u64 = 10 * 60;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// Letters of a password that nobody has: of whoever joined without choosing one.
const NO_PASSWORD_LEN: usize = 43;
/// Longest name that a service may give to a person (OpenID Connect Core 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// A service elsewhere that signs people in.
pub struct Elsewhere {
    provider: Provider,
    name: String,
    /// Ends of the emails that it may bring; none where it may bring any.
    domains: Vec<String>,
    second_step: bool,
    journeys: Pending<Journey>,
}

/// A browser that was sent there.
struct Journey {
    state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    /// Where to go on.
    next: String,
    /// The token of the invitation whose link led here.
    invitation: Option<String>,
}

impl Elsewhere {
    /// The one that is configured, if one is.
    ///
    /// # Errors
    /// Settings that cannot be used, in a sentence.
    pub fn new(config: &Config) -> Result<Option<Self>, String> {
        let Some(provider) = Provider::new(config)? else { return Ok(None) };
        let domains = config.oidc_domains.as_deref().unwrap_or_default().split([',', ' ']);
        let domains = domains.map(str::trim).filter(|domain| !domain.is_empty()).map(str::to_lowercase).collect();
        let life_us = i64::try_from(LIFE_S).unwrap_or_default() * MICROS_PER_SECOND;
        Ok(Some(Self {
            provider,
            name: config.oidc_name.clone(),
            domains,
            second_step: config.oidc_second_step,
            journeys: Pending::new(life_us),
        }))
    }

    /// What people call it, and its address.
    #[must_use]
    pub fn names(&self) -> (String, String) {
        (self.name.clone(), self.provider.issuer().to_owned())
    }

    /// Its address, by which its people are told from another's.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.provider.issuer()
    }

    fn takes(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.is_empty() || self.domains.iter().any(|allowed| allowed == domain)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Told(trouble.code())
    }
}

/// `GET /sign-in/oidc`: sends the browser to the service.
pub async fn start(State(app): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::parse(&query.unwrap_or_default());
    let next = session::local_path(fields.get("next")).to_owned();
    // Only our own page begins: another site could sign a browser in as somebody else.
    let foreign = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    let Some(elsewhere) = app.elsewhere.as_ref().filter(|_| !foreign) else {
        return Redirect::to(&session::sign_in_path(None, &next)).into_response();
    };
    let invitation = Some(fields.get("invitation").to_owned()).filter(|token| !token.is_empty());
    match elsewhere.provider.ask(app.store.now()).await {
        Ok(Asked { url, state, nonce, verifier }) => {
            let token = session::new_token();
            let journey = Journey { state, nonce, verifier, next, invitation };
            elsewhere.journeys.put(session::hash(&token), journey, app.store.now());
            redirect(url.as_str(), &[session::set_elsewhere_cookie(&app.config, &token, LIFE_S)])
        }
        Err(trouble) => Redirect::to(&back(trouble.code(), &next, invitation.as_deref())).into_response(),
    }
}

/// `GET` [`CALLBACK`]: the browser comes back.
pub async fn callback(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let journey = session::elsewhere_token(&app.config, &headers)
        .zip(app.elsewhere.as_ref())
        .and_then(|(token, elsewhere)| elsewhere.journeys.take(&session::hash(token), app.store.now()));
    let forget = session::set_elsewhere_cookie(&app.config, "", 0);
    let Some(journey) = journey else {
        return redirect(&session::sign_in_path(Some("oidc_late"), "/"), &[forget]);
    };
    let (next, invitation) = (journey.next.clone(), journey.invitation.clone());
    let fields = Fields::parse(&query.unwrap_or_default());
    let mut response = match arrive(&app, &extensions, &headers, &fields, journey).await {
        Ok(response) => response,
        Err(Failure::Told(code)) => Redirect::to(&back(code, &next, invitation.as_deref())).into_response(),
        Err(Failure::Store(error)) => crate::problem::Problem::from(error).into_response(),
    };
    // Made of our own letters only.
    if let Ok(forget) = HeaderValue::from_str(&forget) {
        response.headers_mut().append(SET_COOKIE, forget);
    }
    response
}

async fn arrive(
    app: &AppState,
    extensions: &Extensions,
    headers: &HeaderMap,
    fields: &Fields,
    journey: Journey,
) -> Result<Response, Failure> {
    let elsewhere = app.elsewhere.as_ref().ok_or(Failure::Told("oidc_late"))?;
    if fields.get("state") != journey.state {
        return Err(Failure::Told("oidc_late"));
    }
    // Where it is said at all, it is said by the service that was asked (RFC 9207).
    let said = fields.get("iss");
    if !said.is_empty() && said != elsewhere.issuer() {
        return Err(Trouble::Other.into());
    }
    match (fields.get("error"), fields.get("code")) {
        ("", "") => return Err(Failure::Told("oidc_late")),
        ("", _) => {}
        ("access_denied", _) => return Err(Failure::Told("oidc_denied")),
        _ => return Err(Trouble::Refused.into()),
    }
    let Journey { nonce, verifier, next, invitation, .. } = journey;
    let code = fields.get("code").to_owned();
    let person = elsewhere.provider.person(code, verifier, &nonce, app.store.now()).await?;
    let from = address::of(&app.config, headers, extensions);
    let user = user_of(app, elsewhere, &person, invitation.as_deref(), from).await?;
    belongs(app, user, &next).await?;
    if elsewhere.second_step && owes_code(app, user).await? {
        return ask_for_code(app, user, &next).await;
    }
    let cookie = begin(app, extensions, headers, user).await?;
    Ok(redirect(&next, &[cookie]))
}

/// Who somebody is here. The rules are at the top of this file.
async fn user_of(
    app: &AppState,
    elsewhere: &Elsewhere,
    person: &Person,
    invitation: Option<&str>,
    from: Option<String>,
) -> Result<UserId, Failure> {
    if person.subject.is_empty() || person.subject.len() > MAX_SUBJECT_BYTES {
        return Err(Trouble::Other.into());
    }
    let subject = Subject { issuer: elsewhere.issuer().to_owned(), subject: person.subject.clone() };
    let known = app.store.user_by_subject(&subject).await?;
    if let Some((user, _)) = known {
        if let Some(token) = invitation {
            accept(app, token, Guest::Known(user), from).await?;
        }
        return Ok(user);
    }
    let email = person.email.as_deref().map(|email| email.trim().to_lowercase());
    let email = email.ok_or(Failure::Told("oidc_unverified"))?;
    if !elsewhere.takes(&email) {
        return Err(Failure::Told("oidc_domain"));
    }
    let account = app.store.user_by_email(&email).await?.map(|user| user.id);
    if let Some(user) = account
        && app.store.is_linked(user, elsewhere.issuer()).await?
    {
        return Err(Failure::Told("oidc_linked"));
    }
    let user = match (invitation, account) {
        (None, account) => account.ok_or(Failure::Told("oidc_unknown"))?,
        (Some(token), account) => {
            let invited = app.store.invited(session::hash(token)).await?.ok_or(Failure::Told("invitation_late"))?;
            if invited.email != email {
                return Err(Failure::Told("oidc_not_invited"));
            }
            let guest = match account {
                Some(user) => Guest::Known(user),
                None => Guest::New(nobodys_password().await?),
            };
            accept(app, token, guest, from.clone()).await?
        }
    };
    match app.store.link_subject(user, subject, By::user(&email, from)).await {
        Ok(()) => Ok(user),
        Err(StoreError::Conflict(_)) => Err(Failure::Told("oidc_linked")),
        Err(error) => Err(error.into()),
    }
}

async fn accept(app: &AppState, token: &str, guest: Guest, from: Option<String>) -> Result<UserId, Failure> {
    match app.store.accept_invitation(session::hash(token), guest, from).await {
        Ok((user, _)) => Ok(user),
        Err(StoreError::NotFound(_) | StoreError::Conflict(_)) => Err(Failure::Told("invitation_late")),
        Err(error) => Err(error.into()),
    }
}

/// The hash of a password that nobody knows. "Forgot password?" sets one that somebody does.
async fn nobodys_password() -> Result<String, Failure> {
    let text = api_key::random_text(NO_PASSWORD_LEN);
    password::hashed(text).await.ok_or(Failure::Told("oidc_late"))
}

/// The page that says what went wrong: that of the invitation where one led here.
fn back(code: &str, next: &str, invitation: Option<&str>) -> String {
    match invitation {
        None => session::sign_in_path(Some(code), next),
        Some(token) => {
            let query = serde_urlencoded::to_string([("error", code), ("token", token)]).unwrap_or_default();
            format!("/invitation?{query}")
        }
    }
}
