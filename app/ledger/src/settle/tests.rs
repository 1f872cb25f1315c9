use super::*;
use crate::drawdown::Slot;
use crate::entry::{Entry, Head};
use crate::event::Form;
use crate::grant::{GrantKind, Scope};
use crate::id::{GrantId, OrgId};
use proptest::prelude::*;
use std::collections::HashMap;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn card() -> RateCard {
    let lines = r#"[{"meter":"input_tokens","rule":"unit","price":"0.60","per":1000000},
                    {"meter":"completion_tokens","rule":"unit","price":"1.00","per":1000000},
                    {"meter":"computation","rule":"block","price":"1.000000","size":"10","counted":"accumulated"}]"#;
    RateCard { version: RateCardVersion(1), effective_at: NOW, lines: serde_json::from_str(lines).expect("valid") }
}

fn grant(id: i64, micros: i64) -> Grant {
    Grant {
        id: GrantId(id),
        kind: GrantKind::Purchase,
        amount: Credits::from_micros(micros),
        priority: 0,
        scope: Scope::default(),
        effective_at: NOW,
        expires_at: None,
        description: String::new(),
        cost: None,
        rollover: None,
        parent: None,
    }
}

fn purse(micros: i64) -> Purse {
    Purse::new([Slot { grant: grant(1, micros), left: Credits::from_micros(micros) }], NOW)
}

fn event(number: usize, input: i64, completion: i64) -> Event {
    let text = format!(
        r#"{{"id":"{number}","source":"api","type":"ai_text","data":{{"quantities":{{"input_tokens":{input},"completion_tokens":{completion}}}}}}}"#
    );
    Event::from_json(&text, Form::Plain).expect("valid")
}

fn rated(card: &RateCard, event: &Event, carry_of: impl Fn(LineNo) -> Carry) -> Result<Vec<Charge>, Refusal> {
    let no_cycle = || Err(Refusal::TimeOutOfRange);
    rate_event(card, event, no_cycle, |line, _| Before::carrying(carry_of(line)))
}

/// Settles the events in commits of `size`, returning the credits charged in all and the drafts.
fn settle_all(events: &[Event], size: usize) -> (i64, Vec<Draft>) {
    let (card, mut carries, mut drafts, mut canon) = (card(), HashMap::new(), Vec::new(), Canon::new(""));
    let mut total = 0;
    for (chunk, index) in events.chunks(size.max(1)).zip(0_i64..) {
        let mut settlement = Settlement::new(purse(1_000_000_000));
        for (event, offset) in chunk.iter().zip(1_i64..) {
            let charges = rated(&card, event, |line| carries.get(&line).copied().unwrap_or_default()).expect("rates");
            carries.extend(charges.iter().map(|c| (c.line, c.carry_after)));
            let seq = EventSeq(index * 1_000 + offset);
            leaf(&mut canon, seq, &[0; 32], NOW, &charges);
            total += settlement.add(seq, None, &charges, canon.as_bytes()).expect("fits").micros();
        }
        drafts.push(settlement.finish(NOW, "test").expect("has events"));
    }
    (total, drafts)
}

#[test]
fn a_refused_event_changes_nothing() {
    let mut two = event(1, 1, 1);
    two.quantities[1].0 = Meter::parse("unknown").expect("valid");
    let refused = rated(&card(), &two, |_| Carry::default());
    assert!(matches!(refused, Err(Refusal::UnknownMeter { .. })));
}

#[test]
fn an_entry_of_free_usage_has_no_postings_but_still_a_root() {
    let mut settlement = Settlement::new(purse(1));
    settlement.add(EventSeq(1), None, &[], b"leaf").expect("fits");
    let draft = settlement.finish(NOW, "test").expect("one event");
    assert!(draft.postings.is_empty());
    assert!(matches!(draft.kind, EntryKind::Usage { first: EventSeq(1), last: EventSeq(1), .. }));
    assert!(Settlement::new(purse(1)).finish(NOW, "test").is_none());
}

#[test]
fn a_grant_of_nothing_or_backwards_is_refused() {
    assert_eq!(give(&grant(1, 0), NOW, "test"), Err(Refusal::GrantNotPositive));
    assert_eq!(give(&grant(1, -5), NOW, "test"), Err(Refusal::GrantNotPositive));
    let mut backwards = grant(1, 5);
    backwards.expires_at = Some(NOW);
    assert_eq!(give(&backwards, NOW, "test"), Err(Refusal::ExpiryBeforeEffect));
}

proptest! {
    #[test]
    fn every_entry_sums_to_zero_and_splitting_commits_changes_no_total(
        usage in prop::collection::vec((0_i64..100_000, 0_i64..100_000), 1..60),
        size in 1_usize..70,
    ) {
        let events: Vec<Event> = usage.iter().enumerate().map(|(i, (a, b))| event(i, *a, *b)).collect();
        let (total, drafts) = settle_all(&events, size);
        prop_assert_eq!(total, settle_all(&events, usize::MAX).0);
        let exact = usage.iter().map(|u| u.0).sum::<i64>() * 3 / 5 + usage.iter().map(|u| u.1).sum::<i64>();
        prop_assert_eq!(total, exact);
        let mut head = Head::START;
        for draft in drafts {
            let entry = Entry::seal(OrgId(1), head, NOW, draft).expect("sums to zero");
            prop_assert!(entry.follows(head));
            head = entry.head();
        }
    }
}
