//! Calls to addresses that an org chose, such as its webhooks.
//!
//! Whoever chooses an address could mean this machine, or one beside it. So: the address is read as browsers read it; its name is looked up
//! once; every address that it has must be public, or allowed by the operator ([`address`]); and the connection goes to those very
//! addresses, whatever the name says by then. Redirects are not followed, no proxy is used, only https is spoken where the operator did not
//! allow the address, and nothing of a call is endless: connecting, waiting, and what is read of an answer have ends.

pub mod address;
pub mod body;
pub mod by_hand;
pub mod standard;

use crate::auth::oidc::http;
use crate::config::Config;
use address::{Allowed, is_public};
use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use store::clock::Stopwatch;

/// How long looking up a name may take.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a receiver may take until its answer begins.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long is waited for the beginning of an answer's body, which is for people to read.
const READ_WITHIN: Duration = Duration::from_secs(2);
/// Most bytes that are read of it.
const MAX_ANSWER_BYTES: usize = 4 * 1024;
/// Addresses of one name that are looked at: more than any receiver has.
const MAX_ADDRESSES: usize = 32;

/// Looks up names.
pub trait Names: Send + Sync {
    /// The addresses of a name.
    fn addresses<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>>;
}

/// Names as this machine knows them.
struct MachineNames;

impl Names for MachineNames {
    fn addresses<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why a call was not made, or came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No address of the web, or one with a password in it.
    #[error("the address is not like https://example.com/webhooks: give one without user and password")]
    BadUrl,
    /// Plain http to somewhere that the operator did not allow.
    #[error("only https addresses are sent to: what is sent is for nobody in between")]
    NotEncrypted,
    /// The name has no address.
    #[error("its host has no address: check how it is spelled")]
    NoSuchHost,
    /// It leads into a private network.
    #[error("its host is not on the public internet: whoever runs this server can allow its network (webhook_allow)")]
    ForbiddenAddress,
    /// Nobody listens there, or not with a certificate that is trusted.
    #[error("no connection could be made")]
    ConnectFailed,
    /// It took too long.
    #[error("no answer came within 15 seconds")]
    TimedOut,
    /// What came is no HTTP.
    #[error("what came is not an answer")]
    BrokenAnswer,
}

impl CallError {
    /// The stable code that programs compare, and that the log keeps.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadUrl => "bad_url",
            Self::NotEncrypted => "not_encrypted",
            Self::NoSuchHost => "no_such_host",
            Self::ForbiddenAddress => "forbidden_address",
            Self::ConnectFailed => "connect_failed",
            Self::TimedOut => "timed_out",
            Self::BrokenAnswer => "broken_answer",
        }
    }
}

/// An answer, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// After how many seconds it wants to be asked again.
    pub again_after_s: Option<i64>,
    /// How its body begins, without what a terminal or page would act on.
    pub text: String,
}

/// What came of a call, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The answer, or why there is none.
    pub answer: Result<Answer, CallError>,
    /// Milliseconds.
    pub took_ms: i64,
}

/// Where a call goes: an address and what its name was looked up as.
#[derive(Debug)]
pub struct Target {
    url: Url,
    pinned: Vec<SocketAddr>,
}

impl Target {
    /// The addresses that a call goes to, and no others.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.pinned
    }
}

/// Makes calls.
#[derive(Clone)]
pub struct Outgoing {
    tls: rustls::ClientConfig,
    allowed: Allowed,
    names: Arc<dyn Names>,
    answer_within: Duration,
}

impl Outgoing {
    /// As the configuration says.
    ///
    /// # Errors
    /// A sentence that names what cannot be used.
    pub fn new(config: &Config) -> Result<Self, String> {
        Self::with_names(config, Arc::new(MachineNames))
    }

    /// The same with names looked up otherwise.
    ///
    /// # Errors
    /// A sentence that names what cannot be used.
    pub fn with_names(config: &Config, names: Arc<dyn Names>) -> Result<Self, String> {
        let allowed = Allowed::parse(config.webhook_allow.as_deref().unwrap_or_default())?;
        Ok(Self { tls: http::tls()?, allowed, names, answer_within: ANSWER_WITHIN })
    }

    /// The same, waiting so long until an answer begins.
    #[must_use]
    pub const fn answering_within(mut self, within: Duration) -> Self {
        self.answer_within = within;
        self
    }

    /// Reads an address and looks up where it leads.
    ///
    /// # Errors
    /// [`CallError`], where it must not be sent there.
    pub async fn target(&self, url: &str) -> Result<Target, CallError> {
        let url = Url::parse(url).map_err(|_| CallError::BadUrl)?;
        let is_web = matches!(url.scheme(), "http" | "https");
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return Err(CallError::BadUrl);
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(CallError::BadUrl);
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let found = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => self.look_up(bare, port).await?,
        };
        // One address that must not be reached is enough: whoever answers for the name chooses which of them is tried.
        if found.iter().any(|ip| !is_public(*ip) && !self.allowed.names(*ip)) {
            return Err(CallError::ForbiddenAddress);
        }
        if url.scheme() == "http" && !found.iter().all(|ip| self.allowed.names(*ip)) {
            return Err(CallError::NotEncrypted);
        }
        let pinned = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok(Target { url, pinned })
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<IpAddr>, CallError> {
        let found = tokio::time::timeout(LOOK_UP_WITHIN, self.names.addresses(host, port)).await;
        let found = found.map_err(|_| CallError::NoSuchHost)?.map_err(|_| CallError::NoSuchHost)?;
        if found.is_empty() || found.len() > MAX_ADDRESSES { Err(CallError::NoSuchHost) } else { Ok(found) }
    }

    /// Sends JSON, and waits for the answer.
    pub async fn post(&self, url: &str, headers: Vec<(&'static str, String)>, body: String) -> Called {
        let watch = Stopwatch::start();
        let answer = match self.target(url).await {
            Ok(target) => self.send(target, headers, body).await,
            Err(error) => Err(error),
        };
        Called { answer, took_ms: i64::try_from(watch.elapsed().as_millis()).unwrap_or(i64::MAX) }
    }

    /// A connection of its own for each call: nothing that was looked up for one counts for another.
    async fn send(
        &self,
        target: Target,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Result<Answer, CallError> {
        let client = self.client(&target).map_err(|_| CallError::ConnectFailed)?;
        let mut request = client.post(target.url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let sent = tokio::time::timeout(self.answer_within, request.send()).await.map_err(|_| CallError::TimedOut)?;
        let mut answer = sent.map_err(|error| match () {
            () if error.is_timeout() => CallError::TimedOut,
            () if error.is_connect() => CallError::ConnectFailed,
            () => CallError::BrokenAnswer,
        })?;
        let again = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut read = Vec::new();
        // What is not there in time is not read: status and headers decide, the rest is for people.
        let reading = async {
            while let Ok(Some(piece)) = answer.chunk().await {
                let room = MAX_ANSWER_BYTES - read.len();
                read.extend_from_slice(&piece[..piece.len().min(room)]);
                if read.len() == MAX_ANSWER_BYTES {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(READ_WITHIN, reading).await;
        Ok(Answer { status: answer.status().as_u16(), again_after_s: again, text: readable(&read) })
    }

    fn client(&self, target: &Target) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(self.answer_within + READ_WITHIN)
            .pool_max_idle_per_host(0)
            .user_agent("scrip");
        if let Some(host) = target.url.host_str() {
            builder = builder.resolve_to_addrs(host, &target.pinned);
        }
        builder.build()
    }
}

/// Text of an answer as it may be shown: no control characters but line breaks.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let kept = |c: &char| *c == '\n' || !ledger::label::is_unprintable(*c);
    text.chars().filter(kept).take(store::outbox::delivery::MAX_ANSWER_CHARS).collect()
}
