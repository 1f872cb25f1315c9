//! What was paid for credits: for what an org's credits cost it on average, and for the purchases of a range.

use crate::Store;
use crate::error::StoreError;
use ledger::money::Currency;
use ledger::{Credits, GrantId, Money, OrgId, Timestamp};
use rusqlite::params;

/// Most purchases that are read at once.
pub const MAX_PURCHASES: usize = 10_000;

/// A grant that was paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidGrant {
    /// Its number.
    pub grant: GrantId,
    /// From when on it can be spent.
    pub effective_at: Timestamp,
    /// How much it gave.
    pub credits: Credits,
    /// What was paid.
    pub cost: Money,
    /// What it says of itself.
    pub description: String,
}

/// What was paid in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paid {
    /// Minor units, over all time.
    pub minor: i128,
    /// Micro-credits that were given for them.
    pub micros: i128,
    /// The purchases of the range, in order of time.
    pub purchases: Vec<PaidGrant>,
}

impl Store {
    /// What an org paid in that currency, and its purchases that take effect in a range.
    ///
    /// # Errors
    /// [`StoreError::BadRange`] for more than [`MAX_PURCHASES`], or what the database says.
    pub async fn paid(
        &self,
        org: OrgId,
        currency: Currency,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Paid, StoreError> {
        self.read(move |conn| {
            let mut select = conn.prepare_cached(
                "SELECT grant_id, effective_at, amount, cost_minor, description FROM credit_grant
                 WHERE org_id = ?1 AND cost_currency = ?2 ORDER BY effective_at, grant_id",
            )?;
            let mut rows = select.query(params![org.0, currency.as_str()])?;
            let mut paid = Paid::default();
            while let Some(row) = rows.next()? {
                let (micros, minor): (i64, i64) = (row.get(2)?, row.get(3)?);
                (paid.micros, paid.minor) = (paid.micros + i128::from(micros), paid.minor + i128::from(minor));
                let effective_at = Timestamp::from_micros(row.get(1)?);
                if (from..to).contains(&effective_at) {
                    if paid.purchases.len() == MAX_PURCHASES {
                        return Err(StoreError::BadRange("more than 10,000 purchases: choose a shorter range"));
                    }
                    paid.purchases.push(PaidGrant {
                        grant: GrantId(row.get(0)?),
                        effective_at,
                        credits: Credits::from_micros(micros),
                        cost: Money { minor, currency },
                        description: row.get(4)?,
                    });
                }
            }
            Ok(paid)
        })
        .await
    }
}
