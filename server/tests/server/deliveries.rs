//! Messages on their way: at least once, under one id, signed, for three days; and nobody's receiver harms another.

use super::common::Server;
use super::receiver::{Held, Received, Receiver, allowing};
use ledger::alert::{Kind, Scope};
use ledger::endpoint::{Disabled, Shape};
use ledger::{EndpointId, GrantKind, MessageKind, OrgId, Timestamp, Words};
use scrip_server::jobs::deliveries::{Courier, send_all};
use scrip_server::outgoing::by_hand::MAX_PER_ORG;
use scrip_server::outgoing::{Outgoing, standard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::alert::NewRule;
use store::clock::FixedClock;
use store::outbox::Recipients;
use store::outbox::delivery::{Delivery, DeliveryPage, Sent, State};
use store::outbox::endpoint::{Endpoint, Health, NewEndpoint};
use store::{By, NewGrant, NewOrg, Options, Store};

const NOON: Timestamp = Timestamp::from_micros(1_795_262_400_000_000);
const HOUR_US: i64 = 3_600_000_000;

fn courier(store: &Store) -> Courier {
    let outgoing = Outgoing::new(&allowing("127.0.0.1")).expect("set up");
    Courier::new(store.clone(), outgoing, "https://scrip.example.com")
}

async fn open(dir: &std::path::Path, clock: &Arc<FixedClock>) -> Store {
    let options = Options { clock: Arc::clone(clock) as Arc<dyn store::Clock>, ..Options::new(dir) };
    Store::open(options).await.expect("opens")
}

async fn org(store: &Store, name: &str) -> OrgId {
    let new = NewOrg {
        offers: store::Offers::default(),
        name: name.to_owned(),
        zone: "UTC".to_owned(),
        synthetic: false,
        words: Words::default(),
        meters: vec![],
        agents: vec![],
        lines: serde_json::from_str(r#"[{"meter":"export","rule":"unit","price":"1"}]"#).expect("valid"),
    };
    store.create_org(new).await.expect("made").id
}

async fn endpoint(store: &Store, org: OrgId, url: String, kinds: Vec<MessageKind>) -> Endpoint {
    let new = NewEndpoint { shape: Shape::Webhook, title: String::new(), url, kinds };
    store.create_endpoint(org, new, By::command()).await.expect("made")
}

async fn grant(store: &Store, org: OrgId) {
    let amount = ledger::Credits::from_micros(1_000_000);
    store
        .give_grant(org, "test".to_owned(), NewGrant::of(GrantKind::Promotion, amount, "Test"), None)
        .await
        .expect("given");
}

/// Ids of all messages for which an endpoint has a delivery, and how those stand.
async fn ids(store: &Store, org: OrgId) -> BTreeMap<String, State> {
    let (mut found, mut before) = (BTreeMap::new(), None);
    loop {
        let page =
            store.deliveries(org, DeliveryPage { before, limit: 100, ..DeliveryPage::default() }).await.expect("reads");
        let Some(last) = page.last() else { return found };
        before = Some(last.id.0);
        found.extend(page.into_iter().map(|row| (row.message.public_id, row.state)));
    }
}

/// Chance from a seed: the same in each run.
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (step ^ (step >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % bound
    }
}

/// 10,000 messages in ten orgs, a receiver that fails one time in five and hangs up one time in twenty after it took a message, and a
/// server that is killed again and again while it sends. None is missing, and none comes under another id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_messages_all_come_whatever_the_receiver_and_the_server_go_through() {
    const SEED: u64 = 0x5363_7270_2026_1122;
    const ORGS: usize = 10;
    const EACH: usize = 1_000;
    println!("seed {SEED:#x}");
    let chance = Arc::new(Chance(AtomicU64::new(SEED)));
    let taken: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let (noted, dice) = (Arc::clone(&taken), Arc::clone(&chance));
    let receiver = Receiver::raw(move |received: &Received| {
        let roll = dice.below(100);
        if roll < 20 {
            return b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n".to_vec();
        }
        *noted.lock().expect("alive").entry(received.id.clone()).or_default() += 1;
        if roll < 25 { Vec::new() } else { b"HTTP/1.1 204 Taken\r\n\r\n".to_vec() }
    })
    .await;
    let memory = std::path::Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
    let clock = Arc::new(FixedClock::at(NOON));
    let mut store = open(dir.path(), &clock).await;
    let mut orgs = Vec::new();
    for number in 0..ORGS {
        let org = org(&store, &format!("Org {number}")).await;
        endpoint(&store, org, receiver.url(), vec![MessageKind::GrantCreated]).await;
        for _ in 0..EACH {
            grant(&store, org).await;
        }
        orgs.push(org);
    }
    let (mut kills, mut rounds) = (0, 0);
    loop {
        let begun = receiver.count();
        let sending = tokio::spawn({
            let courier = courier(&store);
            async move { send_all(&courier).await }
        });
        if kills < 15 {
            // Killed in the middle of it: after so many more requests, wherever each of them is.
            let until = begun + 200 + usize::try_from(chance.below(400)).expect("small");
            while receiver.count() < until && !sending.is_finished() {
                tokio::task::yield_now().await;
            }
            sending.abort();
            let _ = sending.await;
            store.close().await;
            store = open(dir.path(), &clock).await;
            kills += 1;
        } else {
            sending.await.expect("ends").expect("the store works");
        }
        rounds += 1;
        assert!(rounds < 100, "it comes to an end");
        let mut waiting = 0;
        for org in &orgs {
            let of_org = ids(&store, *org).await;
            assert_eq!(of_org.len(), EACH);
            assert!(of_org.values().all(|state| *state != State::Failed), "none is given up");
            waiting += of_org.values().filter(|state| **state == State::Waiting).count();
        }
        if waiting == 0 {
            break;
        }
        // Past every wait but the last ones.
        clock.set(Timestamp::from_micros(store.now().micros() + 2 * HOUR_US));
    }
    let mut all = BTreeSet::new();
    for org in &orgs {
        all.extend(ids(&store, *org).await.into_keys());
    }
    let taken = taken.lock().expect("alive").clone();
    assert_eq!(taken.keys().cloned().collect::<BTreeSet<_>>(), all, "none is missing, and none is made up");
    assert_eq!(all.len(), ORGS * EACH);
    let twice = taken.values().filter(|count| **count > 1).count();
    println!(
        "{} requests for {} messages, {twice} taken more than once, {kills} kills, {rounds} rounds",
        receiver.count(),
        all.len()
    );
    store.close().await;
}

struct Bench {
    _dir: tempfile::TempDir,
    clock: Arc<FixedClock>,
    store: Store,
    org: OrgId,
}

async fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(FixedClock::at(NOON));
    let store = open(dir.path(), &clock).await;
    let org = org(&store, "Acme").await;
    Bench { _dir: dir, clock, store, org }
}

impl Bench {
    fn later(&self, seconds: i64) {
        self.clock.set(Timestamp::from_micros(self.store.now().micros() + seconds * 1_000_000));
    }

    async fn send(&self) -> u64 {
        send_all(&courier(&self.store)).await.expect("the store works")
    }

    async fn endpoint(&self, id: EndpointId) -> Endpoint {
        self.store.endpoint(self.org, id).await.expect("there")
    }
}

#[tokio::test]
async fn what_is_sent_is_signed_with_both_secrets_for_a_day_after_a_rotation() {
    let (bench, receiver) = (bench().await, Receiver::start(|_| 204).await);
    let made = endpoint(&bench.store, bench.org, receiver.url(), vec![]).await;
    grant(&bench.store, bench.org).await;
    assert_eq!(bench.send().await, 1);
    let rotated = bench.store.rotate_endpoint(bench.org, made.id, By::command()).await.expect("rotated");
    grant(&bench.store, bench.org).await;
    bench.send().await;
    bench.later(86_400);
    grant(&bench.store, bench.org).await;
    bench.send().await;
    let requests = receiver.requests();
    let expected: [&[[u8; 32]]; 3] = [&[made.secret], &[rotated.secret, made.secret], &[rotated.secret]];
    for (request, secrets) in requests.iter().zip(expected) {
        let at =
            Timestamp::from_micros(request.header("webhook-timestamp").parse::<i64>().expect("seconds") * 1_000_000);
        let signed = standard::headers(secrets, &request.id, at, &request.body);
        assert_eq!(request.header("webhook-signature"), signed[2].1);
        let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!((body["type"].as_str(), body["organization"].as_str()), (Some("grant.created"), Some("org_1")));
        assert_eq!(body["data"]["url"], "https://scrip.example.com/grants");
    }
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn what_was_sent_is_kept_byte_for_byte_in_the_shape_it_was_sent_in() {
    let (bench, receiver) = (bench().await, Receiver::start(|_| 503).await);
    let made = endpoint(&bench.store, bench.org, receiver.url(), vec![]).await;
    grant(&bench.store, bench.org).await;
    let kept = async || bench.store.delivery(bench.org, ledger::DeliveryId(1)).await.expect("there").sent;
    assert_eq!(kept().await, None, "nothing was sent yet");
    bench.send().await;
    let signed = receiver.requests()[0].body.clone();
    assert_eq!(kept().await, Some(Sent { shape: Shape::Webhook, body: signed }));
    // Another shape, another body: what is kept is what went out last, not what would go out now.
    let new = NewEndpoint { shape: Shape::Teams, title: String::new(), url: receiver.url(), kinds: vec![] };
    bench.store.change_endpoint(bench.org, made.id, new, By::command()).await.expect("changed");
    assert_eq!(kept().await.map(|sent| sent.shape), Some(Shape::Webhook));
    courier(&bench.store).again(bench.org, ledger::DeliveryId(1), By::command()).await.expect("sent");
    let card = receiver.requests()[1].body.clone();
    assert!(card.contains("AdaptiveCard"), "{card}");
    assert_eq!(kept().await, Some(Sent { shape: Shape::Teams, body: card }));
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_for_three_days_and_one_that_is_gone_never_again() {
    let (bench, receiver) = (bench().await, Receiver::start(|_| 500).await);
    let made = endpoint(&bench.store, bench.org, receiver.url(), vec![]).await;
    grant(&bench.store, bench.org).await;
    let mut waits = Vec::new();
    loop {
        bench.send().await;
        let row = bench
            .store
            .deliveries(bench.org, DeliveryPage { limit: 1, ..DeliveryPage::default() })
            .await
            .expect("reads")
            .remove(0);
        let Some(next) = row.next_try_at else { break };
        waits.push((next.micros() - bench.store.now().micros()) / 1_000_000);
        bench.clock.set(next.max(bench.endpoint(made.id).await.rests_until));
    }
    assert_eq!((receiver.count(), waits.len()), (10, 9));
    assert!((3 * 86_400..4 * 86_400).contains(&waits.iter().sum::<i64>()), "{waits:?}");
    let ids: BTreeSet<_> = receiver.requests().into_iter().map(|request| request.id).collect();
    assert_eq!(ids.len(), 1, "one id, however often it is sent");
    // By hand it goes once more, and its schedule begins anew.
    let id = ledger::DeliveryId(1);
    courier(&bench.store).again(bench.org, id, By::command()).await.expect("sent");
    let Delivery { row, attempts, .. } = bench.store.delivery(bench.org, id).await.expect("there");
    assert_eq!((row.state, attempts.len(), attempts[0].by_hand), (State::Waiting, 11, true));
    assert_eq!((attempts[0].status, attempts[0].error.as_deref()), (Some(500), Some("not_taken")));

    let gone = Receiver::start(|_| 410).await;
    let other = endpoint(&bench.store, bench.org, gone.url(), vec![MessageKind::GrantCreated]).await;
    grant(&bench.store, bench.org).await;
    bench.send().await;
    assert_eq!(bench.endpoint(other.id).await.disabled.map(|(why, _)| why), Some(Disabled::Gone));
    grant(&bench.store, bench.org).await;
    bench.later(86_400);
    bench.send().await;
    assert_eq!(gone.count(), 1, "nothing more is sent there");
    // Days in which nothing was taken end the first one, too.
    assert_eq!(bench.endpoint(made.id).await.disabled, None);
    bench.later(2 * 86_400);
    bench.send().await;
    assert_eq!(bench.endpoint(made.id).await.disabled.map(|(why, _)| why), Some(Disabled::Failing));
}

#[tokio::test]
async fn an_endpoint_says_how_it_fared_in_the_last_days() {
    let fails = Arc::new(AtomicU64::new(0));
    let dice = Arc::clone(&fails);
    let receiver = Receiver::start(move |_| if dice.load(Ordering::Relaxed) == 1 { 500 } else { 204 }).await;
    let bench = bench().await;
    let made = endpoint(&bench.store, bench.org, receiver.url(), vec![]).await;
    let health = async || {
        let listed = bench.store.endpoints_with_health(bench.org).await.expect("reads");
        let (of, health) = listed.first().expect("one").clone();
        (health, of.last_taken_at, of.last_failed_at)
    };
    let of = |tried, failed, waiting| Health { tried, failed, waiting };
    assert_eq!(health().await, (of(0, 0, 0), None, None));
    let mut instants = Vec::new();
    for is_failing in [0, 0, 0, 1] {
        bench.later(60);
        fails.store(is_failing, Ordering::Relaxed);
        grant(&bench.store, bench.org).await;
        assert_eq!(health().await.0.waiting, 1, "not tried yet");
        bench.send().await;
        instants.push(bench.store.now());
    }
    let (taken, failed) = (Some(instants[2]), Some(instants[3]));
    assert_eq!(health().await, (of(4, 1, 0), taken, failed), "what is tried again counts as failed until it is taken");
    bench.later(3_600);
    fails.store(0, Ordering::Relaxed);
    bench.send().await;
    assert_eq!(health().await, (of(4, 0, 0), Some(bench.store.now()), failed));
    bench.later(7 * 86_400 - 3_600);
    assert_eq!(health().await.0, of(1, 0, 0), "of the last seven days alone");
    let other = org(&bench.store, "Other").await;
    assert_eq!(bench.store.endpoints_with_health(other).await.expect("reads"), []);
    assert_eq!(bench.store.endpoint_health(other, made.id).await.expect("reads"), Health::default());
}

#[tokio::test]
async fn a_dead_endpoint_rests_while_others_get_everything() {
    let (bench, receiver) = (bench().await, Receiver::start(|_| 204).await);
    let dead = Receiver::start(|_| 204).await;
    let url = dead.url();
    drop(dead);
    let dead = endpoint(&bench.store, bench.org, url, vec![]).await;
    endpoint(&bench.store, bench.org, receiver.url(), vec![]).await;
    for _ in 0..200 {
        grant(&bench.store, bench.org).await;
    }
    let tried = bench.send().await;
    assert_eq!(receiver.count(), 200);
    let dead = bench.endpoint(dead.id).await;
    assert!(tried < 220 && dead.failures >= 5 && dead.rests_until > bench.store.now(), "{tried} {dead:?}");
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_in_time_and_keeps_nobody_waiting() {
    let (bench, heard) = (bench().await, Arc::new(tokio::sync::Semaphore::new(0)));
    let (silent, slow) = (Receiver::silent().await, Receiver::dripping(Duration::from_millis(1)).await);
    let told = Arc::clone(&heard);
    let receiver = Receiver::start(move |_| {
        told.add_permits(1);
        204
    });
    let receiver = receiver.await;
    let mut bad = Vec::new();
    for url in [silent.url(), slow.url()] {
        bad.push(endpoint(&bench.store, bench.org, url, vec![]).await);
    }
    endpoint(&bench.store, bench.org, receiver.url(), vec![]).await;
    for _ in 0..3 {
        grant(&bench.store, bench.org).await;
    }
    let within = |limit: Duration| {
        let outgoing = Outgoing::new(&allowing("127.0.0.1")).expect("set up").answering_within(limit);
        Courier::new(bench.store.clone(), outgoing, "https://scrip.example.com")
    };
    // With an hour's patience: what is for others comes at once all the same.
    let patient = within(Duration::from_secs(3_600));
    tokio::select! {
        sent = send_all(&patient) => panic!("two never answer, and yet it ended: {sent:?}"),
        permits = heard.acquire_many(3) => permits.expect("open").forget(),
    }
    // With none it ends, and says why.
    send_all(&within(Duration::from_millis(20))).await.expect("the store works");
    let page = DeliveryPage { limit: 100, ..DeliveryPage::default() };
    for row in bench.store.deliveries(bench.org, page).await.expect("reads") {
        let Delivery { attempts, .. } = bench.store.delivery(bench.org, row.id).await.expect("there");
        let error = attempts.last().and_then(|attempt| attempt.error.as_deref());
        if bad.iter().any(|endpoint| endpoint.id == row.endpoint) {
            assert_eq!((row.state, error), (State::Waiting, Some("timed_out")));
            assert!(attempts.iter().all(|attempt| (20..10_000).contains(&attempt.took_ms)), "{attempts:?}");
        } else {
            assert_eq!((row.state, error), (State::Delivered, None));
        }
    }
}

#[tokio::test]
async fn only_what_an_endpoint_hears_goes_there_and_a_test_goes_to_it_alone() {
    let (bench, receiver) = (bench().await, Receiver::start(|_| 200).await);
    let made = endpoint(&bench.store, bench.org, receiver.url(), vec![MessageKind::OrgPaused]).await;
    grant(&bench.store, bench.org).await;
    assert_eq!((bench.send().await, receiver.count()), (0, 0));
    bench.store.enable_endpoint(bench.org, made.id, false, By::command()).await.expect("disabled");
    let delivery = courier(&bench.store).test(bench.org, made.id, By::command()).await.expect("sent");
    let Delivery { row, attempts, .. } = bench.store.delivery(bench.org, delivery).await.expect("there");
    assert_eq!((row.state, attempts[0].answer.as_str()), (State::Delivered, "thanks"));
    assert_eq!((receiver.count(), bench.send().await), (1, 0));
    let other = org(&bench.store, "Other").await;
    assert!(
        bench.store.endpoint(other, made.id).await.is_err() && bench.store.delivery(other, delivery).await.is_err()
    );
}

#[tokio::test]
async fn an_endpoint_that_subscribes_to_tests_alone_hears_what_names_it_and_nothing_else() {
    let bench = bench().await;
    let (store, org) = (&bench.store, bench.org);
    let quiet = endpoint(store, org, "https://8.8.8.8/".to_owned(), vec![MessageKind::EndpointTest]).await;
    grant(store, org).await;
    assert!(ids(store, org).await.is_empty(), "what happens goes to whoever subscribed to it");
    let rule = NewRule {
        title: "Named".to_owned(),
        kind: Kind::BalanceBelow { amount: ledger::Credits::from_micros(9_000_000) },
        scope: Scope::default(),
        recipients: Recipients { endpoints: vec![quiet.id], ..Recipients::default() },
        margin_percent: 5,
    };
    store.set_alert(org, By::command().into(), None, rule).await.expect("made");
    let told = store.deliveries(org, DeliveryPage { limit: 10, ..DeliveryPage::default() }).await.expect("reads");
    let kinds: Vec<_> = told.iter().map(|row| (row.endpoint, row.message.kind)).collect();
    assert_eq!(kinds, [(quiet.id, MessageKind::AlertFired)]);
}

#[tokio::test]
async fn tests_of_a_receiver_that_does_not_answer_take_few_places_and_are_noted_though_nobody_waits() {
    let (held, receiver) = (Held::start().await, Receiver::start(|_| 200).await);
    let server = Arc::new(Server::with(allowing("127.0.0.1")).await);
    let slow_key = format!("Bearer {}", server.create_key("Acme", &["admin"]).await);
    server.create_org("Other", "token-billing").await;
    let other_key = format!("Bearer {}", server.create_key("Other", &["admin"]).await);
    let path = "/api/v1/webhook-endpoints";
    let call = async |key: &str, method: &str, path: &str, body: String| {
        server.send(method, path, &[("authorization", key), ("content-type", "application/json")], body).await
    };
    for (key, url) in [(&slow_key, held.url()), (&other_key, receiver.url())] {
        assert_eq!(call(key, "POST", path, format!(r#"{{"url":"{url}"}}"#)).await.status.as_u16(), 201);
    }
    let test = format!("{path}/endpoint_1/test");
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..MAX_PER_ORG {
        let (server, key, test) = (Arc::clone(&server), slow_key.clone(), test.clone());
        waiting
            .spawn(async move { server.send("POST", &test, &[("authorization", &key)], String::new()).await.status });
    }
    held.holds(MAX_PER_ORG).await;
    let refused = call(&slow_key, "POST", &test, String::new()).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (429, "rate_limited"));
    assert!(!refused.header("retry-after").is_empty(), "whoever is refused hears when to come back");
    let looked_up = call(&slow_key, "POST", path, format!(r#"{{"url":"{}"}}"#, receiver.url())).await;
    assert_eq!(looked_up.status.as_u16(), 429, "looking a name up waits for somebody too");
    assert_eq!(call(&other_key, "POST", &test, String::new()).await.json()["status"], "delivered");
    // Whoever asked goes away; what was begun is noted all the same, once the receiver has answered.
    waiting.shutdown().await;
    held.release();
    let log = format!("{path}/endpoint_1/deliveries?status=delivered");
    for round in 0.. {
        let done = call(&slow_key, "GET", &log, String::new()).await.json();
        if done["items"].as_array().map(Vec::len) == Some(MAX_PER_ORG) {
            break;
        }
        assert!(round < 10_000, "never noted: {done}");
    }
    // What is noted gives its place back a moment later.
    for round in 0.. {
        match call(&slow_key, "POST", &test, String::new()).await.status.as_u16() {
            200 => break,
            status => assert!(status == 429 && round < 10_000, "there are no places again: {status}"),
        }
    }
}

#[tokio::test]
async fn endpoints_are_made_changed_tested_and_deleted_by_api() {
    let receiver = Receiver::start(|_| 200).await;
    let server = Server::with(allowing("127.0.0.1")).await;
    let key = format!("Bearer {}", server.create_key("Acme", &["admin"]).await);
    let call = async |method: &str, path: &str, body: &str| {
        let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
        server.send(method, path, &headers, body.to_owned()).await
    };
    let path = "/api/v1/webhook-endpoints";
    for (body, code) in [
        (r#"{"url":"https://10.0.0.1/"}"#, "forbidden_address"),
        (r#"{"url":"http://8.8.8.8/"}"#, "not_encrypted"),
        (r#"{"url":"nonsense"}"#, "bad_url"),
        (r#"{"url":"https://8.8.8.8/","kinds":["balance.high"]}"#, "bad_kind"),
        (r#"{"url":"https://8.8.8.8/","shape":"pager"}"#, "bad_field"),
        (r#"{"url":"https://8.8.8.8/","secret":"x"}"#, "unknown_field"),
        ("{}", "missing_field"),
    ] {
        let reply = call("POST", path, body).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, code), "{body}");
    }
    let body = format!(r#"{{"url":"{}","title":"Ours","kinds":["grant.created"]}}"#, receiver.url());
    let made = call("POST", path, &body).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let one = format!("{path}/{}", made.json()["id"].as_str().expect("an id"));
    let listed = call("GET", path, "").await;
    assert!(
        listed.json()["items"][0]["kinds"] == serde_json::json!(["grant.created"]) && !listed.text().contains(&secret)
    );
    let tested = call("POST", &format!("{one}/test"), "").await.json();
    assert_eq!(
        (tested["status"].as_str(), tested["attempts"][0]["answer"].as_str()),
        (Some("delivered"), Some("thanks"))
    );
    let sent = receiver.requests()[0].body.clone();
    assert_eq!(tested["sent"], serde_json::json!({"shape": "webhook", "body": sent}));
    let again = call("POST", &format!("/api/v1/deliveries/{}/redeliver", tested["id"].as_str().expect("an id")), "")
        .await
        .json();
    assert_eq!((again["tries"].as_u64(), again["webhook_id"] == tested["webhook_id"]), (Some(2), true));
    assert_eq!(receiver.requests()[0].id, receiver.requests()[1].id);
    let log = call("GET", &format!("{one}/deliveries?status=delivered&limit=1"), "").await.json();
    assert_eq!(log["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(call("GET", &format!("{one}/deliveries?status=lost"), "").await.problem(), "bad_query");
    let rotated = call("POST", &format!("{one}/rotate-secret"), "").await.json();
    assert!(rotated["secret"] != secret.as_str() && rotated["old_secret_until"].is_string());
    assert_eq!(call("POST", &format!("{one}/disable"), "").await.json()["disabled_reason"], "by_hand");
    assert_eq!(call("POST", &format!("{one}/enable"), "").await.json()["status"], "enabled");
    let changed = format!(r#"{{"url":"{}","shape":"slack"}}"#, receiver.url());
    assert_eq!(call("PUT", &one, &changed).await.json()["kinds"], serde_json::json!([]));
    let fared = call("GET", &one, "").await.json();
    assert!(fared["last_success_at"].is_string() && fared["last_failure_at"].is_null(), "{fared}");
    assert_eq!(call("DELETE", &one, "").await.status.as_u16(), 204);
    assert_eq!(call("GET", &one, "").await.problem(), "not_found");
    let noted = server
        .store
        .audit(OrgId(1), store::AuditPage { limit: 100, ..store::AuditPage::default() })
        .await
        .expect("reads");
    let told = format!("{noted:?}");
    assert!(
        told.contains("endpoint.rotate") && !told.contains(&secret) && !told.contains("/hook"),
        "no secret and no path is noted"
    );
}
