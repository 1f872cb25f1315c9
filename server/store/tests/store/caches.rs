//! Every stored balance and rollup is a cache: dropped, and rebuilt by plain SQL from postings and events, it is what it was.

use crate::common::Bench;
use crate::histories::{look_at, played};
use rusqlite::Connection;

/// Each cache, and how it follows from what is never changed. The org's zone is UTC; each event names one set of meters.
const CACHES: [(&str, &str); 8] = [
    ("account", "SELECT org_id, account, number, sum(amount) FROM posting GROUP BY 1, 2, 3"),
    (
        "usage_quarter",
        "SELECT e.org_id, e.occurred_at / 900000000, c.meter_id, e.source_id, e.project_id, sum(c.credits),
                sum(c.quantity * 1000000 + c.quantity_micros) / 1000000, sum(c.quantity * 1000000 + c.quantity_micros) % 1000000
         FROM stands e JOIN charge c USING (org_id, seq) GROUP BY 1, 2, 3, 4, 5",
    ),
    (
        "usage_day",
        "SELECT org_id, bucket / 96, meter_id, source_id, project_id, sum(credits),
                sum(quantity * 1000000 + quantity_micros) / 1000000, sum(quantity * 1000000 + quantity_micros) % 1000000
         FROM usage_quarter GROUP BY 1, 2, 3, 4, 5",
    ),
    (
        "calls_quarter",
        "SELECT e.org_id, e.occurred_at / 900000000, s.set_id, e.source_id, e.project_id, count(*), sum(e.failed), sum(e.bytes)
         FROM stands e JOIN meter_set s ON s.org_id = e.org_id AND s.members =
              (SELECT group_concat(meter_id, ',' ORDER BY meter_id) FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq)
         GROUP BY 1, 2, 3, 4, 5",
    ),
    (
        "calls_day",
        "SELECT org_id, bucket / 96, set_id, source_id, project_id, sum(events), sum(failed), sum(bytes)
         FROM calls_quarter GROUP BY 1, 2, 3, 4, 5",
    ),
    (
        "meter_total",
        "SELECT org_id, meter_id, sum(credits), sum(micros) / 1000000, sum(micros) % 1000000 FROM
             (SELECT e.org_id, c.meter_id, iif(v.event_seq IS NULL, c.credits, 0) AS credits,
                     iif(v.event_seq IS NULL, c.quantity * 1000000 + c.quantity_micros, 0) AS micros
              FROM event e JOIN charge c USING (org_id, seq) LEFT JOIN voided v ON v.org_id = e.org_id AND v.event_seq = e.seq)
         GROUP BY 1, 2",
    ),
    ("org_total", "SELECT org_id, 0, count(*), sum(failed), sum(bytes) FROM event GROUP BY 1"),
    (
        "balances",
        "SELECT org_id, entry_seq, ordinal, account, number, amount,
                sum(amount) OVER (PARTITION BY org_id, account, number ORDER BY entry_seq, ordinal) FROM posting",
    ),
];

#[test]
fn dropping_every_cache_and_rebuilding_gives_the_same_figures() {
    crate::histories::run(async {
        let mut bench = Bench::in_memory().await;
        let orgs = played(&bench, 25).await;
        let before = look_at(&bench, &orgs).await;
        bench.store.close().await;
        rebuild(&Connection::open(bench.dir.path().join("scrip.db")).expect("opens"));
        bench.reopen().await;
        for (found, before) in look_at(&bench, &orgs).await.iter().zip(&before) {
            assert_eq!(found, before);
        }
        bench.assert_verified().await;
    });
}

fn rebuild(conn: &Connection) {
    let sql = |sql: &str| conn.execute_batch(sql).expect(sql);
    let triggers: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut found| found.query_map([], |row| row.get(0))?.collect())
        .expect("reads");
    triggers.iter().for_each(|trigger| sql(&format!("DROP TRIGGER {trigger}")));
    sql("CREATE TEMP VIEW stands AS SELECT * FROM event e WHERE NOT EXISTS
             (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq);
         CREATE TEMP TABLE balances AS SELECT * FROM posting;
         UPDATE posting SET balance = 0;");
    for (table, from) in CACHES {
        let count = |what: &str| -> i64 {
            conn.query_row(&format!("SELECT count(*) FROM ({what})"), [], |row| row.get(0)).expect(what)
        };
        // Rows of nothing may stay where nothing is left.
        let nothing = match table {
            "usage_quarter" | "usage_day" => "credits = 0 AND quantity = 0 AND quantity_micros = 0",
            _ => "0",
        };
        sql(&format!("CREATE TEMP TABLE kept AS SELECT * FROM main_or_temp WHERE NOT ({nothing})")
            .replace("main_or_temp", table));
        sql(&format!("DELETE FROM {table}; INSERT INTO {table} {from}; DELETE FROM {table} WHERE {nothing};"));
        assert!(count("SELECT * FROM kept") > 0, "{table} is empty");
        let differing = format!(
            "SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM {table}) UNION ALL
             SELECT * FROM (SELECT * FROM {table} EXCEPT SELECT * FROM kept)"
        );
        assert_eq!(count(&differing), 0, "{table}");
        sql("DROP TABLE kept");
    }
    sql("UPDATE posting SET balance = (SELECT b.balance FROM balances b
             WHERE b.org_id = posting.org_id AND b.entry_seq = posting.entry_seq AND b.ordinal = posting.ordinal)");
}
