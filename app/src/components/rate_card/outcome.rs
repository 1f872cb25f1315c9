//! What comes of a card that is being written. The same on the server and, at every key, in the browser.

use super::editor::{LINE_ATTRIBUTE, TEXT_ID};
use crate::format;
use crate::markup::{Markup, amount, number, number_of, row, signed_bare, span, table};
use crate::server_fns::rate_card::{Scheduled, Trial};
use ledger::card::LineProblem;
use ledger::preview::{Basis, PreviewRow, preview};
use ledger::{Credits, Cube, RateLine, Words, card_text};

/// Problems that are shown: who has more has pasted something else.
const PROBLEMS: usize = 20;

/// What is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// In a sentence.
    pub summary: String,
    /// Problems by line, or figures by credit type.
    pub detail: Markup,
}

/// Reads a card and tries it out.
#[must_use]
pub fn outcome(trial: &Trial, words: &Words, text: &str) -> Outcome {
    match card_text::parse(text) {
        Ok(lines) => tried(trial, words, &lines),
        Err(wrong) => Outcome { summary: summary_of(&wrong), detail: problems(&wrong, text) },
    }
}

/// Which scheduled versions never come into force, if the card takes effect at that time on the org's clock; empty: now.
#[must_use]
pub fn overtaken(trial: &Trial, effective_at: &str) -> String {
    // Times of a form are in the order of their texts.
    let gone = trial.scheduled.iter().filter(|scheduled| scheduled.local.as_str() >= effective_at);
    let gone: Vec<String> =
        gone.map(|Scheduled { version, when, .. }| format!("version {version}, scheduled for {when}")).collect();
    if gone.is_empty() {
        return String::new();
    }
    let takes = if effective_at.is_empty() { "Taking effect now" } else { "Taking effect then" };
    format!("{takes}, it takes the place of {}: never in force.", gone.join(", and of "))
}

fn summary_of(wrong: &[LineProblem]) -> String {
    match wrong {
        [LineProblem { line, .. }] => format!("Line {line} cannot be used."),
        wrong => format!("{} problems: none of this can be used until they are put right.", wrong.len()),
    }
}

fn problems(wrong: &[LineProblem], text: &str) -> Markup {
    let item = |LineProblem { line, problem }: &LineProblem| {
        let written: String = text.lines().nth(line - 1).unwrap_or_default().trim().chars().take(80).collect();
        let to = Markup::new("a").attr("href", &format!("#{TEXT_ID}")).attr(LINE_ATTRIBUTE, &line.to_string());
        Markup::new("li")
            .child(to.text(&format!("Line {line}")))
            .child(Markup::new("code").text(&written))
            .child(with_code(problem))
    };
    Markup::new("ol").class("line-problems").children(wrong.iter().take(PROBLEMS).map(item))
}

/// What stands between backticks is written as code.
fn with_code(text: &str) -> Markup {
    let part = |(index, part): (usize, &str)| Markup::new(if index % 2 == 1 { "code" } else { "span" }).text(part);
    Markup::new("p").children(text.split('`').enumerate().map(part))
}

fn tried(trial: &Trial, words: &Words, lines: &[RateLine]) -> Outcome {
    let Trial { when, cube, charged_by, .. } = trial;
    if lines.is_empty() {
        let detail =
            "A card has at least one line: an empty one is refused. To make something free, write `export: free`.";
        return Outcome { summary: "No line yet.".to_owned(), detail: with_code(detail) };
    }
    let charged_by = card_text::parse(charged_by).unwrap_or_default();
    let rows = preview(cube, &charged_by, lines).and_then(|rows| Ok((total(&rows)?, rows)));
    let (total, rows) = match rows {
        Ok((_, rows)) if rows.is_empty() => {
            let none = "Once usage is reported, this shows what it would have cost under this card.";
            let detail = Markup::new("p").class("muted").text(none);
            return Outcome { summary: format!("Nothing was used in {when}."), detail };
        }
        Ok(found) => found,
        Err(refusal) => {
            let detail = Markup::new("p").class("form-error").text(&format::capital(&refusal.to_string()));
            return Outcome { summary: "This cannot be foretold.".to_owned(), detail };
        }
    };
    let difference = match total.difference.micros().signum() {
        0 => "the same as it did".to_owned(),
        sign => {
            let much = format::amount(words, Credits::from_micros(total.difference.micros().saturating_abs()));
            format!("{much} {}", if sign > 0 { "more" } else { "less" })
        }
    };
    let much = format::amount(words, total.foretold);
    let summary = match total.basis {
        // What is refused costs nothing, which is no saving.
        Basis::Refused => format!("Some of it would be refused, since no line charges it. The rest: {much}."),
        _ => format!("{much}, {difference}."),
    };
    Outcome { summary, detail: figures(words, cube, &rows, &total) }
}

struct Total {
    charged: Credits,
    foretold: Credits,
    difference: Credits,
    basis: Basis,
}

fn total(rows: &[PreviewRow]) -> Result<Total, ledger::Refusal> {
    let (mut charged, mut foretold, mut basis) = (Credits::ZERO, Credits::ZERO, Basis::Exact);
    for row in rows {
        charged = charged.plus(row.charged)?;
        foretold = foretold.plus(row.foretold)?;
        basis = basis.max(row.basis);
    }
    Ok(Total { charged, foretold, difference: foretold.minus(charged)?, basis })
}

fn figures(words: &Words, cube: &Cube, rows: &[PreviewRow], total: &Total) -> Markup {
    let cells = |charged, foretold, difference| {
        [
            number_of(amount(words, charged)),
            number_of(amount(words, foretold)),
            number_of(signed_bare(words, difference)),
        ]
    };
    let line = |found: &PreviewRow| {
        let info = cube.meters.iter().find(|info| info.meter == found.meter);
        let title = info.map_or_else(|| found.meter.to_string(), |info| info.title.clone());
        let unit = info.map_or("", |info| info.unit.as_str());
        // Its parts were just added up, so this fits.
        let difference = found.foretold.minus(found.charged).unwrap_or_default();
        let quantity = number(&format::units(&format::quantity(found.quantity), unit));
        let doubt = (found.basis != Basis::Exact).then(|| Markup::new("small").text(found.basis.words()));
        let head = Markup::new("div").class("foretold").child(span(&title)).children(doubt);
        row(head, [quantity].into_iter().chain(cells(found.charged, found.foretold, difference)))
    };
    let sum = cells(total.charged, total.foretold, total.difference);
    let foot = row(span("Total"), [number("")].into_iter().chain(sum));
    let heads = ["Credit type", "Quantity\t", "Charged\t", "Under this card\t", "Difference\t"];
    let sure = match total.basis {
        Basis::Exact => "Exact, taken as one billing cycle.",
        _ => "Taken as one billing cycle. What only single events tell is estimated, where it says so.",
    };
    Markup::new("div").child(Markup::new("p").class("muted card-basis").text(sure)).child(table(
        "table-scroll",
        "By credit type",
        &heads,
        rows.iter().map(line),
        Some(foot),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::specimen_cube;

    fn trial(charged_by: &str) -> Trial {
        let scheduled = |version, day: &str| Scheduled {
            version,
            local: format!("2026-12-{day}T00:00:00"),
            when: format!("{day} Dec"),
        };
        Trial {
            when: "October 2026".to_owned(),
            cube: specimen_cube(),
            charged_by: charged_by.to_owned(),
            scheduled: vec![scheduled(2, "01"), scheduled(4, "15")],
        }
    }

    fn html(markup: &Markup) -> String {
        let mut html = String::new();
        markup.write_html(&mut html);
        html
    }

    #[test]
    fn problems_name_their_line_and_what_stands_there() {
        let told = outcome(&trial(""), &Words::default(), "# prices\n\ninput: 1 <eech>\nx: free\nx: 1 each");
        assert_eq!(told.summary, "2 problems: none of this can be used until they are put right.");
        let html = html(&told.detail);
        assert!(html.contains("data-line=\"3\">Line 3</a><code>input: 1 &lt;eech&gt;</code>"), "{html}");
        assert!(html.contains("Line 5"), "{html}");
        assert_eq!(outcome(&trial(""), &Words::default(), "x").summary, "Line 1 cannot be used.");
    }

    #[test]
    fn usage_without_a_line_is_told_to_be_refused() {
        let told = outcome(&trial(""), &Words::default(), "other: 1 each");
        assert!(html(&told.detail).contains("a part would be refused"), "{}", html(&told.detail));
        assert!(told.summary.starts_with("Some of it would be refused"), "{}", told.summary);
    }

    #[test]
    fn what_is_scheduled_and_never_comes_is_told_before() {
        let told = |at| overtaken(&trial(""), at);
        let both = "version 2, scheduled for 01 Dec, and of version 4, scheduled for 15 Dec: never in force.";
        assert_eq!(told(""), format!("Taking effect now, it takes the place of {both}"));
        assert_eq!(told("2026-12-01T00:00"), format!("Taking effect then, it takes the place of {both}"));
        let one = "Taking effect then, it takes the place of version 4, scheduled for 15 Dec: never in force.";
        assert_eq!(told("2026-12-01T00:01"), one);
        assert_eq!(told("2026-12-16T00:00"), "");
    }

    #[test]
    fn without_usage_there_is_nothing_to_foretell() {
        let mut trial = trial("");
        trial.cube.cells.clear();
        trial.cube.calls.clear();
        assert_eq!(outcome(&trial, &Words::default(), "export: free").summary, "Nothing was used in October 2026.");
        assert_eq!(outcome(&trial, &Words::default(), "").summary, "No line yet.", "no card is empty");
    }
}
