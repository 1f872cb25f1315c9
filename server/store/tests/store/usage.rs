//! Usage in, ledger and charts out: on a real file.

use crate::common::{Bench, NOON, counts, credits, event, export};
use ledger::cube::{Dimension, Filter};
use ledger::{Account, EventSeq, Interval, OrgState, Refusal, Timestamp};
use std::collections::HashSet;
use store::{CubeQuery, EventPage, Outcome, Range, StoreError};

fn days(first: &str, last: &str) -> CubeQuery {
    let range = Range::Days(first.parse().expect("a date"), last.parse().expect("a date"));
    CubeQuery::new(range, Interval::Day)
}

#[tokio::test]
async fn a_resent_event_posts_nothing_and_another_content_is_a_conflict() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "10").await;
    assert_eq!(counts(&bench.ingest(org, vec![export("1"), export("1"), export("2")]).await), (2, 1, 0));
    bench.reopen().await;
    let other = event(r#"{"id":"1","source":"api","type":"export","data":{"quantity":2}}"#);
    let elsewhere = event(r#"{"id":"1","source":"web","type":"export"}"#);
    let again = bench.ingest(org, vec![export("2"), other, elsewhere]).await;
    assert_eq!(again.outcomes[0], Outcome::Duplicate { seq: EventSeq(2) });
    assert_eq!(again.outcomes[1], Outcome::Refused(Refusal::EventConflict));
    assert_eq!((counts(&again), again.credits), ((1, 1, 1), credits("1")));
    assert_eq!(again.balance.available, credits("7"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn identities_are_found_after_they_are_merged() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let batch = |from: u32| (from..from + 10_000).map(|n| export(&n.to_string())).collect::<Vec<_>>();
    for from in [0, 10_000, 20_000, 30_000] {
        assert_eq!(counts(&bench.ingest(org, batch(from)).await), (10_000, 0, 0));
    }
    assert_eq!(counts(&bench.ingest(org, batch(5_000)).await), (0, 10_000, 0));
    bench.reopen().await;
    assert_eq!(counts(&bench.ingest(org, batch(35_000)).await), (5_000, 5_000, 0));
    assert_eq!(counts(&bench.ingest(org, batch(0)).await), (0, 10_000, 0));
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_bad_event_costs_its_neighbours_nothing() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let unknown = event(r#"{"id":"b","source":"api","type":"nothing"}"#);
    let future = event(r#"{"id":"c","source":"api","type":"export","time":"2099-01-01T00:00:00Z"}"#);
    let huge = event(r#"{"id":"d","source":"api","type":"export","data":{"quantity":1000000000000000}}"#);
    let ingested = bench.ingest(org, vec![export("a"), unknown, future, huge, export("e")]).await;
    let codes: Vec<&str> = ingested
        .outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Refused(refusal) => refusal.code(),
            _ => "",
        })
        .collect();
    assert_eq!(codes, ["", "unknown_meter", "time_out_of_range", "amount_overflow", ""]);
    assert_eq!(ingested.credits, credits("2"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn sums_near_the_end_of_the_range_are_exact_or_refused() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let report = |id: &str, amount: &str| {
        event(&format!(r#"{{"id":"{id}","source":"s","type":"agent","data":{{"credits":"{amount}"}}}}"#))
    };
    let large = |n: i32| report(&format!("l{n}"), "9223372");
    let mut total = 0_i64;
    let first = bench.ingest(org, (0..10_000).map(large).collect()).await;
    total += first.credits.micros();
    assert_eq!(total, 92_233_720_000_000_000);
    // A hundred such batches would pass i64's end: quantities of 10^15 get there sooner, and are refused there.
    let session = |n: i32| {
        event(&format!(r#"{{"id":"q{n}","source":"s","type":"input_tokens","data":{{"quantity":1000000000000000}}}}"#))
    };
    let second = bench.ingest(org, (0..9_500).map(session).collect()).await;
    let (accepted, _, refused) = counts(&second);
    assert_eq!((accepted, refused), (9_223, 277));
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_no_grant_covers_is_debt_and_the_next_grant_repays_it_first() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "1").await;
    let after = bench.ingest(org, vec![export("1"), export("2"), export("3")]).await;
    assert_eq!(
        (after.balance.available, after.balance.debt, after.balance.state),
        (credits("0"), credits("2"), OrgState::Paused)
    );
    bench.grant(org, "5").await;
    let balance = bench.store.balance(org).await.expect("reads");
    assert_eq!((balance.available, balance.debt, balance.settled), (credits("3"), credits("0"), credits("3")));
    assert_eq!(balance.state, OrgState::Active);
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_grant_ends_at_its_instant_and_the_expiry_is_booked_as_of_it() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let hour_later = Timestamp::from_micros(NOON.micros() + 3_600_000_000);
    bench.grant_with(org, "5", Some(hour_later)).await;
    bench.clock.set(Timestamp::from_micros(hour_later.micros() - 1));
    assert_eq!(bench.store.balance(org).await.expect("reads").available, credits("5"));
    bench.clock.set(hour_later);
    assert_eq!(bench.store.balance(org).await.expect("reads").available, credits("0"));
    let after = bench.ingest(org, vec![export("1")]).await;
    assert_eq!(after.balance.debt, credits("1"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_clock_that_jumps_back_books_nothing_before_what_was_booked() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.ingest(org, vec![export("1")]).await;
    bench.clock.set(Timestamp::from_micros(NOON.micros() - 86_400_000_000));
    bench.ingest(org, vec![export("2")]).await;
    let detail = bench.store.event(org, EventSeq(2)).await.expect("there");
    assert_eq!(detail.accepted_at, NOON);
}

#[tokio::test]
async fn an_event_is_explained_down_to_who_paid() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "1.5").await;
    bench.grant(org, "10").await;
    let tokens = r#"{"id":"t","source":"api","type":"ai_text","data":{"quantities":{"input_tokens":374,"completion_tokens":44},"project":"p"}}"#;
    bench.ingest(org, vec![export("1"), event(tokens), export("2")]).await;
    let detail = bench.store.event(org, EventSeq(3)).await.expect("there");
    let store::event::Explained { charge, why, paid, .. } = &detail.explained[0];
    assert_eq!((charge.credits, why.credits), (credits("1"), credits("1")));
    let paid: Vec<String> = paid.iter().map(|(account, part)| format!("{account} {part}")).collect();
    assert_eq!(paid, ["grant_1 0.499732", "grant_2 0.500268"]);
    let tokens = bench.store.event(org, EventSeq(2)).await.expect("there");
    assert_eq!(tokens.row.event.quantities.len(), 2);
    assert_eq!(tokens.explained[1].why.arithmetic, "374 × 0.6 ÷ 1000000 = 0.000224 + 0.0000004 carried on");
    assert_eq!(tokens.explained[1].charge.carry_after, ledger::rate::Carry(2_000_000));
    assert!(matches!(bench.store.event(org, EventSeq(4)).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn charts_add_up_to_the_ledger_in_every_zone() {
    let bench = Bench::new().await;
    for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Europe/Berlin"] {
        let org = bench.org(zone, zone).await;
        let usage = (0..500).map(|n| {
            let at = Timestamp::from_micros(NOON.micros() - i64::from(n) * 3_333_000_000);
            event(&format!(
                r#"{{"id":"{n}","source":"s{}","type":"export","time":"{at}","data":{{"project":"p{}"}}}}"#,
                n % 3,
                n % 4
            ))
        });
        bench.ingest(org, usage.collect()).await;
        let by_day = bench.store.cube(org, &days("2026-10-30", "2026-11-22")).await.expect("in range");
        let other = CubeQuery { zone: Some(store::Tz::Pacific__Chatham), ..days("2026-10-30", "2026-11-23") };
        let elsewhere = bench.store.cube(org, &other).await.expect("in range");
        for cube in [by_day, elsewhere] {
            let slice = cube.slice(&Filter::default(), &[Dimension::Source, Dimension::Project]).expect("fits");
            assert_eq!(
                (slice.total.credits, slice.total.events, slice.series.len()),
                (credits("500"), 500, 12),
                "{zone}"
            );
        }
        assert!(bench.store.totals(org).await.expect("reads").difference.is_zero());
    }
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_day_is_the_day_of_the_orgs_zone() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Asia/Kathmandu").await;
    let at = |id: &str, time: &str| event(&format!(r#"{{"id":"{id}","source":"s","type":"export","time":"{time}"}}"#));
    bench.ingest(org, vec![at("1", "2026-11-20T18:14:59.999999Z"), at("2", "2026-11-20T18:15:00Z")]).await;
    let cube = bench.store.cube(org, &days("2026-11-20", "2026-11-21")).await.expect("in range");
    let points: Vec<i64> = cube.slice(&Filter::default(), &[]).expect("fits").points.iter().map(|p| p.events).collect();
    assert_eq!(points, [1, 1]);
    assert_eq!(cube.buckets.iter().map(|b| b.incomplete).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn pages_of_events_meet_every_event_once() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.ingest(org, (0..25).map(|n| export(&n.to_string())).collect()).await;
    let (mut seen, mut before) = (HashSet::new(), None);
    loop {
        let page = bench.store.events(org, &EventPage { before, limit: 10 }).await.expect("reads");
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        assert!(page.iter().all(|row| seen.insert(row.event.id.clone())));
    }
    assert_eq!(seen.len(), 25);
}

#[tokio::test]
async fn writers_side_by_side_share_commits_and_lose_nothing() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let other = bench.org("Other", "UTC").await;
    bench.grant(org, "1000").await;
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..50_i32 {
        let store = bench.store.clone();
        tasks.spawn(async move {
            for n in 0..10 {
                let whose = if client % 5 == 0 { other } else { org };
                let event = export(&format!("{client}-{n}"));
                store.ingest(whose, "test".to_owned(), vec![event]).await.expect("the writer works");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    assert_eq!(bench.store.balance(org).await.expect("reads").available, credits("600"));
    assert_eq!(bench.store.balance(other).await.expect("reads").debt, credits("100"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn nobody_pays_for_anybody_else() {
    let bench = Bench::new().await;
    let (rich, poor) = (bench.org("Rich", "UTC").await, bench.org("Poor", "UTC").await);
    bench.grant(rich, "100").await;
    bench.ingest(poor, vec![export("1")]).await;
    assert_eq!(bench.store.balance(rich).await.expect("reads").available, credits("100"));
    let detail = bench.store.event(poor, EventSeq(1)).await.expect("there");
    assert_eq!(detail.explained[0].paid, [(Account::Debt, credits("1"))]);
    assert!(matches!(bench.store.event(rich, EventSeq(1)).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn a_missing_org_and_a_full_batch_are_told() {
    let bench = Bench::new().await;
    let missing = bench.store.ingest(ledger::OrgId(99), "test".to_owned(), vec![export("1")]).await;
    assert!(matches!(missing, Err(StoreError::NotFound("organization"))));
    let org = bench.org("Acme", "UTC").await;
    let batch = vec![export("1"); store::MAX_BATCH + 1];
    assert!(matches!(bench.store.ingest(org, "test".to_owned(), batch).await, Err(StoreError::TooLarge)));
}
