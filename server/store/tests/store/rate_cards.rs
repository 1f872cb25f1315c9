//! Versions of the rate card, tiers across cycle ends, and what volume prices give back.

use crate::common::{Bench, NOON, credits, event};
use ledger::rate::Carry;
use ledger::{Account, Credits, EventSeq, GrantKind, OrgId, RateCardVersion, RateLine, Refusal, Timestamp, card_text};
use store::{At, CardPage, CardStatus, GrantPage, NewRateCard, Once, Outcome, StoreError};

const DAY: i64 = 86_400_000_000;

fn at(us: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + us)
}

fn lines(text: &str) -> Vec<RateLine> {
    card_text::parse(text).expect("valid")
}

fn card(text: &str) -> NewRateCard {
    NewRateCard { lines: lines(text), ..NewRateCard::default() }
}

async fn put(bench: &Bench, org: OrgId, new: NewRateCard) -> Result<i64, StoreError> {
    let done = bench.store.put_rate_card(org, "user:ada".to_owned(), new, None).await?;
    Ok(done.answer.card.version.0)
}

/// What one event of a meter costs.
async fn spend(bench: &Bench, org: OrgId, id: &str, meter: &str, quantity: &str, time: Option<Timestamp>) -> Credits {
    let time = time.map(|time| format!(r#""time":"{time}","#)).unwrap_or_default();
    let text = format!(r#"{{"id":"{id}","source":"api","type":"{meter}",{time}"data":{{"quantity":{quantity}}}}}"#);
    let ingested = bench.store.ingest(org, "key:test".to_owned(), vec![event(&text)]).await.expect("ingests");
    match &ingested.outcomes[0] {
        Outcome::Accepted { credits, .. } => *credits,
        other => panic!("{id}: {other:?}"),
    }
}

#[tokio::test]
async fn a_new_version_rates_from_its_time_on_and_never_again() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100").await;
    assert_eq!(spend(&bench, org, "1", "export", "2", None).await, credits("2"));
    let dearer = NewRateCard { effective_at: Some(at(DAY)), ..card("export: 3 each") };
    assert_eq!(put(&bench, org, dearer).await.expect("a good card"), 2);
    // Until then the old one rates; an event of yesterday is rated by what is in force when it is booked.
    assert_eq!(spend(&bench, org, "2", "export", "1", None).await, credits("1"));
    bench.clock.set(at(DAY));
    assert_eq!(spend(&bench, org, "3", "export", "1", Some(at(-DAY))).await, credits("3"));
    let first = bench.store.event(org, EventSeq(1)).await.expect("there");
    assert_eq!((first.row.credits, first.row.charges[0].version), (credits("2"), RateCardVersion(1)));
    let page = CardPage { before: None, limit: 10 };
    let versions = bench.store.rate_cards(org, page).await.expect("reads");
    let told: Vec<_> = versions.iter().map(|state| (state.card.version.0, state.status)).collect();
    assert_eq!(told, [(2, CardStatus::InForce), (1, CardStatus::Superseded)]);
    assert_eq!(versions[0].cause.as_deref(), Some("user:ada"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_cannot_be_laid_down_is_told_and_nothing_is_booked() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let refused = async |new: NewRateCard| match put(&bench, org, new).await {
        Err(StoreError::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    };
    let past = NewRateCard { effective_at: Some(at(-1)), ..card("export: 3 each") };
    assert_eq!(refused(past).await, "effective_in_the_past");
    let far = NewRateCard { effective_at: Some(at(4_000 * DAY)), ..card("export: 3 each") };
    assert_eq!(refused(far).await, "effective_too_far");
    let unseen = NewRateCard { replaces: Some(RateCardVersion(7)), ..card("export: 3 each") };
    assert_eq!(refused(unseen).await, "rate_card_changed");
    assert_eq!(refused(NewRateCard::default()).await, "empty_rate_card");
    let mut twice = lines("export: 1 each");
    twice.extend(lines("export: 2 each"));
    let hidden = NewRateCard { lines: twice, ..NewRateCard::default() };
    assert!(matches!(put(&bench, org, hidden).await, Err(StoreError::Refused(Refusal::BadRateLine { line: 2, .. }))));
    assert_eq!(bench.store.rate_cards(org, CardPage { before: None, limit: 9 }).await.expect("reads").len(), 1);
    bench.assert_verified().await;
}

/// A version whose time has not come gives way to any that takes effect before; it says so, and so does the one that did it.
#[tokio::test]
async fn what_was_scheduled_and_overtaken_was_never_in_force() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    for (days, price) in [(1, 2), (9, 3), (5, 4)] {
        let new = NewRateCard { effective_at: Some(at(days * DAY)), ..card(&format!("export: {price} each")) };
        put(&bench, org, new).await.expect("a good card");
    }
    bench.clock.set(at(2 * DAY));
    put(&bench, org, card("export: 5 each")).await.expect("a good card");
    let told = async || {
        let states = bench.store.rate_cards(org, CardPage { before: None, limit: 9 }).await.expect("reads");
        let told = |state: store::CardState| {
            (state.card.version.0, state.status.as_str(), state.overtakes.iter().map(|gone| gone.0).collect::<Vec<_>>())
        };
        states.into_iter().map(told).collect::<Vec<_>>()
    };
    let expected = [
        (5, "in_force", vec![4]),
        (4, "never_in_force", vec![3]),
        (3, "never_in_force", vec![]),
        (2, "superseded", vec![]),
        (1, "superseded", vec![]),
    ];
    assert_eq!(told().await, expected);
    bench.clock.set(at(20 * DAY));
    assert_eq!(told().await, expected);
    assert_eq!(spend(&bench, org, "1", "export", "1", None).await, credits("5"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn the_same_put_twice_is_one_version() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let once = Some(Once { key: "k".to_owned(), request: [1; 32] });
    for _ in 0..2 {
        let done = bench.store.put_rate_card(org, "key:a".to_owned(), card("export: 2 each"), once.clone()).await;
        assert_eq!(done.expect("a good card").answer.card.version, RateCardVersion(2));
    }
    assert_eq!(put(&bench, org, card("export: 2 each")).await.expect("the same"), 2);
    assert_eq!(put(&bench, org, card("export: 1 each")).await.expect("another"), 3);
}

#[tokio::test]
async fn a_line_that_is_kept_goes_on_where_it_stood() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "100").await;
    let kept = "computation: 1 per 10 full\nstorage: graduated 0 to 100, 1 beyond";
    put(&bench, org, card(kept)).await.expect("a good card");
    assert_eq!(spend(&bench, org, "1", "computation", "9", None).await, credits("0"));
    assert_eq!(spend(&bench, org, "2", "storage", "99", None).await, credits("0"));
    put(&bench, org, card(&format!("export: 1 each\n{kept}"))).await.expect("a good card");
    assert_eq!(spend(&bench, org, "3", "computation", "1", None).await, credits("1"));
    assert_eq!(spend(&bench, org, "4", "storage", "2", None).await, credits("1"));
    // A line that says something else begins anew.
    put(&bench, org, card("computation: 2 per 10 full\nstorage: graduated 0 to 50, 1 beyond")).await.expect("good");
    assert_eq!(spend(&bench, org, "5", "storage", "51", None).await, credits("1"));
    let detail = bench.store.event(org, EventSeq(3)).await.expect("there");
    assert_eq!((detail.row.charges[0].carry_before, detail.row.charges[0].carry_after), (Carry(9_000_000), Carry(0)));
    assert_eq!(detail.explained[0].why.arithmetic, "(9 + 1) ÷ 10, whole blocks, × 1 = 1.000000");
    bench.assert_verified().await;
}

/// Cycles are the months of the org's zone, by when the usage happened, whatever order it arrives in.
#[tokio::test]
async fn tiers_count_each_cycle_by_itself_also_for_what_arrives_late() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "1000").await;
    put(&bench, org, card("storage: graduated 0 to 100, 1 beyond")).await.expect("a good card");
    // In Berlin November ends at 23:00 UTC.
    let time = |text: &str| Timestamp::parse("time", text).ok();
    bench.clock.set(time("2026-12-02T00:00:00Z").expect("valid"));
    assert_eq!(spend(&bench, org, "1", "storage", "90", time("2026-11-30T22:59:59Z")).await, credits("0"));
    assert_eq!(spend(&bench, org, "2", "storage", "90", time("2026-11-30T23:00:00Z")).await, credits("0"));
    bench.reopen().await;
    assert_eq!(spend(&bench, org, "3", "storage", "20", time("2026-11-01T00:00:00Z")).await, credits("10"));
    assert_eq!(spend(&bench, org, "4", "storage", "11", time("2026-12-01T00:00:00Z")).await, credits("1"));
    let late = bench.store.event(org, EventSeq(3)).await.expect("there");
    let places = late.explained[0].why.tiers.clone().expect("tiers");
    assert_eq!(places, ["90 used in 2026-11, tier 1 of 2", "110 used in 2026-11, tier 2 of 2"]);
    assert_eq!(late.explained[0].why.arithmetic, "10 × 0 + 10 × 1 = 10.000000");
    bench.assert_verified().await;
}

/// Months of zones that are half an hour off the hour end half an hour off the hour, also after a daylight-saving change;
/// what arrives late counts in the month in which it happened, though the next has begun, and takes nothing from it.
#[tokio::test]
async fn tiers_turn_at_the_half_hour_and_keep_a_place_for_what_comes_late() {
    let turns = [
        ("Asia/Kolkata", "2026-11-30T18:29:59.999999Z", "2026-11-30T18:30:00Z"),
        ("Australia/Adelaide", "2026-11-30T13:29:59.999999Z", "2026-11-30T13:30:00Z"),
        ("America/St_Johns", "2026-12-01T03:29:59.999999Z", "2026-12-01T03:30:00Z"),
        ("Asia/Kathmandu", "2026-11-30T18:14:59.999999Z", "2026-11-30T18:15:00Z"),
    ];
    let mut bench = Bench::new().await;
    for (zone, last, first) in turns {
        let time = |text: &str| Timestamp::parse("time", text).ok();
        bench.clock.set(NOON);
        let org = bench.org(zone, zone).await;
        bench.grant(org, "1000").await;
        put(&bench, org, card("storage: graduated per 7 0 to 100, 1 beyond")).await.expect("a good card");
        bench.clock.set(time(last).expect("valid"));
        assert_eq!(spend(&bench, org, "1", "storage", "101", None).await, credits("0.142857"), "{zone}");
        bench.clock.set(time(first).expect("valid"));
        assert_eq!(spend(&bench, org, "2", "storage", "100", None).await, credits("0"), "{zone}");
        bench.reopen().await;
        // Six sevenths of a credit more, and the sevenths of a micro-credit that the first one left.
        assert_eq!(spend(&bench, org, "late", "storage", "6", time(last)).await, credits("0.857143"), "{zone}");
        assert_eq!(spend(&bench, org, "3", "storage", "7", None).await, credits("1"), "{zone}");
    }
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_volume_price_that_is_reached_gives_back_what_was_paid_above_it() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "1000").await;
    put(&bench, org, card("calls: volume 1 to 1000, 0.5 beyond")).await.expect("a good card");
    assert_eq!(spend(&bench, org, "1", "calls", "1000", None).await, credits("1000"));
    assert_eq!(spend(&bench, org, "2", "calls", "1", None).await, credits("-499.5"));
    assert_eq!(bench.store.balance(org).await.expect("reads").available, credits("499.5"));
    let page = GrantPage { limit: 9, ..GrantPage::default() };
    let (grants, _) = bench.store.grants(org, At::default(), page).await.expect("reads");
    assert_eq!((grants[0].grant.kind, grants[0].grant.amount), (GrantKind::Refund, credits("499.5")));
    let totals = bench.store.totals(org).await.expect("reads");
    assert_eq!((totals.spent, totals.difference), (credits("500.5"), Credits::ZERO));
    let second = bench.store.event(org, EventSeq(2)).await.expect("there");
    assert_eq!(second.explained[0].paid, [(Account::Grant(grants[0].grant.id), credits("-499.5"))]);
    bench.assert_verified().await;
}

/// What was given back repays debt before it can be spent, and the answer says so at once.
#[tokio::test]
async fn what_is_given_back_repays_debt_first() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "700").await;
    put(&bench, org, card("calls: volume 1 to 1000, 0.5 beyond")).await.expect("a good card");
    spend(&bench, org, "1", "calls", "1000", None).await;
    let text = r#"{"id":"2","source":"api","type":"calls"}"#;
    let ingested = bench.store.ingest(org, "key:test".to_owned(), vec![event(text)]).await.expect("ingests");
    let balance = bench.store.balance(org).await.expect("reads");
    assert_eq!((balance.available, balance.debt), (credits("199.5"), Credits::ZERO));
    assert_eq!(ingested.balance.available, balance.available);
    bench.assert_verified().await;
}
