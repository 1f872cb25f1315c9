//! Files: exactly what the Analytics page shows (same view, same slice, same table), the events behind it, the ledger and
//! the audit log, row by row. Server only.
//!
//! Amounts have all six decimals and no grouping; a cell that a spreadsheet would run as a formula is neutralised.

use crate::usage_table::{Table, Value};
use ledger::canon::hex;
use ledger::entry::Head;
use ledger::{Credits, Entry, EntryKind, Posting};

pub mod focus;
pub mod report;
pub mod xlsx;

/// What amounts are headed in a file, whatever the org calls them: programs look for it.
pub(crate) const CREDITS: &str = "credits";

/// The columns of the ledger's file.
const LEDGER_COLUMNS: [&str; 10] =
    ["entry", "kind", "happened_at", "booked_at", "cause", "account", "amount", "balance", "hash", "reason"];

/// The first line of the ledger's file.
#[must_use]
pub fn ledger_head() -> String {
    let mut text = String::new();
    line(&mut text, LEDGER_COLUMNS.into_iter());
    text
}

/// A line per posting, with the account's balance after it; one line for an entry that posts nothing.
pub fn ledger_entry(text: &mut String, entry: &Entry, postings: impl Iterator<Item = (Posting, Credits)>) {
    let (seq, draft, hash) = (entry.seq.to_string(), &entry.draft, hex(&entry.hash));
    let (happened, booked) = (draft.happened_at.to_string(), entry.booked_at.to_string());
    let reason = match &draft.kind {
        EntryKind::Void { reason, .. } | EntryKind::Adjustment { reason, .. } => reason.as_str(),
        _ => "",
    };
    let mut row = |account: &str, amount: &str, balance: &str| {
        let cells =
            [&seq, draft.kind.name(), &happened, &booked, &draft.cause, account, amount, balance, &hash, reason];
        line(text, cells.into_iter());
    };
    let mut is_bare = true;
    for (posting, balance) in postings {
        is_bare = false;
        row(&posting.account.to_string(), &posting.amount.to_string(), &balance.to_string());
    }
    if is_bare {
        row("", "", "");
    }
}

/// The last line of the ledger's file: with it a cut tail shows.
#[must_use]
pub fn ledger_end(head: Head) -> String {
    let (mut text, seq, hash) = (String::new(), head.seq.to_string(), hex(&head.hash));
    line(&mut text, [seq.as_str(), "chain_head", "", "", "", "", "", "", &hash, ""].into_iter());
    text
}

/// The columns of the file of transactions, before and behind those of each meter's quantities.
const TRANSACTION_COLUMNS: [&str; 6] = ["transaction", "at", "at_local", "type", "service", "amount"];
const TRANSACTION_MORE: [&str; 4] = ["source", "project", "status", "description"];

/// The first line of the file of transactions, with a column for the quantities of each meter.
pub fn transaction_head<'a>(meters: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    transaction_row(&mut text, TRANSACTION_COLUMNS, meters, TRANSACTION_MORE);
    text
}

/// A transaction.
pub fn transaction_row<'a>(
    text: &mut String,
    first: [&'a str; 6],
    quantities: impl Iterator<Item = &'a str>,
    last: [&'a str; 4],
) {
    line(text, first.into_iter().chain(quantities).chain(last));
}

/// The last line of that file: with it a cut tail shows.
#[must_use]
pub fn transaction_end(head: Head, meters: usize) -> String {
    let (mut text, seq, hash) = (String::new(), head.seq.to_string(), hex(&head.hash));
    let first = [seq.as_str(), "", "", "chain_head", "", ""];
    transaction_row(&mut text, first, std::iter::repeat_n("", meters), ["", "", "", &hash]);
    text
}

/// The first line of the audit log's file.
#[must_use]
pub fn audit_head() -> String {
    let mut text = String::new();
    audit_row(&mut text, ["number", "at", "actor", "address", "action", "target", "before", "after"]);
    text
}

/// A row of the audit log; before and after are JSON.
pub fn audit_row(text: &mut String, cells: [&str; 8]) {
    line(text, cells.into_iter());
}

/// The table of a view. RFC 4180: CRLF, quotes where needed.
#[must_use]
pub fn usage(table: &Table) -> String {
    let mut text = String::new();
    let heads = table.columns.iter().map(|column| column.title.as_str());
    line(&mut text, [table.bucket, "Begins (UTC)"].into_iter().chain(heads));
    for row in &table.rows {
        let values: Vec<String> = row.values.iter().map(number).collect();
        let start = row.start.to_string();
        line(&mut text, [row.iso.as_str(), start.as_str()].into_iter().chain(values.iter().map(String::as_str)));
    }
    let totals: Vec<String> = table.totals.iter().map(number).collect();
    line(&mut text, ["Total", ""].into_iter().chain(totals.iter().map(String::as_str)));
    text
}

fn number(value: &Value) -> String {
    match value {
        Value::Credits(amount) => amount.to_string(),
        Value::Count(count) => count.to_string(),
        Value::Quantity(quantity) => quantity.map_or(String::new(), |q| q.to_string()),
    }
}

/// A line of cells, each neutralised.
pub(crate) fn line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&safe(cell));
    }
    text.push_str("\r\n");
}

/// A cell that is text to every spreadsheet: what starts like a formula gets an apostrophe, as OWASP's "CSV Injection"
/// advises, except plain numbers; then quotes where RFC 4180 asks for them.
fn safe(cell: &str) -> String {
    let formula = is_formula(cell);
    let cell = safe_text(cell);
    if cell.contains([',', '"', '\r', '\n']) || formula { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// The same without quotes.
pub(crate) fn safe_text(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_number(cell)
}

fn is_number(cell: &str) -> bool {
    ledger::decimal::parse(cell, 12).is_ok() && !cell.contains(['e', 'E'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::{Usage, specimen_cube};
    use crate::view::View;
    use proptest::prelude::*;

    #[test]
    fn the_file_holds_what_the_table_shows() {
        let (cube, view) = (specimen_cube(), View::parse("group=source"));
        let sliced = Usage::of(&cube, &view).expect("fits");
        let text = usage(&Table::of(&cube, &view, &sliced, CREDITS));
        let expected = "Day,Begins (UTC),\"'=api\",web,Total credits,Calls,Failed\r\n\
                        2026-11-12,2026-11-12T00:00:00Z,0.000000,1.500040,1.500040,3,1\r\n\
                        2026-11-13,2026-11-13T00:00:00Z,0.000000,0.000000,0.000000,0,0\r\n\
                        2026-11-14,2026-11-14T00:00:00Z,6.500000,0.000000,6.500000,2,0\r\n\
                        Total,,6.500000,1.500040,8.000040,5,1\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_ledger_is_a_line_per_posting_and_its_end() {
        use ledger::entry::Draft;
        use ledger::{Account, GrantId, OrgId, Timestamp};
        let amount = Credits::from_micros(-1_500_000);
        let postings = vec![
            Posting { account: Account::Grant(GrantId(1)), amount },
            Posting { account: Account::Adjustment, amount: Credits::from_micros(1_500_000) },
        ];
        let reason = "=HYPERLINK(\"x\")".to_owned();
        let kind = EntryKind::Adjustment { grant: GrantId(1), terms: None, reason };
        let at = Timestamp::from_micros(1_763_716_500_000_000);
        let draft = Draft { kind, happened_at: at, cause: "user:a@example.com".to_owned(), postings: postings.clone() };
        let entry = Entry::seal(OrgId(1), Head::START, at, draft).expect("fits");
        let mut text = ledger_head();
        ledger_entry(&mut text, &entry, postings.into_iter().map(|posting| (posting, amount)));
        ledger_entry(&mut text, &entry, std::iter::empty());
        text.push_str(&ledger_end(entry.head()));
        let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
        let (time, hash) = ("2025-11-21T09:15:00Z", hex(&entry.hash));
        let start = format!("entry_1,adjustment,{time},{time},user:a@example.com");
        let end = format!("{hash},\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(lines[1], format!("{start},grant_1,-1.500000,-1.500000,{end}"));
        assert_eq!(lines[3], format!("{start},,,,{end}"));
        assert_eq!(lines[4], format!("entry_1,chain_head,,,,,,,{hash},"));
        assert_eq!(lines[0].split(',').count(), lines[4].split(',').count());
    }

    #[test]
    fn formulas_are_text_and_numbers_stay_numbers() {
        for (cell, safe_cell) in [
            ("=1+1", "\"'=1+1\""),
            ("+cmd", "\"'+cmd\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2+3", "\"'-2+3\""),
            ("-0.500000", "-0.500000"),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("plain", "plain"),
        ] {
            assert_eq!(safe(cell), safe_cell);
        }
    }

    proptest! {
        #[test]
        fn no_cell_starts_a_formula(cell in "[=+@\\-\t\r\n\"',a-z0-9.]{0,12}") {
            let safe = safe(&cell);
            let inner = safe.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let content = inner.map_or(safe.clone(), |inner| inner.replace("\"\"", "\""));
            prop_assert!(!content.starts_with(['=', '+', '@']));
            prop_assert!(!content.starts_with('-') || is_number(&content));
        }
    }
}
