use super::*;
use ledger::event::Form;
use ledger::rate::{Before, Carry};
use ledger::settle::TierPlace;
use ledger::{BillingCycle, LineNo, Quantity};

/// An event of one quantity under a line, charged by the ledger, and explained as the server does.
fn explained(text: &str, data: &str, before: Before) -> (Event, Vec<Charge>, Vec<ChargeReason>) {
    let line = card_text::parse(text).expect("a line").remove(0);
    let json = format!(r#"{{"id":"1","source":"api","type":"{}","data":{{{data}}}}}"#, line.meter);
    let event = Event::from_json(&json, Form::Plain).expect("valid");
    let (_, quantity) = event.quantities[0];
    let rated = line.rate(event.usage(quantity), before).expect("rates");
    let cycle = BillingCycle { year: 2026, month: 11 };
    let charge = Charge {
        meter: line.meter.clone(),
        quantity,
        credits: rated.credits,
        version: RateCardVersion(3),
        line: LineNo(2),
        carry_before: before.carry,
        carry_after: rated.after.carry,
        tier: line.has_tiers().then_some(TierPlace { cycle, used: before.used, owed: before.owed }),
    };
    let why = explain(&line, event.usage(quantity), &charge).expect("explains");
    let reason = ChargeReason {
        title: "Meter".to_owned(),
        service: String::new(),
        unit: String::new(),
        said: told(text, &charge, &why, &Words::default()),
        line: text.to_owned(),
        paid: vec![("grant_1".to_owned(), charge.credits)],
    };
    (event, vec![charge], vec![reason])
}

fn html(said: &Markup) -> String {
    let mut html = String::new();
    said.write_html(&mut html);
    html
}

const FORMULA: &str = "training: formula 0.5 + 0.02 per second + 0.001 per MB + 0.25 per compute unit, at least 10";
const TRAINING: &str = r#""quantity":120,"bytes":52428800,"compute_units":3.5"#;
const VOLUME: &str = "calls from api: volume per 10 5 to 1000, 2.5 beyond";

fn specimens() -> [(Event, Vec<Charge>, Vec<ChargeReason>); 3] {
    let used = |units| Before { used: Quantity::from_units(units), ..Before::default() };
    [
        explained("input_tokens: 0.6 per 1000000", r#""quantity":4808"#, Before::carrying(Carry(4_000_000))),
        explained(FORMULA, TRAINING, Before::default()),
        explained(VOLUME, r#""quantity":1"#, used(1_000)),
    ]
}

#[test]
fn what_the_server_says_is_what_anybody_computes() {
    for (event, charges, reasons) in specimens() {
        assert_eq!(check(&event, &charges, &reasons, &Words::default()), Ok(()));
    }
}

#[test]
fn line_arithmetic_parts_tiers_and_carry_are_said() {
    let [(.., tokens), (.., training), (.., calls)] = specimens();
    let tokens = html(&tokens[0].said);
    assert!(tokens.contains("<code>input_tokens: 0.6 per 1000000</code>"), "{tokens}");
    assert!(tokens.contains(" (line 2 of version 3)"), "{tokens}");
    assert!(tokens.contains("<dt>Carried</dt><dd>4/5 of a micro-credit → 3/5 of a micro-credit</dd>"), "{tokens}");
    let training = html(&training[0].said);
    for part in ["Base", "Processing time", "Data volume", "Compute", "Up to the minimum"] {
        assert!(training.contains(&format!("<span>{part}</span>")), "{training}");
    }
    assert!(training.contains("<td>120 s × 0.02</td><td class=\"number\">2.4</td>"), "{training}");
    assert!(training.contains("<span>10.000000</span></td></tr></tfoot>"), "{training}");
    let calls = html(&calls[0].said);
    assert!(calls.contains("1000 used in 2026-11, tier 1 of 2 → 1001 used in 2026-11, tier 2 of 2"), "{calls}");
}

/// The explanation with one text in the place of another.
fn retold(said: &Markup, from: &str, to: &str) -> Markup {
    let json = serde_json::to_string(said).expect("serializes");
    assert!(json.contains(from), "{from} is missing in {json}");
    serde_json::from_str(&json.replacen(from, to, 1)).expect("reads")
}

#[test]
fn whatever_is_changed_is_noticed_and_named() {
    let [tokens, training, calls] = specimens();
    let said = |(event, charges, mut reasons): (Event, Vec<Charge>, Vec<ChargeReason>), from: &str, to: &str| {
        reasons[0].said = retold(&reasons[0].said, from, to);
        check(&event, &charges, &reasons, &Words::default())
    };
    let differs = |was: &str, is: &str| {
        Err(format!("Meter: the server says \u{201c}{was}\u{201d}, your browser computes \u{201c}{is}\u{201d}"))
    };
    let arithmetic = |price| format!("4808 × {price} ÷ 1000000 + 0.0000008 carried = 0.002885 + 0.0000006 carried on");
    assert_eq!(said(tokens.clone(), "4808 × 0.6", "4808 × 0.5"), differs(&arithmetic("0.5"), &arithmetic("0.6")));
    assert!(said(training, "\"2.4\"", "\"2.5\"").is_err_and(|text| text.contains("2.5")));
    assert!(said(calls, "tier 2 of 2", "tier 1 of 2").is_err());

    type Lie = fn(&mut Event, &mut Charge, &mut ChargeReason);
    let lies: [(Lie, &str); 10] = [
        (
            |_, charge, _| charge.credits = Credits::from_micros(2_884),
            "the server says \u{201c}0.002884 credits\u{201d}",
        ),
        (|_, charge, _| charge.quantity = Quantity::from_units(48_080), "0.028848 credits"),
        (|_, charge, _| charge.carry_before = Carry(0), "0.002884 credits"),
        (|_, charge, _| charge.version = RateCardVersion(4), "version 4"),
        (|_, _, reason| reason.line = "input_tokens: 0.5 per 1000000".to_owned(), "0.002406 credits"),
        (|_, _, reason| reason.line = "input_tokens: reported".to_owned(), "not one that charges this"),
        (|_, _, reason| reason.line = "input_tokens: 0.6 per a million".to_owned(), "not one that charges this"),
        (|_, _, reason| reason.line = "output_tokens: 0.6 per 1000000".to_owned(), "not one that charges this"),
        (|_, _, reason| reason.line = "input_tokens from web: 0.6 per 1000000".to_owned(), "not one that charges this"),
        (|_, _, reason| reason.paid.clear(), "the server says \u{201c}0.000000 credits\u{201d}"),
    ];
    for (lie, difference) in lies {
        let (mut event, mut charges, mut reasons) = tokens.clone();
        lie(&mut event, &mut charges[0], &mut reasons[0]);
        let found = check(&event, &charges, &reasons, &Words::default());
        assert!(found.as_ref().is_err_and(|text| text.contains(difference)), "{difference}: {found:?}");
    }
    let (event, charges, _) = tokens;
    assert!(check(&event, &charges, &[], &Words::default()).is_err());
}
