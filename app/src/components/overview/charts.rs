//! Days, months and the billing cycle as charts, drawn here on the server: each with its table.

use super::panel;
use crate::calendar::Day;
use crate::charts::{Bucket, Column, ColumnChart, CycleChart};
use crate::format::{self, short};
use crate::markup::{Markup, amount, amount_bare, number_of, row, table};
use ledger::pace::Basis;
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

/// `0.4`, `12`, `1.2k`, `34M`: for where there is no room. Rounded half up, as the same amount is where there is room.
fn compact(credits: Credits) -> String {
    let rounded = |to: i64| credits.micros().saturating_add(to / 2) / to;
    let mut unit = 1_000_000_i64;
    let mut suffix = "";
    for name in ["k", "M", "B"] {
        if rounded(unit) < 1_000 {
            break;
        }
        (unit, suffix) = (unit * 1_000, name);
    }
    match rounded(unit / 10) {
        0 => "<0.1".to_owned(),
        tenths @ 1..100 => format!("{}.{}{suffix}", tenths / 10, tenths % 10),
        _ => format!("{}{suffix}", rounded(unit)),
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

/// The billing cycle: what it came to, and where it is headed.
pub struct CycleUsage {
    /// Its first and its last day.
    pub days: (Day, Day),
    /// What was used on each day until today.
    pub used: Vec<Credits>,
    /// The first day of the cycle before.
    pub before: Day,
    /// What was used on each day of that.
    pub used_before: Vec<Credits>,
    /// What it will have come to by the end of today and of each day after it; empty where nothing says.
    pub ahead: Vec<Credits>,
    /// What it will have come to at its end, from what that is told, and between what in four of five cases.
    pub end: Option<(Credits, Basis, (Credits, Credits))>,
}

/// Running sums. What the ledger holds together fits.
fn running(days: &[Credits]) -> Vec<Credits> {
    let mut sum = Credits::ZERO;
    let next = |day: &Credits| {
        sum = sum.plus(*day).unwrap_or(sum);
        sum
    };
    days.iter().map(next).collect()
}

/// From what something is told, within a sentence: "by forecast from the last 12 weeks".
#[must_use]
pub fn told_by(basis: Basis) -> String {
    match basis {
        Basis::Weeks(weeks) => format!("by forecast from the last {weeks} weeks"),
        Basis::Days(1) => "at the pace of today".to_owned(),
        Basis::Days(days) => format!("at the average of {days} days"),
    }
}

/// The chart of the billing cycle.
#[must_use]
pub fn cycle(usage: &Usage<'_>, of: &CycleUsage) -> Markup {
    let words = usage.words;
    let (first, ends) = of.days;
    let (current, last) = (running(&of.used), running(&of.used_before));
    let so_far = current.last().copied().unwrap_or_default();
    // The line begins at what there is now.
    let ahead: Vec<Credits> = match of.ahead.get(1..) {
        Some(later) => [&[so_far], later].concat(),
        None => Vec::new(),
    };
    let count = usize::try_from(first.days_until(ends)).unwrap_or_default().max(last.len());
    let place = |days: usize| first.plus_days(i64::try_from(days).unwrap_or_default());
    let day = |index: usize| {
        let (name, dated) = (month_day(place(index)), place(index) <= ends);
        let now = match (current.get(index), (index + 1).checked_sub(current.len()).and_then(|i| ahead.get(i))) {
            (Some(sum), _) => Some(format!("{name}: {}", usage.bare(*sum))),
            (None, Some(sum)) if dated => Some(format!("{name}: about {}", usage.bare(*sum))),
            _ => None,
        };
        let then = last.get(index).map(|sum| {
            let day = of.before.plus_days(i64::try_from(index).unwrap_or_default());
            format!("{}: {}", month_day(day), usage.bare(*sum))
        });
        let label = now.into_iter().chain(then).collect::<Vec<_>>().join(" \u{b7} ");
        Bucket { label, tick: (index + 1).to_string(), incomplete: false }
    };
    let days: Vec<Bucket> = (0..count).map(day).collect();
    let micros = |sums: &[Credits]| sums.iter().map(|sum| sum.micros()).collect::<Vec<_>>();
    let whole = last.last().copied().unwrap_or_default();
    let headed = of.end.map(|(end, basis, (low, high))| {
        let band = format!(", in four of five cases between {} and {}", short(words, low), short(words, high));
        let band = if low < high { band } else { String::new() };
        format!("{} this one ends at about {}{band}", format::capital(&told_by(basis)), short(words, end))
    });
    let about = format!(
        "{} in this cycle until today, {} in the last one. {}.",
        short(words, so_far),
        short(words, whole),
        headed.as_deref().unwrap_or("Nothing was used lately, so there is no telling where it ends")
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
        .children(of.end.map(|(end, ..)| key("swatch ahead", "Projected end", end)));
    let rows = (0..count).rev().filter_map(|index| Some((month_day(place(index)), *current.get(index)?)));
    panel("cycle", "This billing cycle", &format!("Running sum since {}", first.medium()))
        .child(two_sizes(&draw("cycle-chart", HALF), &draw("cycle-chart-narrow", PHONE)))
        .child(keys)
        .children(headed.map(|headed| Markup::new("p").class("stat-remark").text(&format!("{headed}."))))
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
        test(&Usage { words: &words, today, days: &days });
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

    fn cycle_of(used: &[&str], end: Option<Basis>) -> String {
        let c = |text: &&str| Credits::parse(text).expect("an amount");
        let (words, days) = (Words::default(), BTreeMap::new());
        let used: Vec<Credits> = used.iter().map(c).collect();
        let so_far = Credits::sum(used.iter().copied()).expect("fits");
        let half = |days: i64| so_far.plus(Credits::from_micros(500_000 * days)).expect("fits");
        let left = 30 - i64::try_from(used.len()).expect("small");
        let of = CycleUsage {
            days: (day("2025-06-01"), day("2025-06-30")),
            ahead: end.map_or_else(Vec::new, |_| (0..=left).map(half).collect()),
            end: end.map(|basis| (half(left), basis, (c(&"18"), c(&"23")))),
            used,
            before: day("2025-05-01"),
            used_before: (1..=31).map(|day| if day == 31 { c(&"4") } else { Credits::ZERO }).collect(),
        };
        html(&cycle(&Usage { words: &words, today: day("2025-06-10"), days: &days }, &of))
    }

    #[test]
    fn a_cycle_is_shown_beside_the_last_and_with_its_end() {
        let mut used = vec!["0"; 10];
        used[1] = "10";
        let html = cycle_of(&used, Some(Basis::Weeks(12)));
        for text in [
            ">Jun 10: 10.00 · May 10: 0.00</text>",
            ">Jun 11: about 10.50 · May 11: 0.00</text>",
            ">Jun 30: about 20.00 · May 30: 0.00</text>",
            ">May 31: 4.00</text>",
            "By forecast from the last 12 weeks this one ends at about 20 credits, in four of five cases between 18 credits and 23 credits.",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn an_end_says_from_what_it_is_told_and_none_is_said_where_nothing_was_used() {
        assert!(
            cycle_of(&["1", "2"], Some(Basis::Days(2)))
                .contains("At the average of 2 days this one ends at about 17 credits")
        );
        let nothing = cycle_of(&["0"], None);
        assert!(nothing.contains("there is no telling where it ends") && !nothing.contains("Projected end"));
    }

    #[test]
    fn short_amounts_stay_short() {
        let told = ["0.04", "0.4", "8.398", "9.96", "12.7", "999.9", "1234", "1234567"]
            .map(|text| compact(Credits::parse(text).expect("an amount")));
        assert_eq!(told, ["<0.1", "0.4", "8.4", "10", "13", "1.0k", "1.2k", "1.2M"]);
    }
}
