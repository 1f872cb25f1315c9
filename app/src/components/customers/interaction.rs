//! One interaction: what it used by meter, event by event, for whom it counts, and how that came to be.

use super::data::{EventLine, Interaction, Mapping, MappingNote, MeterEvents, Told, Used, Who};
use super::interactions::{PATH, field, outcome};
use super::list::view;
use super::{anchor, customer_href, data_size};
use crate::components::crumbs::crumbs;
use crate::components::event_crumbs;
use crate::components::retention;
use crate::components::stat_card::stat_card;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, number, number_of, row, span, table, time};
use crate::query;
use crate::view::View;
use ledger::Words;

/// The page, with what came of a form that was sent here.
///
/// # Errors
/// [`AppError::NotFound`] for an id that nobody ever said, or what the store says.
pub async fn page(asked: &Asked<'_>, id: &str, told: Option<&Told>) -> Result<Written, AppError> {
    let view = view(asked);
    let found = asked.backend.interaction(&asked.org, id, asked.get("after")).await?;
    let words = &asked.org.words;
    let above = [(view.at(Who::User.list()), "Customers"), (view.at(PATH), "Interactions")];
    let above: Vec<(&str, &str)> = above.iter().map(|(href, title)| (href.as_str(), *title)).collect();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").class("id").text(id))
        .child(Markup::new("span").class("badge small").text("Interaction"));
    let mapped = (told.is_none() && asked.get("mapped") == "yes").then(|| {
        Markup::new("p")
            .class("notice")
            .attr("role", "status")
            .text("Mapped. All sums by user and tenant have followed.")
    });
    let body = Markup::new("div")
        .class("page customers")
        .child(crumbs(&above))
        .child(head)
        .children(told.map(outcome).or(mapped))
        .child(figures(words, &view, &found))
        .children(retention::gone(
            found.pruned,
            "The sums above have them, the lists below do not, and for whom it counts cannot change any more.",
        ))
        .children(found.meters.iter().map(|meter| events(words, &view, meter)))
        .children(nothing(&found))
        .children(more(id, &view, &found))
        .child(mapping(id, &found));
    Ok(Written { title: id.to_owned(), body })
}

fn figures(words: &Words, view: &View, found: &Interaction) -> Markup {
    let Used { credits, events, failed, bytes } = found.used;
    let stat = |label: &str, figure: Markup, remark: Markup| {
        let label = Markup::new("h2").class("stat-label").text(label);
        Markup::new("div").class("stat").child(label).child(figure).child(remark)
    };
    let remark = |text: &str| Markup::new("p").class("stat-remark").text(text);
    let owner = |who: Who, id: &str, mapped: &str| {
        let figure = Markup::new("p").class("stat-figure long");
        let figure = if id.is_empty() {
            figure.child(Markup::new("span").class("unmapped").text("Nobody yet"))
        } else {
            figure.child(anchor(&customer_href(who, id, view)).class("name").text(id))
        };
        let why = match (id.is_empty(), mapped.is_empty()) {
            (true, _) => "Map it below",
            (false, true) => "As the first of its events says",
            (false, false) => "As it is mapped",
        };
        stat(who.title(), figure, remark(why))
    };
    let when = match &found.when {
        None => "No events yet".to_owned(),
        Some((first, last)) if first.text == last.text => first.text.clone(),
        Some((first, last)) => format!("{} to {}", first.text, last.text),
    };
    let told = format!(
        "{}, {}{}",
        format::counted(events, "event", "events"),
        data_size(bytes),
        if failed > 0 { format!(", {} failed", format::count(failed)) } else { String::new() }
    );
    Markup::new("div")
        .class("stats four")
        .child(stat_card(words, "Used", credits, &told))
        .child(owner(Who::User, &found.user, &found.mapping.user))
        .child(owner(Who::Tenant, &found.tenant, &found.mapping.tenant))
        .child(stat("When", Markup::new("p").class("when").text(&when), remark("When its events happened")))
}

fn events(words: &Words, view: &View, meter: &MeterEvents) -> Markup {
    let mut query = view.query();
    query::push(&mut query, event_crumbs::VIA, event_crumbs::INTERACTION);
    let line = |event: &EventLine| {
        let status = if event.failed { ("status danger", "Failed") } else { ("status quiet", "Succeeded") };
        row(
            anchor(&format!("/events/{}?{query}", event.event)).class("name").text(&event.id),
            [
                Markup::new("td").child(time(&event.at)),
                Markup::new("td").child(Markup::new("span").class(status.0).text(status.1)),
                number(&event.quantity),
                number_of(amount_bare(words, event.credits)),
            ],
        )
    };
    let title = format!("meter-{}", meter.meter);
    let unit = format!("{}\t", format::unit_head(words));
    let heads = ["Event", "When", "Status", "Quantity\t", &unit];
    let sums = format!("{} \u{b7} {}", meter.quantity, format::amount(words, meter.credits));
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", &title)
        .child(
            Markup::new("div")
                .class("panel-head")
                .child(Markup::new("h2").attr("id", &title).text(&meter.title))
                .child(Markup::new("p").class("muted").text(&sums)),
        )
        .child(table("table-scroll tall", &meter.title, &heads, meter.events.iter().map(line), None))
}

fn nothing(found: &Interaction) -> Option<Markup> {
    let say = "No event of this interaction stands: as soon as one is reported, it is here and counts for whom it is mapped to.";
    found
        .meters
        .is_empty()
        .then(|| Markup::new("section").class("panel").child(Markup::new("p").class("muted").text(say)))
}

fn more(id: &str, view: &View, found: &Interaction) -> Option<Markup> {
    let at = |after: &str| {
        let mut text = view.query();
        if !after.is_empty() {
            query::push(&mut text, "after", after);
        }
        format!("{}?{text}", query::place("/interactions", id))
    };
    let button = |href: &str, text: &str| anchor(href).class("button").text(text);
    let first = found.later.then(|| button(&at(""), "First events"));
    let next = found.next.as_deref().map(|next| button(&at(next), "More events"));
    (first.is_some() || next.is_some()).then(|| Markup::new("p").class("turn").children(first.into_iter().chain(next)))
}

fn mapping(id: &str, found: &Interaction) -> Markup {
    let Mapping { user, tenant, history } = &found.mapping;
    let form = Markup::new("form")
        .class("fields")
        .attr("method", "post")
        .attr("action", &query::place("/interactions", id))
        .child(field("user", "User", user, false))
        .child(field("tenant", "Tenant", tenant, false))
        .child(Markup::new("button").class("button primary").text("Map"));
    let say = if found.may_map {
        "Counts for all of its events, those that come later too; what is left empty stays what they say."
    } else {
        "Owners and admins can map it to others."
    };
    let panel = Markup::new("section")
        .class("panel")
        .attr("id", "mapping")
        .attr("aria-labelledby", "mapping-title")
        .child(Markup::new("h2").attr("id", "mapping-title").text("On whose behalf"))
        .child(Markup::new("p").class("muted").text(say))
        .children(found.may_map.then_some(form));
    if history.is_empty() {
        return panel.child(Markup::new("p").class("muted below").text("It was never mapped."));
    }
    panel.child(
        Markup::new("ul").class("mapping-history").attr("aria-label", "History").children(history.iter().map(note)),
    )
}

fn note(note: &MappingNote) -> Markup {
    let of = |[user, tenant]: &[String; 2]| match (user.as_str(), tenant.as_str()) {
        ("", "") => "nobody".to_owned(),
        (user, "") => format!("user {user}"),
        ("", tenant) => format!("tenant {tenant}"),
        (user, tenant) => format!("user {user}, tenant {tenant}"),
    };
    let say = format!(" by {}: from {} to {}", note.by, of(&note.before), of(&note.after));
    Markup::new("li").child(time(&note.at)).child(span(&say))
}
