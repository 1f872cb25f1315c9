//! The chart of the Analytics page as a file: same view, same slice, same drawing. Server only.
//!
//! What the page says around its chart goes along: range, time zone, filters, what it is compared with, when it was read.

use crate::backend::{self, Store};
use crate::calendar::range_text;
use crate::charts::Surroundings;
use crate::components::chart_panel::{FIRST_WIDTH_PX, drawn};
use crate::error::AppError;
use crate::server_fns::analytics::Analytics;
use crate::usage_chart::Usage;
use crate::view::{Kind, View};
use crate::{format, query};
use ledger::{Cube, OrgId};

/// A picture and the name of its file, without what follows the dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Letters, digits, `-` and `_` only.
    pub name: String,
    /// A whole SVG.
    pub svg: String,
}

/// The chart for the page's query string; `theme=dark` in it makes it dark.
///
/// # Errors
/// What the page would say.
pub async fn usage_chart(store: &Store, org: OrgId, asked: &str) -> Result<Picture, AppError> {
    let view = View::parse(asked);
    let analytics = backend::analytics(store, org, &view).await?;
    let words = store.org(org).await?.words;
    let Analytics { from, to, cube, compared, as_of, .. } = &analytics;
    let usage =
        Usage::beside(cube, compared.as_ref(), &view).map_err(|r| AppError::Refused { problem: r.to_string() })?;
    let running = if view.kind == Kind::Cumulative { ", running total" } else { "" };
    let title = format!("{} per {}{running}", format::unit_head(&words), cube.interval.as_str());
    let mut notes = vec![format!(
        "{} · {} · {} · data as of {}",
        range_text(*from, *to),
        cube.zone,
        format::amount(&words, usage.total.credits),
        as_of.text
    )];
    notes.extend(filters(cube, &view));
    let hidden = usage.hidden();
    if !hidden.is_empty() {
        notes.push(format!("Not shown: {}", hidden.join(", ")));
    }
    let before = usage.plot.before.as_ref().map(|before| format!("Before: {}", before.range));
    let around = Surroundings {
        dark: query::parse(asked).iter().any(|(name, value)| name == "theme" && value == "dark"),
        notes: &notes,
        series: &usage.plot.series,
        total: usage.plot.has_total.then_some("Total"),
        before: before.as_deref(),
    };
    let drawing = drawn("usage-chart", &title, &usage, &words, FIRST_WIDTH_PX);
    Ok(Picture { name: format!("usage_{}_{}", from.iso(), to.iso()), svg: around.around(&drawing.svg) })
}

/// What the view leaves through, in words; nothing where it is everything.
fn filters(cube: &Cube, view: &View) -> Option<String> {
    let meter = |name: &String| {
        let known = cube.meters.iter().find(|m| m.meter.as_str() == name);
        known.map_or_else(|| name.clone(), |m| m.title.clone())
    };
    let project = |id: &String| {
        let known = cube.projects.iter().flatten().find(|p| p.id == *id);
        known.map_or_else(|| if id.is_empty() { "none".to_owned() } else { id.clone() }, |p| p.name.clone())
    };
    let list = |name: &str, values: Vec<String>| (!values.is_empty()).then(|| format!("{name}: {}", values.join(", ")));
    let said = |value: &String| if value.is_empty() { "none".to_owned() } else { value.clone() };
    let facets = view.facets.iter().map(|(facet, value)| Some(format!("{}: {}", facet.name(), said(value))));
    let parts: Vec<String> = [
        list("Credit type", view.types.iter().map(meter).collect()),
        list("Source", view.sources.clone()),
        list("Project", view.projects.iter().map(project).collect()),
    ]
    .into_iter()
    .chain(facets)
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
