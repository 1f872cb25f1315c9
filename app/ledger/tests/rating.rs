//! Any usage under any card costs its exact sum, rounded once per line, or is refused.
#![allow(missing_docs, reason = "tests tell their rule in their name")]

use ledger::event::MAX_BYTES;
use ledger::rate::{Before, Usage};
use ledger::{Credits, Quantity, RateLine, Refusal, card_text};
use oracle::targets::{self, Met};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use std::cell::RefCell;

/// Histories in a run; `PROPTEST_CASES` asks for more.
const CASES: u32 = 1_500;
/// Where the random choices begin.
const SEED: u64 = 0x7261_7465_2026_1121;
/// Enough to choose a history to its end.
const MAX_CHOICES: usize = 2_000;
/// What the histories must come across.
const MET: [&str; 18] = [
    "a carry",
    "a line that was kept",
    "a void",
    "amount_overflow",
    "block begun",
    "block full",
    "credits given back",
    "credits_not_expected",
    "credits_not_reported",
    "formula",
    "free",
    "graduated",
    "near the end of the range",
    "reported",
    "split and turned around",
    "unit",
    "volume",
    "what a void left open",
];

#[test]
fn totals_are_exact_sums_rounded_once_however_usage_is_split_and_interleaved() {
    let cases = CASES.max(ProptestConfig::default().cases);
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let met = RefCell::new(Met::default());
    let run = TestRunner::new(config).run(&prop::collection::vec(any::<u8>(), 0..MAX_CHOICES), |choices| {
        met.borrow_mut().add(targets::rating(&choices));
        Ok(())
    });
    println!("seed {SEED:#x}: {cases} histories: {:?}", met.borrow());
    run.expect("every history is rated exactly");
    for what in MET {
        let times = met.borrow().0.get(what).copied().unwrap_or(0);
        assert!(times > u64::from(cases / 100), "{what} came up only {times} times");
    }
}

fn line(text: &str) -> RateLine {
    card_text::parse(text).expect("a good line").remove(0)
}

fn usage(quantity: &str) -> Usage {
    Usage::of(Quantity::parse(quantity).expect("a good quantity"))
}

const MOST: Credits = Credits::from_micros(i64::MAX);

/// A price of twelve decimals for a million units is the last amount there is, to the last digit.
#[test]
fn every_rule_reaches_the_end_of_the_range_exactly_and_refuses_one_more() {
    let dearest = "9223372.036854775807";
    let reaches = [
        (format!("m: {dearest} each"), "1000000", "1000000.000001"),
        (format!("m: {dearest} per 1000000"), "1000000000000", "1000000000000.2"),
        (format!("m: graduated 0 to 7, {dearest} beyond"), "1000007", "1000007.000001"),
        (format!("m: volume 0 to 7, {dearest} beyond"), "1000000", "1000000.000001"),
        (format!("m: formula 0 + {dearest} per second"), "1000000", "1000000.000001"),
    ];
    for (text, last, beyond) in reaches {
        let line = line(&text);
        let rated = line.rate(usage(last), Before::default()).expect("fits");
        assert_eq!(rated.credits, MOST, "{text}");
        assert_eq!(line.rate(usage(beyond), Before::default()), Err(Refusal::AmountOverflow), "{text}");
        assert_eq!(line.rate(usage("1e15"), Before::default()), Err(Refusal::AmountOverflow), "{text}");
    }
    let more = line(&format!("m: formula 0.000001 + {dearest} per second"));
    assert_eq!(more.rate(usage("1000000"), Before::default()), Err(Refusal::AmountOverflow));
    for how in ["full", "begun"] {
        let blocks = line(&format!("m: 9223372.036854 per 0.000001 {how}"));
        let rated = blocks.rate(usage("1"), Before::default()).expect("fits");
        assert_eq!(rated.credits.to_string(), "9223372036854.000000");
        assert_eq!(blocks.rate(usage("1.000001"), Before::default()), Err(Refusal::AmountOverflow), "{how}");
    }
}

#[test]
fn the_smallest_price_of_the_largest_quantity_is_exact() {
    for text in [
        "m: 0.000000000001 each",
        "m: formula 0 + 0.000000000001 per second",
        "m: volume 0 to 1, 0.000000000001 beyond",
    ] {
        let line = line(text);
        let most = line.rate(usage("1e15"), Before::default()).expect("fits");
        assert_eq!(most.credits.to_string(), "1000.000000", "{text}");
        let (nearly, rest) = ("999999999999999.999999", "0.000001");
        let first = line.rate(usage(nearly), Before::default()).expect("fits");
        assert_eq!(first.credits.to_string(), "999.999999", "{text}");
        assert_eq!(line.rate(usage(rest), first.after).map(|rated| rated.credits.micros()), Ok(1), "{text}");
    }
}

/// A cycle that is full to the last micro-credit goes on: what an event adds is what counts, and a refused one leaves
/// everything where it was.
#[test]
fn a_cycle_at_the_end_of_the_range_goes_on_or_refuses() {
    let graduated = line("m: graduated 9223372.036854775807 to 1000000, 0.000000000001 beyond");
    let full = graduated.rate(usage("1000000"), Before::default()).expect("fits");
    assert_eq!(full.credits, MOST);
    let less = graduated.rate(usage("999999"), full.after).expect("fits");
    assert_eq!((less.credits, less.after.carry.0 > 0), (Credits::ZERO, true));
    assert_eq!(graduated.rate(usage("1"), less.after).map(|rated| rated.credits.micros()), Ok(1));
    let volume = line("m: volume 9223372.036854775807 to 1000000, 0 beyond");
    let full = volume.rate(usage("1000000"), Before::default()).expect("fits");
    let back = volume.rate(usage("0.000001"), full.after).expect("fits");
    assert_eq!(Ok(back.credits), MOST.negated());
    let rising = line("m: volume 0 to 1000000, 9223372.036854775807 beyond");
    let free = rising.rate(usage("1000000"), Before::default()).expect("fits");
    assert_eq!(rising.rate(usage("1"), free.after), Err(Refusal::AmountOverflow));
}

#[test]
fn a_formula_of_all_its_ends_is_refused_not_wrapped() {
    let formula = line(
        "m: formula 9223372.036854775807 + 9223372.036854775807 per second + 9223372.036854775807 per MB + \
         9223372.036854775807 per compute unit, at least 9223372.036854775807",
    );
    let bytes = i64::try_from(MAX_BYTES).expect("fits");
    let most = Usage { bytes, compute_micros: i64::MAX, ..usage("1e15") };
    assert_eq!(formula.rate(most, Before::default()), Err(Refusal::AmountOverflow));
    let least = formula.rate(usage("0"), Before::default()).expect("fits");
    assert_eq!((least.credits.to_string().as_str(), least.after.carry.0 > 0), ("9223372.036854", true));
}
