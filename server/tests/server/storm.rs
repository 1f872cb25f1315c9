//! Ten thousand messages of a provider, each once to ten times, in any order, among forged and stale ones, while the store goes
//! down again and again: each payment is credited once, and everything adds up as a plain model says.

use super::common::time;
use axum::http::HeaderMap;
use ledger::package::Terms;
use ledger::payment::{Dispute, Failure, Provider, State};
use ledger::{Credits, Money, OrgId, PackageId, PaymentId, PurchaseId, Timestamp};
use scrip_server::config::Config;
use scrip_server::payment::sandbox::Said;
use scrip_server::payment::{Forged, Payments};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::clock::FixedClock;
use store::package::NewPackage;
use store::payment::message::Outcome;
use store::purchase::{Cause, NewPurchase};
use store::sandbox::SandboxMessage;
use store::{By, NewOrg, Options, Store};
use tempfile::TempDir;

const MESSAGES: usize = 10_000;
const ORGS: i64 = 4;
const PURCHASES: usize = 1_600;
/// Deliveries under way at once, and between two crashes.
const AT_ONCE: usize = 100;
const CRASH_EVERY: usize = 5_000;
const SEED: u64 = 0x5C41_9008;
pub const PRICE: i64 = 10_000;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("small")
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for place in (1..all.len()).rev() {
            all.swap(place, self.below(place + 1));
        }
    }
}

/// How a message comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comes {
    Signed,
    Forged,
    Stale,
}

pub struct Storm {
    clock: Arc<FixedClock>,
    pub folder: TempDir,
    pub store: Store,
    payments: Payments,
}

fn now() -> Timestamp {
    time("2026-11-21T12:00:00Z")
}

async fn open(folder: &Path, clock: &Arc<FixedClock>) -> (Store, Payments) {
    let options = Options { clock: Arc::clone(clock) as Arc<dyn store::Clock>, ..Options::new(folder) };
    let store = Store::open(options).await.expect("opens");
    let payments = Payments::new(store.clone(), &Config::default()).expect("the sandbox");
    (store, payments)
}

impl Storm {
    pub async fn begin(at: Timestamp) -> Self {
        let in_memory = Path::new("/dev/shm");
        let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        let clock = Arc::new(FixedClock::at(at));
        let (store, payments) = open(folder.path(), &clock).await;
        Self { clock, folder, store, payments }
    }

    /// What was on its way is lost; what was taken is on disk, whether anybody was told or not.
    async fn crash(&mut self) {
        self.store.close().await;
        self.reopen().await;
    }

    pub async fn reopen(&mut self) {
        (self.store, self.payments) = open(self.folder.path(), &self.clock).await;
    }

    pub async fn orgs(&self) -> Vec<OrgId> {
        let mut orgs = Vec::new();
        for number in 0..ORGS {
            let price = Money::parse("100.00 EUR").expect("money");
            let terms = Terms::Fixed { credits: Credits::parse("1000").expect("credits"), price };
            let new = NewOrg {
                name: format!("Org {number}"),
                zone: "UTC".to_owned(),
                synthetic: false,
                words: ledger::Words::default(),
                meters: vec![],
                agents: vec![],
                lines: vec![],
                offers: store::Offers {
                    packages: vec![NewPackage { title: "1,000 credits".to_owned(), terms }],
                    ..store::Offers::default()
                },
            };
            orgs.push(self.store.create_org(new).await.expect("made").id);
        }
        orgs
    }

    pub async fn buy(&self, org: OrgId, provider: Provider) -> (PurchaseId, PaymentId) {
        let new = NewPurchase { package: PackageId(1), credits: None, cause: Cause::Person };
        let done = self.store.buy(org, By::command(), new, (provider, None), None).await;
        done.expect("opened").answer
    }

    fn sign(&self, message: &SandboxMessage, comes: Comes) -> (HeaderMap, String) {
        let sandbox = self.payments.sandbox().expect("offered");
        if comes == Comes::Stale {
            self.clock.set(Timestamp::from_micros(now().micros() - 3_600_000_000));
        }
        let (mut headers, body) = sandbox.signed(message);
        self.clock.set(now());
        if comes == Comes::Forged {
            // Signed, but something else.
            let (other, _) = sandbox.signed(&SandboxMessage { no: message.no + 1_000_000, ..message.clone() });
            headers = other;
        }
        (headers, body)
    }

    /// Delivers a part at once; `heard` where the answers are waited for.
    async fn deliver(&self, part: &[(SandboxMessage, Comes)], heard: bool) {
        // Signed before any is on its way: for a stale one the clock is set back.
        let signed: Vec<_> = part.iter().map(|(message, comes)| (*comes, self.sign(message, *comes))).collect();
        let mut under_way = Vec::new();
        for (comes, (headers, body)) in signed {
            let payments = self.payments.clone();
            under_way.push(tokio::spawn(async move {
                (comes, payments.take(Provider::Sandbox, &headers, body.as_bytes()).await)
            }));
        }
        for task in under_way {
            if !heard {
                task.abort();
                continue;
            }
            let (comes, outcome) = task.await.expect("ends");
            match (comes, outcome.expect("the store works")) {
                (Comes::Signed, Ok(Some(outcome))) => assert_ne!(outcome, Outcome::UnknownPayment),
                (Comes::Forged, Err(Forged::Signature)) | (Comes::Stale, Err(Forged::Stale)) => {}
                (comes, other) => panic!("{comes:?}: {other:?}"),
            }
        }
    }
}

/// What a plain model knows of a payment: whether the right money was named, and the furthest of a dispute.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    paid: bool,
    dispute: u8,
}

impl Expected {
    pub fn hear(&mut self, says: &Said) {
        self.paid |= matches!(says, Said::Paid { minor: PRICE, .. });
        self.dispute = self.dispute.max(match says {
            Said::Disputed => 1,
            Said::Decided { won: true } => 2,
            Said::Decided { won: false } => 3,
            _ => 0,
        });
    }
}

pub fn said(random: &mut Random) -> Said {
    let currency = Money::parse("1.00 EUR").expect("money").currency;
    match random.below(16) {
        0..=2 => Said::Waiting,
        3..=4 => Said::NeedsAction,
        5..=7 => Said::Declined { why: Failure::Declined },
        8 => Said::Cancelled,
        9..=12 => Said::Paid { minor: PRICE, currency, keep: None },
        13 => Said::Paid { minor: PRICE - 1, currency, keep: None },
        14 => Said::Disputed,
        _ => Said::Decided { won: random.below(2) == 0 },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_messages_credit_each_payment_once() {
    let mut storm = Storm::begin(now()).await;
    let mut random = Random(SEED);
    let orgs = storm.orgs().await;
    let mut bought = Vec::new();
    for number in 0..PURCHASES {
        let org = orgs[number % orgs.len()];
        bought.push((org, storm.buy(org, Provider::Sandbox).await));
    }
    let mut expected: BTreeMap<(OrgId, PaymentId), Expected> = BTreeMap::new();
    let mut deliveries = Vec::new();
    for no in 0..MESSAGES {
        let (org, (_, payment)) = bought[random.below(bought.len())];
        let says = said(&mut random);
        let comes = match random.below(20) {
            0..=1 => Comes::Forged,
            2 => Comes::Stale,
            _ => Comes::Signed,
        };
        if comes == Comes::Signed {
            expected.entry((org, payment)).or_default().hear(&says);
        }
        let says = serde_json::to_string(&says).expect("JSON");
        let message = SandboxMessage { org, no: i64::try_from(no).expect("small") + 1, payment, says };
        for _ in 0..=random.below(10) {
            deliveries.push((message.clone(), comes));
        }
    }
    random.shuffle(&mut deliveries);
    let mut since_crash = 0;
    for part in deliveries.chunks(AT_ONCE) {
        since_crash += part.len();
        if since_crash >= CRASH_EVERY {
            // Some of it is on disk and some is not, and nobody was told which: all of it comes again.
            since_crash = 0;
            storm.deliver(part, false).await;
            storm.crash().await;
        }
        storm.deliver(part, true).await;
    }
    check(&storm, &bought, &expected, 1_000).await;
}

pub async fn check(
    storm: &Storm,
    bought: &[(OrgId, (PurchaseId, PaymentId))],
    expected: &BTreeMap<(OrgId, PaymentId), Expected>,
    least: i64,
) {
    let mut balances: BTreeMap<OrgId, i64> = BTreeMap::new();
    let (mut sold, mut noted) = (0, 0);
    for (org, (purchase, payment)) in bought {
        let known = expected.get(&(*org, *payment)).copied().unwrap_or_default();
        let (row, payments) = storm.store.purchase(*org, *purchase).await.expect("there");
        let stands = payments[0].stands;
        assert_eq!((row.paid_at.is_some(), stands.state == State::Succeeded), (known.paid, known.paid), "{payment}");
        let dispute = [Dispute::None, Dispute::Open, Dispute::Won, Dispute::Lost][usize::from(known.dispute)];
        assert_eq!(stands.dispute, dispute, "{org} {payment}");
        let lost = known.paid && dispute == Dispute::Lost;
        assert_eq!(payments[0].refunded_minor, if lost { PRICE } else { 0 }, "{org} {payment}");
        let keeps = known.paid && !dispute.takes();
        *balances.entry(*org).or_default() += if keeps { 1_000 } else { 0 };
        (sold, noted) = (sold + i64::from(known.paid), noted + i64::from(lost));
    }
    for (org, credits) in balances {
        let available = storm.store.balance(org).await.expect("reads").available;
        assert_eq!(available.micros(), credits * 1_000_000, "{org}");
    }
    assert_eq!(
        items(storm.folder.path()),
        [("credit_note".to_owned(), noted, -noted * PRICE), ("purchase".to_owned(), sold, sold * PRICE)]
    );
    let verified = storm.store.verify(|_, _| ()).await.expect("readable");
    assert_eq!(verified.problems, Vec::<String>::new());
    assert!(sold > least && noted > least / 10, "the storm is worth something: {sold} {noted}");
}

/// How many of each kind of item there are, and what they add up to.
fn items(folder: &Path) -> Vec<(String, i64, i64)> {
    let conn = rusqlite::Connection::open(folder.join("scrip.db")).expect("opens");
    let sql = "SELECT kind, count(*), sum(net_minor) FROM invoice_item GROUP BY kind ORDER BY kind";
    let mut select = conn.prepare(sql).expect("prepares");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
    rows.collect::<Result<_, _>>().expect("rows")
}
