//! `/billing/plan`: what is subscribed to, what else there is, and what a change would do before it is made.

use super::purchase::METHODS;
use super::terms::{self, PLAN, day, go, panel, sum_row, told as sentence};
use crate::backend::Org;
use crate::backend::plans::{Chosen, CycleRow, Plans, Preview, Subscribed, day_of};
use crate::components::people::parts::{button, form, hidden, label, primary};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, cell, table};
use ledger::plan::{Replaced, Supply};
use ledger::subscription::Choice;
use ledger::{Money, Plan, Timestamp, Words};

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let org = &asked.org;
    let plans = asked.backend.plans(org, asked.get("plan")).await?;
    let title = "Plan".to_owned();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(Markup::new("div").class("controls").child(go("/billing", "Billing & credits", false)));
    let notice = done(asked.get("done")).map(|text| Markup::new("p").class("notice").attr("role", "status").text(text));
    let wrong = Some(asked.get("error")).filter(|code| !code.is_empty()).map(|code| {
        Markup::new("p").attr("id", "choice").class("form-error").attr("role", "alert").text(sentence(code))
    });
    let preview = plans.preview.as_ref().map(|preview| previewed(org, &plans, preview)).transpose()?;
    let body = Markup::new("div")
        .class("page billing")
        .child(head)
        .children(notice)
        .children(wrong)
        .children(preview)
        .children(plans.subscribed.as_ref().map(|subscribed| current(org, subscribed)).transpose()?)
        .child(compare(&org.words, &plans))
        .children(cycles(org, &plans.cycles)?);
    Ok(Written { title, body })
}

fn done(what: &str) -> Option<&'static str> {
    Some(match what {
        "begun" => "The subscription has begun, and its first credits are there.",
        "upgraded" => "The plan was changed, and its credits are there.",
        "planned" => "The plan changes with the next cycle. Until then everything stays as it is.",
        "kept" => "The plan goes on as it is.",
        "cancelled" => "The subscription ends with its cycle. Until then everything stays as it is.",
        "resumed" => "The subscription goes on.",
        _ => return None,
    })
}

fn current(org: &Org, subscribed: &Subscribed) -> Result<Markup, AppError> {
    let Subscribed { terms, plan, next, .. } = subscribed;
    let end = day_of(org, terms.cycle.part.to)?;
    let text = match (terms.cancelled_at, next) {
        (Some(_), _) => "It was cancelled and ends on ".to_owned(),
        (None, Some(next)) => format!("{} takes its place on ", next.title),
        (None, None) => "The next cycle begins on ".to_owned(),
    };
    let line = Markup::new("p").text(&text).child(day(end)).text(". What was given until then stays.");
    let acts = match (terms.cancelled_at, next) {
        (Some(_), _) => form(PLAN, "resume").child(primary("Keep the subscription")),
        (None, Some(_)) => {
            let keep = form(PLAN, "choose").child(hidden("plan", &plan.id.to_string())).child(of(subscribed));
            keep.child(hidden("from", &plan.id.to_string())).child(primary(&format!("Stay with {}", plan.title)))
        }
        (None, None) => {
            let cancel = form(PLAN, "cancel").child(button(&format!("Cancel with the end of {}", end.medium())));
            Markup::new("details").child(Markup::new("summary").text("Cancel the subscription")).child(cancel)
        }
    };
    let waits = (!terms.cycle.supplied).then(|| {
        let text = "This cycle gave nothing yet: an invoice is unpaid. Once it is paid, the rest of the cycle has its credits.";
        Markup::new("p").class("notice").text(text)
    });
    Ok(panel("current-title", &format!("You have {}", plan.title)).child(line).children(waits).child(acts))
}

fn of(subscribed: &Subscribed) -> Markup {
    hidden("cycle", &subscribed.cycle.to_string())
}

fn compare(words: &Words, plans: &Plans) -> Markup {
    let panel = panel("plans-title", "Plans");
    if plans.offered.is_empty() {
        let text = "No plan is offered to this organization. Whoever runs the service can offer those of a preset: scrip org offer.";
        return panel.child(Markup::new("p").class("muted").text(text));
    }
    let cards = plans.offered.iter().map(|plan| card(words, plans, plan));
    panel.child(Markup::new("ul").class("plan-cards").children(cards))
}

fn card(words: &Words, plans: &Plans, plan: &Plan) -> Markup {
    let current = plans.subscribed.as_ref().is_some_and(|subscribed| subscribed.plan.id == plan.id);
    let planned = plans.subscribed.as_ref().is_some_and(|subscribed| subscribed.terms.next == Some(plan.id));
    let href = format!("{PLAN}?plan={}#preview", plan.id);
    let act = if current {
        Markup::new("p").class("muted").text("Your plan")
    } else if planned {
        Markup::new("p").class("muted").text("From the next cycle on")
    } else if plan.by_agreement && !plans.operator {
        Markup::new("p").class("muted").text("Ask whoever runs the service")
    } else {
        let text = if plans.subscribed.is_some() { "Look at the change" } else { "Choose" };
        Markup::new("p").child(
            go(&href, text, false).text(" ").child(Markup::new("span").class("visually-hidden").text(&plan.title)),
        )
    };
    let item = Markup::new("li").class("plan-card").maybe_attr("aria-current", current.then_some("true"));
    let description = (!plan.description.is_empty()).then(|| Markup::new("p").class("muted").text(&plan.description));
    item.child(Markup::new("h3").text(&plan.title))
        .child(Markup::new("p").class("plan-credits").text(&terms::credits(words, plan)))
        .child(Markup::new("p").class("plan-price").text(&terms::price(plan)))
        .children(description)
        .child(terms::list(words, plan))
        .child(act)
}

fn previewed(org: &Org, plans: &Plans, preview: &Preview) -> Result<Markup, AppError> {
    Ok(match preview {
        Preview::Refused(plan, why) => {
            let text = format!("{}.", format::capital(why));
            let form = plans.operator.then(|| confirm(plans, plan, None, "Subscribe by agreement"));
            panel("preview", &plan.title).child(Markup::new("p").text(&text)).children(form)
        }
        Preview::Begin(plan, both) => begin(org, plans, plan, both)?,
        Preview::Change(chosen) => change(org, plans, chosen)?,
    })
}

fn begin(org: &Org, plans: &Plans, plan: &Plan, [calendar, anniversary]: &[Supply; 2]) -> Result<Markup, AppError> {
    let words = &org.words;
    let option = |value: &str, text: &str, supply: &Supply, checked: bool| -> Result<Markup, AppError> {
        let fee = supply.fee.map_or_else(|| "nothing".to_owned(), format::money);
        let until = day_of(org, Timestamp::from_micros(supply.part.to.micros() - 1))?;
        let told = format!(
            "{text} The first cycle, until {}, gives {} and costs {fee}.",
            until.medium(),
            format::short(words, supply.credits)
        );
        let input = Markup::new("input").attr("type", "radio").attr("name", "cycles").attr("value", value);
        let input = input.maybe_attr("checked", checked.then_some(""));
        Ok(Markup::new("label").class("choice").child(input).child(Markup::new("span").text(&told)))
    };
    let choices = Markup::new("fieldset")
        .class("choices plan-cycles")
        .child(Markup::new("legend").text("When cycles begin"))
        .child(option("calendar", "With each calendar month.", calendar, true)?)
        .child(option("anniversary", "On this day of each month.", anniversary, false)?);
    let invoiced = "The fee comes with the invoice of the month and is charged to the stored payment method.";
    let panel = panel("preview", &format!("Subscribe to {}", plan.title))
        .child(Markup::new("p").text(invoiced))
        .children(method_needed(plans, plan));
    Ok(panel.child(confirm(plans, plan, Some(choices), &format!("Subscribe to {}", plan.title))))
}

fn change(org: &Org, plans: &Plans, chosen: &Chosen) -> Result<Markup, AppError> {
    let (words, new) = (&org.words, &chosen.new);
    let title = format!("From {} to {}", chosen.old.title, new.title);
    let (what, button) = match &chosen.choice {
        Choice::Upgrade(replaced) => (upgrade(org, chosen, replaced)?, format!("Change to {} now", new.title)),
        Choice::Downgrade(at) => {
            let text = format!(
                " {} takes its place, with {}. What was given until then stays on its terms, and no money goes back.",
                new.title,
                terms::credits(words, new)
            );
            let line = Markup::new("p").text("On ").child(day(day_of(org, *at)?)).text(&text);
            (line, format!("Change to {} with the next cycle", new.title))
        }
        Choice::Stay => {
            let text = format!("{} goes on. What was planned for the end of the cycle is not done.", new.title);
            (Markup::new("p").text(&text), format!("Stay with {}", new.title))
        }
    };
    let method = matches!(chosen.choice, Choice::Upgrade(_)).then(|| method_needed(plans, new)).flatten();
    Ok(panel("preview", &title).child(what).children(method).child(confirm(plans, new, None, &button)))
}

fn upgrade(org: &Org, chosen: &Chosen, replaced: &Replaced) -> Result<Markup, AppError> {
    let until = day_of(org, Timestamp::from_micros(replaced.part.to.micros() - 1))?;
    let text = format!(
        "At once, {} more for the rest of the cycle, until {}. What was given stays.",
        format::short(&org.words, replaced.credits),
        until.medium()
    );
    let back = replaced.back.map(|back| Money { minor: -back.minor, ..back });
    let mut rows = Vec::new();
    rows.extend(back.map(|back| sum_row(&format!("{}, unused rest", chosen.old.title), back)));
    rows.extend(replaced.fee.map(|fee| sum_row(&format!("{}, rest of the cycle", chosen.new.title), fee)));
    let sum = match (back, replaced.fee) {
        (Some(back), Some(fee)) if back.currency == fee.currency => {
            Some(Money { minor: fee.minor + back.minor, ..fee })
        }
        (None, fee) => fee,
        (back, None) => back,
        (Some(_), Some(_)) => None,
    };
    rows.extend(sum.map(|sum| sum_row("On the next invoice, net", sum)));
    let sums = Markup::new("table").class("table purchase-sum").child(Markup::new("tbody").children(rows));
    Ok(Markup::new("div").child(Markup::new("p").text(&text)).child(sums))
}

fn method_needed(plans: &Plans, plan: &Plan) -> Option<Markup> {
    (plan.fee() > 0 && !plans.has_method && !plans.operator).then(|| {
        Markup::new("p").class("notice").text("Store a payment method first: ").child(go(
            METHODS,
            "Payment methods",
            false,
        ))
    })
}

/// The form that does it; operators may say what was agreed on.
fn confirm(plans: &Plans, plan: &Plan, choices: Option<Markup>, text: &str) -> Markup {
    let agreed = plans.operator.then(|| {
        let field = |text: &str, name: &'static str, hint: &str| {
            label(text, Markup::new("input").attr("name", name).attr("placeholder", hint).attr("autocomplete", "off"))
        };
        let fields = Markup::new("div")
            .class("desk-fields")
            .child(field("Credits of a cycle", "credits", "20000"))
            .child(field("Net price of a cycle", "price", "1500.00 EUR"));
        let open = plan.credits.is_none().then_some("");
        let summary = Markup::new("summary").text("Other terms were agreed on (operators only)");
        Markup::new("details").maybe_attr("open", open).child(summary).child(fields)
    });
    let form = form(PLAN, "choose").child(hidden("plan", &plan.id.to_string()));
    let form = match &plans.subscribed {
        Some(subscribed) => form.child(of(subscribed)).child(hidden("from", &subscribed.plan.id.to_string())),
        None => form,
    };
    form.children(choices).children(agreed).child(Markup::new("p").class("form-foot").child(primary(text)))
}

fn cycles(org: &Org, cycles: &[CycleRow]) -> Result<Option<Markup>, AppError> {
    if cycles.is_empty() {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for cycle in cycles {
        let last = Timestamp::from_micros(cycle.part.to.micros() - 1);
        let when = crate::calendar::range_text(day_of(org, cycle.part.from)?, day_of(org, last)?);
        let gave = match (cycle.waits, cycle.grant) {
            (true, _) => cell("Waits for a payment"),
            (false, Some(grant)) => Markup::new("td").child(terms::external("/grants?status=all", &grant.to_string())),
            (false, None) => cell("Nothing"),
        };
        rows.push(
            Markup::new("tr")
                .child(Markup::new("th").attr("scope", "row").text(&when))
                .child(cell(&cycle.plan))
                .child(gave),
        );
    }
    let list = table("table-scroll", "Cycles", &["Cycle", "Began with", "Grant"], rows, None);
    Ok(Some(panel("cycles-title", "Cycles").child(list)))
}
