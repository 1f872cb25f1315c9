//! The words of a history: what can be done to an org, at which times, and how it is drawn at random.
//!
//! Times are few and even, so that they often meet; numbers are counted from the newest, so that they often name something.
//! Strategies are boxed: what they draw is large, and a test's stack is small.

use crate::model::Org;
use proptest::prelude::*;
use proptest::sample::select;

pub const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 1_440 * MINUTE;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cap {
    All,
    Credits(i64),
    Percent(i64),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    pub kind: &'static str,
    pub amount: i64,
    pub priority: i16,
    pub meters: Vec<&'static str>,
    pub projects: Vec<&'static str>,
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub rollover: Option<(Cap, Option<u8>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    pub id: u8,
    /// Meters with their quantities in micro-units.
    pub meters: Vec<(&'static str, i64)>,
    /// Only for `agent`, which costs what is reported.
    pub reported: Option<i64>,
    pub project: Option<&'static str>,
    pub time: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    Give(Terms),
    Use(Vec<Usage>),
    Hold { amount: i64, seconds: i64, meter: Option<&'static str>, project: Option<&'static str> },
    Capture { hold: i64, amount: Option<i64> },
    Release { hold: i64 },
    Extend { hold: i64, seconds: i64 },
    Policy(&'static str, i64),
    Void { event: i64, reason: &'static str },
    Replace { event: i64, with: Usage, reason: &'static str },
    Adjust { amount: i64, grant: Option<i64>, to: Option<i64>, reason: &'static str },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Accepted(i64, i64),
    Duplicate(i64),
    Refused(&'static str),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Done,
    Replayed,
    Outcomes(Vec<Outcome>),
}

/// An operation, and what happens to the clock before it.
#[derive(Debug, Clone)]
pub struct Step {
    /// By how much the clock moves first.
    pub tick: i64,
    /// The `Idempotency-Key`.
    pub key: Option<u8>,
    /// Its times count from the clock's.
    pub op: Op,
}

/// The operation with its times counted from `clock`, and with numbers below zero counted from the newest: of the holds
/// that are pending if any is, of the events that stand, of all grants.
pub fn timed(op: &Op, clock: i64, org: &Org) -> Op {
    let moved = |time: Option<i64>| time.map(|time| clock + time);
    let usage = |usage: &Usage| Usage { time: moved(usage.time), ..usage.clone() };
    let pick = |number: i64, from: Vec<i64>| match usize::try_from(-number) {
        Ok(back @ 1..) if !from.is_empty() => from[from.len() - 1 - (back - 1) % from.len()],
        _ => number,
    };
    let pending: Vec<i64> = org.holds.iter().filter(|hold| hold.status == "pending").map(|hold| hold.id).collect();
    let any = || org.holds.iter().map(|hold| hold.id).collect();
    let hold = |number| pick(number, if pending.is_empty() { any() } else { pending.clone() });
    let event = |number| pick(number, (1..).zip(&org.events).filter(|(_, e)| !e.voided).map(|(seq, _)| seq).collect());
    let grant = |number| pick(number, org.grants.iter().map(|grant| grant.id).collect());
    match op.clone() {
        Op::Give(terms) => Op::Give(Terms { from: moved(terms.from), to: moved(terms.to), ..terms }),
        Op::Use(events) => Op::Use(events.iter().map(usage).collect()),
        Op::Capture { hold: number, amount } => Op::Capture { hold: hold(number), amount },
        Op::Release { hold: number } => Op::Release { hold: hold(number) },
        Op::Extend { hold: number, seconds } => Op::Extend { hold: hold(number), seconds },
        Op::Void { event: number, reason } => Op::Void { event: event(number), reason },
        Op::Replace { event: number, with, reason } => Op::Replace { event: event(number), with: usage(&with), reason },
        Op::Adjust { amount, grant: number, to, reason } => {
            Op::Adjust { amount, grant: number.map(grant), to: moved(to), reason }
        }
        other @ (Op::Hold { .. } | Op::Policy(..)) => other,
    }
}

/// Mostly one of the newest, sometimes any number.
fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![12 => -4..=-1_i64, 1 => 1..9_i64]
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![
        12 => (1..=12_i64).prop_map(|credits| credits * 1_000_000),
        4 => 1..=20_000_000_i64,
        1 => select(vec![1, 0, -3_000_000, 9_000_000_000_001]),
    ]
}

fn times(past: bool) -> impl Strategy<Value = i64> {
    let near = vec![1, 5 * MINUTE, 10 * MINUTE, 60 * MINUTE, DAY, DAY, 2 * DAY, 31 * DAY];
    let far = if past { vec![0, -5 * MINUTE, -60 * MINUTE, -DAY, -40 * DAY] } else { near.clone() };
    prop_oneof![3 => select(near), 1 => select(far)]
}

fn meters() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![3 => Just(vec![]), 1 => Just(vec!["export"]), 1 => Just(vec!["agent", "input_tokens"])]
}

fn project() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, None, Some("web"), Some("app")])
}

fn grants() -> BoxedStrategy<Terms> {
    let kind = select(vec!["plan", "plan", "plan", "purchase", "promotion", "refund"]);
    let projects = prop_oneof![8 => Just(vec![]), 1 => Just(vec!["web"]), 1 => Just(vec!["app", "web"])];
    let amount = prop_oneof![4 => (1..=4_i64).prop_map(|tens| tens * 10_000_000), 1 => amounts()];
    let from = prop_oneof![3 => Just(None), 1 => times(true).prop_map(Some)];
    let to = prop_oneof![4 => Just(None), 8 => times(false).prop_map(Some), 1 => times(true).prop_map(Some)];
    let cap =
        select(vec![Cap::All, Cap::All, Cap::Credits(2_000_000), Cap::Percent(33), Cap::Percent(100), Cap::Percent(0)]);
    let months = select(vec![None, Some(1), Some(2), Some(3), Some(12)]);
    let rollover = prop::option::of((cap, months));
    (kind, amount, -1..=1_i16, meters(), projects, from, to, rollover)
        .prop_map(|(kind, amount, priority, meters, projects, from, to, rollover)| {
            let rollover = rollover.filter(|_| kind == "plan" && to.is_some() || amount % 7 == 0);
            // Lasting so long from its effect, except where it is to be refused.
            let to = to.map(|to| if to > 0 { from.unwrap_or(0) + to } else { to });
            Terms { kind, amount, priority, meters, projects, from, to, rollover }
        })
        .boxed()
}

fn usages() -> BoxedStrategy<Usage> {
    let what = prop_oneof![
        2 => amounts().prop_map(|amount| (vec![("export", amount.abs())], None)),
        4 => (1..=4_i64).prop_map(|credits| (vec![("export", credits * 1_000_000)], None)),
        2 => (amounts(), 0..3_000_000_000_000_i64).prop_map(|(exports, tokens)| {
            (vec![("export", exports.abs()), ("input_tokens", tokens)], None)
        }),
        2 => amounts().prop_map(|amount| (vec![("agent", 1_000_000)], Some(amount.abs()))),
        1 => Just((vec![("nothing", 1_000_000)], None)),
    ];
    let time = prop_oneof![6 => Just(None), 1 => times(true).prop_map(Some), 1 => Just(Some(-45 * DAY))];
    (0..60_u8, what, project(), time)
        .prop_map(|(id, (meters, reported), project, time)| Usage { id, meters, reported, project, time })
        .boxed()
}

fn ops() -> BoxedStrategy<Op> {
    let lengths = || select(vec![60, 300, 300, 600, 3_600, 86_400, 2 * 86_400, 31 * 86_400]);
    let seconds = || prop_oneof![20 => lengths(), 1 => select(vec![0, 31 * 86_400 + 1])];
    let reason = || prop_oneof![20 => Just("wrong"), 1 => Just(" ")];
    let policies = select(vec![
        Op::Policy("pause", 0),
        Op::Policy("finish_in_flight", 3_000_000),
        Op::Policy("overdraft", 5_000_000),
        Op::Policy("overdraft", 20_000_000),
    ]);
    let known = select(vec![None, None, Some("export"), Some("agent")]);
    let meter = prop_oneof![20 => known, 1 => Just(Some("unheard_of"))];
    let signed = (amounts(), any::<bool>()).prop_map(|(amount, up)| if up { amount } else { -amount });
    let some_grant = prop::option::of(numbers());
    prop_oneof![
        8 => grants().prop_map(Op::Give),
        6 => prop::collection::vec(usages(), 1..3).prop_map(Op::Use),
        9 => (amounts(), seconds(), meter, project())
            .prop_map(|(amount, seconds, meter, project)| Op::Hold { amount, seconds, meter, project }),
        5 => (numbers(), prop::option::of(amounts())).prop_map(|(hold, amount)| Op::Capture { hold, amount }),
        2 => numbers().prop_map(|hold| Op::Release { hold }),
        2 => (numbers(), seconds()).prop_map(|(hold, seconds)| Op::Extend { hold, seconds }),
        1 => policies,
        3 => (numbers(), reason()).prop_map(|(event, reason)| Op::Void { event, reason }),
        2 => (numbers(), usages(), reason()).prop_map(|(event, with, reason)| Op::Replace { event, with, reason }),
        4 => (signed, some_grant, prop::option::of(times(true)), reason())
            .prop_map(|(amount, grant, to, reason)| Op::Adjust { amount, grant, to, reason }),
    ]
    .boxed()
}

/// Any step: operations that can be done and that cannot, at times that often meet.
fn steps() -> BoxedStrategy<Step> {
    let near = vec![1, MINUTE, 5 * MINUTE, 5 * MINUTE, 10 * MINUTE];
    let far = vec![60 * MINUTE, DAY, 29 * DAY, 31 * DAY];
    let tick = prop_oneof![
        12 => Just(0),
        8 => select(near),
        4 => select(far),
        1 => select(vec![-1, -5 * MINUTE, -60 * MINUTE, -2 * DAY]),
    ];
    let key = prop_oneof![4 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    (tick, key, ops())
        .prop_map(|(tick, key, op)| {
            let key = key.filter(|_| !matches!(op, Op::Use(_) | Op::Policy(..)));
            Step { tick, key, op }
        })
        .boxed()
}

/// So many steps, the first of which mostly gives something to spend.
pub fn histories(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let bought = (1..=8_i64, select(vec!["plan", "purchase"]), prop::option::of(times(false)));
    let first = bought.prop_map(|(tens, kind, to)| {
        let none = Vec::new;
        let (amount, meters, projects, from, priority) = (tens * 10_000_000, none(), none(), None, 0);
        let rollover = (kind == "plan" && to.is_some()).then_some((Cap::All, Some(1)));
        let op = Op::Give(Terms { kind, amount, priority, meters, projects, from, to, rollover });
        Step { tick: 0, key: None, op }
    });
    let first = prop_oneof![4 => first, 1 => steps()];
    (first, prop::collection::vec(steps(), 0..most)).prop_map(|(first, rest)| [vec![first], rest].concat())
}
