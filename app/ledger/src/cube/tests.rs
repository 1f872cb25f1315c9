use super::*;
use crate::Credits;
use crate::Refusal;
use chrono::NaiveDate;
use proptest::prelude::*;

fn meter(name: &str) -> MeterInfo {
    MeterInfo {
        meter: Meter::parse(name).expect("valid"),
        title: name.to_uppercase(),
        unit: "token".to_owned(),
        service: String::new(),
    }
}

fn cube(days: u16, cells: Vec<Cell>, calls: Vec<Calls>) -> Cube {
    let day = |index: u16| Bucket {
        start: Timestamp::from_micros(i64::from(index) * 86_400_000_000),
        end: Timestamp::from_micros(i64::from(index + 1) * 86_400_000_000),
        local: NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date").and_hms_opt(0, 0, 0).expect("midnight"),
        incomplete: false,
    };
    Cube {
        zone: "UTC".to_owned(),
        interval: Interval::Day,
        buckets: (0..days).map(day).collect(),
        meters: vec![meter("input"), meter("output"), meter("images")],
        sources: vec!["api".to_owned(), "web".to_owned()],
        projects: vec![None, Some(Named { id: "p".to_owned(), name: "Project".to_owned() })],
        facet: None,
        narrow: false,
        sets: vec![vec![0, 1], vec![2]],
        cells,
        calls,
    }
}

fn cell(bucket: u16, meter: u16, source: u16, micros: i64) -> Cell {
    Cell { bucket, meter, source, project: 0, facet: 0, micros, quantity: Quantity::from_units(micros) }
}

fn types(names: &[&str]) -> Filter {
    Filter { types: names.iter().map(|n| (*n).to_owned()).collect(), ..Filter::default() }
}

fn example() -> Cube {
    let call =
        |set, events, failed| Calls { bucket: 0, set, source: 0, project: 0, facet: 0, events, failed, bytes: 0 };
    cube(
        2,
        vec![cell(0, 0, 0, 60), cell(0, 1, 0, 100), cell(1, 0, 1, 5), cell(0, 2, 0, 7)],
        vec![call(0, 3, 1), call(1, 2, 0)],
    )
}

#[test]
fn an_event_with_two_quantities_is_one_call_however_it_is_asked_for() {
    let events = |names: &[&str]| example().slice(&types(names), &[]).expect("fits").total.events;
    assert_eq!(events(&[]), 5);
    assert_eq!(events(&["input"]), 3);
    assert_eq!(events(&["input", "output"]), 3);
    assert_eq!(events(&["output", "images"]), 5);
    let by_type = example().slice(&Filter::default(), &[Dimension::Type]).expect("fits");
    assert_eq!(by_type.total.events, 5);
    let each: Vec<_> = by_type
        .series
        .iter()
        .map(|s| (s.key[0].1.as_deref().unwrap_or_default(), s.total.events, s.total.failed))
        .collect();
    assert_eq!(each, [("output", 3, 1), ("input", 3, 1), ("images", 2, 0)]);
}

#[test]
fn a_narrow_cube_holds_only_what_was_chosen_of_sources_and_projects() {
    let narrow = Cube { narrow: true, ..example() };
    let chosen = Filter { sources: vec!["elsewhere".to_owned()], projects: vec!["p".to_owned()], ..Filter::default() };
    assert_eq!(narrow.slice(&chosen, &[]), example().slice(&Filter::default(), &[]));
    assert_eq!(example().slice(&chosen, &[]).expect("fits").total.events, 0);
}

#[test]
fn units_are_added_only_within_one_meter() {
    let slice = example().slice(&Filter::default(), &[Dimension::Source]).expect("fits");
    assert_eq!(slice.total.quantity, None);
    assert_eq!(slice.series[0].total.quantity, None);
    assert_eq!(slice.series[1].total.quantity, Some(Quantity::from_units(5)));
}

#[test]
fn what_is_not_there_gives_an_empty_answer() {
    let slice = example().slice(&types(&["nothing"]), &[Dimension::Type]).expect("fits");
    assert_eq!((slice.total.credits, slice.total.events, slice.series.len()), (Credits::ZERO, 0, 0));
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    let cube = cube(1, vec![cell(0, 0, 0, i64::MAX), cell(0, 1, 0, 1)], vec![]);
    assert_eq!(cube.slice(&Filter::default(), &[]), Err(Refusal::AmountOverflow));
}

proptest! {
    #[test]
    fn however_it_is_cut_the_parts_add_up(
        cells in prop::collection::vec((0_u16..5, 0_u16..3, 0_u16..2, 0_u16..2, 0_i64..1_000_000), 0..60),
    ) {
        let cells: Vec<Cell> = cells.into_iter().map(|(bucket, meter, source, project, micros)| {
            Cell { project, ..cell(bucket, meter, source, micros) }
        }).collect();
        let expected: i64 = cells.iter().map(|c| c.micros).sum();
        let cube = cube(5, cells, vec![]);
        let dimensions = [Dimension::Type, Dimension::Source, Dimension::Project];
        for group_by in [&dimensions[..0], &dimensions[..1], &dimensions[1..], &dimensions[..]] {
            let slice = cube.slice(&Filter::default(), group_by).expect("fits");
            let of_series: i64 = slice.series.iter().map(|s| s.total.credits.micros()).sum();
            let of_points: i64 = slice.series.iter().flat_map(|s| &s.points).map(|p| p.credits.micros()).sum();
            let of_all: i64 = slice.points.iter().map(|p| p.credits.micros()).sum();
            prop_assert_eq!([slice.total.credits.micros(), of_series, of_points, of_all], [expected; 4]);
        }
    }
}

#[test]
fn a_facet_is_told_apart_like_the_rest_and_others_have_no_id() {
    let named = |id: &str| AxisValue::Named(Named { id: id.to_owned(), name: id.to_uppercase() });
    let values = vec![named("ada"), AxisValue::Unsaid, AxisValue::Others(7)];
    let cells = [(0, 10), (1, 2), (2, 5), (0, 1)].map(|(facet, micros)| Cell { facet, ..cell(0, 0, 0, micros) });
    let mut cube = cube(1, cells.to_vec(), vec![Calls::at([0, 1, 0, 0, 2], 3, 0, 0)]);
    cube.facet = Some(Axis { facet: Facet::User, values });
    let slice = cube.slice(&Filter::default(), &[Dimension::Facet(Facet::User)]).expect("fits");
    let told: Vec<_> = slice
        .series
        .iter()
        .map(|s| (s.key[0].1.as_deref(), s.title.as_str(), s.total.credits.micros(), s.total.events))
        .collect();
    let expected = [(Some("ada"), "ADA", 11, 0), (None, "7 others", 5, 3), (Some(""), "No user", 2, 0)];
    assert_eq!(told, expected);
}
