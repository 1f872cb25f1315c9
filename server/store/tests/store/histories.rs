//! Random histories of all operations, run against the store and against a ledger that was written a second time
//! ([`crate::model`]): after each operation both must say the same, and what was read then must be read again later.

use crate::common::{Bench, event};
use crate::model::Org;
use crate::ops::{self, Answer, Cap, DAY, MINUTE, Op, Outcome, Step, Terms, Usage, timed};
use ledger::cube::{Dimension, Filter};
use ledger::rollover;
use ledger::{
    Account, Balance, Credits, Event, EventSeq, GrantId, GrantKind, HoldId, HoldStatus, Interval, Label, Meter, OrgId,
    OrgState, Policy, Rollover, Scope, Timestamp,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{FileFailurePersistence, TestError, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeSet;
use store::correction::Correction;
use store::hold::Ask;
use store::{At, CorrectionRequest, CubeQuery, GrantPage, HoldPage, NewGrant, NewHold, Once, Range, StoreError, Tz};

/// How many there are, unless `PROPTEST_CASES` says.
const HISTORIES: u32 = 2_000;
/// Histories that share a store: it is verified, and opened again, after each so many.
const SHARED: u32 = 100;
/// 2026-01-30T22:00:00Z: two hours before the last day of a month before a short one.
const START: i64 = 1_769_810_400_000_000;

/// Which two of the times at which something was booked are looked back to, and how far beside the first.
type Look = (usize, usize, i64);

/// Runs on this thread's own runtime.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// One history: an org of a store, and the models of it after each thing that was booked.
struct History<'b> {
    bench: &'b Bench,
    org: OrgId,
    model: Org,
    past: Vec<Org>,
    clock: i64,
}

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

const fn c(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

fn label(text: &str) -> Label {
    Label::parse("label", text).expect("a good label")
}

fn meter(name: &str) -> Meter {
    Meter::parse(name).expect("a good meter")
}

fn new_grant(terms: &Terms) -> NewGrant {
    let rollover = terms.rollover.map(|(cap, months)| {
        let cap = match cap {
            Cap::All => None,
            Cap::Credits(cap) => Some(rollover::Cap::Credits(c(cap))),
            Cap::Percent(percent) => Some(rollover::Cap::Percent(u8::try_from(percent).expect("small"))),
        };
        Rollover { cap, months }
    });
    NewGrant {
        kind: GrantKind::parse(terms.kind).expect("a kind"),
        amount: c(terms.amount),
        priority: terms.priority,
        scope: Scope {
            meters: terms.meters.iter().map(|name| meter(name)).collect(),
            projects: terms.projects.iter().map(|name| label(name)).collect(),
        },
        effective_at: terms.from.map(at),
        expires_at: terms.to.map(at),
        description: "given".to_owned(),
        cost: None,
        rollover,
    }
}

fn new_event(usage: &Usage) -> Event {
    let number = |micros: i64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let quantities: Vec<String> =
        usage.meters.iter().map(|(meter, quantity)| format!(r#""{meter}":{}"#, number(*quantity))).collect();
    let project = usage.project.map_or(String::new(), |project| format!(r#","project":"{project}""#));
    let reported = usage.reported.map_or(String::new(), |micros| format!(r#","credits":"{}""#, number(micros)));
    let time = usage.time.map_or(String::new(), |time| format!(r#","time":"{}""#, at(time)));
    let quantities = quantities.join(",");
    event(&format!(
        r#"{{"id":"{}","source":"api","type":"work"{time},"data":{{"quantities":{{{quantities}}}{project}{reported}}}}}"#,
        usage.id
    ))
}

fn code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Refused(refusal) => refusal.code(),
        StoreError::NotFound(_) => "not_found",
        other => panic!("neither done nor refused: {other:?}"),
    }
}

impl<'b> History<'b> {
    async fn new(bench: &'b Bench) -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        bench.clock.set(at(START));
        let org = bench.org(&format!("org {number}"), "UTC").await;
        let model = Org::new(START);
        Self { bench, org, past: vec![Org::new(i64::MIN), model.clone()], model, clock: START }
    }

    /// Runs a step against both; what they answer, and what can be read after it, must be the same.
    async fn step(&mut self, step: &Step) {
        self.clock += step.tick;
        self.bench.clock.set(at(self.clock));
        let op = timed(&step.op, self.clock, &self.model);
        let preview = self.preview(&op).await;
        self.authorize(&op).await;
        let expected = self.model.write(self.clock, step.key, &op);
        let (found, correction) = self.write(step.key, &op).await;
        assert_eq!(found, expected, "{op:?}");
        self.past.push(self.model.clone());
        if let (Some(preview), Ok(Answer::Done), Some(booked)) = (preview, &expected, correction) {
            assert_eq!(preview.expect("would be done"), Correction { booked: false, ..booked }, "{op:?}");
        }
        self.compare(At::default()).await;
        if self.past.len().is_multiple_of(3) {
            self.compare_holds().await;
        }
    }

    fn correction(op: &Op) -> Option<CorrectionRequest> {
        let event = |event: &i64| EventSeq(*event);
        Some(match op {
            Op::Void { event: seq, reason } => {
                CorrectionRequest::Void { event: event(seq), reason: (*reason).to_owned() }
            }
            Op::Replace { event: seq, with, reason } => CorrectionRequest::Replace {
                event: event(seq),
                reason: (*reason).to_owned(),
                with: Box::new(new_event(with)),
            },
            Op::Adjust { amount, grant, to, reason } => CorrectionRequest::Adjust {
                amount: c(*amount),
                // What belongs to the other direction is refused by itself, and tested where requests are.
                grant: grant.filter(|_| *amount < 0).map(GrantId),
                expires_at: to.filter(|_| *amount > 0).map(at),
                reason: (*reason).to_owned(),
            },
            _ => return None,
        })
    }

    async fn preview(&self, op: &Op) -> Option<Result<Correction, StoreError>> {
        let done = self.bench.store.correct(self.org, "test".to_owned(), Self::correction(op)?, true, None).await;
        Some(done.map(|done| done.answer))
    }

    /// What is asked before a hold is made is answered as the hold would be.
    async fn authorize(&self, op: &Op) {
        let Op::Hold { amount, meter: name, project, .. } = op else { return };
        if *amount <= 0 || *name == Some("unheard_of") {
            return;
        }
        let asked = Op::Hold { amount: *amount, seconds: 60, meter: *name, project: *project };
        let expected = self.model.clone().write(self.clock, None, &asked).map(|_| *amount);
        let (meter, project) = (name.map(meter), project.map(label));
        let ask =
            Ask { user: None, tenant: None, amount: Some(c(*amount)), quantity: None, meter, source: None, project };
        let found = self.bench.store.authorize(self.org, ask).await;
        assert_eq!(found.map(|(cost, _)| cost.micros()).map_err(|error| code(&error)), expected, "{asked:?}");
    }

    async fn write(&self, key: Option<u8>, op: &Op) -> (Result<Answer, &'static str>, Option<Correction>) {
        let (store, org, cause) = (&self.bench.store, self.org, "test".to_owned());
        let once = key.map(|key| {
            let mut request = [0_u8; 32];
            for (index, byte) in format!("{op:?}").bytes().enumerate() {
                request[index % 32] = request[index % 32].rotate_left(3).wrapping_add(byte);
            }
            Once { key: key.to_string(), request }
        });
        let mut correction = None;
        let done = match op {
            Op::Give(terms) => store.give_grant(org, cause, new_grant(terms), once).await.map(|done| done.replayed),
            Op::Use(events) => {
                let ingested = self.bench.ingest(org, events.iter().map(new_event).collect()).await;
                let outcomes = ingested.outcomes.iter().map(|outcome| match outcome {
                    store::Outcome::Accepted { seq, credits } => Outcome::Accepted(seq.0, credits.micros()),
                    store::Outcome::Duplicate { seq } => Outcome::Duplicate(seq.0),
                    store::Outcome::Refused(refusal) => Outcome::Refused(refusal.code()),
                });
                assert_eq!(ingested.balance, self.balance(&self.model.at(self.now()), self.now()));
                return (Ok(Answer::Outcomes(outcomes.collect())), None);
            }
            Op::Hold { amount, seconds, meter: name, project } => {
                let new = NewHold {
                    user: None,
                    tenant: None,
                    amount: c(*amount),
                    expires_in_s: Some(*seconds),
                    meter: name.map(meter),
                    source: None,
                    project: project.map(label),
                    description: String::new(),
                };
                store.create_hold(org, cause, new, once).await.map(|done| done.replayed)
            }
            Op::Capture { hold, amount } => {
                store.capture_hold(org, cause, HoldId(*hold), amount.map(c), once).await.map(|done| done.replayed)
            }
            Op::Release { hold } => store.release_hold(org, cause, HoldId(*hold), once).await.map(|done| done.replayed),
            Op::Extend { hold, seconds } => {
                store.extend_hold(org, cause, HoldId(*hold), *seconds, once).await.map(|done| done.replayed)
            }
            Op::Policy(name, limit) => {
                let limit = (*name != "pause").then(|| c(*limit));
                let policy = Policy::new(name, limit).expect("a good policy");
                store.set_policy(org, policy).await.map(|()| false)
            }
            Op::Void { .. } | Op::Replace { .. } | Op::Adjust { .. } => {
                let request = Self::correction(op).expect("a correction");
                store.correct(org, cause, request, false, once).await.map(|done| {
                    correction = Some(done.answer);
                    done.replayed
                })
            }
        };
        let answer = done.map(|replayed| if replayed { Answer::Replayed } else { Answer::Done });
        (answer.map_err(|error| code(&error)), correction)
    }

    fn now(&self) -> i64 {
        self.clock.max(self.model.booked)
    }

    /// What the model said at the two times, worked out from what it was then.
    fn model_at(&self, times: At) -> (Org, i64) {
        let known = times.as_known_at.map_or(self.now(), Timestamp::micros);
        let as_of = times.as_of.map_or(known, Timestamp::micros);
        let was = |time: i64| self.past.iter().rfind(|org| org.booked <= time).expect("one from the start of time");
        let mut then = was(known.min(as_of)).with_hindsight(was(known), as_of);
        then.policy = self.model.policy;
        (then, as_of)
    }

    fn balance(&self, model: &Org, now: i64) -> Balance {
        let (available, debt) = (model.available(now), model.debt);
        let held = model.grants.iter().map(|grant| model.held(grant.id)).sum::<i64>();
        let state = if available > 0 || model.room() > 0 { OrgState::Active } else { OrgState::Paused };
        Balance { available: c(available), held: c(held), settled: c(available + held - debt), debt: c(debt), state }
    }

    async fn compare(&self, times: At) {
        let (store, org) = (&self.bench.store, self.org);
        let (model, as_of) = self.model_at(times);
        let (balance, read_at) = store.balance_at(org, times).await.expect("reads");
        assert_eq!((balance, read_at.micros()), (self.balance(&model, as_of), as_of), "balance, {times:?}");
        let (states, _) =
            store.grants(org, times, GrantPage { open: false, before: None, limit: 200 }).await.expect("reads");
        let mut found = Vec::new();
        for state in states {
            let figures = state.figures;
            assert!(figures.add_up(), "{figures:?}");
            let parts = [figures.left, figures.held, figures.spent, figures.expired, figures.rolled, figures.voided];
            found.push((state.grant.id.0, state.grant.expires_at.map(Timestamp::micros), parts.map(Credits::micros)));
        }
        found.sort_unstable();
        let mut expected: Vec<_> = model
            .grants
            .iter()
            .map(|g| (g.id, g.terms.to, [g.left, model.held(g.id), g.spent, g.expired, g.rolled, g.voided]))
            .collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "grants, {times:?}: left, held, spent, expired, rolled, voided");
    }

    async fn compare_holds(&self) {
        let model = self.model.at(self.now());
        let page = HoldPage { status: None, before: None, limit: 200 };
        let mut found = Vec::new();
        for hold in self.bench.store.holds(self.org, page).await.expect("reads") {
            let parts: Vec<_> = hold.reserved.iter().map(|(grant, part)| (grant.0, part.micros())).collect();
            let captured = hold.captured.map(Credits::micros);
            found.push((hold.id.0, hold.status.as_str(), hold.expires_at.micros(), parts, captured));
        }
        found.reverse();
        let expected: Vec<_> =
            model.holds.iter().map(|h| (h.id, h.status, h.until, h.parts.clone(), h.captured)).collect();
        assert_eq!(found, expected, "holds");
        let totals = self.bench.store.totals(self.org).await.expect("reads");
        let stand = || model.events.iter().filter(|event| !event.voided);
        let spent: i64 = stand().flat_map(|event| &event.charges).map(|(_, credits)| credits).sum();
        let events = i64::try_from(model.events.len()).expect("few");
        assert_eq!((totals.spent, totals.difference, totals.events), (c(spent), Credits::ZERO, events));
    }

    /// Who paid for each event, worked out long after, is who paid.
    async fn compare_payers(&self) {
        for (event, seq) in self.model.events.iter().zip(1..) {
            let detail = self.bench.store.event(self.org, EventSeq(seq)).await.expect("reads");
            let paid = detail.explained.iter().flat_map(|explained| &explained.paid);
            let payer = |account: &Account| match account {
                Account::Grant(id) => Some(id.0),
                _ => None,
            };
            let paid: Vec<_> = paid.map(|(account, part)| (payer(account), part.micros())).collect();
            assert_eq!(paid, event.paid, "event {seq}");
        }
    }

    /// Lists of what is open and pending leave nothing out and nothing in.
    async fn compare_lists(&self) {
        let (model, store) = (self.model.at(self.now()), &self.bench.store);
        let page = GrantPage { open: true, before: None, limit: 200 };
        let (found, _) = store.grants(self.org, At::default(), page).await.expect("reads");
        let found: BTreeSet<_> = found.iter().map(|state| state.grant.id.0).collect();
        let open = model.grants.iter().filter(|grant| grant.left > 0 || model.held(grant.id) > 0);
        assert_eq!(found, open.map(|grant| grant.id).collect());
        for status in HoldStatus::ALL {
            let page = HoldPage { status: Some(status), before: None, limit: 200 };
            let found = store.holds(self.org, page).await.expect("reads");
            let found: BTreeSet<_> = found.iter().map(|hold| hold.id.0).collect();
            let expected = model.holds.iter().filter(|hold| hold.status == status.as_str());
            assert_eq!(found, expected.map(|hold| hold.id).collect());
        }
    }

    async fn compare_charts(&self) {
        for zone in [None, Some(Tz::Asia__Kathmandu)] {
            let cube = self.bench.store.cube(self.org, &CubeQuery { zone, ..ever() }).await.expect("reads");
            let slice = cube.slice(&Filter::default(), &[Dimension::Type]).expect("fits");
            let stand: Vec<_> = self.model.events.iter().filter(|event| !event.voided).collect();
            assert_eq!(usize::try_from(slice.total.events), Ok(stand.len()));
            for name in ["export", "input_tokens", "agent", "hold"] {
                let charges = stand.iter().flat_map(|event| &event.charges).filter(|(meter, _)| *meter == name);
                let expected: i64 = charges.map(|(_, credits)| credits).sum();
                let series = slice.series.iter().filter(|series| series.key[0].1.as_deref() == Some(name));
                let found: i64 = series.map(|series| series.total.credits.micros()).sum();
                assert_eq!(found, expected, "{name}");
            }
        }
    }

    /// What was is read again, at random times; then what is due is booked, which changes nothing that can be read.
    async fn end(&self, looks: &[Look]) {
        let booked: Vec<i64> = self.past[1..].iter().map(|org| org.booked).collect();
        for (as_of, known, shift) in looks {
            let (then, known) = (booked[as_of % booked.len()] + shift, booked[known % booked.len()].min(self.now()));
            let then = Some(at(then));
            self.compare(At { as_of: then, as_known_at: None }).await;
            self.compare(At { as_of: then, as_known_at: Some(at(known)) }).await;
            self.compare(At { as_of: Some(at(known)), as_known_at: Some(at(known)) }).await;
        }
        self.compare_holds().await;
        self.compare_charts().await;
        self.compare_payers().await;
        self.compare_lists().await;
        while self.bench.store.book_due().await.expect("books") > 0 {}
        self.compare(At::default()).await;
        self.compare_holds().await;
    }
}

async fn replay(bench: &Bench, steps: &[Step], looks: &[Look]) {
    let mut history = History::new(bench).await;
    for step in steps {
        history.step(step).await;
    }
    history.end(looks).await;
}

/// A history kept by name, on a store of its own.
pub fn replayed(steps: &[Step]) {
    let looks: Vec<Look> = (0..=steps.len()).map(|n| (n, steps.len(), [0, 1, -1][n % 3])).collect();
    run(async {
        let bench = Bench::in_memory().await;
        replay(&bench, steps, &looks).await;
        bench.assert_verified().await;
    });
}

/// Plays so many random histories, always the same, on one store.
pub async fn played(bench: &Bench, histories: u32) -> Vec<OrgId> {
    let mut runner = TestRunner::deterministic();
    let mut orgs = Vec::new();
    for _ in 0..histories {
        let steps = ops::histories(40).new_tree(&mut runner).expect("a history").current();
        let mut history = History::new(bench).await;
        for step in &steps {
            history.step(step).await;
        }
        orgs.push(history.org);
    }
    orgs
}

/// All that can be read of orgs, as text.
pub async fn look_at(bench: &Bench, orgs: &[OrgId]) -> Vec<String> {
    let (store, mut seen) = (&bench.store, Vec::new());
    for org in orgs {
        for as_of in [None, Some(at(START)), Some(at(START + DAY)), Some(at(START + 20 * DAY))] {
            let times = At { as_of, as_known_at: None };
            let page = GrantPage { open: false, before: None, limit: 200 };
            seen.push(format!("{:?}", store.balance_at(*org, times).await.expect("reads")));
            seen.push(format!("{:?}", store.grants(*org, times, page).await.expect("reads")));
        }
        let page = HoldPage { status: None, before: None, limit: 200 };
        seen.push(format!("{:?}", store.holds(*org, page).await.expect("reads")));
        seen.push(format!("{:?}", store.totals(*org).await.expect("reads")));
        let cube = store.cube(*org, &ever()).await.expect("reads");
        let slice = cube.slice(&Filter::default(), &[Dimension::Type, Dimension::Project]).expect("fits");
        let sums = slice.series.iter().map(|series| (&series.key, series.total.credits));
        let sums: Vec<_> = sums.filter(|(_, credits)| credits.is_positive()).collect();
        seen.push(format!("{:?} {sums:?}", slice.total));
        let page = store::EntryPage { limit: 200, ..store::EntryPage::default() };
        seen.push(format!("{:?}", store.entries(*org, page).await.expect("reads")));
    }
    seen
}

/// All of the time in which histories play.
fn ever() -> CubeQuery {
    let range = Range::Days("2025-06-01".parse().expect("a date"), "2035-01-01".parse().expect("a date"));
    CubeQuery::new(range, Interval::None)
}

/// `PROPTEST_CASES` asks for another number; what once failed is kept beside the code and tried first.
fn config(number: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    // 256 is proptest's own number: nobody asked for another.
    let cases = if default.cases == 256 { HISTORIES / 2 } else { default.cases.div_ceil(2) };
    let kept: [&str; 2] = ["proptest-regressions/histories_1.txt", "proptest-regressions/histories_2.txt"];
    let kept = FileFailurePersistence::Direct(kept[usize::from(number == 2)]);
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..default }
}

fn random(number: u32) {
    let looks = (0..1_000_usize, 0..1_000_usize, select(vec![0, 0, 1, -1, MINUTE, DAY, 35 * DAY]));
    let played = (ops::histories(40), prop::collection::vec(looks, 3));
    let shared: RefCell<Option<(Bench, u32)>> = RefCell::new(None);
    let done = TestRunner::new(config(number)).run(&played, |(steps, looks)| {
        // Taken while it is used: a history that fails takes its store down with it.
        let (bench, used) = shared.take().unwrap_or_else(|| (run(Bench::in_memory()), 0));
        run(replay(&bench, &steps, &looks));
        if used + 1 == SHARED {
            run(bench.assert_verified());
        } else {
            shared.replace(Some((bench, used + 1)));
        }
        Ok(())
    });
    match done {
        Ok(()) => {}
        Err(TestError::Fail(reason, (steps, looks))) => {
            let lines: Vec<String> = steps.iter().map(|step| format!("{step:?},")).collect();
            panic!("{reason}\n{}\nlooks: {looks:?}", lines.join("\n"));
        }
        Err(other) => panic!("{other}"),
    }
    if let Some((bench, _)) = shared.take() {
        run(bench.assert_verified());
    }
}

// Two halves, side by side: each waits for its store most of the time.
#[test]
fn every_history_is_what_the_model_says() {
    random(1);
}

#[test]
fn every_other_history_is_what_the_model_says() {
    random(2);
}
