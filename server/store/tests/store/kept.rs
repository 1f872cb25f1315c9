//! Histories that once went wrong, or that are easy to get wrong, each by the rule that it is about. They run like the
//! random ones: against the model, read again later, verified.

use crate::histories::replayed;
use crate::ops::{Cap, DAY, MINUTE, Op, Step, Terms, Usage};

const CREDIT: i64 = 1_000_000;

fn step(tick: i64, op: Op) -> Step {
    Step { tick, key: None, op }
}

fn purchase(credits: i64) -> Terms {
    Terms {
        kind: "purchase",
        amount: credits * CREDIT,
        priority: 0,
        meters: vec![],
        projects: vec![],
        from: None,
        to: None,
        rollover: None,
    }
}

/// A plan that ends after `length` and rolls over for a month.
fn plan(credits: i64, length: i64) -> Terms {
    Terms { kind: "plan", to: Some(length), rollover: Some((Cap::All, Some(1))), ..purchase(credits) }
}

fn exports(id: u8, credits: i64) -> Usage {
    Usage { id, meters: vec![("export", credits * CREDIT)], reported: None, project: None, time: None }
}

fn used(id: u8, credits: i64) -> Op {
    Op::Use(vec![exports(id, credits)])
}

fn void(event: i64) -> Op {
    Op::Void { event, reason: "wrong" }
}

fn hold(credits: i64, seconds: i64) -> Op {
    Op::Hold { amount: credits * CREDIT, seconds, meter: None, project: None }
}

fn capture(hold: i64, credits: i64) -> Op {
    Op::Capture { hold, amount: Some(credits * CREDIT) }
}

fn adjust(credits: i64) -> Op {
    Op::Adjust { amount: credits * CREDIT, grant: None, to: None, reason: "wrong" }
}

#[test]
fn two_charges_of_one_event_give_back_an_open_debt_once() {
    let both = Usage { meters: vec![("export", 5 * CREDIT), ("input_tokens", 10_000_000 * CREDIT)], ..exports(1, 0) };
    replayed(&[
        step(0, Op::Use(vec![both])),
        step(MINUTE, Op::Give(purchase(4))),
        step(MINUTE, void(1)),
        step(MINUTE, used(2, 3)),
    ]);
}

#[test]
fn a_plan_that_was_over_when_it_was_told_rolls_over_all_the_same() {
    let late = Terms { from: Some(-40 * DAY), to: Some(-2 * DAY), ..plan(10, 0) };
    replayed(&[
        step(0, used(1, 3)),
        step(DAY, Op::Give(late.clone())),
        step(DAY, used(2, 4)),
        step(DAY, Op::Give(Terms { rollover: None, ..late })),
        step(40 * DAY, used(3, 1)),
    ]);
}

#[test]
fn what_rolled_over_and_is_over_too_is_not_open_however_late_it_is_noticed() {
    let nothing = Terms { to: Some(0), ..purchase(1) };
    replayed(&[step(0, Op::Give(plan(10, DAY))), step(40 * DAY, Op::Give(nothing))]);
}

#[test]
fn a_clock_that_ran_ahead_takes_no_rollover_away() {
    let refused = Usage { meters: vec![("nothing", CREDIT)], ..exports(1, 1) };
    replayed(&[
        step(0, Op::Give(purchase(1))),
        step(10 * DAY, Op::Use(vec![refused])),
        step(-9 * DAY, Op::Give(plan(5, DAY))),
        step(2 * DAY, used(2, 2)),
    ]);
}

#[test]
fn what_rolled_over_has_one_number_whatever_is_told_later() {
    replayed(&[
        step(0, Op::Give(plan(10, DAY))),
        step(3 * DAY, Op::Give(Terms { from: Some(-5 * DAY), ..purchase(7) })),
        step(DAY, used(1, 8)),
    ]);
}

#[test]
fn a_voided_capture_gives_back_to_grants_that_are_over_and_to_those_that_are_not() {
    replayed(&[
        step(0, Op::Give(plan(5, DAY))),
        step(0, Op::Give(purchase(3))),
        step(0, hold(6, 2 * 86_400)),
        step(DAY, capture(1, 7)),
        step(DAY, void(1)),
        step(DAY, used(1, 9)),
    ]);
}

#[test]
fn a_debt_that_was_promised_is_repaid_by_a_purchase_before_and_after_the_capture() {
    replayed(&[
        step(0, Op::Policy("overdraft", 5 * CREDIT)),
        step(0, hold(4, 3_600)),
        step(MINUTE, hold(2, 3_600)),
        step(MINUTE, Op::Give(purchase(1))),
        step(MINUTE, Op::Policy("pause", 0)),
        step(MINUTE, capture(1, 6)),
        step(MINUTE, capture(1, 5)),
        step(MINUTE, Op::Give(purchase(10))),
        step(MINUTE, void(1)),
    ]);
}

#[test]
fn debt_that_is_repaid_in_part_comes_back_as_debt_and_as_a_refund() {
    replayed(&[
        step(0, used(1, 6)),
        step(0, used(2, 3)),
        step(MINUTE, Op::Give(purchase(7))),
        step(MINUTE, void(1)),
        step(MINUTE, void(2)),
        step(MINUTE, void(2)),
    ]);
}

#[test]
fn a_scoped_grant_repays_no_debt_but_pays_for_what_it_is_for() {
    let scoped = Terms { meters: vec!["agent"], ..purchase(5) };
    let agent = Usage { meters: vec![("agent", CREDIT)], reported: Some(3 * CREDIT), ..exports(2, 1) };
    replayed(&[
        step(0, used(1, 4)),
        step(0, Op::Give(scoped)),
        step(0, Op::Use(vec![agent])),
        step(MINUTE, void(2)),
        step(MINUTE, adjust(-5)),
        step(MINUTE, adjust(-6)),
        step(MINUTE, Op::Give(purchase(10))),
    ]);
}

#[test]
fn grants_and_holds_that_end_at_one_instant_end_in_their_order() {
    let scoped = Terms { meters: vec!["agent"], ..plan(3, 10 * MINUTE) };
    replayed(&[
        step(0, Op::Give(plan(5, 10 * MINUTE))),
        step(0, Op::Give(scoped)),
        step(0, Op::Give(Terms { priority: -1, ..plan(2, 10 * MINUTE) })),
        step(0, hold(6, 600)),
        step(MINUTE, used(1, 4)),
        step(9 * MINUTE, Op::Extend { hold: 1, seconds: 600 }),
        step(0, Op::Release { hold: 1 }),
        step(40 * DAY, used(2, 1)),
    ]);
}

#[test]
fn a_hold_outlives_its_plan_and_what_it_gives_back_is_lost() {
    replayed(&[
        step(0, Op::Give(plan(10, DAY))),
        step(0, hold(4, 31 * 86_400)),
        step(DAY, Op::Extend { hold: 1, seconds: 31 * 86_400 }),
        step(DAY, capture(1, 1)),
        step(0, adjust(-6)),
        step(0, adjust(-1)),
    ]);
}

#[test]
fn a_replaced_event_costs_what_its_replacement_does() {
    let with = |id, credits| Op::Replace { event: 1, with: exports(id, credits), reason: "wrong" };
    for credits in [2, 7, 20] {
        replayed(&[
            step(0, Op::Give(plan(5, DAY))),
            step(0, Op::Give(purchase(3))),
            step(0, used(1, 7)),
            step(2 * DAY, with(1, credits)),
            step(0, with(2, credits)),
            step(0, with(3, credits)),
            step(DAY, void(2)),
        ]);
    }
}

#[tokio::test]
async fn nobody_takes_the_identity_of_a_capture_before_it() {
    let bench = crate::common::Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let ingested = bench.ingest(org, vec![crate::common::export("hold_1")]).await;
    assert_eq!(ingested.outcomes, [store::Outcome::Refused(ledger::Refusal::ReservedId)]);
}
