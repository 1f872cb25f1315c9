//! What became of each grant: `granted = left + held + spent + expired + rolled + voided`, each from zero on.
//!
//! A fold over entries. What a posting on a grant means follows from the kind of its entry and its sign.

use crate::credits::Credits;
use crate::entry::{Account, Draft, EntryKind};
use crate::id::GrantId;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What became of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// What was given.
    pub granted: Credits,
    /// What can be spent, once and as long as the grant is open.
    pub left: Credits,
    /// What pending holds reserve.
    pub held: Credits,
    /// What usage cost, debt that it repaid included.
    pub spent: Credits,
    /// What expired.
    pub expired: Credits,
    /// What moved on to a child grant at the end of its cycle.
    pub rolled: Credits,
    /// What an operator took back.
    pub voided: Credits,
}

impl Figures {
    /// Whether nothing is lost and nothing is below zero.
    #[must_use]
    pub fn add_up(&self) -> bool {
        let Self { granted, left, held, spent, expired, rolled, voided } = *self;
        let parts = [left, held, spent, expired, rolled, voided];
        Credits::sum(parts) == Ok(granted) && parts.iter().all(|part| !part.is_negative())
    }
}

/// Takes up one more entry.
///
/// # Errors
/// [`Refusal::AmountOverflow`].
pub fn fold(all: &mut BTreeMap<GrantId, Figures>, draft: &Draft) -> Result<(), Refusal> {
    for posting in &draft.postings {
        let Account::Grant(id) = posting.account else { continue };
        let figures = all.entry(id).or_default();
        let amount = posting.amount;
        figures.left = figures.left.plus(amount)?;
        let out = if amount.is_negative() { amount.negated()? } else { Credits::ZERO };
        match &draft.kind {
            EntryKind::Grant { .. } | EntryKind::Adjustment { terms: Some(_), .. } => {
                figures.granted = figures.granted.plus(amount)?;
            }
            EntryKind::Usage { .. } | EntryKind::Repayment { .. } => figures.spent = figures.spent.plus(out)?,
            EntryKind::Expiry { .. } => figures.expired = figures.expired.plus(out)?,
            EntryKind::Rollover { child, .. } if *child == id => figures.granted = figures.granted.plus(amount)?,
            EntryKind::Rollover { .. } => {
                let of = |account: Account| draft.postings.iter().find(|p| p.account == account).map(|p| p.amount);
                let expired = of(Account::Expired).unwrap_or_default();
                figures.expired = figures.expired.plus(expired)?;
                figures.rolled = figures.rolled.plus(out.minus(expired)?)?;
            }
            EntryKind::Hold { .. } => figures.held = figures.held.plus(out)?,
            EntryKind::Capture { .. } | EntryKind::Release { .. } | EntryKind::HoldExpiry { .. } => {
                if amount.is_negative() {
                    figures.spent = figures.spent.plus(out)?;
                } else {
                    figures.held = figures.held.minus(amount)?;
                }
            }
            EntryKind::Void { refund: Some((refund, _)), .. } if *refund == id => {
                figures.granted = figures.granted.plus(amount)?;
            }
            EntryKind::Void { .. } => figures.spent = figures.spent.minus(amount)?,
            EntryKind::Adjustment { terms: None, .. } => figures.voided = figures.voided.plus(out)?,
            EntryKind::RateCard { .. } | EntryKind::Extension { .. } => {}
        }
    }
    Ok(())
}
