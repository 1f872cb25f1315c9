//! One number for rows that are not there any more, to be compared with what is made of them.
//!
//! As the fingerprints of `verify` ([`crate::verify`]) rows add up however they are split: a row counts as the hash of what it
//! is about, times its value. Those are keyed anew in each run; this one is kept, so it is SHA-256 and twice 128 bits.

use ledger::canon::{Canon, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Print([u128; 2]);

impl Print {
    /// What a row counts, of which these canonical bytes say what it is about, with a value.
    pub(crate) fn of(about: &Canon, value: i128) -> Self {
        let hash = about.hash();
        let (first, second) = hash.split_at(16);
        let half = |bytes: &[u8]| bytes.iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        Self([half(first), half(second)].map(|half| half.wrapping_mul(value.cast_unsigned())))
    }

    /// With another.
    pub(crate) fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum = sum.wrapping_add(more));
    }
}

impl Serialize for Print {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex(&self.0.map(u128::to_be_bytes).concat()))
    }
}

impl<'de> Deserialize<'de> for Print {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let half = |at: usize| text.get(at..at + 32).and_then(|half| u128::from_str_radix(half, 16).ok());
        match (half(0), half(32), text.len()) {
            (Some(first), Some(second), 64) => Ok(Self([first, second])),
            _ => Err(D::Error::custom("a print has 64 hexadecimal digits")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, value: i128) -> Print {
        Print::of(Canon::new("test").int(id), value)
    }

    #[test]
    fn rows_add_up_take_away_and_read_back() {
        let mut sum = row(1, 2);
        sum.add(row(1, 3));
        assert_eq!(sum, row(1, 5));
        sum.add(row(2, 7));
        assert_ne!(sum, row(1, 12));
        sum.add(row(2, -7));
        assert_eq!(sum, row(1, 5));
        let json = serde_json::to_string(&sum).expect("text");
        assert_eq!(serde_json::from_str::<Print>(&json).expect("ours"), sum);
        assert!(serde_json::from_str::<Print>("\"00\"").is_err());
    }
}
