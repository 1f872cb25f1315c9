//! The form of a rule: what it watches, its threshold, the part of usage, who hears of it.

use super::words::{KINDS, about, title_of};
use crate::backend::alerts::{Choices, Draft, Hearer, Hearers, Recipients};
use crate::format;
use crate::markup::{Markup, hidden};
use ledger::alert::{Kind, Per, Scope, Side};
use ledger::{Role, Words};

/// A field with its label.
fn labelled(title: &str, field: Markup) -> Markup {
    Markup::new("label").class("field").child(Markup::new("span").text(title)).child(field)
}

fn input(name: &'static str, value: &str, mode: Option<&str>) -> Markup {
    Markup::new("input")
        .attr("name", name)
        .attr("value", value)
        .attr("autocomplete", "off")
        .maybe_attr("inputmode", mode)
}

fn option(value: &str, text: &str, chosen: &str) -> Markup {
    Markup::new("option").attr("value", value).maybe_attr("selected", (value == chosen).then_some("")).text(text)
}

/// The choice of a kind, which leads to its fields: it works without a script.
pub(super) fn choice(chosen: &str) -> Markup {
    let options = KINDS.iter().map(|(name, title, _)| option(name, title, chosen));
    Markup::new("form")
        .class("alert-kind")
        .attr("method", "get")
        .child(labelled("Watch for", Markup::new("select").attr("name", "kind").children(options)))
        .child(Markup::new("button").class("button").text("Choose"))
}

/// The whole form. What is typed is previewed by `GET`, saved by `POST`.
pub(super) fn form(words: &Words, action: &str, draft: &Draft, hearers: &Hearers, is_new: bool) -> Markup {
    let name = draft.kind.as_str();
    let title = labelled("Name", input("title", &draft.title, None).attr("maxlength", "120").attr("required", ""));
    let fields = Markup::new("div").class("desk-fields").child(title).children(terms(words, &draft.kind));
    let margin = input("margin_percent", &draft.margin_percent.to_string(), Some("numeric"));
    let margin =
        Markup::new("div").class("desk-fields").child(labelled("Over once it is back by, % of the threshold", margin));
    // What is told each time it happens never stands, so that it is never over.
    let margin = (draft.kind.side() != Side::Each).then(|| details("Margin", margin));
    let save = Markup::new("button").class("button primary").text(if is_new { "Make alert" } else { "Save" });
    let preview =
        Markup::new("button").class("button").attr("formmethod", "get").attr("formnovalidate", "").text("Preview");
    Markup::new("form")
        .class("alert-form")
        .attr("id", "rule")
        .attr("method", "post")
        .attr("action", action)
        .child(Markup::new("p").class("muted").text(about(name)))
        .children(hidden(vec![("kind", name.to_owned())]))
        .child(fields)
        .children(draft.kind.takes_scope().then(|| scope(words, &draft.scope, &hearers.choices)))
        .child(recipients(&draft.recipients, hearers))
        .children(margin)
        .child(Markup::new("p").class("form-foot").child(preview).child(save))
}

fn details(title: &str, body: Markup) -> Markup {
    Markup::new("details").child(Markup::new("summary").text(title)).child(body)
}

/// The fields of a kind. The one that a script can move is marked.
fn terms(words: &Words, kind: &Kind) -> Vec<Markup> {
    let moved = |field: Markup| field.attr("data-threshold", "");
    let credits = |name, value: ledger::Credits| input(name, &plain(value), Some("decimal"));
    let whole = |name, value: u32| input(name, &value.to_string(), Some("numeric")).attr("data-whole", "");
    let noun = format::noun(words);
    match kind {
        Kind::BalanceBelow { amount } => vec![labelled(&format!("Below, {noun}"), moved(credits("amount", *amount)))],
        Kind::BalanceBelowShare { percent } => {
            vec![labelled("Below, % of the plan", moved(whole("percent", *percent)))]
        }
        Kind::CycleUsage { percent } => vec![labelled("From, % of the plan", moved(whole("percent", *percent)))],
        Kind::SpendAbove { amount, per } => {
            let options = Per::ALL.iter().map(|of| option(of.as_str(), of.words(), per.as_str()));
            vec![
                labelled(&format!("From, {noun}"), moved(credits("amount", *amount))),
                labelled("In a", Markup::new("select").attr("name", "per").children(options)),
            ]
        }
        Kind::UnusualSpend { minimum } => {
            vec![labelled(&format!("Off by at least, {noun}"), moved(credits("minimum", *minimum)))]
        }
        Kind::RunwayBelow { days } => vec![labelled("Below, days", moved(whole("days", *days)))],
        Kind::ProjectedAbove { percent } => vec![labelled("Above, % of the plan", moved(whole("percent", *percent)))],
        Kind::GrantsExpiring { amount, days } => vec![
            labelled(&format!("Worth at least, {noun}"), moved(credits("amount", *amount))),
            labelled("Within, days", whole("days", *days)),
        ],
        Kind::NoUsage { hours } => vec![labelled("For, hours", moved(whole("hours", *hours)))],
        Kind::FailedShare { percent, hours, calls } => vec![
            labelled("From, % of calls", moved(whole("percent", *percent))),
            labelled("In the last, hours", whole("hours", *hours)),
            labelled("Of at least, calls", whole("calls", *calls)),
        ],
        Kind::PaymentFailed | Kind::TopUpFailed | Kind::KeyChanged | Kind::RateCardChanged => Vec::new(),
    }
}

/// An amount as people type it: without the zeros that say nothing.
pub(super) fn plain(credits: ledger::Credits) -> String {
    let text = credits.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The part of usage, with what usage has named so far to choose from.
fn scope(words: &Words, of: &Scope, choices: &Choices) -> Markup {
    let field = |(name, title, value): (&'static str, &'static str, Option<&str>)| {
        let list = format!("known-{name}");
        let known = choices.of(name).iter().map(|id| Markup::new("option").attr("value", id));
        let field = input(name, value.unwrap_or_default(), None).attr("placeholder", "any").attr("list", &list);
        let title = if name == "workflow" { &words.workflow } else { title };
        labelled(title, field).child(Markup::new("datalist").attr("id", &list).children(known))
    };
    let fields = Markup::new("div").class("desk-fields three").children(of.fields().into_iter().map(field));
    let is_open = (!of.is_everything()).then_some("");
    let summary = Markup::new("summary").text("Only a part of usage");
    Markup::new("details").maybe_attr("open", is_open).child(summary).child(fields)
}

/// Who hears of it: of a rule, or of a budget.
pub(super) fn recipients(to: &Recipients, hearers: &Hearers) -> Markup {
    let tick = |name: &'static str, value: &str, text: &str, on: bool| {
        let field = Markup::new("input").attr("type", "checkbox").attr("name", name).attr("value", value);
        Markup::new("label")
            .class("alert-tick")
            .child(field.maybe_attr("checked", on.then_some("")))
            .child(Markup::new("span").text(text))
    };
    let roles = Role::ALL.iter().map(|role| tick("roles", role.as_str(), role.title(), to.roles.contains(role)));
    let named = |field: &'static str, summary: &str, hearers: &[Hearer], chosen: &[i64]| {
        let ticks =
            hearers.iter().map(|hearer| tick(field, &hearer.id.to_string(), &hearer.name, chosen.contains(&hearer.id)));
        let is_open = (!chosen.is_empty()).then_some("");
        let details = Markup::new("details").maybe_attr("open", is_open);
        let about = (field == "endpoints").then(|| {
            let text = "Those that hear of everything, or of alert.fired, are told without being chosen.";
            Markup::new("p").class("muted").text(text)
        });
        let details = details.child(Markup::new("summary").text(summary)).children(about);
        (!hearers.is_empty()).then(|| details.children(ticks))
    };
    let people: Vec<i64> = to.people.iter().map(|user| user.0).collect();
    let endpoints: Vec<i64> = to.endpoints.iter().map(|endpoint| endpoint.0).collect();
    let legend = |text: &str| Markup::new("legend").text(text);
    Markup::new("fieldset")
        .class("alert-who")
        .child(legend("Who hears of it"))
        .child(Markup::new("div").class("alert-ticks").children(roles))
        .children(named("people", "People by name", &hearers.people, &people))
        .children(named("endpoints", "Webhooks, Slack and Teams", &hearers.endpoints, &endpoints))
        .child(
            Markup::new("div")
                .class("alert-ticks")
                .child(tick("in_app", "yes", "In the app", to.in_app))
                .child(tick("mail", "yes", "By mail", to.mail)),
        )
}

/// What a kind is called, for the name of a new rule.
pub(super) fn name_for(kind: &str) -> &'static str {
    title_of(kind)
}
