//! Balances: after every posting, and as they are cached.
//!
//! Memory: an account per grant, per pending hold, and the five that exist once. Accounts of holds that ended are at zero
//! and only fingerprinted, since a ledger may have any number of them.

use super::Problems;
use super::chain::Link;
use super::fingerprint::Fingerprints;
use crate::entry::account_of;
use crate::error::StoreError;
use ledger::{Account, Credits, HoldId, OrgId};
use rusqlite::Connection;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Accounts {
    balances: BTreeMap<Account, Credits>,
    prints: Fingerprints,
    ended_holds: u128,
}

impl Accounts {
    pub(super) fn balance(&self, account: Account) -> Credits {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    /// Takes up the postings of an entry.
    pub(super) fn post(&mut self, link: &Link, problems: &mut Problems) {
        let seq = link.entry.seq;
        for line in &link.lines {
            let account = line.posting.account;
            let balance = self.balances.entry(account).or_default();
            let Ok(after) = balance.plus(line.posting.amount) else {
                problems.say(format!("{seq}: the balance of {account} does not fit any more"));
                continue;
            };
            *balance = after;
            if line.balance != after {
                problems.say(format!(
                    "{seq}: its row says that {account} holds {} after it, the postings say {after}",
                    line.balance
                ));
            }
            let below = matches!(account, Account::Grant(_) | Account::Hold(_)) && after.is_negative();
            if below || (account == Account::Debt && after.is_positive()) {
                problems.say(format!("{seq}: {account} cannot hold {after}"));
            }
        }
    }

    /// A hold ended: its account stays at zero for ever.
    pub(super) fn end(&mut self, hold: HoldId, problems: &mut Problems) {
        let Some(balance) = self.balances.remove(&Account::Hold(hold)) else { return };
        if !balance.is_zero() {
            problems.say(format!("{hold} ended and still holds {balance}"));
        }
        self.ended_holds = self.ended_holds.wrapping_add(self.prints.of(0, [hold.0, 0, 0, 0], [1, 0, 0]));
    }

    /// The cached balances, both ways.
    pub(super) fn finish(mut self, conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
        let mut statement = conn.prepare("SELECT account, number, balance FROM account WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        let mut cached_holds = 0_u128;
        while let Some(row) = rows.next()? {
            let (account, cached) = (account_of(row, 0)?, Credits::from_micros(row.get(2)?));
            let expected = match (self.balances.remove(&account), account) {
                (Some(balance), _) => balance,
                (None, Account::Hold(hold)) => {
                    cached_holds = cached_holds.wrapping_add(self.prints.of(0, [hold.0, 0, 0, 0], [1, 0, 0]));
                    Credits::ZERO
                }
                (None, _) => {
                    problems.say(format!("the account row of {account} has no postings"));
                    continue;
                }
            };
            if cached != expected {
                problems.say(format!("the cached balance of {account} is {cached}, its postings say {expected}"));
            }
        }
        for account in self.balances.keys() {
            problems.say(format!("the account row of {account} is missing"));
        }
        if cached_holds != self.ended_holds {
            problems.say(
                "the account rows of holds that ended are not those of the holds that reserved credits".to_owned(),
            );
        }
        Ok(())
    }
}
