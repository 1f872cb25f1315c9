//! The events behind a view: what its figures count, and nothing else.

use crate::common::{Bench, NOON, credits, event};
use ledger::{Credits, EventSeq, OrgId, Timestamp};
use std::sync::Arc;
use store::{CorrectionRequest, EventFilter, ExportedEvent};

const ALL: (Timestamp, Timestamp) = (Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX));

async fn read(bench: &Bench, org: OrgId, range: (Timestamp, Timestamp), filter: EventFilter) -> Vec<ExportedEvent> {
    let mut export = bench.store.events_behind(org, range, filter).await.expect("begins");
    let mut events = Vec::new();
    while let Some(some) = export.next().await.expect("reads") {
        events.extend(some);
    }
    events
}

fn spent(events: &[ExportedEvent]) -> Credits {
    Credits::sum(events.iter().flat_map(|event| event.used.iter().flatten().map(|(_, credits)| *credits)))
        .expect("fits")
}

fn only(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

async fn bench() -> (Bench, OrgId) {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100000").await;
    let events = (0..9_000).map(|n| {
        let (source, user) = (["api", "web"][n % 2], ["ann", "bob", "=cmd"][n % 3]);
        let project = if n % 5 == 0 { r#","project":{"id":"p1","name":"One"}"# } else { "" };
        let status = if n % 4 == 0 { "failed" } else { "succeeded" };
        let region = ["eu", "us"][n / 2 % 2];
        event(&format!(
            r#"{{"id":"{n}","source":"{source}","type":"op","time":"2026-11-{:02}T10:00:00Z","data":{{
                "quantities":{{"export":1,"input_tokens":1000}},"user":"{user}","status":"{status}",
                "attributes":{{"region":"{region}"}}{project}}}}}"#,
            1 + n % 20,
        ))
    });
    bench.ingest(org, events.collect()).await;
    (bench, org)
}

#[tokio::test]
async fn a_file_has_every_event_once_in_order_and_adds_up_to_the_ledger() {
    let (bench, org) = bench().await;
    let events = read(&bench, org, ALL, EventFilter::default()).await;
    assert_eq!(events.len(), 9_000);
    assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(spent(&events), bench.store.totals(org).await.expect("totals").spent);
    let first = &events[0];
    assert_eq!((first.id.as_str(), first.places[1].id.as_str(), first.failed), ("0", "api", true));
    assert_eq!((first.places[2].id.as_str(), first.places[2].name.as_deref()), ("p1", Some("One")));
    assert_eq!(first.attributes, [("region".to_owned(), "eu".to_owned())]);
    assert!(Arc::ptr_eq(&first.places[1], &events[2].places[1]), "a name is in memory once");
}

#[tokio::test]
async fn filters_hold_together_and_an_empty_one_stands_for_what_was_not_said() {
    let (bench, org) = bench().await;
    let filter = EventFilter { sources: only("web"), users: only("ann"), ..EventFilter::default() };
    assert_eq!(read(&bench, org, ALL, filter).await.len(), 1_500);
    let unsaid = EventFilter { projects: only(""), statuses: only("failed"), ..EventFilter::default() };
    let unsaid = read(&bench, org, ALL, unsaid).await;
    assert!(unsaid.len() == 1_800 && unsaid.iter().all(|event| event.places[2].id.is_empty() && event.failed));
    let region = |value: &str| ("region".to_owned(), value.to_owned());
    let eu = EventFilter { attributes: vec![region("eu")], ..EventFilter::default() };
    let both = EventFilter { attributes: vec![region("eu"), region("us")], ..EventFilter::default() };
    let count = (read(&bench, org, ALL, eu).await.len(), read(&bench, org, ALL, both).await.len());
    assert_eq!(count, (4_500, 9_000));
    for nobody in [
        EventFilter { users: only("x"), ..EventFilter::default() },
        EventFilter { types: only("x"), ..EventFilter::default() },
    ] {
        assert_eq!(read(&bench, org, ALL, nobody).await, []);
    }
    let day = (
        Timestamp::from_micros(NOON.micros() - 20 * 86_400_000_000),
        Timestamp::from_micros(NOON.micros() - 19 * 86_400_000_000),
    );
    let exports = EventFilter { types: only("export"), ..EventFilter::default() };
    let exports = read(&bench, org, day, exports).await;
    assert_eq!((exports.len(), spent(&exports)), (450, credits("450")));
}

#[tokio::test]
async fn what_was_voided_is_counted_nowhere() {
    let (bench, org) = bench().await;
    let void = CorrectionRequest::Void { event: EventSeq(1), reason: "twice".to_owned() };
    bench.store.correct(org, "test".to_owned(), void, false, None).await.expect("voided");
    let events = read(&bench, org, ALL, EventFilter::default()).await;
    assert!(events.len() == 8_999 && events[0].seq == EventSeq(2));
    assert_eq!(spent(&events), bench.store.totals(org).await.expect("totals").spent);
}
