//! Which events were accepted already, by (org, source, id).
//!
//! The most recent identities are in memory and, in event order, in `identity`; older ones are also in `identity_index`,
//! sorted by key, merged there [`WINDOW`] at a time. So accepting an event appends one row to the end of one table; a
//! random key in a big unique index would dirty a page per event instead (DESIGN §11).
//!
//! Cost per look-up: one hash, one probe in memory, one in the index. Memory: up to [`WINDOW`] identities per org that is
//! in use, bounded over all orgs by the caches.

use crate::error::StoreError;
use ledger::{EventSeq, OrgId};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

/// Identities kept in memory before they are merged: enough that a page of the index takes several at once.
const WINDOW: usize = 32_768;

/// Half of a SHA-256: 128 bits, so that even a hostile sender finds no two ids with the same key.
pub(crate) type Half = [u8; 16];

/// What is known of an accepted event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) seq: EventSeq,
    pub(crate) content: Half,
}

/// An org's identities.
#[derive(Debug)]
pub(crate) struct Identities {
    recent: FxHashMap<Half, Known>,
    /// Whether any are in the index: before that there is nothing to look for there.
    merged: bool,
}

/// The first half of a digest.
pub(crate) fn half(hash: &[u8; 32]) -> Half {
    let mut half = Half::default();
    half.copy_from_slice(&hash[..16]);
    half
}

/// The key of an identity.
pub(crate) fn key(source: &str, id: &str) -> Half {
    let digest: [u8; 32] = Sha256::new()
        .chain_update((source.len() as u64).to_be_bytes())
        .chain_update(source)
        .chain_update(id)
        .finalize()
        .into();
    half(&digest)
}

impl Identities {
    /// Reads the identities that are not merged yet: those after `merged`.
    pub(crate) fn load(conn: &Connection, org: OrgId, merged: i64) -> Result<Self, StoreError> {
        let mut recent = FxHashMap::default();
        let mut statement = conn.prepare_cached(
            "SELECT i.seq, i.external_id, i.content, d.value FROM identity i
             JOIN dimension d ON d.org_id = i.org_id AND d.kind = 2 AND d.id = i.source_id
             WHERE i.org_id = ?1 AND i.seq > ?2",
        )?;
        let mut rows = statement.query([org.0, merged])?;
        while let Some(row) = rows.next()? {
            let source = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
            let id = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            recent.insert(key(source, id), Known { seq: EventSeq(row.get(0)?), content: row.get(2)? });
        }
        Ok(Self { recent, merged: merged > 0 })
    }

    pub(crate) fn len(&self) -> usize {
        self.recent.len()
    }

    /// The event of that key, if it was accepted.
    pub(crate) fn find(&self, conn: &Connection, org: OrgId, key: &Half) -> Result<Option<Known>, StoreError> {
        if let Some(known) = self.recent.get(key) {
            return Ok(Some(*known));
        }
        if !self.merged {
            return Ok(None);
        }
        let known = conn
            .prepare_cached(
                "SELECT x.seq, i.content FROM identity_index x JOIN identity i ON i.org_id = x.org_id AND i.seq = x.seq
                 WHERE x.org_id = ?1 AND x.key = ?2",
            )?
            .query_row(params![org.0, key.as_slice()], |row| {
                Ok(Known { seq: EventSeq(row.get(0)?), content: row.get(1)? })
            })
            .optional()?;
        Ok(known)
    }

    /// Remembers an event that was just accepted.
    pub(crate) fn add(&mut self, key: Half, known: Known) {
        self.recent.insert(key, known);
    }

    /// Merges what is in memory into the index once the window is full; `last` is the newest event.
    pub(crate) fn merge_if_full(&mut self, conn: &Connection, org: OrgId, last: i64) -> Result<(), StoreError> {
        if self.recent.len() < WINDOW {
            return Ok(());
        }
        let mut sorted: Vec<(Half, i64)> = self.recent.drain().map(|(key, known)| (key, known.seq.0)).collect();
        sorted.sort_unstable();
        let mut insert = conn.prepare_cached("INSERT INTO identity_index (org_id, key, seq) VALUES (?1, ?2, ?3)")?;
        for (key, seq) in sorted {
            insert.execute(params![org.0, key.as_slice(), seq])?;
        }
        conn.prepare_cached(
            "INSERT INTO org_total (org_id, merged_seq) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET merged_seq = excluded.merged_seq",
        )?
        .execute([org.0, last])?;
        self.merged = true;
        Ok(())
    }
}
