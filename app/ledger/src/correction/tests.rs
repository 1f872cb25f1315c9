use super::*;
use crate::drawdown::Slot;
use crate::grant::testing::grant;
use crate::policy::Policy;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn c(text: &str) -> Credits {
    Credits::parse(text).expect("an amount")
}

fn with(grants: Vec<(Grant, &str)>, debt: &str) -> Position {
    let slots = grants.into_iter().map(|(grant, left)| Slot { grant, left: c(left) }).collect();
    Position { slots, debt: c(debt), settled_to: at(1), at: at(1), ..Position::start(Policy::Pause) }
}

fn void(position: &Position, paid: &[(Account, &str)]) -> (Vec<(String, String)>, Option<Grant>) {
    let paid = paid.iter().map(|(account, part)| (*account, c(part))).collect();
    let voiding = Voiding { event: EventSeq(1), paid, replacement: None, tiers: false, reason: "wrong".to_owned() };
    let (draft, refund) = position.void(voiding, GrantId(9), at(2), "test").expect("fits");
    let sum = Credits::sum(draft.postings.iter().map(|posting| posting.amount)).expect("fits");
    assert!(sum.is_zero(), "{draft:?}");
    let line = |posting: &Posting| (posting.account.to_string(), posting.amount.to_string());
    (draft.postings.iter().map(line).collect(), refund)
}

fn lines(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(account, amount)| ((*account).to_owned(), (*amount).to_owned())).collect()
}

const ONE: Account = Account::Grant(GrantId(1));
const TWO: Account = Account::Grant(GrantId(2));

#[test]
fn an_event_is_reversed_in_reverse_order() {
    let (postings, refund) = void(&with(vec![], "5"), &[(ONE, "1"), (TWO, "2"), (Account::Debt, "3")]);
    let expected = [("consumed", "-6.000000"), ("debt", "3.000000"), ("grant_2", "2.000000"), ("grant_1", "1.000000")];
    assert_eq!((postings, refund), (lines(&expected), None));
}

#[test]
fn what_went_to_a_debt_that_is_repaid_comes_back_as_a_grant_that_never_ends() {
    let (postings, refund) = void(&with(vec![], "1"), &[(ONE, "1"), (Account::Debt, "3")]);
    let expected = [("consumed", "-4.000000"), ("debt", "1.000000"), ("grant_1", "1.000000"), ("grant_9", "2.000000")];
    assert_eq!(postings, lines(&expected));
    let refund = refund.expect("two credits were repaid");
    assert_eq!((refund.kind, refund.amount, refund.expires_at), (GrantKind::Refund, c("2"), None));
    assert!(refund.scope.is_everything());
}

#[test]
fn several_charges_in_debt_give_back_what_is_open_once() {
    let paid = [(Account::Debt, "2"), (ONE, "1"), (Account::Debt, "4")];
    let (postings, refund) = void(&with(vec![], "5"), &paid);
    let expected = [
        ("consumed", "-7.000000"),
        ("debt", "4.000000"),
        ("grant_1", "1.000000"),
        ("debt", "1.000000"),
        ("grant_9", "1.000000"),
    ];
    assert_eq!(postings, lines(&expected));
    assert_eq!(refund.map(|grant| grant.amount), Some(c("1")));
}

#[test]
fn what_comes_back_to_a_grant_that_is_over_expires() {
    struct Never;
    impl crate::position::Calendar for Never {
        fn months_after(&self, _: Timestamp, _: u32) -> Result<Timestamp, Refusal> {
            panic!("nothing rolls over")
        }
    }
    let terms = Some(crate::Rollover::PROFESSIONAL);
    let over = Grant { kind: GrantKind::Plan, expires_at: Some(at(1)), rollover: terms, ..grant(1, "5") };
    let mut position = with(vec![], "0");
    let voiding = Voiding {
        event: EventSeq(1),
        paid: vec![(ONE, c("3"))],
        replacement: None,
        tiers: false,
        reason: "wrong".to_owned(),
    };
    let (draft, _) = position.void(voiding, GrantId(9), at(2), "test").expect("fits");
    position.admit_again(over);
    position.apply(&draft).expect("fits");
    let steps = position.advance(at(2), GrantId(9), &Never).expect("fits");
    assert_eq!(steps.iter().map(|step| step.draft.kind.name()).collect::<Vec<_>>(), ["expiry"]);
    assert!(position.slots.is_empty());
}

#[test]
fn taking_by_hand_follows_the_order_and_never_takes_what_is_held_or_not_open() {
    let later = Grant { effective_at: at(9), ..grant(3, "100") };
    let first = Grant { priority: -1, ..grant(2, "10") };
    let position = with(vec![(grant(1, "10"), "4"), (first, "3"), (later, "100")], "0");
    let take = |amount: &str, target: Option<i64>| position.take(c(amount), target.map(GrantId), "why", at(2), "test");
    let parts: Vec<_> = take("5", None).expect("enough").into_iter().map(|draft| draft.postings[0].amount).collect();
    assert_eq!(parts, [c("-3"), c("-2")]);
    assert_eq!(take("7.000001", None), Err(Refusal::AdjustmentTooLarge { available: c("7") }));
    assert_eq!(take("1", Some(3)), Err(Refusal::AdjustmentTooLarge { available: Credits::ZERO }));
    assert_eq!(take("4", Some(1)).map(|drafts| drafts.len()), Ok(1));
    assert_eq!(position.take(c("1"), None, "  ", at(2), "test"), Err(Refusal::MissingReason));
}

#[test]
fn what_nobody_can_see_is_no_reason() {
    for nothing in ["", " ", "\t\n", "\u{A0}", "\u{200B}", "\u{200D}\u{2060}", "\u{FEFF} \u{AD}", "\u{3000}"] {
        assert_eq!(check_reason(nothing), Err(Refusal::MissingReason), "{nothing:?}");
    }
    assert_eq!(check_reason("Family \u{1F468}\u{200D}\u{1F469} reported twice"), Ok(()));
    for hidden in ["twice\u{202E}", "a\nb", " twice", "\u{FEFF}twice"] {
        assert!(matches!(check_reason(hidden), Err(Refusal::BadLabel { field: "reason", .. })), "{hidden:?}");
    }
    let refused = with(vec![(grant(1, "5"), "5")], "0").take(c("1"), None, "\u{200B}", at(2), "test");
    assert_eq!(refused, Err(Refusal::MissingReason));
    assert_eq!(put(&grant(1, "5"), "\u{200B}", at(2), "test"), Err(Refusal::MissingReason));
}
