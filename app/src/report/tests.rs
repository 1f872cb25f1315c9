//! Reports of the specimen: lines add up, links lead to what they count.

use super::*;
use crate::calendar::parse_iso;
use crate::usage_chart::specimen_cube;
use ledger::Meter;
use proptest::prelude::*;

fn day(text: &str) -> Day {
    parse_iso(text).expect("a day")
}

fn report(query: &str) -> Report {
    let (question, words) = (Question::parse(query), Words::default());
    let setting = Setting { words: &words, credits: "credits", days: (day("2026-11-12"), day("2026-11-14")) };
    let By::Dimension(by) = question.by.clone() else { panic!("{query} asks for operations") };
    Report::of_cube(&question, &by, &specimen_cube(), &setting).expect("fits").expect("few lines")
}

fn sum(report: &Report) -> Credits {
    let column = report.columns.iter().position(|title| title == "Credits").expect("a column");
    let of = |line: &Line| match line.cells[column] {
        Cell::Credits(credits) => credits,
        _ => panic!("no amount in {line:?}"),
    };
    Credits::sum(report.lines.iter().map(of)).expect("fits")
}

#[test]
fn an_address_reads_back_and_an_hour_is_a_day() {
    for query in
        ["", "group=operation", "interval=month&group=user", "from=now-7d&to=now&source=a&workflow=&group=project"]
    {
        let question = Question::parse(query);
        assert_eq!(Question::parse(question.at("").trim_start_matches('?')), question, "{query}");
    }
    assert_eq!(Question::parse("interval=hour").interval, Interval::Day);
    assert_eq!(Question::parse("chart=bars&top=5&hide=x").at(PATH), PATH, "how it is drawn is not asked here");
}

#[test]
fn lines_add_up_whatever_they_are_about() {
    for group in ["type", "source", "project"] {
        for interval in ["none", "day"] {
            let report = report(&format!("group={group}&interval={interval}"));
            assert_eq!(sum(&report), report.total, "{group} {interval}");
            assert_eq!(report.total, Credits::from_micros(8_000_040));
            assert!(report.lines.iter().all(|line| line.cells.len() == report.columns.len()));
            assert_eq!(report.totals.len(), report.columns.len());
        }
    }
}

#[test]
fn a_line_leads_to_just_what_it_counts() {
    let all = report("group=source&source=web&source=%3Dapi&interval=day&type=input_tokens");
    assert_eq!(all.lines[0].view.href(), "/analytics?from=2026-11-12&to=2026-11-12&type=input_tokens&source=web");
}

#[test]
fn an_operation_is_told_by_what_it_uses_and_split_by_credit_type() {
    let question = Question::parse("group=operation");
    let words = Words::default();
    let setting = Setting { words: &words, credits: "credits", days: (day("2026-11-12"), day("2026-11-12")) };
    let (meters, bucket) = (specimen_cube().meters, specimen_cube().buckets[0].clone());
    let part = |index: usize, micros| {
        let meter: Meter = meters[index].meter.clone();
        (meter, Credits::from_micros(micros), Quantity::from_units(7))
    };
    let operations = [
        Operation { bucket: 0, events: 1, failed: 0, parts: vec![part(0, 9)] },
        Operation { bucket: 0, events: 3, failed: 1, parts: vec![part(0, 4), part(1, 6)] },
    ];
    let report = Report::of_operations(&question, &meters, (&[bucket], &operations), &setting);
    let report = report.expect("fits").expect("few lines");
    let both = format!("{} + {}", meters[0].title, meters[1].title);
    let told: Vec<(&Cell, &Cell)> = report.lines.iter().map(|line| (&line.cells[0], &line.cells[1])).collect();
    let text = |text: &str| Cell::Text(text.to_owned());
    let (first, second) = (text(&meters[0].title), text(&meters[1].title));
    let alone = text(&format!("{} alone", meters[0].title));
    assert_eq!(told, [(&text(&both), &second), (&text(&both), &first), (&alone, &first)]);
    assert_eq!((sum(&report), report.total.micros()), (report.total, 19));
    assert_eq!(report.totals.last(), Some(&Cell::Count(1)), "a call that failed counts once in the total");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let once = Question::parse(&text);
        let query = once.at("");
        prop_assert_eq!(Question::parse(query.trim_start_matches('?')), once);
    }
}
