//! Tiers count what stands: events taken back, replaced, in any order, also those that gave credits back.

use crate::common::{Bench, NOON, credits, event};
use ledger::entry::Head;
use ledger::{Account, Credits, Entry, EntryKind, EntrySeq, Event, EventSeq, OrgId, Timestamp, card_text};
use rusqlite::{Connection, params};
use store::correction::Correction;
use store::hold::Ask;
use store::{At, CorrectionRequest, NewRateCard, Outcome};

const FALLING: &str = "calls: graduated 1 to 10, 0.1 beyond";

async fn org(bench: &Bench, card: &str, given: &str) -> OrgId {
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, given).await;
    let new = NewRateCard { lines: card_text::parse(card).expect("valid"), ..NewRateCard::default() };
    bench.store.put_rate_card(org, "user:ada".to_owned(), new, None).await.expect("a good card");
    org
}

fn calls(id: &str, quantity: &str) -> Event {
    event(&format!(r#"{{"id":"{id}","source":"api","type":"calls","data":{{"quantity":{quantity}}}}}"#))
}

/// What an event costs.
async fn spend(bench: &Bench, org: OrgId, id: &str, quantity: &str) -> Credits {
    match &bench.ingest(org, vec![calls(id, quantity)]).await.outcomes[0] {
        Outcome::Accepted { credits, .. } => *credits,
        other => panic!("{id}: {other:?}"),
    }
}

/// Takes an event back, or lets another stand in its place; what was foretold of it is what is booked.
async fn correct(bench: &Bench, org: OrgId, request: CorrectionRequest) -> Correction {
    let tried = bench.store.correct(org, "user:ada".to_owned(), request.clone(), true, None).await;
    let booked = bench.store.correct(org, "user:ada".to_owned(), request, false, None).await.expect("possible").answer;
    assert_eq!(tried.expect("possible").answer, Correction { booked: false, ..booked.clone() });
    booked
}

async fn void(bench: &Bench, org: OrgId, event: i64) -> Credits {
    let request = CorrectionRequest::Void { event: EventSeq(event), reason: "wrong".to_owned() };
    let done = correct(bench, org, request).await;
    done.after.settled.minus(done.before.settled).expect("fits")
}

async fn settled(bench: &Bench, org: OrgId) -> Credits {
    bench.store.balance(org).await.expect("reads").settled
}

#[tokio::test]
async fn what_is_voided_and_used_again_costs_the_same_again() {
    let mut bench = Bench::new().await;
    let org = org(&bench, FALLING, "100").await;
    assert_eq!(spend(&bench, org, "1", "10").await, credits("10"));
    assert_eq!(void(&bench, org, 1).await, credits("10"));
    bench.reopen().await;
    assert_eq!(spend(&bench, org, "2", "10").await, credits("10"));
    assert_eq!(spend(&bench, org, "3", "10").await, credits("1"));
    bench.assert_verified().await;
}

/// A void returns exactly what was charged. What that leaves open, the cycle's next event pays, and says so.
#[tokio::test]
async fn a_cycle_costs_what_stands_in_it_whichever_event_was_voided() {
    let mut bench = Bench::new().await;
    let org = org(&bench, FALLING, "100").await;
    spend(&bench, org, "1", "10").await;
    spend(&bench, org, "2", "10").await;
    assert_eq!(void(&bench, org, 1).await, credits("10"));
    bench.reopen().await;
    // Work that is asked about before it begins is told what it will cost.
    let ask = Ask {
        user: None,
        tenant: None,
        amount: None,
        quantity: Some(ledger::Quantity::ONE),
        meter: Some(ledger::Meter::parse("calls").expect("a meter")),
        source: None,
        project: None,
    };
    assert_eq!(bench.store.authorize(org, ask).await.expect("covered").0, credits("9.1"));
    // October's is October's: nothing is open there.
    let october = r#"{"id":"o","source":"api","type":"calls","time":"2026-10-05T00:00:00Z","data":{"quantity":3}}"#;
    bench.ingest(org, vec![event(october)]).await;
    assert_eq!(spend(&bench, org, "3", "1").await, credits("9.1"));
    let third = bench.store.event(org, EventSeq(4)).await.expect("there");
    assert_eq!(third.explained[0].why.arithmetic, "1 × 0.1 + 9 left open by a void = 9.100000");
    let places = ["10 used in 2026-11, tier 1 of 2", "11 used in 2026-11, tier 2 of 2"];
    assert_eq!(third.explained[0].why.tiers, Some(places.map(str::to_owned)));
    assert_eq!(spend(&bench, org, "4", "1").await, credits("0.1"));
    // Eleven of November and three of October.
    assert_eq!(void(&bench, org, 5).await, credits("0.1"));
    assert_eq!(settled(&bench, org).await, credits("86.9"));
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_replacement_stands_where_the_other_stood_in_its_tiers() {
    let bench = Bench::new().await;
    let org = org(&bench, FALLING, "100").await;
    spend(&bench, org, "1", "10").await;
    spend(&bench, org, "2", "10").await;
    let with = Box::new(calls("right", "4"));
    let reason = "typed twice".to_owned();
    let done = correct(&bench, org, CorrectionRequest::Replace { event: EventSeq(1), reason, with }).await;
    // Fourteen cost 10.4; eleven had been charged.
    assert_eq!(done.after.settled.minus(done.before.settled), Ok(credits("0.6")));
    assert_eq!(settled(&bench, org).await, credits("89.6"));
    bench.assert_verified().await;
}

/// Where later units are dearer, voiding an early event leaves the later one charged too much: the next one gets it back.
#[tokio::test]
async fn what_was_charged_too_much_comes_back_with_the_next_event() {
    let bench = Bench::new().await;
    let org = org(&bench, "calls: graduated 0.1 to 10, 1 beyond", "100").await;
    spend(&bench, org, "1", "10").await;
    spend(&bench, org, "2", "10").await;
    assert_eq!(void(&bench, org, 1).await, credits("1"));
    assert_eq!(spend(&bench, org, "3", "1").await, credits("-8"));
    let third = bench.store.event(org, EventSeq(3)).await.expect("there");
    assert_eq!(third.explained[0].why.arithmetic, "1 × 1 − 9 charged too much before a void = −8.000000");
    assert_eq!(settled(&bench, org).await, credits("98"));
    bench.assert_verified().await;
}

/// Parts of a micro-credit are put right as well: a cycle that was voided to nothing costs nothing, and carries nothing.
#[tokio::test]
async fn voiding_everything_leaves_nothing_to_carry() {
    let bench = Bench::new().await;
    let org = org(&bench, "calls: graduated per 7 1 to 10, 0.3 beyond", "100").await;
    for id in ["1", "2", "3"] {
        spend(&bench, org, id, "5").await;
    }
    for event in [2, 1, 3] {
        void(&bench, org, event).await;
    }
    assert_eq!(settled(&bench, org).await, credits("100"));
    assert_eq!(spend(&bench, org, "4", "5").await, credits("0.714285"));
    let fourth = bench.store.event(org, EventSeq(4)).await.expect("there");
    assert_eq!(fourth.explained[0].why.carry_before, "nothing");
    bench.assert_verified().await;
}

/// What an event gave back is taken again: from the grant that it was given as, then as usage is paid.
#[tokio::test]
async fn an_event_that_gave_credits_back_can_be_voided() {
    let bench = Bench::new().await;
    let org = org(&bench, "calls: volume 1 to 1000, 0.5 beyond\nexport: 1 each", "1000").await;
    spend(&bench, org, "1", "1000").await;
    assert_eq!(spend(&bench, org, "2", "1").await, credits("-499.5"));
    assert_eq!(void(&bench, org, 2).await, credits("-499.5"));
    assert_eq!(settled(&bench, org).await, Credits::ZERO);
    assert_eq!(spend(&bench, org, "3", "1").await, credits("-499.5"));
    bench.ingest(org, vec![event(r#"{"id":"4","source":"api","type":"export","data":{"quantity":400}}"#)]).await;
    bench.grant(org, "60").await;
    // 99.5 of it are left, 60 are in another grant; the rest was spent.
    assert_eq!(void(&bench, org, 3).await, credits("-499.5"));
    let balance = bench.store.balance(org).await.expect("reads");
    assert_eq!((balance.available, balance.debt), (Credits::ZERO, credits("340")));
    let (states, _) = bench
        .store
        .grants(org, At::default(), store::GrantPage { limit: 9, ..Default::default() })
        .await
        .expect("reads");
    assert!(states.iter().all(|state| state.figures.add_up()), "{states:?}");
    let totals = bench.store.totals(org).await.expect("reads");
    assert_eq!((totals.spent, totals.difference), (credits("1400"), Credits::ZERO));
    // Its neighbours stand: what 1,000 units cost.
    assert_eq!(void(&bench, org, 1).await, credits("1000"));
    bench.assert_verified().await;
}

fn file(bench: &Bench) -> Connection {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    for trigger in ["entry_is_final", "charge_tier_is_final"] {
        conn.execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}")).expect("drops");
    }
    conn
}

/// Writes the last entry as it was made before voids gave anything back to tiers.
fn make_old(conn: &Connection, mut entry: Entry, used: i64) {
    if let EntryKind::Void { tiers, .. } = &mut entry.draft.kind {
        *tiers = false;
    }
    let before = Head { seq: EntrySeq(entry.seq.0 - 1), hash: previous(conn, entry.seq) };
    let old = Entry::seal(entry.org, before, entry.booked_at, entry.draft).expect("seals");
    conn.execute("UPDATE entry SET tiers = 0, hash = ?1 WHERE seq = ?2", params![old.hash.as_slice(), old.seq.0])
        .expect("updates");
    conn.execute("UPDATE tier_use SET used = ?1, owed = 0", [used]).expect("updates");
}

fn previous(conn: &Connection, seq: EntrySeq) -> [u8; 32] {
    conn.query_row("SELECT hash FROM entry WHERE seq = ?1 - 1", [seq.0], |row| row.get(0)).expect("a hash")
}

/// The last entry, a void whose event's use tiers go on counting as they did before.
async fn as_before(bench: &mut Bench, org: OrgId, event: i64, used: i64) {
    void(bench, org, event).await;
    let (entries, _) =
        bench.store.entries(org, store::EntryPage { limit: 1, ..Default::default() }).await.expect("reads");
    make_old(&file(bench), entries[0].entry.clone(), used);
    bench.reopen().await;
}

#[tokio::test]
async fn ledgers_in_which_voids_left_tiers_alone_go_on_and_verify() {
    let mut bench = Bench::new().await;
    let org = org(&bench, FALLING, "100").await;
    spend(&bench, org, "1", "10").await;
    as_before(&mut bench, org, 1, 10).await;
    bench.assert_verified().await;
    assert_eq!(spend(&bench, org, "2", "10").await, credits("1"));
    assert_eq!(void(&bench, org, 2).await, credits("1"));
    bench.assert_verified().await;
    // Once a void gave something back, none goes without.
    spend(&bench, org, "3", "10").await;
    as_before(&mut bench, org, 3, 20).await;
    let problems = bench.store.verify(|_, _| ()).await.expect("readable").problems;
    assert!(problems.iter().any(|problem| problem.contains("says of the tiers")), "{problems:?}");
}

#[tokio::test]
async fn whoever_changes_what_voids_left_open_is_found() {
    for edit in [
        "UPDATE tier_use SET owed = owed + 1",
        "UPDATE tier_use SET used = used + 10",
        "UPDATE charge_tier SET owed = 0 WHERE owed <> 0",
        "UPDATE entry SET tiers = 0 WHERE kind = 'void'",
    ] {
        let bench = Bench::new().await;
        let org = org(&bench, FALLING, "100").await;
        for (id, taken) in [("1", None), ("2", Some(1)), ("3", None), ("4", Some(2))] {
            spend(&bench, org, id, "10").await;
            if let Some(event) = taken {
                void(&bench, org, event).await;
            }
        }
        bench.assert_verified().await;
        assert!(file(&bench).execute(edit, []).expect(edit) > 0, "{edit} changed nothing");
        let problems = bench.store.verify(|_, _| ()).await.expect("readable").problems;
        assert!(!problems.is_empty(), "not found: {edit}");
    }
}

/// Late and voided: the cycle in which it happened counts, whenever it is taken back.
#[tokio::test]
async fn an_event_of_last_month_is_taken_out_of_last_month() {
    let bench = Bench::new().await;
    let org = org(&bench, FALLING, "100").await;
    spend(&bench, org, "1", "10").await;
    bench.clock.set(Timestamp::from_micros(NOON.micros() + 20 * 86_400_000_000));
    assert_eq!(spend(&bench, org, "2", "10").await, credits("10"));
    assert_eq!(void(&bench, org, 1).await, credits("10"));
    assert_eq!(spend(&bench, org, "3", "1").await, credits("0.1"));
    let paid = bench.store.event(org, EventSeq(3)).await.expect("there").explained[0].paid.clone();
    assert!(matches!(paid[..], [(Account::Grant(_), _)]), "{paid:?}");
    bench.assert_verified().await;
}
