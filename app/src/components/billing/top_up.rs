//! `/billing/top-up`: below how many credits what is bought by itself, up to which cap, and what came of it.

use super::purchase::{METHODS, PURCHASES};
use super::terms::{external, go, panel};
use crate::backend::Org;
use crate::backend::plans::told;
use crate::backend::purchases::Package;
use crate::backend::top_up::{TopUpRow, TopUps};
use crate::components::people::parts::{button, form, label, primary};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number_of, table, time};
use ledger::Words;
use ledger::package::Terms;

/// Address of the page.
pub const TOP_UP: &str = "/billing/top-up";

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let (org, words) = (&asked.org, &asked.org.words);
    let top_ups = asked.backend.top_ups(org).await?;
    let title = "Auto top-up".to_owned();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(Markup::new("div").class("controls").child(go("/billing", "Billing & credits", false)));
    let notice = match asked.get("done") {
        "on" => Some("Auto top-up is on."),
        "off" => Some("Auto top-up is off."),
        _ => None,
    };
    let notice = notice.map(|text| Markup::new("p").class("notice").attr("role", "status").text(text));
    let wrong = Some(asked.get("error")).filter(|code| !code.is_empty());
    let wrong = wrong.map(|code| Markup::new("p").class("form-error").attr("role", "alert").text(sentence(code)));
    let body = Markup::new("div")
        .class("page billing")
        .child(head)
        .children(notice)
        .child(rule(words, &top_ups, asked, wrong))
        .child(history(org, &top_ups.history)?);
    Ok(Written { title, body })
}

fn sentence(code: &str) -> &'static str {
    match code {
        "payment_method_needed" => "Store a payment method first: auto top-up charges it.",
        "bad_cap" => {
            "The cap of a month must be an amount such as 200.00, and at least what one purchase costs with its tax."
        }
        "bad_threshold" => "Say below how many credits something is bought: a number such as 100.",
        "bad_purchase_amount" => "Choose a number of credits within the bounds of the custom amount.",
        "package_not_offered" => "This package is not offered any more. Choose another.",
        _ => "This was not taken. Look at it again, then send it.",
    }
}

fn rule(words: &Words, top_ups: &TopUps, asked: &Asked<'_>, wrong: Option<Markup>) -> Markup {
    let known = top_ups.asked.as_ref();
    let is_on = known.is_some_and(|known| known.rule.is_on);
    let panel = panel("rule", if is_on { "It is on" } else { "It is off" }).children(wrong);
    let gave_up = known.filter(|known| known.gave_up && !known.rule.is_on).map(|_| {
        let text =
            "It turned itself off after three payments in a row had failed. It stays off until somebody turns it on.";
        Markup::new("p").class("notice").text(text)
    });
    let panel = panel.children(gave_up);
    if top_ups.packages.is_empty() {
        return panel.child(Markup::new("p").class("muted").text("No package is offered that could be bought."));
    }
    let method = (!top_ups.has_method).then(|| {
        let text = Markup::new("p").class("notice").text("Store a payment method first: ");
        text.child(go(METHODS, "Payment methods", false))
    });
    let typed = |name: &str, in_force: Option<String>| {
        let typed = asked.get(name);
        if typed.is_empty() { in_force.unwrap_or_default() } else { typed.to_owned() }
    };
    let chosen = typed("package", known.map(|known| known.package.to_string()));
    let threshold = typed("threshold", known.map(|known| known.rule.threshold.to_string()));
    let credits = typed("credits", known.and_then(|known| known.credits).map(|credits| credits.to_string()));
    let cap = typed("cap", known.map(|known| known.rule.cap.decimal()));
    let input = |name: &'static str, value: &str, hint: &str| {
        let input = Markup::new("input").attr("name", name).attr("inputmode", "decimal").attr("autocomplete", "off");
        input.attr("placeholder", hint).attr("value", value)
    };
    let options = top_ups.packages.iter().map(|package| option(package, &chosen));
    let fields = Markup::new("div")
        .class("desk-fields")
        .child(label(&format!("Below so many {}", format::noun(words)), input("threshold", &threshold, "100")))
        .child(label("Buy", Markup::new("select").attr("name", "package").children(options)))
        .child(label("How many, for a custom amount", input("credits", &credits, "")))
        .child(label("At most in a calendar month, tax included", input("cap", &cap, "200.00")));
    let save = if is_on { "Save" } else { "Turn on" };
    let set = form(TOP_UP, "on").child(fields).child(Markup::new("p").class("form-foot").child(primary(save)));
    let off = is_on.then(|| form(TOP_UP, "off").child(button("Turn off")));
    let text = "One purchase at a time, charged to the stored payment method. After three failures in a row it turns itself off.";
    panel.child(Markup::new("p").class("muted").text(text)).children(method).child(set).children(off)
}

fn option(package: &Package, chosen: &str) -> Markup {
    let id = package.id.to_string();
    let price = match &package.terms {
        Terms::Fixed { price, .. } => format!(", {}", format::money(*price)),
        Terms::Custom { currency, .. } => format!(", in {}", currency.as_str()),
    };
    let selected = (id == chosen).then_some("");
    let option = Markup::new("option").attr("value", &id).maybe_attr("selected", selected);
    option.text(&format!("{}{price}", package.title))
}

fn history(org: &Org, rows: &[TopUpRow]) -> Result<Markup, AppError> {
    let panel = panel("history-title", "What it did, and why");
    if rows.is_empty() {
        return Ok(panel.child(Markup::new("p").class("muted").text("Nothing yet.")));
    }
    let mut lines = Vec::new();
    for row in rows {
        let what = Markup::new("td").child(match row.purchase {
            Some(purchase) => external(&format!("{PURCHASES}/{purchase}"), in_words(&row.outcome)),
            None => Markup::new("span").text(in_words(&row.outcome)),
        });
        lines.push(
            Markup::new("tr")
                .child(Markup::new("th").attr("scope", "row").child(time(&told(org, row.at)?)))
                .child(what)
                .child(cell(&row.reason))
                .child(number_of(amount_bare(&org.words, row.available))),
        );
    }
    let heads = ["When", "What", "Why", "Available then\t"];
    Ok(panel.child(table("table-scroll", "History", &heads, lines, None)))
}

fn in_words(outcome: &str) -> &'static str {
    match outcome {
        "bought" => "Bought",
        "capped" => "Not bought: the cap",
        "no_method" => "Not bought: no payment method",
        "no_package" => "Not bought: no such package",
        "turned_on" => "Turned on",
        _ => "Turned off",
    }
}
