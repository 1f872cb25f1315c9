//! One number for the sum of many rows, so that two tables are compared in the memory of one row.
//!
//! A row counts as `hash(key) × (weights · values)` modulo 2¹²⁸, so rows add up however they are split: events to their
//! rollup, rows of nothing to nothing. Hash and weights are keyed anew in every run; nobody can prepare two different
//! tables with the same number, and by chance two have it once in some 2⁶⁴ runs.

use std::hash::{BuildHasher, Hash, RandomState};

pub(super) struct Fingerprints {
    high: RandomState,
    low: RandomState,
    weights: [u128; 3],
}

impl Default for Fingerprints {
    fn default() -> Self {
        let mut prints = Self { high: RandomState::new(), low: RandomState::new(), weights: [1; 3] };
        prints.weights = [1, 2, 3].map(|n| prints.hash((u8::MAX, [n, 0, 0, 0])) | 1);
        prints
    }
}

impl Fingerprints {
    fn hash(&self, of: impl Hash + Copy) -> u128 {
        (u128::from(self.high.hash_one(of)) << 64) | u128::from(self.low.hash_one(of))
    }

    /// What a row counts.
    pub(super) fn of(&self, table: u8, key: impl Hash + Copy, values: [i128; 3]) -> u128 {
        let weighed = values
            .into_iter()
            .zip(self.weights)
            .fold(0_u128, |sum, (value, weight)| sum.wrapping_add(value.cast_unsigned().wrapping_mul(weight)));
        if weighed == 0 { 0 } else { self.hash((table, key)).wrapping_mul(weighed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_add_up_and_differences_show() {
        let prints = Fingerprints::default();
        let (a, b) = ([1, 2, 3, 4], [1, 2, 3, 5]);
        let split = prints.of(0, a, [1, 2, 3]).wrapping_add(prints.of(0, a, [4, 5, 6]));
        assert_eq!(split, prints.of(0, a, [5, 7, 9]));
        assert_eq!(prints.of(0, b, [0, 0, 0]), 0);
        assert_ne!(prints.of(0, a, [1, 0, 0]), prints.of(0, b, [1, 0, 0]));
        assert_ne!(prints.of(0, a, [1, 0, 0]), prints.of(0, a, [0, 1, 0]));
        assert_ne!(prints.of(0, a, [1, 0, 0]), prints.of(1, a, [1, 0, 0]));
    }
}
