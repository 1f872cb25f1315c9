//! Days, months and the billing cycle as charts, drawn here on the server: each with its table.

use super::panel;
use crate::calendar::Day;
use crate::charts::{Bucket, Column, ColumnChart, CycleChart};
use crate::format::{self, short};
use crate::markup::{Markup, amount, amount_bare, number_of, row, table};
use ledger::{Credits, Words};
use std::collections::BTreeMap;

/// Days of the daily chart, today included.
pub const DAYS: i64 = 30;
/// Months of the monthly chart, this one included.
pub const MONTHS: i32 = 12;
/// Widths in px: of a whole panel, of half of one, and of one on a phone, inside.
const WHOLE: u32 = 1_118;
const HALF: u32 = 534;
const PHONE: u32 = 310;
const HEIGHT: u32 = 200;

/// What was used by day, in the org's zone.
pub struct Usage<'a> {
    /// The org's words.
    pub words: &'a Words,
    /// Today.
    pub today: Day,
    /// Sums of days on which something was used.
    pub days: &'a BTreeMap<Day, Credits>,
    /// The average of a day.
    pub daily: Credits,
}

impl Usage<'_> {
    fn of(&self, day: Day) -> Credits {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Sums up days, both included. What the ledger holds together fits.
    fn sum(&self, from: Day, to: Day) -> Credits {
        Credits::sum(self.days.range(from..=to).map(|(_, credits)| *credits)).unwrap_or_default()
    }

    fn bare(&self, credits: Credits) -> String {
        format::bare(self.words, credits)
    }

    /// What can stand above a bar, the best first.
    fn amounts(&self, credits: Credits) -> Vec<String> {
        if !credits.is_positive() {
            return Vec::new();
        }
        vec![self.bare(credits), format::credits(credits, self.words.decimals.min(2).into()), compact(credits)]
    }
}

/// `0.4`, `12`, `1.2k`, `34M`: for where there is no room.
fn compact(credits: Credits) -> String {
    let mut unit = 1_000_000_i64;
    let mut suffix = "";
    for name in ["k", "M", "B"] {
        if credits.micros() / unit < 1_000 {
            break;
        }
        (unit, suffix) = (unit * 1_000, name);
    }
    let tenths = credits.micros() / (unit / 10);
    match tenths {
        0 => "<0.1".to_owned(),
        1..100 => format!("{}.{}{suffix}", tenths / 10, tenths % 10),
        _ => format!("{}{suffix}", tenths / 10),
    }
}

/// `Jun 30`.
fn month_day(day: Day) -> String {
    format!("{} {}", day.month_short(), day.number())
}

/// The daily chart.
#[must_use]
pub fn daily(usage: &Usage<'_>, zone: &str) -> Markup {
    let days: Vec<Day> = (1 - DAYS..=0).map(|back| usage.today.plus_days(back)).collect();
    let column = |day: &Day| {
        let credits = usage.of(*day);
        Column {
            head: day.number().to_string(),
            foot: day.with_weekday()[..3].to_owned(),
            title: format!("{}: {}", month_day(*day), usage.bare(credits)),
            value: credits.micros(),
            amounts: usage.amounts(credits),
            incomplete: *day == usage.today,
        }
    };
    let columns: Vec<Column> = days.iter().map(column).collect();
    let sum = usage.sum(usage.today.plus_days(1 - DAYS), usage.today);
    let about = format!("{} in {DAYS} days. The table below has every day.", short(usage.words, sum));
    let title = format!("{} per day", format::unit_head(usage.words));
    let chart = ColumnChart {
        id: "daily-chart",
        title: &title,
        description: &about,
        width: WHOLE,
        height: HEIGHT,
        columns: &columns,
    };
    let drawing = Markup::new("div")
        .class("still-chart scrolls")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", "Usage per day, chart")
        .child(Markup::new("div").drawing(&chart.draw()));
    let rows = days.iter().rev().map(|day| (day.with_weekday(), usage.of(*day)));
    let beside = format!("{} in all, days in {zone}; today is not over", short(usage.words, sum));
    panel("daily", &format!("Last {DAYS} days"), &beside).child(drawing).child(behind(
        usage,
        "daily-table",
        "Day",
        rows,
    ))
}

/// The monthly chart.
#[must_use]
pub fn monthly(usage: &Usage<'_>) -> Markup {
    let first = usage.today.first_of_month();
    let months: Vec<Day> = (1 - MONTHS..=0).map(|back| first.plus_months(back)).collect();
    let of = |month: Day| usage.sum(month, month.last_of_month());
    // A year is named where it begins, and at the first month where that leaves room for it.
    let is_january = |month: &&Day| month.month_short() == "Jan";
    let first_named = !months.iter().take(3).any(|month| is_january(&month));
    let column = |(index, month): (usize, &Day)| {
        let credits = of(*month);
        let year = month.iso()[..4].to_owned();
        Column {
            head: month.month_short().to_owned(),
            title: format!("{} {year}: {}", month.month_short(), usage.bare(credits)),
            foot: if index == 0 && first_named || is_january(&month) { year } else { String::new() },
            value: credits.micros(),
            amounts: usage.amounts(credits),
            incomplete: *month == first,
        }
    };
    let columns: Vec<Column> = months.iter().enumerate().map(column).collect();
    let about = format!("The last {MONTHS} months, this one included. The table below has every month.");
    let draw = |id: &str, width: u32| {
        ColumnChart { id, title: "Usage per month", description: &about, width, height: HEIGHT, columns: &columns }
            .draw()
    };
    let rows = months.iter().rev().map(|month| (month.month_title(), of(*month)));
    panel("monthly", &format!("Last {MONTHS} months"), "This month is not over")
        .child(two_sizes(&draw("monthly-chart", HALF), &draw("monthly-chart-narrow", PHONE)))
        .child(behind(usage, "monthly-table", "Month", rows))
}

/// The chart of the billing cycle.
#[must_use]
pub fn cycle(usage: &Usage<'_>) -> Markup {
    let (today, words) = (usage.today, usage.words);
    let first = today.first_of_month();
    let before = first.plus_days(-1).first_of_month();
    let running = |from: Day, to: Day| -> Vec<Credits> {
        (0..from.days_until(to)).map(|days| usage.sum(from, from.plus_days(days))).collect()
    };
    let current = running(first, today);
    let last = running(before, before.last_of_month());
    let so_far = current.last().copied().unwrap_or_default();
    let left = today.days_until(first.last_of_month()) - 1;
    // What would not fit is far beyond what is drawn.
    let after = |days: i64| {
        let more = i128::from(usage.daily.micros()) * i128::from(days);
        Credits::from_wide(i128::from(so_far.micros()) + more).unwrap_or(so_far)
    };
    let ahead: Vec<Credits> = (0..=left).map(after).collect();
    let count = usize::try_from(first.days_until(first.last_of_month())).unwrap_or_default().max(last.len());
    let place = |days: usize| first.plus_days(i64::try_from(days).unwrap_or_default());
    let day = |index: usize| {
        let (name, dated) = (month_day(place(index)), place(index) <= first.last_of_month());
        let now = match (current.get(index), (index + 1).checked_sub(current.len()).and_then(|i| ahead.get(i))) {
            (Some(sum), _) => Some(format!("{name}: {}", usage.bare(*sum))),
            (None, Some(sum)) if dated => Some(format!("{name}: about {}", usage.bare(*sum))),
            _ => None,
        };
        let then = last.get(index).map(|sum| {
            let day = before.plus_days(i64::try_from(index).unwrap_or_default());
            format!("{}: {}", month_day(day), usage.bare(*sum))
        });
        let label = now.into_iter().chain(then).collect::<Vec<_>>().join(" \u{b7} ");
        Bucket { label, tick: (index + 1).to_string(), incomplete: false }
    };
    let days: Vec<Bucket> = (0..count).map(day).collect();
    let micros = |sums: &[Credits]| sums.iter().map(|sum| sum.micros()).collect::<Vec<_>>();
    let end = ahead.last().copied().unwrap_or(so_far);
    let whole = last.last().copied().unwrap_or_default();
    let about = format!(
        "{} in this cycle until today, {} in the last one; at the average of a day this one ends at about {}.",
        short(words, so_far),
        short(words, whole),
        short(words, end)
    );
    let (current_micros, ahead_micros, last_micros) = (micros(&current), micros(&ahead), micros(&last));
    let draw = |id: &str, width: u32| {
        let chart = CycleChart {
            id,
            title: "Running sum of the billing cycle",
            description: &about,
            width,
            height: HEIGHT,
            days: &days,
            current: &current_micros,
            ahead: &ahead_micros,
            last: &last_micros,
            unit: "",
            decimals: words.decimals.into(),
        };
        chart.draw().svg
    };
    let key = |class: &str, name: &str, credits: Credits| {
        Markup::new("li").child(Markup::new("i").class(class)).text(name).text(" ").child(amount(words, credits))
    };
    let keys = Markup::new("ul")
        .class("cycle-keys")
        .child(key("swatch s0", "This cycle", so_far))
        .child(key("swatch s8", "Last cycle", whole))
        .child(key("swatch ahead", "Projected end", end));
    let rows = (0..count).rev().filter_map(|index| Some((month_day(place(index)), *current.get(index)?)));
    panel("cycle", "This billing cycle", &format!("Running sum since {}", first.medium()))
        .child(two_sizes(&draw("cycle-chart", HALF), &draw("cycle-chart-narrow", PHONE)))
        .child(keys)
        .child(behind(usage, "cycle-table", "Until the end of", rows))
}

/// A drawing for where there is room, and one for phones: the style sheet shows one of them.
fn two_sizes(wide: &str, narrow: &str) -> Markup {
    Markup::new("div")
        .class("still-chart")
        .child(Markup::new("div").class("wide").drawing(wide))
        .child(Markup::new("div").class("narrow").drawing(narrow))
}

/// The table behind a chart.
fn behind(usage: &Usage<'_>, id: &str, head: &str, rows: impl Iterator<Item = (String, Credits)>) -> Markup {
    let line = |(name, credits): (String, Credits)| {
        row(Markup::new("span").text(&name), [number_of(amount_bare(usage.words, credits))])
    };
    let unit = format!("{}\t", format::unit_head(usage.words));
    let table = table("table-scroll tall", "What the chart shows", &[head, &unit], rows.map(line), None);
    Markup::new("details").class("behind").attr("id", id).child(Markup::new("summary").text("As a table")).child(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_iso;

    fn day(text: &str) -> Day {
        parse_iso(text).expect("a day")
    }

    fn html(markup: &Markup) -> String {
        let mut html = String::new();
        markup.write_html(&mut html);
        html
    }

    fn with(test: impl FnOnce(&Usage<'_>)) {
        let c = |text| Credits::parse(text).expect("an amount");
        let days =
            BTreeMap::from([(day("2025-06-30"), c("1.23")), (day("2025-06-02"), c("10")), (day("2025-05-31"), c("4"))]);
        let (words, today) = (Words::default(), day("2025-06-30"));
        test(&Usage { words: &words, today, days: &days, daily: c("0.5") });
    }

    #[test]
    fn each_of_thirty_days_says_its_number_amount_and_weekday() {
        with(|usage| {
            let html = html(&daily(usage, "UTC"));
            assert_eq!(html.matches("<g class=\"column").count(), 30);
            assert_eq!(html.matches("<g class=\"column none\"").count(), 28);
            for text in [">Jun 30: 1.23</text>", ">Jun 1: 0.00</text>", ">Mon</text>", ">1.23</text>"] {
                assert!(html.contains(text), "{text} in {html}");
            }
        });
    }

    #[test]
    fn each_of_twelve_months_says_its_sum() {
        with(|usage| {
            let html = html(&monthly(usage));
            assert_eq!(html.matches(">Jun 2025: 11.23</text>").count(), 2);
            assert_eq!(html.matches(">May 2025: 4.00</text>").count(), 2);
            assert!(html.contains(">Jul 2024: 0.00</text>"));
        });
    }

    #[test]
    fn a_cycle_is_shown_beside_the_last_and_with_its_end() {
        let c = |text| Credits::parse(text).expect("an amount");
        let days = BTreeMap::from([(day("2025-06-02"), c("10")), (day("2025-05-31"), c("4"))]);
        let words = Words::default();
        let html = html(&cycle(&Usage { words: &words, today: day("2025-06-10"), days: &days, daily: c("0.5") }));
        for text in [
            ">Jun 10: 10.00 · May 10: 0.00</text>",
            ">Jun 11: about 10.50 · May 11: 0.00</text>",
            ">Jun 30: about 20.00 · May 30: 0.00</text>",
            ">May 31: 4.00</text>",
            "this one ends at about 20 credits",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn short_amounts_stay_short() {
        let told = ["0.05", "0.4", "9.96", "12.7", "999.9", "1234", "1234567"]
            .map(|text| compact(Credits::parse(text).expect("an amount")));
        assert_eq!(told, ["<0.1", "0.4", "9.9", "12", "999", "1.2k", "1.2M"]);
    }
}
