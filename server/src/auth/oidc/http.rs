//! How the provider is asked: TLS by ring, which the mail client has brought already, and nothing that a provider could
//! lead elsewhere or keep waiting: no redirects, no proxy, an end in time and in size.

use openidconnect::http::Response;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A discovery document and its keys have some kilobytes.
const MAX_BODY_BYTES: usize = 256 * 1024;
const CONNECT_S: u64 = 5;
const TOTAL_S: u64 = 10;

/// Why there is no answer. For the log: it may name addresses.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The provider cannot be reached, or breaks off.
    #[error("{0}")]
    Failed(#[from] reqwest::Error),
    /// It sends more than is read.
    #[error("more than {MAX_BODY_BYTES} bytes")]
    TooLong,
    /// It says that something of it is at an address without encryption.
    #[error("{0} is not encrypted")]
    Unencrypted(String),
    /// What it sends is no answer.
    #[error("{0}")]
    Malformed(#[from] openidconnect::http::Error),
}

/// Asks the provider.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    /// Whether everything of it must be encrypted, as its own address is.
    encrypted: bool,
}

impl Http {
    /// For a provider whose own address is encrypted, or is not.
    ///
    /// # Errors
    /// Where this machine has no certificates that it trusts, or TLS cannot be set up: a sentence.
    pub fn new(encrypted: bool) -> Result<Self, String> {
        Ok(Self { client: client()?, encrypted })
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.encrypted && request.uri().scheme_str() != Some("https") {
            return Err(HttpError::Unencrypted(request.uri().to_string()));
        }
        let mut answer = self.client.execute(request.try_into()?).await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            if body.len() + piece.len() > MAX_BODY_BYTES {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        Ok(response.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// A client that nobody leads elsewhere or keeps waiting.
///
/// # Errors
/// Where TLS cannot be set up: a sentence.
pub fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(CONNECT_S))
        .timeout(Duration::from_secs(TOTAL_S))
        .user_agent("scrip")
        .build()
        .map_err(|error| error.to_string())
}

/// TLS by certificates that this machine trusts.
///
/// # Errors
/// Where TLS cannot be set up: a sentence.
pub fn tls() -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    // What cannot be read is left out: whatever is signed by it is not trusted then.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
