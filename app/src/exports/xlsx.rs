//! A view as a workbook: its table with numbers as numbers and days as days, and a second sheet that says what it is.
//!
//! Texts are written as texts, never as formulas, whatever they begin with. A spreadsheet counts in binary floating point:
//! its cells hold amounts up to nine billion to the last micro-credit; the CSV holds any.

use crate::report::{Cell, Report};
use crate::usage_table::{Table, Value};
use ledger::Interval;
use ledger::credits::MICROS_PER_CREDIT;
use ledger::quantity::MICROS_PER_UNIT;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

/// Most characters of a cell; the format takes no more.
const MAX_CELL_CHARS: usize = 32_000;
/// How numbers are shown.
const DAY: &str = "yyyy-mm-dd";
const CREDITS: &str = "#,##0.000000";
const COUNT: &str = "#,##0";
const QUANTITY: &str = "#,##0.######";

/// A workbook of a table, and of what there is to know about it: labels and texts.
///
/// # Errors
/// What the format cannot hold, in its own words.
pub fn workbook(table: &Table, interval: Interval, about: &[(&str, String)]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    usage(book.add_worksheet().set_name("Usage")?, table, interval)?;
    told(&mut book, about)?;
    book.save_to_buffer()
}

/// A workbook of a report, and of what there is to know about it.
///
/// # Errors
/// As [`workbook`].
pub fn report(report: &Report, about: &[(&str, String)]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Report")?;
    let head = Format::new().set_bold();
    sheet.set_freeze_panes(1, 1)?;
    for (column, title) in (0_u16..).zip(&report.columns) {
        sheet.set_column_width(column, 18)?;
        sheet.write_string_with_format(0, column, cut(title), &head)?;
    }
    let lines = report.lines.iter().map(|line| (&line.cells, Format::new()));
    for (row, (cells, format)) in (1_u32..).zip(lines.chain([(&report.totals, head.clone())])) {
        for (column, cell) in (0_u16..).zip(cells) {
            write(sheet, (row, column), cell, &format)?;
        }
    }
    told(&mut book, about)?;
    book.save_to_buffer()
}

fn write(sheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell, format: &Format) -> Result<(), XlsxError> {
    let (number, decimals) = match cell {
        Cell::Empty => return Ok(()),
        Cell::Text(text) | Cell::Id(text) | Cell::Share(text) => {
            sheet.write_string_with_format(row, column, cut(text), format)?;
            return Ok(());
        }
        Cell::Period(_, iso, _) => {
            match ExcelDateTime::parse_from_str(iso) {
                Ok(day) => sheet.write_datetime_with_format(row, column, &day, &format.clone().set_num_format(DAY))?,
                Err(_) => sheet.write_string(row, column, iso)?,
            };
            return Ok(());
        }
        Cell::Credits(amount) => (whole(amount.micros().into(), MICROS_PER_CREDIT.into()), CREDITS),
        Cell::Count(count) => (whole((*count).into(), 1), COUNT),
        Cell::Quantity(quantity) => (whole(quantity.micros(), MICROS_PER_UNIT), QUANTITY),
    };
    sheet.write_number_with_format(row, column, number, &format.clone().set_num_format(decimals))?;
    Ok(())
}

/// The sheet that says what the other one holds.
fn told(book: &mut Workbook, about: &[(&str, String)]) -> Result<(), XlsxError> {
    let sheet = book.add_worksheet().set_name("About")?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 80)?;
    let head = Format::new().set_bold();
    for (row, (label, text)) in (0_u32..).zip(about) {
        sheet.write_string_with_format(row, 0, *label, &head)?;
        sheet.write_string(row, 1, cut(text))?;
    }
    Ok(())
}

fn usage(sheet: &mut Worksheet, table: &Table, interval: Interval) -> Result<(), XlsxError> {
    let head = Format::new().set_bold();
    let when = if interval == Interval::Hour { "yyyy-mm-dd hh:mm" } else { DAY };
    let when = Format::new().set_num_format(when);
    sheet.set_freeze_panes(1, 1)?.set_column_width(0, 18)?;
    sheet.write_string_with_format(0, 0, table.bucket, &head)?;
    for (column, title) in (1_u16..).zip(&table.columns) {
        sheet.set_column_width(column, 16)?;
        sheet.write_string_with_format(0, column, cut(&title.title), &head)?;
    }
    let mut number = 1;
    for row in &table.rows {
        // What is no time to the format stays the text that it is.
        match ExcelDateTime::parse_from_str(&row.iso) {
            Ok(time) => sheet.write_datetime_with_format(number, 0, &time, &when)?,
            Err(_) => sheet.write_string(number, 0, &row.iso)?,
        };
        values(sheet, number, &row.values, &Format::new())?;
        number += 1;
    }
    sheet.write_string_with_format(number, 0, "Total", &head)?;
    values(sheet, number, &table.totals, &head)
}

fn values(sheet: &mut Worksheet, row: u32, values: &[Value], format: &Format) -> Result<(), XlsxError> {
    for (column, value) in (1_u16..).zip(values) {
        let (number, decimals) = match value {
            Value::Credits(amount) => (whole(amount.micros().into(), MICROS_PER_CREDIT.into()), CREDITS),
            Value::Count(count) => (whole((*count).into(), 1), COUNT),
            Value::Quantity(Some(quantity)) => (whole(quantity.micros(), MICROS_PER_UNIT), QUANTITY),
            Value::Quantity(None) => continue,
        };
        sheet.write_number_with_format(row, column, number, &format.clone().set_num_format(decimals))?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "the cells of a spreadsheet are floating point; see the module")]
fn whole(parts: i128, of: i128) -> f64 {
    parts as f64 / of as f64
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CELL_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::{Usage, specimen_cube};
    use crate::view::View;
    use std::io::{Cursor, Read};

    fn part(book: &[u8], name: &str) -> String {
        let mut zip = zip::ZipArchive::new(Cursor::new(book)).expect("a workbook");
        let mut text = String::new();
        zip.by_name(name).expect(name).read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn numbers_are_numbers_days_are_days_and_no_text_is_a_formula() {
        let (cube, view) = (specimen_cube(), View::parse("group=source"));
        let usage = Usage::of(&cube, &view).expect("fits");
        let table = Table::of(&cube, &view, &usage, "=HYPERLINK(\"x\")");
        let about = [("Filters", "=1+1".to_owned()), ("Organization", "<b>&\u{1}".to_owned())];
        let book = workbook(&table, cube.interval, &about).expect("fits");
        let (figures, told) = (part(&book, "xl/worksheets/sheet1.xml"), part(&book, "xl/worksheets/sheet2.xml"));
        assert!(!figures.contains("<f>") && !told.contains("<f>"), "{figures}{told}");
        assert!(figures.contains("<v>1.50004</v>") && figures.contains("<v>46338</v>"), "{figures}");
        let texts = part(&book, "xl/sharedStrings.xml");
        assert!(
            texts.contains("<t>=api</t>") && texts.contains("<t>=1+1</t>") && texts.contains("&lt;b&gt;&amp;"),
            "{texts}"
        );
    }
}
