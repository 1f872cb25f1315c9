//! What each preset promises, with its figures: an org is made from it, events are posted, credits and balance are read.

use super::common::{Client, Server};
use ledger::{Credits, GrantKind};
use scrip_server::command::Command;
use serde_json::{Value, json};
use store::NewGrant;

/// An org of a preset, with so many credits.
async fn org<'s>(server: &'s Server, name: &str, preset: &str, credits: &str) -> Client<'s> {
    server.create_org(name, preset).await;
    let amount = Credits::parse(credits).expect("an amount");
    let new = NewGrant::of(GrantKind::Purchase, amount, "Bought");
    server.run(Command::Grant { org: name.to_owned(), new }).await;
    Client::of(server, name).await
}

/// What an event cost; it must be taken.
async fn cost(client: &Client<'_>, id: &str, source: &str, operation: &str, data: Value) -> String {
    let event = json!({"id": id, "source": source, "type": operation, "data": data});
    let answer = client.write("events", &event).await;
    assert_eq!(answer["accepted"], 1, "{answer}");
    answer["credits"].as_str().expect("credits").to_owned()
}

/// Why an event was refused.
async fn refusal(client: &Client<'_>, source: &str, operation: &str, data: Value) -> String {
    let event = json!({"id": "refused", "source": source, "type": operation, "data": data});
    let answer = client.post("events", &event).await.json();
    answer["errors"][0]["code"].as_str().or(answer["code"].as_str()).unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn words(server: &Server, name: &str) -> [String; 3] {
    let org = server.store.org_by_name(name).await.expect("readable").expect("there");
    [org.words.unit, org.words.workflow, org.words.workflows]
}

#[tokio::test]
async fn viewer_platform() {
    let server = Server::start().await;
    let client = org(&server, "Viewers", "viewer-platform", "100").await;
    for (seconds, credits) in [(0, "1.000000"), (600, "1.000000"), (601, "2.000000"), (3_600, "6.000000")] {
        let data = json!({"quantity": seconds});
        let id = format!("session-{seconds}");
        assert_eq!(cost(&client, &id, "embedded", "viewer_session", data.clone()).await, credits, "{seconds} s");
        assert_eq!(cost(&client, &id, "platform", "viewer_session", data).await, "0.000000", "{seconds} s");
    }
    for source in ["platform", "embedded", "backend"] {
        assert_eq!(cost(&client, "export", source, "export", json!({})).await, "1.000000");
    }
    for (source, operation) in [("embedded", "computation"), ("platform", "computation"), ("backend", "viewer_session")]
    {
        assert_eq!(refusal(&client, source, operation, json!({})).await, "no_rate", "{operation} from {source}");
    }
    // 100 − (1 + 1 + 2 + 6) − 3 exports.
    assert_eq!(client.balance().await[0], "87.000000");
    client.assert_verified().await;
}

#[tokio::test]
async fn computations_cost_a_credit_with_every_tenth_one_by_one_or_at_once() {
    let server = Server::start().await;
    for (requests, credits, left) in [(9, "0.000000", 100), (10, "1.000000", 99), (25, "2.000000", 98)] {
        let at_once = org(&server, &format!("{requests} at once"), "viewer-platform", "100").await;
        assert_eq!(cost(&at_once, "all", "backend", "computation", json!({"quantity": requests})).await, credits);
        let singly = org(&server, &format!("{requests} singly"), "viewer-platform", "100").await;
        for n in 1..=requests {
            let charged = cost(&singly, &n.to_string(), "backend", "computation", json!({})).await;
            assert_eq!(charged, if n % 10 == 0 { "1.000000" } else { "0.000000" }, "request {n}");
        }
        for client in [at_once, singly] {
            assert_eq!(client.balance().await[0], format!("{left}.000000"), "{requests}");
        }
    }
}

#[tokio::test]
async fn automation() {
    let server = Server::start().await;
    let client = org(&server, "Automations", "automation", "100").await;
    assert_eq!(words(&server, "Automations").await, ["credits", "Scenario", "Scenarios"]);
    let run = json!({
        "quantities": {"operation": 1, "data_transfer": 250_000_000}, "bytes": 250_000_000,
        "workflow": {"id": "leads", "name": "Leads to the CRM"}, "run": "run-1", "module": {"id": "catch", "name": "Catch"},
    });
    assert_eq!(cost(&client, "module", "webhook", "module_run", run).await, "1.250000", "a run and a quarter gigabyte");
    let agent = |model: &str| json!({"quantities": {"ai_agent": 1}, "attributes": {"model": model}});
    assert_eq!(cost(&client, "small", "webhook", "agent_step", agent("small")).await, "3.000000");
    assert_eq!(cost(&client, "large", "webhook", "agent_step", agent("large")).await, "10.000000");
    // A byte is 0.001 micro-credits: the thousandth of them is charged.
    for byte in 1..=999 {
        let data = json!({"quantities": {"data_transfer": 1}});
        assert_eq!(cost(&client, &format!("byte-{byte}"), "schedule", "module_run", data).await, "0.000000");
    }
    let last = json!({"quantities": {"data_transfer": 1}});
    assert_eq!(cost(&client, "byte-1000", "schedule", "module_run", last).await, "0.000001");
    assert_eq!(client.balance().await[0], "85.749999");
    client.assert_verified().await;
}

#[tokio::test]
async fn clinical_api() {
    let server = Server::start().await;
    let client = org(&server, "Clinics", "clinical-api", "10").await;
    let data = |credits: &str| json!({"credits": credits, "tenant": "clinic-3", "user": "clinician-17", "interaction": "consultation-81"});
    for (id, meter, credits, charged) in [
        ("t", "transcript", "0.84", "0.840000"),
        ("f1", "fact", "0.07", "0.070000"),
        ("f2", "fact", "0.0000004", "0.000000"),
        // 0.4 and 0.6 millionths are one.
        ("f3", "fact", "0.0000006", "0.000001"),
        ("d", "document", "1.25", "1.250000"),
    ] {
        assert_eq!(cost(&client, id, "api", meter, data(credits)).await, charged, "{id}");
    }
    assert_eq!(
        refusal(&client, "api", "fact", json!({"interaction": "consultation-81"})).await,
        "credits_not_reported"
    );
    // 10 − 0.84 − 0.07 − 0.000001 − 1.25
    assert_eq!(client.balance().await[0], "7.839999");
    let event = client.read("events/event_1").await;
    for (part, is) in [("tenant", "clinic-3"), ("user", "clinician-17"), ("interaction", "consultation-81")] {
        assert_eq!(event[part], is, "{event}");
    }
    client.assert_verified().await;
}

#[tokio::test]
async fn ai_engine() {
    let server = Server::start().await;
    let client = org(&server, "Engines", "ai-engine", "1000").await;
    let data =
        |seconds: &str, bytes: u64, units: &str| json!({"quantity": seconds, "bytes": bytes, "compute_units": units});
    for (id, meter, data, charged) in [
        // 0.5 + 3,600 × 0.02 + 500 × 0.001 + 12.5 × 0.25 = 0.5 + 72 + 0.5 + 3.125
        ("1", "training", data("3600", 500_000_000, "12.5"), "76.125000"),
        // 0.5 + 1 × 0.02 = 0.52, and at least 1
        ("2", "training", data("1", 0, "0"), "1.000000"),
        // 0.5 + 25 × 0.02 = 1
        ("3", "training", data("25", 0, "0"), "1.000000"),
        // 0.001 + 2.5 × 0.002 + 1.2 × 0.0005 + 0.3 × 0.05 = 0.001 + 0.005 + 0.0006 + 0.015
        ("4", "inference", data("2.5", 1_200_000, "0.3"), "0.021600"),
        // 0.001 + 0.0004 × 0.002 + 1 / 1,000,000 × 0.0005 = 0.0010008005: 0.8005 millionths are carried
        ("5", "inference", data("0.0004", 1, "0"), "0.001000"),
        // and once more: 1.601 of them
        ("6", "inference", data("0.0004", 1, "0"), "0.001001"),
        // 10 × 0.0005 + 1 × 0.004 = 0.009, and at least 0.01
        ("7", "data_processing", data("10", 1_000_000, "0"), "0.010000"),
        // 100 × 0.0005 + 250 × 0.004 = 0.05 + 1
        ("8", "data_processing", data("100", 250_000_000, "0"), "1.050000"),
    ] {
        assert_eq!(cost(&client, id, "platform", meter, data).await, charged, "{id} {meter}");
    }
    assert_eq!(client.balance().await[0], "920.791399");
    client.assert_verified().await;
}

#[tokio::test]
async fn token_billing() {
    let server = Server::start().await;
    let client = org(&server, "Tokens", "token-billing", "10.00").await;
    let images = json!({"quantities": {"images": 100_000}});
    assert_eq!(cost(&client, "all", "api", "ai_images", images).await, "10.000000", "10.00 buys 100,000 images");
    assert_eq!(client.balance().await, ["0.000000", "0.000000", "0.000000"]);
    assert_eq!(words(&server, "Tokens").await[0], "$");

    let client = org(&server, "Calls", "token-billing", "10.00").await;
    for (meter, charged) in
        [("input_tokens", "0.600000"), ("completion_tokens", "1.000000"), ("cached_tokens", "0.075000")]
    {
        let data = json!({"quantities": {meter: 1_000_000}});
        assert_eq!(cost(&client, meter, "api", "ai_text", data).await, charged, "a million {meter}");
    }
    assert_eq!(cost(&client, "image", "api", "ai_images", json!({"quantities": {"images": 1}})).await, "0.000100");
    // 2,000 × 0.6 µ + 1,024 × 0.075 µ + 300 × 1 µ = 1,200 + 76.8 + 300
    let call = json!({"quantities": {"input_tokens": 2_000, "cached_tokens": 1_024, "completion_tokens": 300}});
    assert_eq!(cost(&client, "call", "api", "ai_text", call).await, "0.001576");
    assert_eq!(client.balance().await[0], "8.323324");
    // Each quantity of the call is a credit type and a charge of its own.
    let event = client.read("events/event_5").await;
    assert_eq!(event["type"], "ai_text");
    let charged: Vec<[&str; 2]> = event["charges"]
        .as_array()
        .expect("charges")
        .iter()
        .map(|charge| ["meter", "credits"].map(|part| charge[part].as_str().expect("said")))
        .collect();
    assert_eq!(
        charged,
        [["cached_tokens", "0.000076"], ["completion_tokens", "0.000300"], ["input_tokens", "0.001200"]]
    );
    let org = server.store.org_by_name("Calls").await.expect("readable").expect("there");
    let meters = server.store.meters(org.id).await.expect("readable");
    let services: Vec<(&str, &str)> = meters.iter().map(|info| (info.meter.as_str(), info.service.as_str())).collect();
    assert_eq!(
        services,
        [
            ("input_tokens", "ai_data"),
            ("completion_tokens", "ai_data_completion"),
            ("cached_tokens", "ai_data_cached"),
            ("images", "ai_images"),
        ]
    );
    client.assert_verified().await;
}
