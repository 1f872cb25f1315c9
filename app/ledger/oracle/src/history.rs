//! Rate cards and usage, chosen by bytes: every rule, several lines of a meter, several quantities of an event, several
//! orgs in turn, versions in between, cycle ends, and figures up to where they no longer fit.

use crate::Choices;
use ledger::event::{Event, MAX_BYTES, Status};
use ledger::quantity::{MAX_UNITS, MICROS_PER_UNIT};
use ledger::rate::{Counted, Formula, Mode, PRICE_DECIMALS, Price, Tier, Tiers};
use ledger::{Credits, Label, Meter, Quantity, RateLine, Rule, Timestamp, card, decimal};

/// The meters that are used.
pub const METERS: [&str; 4] = ["calls", "pages", "storage", "training"];
/// The attribute that lines may ask for.
pub const ATTRIBUTE: &str = "size";
/// How far the billing cycles' zone is ahead of UTC: half an hour that is easily lost.
pub const KOLKATA_MINUTES: i64 = 330;
const SOURCES: [&str; 3] = ["api", "platform", "embedded"];
const SIZES: [&str; 2] = ["large", "small"];
/// Orgs that take turns.
const ORGS: usize = 3;
/// Versions of their rate cards, at most.
const MAX_VERSIONS: usize = 3;
const MAX_LINES: usize = 7;
const MAX_EVENTS: usize = 48;
/// 2026-11-21T12:00:00Z.
const NOON_US: i64 = 1_795_262_400_000_000;
const DAY_US: i64 = 86_400_000_000;

/// One event, to whom it is reported, when and under which version, both counted from 0.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Which org.
    pub org: usize,
    /// Which version is in force.
    pub version: usize,
    /// When it is booked.
    pub now: Timestamp,
    /// What is reported.
    pub event: Event,
    /// Whether a commit ends with it.
    pub ends_commit: bool,
}

impl Reported {
    /// The billing cycle in which it happened.
    #[must_use]
    pub fn cycle(&self) -> i64 {
        cycle_of(self.event.time.unwrap_or(self.now), KOLKATA_MINUTES)
    }
}

/// Versions of a rate card that three orgs share, and what they report.
#[derive(Debug)]
pub struct History {
    /// The oldest first; each has lines that no other hides.
    pub cards: Vec<Vec<RateLine>>,
    /// In the order in which they are booked.
    pub reported: Vec<Reported>,
}

impl History {
    /// As those bytes choose. Any bytes give one.
    #[must_use]
    pub fn of(choices: &mut Choices<'_>) -> Self {
        let cards = cards(choices);
        let (mut reported, mut now, mut version) = (Vec::new(), NOON_US, 0);
        while !choices.is_empty() && reported.len() < MAX_EVENTS {
            if choices.once_in(12) {
                version = (version + 1).min(cards.len() - 1);
            }
            now += choices.of(&[0, 0, 0, 1, 7 * DAY_US / 2]);
            let org = choices.below(ORGS);
            let event = event(choices, &cards[version], reported.len(), Timestamp::from_micros(now));
            let ends_commit = choices.once_in(3);
            reported.push(Reported { org, version, now: Timestamp::from_micros(now), event, ends_commit });
        }
        Self { cards, reported }
    }

    /// The orgs that take turns.
    pub fn orgs(&self) -> std::ops::Range<usize> {
        0..ORGS
    }
}

/// The month of an instant, where clocks are that far ahead of UTC, counted as the store counts them: from the year 0.
#[must_use]
pub fn cycle_of(time: Timestamp, ahead_minutes: i64) -> i64 {
    // Days since 0000-03-01, so that the day that leap years have is the last one of a year.
    let days = (time.micros() + ahead_minutes * 60_000_000).div_euclid(DAY_US) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    (era * 400 + year) * 12 + months_since_march + 2
}

fn label(text: &str) -> Label {
    Label::parse("label", text).expect("a good label")
}

fn meter(choices: &mut Choices<'_>) -> Meter {
    Meter::parse(choices.of(&METERS)).expect("a good meter")
}

fn cards(choices: &mut Choices<'_>) -> Vec<Vec<RateLine>> {
    let versions = 1 + choices.below(MAX_VERSIONS);
    let mut cards: Vec<Vec<RateLine>> = Vec::new();
    for _ in 0..versions {
        let mut wanted: Vec<RateLine> = (0..=choices.below(5)).map(|_| line(choices)).collect();
        // What a version keeps goes on where it stood, wherever it stands now.
        wanted.extend(cards.last().into_iter().flatten().filter(|_| !choices.once_in(4)).cloned());
        if choices.once_in(2) {
            wanted.reverse();
        }
        let mut lines: Vec<RateLine> = Vec::new();
        for line in wanted {
            lines.push(line);
            if lines.len() > MAX_LINES || !card::problems(&lines).is_empty() {
                lines.pop();
            }
        }
        if lines.is_empty() {
            lines.push(RateLine::new(meter(choices), Rule::Free));
        }
        cards.push(lines);
    }
    cards
}

fn line(choices: &mut Choices<'_>) -> RateLine {
    let mut line = RateLine::new(meter(choices), rule(choices));
    let sources = [0, 0, 0, 0, 1, 2];
    line.sources = SOURCES[..choices.of(&sources)].iter().map(|source| label(source)).collect();
    if choices.once_in(6) {
        line.attributes.insert(label(ATTRIBUTE), label(choices.of(&SIZES)));
    }
    line
}

fn rule(choices: &mut Choices<'_>) -> Rule {
    match choices.below(9) {
        0 | 1 => Rule::Unit { price: price(choices), per: per(choices) },
        2 => block(choices, Counted::PerEvent),
        3 => block(choices, Counted::Accumulated),
        4 => tiers(choices, Mode::Graduated),
        5 => tiers(choices, Mode::Volume),
        6 => Rule::Formula(Formula {
            base: price(choices),
            per_second: price(choices),
            per_mb: price(choices),
            per_compute_unit: price(choices),
            minimum: price(choices),
        }),
        7 => Rule::Reported,
        _ => Rule::Free,
    }
}

fn price(choices: &mut Choices<'_>) -> Price {
    let picos = match choices.below(8) {
        0 => 1_000_000_000_000,
        1 => 600_000_000_000,
        2 => 0,
        3 => 333_333_333_333,
        4 => 1,
        5 => choices.up_to(i128::from(i64::MAX)),
        _ => choices.up_to(2_000_000_000_000),
    };
    Price::parse(&decimal::trimmed(picos, PRICE_DECIMALS)).expect("within the range of prices")
}

fn per(choices: &mut Choices<'_>) -> i64 {
    choices.of(&[1, 1_000_000, 1_000, 3, 7, 999_983, i64::MAX])
}

fn block(choices: &mut Choices<'_>, counted: Counted) -> Rule {
    let price = choices.of(&[1_000_000, 1, 2_500_000, 0, 9_223_372_000_000]);
    let size = choices.of(&[10_000_000, 600_000_000, 1, 333_333, i64::MAX]);
    Rule::Block { price: Credits::from_micros(price), size: Quantity::from_micros(size.into()), counted }
}

fn tiers(choices: &mut Choices<'_>, mode: Mode) -> Rule {
    let (mut tiers, mut end) = (Vec::new(), 0);
    let mut each = price(choices);
    let mut next = |choices: &mut Choices<'_>| {
        // More often cheaper than not, as real ones are: then a volume price gives credits back.
        let cheaper = Price::parse(&decimal::trimmed(i128::from(each.picos() / 8), PRICE_DECIMALS));
        let after = if choices.once_in(4) { price(choices) } else { cheaper.expect("within the range") };
        std::mem::replace(&mut each, after)
    };
    for _ in 0..=choices.below(4) {
        let units = choices.of(&[1, 3, 10, 100, 1_000, MAX_UNITS / 5]);
        end += units * MICROS_PER_UNIT + choices.of(&[0, 0, 1, 500_000]);
        tiers.push(Tier { up_to: Some(Quantity::from_micros(end)), price: next(choices) });
    }
    tiers.push(Tier { up_to: None, price: next(choices) });
    Rule::Tiers(Tiers { mode, per: per(choices), tiers })
}

fn quantity(choices: &mut Choices<'_>) -> Quantity {
    let max = MAX_UNITS * MICROS_PER_UNIT;
    let micros = match choices.below(16) {
        0..8 => choices.of(&[1, 1, 2, 6]) * MICROS_PER_UNIT,
        8 => 0,
        9 => max,
        10 => choices.up_to(max),
        11 => choices.up_to(1_000) * MICROS_PER_UNIT,
        _ => choices.up_to(20_000_000),
    };
    Quantity::from_micros(micros)
}

/// Now, or in one of the last months, often at the very end of a cycle.
fn time(choices: &mut Choices<'_>, now: Timestamp) -> Option<Timestamp> {
    // 2026-11-01T00:00:00+05:30.
    const CYCLE_START_US: i64 = NOON_US - 20 * DAY_US - 63_000_000_000;
    let micros = match choices.below(6) {
        0 => return None,
        1 => CYCLE_START_US,
        2 => CYCLE_START_US - 1,
        3 => CYCLE_START_US - 31 * DAY_US + i64::try_from(choices.below(2)).expect("small") - 1,
        4 => now.micros(),
        _ => NOON_US - i64::try_from(choices.below(90)).expect("small") * DAY_US,
    };
    Some(Timestamp::from_micros(micros))
}

fn event(choices: &mut Choices<'_>, card: &[RateLine], number: usize, now: Timestamp) -> Event {
    let mut quantities = std::collections::BTreeMap::new();
    for _ in 0..=choices.of(&[0, 0, 1, 2]) {
        // Mostly what the card knows.
        let known = card.get(choices.below(card.len() + 1)).map(|line| line.meter.clone());
        quantities.insert(known.unwrap_or_else(|| meter(choices)), quantity(choices));
    }
    let mut quantities: Vec<(Meter, Quantity)> = quantities.into_iter().collect();
    let reports = |meter: &Meter| card.iter().any(|line| line.meter == *meter && line.rule == Rule::Reported);
    // Credits are reported for one meter alone; now and then for one that has a price of its own.
    let reports = quantities.iter().position(|(meter, _)| reports(meter)).filter(|_| !choices.once_in(8));
    let reports = if choices.once_in(64) { Some(0) } else { reports };
    let reported = reports.map(|place| {
        quantities = vec![quantities.swap_remove(place)];
        i64::try_from(choices.up_to(i128::from(i64::MAX))).expect("at most that")
    });
    let attributes = choices.once_in(3).then(|| (label(ATTRIBUTE), label(choices.of(&SIZES))));
    let bytes = if choices.once_in(2) { choices.up_to(MAX_BYTES) } else { 0 };
    let compute_micros = if choices.once_in(4) { choices.up_to(1_000_000_000_000_000_000) } else { 0 };
    Event {
        id: label(&format!("e{number}")),
        source: label(choices.of(&SOURCES)),
        operation: label("work"),
        time: time(choices, now),
        quantities,
        reported,
        project: None,
        workflow: None,
        run: None,
        module: None,
        user: None,
        tenant: None,
        interaction: None,
        status: Status::Succeeded,
        bytes: i64::try_from(bytes).expect("at most that"),
        compute_micros: i64::try_from(compute_micros).expect("at most that"),
        description: None,
        attributes: attributes.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_midnight_of_their_zone() {
        let cycle = |text: &str, ahead| cycle_of(Timestamp::parse("time", text).expect("valid"), ahead);
        let november = 2026 * 12 + 10;
        assert_eq!(cycle("2026-10-31T18:29:59.999999Z", KOLKATA_MINUTES), november - 1);
        assert_eq!(cycle("2026-10-31T18:30:00Z", KOLKATA_MINUTES), november);
        assert_eq!(cycle("2026-10-31T23:59:59Z", 0), november - 1);
        assert_eq!(cycle("2024-02-29T23:59:59Z", 0), 2024 * 12 + 1);
        assert_eq!(cycle("2001-01-01T00:00:00Z", 0), 2001 * 12);
    }
}
