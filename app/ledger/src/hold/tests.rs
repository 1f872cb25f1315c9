use super::*;
use crate::drawdown::Slot;
use crate::grant::{Grant, testing::grant};
use crate::policy::Policy;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn c(text: &str) -> Credits {
    Credits::parse(text).expect("an amount")
}

fn with(policy: Policy, grants: Vec<Grant>) -> Position {
    let slots = grants.into_iter().map(|grant| Slot { left: grant.amount, grant }).collect();
    Position { slots, settled_to: at(0), at: at(0), ..Position::start(policy) }
}

fn reserve(position: &mut Position, id: i64, amount: &str) -> Result<Hold, Refusal> {
    let request = Request {
        id: HoldId(id),
        amount: c(amount),
        meter: Meter::parse("hold")?,
        source: Label::parse("source", "api")?,
        project: None,
        user: None,
        tenant: None,
        description: String::new(),
        expires_at: at(1_000),
    };
    let (hold, draft) = position.reserve(request, at(1), "test")?;
    position.holds.push(hold.clone());
    position.apply(&draft)?;
    Ok(hold)
}

fn capture(position: &mut Position, hold: &Hold, amount: &str) -> Result<Vec<(String, String)>, Refusal> {
    let draft = position.capture(hold, c(amount), (EventSeq(1), [0; 32]), at(2), "test")?;
    let sum = Credits::sum(draft.postings.iter().map(|posting| posting.amount))?;
    assert!(sum.is_zero(), "{draft:?}");
    position.apply(&draft)?;
    let line = |posting: &Posting| (posting.account.to_string(), posting.amount.to_string());
    Ok(draft.postings.iter().map(line).collect())
}

fn lines(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(account, amount)| ((*account).to_owned(), (*amount).to_owned())).collect()
}

fn policies() -> [Policy; 3] {
    [Policy::Pause, Policy::FinishInFlight { limit: c("3") }, Policy::Overdraft { limit: c("3") }]
}

#[test]
fn capturing_less_returns_the_rest_to_the_last_grants_in_order() {
    for policy in policies() {
        let mut position = with(policy, vec![grant(1, "4"), grant(2, "10")]);
        let hold = reserve(&mut position, 1, "6").expect("covered");
        assert_eq!(hold.reserved, [(GrantId(1), c("4")), (GrantId(2), c("2"))]);
        let captured = capture(&mut position, &hold, "4.5").expect("less is always allowed");
        let expected = [
            ("hold_1", "-6.000000"),
            ("grant_1", "4.000000"),
            ("grant_2", "2.000000"),
            ("grant_1", "-4.000000"),
            ("grant_2", "-0.500000"),
            ("consumed", "4.500000"),
        ];
        assert_eq!(captured, lines(&expected));
        assert_eq!((position.available(at(2)), position.holds.len()), (Ok(c("9.5")), 0));
    }
}

#[test]
fn capturing_what_was_held_needs_nothing_else_even_where_the_grant_is_over() {
    for policy in policies() {
        let mut position = with(policy, vec![Grant { expires_at: Some(at(2)), ..grant(1, "5") }]);
        let hold = reserve(&mut position, 1, "5").expect("covered");
        let captured = capture(&mut position, &hold, "5").expect("it was reserved");
        assert_eq!(captured.last(), Some(&("consumed".to_owned(), "5.000000".to_owned())));
        assert_eq!((position.debt, position.slots.len()), (Credits::ZERO, 0));
    }
}

#[test]
fn capturing_more_draws_fresh_credits_then_debt_as_far_as_the_policy_allows() {
    for (policy, most) in policies().into_iter().zip(["10", "13", "13"]) {
        let mut position = with(policy, vec![grant(1, "10")]);
        let hold = reserve(&mut position, 1, "4").expect("covered");
        let more = Credits::parse(most).and_then(|most| most.plus(Credits::from_micros(1))).expect("fits").to_string();
        let refused = capture(&mut position.clone(), &hold, &more);
        assert!(matches!(refused, Err(Refusal::InsufficientCredits { .. })), "{policy:?}: {refused:?}");
        capture(&mut position, &hold, most).expect("as far as the policy allows");
        assert_eq!(position.debt, c(most).minus(c("10")).expect("fits"));
    }
}

#[test]
fn what_was_promised_holds_whatever_the_policy_becomes_but_not_more() {
    let mut position = with(Policy::Overdraft { limit: c("3") }, vec![grant(1, "2")]);
    let hold = reserve(&mut position, 1, "5").expect("promised");
    assert_eq!((hold.uncovered, position.room()), (c("3"), Ok(Credits::ZERO)));
    assert!(matches!(reserve(&mut position, 2, "0.000001"), Err(Refusal::InsufficientCredits { .. })));
    position.policy = Policy::Pause;
    assert!(capture(&mut position.clone(), &hold, "5.000001").is_err());
    capture(&mut position, &hold, "5").expect("it was promised");
    assert_eq!(position.debt, c("3"));
}

/// What is told to who is refused: grants, and the debt that is allowed and not promised yet.
#[test]
fn a_refusal_says_how_much_would_have_been_covered() {
    let covered = |refused: Result<(), Refusal>| match refused {
        Err(Refusal::InsufficientCredits { needed, covered }) => (needed.to_string(), covered.to_string()),
        other => panic!("{other:?}"),
    };
    let told = |needed: &str, covered: &str| (needed.to_owned(), covered.to_owned());
    let mut position = with(Policy::Overdraft { limit: c("3") }, vec![grant(1, "2")]);
    assert_eq!(covered(reserve(&mut position, 1, "5.000001").map(drop)), told("5.000001", "5.000000"));
    position.debt = c("1");
    assert_eq!(covered(reserve(&mut position, 1, "6").map(drop)), told("6.000000", "4.000000"));
    let hold = reserve(&mut position, 1, "3").expect("promised");
    assert_eq!(covered(reserve(&mut position, 2, "2").map(drop)), told("2.000000", "1.000000"));
    assert_eq!(covered(capture(&mut position, &hold, "4.5").map(drop)), told("4.500000", "4.000000"));
    // Work that is begun may end in debt; new work may not.
    let mut position = with(Policy::FinishInFlight { limit: c("3") }, vec![grant(1, "2")]);
    assert_eq!(covered(reserve(&mut position, 1, "5").map(drop)), told("5.000000", "2.000000"));
    let hold = reserve(&mut position, 1, "1").expect("covered");
    assert_eq!(covered(capture(&mut position, &hold, "6").map(drop)), told("6.000000", "5.000000"));
    capture(&mut position, &hold, "5").expect("as much as was told");
}

#[test]
fn what_others_were_promised_is_not_free_for_one_that_needs_more() {
    let mut position = with(Policy::Overdraft { limit: c("3") }, vec![]);
    let first = reserve(&mut position, 1, "1").expect("promised");
    let second = reserve(&mut position, 2, "2").expect("promised");
    assert!(capture(&mut position.clone(), &first, "1.000001").is_err());
    capture(&mut position, &first, "1").expect("promised");
    capture(&mut position, &second, "2").expect("promised");
    assert_eq!(position.debt, c("3"));
}

#[test]
fn what_was_promised_to_a_hold_counts_once_when_it_needs_more() {
    let mut position = with(Policy::Overdraft { limit: c("3") }, vec![]);
    let hold = reserve(&mut position, 1, "1").expect("promised");
    assert!(capture(&mut position.clone(), &hold, "3.000001").is_err());
    capture(&mut position, &hold, "3").expect("as far as the policy allows");
    assert_eq!(position.debt, c("3"));
}

#[test]
fn a_purchase_after_a_promise_pays_before_debt_is_made() {
    let mut position = with(Policy::Overdraft { limit: c("3") }, vec![]);
    let hold = reserve(&mut position, 1, "3").expect("promised");
    position.slots.push(Slot { grant: grant(1, "2"), left: c("2") });
    let captured = capture(&mut position, &hold, "3").expect("promised");
    assert_eq!(captured, lines(&[("grant_1", "-2.000000"), ("debt", "-1.000000"), ("consumed", "3.000000")]));
}

#[test]
fn amounts_and_times_that_make_no_sense_are_refused() {
    let mut position = with(Policy::Pause, vec![grant(1, "9223372036854.775807")]);
    assert_eq!(reserve(&mut position, 1, "0"), Err(Refusal::HoldNotPositive));
    assert_eq!(reserve(&mut position, 1, "-1"), Err(Refusal::HoldNotPositive));
    assert_eq!(reserve(&mut position, 1, "9000000.000001"), Err(Refusal::AmountOverflow));
    let hold = reserve(&mut position, 1, "9000000").expect("the largest");
    assert_eq!(capture(&mut position, &hold, "0"), Err(Refusal::CaptureNotPositive));
    assert_eq!(capture(&mut position, &hold, "9000000.000001"), Err(Refusal::AmountOverflow));
    assert_eq!(ends_at(at(0), 0), Err(Refusal::BadHoldTime));
    assert_eq!(ends_at(at(0), MAX_SECONDS + 1), Err(Refusal::BadHoldTime));
    assert_eq!(hold.extend(hold.expires_at, at(2), "test"), Err(Refusal::HoldNotExtended));
}
