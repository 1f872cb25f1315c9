//! What lies at the end of the range, between orgs, and between tasks.

use crate::common::{Bench, NOON, credits, event, export};
use ledger::{Account, Credits, EntryKind, GrantKind, OrgId, OrgState, Policy, Refusal, Scope, Timestamp};
use std::collections::BTreeMap;
use store::{CorrectionRequest, EntryPage, NewGrant, NewHold, NewRateCard, Outcome, StoreError};

const DAY: i64 = 86_400_000_000;

fn later(micros: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + micros)
}

fn purchase(amount: &str) -> NewGrant {
    NewGrant {
        kind: GrantKind::Purchase,
        amount: credits(amount),
        priority: 0,
        scope: Scope::default(),
        effective_at: None,
        expires_at: None,
        description: "bought".to_owned(),
        cost: None,
        rollover: None,
    }
}

fn hold(amount: &str) -> NewHold {
    NewHold {
        user: None,
        tenant: None,
        amount: credits(amount),
        expires_in_s: None,
        meter: None,
        source: None,
        project: None,
        description: String::new(),
    }
}

async fn adjust(bench: &Bench, org: OrgId, amount: &str) -> Result<(), StoreError> {
    let request = CorrectionRequest::Adjust {
        amount: credits(amount),
        grant: None,
        expires_at: None,
        reason: "by hand".to_owned(),
    };
    bench.store.correct(org, "test".to_owned(), request, false, None).await.map(|_| ())
}

#[tokio::test]
async fn more_than_fits_is_refused_and_never_wraps() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let give = |amount| bench.store.give_grant(org, "test".to_owned(), purchase(amount), None);
    assert!(give("9223372036854.775806").await.is_ok());
    let too_much = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Refused(Refusal::AmountOverflow))), "{result:?}");
    };
    too_much(give("0.000002").await.map(|_| ()));
    too_much(give("9223372036854.775807").await.map(|_| ()));
    too_much(adjust(&bench, org, "0.000002").await);
    assert!(adjust(&bench, org, "0.000001").await.is_ok());
    let balance = bench.store.balance(org).await.expect("reads");
    assert_eq!(balance.available, credits("9223372036854.775807"));
    assert!(adjust(&bench, org, "-9223372036854.775807").await.is_ok());
    bench.assert_verified().await;
}

#[tokio::test]
async fn the_largest_debt_can_still_be_read_and_corrected() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.store.set_policy(org, Policy::Overdraft { limit: credits("1000") }).await.expect("sets");
    let promised = bench.store.create_hold(org, "test".to_owned(), hold("500"), None).await.expect("promised").answer;
    let mistake = r#"{"id":"1","source":"api","type":"export","data":{"quantity":9223372036854}}"#;
    bench.ingest(org, vec![event(mistake)]).await;
    bench.store.set_policy(org, Policy::Pause).await.expect("sets");
    let balance = bench.store.balance(org).await.expect("reads");
    assert_eq!((balance.debt, balance.state), (credits("9223372036854"), OrgState::Paused));
    assert_eq!(balance, bench.ingest(org, vec![export("1")]).await.balance);
    let captured = bench.store.capture_hold(org, "test".to_owned(), promised.id, None, None).await;
    assert!(matches!(captured, Err(StoreError::Refused(Refusal::AmountOverflow))), "{captured:?}");
    let request = CorrectionRequest::Void { event: ledger::EventSeq(1), reason: "a unit was wrong".to_owned() };
    bench.store.correct(org, "test".to_owned(), request, false, None).await.expect("voids");
    bench.store.capture_hold(org, "test".to_owned(), promised.id, None, None).await.expect("as was promised");
    assert_eq!(bench.ingest(org, vec![export("2")]).await.balance.debt, credits("501"));
    bench.assert_verified().await;
}

/// Usage up to the last micro-credit that an org can consume: what goes beyond is refused, to the last part of a carry, and
/// what costs nothing more is still taken.
#[tokio::test]
async fn usage_at_the_end_of_the_range_is_exact_or_refused_under_every_rule() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "Asia/Kolkata").await;
    let text = "calls: graduated 9223372.036854775807 to 1000000, 0.000000000001 beyond\n\
                pages: volume 0.000001 to 1, 9223372.036854775807 beyond\n\
                training: formula 0 + 0.000001 per second\nimages: 0.000000000001 each";
    let lines = ledger::card_text::parse(text).expect("valid");
    let new = NewRateCard { lines, ..NewRateCard::default() };
    bench.store.put_rate_card(org, "test".to_owned(), new, None).await.expect("a good card");
    let number = std::cell::Cell::new(0);
    let spend = async |bench: &Bench, meter: &str, quantity: &str| {
        number.set(number.get() + 1);
        let id = number.get();
        let text = format!(r#"{{"id":"{id}","source":"api","type":"{meter}","data":{{"quantity":"{quantity}"}}}}"#);
        match bench.ingest(org, vec![event(&text)]).await.outcomes.remove(0) {
            Outcome::Accepted { credits, .. } => Ok(credits.to_string()),
            Outcome::Refused(refusal) => Err(refusal.code()),
            Outcome::Duplicate { .. } => Err("duplicate"),
        }
    };
    let (too_much, nothing) = (Err("amount_overflow"), Ok("0.000000".to_owned()));
    assert_eq!(spend(&bench, "images", "1000000000000000").await, Ok("1000.000000".to_owned()));
    assert_eq!(spend(&bench, "calls", "1000000").await, too_much, "alone it would be all there is");
    // 999,999.999891 × 9,223,372.036854775807; the next call costs 9.22 credits, 5.347553 are left.
    assert_eq!(spend(&bench, "calls", "999999.999891").await, Ok("9223372035849.428254".to_owned()));
    assert_eq!(spend(&bench, "calls", "0.000001").await, too_much);
    assert_eq!(spend(&bench, "training", "5347554").await, too_much);
    assert_eq!(spend(&bench, "training", "5347553.5").await, Ok("5.347553".to_owned()));
    bench.reopen().await;
    // Nothing is left but what a carry can hold.
    assert_eq!(spend(&bench, "training", "0.49").await, nothing);
    assert_eq!(spend(&bench, "training", "0.01").await, too_much);
    assert_eq!(spend(&bench, "training", "0.009999").await, nothing);
    assert_eq!(spend(&bench, "pages", "1").await, too_much);
    assert_eq!(spend(&bench, "pages", "2").await, too_much);
    let totals = bench.store.totals(org).await.expect("reads");
    assert_eq!((totals.spent.micros(), totals.difference), (i64::MAX, Credits::ZERO));
    assert_eq!(bench.store.balance(org).await.expect("reads").debt.micros(), i64::MAX);
    bench.assert_verified().await;
}

/// Each org has its own present: one that booked while the clock ran ahead must not make another spend what is over.
#[tokio::test]
async fn an_org_that_is_ahead_moves_no_other() {
    let bench = Bench::new().await;
    for round in 0..20 {
        bench.clock.set(later(DAY * round));
        let org = bench.org(&format!("org {round}"), "UTC").await;
        let ahead = bench.org(&format!("ahead {round}"), "UTC").await;
        bench.grant_with(org, "5", Some(later(DAY * round + 3_600_000_000))).await;
        bench.clock.set(later(DAY * round + DAY / 2));
        bench.ingest(ahead, vec![export("0")]).await;
        bench.clock.set(later(DAY * round + 1));
        let mut tasks = tokio::task::JoinSet::new();
        for n in 1..30 {
            let store = bench.store.clone();
            let whose = if n % 3 == 0 { ahead } else { org };
            tasks.spawn(async move { store.ingest(whose, "test".to_owned(), vec![export(&n.to_string())]).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no panic").expect("the writer works");
        }
        let (entries, _) =
            bench.store.entries(org, EntryPage { limit: 200, ..EntryPage::default() }).await.expect("reads");
        let latest = entries.iter().map(|row| row.entry.booked_at).max();
        assert_eq!(latest, Some(later(DAY * round + 1)), "round {round}");
    }
    bench.assert_verified().await;
}

#[tokio::test]
async fn the_next_thing_due_may_be_a_repayment() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.ingest(org, vec![export("1")]).await;
    assert_eq!(bench.store.next_due().await.expect("reads"), None);
    let tomorrow = NewGrant { effective_at: Some(later(DAY)), ..purchase("5") };
    bench.store.give_grant(org, "test".to_owned(), tomorrow, None).await.expect("gives");
    assert_eq!(bench.store.next_due().await.expect("reads"), Some(later(DAY)));
    bench.clock.set(later(DAY));
    assert_eq!(bench.store.book_due().await.expect("books"), 1);
    assert_eq!(bench.store.next_due().await.expect("reads"), None);
}

/// All entries of an org, first to last.
async fn entries(bench: &Bench, org: OrgId) -> Vec<store::EntryRow> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = EntryPage { before, limit: 200, ..EntryPage::default() };
        let (rows, _) = bench.store.entries(org, page).await.expect("reads");
        let Some(last) = rows.last() else { break };
        before = Some(last.entry.seq);
        all.extend(rows);
    }
    all.reverse();
    all
}

/// Two hundred clients draw on one balance through holds, each with three pieces of work, captured for less, as much and
/// more, or given up.
async fn race(policy: Policy, limit: &str) {
    let bench = Bench::in_memory().await;
    let org = bench.org("Acme", "UTC").await;
    bench.store.set_policy(org, policy).await.expect("sets");
    bench.grant(org, "60").await;
    bench.grant_with(org, "40.5", Some(later(DAY))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..200_u32 {
        let store = bench.store.clone();
        tasks.spawn(async move {
            let cause = || "test".to_owned();
            let mut refusals = 0;
            for n in 0..3 {
                let made = store.create_hold(org, cause(), hold("1.25"), None).await;
                let Ok(made) = made else {
                    assert!(matches!(made, Err(StoreError::Refused(Refusal::InsufficientCredits { .. }))), "{made:?}");
                    refusals += 1;
                    continue;
                };
                let id = made.answer.id;
                let done = match (client + n) % 4 {
                    0 => store.release_hold(org, cause(), id, None).await,
                    1 => store.capture_hold(org, cause(), id, Some(credits("0.75")), None).await,
                    2 => store.capture_hold(org, cause(), id, None, None).await,
                    _ => store.capture_hold(org, cause(), id, Some(credits("1.5")), None).await,
                };
                let refused = matches!(done, Err(StoreError::Refused(Refusal::InsufficientCredits { .. })));
                assert!(done.is_ok() || refused, "{done:?}");
            }
            refusals
        });
    }
    let mut refusals = 0;
    while let Some(done) = tasks.join_next().await {
        refusals += done.expect("no panic");
    }
    let mut balances: BTreeMap<Account, i64> = BTreeMap::new();
    let limit = credits(limit).micros();
    for row in entries(&bench, org).await {
        let sum: i64 = row.lines.iter().map(|line| line.posting.amount.micros()).sum();
        assert_eq!(sum, 0, "{:?}", row.entry);
        for line in &row.lines {
            let balance = balances.entry(line.posting.account).or_default();
            *balance += line.posting.amount.micros();
            assert_eq!(*balance, line.balance.micros(), "{:?}", row.entry);
        }
        for (account, balance) in &balances {
            let fits = match account {
                Account::Grant(_) | Account::Hold(_) | Account::Consumed | Account::Expired => *balance >= 0,
                Account::Debt => *balance <= 0 && -*balance <= limit,
                Account::Funding | Account::Adjustment => true,
            };
            assert!(fits, "{account} has {balance} after {:?}", row.entry);
        }
        assert!(!matches!(row.entry.draft.kind, EntryKind::HoldExpiry { .. }), "the clock stands still");
    }
    assert!(refusals > 0, "nobody was refused");
    bench.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_for_credits_never_passes_the_limit_of_the_policy() {
    race(Policy::Pause, "0").await;
    race(Policy::FinishInFlight { limit: credits("3") }, "3").await;
    race(Policy::Overdraft { limit: credits("7.1") }, "7.1").await;
}
