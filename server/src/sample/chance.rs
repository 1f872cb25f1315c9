//! Numbers that look like chance: splitmix64 (Steele, Lea and Flood 2014).

/// A stream of numbers; the same state gives the same stream.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to before `bound`, which is above 0. The bias of a remainder is far below what a sample could show.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Rather low than high, as sizes of real calls are.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = high - low + 1;
        low + self.below(width).min(self.below(width))
    }

    /// An index, by weight.
    pub(super) fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}
