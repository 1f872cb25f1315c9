//! The built binary: grants, corrections, policies, and what a server does by itself.

use super::cli::{Running, fails, folder, get, ok, runtime};
use serde_json::json;

#[test]
fn grants_are_given_on_all_terms() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme"]);
    fn grant<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["grant", "--org", "Acme", "--amount", "100"], more].concat()
    }
    let plan = ["--kind", "plan", "--expires-at", "2199-01-01T00:00:00Z"];
    let given = ok(
        data.path(),
        &grant(
            &[
                &plan[..],
                &[
                    "--priority",
                    "-3",
                    "--cost",
                    "50.00 EUR",
                    "--meter",
                    "images",
                    "--rollover",
                    "custom",
                    "--rollover-cap",
                    "20%",
                    "--rollover-months",
                    "2",
                ],
            ]
            .concat(),
        ),
    );
    assert!(given.starts_with("grant_1 100.000000 credits to Acme: 100.000000 available"), "{given}");
    assert!(
        ok(data.path(), &grant(&["--effective-at", "2198-01-01T00:00:00Z"]))
            .contains("grant_2 100.000000 credits to Acme: 100.000000 available")
    );
    for (more, word) in [
        (&["--kind", "gift"][..], "plan, purchase"),
        (&["--cost", "50.001 EUR"], "2 decimals"),
        (&["--cost", "50 Euro"], "ISO 4217"),
        (&["--cost", "-1 EUR"], "below zero"),
        (&["--meter", "teleports"], "teleports"),
        (&["--project", "unknown"], "unknown"),
        (&["--rollover", "professional"], "plan"),
        (&["--rollover-cap", "20%"], "--rollover custom"),
        (&["--rollover", "custom"], "--rollover-months"),
        (&["--effective-at", "2030-01-01T00:00:00Z", "--expires-at", "2029-01-01T00:00:00Z"], "expires_at"),
        (&["--effective-at", "yesterday"], "RFC 3339"),
    ] {
        assert!(fails(data.path(), &grant(more)).contains(word), "{more:?}");
    }
    assert!(ok(data.path(), &["org", "list"]).contains("Acme\tUTC\t100.000000"));
    ok(data.path(), &["verify"]);
}

#[test]
fn corrections_say_what_they_change_before_and_after_they_are_booked() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "10"]);
    let rows = data.path().join("rows.csv");
    std::fs::write(&rows, "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,1000000,0\n")
        .expect("written");
    let file = rows.to_str().expect("UTF-8");
    ok(data.path(), &["import", file, "--org", "Acme", "--mapping", "azure-llm"]);
    let void = ["correct", "void", "event_1", "--org", "Acme", "--reason", "Never happened"];
    let preview = ok(data.path(), &[&void[..], &["--preview"]].concat());
    assert!(preview.starts_with("preview, nothing is booked"), "{preview}");
    let changes = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let booked = ok(data.path(), &void);
    assert!(booked.starts_with("booked as entry_4"), "{booked}");
    assert_eq!(changes(&preview), changes(&booked));
    for line in [
        "2023-11, which is closed",
        "available\t9.400000 → 10.000000\t(+0.600000)",
        "grant_1\t9.400000 → 10.000000",
        "analytics 2023-11-16\tinput_tokens",
    ] {
        assert!(booked.contains(line), "{line} in {booked}");
    }
    assert!(fails(data.path(), &void).contains("voided already"));
    assert!(fails(data.path(), &["correct", "adjust", "-5", "--org", "Acme"]).contains("reason"));
    assert!(
        fails(data.path(), &["correct", "adjust", "-50", "--org", "Acme", "--reason", "x"]).contains("only 10.000000")
    );
    let taken =
        ok(data.path(), &["correct", "adjust", "-5", "--org", "Acme", "--reason", "Agreed", "--grant", "grant_1"]);
    assert!(taken.contains("available\t10.000000 → 5.000000\t(-5.000000)"), "{taken}");
    let with = r#"{"id":"n","source":"api","type":"images"}"#;
    assert!(
        fails(data.path(), &["correct", "replace", "event_1", "--org", "Acme", "--reason", "x", "--with", with])
            .contains("already")
    );
    ok(data.path(), &["verify"]);
}

#[test]
fn policies_are_said_and_set() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme"]);
    assert_eq!(ok(data.path(), &["org", "policy", "Acme"]), "Acme: pause\n");
    let set = ok(data.path(), &["org", "policy", "Acme", "overdraft", "--limit", "50"]);
    assert_eq!(set, "Acme: overdraft, up to 50.000000 credits of debt\n");
    assert_eq!(ok(data.path(), &["org", "policy", "Acme"]), set);
    for args in [&["overdraft"][..], &["pause", "--limit", "5"], &["go_on"], &["finish_in_flight", "--limit", "0"]] {
        assert!(fails(data.path(), &[&["org", "policy", "Acme"], args].concat()).contains("choose"), "{args:?}");
    }
    assert_eq!(ok(data.path(), &["org", "policy", "Acme"]), set);
}

#[test]
fn a_running_server_books_what_runs_out() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "10"]);
    let key = ok(data.path(), &["key", "create", "--org", "Acme", "--scope", "admin"]);
    let server = Running::start(data.path());
    let body = json!({"amount": "4", "expires_in_s": 1});
    runtime().block_on(async {
        let request = super::common::http().post(format!("{}/api/v1/holds", server.url)).bearer_auth(key.trim_end());
        assert_eq!(request.json(&body).send().await.expect("answered").status().as_u16(), 201);
    });
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    // The next server finds it due, or soon to be, and nobody writes.
    let server = Running::start(data.path());
    let entries =
        || get(&server.url, key.trim_end(), "/api/v1/ledger?kind=hold_expiry")["items"].as_array().map_or(0, Vec::len);
    let patience = store::clock::Stopwatch::start();
    while entries() == 0 {
        assert!(patience.elapsed().as_secs() < 30, "not booked");
        std::thread::yield_now();
    }
    assert_eq!(get(&server.url, key.trim_end(), "/api/v1/balance")["held"], "0.000000");
}
