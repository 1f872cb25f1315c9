//! Projects: usage across projects and time. Each leads to Analytics of it, with the period and the filters that are in force.

use crate::backend::refused;
use crate::calendar::range_text;
use crate::charts::Spark;
use crate::colors;
use crate::components::chart_panel::{FIRST_WIDTH_PX, drawn};
use crate::components::empty_state::first_event;
use crate::components::reports::controls::{days_form, quick_periods};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, number, number_of, span, table, time};
use crate::report::{at, only};
use crate::server_fns::analytics::Analytics;
use crate::usage_chart::Usage;
use crate::view::{Compare, View};
use ledger::cube::Series;
use ledger::{Credits, Dimension, Slice, Words};
use std::collections::BTreeMap;

/// The address of the page.
pub const PATH: &str = "/projects";
/// Projects of one page.
const PAGE: usize = 50;
/// Sizes in px: of the chart on a phone, and of a project's run of usage.
const PHONE: u32 = 310;
const SPARK: (u32, u32) = (120, 24);

/// What the page shows.
pub struct Shown {
    /// Period and filters.
    pub view: View,
    /// What was used, and what was in as many days before.
    pub analytics: Analytics,
}

/// The view that the page's address asks for: by project, beside the period before.
#[must_use]
pub fn view_of(query: &str) -> View {
    let asked = View::parse(query);
    let plain = View::default();
    View {
        group: Dimension::Project,
        compare: Some(Compare::Previous),
        kind: plain.kind,
        top: plain.top,
        hidden: Vec::new(),
        ..asked
    }
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let mut query = String::new();
    asked.query.iter().for_each(|(name, value)| crate::query::push(&mut query, name, value));
    let shown = asked.backend.projects(&asked.org, &query).await?;
    let (words, after) = (&asked.org.words, asked.get("after").parse().unwrap_or(0));
    let body = Markup::new("div").class("page").child(head(&shown)).child(controls(&shown));
    let is_new = shown.analytics.cube.calls.is_empty() && shown.view == view_of("");
    let body = if is_new {
        body.child(first_event(&asked.origin, &asked.org.name, &shown.analytics.cube.meters))
    } else {
        let usage = Usage::of(&shown.analytics.cube, &shown.view).map_err(refused)?;
        let by = std::slice::from_ref(&Dimension::Project);
        let now = shown.analytics.cube.slice(&shown.view.filter(), by).map_err(refused)?;
        let before = shown.analytics.compared.as_ref();
        let before = before.map(|before| before.cube.slice(&shown.view.filter(), by)).transpose().map_err(refused)?;
        body.child(chart(words, &usage)).child(list(words, &shown, (&now, before.as_ref()), after))
    };
    let title = "Projects".to_owned();
    Ok(Written { title, body: body.child(shown.analytics.difference) })
}

fn head(shown: &Shown) -> Markup {
    let Analytics { from, to, cube, as_of, .. } = &shown.analytics;
    let told = format!("{}, days in {}, as of ", range_text(*from, *to), cube.zone);
    let report = Markup::new("a").class("button").attr("rel", "external");
    let report = report.attr("href", &plain(&shown.view).at("/reports")).text("Report");
    Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text("Projects"))
        .child(Markup::new("p").class("muted").text(&told).child(time(as_of)))
        .child(Markup::new("div").class("controls").child(report))
}

/// The view without what this page adds to it.
fn plain(view: &View) -> View {
    View { compare: None, ..view.clone() }
}

/// As the page's own address has it.
fn pairs(view: &View) -> Vec<(String, String)> {
    View { compare: None, group: Dimension::Type, ..view.clone() }.pairs()
}

fn controls(shown: &Shown) -> Markup {
    let (days, today) = ((shown.analytics.from, shown.analytics.to), shown.analytics.today);
    let href = |range| at(PATH, &pairs(&View { range: Some(range), ..shown.view.clone() }));
    let form = days_form(PATH, pairs(&shown.view), days, None);
    let body = Markup::new("div").class("report-period").child(form).child(quick_periods(days, today, href));
    let filters = shown.view.without_filters();
    let clear = (filters != shown.view).then(|| {
        let link = Markup::new("a").attr("href", &at(PATH, &pairs(&filters))).attr("rel", "external");
        Markup::new("p").class("muted").text("Only some usage is counted here. ").child(link.text("Count all of it"))
    });
    body.children(clear)
}

fn chart(words: &Words, usage: &Usage) -> Markup {
    let title = format!("{} by project", format::unit_head(words));
    let draw = |id: &str, class: &str, width| {
        Markup::new("div").class(class).drawing(&drawn(id, &title, usage, words, width).svg)
    };
    let entry = |series: &crate::usage_chart::Series| {
        let swatch = Markup::new("span").class(&format!("swatch s{}", series.color)).attr("aria-hidden", "true");
        Markup::new("li").child(swatch).child(span(&series.title))
    };
    let keys =
        Markup::new("ul").class("cycle-keys").attr("aria-label", "Colours").children(usage.series.iter().map(entry));
    let head =
        Markup::new("div").class("panel-head").child(Markup::new("h2").attr("id", "over-time").text("Over time"));
    let total = format!("{} in all", format::short(words, usage.total.credits));
    Markup::new("section")
        .class("panel still-chart")
        .attr("aria-labelledby", "over-time")
        .child(head.child(Markup::new("p").class("muted").text(&total)))
        .child(draw("projects-chart", "wide", FIRST_WIDTH_PX))
        .child(draw("projects-chart-narrow", "narrow", PHONE))
        .child(keys)
}

fn list(words: &Words, shown: &Shown, (now, before): (&Slice, Option<&Slice>), after: usize) -> Markup {
    let title = Markup::new("h2").attr("id", "projects").text("Projects");
    let count = i64::try_from(now.series.len()).unwrap_or(i64::MAX);
    let beside = format!("{}, most {} first", format::counted(count, "project", "projects"), format::noun(words));
    let head = Markup::new("div").class("panel-head").child(title).child(Markup::new("p").class("muted").text(&beside));
    let panel = Markup::new("section").class("panel report").attr("aria-labelledby", "projects").child(head);
    if now.series.is_empty() {
        let why = "Nothing was used in this period. Choose another one, or name a project in events: data.project.";
        return panel.child(Markup::new("p").class("muted").text(why));
    }
    let lines = now.series.get(after..).unwrap_or_default();
    let earlier = before.iter().flat_map(|slice| &slice.series);
    let earlier: BTreeMap<&str, Credits> = earlier.map(|series| (id_of(series), series.total.credits)).collect();
    let slots = colors::slots(&shown.analytics.cube, &Dimension::Project);
    let rows = lines.iter().take(PAGE).map(|series| {
        let was = earlier.get(id_of(series)).copied().unwrap_or_default();
        row(words, shown, series, (now.total.credits, was), &slots)
    });
    let heads = [
        "Project".to_owned(),
        format!("{}\t", format::unit_head(words)),
        "Share\t".to_owned(),
        "Change\t".to_owned(),
        "Calls\t".to_owned(),
        "Failed\t".to_owned(),
        "Over time".to_owned(),
    ];
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let total = Markup::new("tr")
        .child(Markup::new("th").attr("scope", "row").text("Total"))
        .child(number_of(amount_bare(words, now.total.credits)))
        .child(number(&format::share(now.total.credits, now.total.credits).unwrap_or_default()))
        .child(number(&before.and_then(|b| format::change(b.total.credits, now.total.credits)).unwrap_or_default()))
        .child(number(&format::count(now.total.events)))
        .child(number(&format::count(now.total.failed)))
        .child(Markup::new("td"));
    panel.child(table("table-scroll", "Projects and what they used", &heads, rows, Some(total))).children(turn(
        &shown.view,
        after,
        lines.len() > PAGE,
    ))
}

fn id_of(series: &Series) -> &str {
    series.key.first().and_then(|(_, id)| id.as_deref()).unwrap_or_default()
}

fn row(words: &Words, shown: &Shown, series: &Series, (whole, was): (Credits, Credits), slots: &[u8]) -> Markup {
    let id = id_of(series);
    let view = View { group: Dimension::Type, ..plain(&only(&shown.view, &Dimension::Project, id)) };
    let way = || Markup::new("a").attr("href", &view.href()).attr("rel", "external");
    let name = Markup::new("th").attr("scope", "row").child(way().text(&series.title));
    let name = name.children(
        (!id.is_empty() && *id != series.title).then(|| Markup::new("small").class("muted project-id").text(id)),
    );
    let values: Vec<i64> = series.points.iter().map(|figures| figures.credits.micros()).collect();
    let place = shown.analytics.cube.projects.iter().position(|p| p.as_ref().map_or("", |p| p.id.as_str()) == id);
    let place = place.unwrap_or(usize::MAX);
    let title = format!("{} over time", series.title);
    let total = format::amount(words, series.total.credits);
    let spark = Spark {
        id: &format!("project-{place}"),
        title: &title,
        description: &format!("{total} in all."),
        width: SPARK.0,
        height: SPARK.1,
        values: &values,
        color: slots.get(place).copied().unwrap_or(colors::OTHER),
    };
    Markup::new("tr")
        .child(name)
        .child(number_of(way().child(amount_bare(words, series.total.credits))))
        .child(number(&format::share(series.total.credits, whole).unwrap_or_default()))
        .child(number(&format::change(was, series.total.credits).unwrap_or_else(|| "new".to_owned())))
        .child(number(&format::count(series.total.events)))
        .child(number(&format::count(series.total.failed)))
        .child(Markup::new("td").class("project-spark").drawing(&spark.draw()))
}

fn turn(view: &View, after: usize, more: bool) -> Option<Markup> {
    let button = |after: usize, text: &str| {
        let mut pairs = pairs(view);
        pairs.extend((after > 0).then(|| ("after".to_owned(), after.to_string())));
        Markup::new("a").class("button").attr("href", &at(PATH, &pairs)).attr("rel", "external").text(text)
    };
    let before = (after > 0).then(|| button(after.saturating_sub(PAGE), "Projects before"));
    let next = more.then(|| button(after + PAGE, "More projects"));
    (before.is_some() || next.is_some()).then(|| Markup::new("p").class("turn").children(before).children(next))
}
