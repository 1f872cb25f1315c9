//! The pages' files: embedded in a release, read from `target/site` at start in development.
//!
//! What the browser needs to hydrate has its content's hash in its address and is kept for ever; everything else from
//! `public/` is asked for again, and answered 304 while it is the same. All of it is in memory, brotli beside it.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

/// A year: the longest that is honoured.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "public, no-cache";
/// Pictures, which browsers ask for again at each step of the history.
const FOR_AN_HOUR: &str = "public, max-age=3600";
/// What the browser loads with a page, and the address that each gets its hash into.
const HASHED: [(&str, &str, &str); 4] = [
    ("pkg/scrip.js", "scrip", "js"),
    ("pkg/scrip_bg.wasm", "scrip", "wasm"),
    ("pkg/scrip.css", "scrip", "css"),
    ("pkg/still.css", "still", "css"),
];
/// Characters of the hash in an address.
const HASH_LEN: usize = 16;

#[derive(RustEmbed)]
#[folder = "../target/site"]
struct Embedded;

/// All files, by address.
pub struct Site {
    files: HashMap<String, File>,
    assets: app::Assets,
}

struct File {
    kind: HeaderValue,
    etag: HeaderValue,
    cache: &'static str,
    plain: Bytes,
    brotli: Option<Bytes>,
}

impl Site {
    /// Takes the files in and gives them their addresses.
    #[must_use]
    pub fn load() -> Self {
        let names: Vec<Cow<'static, str>> = Embedded::iter().filter(|name| !name.ends_with(".br")).collect();
        let hash = hash_of(HASHED.iter().filter_map(|(name, ..)| Embedded::get(name)).map(|file| bytes(file.data)));
        let address_of = |name: &str| match HASHED.iter().find(|(hashed, ..)| *hashed == name) {
            Some((_, stem, extension)) => (format!("/pkg/{stem}.{hash}.{extension}"), FOR_EVER),
            None => (format!("/{name}"), if name.ends_with(".svg") { FOR_AN_HOUR } else { ASK_AGAIN }),
        };
        let mut files = HashMap::new();
        for name in names {
            let (address, cache) = address_of(&name);
            if let Some(file) = File::load(&name, cache) {
                files.insert(address, file);
            }
        }
        let address = |name| address_of(name).0;
        let assets = app::Assets {
            js: address("pkg/scrip.js"),
            wasm: address("pkg/scrip_bg.wasm"),
            css: address("pkg/scrip.css"),
            still: Some(address("pkg/still.css")),
        };
        Self { files, assets }
    }

    /// Where the page finds what it hydrates with.
    #[must_use]
    pub fn assets(&self) -> app::Assets {
        self.assets.clone()
    }

    /// The file at that address, as the request can take it.
    #[must_use]
    pub fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        self.files.get(path).map(|file| file.answer(headers))
    }
}

impl File {
    fn load(name: &str, cache: &'static str) -> Option<Self> {
        let file = Embedded::get(name)?;
        let kind = HeaderValue::from_str(&content_type(file.metadata.mimetype())).ok()?;
        let plain = bytes(file.data);
        let etag = HeaderValue::from_str(&format!("\"{}\"", hash_of([plain.clone()]))).ok()?;
        let brotli = Embedded::get(&format!("{name}.br")).map(|file| bytes(file.data));
        Some(Self { kind, etag, cache, plain, brotli })
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let unchanged = request.get_all(IF_NONE_MATCH).iter().any(|known| known == self.etag);
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            match &self.brotli {
                Some(brotli) if takes_brotli(request) => {
                    let mut response = Response::new(Body::from(brotli.clone()));
                    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
                    response
                }
                _ => Response::new(Body::from(self.plain.clone())),
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.kind.clone());
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        response
    }
}

/// Handler of everything that no route takes: a file, or the app's page for what is not there.
pub async fn file_or_page(State(app): State<crate::state::AppState>, request: Request) -> Response {
    match app.site.answer(request.method(), request.uri().path(), request.headers()) {
        Some(response) => response,
        None => crate::pages::not_found(app, request).await,
    }
}

fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    }
}

fn content_type(kind: &str) -> String {
    let text = kind.starts_with("text/") || kind.ends_with("javascript") || kind.ends_with("json");
    if text { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

fn hash_of(parts: impl IntoIterator<Item = Bytes>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(&part);
    }
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..HASH_LEN].to_owned()
}

/// Whether `br` is among the encodings and not refused by `q=0`.
fn takes_brotli(headers: &HeaderMap) -> bool {
    let said = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|line| line.split(',')).any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case("br") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(text).expect("ASCII"));
        headers
    }

    #[test]
    fn brotli_goes_to_those_who_take_it() {
        assert!(takes_brotli(&accepting("gzip, deflate, br, zstd")));
        assert!(takes_brotli(&accepting("br;q=0.5")));
        assert!(!takes_brotli(&accepting("gzip, br;q=0")));
        assert!(!takes_brotli(&HeaderMap::new()));
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let file = File {
            kind: HeaderValue::from_static("text/css"),
            etag: HeaderValue::from_static("\"x\""),
            cache: FOR_EVER,
            plain: Bytes::from_static(b"plain"),
            brotli: Some(Bytes::from_static(b"br")),
        };
        let mut known = HeaderMap::new();
        known.insert(IF_NONE_MATCH, HeaderValue::from_static("\"x\""));
        assert_eq!(file.answer(&known).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(file.answer(&accepting("br")).headers()[CONTENT_ENCODING], "br");
        assert!(file.answer(&HeaderMap::new()).headers().get(CONTENT_ENCODING).is_none());
    }
}
