//! What the ledger gives to tell: each kind says what its example says, a past is news to nobody, and nothing is kept for ever.

use crate::common::{Bench, NOON, credits, export};
use crate::invoices::{self, at};
use ledger::endpoint::Shape;
use ledger::package::Terms;
use ledger::payment::{Failure, Provider, Saying};
use ledger::{Currency, GrantKind, MessageKind, Money, OrgId, OrgSettings, PackageId, Policy, Role, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::clock::FixedClock;
use store::outbox::delivery::DeliveryPage;
use store::outbox::endpoint::NewEndpoint;
use store::outbox::person::PersonChannel;
use store::package::NewPackage;
use store::payment::message::Answer;
use store::purchase::{Cause, NewPurchase};
use store::{By, NewGrant, NewHold, Options, Store, UserId};

const DAY: i64 = 86_400_000_000;

fn after(us: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + us)
}

/// An org with an endpoint that hears everything.
async fn heard(bench: &Bench) -> OrgId {
    let org = bench.org("Acme", "UTC").await;
    let new = NewEndpoint {
        shape: Shape::Webhook,
        title: String::new(),
        url: "https://example.com/".to_owned(),
        kinds: vec![],
    };
    bench.store.create_endpoint(org, new, By::command()).await.expect("made");
    org
}

/// Everything that was announced, oldest first.
async fn said(store: &Store, org: OrgId) -> Vec<(MessageKind, Value)> {
    let page = DeliveryPage { limit: 100, ..DeliveryPage::default() };
    let rows = store.deliveries(org, page).await.expect("reads");
    rows.into_iter().rev().map(|row| (row.message.kind, row.message.data)).collect()
}

async fn kinds(store: &Store, org: OrgId) -> Vec<&'static str> {
    said(store, org).await.into_iter().map(|(kind, _)| kind.as_str()).collect()
}

async fn limit(bench: &Bench, org: OrgId, amount: &str) {
    let known = bench.store.org_settings(org).await.expect("reads");
    let new = OrgSettings { low_balance: Some(credits(amount)), ..known };
    bench.store.set_org_settings(By::command(), org, new).await.expect("set");
}

async fn hold(bench: &Bench, org: OrgId, amount: &str) {
    let new = NewHold {
        amount: credits(amount),
        expires_in_s: Some(60),
        meter: None,
        source: None,
        project: None,
        description: String::new(),
        user: None,
        tenant: None,
    };
    bench.store.create_hold(org, "test".to_owned(), new, None).await.expect("held");
}

/// Buys 1,000 credits twice: one payment fails, the other is made.
async fn buy(bench: &Bench, org: OrgId) {
    let price = Money { minor: 10_000, currency: Currency::parse("EUR").expect("a currency") };
    let package =
        NewPackage { title: "1,000 credits".to_owned(), terms: Terms::Fixed { credits: credits("1000"), price } };
    bench.store.offer_packages(org, By::command(), vec![package]).await.expect("offered");
    let new = NewPurchase { package: PackageId(1), credits: None, cause: Cause::Person };
    for says in [Saying::Failed(Failure::InsufficientFunds), Saying::Succeeded(price)] {
        let opened = bench.store.buy(org, By::command(), new, (Provider::Sandbox, None), None).await.expect("opened");
        bench.store.answered(org, opened.answer.1, Answer::of(says)).await.expect("heard");
    }
}

/// All that the ledger and the office cause, once or more, by what causes it; what is said of each has the members of its example.
#[tokio::test]
async fn each_kind_is_announced_where_it_is_caused_and_says_what_its_example_says() {
    let bench = Bench::new().await;
    let org = heard(&bench).await;
    limit(&bench, org, "50").await;
    bench.grant_with(org, "30", Some(after(20 * DAY))).await;
    bench.grant(org, "60").await;
    hold(&bench, org, "1").await;
    bench.clock.set(after(DAY));
    bench.store.book_due().await.expect("books");
    for id in 0..20 {
        bench.ingest(org, vec![export(&id.to_string())]).await;
    }
    bench.clock.set(after(18 * DAY));
    bench.store.announce_expiring().await.expect("announces");
    bench.clock.set(after(21 * DAY));
    bench.store.book_due().await.expect("books");
    bench.ingest(org, (20..85).map(|id| export(&id.to_string())).collect()).await;
    buy(&bench, org).await;
    invoices::item(&bench, org, "plan", 1_999, None);
    invoices::method(&bench, org);
    invoices::bill_until(&bench, "2027-01-02T00:00:00Z").await;
    // The bank says that what was charged for it is there.
    let paid = "UPDATE payment SET state = 'succeeded' WHERE invoice_id IS NOT NULL";
    assert_eq!(invoices::file(&bench).execute(paid, []).expect("a payment"), 1);
    bench.store.bill_due().await.expect("works");
    let mut left: BTreeMap<&str, MessageKind> =
        MessageKind::ALL.into_iter().map(|kind| (kind.as_str(), kind)).collect();
    for (kind, data) in said(&bench.store, org).await {
        let example: Value = serde_json::from_str(kind.example()).expect("JSON");
        let members = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&data), members(&example), "{kind:?}");
        left.remove(kind.as_str());
    }
    // Those of alerts and budgets are caused elsewhere, and of endpoints where something is sent.
    let left: Vec<&str> = left.into_keys().collect();
    let elsewhere =
        ["alert.fired", "alert.resolved", "budget.exceeded", "budget.warned", "endpoint.disabled", "endpoint.test"];
    assert_eq!(left, elsewhere);
}

#[tokio::test]
async fn a_crossing_is_told_once_however_it_is_approached_and_again_after_it_was_left() {
    let bench = Bench::new().await;
    let org = heard(&bench).await;
    limit(&bench, org, "5").await;
    bench.grant(org, "10").await;
    bench.ingest(org, (0..4).map(|id| export(&id.to_string())).collect()).await;
    assert_eq!(kinds(&bench.store, org).await, ["grant.created"]);
    for id in 4..8 {
        bench.ingest(org, vec![export(&id.to_string())]).await;
    }
    assert_eq!(kinds(&bench.store, org).await[1..], ["balance.low"]);
    let mut bench = bench;
    bench.reopen().await;
    bench.ingest(org, (8..12).map(|id| export(&id.to_string())).collect()).await;
    assert_eq!(kinds(&bench.store, org).await[2..], ["balance.depleted", "org.paused"]);
    bench.grant(org, "10").await;
    bench.ingest(org, (12..16).map(|id| export(&id.to_string())).collect()).await;
    assert_eq!(kinds(&bench.store, org).await[4..], ["grant.created", "org.resumed", "balance.low"]);
    // Another policy lets it go on, and takes that back.
    bench.ingest(org, (16..24).map(|id| export(&id.to_string())).collect()).await;
    bench.store.set_policy(org, Policy::Overdraft { limit: credits("100") }).await.expect("set");
    assert_eq!(kinds(&bench.store, org).await[7..], ["balance.depleted", "org.paused", "org.resumed"]);
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_was_undone_or_only_tried_is_told_to_nobody() {
    let bench = Bench::new().await;
    let org = heard(&bench).await;
    let bad = NewGrant { description: "\u{7}".to_owned(), ..NewGrant::of(GrantKind::Promotion, credits("5"), "x") };
    assert!(bench.store.give_grant(org, "test".to_owned(), bad, None).await.is_err());
    let scope = ledger::Scope { meters: vec![ledger::Meter::parse("nothing").expect("a meter")], projects: vec![] };
    let bad = NewGrant { scope, ..NewGrant::of(GrantKind::Promotion, credits("5"), "x") };
    assert!(bench.store.give_grant(org, "test".to_owned(), bad, None).await.is_err());
    assert_eq!(kinds(&bench.store, org).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_past_that_is_imported_or_made_up_is_news_to_nobody() {
    let bench = Bench::new().await;
    let org = heard(&bench).await;
    limit(&bench, org, "50").await;
    bench.grant(org, "60").await;
    let long_ago = NewGrant {
        effective_at: Some(after(-90 * DAY)),
        expires_at: Some(after(-60 * DAY)),
        ..NewGrant::of(GrantKind::Plan, credits("5"), "x")
    };
    bench.store.give_grant(org, "test".to_owned(), long_ago, None).await.expect("given");
    let old = |id: usize| {
        crate::common::event(&format!(
            r#"{{"id":"{id}","source":"api","type":"export","time":"2026-09-01T00:00:00Z"}}"#
        ))
    };
    bench.ingest(org, (0..20).map(old).collect()).await;
    assert_eq!(kinds(&bench.store, org).await, ["grant.created"]);
    // The first usage of today tells how it is.
    bench.ingest(org, vec![export("new")]).await;
    assert_eq!(kinds(&bench.store, org).await[1..], ["balance.low"]);

    let dir = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(FixedClock::of_a_past(NOON));
    let options = Options { clock: clock as Arc<dyn store::Clock>, ..Options::new(dir.path()) };
    let past = Bench { dir, clock: Arc::new(FixedClock::at(NOON)), store: Store::open(options).await.expect("opens") };
    let org = heard(&past).await;
    past.grant(org, "10").await;
    assert_eq!(kinds(&past.store, org).await, Vec::<&str>::new());
}

#[tokio::test]
async fn people_hear_by_what_they_are_and_what_is_read_stays_so() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let mut people = Vec::new();
    for (email, role) in
        [("own@example.com", Role::Owner), ("pay@example.com", Role::Billing), ("look@example.com", Role::Member)]
    {
        let user = bench.store.create_user(email, "hash", false).await.expect("made");
        bench.store.add_member(org, user, role).await.expect("added");
        people.push(user);
    }
    bench.grant(org, "10").await;
    bench.ingest(org, (0..11).map(|id| export(&id.to_string())).collect()).await;
    let bell = async |user| bench.store.bell(org, user).await.expect("reads").0;
    // Grant, and paused; that it is used up is said by that.
    assert_eq!((bell(people[0]).await, bell(people[1]).await, bell(people[2]).await), (2, 2, 0));
    let newest = bench.store.inbox(org, people[0], false, None, 10).await.expect("reads")[0].message.id;
    bench.store.mark_read(org, people[0], newest, true).await.expect("read");
    assert_eq!((bell(people[0]).await, bell(people[1]).await), (0, 2));
    assert_eq!(bench.store.inbox(org, people[0], true, None, 10).await.expect("reads"), []);
    // One mail for each of the two, of what is mailed: that it is paused.
    bench.store.gather_mails().await.expect("gathers");
    let mails = bench.store.mails_due().await.expect("reads");
    assert_eq!(mails.iter().map(|mail| (mail.user, mail.count)).collect::<Vec<_>>(), [(people[0], 1), (people[1], 1)]);
    bench.store.mail_tried(org, mails[0].id, Some("busy".to_owned()), false).await.expect("noted");
    bench.clock.set(after(60 * 1_000_000));
    let again = bench.store.mails_due().await.expect("reads");
    assert!(again.contains(&mails[0]), "the same mail, with the same messages");
    // Whoever leaves hears nothing more.
    bench.store.change_member(org, people[0], people[1], None, By::command()).await.expect("removed");
    assert_eq!(bell(people[1]).await, 0);
    assert_eq!(
        bench
            .store
            .mails_due()
            .await
            .expect("reads")
            .iter()
            .find(|mail| mail.user == people[1])
            .and_then(|mail| mail.to.clone()),
        None
    );
}

/// Quiet hours are by the clock of the zone that each person chose, for each org by itself; by the org's until they do.
#[tokio::test]
async fn quiet_hours_are_those_of_each_persons_own_zone() {
    let bench = Bench::new().await;
    let orgs = [bench.org("Acme", "UTC").await, bench.org("Bolt", "America/New_York").await];
    let mut people = Vec::new();
    for email in ["tokyo@example.com", "paris@example.com", "nobody@example.com"] {
        let user = bench.store.create_user(email, "hash", false).await.expect("made");
        for org in orgs {
            bench.store.add_member(org, user, Role::Owner).await.expect("added");
        }
        people.push(user);
    }
    // From 20:00 to 07:00 for all: noon UTC is 21:00 in Tokyo, 13:00 in Paris, 07:00 in New York.
    let quiet = Some((20 * 60, 7 * 60));
    for (user, zone) in people.iter().zip(["Asia/Tokyo", "Europe/Paris"]) {
        let new = PersonChannel { mail: true, zone: zone.to_owned(), quiet, digest_at: None };
        bench.store.set_person_channel(orgs[0], *user, new).await.expect("set");
    }
    let own = bench.store.person_channel(orgs[1], people[0]).await.expect("reads");
    assert_eq!((own.zone.as_str(), own.quiet), ("America/New_York", None), "what they said was for the other org");
    for org in orgs {
        bench.grant(org, "10").await;
        bench.ingest(org, (0..11).map(|id| export(&id.to_string())).collect()).await;
    }
    let conn = rusqlite::Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let sql = "SELECT min(mail_at) FROM inbox WHERE org_id = ?1 AND user_id = ?2";
    let mail_at = |org: OrgId, user: UserId| {
        let at: i64 = conn.query_row(sql, [org.0, user.0], |row| row.get(0)).expect("a mail");
        Timestamp::from_micros(at)
    };
    // Seven in the morning in Tokyo is 22:00 UTC.
    let expected = [after(10 * 3_600_000_000), NOON, NOON];
    assert_eq!(people.iter().map(|user| mail_at(orgs[0], *user)).collect::<Vec<_>>(), expected);
    assert_eq!(people.iter().map(|user| mail_at(orgs[1], *user)).collect::<Vec<_>>(), [NOON; 3]);
}

#[tokio::test]
async fn messages_go_after_ninety_days_and_numbers_are_not_given_twice() {
    let bench = Bench::new().await;
    let org = heard(&bench).await;
    for _ in 0..5 {
        bench.grant(org, "1").await;
    }
    bench.clock.set(at("2027-02-19T12:00:00Z"));
    assert_eq!(bench.store.prune_outbox().await.expect("prunes"), 0);
    bench.clock.set(at("2027-02-19T12:00:01Z"));
    assert_eq!(bench.store.prune_outbox().await.expect("prunes"), 4);
    bench.grant(org, "1").await;
    let page = DeliveryPage { limit: 100, ..DeliveryPage::default() };
    let left: Vec<i64> = bench.store.deliveries(org, page).await.expect("reads").iter().map(|row| row.id.0).collect();
    assert_eq!(left, [6, 5]);
}
