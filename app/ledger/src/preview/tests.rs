//! What is foretold, and how sure it is.

use super::*;
use crate::card_text::parse;
use crate::cube::{Bucket, Calls, Cell, Interval, MeterInfo};
use crate::time::EARLIEST;

/// Usage of one meter: source, quantity, micro-credits, events.
fn cube(meter: &str, used: &[(&str, i64, i64, i64)]) -> Cube {
    let places = || used.iter().zip(0_u16..);
    let cell = |((_, units, micros, _), source): (&(&str, i64, i64, i64), u16)| Cell {
        bucket: 0,
        meter: 0,
        source,
        project: 0,
        facet: 0,
        micros: *micros,
        quantity: Quantity::from_units(*units),
    };
    let calls = |((.., events), source): (&(&str, i64, i64, i64), u16)| Calls {
        bucket: 0,
        set: 0,
        source,
        project: 0,
        facet: 0,
        events: *events,
        failed: 0,
        bytes: 2_000_000,
    };
    let meter = Meter::parse(meter).expect("valid");
    Cube {
        zone: "UTC".to_owned(),
        interval: Interval::None,
        buckets: vec![Bucket { start: EARLIEST, end: EARLIEST, local: Default::default(), incomplete: false }],
        meters: vec![MeterInfo { meter, title: "M".to_owned(), unit: "unit".to_owned(), service: String::new() }],
        sources: used.iter().map(|(source, ..)| (*source).to_owned()).collect(),
        projects: vec![None],
        facet: None,
        narrow: false,
        sets: vec![vec![0]],
        cells: places().map(cell).collect(),
        calls: places().map(calls).collect(),
    }
}

fn foretold(cube: &Cube, old: &str, new: &str) -> (String, Basis) {
    let (old, new) = (parse(old).expect("valid"), parse(new).expect("valid"));
    let rows = preview(cube, &old, &new).expect("fits");
    assert_eq!(rows.len(), 1);
    (rows[0].foretold.to_string(), rows[0].basis)
}

#[test]
fn sums_are_enough_for_most_rules() {
    let tokens = cube("tokens", &[("a", 700, 70, 3), ("b", 500, 50, 2)]);
    let old = "tokens: 0.1 per 1000000";
    let exact = |new: &str| foretold(&tokens, old, new);
    assert_eq!(exact("tokens: 0.001 each"), ("1.200000".to_owned(), Basis::Exact));
    assert_eq!(exact("tokens: graduated 0 to 1000, 0.01 beyond"), ("2.000000".to_owned(), Basis::Exact));
    assert_eq!(exact("tokens: volume 1 to 1000, 0.01 beyond"), ("12.000000".to_owned(), Basis::Exact));
    assert_eq!(exact("tokens from a: free\ntokens: 1 per 100 full"), ("5.000000".to_owned(), Basis::Exact));
    assert_eq!(exact("tokens from a: 1 each"), ("700.000000".to_owned(), Basis::Refused));
    assert_eq!(exact(old), ("0.000120".to_owned(), Basis::Exact));
}

#[test]
fn what_looks_at_each_event_is_counted_where_it_was_and_estimated_elsewhere() {
    // 4 sessions, 7 blocks of 600 s at 1 credit.
    let sessions = cube("s", &[("a", 3_000, 7_000_000, 4)]);
    assert_eq!(foretold(&sessions, "s: 1 per 600 begun", "s: 3 per 600 begun"), ("21.000000".to_owned(), Basis::Exact));
    assert_eq!(foretold(&sessions, "s: 1 per 600 begun", "s: 1 per 300 begun").1, Basis::Average);
    assert_eq!(foretold(&sessions, "s: 1 per 600 begun", "s: reported").1, Basis::Unreported);
    assert_eq!(foretold(&sessions, "s: reported", "s from a: reported"), ("7.000000".to_owned(), Basis::Exact));
    let told = foretold(&sessions, "s: 1 each", "s where tier=gold: free\ns: 0.01 each");
    assert_eq!(told, ("30.000000".to_owned(), Basis::WithoutAttributes));
    // Told as a change of what was charged: compute units that the cube does not know of are in it.
    let formula = "s: formula 0.5 + 0.001 per second + 1 per compute unit";
    assert_eq!(foretold(&sessions, formula, formula), ("7.000000".to_owned(), Basis::Exact));
    let dearer = foretold(&sessions, formula, "s: formula 0.75 + 0.001 per second + 1 per compute unit");
    assert_eq!(dearer, ("8.000000".to_owned(), Basis::WithoutCompute));
    let large = "s where size=large: 9 each\ns: 1";
    let large = foretold(&sessions, &format!("{large} each"), &format!("{large}.001 each"));
    assert_eq!(large, ("10.000000".to_owned(), Basis::WithoutAttributes));
    assert_eq!(foretold(&sessions, "s: 1 per 600 begun", "s: 1 per 599 begun").0, "7.000000");
    // 4 × 0.5 + 3000 × 0.01 + 2 MB × 1
    let formula = foretold(&sessions, "s: 1 each", "s: formula 0.5 + 0.01 per second + 1 per MB");
    assert_eq!(formula, ("34.000000".to_owned(), Basis::Average));
}
