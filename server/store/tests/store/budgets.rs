//! Budgets: they warn and end once in a period, pause what asks, and count what is taken back or counts for somebody else.

use crate::common::{Bench, NOON, credits, event};
use ledger::alert::Per;
use ledger::budget::{Standing, Terms, Whose};
use ledger::{BudgetId, Label, OrgId, Refusal, Timestamp};
use rusqlite::Connection;
use store::alert::default_recipients;
use store::hold::Ask;
use store::{By, CorrectionRequest, FiringPage, Mapping, NewHold, NewRule, StoreError};

fn label(text: &str) -> Label {
    Label::parse("id", text).expect("valid")
}

fn terms(whose: Whose, id: &str, amount: &str, pauses: bool) -> Terms {
    let (title, id, amount) = (format!("Budget of {id}"), label(id), credits(amount));
    Terms { title, whose, id, amount, per: Per::Cycle, warn_percent: Some(80), pauses }
}

async fn made(bench: &Bench, org: OrgId, terms: Terms) -> BudgetId {
    let done = bench.store.set_budget(org, By::command().into(), None, terms, default_recipients()).await;
    done.expect("made").answer
}

/// So many exports, at a credit each.
async fn used(bench: &Bench, org: OrgId, ids: std::ops::Range<u32>, data: &str) {
    let one = |id| event(&format!(r#"{{"id":"{id}","source":"api","type":"export","data":{data}}}"#));
    bench.ingest(org, ids.map(one).collect()).await;
}

async fn spent(bench: &Bench, org: OrgId, id: BudgetId) -> String {
    let budget = bench.store.budget(org, id).await.expect("there");
    budget.counted.spent.expect("counted").to_string()
}

fn told(bench: &Bench, org: OrgId) -> Vec<String> {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let mut select = conn
        .prepare("SELECT kind FROM message WHERE org_id = ?1 AND kind LIKE 'budget.%' ORDER BY message_id")
        .expect("reads");
    let rows = select.query_map([org.0], |row| row.get(0)).expect("reads");
    rows.map(|row| row.expect("a kind")).collect()
}

fn ask(user: Option<&str>, project: Option<&str>) -> Ask {
    Ask {
        amount: Some(credits("1")),
        quantity: None,
        meter: None,
        source: None,
        project: project.map(label),
        user: user.map(label),
        tenant: None,
    }
}

fn is_exceeded<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Refused(Refusal::BudgetExceeded { .. })))
}

#[tokio::test]
async fn a_budget_warns_once_ends_once_and_pauses_what_asks_but_records_what_happened() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100").await;
    used(&bench, org, 0..3, r#"{"project":"chat"}"#).await;
    let id = made(&bench, org, terms(Whose::Project, "chat", "10", true)).await;
    assert_eq!(spent(&bench, org, id).await, "3.000000", "what was used in the period before counts");
    used(&bench, org, 3..8, r#"{"project":"chat"}"#).await;
    used(&bench, org, 8..20, r#"{"project":"other"}"#).await;
    assert_eq!(told(&bench, org), ["budget.warned"]);
    bench.store.authorize(org, ask(None, Some("chat"))).await.expect("two are left");
    bench.reopen().await;
    used(&bench, org, 20..24, r#"{"project":"chat"}"#).await;
    assert_eq!(spent(&bench, org, id).await, "12.000000", "usage that happened is recorded");
    used(&bench, org, 24..25, r#"{"project":"chat"}"#).await;
    assert_eq!(told(&bench, org), ["budget.warned", "budget.exceeded"], "once");
    assert!(is_exceeded(&bench.store.authorize(org, ask(None, Some("chat"))).await));
    bench.store.authorize(org, ask(None, Some("other"))).await.expect("others go on");
    let hold = |project: &str| NewHold {
        amount: credits("1"),
        expires_in_s: None,
        meter: None,
        source: None,
        project: Some(label(project)),
        user: None,
        tenant: None,
        description: String::new(),
    };
    assert!(is_exceeded(&bench.store.create_hold(org, "test".to_owned(), hold("chat"), None).await));
    bench.store.create_hold(org, "test".to_owned(), hold("other"), None).await.expect("others go on");
    // December begins in Berlin.
    bench.clock.set(Timestamp::parse("time", "2026-11-30T23:00:00Z").expect("valid"));
    bench.store.authorize(org, ask(None, Some("chat"))).await.expect("another month");
    used(&bench, org, 30..39, r#"{"project":"chat"}"#).await;
    assert_eq!(told(&bench, org), ["budget.warned", "budget.exceeded", "budget.warned"]);
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_is_taken_back_or_counts_for_somebody_else_is_counted_anew() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100").await;
    let ada = made(&bench, org, terms(Whose::User, "ada", "5", true)).await;
    let bolt = made(&bench, org, terms(Whose::Tenant, "bolt", "5", false)).await;
    used(&bench, org, 0..4, r#"{"interaction":"talk"}"#).await;
    used(&bench, org, 4..5, r#"{"user":"ada"}"#).await;
    assert_eq!(spent(&bench, org, ada).await, "1.000000");
    let mapping = Mapping { interaction: label("talk"), user: Some(label("ada")), tenant: Some(label("bolt")) };
    bench.store.map_interactions(org, By::command(), vec![mapping]).await.expect("mapped");
    assert_eq!(
        (spent(&bench, org, ada).await.as_str(), spent(&bench, org, bolt).await.as_str()),
        ("5.000000", "4.000000")
    );
    assert!(is_exceeded(&bench.store.authorize(org, ask(Some("ada"), None)).await));
    // What the interaction brings from now on counts for them as it comes.
    used(&bench, org, 5..6, r#"{"interaction":"talk"}"#).await;
    assert_eq!(spent(&bench, org, bolt).await, "5.000000");
    let void = CorrectionRequest::Void { event: ledger::EventSeq(1), reason: "twice".to_owned() };
    bench.store.correct(org, By::command(), void, false, None).await.expect("voided");
    assert_eq!(
        (spent(&bench, org, ada).await.as_str(), spent(&bench, org, bolt).await.as_str()),
        ("5.000000", "4.000000")
    );
    assert_eq!(told(&bench, org).iter().filter(|kind| *kind == "budget.exceeded").count(), 2);
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_a_hold_was_captured_for_counts_as_usage_does() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100").await;
    let mut budgets = Vec::new();
    for (whose, id) in [(Whose::Project, "chat"), (Whose::User, "ada"), (Whose::Tenant, "bolt")] {
        budgets.push(made(&bench, org, terms(whose, id, "10", true)).await);
    }
    let kind = ledger::alert::Kind::SpendAbove { amount: credits("9"), per: Per::Day };
    let scope = |user: &str| ledger::alert::Scope { user: Some(label(user)), ..ledger::alert::Scope::default() };
    for user in ["ada", "eve"] {
        let new = NewRule {
            title: user.to_owned(),
            kind,
            scope: scope(user),
            recipients: default_recipients(),
            margin_percent: 5,
        };
        bench.store.set_alert(org, By::command().into(), None, new).await.expect("made");
    }
    let hold = |user: &str| NewHold {
        amount: credits("9"),
        expires_in_s: None,
        meter: None,
        source: None,
        project: Some(label("chat")),
        user: Some(label(user)),
        tenant: Some(label("bolt")),
        description: String::new(),
    };
    let made = bench.store.create_hold(org, "test".to_owned(), hold("ada"), None).await.expect("within").answer;
    assert_eq!((made.user, made.tenant), (Some(label("ada")), Some(label("bolt"))));
    for id in &budgets {
        assert_eq!(spent(&bench, org, *id).await, "0.000000", "what is reserved is not spent");
    }
    bench.reopen().await;
    bench.store.capture_hold(org, "test".to_owned(), made.id, Some(credits("9")), None).await.expect("captured");
    for id in &budgets {
        assert_eq!(spent(&bench, org, *id).await, "9.000000");
    }
    let page = FiringPage { limit: 10, ..FiringPage::default() };
    let fired = bench.store.alert_history(org, page).await.expect("reads");
    assert_eq!(fired.iter().map(|row| row.title.as_str()).collect::<Vec<_>>(), ["ada"], "and nobody else's");
    assert_eq!(told(&bench, org), ["budget.warned"; 3]);
    assert!(is_exceeded(&bench.store.create_hold(org, "test".to_owned(), hold("ada"), None).await));
    // Counted anew it is the same: an event is taken back, and what is left is what holds were captured for.
    used(&bench, org, 0..1, r#"{"user":"ada"}"#).await;
    assert_eq!(spent(&bench, org, budgets[1]).await, "10.000000");
    let void = CorrectionRequest::Void { event: ledger::EventSeq(2), reason: "twice".to_owned() };
    bench.store.correct(org, By::command(), void, false, None).await.expect("voided");
    assert_eq!(spent(&bench, org, budgets[1]).await, "9.000000");
    bench.assert_verified().await;
}

#[tokio::test]
async fn terms_are_checked_and_a_budget_that_changes_begins_anew() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100").await;
    let none = Terms { amount: credits("0"), ..terms(Whose::Project, "chat", "1", true) };
    let refused = bench.store.set_budget(org, By::command().into(), None, none, default_recipients()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::BadBudget { .. }))));
    let id = made(&bench, org, terms(Whose::Project, "chat", "2", true)).await;
    used(&bench, org, 0..3, r#"{"project":"chat"}"#).await;
    assert!(is_exceeded(&bench.store.authorize(org, ask(None, Some("chat"))).await));
    let more = terms(Whose::Project, "chat", "10", true);
    bench.store.set_budget(org, By::command().into(), Some(id), more, default_recipients()).await.expect("changed");
    bench.store.authorize(org, ask(None, Some("chat"))).await.expect("raised");
    let budget = bench.store.budget(org, id).await.expect("there");
    assert_eq!(budget.terms.standing(budget.counted.spent.expect("counted")), Standing::Within);
    bench.store.delete_budget(org, By::command(), id).await.expect("gone");
    let other = bench.org("Bolt", "Europe/Berlin").await;
    let theirs = made(&bench, other, terms(Whose::Project, "chat", "2", true)).await;
    assert!(matches!(bench.store.budget(org, theirs).await, Err(StoreError::NotFound(_))));
    assert_ne!(made(&bench, org, terms(Whose::Project, "chat", "2", true)).await, id, "no number is given twice");
    assert_eq!(bench.store.now(), NOON);
}
