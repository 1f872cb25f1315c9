//! Rating, rule by rule.

use super::*;
use crate::decimal;
use crate::label::Meter;
use proptest::prelude::*;

fn line(rule: Rule) -> RateLine {
    RateLine::new(Meter::parse("m").expect("valid"), rule)
}

fn unit(price: &str, per: i64) -> RateLine {
    line(Rule::Unit { price: Price::parse(price).expect("valid"), per })
}

fn block(price: i64, size: i64, counted: Counted) -> RateLine {
    line(Rule::Block {
        price: Credits::from_micros(price * MICROS_PER_CREDIT),
        size: Quantity::from_units(size),
        counted,
    })
}

fn total(line: &RateLine, quantities: &[Quantity]) -> Credits {
    let mut before = Before::default();
    Credits::sum(quantities.iter().map(|q| {
        let rated = line.rate(Usage::of(*q), before).expect("fits");
        before = rated.after;
        rated.credits
    }))
    .expect("fits")
}

fn reporting(reported: Option<i64>) -> Usage {
    Usage { reported, ..Usage::of(Quantity::ONE) }
}

fn whole(credits: i64) -> Credits {
    Credits::from_micros(credits * MICROS_PER_CREDIT)
}

#[test]
fn the_real_hour_costs_what_it_must() {
    // The sums of azure_llm_conv.csv.
    let input = total(&unit("0.60", 1_000_000), &[Quantity::from_units(22_361_870)]);
    let output = total(&unit("1.00", 1_000_000), &[Quantity::from_units(4_088_665)]);
    assert_eq!(input.plus(output).map(|c| c.to_string()), Ok("17.505787".to_owned()));
}

#[test]
fn a_session_costs_one_credit_for_every_ten_minutes_begun() {
    let session = block(1, 600, Counted::PerEvent);
    for (seconds, credits) in [(0, 1), (1, 1), (600, 1), (601, 2), (3_600, 6)] {
        assert_eq!(total(&session, &[Quantity::from_units(seconds)]), whole(credits), "{seconds} s");
    }
}

#[test]
fn every_tenth_request_costs_one_credit_one_by_one_or_at_once() {
    let requests = block(1, 10, Counted::Accumulated);
    for (count, credits) in [(9, 0), (10, 1), (25, 2)] {
        let at_once = [Quantity::from_units(count)];
        let one_by_one = vec![Quantity::ONE; usize::try_from(count).expect("small")];
        assert_eq!(total(&requests, &at_once), whole(credits));
        assert_eq!(total(&requests, &one_by_one), whole(credits));
    }
}

#[test]
fn reported_credits_below_a_micro_credit_are_carried() {
    let reported = line(Rule::Reported);
    let mut before = Before::default();
    let mut sum = 0;
    for _ in 0..10 {
        let rated = reported.rate(reporting(Some(400_000)), before).expect("fits");
        before = rated.after;
        sum += rated.credits.micros();
    }
    assert_eq!((sum, before), (4, Before::default()));
}

#[test]
fn event_and_rule_must_agree_on_who_names_the_price() {
    let before = Before::default();
    assert!(matches!(line(Rule::Reported).rate(reporting(None), before), Err(Refusal::CreditsNotReported { .. })));
    assert!(matches!(line(Rule::Free).rate(reporting(Some(1)), before), Err(Refusal::CreditsNotExpected { .. })));
}

#[test]
fn beyond_the_range_is_refused_not_wrapped() {
    let dear = unit("9223372", 1);
    assert_eq!(
        dear.rate(Usage::of(Quantity::from_units(1_000_000_000_000_000)), Before::default()),
        Err(Refusal::AmountOverflow)
    );
    assert!(unit("0.000000000001", i64::MAX).fault().is_some());
    assert!(unit("0.000000000001", 1_000_000).fault().is_none());
}

fn read(text: &str) -> RateLine {
    crate::card_text::parse(text).expect("valid").remove(0)
}

#[test]
fn graduated_tiers_charge_each_unit_at_its_tier() {
    let storage = read("storage: graduated 0 to 10000, 0.01 to 100000, 0.005 beyond");
    for (used, credits) in [(0, "0"), (10_000, "0"), (10_001, "0.01"), (100_000, "900"), (100_002, "900.01")] {
        assert_eq!(Ok(total(&storage, &[Quantity::from_units(used)])), Credits::parse(credits), "{used}");
    }
}

#[test]
fn a_volume_price_counts_for_all_units_and_gives_back_what_was_paid_above_it() {
    let calls = read("calls: volume 1 to 1000, 0.5 beyond");
    let first = calls.rate(Usage::of(Quantity::from_units(1_000)), Before::default()).expect("fits");
    assert_eq!(first.credits, whole(1_000));
    let next = calls.rate(Usage::of(Quantity::ONE), first.after).expect("fits");
    assert_eq!(next.credits.to_string(), "-499.500000");
    assert_eq!(total(&calls, &[Quantity::from_units(1_001)]).to_string(), "500.500000");
}

#[test]
fn a_formula_adds_its_parts_and_keeps_to_its_minimum() {
    let training = read("training: formula 0.5 + 0.02 per second + 0.001 per MB + 0.25 per compute unit, at least 1");
    let usage =
        |seconds, bytes, compute_micros| Usage { bytes, compute_micros, ..Usage::of(Quantity::from_units(seconds)) };
    let cost = |usage| training.rate(usage, Before::default()).map(|rated| rated.credits.to_string());
    // 0.5 + 120 · 0.02 + 52.4288 · 0.001 + 3.5 · 0.25
    assert_eq!(cost(usage(120, 52_428_800, 3_500_000)), Ok("3.827428".to_owned()));
    assert_eq!(cost(usage(1, 0, 0)), Ok("1.000000".to_owned()));
    assert_eq!(cost(usage(i64::MAX, i64::MAX, i64::MAX)), Err(Refusal::AmountOverflow));
}

#[test]
fn tiers_that_do_not_follow_each_other_are_refused() {
    let bad = [
        "m: graduated 1 beyond",
        "m: graduated 1 to 10, 2 to 10, 3 beyond",
        "m: graduated 1 to 0, 2 beyond",
        "m: graduated 1 to 10, 2 to 20",
        "m: graduated 1 beyond, 2 to 20",
        "m: volume per 0 1 to 10, 2 beyond",
        "m: volume per 100000000000 0.000000000001 to 10, 2 beyond",
    ];
    for text in bad {
        assert!(crate::card_text::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_cycle_costs_what_its_sum_costs_however_it_is_split(
        volume: bool,
        prices in prop::collection::vec(0_i64..3_000_000_000_000, 3),
        per in prop::sample::select(vec![1_i64, 3, 7, 1_000]),
        ends in (1_i64..1_000_000, 1_i64..1_000_000),
        micros in prop::collection::vec(0_i128..900_000_000_000, 1..30),
    ) {
        let price = |index: usize| Price::parse(&decimal::trimmed(i128::from(prices[index]), PRICE_DECIMALS)).expect("valid");
        let ends = [Quantity::from_units(ends.0), Quantity::from_units(ends.0 + ends.1)];
        let tiers = vec![
            Tier { up_to: Some(ends[0]), price: price(0) },
            Tier { up_to: Some(ends[1]), price: price(1) },
            Tier { up_to: None, price: price(2) },
        ];
        let mode = if volume { Mode::Volume } else { Mode::Graduated };
        let line = line(Rule::Tiers(Tiers { mode, per, tiers }));
        prop_assert_eq!(line.fault(), None);
        let parts: Vec<Quantity> = micros.iter().copied().map(Quantity::from_micros).collect();
        let used: i128 = micros.iter().sum();
        // The plain definition: the units that lie in each tier by its price, or all by the price of the last one reached.
        let (mut exact, mut from, mut reached) = (0_i128, 0_i128, 0_usize);
        for (index, end) in [ends[0].micros(), ends[1].micros(), i128::MAX].into_iter().enumerate() {
            let within = used.min(end) - from;
            if within > 0 {
                (exact, from, reached) = (exact + within * i128::from(prices[index]), used.min(end), index);
            }
        }
        if volume {
            exact = used * i128::from(prices[reached]);
        }
        let exact = exact / (PICOS_PER_CREDIT * i128::from(per));
        prop_assert_eq!(i128::from(total(&line, &parts).micros()), exact);
        prop_assert_eq!(i128::from(total(&line, &[Quantity::from_micros(used)]).micros()), exact);
    }

    #[test]
    fn splitting_and_reordering_never_change_a_total(
        picos in 0_i64..2_000_000_000_000,
        per in prop::sample::select(vec![1_i64, 3, 7, 1_000, 1_000_000]),
        micros in prop::collection::vec(0_i128..5_000_000_000_000, 1..40),
    ) {
        let line = line(Rule::Unit { price: Price::parse(&decimal::trimmed(i128::from(picos), PRICE_DECIMALS)).expect("valid"), per });
        let parts: Vec<Quantity> = micros.iter().copied().map(Quantity::from_micros).collect();
        let reversed: Vec<Quantity> = parts.iter().rev().copied().collect();
        let whole = Quantity::from_micros(micros.iter().sum());
        prop_assert_eq!(total(&line, &parts), total(&line, &[whole]));
        prop_assert_eq!(total(&line, &reversed), total(&line, &[whole]));
        // And it is the exact rational, rounded down once: price/10^12/per * micros/10^6 credits.
        let exact = i128::from(picos) * whole.micros() / (PICOS_PER_CREDIT * i128::from(per));
        prop_assert_eq!(i128::from(total(&line, &[whole]).micros()), exact);
    }

    #[test]
    fn a_carry_is_always_less_than_a_whole(picos in 0_i64..i64::MAX, units in 0_i64..1_000_000_000, carry in 0_i64..1_000) {
        let line = line(Rule::Unit { price: Price::parse(&decimal::trimmed(i128::from(picos), PRICE_DECIMALS)).expect("valid"), per: 1_000 });
        let denominator = line.denominator().expect("fits");
        if let Ok(rated) = line.rate(Usage::of(Quantity::from_units(units)), Before::carrying(Carry(carry % denominator))) {
            prop_assert!((0..denominator).contains(&rated.after.carry.0));
            prop_assert!(!rated.credits.is_negative());
        }
    }
}
