//! What a rule would have said, drawn: its figure, its threshold, and a dot for each time it fires.

use super::panel;
use super::words::figure;
use crate::backend::Org;
use crate::backend::alerts::{Point, Simulation};
use crate::backend::plans::told;
use crate::charts::{Bucket, ThresholdChart, Track};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, table, time};
use ledger::alert::{Kind, Unit};

/// Widths in px: on a desk, and on a phone.
const WIDTHS: [(u32, &str); 2] = [(620, "wide"), (310, "narrow")];
const HEIGHT: u32 = 240;

/// The panel. A script moves the threshold by what stands in its attributes, and has the page tell it again.
pub(super) fn would_have(org: &Org, kind: &Kind, told_of: &Simulation) -> Result<Markup, AppError> {
    let count = told_of.fired.len();
    let fired_so = match count {
        0 => "not have fired".to_owned(),
        1 => "have fired once".to_owned(),
        _ => format!("have fired {count} times"),
    };
    let title = format!("In the last {} days this would {fired_so}", told_of.days);
    let panel = panel("simulation", &title);
    if told_of.unit == Unit::Number || told_of.points.is_empty() {
        let text =
            if told_of.unit == Unit::Number { "It fires each time that happens." } else { "Nothing was measured yet." };
        return Ok(panel.child(Markup::new("p").class("muted").text(text)));
    }
    let mut charts = Markup::new("div").class("still-chart threshold-chart");
    for (width, class) in WIDTHS {
        charts = charts.child(drawn(org, kind, told_of, (width, class), &title)?);
    }
    Ok(panel.child(charts).children(fired(org, told_of)?))
}

/// Hours and shares in the millionths that charts are drawn in; days instead of hours where the threshold is in days.
fn scaled(unit: Unit, kind: &Kind, value: i64) -> i64 {
    match (unit, kind) {
        (Unit::Credits | Unit::Number, _) => value,
        (Unit::Hours, Kind::RunwayBelow { .. }) => value.min(366 * 24).saturating_mul(1_000_000) / 24,
        (Unit::Hours, _) => value.min(744).saturating_mul(1_000_000),
        (Unit::Share, _) => value.saturating_mul(10_000),
    }
}

fn drawn(
    org: &Org,
    kind: &Kind,
    told_of: &Simulation,
    (width, class): (u32, &str),
    title: &str,
) -> Result<Markup, AppError> {
    let values: Vec<i64> = told_of.points.iter().map(|point| scaled(told_of.unit, kind, point.value)).collect();
    let thresholds: Vec<i64> = told_of.points.iter().map(|point| scaled(told_of.unit, kind, point.threshold)).collect();
    let places = told_of.fired.iter().filter_map(|fired| told_of.points.iter().position(|point| point.at == fired.at));
    let points = told_of.points.iter().map(|point| bucket(org, told_of.unit, point)).collect::<Result<Vec<_>, _>>()?;
    let unit = match (told_of.unit, kind) {
        (Unit::Hours, Kind::RunwayBelow { .. }) => "days".to_owned(),
        (Unit::Hours, _) => "hours".to_owned(),
        (Unit::Share, _) => "%".to_owned(),
        (Unit::Credits | Unit::Number, _) => format::noun(&org.words).to_owned(),
    };
    let chart = ThresholdChart {
        id: &format!("threshold-{class}"),
        title,
        description: "The figure as a line, the threshold dashed, a dot where it fires. The table below lists these.",
        width,
        height: HEIGHT,
        points: &points,
        values: &values,
        thresholds: &thresholds,
        fired: &places.collect::<Vec<_>>(),
        unit: &unit,
        decimals: 2,
    };
    let (drawing, track) = chart.draw();
    let now = thresholds.last().copied().unwrap_or_default();
    let Track { zero, high, top, left } = track;
    let px = |value: f64| format!("{value:.1}");
    Ok(Markup::new("div")
        .class(class)
        .attr("data-track", "")
        .attr("data-zero", &px(zero))
        .attr("data-high", &px(high))
        .attr("data-left", &px(left))
        .attr("data-top", &top.to_string())
        .attr("data-now", &now.to_string())
        .attr("data-height", &HEIGHT.to_string())
        .attr("data-unit", typed_in(kind))
        .child(Markup::new("div").drawing(&drawing.svg)))
}

/// What stands behind a threshold as it is typed: a share of the plan is typed in percent and drawn in credits.
const fn typed_in(kind: &Kind) -> &'static str {
    match kind {
        Kind::BalanceBelowShare { .. }
        | Kind::CycleUsage { .. }
        | Kind::ProjectedAbove { .. }
        | Kind::FailedShare { .. } => "%",
        Kind::RunwayBelow { .. } => " days",
        Kind::NoUsage { .. } => " hours",
        _ => "",
    }
}

fn bucket(org: &Org, unit: Unit, point: &Point) -> Result<Bucket, AppError> {
    let at = told(org, point.at)?;
    let (is_over, limit) = (figure(&org.words, unit, point.value), figure(&org.words, unit, point.threshold));
    let day = at.text.split(',').next().unwrap_or_default().to_owned();
    Ok(Bucket { label: format!("{}: {is_over}, threshold {limit}", at.text), tick: day, incomplete: false })
}

/// When it would have fired, newest first.
fn fired(org: &Org, told_of: &Simulation) -> Result<Option<Markup>, AppError> {
    if told_of.fired.is_empty() {
        return Ok(None);
    }
    let mut lines = Vec::new();
    for point in told_of.fired.iter().rev() {
        let number = |value: i64| crate::markup::number(&figure(&org.words, told_of.unit, value));
        lines.push(
            Markup::new("tr")
                .child(Markup::new("th").attr("scope", "row").child(time(&told(org, point.at)?)))
                .child(number(point.value))
                .child(number(point.threshold)),
        );
    }
    let list =
        table("table-scroll tall", "When it would have fired", &["When", "Figure\t", "Threshold\t"], lines, None);
    let summary = Markup::new("summary").text("When it would have fired");
    Ok(Some(Markup::new("details").class("behind").child(summary).child(list)))
}
