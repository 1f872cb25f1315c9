//! What the program is set to: file, environment and flags, in rising precedence.
//!
//! The file is TOML: the one named by `--config` or `SCRIP_CONFIG`, else `scrip.toml` in the data folder if there is one.
//! Every field of [`Config`] can stand in the file under its own name, and in the environment as `SCRIP_` and its name in
//! capitals (`SCRIP_LISTEN`). A name that is none of these is refused: a typing error must not silently mean the default.
//!
//! The one home of the environment: nothing else in the program reads it.

use serde::Deserialize;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Name of the file that is looked for in the data folder.
pub const FILE_NAME: &str = "scrip.toml";
const PREFIX: &str = "SCRIP";
const CONFIG_VARIABLE: &str = "SCRIP_CONFIG";

/// Every setting. The comments are the documentation that people read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of the database, the lock and the socket. It must exist.
    pub data: PathBuf,
    /// Address and port to listen on; port 0 takes a free one and says which.
    pub listen: String,
    /// Where people reach the server, when that is not `http://` and `listen`: behind a proxy `https://scrip.example.com`.
    /// Links, the security of cookies and the check of a form's origin follow from it.
    pub public_url: Option<String>,
    /// Whether cookies are sent over TLS only (`__Host-scrip`). Default: yes, unless `public_url` is plain http to a host
    /// other than this machine. Browsers treat this machine's own address as safe.
    pub cookie_secure: Option<bool>,
    /// Whether a proxy in front writes the address of whoever asks to the end of `x-forwarded-for`. Only where the proxy is
    /// the only way in: anybody else could write there too.
    pub behind_proxy: bool,
    /// What is logged, as tracing's filter: `info`, `warn,scrip_server=debug`.
    pub log: String,
    /// How the log is written.
    pub log_format: LogFormat,
    /// Whether `/metrics` answers.
    pub metrics: bool,
    /// Connections that read from the database at once.
    pub readers: u32,
    /// Most bytes of a request body; a stream of lines has its own limit.
    pub max_body_bytes: usize,
    /// Most events of one batch.
    pub max_batch_items: usize,
    /// Most bytes of a body of lines (`application/x-ndjson`), which is settled while it comes in.
    pub max_stream_bytes: u64,
    /// Requests worked on at once; more are answered 503 with `Retry-After`.
    pub max_requests: usize,
    /// Requests a second of one API key; ten times as many may come at once. 0 is no limit.
    pub key_requests_per_s: u32,
    /// Requests a second of all keys of one organization together. 0 is no limit.
    pub org_requests_per_s: u32,
    /// Requests a second of one address for pages, and with keys that do not count. 0 is no limit. Behind a proxy everybody has
    /// its address until `behind_proxy` is set.
    pub address_requests_per_s: u32,
    /// Seconds after which a request is given up; for a stream of lines, seconds without a new byte.
    pub request_timeout_s: u64,
    /// Seconds that running requests get to finish when the server is asked to stop.
    pub shutdown_s: u64,
    /// Days after which somebody signed in must sign in again, however active.
    pub session_days: u32,
    /// The mail server: `smtps://user:password@mail.example.com`, `smtp://…?tls=required` for STARTTLS, or
    /// `smtp://127.0.0.1:25` for one on this machine. Without it, and without `mail_dir`, invitations are links to copy.
    pub smtp_url: Option<String>,
    /// Folder that mails are written into instead of being sent, one file each, for trying out.
    pub mail_dir: Option<PathBuf>,
    /// Who mails come from: `Scrip <scrip@example.com>`.
    pub mail_from: Option<String>,
    /// A service that signs people in by OpenID Connect: its issuer, `https://accounts.example.com`. Tell it that people come
    /// back to `/sign-in/oidc/callback` under `public_url`.
    pub oidc_issuer: Option<String>,
    /// What that service knows this server as, and the secret that it gave it. Without a secret PKCE alone protects codes.
    pub oidc_client_id: Option<String>,
    /// See `oidc_client_id`.
    pub oidc_client_secret: Option<String>,
    /// What people call that service: "Sign in with …".
    pub oidc_name: String,
    /// Domains of the emails that it may bring, with commas between: `example.com, example.org`. Default: any.
    pub oidc_domains: Option<String>,
    /// Whether whoever has a second step here is asked for it after signing in there. Only where that service itself asks
    /// everybody for two factors should this be `false`.
    pub oidc_second_step: bool,
    /// How credits can be paid for, with commas between: `sandbox` (built in, for trying out: no money moves and credits come all
    /// the same), `stripe`, `bank_transfer`.
    pub payment_providers: String,
    /// Stripe's secret key (`sk_live_…`), and the secret with which it signs what it sends to `/webhooks/stripe` under
    /// `public_url` (`whsec_…`).
    pub stripe_secret_key: Option<String>,
    /// See `stripe_secret_key`.
    pub stripe_webhook_secret: Option<String>,
    /// Where Stripe's API is.
    pub stripe_url: String,
    /// Networks and addresses beside the public internet that webhooks may be sent to, with commas between: `10.1.0.0/16, 192.168.7.4`.
    /// Whoever manages webhooks of any organization can then reach them through this server. Default: none.
    pub webhook_allow: Option<String>,
    /// What the file of an org's transactions is called, before date and time: letters, digits, `-` and `_`.
    pub history_prefix: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            listen: "127.0.0.1:3000".to_owned(),
            public_url: None,
            cookie_secure: None,
            behind_proxy: false,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            metrics: true,
            readers: 4,
            // A batch of 10,000 events of a kilobyte each.
            max_body_bytes: 10 * 1024 * 1024,
            // What one commit settles without making others wait noticeably.
            max_batch_items: store::MAX_BATCH,
            // A day of a busy service in one request; memory stays at a slice of it.
            max_stream_bytes: 256 * 1024 * 1024,
            // Enough to keep the writer's queue full, few enough that bodies in memory stay below a gigabyte.
            max_requests: 512,
            // Some twentieth of what the writer takes: no key keeps the others waiting. Batches carry thousands of events each.
            key_requests_per_s: 1_000,
            org_requests_per_s: 2_000,
            // An office behind one address, opening pages all day.
            address_requests_per_s: 100,
            request_timeout_s: 30,
            shutdown_s: 10,
            session_days: 14,
            smtp_url: None,
            mail_dir: None,
            mail_from: None,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            oidc_name: "single sign-on".to_owned(),
            oidc_domains: None,
            oidc_second_step: true,
            payment_providers: "sandbox".to_owned(),
            stripe_secret_key: None,
            stripe_webhook_secret: None,
            stripe_url: "https://api.stripe.com".to_owned(),
            webhook_allow: None,
            history_prefix: "token_usage_history".to_owned(),
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line, for collectors.
    Json,
}

/// What flags say; `None` leaves it to the environment and the file.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--public-url`
    pub public_url: Option<String>,
}

/// Why the settings cannot be used: one line for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named is not there or cannot be read.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// In the operating system's words.
        reason: String,
    },
    /// A key or a value that cannot be used.
    #[error("the configuration cannot be used: {0}")]
    Invalid(String),
}

impl Config {
    /// Reads file, environment and flags.
    ///
    /// # Errors
    /// [`ConfigError`] names the key.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Self::from_sources(flags, environment())
    }

    fn from_sources(flags: &Flags, environment: HashMap<String, String>) -> Result<Self, ConfigError> {
        let file = match flags.config.clone().or_else(|| environment.get(CONFIG_VARIABLE).map(PathBuf::from)) {
            Some(path) => Some(path),
            None => Some(data_folder(flags, &environment).join(FILE_NAME)).filter(|path| path.is_file()),
        };
        let mut layers = config::Config::builder();
        if let Some(path) = file {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| ConfigError::Unreadable { path: path.clone(), reason: error.to_string() })?;
            layers = layers.add_source(config::File::from_str(&text, config::FileFormat::Toml));
        }
        let variables: HashMap<String, String> =
            environment.into_iter().filter(|(name, _)| name != CONFIG_VARIABLE).collect();
        let variables = config::Environment::with_prefix(PREFIX).try_parsing(true).source(Some(variables));
        let text = |path: &PathBuf| path.display().to_string();
        layers
            .add_source(variables)
            .set_override_option("data", flags.data.as_ref().map(text))
            .and_then(|layers| layers.set_override_option("listen", flags.listen.clone()))
            .and_then(|layers| layers.set_override_option("public_url", flags.public_url.clone()))
            .and_then(config::ConfigBuilder::<config::builder::DefaultState>::build)
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError::Invalid(error.to_string()))
            .and_then(Self::checked)
    }

    fn checked(self) -> Result<Self, ConfigError> {
        if let Some(url) = &self.public_url
            && origin_of(url).is_none()
        {
            return Err(ConfigError::Invalid(format!("public_url \"{url}\" is not like https://scrip.example.com")));
        }
        if self.max_batch_items == 0 || self.max_batch_items > store::MAX_BATCH {
            return Err(ConfigError::Invalid(format!("max_batch_items must be 1 to {}", store::MAX_BATCH)));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !(1..=64).contains(&self.history_prefix.len()) || !self.history_prefix.bytes().all(plain) {
            let problem = "history_prefix must be 1 to 64 letters, digits, - and _: it begins the name of a file";
            return Err(ConfigError::Invalid(problem.to_owned()));
        }
        for (name, zero) in [
            ("readers", self.readers == 0),
            ("max_body_bytes", self.max_body_bytes == 0),
            ("max_stream_bytes", self.max_stream_bytes == 0),
            ("max_requests", self.max_requests == 0),
            ("request_timeout_s", self.request_timeout_s == 0),
            ("session_days", self.session_days == 0),
        ] {
            if zero {
                return Err(ConfigError::Invalid(format!("{name} must be at least 1")));
            }
        }
        crate::notify::mail::Mailer::new(&self).map_err(ConfigError::Invalid)?;
        crate::auth::oidc::Elsewhere::new(&self).map_err(ConfigError::Invalid)?;
        crate::payment::check(&self).map_err(ConfigError::Invalid)?;
        crate::outgoing::Outgoing::new(&self).map_err(ConfigError::Invalid)?;
        Ok(self)
    }

    /// Where links in mails lead. Never what a request says of its host: whoever sends one could choose where they lead.
    #[must_use]
    pub fn base_url(&self) -> String {
        match (&self.public_url, self.listen.parse()) {
            (None, Err(_)) => format!("http://{}", self.listen),
            (_, bound) => self.url(bound.unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)))),
        }
    }

    /// Where people reach a server that listens on `bound`.
    #[must_use]
    pub fn url(&self, bound: SocketAddr) -> String {
        self.public_url.as_deref().map_or_else(
            || {
                let host = if bound.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { bound.ip() };
                format!("http://{}", SocketAddr::new(host, bound.port()))
            },
            |url| url.trim_end_matches('/').to_owned(),
        )
    }

    /// Whether cookies may be marked `Secure`: over https, and over http on this machine itself.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.cookie_secure.unwrap_or_else(|| match &self.public_url {
            Some(url) if url.starts_with("https://") => true,
            Some(url) => host_of(url).is_some_and(is_this_machine),
            None => self.listen.rsplit_once(':').is_some_and(|(host, _)| is_this_machine(host)),
        })
    }

    /// The origin (`https://scrip.example.com`) that a browser states for pages under `public_url`.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        self.public_url.as_deref().and_then(origin_of)
    }
}

fn data_folder(flags: &Flags, environment: &HashMap<String, String>) -> PathBuf {
    let said = flags.data.clone().or_else(|| environment.get("SCRIP_DATA").map(PathBuf::from));
    said.unwrap_or_else(|| Config::default().data)
}

fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split('/').next()?;
    Some(match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    })
    .filter(|host| !host.is_empty())
}

fn origin_of(url: &str) -> Option<String> {
    host_of(url)?;
    let scheme_end = url.find("://")? + 3;
    let end = url[scheme_end..].find('/').map_or(url.len(), |slash| scheme_end + slash);
    Some(url[..end].to_ascii_lowercase())
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[expect(clippy::disallowed_methods, reason = "this is the environment's one home")]
fn environment() -> HashMap<String, String> {
    // Names and values that are not Unicode cannot be settings of ours.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("SCRIP_"))
        .collect()
}

/// Where a path given on the command line really is, for a process that may run in another folder.
///
/// # Errors
/// In the operating system's words.
pub fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: &Flags, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::from_sources(flags, environment)
    }

    fn with_file(text: &str) -> (tempfile::TempDir, Flags) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE_NAME), text).expect("written");
        let flags = Flags { data: Some(folder.path().to_owned()), ..Flags::default() };
        (folder, flags)
    }

    #[test]
    fn flags_go_before_environment_before_file() {
        let (_folder, mut flags) = with_file("listen = \"1.1.1.1:1\"\nreaders = 7\nlog = \"warn\"");
        let config = load(&flags, &[("SCRIP_LISTEN", "2.2.2.2:2"), ("SCRIP_LOG", "debug")]).expect("valid");
        assert_eq!((config.listen.as_str(), config.readers, config.log.as_str()), ("2.2.2.2:2", 7, "debug"));
        flags.listen = Some("3.3.3.3:3".to_owned());
        assert_eq!(load(&flags, &[("SCRIP_LISTEN", "2.2.2.2:2")]).expect("valid").listen, "3.3.3.3:3");
    }

    #[test]
    fn unknown_names_and_wrong_values_are_refused_by_name() {
        let (_folder, flags) = with_file("lisen = \"1.1.1.1:1\"");
        assert!(load(&flags, &[]).expect_err("unknown").to_string().contains("lisen"));
        let none = Flags::default();
        for (name, value, said) in [
            ("SCRIP_LISTN", "x", "listn"),
            ("SCRIP_READERS", "many", "readers"),
            ("SCRIP_READERS", "0", "readers"),
            ("SCRIP_PUBLIC_URL", "example.com", "public_url"),
            ("SCRIP_MAX_BATCH_ITEMS", "100000", "max_batch_items"),
            ("SCRIP_HISTORY_PREFIX", "../x\"", "history_prefix"),
            ("SCRIP_WEBHOOK_ALLOW", "10.0.0.0/40", "webhook_allow"),
            ("SCRIP_OIDC_ISSUER", "https://accounts.example.com", "oidc_client_id"),
            ("SCRIP_OIDC_CLIENT_SECRET", "s3cret", "oidc_client_id"),
        ] {
            let error = load(&none, &[(name, value)]).expect_err(name).to_string();
            assert!(error.contains(said), "{name}={value}: {error}");
        }
        let named = Flags { config: Some(PathBuf::from("/nowhere/scrip.toml")), ..Flags::default() };
        assert!(matches!(load(&named, &[]), Err(ConfigError::Unreadable { .. })));
    }

    #[test]
    fn cookies_are_secure_wherever_browsers_allow_it() {
        let secure = |listen: &str, url: Option<&str>| {
            let config = Config { listen: listen.to_owned(), public_url: url.map(str::to_owned), ..Config::default() };
            config.secure_cookies()
        };
        assert!(secure("127.0.0.1:3000", None) && secure("[::1]:3000", None) && secure("localhost:1", None));
        assert!(secure("0.0.0.0:80", Some("https://scrip.example.com/")));
        assert!(!secure("0.0.0.0:80", None) && !secure("0.0.0.0:80", Some("http://scrip.lan:3000")));
    }
}
