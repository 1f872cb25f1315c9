//! The table behind a chart: a row per bucket, a column per series, the total, calls, and the quantity where one credit
//! type is chosen. The page and the CSV export are written from the same [`Table`].

use crate::calendar::{Day, clock, offset};
use crate::format;
use crate::usage_chart::Usage;
use crate::view::View;
use ledger::cube::{Bucket, Figures};
use ledger::{Credits, Cube, Interval, Quantity, Timestamp};

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What people read.
    pub title: String,
    /// The colour of the series, where it is one.
    pub color: Option<u8>,
}

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// An amount.
    Credits(Credits),
    /// A number of calls.
    Count(i64),
    /// How much was used; `None` where units cannot be added.
    Quantity(Option<Quantity>),
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What people read: "Mon 16 Nov 2026".
    pub label: String,
    /// The same for machines: `2026-11-16`, `2026-11-16T13:00+01:00`.
    pub iso: String,
    /// When it begins.
    pub start: Timestamp,
    /// Not over yet.
    pub incomplete: bool,
    /// One per column.
    pub values: Vec<Value>,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What a row is: "Day", "Hour".
    pub bucket: &'static str,
    /// After the bucket's.
    pub columns: Vec<Column>,
    /// In order of time.
    pub rows: Vec<Row>,
    /// One per column.
    pub totals: Vec<Value>,
}

impl Table {
    /// The table of a view; `credits` is what its amounts are headed.
    #[must_use]
    pub fn of(cube: &Cube, view: &View, usage: &Usage, credits: &str) -> Self {
        let only = view.types.first().filter(|_| view.types.len() == 1);
        let unit = only.and_then(|name| cube.meters.iter().find(|m| m.meter.as_str() == name));
        // A single series is its own total.
        let series = if usage.series.len() > 1 { usage.series.as_slice() } else { &[] };
        let mut columns: Vec<Column> =
            series.iter().map(|s| Column { title: s.title.clone(), color: Some(s.color) }).collect();
        let plain = |title: String| Column { title, color: None };
        columns.push(plain(if series.is_empty() { format::capital(credits) } else { format!("Total {credits}") }));
        columns.extend(unit.map(|m| plain(quantity_title(&m.unit))));
        columns.extend([plain("Calls".to_owned()), plain("Failed".to_owned())]);
        let values = |amounts: Vec<Credits>, figures: &Figures| {
            let mut values: Vec<Value> = amounts.into_iter().map(Value::Credits).collect();
            values.push(Value::Credits(figures.credits));
            values.extend(unit.map(|_| Value::Quantity(figures.quantity)));
            values.extend([Value::Count(figures.events), Value::Count(figures.failed)]);
            values
        };
        let at = |i: usize| series.iter().map(|s| s.points.get(i).copied().unwrap_or_default()).collect();
        let rows = cube.buckets.iter().zip(&usage.buckets).zip(&usage.points).enumerate();
        let rows = rows.map(|(i, ((bucket, words), figures))| Row {
            label: words.label.clone(),
            iso: iso(bucket, cube.interval),
            start: bucket.start,
            incomplete: bucket.incomplete,
            values: values(at(i), figures),
        });
        Self {
            bucket: bucket_title(cube.interval),
            rows: rows.collect(),
            totals: values(series.iter().map(|s| s.total).collect(), &usage.total),
            columns,
        }
    }
}

fn quantity_title(unit: &str) -> String {
    if unit.is_empty() { "Quantity".to_owned() } else { format!("Quantity ({unit})") }
}

fn bucket_title(interval: Interval) -> &'static str {
    match interval {
        Interval::Hour => "Hour",
        Interval::Day => "Day",
        Interval::Week => "Week",
        Interval::Month => "Month",
        Interval::None => "Range",
    }
}

fn iso(bucket: &Bucket, interval: Interval) -> String {
    let day = Day::new(bucket.local.date()).map_or(String::new(), Day::iso);
    if interval == Interval::Hour { format!("{day}T{}{}", clock(bucket.local), offset(bucket)) } else { day }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::specimen_cube;

    fn table(query: &str) -> Table {
        let (cube, view) = (specimen_cube(), View::parse(query));
        Table::of(&cube, &view, &Usage::of(&cube, &view).expect("fits"), "credits")
    }

    fn heads(table: &Table) -> Vec<&str> {
        table.columns.iter().map(|c| c.title.as_str()).collect()
    }

    #[test]
    fn all_credit_types_side_by_side() {
        let table = table("");
        assert_eq!(heads(&table), ["Input tokens", "Output", "Total credits", "Calls", "Failed"]);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(table.rows[0].iso, "2026-11-12");
        let c = |micros| Value::Credits(Credits::from_micros(micros));
        assert_eq!(table.totals, [c(1_000_000), c(7_000_040), c(8_000_040), Value::Count(5), Value::Count(1)]);
    }

    #[test]
    fn one_credit_type_says_its_quantity() {
        let table = table("type=input_tokens");
        assert_eq!(heads(&table), ["Credits", "Quantity (token)", "Calls", "Failed"]);
        assert_eq!(table.totals[1], Value::Quantity(Some(Quantity::from_units(2_600))));
    }

    #[test]
    fn every_row_has_a_value_per_column() {
        for query in ["", "group=source", "group=project&type=output", "type=images", "source=nobody"] {
            let table = table(query);
            assert!(table.rows.iter().all(|row| row.values.len() == table.columns.len()), "{query}");
            assert_eq!(table.totals.len(), table.columns.len(), "{query}");
        }
    }
}
