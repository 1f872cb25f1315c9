//! Passkeys (WebAuthn): added on the Security page, and a way to sign in without email or password.
//!
//! The browser's half is `public/passkeys.js`: it carries what is asked here to the device and the device's answer back,
//! and goes where it is told. What is asked waits in memory for one answer ([`Pending`]), of the session that adds, or of
//! the browser with the cookie that was given along. A passkey is asked to verify its person (a finger, a face, a PIN), so
//! that it stands for both factors: having it, and being or knowing something.
//!
//! Passkeys are bound to a domain. Which one is the configuration's to say, never the request's.

use super::account::{SECURITY, prove};
use super::pending::Pending;
use super::session;
use super::sign_in::{Failure, begin, belongs, with_cookies};
use crate::access::SignedIn;
use crate::config::Config;
use crate::form::Fields;
use crate::notify::letter;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Viewer;
use app::backend::people::NoPasskeys;
use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use store::{NewPasskey, StoreError, UserId};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

/// How long a person may take to find the device and their finger.
const LIFE_S: u64 = 5 * 60;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// What a passkey is called whose person gave it no name.
const UNNAMED: &str = "Passkey";

/// What is needed to ask for passkeys, and what was asked.
pub struct Passkeys {
    webauthn: Result<Webauthn, NoPasskeys>,
    adding: Pending<Adding>,
    entering: Pending<Entering>,
}

struct Adding {
    user: UserId,
    handle: [u8; 16],
    name: String,
    state: PasskeyRegistration,
}

struct Entering {
    next: String,
    state: DiscoverableAuthentication,
}

impl Passkeys {
    /// For a server that is reached as `config` says.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let life_us = i64::try_from(LIFE_S).unwrap_or_default() * MICROS_PER_SECOND;
        Self { webauthn: relying_party(config), adding: Pending::new(life_us), entering: Pending::new(life_us) }
    }

    /// Why there are none, if there are none.
    #[must_use]
    pub fn unavailable(&self) -> Option<NoPasskeys> {
        self.webauthn.as_ref().err().copied()
    }

    fn webauthn(&self) -> Result<&Webauthn, Failure> {
        self.webauthn.as_ref().map_err(|_| Failure::Told("passkey_address"))
    }
}

/// Browsers give passkeys to domains only, and over https, but for this machine's own name.
fn relying_party(config: &Config) -> Result<Webauthn, NoPasskeys> {
    let origin = Url::parse(&config.base_url()).map_err(|_| NoPasskeys::Address)?;
    let domain = origin.domain().ok_or(NoPasskeys::Address)?.to_owned();
    if origin.scheme() != "https" && domain != "localhost" {
        return Err(NoPasskeys::Unencrypted);
    }
    let builder = WebauthnBuilder::new(&domain, &origin).map_err(|_| NoPasskeys::Address)?;
    builder.rp_name("Scrip").build().map_err(|_| NoPasskeys::Address)
}

/// `POST /settings/security/passkeys/begin`: asks for a new passkey, once the person has proved again who they are.
///
/// # Errors
/// What the store says, and 401.
pub async fn begin_adding(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    answer(ask_for_new(&app, &viewer, &Fields::parse(&body)).await)
}

async fn ask_for_new(app: &AppState, viewer: &Viewer, fields: &Fields) -> Result<Value, Failure> {
    let webauthn = app.passkeys.webauthn()?;
    prove(app, viewer, fields).await?;
    let name = Some(fields.get("name")).filter(|name| !name.is_empty()).unwrap_or(UNNAMED).to_owned();
    if name.chars().count() > store::passkey::MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Failure::Told("passkey_name"));
    }
    // The same for all passkeys of a person, so that a device replaces its own instead of collecting them.
    let (handle, known) = match app.store.passkey_ids(viewer.user).await? {
        Some(known) => known,
        None => (store::random::bytes::<16>(), Vec::new()),
    };
    let asked =
        webauthn.start_passkey_registration(Uuid::from_bytes(handle), &viewer.email, &viewer.email, Some(known));
    let (challenge, state) = asked.map_err(failed)?;
    let mut ask = serde_json::to_value(challenge).map_err(|_| Failure::Told("passkey"))?;
    // So that it can sign in without an email being typed.
    ask["publicKey"]["authenticatorSelection"]["residentKey"] = json!("required");
    ask["publicKey"]["authenticatorSelection"]["requireResidentKey"] = json!(true);
    let adding = Adding { user: viewer.user, handle, name, state };
    app.passkeys.adding.put(viewer.session, adding, app.store.now());
    Ok(json!({ "ask": ask["publicKey"] }))
}

/// `POST /settings/security/passkeys`: keeps the passkey that the browser made.
///
/// # Errors
/// What the store says, and 401.
pub async fn add(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Response, Problem> {
    let viewer = viewer.ok_or_else(Problem::not_signed_in)?;
    answer(keep(&app, &viewer, &body).await)
}

async fn keep(app: &AppState, viewer: &Viewer, body: &str) -> Result<Value, Failure> {
    let webauthn = app.passkeys.webauthn()?;
    let adding = app.passkeys.adding.take(&viewer.session, app.store.now()).filter(|adding| adding.user == viewer.user);
    let adding = adding.ok_or(Failure::Told("passkey_late"))?;
    let made: RegisterPublicKeyCredential = serde_json::from_str(body).map_err(|_| Failure::Told("passkey"))?;
    let passkey = webauthn.finish_passkey_registration(&made, &adding.state).map_err(failed)?;
    let new = NewPasskey {
        credential_id: passkey.cred_id().to_vec(),
        handle: adding.handle,
        name: adding.name,
        credential: serde_json::to_string(&passkey).map_err(|_| Failure::Told("passkey"))?,
    };
    let name = new.name.clone();
    match app.store.add_passkey(viewer.user, new, viewer.by()).await {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Err(Failure::Told("passkey_known")),
        Err(StoreError::Refused(_)) => return Err(Failure::Told("passkey_many")),
        Err(error) => return Err(error.into()),
    }
    app.post(letter::passkey_added(&viewer.email, &name));
    Ok(go(&format!("{SECURITY}?done=passkey_added#passkeys")))
}

/// `POST /sign-in/passkey/begin`: asks whoever comes for a passkey of theirs, whoever they are.
///
/// # Errors
/// None but those of the store.
pub async fn begin_entering(State(app): State<AppState>, body: String) -> Result<Response, Problem> {
    let next = session::local_path(Fields::parse(&body).get("next")).to_owned();
    let token = session::new_token();
    let asked = app.passkeys.webauthn().and_then(|webauthn| {
        let (mut challenge, state) = webauthn.start_discoverable_authentication().map_err(failed)?;
        // By a button, not while typing.
        challenge.mediation = None;
        let ask = serde_json::to_value(challenge.public_key).map_err(|_| Failure::Told("passkey"))?;
        app.passkeys.entering.put(session::hash(&token), Entering { next: next.clone(), state }, app.store.now());
        Ok(json!({ "ask": ask }))
    });
    match asked {
        Ok(ask) => Ok(with_cookies(Json(ask), &[session::set_passkey_cookie(&app.config, &token, LIFE_S)])),
        Err(failure) => refuse(failure, |code| session::sign_in_path(Some(code), &next)),
    }
}

/// `POST /sign-in/passkey`: signs in with what a passkey signed.
///
/// # Errors
/// None but those of the store.
pub async fn enter(
    State(app): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    let asked = session::passkey_token(&app.config, &headers)
        .and_then(|token| app.passkeys.entering.take(&session::hash(token), app.store.now()));
    let Some(Entering { next, state }) = asked else {
        return refuse(Failure::Told("passkey_late"), |code| session::sign_in_path(Some(code), "/"));
    };
    let signed_in = async {
        let user = check(&app, &body, state).await?;
        belongs(&app, user, &next).await?;
        begin(&app, &extensions, &headers, user).await
    };
    match signed_in.await {
        Ok(cookie) => {
            let cookies = [cookie, session::set_passkey_cookie(&app.config, "", 0)];
            Ok(with_cookies(Json(go(&next)), &cookies))
        }
        Err(failure) => refuse(failure, |code| session::sign_in_path(Some(code), &next)),
    }
}

/// Whose passkey signed what was asked. What is known of it is brought up to date before anybody is signed in.
async fn check(app: &AppState, body: &str, state: DiscoverableAuthentication) -> Result<UserId, Failure> {
    let webauthn = app.passkeys.webauthn()?;
    let signed: PublicKeyCredential = serde_json::from_str(body).map_err(|_| Failure::Told("passkey"))?;
    let (handle, id) = webauthn.identify_discoverable_authentication(&signed).map_err(failed)?;
    let stored = app.store.passkey(id).await?.filter(|stored| stored.handle == *handle.as_bytes());
    let stored = stored.ok_or(Failure::Told("passkey_unknown"))?;
    let mut passkey: Passkey = serde_json::from_str(&stored.credential).map_err(|_| Failure::Told("passkey"))?;
    let result = webauthn.finish_discoverable_authentication_v2(&signed, state, &passkey).map_err(failed)?;
    if !result.user_verified() {
        return Err(Failure::Told("passkey"));
    }
    passkey.update_credential(&result);
    let after = serde_json::to_string(&passkey).map_err(|_| Failure::Told("passkey"))?;
    let user = stored.user;
    if app.store.use_passkey(stored, after).await? { Ok(user) } else { Err(Failure::Told("passkey_late")) }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: WebauthnError) -> Failure {
    tracing::info!(%error, "a passkey was refused");
    Failure::Told(match error {
        WebauthnError::CredentialPossibleCompromise => "passkey_copied",
        WebauthnError::UserNotVerified => "passkey_unverified",
        WebauthnError::InvalidUserUniqueId => "passkey_unknown",
        _ => "passkey",
    })
}

/// Where the browser goes on.
fn go(path: &str) -> Value {
    json!({ "go": path })
}

fn answer(result: Result<Value, Failure>) -> Result<Response, Problem> {
    match result {
        Ok(value) => Ok(Json(value).into_response()),
        Err(failure) => refuse(failure, |code| format!("{SECURITY}?error={code}#passkeys")),
    }
}

fn refuse(failure: Failure, back: impl Fn(&'static str) -> String) -> Result<Response, Problem> {
    match failure {
        Failure::Told(code) => Ok(Json(go(&back(code))).into_response()),
        Failure::Store(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_domain_and_https_but_on_this_machine() {
        let at = |listen: &str, url: Option<&str>| {
            let config = Config { listen: listen.to_owned(), public_url: url.map(str::to_owned), ..Config::default() };
            Passkeys::new(&config).unavailable()
        };
        assert_eq!(at("127.0.0.1:3000", None), Some(NoPasskeys::Address));
        assert_eq!(at("0.0.0.0:3000", Some("https://192.0.2.1")), Some(NoPasskeys::Address));
        assert_eq!(at("0.0.0.0:3000", Some("http://scrip.lan")), Some(NoPasskeys::Unencrypted));
        assert_eq!(at("0.0.0.0:3000", Some("https://scrip.example.com/")), None);
        assert_eq!(at("127.0.0.1:3000", Some("http://localhost:3000")), None);
        assert_eq!(at("localhost:3000", None), None);
    }
}
