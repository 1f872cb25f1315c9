//! That an event is in the ledger, as it is shown, proved by hashes alone.
//!
//! The event's leaf leads over the neighbours' hashes to the root that its entry binds, and the entry's hash is the next
//! link of the chain. Whoever wrote down a chain head can check all of it without trusting the server.
//! Cost: the leaves of the event's entry are hashed once.

use crate::Store;
use crate::error::StoreError;
use crate::event::{Said, charge_of, charge_sql, event_sql, said};
use crate::payer::settled_by;
use crate::retention::check_kept;
use crate::rows::unreadable;
use ledger::canon::{Canon, Hash};
use ledger::entry::{GENESIS, Head};
use ledger::merkle::Proof;
use ledger::settle::{Charge, leaf};
use ledger::{Entry, Event, EventSeq, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

/// Everything that is needed to check an event against the chain.
#[derive(Debug, Clone)]
pub struct EventProof {
    /// The event's place.
    pub seq: EventSeq,
    /// What was said, with its quantities.
    pub event: Event,
    /// When it counts.
    pub occurred_at: Timestamp,
    /// What it was charged.
    pub charges: Vec<Charge>,
    /// The leaf's bytes: what the tree was built over.
    pub leaf: Vec<u8>,
    /// The way from the leaf to the root.
    pub proof: Proof,
    /// The entry that binds the root, with its postings.
    pub entry: Entry,
    /// The hash before that entry.
    pub previous: Hash,
    /// The end of the chain now.
    pub head: Head,
}

impl Store {
    /// The proof of an event.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Pruned`].
    pub async fn proof(&self, org: OrgId, event: EventSeq) -> Result<EventProof, StoreError> {
        self.read(move |conn| prove(conn, org, event)).await
    }
}

fn prove(conn: &Connection, org: OrgId, wanted: EventSeq) -> Result<EventProof, StoreError> {
    check_kept(conn, org, wanted)?;
    let known = conn.prepare_cached("SELECT 1 FROM event WHERE org_id = ?1 AND seq = ?2")?.exists([org.0, wanted.0])?;
    if !known {
        return Err(StoreError::NotFound("event"));
    }
    let entry = settled_by(conn, org, wanted)?;
    let (first, last, _) = entry.draft.kind.settles().ok_or_else(|| unreadable("entry of an event"))?;
    let (mut canon, mut leaves, mut found) = (Canon::new(""), Vec::new(), None);
    let mut statement =
        conn.prepare_cached(event_sql!("WHERE e.org_id = ?1 AND e.seq BETWEEN ?2 AND ?3 ORDER BY e.seq"))?;
    let mut rows = statement.query([org.0, first.0, last.0])?;
    let mut charges = charges(conn, org, first, last)?.into_iter().peekable();
    while let Some(row) = rows.next()? {
        let Said { seq, occurred_at, mut event } = said(row)?;
        let mut own = Vec::new();
        while let Some((_, charge)) = charges.next_if(|(of, _)| *of == seq) {
            own.push(charge);
        }
        event.quantities = own.iter().map(|charge| (charge.meter.clone(), charge.quantity)).collect();
        let content = event.content_hash(&mut canon);
        leaf(&mut canon, seq, &content, occurred_at, &own);
        leaves.push(canon.as_bytes().to_vec());
        if seq == wanted {
            found = Some((event, occurred_at, own));
        }
    }
    let (event, occurred_at, charges) = found.ok_or(StoreError::NotFound("event"))?;
    let index = u64::try_from(wanted.0 - first.0).map_err(|_| unreadable("entry of an event"))?;
    let proof = Proof::new(leaves.iter().map(Vec::as_slice), index).ok_or_else(|| unreadable("entry of an event"))?;
    let leaf = leaves.swap_remove(usize::try_from(index).map_err(|_| unreadable("entry of an event"))?);
    let previous = conn
        .prepare_cached("SELECT hash FROM entry WHERE org_id = ?1 AND seq = ?2")?
        .query_row([org.0, entry.seq.0 - 1], |row| row.get(0))
        .optional()?
        .unwrap_or(GENESIS);
    let head = crate::entry::head(conn, org)?;
    Ok(EventProof { seq: wanted, event, occurred_at, charges, leaf, proof, entry, previous, head })
}

fn charges(
    conn: &Connection,
    org: OrgId,
    first: EventSeq,
    last: EventSeq,
) -> Result<Vec<(EventSeq, Charge)>, StoreError> {
    let sql = charge_sql!("WHERE c.org_id = ?1 AND c.seq BETWEEN ?2 AND ?3 ORDER BY c.seq, m.name");
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([org.0, first.0, last.0])?;
    let mut charges = Vec::new();
    while let Some(row) = rows.next()? {
        charges.push(charge_of(row)?);
    }
    Ok(charges)
}
