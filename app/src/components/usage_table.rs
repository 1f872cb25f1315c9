//! The table behind a chart.

use crate::format;
use crate::usage_table::{Column, Row, Table, Value};
use crate::words::{self, Words};
use leptos::prelude::*;

/// A row per bucket and one for the totals; scrolls inside its panel in both directions.
#[component]
pub fn UsageTable(
    /// What to show.
    table: Memo<Table>,
    /// Names the table.
    caption: &'static str,
) -> impl IntoView {
    let words = words::current();
    let filled = move || {
        let Table { bucket, columns, rows, totals } = table.get();
        let heads = columns.into_iter().map(head).collect_view();
        let rows = rows.into_iter().map(|r| row(r, &words)).collect_view();
        let totals = totals.into_iter().map(|value| cell(value, &words)).collect_view();
        view! {
            <thead><tr><th scope="col">{bucket}</th>{heads}</tr></thead>
            <tbody>{rows}</tbody>
            <tfoot><tr><th scope="row">"Total"</th>{totals}</tr></tfoot>
        }
    };
    view! {
        <div class="table-scroll tall" tabindex="0" role="region" aria-label=caption>
            <table class="table usage-table">
                <caption class="visually-hidden">{caption}</caption>
                {filled}
            </table>
        </div>
    }
}

fn head(column: Column) -> impl IntoView {
    let swatch = column.color.map(|color| view! { <i class=format!("swatch s{color}")></i> });
    view! { <th scope="col" class="number">{swatch}{column.title}</th> }
}

fn row(row: Row, words: &Words) -> impl IntoView + use<> {
    let values = row.values.into_iter().map(|value| cell(value, words)).collect_view();
    let progress = row.incomplete.then(|| view! { <span class="badge small">"in progress"</span> });
    view! {
        <tr>
            <th scope="row" class="nowrap"><time datetime=row.iso>{row.label}</time>{progress}</th>
            {values}
        </tr>
    }
}

fn cell(value: Value, words: &Words) -> impl IntoView + use<> {
    let (text, title, zero) = match value {
        Value::Credits(amount) => (format::bare(words, amount), Some(format::in_full(words, amount)), amount.is_zero()),
        Value::Count(count) => (format::count(count), None, count == 0),
        Value::Quantity(quantity) => {
            let zero = quantity.is_none_or(|q| q == ledger::Quantity::ZERO);
            (quantity.map_or_else(|| "–".to_owned(), format::quantity), None, zero)
        }
    };
    view! { <td class="number" class:zero=zero title=title>{text}</td> }
}
