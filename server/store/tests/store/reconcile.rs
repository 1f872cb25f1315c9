//! Reconciliation: where all is well nothing is listed, and each thing that is tampered with is found.

use crate::common::{Bench, credits, export};
use crate::invoices::{at, bill_until, file, item, method, org};
use ledger::{Currency, GrantKind, Money, OrgId, Scope};
use rusqlite::params;
use store::{By, CorrectionRequest, NewGrant, reconcile};

/// An org that bought and was given back a part, has a plan, and paid its invoice: everything is connected with everything.
async fn world() -> (Bench, OrgId) {
    let bench = Bench::in_memory().await;
    let org = org(&bench, "UTC").await;
    let eur = Currency::parse("EUR").expect("a currency");
    let grant = |kind, cost: Option<i64>| NewGrant {
        kind,
        amount: credits("100"),
        priority: 0,
        scope: Scope::default(),
        effective_at: None,
        expires_at: None,
        description: "100 credits".to_owned(),
        cost: cost.map(|minor| Money { minor, currency: eur }),
        rollover: None,
    };
    bench.store.give_grant(org, "test".to_owned(), grant(GrantKind::Purchase, Some(5_000)), None).await.expect("good");
    bench.store.give_grant(org, "test".to_owned(), grant(GrantKind::Plan, None), None).await.expect("good");
    bench.ingest(org, vec![export("1")]).await;
    let reason = "Given back".to_owned();
    let request = CorrectionRequest::Adjust { amount: credits("-10"), grant: None, expires_at: None, reason };
    bench.store.correct(org, By::command(), request, false, None).await.expect("good");
    item(&bench, org, "purchase", 5_000, Some(950));
    item(&bench, org, "credit_note", -1_000, Some(-190));
    item(&bench, org, "plan", 2_000, None);
    let now = bench.store.now().micros();
    let conn = file(&bench);
    for statement in [
        "INSERT INTO package VALUES (?1, 1, '100 credits', 100000000, 5000, 'EUR', NULL, ?2, NULL)",
        "INSERT INTO purchase (org_id, purchase_id, package_id, title, credits, net_minor, tax_minor, tax_name, currency, cause, made_at, made_by, paid_at, grant_id)
            VALUES (?1, 1, 1, '100 credits', 100000000, 5000, 950, 'VAT 19 %', 'EUR', 'person', ?2, 'test', ?2, 1)",
        "INSERT INTO payment (org_id, payment_id, purchase_id, provider, amount_minor, currency, state, refunded_minor, idempotency, created_at, changed_at)
            VALUES (?1, 1, 1, 'stripe', 5950, 'EUR', 'succeeded', 1190, '0123456789abcdef', ?2, ?2)",
        "INSERT INTO payment_reference VALUES ('stripe', 'pi_1', ?1, 1)",
        "INSERT INTO provider_message VALUES ('stripe', 'evt_1', 'payment', 'pi_1', ?2, 'applied')",
        "INSERT INTO refund (org_id, refund_id, payment_id, amount_minor, credits, state, cause, reason, idempotency, entry_seq, asked_at, asked_by)
            SELECT ?1, 1, 1, 1190, 10000000, 'succeeded', 'refund', 'Given back', '0123456789abcdef', max(seq), ?2, 'test'
            FROM entry WHERE org_id = ?1",
        "UPDATE invoice_item SET purchase_id = 1 WHERE org_id = ?1 AND item_id <= 2",
        "UPDATE invoice_item SET refund_id = 1 WHERE org_id = ?1 AND item_id = 2",
        "INSERT INTO plan VALUES (?1, 1, 'standard', 'Standard', '', 100000000, 2000, 'EUR', NULL, '{}', NULL, 0, ?2, NULL)",
        "INSERT INTO subscription VALUES (?1, 1, 1, NULL, NULL, ?2, NULL, ?2)",
        "INSERT INTO billing_cycle VALUES (?1, 1, 1, 1, ?2, ?2 + 1, 2, ?2)",
    ] {
        let statement = statement.replace("?1", &org.0.to_string()).replace("?2", &now.to_string());
        conn.execute_batch(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    bill_until(&bench, "2026-12-03T00:00:00Z").await;
    let sql = "INSERT INTO payment (org_id, payment_id, invoice_id, provider, amount_minor, currency, state, idempotency, created_at, changed_at)
            VALUES (?1, 2, 1, 'bank_transfer', 2380, 'EUR', 'succeeded', '0123456789abcdef', ?2, ?2)";
    conn.execute(sql, params![org.0, at("2026-12-04T00:00:00Z").micros()]).expect("a payment");
    bench.store.bill_due().await.expect("works");
    (bench, org)
}

/// What is done to the file behind everybody's back, and the code of what is then found.
const TAMPERINGS: &[(&str, &str)] = &[
    ("UPDATE purchase SET grant_id = NULL, paid_at = NULL", "paid_without_credits"),
    ("UPDATE payment SET state = 'failed' WHERE payment_id = 1", "credits_without_payment"),
    ("UPDATE payment SET amount_minor = 5949 WHERE payment_id = 1", "payment_amount_differs"),
    ("UPDATE payment SET currency = 'USD' WHERE payment_id = 1", "payment_amount_differs"),
    (
        "INSERT INTO payment (org_id, payment_id, purchase_id, provider, amount_minor, currency, state, idempotency, created_at, changed_at)
            VALUES (1, 3, 1, 'bank_transfer', 5950, 'EUR', 'succeeded', '0123456789abcdef', 0, 0)",
        "paid_twice",
    ),
    (
        "INSERT INTO payment (org_id, payment_id, invoice_id, provider, amount_minor, currency, state, idempotency, created_at, changed_at)
            VALUES (1, 3, 1, 'bank_transfer', 1, 'EUR', 'succeeded', '0123456789abcdef', 0, 0)",
        "paid_twice",
    ),
    ("UPDATE credit_grant SET cost_minor = 1 WHERE grant_id = 1", "grant_differs"),
    ("UPDATE credit_grant SET kind = 'promotion' WHERE grant_id = 1", "grant_differs"),
    ("UPDATE purchase SET grant_id = 9", "grant_differs"),
    ("UPDATE purchase SET grant_id = 2", "grant_of_two"),
    ("UPDATE purchase SET grant_id = 9", "grant_not_booked"),
    ("DELETE FROM posting WHERE account = 'grant' AND number = 1 AND amount > 0", "grant_not_booked"),
    ("UPDATE credit_grant SET kind = 'promotion' WHERE grant_id = 2", "cycle_grant_differs"),
    ("UPDATE invoice_item SET tax_minor = 0 WHERE item_id = 1", "purchase_not_invoiced"),
    ("DELETE FROM invoice_item WHERE item_id = 1", "purchase_not_invoiced"),
    ("UPDATE purchase SET grant_id = NULL, paid_at = NULL", "invoiced_not_bought"),
    ("UPDATE payment SET refunded_minor = 0 WHERE payment_id = 1", "refunded_differs"),
    ("DELETE FROM refund", "refunded_differs"),
    ("UPDATE refund SET entry_seq = 900", "refund_not_booked"),
    ("UPDATE invoice_item SET net_minor = -999 WHERE item_id = 2", "refund_not_invoiced"),
    ("UPDATE invoice SET ordinal = 2", "invoice_number_missing"),
    ("UPDATE invoice_item SET net_minor = 1999 WHERE item_id = 3", "invoice_sum_differs"),
    ("UPDATE invoice_item SET currency = 'USD' WHERE item_id = 3", "invoice_sum_differs"),
    ("UPDATE invoice_item SET invoice_id = 7 WHERE item_id = 3", "item_nowhere"),
    ("UPDATE payment SET dispute = 'lost' WHERE payment_id = 2", "dispute_not_followed"),
    ("DELETE FROM payment WHERE payment_id = 2", "invoice_not_paid"),
    ("DELETE FROM payment_reference", "payment_unknown_to_provider"),
    ("INSERT INTO provider_message VALUES ('stripe', 'evt_2', 'payment', 'pi_9', 0, 'unknown_payment')", "message_not_taken"),
    ("UPDATE provider_message SET outcome = 'mismatch'", "message_not_taken"),
    ("UPDATE invoice SET due_minor = 1", "document_differs"),
    ("UPDATE invoice SET document = replace(document, '\"net\":2000', '\"net\":2001')", "document_differs"),
    ("UPDATE invoice SET document = '{}'", "document_differs"),
];

#[tokio::test]
async fn where_all_is_well_nothing_is_listed_and_what_is_tampered_with_is_found() {
    let (bench, org) = world().await;
    let found = bench.store.reconcile().await.expect("reads");
    assert_eq!((found.differences, found.compared), (vec![], [1, 2, 1, 3, 1]));
    bench.store.close().await;
    let path = bench.dir.path().join("scrip.db");
    let clean = std::fs::read(&path).expect("readable");
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    for (statement, code) in TAMPERINGS {
        std::fs::write(&path, &clean).expect("writable");
        let conn = file(&bench);
        conn.execute_batch("PRAGMA foreign_keys = OFF").expect("off");
        let names: Vec<String> = {
            let mut select = conn.prepare(triggers).expect("reads");
            select.query_map([], |row| row.get(0)).expect("reads").collect::<Result<_, _>>().expect("names")
        };
        for name in names {
            conn.execute_batch(&format!("DROP TRIGGER \"{name}\"")).expect("dropped");
        }
        let changed = conn.execute(statement, []).unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert!(changed > 0, "{statement} changes nothing");
        conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("written");
        drop(conn);
        let found = reconcile::folder(bench.dir.path()).expect("reads").differences;
        let of = found.iter().filter(|difference| difference.code == *code);
        let orgs: Vec<_> = of.map(|difference| difference.org).collect();
        assert!(!orgs.is_empty(), "{statement}: {code} is not among {found:?}");
        assert!(orgs.iter().all(|of| of.is_none_or(|of| of == org)), "{found:?}");
    }
    // Every check has found something.
    let codes: std::collections::BTreeSet<&str> = TAMPERINGS.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes.len(), 21);
}

#[tokio::test]
async fn a_charge_that_is_under_way_is_no_difference() {
    let bench = Bench::new().await;
    let org = org(&bench, "UTC").await;
    method(&bench, org);
    item(&bench, org, "plan", 2_000, None);
    bill_until(&bench, "2026-12-03T00:00:00Z").await;
    assert_eq!(bench.store.reconcile().await.expect("reads").differences, []);
}
