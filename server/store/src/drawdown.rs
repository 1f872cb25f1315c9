//! The grants of which something is left, in the order in which they are spent, with what they add up to and when they
//! end: one reading, so that every figure of a page belongs to the same instant.
//!
//! Cost: the position (a look-up per open grant), the steps ahead ([`ledger::outlook`]), and what became of each grant of
//! the page.

use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::grant::{GrantState, given_at, next_id, state};
use crate::position::{At, read};
use crate::{Store, org};
use ledger::outlook::{Outlook, look_ahead};
use ledger::{Balance, Grant, GrantId, Hold, OrgId, Policy, Timestamp, drawdown};
use rusqlite::Connection;

/// Grants on one page, at most.
pub const MAX_PAGE: u32 = 200;

/// Which of the open grants are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct DrawdownPage {
    /// Only those that are spent after this one.
    pub after: Option<GrantId>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

/// Where an org stands, and what of.
#[derive(Debug, Clone)]
pub struct Drawdown {
    /// What it has.
    pub balance: Balance,
    /// What happens when nothing is left.
    pub policy: Policy,
    /// Whether it was ever given anything.
    pub ever: bool,
    /// A page of the grants of which something is left or held: open ones in drawdown order, then those to come.
    pub grants: Vec<GrantState>,
    /// How many there are on all pages.
    pub count: usize,
    /// Where the next page begins.
    pub more: Option<GrantId>,
    /// Which are spent next: up to the first that may be spent on everything.
    pub next: Vec<GrantId>,
    /// Pending holds, soonest end first.
    pub holds: Vec<Hold>,
    /// How it goes on if nothing else happens.
    pub outlook: Outlook,
    /// The instant of all this.
    pub as_of: Timestamp,
}

impl Store {
    /// The open grants of an org in drawdown order, and all that belongs to them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn drawdown(&self, org: OrgId, page: DrawdownPage) -> Result<Drawdown, StoreError> {
        let now = self.now();
        self.read(move |conn| drawdown(conn, org, page, now)).await
    }
}

fn drawdown(conn: &Connection, id: OrgId, page: DrawdownPage, now: Timestamp) -> Result<Drawdown, StoreError> {
    let reading = read(conn, id, At::default(), now)?;
    let (position, as_of) = (&reading.position, reading.as_of);
    let balance = position.balance(as_of)?;
    let born = reading.steps.iter().filter(|step| step.child.is_some()).count();
    let booked = next_id(conn, id)?;
    let next_grant = GrantId(booked.0.saturating_add(i64::try_from(born).unwrap_or_default()));
    let calendar = ZoneCalendar(org::zone(conn, id)?);
    let outlook = look_ahead(position, as_of, next_grant, &calendar)?;
    let mut slots: Vec<_> = position.slots.iter().collect();
    let later = |grant: &Grant| Some(grant.effective_at).filter(|at| *at > as_of);
    slots.sort_by(|a, b| later(&a.grant).cmp(&later(&b.grant)).then_with(|| drawdown::order(&a.grant, &b.grant)));
    let mut next = Vec::new();
    for slot in slots.iter().filter(|slot| slot.left.is_positive() && slot.grant.is_open(as_of)) {
        next.push(slot.grant.id);
        if slot.grant.scope.is_everything() {
            break;
        }
    }
    let from = page.after.and_then(|after| slots.iter().position(|slot| slot.grant.id == after));
    let from = from.map_or(0, |place| place + 1);
    let to = from.saturating_add(page.limit.min(MAX_PAGE) as usize).min(slots.len());
    let mut grants = Vec::with_capacity(to - from);
    for slot in &slots[from..to] {
        let given_at = given_at(conn, id, slot.grant.id)?;
        grants.push(state(conn, id, &reading, slot.grant.clone(), given_at)?);
    }
    let more = (to < slots.len()).then(|| grants.last().map(|last| last.grant.id)).flatten();
    let mut holds = position.holds.clone();
    holds.sort_by_key(|hold| (hold.expires_at, hold.id));
    Ok(Drawdown {
        balance,
        policy: position.policy,
        ever: next_grant.0 > 1,
        count: slots.len(),
        grants,
        more,
        next,
        holds,
        outlook,
        as_of,
    })
}
