//! The Merkle root over the events that one usage entry settles.
//!
//! The tree of RFC 6962 §2.1: leaves and nodes are hashed with different prefixes, so that neither can pass for the
//! other; a list whose length is no power of two splits at the largest power below it. Built as leaves come, holding one
//! hash per level (at most 64).

use crate::canon::Hash;
use serde::{Deserialize, Serialize};
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
        let mut hash = leaf(content);
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

/// That one leaf is among those of a root: the neighbours on the way up (RFC 9162 §2.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The leaf's place, counted from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The neighbours, lowest first; at most 64.
    pub path: Vec<Hash>,
}

impl Proof {
    /// The proof for the leaf at `index` of those with these contents. Cost: hashes all of them once.
    /// `None` where there is no such leaf.
    #[must_use]
    pub fn new<'l>(contents: impl IntoIterator<Item = &'l [u8]>, index: u64) -> Option<Self> {
        let mut level: Vec<Hash> = contents.into_iter().map(leaf).collect();
        let (size, mut place) = (u64::try_from(level.len()).ok()?, usize::try_from(index).ok()?);
        level.get(place)?;
        let mut path = Vec::new();
        while level.len() > 1 {
            path.extend(level.get(place ^ 1).copied());
            // A last one without a neighbour moves up as it is: the split at the largest power of two, from below.
            level = level.chunks(2).map(|pair| pair.get(1).map_or(pair[0], |right| node(&pair[0], right))).collect();
            place /= 2;
        }
        Some(Self { index, size, path })
    }

    /// The root that a leaf with this content leads to; `None` where the path does not fit the place.
    #[must_use]
    pub fn root(&self, content: &[u8]) -> Option<Hash> {
        let (mut place, mut last) = (self.index, self.size.checked_sub(1)?);
        if place > last {
            return None;
        }
        let mut hash = leaf(content);
        for neighbour in &self.path {
            if last == 0 {
                return None;
            }
            if place & 1 == 1 || place == last {
                hash = node(neighbour, &hash);
                while place & 1 == 0 && place != 0 {
                    (place, last) = (place >> 1, last >> 1);
                }
            } else {
                hash = node(&hash, neighbour);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        (last == 0).then_some(hash)
    }
}

fn leaf(content: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(content).finalize().into()
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

        #[test]
        fn every_leaf_is_proved_and_no_other(count in 1_usize..40, index in 0_usize..40, other in any::<[u8; 4]>()) {
            let contents: Vec<[u8; 4]> = (0..count).map(|i| u32::try_from(i).expect("small").to_be_bytes()).collect();
            let mut builder = Builder::default();
            contents.iter().for_each(|content| builder.push(content));
            let proof = Proof::new(contents.iter().map(<[u8; 4]>::as_slice), index as u64);
            prop_assert_eq!(proof.is_some(), index < count);
            if let Some(proof) = proof {
                prop_assert_eq!(proof.root(&contents[index]), Some(builder.root()));
                if other != contents[index] {
                    prop_assert_ne!(proof.root(&other), Some(builder.root()));
                }
                for broken in [Proof { size: proof.size + 1, ..proof.clone() }, Proof { index: proof.index + 1, ..proof.clone() }] {
                    prop_assert!(broken.root(&contents[index]) != Some(builder.root()) || broken.path.is_empty() || broken.size != proof.size);
                }
            }
        }
    }
}
