//! Reports: page and files say the same, and it is what the events add up to, however they are told apart.

use super::common::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SEED: u64 = 20_261_122;
const EVENTS: usize = 160;
const DAY_FROM: &str = "2026-11-01";
const DAY_TO: &str = "2026-11-20";

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("small")
    }
}

/// Names that ought to come through links, files and pages as they are.
const HOSTILE: [&str; 4] = ["../a\"b'<c>", "=1+1", "😀 ünï", "a&b=c#d?e%20"];

/// What an event said, and its micro-credits by credit type.
struct Sent {
    day: String,
    said: BTreeMap<&'static str, String>,
    cost: BTreeMap<&'static str, i64>,
}

fn sent(random: &mut Random, number: usize) -> (Sent, Value) {
    let day = format!("2026-11-{:02}", 1 + random.below(20));
    let (mut said, mut data) = (BTreeMap::new(), json!({}));
    for name in ["project", "workflow", "user", "tenant"] {
        let value = random.below(HOSTILE.len() + 1);
        if value > 0 {
            data[name] = HOSTILE[value - 1].into();
            said.insert(name, HOSTILE[value - 1].to_owned());
        }
    }
    let source = format!("source{}", random.below(3));
    said.insert("source", source.clone());
    let (input, output) = (1 + random.below(5), random.below(3));
    let mut cost = BTreeMap::from([("input_tokens", 600_000 * i64::try_from(input).expect("small"))]);
    data["quantities"] = json!({"input_tokens": input * 1_000_000});
    if output > 0 {
        data["quantities"]["completion_tokens"] = (output * 1_000_000).into();
        cost.insert("completion_tokens", 1_000_000 * i64::try_from(output).expect("small"));
    }
    let time = format!("{day}T{:02}:{:02}:00Z", random.below(24), random.below(60));
    let event = json!({"id": number.to_string(), "source": source, "type": "ai_text", "time": time, "data": data});
    (Sent { day, said, cost }, event)
}

/// A server with such events, some of them in wide usage, some not yet, and some taken back.
async fn filled() -> (Server, String, Vec<Sent>) {
    println!("seed {SEED}");
    let (server, mut random) = (Server::start().await, Random(SEED));
    let cookie = server.person("Acme", "owner", true).await;
    let mut all = Vec::new();
    for number in 0..EVENTS {
        let (sent, event) = sent(&mut random, number);
        assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
        all.push(sent);
        if number == EVENTS / 2 {
            while server.store.widen().await.expect("runs") > 0 {}
        }
    }
    (server, cookie, all)
}

fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers().expect("a head").clone();
    reader
        .records()
        .map(|record| {
            let record = record.expect("a line");
            heads.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
        })
        .collect()
}

fn micros(text: &str) -> i64 {
    ledger::Credits::parse(text).expect(text).micros()
}

/// As the file has a text that a spreadsheet would run.
fn kept(text: &str) -> String {
    if text.starts_with('=') { format!("'{text}") } else { text.to_owned() }
}

#[tokio::test]
async fn every_report_is_what_the_events_add_up_to() {
    let (server, cookie, events) = filled().await;
    for group in ["project", "workflow", "user", "tenant", "source"] {
        for interval in ["none", "day"] {
            let path = format!("/exports/report.csv?from={DAY_FROM}&to={DAY_TO}&group={group}&interval={interval}");
            let reply = server.open(&cookie, &path).await;
            assert_eq!(reply.status.as_u16(), 200, "{path}");
            let mut rows = rows(&reply.text());
            let total = rows.pop().expect("a total");
            let mut expected: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
            for event in &events {
                let value = event.said.get(group).map_or(format!("No {group}"), |value| kept(value));
                let day = if interval == "day" { event.day.clone() } else { String::new() };
                let sum = expected.entry((day, value)).or_default();
                *sum = (sum.0 + event.cost.values().sum::<i64>(), sum.1 + 1);
            }
            let mut title = group.to_owned();
            title[..1].make_ascii_uppercase();
            let found: BTreeMap<(String, String), (i64, i64)> = rows
                .iter()
                .map(|row| {
                    let key = (row.get("Day").cloned().unwrap_or_default(), row[&title].clone());
                    (key, (micros(&row["Credits"]), row["Calls"].parse().expect("a number")))
                })
                .collect();
            assert_eq!(found, expected, "{path}");
            let sum: i64 = events.iter().flat_map(|event| event.cost.values()).sum();
            assert_eq!((micros(&total["Credits"]), total["Calls"].as_str()), (sum, "160"), "{path}");
        }
    }
}

#[tokio::test]
async fn an_operation_is_split_by_credit_type_and_adds_up() {
    let (server, cookie, events) = filled().await;
    for (filter, counts) in [("", None), ("&source=source1", Some("source1"))] {
        let path = format!("/exports/report.csv?from={DAY_FROM}&to={DAY_TO}&group=operation{filter}");
        let mut rows = rows(&server.open(&cookie, &path).await.text());
        let total = rows.pop().expect("a total");
        let mut expected: BTreeMap<(bool, &str), (i64, i64)> = BTreeMap::new();
        for event in events.iter().filter(|event| counts.is_none_or(|source| event.said["source"] == source)) {
            for (meter, cost) in &event.cost {
                let sum = expected.entry((event.cost.len() > 1, meter)).or_default();
                *sum = (sum.0 + cost, sum.1 + 1);
            }
        }
        let found: BTreeMap<(bool, &str), (i64, i64)> = rows
            .iter()
            .map(|row| {
                let meter = if row["Credit type"].starts_with("Input") { "input_tokens" } else { "completion_tokens" };
                let key = (row["Operation"].contains(" + "), meter);
                (key, (micros(&row["Credits"]), row["Calls"].parse().expect("a number")))
            })
            .collect();
        assert_eq!(found, expected, "{rows:?}");
        assert_eq!(micros(&total["Credits"]), expected.values().map(|(cost, _)| cost).sum::<i64>());
    }
}

#[tokio::test]
async fn the_page_shows_what_the_file_holds_and_each_name_leads_on() {
    let (server, cookie, _) = filled().await;
    for group in ["type", "project", "workflow", "user", "operation"] {
        let query = format!("from={DAY_FROM}&to={DAY_TO}&group={group}");
        let page = server.open(&cookie, &format!("/reports?{query}")).await;
        assert_eq!(page.status.as_u16(), 200, "{query}");
        let page = page.text();
        assert!(page.contains("Difference to the ledger: <span class=\"amount zero\""), "{query}");
        let csv = server.open(&cookie, &format!("/exports/report.csv?{query}")).await.text();
        for row in rows(&csv) {
            // As the page shows it: all six decimals on hover.
            assert!(page.contains(&row["Credits"]), "{} in {query}", row["Credits"]);
        }
        let xlsx = server.open(&cookie, &format!("/exports/report.xlsx?{query}")).await;
        assert_eq!((xlsx.status.as_u16(), &xlsx.body[..2]), (200, b"PK".as_slice()));
        let table = page.split("<table").nth(1).expect("a table");
        let hrefs: Vec<String> = table
            .split("href=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().expect("an end").replace("&amp;", "&"))
            .collect();
        assert!(!hrefs.is_empty());
        for href in hrefs {
            assert!(href.starts_with("/analytics?"), "{href}");
            assert_eq!(server.open(&cookie, &href).await.status.as_u16(), 200, "{href}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_reported_is_told_and_others_see_nothing() {
    let server = Server::start().await;
    let owner = server.person("Acme", "owner", true).await;
    let empty = server.open(&owner, "/reports").await.text();
    assert!(empty.contains("curl -X POST http://127.0.0.1:3000/api/v1/events"), "what to do first");
    let days = "from=2020-01-01&to=2026-01-01&interval=day";
    let reply = server.open(&owner, &format!("/exports/report.csv?{days}")).await;
    assert_eq!(reply.status.as_u16(), 400, "{}", reply.text());
    assert!(server.open(&owner, &format!("/reports?{days}")).await.text().contains("more than 400 periods"));
    let nobody = server.send("GET", "/reports", &[], axum::body::Body::empty()).await;
    assert_eq!((nobody.status.as_u16(), nobody.header("location")), (303, "/sign-in?next=%2Freports"));
}

#[tokio::test]
async fn projects_are_listed_with_what_they_used_and_lead_to_their_analytics() {
    let (server, cookie, events) = filled().await;
    let page = server.open(&cookie, &format!("/projects?from={DAY_FROM}&to={DAY_TO}&source=source1")).await.text();
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events.iter().filter(|event| event.said["source"] == "source1") {
        *expected.entry(event.said.get("project").map_or("", String::as_str)).or_default() +=
            event.cost.values().sum::<i64>();
    }
    let table = page.split("<table").nth(1).expect("a table");
    assert_eq!(
        table.split("<tbody>").nth(1).expect("a body").matches("<tr>").count(),
        expected.len() + 1,
        "and the total"
    );
    for (project, micros) in expected {
        let query = serde_urlencoded::to_string([
            ("from", DAY_FROM),
            ("to", DAY_TO),
            ("source", "source1"),
            ("project", project),
        ]);
        let href = format!("/analytics?{}", query.expect("a query")).replace('&', "&amp;");
        let row = table
            .split("<tr>")
            .find(|row| row.contains(&format!("{href}\"")))
            .unwrap_or_else(|| panic!("{href} in {table}"));
        assert!(row.contains(&ledger::Credits::from_micros(micros).to_string()), "{micros} in {row}");
        assert!(row.contains("<svg"), "its run over time");
    }
    assert!(page.contains("Count all of it") && page.contains("Difference to the ledger"));
}
