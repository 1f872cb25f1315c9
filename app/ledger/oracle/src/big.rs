//! Whole numbers from zero on, of any size, by the methods of school: slow and plain.

use std::cmp::Ordering;
use std::ops::{Add, Mul};

/// A whole number from zero on. Digits of 32 bits, the lowest first, none in front that is zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Big(Vec<u32>);

impl Big {
    /// Nothing.
    pub const ZERO: Self = Self(Vec::new());

    /// From a number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits at a time")]
    pub fn new(mut value: u128) -> Self {
        let mut digits = Vec::new();
        while value > 0 {
            digits.push(value as u32);
            value >>= 32;
        }
        Self(digits)
    }

    /// From a number that is known not to be negative.
    #[must_use]
    pub fn of(value: impl TryInto<u128>) -> Self {
        Self::new(value.try_into().ok().expect("from zero on"))
    }

    /// How often `divisor` fits, by subtracting shifted divisors bit by bit.
    #[must_use]
    pub fn div_floor(&self, divisor: u128) -> Self {
        assert!(divisor > 0 && divisor < 1 << 126, "a divisor that leaves room to double");
        let (mut quotient, mut rest) = (vec![0_u32; self.0.len()], 0_u128);
        for bit in (0..self.0.len() * 32).rev() {
            rest = rest * 2 + u128::from(self.0[bit / 32] >> (bit % 32) & 1);
            if rest >= divisor {
                rest -= divisor;
                quotient[bit / 32] |= 1 << (bit % 32);
            }
        }
        Self::trimmed(quotient)
    }

    /// As an `i128`, where it fits.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        if self.0.len() > 4 {
            return None;
        }
        let value = self.0.iter().rev().fold(0_u128, |value, digit| value << 32 | u128::from(*digit));
        i128::try_from(value).ok()
    }

    fn trimmed(mut digits: Vec<u32>) -> Self {
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self(digits)
    }
}

impl Add for Big {
    type Output = Self;

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is kept, the upper carried")]
    fn add(self, other: Self) -> Self {
        let (mut digits, mut carried) = (Vec::new(), 0_u64);
        for place in 0..=self.0.len().max(other.0.len()) {
            let digit = |of: &Self| u64::from(of.0.get(place).copied().unwrap_or(0));
            carried += digit(&self) + digit(&other);
            digits.push(carried as u32);
            carried >>= 32;
        }
        Self::trimmed(digits)
    }
}

impl Mul for Big {
    type Output = Self;

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is kept, the upper carried")]
    fn mul(self, other: Self) -> Self {
        let mut digits = vec![0_u32; self.0.len() + other.0.len() + 1];
        for (place, digit) in self.0.iter().enumerate() {
            let mut carried = 0_u64;
            for (far, other) in other.0.iter().chain(&[0]).enumerate() {
                carried += u64::from(digits[place + far]) + u64::from(*digit) * u64::from(*other);
                digits[place + far] = carried as u32;
                carried >>= 32;
            }
        }
        Self::trimmed(digits)
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_products_and_quotients_are_those_of_school() {
        let ten_to_the_40 = Big::new(10_u128.pow(20)) * Big::new(10_u128.pow(20));
        assert_eq!(ten_to_the_40.to_i128(), None);
        assert_eq!(ten_to_the_40.div_floor(10_u128.pow(37)).to_i128(), Some(1_000));
        assert_eq!((ten_to_the_40.clone() + Big::new(7)).div_floor(10_u128.pow(20)), Big::new(10_u128.pow(20)));
        assert!(ten_to_the_40 > Big::new(u128::MAX) && Big::default() < Big::new(1));
        for (a, b) in [(0, 1), (1, 3), (u128::from(u64::MAX), 7), (1 << 96, (1 << 64) - 1), (u128::MAX, 1 << 125)] {
            assert_eq!(Big::new(a).div_floor(b), Big::new(a / b), "{a} / {b}");
            let half = (a / 2, a - a / 2);
            assert_eq!(Big::new(half.0) + Big::new(half.1), Big::new(a));
        }
        let (a, b) = (u128::from(u64::MAX), u128::from(u64::MAX) - 5);
        assert_eq!(Big::new(a) * Big::new(b), Big::new(a * b));
    }
}
