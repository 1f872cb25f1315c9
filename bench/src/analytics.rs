//! What the pages ask of usage at ten million events: every view of Analytics and Overview, as the store answers it and slices it
//! for the page; and what a cube of 90 days weighs on its way to the browser.
//!
//! The events are spread over 120 days, 8 meters, 4 sources, 10 projects, 60 workflows, 1,000 users, 40 tenants, and attributes
//! of 20 combinations; 4 % failed. Every fifth brings two quantities.

use crate::report;
use chrono::NaiveDate;
use ledger::cube::{Dimension, Facet, Filter, Interval};
use ledger::event::Form;
use ledger::{Event, OrgId};
use std::path::Path;
use store::clock::Stopwatch;
use store::{CubeQuery, Narrow, NewOrg, Options, Range, Store, Tz, Wide};

/// Events, where nobody asks for another number.
const EVENTS: usize = 10_000_000;
const BATCH: usize = 10_000;
const DAYS: usize = 120;
const QUERIES: usize = 100;
const METERS: usize = 8;

/// In a folder that is kept, what is there already is not made again. Of the views those with that text in their name.
pub(crate) async fn run(events: Option<usize>, kept: Option<&Path>, only: &str) {
    let events = events.unwrap_or(EVENTS);
    let own = tempfile::tempdir().expect("a folder for the bench");
    let dir = kept.unwrap_or_else(|| own.path());
    let store = Store::open(Options::new(dir)).await.expect("opens");
    let org = match store.orgs().await.expect("reads").first() {
        Some(org) => org.id,
        None => org(&store).await,
    };
    let there = store.totals(org).await.expect("reads").events;
    let watch = Stopwatch::start();
    for from in (usize::try_from(there).expect("small")..events).step_by(BATCH) {
        let batch = (from..from + BATCH).map(|n| event(n, events)).collect();
        store.ingest(org, "bench".to_owned(), batch).await.expect("the writer works");
    }
    let took = watch.elapsed();
    let watch = Stopwatch::start();
    while store.widen_from(1).await.expect("widens") > 0 {}
    let figures = format!(
        "{events} events in {:.0} s; added up beside the writer in {:.0} s",
        took.as_secs_f64(),
        watch.elapsed().as_secs_f64()
    );
    report("events/s, all dimensions, 1 client", crate::rate(events, took), "", &figures);
    for (name, query, group) in views().into_iter().filter(|(name, ..)| name.contains(only)) {
        measure(&store, org, name, &query, &group).await;
    }
    let bytes = std::fs::metadata(dir.join("scrip.db")).expect("there").len();
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read, not an amount")]
    let per_million = bytes as f64 / events as f64;
    report("disk per million events, all dimensions, MB", per_million, "≤ 200", &format!("{bytes} bytes"));
    store.close().await;
}

/// Every kind of view: what it is called, what the store is asked, what it is grouped by.
fn views() -> Vec<(&'static str, CubeQuery, Dimension)> {
    let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
    let days = |first, last, interval| CubeQuery::new(Range::Days(date(first), date(last)), interval);
    let quarter = || days("2026-08-21", "2026-11-18", Interval::Day);
    // As the page asks: what tells facets apart, or hours of many days, may leave out sources and projects.
    let narrow = |dimension| Some(Narrow::new(vec![dimension], Vec::new(), Vec::new()));
    let wide = |facet: Option<Facet>, chosen: &[(Facet, &str)], query: CubeQuery| {
        let chosen = chosen.iter().map(|(facet, value)| (facet.clone(), (*value).to_owned())).collect();
        let narrow = facet.clone().map(Dimension::Facet).and_then(narrow);
        CubeQuery { wide: Wide { facet, chosen, ..Wide::default() }, narrow, ..query }
    };
    let region = || Facet::Attribute("region".to_owned());
    let by = |facet: Facet| (Some(facet.clone()), Dimension::Facet(facet));
    let (by_user, user) = by(Facet::User);
    let (by_workflow, workflow) = by(Facet::Workflow);
    let (by_region, of_region) = by(region());
    let (by_status, status) = by(Facet::Status);
    vec![
        ("view: 30 days by credit type", days("2026-10-20", "2026-11-18", Interval::Day), Dimension::Type),
        ("view: 90 days by project", quarter(), Dimension::Project),
        ("view: 120 days in weeks", days("2026-07-22", "2026-11-18", Interval::Week), Dimension::Source),
        ("view: one day in hours", days("2026-11-17", "2026-11-17", Interval::Hour), Dimension::Type),
        (
            "view: 14 days in hours",
            CubeQuery { narrow: narrow(Dimension::Type), ..days("2026-11-05", "2026-11-18", Interval::Hour) },
            Dimension::Type,
        ),
        (
            "view: 14 days in hours by project",
            CubeQuery { narrow: narrow(Dimension::Project), ..days("2026-11-05", "2026-11-18", Interval::Hour) },
            Dimension::Project,
        ),
        (
            "view: 90 days of another zone",
            CubeQuery { zone: Some(Tz::Asia__Kathmandu), narrow: narrow(Dimension::Type), ..quarter() },
            Dimension::Type,
        ),
        (
            "view: 30 days by workflow",
            wide(by_workflow.clone(), &[], days("2026-10-20", "2026-11-18", Interval::Day)),
            workflow.clone(),
        ),
        ("view: 90 days by workflow", wide(by_workflow, &[], quarter()), workflow),
        ("view: 90 days by user, 100 and others", wide(by_user, &[], quarter()), user),
        ("view: 90 days by attribute", wide(by_region, &[], quarter()), of_region),
        ("view: 90 days by status", wide(by_status, &[], quarter()), status),
        (
            "view: 90 days of one tenant, failed, a region",
            wide(None, &[(Facet::Tenant, "t7"), (Facet::Status, "failed"), (region(), "eu")], quarter()),
            Dimension::Type,
        ),
    ]
}

async fn measure(store: &Store, org: OrgId, name: &str, query: &CubeQuery, group: &Dimension) {
    let mut took_ms = Vec::with_capacity(QUERIES);
    let mut slicing_ms = Vec::with_capacity(QUERIES);
    let mut cells = 0;
    for _ in 0..QUERIES {
        let watch = Stopwatch::start();
        let cube = store.cube(org, query).await.expect("in range");
        let slicing = Stopwatch::start();
        let slice = cube.slice(&Filter::default(), std::slice::from_ref(group)).expect("fits");
        slicing_ms.push(slicing.elapsed().as_secs_f64() * 1_000.0);
        took_ms.push(watch.elapsed().as_secs_f64() * 1_000.0);
        cells = cube.cells.len() + cube.calls.len();
        assert!(slice.total.events > 0, "{name} shows something");
    }
    took_ms.sort_by(f64::total_cmp);
    slicing_ms.sort_by(f64::total_cmp);
    let figures = format!(
        "ms; p50 {:.2} ms, of which slicing {:.2} ms; {cells} cells",
        took_ms[QUERIES / 2],
        slicing_ms[QUERIES / 2]
    );
    report(&format!("{name}, p99"), took_ms[QUERIES * 99 / 100], "≤ 5 ms", &figures);
}

fn event(n: usize, events: usize) -> Event {
    let mixed = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5CA1_AB1E;
    let pick = |shift: u32, bound: u64| (mixed >> shift) % bound;
    let second = u64::try_from(n * DAYS / events * 86_400 + (n * DAYS % events) * 86_400 / events).expect("small");
    let day = NaiveDate::from_ymd_opt(2026, 7, 22).expect("a date") + chrono::Days::new(second / 86_400);
    // A workflow belongs to a project, a user to a tenant; some are used more than others.
    let workflow = pick(8, 60).min(pick(20, 60));
    let user = pick(14, 1_000).min(pick(30, 1_000));
    let meter = pick(40, METERS as u64);
    let quantity = 1 + pick(3, 5_000);
    let said = if n.is_multiple_of(5) {
        format!(r#""quantities":{{"m{meter}":{quantity},"m{}":{}}}"#, (meter + 1) % METERS as u64, quantity / 7 + 1)
    } else {
        format!(r#""quantity":{quantity}"#)
    };
    let status = if pick(50, 25) == 0 { "failed" } else { "succeeded" };
    let region = ["eu", "us", "ap", "sa"][usize::try_from(pick(33, 4)).expect("small")];
    let json = format!(
        r#"{{"id":"{mixed:016x}-{n:x}","source":"s{}","type":"m{meter}","time":"{day}T{:02}:{:02}:{:02}Z","data":{{{said},"project":"p{}","workflow":"w{workflow}","user":"u{user}","tenant":"t{}","status":"{status}","attributes":{{"region":"{region}","model":"m{}"}}}}}}"#,
        pick(5, 4),
        second / 3_600 % 24,
        second / 60 % 60,
        second % 60,
        workflow % 10,
        user % 40,
        pick(55, 5),
    );
    Event::from_json(&json, Form::Plain).expect("a good event")
}

async fn org(store: &Store) -> OrgId {
    let line =
        |meter: usize| format!(r#"{{"meter":"m{meter}","rule":"unit","price":"0.{}","per":1000000}}"#, meter + 1);
    let lines: Vec<String> = (0..METERS).map(line).collect();
    let lines = serde_json::from_str(&format!("[{}]", lines.join(","))).expect("good rate lines");
    let words = ledger::Words::default();
    let new = NewOrg {
        offers: store::Offers::default(),
        name: "Large".to_owned(),
        zone: "UTC".to_owned(),
        synthetic: true,
        words,
        meters: vec![],
        agents: vec![],
        lines,
    };
    store.create_org(new).await.expect("a new org").id
}
