use super::*;
use crate::grant::testing::grant;
use crate::rollover::Rollover;

const DAY: i64 = 86_400_000_000;

/// Months of thirty days: the real calendar is tested where it is.
struct Thirty;

impl Calendar for Thirty {
    fn months_after(&self, at: Timestamp, months: u32) -> Result<Timestamp, Refusal> {
        Ok(Timestamp::from_micros(at.micros() + 30 * DAY * i64::from(months)))
    }
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_micros(number * DAY)
}

fn c(text: &str) -> Credits {
    Credits::parse(text).expect("an amount")
}

fn with(grants: Vec<(Grant, &str)>) -> Position {
    let slots = grants.into_iter().map(|(grant, left)| Slot { grant, left: c(left) }).collect();
    Position { slots, settled_to: day(0), at: day(0), ..Position::start(Policy::Pause) }
}

/// A plan's grant that is over on day 10 and rolls over then.
fn professional() -> Grant {
    Grant {
        kind: GrantKind::Plan,
        expires_at: Some(day(10)),
        rollover: Some(Rollover::PROFESSIONAL),
        ..grant(1, "100")
    }
}

/// Holds back so much from day 1 until then.
fn reserve(position: &mut Position, amount: &str, expires_at: Timestamp) {
    let wanted = hold_of(HoldId(1), expires_at);
    let request = crate::hold::Request {
        id: wanted.id,
        amount: c(amount),
        meter: wanted.meter,
        source: wanted.source,
        project: None,
        user: None,
        tenant: None,
        description: String::new(),
        expires_at,
    };
    let (hold, draft) = position.reserve(request, day(1), "test").expect("covered");
    position.holds.push(hold);
    position.apply(&draft).expect("fits");
}

fn kinds(steps: &[Step]) -> Vec<(&'static str, Timestamp)> {
    steps.iter().map(|step| (step.draft.kind.name(), step.draft.happened_at)).collect()
}

#[test]
fn what_is_due_happens_at_its_instant_however_late_it_is_noticed() {
    let plan = Grant {
        kind: GrantKind::Plan,
        expires_at: Some(day(10)),
        rollover: Some(Rollover { cap: None, months: Some(1) }),
        ..grant(1, "100")
    };
    let mut position = with(vec![(plan, "40")]);
    let steps = position.advance(day(100), GrantId(2), &Thirty).expect("fits");
    assert_eq!(kinds(&steps), [("rollover", day(10)), ("expiry", day(40))]);
    assert!(position.slots.is_empty());
    assert_eq!(position.advance(day(100), GrantId(3), &Thirty), Ok(vec![]));
}

#[test]
fn a_grant_repays_debt_when_it_takes_effect_not_before() {
    let later = Grant { effective_at: day(5), ..grant(1, "100") };
    let mut position = with(vec![(later, "100")]);
    position.debt = c("30");
    assert_eq!(position.advance(day(4), GrantId(2), &Thirty), Ok(vec![]));
    let steps = position.advance(day(9), GrantId(2), &Thirty).expect("fits");
    assert_eq!(kinds(&steps), [("repayment", day(5))]);
    assert_eq!((position.debt, position.slots[0].left), (Credits::ZERO, c("70")));
}

#[test]
fn what_comes_back_after_the_end_expires_and_does_not_roll_over() {
    let mut position = with(vec![(professional(), "100")]);
    reserve(&mut position, "60", day(20));
    let steps = position.advance(day(30), GrantId(2), &Thirty).expect("fits");
    assert_eq!(kinds(&steps), [("rollover", day(10)), ("hold_expiry", day(20)), ("expiry", day(20))]);
    assert_eq!(position.available(day(30)), Ok(c("40")));
}

#[test]
fn a_hold_that_ends_with_its_grant_gives_back_in_time() {
    let mut position = with(vec![(professional(), "100")]);
    reserve(&mut position, "60", day(10));
    let steps = position.advance(day(10), GrantId(2), &Thirty).expect("fits");
    assert_eq!(kinds(&steps), [("hold_expiry", day(10)), ("rollover", day(10))]);
    assert_eq!(position.available(day(10)), Ok(c("100")));
}

#[test]
fn new_work_goes_into_debt_only_as_far_as_the_policy_says() {
    let meter = crate::Meter::parse("hold").expect("valid");
    let mut position = with(vec![(grant(1, "5"), "5")]);
    let cover = |position: &Position, amount: &str| position.cover(c(amount), &meter, None, day(1));
    assert!(matches!(cover(&position, "5.000001"), Err(Refusal::InsufficientCredits { .. })));
    position.policy = Policy::FinishInFlight { limit: c("3") };
    assert!(matches!(cover(&position, "5.000001"), Err(Refusal::InsufficientCredits { .. })));
    position.policy = Policy::Overdraft { limit: c("3") };
    assert_eq!(cover(&position, "8").map(|(_, uncovered)| uncovered), Ok(c("3")));
    assert!(matches!(cover(&position, "8.000001"), Err(Refusal::InsufficientCredits { .. })));
}

#[test]
fn plans_that_end_at_one_instant_roll_over_in_the_order_in_which_they_are_spent() {
    let plan = |id, priority| Grant {
        kind: GrantKind::Plan,
        priority,
        expires_at: Some(day(10)),
        rollover: Some(Rollover { cap: Some(crate::rollover::Cap::Percent(10)), months: None }),
        ..grant(id, "100")
    };
    let mut position = with(vec![(plan(1, 0), "40"), (plan(2, -1), "5")]);
    let steps = position.advance(day(11), GrantId(3), &Thirty).expect("fits");
    let children: Vec<_> = steps.iter().filter_map(|step| step.child.clone()).collect();
    let of = |child: &Grant| (child.id, child.parent, child.amount, child.priority, child.effective_at);
    let expected =
        [(GrantId(3), Some(GrantId(2)), c("5"), -1, day(10)), (GrantId(4), Some(GrantId(1)), c("10"), 0, day(10))];
    assert_eq!(children.iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn what_rolls_over_repays_debt_before_the_next_grant_ends() {
    let ending = Grant { rollover: None, id: GrantId(2), ..professional() };
    let mut position = with(vec![(professional(), "100"), (ending, "0")]);
    position.holds.push(Hold { reserved: vec![(GrantId(2), c("3"))], ..hold_of(HoldId(1), day(10)) });
    position.debt = c("4");
    position.slots[0].left = Credits::ZERO;
    position.holds.push(Hold { reserved: vec![(GrantId(1), c("6"))], ..hold_of(HoldId(2), day(10)) });
    let steps = position.advance(day(10), GrantId(3), &Thirty).expect("fits");
    let names: Vec<_> = steps.iter().map(|step| step.draft.kind.name()).collect();
    // Both grants are over at this instant: neither repays, but what rolled over is open.
    assert_eq!(names, ["hold_expiry", "hold_expiry", "rollover", "repayment", "expiry"]);
    assert_eq!((position.debt, position.available(day(10))), (Credits::ZERO, Ok(c("2"))));
}

fn hold_of(id: HoldId, expires_at: Timestamp) -> Hold {
    Hold {
        id,
        amount: c("1"),
        reserved: Vec::new(),
        uncovered: Credits::ZERO,
        meter: crate::Meter::parse("hold").expect("valid"),
        source: crate::Label::parse("source", "api").expect("valid"),
        project: None,
        user: None,
        tenant: None,
        description: String::new(),
        created_at: day(1),
        expires_at,
        status: crate::HoldStatus::Pending,
        closed_at: None,
        captured: None,
        event: None,
    }
}

#[test]
fn a_plan_that_was_over_when_it_was_told_rolls_over_but_repays_nothing() {
    let mut position = with(vec![(professional(), "100")]);
    position.debt = c("1");
    position.settled(day(20));
    let step = position.end_late(GrantId(1), GrantId(2), &Thirty).expect("fits");
    let child = step.child.expect("it rolls over");
    assert_eq!((child.amount, child.effective_at, child.expires_at), (c("100"), day(10), Some(day(100))));
    assert_eq!(step.draft.happened_at, day(20));
}

#[test]
fn however_large_the_debt_there_is_an_answer() {
    let mut position = with(vec![]);
    position.debt = Credits::from_micros(i64::MAX);
    position.holds.push(Hold { uncovered: c("5"), ..hold_of(HoldId(1), day(10)) });
    assert_eq!(position.room(), Ok(Credits::from_micros(i64::MIN)));
    assert_eq!(position.balance(day(1)).map(|balance| balance.state), Ok(crate::OrgState::Paused));
}
