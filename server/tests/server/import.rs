//! Importing files that somebody made by hand.

use super::common::{ORG, Server};
use scrip_server::cli::Office;
use scrip_server::import::mapping::Mapping;
use scrip_server::import::run::{Job, Summary, run};
use std::path::PathBuf;

async fn import(server: &Server, name: &str, text: &[u8], dry_run: bool) -> (Summary, PathBuf) {
    let file = server.folder.path().join(name);
    std::fs::write(&file, text).expect("written");
    let mapping = Mapping::named(if name.ends_with("csv") { "azure-llm" } else { "mooncake" }).expect("a mapping");
    let rejects = file.with_extension("rejects");
    let job = Job { file, org: ORG.to_owned(), mapping, dry_run, rejects: Some(rejects.clone()) };
    (run(&mut Office::Here(server.store.clone()), job).await.expect("imported"), rejects)
}

const HEAD: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

#[tokio::test]
async fn bad_rows_are_named_and_good_ones_kept() {
    let server = Server::start().await;
    let mut text = HEAD.to_owned().into_bytes();
    text.extend_from_slice(b"2023-11-16 18:15:46.6805900,1000000,0\n");
    text.extend_from_slice(b"yesterday,1,1\n");
    text.extend_from_slice(b"2023-11-16 18:15:47,-5,1\n");
    text.extend_from_slice(b"2023-11-16 18:15:47,5\n");
    text.extend_from_slice(b"2023-11-16 18:15:47,\xff,1\n");
    text.extend_from_slice(b"1823-11-16 18:15:47,1,1\n");
    text.extend_from_slice(b"2023-11-16 18:15:48,1000000,0\n");
    let (summary, rejects) = import(&server, "rows.csv", &text, false).await;
    let tally = summary.tally;
    assert_eq!((summary.read, tally.accepted, tally.rejected), (7, 2, 5));
    assert_eq!(tally.credits.to_string(), "1.200000");
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(rejects).expect("a file");
    let rows: Vec<(String, String)> =
        rows.records().map(|row| row.expect("a row")).map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(number, code)| (number.as_str(), code.as_str())).collect();
    // What the server refuses comes after what was refused here.
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    let expected =
        [("2", "bad_time"), ("3", "negative_quantity"), ("4", "bad_row"), ("5", "bad_row"), ("6", "time_out_of_range")];
    assert_eq!(sorted, expected);
}

#[tokio::test]
async fn rows_alike_count_each_and_again_not_at_all() {
    let server = Server::start().await;
    let row = "2023-11-16 18:15:46,1000000,0\n";
    let text = format!("{HEAD}{row}{row}{row}");
    let (summary, rejects) = import(&server, "rows.csv", text.as_bytes(), false).await;
    assert_eq!((summary.tally.accepted, summary.tally.credits.to_string()), (3, "1.800000".to_owned()));
    assert!(!rejects.exists(), "nothing was rejected, so there is no file");
    let (summary, _) = import(&server, "rows.csv", text.as_bytes(), false).await;
    assert_eq!((summary.tally.accepted, summary.tally.duplicate), (0, 3));
    // Another order of columns is the same usage.
    let turned = "GeneratedTokens,TIMESTAMP,ContextTokens\n0,2023-11-16 18:15:46,1000000\n";
    let (summary, _) = import(&server, "turned.csv", turned.as_bytes(), false).await;
    assert_eq!((summary.tally.accepted, summary.tally.duplicate), (0, 1));
}

#[tokio::test]
async fn a_dry_run_counts_and_leaves_nothing_behind() {
    let server = Server::start().await;
    let lines = b"{\"timestamp\":0,\"input_length\":1000,\"output_length\":0,\"hash_ids\":[1]}\nnonsense\n";
    let (summary, rejects) = import(&server, "rows.jsonl", lines, true).await;
    let tally = summary.tally;
    assert_eq!((tally.accepted, tally.rejected, tally.credits.to_string()), (1, 1, "0.000600".to_owned()));
    assert!(!rejects.exists());
    assert_eq!(server.available().await, "100.000000");
}

#[tokio::test]
async fn blocks_that_came_before_are_charged_as_cached() {
    let server = Server::start().await;
    let row = |at: u32, output: u32, blocks: &str| {
        format!("{{\"timestamp\":{at},\"input_length\":1500,\"output_length\":{output},\"hash_ids\":{blocks}}}\n")
    };
    let text = [row(0, 10, "[1,2,3]"), row(500, 20, "[1,2,9]"), row(900, 5, "[1,2,3]")].concat();
    let (summary, _) = import(&server, "trace.jsonl", text.as_bytes(), false).await;
    // 1,500 + 476 + 0 tokens in, 0 + 1,024 + 1,500 cached, 35 out: 1,185.6 + 189.3 + 35 millionths, each rounded down.
    assert_eq!((summary.tally.accepted, summary.tally.credits.to_string()), (3, "0.001409".to_owned()));
    assert_eq!(server.available().await, "99.998591");
}

/// Rows of the last hour bring the balance below its limit and use up what a rule watches: noted, and sent to nobody.
#[tokio::test]
async fn an_import_of_the_last_hour_tells_nobody() {
    let server = Server::start().await;
    let key = server.create_key(ORG, &["alerts:write", "ledger:read"]).await;
    let org = server.store.org_by_name(ORG).await.expect("reads").expect("there").id;
    let known = server.store.org_settings(org).await.expect("reads");
    let available = server.store.balance(org).await.expect("reads").available;
    let low = available.minus(ledger::Credits::from_micros(600_000)).expect("fits");
    let settings = ledger::OrgSettings { low_balance: Some(low), ..known };
    server.store.set_org_settings(store::By::command(), org, settings).await.expect("set");
    let bearer = format!("Bearer {key}");
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", "one")];
    let rule = r#"{"title": "Day", "kind": "spend_above", "amount": "1", "per": "day"}"#;
    assert_eq!(server.send("POST", "/api/v1/alerts", &headers, rule.to_owned()).await.status.as_u16(), 201);
    let at = server.store.now().to_chrono().expect("in range").format("%Y-%m-%d %H:%M:%S");
    let text = format!("{HEAD}{at},1000000,0\n{at},1000001,0\n");
    let (summary, _) = import(&server, "rows.csv", text.as_bytes(), false).await;
    assert_eq!((summary.tally.accepted, summary.tally.credits > ledger::Credits::from_micros(1_000_000)), (2, true));
    server.store.look_at_alerts(org).await.expect("looks");
    let page = store::FiringPage { limit: 10, ..store::FiringPage::default() };
    let fired = server.store.alert_history(org, page).await.expect("reads");
    assert_eq!(fired.iter().map(|row| row.silence.as_deref()).collect::<Vec<_>>(), [Some("imported")]);
    let conn = rusqlite::Connection::open(server.folder.path().join("scrip.db")).expect("opens");
    let sql = "SELECT count(*) FROM message WHERE kind <> 'grant.created'";
    assert_eq!(conn.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("counts"), 0, "nothing is in the outbox");
}
