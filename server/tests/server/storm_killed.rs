//! The storm of a provider's messages against a real server that is killed in the middle of them: what was answered stays, what was
//! not comes again, and each payment is credited once.

use super::cli::Running;
use super::storm::{Comes, Expected, PRICE, Random, Storm, check, said};
use ledger::payment::Provider;
use ledger::{OrgId, PaymentId, Timestamp};
use scrip_server::payment::sandbox::Said;
use scrip_server::payment::signature;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Clock as _;
use store::clock::SystemClock;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const MESSAGES: usize = 1_500;
const PURCHASES: usize = 250;
/// Deliveries under way at once.
const AT_ONCE: usize = 40;
/// After every so many deliveries the server is killed among the next.
const KILL_EVERY: usize = 1_000;
const SEED: u64 = 0x5C41_9025;
const SECRET: &str = "whsec_of_the_storm";
const SETTINGS: &str = r#"
payment_providers = "stripe"
stripe_secret_key = "sk_test_of_the_storm"
stripe_webhook_secret = "whsec_of_the_storm"
stripe_url = "http://127.0.0.1:9"
address_requests_per_s = 0
"#;

/// A message as it is sent each time.
#[derive(Clone)]
struct Letter {
    body: String,
    comes: Comes,
}

/// What the sandbox would say, as Stripe says it.
fn letter(no: usize, (org, payment): (OrgId, PaymentId), says: &Said, comes: Comes) -> Letter {
    let metadata = json!({"scrip_payment": format!("{org}/{payment}"), "scrip_alone": "yes"});
    let intent = format!("pi_{}_{}", org.0, payment.0);
    let intent_of = |status: &str| json!({"id": intent, "status": status, "currency": "eur", "metadata": metadata});
    let disputed = |status: &str| json!({"payment_intent": intent, "status": status, "amount": PRICE, "currency": "eur", "metadata": metadata});
    let with = |mut object: Value, name: &str, value: Value| {
        object[name] = value;
        object
    };
    let (kind, object) = match says {
        Said::Paid { minor, .. } => {
            ("payment_intent.succeeded", with(intent_of("succeeded"), "amount_received", json!(minor)))
        }
        Said::Declined { .. } => {
            let error = json!({"code": "card_declined"});
            ("payment_intent.payment_failed", with(intent_of("requires_payment_method"), "last_payment_error", error))
        }
        Said::NeedsAction => ("payment_intent.requires_action", intent_of("requires_action")),
        Said::Waiting => ("payment_intent.processing", intent_of("processing")),
        Said::Cancelled => ("payment_intent.canceled", intent_of("canceled")),
        Said::Disputed => ("charge.dispute.created", disputed("needs_response")),
        Said::Decided { won } => ("charge.dispute.closed", disputed(if *won { "won" } else { "lost" })),
        Said::Refunded { .. } => panic!("nobody gives money back here"),
    };
    let body = json!({"id": format!("evt_{no}"), "type": kind, "data": {"object": object}}).to_string();
    Letter { body, comes }
}

/// Sends one; whether it was answered. What was forged or kept too long is refused.
async fn send(http: &reqwest::Client, url: &str, letter: &Letter) -> bool {
    let now = SystemClock.now();
    let (secret, at) = match letter.comes {
        Comes::Signed => (SECRET, now),
        Comes::Forged => ("whsec_of_somebody_else", now),
        Comes::Stale => (SECRET, Timestamp::from_micros(now.micros() - 3_600_000_000)),
    };
    let header = signature::sign(secret.as_bytes(), letter.body.as_bytes(), at);
    let request = http.post(format!("{url}/webhooks/stripe")).header("stripe-signature", header);
    let Ok(answer) = request.body(letter.body.clone()).send().await else { return false };
    let expected = if letter.comes == Comes::Signed { 200 } else { 400 };
    assert_eq!(answer.status().as_u16(), expected, "{}", letter.body);
    true
}

/// Sends a part at once, and again what was not answered, until all of it was. With a fuse the server is killed after so many
/// answers, while others are under way; nobody is told which of those are on disk.
async fn deliver(server: &mut Running, storm: &Storm, part: &[Letter], fuse: Option<usize>) {
    let http = super::common::http();
    let answered = Arc::new(AtomicUsize::new(0));
    let burnt = Arc::new(Notify::new());
    let mut under_way = JoinSet::new();
    for letter in part {
        let letter = letter.clone();
        let (http, url, answered, burnt) =
            (http.clone(), server.url.clone(), Arc::clone(&answered), Arc::clone(&burnt));
        under_way.spawn(async move {
            if send(&http, &url, &letter).await && Some(answered.fetch_add(1, Ordering::Relaxed) + 1) == fuse {
                burnt.notify_one();
            }
        });
    }
    if fuse.is_some() {
        burnt.notified().await;
        server.child.kill().expect("killed");
        server.child.wait().expect("ends");
    }
    while let Some(done) = under_way.join_next().await {
        done.expect("ends");
    }
    if fuse.is_some() {
        *server = Running::start(storm.folder.path());
        for letter in part {
            assert!(send(&http, &server.url, letter).await, "a server that runs answers");
        }
    } else {
        assert_eq!(answered.load(Ordering::Relaxed), part.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_among_messages_credits_each_payment_once() {
    println!("seed {SEED:#x}");
    let mut random = Random(SEED);
    let mut storm = Storm::begin(SystemClock.now()).await;
    let orgs = storm.orgs().await;
    let mut bought = Vec::new();
    for number in 0..PURCHASES {
        let org = orgs[number % orgs.len()];
        bought.push((org, storm.buy(org, Provider::Stripe).await));
    }
    let mut expected: BTreeMap<(OrgId, PaymentId), Expected> = BTreeMap::new();
    let mut letters = Vec::new();
    for no in 0..MESSAGES {
        let (org, (_, payment)) = bought[random.below(bought.len())];
        let says = said(&mut random);
        let comes = [Comes::Forged, Comes::Stale].get(random.below(12)).copied().unwrap_or(Comes::Signed);
        if comes == Comes::Signed {
            expected.entry((org, payment)).or_default().hear(&says);
        }
        let one = letter(no, (org, payment), &says, comes);
        letters.extend(std::iter::repeat_n(one, 1 + random.below(5)));
    }
    random.shuffle(&mut letters);
    storm.store.close().await;
    std::fs::write(storm.folder.path().join("scrip.toml"), SETTINGS).expect("settings");
    let mut server = Running::start(storm.folder.path());
    let (mut since, mut kills) = (0, 0);
    for part in letters.chunks(AT_ONCE) {
        since += part.len();
        let kill = since >= KILL_EVERY && part.len() == AT_ONCE;
        if kill {
            (since, kills) = (0, kills + 1);
        }
        let fuse = kill.then(|| 1 + random.below(AT_ONCE / 2));
        deliver(&mut server, &storm, part, fuse).await;
    }
    server.child.kill().expect("killed");
    server.child.wait().expect("ends");
    drop(server);
    println!("{} deliveries, {kills} kills", letters.len());
    assert!(kills >= 3, "{kills}");
    storm.reopen().await;
    check(&storm, &bought, &expected, 150).await;
}
