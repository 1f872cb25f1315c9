//! The words of a history: what can be done to an org, at which times, and how it is drawn at random.
//!
//! Times are few and even, so that they often meet; ids are small, so that they often name something.

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

/// The operation with its times counted from `clock`.
pub fn timed(op: &Op, clock: i64) -> Op {
    let usage = |usage: &Usage| Usage { time: usage.time.map(|time| clock + time), ..usage.clone() };
    match op.clone() {
        Op::Give(terms) => Op::Give(Terms {
            from: terms.from.map(|time| clock + time),
            to: terms.to.map(|time| clock + time),
            ..terms
        }),
        Op::Use(events) => Op::Use(events.iter().map(usage).collect()),
        Op::Replace { event, with, reason } => Op::Replace { event, with: usage(&with), reason },
        Op::Adjust { amount, grant, to, reason } => {
            Op::Adjust { amount, grant, to: to.map(|time| clock + time), reason }
        }
        other => other,
    }
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => (1..=12_i64).prop_map(|credits| credits * 1_000_000),
        3 => 1..=20_000_000_i64,
        1 => select(vec![1, 0, -3_000_000, 9_000_000_000_001]),
    ]
}

fn times(past: bool) -> impl Strategy<Value = i64> {
    let near = vec![1, 5 * MINUTE, 10 * MINUTE, 60 * MINUTE, DAY, 2 * DAY, 31 * DAY];
    let far = if past { vec![0, -5 * MINUTE, -60 * MINUTE, -DAY, -40 * DAY] } else { near.clone() };
    prop_oneof![3 => select(near), 1 => select(far)]
}

fn meters() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![3 => Just(vec![]), 1 => Just(vec!["export"]), 1 => Just(vec!["agent", "input_tokens"])]
}

fn project() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, None, Some("web"), Some("app")])
}

fn grants() -> impl Strategy<Value = Terms> {
    let kind = select(vec!["plan", "plan", "plan", "purchase", "promotion", "refund"]);
    let projects = prop_oneof![4 => Just(vec![]), 1 => Just(vec!["web"]), 1 => Just(vec!["app", "web"])];
    let from = prop_oneof![3 => Just(None), 1 => times(true).prop_map(Some)];
    let to = prop_oneof![1 => Just(None), 4 => times(true).prop_map(Some)];
    let cap =
        select(vec![Cap::All, Cap::All, Cap::Credits(2_000_000), Cap::Percent(33), Cap::Percent(100), Cap::Percent(0)]);
    let months = select(vec![None, Some(1), Some(2), Some(3), Some(12)]);
    let rollover = prop::option::of((cap, months));
    (kind, amounts(), -1..=1_i16, meters(), projects, from, to, rollover).prop_map(
        |(kind, amount, priority, meters, projects, from, to, rollover)| {
            let rollover = rollover.filter(|_| kind == "plan" && to.is_some() || amount % 7 == 0);
            Terms { kind, amount, priority, meters, projects, from, to, rollover }
        },
    )
}

fn usages() -> impl Strategy<Value = Usage> {
    let what = prop_oneof![
        4 => amounts().prop_map(|amount| (vec![("export", amount.abs())], None)),
        2 => (amounts(), 0..3_000_000_000_000_i64).prop_map(|(exports, tokens)| {
            (vec![("export", exports.abs()), ("input_tokens", tokens)], None)
        }),
        2 => amounts().prop_map(|amount| (vec![("agent", 1_000_000)], Some(amount.abs()))),
        1 => Just((vec![("nothing", 1_000_000)], None)),
    ];
    let time = prop_oneof![6 => Just(None), 1 => times(true).prop_map(Some), 1 => Just(Some(-45 * DAY))];
    (0..30_u8, what, project(), time).prop_map(|(id, (meters, reported), project, time)| Usage {
        id,
        meters,
        reported,
        project,
        time,
    })
}

fn ops() -> impl Strategy<Value = Op> {
    let seconds = || select(vec![60, 300, 300, 600, 3_600, 86_400, 31 * 86_400, 0, 31 * 86_400 + 1]);
    let reason = || select(vec!["wrong", "wrong", "wrong", "wrong", "wrong", "wrong", "wrong", " "]);
    let policies = select(vec![
        Op::Policy("pause", 0),
        Op::Policy("finish_in_flight", 3_000_000),
        Op::Policy("overdraft", 5_000_000),
        Op::Policy("overdraft", 20_000_000),
    ]);
    let meter = select(vec![None, None, Some("export"), Some("agent"), Some("unheard_of")]);
    let signed = (amounts(), any::<bool>()).prop_map(|(amount, up)| if up { amount } else { -amount });
    let some_grant = prop::option::of(1..8_i64);
    prop_oneof![
        6 => grants().prop_map(Op::Give),
        6 => prop::collection::vec(usages(), 1..4).prop_map(Op::Use),
        6 => (amounts(), seconds(), meter, project())
            .prop_map(|(amount, seconds, meter, project)| Op::Hold { amount, seconds, meter, project }),
        5 => (1..7_i64, prop::option::of(amounts())).prop_map(|(hold, amount)| Op::Capture { hold, amount }),
        2 => (1..7_i64).prop_map(|hold| Op::Release { hold }),
        2 => (1..7_i64, seconds()).prop_map(|(hold, seconds)| Op::Extend { hold, seconds }),
        2 => policies,
        4 => (1..12_i64, reason()).prop_map(|(event, reason)| Op::Void { event, reason }),
        2 => (1..12_i64, usages(), reason()).prop_map(|(event, with, reason)| Op::Replace { event, with, reason }),
        4 => (signed, some_grant, prop::option::of(times(true)), reason())
            .prop_map(|(amount, grant, to, reason)| Op::Adjust { amount, grant, to, reason }),
    ]
}

/// Any step: operations that can be done and that cannot, at times that often meet.
pub fn steps() -> impl Strategy<Value = Step> {
    let ticks = vec![1, MINUTE, 5 * MINUTE, 5 * MINUTE, 10 * MINUTE, 60 * MINUTE, DAY, 29 * DAY, 31 * DAY];
    let tick = prop_oneof![
        6 => Just(0),
        8 => select(ticks),
        1 => select(vec![-1, -5 * MINUTE, -60 * MINUTE, -2 * DAY]),
    ];
    let key = prop_oneof![4 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    (tick, key, ops()).prop_map(|(tick, key, op)| {
        let key = key.filter(|_| !matches!(op, Op::Use(_) | Op::Policy(..)));
        Step { tick, key, op }
    })
}
