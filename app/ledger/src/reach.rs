//! What can be charged at all: which credit types from which sources, under the rate card.
//!
//! An empty chart can mean that nobody used anything, or that nobody could have: an event that no line matches is refused,
//! and one that only free lines match costs nothing. Pure, and small enough ([`Reach`]) to travel to the browser with the
//! usage, so that it is told as soon as a filter is chosen. Cost: the lines, for each type and source chosen.

use crate::rate::{RateLine, Rule};
use serde::{Deserialize, Serialize};

/// What a line of the rate card matches, and whether it costs anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The meter's name.
    pub meter: String,
    /// The sources it matches; all where empty.
    pub sources: Vec<String>,
    /// Whether it asks for attributes besides: what it does not match goes on to the next line.
    pub asks_more: bool,
    /// Whether it charges nothing.
    pub free: bool,
}

impl From<&RateLine> for Reach {
    fn from(line: &RateLine) -> Self {
        Self {
            meter: line.meter.to_string(),
            sources: line.sources.iter().map(ToString::to_string).collect(),
            asks_more: !line.attributes.is_empty(),
            free: matches!(line.rule, Rule::Free),
        }
    }
}

/// What a choice of credit types and sources can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reachable {
    /// No line matches: such events are refused.
    Nothing,
    /// Whatever matches is free.
    Free,
    /// Something that costs credits.
    Charged,
}

/// What the types can come to from the sources; an empty list stands for all there are. Sources are an open set: with none
/// chosen, whatever any line names counts.
#[must_use]
pub fn reachable(lines: &[Reach], types: &[String], sources: &[String]) -> Reachable {
    let of_type = |line: &&Reach| types.is_empty() || types.contains(&line.meter);
    let chosen: Vec<&Reach> = lines.iter().filter(of_type).collect();
    if sources.is_empty() {
        return chosen.iter().map(|line| outcome(line)).max().unwrap_or(Reachable::Nothing);
    }
    sources.iter().map(|source| from_source(&chosen, source)).max().unwrap_or(Reachable::Nothing)
}

/// Lines are tried in order, each meter by itself, and one that asks for no attributes ends the search.
fn from_source(lines: &[&Reach], source: &String) -> Reachable {
    let mut ended: Vec<&str> = Vec::new();
    let mut most = Reachable::Nothing;
    for line in lines.iter().filter(|line| line.sources.is_empty() || line.sources.contains(source)) {
        if !ended.contains(&line.meter.as_str()) {
            most = most.max(outcome(line));
            if !line.asks_more {
                ended.push(&line.meter);
            }
        }
    }
    most
}

const fn outcome(line: &Reach) -> Reachable {
    if line.free { Reachable::Free } else { Reachable::Charged }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Status};
    use crate::{Label, Meter, Quantity, RateCard, RateCardVersion, Timestamp};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn line(meter: &str, sources: &[&str], asks_more: bool, free: bool) -> RateLine {
        let label = |text: &&str| Label::parse("source", text).expect("a label");
        let attributes: BTreeMap<Label, Label> =
            asks_more.then(|| (label(&"region"), label(&"eu"))).into_iter().collect();
        let rule = if free { Rule::Free } else { Rule::Reported };
        RateLine {
            sources: sources.iter().map(label).collect(),
            attributes,
            ..RateLine::new(Meter::parse(meter).expect("a meter"), rule)
        }
    }

    fn told(lines: &[RateLine], types: &[&str], sources: &[&str]) -> Reachable {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        reachable(&lines.iter().map(Reach::from).collect::<Vec<_>>(), &owned(types), &owned(sources))
    }

    #[test]
    fn a_viewer_session_on_the_platform_costs_nothing_and_from_nowhere_else_is_refused() {
        let lines = [line("viewer_session", &["platform"], false, true), line("export", &[], false, false)];
        assert_eq!(told(&lines, &["viewer_session"], &["platform"]), Reachable::Free);
        assert_eq!(told(&lines, &["viewer_session"], &["embedded"]), Reachable::Nothing);
        assert_eq!(told(&lines, &["viewer_session"], &[]), Reachable::Free);
        assert_eq!(told(&lines, &["viewer_session", "export"], &["embedded"]), Reachable::Charged);
        assert_eq!(told(&lines, &[], &[]), Reachable::Charged);
        assert_eq!(told(&lines, &["unheard_of"], &[]), Reachable::Nothing);
        assert_eq!(told(&[], &[], &["api"]), Reachable::Nothing);
    }

    #[test]
    fn the_first_line_that_takes_everything_ends_the_search_and_one_that_asks_for_more_does_not() {
        let free_first = [line("export", &["api"], false, true), line("export", &[], false, false)];
        assert_eq!(told(&free_first, &["export"], &["api"]), Reachable::Free);
        assert_eq!(told(&free_first, &["export"], &["api", "web"]), Reachable::Charged);
        let free_in_the_eu = [line("export", &["api"], true, true), line("export", &[], false, false)];
        assert_eq!(told(&free_in_the_eu, &["export"], &["api"]), Reachable::Charged);
    }

    proptest! {
        /// Against the card itself: what it takes can be reached, what it charges is said to be charged.
        #[test]
        fn what_a_card_charges_can_be_reached(
            lines in prop::collection::vec((0..3usize, prop::collection::vec(0..3usize, 0..3), any::<bool>(), any::<bool>()), 0..8),
            meter in 0..3usize,
            source in 0..3usize,
            in_the_eu in any::<bool>(),
        ) {
            let (meters, sources) = (["export", "image", "token"], ["api", "platform", "web"]);
            let lines: Vec<RateLine> = lines
                .iter()
                .map(|(m, s, more, free)| line(meters[*m], &s.iter().map(|s| sources[*s]).collect::<Vec<_>>(), *more, *free))
                .collect();
            let label = |text: &str| Label::parse("label", text).expect("a label");
            let event = Event {
                id: label("e"),
                source: label(sources[source]),
                operation: label("op"),
                time: None,
                quantities: vec![(Meter::parse(meters[meter]).expect("a meter"), Quantity::ONE)],
                reported: None,
                project: None,
                workflow: None,
                run: None,
                module: None,
                user: None,
                tenant: None,
                interaction: None,
                status: Status::Succeeded,
                bytes: 0,
                compute_micros: 0,
                description: None,
                attributes: if in_the_eu { vec![(label("region"), label("eu"))] } else { Vec::new() },
            };
            let card = RateCard { version: RateCardVersion(1), effective_at: Timestamp::from_micros(0), lines: lines.clone() };
            let found = card.line_for(&Meter::parse(meters[meter]).expect("a meter"), &event);
            let said = told(&lines, &[meters[meter]], &[sources[source]]);
            let least = match found {
                Ok((_, line)) if line.rule == Rule::Free => Reachable::Free,
                Ok(_) => Reachable::Charged,
                Err(_) => Reachable::Nothing,
            };
            prop_assert!(said >= least);
            // What no attributes decide is told exactly.
            if lines.iter().all(|line| line.attributes.is_empty()) {
                prop_assert_eq!(said, least);
            }
        }
    }
}
