//! An hour of a production service: exactly 17.505787 credits and 19,366 calls, whichever way it comes in.

use super::common::{ORG, Server, shared_data};
use scrip_server::cli::Office;
use scrip_server::import::mapping::{Mapper, Mapping};
use scrip_server::import::run::{Job, run};
use serde_json::{Value, json};
use std::path::Path;

const CREDITS: &str = "17.505787";
const LEFT: &str = "82.494213";
const ROWS: u64 = 19_366;

async fn import(server: &Server, file: &Path, dry_run: bool) -> (u64, u64, u64, String) {
    let mapping = Mapping::named("azure-llm").expect("a mapping");
    let rejects = Some(server.folder.path().join("rejects.csv"));
    let job = Job { file: file.to_owned(), org: ORG.to_owned(), mapping, dry_run, rejects };
    let summary = run(&mut Office::Here(server.store.clone()), job).await.expect("imported");
    let tally = summary.tally;
    (tally.accepted, tally.duplicate, tally.rejected, tally.credits.to_string())
}

/// The rows as events, with ids of their own.
fn events(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("readable");
    let rows = text.lines().skip(1).enumerate();
    rows.map(|(number, line)| {
        let mut columns = line.split(',');
        let time = columns.next().expect("a time").replace(' ', "T") + "Z";
        let mut tokens = || columns.next().expect("tokens").parse::<u64>().expect("a number");
        json!({
            "specversion": "1.0", "id": format!("row-{number}"), "source": "api", "type": "ai_text", "time": time,
            "data": {"quantities": {"input_tokens": tokens(), "completion_tokens": tokens()}}
        })
    })
    .collect()
}

async fn assert_figures(server: &Server) {
    assert_eq!(server.available().await, LEFT);
    let usage = server.get("/api/v1/usage?from=2023-11-16&to=2023-11-16&group_by=type").await.json();
    assert_eq!((usage["total"]["credits"].as_str(), usage["total"]["events"].as_u64()), (Some(CREDITS), Some(ROWS)));
    let quantities: Vec<&str> =
        usage["series"].as_array().expect("series").iter().map(|s| s["quantity"].as_str().expect("one")).collect();
    assert_eq!(quantities, ["22361870", "4088665"]);
    let verified = server.store.verify(|_, _| ()).await.expect("verified");
    assert_eq!(verified.problems, Vec::<String>::new());
}

#[tokio::test]
async fn imported_once_or_often_whole_or_in_parts() {
    let Some(file) = shared_data("azure_llm_conv.csv") else { return };
    let server = Server::start().await;
    assert_eq!(import(&server, &file, true).await, (ROWS, 0, 0, CREDITS.to_owned()));
    assert_eq!(server.available().await, "100.000000", "a dry run posts nothing");
    // The last third first, then the whole, then the whole again.
    let text = std::fs::read_to_string(&file).expect("readable");
    let lines: Vec<&str> = text.lines().collect();
    let part = server.folder.path().join("part.csv");
    std::fs::write(&part, format!("{}\n{}\n", lines[0], lines[13_000..].join("\n"))).expect("written");
    let (accepted, ..) = import(&server, &part, false).await;
    assert_eq!(accepted, 6_367);
    let (accepted, duplicate, rejected, _) = import(&server, &file, false).await;
    assert_eq!((accepted, duplicate, rejected), (12_999, 6_367, 0));
    assert_eq!(import(&server, &file, false).await, (0, ROWS, 0, "0.000000".to_owned()));
    assert_figures(&server).await;
}

#[tokio::test]
async fn posted_as_batches() {
    let Some(file) = shared_data("azure_llm_conv.csv") else { return };
    let server = Server::start().await;
    let events = events(&file);
    for batch in events.chunks(10_000).chain(events.chunks(7)).take(200) {
        let reply = server.post("application/cloudevents-batch+json", Value::from(batch.to_vec()).to_string()).await;
        assert_eq!((reply.status.as_u16(), reply.json()["rejected"].as_u64()), (200, Some(0)));
    }
    assert_figures(&server).await;
}

#[tokio::test]
async fn posted_as_lines_and_sent_again() {
    let Some(file) = shared_data("azure_llm_conv.csv") else { return };
    let server = Server::start().await;
    let lines: String = events(&file).iter().map(|event| format!("{event}\n")).collect();
    let reply = server.post("application/x-ndjson", lines.clone()).await.json();
    assert_eq!((reply["accepted"].as_u64(), reply["credits"].as_str()), (Some(ROWS), Some(CREDITS)));
    let reply = server.post("application/x-ndjson", lines).await.json();
    assert_eq!((reply["duplicate"].as_u64(), reply["credits"].as_str()), (Some(ROWS), Some("0.000000")));
    assert_figures(&server).await;
}

#[tokio::test]
async fn a_chat_trace_is_served_in_part_from_its_cache() {
    let Some(file) = shared_data("mooncake_conversation.jsonl") else { return };
    let server = Server::start().await;
    server.grant("1000").await;
    let mapping = Mapping::named("mooncake").expect("a mapping");
    let job =
        || Job { file: file.clone(), org: ORG.to_owned(), mapping: mapping.clone(), dry_run: false, rejects: None };
    let summary = run(&mut Office::Here(server.store.clone()), job()).await.expect("imported");
    assert_eq!((summary.tally.accepted, summary.tally.rejected), (12_031, 0));
    let again = run(&mut Office::Here(server.store.clone()), job()).await.expect("imported");
    assert_eq!((again.tally.duplicate, again.tally.accepted), (12_031, 0));
    let usage = server.get("/api/v1/usage?from=2024-11-21&to=2024-11-21&group_by=type").await.json();
    let of = |name: &str| {
        let series = usage["series"].as_array().expect("series").iter().find(|s| s["key"]["type"] == name).expect(name);
        series["quantity"].as_str().expect("one").parse::<u64>().expect("a number")
    };
    // Counted once more, another way: by the row in which each block came first.
    let text = std::fs::read_to_string(&file).expect("readable");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let number = |value: &Value| value.as_u64().expect("a number");
    let blocks = |row: &Value| row["hash_ids"].as_array().expect("blocks").iter().map(number).collect::<Vec<_>>();
    let mut first = std::collections::HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        for block in blocks(row) {
            first.entry(block).or_insert(place);
        }
    }
    let (mut input, mut cached, mut output) = (0, 0, 0);
    for (place, row) in rows.iter().enumerate() {
        let blocks = blocks(row);
        let leading = blocks.iter().position(|block| first[block] == place).unwrap_or(blocks.len()) as u64;
        let served = (leading * 512).min(number(&row["input_length"]));
        cached += served;
        input += number(&row["input_length"]) - served;
        output += number(&row["output_length"]);
    }
    assert_eq!((input, cached, output), (90_695_412, 54_098_411, 4_122_048));
    assert_eq!((of("input_tokens"), of("cached_tokens"), of("completion_tokens")), (input, cached, output));
    // ⌊90,695,412 × 0.6⌋ + ⌊54,098,411 × 0.075⌋ + 4,122,048 = 54,417,247 + 4,057,380 + 4,122,048 millionths.
    assert_eq!(summary.tally.credits.to_string(), "62.596675");
    assert_eq!(server.available().await, "1037.403325");
}

#[tokio::test]
async fn a_cloud_bill_is_taken_as_reported_but_for_what_is_no_usage() {
    let Some(file) = shared_data("focus_sample.csv") else { return };
    let server = Server::start().await;
    server.create_org("Clouds", "cloud-costs").await;
    let mapping = Mapping::named("focus").expect("a mapping");
    let rejects = server.folder.path().join("rejects.csv");
    let job =
        Job { file: file.clone(), org: "Clouds".to_owned(), mapping, dry_run: false, rejects: Some(rejects.clone()) };
    let summary = run(&mut Office::Here(server.store.clone()), job).await.expect("imported");
    let tally = summary.tally;
    assert_eq!((summary.read, tally.accepted + tally.rejected), (1_000, 1_000));
    let mut bill = csv::Reader::from_path(&file).expect("a bill");
    let head = bill.headers().expect("a head").clone();
    let column = |name: &str| head.iter().position(|known| known == name).expect("a column");
    let (cost, category) = (column("BilledCost"), column("ChargeCategory"));
    let exact: i128 = bill
        .records()
        .map(|row| row.expect("a row"))
        .filter(|row| &row[category] == "Usage" && !row[cost].starts_with('-'))
        .map(|row| ledger::decimal::parse(&row[cost], 12).expect("a cost"))
        .sum();
    assert_eq!(i128::from(tally.credits.micros()), exact / 1_000_000, "rounded down once, over the whole bill");
    let mut reader = csv::Reader::from_path(rejects).expect("rejected rows");
    let codes: Vec<String> = reader.records().map(|row| row.expect("a row")[1].to_owned()).collect();
    assert_eq!(codes.len() as u64, tally.rejected);
    let count = |code: &str| codes.iter().filter(|known| *known == code).count();
    assert_eq!((count("not_usage"), count("negative_credits")), (3, 12));
}

#[test]
fn the_way_a_row_is_named_does_not_change() {
    // An import that was made by an earlier release must be found again.
    let mut ids = scrip_server::import::rows::Ids::default();
    let fields = [("TIMESTAMP", "2023-11-16 18:15:46.6805900"), ("ContextTokens", "374"), ("GeneratedTokens", "44")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let row = scrip_server::import::rows::Row::new(1, fields);
    let id = ids.next(&row);
    assert_eq!(id, "row-fc0d73e818a726d0ca4015c4268e4d59-1");
    let mut mapper = Mapper::new(Mapping::named("azure-llm").expect("a mapping"));
    assert!(mapper.event(&row, &id).expect("an event").contains(&id));
}
