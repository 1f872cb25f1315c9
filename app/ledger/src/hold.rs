//! Holds: credits reserved for work in progress.
//!
//! pending → captured | released | expired, exactly once. A hold reserves named grants, in drawdown order, and survives
//! their expiry; what it gives back after that expires at once. Where the policy lets new work go into debt, a hold may
//! promise more than it reserves: [`Hold::uncovered`].

use crate::canon::{Canon, Hash};
use crate::credits::{Credits, MICROS_PER_CREDIT};
use crate::entry::{Account, Draft, EntryKind, Posting};
use crate::id::{EventSeq, GrantId, HoldId};
use crate::label::{Label, Meter};
use crate::position::{Position, give_back};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Holds that one org may have pending: each write looks at all of them.
pub const MAX_PENDING: usize = 10_000;
/// The longest a hold may last from now, in seconds: 31 days. Longer work extends it.
pub const MAX_SECONDS: i64 = 31 * 86_400;
/// How long a hold lasts where nothing is said, in seconds.
pub const DEFAULT_SECONDS: i64 = 600;
/// The meter that a captured hold counts for where it names none.
pub const DEFAULT_METER: &str = "hold";
/// The source that a captured hold counts for where it names none.
pub const DEFAULT_SOURCE: &str = "hold";
/// The largest hold, in credits: what one event can report as consumed.
pub const MAX_CREDITS: i64 = 9_000_000;

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// Reserved.
    Pending,
    /// Used, wholly or in part.
    Captured,
    /// Given up.
    Released,
    /// Its time ran out.
    Expired,
}

impl HoldStatus {
    /// All, in the order of their names on the wire.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Captured, Self::Released, Self::Expired];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Credits reserved for work in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its number within the org.
    pub id: HoldId,
    /// How much was asked for; above zero.
    pub amount: Credits,
    /// What was reserved of which grant, in drawdown order.
    pub reserved: Vec<(GrantId, Credits)>,
    /// What no grant covers and the policy promises all the same.
    pub uncovered: Credits,
    /// What a capture counts for.
    pub meter: Meter,
    /// Where a capture counts.
    pub source: Label,
    /// In which project.
    pub project: Option<Label>,
    /// On behalf of which user.
    pub user: Option<Label>,
    /// On behalf of which tenant.
    pub tenant: Option<Label>,
    /// What people read beside it; may be empty.
    pub description: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, exclusive.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: HoldStatus,
    /// When it ceased to be pending.
    pub closed_at: Option<Timestamp>,
    /// What it was captured for.
    pub captured: Option<Credits>,
    /// The event that the captured work counts as.
    pub event: Option<EventSeq>,
}

impl Hold {
    /// What it keeps from being spent otherwise.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`], which parts of one balance cannot reach.
    pub fn held(&self) -> Result<Credits, Refusal> {
        Credits::sum(self.reserved.iter().map(|(_, part)| *part))
    }

    /// Whether it still stands.
    ///
    /// # Errors
    /// [`Refusal::HoldCaptured`], [`Refusal::HoldReleased`], [`Refusal::HoldExpired`].
    pub const fn check_pending(&self) -> Result<(), Refusal> {
        match self.status {
            HoldStatus::Pending => Ok(()),
            HoldStatus::Captured => Err(Refusal::HoldCaptured),
            HoldStatus::Released => Err(Refusal::HoldReleased),
            HoldStatus::Expired => Err(Refusal::HoldExpired),
        }
    }

    /// The hash of everything that was agreed when it was made: what its entry in the chain binds. Holds were made before they could
    /// name anybody; those that name nobody are written as they were.
    #[must_use]
    pub fn terms(&self) -> Hash {
        let is_owned = self.user.is_some() || self.tenant.is_some();
        let mut canon = Canon::new(if is_owned { "scrip-hold-2" } else { "scrip-hold-1" });
        canon.int(self.id.0).int(self.amount.micros()).int(self.uncovered.micros()).count(self.reserved.len());
        for (grant, part) in &self.reserved {
            canon.int(grant.0).int(part.micros());
        }
        canon.text(self.meter.as_str()).text(self.source.as_str());
        canon.maybe_text(self.project.as_ref().map(Label::as_str)).text(&self.description);
        if is_owned {
            canon.maybe_text(self.user.as_ref().map(Label::as_str)).maybe_text(self.tenant.as_ref().map(Label::as_str));
        }
        canon.int(self.created_at.micros()).int(self.expires_at.micros()).hash()
    }
}

/// When a hold that should last so many seconds from `now` ends.
///
/// # Errors
/// [`Refusal::BadHoldTime`].
pub fn ends_at(now: Timestamp, seconds: i64) -> Result<Timestamp, Refusal> {
    if !(1..=MAX_SECONDS).contains(&seconds) {
        return Err(Refusal::BadHoldTime);
    }
    Ok(Timestamp::from_micros(now.micros().saturating_add(seconds * 1_000_000)))
}

/// What is asked of [`Position::reserve`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its number.
    pub id: HoldId,
    /// How much.
    pub amount: Credits,
    /// What a capture will count for.
    pub meter: Meter,
    /// Where a capture will count.
    pub source: Label,
    /// In which project.
    pub project: Option<Label>,
    /// On behalf of which user.
    pub user: Option<Label>,
    /// On behalf of which tenant.
    pub tenant: Option<Label>,
    /// What people read beside it.
    pub description: String,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Position {
    /// Whether work of `amount` may begin: what grants cover of it, and what the policy promises beyond.
    ///
    /// # Errors
    /// [`Refusal::HoldNotPositive`], [`Refusal::AmountOverflow`] above [`MAX_CREDITS`], [`Refusal::InsufficientCredits`].
    pub fn cover(
        &self,
        amount: Credits,
        meter: &Meter,
        project: Option<&Label>,
        now: Timestamp,
    ) -> Result<(Vec<(GrantId, Credits)>, Credits), Refusal> {
        if !amount.is_positive() {
            return Err(Refusal::HoldNotPositive);
        }
        if amount.micros() > MAX_CREDITS * MICROS_PER_CREDIT {
            return Err(Refusal::AmountOverflow);
        }
        let (mut parts, mut uncovered) = (Vec::new(), Credits::ZERO);
        self.purse(now).draw(meter, project, amount, |account, part| match account {
            Account::Grant(grant) => parts.push((grant, part)),
            _ => uncovered = part,
        })?;
        let room = self.room()?.max(Credits::ZERO);
        if uncovered > room {
            return Err(Refusal::InsufficientCredits { needed: amount, covered: amount.minus(uncovered)?.plus(room)? });
        }
        Ok((parts, uncovered))
    }

    /// Reserves credits at `now`.
    ///
    /// # Errors
    /// What [`Position::cover`] says, and [`Refusal::TooManyHolds`].
    pub fn reserve(&self, request: Request, now: Timestamp, cause: &str) -> Result<(Hold, Draft), Refusal> {
        if self.holds.len() >= MAX_PENDING {
            return Err(Refusal::TooManyHolds);
        }
        let Request { id, amount, meter, source, project, user, tenant, description, expires_at } = request;
        let (reserved, uncovered) = self.cover(amount, &meter, project.as_ref(), now)?;
        let hold = Hold {
            id,
            amount,
            reserved,
            uncovered,
            meter,
            source,
            project,
            user,
            tenant,
            description,
            created_at: now,
            expires_at,
            status: HoldStatus::Pending,
            closed_at: None,
            captured: None,
            event: None,
        };
        let mut postings = Vec::with_capacity(hold.reserved.len() + 1);
        for (grant, part) in &hold.reserved {
            postings.push(Posting { account: Account::Grant(*grant), amount: part.negated()? });
        }
        let held = hold.held()?;
        if held.is_positive() {
            postings.push(Posting { account: Account::Hold(id), amount: held });
        }
        let kind = EntryKind::Hold { hold: id, terms: hold.terms() };
        Ok((hold, Draft { kind, happened_at: now, cause: cause.to_owned(), postings }))
    }

    /// What capturing `hold` for `amount` posts, as the event `event` whose leaf has the root `root`: everything reserved
    /// comes back, `amount` is drawn from it; what it does not cover from what is free; then from debt, as far as the
    /// hold promised or the policy allows.
    ///
    /// # Errors
    /// [`Refusal::CaptureNotPositive`], [`Refusal::AmountOverflow`] above [`MAX_CREDITS`],
    /// [`Refusal::InsufficientCredits`]; the hold stays as it is then.
    pub fn capture(
        &self,
        hold: &Hold,
        amount: Credits,
        (event, root): (EventSeq, Hash),
        now: Timestamp,
        cause: &str,
    ) -> Result<Draft, Refusal> {
        if !amount.is_positive() {
            return Err(Refusal::CaptureNotPositive);
        }
        if amount.micros() > MAX_CREDITS * MICROS_PER_CREDIT {
            return Err(Refusal::AmountOverflow);
        }
        let kind = EntryKind::Capture { hold: hold.id, event, root };
        let mut draft = give_back(hold, kind, now, cause)?;
        let mut due = amount;
        let mut draw = |account: Account, part: Credits| -> Result<(), Refusal> {
            draft.postings.push(Posting { account, amount: part.negated()? });
            Ok(())
        };
        for (grant, part) in &hold.reserved {
            let part = due.min(*part);
            if part.is_positive() {
                draw(Account::Grant(*grant), part)?;
                due = due.minus(part)?;
            }
        }
        let mut more = Vec::new();
        self.purse(now).draw(&hold.meter, hold.project.as_ref(), due, |account, part| more.push((account, part)))?;
        let into_debt =
            more.iter().find(|(account, _)| *account == Account::Debt).map_or(Credits::ZERO, |(_, part)| *part);
        if into_debt > hold.uncovered {
            let others = self.promised()?.minus(hold.uncovered)?;
            let room = self.policy.limit_for_running().minus(self.debt)?.minus(others)?.max(hold.uncovered);
            if into_debt > room {
                return Err(Refusal::InsufficientCredits {
                    needed: amount,
                    covered: amount.minus(into_debt)?.plus(room)?,
                });
            }
        }
        more.into_iter().try_for_each(|(account, part)| draw(account, part))?;
        draft.postings.push(Posting { account: Account::Consumed, amount });
        Ok(draft)
    }
}

impl Hold {
    /// What giving it up posts.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`], which parts of one balance cannot reach.
    pub fn release(&self, now: Timestamp, cause: &str) -> Result<Draft, Refusal> {
        give_back(self, EntryKind::Release { hold: self.id }, now, cause)
    }

    /// Gives it more time: until `until`.
    ///
    /// # Errors
    /// [`Refusal::HoldNotExtended`] where that is not later than now.
    pub fn extend(&self, until: Timestamp, now: Timestamp, cause: &str) -> Result<Draft, Refusal> {
        if until <= self.expires_at {
            return Err(Refusal::HoldNotExtended);
        }
        let kind = EntryKind::Extension { hold: self.id, until };
        Ok(Draft { kind, happened_at: now, cause: cause.to_owned(), postings: Vec::new() })
    }
}

#[cfg(test)]
mod tests;
