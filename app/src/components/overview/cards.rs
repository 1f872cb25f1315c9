//! The figures: what is left, what used it, will it last.

use super::charts::told_by;
use crate::calendar::Day;
use crate::components::balance_card::balance_card;
use crate::components::banner::More;
use crate::components::stat_card::{figure, stat_card};
use crate::format::{self, counted, short};
use crate::markup::Markup;
use ledger::pace::Basis;
use ledger::{Balance, Credits, GrantKind, Words};

/// Beyond so many days a runway is not told by the day.
const FAR_DAYS: i64 = 3 * 365;

/// What is in force of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is called.
    pub title: String,
    /// What it gave for this cycle.
    pub granted: Credits,
    /// What is used of that.
    pub used: Credits,
    /// What is left of it.
    pub left: Credits,
}

/// How long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runway {
    /// Nothing is used.
    Unused,
    /// Until that day, so many whole days ahead.
    Until(Day, i64),
    /// For years.
    Beyond,
}

/// What the cards say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// What the org has.
    pub balance: Balance,
    /// At what available balance, or below, it is low.
    pub low: Option<Credits>,
    /// What is in force of the plan.
    pub plan: Option<Plan>,
    /// What was used in how many days, today included.
    pub pace: (Credits, i64),
    /// How long it lasts.
    pub runway: Runway,
    /// From what that is told, and the days on which it ends at the soonest and at the latest in four of five cases; `None` for an end
    /// that nobody looks so far ahead for.
    pub told: Option<(Basis, Option<Day>, Option<Day>)>,
    /// What expires until then without being used.
    pub lost: Credits,
    /// The first day of the next cycle, and in how many days it is.
    pub resets: (Day, i64),
    /// All that was given, by kind.
    pub given: Vec<(GrantKind, Credits)>,
    /// All that was ever given, less what was taken back.
    pub granted: Credits,
    /// All that was ever spent.
    pub spent: Credits,
    /// All calls, and how many of them failed.
    pub calls: (i64, i64),
}

/// All cards; `more` is how whoever looks comes by more credits.
#[must_use]
pub fn cards(words: &Words, figures: &Figures, more: More) -> Markup {
    let Figures { balance, low, pace: (recent, days), granted, spent, .. } = figures;
    let average = format::per_day(*recent, *days);
    let over = match days {
        1 => "Today, the first day with usage".to_owned(),
        days => format!("Over {days} days, {} in all", short(words, *recent)),
    };
    let share = format::share(*spent, *granted).map(|share| format!("{share} of all that was given"));
    Markup::new("div")
        .class("stats overview-stats")
        .child(balance_card(words, balance, *low, days_left(figures.runway), more))
        .child(plan_card(words, figures))
        .child(stat_card(words, "Average per day", average, &over))
        .child(runway_card(words, figures))
        .child(reset_card(figures))
        .child(purchased_card(words, figures))
        .child(stat_card(words, "Total spent", *spent, &share.unwrap_or_else(|| "Since the beginning".to_owned())))
        .child(calls_card(figures.calls))
}

fn card(label: &str) -> Markup {
    Markup::new("div").class("stat").child(Markup::new("h2").class("stat-label").text(label))
}

fn text_figure(text: &str) -> Markup {
    Markup::new("p").class("stat-figure").text(text)
}

fn remark(text: &str) -> Markup {
    Markup::new("p").class("stat-remark").text(text)
}

/// What can be used beside the plan.
fn extra(figures: &Figures) -> Credits {
    let left = figures.plan.as_ref().map_or(Credits::ZERO, |plan| plan.left);
    figures.balance.available.minus(left).unwrap_or_default().max(Credits::ZERO)
}

fn plan_card(words: &Words, figures: &Figures) -> Markup {
    let extra = extra(figures);
    let Some(Plan { title, granted, used, left }) = &figures.plan else {
        let text = format!("No plan gives {} in this cycle.", format::noun(words));
        let beside = extra.is_positive().then(|| remark(&format!("{} are there besides.", short(words, extra))));
        return card("Used of the plan").child(text_figure("No plan")).child(remark(&text)).children(beside);
    };
    let hover = format!(
        "In the plan: {} of {} left. Extra: {}",
        format::in_full(words, *left),
        format::in_full(words, *granted),
        format::in_full(words, extra)
    );
    let of = format::with_unit(words, &format::bare(words, *granted));
    let share = format::share(*used, *granted).unwrap_or_else(|| "0%".to_owned());
    let value = used.micros().clamp(0, granted.micros());
    let bar = Markup::new("meter")
        .class("plan-bar")
        .attr("min", "0")
        .attr("max", &granted.micros().to_string())
        .attr("value", &value.to_string())
        .attr("aria-label", &format!("{share} used of {title}"));
    card("Used of the plan")
        .child(Markup::new("div").attr("title", &hover).child(figure(words, *used)).child(bar))
        .child(remark(&format!("{share} of {of}, {title}")))
        .child(remark(&format!("In the plan {}, extra {}", short(words, *left), short(words, extra))))
}

fn runway_card(words: &Words, figures: &Figures) -> Markup {
    let nothing = !figures.balance.available.is_positive();
    let by = figures.told.map_or_else(|| "at this pace".to_owned(), |(basis, ..)| told_by(basis));
    let by = format::capital(&by);
    let ends = |day: Day| format!("{by} it ends on {}.", day.with_weekday());
    let (text, told) = match figures.runway {
        _ if nothing => ("None".to_owned(), "Nothing is left.".to_owned()),
        Runway::Unused => ("\u{2013}".to_owned(), "Nothing was used lately, so there is no telling.".to_owned()),
        Runway::Beyond => ("Years".to_owned(), format!("{by} it lasts for years.")),
        Runway::Until(_, days) if days > FAR_DAYS => ("Years".to_owned(), format!("{by} it lasts for years.")),
        Runway::Until(day, 0) => ("Less than a day".to_owned(), ends(day)),
        Runway::Until(day, days) => (counted(days, "day", "days"), ends(day)),
    };
    let between = figures.told.filter(|_| !nothing).and_then(|(_, soonest, latest)| between(soonest?, latest));
    let lost = (figures.lost.is_positive() && !nothing)
        .then(|| remark(&format!("Until then {} expire unused.", short(words, figures.lost))));
    let between = between.map(|between| remark(&between));
    card("Runway").child(text_figure(&text)).child(remark(&told)).children(between).children(lost)
}

/// Between which days it ends in four of five cases; not before which in nine of ten, where the later one is out of sight.
fn between(soonest: Day, latest: Option<Day>) -> Option<String> {
    match latest {
        Some(latest) if latest == soonest => None,
        Some(latest) => Some(format!("In four of five cases between {} and {}.", soonest.medium(), latest.medium())),
        None => Some(format!("In nine of ten cases not before {}.", soonest.medium())),
    }
}

fn days_left(runway: Runway) -> Option<i64> {
    match runway {
        Runway::Until(_, days) => Some(days),
        Runway::Unused | Runway::Beyond => None,
    }
}

fn reset_card(figures: &Figures) -> Markup {
    let (day, days) = figures.resets;
    let date = Markup::new("time").attr("datetime", &day.iso()).text(&day.medium());
    card("Reset date")
        .child(Markup::new("p").class("stat-figure").child(date))
        .child(remark(&format!("The next billing cycle begins in {}.", counted(days, "day", "days"))))
}

fn purchased_card(words: &Words, figures: &Figures) -> Markup {
    let of = |kind: GrantKind| figures.given.iter().find(|(given, _)| *given == kind).map(|(_, credits)| *credits);
    let others = figures.given.iter().filter(|(kind, _)| *kind != GrantKind::Purchase);
    let others: Vec<String> =
        others.map(|(kind, credits)| format!("{} {}", kind.as_str(), short(words, *credits))).collect();
    let others = if others.is_empty() {
        "Nothing was given besides".to_owned()
    } else {
        format!("Besides: {}", others.join(", "))
    };
    stat_card(words, "Total purchased", of(GrantKind::Purchase).unwrap_or_default(), &others)
}

fn calls_card((all, failed): (i64, i64)) -> Markup {
    let part = |class: &str, text: String| Markup::new("span").class(class).text(&text);
    let parts = Markup::new("p")
        .class("stat-remark")
        .child(part("status quiet", format!("{} successful", format::count(all - failed))))
        .text("\u{2003}")
        .child(part(if failed > 0 { "status danger" } else { "muted" }, format!("{} failed", format::count(failed))));
    card("API calls").child(text_figure(&format::count(all))).child(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_iso;

    fn c(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    fn figures() -> Figures {
        let day = parse_iso("2026-12-01").expect("a day");
        Figures {
            balance: Balance::new(c("120"), c("5"), c("0"), c("0")).expect("fits"),
            low: Some(c("10")),
            plan: Some(Plan { title: "Plan".to_owned(), granted: c("100"), used: c("40"), left: c("60") }),
            pace: (c("30"), 30),
            runway: Runway::Until(day, 12),
            told: Some((Basis::Weeks(12), parse_iso("2026-11-28"), parse_iso("2026-12-06"))),
            lost: c("3"),
            resets: (day, 10),
            given: vec![(GrantKind::Plan, c("100")), (GrantKind::Purchase, c("60"))],
            granted: c("160"),
            spent: c("40"),
            calls: (7, 2),
        }
    }

    fn html(figures: &Figures) -> String {
        let mut html = String::new();
        cards(&Words::default(), figures, More::Buy).write_html(&mut html);
        html
    }

    #[test]
    fn the_cards_say_it_in_words_too() {
        let html = html(&figures());
        for text in [
            "Current balance",
            "Healthy",
            "40% of 100.00 credits, Plan",
            "title=\"In the plan: 60.000000 credits of 100.000000 credits left. Extra: 60.000000 credits\"",
            "By forecast from the last 12 weeks it ends on Tue 1 Dec 2026.",
            "In four of five cases between 28 Nov 2026 and 6 Dec 2026.",
            "Until then 3 credits expire unused.",
            "The next billing cycle begins in 10 days.",
            "Besides: plan 100 credits",
            "5 successful",
            "2 failed",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn what_little_is_known_is_said_to_be_little() {
        let soonest = parse_iso("2026-11-28");
        let html_of = |told| html(&Figures { told, ..figures() });
        let days = html_of(Some((Basis::Days(3), soonest, soonest)));
        assert!(days.contains("At the average of 3 days it ends on Tue 1 Dec 2026.") && !days.contains("four of five"));
        let wide = html_of(Some((Basis::Weeks(2), soonest, None)));
        assert!(wide.contains("In nine of ten cases not before 28 Nov 2026."));
        let years = html(&Figures { runway: Runway::Beyond, told: Some((Basis::Days(1), None, None)), ..figures() });
        assert!(years.contains("At the pace of today it lasts for years."));
        let unused = html(&Figures { runway: Runway::Unused, told: None, ..figures() });
        assert!(unused.contains("Nothing was used lately, so there is no telling."));
    }

    #[test]
    fn what_is_not_there_is_said_calmly() {
        let nothing = Balance::new(c("0"), c("0"), c("0"), c("0")).expect("fits");
        let html = html(&Figures { balance: nothing, plan: None, runway: Runway::Unused, given: vec![], ..figures() });
        for text in ["Paused", "No plan gives credits in this cycle.", "Nothing is left.", "Nothing was given besides"]
        {
            assert!(html.contains(text), "{text} in {html}");
        }
    }
}
