//! Usage by everything that events say, against sums made from the events by hand.

use crate::common::{Bench, Random, event};
use chrono::{DateTime, Days, NaiveDate, Utc};
use ledger::cube::{AxisValue, Dimension, Facet, Filter, Interval};
use ledger::{EventSeq, OrgId, Timestamp};
use rusqlite::Connection;
use std::collections::BTreeMap;
use store::{By, CorrectionRequest, CubeQuery, Narrow, Range, StoreError, Tz, Wide};

const SEED: u64 = 20_261_121;
const EVENTS: usize = 900;
const QUESTIONS: usize = 60;
/// Back from the bench's noon: over changes of the clock in each of the zones.
const SPAN_S: usize = 80 * 86_400;
/// Half hours, quarters, days of 23, 23½, 24½ and 25 hours.
const ZONES: [Tz; 6] = [
    Tz::Europe__Berlin,
    Tz::America__Santiago,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kathmandu,
    Tz::America__St_Johns,
    Tz::UTC,
];

/// An event as it was sent, and what it must cost.
#[derive(Debug, Clone)]
struct Plain {
    at: i64,
    said: BTreeMap<String, String>,
    /// Micro-credits by meter.
    cost: BTreeMap<&'static str, i64>,
}

impl Plain {
    fn random(random: &mut Random, number: usize) -> (Self, String) {
        let back = i64::try_from(random.below(SPAN_S) * 1_000_000 + random.below(1_000_000)).expect("small");
        let at = crate::common::NOON.micros() - back;
        let mut said = BTreeMap::new();
        let mut data = serde_json::Map::new();
        let mut say = |random: &mut Random, name: &str, values: usize| {
            let value = random.below(values + 1);
            if value > 0 {
                let value = format!("{name}{value}");
                data.insert(name.to_owned(), value.clone().into());
                said.insert(name.to_owned(), value);
            }
        };
        say(random, "project", 3);
        say(random, "workflow", 6);
        say(random, "user", 9);
        say(random, "tenant", 2);
        let mut attributes = serde_json::Map::new();
        for (name, values) in [("region", 3), ("model", 2)] {
            let value = random.below(values + 1);
            if value > 0 {
                attributes.insert(name.to_owned(), format!("{name}-{value}").into());
                said.insert(format!("attribute.{name}"), format!("{name}-{value}"));
            }
        }
        let status = if random.below(5) == 0 { "failed" } else { "succeeded" };
        said.insert("status".to_owned(), status.to_owned());
        said.insert("source".to_owned(), format!("source{}", random.below(3)));
        data.insert("attributes".to_owned(), attributes.into());
        data.insert("status".to_owned(), status.into());
        let mut cost = BTreeMap::new();
        let units = 1 + random.below(9);
        let units_i = i64::try_from(units).expect("small");
        let kind = match random.below(3) {
            0 => {
                data.insert("quantity".to_owned(), units.into());
                cost.insert("export", units_i * 1_000_000);
                "export"
            }
            1 => {
                let quantities = serde_json::json!({"input_tokens": units * 1_000_000, "completion_tokens": 2_000_000});
                data.insert("quantities".to_owned(), quantities);
                cost.insert("input_tokens", units_i * 600_000);
                cost.insert("completion_tokens", 2_000_000);
                "ai_text"
            }
            _ => {
                data.insert("credits".to_owned(), format!("0.{units:06}").into());
                cost.insert("agent", units_i);
                "agent"
            }
        };
        let time = Timestamp::from_micros(at).to_string();
        let (id, source) = (number.to_string(), &said["source"]);
        let json = serde_json::json!({"id": id, "source": source, "type": kind, "time": time, "data": data});
        (Self { at, said, cost }, json.to_string())
    }

    fn says(&self, dimension: &str) -> &str {
        self.said.get(dimension).map_or("", String::as_str)
    }
}

/// What is asked, in plain words.
#[derive(Debug)]
struct Question {
    zone: Tz,
    first: NaiveDate,
    last: NaiveDate,
    interval: Interval,
    chosen: Vec<(String, String)>,
    group: Vec<String>,
    types: Vec<&'static str>,
    sources: Vec<String>,
    projects: Vec<String>,
    /// Whether what is not shown may be left out, however little it is.
    narrow: bool,
}

const FACETS: [&str; 6] = ["workflow", "user", "tenant", "status", "attribute.region", "attribute.model"];

impl Question {
    fn random(random: &mut Random, events: &[Plain], own: Tz) -> Self {
        let zone = if random.below(2) == 0 { own } else { ZONES[random.below(ZONES.len())] };
        let noon: DateTime<Utc> = crate::common::NOON.to_chrono().expect("in range");
        let today = noon.with_timezone(&zone).date_naive();
        let interval =
            [Interval::Hour, Interval::Day, Interval::Week, Interval::Month, Interval::None][random.below(5)];
        let back = random.below(85) as u64;
        let length = random.below(if interval == Interval::Hour { 14 } else { 60 }) as u64;
        let first = today - Days::new(back);
        let mut chosen = Vec::new();
        for _ in 0..random.below(4) {
            let facet = FACETS[random.below(FACETS.len())];
            chosen.push((facet.to_owned(), events[random.below(events.len())].says(facet).to_owned()));
        }
        let mut group = Vec::new();
        if random.below(3) > 0 {
            group.push(FACETS[random.below(FACETS.len())].to_owned());
        }
        if random.below(2) == 0 {
            group.push(["type", "source", "project"][random.below(3)].to_owned());
        }
        let types = if random.below(2) == 0 { vec!["export", "input_tokens"] } else { Vec::new() };
        let mut some = |name: &str, one_in: usize| -> Vec<String> {
            let count = if random.below(one_in) == 0 { 2 } else { 0 };
            (0..count).map(|_| events[random.below(events.len())].says(name).to_owned()).collect()
        };
        let (sources, projects) = (some("source", 3), some("project", 3));
        let (last, narrow) = (first + Days::new(length), random.below(2) == 0);
        Self { zone, first, last, interval, chosen, group, types, sources, projects, narrow }
    }

    fn wants(&self, event: &Plain) -> bool {
        let day = DateTime::from_timestamp_micros(event.at).expect("in range").with_timezone(&self.zone).date_naive();
        let chosen = |facet: &str| {
            let values: Vec<&str> =
                self.chosen.iter().filter(|(f, _)| f == facet).map(|(_, value)| value.as_str()).collect();
            values.is_empty() || values.contains(&event.says(facet))
        };
        let among = |list: &[String], name: &str| list.is_empty() || list.iter().any(|value| value == event.says(name));
        (self.first..=self.last).contains(&day)
            && FACETS.iter().all(|facet| chosen(facet))
            && among(&self.sources, "source")
            && among(&self.projects, "project")
    }

    fn query(&self) -> CubeQuery {
        let facet = |name: &String| Facet::parse(name);
        let chosen = self.chosen.iter().filter_map(|(name, value)| Some((facet(name)?, value.clone()))).collect();
        let wide = Wide { facet: self.group.iter().find_map(facet), chosen, values: Some(1_000) };
        let narrow =
            || Narrow { beyond: 0, ..Narrow::new(self.dimensions(), self.sources.clone(), self.projects.clone()) };
        let narrow = self.narrow.then(narrow);
        let range = Range::Days(self.first, self.last);
        CubeQuery { zone: Some(self.zone), wide, narrow, ..CubeQuery::new(range, self.interval) }
    }

    fn dimensions(&self) -> Vec<Dimension> {
        self.group.iter().map(|name| Dimension::parse(name).expect("known")).collect()
    }
}

/// Compares an answer with the sums by hand; tells whether there was anything to compare.
async fn compare(bench: &Bench, org: OrgId, question: &Question, events: &[Plain]) -> bool {
    let cube = bench.store.cube(org, &question.query()).await.expect("in range");
    let filter = Filter {
        types: question.types.iter().map(|t| (*t).to_owned()).collect(),
        sources: question.sources.clone(),
        projects: question.projects.clone(),
    };
    let slice = cube.slice(&filter, &question.dimensions()).expect("fits");

    // By hand: key and bucket → micro-credits.
    let mut expected: BTreeMap<(Vec<String>, usize), i64> = BTreeMap::new();
    let (mut total, mut calls, mut failed) = (0, 0, 0);
    for event in events.iter().filter(|event| question.wants(event)) {
        let counts = |meter: &str| question.types.is_empty() || question.types.contains(&meter);
        let bucket = cube.buckets.iter().position(|b| (b.start.micros()..b.end.micros()).contains(&event.at));
        let bucket = bucket.expect("the buckets cover the range");
        if event.cost.keys().any(|meter| counts(meter)) {
            calls += 1;
            failed += i64::from(event.says("status") == "failed");
        }
        for (meter, micros) in event.cost.iter().filter(|(meter, _)| counts(meter)) {
            let of = |name: &String| if name == "type" { (*meter).to_owned() } else { event.says(name).to_owned() };
            *expected.entry((question.group.iter().map(of).collect(), bucket)).or_default() += micros;
            total += micros;
        }
    }
    let told = (slice.total.credits.micros(), slice.total.events, slice.total.failed);
    assert_eq!(told, (total, calls, failed), "{question:?}");
    let mut found: BTreeMap<(Vec<String>, usize), i64> = BTreeMap::new();
    for series in &slice.series {
        let key: Vec<String> = series.key.iter().map(|(_, id)| id.clone().expect("no others")).collect();
        for (bucket, point) in series.points.iter().enumerate().filter(|(_, point)| !point.credits.is_zero()) {
            assert_eq!(found.insert((key.clone(), bucket), point.credits.micros()), None);
        }
    }
    assert_eq!(found, expected, "{question:?}");
    calls > 0
}

#[tokio::test]
async fn usage_by_anything_is_what_the_events_add_up_to() {
    println!("seed {SEED}");
    for (round, zone) in ZONES.into_iter().enumerate() {
        let mut random = Random(SEED + round as u64);
        let bench = Bench::in_memory().await;
        let org = bench.org("Acme", zone.name()).await;
        let mut events: Vec<Plain> = Vec::new();
        let mut voided = Vec::new();
        for from in (0..EVENTS).step_by(100) {
            let (plain, json): (Vec<_>, Vec<_>) = (from..from + 100).map(|n| Plain::random(&mut random, n)).unzip();
            bench.ingest(org, json.iter().map(|json| event(json)).collect()).await;
            events.extend(plain);
            if random.below(2) == 0 {
                bench.store.widen_from(1).await.expect("widens");
            }
            let index = random.below(events.len());
            if !voided.contains(&index) {
                let void = CorrectionRequest::Void {
                    event: EventSeq(i64::try_from(index + 1).expect("small")),
                    reason: "sent by mistake".to_owned(),
                };
                bench.store.correct(org, By::command(), void, false, None).await.expect("stands");
                voided.push(index);
            }
        }
        let stand: Vec<Plain> =
            events.iter().enumerate().filter(|(i, _)| !voided.contains(i)).map(|(_, e)| e.clone()).collect();
        let mut something = 0;
        for asked in 0..QUESTIONS {
            let question = Question::random(&mut random, &events, zone);
            something += usize::from(compare(&bench, org, &question, &stand).await);
            if asked == QUESTIONS / 2 {
                while bench.store.widen_from(1).await.expect("widens") > 0 {}
            }
        }
        assert!(something > QUESTIONS / 3, "{something} of {QUESTIONS} questions were about something");
        let asked = Wide { facet: Some(Facet::User), ..Wide::default() };
        assert!(bench.store.difference(org, &asked).await.expect("reads").is_zero());
        bench.assert_verified().await;
    }
}

/// What migrations after the one with the levels added: they are done again.
const LATER_UNDONE: &str = "
    DROP INDEX delivery_standing;
    ALTER TABLE delivery DROP COLUMN sent_body;
    ALTER TABLE delivery DROP COLUMN sent_shape;
    ALTER TABLE endpoint DROP COLUMN last_taken_at;
    ALTER TABLE endpoint DROP COLUMN last_failed_at;";

#[tokio::test]
async fn levels_that_a_release_brings_are_made_from_the_most_detailed_one() {
    println!("seed {SEED}");
    let mut random = Random(SEED);
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "Asia/Kathmandu").await;
    let (plain, json): (Vec<_>, Vec<_>) = (0..200).map(|n| Plain::random(&mut random, n)).unzip();
    bench.ingest(org, json.iter().map(|json| event(json)).collect()).await;
    while bench.store.widen_from(1).await.expect("widens") > 0 {}
    bench.store.close().await;
    // As the release before left it.
    let before = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    assert!(before.execute("DELETE FROM wide_day WHERE level > 7", []).expect("deletes") > 0);
    before.execute_batch(LATER_UNDONE).expect("undoes");
    before.pragma_update(None, "user_version", 26).expect("sets");
    drop(before);
    bench.reopen().await;
    bench.assert_verified().await;
    for _ in 0..20 {
        let question = Question { narrow: true, ..Question::random(&mut random, &plain, Tz::Asia__Kathmandu) };
        compare(&bench, org, &question, &plain).await;
    }
}

#[tokio::test]
async fn the_values_with_most_credits_are_named_and_the_rest_is_one() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let of = |n: usize| {
        let quantity = 1 + n % 7;
        let user = if n < 7 { String::new() } else { format!(r#","user":"u{}""#, n % 7) };
        event(&format!(r#"{{"id":"{n}","source":"api","type":"export","data":{{"quantity":{quantity}{user}}}}}"#))
    };
    bench.ingest(org, (0..70).map(of).collect()).await;
    let day = "2026-11-21".parse().expect("a date");
    let range = Range::Days(day, day);
    for _ in 0..2 {
        let wide = Wide { facet: Some(Facet::User), values: Some(2), ..Wide::default() };
        let cube =
            bench.store.cube(org, &CubeQuery { wide, ..CubeQuery::new(range, Interval::Day) }).await.expect("reads");
        let axis = cube.facet.as_ref().expect("asked for").values.clone();
        let names: Vec<String> = axis
            .iter()
            .map(|value| match value {
                AxisValue::Named(named) => named.id.clone(),
                AxisValue::Unsaid => "unsaid".to_owned(),
                AxisValue::Others(count) => format!("{count} others"),
            })
            .collect();
        assert_eq!(names, ["u6", "u5", "unsaid", "5 others"]);
        let slice = cube.slice(&Filter::default(), &[Dimension::Facet(Facet::User)]).expect("fits");
        let sums: Vec<i64> = slice.series.iter().map(|s| s.total.credits.micros() / 1_000_000).collect();
        assert_eq!((sums, slice.total.credits.micros()), (vec![135, 63, 54, 28], 280_000_000));
        // The same from segments.
        bench.store.widen_from(1).await.expect("widens");
    }
    assert_eq!(bench.store.attribute_names(org).await.expect("reads"), Vec::<String>::new());
}

#[tokio::test]
async fn attributes_that_are_ids_are_refused_rather_than_wrong() {
    let bench = Bench::in_memory().await;
    let org = bench.org("Acme", "UTC").await;
    for from in (0..10_500).step_by(3_500) {
        let one = |n: usize| {
            event(&format!(
                r#"{{"id":"{n}","source":"api","type":"export","data":{{"attributes":{{"request":"{n}"}},"user":"u"}}}}"#
            ))
        };
        bench.ingest(org, (from..from + 3_500).map(one).collect()).await;
        bench.store.widen_from(1).await.expect("widens");
    }
    let day = "2026-11-21".parse().expect("a date");
    let ask = |facet| {
        let wide = Wide { facet: Some(facet), ..Wide::default() };
        CubeQuery { wide, ..CubeQuery::new(Range::Days(day, day), Interval::Day) }
    };
    let refused = bench.store.cube(org, &ask(Facet::Attribute("request".to_owned()))).await;
    assert!(matches!(refused, Err(StoreError::BadRange(_))), "{refused:?}");
    let by_user = bench.store.cube(org, &ask(Facet::User)).await.expect("is not about attributes");
    assert_eq!(by_user.slice(&Filter::default(), &[]).expect("fits").total.events, 10_500);
    assert_eq!(bench.store.attribute_names(org).await.expect("reads"), ["request"]);
}
