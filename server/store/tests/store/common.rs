//! What the store's tests share: a folder, a clock that stands still, an org with the prices of DESIGN §4.

use ledger::event::Form;
use ledger::{Credits, Event, GrantKind, OrgId, Scope, Timestamp, Words};
use std::sync::Arc;
use store::clock::FixedClock;
use store::{By, Ingested, NewGrant, NewOrg, NewPlan, Options, Outcome, Store, Subscribe};

/// 2026-11-21T12:00:00Z, unless a test moves it.
pub const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);

/// A store in a folder of its own, which goes when this goes.
pub struct Bench {
    /// The folder.
    pub dir: tempfile::TempDir,
    /// Its clock.
    pub clock: Arc<FixedClock>,
    /// The store.
    pub store: Store,
}

impl Bench {
    /// A new folder.
    pub async fn new() -> Self {
        Self::open(tempfile::tempdir().expect("a folder for the test")).await
    }

    /// A folder that may hold a database.
    pub async fn open(dir: tempfile::TempDir) -> Self {
        let clock = Arc::new(FixedClock::at(NOON));
        let store = open(dir.path(), &clock).await;
        Self { dir, clock, store }
    }

    /// A new folder in memory, where the machine has such a place: for tests that make thousands of commits.
    pub async fn in_memory() -> Self {
        let in_memory = std::path::Path::new("/dev/shm");
        let dir = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        let dir = dir.expect("a folder for the test");
        let clock = Arc::new(FixedClock::at(NOON));
        let store = open(dir.path(), &clock).await;
        Self { dir, clock, store }
    }

    /// Closes the store and opens it again.
    pub async fn reopen(&mut self) {
        self.store.close().await;
        self.store = open(self.dir.path(), &self.clock).await;
    }

    /// An org with the prices of tokens, exports, sessions and requests.
    pub async fn org(&self, name: &str, zone: &str) -> OrgId {
        let lines = r#"[{"meter":"input_tokens","rule":"unit","price":"0.60","per":1000000},
            {"meter":"completion_tokens","rule":"unit","price":"1.00","per":1000000},
            {"meter":"export","rule":"unit","price":"1"},
            {"meter":"viewer_session","rule":"block","price":"1","size":"600","counted":"per_event"},
            {"meter":"computation","rule":"block","price":"1","size":"10","counted":"accumulated"},
            {"meter":"agent","rule":"reported"}]"#;
        let new = NewOrg {
            offers: store::Offers::default(),
            name: name.to_owned(),
            zone: zone.to_owned(),
            synthetic: false,
            words: Words::default(),
            meters: vec![],
            agents: vec![],
            lines: serde_json::from_str(lines).expect("valid lines"),
        };
        self.store.create_org(new).await.expect("a new org").id
    }

    /// Subscribes an org without plans to one of so many credits a month, from now on.
    pub async fn subscribe(&self, org: OrgId, amount: &str) {
        let plan = NewPlan {
            name: "standard".to_owned(),
            title: "Standard".to_owned(),
            description: String::new(),
            credits: Some(credits(amount)),
            price: None,
            rollover: None,
            policy: ledger::Policy::Pause,
            retention_days: None,
            by_agreement: false,
        };
        self.store.offer_plans(org, By::command(), vec![plan]).await.expect("offered");
        let to = Subscribe { plan: ledger::PlanId(1), anniversary: true, agreed: None, operator: true };
        self.store.subscribe(org, By::command(), to).await.expect("subscribed");
    }

    /// Gives credits that never expire.
    pub async fn grant(&self, org: OrgId, amount: &str) {
        self.grant_with(org, amount, None).await;
    }

    /// Gives credits that expire.
    pub async fn grant_with(&self, org: OrgId, amount: &str, expires_at: Option<Timestamp>) {
        let new = NewGrant {
            kind: GrantKind::Purchase,
            amount: credits(amount),
            priority: 0,
            scope: Scope::default(),
            effective_at: None,
            expires_at,
            description: "test".to_owned(),
            cost: None,
            rollover: None,
        };
        self.store.give_grant(org, "test".to_owned(), new, None).await.expect("a good grant");
    }

    /// Ingests events.
    pub async fn ingest(&self, org: OrgId, events: Vec<Event>) -> Ingested {
        self.store.ingest(org, "test".to_owned(), events).await.expect("the writer works")
    }

    /// Says that everything verifies, or what does not.
    pub async fn assert_verified(&self) {
        let verified = self.store.verify(|_, _| ()).await.expect("readable");
        assert_eq!(verified.problems, Vec::<String>::new());
    }
}

async fn open(dir: &std::path::Path, clock: &Arc<FixedClock>) -> Store {
    let clock: Arc<dyn store::Clock> = Arc::clone(clock) as Arc<dyn store::Clock>;
    Store::open(Options { dir: dir.to_owned(), clock, readers: 2, create: true }).await.expect("opens")
}

/// An amount.
pub fn credits(text: &str) -> Credits {
    Credits::parse(text).expect("a good amount")
}

/// An event from plain JSON.
pub fn event(json: &str) -> Event {
    Event::from_json(json, Form::Plain).expect("a good event")
}

/// One export with that id.
pub fn export(id: &str) -> Event {
    event(&format!(r#"{{"id":"{id}","source":"api","type":"export"}}"#))
}

/// How many were accepted, seen before, refused.
pub fn counts(ingested: &Ingested) -> (usize, usize, usize) {
    ingested.outcomes.iter().fold((0, 0, 0), |(a, d, r), outcome| match outcome {
        Outcome::Accepted { .. } => (a + 1, d, r),
        Outcome::Duplicate { .. } => (a, d + 1, r),
        Outcome::Refused(_) => (a, d, r + 1),
    })
}

/// SplitMix64: small, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("small")
    }
}
