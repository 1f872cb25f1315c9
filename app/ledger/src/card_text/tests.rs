//! Cards as text: what is written reads back, what is wrong is told with its line.

use super::*;
use proptest::prelude::*;

#[test]
fn every_rule_has_a_text() {
    let text = "\
input_tokens: 0.6 per 1000000
images: 0.0001 each
viewer_session from platform: free
viewer_session from embedded, \"https://a.example/b?c\": 1 per 600 begun
computation from backend: 1 per 10 full
storage where class=cold, \"sp ace\"=\"a,b: c\": graduated per 1000 0 to 10000, 0.01 beyond
storage: volume 0.02 to 10000, 0.01 to 100000, 0.005 beyond
training: formula 0.5 + 0.02 per second + 0.001 per MB + 0.25 per compute unit, at least 1
inference: formula 0
transcript: reported
";
    let lines = parse(text).expect("valid");
    assert_eq!(write(&lines), text);
    for line in &lines {
        let json = serde_json::to_string(line).expect("serializes");
        assert_eq!(crate::card::read_line(&json).as_ref(), Ok(line), "{json}");
    }
}

#[test]
fn mistakes_are_told_with_their_line() {
    let text = "# prices\n\nexport: 1 each\nExport: 1 each\nimages 1 each\nimages: 1,5 each\nimages: 1 per ten\nexport from a: free\nx: formula 1 per hour\ny: graduated 1 to 5";
    let wrong = parse(text).expect_err("wrong");
    let told: Vec<usize> = wrong.iter().map(|problem| problem.line).collect();
    assert_eq!(told, [4, 5, 6, 7, 8, 9, 10]);
    assert!(wrong[1].problem.contains("write `:`"), "{:?}", wrong[1]);
    let hidden = parse("# prices\nexport: 1 each\n\nexport from a: free").expect_err("never reached");
    assert_eq!((hidden[0].line, hidden[0].problem.contains("line 2")), (4, true), "{hidden:?}");
}

/// The only problem that a card has, of its last line.
fn told(text: &str) -> String {
    let wrong = parse(text).expect_err("wrong");
    assert_eq!((wrong.len(), wrong[0].line), (1, text.lines().count()), "{wrong:?}");
    wrong[0].problem.clone()
}

#[test]
fn a_refused_price_says_why_and_where_the_bound_is() {
    for (text, why) in [
        ("x: 0.0000000000001 each", "the price \"0.0000000000001\" has more decimals than a price can: at most 12"),
        ("x: 9223372.1 each", "is above the highest price, 9223372.036854775807"),
        ("x: -1 each", "is below zero"),
        ("x: 1,5 each", "is not a decimal such as 0.60"),
        ("x: cheap", "\"cheap\" is neither a price nor a rule; write a rule such as"),
        ("x: 1.0000001 per 10 full", "the price of a block has at most six decimals"),
        ("x: 1 per 0.0000001 begun", "\"0.0000001\" has more than 6 decimals"),
        ("x: 1 per 1.5", "a whole number of units, not for 1.5"),
        ("x: 1 per 2e15", "\"2e15\" is above 1000000000000000"),
        ("x: 1 per 0", "write `per N` with a whole number from 1 to 1000000000000000"),
        ("x: 0.000000000001 per 9223373", "with 12 decimals `per N` goes up to 9223372"),
        ("x: graduated 1 beyond", "give 2 to 20 tiers; for one price write `0.01 each`"),
        ("x: graduated 1 to 5, 2 to 6", "the last is `0.005 beyond`"),
        ("x: volume 1 to 5, 0.0000000000001 beyond", "at most 12"),
        ("x: formula 1 + 99999999 per second", "is above the highest price"),
        ("x from \"a\u{200B}\": free", "nobody sees (U+200B)"),
    ] {
        let problem = told(text);
        assert!(problem.contains(why), "{text}: {problem}");
        for word in ["up_to", "`per`", "`size`", "`unit`"] {
            assert!(!problem.contains(word), "{text}: {problem}");
        }
    }
    let sources: Vec<String> = (0..51).map(|n| format!("s{n}")).collect();
    assert_eq!(
        told(&format!("x from {}: free", sources.join(", "))),
        "it names 51 sources: at most 50; split the line"
    );
    let long = told(&"#".repeat(MAX_TEXT_BYTES + 1));
    assert_eq!(long, "the text has 65537 bytes: a card has at most 65536");
    assert_eq!(Price::parse("9223372.036854775807"), Ok(Price::MAX));
}

#[test]
fn a_line_that_is_never_reached_is_told_which_lines_are_before_it() {
    let never = |who: &str| format!("it is never reached: {who} all that it does; put it first, or leave it out");
    assert_eq!(told("x from a: 1 each\nx from b: 1 each\nx from a, b: 2 each"), never("lines 1 and 2 together match"));
    assert_eq!(
        told("x from a: free\n# c\nx from b: free\nx from c: free\nx from c, b, a where k=v: 2 each"),
        never("lines 1, 3 and 4 together match")
    );
    assert_eq!(told("x where k=v: free\nx: free\nx from a: 2 each"), never("line 2 matches"));
    assert_eq!(
        told("x from a where k=v: free\nx from b: free\nx from a, b where k=v: free"),
        never("lines 1 and 2 together match")
    );
    for reached in [
        "x from a: 1 each\nx from b: 1 each\nx: 2 each",
        "x from a: 1 each\nx from b where k=v: 1 each\nx from a, b: 2 each",
        "x from a: 1 each\ny from b: 1 each\nx from a, b: 2 each",
    ] {
        assert!(parse(reached).is_ok(), "{reached}");
    }
}

#[test]
fn json_lines_are_told_what_they_lack_and_what_does_not_belong() {
    let told = |json: &str| crate::card::read_line(json).expect_err("bad");
    assert!(told(r#"{"meter":"m","rule":"unit","price":0.6}"#).contains("decimal in quotes"));
    assert!(told(r#"{"meter":"m","rule":"unit","prise":"1"}"#).contains("prise"));
    assert!(told(r#"{"meter":"m","rule":"unit"}"#).contains("`price` is missing"));
    assert!(told(r#"{"meter":"m","rule":"free","price":"1"}"#).contains("does not belong"));
    assert!(
        told(r#"{"meter":"m","rule":"block","price":"1.0000001","size":"1","counted":"per_event"}"#).contains("six")
    );
    assert!(told("[]").contains("object"));
    for (json, why) in [
        (r#"{"rule":"free"}"#, "`meter` is missing: every line has `meter` and `rule`"),
        (r#"{"meter":5,"rule":"free"}"#, "`meter` must be a text"),
        (r#"{"meter":"m","rule":"units"}"#, "`rule` must be one of \"unit\", \"block\", \"tiers\""),
        (
            r#"{"meter":"m","rule":"unit","price":"0.0000000000001"}"#,
            "`price` has more decimals than a price can: at most 12",
        ),
        (r#"{"meter":"m","rule":"unit","price":"1","per":1.5}"#, "`per` must be a whole number such as 1000000"),
        (r#"{"meter":"m","rule":"unit","price":"1","per":0}"#, ""),
        (r#"{"meter":"m","rule":"block","price":"1","size":"1e16","counted":"per_event"}"#, "`size` must be above 0"),
        (
            r#"{"meter":"m","rule":"block","price":"1","size":"1","counted":"begun"}"#,
            "one of \"per_event\", \"accumulated\"",
        ),
        (r#"{"meter":"m","rule":"free","sources":"a"}"#, "`sources` must be an array of texts"),
        (r#"{"meter":"m","rule":"free","attributes":{"a":1}}"#, "`attributes` must be an object of texts"),
        (
            r#"{"meter":"m","rule":"tiers","mode":"volume","tiers":[{"price":"1","upto":"5"}]}"#,
            "tier 1: `upto` is not known",
        ),
        (r#"{"meter":"m","rule":"tiers","mode":"volume","tiers":[{"up_to":"5"}]}"#, "tier 1: `price` is missing"),
        (r#"{"meter":"m","rule":"free","rule":"free"}"#, "a member is there twice"),
    ] {
        let problem = match crate::card::read_line(json) {
            Err(problem) => problem,
            Ok(line) => line.fault().expect("a fault").advice(false).to_owned(),
        };
        assert!(problem.contains(why), "{json}: {problem}");
        for leak in [" at line ", "column", "expected", "invalid type", "variant"] {
            assert!(!problem.contains(leak), "{json}: {problem}");
        }
    }
}

fn label() -> impl Strategy<Value = Label> {
    "[ -~äπ漢]{1,12}".prop_filter_map("trimmed", |text| Label::parse("test", text.trim()).ok())
}

fn price() -> impl Strategy<Value = Price> {
    (0_i64..9_000_000_000_000_000_000)
        .prop_map(|picos| Price::parse(&crate::decimal::trimmed(i128::from(picos), 12)).expect("valid"))
}

fn rule() -> impl Strategy<Value = Rule> {
    let size = (1_i128..1_000_000_000_000).prop_map(Quantity::from_micros);
    let block = (0_i64..i64::MAX, size, any::<bool>()).prop_map(|(price, size, begun)| Rule::Block {
        price: Credits::from_micros(price / 1_000_000),
        size,
        counted: if begun { Counted::PerEvent } else { Counted::Accumulated },
    });
    let formula = [price(), price(), price(), price(), price()];
    let formula = formula.prop_map(|[base, per_second, per_mb, per_compute_unit, minimum]| {
        Rule::Formula(Formula { base, per_second, per_mb, per_compute_unit, minimum })
    });
    let tiers = (any::<bool>(), prop::collection::vec((1_i64..1_000_000, price()), 1..5), price());
    let tiers = tiers.prop_map(|(volume, ends, last)| {
        let mut end = 0;
        let mut tiers: Vec<Tier> = ends
            .into_iter()
            .map(|(width, price)| {
                end += width;
                Tier { up_to: Some(Quantity::from_units(end)), price }
            })
            .collect();
        tiers.push(Tier { up_to: None, price: last });
        Rule::Tiers(Tiers { mode: if volume { Mode::Volume } else { Mode::Graduated }, per: 1, tiers })
    });
    let unit =
        (price(), prop::sample::select(vec![1_i64, 7, 1_000_000])).prop_map(|(price, per)| Rule::Unit { price, per });
    prop_oneof![unit, block, formula, tiers, Just(Rule::Reported), Just(Rule::Free)]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        sources in prop::collection::vec(label(), 0..4),
        attributes in prop::collection::btree_map(label(), label(), 0..3),
        rule in rule(),
    ) {
        let line = RateLine { sources, attributes, ..RateLine::new(Meter::parse("a-meter.1").expect("valid"), rule) };
        let text = write_line(&line);
        prop_assert_eq!(parse(&text), Ok(vec![line.clone()]), "{}", text);
        let json = serde_json::to_string(&line).expect("serializes");
        prop_assert_eq!(crate::card::read_line(&json), Ok(line));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn nor_does_one_that_looks_like_a_card(text in "m( from [a,\"]{0,3})?( where [a=,]{0,4})?: (1|formula|volume|graduated)[ a-z0-9.,+]{0,40}") {
        let _ = parse(&text);
    }
}
