//! What the writer knows of an org's alerts and budgets, and what it counts for them while events come in.
//!
//! An org without any has none of this: an event costs it one look at an empty place. Otherwise an event costs a comparison
//! per rule that counts usage, and three look-ups for budgets.

use super::budget::{self, Budget};
use super::period::Cycle;
use super::row::{self, AlertRule, Counted, write_counted};
use crate::dimension::Kind as Named;
use crate::error::StoreError;
use crate::trace::lookup;
use ledger::alert::{Kind, Owner};
use ledger::budget::Whose;
use ledger::settle::Charge;
use ledger::{Credits, Event, Label, OrgId, Stretch, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;

/// See the module.
#[derive(Debug)]
pub(crate) struct Watching {
    pub(super) rules: Vec<AlertRule>,
    pub(super) budgets: Vec<Budget>,
    /// Places of the rules that count usage as it comes.
    counting: Vec<usize>,
    /// Places of budgets by whose they are.
    by_whose: FxHashMap<(Whose, Label), Vec<usize>>,
    /// Whether any of them asks on whose behalf something was used.
    is_owned: bool,
    /// The billing cycle, until something may have changed it.
    pub(super) cycle: Option<Cycle>,
    /// When the newest usage happened that came since alerts were looked at.
    newest: Option<Timestamp>,
    /// Whether something is counted that is not written.
    changed: bool,
}

/// Whether a rule counts usage as it comes.
pub(crate) const fn counts(kind: &Kind) -> bool {
    matches!(kind, Kind::CycleUsage { .. } | Kind::SpendAbove { .. })
}

impl Watching {
    /// What there is to watch; `None` where there is nothing.
    pub(crate) fn load(conn: &Connection, org: OrgId) -> Result<Option<Box<Self>>, StoreError> {
        let (rules, budgets) = (row::all(conn, org)?, budget::all(conn, org)?);
        if rules.is_empty() && budgets.is_empty() {
            return Ok(None);
        }
        let counting: Vec<usize> =
            rules.iter().enumerate().filter(|(_, rule)| counts(&rule.kind)).map(|(place, _)| place).collect();
        let mut by_whose: FxHashMap<(Whose, Label), Vec<usize>> = FxHashMap::default();
        for (place, budget) in budgets.iter().enumerate() {
            by_whose.entry((budget.terms.whose, budget.terms.id.clone())).or_default().push(place);
        }
        let is_owned = counting.iter().any(|place| rules[*place].scope.is_owned())
            || budgets.iter().any(|budget| budget.terms.whose != Whose::Project);
        let (cycle, newest, changed) = (None, None, false);
        Ok(Some(Box::new(Self { rules, budgets, counting, by_whose, is_owned, cycle, newest, changed })))
    }

    /// Takes an accepted event up; `interaction` is the number of the interaction that it names, or 0.
    pub(crate) fn count(
        &mut self,
        conn: &Connection,
        org: OrgId,
        (event, interaction): (&Event, i64),
        occurred_at: Timestamp,
        charges: &[Charge],
    ) -> Result<(), StoreError> {
        self.newest = self.newest.max(Some(occurred_at));
        let mapped = if self.is_owned && interaction > 0 { owner(conn, org, interaction)? } else { (None, None) };
        let owner = Owner {
            user: mapped.0.as_ref().or(event.user.as_ref()),
            tenant: mapped.1.as_ref().or(event.tenant.as_ref()),
        };
        for place in &self.counting {
            let rule = &mut self.rules[*place];
            if rule.scope.fits(event, owner) {
                let counted = charges.iter().filter(|charge| rule.scope.fits_meter(&charge.meter));
                self.changed |= rule.counted.add(occurred_at, counted)?;
            }
        }
        let project = event.project.as_ref().map(|place| &place.id);
        for (whose, id) in [(Whose::Project, project), (Whose::User, owner.user), (Whose::Tenant, owner.tenant)] {
            let Some(id) = id.filter(|_| !self.by_whose.is_empty()) else { continue };
            for place in self.by_whose.get(&(whose, id.clone())).into_iter().flatten() {
                self.changed |= self.budgets[*place].counted.add(occurred_at, charges.iter())?;
            }
        }
        Ok(())
    }

    /// When the newest usage happened that came since alerts were looked at.
    pub(crate) const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Says it otherwise: what is imported is taken for long ago.
    pub(crate) const fn set_newest(&mut self, newest: Option<Timestamp>) {
        self.newest = newest;
    }

    /// The same, once.
    pub(super) const fn take_newest(&mut self) -> Option<Timestamp> {
        self.newest.take()
    }

    /// Has the billing cycle looked up again.
    pub(crate) const fn forget_cycle(&mut self) {
        self.cycle = None;
    }

    /// Has everything counted anew that counts events: one was taken back, or counts for somebody else now.
    pub(crate) fn forget_counts(&mut self) {
        for place in &self.counting {
            self.rules[*place].counted.forget();
        }
        self.budgets.iter_mut().for_each(|budget| budget.counted.forget());
        self.changed = true;
    }

    /// Says that something counted has changed.
    pub(super) const fn touch(&mut self) {
        self.changed = true;
    }

    /// Writes what is counted, so that a restart goes on from there.
    pub(crate) fn write(&mut self, conn: &Connection, org: OrgId) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        for place in &self.counting {
            let rule = &mut self.rules[*place];
            if std::mem::take(&mut rule.counted.changed) {
                write_counted(conn, org, "alert_rule", rule.id.0, &rule.counted)?;
            }
        }
        for budget in &mut self.budgets {
            if std::mem::take(&mut budget.counted.changed) {
                write_counted(conn, org, "budget", budget.id.0, &budget.counted)?;
            }
        }
        Ok(())
    }
}

impl Counted {
    /// Has it counted anew.
    const fn forget(&mut self) {
        (self.spent, self.changed) = (None, true);
    }

    /// Begins with a period, or with what was counted anew.
    pub(super) fn begin(&mut self, period: Stretch, spent: Option<Credits>) {
        self.changed |= (self.period, self.spent) != (Some(period), spent);
        (self.period, self.spent) = (Some(period), spent);
    }

    /// Adds what charges cost where they fall into the period; tells whether that changed anything. What does not fit is counted anew.
    fn add<'c>(
        &mut self,
        occurred_at: Timestamp,
        mut charges: impl Iterator<Item = &'c Charge>,
    ) -> Result<bool, StoreError> {
        let Some(spent) = self.spent.filter(|_| self.period.is_some_and(|period| period.holds(occurred_at))) else {
            return Ok(false);
        };
        let spent = charges.try_fold(spent, |sum: Credits, charge| sum.plus(charge.credits)).ok();
        self.changed |= spent != self.spent;
        self.spent = spent;
        Ok(self.changed)
    }
}

/// For whom an interaction counts, where that was said apart from its events.
fn owner(conn: &Connection, org: OrgId, interaction: i64) -> Result<(Option<Label>, Option<Label>), StoreError> {
    let sql = "SELECT user_id, tenant_id FROM interaction_owner WHERE org_id = ?1 AND interaction_id = ?2";
    let found: Option<(i64, i64)> =
        conn.prepare_cached(sql)?.query_row([org.0, interaction], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((user, tenant)) = found else { return Ok((None, None)) };
    let label = |kind, id| Ok::<_, StoreError>(lookup::place(conn, org, kind, id)?.map(|place| place.id));
    Ok((label(Named::User, user)?, label(Named::Tenant, tenant)?))
}
