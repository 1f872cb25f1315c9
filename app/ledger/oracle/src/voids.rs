//! Events that are taken back, in any order: what stands costs what it costs, and what was charged comes back.

use crate::targets::{Lines, Met, explained};
use crate::{Choices, History, Oracle, Reported};
use ledger::card::Prices;
use ledger::settle::Charge;
use ledger::{LineNo, Refusal, Rule};

/// An event that stands.
struct Standing<'r> {
    reported: &'r Reported,
    charges: Vec<Charge>,
    costs: Vec<i128>,
}

/// Lives through the history of one org once more, with events taken back in between, chosen by the same bytes read from
/// their end, so that what these choose besides stays.
pub(crate) fn compare(bytes: &[u8], history: &History, of_org: &[&Reported], prices: &Prices, met: &mut Met) {
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let mut choices = Choices::new(&reversed);
    let (mut oracle, mut lines) = (Oracle::new(&history.cards), Lines::new(prices));
    let mut standing: Vec<Standing<'_>> = Vec::new();
    for reported in of_org {
        let verdict = oracle.judge(reported.version, &reported.event, reported.cycle());
        match lines.rate(reported) {
            Ok(charges) => {
                let costs: Vec<i128> = charges.iter().map(|charge| i128::from(charge.credits.micros())).collect();
                assert_eq!((verdict.refused, &costs), (None, &verdict.costs), "{:?}", reported.event);
                explained(reported, &charges, &lines, met);
                if charges.iter().any(|charge| !charge.before().owed.is_zero()) {
                    met.count("what a void left open");
                }
                lines.take_up(&charges);
                oracle.accept(verdict);
                standing.push(Standing { reported, charges, costs });
            }
            Err(refusal) => {
                let overflows = refusal == Refusal::AmountOverflow && verdict.may_overflow;
                assert!(verdict.refused == Some(refusal.code()) || overflows, "{refusal:?}: {:?}", reported.event);
            }
        }
        while !standing.is_empty() && choices.once_in(3) {
            let taken = standing.remove(choices.below(standing.len()));
            if void(&taken, &mut oracle, &mut lines) {
                met.count("a void");
            } else {
                standing.push(taken);
            }
        }
    }
    lines.charges = standing.iter().flat_map(|one| one.charges.clone()).collect();
    lines.compare(history, &oracle);
    as_if_never_reported(history, &standing, &oracle, &lines, met);
}

/// Whether it could be taken back: both must say the same.
fn void(taken: &Standing<'_>, oracle: &mut Oracle, lines: &mut Lines<'_>) -> bool {
    let mut after = lines.states.clone();
    let done = taken.charges.iter().try_for_each(|charge| after.take_back(lines.prices, charge).map(drop));
    let Standing { reported, costs, .. } = taken;
    let before = oracle.clone();
    let voided = oracle.void(reported.version, &reported.event, reported.cycle(), costs);
    match done {
        Ok(()) => assert!(voided.fits, "{:?}", reported.event),
        Err(refusal) => {
            let overflows = refusal == Refusal::AmountOverflow && (!voided.fits || voided.may_overflow);
            assert!(overflows, "{refusal:?}: {:?}", reported.event);
            *oracle = before;
            return false;
        }
    }
    lines.states = after;
    true
}

/// What a tiered line charged that stands, and what its cycles have open, is what an org is charged that only ever
/// reported what stands.
fn as_if_never_reported(
    history: &History,
    standing: &[Standing<'_>],
    oracle: &Oracle,
    lines: &Lines<'_>,
    met: &mut Met,
) {
    let mut fresh = Oracle::new(&history.cards);
    for one in standing {
        let verdict = fresh.judge(one.reported.version, &one.reported.event, one.reported.cycle());
        if verdict.refused.is_some() {
            met.count("too much in another order");
            return;
        }
        fresh.accept(verdict);
    }
    for (card, version) in history.cards.iter().zip(0..) {
        for (number, _) in (1..).zip(card).filter(|(_, line)| matches!(line.rule, Rule::Tiers(_))) {
            let place = usize::try_from(number).expect("small") - 1;
            let open = oracle.open_of(version, place);
            assert_eq!(oracle.total_of(version, place) + open, fresh.total_of(version, place));
            let origin = lines.prices.origin(lines.prices.cards()[version].version, LineNo(number));
            let owed = lines.states.cycles().filter(|(of, _)| *of == origin);
            assert_eq!(owed.map(|(_, cycle)| i128::from(cycle.owed.micros())).sum::<i128>(), open);
        }
    }
}
