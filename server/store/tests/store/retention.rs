//! Retention: after events' detail is pruned everything says what it said before, or that it is not kept any more.
//!
//! Two orgs live the same life on two stores, of which one keeps the detail of its events for thirty days and is pruned in steps
//! all the while. What the other says is what must be said.

use crate::common::{Bench, NOON, Random, credits, event};
use crate::life::live;
use ledger::cube::{Facet, Interval};
use ledger::{EventSeq, GrantKind, HoldId, Label, OrgId, Scope, Timestamp};
use store::trace::{Sort, Trace, TraceKind, TraceQuery};
use store::transaction::What;
use store::{
    At, By, CorrectionRequest, CubeQuery, EntryPage, EventFilter, EventPage, GrantPage, Mapping, NewGrant, NewHold,
    NewRateCard, Range, StoreError, Tz, Wide,
};

const SEED: u64 = 20_261_123;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
const DAYS: u32 = 30;

fn label(text: &str) -> Label {
    Label::parse("label", text).expect("a label")
}

/// Keeps the detail of an org's events for so long.
pub async fn keep(bench: &Bench, org: OrgId, days: Option<u32>) {
    let before = bench.store.org_settings(org).await.expect("reads");
    let new = ledger::OrgSettings { retention_days: days, ..before };
    bench.store.set_org_settings(By::command(), org, new).await.expect("good settings");
}

/// Takes everything up and prunes all that is old enough; tells how many steps that took.
pub async fn prune(bench: &Bench) -> u32 {
    while bench.store.widen_from(1).await.expect("widens") > 0 {}
    let mut steps = 0;
    while bench.store.prune_some().await.expect("prunes") > 0 {
        steps += 1;
    }
    steps
}

/// Two stores with the same org, of which the first is pruned.
struct Twins {
    pruned: Bench,
    whole: Bench,
    org: OrgId,
    at: i64,
}

impl Twins {
    async fn new(zone: &str) -> Self {
        let (pruned, whole) = (Bench::in_memory().await, Bench::in_memory().await);
        let org = pruned.org("Acme", zone).await;
        assert_eq!(whole.org("Acme", zone).await, org);
        for bench in [&pruned, &whole] {
            let more = "storage: graduated 0 to 2, 0.5 to 4, 0.333333333333 beyond\ncalls: volume 1 to 3, 0.25 beyond";
            let mut lines = bench.store.rate_card(org).await.expect("has one").lines;
            lines.extend(ledger::card_text::parse(more).expect("valid"));
            let new = NewRateCard { lines, ..NewRateCard::default() };
            bench.store.put_rate_card(org, "test".to_owned(), new, None).await.expect("a good card");
        }
        keep(&pruned, org, Some(DAYS)).await;
        Self { pruned, whole, org, at: NOON.micros() }
    }

    const fn both(&self) -> [&Bench; 2] {
        [&self.pruned, &self.whole]
    }

    fn pass(&mut self, micros: i64) {
        self.at += micros;
        self.both().iter().for_each(|bench| bench.clock.set(Timestamp::from_micros(self.at)));
    }

    async fn ingest(&self, events: &[String]) {
        for bench in self.both() {
            bench.ingest(self.org, events.iter().map(|json| event(json)).collect()).await;
        }
    }

    async fn give(&self, random: &mut Random) {
        let scope = if random.below(3) == 0 { r#"{"meters":["export"]}"# } else { "{}" };
        let days = i64::try_from(1 + random.below(40)).expect("small");
        let new = NewGrant {
            kind: GrantKind::Purchase,
            amount: credits(&format!("{}", 1 + random.below(60))),
            priority: 0,
            scope: serde_json::from_str::<Scope>(scope).expect("a scope"),
            effective_at: None,
            expires_at: (random.below(2) == 0).then(|| Timestamp::from_micros(self.at + days * DAY)),
            description: "given".to_owned(),
            cost: None,
            rollover: None,
        };
        for bench in self.both() {
            bench.store.give_grant(self.org, "test".to_owned(), new.clone(), None).await.expect("a good grant");
        }
    }

    async fn hold(&self) {
        let new = NewHold {
            user: None,
            tenant: None,
            amount: credits("1"),
            expires_in_s: Some(60),
            meter: None,
            source: None,
            project: None,
            description: String::new(),
        };
        for bench in self.both() {
            let Ok(done) = bench.store.create_hold(self.org, "test".to_owned(), new.clone(), None).await else {
                return;
            };
            let id: HoldId = done.answer.id;
            bench.store.capture_hold(self.org, "test".to_owned(), id, None, None).await.expect("pending");
        }
    }

    /// Takes an event back in both, unless it is pruned, of which nothing is taken back.
    async fn void(&self, event: EventSeq) -> &'static str {
        let request = || CorrectionRequest::Void { event, reason: "wrong".to_owned() };
        let store = &self.pruned.store;
        match store.correct(self.org, "test".to_owned(), request(), false, None).await {
            Err(StoreError::Pruned { until, .. }) => {
                assert!(until.micros() < self.at - i64::from(DAYS) * DAY);
                "details_pruned"
            }
            Err(error) => error.code(),
            Ok(_) => {
                let other = &self.whole.store;
                other.correct(self.org, "test".to_owned(), request(), false, None).await.expect("as in its twin");
                "done"
            }
        }
    }

    async fn map(&self, random: &mut Random) -> &'static str {
        let mapping = Mapping {
            interaction: label(&format!("i{}", random.below(40))),
            user: (random.below(3) > 0).then(|| label(&format!("u{}", random.below(4)))),
            tenant: (random.below(2) > 0).then(|| label(&format!("t{}", random.below(3)))),
        };
        match self.pruned.store.map_interaction(self.org, By::command(), mapping.clone(), None).await {
            Err(error) => error.code(),
            Ok(_) => {
                self.whole.store.map_interaction(self.org, By::command(), mapping, None).await.expect("maps");
                "done"
            }
        }
    }

    /// All that can be asked of both says the same, however much of one is pruned.
    async fn assert_alike(&self, random: &mut Random) {
        let [a, b] = self.both().map(|bench| &bench.store);
        let org = self.org;
        assert_eq!(a.head(org).await.expect("reads"), b.head(org).await.expect("reads"));
        assert_eq!(a.balance(org).await.expect("reads"), b.balance(org).await.expect("reads"));
        let page = || GrantPage { limit: 200, ..GrantPage::default() };
        let grants = async |store: &store::Store| store.grants(org, At::default(), page()).await.expect("reads").0;
        assert_eq!(grants(a).await, grants(b).await);
        let today = Timestamp::from_micros(self.at).to_chrono().expect("in range").date_naive();
        let back = chrono::Days::new(random.below(100) as u64);
        let first = today.checked_sub_days(back).expect("in range");
        let facets = [
            None,
            Some(Facet::Workflow),
            Some(Facet::User),
            Some(Facet::Tenant),
            Some(Facet::Status),
            Some(Facet::Attribute("model".to_owned())),
        ];
        for facet in facets {
            let zone = [None, Some(Tz::Asia__Kathmandu), Some(Tz::America__St_Johns)][random.below(3)];
            let interval = [Interval::Day, Interval::Week, Interval::None][random.below(3)];
            let wide = Wide { facet: facet.clone(), ..Wide::default() };
            let query = CubeQuery { zone, wide, ..CubeQuery::new(Range::Days(first, today), interval) };
            let cubes = [a.cube(org, &query).await.expect("reads"), b.cube(org, &query).await.expect("reads")];
            assert_eq!(cubes[0], cubes[1], "{query:?}");
            assert!(a.difference(org, &query.wide).await.expect("reads").is_zero(), "{facet:?}");
        }
        for (kind, sort) in [(TraceKind::Run, Sort::Credits), (TraceKind::Interaction, Sort::Time)] {
            let query = TraceQuery { sort, limit: 200, ..TraceQuery::new(kind) };
            let plain = |trace: Trace| Trace { pruned: 0, ..trace };
            let found = async |store: &store::Store| {
                let page = store.traces(org, query.clone()).await.expect("reads");
                page.traces.into_iter().map(plain).collect::<Vec<_>>()
            };
            assert_eq!(found(a).await, found(b).await);
        }
    }
}

/// Usage of everything that is summed up, some of it long ago.
fn usage(random: &mut Random, number: usize, now: i64) -> String {
    let back = if random.below(3) == 0 { i64::try_from(random.below(20)).expect("small") * DAY } else { 0 };
    let time = Timestamp::from_micros(now - back - i64::try_from(random.below(3_600)).expect("small") * 1_000_000);
    let mut data = serde_json::json!({"status": if random.below(5) == 0 { "failed" } else { "succeeded" }, "bytes": random.below(99)});
    let ages = number / 12;
    for (name, value, often) in [
        ("run", format!("r{}", ages + random.below(4)), 3),
        ("interaction", format!("i{}", ages % 40), 2),
        ("workflow", format!("w{}", random.below(3)), 2),
        ("project", format!("p{}", random.below(3)), 2),
        ("user", format!("u{}", random.below(4)), 2),
        ("tenant", format!("t{}", random.below(3)), 3),
        ("module", format!("m{}", random.below(3)), 2),
    ] {
        if random.below(often) > 0 || often == 3 {
            data[name] = value.into();
        }
    }
    if random.below(2) == 0 {
        data["attributes"] = serde_json::json!({"model": format!("m{}", random.below(3))});
    }
    let units = 1 + random.below(5);
    let kind = match random.below(5) {
        0 => "export",
        1 => "storage",
        2 => "calls",
        3 => "computation",
        _ => "ai",
    };
    if kind == "ai" {
        data["quantities"] = serde_json::json!({"input_tokens": 1_234 * units, "storage": units, "export": 1});
    } else {
        data["quantity"] = units.into();
    }
    let time = time.to_string();
    serde_json::json!({"id": number.to_string(), "source": format!("s{}", random.below(3)), "type": kind, "time": time, "data": data})
        .to_string()
}

#[tokio::test]
async fn a_life_that_is_pruned_all_the_while_says_what_one_that_is_kept_says() {
    let mut random = Random(SEED);
    println!("seed {SEED}");
    let mut twins = Twins::new("Australia/Lord_Howe").await;
    let (mut sent, mut refused, mut voided, mut unmapped) = (0, 0, 0, 0);
    for step in 0..420 {
        match random.below(20) {
            0..=6 => {
                let events: Vec<String> =
                    (0..1 + random.below(6)).map(|n| usage(&mut random, sent + n, twins.at)).collect();
                sent += events.len();
                twins.ingest(&events).await;
            }
            7..=8 => twins.pass(i64::try_from(random.below(60)).expect("small") * HOUR),
            9..=10 if sent > 0 => {
                let seq = 1 + i64::try_from(random.below(sent)).expect("small");
                match twins.void(EventSeq(seq)).await {
                    "details_pruned" => refused += 1,
                    "done" => voided += 1,
                    _ => {}
                }
            }
            11 => twins.give(&mut random).await,
            12 => twins.hold().await,
            13 => unmapped += usize::from(twins.map(&mut random).await == "details_pruned"),
            14..=15 => {
                for bench in twins.both() {
                    bench.store.widen_from(1).await.expect("widens");
                }
            }
            _ => drop(twins.pruned.store.prune_some().await.expect("prunes")),
        }
        if step % 30 == 29 {
            twins.pruned.assert_verified().await;
            twins.assert_alike(&mut random).await;
        }
    }
    twins.pass(3 * DAY);
    prune(&twins.pruned).await;
    twins.pruned.reopen().await;
    twins.pruned.assert_verified().await;
    twins.assert_alike(&mut random).await;
    let verified = twins.pruned.store.verify(|_, _| ()).await.expect("readable");
    let gone = verified.pruned.first().expect("some are pruned").events;
    println!("{sent} events, {gone} pruned; {voided} voided, {refused} and {unmapped} refused since pruned");
    assert!(gone > 50 && refused > 0 && voided > 0 && unmapped > 0);
    // After the last event is gone, too, new ones go on with the carries, tiers and numbers of those before.
    twins.pass(40 * DAY);
    prune(&twins.pruned).await;
    let kept = twins.pruned.store.kept(twins.org).await.expect("reads");
    let all = twins.pruned.store.totals(twins.org).await.expect("reads").events;
    assert_eq!(kept.pruned.map(|(last, _)| last), Some(EventSeq(all)));
    let fresh = usage(&mut random, sent, twins.at);
    twins.ingest(&[fresh]).await;
    twins.pruned.assert_verified().await;
    twins.assert_alike(&mut random).await;
}

/// An org that has had everything, of which what was booked more than 30 of so many days ago is pruned.
async fn pruned(days: i64) -> (Bench, OrgId) {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    live(&bench, org, "Acme").await;
    let early = Timestamp::from_micros(NOON.micros() - 3 * DAY);
    let early = format!(r#"{{"id":"early","source":"s0","type":"export","time":"{early}","data":{{"run":"r0"}}}}"#);
    bench.ingest(org, vec![event(&early)]).await;
    bench.clock.set(Timestamp::from_micros(NOON.micros() + days * DAY));
    keep(&bench, org, Some(DAYS)).await;
    assert!(prune(&bench).await > 1, "sealed and swept");
    (bench, org)
}

#[tokio::test]
async fn what_asks_for_a_pruned_event_is_told_so_and_idempotency_stays() {
    let (bench, org) = pruned(35).await;
    let (store, before) = (&bench.store, bench.store.totals(org).await.expect("reads"));
    let (last, until) = store.kept(org).await.expect("reads").pruned.expect("some are pruned");
    assert!(last.0 > 20 && last.0 < before.events);
    let is_pruned = |error: &StoreError| matches!(error, StoreError::Pruned { .. }) && error.code() == "details_pruned";
    assert!(is_pruned(&store.event(org, EventSeq(1)).await.expect_err("pruned")));
    assert!(is_pruned(&store.proof(org, last).await.expect_err("pruned")));
    assert!(
        store.event(org, EventSeq(last.0 + 1)).await.is_ok() && store.proof(org, EventSeq(last.0 + 1)).await.is_ok()
    );
    let listed = store.events(org, &EventPage { before: None, limit: 200 }).await.expect("reads");
    assert_eq!(listed.last().map(|row| row.seq.0), Some(last.0 + 1));
    for request in [
        CorrectionRequest::Void { event: EventSeq(1), reason: "wrong".to_owned() },
        CorrectionRequest::Replace {
            event: last,
            reason: "wrong".to_owned(),
            with: Box::new(crate::common::export("new")),
        },
    ] {
        let refused = store.correct(org, "test".to_owned(), request, false, None).await;
        assert!(is_pruned(&refused.expect_err("pruned")));
    }
    let mapping = Mapping { interaction: label("i2"), user: Some(label("eve")), tenant: None };
    assert!(is_pruned(&store.map_interaction(org, By::command(), mapping, None).await.expect_err("pruned")));
    // The same id again is known for ever.
    let again = bench.ingest(org, crate::life::usage(0, 7)).await;
    assert_eq!(crate::common::counts(&again), (0, 7, 0));
    // A range of pruned events alone is refused; one that begins among them says since when there are events.
    let behind = async |from: i64, to: i64| {
        let range = (Timestamp::from_micros(from), Timestamp::from_micros(to));
        store.events_behind(org, range, EventFilter::default()).await
    };
    assert!(behind(0, until.micros()).await.is_err_and(|error| is_pruned(&error)));
    let mut export = behind(0, i64::MAX).await.expect("some are kept");
    assert_eq!(export.pruned(), Some(until));
    let mut events = 0;
    while let Some(some) = export.next().await.expect("reads") {
        assert!(some.iter().all(|event| event.seq > last));
        events += some.len();
    }
    assert!(events > 0);
    // Transactions have the entry in the place of its events, for the same credits.
    let (lines, _) = store.transactions(org, None, 200).await.expect("reads");
    let gone: i64 = lines.iter().map(|line| if let What::Pruned { events, .. } = line.what { events } else { 0 }).sum();
    assert_eq!(gone, last.0);
    bench.assert_verified().await;
}

#[tokio::test]
async fn runs_say_how_many_of_their_events_are_pruned_and_modules_add_up_the_others() {
    let (bench, org) = pruned(40).await;
    let more = r#"{"id":"more","source":"s0","type":"export","data":{"run":"r0","workflow":"w0","interaction":"i2"}}"#;
    bench.ingest(org, vec![event(more)]).await;
    let run = bench.store.trace(org, TraceKind::Run, "r0".to_owned(), None).await.expect("there");
    assert_eq!((run.trace.events, run.counted), (run.trace.pruned + run.counted, 1));
    assert!(run.trace.pruned > 2 && run.trace.credits > credits("1"));
    let until = Timestamp::from_micros(i64::MAX);
    let modules =
        bench.store.workflow_modules(org, "w0".to_owned(), Timestamp::from_micros(0), until).await.expect("there");
    assert!(modules.pruned >= run.trace.pruned && modules.counted >= 1);
    // A period that covers all pruned events has them; of one that covers some, it is said that how many is not known.
    for (days, short) in [(None, false), (Some(-1), true), (Some(30), false)] {
        let from = days.map(|days| Timestamp::from_micros(NOON.micros() + days * DAY));
        let query = TraceQuery { from, overlapping: true, search: "r0".to_owned(), ..TraceQuery::new(TraceKind::Run) };
        let page = bench.store.traces(org, query).await.expect("reads");
        let found = page.traces.iter().find(|trace| trace.place.id.as_str() == "r0").expect("overlaps");
        assert_eq!((found.short, found.within.is_some()), (short, from.is_some()), "{from:?}");
    }
    bench.assert_verified().await;
}

fn exact(n: usize) -> String {
    format!(r#"{{"id":"{n}","source":"api","type":"export","data":{{"run":"r{}","user":"u{}"}}}}"#, n / 40, n % 7)
}

/// Killed between sealing and sweeping, or in the middle of it, a store goes on where it stood; nothing says anything else meanwhile.
#[tokio::test]
async fn pruning_that_is_cut_short_is_whole_at_every_step() {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "9999").await;
    for batch in 0..3_usize {
        let one = |n: usize| event(&exact(batch * 1_500 + n));
        bench.ingest(org, (0..1_500).map(one).collect()).await;
    }
    while bench.store.widen_from(1).await.expect("widens") > 0 {}
    let range = Range::Days(
        chrono::NaiveDate::from_ymd_opt(2026, 10, 20).expect("a day"),
        chrono::NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day"),
    );
    let cube = async |bench: &Bench| bench.store.cube(org, &CubeQuery::new(range, Interval::Day)).await.expect("reads");
    let before = cube(&bench).await;
    bench.clock.set(Timestamp::from_micros(NOON.micros() + 31 * DAY));
    keep(&bench, org, Some(DAYS)).await;
    let all = bench.store.totals(org).await.expect("reads").events;
    let mut steps = 0;
    while bench.store.prune_some().await.expect("prunes") > 0 {
        steps += 1;
        bench.reopen().await;
        bench.assert_verified().await;
        let gone = bench.store.kept(org).await.expect("reads").pruned.expect("sealed").0;
        assert!(matches!(bench.store.event(org, gone).await, Err(StoreError::Pruned { .. })));
        assert!(bench.store.event(org, EventSeq(gone.0 + 1)).await.is_ok() || gone.0 == all);
    }
    assert!(steps >= 10, "entries sealed in steps, and swept in more: {steps}");
    assert_eq!(cube(&bench).await.cells, before.cells);
    let (_, head) = bench.store.entries(org, EntryPage { limit: 1, ..EntryPage::default() }).await.expect("reads");
    assert!(head.seq.0 >= 5);
}

#[tokio::test]
async fn a_pruned_org_is_backed_up_restored_and_deleted_whole() {
    let (bench, org) = pruned(35).await;
    let copy = bench.dir.path().join("copy.db");
    bench.store.backup(&copy).await.expect("verifies");
    let verified = store::verify::file(&copy, |_| ()).expect("reads");
    assert_eq!(verified, bench.store.verify(|_, _| ()).await.expect("reads"));
    assert_eq!(verified.pruned.first().map(|pruned| pruned.org), Some(org));
    let there = tempfile::tempdir().expect("a folder");
    store::restore::folder(&copy, there.path(), false, NOON, |_| ()).expect("restores");
    let mut restored = Bench::open(there).await;
    restored.clock.set(Timestamp::from_micros(NOON.micros() + 35 * DAY));
    prune(&restored).await;
    restored.assert_verified().await;
    restored.store.note_export(org, By::command()).await.expect("noted");
    restored.store.end_org(org, By::command()).await.expect("will end");
    restored.clock.set(Timestamp::from_micros(NOON.micros() + 70 * DAY));
    assert!(restored.store.prune_some().await.expect("goes on until its end") > 0);
    while restored.store.delete_some().await.expect("deletes") > 0 {}
    assert_eq!(restored.store.prune_some().await.expect("nothing is left"), 0);
    restored.reopen().await;
    assert!(restored.store.orgs().await.expect("reads").is_empty());
}
