//! `/alerts`: rules, what fired, budgets, and how far forecasts are to be trusted.

use super::filter::Filter;
use super::words::{figure, one_of, scope, sentence, silence, told};
use super::{button_to, came_of, external, panel, status};
use crate::backend::Org;
use crate::backend::alerts::{ALERTS, AlertsPage, Budget, FiringRow, Measured, ROWS};
use crate::backend::plans::told as moment;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number, number_of, table, time};
use ledger::FiringId;
use ledger::budget::Standing;
use ledger::forecast::Backtest;

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let org = &asked.org;
    let read = asked.backend.alerts(org, FiringId::parse(asked.get("before"))).await?;
    let firing = read.rules.iter().filter(|of| of.rule.firing.is_some()).count();
    let all = count(read.rules.len());
    let about = match firing {
        0 if read.rules.is_empty() => String::new(),
        0 => format!("{} watched, none of them firing.", format::counted(all, "alert", "alerts")),
        _ => format!("{firing} of {} firing.", format::counted(all, "alert", "alerts")),
    };
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text("Alerts"))
        .children((!about.is_empty()).then(|| Markup::new("p").class("muted").text(&about)))
        .children(read.may.then(|| {
            let controls = Markup::new("div").class("controls");
            controls.child(button_to(&format!("{ALERTS}/budgets/new"), "New budget", false)).child(button_to(
                &format!("{ALERTS}/new"),
                "New alert",
                true,
            ))
        }));
    let filter = Filter::of(asked);
    let all = Listed { here: &filter.address(&[]), is_first: asked.get("before").is_empty(), is_of_one: false };
    let live = Markup::new("div")
        .class("alerts-live")
        .child(rules(org, &read, &filter)?)
        .child(history(org, &read.history, all)?)
        .child(budgets(org, &read, &filter)?);
    let body = Markup::new("div")
        .class("page alerts")
        .child(head)
        .children(came_of(asked.get("done"), asked.get("error")))
        .child(live)
        .children(read.backtest.map(trust));
    Ok(Written { title: "Alerts".to_owned(), body })
}

fn rules(org: &Org, read: &AlertsPage, filter: &Filter<'_>) -> Result<Markup, AppError> {
    let panel = panel("rules", "Rules");
    if read.rules.is_empty() {
        let text = "Nothing is watched yet. An alert tells you once, when it matters: a low balance, a day that costs too much, credits that will not last.";
        return Ok(panel.child(Markup::new("p").class("muted").text(text)));
    }
    let panel = panel.children(filter.form(read.rules.len().max(read.budgets.len())));
    let chosen = filter.rules(&read.rules);
    if chosen.is_empty() {
        let text = format!("None of the {} is like that.", format::counted(count(read.rules.len()), "alert", "alerts"));
        return Ok(panel.child(Markup::new("p").class("muted").text(&text)));
    }
    let (shown, turn) = filter.page_of_rules(&chosen);
    let lines = shown.iter().map(|of| line(org, of)).collect::<Result<Vec<_>, _>>()?;
    let heads = ["Alert", "State", "Now\t", "Threshold\t", "Of"];
    Ok(panel.child(table("table-scroll", "Rules", &heads, lines, None)).children(turn))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn line(org: &Org, of: &Measured) -> Result<Markup, AppError> {
    let (rule, words) = (&of.rule, &org.words);
    let unit = rule.kind.unit();
    let name = Markup::new("th")
        .attr("scope", "row")
        .child(external(&format!("{ALERTS}/{}", rule.id), &rule.title))
        .child(small().text(&sentence(words, &rule.kind)));
    let shown = |value: Option<i64>| value.map(|value| figure(words, unit, value)).filter(|text| !text.is_empty());
    let dash = || "\u{2013}".to_owned();
    let state = Markup::new("td").child(state(org, of)?);
    Ok(Markup::new("tr")
        .child(name)
        .child(state)
        .child(number(&shown(of.measure.map(|measure| measure.value)).unwrap_or_else(dash)))
        .child(number(&shown(of.measure.map(|measure| measure.threshold)).unwrap_or_else(dash)))
        .child(cell(&scope(words, &rule.kind, &rule.scope))))
}

/// How a rule stands.
pub(super) fn state(org: &Org, of: &Measured) -> Result<Markup, AppError> {
    let rule = &of.rule;
    let state = match (&rule.state.firing, rule.acknowledged) {
        (Some(firing), acknowledged) => {
            let (class, text) = if acknowledged { ("warn", "Acknowledged, firing") } else { ("danger", "Firing") };
            let since = small().text("since ").child(time(&moment(org, firing.since)?));
            Markup::new("span").child(status(class, text)).text(" ").child(since)
        }
        (None, _) => status("ok", "OK"),
    };
    let silent = match (rule.voice.muted, rule.voice.snoozed_until) {
        (true, _) => Some(small().text("muted")),
        (false, Some(until)) => Some(small().text("snoozed until ").child(time(&moment(org, until)?))),
        (false, None) => None,
    };
    Ok(Markup::new("span").child(state).children(silent))
}

/// A line below another, of less weight.
fn small() -> Markup {
    Markup::new("small").class("muted alert-what")
}

/// Where a history stands, for the way to older rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    /// The address of its page.
    pub(super) here: &'a str,
    /// Whether it begins with the newest.
    pub(super) is_first: bool,
    /// Whether all of it is of one rule, whose page it is.
    pub(super) is_of_one: bool,
}

/// What fired, newest first.
pub(super) fn history(
    org: &Org,
    rows: &[FiringRow],
    Listed { here, is_first, is_of_one }: Listed<'_>,
) -> Result<Markup, AppError> {
    let panel = panel("history", "History");
    if rows.is_empty() {
        return Ok(panel.child(Markup::new("p").class("muted").text("Nothing has fired.")));
    }
    let page = usize::try_from(ROWS).unwrap_or_default();
    let mut lines = Vec::new();
    for row in rows.iter().take(page) {
        let over = match row.resolved_at {
            Some(at) if at == row.fired_at => cell("Told"),
            Some(at) => Markup::new("td").text("Over ").child(time(&moment(org, at)?)),
            None => Markup::new("td").child(status("danger", "Firing")),
        };
        let seen =
            row.acknowledged.as_ref().map(|(_, by)| format!("acknowledged by {}", by.trim_start_matches("user:")));
        let remark = row.silence.as_deref().map(silence).map(str::to_owned).or(seen).unwrap_or_default();
        lines.push(
            Markup::new("tr")
                .child(Markup::new("th").attr("scope", "row").child(time(&moment(org, row.fired_at)?)))
                .children(
                    (!is_of_one)
                        .then(|| Markup::new("td").child(external(&format!("{ALERTS}/{}", row.rule), &row.title))),
                )
                .child(cell(&told(&org.words, row)))
                .child(over)
                .child(Markup::new("td").class("muted").text(&remark)),
        );
    }
    let older = rows.len() > page;
    let last = rows.get(page.saturating_sub(1)).filter(|_| older);
    let more = if here.contains('?') { '&' } else { '?' };
    let turn = last.map(|row| button_to(&format!("{here}{more}before={}#history", row.id), "Older", false));
    let newest = (!is_first).then(|| button_to(&format!("{here}#history"), "Newest", false));
    let heads = ["Fired", "Alert", "Figure", "Since then", ""];
    let heads: Vec<&str> = heads.into_iter().filter(|head| !(is_of_one && *head == "Alert")).collect();
    let turn =
        (turn.is_some() || newest.is_some()).then(|| Markup::new("p").class("turn").children(newest).children(turn));
    Ok(panel.child(table("table-scroll", "History", &heads, lines, None)).children(turn))
}

fn budgets(org: &Org, read: &AlertsPage, filter: &Filter<'_>) -> Result<Markup, AppError> {
    let panel = panel("budgets", "Budgets");
    if read.budgets.is_empty() {
        let text = "No budget is set. A budget caps what a project, a user or a tenant may use, warns, and can pause what asks before it works.";
        return Ok(panel.child(Markup::new("p").class("muted").text(text)));
    }
    let chosen = filter.budgets(&read.budgets);
    if chosen.is_empty() {
        return Ok(panel.child(Markup::new("p").class("muted").text("No budget is called that.")));
    }
    let (shown, turn) = filter.page_of_budgets(&chosen);
    let lines = shown.iter().map(|budget| budget_line(org, budget)).collect::<Result<Vec<_>, _>>()?;
    let unit = format::unit_head(&org.words);
    let (used, amount) = (format!("Used, {unit}\t"), format!("Budget, {unit}\t"));
    let heads = ["Budget", "State", &used, &amount, "Until"];
    Ok(panel.child(table("table-scroll", "Budgets", &heads, lines, None)).children(turn))
}

fn budget_line(org: &Org, budget: &Budget) -> Result<Markup, AppError> {
    let (terms, counted) = (&budget.terms, &budget.counted);
    let state = match counted.spent.map(|spent| terms.standing(spent)) {
        Some(Standing::Within) => status("ok", "Within"),
        Some(Standing::Warned) => status("warn", "Nearly used"),
        Some(Standing::Exceeded) if terms.pauses => status("danger", "Used up, paused"),
        Some(Standing::Exceeded) => status("danger", "Used up"),
        None => status("quiet", "Being added up"),
    };
    let what = format!("{} {} in {}", terms.whose.title(), terms.id, one_of(terms.per));
    let name = Markup::new("th")
        .attr("scope", "row")
        .child(external(&format!("{ALERTS}/budgets/{}", budget.id), &terms.title))
        .child(small().text(&what));
    let used = counted.spent.map_or_else(|| cell("\u{2013}"), |spent| number_of(amount_bare(&org.words, spent)));
    let until = match counted.period {
        Some(period) => Markup::new("td").child(time(&moment(org, period.to)?)),
        None => cell(""),
    };
    Ok(Markup::new("tr")
        .child(name)
        .child(Markup::new("td").child(state))
        .child(used)
        .child(number_of(amount_bare(&org.words, terms.amount)))
        .child(until))
}

/// How far forecasts were off, beside the simplest that there is.
fn trust(of: Backtest) -> Markup {
    let percent = |ppm: i64| format!("{}.{}%", ppm / 10_000, ppm % 10_000 / 1_000);
    let text = format!(
        "Forecasts of the last {} days, each made the day before, were off by {}; taking the same day of the week before was off by {}. \
         {} of the days lay within their band.",
        of.days,
        percent(of.error_ppm),
        percent(of.last_week_ppm),
        percent(of.within_ppm),
    );
    Markup::new("p").class("muted alerts-trust").text(&text)
}
