//! How long what is there lasts: credits spent at a steady pace, in the order of drawdown, while time takes its part.
//!
//! Nothing is computed a second way: what expires or rolls over on the way are the steps of a copy of the position, and
//! what is spent is drawn from its purse. So credits that end before they can be used do not last, and those of a scope
//! last only for what they may be spent on. Cost: a purse per stretch between two changes; where a grant has a scope also
//! one per day, since what several meters leave of each other's grants depends on the order. At most [`MAX_STRETCHES`].

use crate::credits::Credits;
use crate::drawdown::Purse;
use crate::entry::{Account, Draft, EntryKind};
use crate::hold::Hold;
use crate::id::GrantId;
use crate::label::Meter;
use crate::position::{Calendar, Position};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Stretches that are looked ahead: some three years of days.
pub const MAX_STRETCHES: usize = 1_200;
/// Nobody plans further ahead: ten years.
const HORIZON_US: i64 = 3_653 * DAY_US;
const DAY_US: i64 = 86_400_000_000;

/// How long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Nothing is used: there is no telling.
    Unused,
    /// Until then. In the past of nobody: at the earliest now, where nothing is left.
    Until(Timestamp),
    /// Longer than anybody looks ahead.
    Beyond,
}

/// How long what is there lasts, and what of it is lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runway {
    /// How long.
    pub lasts: Lasts,
    /// What expires until then before it can be used.
    pub lost: Credits,
}

/// Spends from `now` on what each meter costs in a day. Steps due until then must have been applied; grants that come to
/// be are numbered from `next`.
///
/// # Errors
/// What [`Position::next_step`] says.
pub fn runway(
    position: &Position,
    now: Timestamp,
    daily: &[(Meter, Credits)],
    next: GrantId,
    calendar: &dyn Calendar,
) -> Result<Runway, Refusal> {
    let daily: Vec<(Meter, Credits)> = daily.iter().filter(|(_, pace)| pace.is_positive()).cloned().collect();
    let mut ahead = Ahead { position: position.clone(), at: now, next, lost: Credits::ZERO };
    if daily.is_empty() {
        return Ok(Runway { lasts: Lasts::Unused, lost: ahead.lost });
    }
    let horizon = now.micros().saturating_add(HORIZON_US);
    for _ in 0..MAX_STRETCHES {
        ahead.pass(calendar)?;
        let end = ahead.next_change(horizon);
        let whole = end - ahead.at.micros();
        if let Some(purse) = ahead.spent(&daily, whole)? {
            ahead.take(&purse)?;
            ahead.at = Timestamp::from_micros(end);
            if end >= horizon {
                return Ok(Runway { lasts: Lasts::Beyond, lost: ahead.lost });
            }
            continue;
        }
        // It ends within this stretch: the longest part of it that is covered.
        let (mut covered, mut short) = (0, whole);
        while short - covered > 1 {
            let middle = covered + (short - covered) / 2;
            if ahead.spent(&daily, middle)?.is_some() { covered = middle } else { short = middle }
        }
        let at = Timestamp::from_micros(ahead.at.micros() + covered);
        return Ok(Runway { lasts: Lasts::Until(at), lost: ahead.lost });
    }
    Ok(Runway { lasts: Lasts::Beyond, lost: ahead.lost })
}

/// A copy of the position on its way through time.
struct Ahead {
    position: Position,
    at: Timestamp,
    next: GrantId,
    lost: Credits,
}

impl Ahead {
    /// Applies what is due.
    fn pass(&mut self, calendar: &dyn Calendar) -> Result<(), Refusal> {
        for step in self.position.advance(self.at, self.next, calendar)? {
            if step.child.is_some() {
                self.next = GrantId(self.next.0 + 1);
            }
            for posting in step.draft.postings.iter().filter(|posting| posting.account == Account::Expired) {
                self.lost = self.lost.plus(posting.amount)?;
            }
        }
        Ok(())
    }

    /// When something begins or ends, at the latest at the horizon.
    fn next_change(&self, horizon: i64) -> i64 {
        let begins = self.position.slots.iter().map(|slot| slot.grant.effective_at);
        let ends = self.position.slots.iter().filter_map(|slot| slot.grant.expires_at);
        let holds = self.position.holds.iter().map(|hold: &Hold| hold.expires_at);
        let change = begins.chain(ends).chain(holds).filter(|at| *at > self.at).map(Timestamp::micros).min();
        let end = change.unwrap_or(horizon).min(horizon);
        let is_scoped = self.position.slots.iter().any(|slot| !slot.grant.scope.is_everything());
        if is_scoped { end.min(self.at.micros().saturating_add(DAY_US)) } else { end }
    }

    /// The purse after so long; `None` where it does not cover it.
    fn spent(&self, daily: &[(Meter, Credits)], length_us: i64) -> Result<Option<Purse>, Refusal> {
        let mut purse = self.position.purse(self.at);
        for (meter, pace) in daily {
            // Rounded up: nobody is told to last longer than they do.
            let micros =
                (i128::from(pace.micros()) * i128::from(length_us) + i128::from(DAY_US) - 1) / i128::from(DAY_US);
            // More than can be an amount is more than anybody has.
            let Ok(amount) = Credits::from_wide(micros) else { return Ok(None) };
            purse.draw(meter, None, amount, |_, _| ())?;
            if purse.debt().is_positive() {
                return Ok(None);
            }
        }
        Ok(Some(purse))
    }

    fn take(&mut self, purse: &Purse) -> Result<(), Refusal> {
        let release = EntryKind::RateCard { version: crate::id::RateCardVersion::CAPTURES, terms: [0; 32] };
        // What an entry is for does not matter here, only what it takes.
        let draft = Draft { kind: release, happened_at: self.at, cause: String::new(), postings: purse.postings() };
        self.position.apply(&draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawdown::Slot;
    use crate::grant::{Grant, Scope, testing};
    use crate::policy::Policy;
    use proptest::prelude::*;

    struct Thirty;

    impl Calendar for Thirty {
        fn months_after(&self, at: Timestamp, months: u32) -> Result<Timestamp, Refusal> {
            Ok(Timestamp::from_micros(at.micros() + 30 * DAY_US * i64::from(months)))
        }
    }

    const NOW: Timestamp = Timestamp::from_micros(1_000 * DAY_US);

    fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(NOW.micros() + number * DAY_US)
    }

    fn credits(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    fn tokens() -> Meter {
        Meter::parse("tokens").expect("a meter")
    }

    fn position(grants: Vec<(Grant, Credits)>) -> Position {
        let mut position = Position::start(Policy::Pause);
        position.slots = grants.into_iter().map(|(grant, left)| Slot { grant, left }).collect();
        position.settled(NOW);
        position
    }

    fn ahead(grants: Vec<(Grant, Credits)>, daily: &[(Meter, Credits)]) -> Runway {
        runway(&position(grants), NOW, daily, GrantId(100), &Thirty).expect("fits")
    }

    #[test]
    fn credits_that_end_before_they_can_be_used_do_not_last() {
        let ending = Grant { expires_at: Some(day(10)), ..testing::grant(1, "100") };
        let kept = testing::grant(2, "100");
        let lasts = ahead(vec![(ending, credits("100")), (kept, credits("100"))], &[(tokens(), credits("5"))]);
        // Fifty of the first are used in ten days, fifty are lost, and the second lasts twenty days more.
        assert_eq!(lasts, Runway { lasts: Lasts::Until(day(30)), lost: credits("50") });
    }

    #[test]
    fn credits_that_begin_later_last_if_what_is_there_reaches_so_far() {
        let later = Grant { effective_at: day(4), ..testing::grant(2, "10") };
        let now = |left| vec![(testing::grant(1, left), credits(left)), (later.clone(), credits("10"))];
        let daily = [(tokens(), credits("1"))];
        assert_eq!(ahead(now("3"), &daily).lasts, Lasts::Until(day(3)));
        assert_eq!(ahead(now("4"), &daily).lasts, Lasts::Until(day(14)));
    }

    #[test]
    fn credits_of_a_scope_last_for_what_they_may_be_spent_on() {
        let scope = Scope { meters: vec![tokens()], ..Scope::default() };
        let scoped = Grant { scope, ..testing::grant(1, "1000") };
        let open = testing::grant(2, "10");
        let images = Meter::parse("images").expect("a meter");
        let all = vec![(scoped, credits("1000")), (open, credits("10"))];
        assert_eq!(ahead(all.clone(), &[(images, credits("1"))]).lasts, Lasts::Until(day(10)));
        assert_eq!(ahead(all, &[(tokens(), credits("1"))]).lasts, Lasts::Until(day(1_010)));
    }

    #[test]
    fn nothing_left_ends_now_and_no_use_never() {
        assert_eq!(ahead(vec![], &[(tokens(), credits("1"))]).lasts, Lasts::Until(NOW));
        assert_eq!(ahead(vec![], &[]).lasts, Lasts::Unused);
        let much = vec![(testing::grant(1, "9000000"), credits("9000000"))];
        assert_eq!(ahead(much, &[(tokens(), credits("0.000001"))]).lasts, Lasts::Beyond);
    }

    proptest! {
        #[test]
        fn what_was_there_is_used_or_lost(
            grants in prop::collection::vec((1..100_000_000i64, prop::option::of(1..60i64)), 1..8),
            pace in 1_000_000..50_000_000i64,
        ) {
            let total: i64 = grants.iter().map(|(left, _)| left).sum();
            let grants = grants.iter().zip(1..).map(|((left, ends), id)| {
                let grant = Grant { expires_at: ends.map(day), ..testing::grant(id, "1000") };
                (grant, Credits::from_micros(*left))
            });
            let Runway { lasts, lost } = ahead(grants.collect(), &[(tokens(), Credits::from_micros(pace))]);
            let Lasts::Until(end) = lasts else { return Err(TestCaseError::fail("some credits a day end")) };
            let used = i128::from(pace) * i128::from(end.micros() - NOW.micros()) / i128::from(DAY_US);
            let missing = i128::from(total) - used - i128::from(lost.micros());
            // Each stretch rounds up by less than a micro-credit, and one may be left at the end.
            prop_assert!((0..=10).contains(&missing), "{missing}");
        }
    }
}
