"""DuckDB reads the views of a snapshot, and they add up: views.py SNAPSHOT.

With DuckDB's SQLite extension it reads the file itself. The extension is a download of its own; where it cannot be had, Python's
sqlite3 hands every row of every view over, and this says so.
"""

import csv
import sqlite3
import sys
import tempfile
from pathlib import Path

import duckdb

VIEWS = [
    "organizations", "credit_types", "events", "charges", "usage_by_day", "runs", "grants", "balances",
    "ledger_entries", "ledger_postings",
]


def attach(duck: duckdb.DuckDBPyConnection, snapshot: str) -> str:
    """Makes the views known to DuckDB; tells how."""
    try:
        duck.execute("LOAD sqlite")
    except duckdb.Error:
        try:
            duck.execute("INSTALL sqlite")
            duck.execute("LOAD sqlite")
        except duckdb.Error:
            return hand_over(duck, snapshot)
    duck.execute(f"ATTACH '{snapshot}' AS scrip (TYPE sqlite, READ_ONLY)")
    duck.execute("USE scrip")
    return "DuckDB read the file itself"


def hand_over(duck: duckdb.DuckDBPyConnection, snapshot: str) -> str:
    lite = sqlite3.connect(f"file:{snapshot}?mode=ro", uri=True)
    with tempfile.TemporaryDirectory() as folder:
        for view in VIEWS:
            rows = lite.execute(f"SELECT * FROM {view}")
            path = Path(folder) / f"{view}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                out = csv.writer(file)
                out.writerow([column[0] for column in rows.description])
                out.writerows(rows)
            duck.execute(f"CREATE TABLE {view} AS SELECT * FROM read_csv('{path}', header = true)")
    return "its SQLite extension is not to be had: Python handed the rows over"


def main(snapshot: str) -> None:
    duck = duckdb.connect()
    how = attach(duck, snapshot)
    one = lambda sql: duck.execute(sql).fetchone()[0]
    for view in VIEWS:
        assert one(f"SELECT count(*) FROM {view}") > 0, f"{view} is empty"
    sums = [
        one("SELECT sum(credits_micros) FROM usage_by_day"),
        one("SELECT sum(credits_micros) FROM charges WHERE voided = 0"),
        one("SELECT sum(credits_micros) FROM events WHERE voided = 0"),
        one("SELECT CAST(sum(CAST(credits AS DECIMAL(24, 6))) * 1000000 AS BIGINT) FROM usage_by_day"),
        one("SELECT sum(balance_micros) FROM balances WHERE account = 'consumed'"),
    ]
    assert len(set(sums)) == 1 and sums[0] > 0, f"sums differ: {sums}"
    open_entries = "SELECT count(*) FROM (SELECT 1 FROM ledger_postings GROUP BY org_id, entry HAVING sum(amount_micros) <> 0)"
    assert one(open_entries) == 0, "an entry does not add up to zero"
    print(f"views: {len(VIEWS)} read, {sums[0]} micro-credits in each of {len(sums)} sums; {how}")


main(sys.argv[1])
