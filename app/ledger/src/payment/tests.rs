use super::*;
use crate::money::Currency;
use proptest::prelude::*;

fn eur(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("EUR").expect("a currency") }
}

const ASKED: i64 = 11_900;

fn saying() -> impl Strategy<Value = Saying> {
    prop_oneof![
        Just(Saying::Nothing),
        Just(Saying::NeedsAction),
        Just(Saying::Pending),
        proptest::sample::select(&Failure::ALL[..]).prop_map(Saying::Failed),
        Just(Saying::Cancelled),
        prop_oneof![Just(ASKED), Just(ASKED - 1)].prop_map(|minor| Saying::Succeeded(eur(minor))),
        proptest::sample::select(&Dispute::ALL[..]).prop_map(|dispute| Saying::Disputed(dispute, None)),
    ]
}

/// What hearing all of them leaves, and what followed.
fn heard(sayings: &[Saying]) -> (Payment, Vec<Effect>) {
    let mut effects = Vec::new();
    let after = sayings.iter().fold(Payment::new(eur(ASKED)), |payment, saying| match payment.hear(*saying) {
        Heard::Stale | Heard::Mismatch => payment,
        Heard::Changed { now, so } => {
            effects.push(so);
            now
        }
    });
    (after, effects)
}

proptest! {
    #[test]
    fn the_order_of_messages_and_how_often_each_comes_changes_nothing(
        sayings in proptest::collection::vec(saying(), 1..12).prop_shuffle(),
        again in proptest::collection::vec(0_usize..12, 0..24),
    ) {
        let (one, _) = heard(&sayings);
        let mut other: Vec<Saying> = sayings.iter().rev().copied().collect();
        other.extend(again.into_iter().filter_map(|place| sayings.get(place)));
        let (other, _) = heard(&other);
        prop_assert_eq!((one.state, one.dispute), (other.state, other.dispute));
    }

    #[test]
    fn what_was_bought_is_given_once_and_only_for_the_money_that_was_asked(
        sayings in proptest::collection::vec(saying(), 0..24),
    ) {
        let (payment, effects) = heard(&sayings);
        let paid = sayings.contains(&Saying::Succeeded(eur(ASKED)));
        prop_assert_eq!(payment.state == State::Succeeded, paid);
        prop_assert_eq!(effects.iter().filter(|effect| **effect == Effect::Give).count(), usize::from(paid));
    }

    #[test]
    fn what_a_dispute_takes_it_gives_back_or_keeps(sayings in proptest::collection::vec(saying(), 0..24)) {
        let (payment, effects) = heard(&sayings);
        let given = effects.iter().position(|effect| *effect == Effect::Give);
        let mut away = false;
        for (place, effect) in effects.iter().enumerate() {
            match effect {
                Effect::Take => { prop_assert!(!away && given.is_some_and(|given| given < place)); away = true; }
                Effect::GiveAgain => { prop_assert!(away); away = false; }
                Effect::Keep => prop_assert!(away),
                // A dispute that was heard before the money takes it where it is given.
                Effect::Give => away = sayings_take(&sayings),
                Effect::None | Effect::Act | Effect::Fail | Effect::GiveUp => {}
            }
        }
        prop_assert_eq!(away, payment.state == State::Succeeded && payment.dispute.takes());
    }
}

/// Whether a dispute that takes was the furthest one heard before the money came.
fn sayings_take(sayings: &[Saying]) -> bool {
    let paid = sayings.iter().position(|saying| *saying == Saying::Succeeded(eur(ASKED))).unwrap_or(sayings.len());
    let disputes = sayings[..paid].iter().filter_map(|saying| match saying {
        Saying::Disputed(dispute, _) => Some(*dispute),
        _ => None,
    });
    disputes.max().is_some_and(Dispute::takes)
}

#[test]
fn a_payment_that_was_given_up_and_is_paid_after_all_is_paid() {
    let (payment, effects) =
        heard(&[Saying::Failed(Failure::Declined), Saying::Cancelled, Saying::Succeeded(eur(ASKED))]);
    assert_eq!((payment.state, payment.failure), (State::Succeeded, None));
    assert_eq!(effects, [Effect::Fail, Effect::GiveUp, Effect::Give]);
}

#[test]
fn other_money_than_was_asked_for_gives_nothing() {
    let payment = Payment::new(eur(ASKED));
    let yen = Money { currency: Currency::parse("JPY").expect("a currency"), ..eur(ASKED) };
    for money in [eur(ASKED - 1), eur(ASKED + 1), yen] {
        assert_eq!(payment.hear(Saying::Succeeded(money)), Heard::Mismatch);
    }
}

#[test]
fn a_dispute_is_about_the_part_that_was_said_first_and_never_about_more_than_was_paid() {
    let yen = Money { currency: Currency::parse("JPY").expect("a currency"), ..eur(5) };
    for (of, part) in [(None, ASKED), (Some(eur(600)), 600), (Some(eur(ASKED + 1)), ASKED), (Some(yen), ASKED)] {
        let (payment, _) = heard(&[
            Saying::Disputed(Dispute::Open, of),
            Saying::Succeeded(eur(ASKED)),
            Saying::Disputed(Dispute::Lost, Some(eur(700))),
        ]);
        assert_eq!((payment.dispute, payment.disputed_minor), (Dispute::Lost, part));
    }
}

#[test]
fn only_what_nobody_can_do_anything_about_takes_long() {
    let late = |saying, provider, alone, waits_s| match Payment::new(eur(ASKED)).hear(saying) {
        Heard::Changed { now, .. } => now.is_late(provider, alone, waits_s),
        Heard::Stale | Heard::Mismatch => Payment::new(eur(ASKED)).is_late(provider, alone, waits_s),
    };
    assert!(late(Saying::Pending, Provider::Stripe, false, LATE_AFTER_S));
    assert!(!late(Saying::Pending, Provider::Stripe, false, LATE_AFTER_S - 1));
    assert!(!late(Saying::Pending, Provider::BankTransfer, false, LATE_AFTER_S));
    assert!(late(Saying::Nothing, Provider::Stripe, true, LATE_AFTER_S));
    assert!(!late(Saying::Nothing, Provider::Stripe, false, LATE_AFTER_S));
    assert!(!late(Saying::NeedsAction, Provider::Stripe, true, LATE_AFTER_S));
}

#[test]
fn names_are_read_back() {
    assert!(State::ALL.into_iter().all(|state| State::parse(state.as_str()) == Some(state)));
    assert!(Dispute::ALL.into_iter().all(|dispute| Dispute::parse(dispute.as_str()) == Some(dispute)));
    assert!(Failure::ALL.into_iter().all(|failure| Failure::parse(failure.as_str()) == Some(failure)));
    assert!(Provider::ALL.into_iter().all(|provider| Provider::parse(provider.as_str()) == Some(provider)));
    assert!(State::ALL.is_sorted() && Dispute::ALL.is_sorted());
}
