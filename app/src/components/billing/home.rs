//! `/billing`: what is there, what is subscribed to, what comes next, and what it will cost.

use super::invoices::PATH as INVOICES;
use super::payments::PATH as PAYMENTS;
use super::purchase::{METHODS, PURCHASE, PURCHASES};
use super::terms::{self, PLAN, day, external, go, panel, sum_row};
use super::top_up::TOP_UP;
use crate::backend::plans::{Billing, Expected, OpenItem, Subscribed, day_of, told};
use crate::backend::{Org, refused};
use crate::calendar::{Day, parse_iso};
use crate::components::balance_card::brief_balance_card;
use crate::components::stat_card::{figure, stat_card};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, cell, number, span, table, text_fact, time};
use ledger::invoice::number as number_of;
use ledger::{Credits, Money, Words};

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let (org, words) = (&asked.org, &asked.org.words);
    let billing = asked.backend.billing(org).await?;
    let title = "Billing & credits".to_owned();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(Markup::new("p").class("muted").text("As of ").child(time(&told(org, billing.as_of)?)))
        .child(
            Markup::new("div")
                .class("controls")
                .child(go(PLAN, "Plan", false))
                .child(go(TOP_UP, "Auto top-up", false))
                .child(go(PURCHASE, &format!("Purchase {}", format::noun(words)), true)),
        );
    let live = Markup::new("div")
        .class("billing-live")
        .attr("data-live", &billing.head.to_string())
        .child(figures(org, &billing)?)
        .children(owed(&billing))
        .child(Markup::new("div").class("billing-grid").child(plan(org, &billing)?).child(expected(org, &billing)?))
        .child(lists(org, &billing)?);
    let body = Markup::new("div")
        .class("page billing")
        .child(head)
        .child(live)
        .child(Markup::new("p").class("visually-hidden").attr("role", "status").attr("data-live-status", ""))
        .child(Markup::new("script").attr("src", "/live.js").attr("type", "module"));
    Ok(Written { title, body })
}

/// What is left and used of the plan's credits.
struct OfPlan {
    granted: Credits,
    used: Credits,
    left: Credits,
}

fn of_plan(billing: &Billing) -> Result<OfPlan, AppError> {
    let sum = |of: fn(&ledger::Figures) -> Credits| {
        Credits::sum(billing.plan.iter().map(|state| of(&state.figures))).map_err(refused)
    };
    Ok(OfPlan { granted: sum(|f| f.granted)?, used: sum(|f| f.spent)?, left: sum(|f| f.left)? })
}

fn figures(org: &Org, billing: &Billing) -> Result<Markup, AppError> {
    let words = &org.words;
    let plan = of_plan(billing)?;
    let extra = billing.balance.available.minus(plan.left).unwrap_or_default().max(Credits::ZERO);
    let used = match &billing.subscribed {
        Some(subscribed) if plan.granted.is_positive() => used_card(words, &subscribed.plan.title, &plan),
        Some(subscribed) => {
            let text = format!("{} gave nothing in this cycle", subscribed.plan.title);
            stat_card(words, "Used of the plan", Credits::ZERO, &text)
        }
        None => stat_card(words, "Used of the plan", plan.used, "No plan is subscribed to"),
    };
    let label = format!("Extra {}", format::noun(words));
    Ok(Markup::new("div")
        .class("stats four")
        .child(brief_balance_card(words, &billing.balance))
        .child(used)
        .child(stat_card(words, &label, extra, "Bought, given or rolled over: no reset touches them"))
        .child(reset_card(org, billing)?))
}

fn used_card(words: &Words, title: &str, plan: &OfPlan) -> Markup {
    let share = format::share(plan.used, plan.granted).unwrap_or_else(|| "0%".to_owned());
    let bar = Markup::new("meter")
        .class("plan-bar")
        .attr("min", "0")
        .attr("max", &plan.granted.micros().to_string())
        .attr("value", &plan.used.micros().clamp(0, plan.granted.micros()).to_string())
        .attr("aria-label", &format!("{share} used of {title}"));
    Markup::new("div")
        .class("stat")
        .child(Markup::new("h2").class("stat-label").text("Used of the plan"))
        .child(figure(words, plan.used))
        .child(bar)
        .child(Markup::new("p").class("stat-remark").text(&format!(
            "{share} of {}, {} left",
            format::short(words, plan.granted),
            format::short(words, plan.left)
        )))
}

fn reset_card(org: &Org, billing: &Billing) -> Result<Markup, AppError> {
    let card = Markup::new("div").class("stat").child(Markup::new("h2").class("stat-label").text("Next reset"));
    let Some(subscribed) = &billing.subscribed else {
        let text = Markup::new("p").class("stat-figure").text("\u{2013}");
        return Ok(card.child(text).child(Markup::new("p").class("stat-remark").text("Bought credits never reset.")));
    };
    let end = day_of(org, subscribed.terms.cycle.part.to)?;
    let left = day_of(org, billing.as_of)?.days_until(end) - 1;
    let then = match (&subscribed.terms.cancelled_at, &subscribed.next) {
        (Some(_), _) => "then the subscription ends".to_owned(),
        (None, Some(next)) => format!("then {}", next.title),
        (None, None) => format!("then {} again", terms::credits(&org.words, &subscribed.plan)),
    };
    let remark = format!("In {}, {then}.", format::counted(left, "day", "days"));
    Ok(card
        .child(Markup::new("p").class("stat-figure").child(day(end)))
        .child(Markup::new("p").class("stat-remark").text(&remark)))
}

fn owed(billing: &Billing) -> Option<Markup> {
    let text = "An invoice stayed unpaid. Until it is paid, cycles of the plan give no credits and cost nothing.";
    billing.owes.then(|| Markup::new("p").class("notice").attr("role", "status").text(text))
}

fn plan(org: &Org, billing: &Billing) -> Result<Markup, AppError> {
    let words = &org.words;
    let panel = panel("plan-title", "Plan");
    let method = match &billing.method {
        Some(method) => method.title.as_str(),
        None => "None is stored",
    };
    let Some(subscribed) = &billing.subscribed else {
        let text =
            "No plan is subscribed to. A plan gives credits each month; what is bought comes on top and never expires.";
        return Ok(panel.child(Markup::new("p").class("muted").text(text)).child(Markup::new("p").child(go(
            PLAN,
            "Compare plans",
            true,
        ))));
    };
    let since = day_of(org, subscribed.began_at)?;
    let facts = Markup::new("dl")
        .class("facts")
        .child(text_fact("Plan", &subscribed.plan.title))
        .child(text_fact("Each cycle", &terms::credits(words, &subscribed.plan)))
        .child(text_fact("Price", &terms::price(&subscribed.plan)))
        .child(text_fact("Unused", &terms::rollover(words, &subscribed.plan)))
        .child(text_fact("At the reset", &next(words, billing, subscribed)))
        .child(text_fact("Subscribed since", &since.medium()))
        .child(text_fact("Payment method", method));
    let links = Markup::new("p").class("turn").child(go(PLAN, "Change plan", false)).text(" ").child(go(
        METHODS,
        "Payment methods",
        false,
    ));
    Ok(panel.child(facts).child(links))
}

/// What becomes of what is left when the cycle ends.
fn next(words: &Words, billing: &Billing, subscribed: &Subscribed) -> String {
    let ends = billing.plan.iter().filter_map(|state| state.end.as_ref());
    let sum = |of: fn(&ledger::rollover::Rolled) -> Credits| {
        Credits::sum(ends.clone().map(|end| of(&end.rolled))).unwrap_or_default()
    };
    let (rolled, expired) = (sum(|r| r.rolled), sum(|r| r.expired));
    let of_old = match (rolled.is_positive(), expired.is_positive()) {
        (true, true) => format!("{} roll over, {} expire", format::short(words, rolled), format::short(words, expired)),
        (true, false) => format!("{} roll over", format::short(words, rolled)),
        (false, true) => format!("{} expire", format::short(words, expired)),
        (false, false) => "nothing is left to expire".to_owned(),
    };
    match (&subscribed.terms.cancelled_at, &subscribed.next) {
        (Some(_), _) => format!("The subscription ends; {of_old}"),
        (None, Some(next)) => format!("{} begins; {of_old}", next.title),
        (None, None) => format::capital(&of_old),
    }
}

fn expected(org: &Org, billing: &Billing) -> Result<Markup, AppError> {
    let panel = panel("expected-title", "Invoice to expect");
    if billing.items.is_empty() {
        let text =
            "Nothing waits for an invoice. Plans and purchases of a month are invoiced on the first of the next.";
        return Ok(panel.child(Markup::new("p").class("muted").text(text)));
    }
    let rows = billing.items.iter().map(|item| item_row(org, item)).collect::<Result<Vec<_>, AppError>>()?;
    let list = table("table-scroll", "What will be invoiced", &["What", "When", "Net\t"], rows, None);
    let sums = billing.expected.iter().flat_map(to_pay);
    let sums = Markup::new("table").class("table purchase-sum").child(Markup::new("tbody").children(sums));
    Ok(panel.child(list).child(sums))
}

/// What an invoice comes to, as it will say it.
fn to_pay(expected: &Expected) -> Vec<Markup> {
    let totals = expected.figures.totals;
    let money = |minor| Money { minor, currency: expected.currency };
    let mut rows = vec![sum_row("Net", money(totals.net))];
    rows.extend(
        expected.figures.taxes.iter().filter(|sum| !sum.name.is_empty()).map(|sum| sum_row(&sum.name, money(sum.tax))),
    );
    if totals.settled != 0 {
        rows.push(sum_row("Paid already", money(-totals.settled)));
    }
    if totals.credit_before != 0 {
        rows.push(sum_row("Credit", money(-totals.credit_before)));
    }
    rows.push(sum_row("To be paid", money(totals.due)));
    rows
}

fn item_row(org: &Org, item: &OpenItem) -> Result<Markup, AppError> {
    let when = match item.part {
        Some(part) => {
            let last = ledger::Timestamp::from_micros(part.to.micros() - 1);
            crate::calendar::range_text(day_of(org, part.from)?, day_of(org, last)?)
        }
        None => day_of(org, item.at)?.medium(),
    };
    let name = Markup::new("th").attr("scope", "row").text(&item.description);
    let name = name.children(item.settled_tax.map(|_| Markup::new("small").class("muted").text(" paid")));
    Ok(Markup::new("tr").child(name).child(cell(&when)).child(number(&format::money(item.net))))
}

fn lists(org: &Org, billing: &Billing) -> Result<Markup, AppError> {
    let mut payments = Vec::new();
    for payment in &billing.payments {
        let name = match (payment.purchase, payment.invoice) {
            (Some(purchase), _) => external(&format!("{PURCHASES}/{purchase}"), "Purchase"),
            (None, Some(invoice)) => external(&format!("{INVOICES}/{invoice}"), "Invoice"),
            (None, None) => span("Payment"),
        };
        let row = Markup::new("tr").child(Markup::new("th").attr("scope", "row").child(name));
        let at = Markup::new("td").child(time(&told(org, payment.at)?));
        payments
            .push(row.child(at).child(cell(in_words(&payment.state))).child(number(&format::money(payment.amount))));
    }
    let mut invoices = Vec::new();
    for invoice in &billing.invoices {
        let name = invoice.ordinal.map_or_else(|| "Draft".to_owned(), |ordinal| number_of(org.id, ordinal));
        let link = external(&format!("{INVOICES}/{}", invoice.id), &name);
        let row = Markup::new("tr").child(Markup::new("th").attr("scope", "row").child(link));
        let month = parse_iso(&format!("{}-01", invoice.month)).map(Day::month_title).unwrap_or_default();
        let month = cell(&month);
        // What a draft comes to is on its own page: it still waits for late usage.
        let total = invoice.ordinal.map_or_else(|| "\u{2013}".to_owned(), |_| format::money(invoice.total));
        invoices.push(row.child(month).child(cell(in_words(&invoice.state))).child(number(&total)));
    }
    let payments = list("payments-title", "Payments", payments, "Nothing was paid yet.");
    let payments =
        payments.child(Markup::new("p").class("turn").child(go(PAYMENTS, "All payments", false)).text(" ").child(go(
            PURCHASES,
            "All purchases",
            false,
        )));
    let invoices = list("invoices-title", "Invoices", invoices, "No invoice yet: the first comes with the next month.");
    let invoices = invoices.child(Markup::new("p").class("turn").child(go(INVOICES, "All invoices", false)));
    Ok(Markup::new("div").class("billing-grid").child(payments).child(invoices))
}

fn list(id: &'static str, title: &str, rows: Vec<Markup>, none: &str) -> Markup {
    let panel = panel(id, title);
    if rows.is_empty() {
        return panel.child(Markup::new("p").class("muted").text(none));
    }
    panel.child(table("table-scroll", title, &["For", "When", "State", "Total\t"], rows, None))
}

/// A state of a payment or an invoice.
fn in_words(state: &str) -> &'static str {
    match state {
        "created" | "pending" => "Under way",
        "needs_action" => "Waits for you",
        "succeeded" | "paid" => "Paid",
        "failed" => "Failed",
        "cancelled" => "Given up",
        "draft" => "Draft",
        "uncollectible" => "Unpaid",
        _ => "Open",
    }
}
