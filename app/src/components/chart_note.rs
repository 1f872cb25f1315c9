//! What stands in the place of a chart that would be empty, and why it would be: nobody used it, it is free, or the rate card
//! takes no such event at all. It lies over the chart, so that nothing moves.

use super::still::follows;
use crate::calendar::Day;
use crate::markup::{Markup, button_link};
use crate::server_fns::analytics::DEFAULT_DAYS;
use crate::usage_chart::Usage;
use crate::view::View;
use ledger::reach::{Reach, Reachable, reachable};
use leptos::prelude::*;

/// The note, where there is nothing to draw.
#[component]
pub fn ChartNote(
    /// What is looked at.
    view: Memo<View>,
    /// What is drawn.
    usage: Memo<Usage>,
    /// What the rate cards of the range match.
    reach: Vec<Vec<Reach>>,
    /// The last day with any usage, where there is none in the range.
    last: Option<Day>,
) -> impl IntoView {
    follows(view, move |v| {
        let (used, calls) = usage.with(|u| (u.points.iter().any(|p| !p.credits.is_zero()), u.total.events));
        if used { Markup::new("div").attr("hidden", "") } else { place(v, standing(&reach, v), calls > 0, last) }
    })
}

fn place(view: &View, standing: Reachable, has_calls: bool, last: Option<Day>) -> Markup {
    let (title, text) = words(standing, has_calls);
    let all = View { sources: Vec::new(), ..view.clone() };
    let all = (all != *view).then(|| button_link(&all.href(), "Show all sources"));
    let card = (standing != Reachable::Charged).then(|| button_link("/rate-card", "See the rate card"));
    let last = last.map(|last| {
        let text = format!("Show the last usage, until {}", last.medium());
        button_link(&view.with_range(last.plus_days(1 - DEFAULT_DAYS), last).href(), &text)
    });
    Markup::new("div")
        .class("chart-note")
        .attr("role", "status")
        .child(Markup::new("p").class("chart-note-title").text(title))
        .child(Markup::new("p").text(text))
        .child(Markup::new("p").class("chart-note-links").children(card).children(all).children(last))
}

/// What the choice can come to under any of the cards. Where nothing was chosen, and before there were prices, nothing is
/// impossible: it just was not used.
fn standing(cards: &[Vec<Reach>], view: &View) -> Reachable {
    if cards.is_empty() || (view.types.is_empty() && view.sources.is_empty()) {
        return Reachable::Charged;
    }
    cards.iter().map(|lines| reachable(lines, &view.types, &view.sources)).max().unwrap_or(Reachable::Nothing)
}

const fn words(standing: Reachable, has_calls: bool) -> (&'static str, &'static str) {
    match (standing, has_calls) {
        (Reachable::Nothing, false) => (
            "This cannot be",
            "No line of the rate card is for these credit types from these sources: such events are refused.",
        ),
        (Reachable::Free, _) => {
            ("This is free", "Under the rate card these credit types cost nothing from these sources.")
        }
        (Reachable::Charged | Reachable::Nothing, true) => {
            ("Nothing was charged", "There were calls, and none of them cost anything.")
        }
        (Reachable::Charged, false) => ("Nothing was used", "There was no such usage in this range."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_card_of_the_range_took_can_be() {
        let line = |source: &str, free| Reach {
            meter: "viewer_session".to_owned(),
            sources: vec![source.to_owned()],
            asks_more: false,
            free,
        };
        let view = View::parse("type=viewer_session&source=platform");
        assert_eq!(standing(&[vec![line("platform", true)]], &view), Reachable::Free);
        assert_eq!(standing(&[vec![line("embedded", false)]], &view), Reachable::Nothing);
        let both = [vec![line("embedded", false)], vec![line("platform", false)]];
        assert_eq!(standing(&both, &view), Reachable::Charged);
        assert_eq!(standing(&[], &view), Reachable::Charged);
        assert_eq!(standing(&both, &View::default()), Reachable::Charged);
    }
}
