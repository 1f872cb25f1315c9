//! The Merkle root over the events that one usage entry settles.
//!
//! The tree of RFC 6962 §2.1: leaves and nodes are hashed with different prefixes, so that neither can pass for the
//! other; a list whose length is no power of two splits at the largest power below it. Built as leaves come, holding one
//! hash per level (at most 64).

use crate::canon::Hash;
use sha2::{Digest, Sha256};

/// Builds a root leaf by leaf.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    /// Roots of complete subtrees, largest first, each with the number of its leaves.
    peaks: Vec<(u64, Hash)>,
}

impl Builder {
    /// Adds the next leaf's content.
    pub fn push(&mut self, content: &[u8]) {
        let mut size = 1;
        let mut hash: Hash = Sha256::new().chain_update([0]).chain_update(content).finalize().into();
        while let Some((peak_size, peak)) = self.peaks.last().copied() {
            if peak_size != size {
                break;
            }
            self.peaks.pop();
            hash = node(&peak, &hash);
            size *= 2;
        }
        self.peaks.push((size, hash));
    }

    /// The root over all leaves so far; SHA-256 of nothing where there are none.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().map(|(_, hash)| *hash);
        match peaks.next() {
            None => Sha256::digest([]).into(),
            Some(last) => peaks.fold(last, |right, left| node(&left, &right)),
        }
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::hex;
    use proptest::prelude::*;

    /// The definition of RFC 6962 §2.1, word by word.
    fn definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
            _ => {
                let split = 1 << (leaves.len() - 1).ilog2();
                node(&definition(&leaves[..split]), &definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn known_roots() {
        assert_eq!(hex(&Builder::default().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let mut builder = Builder::default();
        builder.push(b"");
        assert_eq!(hex(&builder.root()), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }

    proptest! {
        #[test]
        fn the_builder_gives_the_root_of_the_definition(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..70)) {
            let mut builder = Builder::default();
            for leaf in &leaves {
                builder.push(leaf);
            }
            prop_assert_eq!(builder.root(), definition(&leaves));
        }
    }
}
