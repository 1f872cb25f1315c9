//! A run as a picture: its modules in order, with what each cost.

use super::run::ModuleLine;
use super::{duration, external};
use crate::format;
use crate::markup::Markup;
use ledger::Words;

/// Modules that are drawn; the table has all.
const MAX_BOXES: usize = 40;
const WIDTH: usize = 176;
const GAP: usize = 40;
const HEIGHT: usize = 92;
/// Around it, so that lines are not cut.
const MARGIN: usize = 2;
/// Letters of a name that fit a box.
const LETTERS: usize = 21;

/// The modules in a row, each a box: name, credits where they are shown, calls and time, and a bar for its part of the cost.
#[must_use]
pub fn diagram(modules: &[ModuleLine], show: bool, words: &Words) -> Markup {
    let drawn = &modules[..modules.len().min(MAX_BOXES)];
    let most = drawn.iter().map(|module| module.credits.micros()).max().unwrap_or(0);
    let wide = drawn.len() * (WIDTH + GAP) - GAP + 2 * MARGIN;
    let (width, height) = (wide.to_string(), (HEIGHT + 2 * MARGIN).to_string());
    let svg = Markup::new("svg")
        .class("run-diagram")
        .attr("width", &width)
        .attr("height", &height)
        .attr("viewBox", &format!("0 0 {width} {height}"))
        .attr("role", "img")
        .attr("aria-label", &told(drawn, show, words))
        .children(drawn.iter().enumerate().map(|(place, module)| step(place, module, most, show, words)));
    let rest = (modules.len() > drawn.len()).then(|| {
        let more = i64::try_from(modules.len() - drawn.len()).unwrap_or(i64::MAX);
        let text = format!("and {} more, in the table below", format::counted(more, "module", "modules"));
        Markup::new("p").class("muted").text(&text)
    });
    let region = Markup::new("div")
        .class("run-diagram-scroll")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", "Diagram of the modules")
        .child(svg);
    Markup::new("div").child(region).children(rest)
}

fn step(place: usize, module: &ModuleLine, most: i64, show: bool, words: &Words) -> Markup {
    let left = MARGIN + place * (WIDTH + GAP);
    let at = |x: usize| (left + x).to_string();
    let text = |class: &str, y: usize, text: &str| {
        let element = Markup::new("text").class(class).attr("x", &at(12)).attr("y", &(MARGIN + y).to_string());
        element.text(text)
    };
    let middle = (MARGIN + HEIGHT / 2).to_string();
    let edge = (place > 0).then(|| {
        let (from, to) = (left - GAP, left - 1);
        let path = format!("M{from} {middle}H{to}m-6 -4l6 4l-6 4");
        Markup::new("path").class("run-edge").attr("d", &path)
    });
    let class = if module.failed > 0 { "run-box failed" } else { "run-box" };
    let frame = Markup::new("rect")
        .class(class)
        .attr("x", &at(0))
        .attr("y", &MARGIN.to_string())
        .attr("width", &WIDTH.to_string())
        .attr("height", &HEIGHT.to_string())
        .attr("rx", "8");
    let time = if module.took > 0 { format!(" \u{b7} {}", duration(module.took)) } else { String::new() };
    let calls = format!("{}{time}", format::counted(module.events, "call", "calls"));
    let cost = if show { format::amount(words, module.credits) } else { calls.clone() };
    let under = if module.failed > 0 { format!("{} failed", format::count(module.failed)) } else { calls };
    let bar = (show && most > 0 && module.credits.is_positive()).then(|| bar(left, module.credits.micros(), most));
    Markup::new("g")
        .child(Markup::new("title").text(&module.title))
        .children(edge)
        .child(frame)
        .child(text("run-box-name", 24, &short(&module.title)))
        .child(text("run-box-cost", 46, &cost))
        .children((show || module.failed > 0).then(|| text("run-box-calls", 66, &under)))
        .children(bar)
}

/// How much of the dearest module's cost it is.
fn bar(left: usize, micros: i64, most: i64) -> Markup {
    let whole = i128::try_from(WIDTH - 24).unwrap_or_default();
    let part = (i128::from(micros) * whole / i128::from(most)).max(2);
    Markup::new("rect")
        .class("run-bar")
        .attr("x", &(left + 12).to_string())
        .attr("y", &(MARGIN + 78).to_string())
        .attr("width", &part.to_string())
        .attr("height", "4")
        .attr("rx", "2")
}

fn short(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    let head: String = name.chars().take(LETTERS - 1).collect();
    format!("{}\u{2026}", head.trim_end())
}

/// The same in words, for those who do not see it.
fn told(modules: &[ModuleLine], show: bool, words: &Words) -> String {
    let one = |module: &ModuleLine| {
        let cost = if show { format!(", {}", format::amount(words, module.credits)) } else { String::new() };
        let failed =
            if module.failed > 0 { format!(", {} failed", format::count(module.failed)) } else { String::new() };
        format!("{}{cost}{failed}", module.title)
    };
    format!("Modules in order: {}", modules.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// The switch that shows or hides credit usage: a link, so that it works without a script.
#[must_use]
pub fn switch(shown: bool, other: &str) -> Markup {
    external(other, if shown { "Hide credit usage" } else { "Show credit usage" })
}
