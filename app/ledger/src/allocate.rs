//! Whole numbers in the place of fractions, so that the parts add up to the whole: each fraction is rounded down, and what is
//! then missing goes, one by one, to those that lost most (the largest remainder). Nobody is a whole unit away from their due.

use crate::refusal::Refusal;

/// Whole numbers beside the fractions `numerators[i] / denominator`, each less than one away from its own, that add up to `total`.
/// At equal remainders the earlier one is first. Fractions may be below zero.
///
/// # Errors
/// [`Refusal::AmountOverflow`] for what does not fit, and where `total` is a whole unit or more away from the sum of the fractions:
/// no such numbers exist then.
pub fn apportion(total: i64, numerators: &[i128], denominator: i128) -> Result<Vec<i64>, Refusal> {
    if denominator <= 0 {
        return Err(Refusal::AmountOverflow);
    }
    let mut parts = Vec::with_capacity(numerators.len());
    let mut missing = i128::from(total);
    for numerator in numerators {
        let floor = numerator.div_euclid(denominator);
        missing = missing.checked_sub(floor).ok_or(Refusal::AmountOverflow)?;
        parts.push(i64::try_from(floor).map_err(|_| Refusal::AmountOverflow)?);
    }
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // The sort is stable: at equal remainders the earlier one stays first.
    order.sort_by_key(|index| std::cmp::Reverse(numerators[*index].rem_euclid(denominator)));
    let mut raised = 0_i128;
    for index in order {
        let remains = numerators[index].rem_euclid(denominator) > 0;
        if raised == missing || !remains {
            break;
        }
        parts[index] = parts[index].checked_add(1).ok_or(Refusal::AmountOverflow)?;
        raised += 1;
    }
    if raised == missing { Ok(parts) } else { Err(Refusal::AmountOverflow) }
}

/// `total` divided by weights: whole numbers that add up to it.
///
/// # Errors
/// [`Refusal::AmountOverflow`] where all weights are zero, or for what does not fit.
pub fn by_weight(total: i64, weights: &[u64]) -> Result<Vec<i64>, Refusal> {
    let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    // 64 bits times 64 bits fit into 127 and a sign.
    let numerators: Vec<i128> = weights.iter().map(|weight| i128::from(total) * i128::from(*weight)).collect();
    apportion(total, &numerators, whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_missing_goes_to_the_largest_remainders_first() {
        assert_eq!(by_weight(100, &[1, 1, 1]), Ok(vec![34, 33, 33]));
        assert_eq!(by_weight(10, &[15, 15, 70]), Ok(vec![2, 1, 7]));
        assert_eq!(by_weight(-100, &[1, 1, 1]), Ok(vec![-33, -33, -34]));
        assert_eq!(by_weight(7, &[0, 5, 0]), Ok(vec![0, 7, 0]));
        assert_eq!(by_weight(1, &[0, 0]), Err(Refusal::AmountOverflow));
        assert_eq!(apportion(0, &[], 1), Ok(vec![]));
        // Two units cannot be made of half a unit.
        assert_eq!(apportion(2, &[1], 2), Err(Refusal::AmountOverflow));
        assert_eq!(apportion(-1, &[1], 2), Err(Refusal::AmountOverflow));
    }

    proptest! {
        #[test]
        fn shares_add_up_and_nobody_is_a_unit_away(
            total in -10_000_000_000_i64..10_000_000_000,
            weights in prop::collection::vec(0_u64..1_000_000_000_000, 1..40),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = by_weight(total, &weights).expect("fits");
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let away = i128::from(*part) * whole - i128::from(total) * i128::from(*weight);
                prop_assert!(away.abs() < whole, "{part} of {weight} in {whole}");
            }
        }

        #[test]
        fn fractions_of_either_sign_add_up_to_their_rounded_sum(
            numerators in prop::collection::vec(-1_000_000_000_000_i128..1_000_000_000_000, 1..40),
            denominator in 1_i128..2_000_000,
        ) {
            let sum: i128 = numerators.iter().sum();
            let half_up = (2 * sum.abs() + denominator).div_euclid(2 * denominator) * sum.signum();
            let total = i64::try_from(half_up).expect("fits");
            let parts = apportion(total, &numerators, denominator).expect("its own rounded sum");
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            for (part, numerator) in parts.iter().zip(&numerators) {
                prop_assert!((i128::from(*part) * denominator - numerator).abs() < denominator);
            }
        }
    }
}
