//! Sessions of signed-in browsers: a random token in a cookie, its SHA-256 in the store.

use super::api_key::random_text;
use crate::config::Config;
use crate::problem::Problem;
use crate::state::AppState;
use app::backend::Viewer;
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use store::Session;

/// Length of a token: 43 letters of 62 are 256 bits.
const TOKEN_LEN: usize = 43;
/// With `__Host-` a browser takes the cookie only with `Secure`, for this host alone and for all paths.
const SECURE_NAME: &str = "__Host-scrip";
const PLAIN_NAME: &str = "scrip_session";
/// Of a browser whose person owes the second factor: it opens nothing.
const SECURE_HALF_NAME: &str = "__Host-scrip-half";
const PLAIN_HALF_NAME: &str = "scrip_half_session";
/// Of a browser that was asked for a passkey, and of one that was sent to sign in elsewhere: each is worth one answer.
const PASSKEY_NAMES: [&str; 2] = ["__Host-scrip-passkey", "scrip_passkey"];
const ELSEWHERE_NAMES: [&str; 2] = ["__Host-scrip-elsewhere", "scrip_elsewhere"];

/// A new token.
#[must_use]
pub fn new_token() -> String {
    random_text(TOKEN_LEN)
}

/// What is stored of a token.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    store::session::token_hash(token)
}

/// `Set-Cookie` that signs a browser in for `max_age_s` seconds; 0 and an empty token sign it out.
#[must_use]
pub fn set_cookie(config: &Config, token: &str, max_age_s: u64) -> String {
    cookie(config, [SECURE_NAME, PLAIN_NAME], token, max_age_s)
}

/// `Set-Cookie` of a half session.
#[must_use]
pub fn set_half_cookie(config: &Config, token: &str, max_age_s: u64) -> String {
    cookie(config, [SECURE_HALF_NAME, PLAIN_HALF_NAME], token, max_age_s)
}

/// `Set-Cookie` of a browser that was asked for a passkey.
#[must_use]
pub fn set_passkey_cookie(config: &Config, token: &str, max_age_s: u64) -> String {
    cookie(config, PASSKEY_NAMES, token, max_age_s)
}

/// `Set-Cookie` of a browser that was sent to sign in elsewhere.
#[must_use]
pub fn set_elsewhere_cookie(config: &Config, token: &str, max_age_s: u64) -> String {
    cookie(config, ELSEWHERE_NAMES, token, max_age_s)
}

fn cookie(config: &Config, [secure_name, plain_name]: [&str; 2], token: &str, max_age_s: u64) -> String {
    let (name, secure) = if config.secure_cookies() { (secure_name, "; Secure") } else { (plain_name, "") };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}")
}

/// The token that a request brings.
#[must_use]
pub fn token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    token_in(config, [SECURE_NAME, PLAIN_NAME], headers)
}

/// The token of a half session that a request brings.
#[must_use]
pub fn half_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    token_in(config, [SECURE_HALF_NAME, PLAIN_HALF_NAME], headers)
}

/// The token of a browser that was asked for a passkey.
#[must_use]
pub fn passkey_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    token_in(config, PASSKEY_NAMES, headers)
}

/// The token of a browser that was sent to sign in elsewhere.
#[must_use]
pub fn elsewhere_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    token_in(config, ELSEWHERE_NAMES, headers)
}

fn token_in<'a>(config: &Config, [secure, plain]: [&str; 2], headers: &'a HeaderMap) -> Option<&'a str> {
    let name = if config.secure_cookies() { secure } else { plain };
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, token)| token)
        .filter(|token| token.len() == TOKEN_LEN)
}

/// Who sends a request, if somebody signed in.
///
/// # Errors
/// Where the store cannot say.
pub async fn viewer(app: &AppState, headers: &HeaderMap) -> Result<Option<Viewer>, Problem> {
    let Some(token) = token(&app.config, headers) else { return Ok(None) };
    let token_hash = hash(token);
    let session = app.store.session(token_hash).await?;
    Ok(session.map(|Session { user, email, org, role, operator }| Viewer {
        user,
        session: token_hash,
        email,
        org,
        role,
        operator,
        address: None,
    }))
}

/// The address of the sign-in page, with what went wrong before and where to go after.
#[must_use]
pub fn sign_in_path(error: Option<&str>, next: &str) -> String {
    path_with("/sign-in", error, next)
}

/// The address of the page that asks for the second factor.
#[must_use]
pub fn code_path(error: Option<&str>, next: &str) -> String {
    path_with("/sign-in/code", error, next)
}

fn path_with(path: &str, error: Option<&str>, next: &str) -> String {
    let mut query = Vec::new();
    query.extend(error.map(|error| ("error", error)));
    query.extend((next != "/").then_some(("next", next)));
    match serde_urlencoded::to_string(query) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// `next`, if it is a path of this server; otherwise the first page. `//host` and `/\host` lead elsewhere.
#[must_use]
pub fn local_path(next: &str) -> &str {
    let local = next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/\\");
    if local && !next.chars().any(char::is_control) && next.is_ascii() { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_local_paths_are_gone_to() {
        assert_eq!(local_path("/analytics?from=2026-01-01"), "/analytics?from=2026-01-01");
        for elsewhere in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "javascript:1"] {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let config = Config::default();
        let token_text = new_token();
        let mut headers = HeaderMap::new();
        let line = format!("a=b; __Host-scrip={token_text}; c=d");
        headers.insert(COOKIE, HeaderValue::from_str(&line).expect("ASCII"));
        assert_eq!(token(&config, &headers), Some(token_text.as_str()));
        let set = set_cookie(&config, &token_text, 60);
        assert!(set.contains("; HttpOnly; SameSite=Lax; Max-Age=60; Secure"), "{set}");
        let plain = Config { cookie_secure: Some(false), ..Config::default() };
        assert!(token(&plain, &headers).is_none() && !set_cookie(&plain, "", 0).contains("Secure"));
    }

    #[test]
    fn the_way_back_is_kept() {
        assert_eq!(sign_in_path(None, "/"), "/sign-in");
        assert_eq!(sign_in_path(Some("credentials"), "/a?b=c"), "/sign-in?error=credentials&next=%2Fa%3Fb%3Dc");
    }
}
