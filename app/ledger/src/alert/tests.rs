use super::*;
use crate::time::Timestamp;
use proptest::prelude::*;

const fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

const fn watch(side: Side) -> Watch {
    Watch { side, margin_percent: 5 }
}

fn measures(values: &[i64], threshold: i64) -> Vec<Measure> {
    values
        .iter()
        .zip(0..)
        .map(|(value, time)| Measure { at: at(time), value: *value, threshold, period: None })
        .collect()
}

/// The places at which a series fires.
fn fired(side: Side, values: &[i64], threshold: i64) -> Vec<i64> {
    replay(watch(side), &measures(values, threshold)).into_iter().map(|measure| measure.at.micros()).collect()
}

#[test]
fn it_fires_on_the_crossing_and_again_only_after_the_margin() {
    // 100 and its margin of 5: what wavers between is the same firing.
    assert_eq!(fired(Side::Below, &[120, 100, 99, 50, 101, 99, 104, 10, 105, 99], 100), [2, 9]);
    assert_eq!(fired(Side::Reaches, &[80, 99, 100, 120, 96, 100, 95, 100], 100), [2, 7]);
    assert_eq!(
        fired(Side::Exceeds, &[100, 101, 100, 96, 101, 95, 100, 101], 100),
        [1, 7],
        "exactly the plan is not more"
    );
    assert_eq!(fired(Side::Below, &[-5, 0, 1], 0), [0]);
    assert_eq!(fired(Side::Reaches, &[1, 0, 1, 1, 0, 2], 1), [0, 2, 5], "nothing at all is far enough from one");
}

#[test]
fn what_happens_each_time_is_told_each_time() {
    let mut state = State::default();
    for (value, seen, fires) in [(0, 0, false), (3, 0, true), (3, 3, false), (4, 3, true)] {
        let measure = Measure { at: at(1), value, threshold: seen, period: None };
        let decision = decide(watch(Side::Each), &state, &measure);
        assert_eq!((decision.fires, decision.resolves), (fires, false));
        state = state.after(watch(Side::Each), decision, &measure);
        assert_eq!(state.firing, None);
    }
}

#[test]
fn a_period_fires_once_and_ends_what_it_fired() {
    let watch = watch(Side::Reaches);
    let series = |values: &[(i64, i64)]| -> Vec<Measure> {
        let one = |((value, period), time): (&(i64, i64), i64)| Measure {
            at: at(time),
            value: *value,
            threshold: 100,
            period: Some(at(*period)),
        };
        values.iter().zip(0..).map(one).collect()
    };
    let told = |values: &[(i64, i64)]| -> Vec<i64> {
        replay(watch, &series(values)).into_iter().map(|measure| measure.at.micros()).collect()
    };
    // A correction takes usage back: it is over, and what is used again in the same cycle is no news.
    assert_eq!(told(&[(99, 0), (100, 0), (0, 0), (150, 0), (0, 30), (100, 30)]), [1, 5]);
    // The first usage of a cycle may be over already.
    assert_eq!(told(&[(100, 0), (100, 30)]), [0, 1]);
    let state = State { firing: Some(Firing { since: at(0), period: Some(at(0)) }), fired_in: Some(at(0)) };
    let next = series(&[(3, 30)])[0];
    assert_eq!(decide(watch, &state, &next), Decision { resolves: true, fires: false });
}

#[test]
fn silence_ends_and_what_holds_still_is_said_then() {
    let snoozed = Voice { muted: false, snoozed_until: Some(at(10)) };
    assert!(!snoozed.speaks(at(9)) && snoozed.speaks(at(10)));
    assert!(!snoozed.wakes(at(9), true, false) && snoozed.wakes(at(10), true, false));
    assert!(!snoozed.wakes(at(10), false, false) && !snoozed.wakes(at(10), true, true));
    assert!(!Voice { muted: true, ..snoozed }.wakes(at(10), true, false));
    assert!(Voice::default().speaks(at(0)) && !Voice { muted: true, ..Voice::default() }.speaks(at(0)));
}

#[test]
fn terms_are_checked_with_a_sentence() {
    let everything = Scope::default();
    let one = Scope { source: Some(crate::Label::parse("source", "api").expect("valid")), ..Scope::default() };
    assert!(Kind::SpendAbove { amount: Credits::from_micros(1), per: Per::Day }.check(&one).is_ok());
    for (kind, scope) in [
        (Kind::BalanceBelow { amount: Credits::ZERO }, &everything),
        (Kind::BalanceBelow { amount: Credits::from_micros(1) }, &one),
        (Kind::CycleUsage { percent: 0 }, &everything),
        (Kind::CycleUsage { percent: 1_001 }, &everything),
        (Kind::FailedShare { percent: 101, hours: 1, calls: 1 }, &everything),
        (Kind::NoUsage { hours: 0 }, &everything),
        (Kind::RunwayBelow { days: 367 }, &everything),
        (Kind::KeyChanged, &one),
    ] {
        assert!(matches!(kind.check(scope), Err(Refusal::BadAlert { .. })), "{kind:?}");
    }
    assert_eq!(check_words("x", 51), Err(Refusal::BadAlert { problem: "margin_percent must be 0 to 50" }));
    assert!(check_words("", 5).is_err() && check_words("Low balance", 0).is_ok());
}

#[test]
fn a_kind_is_written_and_read_under_its_name() {
    let amount = Credits::from_micros(1);
    let all = [
        Kind::BalanceBelow { amount },
        Kind::BalanceBelowShare { percent: 1 },
        Kind::CycleUsage { percent: 1 },
        Kind::SpendAbove { amount, per: Per::Hour },
        Kind::UnusualSpend { minimum: amount },
        Kind::RunwayBelow { days: 1 },
        Kind::ProjectedAbove { percent: 1 },
        Kind::GrantsExpiring { amount, days: 1 },
        Kind::PaymentFailed,
        Kind::TopUpFailed,
        Kind::NoUsage { hours: 1 },
        Kind::FailedShare { percent: 1, hours: 1, calls: 1 },
        Kind::KeyChanged,
        Kind::RateCardChanged,
    ];
    for (kind, name) in all.iter().zip(Kind::NAMES) {
        let json = serde_json::to_value(kind).expect("writable");
        assert_eq!((kind.as_str(), json["kind"].as_str()), (name, Some(name)));
        assert_eq!(serde_json::from_value::<Kind>(json).expect("readable"), *kind);
    }
}

proptest! {
    /// Whatever a figure does: it fires only where it is crossed, never twice without being over in between, is over only where it
    /// is not crossed or its period is, and in a period it fires once.
    #[test]
    fn firing_and_being_over_take_turns(
        side in prop_oneof![Just(Side::Below), Just(Side::Reaches), Just(Side::Exceeds)],
        margin_percent in 0..=50_u32,
        threshold in -50..200_i64,
        steps in prop::collection::vec((-20..250_i64, 0..4_i64), 1..200),
        is_periodic in any::<bool>(),
    ) {
        let watch = Watch { side, margin_percent };
        let (mut state, mut period) = (State::default(), 0);
        let mut periods = std::collections::BTreeSet::new();
        for ((value, pass), time) in steps.into_iter().zip(0..) {
            period += i64::from(pass == 0);
            let measure = Measure { at: at(time), value, threshold, period: is_periodic.then_some(at(period)) };
            let decision = decide(watch, &state, &measure);
            let is_new = state.firing.is_some_and(|firing| firing.period != measure.period);
            prop_assert!(!decision.fires || watch.crossed(&measure));
            prop_assert!(!decision.fires || state.firing.is_none() || (decision.resolves && is_new));
            prop_assert!(!decision.resolves || (state.firing.is_some() && (is_new || !watch.crossed(&measure))));
            prop_assert!(!(is_periodic && decision.fires) || periods.insert(period), "twice in a period");
            // Nothing is missed: what is crossed is firing afterwards, or was told in this period.
            state = state.after(watch, decision, &measure);
            prop_assert!(!watch.crossed(&measure) || state.firing.is_some() || periods.contains(&period));
        }
    }
}
