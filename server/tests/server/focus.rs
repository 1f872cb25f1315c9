//! The FOCUS file: its columns, their order and their types are those of the format's own sample, and it adds up.

use super::common::{Server, shared_data};
use ledger::{Credits, GrantKind, Money};
use scrip_server::command::Command;
use serde_json::json;
use std::collections::BTreeMap;

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    Null,
    Decimal,
    Time,
    Json,
    Text,
}

/// By the value as it stands in the file; a number in quotes is a text that happens to be digits.
fn type_of(raw: &str) -> Type {
    let inner = raw.trim_matches('"');
    let is_time = inner.len() >= 19 && inner.as_bytes()[4] == b'-' && inner.as_bytes()[13] == b':';
    match raw {
        "NULL" => Type::Null,
        _ if !raw.starts_with('"') => Type::Decimal,
        _ if is_time => Type::Time,
        _ if inner.starts_with('{') => Type::Json,
        _ => Type::Text,
    }
}

/// The cells of a line with their quotes.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        quoted ^= letter == '"';
        match (letter, quoted) {
            (',', false) => cells.push(String::new()),
            _ => cells.last_mut().expect("a cell").push(letter),
        }
    }
    cells
}

fn types(text: &str) -> BTreeMap<String, Vec<Type>> {
    let mut lines = text.lines();
    let heads = cells(lines.next().expect("a head"));
    let mut types: BTreeMap<String, Vec<Type>> = BTreeMap::new();
    for line in lines {
        for (head, cell) in heads.iter().zip(cells(line)) {
            let met = types.entry(head.trim_matches('"').to_owned()).or_default();
            let new = type_of(&cell);
            if !met.contains(&new) {
                met.push(new);
            }
        }
    }
    types
}

async fn filled() -> (Server, String) {
    let server = Server::start().await;
    let cookie = server.person("Acme", "owner", true).await;
    let mut new = store::NewGrant::of(GrantKind::Purchase, Credits::parse("300").expect("an amount"), "=Package");
    new.cost = Some(Money::parse("30.00 USD").expect("money"));
    server.run(Command::Grant { org: "Acme".to_owned(), new }).await;
    let days = ["2026-11-03", "2026-11-03", "2026-11-04"];
    for (number, day) in days.iter().enumerate() {
        let data = json!({
            "quantities": {"input_tokens": 1_500_000, "completion_tokens": 500_000 * number},
            "project": {"id": "p1", "name": "=cmd \"x\", y"},
        });
        let event = json!({"id": number.to_string(), "source": "api", "type": "ai_text", "time": format!("{day}T10:00:00Z"), "data": data});
        assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
    }
    (server, cookie)
}

const RANGE: &str = "from=2026-11-01&to=2026-11-21";

#[tokio::test]
async fn columns_order_and_types_are_those_of_the_format() {
    let (server, cookie) = filled().await;
    let text = server.open(&cookie, &format!("/exports/focus.csv?{RANGE}")).await.text();
    let Some(sample) = shared_data("focus_sample.csv") else { return };
    let sample = std::fs::read_to_string(sample).expect("readable");
    let heads = |text: &str| -> Vec<String> {
        cells(text.lines().next().expect("a head")).iter().map(|head| head.trim_matches('"').to_owned()).collect()
    };
    // The sample counts its rows in a column that the format does not have.
    let expected: Vec<String> = heads(&sample).into_iter().filter(|head| head != "Id").collect();
    let (standard, ours): (Vec<String>, Vec<String>) =
        heads(&text).into_iter().partition(|head| !head.starts_with("x_"));
    assert_eq!(standard, expected);
    assert_eq!(ours, ["x_Calls", "x_CreditType", "x_CreditUnit", "x_Credits", "x_Source"]);
    let (theirs, found) = (types(&sample), types(&text));
    for column in &standard {
        for met in found[column].iter().filter(|met| **met != Type::Null) {
            // The sample writes the numbers of unit prices as text in quotes, and has not met every column.
            let known: Vec<Type> = theirs[column].iter().copied().filter(|known| *known != Type::Null).collect();
            let is_unit_price = column.ends_with("UnitPrice") && *met == Type::Decimal;
            assert!(known.is_empty() || known.contains(met) || is_unit_price, "{column}: {met:?}, not {known:?}");
        }
    }
}

#[tokio::test]
async fn what_was_paid_is_billed_once_and_spread_over_what_was_used() {
    let (server, cookie) = filled().await;
    let text = server.open(&cookie, &format!("/exports/focus.csv?{RANGE}")).await.text();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().expect("a head").clone();
    let rows: Vec<BTreeMap<String, String>> = reader
        .records()
        .map(|row| heads.iter().map(str::to_owned).zip(row.expect("a row").iter().map(str::to_owned)).collect())
        .collect();
    let of = |category: &str| rows.iter().filter(|row| row["ChargeCategory"] == category).collect::<Vec<_>>();
    let (usage, bought) = (of("Usage"), of("Purchase"));
    // 3 × 0.90 credits of input, 0.50 and 1.00 of output; two days, two credit types.
    let micros = |row: &&BTreeMap<String, String>| Credits::parse(&row["x_Credits"]).expect("credits").micros();
    assert_eq!((usage.len(), usage.iter().map(micros).sum::<i64>()), (4, 4_200_000));
    assert_eq!(
        (bought.len(), bought[0]["BilledCost"].as_str(), bought[0]["EffectiveCost"].as_str()),
        (1, "30.0000000000", "0.0000000000")
    );
    assert_eq!(bought[0]["ChargeDescription"], "'=Package", "no formula");
    // 30.00 USD for 300 credits.
    let first = &usage[0];
    assert_eq!((first["BilledCost"].as_str(), first["ListUnitPrice"].as_str()), ("0.0000000000", "0.1000000000"));
    let scaled = |row: &&BTreeMap<String, String>| ledger::decimal::parse(&row["EffectiveCost"], 10).expect("a cost");
    assert_eq!(usage.iter().map(scaled).sum::<i128>(), 4_200_000_000);
    assert_eq!(first["ChargePeriodStart"], "2026-11-03T00:00:00Z");
    assert_eq!(
        (first["BillingPeriodStart"].as_str(), first["BillingPeriodEnd"].as_str()),
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    );
    assert_eq!((first["SubAccountId"].as_str(), first["SubAccountName"].as_str()), ("p1", "'=cmd \"x\", y"));
    let filtered = server.open(&cookie, &format!("/exports/focus.csv?{RANGE}&source=api")).await.text();
    assert!(!filtered.contains("Purchase"), "a purchase has no source");
}
