//! A report as CSV: its columns, its lines, its total.

use super::line;
use crate::report::{Cell, Line, Report};

/// The whole file.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut text = String::new();
    line(&mut text, report.columns.iter().map(String::as_str));
    for Line { cells, .. } in &report.lines {
        row(&mut text, cells);
    }
    row(&mut text, &report.totals);
    text
}

fn row(text: &mut String, cells: &[Cell]) {
    let cells: Vec<String> = cells.iter().map(plain).collect();
    line(text, cells.iter().map(String::as_str));
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Period(_, iso, _) => iso.clone(),
        Cell::Text(text) | Cell::Id(text) | Cell::Share(text) => text.clone(),
        Cell::Credits(credits) => credits.to_string(),
        Cell::Quantity(quantity) => quantity.to_string(),
        Cell::Count(count) => count.to_string(),
    }
}
