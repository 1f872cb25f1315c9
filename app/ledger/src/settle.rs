//! From events to one entry: what a commit of an org's events posts.
//!
//! Phases, in this order, each pure: an event is rated line by line ([`rate_event`]); each charge is drawn from the
//! purse; the event becomes a leaf; at the end one `usage` entry covers the whole range. Cost per event: its charges, two
//! SHA-256 of a few hundred bytes. Bounded by the number of events the caller puts into one commit.

use crate::canon::{Canon, Hash};
use crate::card::RateCard;
use crate::credits::Credits;
use crate::cycle::BillingCycle;
use crate::drawdown::Purse;
use crate::entry::{Account, Draft, EntryKind, Posting};
use crate::event::Event;
use crate::grant::{Grant, GrantKind, Scope};
use crate::id::{EventSeq, GrantId, LineNo, RateCardVersion};
use crate::label::{Label, Meter};
use crate::merkle;
use crate::quantity::Quantity;
use crate::rate::{Before, Carry};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What one quantity of an event cost, under one line of one version of the rate card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The meter.
    pub meter: Meter,
    /// How much was used.
    pub quantity: Quantity,
    /// What it cost; below zero where tiers gave credits back.
    pub credits: Credits,
    /// Which version of the rate card.
    pub version: RateCardVersion,
    /// Which of its lines.
    pub line: LineNo,
    /// What the line carried before.
    pub carry_before: Carry,
    /// What it carries after.
    pub carry_after: Carry,
    /// Where in its tiers the line was before; only for lines that have tiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierPlace>,
}

/// How much a line had charged in a billing cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierPlace {
    /// The cycle in which the event happened.
    pub cycle: BillingCycle,
    /// What the line had charged in it before, less what was voided.
    pub used: Quantity,
    /// What voided events had left open in it, paid with this charge or given back.
    #[serde(default)]
    pub owed: Credits,
}

impl Charge {
    /// What the line had from earlier usage.
    #[must_use]
    pub fn before(&self) -> Before {
        let (used, owed) = self.tier.map_or_else(Default::default, |tier| (tier.used, tier.owed));
        Before { carry: self.carry_before, used, owed }
    }
}

/// Rates every quantity of an event. `cycle` is the billing cycle in which it happened, asked only where tiers need it;
/// `before_of` gives what a line has from earlier usage, in that cycle where one is given.
///
/// # Errors
/// The first quantity that cannot be rated; then none is. Whatever `cycle` says.
pub fn rate_event<E: From<Refusal>>(
    card: &RateCard,
    event: &Event,
    mut cycle: impl FnMut() -> Result<BillingCycle, E>,
    mut before_of: impl FnMut(LineNo, Option<BillingCycle>) -> Before,
) -> Result<Vec<Charge>, E> {
    let mut charges: Vec<Charge> = Vec::with_capacity(event.quantities.len());
    for (meter, quantity) in &event.quantities {
        let (number, line) = card.line_for(meter, event)?;
        let cycle = if line.has_tiers() { Some(cycle()?) } else { None };
        // Each meter comes once per event and each line names one meter, so no line is met twice here.
        let before = before_of(number, cycle);
        let rated = line.rate(event.usage(*quantity), before)?;
        charges.push(Charge {
            meter: meter.clone(),
            quantity: *quantity,
            credits: rated.credits,
            version: card.version,
            line: number,
            carry_before: before.carry,
            carry_after: rated.after.carry,
            tier: cycle.map(|cycle| TierPlace { cycle, used: before.used, owed: before.owed }),
        });
    }
    Ok(charges)
}

/// The bytes of an event's leaf: its place, its content, when it counts, and every charge.
pub fn leaf(canon: &mut Canon, seq: EventSeq, content: &Hash, occurred_at: Timestamp, charges: &[Charge]) {
    // Leaves from before tiers, and from before voids gave back to them, keep their bytes.
    let tiered = charges.iter().any(|charge| charge.tier.is_some());
    let owed = charges.iter().any(|charge| !charge.before().owed.is_zero());
    canon.restart(match (tiered, owed) {
        (false, _) => "scrip-leaf-1",
        (true, false) => "scrip-leaf-2",
        (true, true) => "scrip-leaf-3",
    });
    canon.int(seq.0).bytes(content).int(occurred_at.micros()).count(charges.len());
    for charge in charges {
        canon.text(charge.meter.as_str()).wide(charge.quantity.micros()).int(charge.credits.micros());
        canon.int(charge.version.0).int(charge.line.0).int(charge.carry_before.0);
        if tiered {
            canon.maybe_int(charge.tier.map(|tier| tier.cycle.number()));
            canon.wide(charge.before().used.micros());
        }
        if owed {
            canon.int(charge.before().owed.micros());
        }
    }
}

/// The settlement of one org's events in one commit.
#[derive(Debug)]
pub struct Settlement {
    purse: Purse,
    range: Option<(EventSeq, EventSeq)>,
    total: Credits,
    /// What tiers gave back.
    returned: Credits,
    /// Whether some of it had been charged too much before a void.
    put_right: bool,
    tree: merkle::Builder,
}

impl Settlement {
    /// Begins with what the org can spend.
    #[must_use]
    pub fn new(purse: Purse) -> Self {
        Self {
            purse,
            range: None,
            total: Credits::ZERO,
            returned: Credits::ZERO,
            put_right: false,
            tree: merkle::Builder::default(),
        }
    }

    /// Adds the next event: draws its charges and takes up its leaf. Returns the sum of its charges.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where the sums of the commit would not fit; then nothing was drawn.
    pub fn add(
        &mut self,
        seq: EventSeq,
        project: Option<&Label>,
        charges: &[Charge],
        leaf: &[u8],
    ) -> Result<Credits, Refusal> {
        let sum = Credits::sum(charges.iter().map(|c| c.credits))?;
        let total = self.total.plus(sum)?;
        let drawn = Credits::sum(charges.iter().map(|c| c.credits).filter(|credits| credits.is_positive()))?;
        self.purse.debt().plus(drawn)?;
        let returned = self.returned.plus(drawn.minus(sum)?)?;
        for charge in charges.iter().filter(|c| c.credits.is_positive()) {
            self.purse.draw(&charge.meter, project, charge.credits, |_, _| ())?;
        }
        self.returned = returned;
        self.put_right |= charges.iter().any(|c| c.credits.is_negative() && c.before().owed.is_negative());
        self.total = total;
        self.tree.push(leaf);
        self.range = Some((self.range.map_or(seq, |(first, _)| first), seq));
        Ok(sum)
    }

    /// What the org could still draw after this, whatever the scope.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn left(&self) -> Result<Credits, Refusal> {
        self.purse.left()
    }

    /// What tiers gave back so far: to be given as [`Self::returned_grant`] behind the entry.
    #[must_use]
    pub const fn returned(&self) -> Credits {
        self.returned
    }

    /// The grant as which what tiers gave back is given, if they did: there is no telling which grants had paid the higher
    /// price, so it may be spent on everything and never expires.
    #[must_use]
    pub fn returned_grant(&self, id: GrantId, now: Timestamp) -> Option<Grant> {
        let description = if self.put_right { "Charged too much before a void" } else { "A volume price was reached" };
        self.returned.is_positive().then(|| Grant {
            id,
            kind: GrantKind::Refund,
            amount: self.returned,
            priority: 0,
            scope: Scope::default(),
            effective_at: now,
            expires_at: None,
            description: description.to_owned(),
            cost: None,
            rollover: None,
            parent: None,
        })
    }

    /// What its events cost so far; below zero where tiers gave back more than the rest cost.
    #[must_use]
    pub const fn total(&self) -> Credits {
        self.total
    }

    /// The Merkle root over its events so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Debt that this settlement adds.
    #[must_use]
    pub const fn debt(&self) -> Credits {
        self.purse.debt()
    }

    /// The entry to be booked; `None` where no event was added.
    #[must_use]
    pub fn finish(self, now: Timestamp, cause: &str) -> Option<Draft> {
        let (first, last) = self.range?;
        let mut postings = self.purse.postings();
        if self.returned.is_positive() {
            postings.push(Posting { account: Account::Funding, amount: self.returned });
        }
        if !self.total.is_zero() {
            postings.push(Posting { account: Account::Consumed, amount: self.total });
        }
        let kind = EntryKind::Usage { first, last, root: self.tree.root() };
        Some(Draft { kind, happened_at: now, cause: cause.to_owned(), postings })
    }
}

/// The entry that gives a grant. What takes effect before it is booked happened when it took effect.
///
/// # Errors
/// What [`Grant::check`] says.
pub fn give(grant: &Grant, now: Timestamp, cause: &str) -> Result<Draft, Refusal> {
    grant.check()?;
    Ok(Draft {
        kind: EntryKind::Grant { grant: grant.id, terms: Some(grant.terms()) },
        happened_at: now.min(grant.effective_at),
        cause: cause.to_owned(),
        postings: vec![
            Posting { account: Account::Grant(grant.id), amount: grant.amount },
            Posting { account: Account::Funding, amount: grant.amount.negated()? },
        ],
    })
}

#[cfg(test)]
mod tests;
