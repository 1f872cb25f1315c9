use super::*;
use crate::cube::{Bucket, Calls, Cell, MeterInfo};
use crate::{Interval, Meter, Timestamp};
use proptest::prelude::*;

fn used(units: i64, micros: i64) -> Used {
    Used { quantity: Quantity::from_units(units), credits: Credits::from_micros(micros) }
}

/// Prices of everything changed.
fn all_meters() -> BTreeSet<String> {
    ["input", "output", "image"].map(str::to_owned).into_iter().collect()
}

/// One bucket; of each cell meter, source, units and micro-credits.
fn cube(cells: &[(u16, u16, i64, i64)]) -> Cube {
    let start = Timestamp::from_micros(1_795_000_000_000_000);
    let local = start.to_chrono().expect("a time").naive_utc();
    let meter = |name: &str| MeterInfo {
        meter: Meter::parse(name).expect("a meter"),
        title: name.to_owned(),
        unit: String::new(),
        service: String::new(),
    };
    let cell = |(meter, source, units, micros): &(u16, u16, i64, i64)| Cell {
        bucket: 0,
        meter: *meter,
        source: *source,
        project: 0,
        facet: 0,
        micros: *micros,
        quantity: Quantity::from_units(*units),
    };
    Cube {
        zone: "UTC".to_owned(),
        interval: Interval::None,
        buckets: vec![Bucket { start, end: start, local, incomplete: false }],
        meters: vec![meter("input"), meter("output"), meter("image")],
        sources: (0..5).map(|n| format!("s{n}")).collect(),
        projects: vec![None],
        facet: None,
        narrow: false,
        sets: vec![vec![0]],
        cells: cells.iter().map(cell).collect(),
        calls: vec![Calls { bucket: 0, set: 0, source: 0, project: 0, facet: 0, events: 1, failed: 0, bytes: 0 }],
    }
}

fn by_source(before: &[(u16, u16, i64, i64)], after: &[(u16, u16, i64, i64)]) -> Change {
    Change::by(&cube(before), &cube(after), &Filter::default(), &Dimension::Source, &all_meters()).expect("fits")
}

#[test]
fn a_textbook_case_comes_out_as_in_the_textbook() {
    // 100 at 1.00 and 100 at 3.00 become 120 at 1.00 and 180 at 3.50: half as much again in all.
    let (one, other) = (
        Pair { before: used(100, 100), after: used(120, 120) },
        Pair { before: used(100, 300), after: used(180, 630) },
    );
    let all = Pair { before: used(200, 400), after: used(300, 750) };
    let told = |pair| effects(pair, all).map(|e| (e.volume.micros(), e.mix.micros(), e.price.micros()));
    assert_eq!(told(one), Ok((50, -30, 0)));
    assert_eq!(told(other), Ok((150, 90, 90)));
}

#[test]
fn what_is_new_is_measured_by_the_meter_and_a_new_meter_is_volume() {
    let all = Pair { before: used(100, 200), after: used(150, 360) };
    let newcomer = Pair { before: Used::default(), after: used(50, 160) };
    assert_eq!(
        effects(newcomer, all),
        Ok(Effects { volume: Credits::ZERO, mix: Credits::from_micros(100), price: Credits::from_micros(60) })
    );
    let all = Pair { before: Used::default(), after: newcomer.after };
    assert_eq!(effects(newcomer, all).map(|e| e.volume.micros()), Ok(160));
    // What is gone took its volume and its share with it, never a price.
    let gone = Pair { before: used(40, 80), after: Used::default() };
    assert_eq!(
        effects(gone, Pair { before: used(100, 200), after: used(60, 120) }).map(|e| e.price),
        Ok(Credits::ZERO)
    );
}

#[test]
fn the_dimension_in_which_one_value_did_it_explains_most() {
    // Every credit type doubled, but only from one source.
    let before = [(0, 0, 10, 1_000), (1, 0, 10, 1_000), (0, 1, 10, 1_000), (1, 1, 10, 1_000)];
    let after = [(0, 0, 10, 1_000), (1, 0, 10, 1_000), (0, 1, 30, 3_000), (1, 1, 30, 3_000)];
    let (before, after) = (cube(&before), cube(&after));
    let by_each = |after: &Cube| {
        let by = |dimension| Change::by(&before, after, &Filter::default(), &dimension, &all_meters()).expect("fits");
        [Dimension::Type, Dimension::Source, Dimension::Project].map(by)
    };
    let change = Change::most_telling(by_each(&after)).expect("it changed");
    assert_eq!(change.dimension, Dimension::Source);
    assert_eq!(change.rows.iter().map(|row| row.title.as_str()).next(), Some("s1"));
    assert_eq!((change.before.micros(), change.after.micros()), (4_000, 8_000));
    assert_eq!(Change::most_telling(by_each(&before)), None);
}

#[test]
fn what_nearly_all_usage_has_explains_no_change() {
    // Nearly all of everything is from one source, before and after: so is the difference. But one credit type did it.
    let before = [(0, 0, 98, 9_800), (0, 1, 1, 100), (1, 0, 98, 9_800), (1, 1, 1, 100), (2, 0, 98, 9_800)];
    let after = [(0, 0, 98, 9_800), (0, 1, 1, 100), (1, 0, 196, 19_600), (1, 1, 2, 200), (2, 0, 100, 10_000)];
    let (before, after) = (cube(&before), cube(&after));
    let by = |dimension| Change::by(&before, &after, &Filter::default(), &dimension, &all_meters()).expect("fits");
    let (types, sources) = (by(Dimension::Type), by(Dimension::Source));
    assert!(sources.concentration() > types.concentration() && sources.shift() < types.shift());
    assert_eq!(Change::most_telling([sources, types]).map(|change| change.dimension), Some(Dimension::Type));
}

#[test]
fn what_came_and_what_went_is_one_shift() {
    assert_eq!(by_source(&[(0, 0, 1, 50), (0, 1, 1, 50)], &[(0, 0, 1, 50), (0, 1, 3, 150)]).shift(), WHOLE / 4);
    assert_eq!(by_source(&[(0, 0, 1, 50), (0, 1, 1, 50)], &[(0, 0, 2, 100), (0, 1, 2, 100)]).shift(), 0);
    assert_eq!(by_source(&[], &[(0, 1, 3, 150)]).shift(), WHOLE);
    assert_eq!(by_source(&[(0, 0, 1, 50)], &[(0, 1, 1, 50)]).shift(), WHOLE);
}

#[test]
fn it_follows_the_filter() {
    let (before, after) = (cube(&[(0, 0, 10, 10), (1, 0, 10, 50)]), cube(&[(0, 0, 20, 20), (1, 0, 10, 90)]));
    let filter = Filter { types: vec!["input".to_owned()], ..Filter::default() };
    let change = Change::by(&before, &after, &filter, &Dimension::Source, &all_meters()).expect("fits");
    assert_eq!(change.effects, Effects { volume: Credits::from_micros(10), ..Effects::default() });
}

#[test]
fn shares_are_exact_where_products_do_not_fit() {
    let most = Credits::from_micros(i64::MAX);
    let huge = 1_i128 << 120;
    assert_eq!(share(most, huge, huge), Ok(most));
    assert_eq!(share(most, huge / 2, huge), Ok(Credits::from_micros(i64::MAX / 2)));
    assert_eq!(share(Credits::from_micros(-7), 1, 2), Ok(Credits::from_micros(-3)));
    assert_eq!(share(most, 3, 2), Err(Refusal::AmountOverflow));
}

fn cells() -> impl Strategy<Value = Vec<(u16, u16, i64, i64)>> {
    prop::collection::vec((0..3u16, 0..5u16, 0..1_000_000i64, -1_000_000_000..1_000_000_000_000i64), 0..20)
}

proptest! {
    #[test]
    fn the_effects_always_add_up_to_the_difference(before in cells(), after in cells()) {
        let (total_before, total_after) = (cube(&before), cube(&after));
        for dimension in [Dimension::Type, Dimension::Source, Dimension::Project] {
            let change = Change::by(&total_before, &total_after, &Filter::default(), &dimension, &all_meters()).expect("fits");
            let difference = change.after.minus(change.before).expect("fits");
            prop_assert_eq!(change.effects.total().expect("fits"), difference);
            for row in &change.rows {
                prop_assert_eq!(row.effects.total().expect("fits"), row.after.minus(row.before).expect("fits"));
            }
            let rows = Credits::sum(change.rows.iter().map(|row| row.effects.total().expect("fits"))).expect("fits");
            prop_assert_eq!(rows, difference);
            let concentration = change.concentration().unwrap_or(0);
            prop_assert!((0..=WHOLE).contains(&concentration), "{}", concentration);
        }
    }

    #[test]
    fn where_only_prices_change_all_of_it_is_price(
        before in cells(),
        prices in prop::collection::vec(0..1_000_000i64, 20),
    ) {
        let after: Vec<_> = before.iter().zip(&prices).map(|(cell, price)| (cell.0, cell.1, cell.2, *price)).collect();
        // Without any quantity there is no price either.
        let (before, after): (Vec<_>, Vec<_>) = before.into_iter().zip(after).filter(|(cell, _)| cell.2 > 0).unzip();
        let change = by_source(&before, &after);
        prop_assert_eq!(change.effects.volume, Credits::ZERO);
        prop_assert_eq!(change.effects.mix, Credits::ZERO);
    }

    #[test]
    fn where_everything_grows_evenly_all_of_it_is_volume(
        before in prop::collection::vec((0..3u16, 0..5u16, 1..1_000_000i64, 0..1_000_000_000i64), 0..20),
        times in 0..50i64,
    ) {
        let after: Vec<_> = before.iter().map(|cell| (cell.0, cell.1, cell.2 * times, cell.3 * times)).collect();
        let change = by_source(&before, &after);
        prop_assert_eq!(change.effects.mix, Credits::ZERO);
        prop_assert_eq!(change.effects.price, Credits::ZERO);
    }

    #[test]
    fn a_share_is_what_wider_arithmetic_says(amount in any::<i32>(), part in 0..i64::MAX, whole in 1..i64::MAX) {
        let expected = i128::from(amount) * i128::from(part) / i128::from(whole);
        let got = share(Credits::from_micros(i64::from(amount)), i128::from(part), i128::from(whole));
        prop_assert_eq!(got, Credits::from_wide(expected));
    }
}
