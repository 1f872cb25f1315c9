//! Rate cards: ordered lines with an effective time; the first line that matches wins.
//!
//! A new version never re-rates what an older one rated. A line that it keeps as it was goes on where it stood: with its
//! carry, and with what it has charged in the billing cycle. [`Prices`] knows where each line comes from.

use crate::canon::{Canon, Hash};
use crate::event::{Event, MAX_ATTRIBUTES};
use crate::id::{LineNo, RateCardVersion};
use crate::label::Meter;
use crate::rate::{RateLine, Rule, wrong_member};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Lines one card may have: each event may look at all of them.
pub const MAX_LINES: usize = 500;
/// Versions an org may have: all of them are kept, and each is looked at when the ledger is verified.
pub const MAX_VERSIONS: i64 = 1_000;
/// Sources one line may name.
pub const MAX_SOURCES: usize = 50;

/// What is wrong with a line of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineProblem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl LineProblem {
    /// Of that line.
    #[must_use]
    pub fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// Reads one line from JSON text.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read_line(json: &str) -> Result<RateLine, String> {
    if !json.trim_start().starts_with('{') {
        return Err("it is not a JSON object".to_owned());
    }
    serde_json::from_str(json).map_err(|error| {
        // What is wrong between members is said in our own words, behind which the place in the text follows.
        let between = || error.to_string().split(" at line ").next().unwrap_or_default().to_owned();
        match wrong_member(json) {
            Some(problem) => problem,
            None if error.to_string().starts_with("duplicate field") => "a member is there twice".to_owned(),
            None => between(),
        }
    })
}

/// What is wrong with the lines of a new card, each by itself and one beside the other.
#[must_use]
pub fn problems(lines: &[RateLine]) -> Vec<LineProblem> {
    problems_at(lines, false, |number| number)
}

/// The same, in the words of the text where it was written so; `place` says which line of it a line of the card is, both
/// counted from 1.
pub(crate) fn problems_at(lines: &[RateLine], as_text: bool, place: impl Fn(usize) -> usize) -> Vec<LineProblem> {
    let mut found = Vec::new();
    if lines.len() > MAX_LINES {
        found.push(LineProblem::new(place(MAX_LINES + 1), format!("a card has at most {MAX_LINES} lines")));
    }
    for (index, line) in lines.iter().enumerate().take(MAX_LINES) {
        let number = place(index + 1);
        if let Some(fault) = line.fault() {
            found.push(LineProblem::new(number, fault.advice(as_text)));
        }
        if line.sources.len() > MAX_SOURCES {
            let problem = format!("it names {} sources: at most {MAX_SOURCES}; split the line", line.sources.len());
            found.push(LineProblem::new(number, problem));
        }
        if line.attributes.len() > MAX_ATTRIBUTES {
            let problem = format!("it names {} attributes: at most {MAX_ATTRIBUTES}", line.attributes.len());
            found.push(LineProblem::new(number, problem));
        }
        let names = line.sources.iter().chain(line.attributes.iter().flat_map(|(name, value)| [name, value]));
        found.extend(
            names
                .filter_map(|name| name.check("a source or attribute").err())
                .map(|refusal| LineProblem::new(number, refusal.to_string())),
        );
        let shadows = line.shadowed_by(lines.get(..index).unwrap_or_default());
        if let Some((last, others)) = shadows.split_last() {
            let others: Vec<String> = others.iter().map(|other| place(other + 1).to_string()).collect();
            let last = place(last + 1);
            let who = if others.is_empty() {
                format!("line {last} matches")
            } else {
                format!("lines {} and {last} together match", others.join(", "))
            };
            let problem = format!("it is never reached: {who} all that it does; put it first, or leave it out");
            found.push(LineProblem::new(number, problem));
        }
    }
    found
}

/// One version of an org's prices. A new version never re-rates what an older one rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCard {
    /// Which version.
    pub version: RateCardVersion,
    /// From when it rates what is booked.
    pub effective_at: Timestamp,
    /// In the order in which they are tried.
    pub lines: Vec<RateLine>,
}

impl RateCard {
    /// Checks lines before they become a card.
    ///
    /// # Errors
    /// [`Refusal::BadRateLine`] for the first line that cannot be used.
    pub fn check(lines: &[RateLine]) -> Result<(), Refusal> {
        if lines.len() > MAX_LINES {
            let problem = format!("a card has at most {MAX_LINES} lines");
            return Err(Refusal::BadRateLine { line: MAX_LINES + 1, problem });
        }
        for (index, line) in lines.iter().enumerate() {
            if let Some(fault) = line.fault() {
                return Err(Refusal::BadRateLine { line: index + 1, problem: fault.advice(false).to_owned() });
            }
        }
        Ok(())
    }

    /// What captured holds are charged by: the event reports what was captured.
    #[must_use]
    pub fn of_captures(meter: Meter) -> Self {
        let effective_at = Timestamp::from_micros(0);
        Self { version: RateCardVersion::CAPTURES, effective_at, lines: vec![RateLine::new(meter, Rule::Reported)] }
    }

    /// The hash of what it says: what its entry in the chain binds. `lines` is their JSON as it is kept.
    #[must_use]
    pub fn terms(version: RateCardVersion, effective_at: Timestamp, lines: &str) -> Hash {
        Canon::new("scrip-rate-card-1").int(version.0).int(effective_at.micros()).text(lines).hash()
    }

    /// The line that charges `meter` for `event`.
    ///
    /// # Errors
    /// [`Refusal::UnknownMeter`] where no line names the meter, [`Refusal::NoRate`] where none of those that do matches.
    pub fn line_for(&self, meter: &Meter, event: &Event) -> Result<(LineNo, &RateLine), Refusal> {
        let found = self.lines.iter().zip(1_i64..).find(|(line, _)| line.meter == *meter && line.matches(event));
        if let Some((line, number)) = found {
            return Ok((LineNo(number), line));
        }
        if self.lines.iter().any(|line| line.meter == *meter) {
            Err(Refusal::NoRate { meter: meter.to_string(), from: event.source.to_string() })
        } else {
            Err(Refusal::UnknownMeter { meter: meter.to_string(), known: self.known_meters() })
        }
    }

    /// The line of that number.
    #[must_use]
    pub fn line(&self, number: LineNo) -> Option<&RateLine> {
        let index = usize::try_from(number.0).ok()?.checked_sub(1)?;
        self.lines.get(index)
    }

    fn known_meters(&self) -> String {
        let mut names: Vec<&str> = self.lines.iter().map(|line| line.meter.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        match names.as_slice() {
            [] => "it is empty; put a rate card first".to_owned(),
            names => format!("it has {}", names.iter().take(20).copied().collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Where a line was first laid down: what is carried is kept under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineOrigin {
    /// The version.
    pub version: RateCardVersion,
    /// Its line.
    pub line: LineNo,
}

/// All versions of an org's rate card.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    cards: Vec<RateCard>,
    /// Of each line of each card.
    origins: Vec<Vec<LineOrigin>>,
}

impl Prices {
    /// From cards in the order of their versions.
    #[must_use]
    pub fn new(cards: impl IntoIterator<Item = RateCard>) -> Self {
        let mut prices = Self::default();
        cards.into_iter().for_each(|card| prices.push(card));
        prices
    }

    /// Adds the next version. Cost: one look-up per line.
    pub fn push(&mut self, card: RateCard) {
        let mut kept: HashMap<&RateLine, LineOrigin> = HashMap::new();
        if let Some((before, origins)) = self.cards.last().zip(self.origins.last()) {
            for (line, origin) in before.lines.iter().zip(origins) {
                kept.entry(line).or_insert(*origin);
            }
        }
        let own = |number| LineOrigin { version: card.version, line: LineNo(number) };
        let origins =
            card.lines.iter().zip(1_i64..).map(|(line, number)| kept.get(line).copied().unwrap_or(own(number)));
        let origins = origins.collect();
        self.origins.push(origins);
        self.cards.push(card);
    }

    /// All versions, oldest first.
    #[must_use]
    pub fn cards(&self) -> &[RateCard] {
        &self.cards
    }

    /// The version in force: the newest whose time has come.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Option<&RateCard> {
        self.cards.iter().rfind(|card| card.effective_at <= now)
    }

    /// The card of that version.
    #[must_use]
    pub fn version(&self, version: RateCardVersion) -> Option<&RateCard> {
        self.cards.iter().find(|card| card.version == version)
    }

    /// The lines of those meters that every version in force within a time charged alike: whatever was booked then, those
    /// lines charged it.
    #[must_use]
    pub fn agreed(&self, from: Timestamp, to: Timestamp) -> Vec<RateLine> {
        let mut versions = self.cards.iter().zip(1..).filter(|(card, next)| {
            let ends = self.cards.iter().skip(*next).map(|later| later.effective_at).min();
            card.effective_at < to && ends.is_none_or(|end| end > card.effective_at.max(from))
        });
        let Some((first, _)) = versions.next() else { return Vec::new() };
        let of_meter = |card: &RateCard, meter: &Meter| -> Vec<RateLine> {
            card.lines.iter().filter(|line| line.meter == *meter).cloned().collect()
        };
        let others: Vec<&RateCard> = versions.map(|(card, _)| card).collect();
        let alike = |line: &&RateLine| {
            let lines = of_meter(first, &line.meter);
            others.iter().all(|card| of_meter(card, &line.meter) == lines)
        };
        first.lines.iter().filter(alike).cloned().collect()
    }

    /// Where a line comes from; itself where it is no line of these cards, as those of captured holds.
    #[must_use]
    pub fn origin(&self, version: RateCardVersion, line: LineNo) -> LineOrigin {
        let place = self.cards.iter().position(|card| card.version == version);
        let index = usize::try_from(line.0).ok().and_then(|number| number.checked_sub(1));
        let found = place.zip(index).and_then(|(card, index)| self.origins.get(card)?.get(index).copied());
        found.unwrap_or(LineOrigin { version, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Form;
    use crate::rate::Rule;

    fn event(source: &str, data: &str) -> Event {
        Event::from_json(
            &format!(r#"{{"id":"1","source":"{source}","type":"viewer_session","data":{data}}}"#),
            Form::Plain,
        )
        .expect("valid")
    }

    fn card(lines: &str) -> RateCard {
        let lines = serde_json::from_str(lines).expect("valid lines");
        RateCard { version: RateCardVersion(1), effective_at: crate::time::EARLIEST, lines }
    }

    #[test]
    fn the_first_line_that_matches_wins() {
        let card = card(
            r#"[{"meter":"viewer_session","sources":["platform"],"rule":"free"},
                {"meter":"viewer_session","attributes":{"tier":"gold"},"rule":"unit","price":"1"},
                {"meter":"viewer_session","sources":["embedded"],"rule":"block","price":"1.000000","size":"600","counted":"per_event"}]"#,
        );
        let meter = Meter::parse("viewer_session").expect("valid");
        let line = |source, data| card.line_for(&meter, &event(source, data)).map(|(number, _)| number.0);
        assert_eq!(line("platform", r#"{"attributes":{"tier":"gold"}}"#), Ok(1));
        assert_eq!(line("embedded", r#"{"attributes":{"tier":"gold"}}"#), Ok(2));
        assert_eq!(line("embedded", "{}"), Ok(3));
        assert!(matches!(line("backend", "{}"), Err(Refusal::NoRate { .. })));
        assert!(matches!(card.line(LineNo(1)).map(|l| &l.rule), Some(Rule::Free)));
        assert_eq!(card.line(LineNo(0)), None);
    }

    #[test]
    fn versions_agree_on_what_none_of_them_changed() {
        let at = Timestamp::from_micros;
        let card = |version, effective_at, text| RateCard {
            version: RateCardVersion(version),
            effective_at: at(effective_at),
            lines: crate::card_text::parse(text).expect("valid"),
        };
        // The second was overtaken before its time came: it never rated anything.
        let prices = Prices::new([
            card(1, 10, "a: 1 each\nb: 1 each"),
            card(2, 40, "a: 9 each\nb: 9 each"),
            card(3, 30, "a: 2 each\nb: 1 each"),
        ]);
        let agreed = |from, to| crate::card_text::write(&prices.agreed(at(from), at(to)));
        assert_eq!(agreed(0, 10), "");
        assert_eq!(agreed(0, 30), "a: 1 each\nb: 1 each\n");
        assert_eq!(agreed(0, 31), "b: 1 each\n");
        assert_eq!(agreed(30, 99), "a: 2 each\nb: 1 each\n");
        assert_eq!(agreed(29, 30), "a: 1 each\nb: 1 each\n");
    }

    #[test]
    fn an_unknown_meter_is_told_the_known_ones() {
        let card = card(r#"[{"meter":"export","rule":"unit","price":"1"}]"#);
        let refused = card.line_for(&Meter::parse("exports").expect("valid"), &event("s", "{}")).expect_err("unknown");
        assert_eq!(refused.to_string(), "the rate card has no meter \"exports\": it has export");
    }
}
