//! Entries and postings: the append-only ledger, chained by hashes.
//!
//! An entry's postings sum to zero, its number has no gap before it, and its hash covers all of it and the hash before.
//! [`Entry::seal`] is the only way to make one, so an entry that exists is balanced.

use crate::canon::{Canon, Hash};
use crate::credits::Credits;
use crate::id::{EntrySeq, EventSeq, GrantId, HoldId, OrgId};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use std::fmt;

/// The hash before the first entry of every org.
pub const GENESIS: Hash = [0; 32];

/// Where credits are or went. What an org owns is positive in its grants and holds; `debt` is at or below zero; the four
/// system accounts are the other sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which account changes.
    pub account: Account,
    /// By how much; below zero for what leaves it.
    pub amount: Credits,
}

/// What an entry records. (Holds, rollover and corrections add their kinds here.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A grant was given.
    Grant {
        /// Which.
        grant: GrantId,
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
    /// A new grant repaid debt.
    Repayment {
        /// Which grant paid.
        grant: GrantId,
    },
}

impl EntryKind {
    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Grant { .. } => "grant",
            Self::Usage { .. } => "usage",
            Self::Expiry { .. } => "expiry",
            Self::Repayment { .. } => "repayment",
        }
    }
}

/// What is about to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    let mut canon = Canon::new("scrip-entry-1");
    canon.bytes(previous).int(org.0).int(seq.0).text(draft.kind.name());
    match &draft.kind {
        EntryKind::Grant { grant } | EntryKind::Expiry { grant } | EntryKind::Repayment { grant } => {
            canon.int(grant.0);
        }
        EntryKind::Usage { first, last, root } => {
            canon.int(first.0).int(last.0).bytes(root);
        }
    }
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
            kind: EntryKind::Grant { grant: GrantId(1) },
            happened_at: Timestamp::from_micros(1),
            cause: "test".to_owned(),
            postings: amounts
                .iter()
                .map(|(account, m)| Posting { account: *account, amount: Credits::from_micros(*m) })
                .collect(),
        }
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
