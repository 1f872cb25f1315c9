//! Rows, and what tells one from another.
//!
//! An event's id is made of its row's content, so that importing a file again, in parts or in another order of columns
//! finds the same events. Rows that are alike count each: the k-th such row of a file gets its own number. That needs
//! memory, which is bounded: rows alike are told apart within the last [`GENERATION`] to twice as many different rows.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Different rows remembered at once: some 30 MB. In a log, rows that are alike stand near each other.
const GENERATION: usize = 500_000;
/// Bytes of the hash that make an id.
const ID_BYTES: usize = 16;

/// A row as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file, from 1; a head is not counted.
    pub number: u64,
    /// Names and values, in the file's order.
    pub fields: Vec<(String, String)>,
}

/// What a reader gives.
pub enum Read {
    /// A row.
    Row(Row),
    /// Something that is none, with the text it came as.
    Bad {
        /// Its number in the file.
        number: u64,
        /// What is wrong with it.
        reason: super::mapping::Bad,
        /// As it stood in the file, as far as it is text.
        text: String,
    },
}

impl Row {
    /// From its parts.
    #[must_use]
    pub const fn new(number: u64, fields: Vec<(String, String)>) -> Self {
        Self { number, fields }
    }

    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&String> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn fingerprint(&self) -> [u8; ID_BYTES] {
        let mut fields: Vec<&(String, String)> = self.fields.iter().collect();
        fields.sort();
        let mut hasher = Sha256::new();
        for (name, value) in fields {
            for part in [name, value] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part.as_bytes());
            }
        }
        let whole: [u8; 32] = hasher.finalize().into();
        let mut first = [0; ID_BYTES];
        first.copy_from_slice(&whole[..ID_BYTES]);
        first
    }
}

/// Gives rows their ids.
#[derive(Default)]
pub struct Ids {
    recent: HashMap<[u8; ID_BYTES], u32>,
    older: HashMap<[u8; ID_BYTES], u32>,
}

impl Ids {
    /// The id of the next row: `row-<hash>-<k>`.
    pub fn next(&mut self, row: &Row) -> String {
        let fingerprint = row.fingerprint();
        if self.recent.len() >= GENERATION {
            self.older = std::mem::take(&mut self.recent);
        }
        let before = self.older.remove(&fingerprint).unwrap_or_default();
        let count = self.recent.entry(fingerprint).or_insert(before);
        *count = count.saturating_add(1);
        let mut id = "row-".to_owned();
        for byte in fingerprint {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        let _ = write!(id, "-{count}");
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> Row {
        Row::new(1, fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn ids_follow_content_and_rows_alike_count_each() {
        let (mut ids, mut again) = (Ids::default(), Ids::default());
        let first = ids.next(&row(&[("a", "1"), ("b", "2")]));
        assert_eq!(again.next(&row(&[("b", "2"), ("a", "1")])), first, "the order of columns does not matter");
        assert!(first.starts_with("row-") && first.ends_with("-1") && first.len() == 38, "{first}");
        let second = ids.next(&row(&[("a", "1"), ("b", "2")]));
        assert_eq!(second, format!("{}2", &first[..first.len() - 1]));
        assert_ne!(ids.next(&row(&[("a", "12"), ("b", "")])), first);
    }
}
