//! Entries and postings: the append-only ledger, chained by hashes.
//!
//! An entry's postings sum to zero, its number has no gap before it, and its hash covers all of it and the hash before.
//! [`Entry::seal`] is the only way to make one, so an entry that exists is balanced.

use crate::canon::{Canon, Hash};
use crate::credits::Credits;
use crate::id::{EntrySeq, EventSeq, GrantId, HoldId, OrgId, RateCardVersion};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The hash before the first entry of every org.
pub const GENESIS: Hash = [0; 32];

/// Where credits are or went. What an org owns is positive in its grants and holds; `debt` is at or below zero; the four
/// system accounts are the other sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What is left of a grant.
    Grant(GrantId),
    /// What a hold reserves.
    Hold(HoldId),
    /// Used beyond what was there.
    Debt,
    /// Where grants come from.
    Funding,
    /// What usage cost.
    Consumed,
    /// What expired.
    Expired,
    /// What an operator put right.
    Adjustment,
}

impl Account {
    /// Its name and number as the store keeps them; the number is 0 for those that exist once.
    #[must_use]
    pub const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Grant(id) => ("grant", id.0),
            Self::Hold(id) => ("hold", id.0),
            Self::Debt => ("debt", 0),
            Self::Funding => ("funding", 0),
            Self::Consumed => ("consumed", 0),
            Self::Expired => ("expired", 0),
            Self::Adjustment => ("adjustment", 0),
        }
    }

    /// The account of those parts.
    #[must_use]
    pub fn from_parts(name: &str, number: i64) -> Option<Self> {
        Some(match (name, number) {
            ("grant", id) => Self::Grant(GrantId(id)),
            ("hold", id) => Self::Hold(HoldId(id)),
            ("debt", 0) => Self::Debt,
            ("funding", 0) => Self::Funding,
            ("consumed", 0) => Self::Consumed,
            ("expired", 0) => Self::Expired,
            ("adjustment", 0) => Self::Adjustment,
            _ => return None,
        })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(id) => id.fmt(f),
            Self::Hold(id) => id.fmt(f),
            other => f.write_str(other.parts().0),
        }
    }
}

/// One line of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Which account changes.
    pub account: Account,
    /// By how much; below zero for what leaves it.
    pub amount: Credits,
}

/// What an entry records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// A version of the rate card was laid down: nothing is posted, but what it says is bound into the chain.
    RateCard {
        /// Which.
        version: RateCardVersion,
        /// SHA-256 of its canonical bytes ([`crate::RateCard::terms`]).
        terms: Hash,
    },
    /// A grant was given.
    Grant {
        /// Which.
        grant: GrantId,
        /// [`crate::Grant::terms`]; `None` in entries made before the terms were bound.
        terms: Option<Hash>,
    },
    /// Events were settled: those from `first` to `last`, whose leaves have this Merkle root.
    Usage {
        /// The first event covered.
        first: EventSeq,
        /// The last event covered.
        last: EventSeq,
        /// Root over the events' leaves, in their order.
        root: Hash,
    },
    /// What was left of a grant expired.
    Expiry {
        /// Which.
        grant: GrantId,
    },
    /// What was left of a plan's grant moved on, or a part of it, and the rest expired.
    Rollover {
        /// Whose rest it was.
        grant: GrantId,
        /// The grant that it became.
        child: GrantId,
        /// The child's terms.
        terms: Hash,
    },
    /// A grant repaid debt.
    Repayment {
        /// Which grant paid.
        grant: GrantId,
    },
    /// Credits were reserved for work in progress.
    Hold {
        /// Which hold.
        hold: HoldId,
        /// [`crate::Hold::terms`].
        terms: Hash,
    },
    /// A hold was given more time.
    Extension {
        /// Which hold.
        hold: HoldId,
        /// Until when it lasts now.
        until: Timestamp,
    },
    /// A hold was captured: what it reserved came back, and what the work cost was drawn, as one event.
    Capture {
        /// Which hold.
        hold: HoldId,
        /// The event that the work counts as.
        event: EventSeq,
        /// Root over that one event's leaf.
        root: Hash,
    },
    /// A hold was given up; what it reserved came back.
    Release {
        /// Which hold.
        hold: HoldId,
    },
    /// A hold's time ran out; what it reserved came back.
    HoldExpiry {
        /// Which hold.
        hold: HoldId,
    },
    /// An event was taken back, its postings reversed in reverse order.
    Void {
        /// Which event.
        event: EventSeq,
        /// The event that stands in its place, if one does.
        replacement: Option<EventSeq>,
        /// The grant that received what had paid a debt that is repaid by now, and its terms.
        refund: Option<(GrantId, Hash)>,
        /// Whether tiers count less of its cycle from here on; not in entries made before they did.
        tiers: bool,
        /// Why, in a person's words.
        reason: String,
    },
    /// An operator put a balance right by hand.
    Adjustment {
        /// The grant that was given, or taken from.
        grant: GrantId,
        /// The terms of a grant that was given; `None` where it was taken from one.
        terms: Option<Hash>,
        /// Why, in a person's words.
        reason: String,
    },
}

impl EntryKind {
    /// All names, in the order in which people are shown them.
    pub const NAMES: [&'static str; 13] = [
        "usage",
        "grant",
        "expiry",
        "rollover",
        "repayment",
        "hold",
        "extension",
        "capture",
        "release",
        "hold_expiry",
        "void",
        "adjustment",
        "rate_card",
    ];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RateCard { .. } => "rate_card",
            Self::Grant { .. } => "grant",
            Self::Usage { .. } => "usage",
            Self::Expiry { .. } => "expiry",
            Self::Rollover { .. } => "rollover",
            Self::Repayment { .. } => "repayment",
            Self::Hold { .. } => "hold",
            Self::Extension { .. } => "extension",
            Self::Capture { .. } => "capture",
            Self::Release { .. } => "release",
            Self::HoldExpiry { .. } => "hold_expiry",
            Self::Void { .. } => "void",
            Self::Adjustment { .. } => "adjustment",
        }
    }

    /// The events that it settles, and the Merkle root over them.
    #[must_use]
    pub const fn settles(&self) -> Option<(EventSeq, EventSeq, &Hash)> {
        match self {
            Self::Usage { first, last, root } => Some((*first, *last, root)),
            Self::Capture { event, root, .. } => Some((*event, *event, root)),
            _ => None,
        }
    }

    /// The format whose canonical bytes it has. Grants were first entered without their terms, and what was voided was
    /// first still counted by tiers.
    const fn tag(&self) -> &'static str {
        match self {
            Self::Grant { terms: Some(_), .. } | Self::Void { tiers: true, .. } => "scrip-entry-2",
            _ => "scrip-entry-1",
        }
    }

    fn write(&self, canon: &mut Canon) {
        let maybe = |canon: &mut Canon, terms: &Option<Hash>| {
            canon.flag(terms.is_some());
            terms.iter().for_each(|terms| {
                canon.bytes(terms);
            });
        };
        match self {
            Self::RateCard { version, terms } => canon.int(version.0).bytes(terms),
            Self::Grant { grant, terms: Some(terms) } => canon.int(grant.0).bytes(terms),
            Self::Grant { grant, terms: None } | Self::Expiry { grant } | Self::Repayment { grant } => {
                canon.int(grant.0)
            }
            Self::Usage { first, last, root } => canon.int(first.0).int(last.0).bytes(root),
            Self::Rollover { grant, child, terms } => canon.int(grant.0).int(child.0).bytes(terms),
            Self::Hold { hold, terms } => canon.int(hold.0).bytes(terms),
            Self::Extension { hold, until } => canon.int(hold.0).int(until.micros()),
            Self::Capture { hold, event, root } => canon.int(hold.0).int(event.0).bytes(root),
            Self::Release { hold } | Self::HoldExpiry { hold } => canon.int(hold.0),
            Self::Void { event, replacement, refund, reason, tiers: _ } => {
                canon.int(event.0).maybe_int(replacement.map(|seq| seq.0)).maybe_int(refund.map(|(grant, _)| grant.0));
                maybe(canon, &refund.map(|(_, terms)| terms));
                canon.text(reason)
            }
            Self::Adjustment { grant, terms, reason } => {
                canon.int(grant.0);
                maybe(canon, terms);
                canon.text(reason)
            }
        };
    }
}

/// What is about to be entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What it records.
    pub kind: EntryKind,
    /// When it happened.
    pub happened_at: Timestamp,
    /// Who or what caused it, such as `key:ab12cd34` or `job:expiry`.
    pub cause: String,
    /// Its lines.
    pub postings: Vec<Posting>,
}

/// A ledger transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose.
    pub org: OrgId,
    /// Its place in the chain.
    pub seq: EntrySeq,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// What was entered.
    pub draft: Draft,
    /// SHA-256 over the previous hash and all of the above.
    pub hash: Hash,
}

/// The end of an org's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last entry; 0 before the first.
    pub seq: EntrySeq,
    /// Its hash; [`GENESIS`] before the first.
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { seq: EntrySeq(0), hash: GENESIS };
}

impl Entry {
    /// Puts a draft behind `head`.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    ///
    /// # Panics
    /// Where the postings do not sum to zero: that is a bug in the rule that made them, and stopping is better than
    /// entering it.
    pub fn seal(org: OrgId, head: Head, booked_at: Timestamp, draft: Draft) -> Result<Self, Refusal> {
        let sum = Credits::sum(draft.postings.iter().map(|p| p.amount))?;
        assert!(sum.is_zero(), "postings of a {} entry sum to {sum}", draft.kind.name());
        let seq = EntrySeq(head.seq.0 + 1);
        let hash = hash(org, seq, booked_at, &draft, &head.hash);
        Ok(Self { org, seq, booked_at, draft, hash })
    }

    /// Whether it is what was sealed behind `head`: number, sum and hash.
    #[must_use]
    pub fn follows(&self, head: Head) -> bool {
        let sum: i128 = self.draft.postings.iter().map(|p| i128::from(p.amount.micros())).sum();
        self.seq.0 == head.seq.0 + 1
            && sum == 0
            && self.hash == hash(self.org, self.seq, self.booked_at, &self.draft, &head.hash)
    }

    /// The chain's end when this is its last entry.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

fn hash(org: OrgId, seq: EntrySeq, booked_at: Timestamp, draft: &Draft, previous: &Hash) -> Hash {
    let mut canon = Canon::new(draft.kind.tag());
    canon.bytes(previous).int(org.0).int(seq.0).text(draft.kind.name());
    draft.kind.write(&mut canon);
    canon.int(draft.happened_at.micros()).int(booked_at.micros()).text(&draft.cause).count(draft.postings.len());
    for posting in &draft.postings {
        let (name, number) = posting.account.parts();
        canon.text(name).int(number).int(posting.amount.micros());
    }
    canon.hash()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(amounts: &[(Account, i64)]) -> Draft {
        Draft {
            kind: EntryKind::Grant { grant: GrantId(1), terms: None },
            happened_at: Timestamp::from_micros(1),
            cause: "test".to_owned(),
            postings: amounts
                .iter()
                .map(|(account, m)| Posting { account: *account, amount: Credits::from_micros(*m) })
                .collect(),
        }
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<_> = EntryKind::NAMES.into_iter().collect();
        assert_eq!(names.len(), EntryKind::NAMES.len());
        assert!(EntryKind::NAMES.contains(&EntryKind::Release { hold: HoldId(1) }.name()));
    }

    fn sealed(draft: Draft) -> Entry {
        Entry::seal(OrgId(1), Head::START, Timestamp::from_micros(2), draft).expect("fits")
    }

    #[test]
    fn any_change_breaks_the_chain() {
        let good = sealed(draft(&[(Account::Grant(GrantId(1)), 5), (Account::Funding, -5)]));
        assert!(good.follows(Head::START));
        let changes: [fn(&mut Entry); 7] = [
            |e| e.org = OrgId(2),
            |e| e.seq = EntrySeq(2),
            |e| e.booked_at = Timestamp::from_micros(3),
            |e| e.draft.happened_at = Timestamp::from_micros(3),
            |e| e.draft.cause.push('x'),
            |e| e.draft.kind = EntryKind::Expiry { grant: GrantId(1) },
            |e| {
                e.draft.postings[0].amount = Credits::from_micros(6);
                e.draft.postings[1].amount = Credits::from_micros(-6);
            },
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(!bad.follows(Head::START), "{bad:?}");
        }
        assert!(!good.follows(Head { seq: EntrySeq(0), hash: [1; 32] }));
    }

    #[test]
    #[should_panic(expected = "sum to 0.000001")]
    fn an_entry_that_does_not_sum_to_zero_cannot_be_made() {
        let _ = sealed(draft(&[(Account::Grant(GrantId(1)), 5), (Account::Funding, -4)]));
    }

    #[test]
    fn accounts_read_back() {
        for account in [
            Account::Grant(GrantId(3)),
            Account::Hold(HoldId(4)),
            Account::Debt,
            Account::Funding,
            Account::Consumed,
            Account::Expired,
            Account::Adjustment,
        ] {
            let (name, number) = account.parts();
            assert_eq!(Account::from_parts(name, number), Some(account));
        }
        assert_eq!(Account::from_parts("debt", 1), None);
    }
}
