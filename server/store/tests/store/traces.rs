//! Runs and interactions, against sums made from the events by hand.

use crate::common::{Bench, NOON, Random, event};
use ledger::{EventSeq, Meter, OrgId, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use store::{By, CorrectionRequest, NewOrg, Sort, StoreError, Trace, TraceCursor, TraceKind, TraceQuery};

const SEED: u64 = 20_261_122;
const ROUNDS: u64 = 6;
const EVENTS: usize = 400;
const QUESTIONS: usize = 50;
const HOUR: i64 = 3_600_000_000;

/// An event as it was sent, and what it must cost.
#[derive(Debug, Clone)]
struct Plain {
    seq: i64,
    at: i64,
    said: BTreeMap<&'static str, String>,
    failed: bool,
    bytes: i64,
    micros: i64,
}

impl Plain {
    fn random(random: &mut Random, seq: i64) -> (Self, String) {
        let at = NOON.micros() - i64::try_from(random.below(300)).expect("small") * HOUR;
        let mut said = BTreeMap::new();
        let mut data = serde_json::Map::new();
        for (name, values) in [("run", 30), ("interaction", 12), ("workflow", 4), ("project", 2), ("module", 3)] {
            let value = random.below(values + 1);
            if value > 0 {
                let value = format!("{}{name}-{value}", if value.is_multiple_of(2) { "a" } else { "b" });
                data.insert(name.to_owned(), value.clone().into());
                said.insert(name, value);
            }
        }
        let (failed, bytes, units) = (random.below(9) == 0, random.below(900), 1 + random.below(7));
        data.insert("status".to_owned(), if failed { "failed" } else { "succeeded" }.into());
        data.insert("bytes".to_owned(), bytes.into());
        data.insert("quantity".to_owned(), units.into());
        let time = Timestamp::from_micros(at).to_string();
        let json =
            serde_json::json!({"id": seq.to_string(), "source": "s", "type": "export", "time": time, "data": data});
        let small = |n: usize| i64::try_from(n).expect("small");
        (Self { seq, at, said, failed, bytes: small(bytes), micros: small(units) * 1_000_000 }, json.to_string())
    }

    fn says(&self, name: &str) -> &str {
        self.said.get(name).map_or("", String::as_str)
    }
}

/// All that a trace says: id, workflow, project, first and last, events, failed, bytes, micro-credits.
type Row = (String, String, String, i64, i64, i64, i64, i64, i64);

/// Traces as a spreadsheet would make them, and whether each is of one project alone.
fn by_hand(kind: &str, events: &[Plain]) -> Vec<(Row, bool)> {
    let mut by_id: BTreeMap<&str, Vec<&Plain>> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.says(kind).is_empty()) {
        by_id.entry(event.says(kind)).or_default().push(event);
    }
    let sum = |(id, mut events): (&str, Vec<&Plain>)| {
        events.sort_by_key(|event| (event.at, event.seq));
        let first = |name: &str| {
            events.iter().map(|event| event.says(name)).find(|said| !said.is_empty()).unwrap_or_default().to_owned()
        };
        let alone = events.iter().all(|event| event.says("project") == events[0].says("project"));
        let (count, failed) = (events.len(), events.iter().filter(|event| event.failed).count());
        let row = (
            id.to_owned(),
            first("workflow"),
            first("project"),
            events[0].at,
            events[count - 1].at,
            i64::try_from(count).expect("small"),
            i64::try_from(failed).expect("small"),
            events.iter().map(|event| event.bytes).sum(),
            events.iter().map(|event| event.micros).sum(),
        );
        (row, alone)
    };
    by_id.into_iter().map(sum).collect()
}

fn row(trace: &Trace) -> Row {
    let id = |place: &Option<ledger::event::Place>| {
        place.as_ref().map_or_else(String::new, |place| place.id.as_str().to_owned())
    };
    let credits = trace.credits.micros();
    let (first, last) = (trace.first_at.micros(), trace.last_at.micros());
    let id_of = trace.place.id.as_str().to_owned();
    (id_of, id(&trace.workflow), id(&trace.project), first, last, trace.events, trace.failed, trace.bytes, credits)
}

fn random_query(random: &mut Random) -> TraceQuery {
    let kind = if random.below(3) == 0 { TraceKind::Interaction } else { TraceKind::Run };
    let mut query = TraceQuery { limit: 1 + u32::try_from(random.below(9)).expect("small"), ..TraceQuery::new(kind) };
    query.sort = [Sort::Time, Sort::Credits, Sort::Data][random.below(3)];
    let hour = |n: usize| Timestamp::from_micros(NOON.micros() - i64::try_from(n).expect("small") * HOUR);
    if random.below(3) == 0 {
        query.from = Some(hour(random.below(200)));
    }
    if random.below(3) == 0 {
        query.before = Some(hour(random.below(100)));
    }
    if random.below(3) == 0 {
        let workflows = ["bworkflow-1", "aworkflow-2", "", "nothing"];
        query.workflows = (0..=random.below(2)).map(|_| workflows[random.below(4)].to_owned()).collect();
    }
    if random.below(5) == 0 {
        query.projects = vec![["bproject-1", "aproject-2", ""][random.below(3)].to_owned()];
    }
    if random.below(4) == 0 {
        query.failed = Some(random.below(2) == 0);
    }
    if random.below(4) == 0 {
        query.search = ["a", "brun-1", "arun-2", "brun-11", "binteraction", "x"][random.below(6)].to_owned();
    }
    if random.below(6) == 0 {
        query.only_project = Some(["bproject-1", "aproject-2", "other"][random.below(3)].to_owned());
    }
    query
}

fn expected(query: &TraceQuery, events: &[Plain]) -> Vec<Row> {
    let kind = if query.kind == TraceKind::Run { "run" } else { "interaction" };
    let among = |list: &[String], id: &String| list.is_empty() || list.contains(id);
    let mut rows: Vec<Row> = by_hand(kind, events)
        .into_iter()
        .filter(|(row, alone)| {
            query.from.is_none_or(|from| row.4 >= from.micros())
                && query.before.is_none_or(|before| row.4 < before.micros())
                && among(&query.workflows, &row.1)
                && among(&query.projects, &row.2)
                && query.failed.is_none_or(|failed| failed == (row.6 > 0))
                && row.0.starts_with(&query.search)
                && query.only_project.as_ref().is_none_or(|project| *alone && *project == row.2)
        })
        .map(|(row, _)| row)
        .collect();
    let value = |row: &Row| match query.sort {
        Sort::Time => row.4,
        Sort::Credits => row.8,
        Sort::Data => row.7,
    };
    rows.sort_by_key(|row| Reverse(value(row)));
    rows
}

/// Pages forward to the end and back to the beginning; what stands at equal places may stand in any order, but the same both ways.
async fn pages(bench: &Bench, org: OrgId, query: &TraceQuery) -> Vec<Row> {
    let (mut forward, mut back) = (Vec::new(), Vec::new());
    let mut query = query.clone();
    let last = loop {
        let page = bench.store.traces(org, query.clone()).await.expect("reads");
        assert!(page.whole && page.traces.len() <= query.limit as usize);
        forward.extend(page.traces.iter().map(row));
        let Some(on) = page.on else { break page };
        query.cursor = TraceCursor::parse(&on.text());
        assert_eq!(query.cursor, Some(on));
    };
    back.splice(0..0, last.traces.iter().map(row));
    let mut cursor = last.back;
    while cursor.is_some() {
        query.cursor = cursor;
        let page = bench.store.traces(org, query.clone()).await.expect("reads");
        back.splice(0..0, page.traces.iter().map(row));
        cursor = page.back;
    }
    assert_eq!(forward, back, "{query:?}");
    forward
}

async fn compare(bench: &Bench, org: OrgId, random: &mut Random, events: &[Plain]) -> usize {
    let query = random_query(random);
    let (found, expected) = (pages(bench, org, &query).await, expected(&query, events));
    let sorted = |rows: &[Row]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&found), sorted(&expected), "{query:?}");
    let place = |row: &Row| match query.sort {
        Sort::Time => row.4,
        Sort::Credits => row.8,
        Sort::Data => row.7,
    };
    assert!(found.is_sorted_by_key(|row| Reverse(place(row))), "{query:?}");
    expected.len().min(1)
}

/// Each run's modules and events, page by page, are its own.
async fn compare_runs(bench: &Bench, org: OrgId, events: &[Plain]) {
    for (row, _) in by_hand("run", events).into_iter().step_by(7) {
        let detail = bench.store.trace(org, TraceKind::Run, row.0.clone(), None).await.expect("is there");
        assert_eq!((super::traces::row(&detail.trace), detail.counted), (row.clone(), row.5));
        let mut modules: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        let mut own: Vec<&Plain> = events.iter().filter(|event| event.says("run") == row.0).collect();
        own.sort_by_key(|event| (event.at, event.seq));
        for event in &own {
            let sum = modules.entry(event.says("module")).or_default();
            *sum = (sum.0 + 1, sum.1 + event.micros);
        }
        let told = detail.modules.iter().map(|module| {
            let id = module.module.as_ref().map_or("", |place| place.id.as_str());
            let used: i64 = module.uses.iter().map(|used| used.credits.micros()).sum();
            assert_eq!(used, module.credits.micros());
            (id, (module.events, used))
        });
        assert_eq!(told.collect::<BTreeMap<_, _>>(), modules);
        let (mut after, mut seqs) = (None, Vec::new());
        loop {
            let page =
                bench.store.trace_events(org, TraceKind::Run, row.0.clone(), None, after, 3).await.expect("reads");
            seqs.extend(page.events.iter().map(|event| event.seq.0));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seqs, own.iter().map(|event| event.seq).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_trace_is_what_its_events_that_stand_add_up_to() {
    println!("seed {SEED}");
    for round in 0..ROUNDS {
        let mut random = Random(SEED + round);
        let bench = Bench::in_memory().await;
        let orgs = [bench.org("Acme", "Europe/Berlin").await, bench.org("Bolt", "UTC").await];
        let mut events: [Vec<Plain>; 2] = Default::default();
        for _ in 0..EVENTS / 40 {
            for (org, events) in orgs.into_iter().zip(&mut events) {
                let next = i64::try_from(events.len()).expect("small") + 1;
                let (plain, json): (Vec<_>, Vec<_>) = (next..next + 40).map(|n| Plain::random(&mut random, n)).unzip();
                bench.ingest(org, json.iter().map(|json| event(json)).collect()).await;
                events.extend(plain);
            }
            if random.below(2) == 0 {
                bench.store.widen_from(1).await.expect("widens");
            }
            for _ in 0..random.below(8) {
                let of = random.below(2);
                let event = EventSeq(1 + i64::try_from(random.below(events[of].len())).expect("small"));
                let void = CorrectionRequest::Void { event, reason: "sent by mistake".to_owned() };
                // Some are voided already.
                if bench.store.correct(orgs[of], By::command(), void, false, None).await.is_ok() {
                    events[of][usize::try_from(event.0 - 1).expect("small")].said.insert("gone", String::new());
                }
            }
        }
        let stand = events.map(|events| -> Vec<Plain> {
            events.into_iter().filter(|event| !event.said.contains_key("gone")).collect()
        });
        let mut something = 0;
        for asked in 0..QUESTIONS {
            let of = random.below(2);
            something += compare(&bench, orgs[of], &mut random, &stand[of]).await;
            if asked == QUESTIONS / 2 {
                compare_runs(&bench, orgs[0], &stand[0]).await;
                while bench.store.widen_from(1).await.expect("widens") > 0 {}
                compare_runs(&bench, orgs[0], &stand[0]).await;
            }
        }
        assert!(something > QUESTIONS / 3, "{something} of {QUESTIONS} questions were about something");
        bench.assert_verified().await;
    }
}

#[tokio::test]
async fn of_a_run_that_is_not_of_one_project_alone_a_key_of_that_project_learns_nothing() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let of = |id: &str, run: &str, project: &str| {
        event(&format!(
            r#"{{"id":"{id}","source":"s","type":"export","data":{{"run":"{run}","project":"{project}"}}}}"#
        ))
    };
    bench.ingest(org, vec![of("1", "own", "p"), of("2", "shared", "p"), of("3", "shared", "q")]).await;
    for _ in 0..2 {
        let ask = |id: &str| bench.store.trace(org, TraceKind::Run, id.to_owned(), Some("p".to_owned()));
        assert_eq!(ask("own").await.expect("its own").trace.events, 1);
        for id in ["shared", "neither"] {
            assert!(matches!(ask(id).await, Err(StoreError::NotFound(_))));
        }
        bench.store.widen_from(1).await.expect("widens");
    }
}

#[tokio::test]
async fn a_workflow_that_uses_a_meter_of_agents_is_one() {
    let bench = Bench::new().await;
    let new = NewOrg {
        offers: store::Offers::default(),
        name: "Acme".to_owned(),
        zone: "UTC".to_owned(),
        synthetic: false,
        words: ledger::Words::default(),
        meters: vec![],
        agents: vec![Meter::parse("ai_agent").expect("a meter")],
        lines: serde_json::from_str(r#"[{"meter":"export","rule":"free"},{"meter":"ai_agent","rule":"free"}]"#)
            .expect("valid lines"),
    };
    let org = bench.store.create_org(new).await.expect("a new org").id;
    let of = |id: &str, workflow: &str, meter: &str| {
        event(&format!(
            r#"{{"id":"{id}","source":"s","type":"{meter}","data":{{"run":"r{id}","workflow":"{workflow}"}}}}"#
        ))
    };
    bench.ingest(org, vec![of("1", "flow", "export"), of("2", "agent", "export"), of("3", "agent", "ai_agent")]).await;
    for _ in 0..2 {
        for (agent, runs) in [(true, vec!["r2", "r3"]), (false, vec!["r1"])] {
            let query = TraceQuery { agent: Some(agent), ..TraceQuery::new(TraceKind::Run) };
            let mut found = bench.store.traces(org, query).await.expect("reads").traces;
            found.sort_by_key(|trace| trace.place.id.as_str().to_owned());
            assert!(found.iter().all(|trace| trace.agent == agent));
            assert_eq!(found.iter().map(|trace| trace.place.id.as_str()).collect::<Vec<_>>(), runs);
        }
        bench.store.widen_from(1).await.expect("widens");
    }
    bench.assert_verified().await;
}
