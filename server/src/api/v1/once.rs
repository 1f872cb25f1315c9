//! A write as every endpoint but `POST events` takes it: who, what, and whether it was asked before.
//!
//! `Idempotency-Key` makes a write safe to send again: the same key with the same request gets the first answer, with
//! `Idempotency-Replayed: true`; with another request it is a 409 and nothing is posted. Two requests are the same where
//! method, path and members are, in whatever order and with whatever white space they were written.

use super::body;
use super::members::Members;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use ledger::OrgId;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use store::Once;
use store::once::MAX_KEY_BYTES;

/// The caller's key.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Most bytes of a write that is not usage: a scope of two hundred long names fits.
pub const MAX_BYTES: usize = 64 * 1024;

/// A write.
pub struct Write {
    /// Whose ledger.
    pub org: OrgId,
    /// Who.
    pub caller: Caller,
    /// What makes it the same as another; `None` where no key was sent.
    pub once: Option<Once>,
    /// What is asked.
    pub members: Members,
    /// Whether there was a body at all.
    has_body: bool,
}

impl FromRequest<AppState> for Write {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let advice = || format!("the body is above {MAX_BYTES} bytes, more than this ever needs: shorten its texts");
        Self::read(request, app, MAX_BYTES, advice).await
    }
}

impl Write {
    /// Reads a write of at most `max` bytes; `advice` says what to do with a larger one.
    ///
    /// # Errors
    /// What is wrong with its key, its headers or its body.
    pub async fn read(
        request: Request,
        app: &AppState,
        max: usize,
        advice: impl Fn() -> String,
    ) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(Problem::bad_request("bad_query", "this takes no parameters in its address: use the body"));
        }
        let key = key_of(&parts.headers)?;
        let bytes = body::collect(&app.config, max, &parts.headers, body, advice).await?;
        if !bytes.is_empty() || parts.headers.contains_key(CONTENT_TYPE) {
            body::only_json(&parts.headers)?;
        }
        let members = Members::read(body::utf8(&bytes)?)?;
        let request = request_hash(parts.method.as_str(), parts.uri.path(), &members.canonical()?);
        let has_body = !bytes.is_empty();
        Ok(Self { org: caller.org, caller, once: key.map(|key| Once { key, request }), members, has_body })
    }

    /// Refuses a request that was sent without a body, where nothing said would take something away.
    ///
    /// # Errors
    /// 400 `not_json`.
    pub fn with_body(self) -> Result<Self, Problem> {
        let none = || Problem::bad_request("not_json", "send a JSON object: {} takes away what was said before");
        self.has_body.then_some(self).ok_or_else(none)
    }
}

/// SHA-256 over what is asked. Lengths come first, so that no two requests run into one another.
fn request_hash(method: &str, path: &str, members: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix("scrip-request-1");
    for part in [method.as_bytes(), path.as_bytes(), members] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(KEY).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY_BYTES).contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|b| (b' '..=b'~').contains(&b)));
    match (key, sent.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => {
            let detail = "send one Idempotency-Key of 1 to 255 printable ASCII characters, such as a UUID";
            Err(Problem::bad_request("bad_idempotency_key", detail))
        }
    }
}

/// Says whether an answer was given before.
pub struct Replayed(pub bool);

impl IntoResponseParts for Replayed {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if self.0 {
            parts.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_one_and_printable() {
        let key = |values: &[&'static [u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(KEY, HeaderValue::from_bytes(value).expect("a header"));
            }
            key_of(&headers).map_err(|problem| problem.code.into_owned())
        };
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&[b"8f14-e45f \"x\""]), Ok(Some("8f14-e45f \"x\"".to_owned())));
        let long: &'static [u8] = &[b'x'; 256];
        for bad in [&[&b""[..]][..], &[long], &["é".as_bytes()], &[b"a", b"a"], &[b"a\tb"]] {
            assert_eq!(key(bad), Err("bad_idempotency_key".to_owned()), "{bad:?}");
        }
    }

    #[test]
    fn method_path_and_body_make_a_request() {
        let one = request_hash("POST", "/a", b"{}");
        assert_eq!(one, request_hash("POST", "/a", b"{}"));
        for other in
            [request_hash("PUT", "/a", b"{}"), request_hash("POST", "/b", b"{}"), request_hash("POST", "/a{", b"}")]
        {
            assert_ne!(one, other);
        }
    }
}
