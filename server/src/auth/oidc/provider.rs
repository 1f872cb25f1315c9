//! The provider: what it says of itself, and whom it says somebody is.
//!
//! Its description and its keys are read when somebody first signs in by it, and kept for a day: the server starts whether
//! or not the provider is up. They are read again when a token is signed by a key that is not among them (providers change
//! keys), and where that fails the ones that are there go on counting.

use super::http::{Http, HttpError};
use crate::config::Config;
use chrono::{DateTime, Utc};
use ledger::Timestamp;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, SubjectIdentifier,
    TokenResponse, url::Url,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where the provider sends people back to.
pub const CALLBACK: &str = "/sign-in/oidc/callback";
const SECOND_US: i64 = 1_000_000;
/// How long what the provider says of itself is believed without asking again.
const KEPT_US: i64 = 24 * 3_600 * SECOND_US;
/// Keys are not read again more often, whatever tokens come.
const RENEW_EVERY_US: i64 = 60 * SECOND_US;
/// After a failure nobody else is made to wait for another.
const PAUSE_US: i64 = 5 * SECOND_US;
/// Signatures by a key that only the provider has. Never `none`, and never a secret that both sides share.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointMaybeSet>;

/// Why the provider signs nobody in. What happened exactly is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be reached, or what it says is no answer.
    Down,
    /// It does not take the code, or not from us.
    Refused,
    /// The token is of another provider, or for another program.
    Other,
    /// The token is not the answer to what this browser asked.
    Nonce,
    /// The token is over.
    Expired,
    /// The token's signature is none of the provider's.
    Signature,
}

impl Trouble {
    /// For the page that has a sentence for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Down => "oidc_down",
            Self::Refused => "oidc_refused",
            Self::Other => "oidc_other",
            Self::Nonce => "oidc_nonce",
            Self::Expired => "oidc_expired",
            Self::Signature => "oidc_signature",
        }
    }
}

/// Whom the provider signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Its own name for them, which stays.
    pub subject: String,
    /// Their email, where the provider says that it is theirs.
    pub email: Option<String>,
}

/// What a browser was sent away with.
pub struct Asked {
    /// Where it was sent.
    pub url: Url,
    /// What it must bring back.
    pub state: String,
    /// What the token must hold.
    pub nonce: Nonce,
    /// What the code is exchanged with, which the browser never has.
    pub verifier: PkceCodeVerifier,
}

/// A provider that signs people in.
pub struct Provider {
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    http: Http,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<Arc<CoreProviderMetadata>>,
    read_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
}

impl Provider {
    /// The one that is configured, if one is.
    ///
    /// # Errors
    /// Settings that cannot be used, in a sentence.
    pub fn new(config: &Config) -> Result<Option<Self>, String> {
        let (issuer, client) = match (&config.oidc_issuer, &config.oidc_client_id) {
            (Some(issuer), Some(client)) => (issuer, client),
            (None, None) if config.oidc_client_secret.is_none() => return Ok(None),
            _ => return Err("oidc_issuer and oidc_client_id belong together: set both, or neither".to_owned()),
        };
        let url = Url::parse(issuer).map_err(|error| format!("oidc_issuer \"{issuer}\": {error}"))?;
        let here = url.host_str().is_some_and(|host| host == "localhost" || host == "127.0.0.1" || host == "[::1]");
        let encrypted = url.scheme() == "https";
        let on_this_machine = url.scheme() == "http" && here;
        if !(encrypted || on_this_machine) {
            return Err(format!("oidc_issuer \"{issuer}\" must begin with https://"));
        }
        let redirect = format!("{}{CALLBACK}", config.base_url());
        Ok(Some(Self {
            issuer: IssuerUrl::new(issuer.clone()).map_err(|error| format!("oidc_issuer \"{issuer}\": {error}"))?,
            client: ClientId::new(client.clone()),
            secret: config.oidc_client_secret.clone().map(ClientSecret::new),
            redirect: RedirectUrl::new(redirect).map_err(|error| format!("public_url: {error}"))?,
            http: Http::new(encrypted)?,
            known: Mutex::default(),
        }))
    }

    /// Its address, by which its people are told from another's.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where a browser goes to sign in there.
    ///
    /// # Errors
    /// [`Trouble::Down`].
    pub async fn ask(&self, now: Timestamp) -> Result<Asked, Trouble> {
        let metadata = self.metadata(now, false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = crate::auth::session::new_token();
        let (csrf, nonce) = (CsrfToken::new(state.clone()), Nonce::new(crate::auth::session::new_token()));
        let (url, _, nonce) = self
            .client(&metadata)?
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || csrf, move || nonce)
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Asked { url, state, nonce, verifier })
    }

    /// Who came back with that code.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn person(
        &self,
        code: String,
        verifier: PkceCodeVerifier,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<Person, Trouble> {
        let metadata = self.metadata(now, false).await?;
        let client = self.client(&metadata)?;
        let exchange = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
        let tokens = exchange.request_async(&self.http).await.map_err(|error| not_exchanged(&error))?;
        let claims = match claims_of(&client, &tokens, nonce, now) {
            Err(Wrong::UnknownKey) => {
                let metadata = self.metadata(now, true).await?;
                claims_of(&self.client(&metadata)?, &tokens, nonce, now)
            }
            claims => claims,
        };
        let claims = claims.map_err(Wrong::trouble)?;
        let subject = claims.subject().to_string();
        if let Some(email) = claims.email() {
            let verified = claims.email_verified() == Some(true);
            return Ok(Person { subject, email: verified.then(|| email.to_string()) });
        }
        // Providers may keep it for those who ask (OpenID Connect Core 5.4).
        let email = self.asked_email(&client, tokens.access_token().clone(), claims.subject().clone()).await?;
        Ok(Person { subject, email })
    }

    async fn asked_email(
        &self,
        client: &Client,
        token: AccessToken,
        subject: SubjectIdentifier,
    ) -> Result<Option<String>, Trouble> {
        let Ok(request) = client.user_info(token, Some(subject)) else { return Ok(None) };
        let told: CoreUserInfoClaims = request.request_async(&self.http).await.map_err(|error| {
            tracing::warn!(%error, "the sign-in provider does not say who somebody is");
            Trouble::Down
        })?;
        let verified = told.email_verified() == Some(true);
        Ok(told.email().filter(|_| verified).map(|email| email.to_string()))
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Result<Client, Trouble> {
        let secret = self.secret.clone();
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client.clone(), secret);
        let Some(token_url) = metadata.token_endpoint().cloned() else {
            tracing::warn!("the sign-in provider names no address for tokens");
            return Err(Trouble::Down);
        };
        let client = client.set_token_uri(token_url).set_redirect_uri(self.redirect.clone());
        // In the header is the default; some take it in the body alone.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let body_only = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        Ok(if body_only { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    /// What the provider says of itself; `renew` where its keys may have changed.
    async fn metadata(&self, now: Timestamp, renew: bool) -> Result<Arc<CoreProviderMetadata>, Trouble> {
        let since = |at: Option<Timestamp>| at.map_or(i64::MAX, |at| now.micros().saturating_sub(at.micros()));
        // Whoever comes meanwhile waits for the same answer.
        let mut known = self.known.lock().await;
        let wanted = if renew { RENEW_EVERY_US } else { KEPT_US };
        if let Some(metadata) = &known.metadata
            && (since(known.read_at) < wanted || since(known.failed_at) < PAUSE_US)
        {
            return Ok(Arc::clone(metadata));
        }
        if since(known.failed_at) < PAUSE_US {
            return Err(Trouble::Down);
        }
        match CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known { metadata: Some(Arc::clone(&metadata)), read_at: Some(now), failed_at: None };
                Ok(metadata)
            }
            Err(error) => {
                tracing::warn!(%error, cause = ?std::error::Error::source(&error), "the sign-in provider cannot be asked");
                known.failed_at = Some(now);
                known.metadata.clone().ok_or(Trouble::Down)
            }
        }
    }
}

/// What is wrong with a token.
enum Wrong {
    /// Signed by a key that is not known: perhaps a new one.
    UnknownKey,
    /// Anything that another look does not mend.
    Final(Trouble),
}

impl Wrong {
    const fn trouble(self) -> Trouble {
        match self {
            Self::UnknownKey => Trouble::Signature,
            Self::Final(trouble) => trouble,
        }
    }
}

fn claims_of(
    client: &Client,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<CoreIdTokenClaims, Wrong> {
    let token = tokens.id_token().ok_or(Wrong::Final(Trouble::Refused))?;
    let now = DateTime::<Utc>::from_timestamp_micros(now.micros()).ok_or(Wrong::Final(Trouble::Expired))?;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || now);
    token.claims(&verifier, nonce).cloned().map_err(|error| {
        tracing::warn!(%error, "the sign-in provider's token is not taken");
        match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Wrong::UnknownKey
            }
            ClaimsVerificationError::SignatureVerification(_) => Wrong::Final(Trouble::Signature),
            ClaimsVerificationError::Expired(_) => Wrong::Final(Trouble::Expired),
            ClaimsVerificationError::InvalidNonce(_) => Wrong::Final(Trouble::Nonce),
            _ => Wrong::Final(Trouble::Other),
        }
    })
}

type NotExchanged = RequestTokenError<HttpError, openidconnect::StandardErrorResponse<CoreErrorResponseType>>;

fn not_exchanged(error: &NotExchanged) -> Trouble {
    match error {
        RequestTokenError::ServerResponse(said) => {
            // The provider's own words, which hold neither code nor secret.
            tracing::warn!(error = ?said.error(), "the sign-in provider refuses the code");
            Trouble::Refused
        }
        RequestTokenError::Request(error) => {
            tracing::warn!(%error, "the sign-in provider cannot be reached");
            Trouble::Down
        }
        // Where it cannot be read it may be a token all the same: nothing of it goes into the log.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            tracing::warn!("the sign-in provider's answer to the code is none");
            Trouble::Down
        }
    }
}
