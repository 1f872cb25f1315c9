//! `/alerts/budgets/new` and `/alerts/budgets/{id}`: one budget.

use super::form::{plain, recipients};
use super::words::one_of;
use super::{button_to, came_of, panel};
use crate::backend::alerts::{ALERTS, Budget, Choices, Hearers, everybody, recipients as typed_recipients};
use crate::components::deleted;
use crate::components::people::parts::behind;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount, fact, hidden, text_fact};
use ledger::alert::Per;
use ledger::budget::{Terms, Whose};

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, id: &str) -> Result<Written, AppError> {
    let (found, may) = match id {
        "new" => {
            asked.backend.allowed(ledger::Permission::ManageAlerts)?;
            (None, true)
        }
        id => {
            let (budget, may) = match asked.backend.budget(&asked.org, id).await {
                Err(AppError::NotFound) => return deleted_page(asked, id).await,
                found => found?,
            };
            (Some(budget), may)
        }
    };
    let title = found.as_ref().map_or("New budget", |budget| &budget.terms.title).to_owned();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(
            Markup::new("p")
                .class("muted")
                .text("What a project, a user or a tenant may use. Usage that has happened is always recorded."),
        )
        .child(Markup::new("div").class("controls").child(button_to(ALERTS, "All alerts", false)));
    let action = format!("{ALERTS}/budgets/{id}");
    let hearers = if may { Some(asked.backend.hearers(&asked.org).await?) } else { None };
    let body = Markup::new("div")
        .class("page alerts")
        .child(head)
        .children(came_of("", asked.get("error")))
        .children(found.as_ref().map(|budget| standing(asked, budget).children(may.then(|| delete(&action)))))
        .children(hearers.map(|hearers| fields(asked, found.as_ref(), &hearers, &action)));
    Ok(Written { title, body })
}

/// The page of a budget that is gone: messages lead to it.
async fn deleted_page(asked: &Asked<'_>, id: &str) -> Result<Written, AppError> {
    let found = asked.backend.deleted_budget(&asked.org, id).await?;
    let title = found.title("Budget");
    let head = deleted::head(&asked.org, ("budget", &title), &found, (ALERTS, "All alerts"))?;
    let terms = serde_json::from_value::<Terms>(found.before).ok();
    let was = terms.map(|terms| {
        let amount = format::amount(&asked.org.words, terms.amount);
        let text = format!("It was {amount} in {} for {} {}.", one_of(terms.per), terms.whose.as_str(), terms.id);
        Markup::new("p").class("muted").text(&text)
    });
    Ok(Written { title, body: Markup::new("div").class("page alerts").child(head).children(was) })
}

fn delete(action: &str) -> Markup {
    let sure = Markup::new("p").class("muted").text("It caps nothing any more, and nobody is warned.");
    let form = Markup::new("form").attr("method", "post").attr("action", action);
    let form = form.children(hidden(vec![("do", "delete".to_owned())]));
    behind("Delete\u{2026}", [sure, form.child(Markup::new("button").class("button danger").text("Delete for good"))])
}

fn standing(asked: &Asked<'_>, budget: &Budget) -> Markup {
    let (words, terms) = (&asked.org.words, &budget.terms);
    let panel = panel("standing", "How it stands");
    let Some(spent) = budget.counted.spent else {
        return panel
            .child(Markup::new("p").class("muted").text("A large import is being added up. Look again in a moment."));
    };
    let share = format::share(spent, terms.amount).unwrap_or_else(|| "0%".to_owned());
    let bar = Markup::new("meter")
        .class("plan-bar")
        .attr("min", "0")
        .attr("max", &terms.amount.micros().to_string())
        .attr("value", &spent.micros().clamp(0, terms.amount.micros()).to_string())
        .attr("aria-label", &format!("{share} used"));
    let facts = Markup::new("dl")
        .class("summary")
        .child(fact("Used", Markup::new("dd").child(amount(words, spent)).text(&format!(" ({share})"))))
        .child(fact("Budget", Markup::new("dd").child(amount(words, terms.amount))))
        .child(text_fact("Of", &format!("{} {}", terms.whose.title(), terms.id)))
        .child(text_fact("In a", terms.per.words()))
        .child(text_fact(
            "Once it is used up",
            if terms.pauses { "Authorizations and holds are refused" } else { "People are told" },
        ));
    panel.child(bar).child(facts)
}

/// Ids that usage has named so far. Which of them fit is chosen in another field, so each says what it is the id of.
fn known(choices: &Choices) -> Markup {
    let of = |whose: Whose| {
        let option = move |id: &String| {
            Markup::new("option").attr("value", id).attr("label", &format!("{id} ({})", whose.title()))
        };
        choices.of(whose.as_str()).iter().map(option)
    };
    Markup::new("datalist").attr("id", "known-ids").children(Whose::ALL.into_iter().flat_map(of))
}

fn fields(asked: &Asked<'_>, found: Option<&Budget>, hearers: &Hearers, action: &str) -> Markup {
    // What was refused comes back as it was typed.
    let is_typed = asked.query.iter().any(|(name, _)| name == "title");
    let terms = found.map(|budget| &budget.terms);
    let said = |name: &str, kept: Option<String>, start: &str| {
        if is_typed { asked.get(name).to_owned() } else { kept.unwrap_or_else(|| start.to_owned()) }
    };
    let label = |title: &str, field: Markup| {
        Markup::new("label").class("field").child(Markup::new("span").text(title)).child(field)
    };
    let input = |name: &'static str, value: String| {
        Markup::new("input").attr("name", name).attr("value", &value).attr("autocomplete", "off")
    };
    let option = |value: &str, text: &str, chosen: &str| {
        Markup::new("option").attr("value", value).maybe_attr("selected", (value == chosen).then_some("")).text(text)
    };
    let whose = said("whose", terms.map(|terms| terms.whose.as_str().to_owned()), "project");
    let per = said("per", terms.map(|terms| terms.per.as_str().to_owned()), "cycle");
    let warn = terms.map(|terms| terms.warn_percent.map(|percent| percent.to_string()).unwrap_or_default());
    let pauses = if is_typed { asked.get("pauses") == "yes" } else { terms.is_some_and(|terms| terms.pauses) };
    let tick = Markup::new("input").attr("type", "checkbox").attr("name", "pauses").attr("value", "yes");
    let tick = Markup::new("label")
        .class("alert-tick whole")
        .child(tick.maybe_attr("checked", pauses.then_some("")))
        .child(Markup::new("span").text("Pause: refuse authorizations and holds for it once it is used up"));
    let title = said("title", terms.map(|terms| terms.title.clone()), "");
    let id = said("id", terms.map(|terms| terms.id.to_string()), "");
    let sum = said("amount", terms.map(|terms| plain(terms.amount)), "");
    let fields = Markup::new("div")
        .class("desk-fields")
        .child(label("Name", input("title", title).attr("maxlength", "120").attr("required", "")))
        .child(label(
            "Of a",
            Markup::new("select")
                .attr("name", "whose")
                .children(Whose::ALL.iter().map(|of| option(of.as_str(), of.title(), &whose))),
        ))
        .child(
            label("Its id", input("id", id).attr("required", "").attr("list", "known-ids"))
                .child(known(&hearers.choices)),
        )
        .child(label(
            &format!("At most, {}", format::noun(&asked.org.words)),
            input("amount", sum).attr("inputmode", "decimal").attr("required", ""),
        ))
        .child(label(
            "In a",
            Markup::new("select")
                .attr("name", "per")
                .children(Per::ALL.iter().map(|of| option(of.as_str(), of.words(), &per))),
        ))
        .child(label(
            "Warn from, %",
            input("warn_percent", said("warn_percent", warn, "80")).attr("inputmode", "numeric"),
        ))
        .child(tick);
    let form =
        Markup::new("form").class("alert-form").attr("id", "budget").attr("method", "post").attr("action", action);
    let save = Markup::new("button").class("button primary").text(if found.is_some() { "Save" } else { "Make budget" });
    let all = |name: &str| -> Vec<&str> {
        asked.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    let to = match found {
        _ if is_typed => typed_recipients(&|name| asked.get(name), &all),
        Some(budget) => budget.recipients.clone(),
        None => everybody(),
    };
    panel("terms", "Terms").child(
        form.child(fields).child(recipients(&to, hearers)).child(Markup::new("p").class("form-foot").child(save)),
    )
}
