//! Interactions, heaviest first, and the forms that map them: one, or many by a CSV.

use super::data::{InteractionLine, Interactions, PAGE, Told, Who};
use super::list::view;
use super::period::{Search, controls};
use super::{anchor, customer_href, data_size, interaction_href, tabs, turn};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number, number_of, row, span, table, time};
use crate::view::View;
use ledger::Words;

/// Its address.
pub const PATH: &str = "/customers/interactions";
/// Longest CSV that can be pasted, in bytes: what the server takes.
pub const MAX_CSV_BYTES: usize = 1024 * 1024;

/// The page, with what came of a form that was sent here.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>, told: Option<&Told>) -> Result<Written, AppError> {
    let view = view(asked);
    let (after, prefix) = (asked.get("after"), asked.get("q").trim());
    let found = asked.backend.interactions(&asked.org, &view, (after, prefix), PAGE).await?;
    let words = &asked.org.words;
    let search = Search { name: "q", label: "Interaction begins with", value: prefix };
    let head =
        Markup::new("div").class("page-head").child(Markup::new("h1").text("Customers")).child(tabs(PATH, &view));
    let body = Markup::new("div")
        .class("page customers")
        .child(head)
        .children(told.map(outcome))
        .child(controls(PATH, &view, &found.days, Some(&search), words))
        .child(panel(words, &view, &found, (after, prefix)))
        .children(found.may_map.then(map_one))
        .children(found.may_map.then(map_many));
    Ok(Written { title: "Customers: interactions".to_owned(), body })
}

fn panel(words: &Words, view: &View, found: &Interactions, (after, prefix): (&str, &str)) -> Markup {
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "interactions-title");
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "interactions-title").text("Interactions"))
        .child(Markup::new("p").class("muted").text("Heaviest first"));
    let turn = turn(view, PATH, (after, prefix), found.next.as_deref());
    let short = (!found.whole).then(|| {
        let say =
            "Only a part of the interactions was looked through for these filters: go on to the next page for more.";
        Markup::new("p").class("muted below").text(say)
    });
    if found.lines.is_empty() {
        return panel.child(head).child(empty()).children(behind(view)).children(short).children(turn);
    }
    let table = lines(words, view, &found.lines, None);
    panel.child(head).child(table).children(short).children(turn)
}

/// The table, also as part of the page of somebody whose they all are.
pub(super) fn lines(words: &Words, view: &View, lines: &[InteractionLine], of: Option<Who>) -> Markup {
    let shown: Vec<Who> = [Who::User, Who::Tenant].into_iter().filter(|who| Some(*who) != of).collect();
    let owner = |who: Who, id: &str| {
        if id.is_empty() {
            return Markup::new("td").child(Markup::new("span").class("unmapped").text(&format!("No {}", who.name())));
        }
        Markup::new("td").child(anchor(&customer_href(who, id, view)).class("name").text(id))
    };
    let line = |line: &InteractionLine| {
        let out = line.reaches_out.then(|| {
            let (title, text) = if line.at_least {
                (
                    "Details of some of its events are no longer kept: more of it may have happened in these days.",
                    "at least",
                )
            } else {
                ("It has events before or after these days, which are not counted here.", "in part")
            };
            Markup::new("span").class("badge small").attr("title", title).text(text)
        });
        let name = anchor(&interaction_href(&line.id, view)).class("name").text(&line.id);
        let owners = shown.iter().map(|who| match who {
            Who::User => owner(Who::User, &line.user),
            Who::Tenant => owner(Who::Tenant, &line.tenant),
        });
        let cells = [
            Markup::new("td").child(time(&line.first)),
            number_of(amount_bare(words, line.used.credits)),
            number(&format::count(line.used.events)),
            number(&data_size(line.used.bytes)),
        ];
        row(Markup::new("span").child(name).children(out), owners.chain(cells))
    };
    let unit = format!("{}\t", format::unit_head(words));
    let mut heads = vec!["Interaction"];
    heads.extend(shown.iter().map(|who| who.title()));
    heads.extend(["Began", &unit, "Events\t", "Data\t"]);
    table("table-scroll", "Interactions by what they used", &heads, lines.iter().map(line), None)
}

/// Where usage is that names no interaction.
fn behind(view: &View) -> Option<Markup> {
    let said = !view.facets.is_empty() || !view.projects.is_empty() || !view.sources.is_empty();
    said.then(|| {
        Markup::new("p")
            .class("muted below")
            .text("What fits here without an interaction: ")
            .child(anchor(&view.href()).text("over time"))
            .text(", or ")
            .child(anchor(&view.at("/exports/events.csv")).attr("download", "").text("its events as CSV"))
            .text(".")
    })
}

fn empty() -> Markup {
    let say = "No interaction here. An event says which one it belongs to as interaction of its data; choose other days above, or \
               map an interaction that is still to come.";
    let curl = "curl -X POST \u{2026}/api/v1/events \\\n  -H \"Authorization: Bearer scrip_\u{2026}\" \\\n  \
                -H \"content-type: application/json\" \\\n  \
                -d '{\"id\":\"1\",\"source\":\"api\",\"type\":\"\u{2026}\",\"data\":{\"interaction\":\"visit-17\"}}'";
    let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", "Command that sends an event");
    Markup::new("div")
        .class("empty-state")
        .child(Markup::new("p").text(say))
        .child(shown.child(Markup::new("code").text(curl)))
}

/// A text field of a form.
pub(crate) fn field(name: &str, label: &str, value: &str, required: bool) -> Markup {
    let input = Markup::new("input").attr("name", name).attr("value", value).attr("maxlength", "256");
    let input = input.attr("autocomplete", "off").maybe_attr("required", required.then_some(""));
    Markup::new("label").child(span(label)).child(input)
}

fn map_one() -> Markup {
    let form = Markup::new("form")
        .class("fields")
        .attr("method", "post")
        .attr("action", PATH)
        .child(field("interaction", "Interaction", "", true))
        .child(field("user", "User", "", false))
        .child(field("tenant", "Tenant", "", false))
        .child(Markup::new("button").class("button").text("Map"));
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "map-title")
        .child(Markup::new("h2").attr("id", "map-title").text("Map an interaction"))
        .child(Markup::new("p").class("muted").text(
            "Before its first event or long after its last. All sums by user and tenant follow at once; what is left empty stays \
             what its events say.",
        ))
        .child(form)
}

fn map_many() -> Markup {
    let file = Markup::new("label")
        .child(span("A file"))
        .child(Markup::new("input").attr("type", "file").attr("name", "file").attr("accept", ".csv,text/csv"));
    let pasted = Markup::new("label").class("whole").child(span("Or pasted")).child(
        Markup::new("textarea")
            .attr("name", "text")
            .attr("rows", "5")
            .attr("spellcheck", "false")
            .attr("placeholder", "interaction,user,tenant"),
    );
    let form = Markup::new("form")
        .class("csv-form")
        .attr("method", "post")
        .attr("action", PATH)
        .attr("enctype", "multipart/form-data")
        .child(file)
        .child(pasted)
        .child(Markup::new("button").class("button").text("Map all"));
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "csv-title")
        .child(Markup::new("h2").attr("id", "csv-title").text("Map many by CSV"))
        .child(Markup::new("p").class("muted").text(
            "The first line names the columns interaction, user and tenant. Good lines are done, bad ones named. Up to 10,000 lines.",
        ))
        .child(form)
}

/// What came of a form.
pub(super) fn outcome(told: &Told) -> Markup {
    let (mapped, unchanged, rejected, errors) = match told {
        Told::Refused(problem) => return Markup::new("p").class("form-error").attr("role", "alert").text(problem),
        Told::Done(mapped, unchanged, rejected, errors) => (*mapped, *unchanged, *rejected, errors),
    };
    let count = |number: usize| format::count(i64::try_from(number).unwrap_or(i64::MAX));
    let mut say = format!("{} mapped", count(mapped));
    if unchanged > 0 {
        say = format!("{say}, {} mapped so already", count(unchanged));
    }
    if rejected == 0 {
        return Markup::new("p").class("notice").attr("role", "status").text(&format!("{say}."));
    }
    say = format!(
        "{say}; {} could not be read:",
        format::counted(i64::try_from(rejected).unwrap_or(i64::MAX), "line", "lines")
    );
    let line = |(line, problem): &(u64, String)| {
        row(span(&format!("Line {line}")), [Markup::new("td").class("described").text(problem)])
    };
    let more = (rejected > errors.len()).then(|| {
        let say = format!("and {} more", count(rejected - errors.len()));
        Markup::new("tr").child(cell("\u{2026}")).child(cell(&say))
    });
    let rows = errors.iter().map(line).chain(more);
    Markup::new("section")
        .class("panel")
        .attr("role", "alert")
        .child(Markup::new("p").class("form-error").text(&say))
        .child(table("table-scroll tall", "Lines that were not done", &["Line", "What is wrong"], rows, None))
}
