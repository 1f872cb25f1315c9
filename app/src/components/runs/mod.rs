//! Usage, a row per run, and the page of one run.

pub mod diagram;
pub mod filter;
pub mod list;
pub mod run;

use crate::format;
use crate::markup::Markup;
use crate::server_fns::Moment;
use ledger::Credits;

/// An id, and what people read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The customer's own id.
    pub id: String,
    /// Its name, or the id where it has none.
    pub title: String,
}

/// A run, in a list and at the head of its page.
#[derive(Debug, Clone)]
pub struct RunLine {
    /// Its id, and its own name where it has one.
    pub place: Place,
    /// Its workflow.
    pub workflow: Option<Place>,
    /// Its project.
    pub project: Option<Place>,
    /// Whether the workflow is an AI agent.
    pub agent: bool,
    /// When its first event happened.
    pub first: Moment,
    /// When its last one did.
    pub last: Moment,
    /// Between the two, in microseconds.
    pub took: i64,
    /// Its events.
    pub events: i64,
    /// Those that failed.
    pub failed: i64,
    /// Data transferred.
    pub bytes: i64,
    /// What it cost.
    pub credits: Credits,
}

impl RunLine {
    /// What it is called: by its own name, else by its workflow's.
    #[must_use]
    pub fn title(&self) -> &str {
        let own = self.place.title.as_str();
        if own == self.place.id { self.workflow.as_ref().map_or(own, |workflow| &workflow.title) } else { own }
    }
}

/// What was used of a meter: how much, in words, and for how many credits.
pub type Used = (String, Credits);

/// `1.2 MB`, all of it on hover.
fn data(bytes: i64) -> Markup {
    let text = data_text(bytes);
    let class = if bytes == 0 { "zero" } else { "data" };
    Markup::new("span").class(class).attr("title", &format::counted(bytes, "byte", "bytes")).text(&text)
}

fn data_text(bytes: i64) -> String {
    let (mut unit, mut size) = ("B", 1_i128);
    for (next, name) in (1_u32..).zip(["kB", "MB", "GB", "TB", "PB"]) {
        if i128::from(bytes) >= 10_i128.pow(3 * next) {
            (unit, size) = (name, 10_i128.pow(3 * next));
        }
    }
    let tenths = (i128::from(bytes) * 10 + size / 2) / size;
    let (whole, tenth) = (i64::try_from(tenths / 10).unwrap_or(i64::MAX), tenths % 10);
    let tenth = if tenth == 0 || size == 1 { String::new() } else { format!(".{tenth}") };
    format!("{}{tenth} {unit}", format::count(whole))
}

/// `1 min 5 s`, `340 ms`; a dash where there is only an instant.
fn duration(micros: i64) -> String {
    let (ms, s) = (micros / 1_000, micros / 1_000_000);
    match s {
        0 if micros == 0 => "\u{2013}".to_owned(),
        0 => format!("{ms} ms"),
        1..60 => format!("{s} s"),
        60..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s / 60 % 60),
        _ => format!("{} d {} h", format::count(s / 86_400), s / 3_600 % 24),
    }
}

/// How it went.
pub(super) fn status(failed: i64, events: i64) -> Markup {
    let (class, text) = match failed {
        0 => ("status quiet", "Succeeded".to_owned()),
        _ if events == 1 => ("status danger", "Failed".to_owned()),
        _ => ("status danger", format!("{} of {} failed", format::count(failed), format::count(events))),
    };
    Markup::new("span").class(class).text(&text)
}

/// A link that the browser follows by itself.
pub(super) fn external(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

/// What was used, without what it cost.
fn uses(used: &[Used]) -> Markup {
    let one = |(text, _): &Used| Markup::new("span").class("usage").text(text);
    Markup::new("td").class("usages").children(used.iter().map(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_the_unit_that_fits() {
        let sizes = [0, 999, 1_000, 1_234_567, 2_000_000_000].map(data_text);
        assert_eq!(sizes, ["0 B", "999 B", "1 kB", "1.2 MB", "2 GB"]);
        let times = [0, 340_000, 59_000_000, 65_000_000, 3_660_000_000, 90_000_000_000].map(duration);
        assert_eq!(times, ["\u{2013}", "340 ms", "59 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]);
    }
}
