//! What every handler shares.

use crate::assets::Site;
use crate::auth::oidc::Elsewhere;
use crate::auth::passkey::Passkeys;
use crate::auth::password::Passwords;
use crate::auth::throttle::Throttle;
use crate::config::Config;
use crate::jobs::deliveries::Courier;
use crate::limits::Limits;
use crate::live::Streams;
use crate::notify::mail::{Mail, Mailer};
use crate::operator::Upkeep;
use crate::outgoing::Outgoing;
use crate::payment::Payments;
use std::ops::Deref;
use std::sync::Arc;
use store::Store;
use tokio::sync::Semaphore;

/// What every handler shares. Each layer that a request passes clones it: one count that goes up.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What is in it.
pub struct Shared {
    /// The ledger.
    pub store: Store,
    /// What the server is set to.
    pub config: Arc<Config>,
    /// The pages' files.
    pub site: Arc<Site>,
    /// Checks passwords, few at a time.
    pub passwords: Arc<Passwords>,
    /// Asks for passkeys.
    pub passkeys: Arc<Passkeys>,
    /// The service elsewhere that signs people in, where there is one.
    pub elsewhere: Option<Arc<Elsewhere>>,
    /// Slows down guessing.
    pub throttle: Arc<Throttle>,
    /// Slows down asking for links by mail. Its own, since asking costs next to nothing: whoever fills it keeps nobody from
    /// signing in.
    pub resets: Arc<Throttle>,
    /// Slows down inviting the same person again and again.
    pub invited: Arc<Throttle>,
    /// How many requests are taken of whom.
    pub limits: Arc<Limits>,
    /// What operators began from pages.
    pub upkeep: Upkeep,
    /// Asks for money, and hears of it.
    pub payments: Payments,
    /// Sends messages to endpoints, where somebody asks for it.
    pub courier: Courier,
    /// Sends mail, where it is set up.
    pub mailer: Arc<Mailer>,
    /// One permit per request worked on.
    pub places: Arc<Semaphore>,
    /// One permit per browser that waits for the first event.
    pub waiting: Arc<Semaphore>,
    /// Pages that wait for news.
    pub streams: Arc<Streams>,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    /// For a server over `store`.
    ///
    /// # Panics
    /// Where the settings for mail, payments, webhooks or signing in elsewhere cannot be used, which [`Config::load`] refuses.
    #[must_use]
    pub fn new(store: Store, config: Config) -> Self {
        Self(Arc::new(Shared {
            mailer: Arc::new(Mailer::new(&config).expect("a configuration is checked when it is read")),
            courier: Courier::new(
                store.clone(),
                Outgoing::new(&config).expect("a configuration is checked when it is read"),
                &config.base_url(),
            ),
            payments: Payments::new(store.clone(), &config).expect("a configuration is checked when it is read"),
            store,
            site: Arc::new(Site::load()),
            elsewhere: Elsewhere::new(&config).expect("a configuration is checked when it is read").map(Arc::new),
            passkeys: Arc::new(Passkeys::new(&config)),
            passwords: Arc::new(Passwords::default()),
            throttle: Arc::new(Throttle::default()),
            resets: Arc::new(Throttle::default()),
            invited: Arc::new(Throttle::default()),
            limits: Arc::new(Limits::new(&config)),
            upkeep: Upkeep::default(),
            places: Arc::new(Semaphore::new(config.max_requests)),
            waiting: Arc::new(Semaphore::new(crate::setup::MAX_WAITING)),
            streams: Arc::new(Streams::default()),
            config: Arc::new(config),
        }))
    }

    /// Sends a mail that nobody waits for. Where it fails, the log says so; without mail set up it goes nowhere.
    pub fn post(&self, mail: Mail) {
        if !self.mailer.is_set_up() {
            return;
        }
        let mailer = Arc::clone(&self.mailer);
        tokio::spawn(async move {
            if let Err(error) = mailer.send(mail).await {
                tracing::warn!(%error, "a mail was not sent");
            }
        });
    }
}
