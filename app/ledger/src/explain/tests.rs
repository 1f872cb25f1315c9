//! What explanations say.

use super::*;
use crate::card_text::parse;
use crate::cycle::BillingCycle;
use crate::id::{LineNo, RateCardVersion};
use crate::settle::TierPlace;

fn why(text: &str, usage: Usage, carry: i64, used: i64) -> Explanation {
    let line = parse(text).expect("valid").remove(0);
    let tier = line.has_tiers().then_some(TierPlace {
        cycle: BillingCycle { year: 2026, month: 11 },
        used: Quantity::from_units(used),
        owed: Credits::ZERO,
    });
    let charge = Charge {
        meter: line.meter.clone(),
        quantity: usage.quantity,
        credits: Credits::ZERO,
        version: RateCardVersion(1),
        line: LineNo(1),
        carry_before: Carry(carry),
        carry_after: Carry(0),
        tier,
    };
    explain(&line, usage, &charge).expect("rates")
}

fn units(units: i64) -> Usage {
    Usage::of(Quantity::from_units(units))
}

#[test]
fn the_arithmetic_is_written_out() {
    let first = why("input_tokens: 0.60 per 1000000", units(374), 0, 0);
    assert_eq!(
        (first.rule.as_str(), first.arithmetic.as_str()),
        ("0.6 per 1000000", "374 × 0.6 ÷ 1000000 = 0.000224 + 0.0000004 carried on")
    );
    assert_eq!((first.carry_before.as_str(), first.carry_after.as_str()), ("nothing", "2/5 of a micro-credit"));

    let ninth = why("computation: 1 per 10 full", units(4), 9_000_000, 0);
    assert_eq!(ninth.arithmetic, "(9 + 4) ÷ 10, whole blocks, × 1 = 1.000000");
    assert_eq!(ninth.carry_after, "3 of 10 towards the next block");

    let session = why("viewer_session: 1 per 600 begun", units(601), 0, 0);
    assert_eq!(session.arithmetic, "601 ÷ 600, rounded up, at least 1, × 1 = 2.000000");
}

#[test]
fn tiers_say_where_the_cycle_stood() {
    let crossing = why("storage: graduated 0 to 10000, 0.01 to 100000, 0.005 beyond", units(2_000), 0, 9_500);
    assert_eq!(crossing.arithmetic, "500 × 0 + 1500 × 0.01 = 15.000000");
    let places = ["9500 used in 2026-11, tier 1 of 3", "11500 used in 2026-11, tier 2 of 3"];
    assert_eq!(crossing.tiers, Some(places.map(str::to_owned)));
    assert_eq!((crossing.carry_before.as_str(), crossing.carry_after.as_str()), ("nothing", "nothing"));
    let cheaper = why("calls: volume per 10 5 to 1000, 2.5 beyond", units(1), 0, 1_000);
    assert_eq!(cheaper.arithmetic, "(1001 × 2.5 − 1000 × 5) ÷ 10 = −249.750000");
    // The last unit of a tier is still in it.
    let places = ["1000 used in 2026-11, tier 1 of 2", "1001 used in 2026-11, tier 2 of 2"];
    assert_eq!(cheaper.tiers, Some(places.map(str::to_owned)));
    assert_eq!(why("input_tokens: 0.6 each", units(1), 0, 0).tiers, None);
}

#[test]
fn a_formula_is_broken_down_and_its_parts_add_up() {
    let text = "training: formula 0.5 + 0.02 per second + 0.001 per MB + 0.25 per compute unit, at least 10";
    let usage = Usage { bytes: 52_428_800, compute_micros: 3_500_000, ..units(120) };
    let why = why(text, usage, 0, 0);
    let parts: Vec<_> = why.parts.iter().map(|part| (part.name.as_str(), part.credits.as_str())).collect();
    assert_eq!(
        parts,
        [
            ("Base", "0.5"),
            ("Processing time", "2.4"),
            ("Data volume", "0.0524288"),
            ("Compute", "0.875"),
            ("Up to the minimum", "6.1725712")
        ]
    );
    assert_eq!(why.parts[2].arithmetic, "52.4288 MB × 0.001");
    assert_eq!(why.credits.to_string(), "10.000000");
}
