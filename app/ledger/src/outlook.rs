//! What will end when, if nothing else happens: the rules run ahead of the clock.
//!
//! Nothing is computed a second way: each ending is a [`Position::next_step`] of a copy, so that what is foretold is what
//! will be booked. Cost: one step per grant, hold or repayment that comes due, at most [`MAX_STEPS`]; each looks at all
//! slots and holds.

use crate::credits::Credits;
use crate::entry::{Account, EntryKind};
use crate::grant::Grant;
use crate::id::GrantId;
use crate::position::{Calendar, Position};
use crate::refusal::Refusal;
use crate::time::{LATEST, Timestamp};

/// Steps that are looked ahead: more endings than anybody reads.
pub const MAX_STEPS: usize = 400;

/// The end of a grant of which something is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// Which. One that does not exist yet, if it is what another grant will have left.
    pub grant: Grant,
    /// What expires.
    pub expired: Credits,
    /// What moves on, as the grant that it becomes.
    pub child: Option<Grant>,
}

/// How the balance goes on if nothing is used and nothing is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    /// From when on how much is available; the first point is now.
    pub points: Vec<(Timestamp, Credits)>,
    /// What ends, soonest first.
    pub endings: Vec<Ending>,
    /// Whether more would follow than was looked at.
    pub cut: bool,
}

/// Looks ahead from `now`. Steps due until then must have been applied; grants that come to be are numbered from `next`.
///
/// # Errors
/// What [`Position::next_step`] says.
pub fn look_ahead(
    position: &Position,
    now: Timestamp,
    next: GrantId,
    calendar: &dyn Calendar,
) -> Result<Outlook, Refusal> {
    let mut position = position.clone();
    let mut outlook = Outlook { points: vec![(now, position.available(now)?)], ..Outlook::default() };
    let mut starts: Vec<Timestamp> =
        position.slots.iter().map(|slot| slot.grant.effective_at).filter(|at| *at > now).collect();
    starts.sort_unstable();
    let mut starts = starts.into_iter().peekable();
    let mut next = next;
    for _ in 0..MAX_STEPS {
        let Some(step) = position.next_step(LATEST, next, calendar)? else { break };
        let at = step.draft.happened_at;
        while let Some(start) = starts.next_if(|start| *start < at) {
            outlook.points.push((start, position.available(start)?));
        }
        let ended = ending_of(&position, &step.draft.kind);
        if let Some(child) = &step.child {
            position.admit(child.clone());
            next = GrantId(next.0 + 1);
        }
        position.apply(&step.draft)?;
        if let Some(grant) = ended {
            let expired = step.draft.postings.iter().find(|posting| posting.account == Account::Expired);
            let expired = expired.map_or(Credits::ZERO, |posting| posting.amount);
            outlook.endings.push(Ending { at, grant, expired, child: step.child });
        }
        outlook.points.push((at, position.available(at)?));
    }
    for start in starts {
        outlook.points.push((start, position.available(start)?));
    }
    outlook.cut = position.next_step(LATEST, next, calendar)?.is_some();
    Ok(outlook)
}

fn ending_of(position: &Position, kind: &EntryKind) -> Option<Grant> {
    let (EntryKind::Expiry { grant } | EntryKind::Rollover { grant, .. }) = kind else { return None };
    position.slots.iter().find(|slot| slot.grant.id == *grant).map(|slot| slot.grant.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawdown::Slot;
    use crate::grant::{GrantKind, testing};
    use crate::policy::Policy;
    use crate::rollover::{Cap, Rollover};

    /// Months of thirty days.
    struct Thirty;

    impl Calendar for Thirty {
        fn months_after(&self, at: Timestamp, months: u32) -> Result<Timestamp, Refusal> {
            Ok(day(at.micros() / DAY + 30 * i64::from(months)))
        }
    }

    const DAY: i64 = 86_400_000_000;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_micros(number * DAY)
    }

    fn credits(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    #[test]
    fn what_is_foretold_is_what_the_rules_will_book() {
        let mut position = Position::start(Policy::Pause);
        let plan = Grant {
            kind: GrantKind::Plan,
            expires_at: Some(day(10)),
            rollover: Some(Rollover { cap: Some(Cap::Percent(20)), months: Some(1) }),
            ..testing::grant(1, "1000")
        };
        let scheduled = Grant { effective_at: day(5), expires_at: Some(day(6)), ..testing::grant(2, "7") };
        for (grant, left) in [(plan, "300"), (scheduled, "7"), (testing::grant(3, "50"), "50")] {
            position.slots.push(Slot { grant, left: credits(left) });
        }
        position.settled_to = day(1);
        let outlook = look_ahead(&position, day(1), GrantId(4), &Thirty).expect("fits");
        let points: Vec<_> = outlook.points.iter().map(|(at, left)| (at.micros() / DAY, left.to_string())).collect();
        let expected = [(1, "350"), (5, "357"), (6, "350"), (10, "250"), (40, "50")];
        assert_eq!(points, expected.map(|(at, left)| (at, format!("{left}.000000"))));
        let ends: Vec<_> = outlook.endings.iter().map(|e| (e.grant.id.0, e.expired.to_string())).collect();
        assert_eq!(ends, [(2, "7.000000"), (1, "100.000000"), (4, "200.000000")].map(|(id, e)| (id, e.to_owned())));
        assert_eq!(
            outlook.endings[1].child.as_ref().map(|child| (child.parent, child.expires_at)),
            Some((Some(GrantId(1)), Some(day(40))))
        );
        assert!(!outlook.cut);
    }
}
