use super::*;
use proptest::prelude::*;

fn plain(text: &str) -> Result<Event, Refusal> {
    Event::from_json(text, Form::Plain)
}

fn code(text: &str) -> &'static str {
    plain(text).expect_err(text).code()
}

#[test]
fn the_least_event_is_one_unit_of_its_type() {
    let event = plain(r#"{"id":"1","source":"api","type":"export"}"#).expect("valid");
    assert_eq!(event.quantities, [(Meter::parse("export").expect("valid"), Quantity::ONE)]);
    assert_eq!((event.status, event.bytes, event.time), (Status::Succeeded, 0, None));
}

#[test]
fn a_full_event_keeps_everything_that_was_said() {
    let event = Event::from_json(
        r#"{"specversion":"1.0","id":"a-1","source":"/platform","type":"ai_text","subject":"tenant/acme","time":"2026-01-02T03:04:05.678901Z",
            "datacontenttype":"application/json","traceparent":"00-ab","data":{"quantities":{"input_tokens":4808,"completion_tokens":"10.5"},
            "project":{"id":7,"name":"Website"},"workflow":"w","run":"r","module":{"id":"m"},"user":"u","interaction":12,"status":"failed",
            "bytes":1024,"description":"a call","attributes":{"region":"eu","model":"x"}}}"#,
        Form::CloudEvent,
    )
    .expect("valid");
    let names: Vec<String> = event.quantities.iter().map(|(m, q)| format!("{m}={q}")).collect();
    assert_eq!(names, ["completion_tokens=10.5", "input_tokens=4808"]);
    assert_eq!(event.project.as_ref().map(|p| p.id.as_str()), Some("7"));
    assert_eq!(event.tenant.as_ref().map(Label::as_str), Some("acme"));
    assert_eq!(event.interaction.as_ref().map(Label::as_str), Some("12"));
    assert_eq!(event.attribute("region"), Some("eu"));
    assert_eq!((event.status, event.bytes), (Status::Failed, 1024));
}

#[test]
fn every_mistake_has_its_own_code() {
    let with = |data: &str| format!(r#"{{"id":"1","source":"s","type":"export","data":{data}}}"#);
    for (text, expected) in [
        ("".to_owned(), "bad_event"),
        ("[]".to_owned(), "bad_event"),
        ("{".to_owned(), "bad_event"),
        (r#"["1.0","1","s","export",null,null,null,null]"#.to_owned(), "bad_event"),
        (with(&format!("[{}null]", "null,".repeat(13))), "bad_event"),
        (r#"{"source":"s","type":"export"}"#.to_owned(), "missing_field"),
        (r#"{"id":"","source":"s","type":"export"}"#.to_owned(), "bad_label"),
        (r#"{"id":7,"source":"s","type":"export"}"#.to_owned(), "bad_event"),
        (r#"{"id":"1","id":"2","source":"s","type":"export"}"#.to_owned(), "bad_event"),
        (r#"{"specversion":"0.3","id":"1","source":"s","type":"export"}"#.to_owned(), "contradiction"),
        (r#"{"id":"1","source":"s","type":"Not a meter"}"#.to_owned(), "bad_meter"),
        (r#"{"id":"1","source":"s","type":"export","time":"yesterday"}"#.to_owned(), "bad_time"),
        (r#"{"id":"1","source":"s","type":"export","time":"1025-01-01T00:00:00Z"}"#.to_owned(), "time_out_of_range"),
        (r#"{"id":"1","source":"s","type":"export","subject":"acme"}"#.to_owned(), "contradiction"),
        (r#"{"id":"1","source":"s","type":"export","data_base64":"AA=="}"#.to_owned(), "contradiction"),
        (with("[]"), "bad_event"),
        (with(r#"{"quantity":-1}"#), "negative_quantity"),
        (with(r#"{"quantity":NaN}"#), "bad_event"),
        (with(r#"{"quantity":"NaN"}"#), "bad_quantity"),
        (with(r#"{"quantity":1e300}"#), "quantity_too_large"),
        (with(r#"{"quantity":9223372036854775808}"#), "quantity_too_large"),
        (with(r#"{"quantity":0.0000001}"#), "bad_quantity"),
        (with(r#"{"quantity":[1]}"#), "bad_quantity"),
        (with(r#"{"quantity":true}"#), "bad_quantity"),
        (with(r#"{"quantitiy":1}"#), "unknown_field"),
        (with(r#"{"quantities":{}}"#), "missing_field"),
        (with(r#"{"quantities":{"a":1,"a":2}}"#), "bad_event"),
        (with(r#"{"quantity":1,"quantities":{"a":1}}"#), "contradiction"),
        (with(r#"{"quantities":{"a":1,"b":2},"credits":1}"#), "contradiction"),
        (with(r#"{"credits":-1}"#), "bad_reported_credits"),
        (with(r#"{"credits":"0.0000000000001"}"#), "bad_reported_credits"),
        (with(r#"{"bytes":1.5}"#), "bad_number"),
        (with(r#"{"bytes":-1}"#), "bad_number"),
        (with(r#"{"status":"maybe"}"#), "bad_event"),
        (with(r#"{"user":{"id":"u"}}"#), "bad_event"),
        (with(r#"{"project":"a\u0000b"}"#), "bad_label"),
        (with(&format!(r#"{{"project":"{}"}}"#, "x".repeat(10_000))), "bad_label"),
        (with(r#"{"attributes":{"a":1}}"#), "bad_label"),
        (with(&format!(r#"{{"attributes":{}}}"#, "{\"a\":".repeat(5_000))), "bad_event"),
    ] {
        assert_eq!(code(&text), expected, "{}", &text[..text.len().min(200)]);
    }
}

#[test]
fn limits_count_members() {
    let many = |n: usize| (0..n).map(|i| format!(r#""m{i}":1"#)).collect::<Vec<_>>().join(",");
    let event = |n: usize| format!(r#"{{"id":"1","source":"s","type":"t","data":{{"quantities":{{{}}}}}}}"#, many(n));
    assert!(plain(&event(MAX_QUANTITIES)).is_ok());
    assert_eq!(code(&event(MAX_QUANTITIES + 1)), "too_many");
    assert_eq!(code(&event(10_000)), "too_many");
}

#[test]
fn depth_is_no_attack() {
    let deep = format!(
        r#"{{"id":"1","source":"s","type":"export","extension":{}1{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    // Either skipped or refused, never a stack overflow.
    let _ = plain(&deep);
}

#[test]
fn a_cloud_event_says_its_version() {
    let refused = Event::from_json(r#"{"id":"1","source":"s","type":"export"}"#, Form::CloudEvent);
    assert_eq!(refused, Err(Refusal::MissingField { field: "specversion" }));
}

#[test]
fn binary_mode_reads_the_same_event() {
    let structured = plain(r#"{"id":"1","source":"s","type":"export","data":{"quantity":3}}"#).expect("valid");
    let text = |t: &str| Some(t.to_owned());
    let attributes = BinaryAttributes {
        specversion: text("1.0"),
        id: text("1"),
        source: text("s"),
        operation: text("export"),
        ..BinaryAttributes::default()
    };
    assert_eq!(Event::from_binary(attributes, r#"{"quantity":3}"#), Ok(structured));
}

#[test]
fn same_content_same_hash_whatever_the_spelling() {
    let mut canon = Canon::new("");
    let mut hash = |text: &str| plain(text).expect("valid").content_hash(&mut canon);
    let one = hash(
        r#"{"id":"1","source":"s","type":"t","data":{"quantities":{"a":1,"b":2.50},"project":{"id":"p","name":"Old"}}}"#,
    );
    let same = hash(
        r#"{"data":{"project":{"id":"p","name":"New"},"quantities":{"b":"2.5","a":1e0}},"type":"t","source":"s","id":"1"}"#,
    );
    let other = hash(r#"{"id":"1","source":"s","type":"t","data":{"quantities":{"a":1,"b":2.51},"project":"p"}}"#);
    assert_eq!(one, same);
    assert_ne!(one, other);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(text in ".{0,200}") {
        let _ = plain(&text);
    }

    #[test]
    fn no_json_makes_it_panic(id in ".{0,20}", quantity in "[-+0-9eE.\"]{0,20}", subject in ".{0,10}") {
        let _ = plain(&format!(r#"{{"id":{id:?},"source":"s","type":"t","subject":{subject:?},"data":{{"quantity":{quantity}}}}}"#));
    }
}
