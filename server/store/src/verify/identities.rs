//! The index of identities: every event up to the one that it is merged to, under its key, and nothing else.

use super::Problems;
use super::fingerprint::Fingerprints;
use crate::error::StoreError;
use crate::identity::{Half, key};
use ledger::{EventSeq, OrgId};
use rusqlite::{Connection, OptionalExtension, params};

pub(super) struct Identities {
    merged: i64,
    prints: Fingerprints,
    expected: u128,
}

impl Identities {
    pub(super) fn new(merged: i64) -> Self {
        Self { merged, prints: Fingerprints::default(), expected: 0 }
    }

    pub(super) fn add(&mut self, seq: EventSeq, source: &str, id: &str) {
        if seq.0 <= self.merged {
            self.expected = self.expected.wrapping_add(self.print(key(source, id), seq.0));
        }
    }

    fn print(&self, key: Half, seq: i64) -> u128 {
        let mut halves = [0_i64; 2];
        for (half, bytes) in halves.iter_mut().zip(key.as_chunks::<8>().0) {
            *half = i64::from_be_bytes(*bytes);
        }
        self.prints.of(0, [halves[0], halves[1], seq, 0], [1, 0, 0])
    }

    pub(super) fn finish(&self, conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
        let mut statement = conn.prepare("SELECT key, seq FROM identity_index WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        let mut found = 0_u128;
        while let Some(row) = rows.next()? {
            found = found.wrapping_add(self.print(row.get(0)?, row.get(1)?));
        }
        if found == self.expected {
            return Ok(());
        }
        problems.say(match self.first_missing(conn, org)? {
            Some(seq) => format!("{seq} is not found by its identity in the index"),
            None => "the index of identities has rows of no event".to_owned(),
        });
        Ok(())
    }

    fn first_missing(&self, conn: &Connection, org: OrgId) -> Result<Option<EventSeq>, StoreError> {
        let mut statement = conn.prepare(
            "SELECT i.seq, d.value, i.external_id FROM identity i JOIN dimension d ON d.org_id = i.org_id AND d.kind = 2 AND d.id = i.source_id
             WHERE i.org_id = ?1 AND i.seq <= ?2 ORDER BY i.seq",
        )?;
        let mut rows = statement.query([org.0, self.merged])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let key = key(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?);
            let indexed: Option<i64> = conn
                .prepare_cached("SELECT seq FROM identity_index WHERE org_id = ?1 AND key = ?2")?
                .query_row(params![org.0, key.as_slice()], |row| row.get(0))
                .optional()?;
            if indexed != Some(seq) {
                return Ok(Some(EventSeq(seq)));
            }
        }
        Ok(None)
    }
}
